/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * resync-compare.c - which messages have vanished, where the server cannot say so
 *
 * Known UIDs in ascending order have a rank, messages on the server a sequence number. If
 * nothing vanished below a message, its number is the rank of its UID; each one that
 * vanished below makes the number one less. So the UIDs of a few numbers, asked for with
 * one UID SEARCH, tell between which of them something is missing, and a few rounds of
 * that lead to every gap: what is asked grows with the gaps, not with the mailbox.
 *
 * Numbers shift when somebody expunges meanwhile: then, and whenever an answer does not
 * fit, everything is asked for once and compared. */
#include "resync-private.h"

#include <string.h>

/* An interval with something missing is cut in so many, down to about so many messages. */
#define FAN        16
#define LEAF       64
/* Known ranges that are asked for as a whole where answers are ranges. */
#define FEW_RANGES 256
/* RFC 2683 3.2.1.5: servers take commands of 8,000 octets. A range costs up to 22. */
#define MAX_OCTETS 7500
#define MAX_RANGES (MAX_OCTETS / 22)

/* A message of the server that is known: its sequence number, and the rank of its UID. */
typedef struct
{
  guint32 seq;
  guint32 rank;
} Point;

typedef struct
{
  const RackAsk *ask;
  const RackSet *known;
  RackRanges ranges; /* of known */
  guint32 *before;   /* of each range: how many numbers are in those in front of it */
  guint64 removed;   /* as counts say; another number: sequence numbers have shifted */
  GArray *points;    /* Point, ascending; the first and last are outside */
} Compare;

/* ---- Ranks ------------------------------------------------------------------------- */

/* The range that holds or follows uid. */
static gsize
range_at (const Compare *compare, guint32 uid)
{
  gsize low = 0, high = compare->ranges.n;

  while (low < high)
    {
      gsize middle = low + (high - low) / 2;
      if (compare->ranges.items[middle].last < uid)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* From 1; 0: it is not known. */
static guint32
rank_of (const Compare *compare, guint32 uid)
{
  gsize i = range_at (compare, uid);

  if (i == compare->ranges.n || compare->ranges.items[i].first > uid)
    return 0;
  return compare->before[i] + (uid - compare->ranges.items[i].first) + 1;
}

/* The range with this rank in it. */
static gsize
range_of_rank (const Compare *compare, guint32 rank)
{
  gsize low = 0, high = compare->ranges.n;

  while (high - low > 1)
    {
      gsize middle = low + (high - low) / 2;
      if (compare->before[middle] < rank)
        low = middle;
      else
        high = middle;
    }
  return low;
}

static void
add_ranks (const Compare *compare, guint32 first, guint32 last, RackSet *set)
{
  for (gsize i = range_of_rank (compare, first); i < compare->ranges.n; i++)
    {
      const RackRange *range = &compare->ranges.items[i];
      guint32 n = range->last - range->first + 1;
      guint32 from = MAX (first, compare->before[i] + 1) - compare->before[i] - 1;
      if (compare->before[i] >= last)
        break;
      guint32 to = MIN (last, compare->before[i] + n) - compare->before[i] - 1;
      rack_set_add (set, range->first + from, range->first + to);
    }
}

/* ---- One round ------------------------------------------------------------------------ */

static guint32
missing_between (const Point *a, const Point *b)
{
  return (b->rank - a->rank) - (b->seq - a->seq);
}

/* Whether it is cheaper to ask for all between two points than to look for the gap. */
static gboolean
is_leaf (const Compare *compare, const Point *a, const Point *b)
{
  if (b->rank - a->rank - 1 <= LEAF)
    return TRUE;
  return compare->ask->extended
         && range_of_rank (compare, b->rank - 1) - range_of_rank (compare, a->rank + 1) < LEAF / 4;
}

/* The numbers to ask for in this round; empty when only leaves are left. */
static RackSet *
choose_numbers (const Compare *compare)
{
  const Point *points = (const Point *) (gpointer) compare->points->data;
  RackSet *numbers = rack_set_new ();
  guint n = 0, digits = 1;

  for (guint32 low = points[compare->points->len - 1].seq; low >= 10; low /= 10)
    digits++;
  for (guint i = 0; i + 1 < compare->points->len && (n + FAN) * (digits + 1) <= MAX_OCTETS; i++)
    {
      const Point *a = &points[i], *b = &points[i + 1];
      guint32 inside = b->seq - a->seq - 1;
      if (missing_between (a, b) == 0 || inside == 0 || is_leaf (compare, a, b))
        continue;
      guint32 cuts = MIN (inside, FAN - 1);
      for (guint32 k = 1; k <= cuts; k++, n++)
        {
          guint32 seq = a->seq + (guint32) ((guint64) (inside + 1) * k / (cuts + 1));
          rack_set_add (numbers, seq, seq);
        }
    }
  return numbers;
}

/* Numbers and UIDs ascend together. FALSE: they cannot belong to one another. */
static gboolean
merge_points (Compare *compare, const RackSet *numbers, const RackSet *uids)
{
  RackRanges seqs = rack_set_ranges (numbers), found = rack_set_ranges (uids);
  GArray *merged = g_array_new (FALSE, FALSE, sizeof (Point));
  gsize at = 0;
  guint32 uid = found.n > 0 ? found.items[0].first : 0;
  guint old = 0;

  for (gsize i = 0; i < seqs.n; i++)
    for (guint32 seq = seqs.items[i].first; seq <= seqs.items[i].last; seq++)
      {
        Point point = { seq, rank_of (compare, uid) };
        for (; g_array_index (compare->points, Point, old).seq < seq; old++)
          g_array_append_val (merged, g_array_index (compare->points, Point, old));
        g_array_append_val (merged, point);
        if (uid < found.items[at].last)
          uid++;
        else if (++at < found.n)
          uid = found.items[at].first;
      }
  for (; old < compare->points->len; old++)
    g_array_append_val (merged, g_array_index (compare->points, Point, old));
  g_array_unref (compare->points);
  compare->points = merged;
  for (guint i = 1; i < merged->len; i++)
    {
      const Point *a = &g_array_index (merged, Point, i - 1),
                  *b = &g_array_index (merged, Point, i);
      if (b->rank <= a->rank || b->rank - a->rank < b->seq - a->seq)
        return FALSE;
    }
  return TRUE;
}

typedef enum
{
  ROUND_FAILED, /* error is set */
  ROUND_MORE,
  ROUND_DONE,
  ROUND_AMISS, /* the answer does not fit */
} Round;

static Round
run_round (Compare *compare, GError **error)
{
  g_autoptr (RackSet) numbers = choose_numbers (compare);
  RackCounts counts;

  if (rack_set_count (numbers) == 0)
    return ROUND_DONE;
  g_autoptr (RackSet) uids = rack_ask_search (compare->ask, NULL, numbers, &counts, error);
  if (uids == NULL)
    return ROUND_FAILED;
  if (counts.removed != compare->removed || rack_set_count (uids) != rack_set_count (numbers)
      || !merge_points (compare, numbers, uids))
    return ROUND_AMISS;
  return ROUND_MORE;
}

/* ---- The gaps ------------------------------------------------------------------------- */

/* Asks which of leaves are there, so many ranges at a time. */
static gboolean
ask_leaves (const RackAsk *ask, const RackSet *leaves, RackSet *vanished, guint64 *removed,
            GError **error)
{
  RackCounts counts;

  RackRanges ranges = rack_set_ranges (leaves);

  for (gsize at = 0; at < ranges.n; at += MAX_RANGES)
    {
      RackRanges some = { ranges.items + at, MIN (MAX_RANGES, ranges.n - at) };
      g_autoptr (RackSet) part = rack_set_new ();
      rack_set_add_ranges (part, some);
      g_autoptr (RackSet) there = rack_ask_search (ask, "UID", part, &counts, error);
      if (there == NULL)
        return FALSE;
      *removed = counts.removed;
      rack_set_subtract (part, there);
      rack_set_merge (vanished, part);
    }
  return TRUE;
}

static gboolean
take_gaps (Compare *compare, RackSet *vanished, guint64 *removed, GError **error)
{
  g_autoptr (RackSet) leaves = rack_set_new ();

  for (guint i = 0; i + 1 < compare->points->len; i++)
    {
      const Point *a = &g_array_index (compare->points, Point, i), *b = a + 1;
      if (missing_between (a, b) > 0)
        add_ranks (compare, a->rank + 1, b->rank - 1, b->seq == a->seq + 1 ? vanished : leaves);
    }
  return ask_leaves (compare->ask, leaves, vanished, removed, error);
}

static Round
look_for_gaps (Compare *compare, guint32 n_known, guint32 low, RackSet *vanished, GError **error)
{
  Point outside[] = { { 0, 0 }, { low + 1, n_known + 1 } };
  guint64 removed = compare->removed;
  Round round;

  g_array_append_vals (compare->points, outside, 2);
  while ((round = run_round (compare, error)) == ROUND_MORE)
    ;
  if (round != ROUND_DONE)
    return round;
  if (!take_gaps (compare, vanished, &removed, error))
    return ROUND_FAILED;
  /* More than are missing: there must be some that nobody knew; or others vanished meanwhile. */
  guint64 found = rack_set_count (vanished), missing = n_known - low;
  return found == missing || (found > missing && removed != compare->removed) ? ROUND_DONE
                                                                              : ROUND_AMISS;
}

/* ---- The two ways --------------------------------------------------------------------- */

gboolean
rack_compare_all (const RackAsk *ask, const RackSet *known, guint32 last, RackSet *vanished,
                  RackSet *others, GError **error)
{
  g_autoptr (RackSet) range = rack_set_new_range (1, last);
  g_autoptr (RackSet) there = rack_ask_search (ask, "UID", range, NULL, error);

  if (there == NULL)
    return FALSE;
  rack_set_intersect (there, range); /* nobody promised that it answers what was asked */
  g_autoptr (RackSet) gone = rack_set_copy (known);
  rack_set_subtract (gone, there);
  rack_set_merge (vanished, gone);
  rack_set_subtract (there, known);
  rack_set_merge (others, there);
  return TRUE;
}

gboolean
rack_compare (const RackAsk *ask, const RackSet *known, guint32 last, guint64 low,
              const RackCounts *counts, RackSet *vanished, RackSet *others, GError **error)
{
  guint64 n_known = rack_set_count (known);
  Compare compare = {
    .ask = ask, .known = known, .ranges = rack_set_ranges (known), .removed = counts->removed
  };
  guint32 n = 0;

  if (n_known == low)
    return TRUE;
  if (n_known < low || n_known >= G_MAXUINT32 || (ask->extended && compare.ranges.n <= FEW_RANGES))
    return rack_compare_all (ask, known, last, vanished, others, error);
  compare.before = g_new (guint32, compare.ranges.n);
  for (gsize i = 0; i < compare.ranges.n; i++)
    {
      compare.before[i] = n;
      n += compare.ranges.items[i].last - compare.ranges.items[i].first + 1;
    }
  compare.points = g_array_new (FALSE, FALSE, sizeof (Point));
  g_autoptr (RackSet) gaps = rack_set_new ();
  Round round = look_for_gaps (&compare, (guint32) n_known, (guint32) low, gaps, error);
  g_free (compare.before);
  g_array_unref (compare.points);
  if (round == ROUND_FAILED)
    return FALSE;
  if (round == ROUND_AMISS)
    return rack_compare_all (ask, known, last, vanished, others, error);
  rack_set_merge (vanished, gaps);
  return TRUE;
}
