/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * parts-files.c - which part is the text of a message, and what the others are called
 *
 * The text is the first text/plain and the first text/html that is not attached. A part is
 * attached if its sender says so, or if it has a file's name and is neither the beginning
 * of the message nor one of several ways to say the same. A message within is a file and no
 * more: what it consists of is its own matter.
 */
#include "names.h"
#include "parts.h"

#include <string.h>

/* The part that holds item i; NULL for the root. */
static const RackPartFacts *
holder_of (const RackPartFacts *items, guint i)
{
  guint depth = items[i].depth;
  while (i-- > 0)
    if (items[i].depth + 1 == depth)
      return &items[i];
  return NULL;
}

static gboolean
is_attached (const RackPartFacts *items, guint i, gboolean first)
{
  if (g_strcmp0 (items[i].disposition, "attachment") == 0)
    return TRUE;
  if (items[i].name == NULL || first)
    return FALSE;
  const RackPartFacts *holder = holder_of (items, i);
  return holder == NULL || strcmp (holder->subtype, "alternative") != 0;
}

static void
assign_roles (RackPartFacts *items, guint n)
{
  gboolean first = TRUE, plain = FALSE, html = FALSE;
  guint inside = G_MAXUINT; /* deeper than this is within an attached message */
  for (guint i = 0; i < n; i++)
    {
      RackPartFacts *item = &items[i];
      if (item->depth > inside)
        {
          item->role = RACK_PART_INNER;
          continue;
        }
      inside = G_MAXUINT;
      if (item->multipart)
        {
          item->role = RACK_PART_HOLDER;
          continue;
        }
      gboolean *taken = strcmp (item->type, "text") != 0       ? NULL
                        : strcmp (item->subtype, "plain") == 0 ? &plain
                        : strcmp (item->subtype, "html") == 0  ? &html
                                                               : NULL;
      item->role = RACK_PART_FILE;
      if (taken != NULL && !*taken && !is_attached (items, i, first))
        {
          *taken = TRUE;
          item->role = taken == &plain ? RACK_PART_PLAIN : RACK_PART_HTML;
        }
      if (strcmp (item->type, "message") == 0)
        inside = item->depth;
      first = FALSE;
    }
}

/* numbers: names that are given away -> the number the next one of that name may have. */
static char *
free_name (GHashTable *numbers, const char *name)
{
  guint number = GPOINTER_TO_UINT (g_hash_table_lookup (numbers, name));
  g_autofree char *free_one = g_strdup (name);
  while (g_hash_table_contains (numbers, free_one))
    {
      g_free (free_one);
      free_one = rack_name_numbered (name, number++);
    }
  if (number > 0)
    g_hash_table_insert (numbers, g_strdup (name), GUINT_TO_POINTER (number));
  g_hash_table_insert (numbers, g_strdup (free_one), GUINT_TO_POINTER (2));
  return g_steal_pointer (&free_one);
}

void
rack_parts_assign (GArray *items, GStringChunk *texts)
{
  RackPartFacts *facts = (RackPartFacts *) items->data;
  g_autoptr (GHashTable) numbers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  assign_roles (facts, items->len);
  for (guint i = 0; i < items->len; i++)
    if (facts[i].role == RACK_PART_FILE)
      {
        g_autofree char *name =
            rack_name_part (facts[i].name, facts[i].section, facts[i].type, facts[i].subtype);
        g_autofree char *file = free_name (numbers, name);
        facts[i].file = g_string_chunk_insert (texts, file);
      }
}
