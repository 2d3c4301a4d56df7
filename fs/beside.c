/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * beside.c - what is beside the mail in a listing
 */
#include "beside.h"

#include "local.h"

#define LOCALS   64
#define ARRIVALS 64

struct Beside
{
  gint refs;         /* atomic */
  GPtrArray *items;  /* of BesideItem (owned) */
  GHashTable *names; /* their keys (owned) */
  View view;
};

Beside *
beside_new (void)
{
  Beside *beside = g_new0 (Beside, 1);
  beside->refs = 1;
  beside->items = g_ptr_array_new_with_free_func (g_free);
  beside->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return beside;
}

Beside *
beside_ref (Beside *beside)
{
  g_atomic_int_inc (&beside->refs);
  return beside;
}

void
beside_unref (Beside *beside)
{
  if (!g_atomic_int_dec_and_test (&beside->refs))
    return;
  g_hash_table_unref (beside->names);
  g_ptr_array_unref (beside->items);
  g_free (beside);
}

/* By what a file and the message that it becomes are the same: flags may look different. */
static const char *
key_of (const Beside *beside, const char *name, char *buffer)
{
  gboolean kept = view_ops (beside->view)->keep != NULL && rack_entry_name_base (name, buffer);
  return kept ? buffer : name;
}

static void
add (Beside *beside, BesideItem *item)
{
  char buffer[VIEW_NAME_SIZE];
  g_ptr_array_add (beside->items, item);
  g_hash_table_add (beside->names, g_strdup (key_of (beside, item->name, buffer)));
}

static void
note_locals (Beside *beside, const Directory *directory)
{
  RackLocal *locals[LOCALS];
  guint64 after = 0;
  int space = view_space (directory);
  for (guint n = space >= 0 ? LOCALS : 0; n == LOCALS;)
    {
      n = rack_local_list (directory->folder, (guint) space, NULL, after, locals, LOCALS);
      for (guint i = 0; i < n; i++)
        {
          RackLocalFacts facts;
          BesideItem *item = g_new0 (BesideItem, 1);
          rack_local_facts (locals[i], &facts);
          rack_local_unref (locals[i]);
          after = facts.id;
          g_strlcpy (item->name, facts.name, sizeof item->name);
          item->attributes.st_ino = local_number (&facts);
          item->attributes.st_mode = facts.directory ? S_IFDIR : S_IFREG;
          add (beside, item);
        }
    }
}

static void
note_arrivals (Beside *beside, const Directory *directory)
{
  const ViewOps *ops = view_ops (directory->view);
  RackArrival arrivals[ARRIVALS];
  RackTicket after = 0;
  for (guint n = view_shows_arrivals (directory) ? ARRIVALS : 0; n == ARRIVALS;)
    {
      n = rack_folder_arrivals (directory->folder, after, arrivals, ARRIVALS);
      for (guint i = 0; i < n; i++)
        {
          Directory from = *directory;
          from.row = arrivals[i].row;
          after = arrivals[i].id;
          if (ops->shows != NULL && !ops->shows (&from, &arrivals[i].entry))
            continue;
          BesideItem *item = g_new0 (BesideItem, 1);
          item->message = TRUE;
          item->row = arrivals[i].row;
          item->entry = arrivals[i].entry;
          ops->entry_name (&from, &item->entry, item->name);
          add (beside, item);
        }
    }
}

void
beside_note (Beside *beside, const Directory *directory)
{
  beside->view = directory->view;
  g_hash_table_remove_all (beside->names);
  g_ptr_array_set_size (beside->items, 0);
  note_locals (beside, directory);
  note_arrivals (beside, directory);
}

gboolean
beside_hides (const Beside *beside, const char *name)
{
  char buffer[VIEW_NAME_SIZE];
  return g_hash_table_size (beside->names) > 0
         && g_hash_table_contains (beside->names, key_of (beside, name, buffer));
}

const BesideItem *
beside_item (const Beside *beside, guint i)
{
  return i < beside->items->len ? beside->items->pdata[i] : NULL;
}
