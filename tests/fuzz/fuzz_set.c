/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_set.c - sets as text and as operations. Oracles: the shortest text parses to
 * the same set; additions and removals agree with an array of booleans. */
#include "fuzz.h"

#include <string.h>

#define N 48

static void
check_text (const char *text)
{
  g_autoptr (RackSet) set = rack_set_parse (text, NULL), again = NULL;
  g_autofree char *shortest = NULL, *same = NULL;

  if (set == NULL)
    return;
  shortest = rack_set_to_string (set);
  again = rack_set_parse (shortest, NULL);
  g_assert (again != NULL);
  same = rack_set_to_string (again);
  g_assert_cmpstr (same, ==, shortest);
  g_assert (strlen (shortest) <= strlen (text) + 10); /* 4294967295 is written * */
  g_assert (rack_set_count (set) == rack_set_count (again));
}

/* Small numbers, and the same distance from the top: the ends are where it breaks. */
static guint32
number (uint8_t octet)
{
  guint32 n = octet % N;

  return octet < 128 ? n + 1 : RACK_SET_STAR - n;
}

static void
mark (gboolean *truth, guint32 first, guint32 last, gboolean value)
{
  for (guint i = 0; i < 2 * N; i++)
    {
      guint32 n = i < N ? i + 1 : RACK_SET_STAR - (i - N);
      if (n >= MIN (first, last) && n <= MAX (first, last))
        truth[i] = value;
    }
}

static void
check_operations (const uint8_t *data, size_t size)
{
  g_autoptr (RackSet) set = rack_set_new ();
  gboolean truth[2 * N] = { FALSE };

  for (size_t i = 0; i + 2 < size; i += 3)
    {
      guint32 first = number (data[i + 1]), last = number (data[i + 2]);
      if (data[i] % 2 == 0)
        rack_set_add (set, first, last);
      else
        rack_set_remove (set, first, last);
      mark (truth, first, last, data[i] % 2 == 0);
    }
  for (guint i = 0; i < 2 * N; i++)
    g_assert (rack_set_contains (set, i < N ? i + 1 : RACK_SET_STAR - (i - N)) == truth[i]);
  RackRanges ranges = rack_set_ranges (set);
  guint64 count = 0;
  for (gsize i = 0; i < ranges.n; i++)
    {
      g_assert (ranges.items[i].first > 0 && ranges.items[i].first <= ranges.items[i].last);
      g_assert (i == 0 || ranges.items[i].first > (guint64) ranges.items[i - 1].last + 1);
      count += (guint64) ranges.items[i].last - ranges.items[i].first + 1;
    }
  g_assert (rack_set_count (set) == count);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);

  check_text (text);
  check_operations (data, size);
  return 0;
}
