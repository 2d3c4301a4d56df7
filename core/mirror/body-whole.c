/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * body-whole.c - all the octets of a message that is here already
 *
 * For what can be done without the server; nothing is fetched for it, and nobody waits.
 */
#include "body-private.h"

/* What is larger is not read into memory. */
#define WHOLE_MAX (128 << 20)

char *
rack_bodies_read_whole (RackFolder *folder, guint32 row, guint32 uid, gsize *size)
{
  RackBodies *bodies = folder->mirror->bodies;
  g_autoptr (RackBody) body = rack_folder_body (folder, row, uid);
  if (body == NULL)
    return NULL;
  rack_body_look (body);
  pthread_mutex_lock (&bodies->mutex);
  gboolean done = body->state == RACK_BODY_DONE;
  gboolean here = (done || body->kept) && body->placed && body->size <= WHOLE_MAX;
  guint64 offset = body->offset;
  RackSlab slab = *body->slab;
  guint32 crc = body->crc;
  *size = here ? body->size : 0;
  pthread_mutex_unlock (&bodies->mutex);
  if (!here)
    return NULL;
  g_autofree char *octets = g_malloc (*size + 1);
  /* What was kept is believed once it was looked through. */
  if (!rack_slab_read (&slab, offset, octets, *size)
      || (!done && rack_slab_crc (0, octets, *size) != crc))
    return NULL;
  return g_steal_pointer (&octets);
}
