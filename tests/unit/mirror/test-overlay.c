/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-overlay.c - what is on its way is seen as done, and what was sent is recognised
 */
#include "overlay.h"
#include "send.h"

#include <string.h>

static void
test_hidden (void)
{
  RackOverlay overlay;
  rack_overlay_init (&overlay);
  rack_overlay_bind (&overlay, 7);
  g_assert_false (rack_overlay_hides (&overlay, 3));
  rack_overlay_hide (&overlay, 3, TRUE);
  g_assert_true (rack_overlay_hides (&overlay, 3));
  rack_overlay_hide (&overlay, 3, FALSE);
  g_assert_false (rack_overlay_hides (&overlay, 3));
  rack_overlay_hide (&overlay, 4, TRUE);
  rack_overlay_bind (&overlay, 7);
  g_assert_true (rack_overlay_hides (&overlay, 4));
  /* Of another mailbox with that name nothing is known. */
  rack_overlay_bind (&overlay, 8);
  g_assert_false (rack_overlay_hides (&overlay, 4));
  rack_overlay_clear (&overlay);
}

static void
test_flags (void)
{
  RackOverlay overlay;
  rack_overlay_init (&overlay);
  rack_overlay_intend (&overlay, 5, RACK_FLAG_SEEN, RACK_FLAG_FLAGGED);
  g_assert_cmpuint (rack_overlay_flags (&overlay, 5, RACK_FLAG_FLAGGED | RACK_FLAG_DRAFT), ==,
                    RACK_FLAG_SEEN | RACK_FLAG_DRAFT);
  g_assert_cmpuint (rack_overlay_flags (&overlay, 6, RACK_FLAG_FLAGGED), ==, RACK_FLAG_FLAGGED);
  /* The last one wins, until both have arrived. */
  rack_overlay_intend (&overlay, 5, RACK_FLAG_FLAGGED, RACK_FLAG_SEEN);
  g_assert_cmpuint (rack_overlay_flags (&overlay, 5, 0), ==, RACK_FLAG_FLAGGED);
  rack_overlay_settle (&overlay, 5);
  g_assert_cmpuint (rack_overlay_flags (&overlay, 5, 0), ==, RACK_FLAG_FLAGGED);
  rack_overlay_settle (&overlay, 5);
  g_assert_cmpuint (rack_overlay_flags (&overlay, 5, 0), ==, 0);
  rack_overlay_settle (&overlay, 5);
  rack_overlay_clear (&overlay);
}

static void
test_names (void)
{
  RackOverlay overlay;
  rack_overlay_init (&overlay);
  g_assert_null (rack_overlay_name_of (&overlay, 1));
  g_assert_cmpuint (rack_overlay_uid_of (&overlay, "a.eml"), ==, 0);
  rack_overlay_name (&overlay, 1, "a.eml");
  rack_overlay_name (&overlay, 2, "b.eml");
  g_assert_cmpstr (rack_overlay_name_of (&overlay, 1), ==, "a.eml");
  g_assert_cmpuint (rack_overlay_uid_of (&overlay, "b.eml"), ==, 2);
  g_assert_true (rack_overlay_is_claimed (&overlay, 2));
  rack_overlay_name (&overlay, 2, "c.eml");
  g_assert_cmpuint (rack_overlay_uid_of (&overlay, "b.eml"), ==, 0);
  g_assert_cmpuint (rack_overlay_uid_of (&overlay, "c.eml"), ==, 2);
  rack_overlay_name (&overlay, 2, NULL);
  g_assert_cmpuint (rack_overlay_uid_of (&overlay, "c.eml"), ==, 0);
  g_assert_false (rack_overlay_is_claimed (&overlay, 2));
  rack_overlay_claim (&overlay, 2);
  g_assert_true (rack_overlay_is_claimed (&overlay, 2));
  rack_overlay_clear (&overlay);
}

static void
test_bases (void)
{
  RackOverlay overlay;
  rack_overlay_init (&overlay);
  rack_overlay_set_base (&overlay, 1, NULL, 0);
  g_assert_null (rack_overlay_base_of (&overlay, 1));
  g_assert_cmpuint (rack_overlay_uid_of_base (&overlay, "a"), ==, 0);
  rack_overlay_set_base (&overlay, 1, "a", 2);
  g_assert_cmpstr (rack_overlay_base_of (&overlay, 1)->name, ==, "a");
  g_assert_cmpuint (rack_overlay_base_of (&overlay, 1)->space, ==, 2);
  g_assert_true (rack_overlay_is_claimed (&overlay, 1));
  rack_overlay_set_base (&overlay, 1, "a,U=1", 1);
  g_assert_cmpuint (rack_overlay_uid_of_base (&overlay, "a"), ==, 0);
  g_assert_cmpuint (rack_overlay_uid_of_base (&overlay, "a,U=1"), ==, 1);
  g_assert_cmpuint (rack_overlay_base_of (&overlay, 1)->space, ==, 1);
  /* The first one is gone, but that is not known yet. */
  rack_overlay_set_base (&overlay, 2, "a,U=1", 1);
  rack_overlay_set_base (&overlay, 1, "", 0);
  g_assert_null (rack_overlay_base_of (&overlay, 1));
  g_assert_cmpuint (rack_overlay_uid_of_base (&overlay, "a,U=1"), ==, 2);
  rack_overlay_clear (&overlay);
}

static guint64
digest_of (const char *text, gsize piece, guint8 *out)
{
  RackTextDigest digest;
  gsize size = strlen (text);
  rack_text_digest_init (&digest);
  for (gsize at = 0; at < size; at += piece)
    rack_text_digest_feed (&digest, text + at, MIN (piece, size - at));
  rack_text_digest_end (&digest, out);
  g_assert_cmpuint (digest.octets, ==, size);
  return digest.bare;
}

/* However it is cut, and with whichever line ends. */
static void
test_numbers (void)
{
  RackOverlay overlay;
  rack_overlay_init (&overlay);
  g_assert_cmpuint (rack_overlay_number_of (&overlay, 7), ==, 0);
  rack_overlay_set_number (&overlay, 7, 0);
  rack_overlay_set_number (&overlay, 7, G_MAXUINT64);
  rack_overlay_set_number (&overlay, 8, 1);
  g_assert_cmpuint (rack_overlay_number_of (&overlay, 7), ==, G_MAXUINT64);
  rack_overlay_set_number (&overlay, 7, 0);
  g_assert_cmpuint (rack_overlay_number_of (&overlay, 7), ==, 0);
  g_assert_cmpuint (rack_overlay_number_of (&overlay, 8), ==, 1);
  rack_overlay_bind (&overlay, 4711);
  g_assert_cmpuint (rack_overlay_number_of (&overlay, 8), ==, 0);
  rack_overlay_clear (&overlay);
}

static void
test_text_digest (void)
{
  static const char crlf[] = "A: b\r\n\r\nx\ry\r\r\nz\r\n", lf[] = "A: b\n\nx\ry\r\nz\n";
  static const char other[] = "A: b\r\n\r\nxy\r\r\nz\r\n";
  guint8 first[32], again[32];
  g_assert_cmpuint (digest_of (crlf, sizeof crlf, first), ==, 0);
  for (gsize piece = 1; piece < sizeof crlf; piece++)
    {
      g_assert_cmpuint (digest_of (crlf, piece, again), ==, 0);
      g_assert_cmpmem (first, 32, again, 32);
    }
  digest_of (other, 4, again);
  g_assert_cmpint (memcmp (first, again, 32), !=, 0);
  /* "\r\r\n" and "\r\n" differ by the CR that is part of the text. */
  for (gsize piece = 1; piece < sizeof lf; piece++)
    {
      guint64 bare = digest_of ("A: b\n\nx\ry\nz\n", piece, again);
      g_assert_cmpuint (bare, ==, 4);
    }
  digest_of ("A: b\r\n\r\nx\ry\r\nz\r\n", 3, first);
  g_assert_cmpmem (first, 32, again, 32);
}

static void
test_pairs (void)
{
  RackCopied copied = { .uid_validity = 1,
                        .from = rack_set_parse ("3:5,9,11:12", NULL),
                        .to = rack_set_parse ("100,105:108,200", NULL) };
  g_assert_cmpuint (rack_copied_find (&copied, 3), ==, 100);
  g_assert_cmpuint (rack_copied_find (&copied, 4), ==, 105);
  g_assert_cmpuint (rack_copied_find (&copied, 9), ==, 107);
  g_assert_cmpuint (rack_copied_find (&copied, 12), ==, 200);
  g_assert_cmpuint (rack_copied_find (&copied, 6), ==, 0);
  g_assert_cmpuint (rack_copied_find (&copied, 13), ==, 0);
  rack_set_add (copied.to, 300, 300);
  g_assert_cmpuint (rack_copied_find (&copied, 3), ==, 0);
  rack_set_free (copied.from);
  rack_set_free (copied.to);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/overlay/hidden", test_hidden);
  g_test_add_func ("/overlay/flags", test_flags);
  g_test_add_func ("/overlay/names", test_names);
  g_test_add_func ("/overlay/bases", test_bases);
  g_test_add_func ("/overlay/numbers", test_numbers);
  g_test_add_func ("/send/text-digest", test_text_digest);
  g_test_add_func ("/send/pairs", test_pairs);
  return g_test_run ();
}
