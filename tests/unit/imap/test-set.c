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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  imap_test_add ("/set/text", test_text);
  imap_test_add ("/set/wrong-text", test_wrong_text);
  imap_test_add ("/set/ends", test_ends);
  imap_test_add ("/set/many", test_many);
  return g_test_run ();
}
