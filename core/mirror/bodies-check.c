/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bodies-check.c - whether kept bodies are what they were
 *
 * Reads every octet of them, without a mirror. What is wrong is dropped: the server has it.
 */
#include "body-private.h"

typedef struct
{
  const RackSlab *slab;
  guint64 end; /* of the ranges so far */
  GArray *bad; /* RackStoreBody */
} Check;

static void
check_one (const RackStoreBody *row, gpointer data)
{
  Check *check = data;
  gboolean apart = row->offset >= check->end && row->offset < G_MAXINT64 / 2
                   && row->size < G_MAXINT64 / 2 && rack_slab_cost (row->offset) == row->offset;
  if (apart)
    check->end = row->offset + rack_slab_cost (row->size);
  if (apart && rack_slab_verify (check->slab, row->offset, row->size, row->crc))
    return;
  RackStoreBody copy = *row;
  copy.section = g_strdup (row->section);
  /* What overlaps another's range is not punched. */
  if (!apart)
    copy.size = 0;
  g_array_append_val (check->bad, copy);
}

static void
free_section (gpointer row)
{
  g_free (((RackStoreBody *) row)->section);
}

gboolean
rack_bodies_check (RackStore *store, guint64 *dropped, GError **error)
{
  RackSlab slab;
  if (!rack_slab_open (&slab, rack_store_directory (store), error))
    return FALSE;
  g_autoptr (GArray) bad = g_array_new (FALSE, FALSE, sizeof (RackStoreBody));
  g_array_set_clear_func (bad, free_section);
  Check check = { .slab = &slab, .bad = bad };
  gboolean ok =
      rack_store_each_body (store, check_one, &check, error)
      && rack_store_remove_bodies (store, (const RackStoreBody *) bad->data, bad->len, error);
  for (guint i = 0; ok && i < bad->len; i++)
    {
      const RackStoreBody *row = &g_array_index (bad, RackStoreBody, i);
      rack_slab_punch (&slab, row->offset, row->size);
    }
  if (ok)
    *dropped += bad->len;
  rack_slab_close (&slab);
  return ok;
}
