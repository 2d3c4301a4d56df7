/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * index.c - the messages of one mailbox as a packed array, ascending by UID
 */
#include "index.h"

#include <string.h>

G_STATIC_ASSERT (sizeof (RackRecord) == 24);

void
rack_index_init (RackIndex *index)
{
  memset (index, 0, sizeof *index);
}

void
rack_index_clear (RackIndex *index)
{
  g_free (index->records);
  rack_index_init (index);
}

static void
reserve (RackIndex *index, guint n)
{
  if (n <= index->capacity)
    return;
  /* A quarter more: mailboxes grow at their end, a few at a time. */
  index->capacity = MAX (n, index->capacity + index->capacity / 4);
  index->capacity = MAX (index->capacity, 16);
  index->records = g_renew (RackRecord, index->records, index->capacity);
}

void
rack_index_trim (RackIndex *index)
{
  if (index->n == 0 || index->capacity - index->n < 1024)
    return;
  index->capacity = index->n;
  index->records = g_renew (RackRecord, index->records, index->capacity);
}

void
rack_index_append (RackIndex *index, const RackRecord *record)
{
  reserve (index, index->n + 1);
  index->records[index->n++] = *record;
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

/* How many of other's records are not in index, whose records from at on are not below them. */
static guint
count_new (const RackIndex *index, guint at, const RackIndex *other, GArray *added)
{
  guint n = 0;
  for (guint o = 0; o < other->n; o++)
    {
      guint32 uid = other->records[o].uid;
      while (at < index->n && index->records[at].uid < uid)
        at++;
      if (at < index->n && index->records[at].uid == uid)
        continue;
      n++;
      if (added != NULL)
        g_array_append_val (added, uid);
    }
  return n;
}

void
rack_index_merge (RackIndex *index, RackIndex *other, GArray *added)
{
  if (other->n > 0)
    {
      guint from = rack_index_position (index, other->records[0].uid);
      guint new = count_new (index, from, other, added);
      guint i = index->n, o = other->n, to = index->n + new;
      reserve (index, to);
      index->n = to;
      /* From the end, so that each record moves once and those below stay where they are. */
      while (to > i)
        {
          guint32 mine = i > from ? index->records[i - 1].uid : 0;
          guint32 theirs = other->records[o - 1].uid;
          if (mine >= theirs)
            index->records[--to] = index->records[--i];
          else
            index->records[--to] = other->records[o - 1];
          if (mine <= theirs)
            o--;
        }
    }
  rack_index_clear (other);
}

void
rack_index_take (RackIndex *index, const RackSet *uids, RackIndex *gone)
{
  RackRanges ranges = rack_set_ranges (uids);
  if (ranges.n == 0)
    return;
  guint kept = rack_index_position (index, ranges.items[0].first);
  gsize r = 0;
  for (guint i = kept; i < index->n; i++)
    {
      const RackRecord *record = &index->records[i];
      while (r < ranges.n && ranges.items[r].last < record->uid)
        r++;
      if (r < ranges.n && ranges.items[r].first <= record->uid)
        rack_index_append (gone, record);
      else
        index->records[kept++] = *record;
    }
  index->n = kept;
}

RackSet *
rack_index_uids (const RackIndex *index)
{
  RackSet *uids = rack_set_new ();
  for (guint i = 0; i < index->n; i++)
    rack_set_add (uids, index->records[i].uid, index->records[i].uid);
  return uids;
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
