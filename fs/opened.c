/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * opened.c - what the kernel has open: a set of pointers, and how each is closed
 */
#include "opened.h"

struct Opened
{
  pthread_mutex_t mutex;
  GHashTable *things; /* what is open -> its GDestroyNotify */
};

Opened *
opened_new (void)
{
  Opened *opened = g_new0 (Opened, 1);
  pthread_mutex_init (&opened->mutex, NULL);
  opened->things = g_hash_table_new (NULL, NULL);
  return opened;
}

void
opened_free (Opened *opened)
{
  GHashTableIter iter;
  gpointer thing, close;
  g_hash_table_iter_init (&iter, opened->things);
  while (g_hash_table_iter_next (&iter, &thing, &close))
    {
      g_hash_table_iter_steal (&iter);
      ((GDestroyNotify) close) (thing);
    }
  g_hash_table_unref (opened->things);
  pthread_mutex_destroy (&opened->mutex);
  g_free (opened);
}

void
opened_add (Opened *opened, gpointer thing, GDestroyNotify close)
{
  pthread_mutex_lock (&opened->mutex);
  g_hash_table_insert (opened->things, thing, close);
  pthread_mutex_unlock (&opened->mutex);
}

void
opened_close (Opened *opened, gpointer thing)
{
  gpointer close = NULL;
  pthread_mutex_lock (&opened->mutex);
  g_hash_table_steal_extended (opened->things, thing, NULL, &close);
  pthread_mutex_unlock (&opened->mutex);
  ((GDestroyNotify) close) (thing);
}
