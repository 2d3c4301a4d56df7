/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-progress.c - the line that shows how far something has come */
#include "progress.h"

#include "safe-text.h"

static void
check (const char *label, guint64 have, guint64 want, guint64 rate, guint columns,
       const char *expected)
{
  g_autofree char *line = progress_line (label, have, want, rate, columns);
  g_assert_cmpstr (line, ==, expected);
}

static void
test_line (void)
{
  check ("INBOX", 450, 1000, 0, 50, "INBOX  [#########------------]   45%  450 of 1000");
  check ("INBOX", 450, 1000, 10, 80,
         "INBOX  [###############-------------------]   45%  450 of 1000  10/s  0:55 left");
  check ("INBOX", 0, 100000, 7, 64,
         "INBOX  [----------------]    0%  0 of 100000  7/s  3:58:06 left");
  check ("INBOX", 2000, 1000, 10, 28, "INBOX  100%  1000 of 1000");
  check ("INBOX", 0, 0, 0, 28, "INBOX  100%  0 of 0");
  check ("INBOX", 1, 2, 3, 12, "INBOX   50…");
  check ("INBOX", 1, 2, 3, 0, "");
}

/* Whatever a mailbox is called. */
static void
test_label (void)
{
  static const char *const labels[] = { "", "\033[31mred\r\nnext", "\xff\xfe",
                                        "会議会議会議会議会議会議会議",
                                        "a very long name of a mailbox, and then some more" };
  for (guint i = 0; i < G_N_ELEMENTS (labels); i++)
    for (guint columns = 0; columns < 120; columns++)
      {
        g_autofree char *line = progress_line (labels[i], 1234567, 9999999, 4321, columns);
        g_assert_cmpuint (safe_text_columns (line), <=, MAX (columns, 1) - 1);
        for (const char *p = line; *p != '\0'; p++)
          g_assert_cmpint ((guchar) *p, >=, ' ');
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/progress/line", test_line);
  g_test_add_func ("/progress/label", test_label);
  return g_test_run ();
}
