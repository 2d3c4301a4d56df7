/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * index.c - the messages of one mailbox as a packed array, ascending by UID
 */
#include "index.h"

#include <string.h>

G_STATIC_ASSERT (sizeof (RackRecord) <= 32);

#define NAMES_BLOCK (32 * 1024)
/* Names of messages that went are given back when they are more than the living and this. */
#define GARBAGE_MIN (256 * 1024)

void
rack_index_init (RackIndex *index)
{
  memset (index, 0, sizeof *index);
}

void
rack_index_clear (RackIndex *index)
{
  g_free (index->records);
  if (index->names != NULL)
    g_string_chunk_free (index->names);
  rack_index_init (index);
}

static const char *
keep_name (RackIndex *index, const char *name, gsize size)
{
  if (index->names == NULL)
    index->names = g_string_chunk_new (NAMES_BLOCK);
  index->name_bytes += size + 1;
  return g_string_chunk_insert_len (index->names, name, (gssize) size);
}

static void
reserve (RackIndex *index, guint n)
{
  if (n <= index->capacity)
    return;
  index->capacity = MAX (n, index->capacity + index->capacity / 2);
  index->capacity = MAX (index->capacity, 16);
  index->records = g_renew (RackRecord, index->records, index->capacity);
}

void
rack_index_append (RackIndex *index, const RackRecord *record, const char *name, gsize size)
{
  reserve (index, index->n + 1);
  RackRecord *slot = &index->records[index->n++];
  *slot = *record;
  slot->name = name != NULL ? keep_name (index, name, size) : NULL;
}

static gint
by_uid (gconstpointer a, gconstpointer b, gpointer data)
{
  guint32 left = ((const RackRecord *) a)->uid, right = ((const RackRecord *) b)->uid;
  return left < right ? -1 : left > right;
}

void
rack_index_seal (RackIndex *index)
{
  gboolean sorted = TRUE;
  for (guint i = 1; i < index->n && sorted; i++)
    sorted = index->records[i - 1].uid < index->records[i].uid;
  if (sorted)
    return;
  /* Stable: of equals the last one appended is the last. */
  g_qsort_with_data (index->records, (gint) index->n, sizeof (RackRecord), by_uid, NULL);
  guint kept = 0;
  for (guint i = 0; i < index->n; i++)
    {
      if (i + 1 < index->n && index->records[i].uid == index->records[i + 1].uid)
        continue;
      index->records[kept++] = index->records[i];
    }
  index->n = kept;
}

guint
rack_index_position (const RackIndex *index, guint32 uid)
{
  guint low = 0, high = index->n;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      if (index->records[middle].uid < uid)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

RackRecord *
rack_index_find (const RackIndex *index, guint32 uid)
{
  guint at = rack_index_position (index, uid);
  return at < index->n && index->records[at].uid == uid ? &index->records[at] : NULL;
}

/* Both sealed, other not empty and all of its UIDs above index': the usual case, new mail. */
static void
append_all (RackIndex *index, const RackIndex *other, GArray *added)
{
  reserve (index, index->n + other->n);
  for (guint i = 0; i < other->n; i++)
    {
      const RackRecord *record = &other->records[i];
      rack_index_append (index, record, record->name,
                         record->name != NULL ? strlen (record->name) : 0);
      if (added != NULL)
        g_array_append_val (added, record->uid);
    }
}

static void
merge_sorted (RackIndex *index, const RackIndex *other, GArray *added)
{
  RackIndex merged;
  rack_index_init (&merged);
  merged.names = g_steal_pointer (&index->names);
  merged.name_bytes = index->name_bytes;
  merged.name_garbage = index->name_garbage;
  reserve (&merged, index->n + other->n);
  guint i = 0, o = 0;
  while (i < index->n || o < other->n)
    {
      guint32 mine = i < index->n ? index->records[i].uid : 0;
      guint32 theirs = o < other->n ? other->records[o].uid : 0;
      if (o == other->n || (i < index->n && mine <= theirs))
        {
          merged.records[merged.n++] = index->records[i++];
          if (mine == theirs && o < other->n)
            o++; /* known already: what we learnt about it stays */
          continue;
        }
      const RackRecord *record = &other->records[o++];
      rack_index_append (&merged, record, record->name,
                         record->name != NULL ? strlen (record->name) : 0);
      if (added != NULL)
        g_array_append_val (added, record->uid);
    }
  rack_index_clear (index);
  *index = merged;
}

void
rack_index_merge (RackIndex *index, RackIndex *other, GArray *added)
{
  if (other->n == 0)
    ;
  else if (index->n == 0)
    {
      rack_index_clear (index);
      *index = *other;
      rack_index_init (other);
      for (guint i = 0; added != NULL && i < index->n; i++)
        g_array_append_val (added, index->records[i].uid);
    }
  else if (other->records[0].uid > index->records[index->n - 1].uid)
    append_all (index, other, added);
  else
    merge_sorted (index, other, added);
  rack_index_clear (other);
}

static void
compact_names (RackIndex *index)
{
  if (index->name_garbage < GARBAGE_MIN || index->name_garbage < index->name_bytes / 2)
    return;
  GStringChunk *old = g_steal_pointer (&index->names);
  index->name_bytes = index->name_garbage = 0;
  for (guint i = 0; i < index->n; i++)
    if (index->records[i].name != NULL)
      index->records[i].name =
          keep_name (index, index->records[i].name, strlen (index->records[i].name));
  if (old != NULL)
    g_string_chunk_free (old);
}

void
rack_index_take (RackIndex *index, const RackSet *uids, RackIndex *gone)
{
  RackRanges ranges = rack_set_ranges (uids);
  guint kept = 0;
  gsize r = 0;
  for (guint i = 0; i < index->n; i++)
    {
      RackRecord *record = &index->records[i];
      while (r < ranges.n && ranges.items[r].last < record->uid)
        r++;
      if (r < ranges.n && ranges.items[r].first <= record->uid)
        {
          gsize size = record->name != NULL ? strlen (record->name) : 0;
          rack_index_append (gone, record, record->name, size);
          index->name_garbage += record->name != NULL ? size + 1 : 0;
        }
      else
        index->records[kept++] = *record;
    }
  index->n = kept;
  compact_names (index);
}

void
rack_index_compare (const RackIndex *index, const RackSet *uids, RackSet **unknown,
                    RackSet **vanished)
{
  RackRanges ranges = rack_set_ranges (uids);
  *unknown = rack_set_new ();
  *vanished = rack_set_new ();
  guint i = 0;
  for (gsize r = 0; r < ranges.n; r++)
    {
      guint64 next = ranges.items[r].first, last = ranges.items[r].last;
      for (; i < index->n && index->records[i].uid < next; i++)
        rack_set_add (*vanished, index->records[i].uid, index->records[i].uid);
      for (; i < index->n && index->records[i].uid <= last; i++)
        {
          guint32 uid = index->records[i].uid;
          if (uid > next)
            rack_set_add (*unknown, (guint32) next, uid - 1);
          next = (guint64) uid + 1;
        }
      if (next <= last)
        rack_set_add (*unknown, (guint32) next, (guint32) last);
    }
  for (; i < index->n; i++)
    rack_set_add (*vanished, index->records[i].uid, index->records[i].uid);
}
