/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-set.c - RackSet at its ends and with many ranges; test-values.c has the rest */
#include "imap-test.h"

static void
check_text (const char *text, const char *expected, guint64 count)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RackSet) set = rack_set_parse (text, &error);

  g_assert_no_error (error);
  g_autofree char *again = rack_set_to_string (set);
  g_assert_cmpstr (again, ==, expected);
  g_assert_cmpuint (rack_set_count (set), ==, count);
}

static void
test_text (void)
{
  check_text ("1", "1", 1);
  check_text ("1,3:9,*", "1,3:9,*", 9);
  check_text ("9:3,1", "1,3:9", 8);
  check_text ("2,1,3", "1:3", 3);
  check_text ("5:7,1:9", "1:9", 9);
  check_text ("1:4294967295", "1:*", G_MAXUINT32);
  check_text ("4294967295,4294967294", "4294967294:*", 2);
  check_text ("*:4", "4:*", (guint64) G_MAXUINT32 - 3);
}

static void
test_wrong_text (void)
{
  static const char *const wrong[] = {
    "",        "0",
    "1,",      ",1",
    "1,,2",    "1:",
    ":1",      "a",
    "-1",      "1-2",
    "1 2",     "1:2:3",
    "+1",      "0x10",
    "9.3e+06", "4294967296",
    "1:*:",    "**",
    " 1",      "1\n",
    "1:0",     "18446744073709551617",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (rack_set_parse (wrong[i], &error));
      g_assert_error (error, RACK_ERROR, RACK_ERROR_INVALID);
    }
}

static void
test_ends (void)
{
  g_autoptr (RackSet) set = rack_set_new_range (5, RACK_SET_STAR);

  g_assert_true (rack_set_contains (set, RACK_SET_STAR));
  rack_set_remove (set, RACK_SET_STAR, RACK_SET_STAR);
  g_assert_false (rack_set_contains (set, RACK_SET_STAR));
  rack_set_remove (set, 1, 4294967293u);
  g_autofree char *text = rack_set_to_string (set);
  g_assert_cmpstr (text, ==, "4294967294");
  rack_set_add (set, 0, 0);
  g_assert_cmpuint (rack_set_count (set), ==, 1);
  rack_set_add (set, 0, 2);
  g_assert_true (rack_set_contains (set, 1));
  g_assert_false (rack_set_contains (set, 0));
  rack_set_clear (set);
  g_assert_cmpuint (rack_set_ranges (set).n, ==, 0);
  g_autoptr (RackSet) copy = rack_set_copy (set);
  rack_set_add (copy, 7, 7);
  g_assert_cmpuint (rack_set_count (set), ==, 0);
}

/* A million numbers that ascend with gaps, added one by one. */
static void
test_many (void)
{
  g_autoptr (RackSet) set = rack_set_new ();

  for (guint32 n = 1; n <= 2000000; n += 2)
    rack_set_add (set, n, n);
  g_assert_cmpuint (rack_set_ranges (set).n, ==, 1000000);
  for (guint32 n = 2; n <= 2000; n += 2)
    rack_set_add (set, n, n);
  g_assert_cmpuint (rack_set_ranges (set).items[0].last, ==, 2001);
}

/* ---- Two sets, against arrays of booleans --------------------------------------------- */

#define UNIVERSE 64

static RackSet *
random_set (GRand *random, gboolean *has)
{
  RackSet *set = rack_set_new ();
  gint32 density = g_rand_int_range (random, 0, 101);

  for (guint32 n = 1; n <= UNIVERSE; n++)
    if ((has[n] = g_rand_int_range (random, 0, 100) < density))
      rack_set_add (set, n, n);
  return set;
}

static void
check_result (const RackSet *set, const gboolean *expected)
{
  RackRanges ranges = rack_set_ranges (set);

  for (guint32 n = 1; n <= UNIVERSE; n++)
    g_assert_cmpint (rack_set_contains (set, n), ==, expected[n]);
  for (gsize i = 1; i < ranges.n; i++) /* sorted and merged */
    g_assert_cmpuint (ranges.items[i].first, >, ranges.items[i - 1].last + 1);
}

static void
test_two (void)
{
  GRand *random = g_rand_new_with_seed (7);

  for (guint round = 0; round < 2000; round++)
    {
      gboolean a[UNIVERSE + 1], b[UNIVERSE + 1], expected[UNIVERSE + 1];
      g_autoptr (RackSet) left = random_set (random, a);
      g_autoptr (RackSet) right = random_set (random, b);
      g_autoptr (RackSet) merged = rack_set_copy (left);
      g_autoptr (RackSet) rest = rack_set_copy (left);
      g_autoptr (RackSet) both = rack_set_copy (left);
      rack_set_merge (merged, right);
      rack_set_subtract (rest, right);
      rack_set_intersect (both, right);
      for (guint32 n = 1; n <= UNIVERSE; n++)
        expected[n] = a[n] || b[n];
      check_result (merged, expected);
      for (guint32 n = 1; n <= UNIVERSE; n++)
        expected[n] = a[n] && !b[n];
      check_result (rest, expected);
      for (guint32 n = 1; n <= UNIVERSE; n++)
        expected[n] = a[n] && b[n];
      check_result (both, expected);
    }
  g_rand_free (random);
}

static void
test_two_at_the_end (void)
{
  g_autoptr (RackSet) all = rack_set_new_range (1, RACK_SET_STAR);
  g_autoptr (RackSet) end = rack_set_new_range (7, RACK_SET_STAR);

  rack_set_subtract (all, end);
  g_autofree char *rest = rack_set_to_string (all);
  g_assert_cmpstr (rest, ==, "1:6");
  rack_set_merge (all, end);
  g_autofree char *whole = rack_set_to_string (all);
  g_assert_cmpstr (whole, ==, "1:*");
  rack_set_intersect (all, end);
  g_autofree char *both = rack_set_to_string (all);
  g_assert_cmpstr (both, ==, "7:*");
  rack_set_subtract (all, all);
  g_assert_cmpuint (rack_set_count (all), ==, 0);
}

/* Used up at the front, grown at the end, torn in between, against an array of booleans. */
static void
test_wear (void)
{
  g_autoptr (RackSet) set = rack_set_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  static gboolean truth[20001];
  guint32 low = 1, high = 1;

  for (guint step = 0; step < 40000; step++)
    {
      guint32 uid = (guint32) g_rand_int_range (rand, 1, 20000);
      gboolean add = step % 2 == 0;
      if (step % 8 != 7 && add && high + 3 < 20000)
        uid = high += (guint32) g_rand_int_range (rand, 1, 4);
      else if (step % 8 != 7)
        uid = low = MIN (low + 1, 19999);
      if (add)
        rack_set_add (set, uid, uid);
      else
        rack_set_remove (set, uid, uid);
      truth[uid] = add;
    }
  guint64 count = 0;
  for (guint32 uid = 1; uid <= 20000; uid++)
    {
      g_assert_cmpint (rack_set_contains (set, uid), ==, truth[uid]);
      count += truth[uid] ? 1 : 0;
    }
  g_assert_cmpuint (rack_set_count (set), ==, count);
  g_assert_cmpuint (count, >, 100);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  imap_test_add ("/set/text", test_text);
  imap_test_add ("/set/wrong-text", test_wrong_text);
  imap_test_add ("/set/ends", test_ends);
  imap_test_add ("/set/many", test_many);
  imap_test_add ("/set/two", test_two);
  imap_test_add ("/set/two-at-the-end", test_two_at_the_end);
  imap_test_add ("/set/wear", test_wear);
  return g_test_run ();
}
