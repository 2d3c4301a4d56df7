/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * shelf.c - a balanced tree for the order, a table for the names
 */
#include "shelf.h"

struct RackShelf
{
  GSequence *by_id;    /* of RackShelved */
  GHashTable *by_name; /* name -> RackShelved, the first of its namesakes */
};

RackShelf *
rack_shelf_new (void)
{
  RackShelf *shelf = g_new (RackShelf, 1);
  shelf->by_id = g_sequence_new (NULL);
  shelf->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return shelf;
}

void
rack_shelf_free (RackShelf *shelf)
{
  g_sequence_free (shelf->by_id);
  g_hash_table_unref (shelf->by_name);
  g_free (shelf);
}

static gint
by_id (gconstpointer a, gconstpointer b, gpointer data)
{
  guint64 left = ((const RackShelved *) a)->id, right = ((const RackShelved *) b)->id;
  return (left > right) - (left < right);
}

void
rack_shelf_add (RackShelf *shelf, RackShelved *shelved, guint64 id, const char *name,
                gpointer thing)
{
  RackShelved *first = g_hash_table_lookup (shelf->by_name, name);
  *shelved = (RackShelved){ .id = id, .name = name, .thing = thing };
  shelved->place = g_sequence_insert_sorted (shelf->by_id, shelved, by_id, NULL);
  if (first == NULL)
    {
      g_hash_table_insert (shelf->by_name, (gpointer) name, shelved);
      return;
    }
  while (first->namesake != NULL)
    first = first->namesake;
  first->namesake = shelved;
}

void
rack_shelf_remove (RackShelf *shelf, RackShelved *shelved)
{
  RackShelved *at = g_hash_table_lookup (shelf->by_name, shelved->name);
  if (at == shelved && shelved->namesake != NULL)
    g_hash_table_replace (shelf->by_name, (gpointer) shelved->namesake->name, shelved->namesake);
  else if (at == shelved)
    g_hash_table_remove (shelf->by_name, shelved->name);
  else
    {
      while (at->namesake != shelved)
        at = at->namesake;
      at->namesake = shelved->namesake;
    }
  g_sequence_remove (shelved->place);
  *shelved = (RackShelved){ 0 };
}

gboolean
rack_shelf_is_empty (const RackShelf *shelf)
{
  return g_sequence_is_empty (shelf->by_id);
}

RackShelved *
rack_shelf_find (const RackShelf *shelf, const char *name)
{
  return g_hash_table_lookup (shelf->by_name, name);
}

static RackShelved *
shelved_at (GSequenceIter *at)
{
  return g_sequence_iter_is_end (at) ? NULL : g_sequence_get (at);
}

RackShelved *
rack_shelf_after (const RackShelf *shelf, guint64 after)
{
  RackShelved last = { .id = after };
  return shelved_at (g_sequence_search (shelf->by_id, &last, by_id, NULL));
}

RackShelved *
rack_shelved_next (const RackShelved *shelved)
{
  return shelved_at (g_sequence_iter_next (shelved->place));
}
