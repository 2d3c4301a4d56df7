/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * set.c - sets of message numbers as sorted, merged ranges */
#include "parse.h"

#include <string.h>

struct RackSet
{
  RackRange *ranges;
  gsize n, room;
  gsize spare; /* ranges that there is room for in front: sets are used up from there */
};

/* What was allocated. */
static RackRange *
start_of (const RackSet *set)
{
  return set->spare > 0 ? set->ranges - set->spare : set->ranges;
}

RackSet *
rack_set_new (void)
{
  return g_new0 (RackSet, 1);
}

RackSet *
rack_set_new_range (guint32 first, guint32 last)
{
  RackSet *set = rack_set_new ();

  rack_set_add (set, first, last);
  return set;
}

RackSet *
rack_set_copy (const RackSet *set)
{
  RackSet *copy = rack_set_new ();

  copy->ranges = g_memdup2 (set->ranges, set->n * sizeof (RackRange));
  copy->n = copy->room = set->n;
  return copy;
}

void
rack_set_free (RackSet *set)
{
  if (set == NULL)
    return;
  g_free (start_of (set));
  g_free (set);
}

void
rack_set_clear (RackSet *set)
{
  set->n = 0;
}

/* The first range that ends at or behind number - 1, so that it may touch or hold number. */
static gsize
find (const RackSet *set, guint32 number)
{
  gsize low = 0, high = set->n;

  if (set->n > 0 && set->ranges[set->n - 1].last + 1 < number
      && set->ranges[set->n - 1].last != G_MAXUINT32)
    return set->n;
  while (low < high)
    {
      gsize middle = low + (high - low) / 2;
      guint32 last = set->ranges[middle].last;
      if (last != G_MAXUINT32 && last + 1 < number)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* Makes room for n ranges. */
static void
reserve (RackSet *set, gsize n)
{
  RackRange *start = start_of (set);

  if (n <= set->room)
    return;
  set->room += set->spare;
  if (set->spare > 0)
    memmove (start, set->ranges, set->n * sizeof (RackRange));
  set->spare = 0;
  if (n > set->room / 2)
    {
      set->room = MAX (n, MAX (4, set->room * 2));
      start = g_renew (RackRange, start, set->room);
    }
  set->ranges = start;
}

/* Moves the ranges before index up by n: those behind it may be many more. */
static void
drop (RackSet *set, gsize index, gsize n)
{
  memmove (set->ranges + n, set->ranges, index * sizeof (RackRange));
  set->ranges += n;
  set->room -= n;
  set->spare += n;
  set->n -= n;
}

/* Replaces the ranges from index up to end (not with it) by those given. */
static void
splice (RackSet *set, gsize index, gsize end, const RackRange *with, gsize n_with)
{
  gsize n = set->n - (end - index) + n_with;

  if (n < set->n && index < set->n - end)
    {
      drop (set, index, set->n - n);
      end = index + n_with;
    }
  reserve (set, n);
  if (set->n > end && index + n_with != end)
    memmove (set->ranges + index + n_with, set->ranges + end, (set->n - end) * sizeof (RackRange));
  if (n_with > 0)
    memcpy (set->ranges + index, with, n_with * sizeof (RackRange));
  set->n = n;
}

void
rack_set_add (RackSet *set, guint32 first, guint32 last)
{
  RackRange range = { MIN (first, last), MAX (first, last) };
  gsize index, end;

  if (range.last == 0)
    return;
  range.first = MAX (range.first, 1);
  index = end = find (set, range.first);
  while (end < set->n && (range.last == G_MAXUINT32 || set->ranges[end].first <= range.last + 1))
    {
      range.first = MIN (range.first, set->ranges[end].first);
      range.last = MAX (range.last, set->ranges[end].last);
      end++;
    }
  splice (set, index, end, &range, 1);
}

void
rack_set_add_ranges (RackSet *set, RackRanges ranges)
{
  for (gsize i = 0; i < ranges.n; i++)
    rack_set_add (set, ranges.items[i].first, ranges.items[i].last);
}

void
rack_set_remove (RackSet *set, guint32 first, guint32 last)
{
  RackRange left[2];
  gsize n_left = 0, index, end;
  guint32 low = MAX (MIN (first, last), 1), high = MAX (first, last);

  if (high == 0)
    return;
  index = find (set, low);
  if (index < set->n && set->ranges[index].last < low)
    index++;
  for (end = index; end < set->n && set->ranges[end].first <= high; end++)
    {
      RackRange range = set->ranges[end];
      if (range.first < low)
        left[n_left++] = (RackRange){ range.first, low - 1 };
      if (range.last > high)
        left[n_left++] = (RackRange){ high + 1, range.last };
    }
  splice (set, index, end, left, n_left);
}

/* ---- Two sets ---------------------------------------------------------------- */

static void
append (RackSet *set, RackRange range)
{
  reserve (set, set->n + 1);
  set->ranges[set->n++] = range;
}

static void
replace (RackSet *set, RackSet *result)
{
  g_free (start_of (set));
  *set = *result;
}

/* The next range of either by its first number. */
static RackRange
take_lower (const RackSet *a, gsize *i, const RackSet *b, gsize *j)
{
  if (*j == b->n || (*i < a->n && a->ranges[*i].first <= b->ranges[*j].first))
    return a->ranges[(*i)++];
  return b->ranges[(*j)++];
}

void
rack_set_merge (RackSet *set, const RackSet *other)
{
  RackSet result = { NULL };

  for (gsize i = 0, j = 0; i < set->n || j < other->n;)
    {
      RackRange range = take_lower (set, &i, other, &j);
      RackRange *last = result.n > 0 ? &result.ranges[result.n - 1] : NULL;
      if (last == NULL || (last->last != G_MAXUINT32 && last->last + 1 < range.first))
        append (&result, range);
      else
        last->last = MAX (last->last, range.last);
    }
  replace (set, &result);
}

void
rack_set_intersect (RackSet *set, const RackSet *other)
{
  RackSet result = { NULL };

  for (gsize i = 0, j = 0; i < set->n && j < other->n;)
    {
      const RackRange *a = &set->ranges[i], *b = &other->ranges[j];
      RackRange both = { MAX (a->first, b->first), MIN (a->last, b->last) };
      if (both.first <= both.last)
        append (&result, both);
      if (a->last < b->last)
        i++;
      else
        j++;
    }
  replace (set, &result);
}

void
rack_set_subtract (RackSet *set, const RackSet *other)
{
  RackSet result = { NULL };
  gsize j = 0;

  for (gsize i = 0; i < set->n; i++)
    {
      RackRange left = set->ranges[i];
      gboolean gone = FALSE;
      while (j < other->n && other->ranges[j].last < left.first)
        j++;
      for (gsize k = j; !gone && k < other->n && other->ranges[k].first <= left.last; k++)
        {
          RackRange cut = other->ranges[k];
          if (cut.first > left.first)
            append (&result, (RackRange){ left.first, cut.first - 1 });
          gone = cut.last >= left.last;
          left.first = gone ? left.first : cut.last + 1;
        }
      if (!gone)
        append (&result, left);
    }
  replace (set, &result);
}

gboolean
rack_set_contains (const RackSet *set, guint32 number)
{
  gsize index = find (set, number);

  if (index < set->n && set->ranges[index].last < number)
    index++;
  return number > 0 && index < set->n && set->ranges[index].first <= number;
}

guint64
rack_set_count (const RackSet *set)
{
  guint64 count = 0;

  for (gsize i = 0; i < set->n; i++)
    count += (guint64) set->ranges[i].last - set->ranges[i].first + 1;
  return count;
}

RackRanges
rack_set_ranges (const RackSet *set)
{
  return (RackRanges){ set->ranges, set->n };
}

static void
append_number (GString *text, guint32 number)
{
  if (number == RACK_SET_STAR)
    g_string_append_c (text, '*');
  else
    g_string_append_printf (text, "%u", number);
}

char *
rack_set_to_string (const RackSet *set)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < set->n; i++)
    {
      if (i > 0)
        g_string_append_c (text, ',');
      append_number (text, set->ranges[i].first);
      if (set->ranges[i].last != set->ranges[i].first)
        {
          g_string_append_c (text, ':');
          append_number (text, set->ranges[i].last);
        }
    }
  return g_string_free (text, FALSE);
}

RackSet *
rack_set_parse (const char *text, GError **error)
{
  g_autoptr (RackArena) arena = rack_arena_new ();
  RackRanges ranges;
  RackSet *set;

  if (!rack_parse_ranges ((RackStr){ text, strlen (text) }, arena, &ranges))
    {
      g_autofree char *safe = rack_text_escape (text, -1);
      g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                   "\"%s\" is not a set of messages: numbers from 1, ranges and * "
                   "separated by commas, as in 1,3:9,20:*",
                   safe);
      return NULL;
    }
  set = rack_set_new ();
  rack_set_add_ranges (set, ranges);
  return set;
}
