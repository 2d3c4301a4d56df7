/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-store-kept.c - what the store has beside messages: what they are made of, and how far a
 * first sync has come */
#include "store-place.h"

#include <string.h>

static gboolean
has_parts (guint32 row, guint32 uid, const char *expected)
{
  g_autoptr (GBytes) found = rack_store_parts (store, row, uid);
  g_autoptr (GBytes) wanted = g_bytes_new (expected, strlen (expected));
  return found != NULL && g_bytes_equal (found, wanted);
}

static void
keep_parts (guint32 row, guint32 uid, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) facts = g_bytes_new (text, strlen (text));
  g_assert_true (rack_store_keep_parts (store, row, uid, facts, &error));
  g_assert_no_error (error);
}

/* Kept as long as their message. */
static void
test_parts (void)
{
  g_autoptr (GError) error = NULL;
  guint64 dropped;
  begin ();
  open_quietly ();
  add_box (5, 50);
  add_box (6, 60);
  g_assert_true (add_messages (5, 1, 3, &error));
  g_assert_true (add_messages (6, 1, 1, &error));
  keep_parts (5, 1, "one");
  keep_parts (5, 2, "two");
  keep_parts (5, 2, "second");
  keep_parts (6, 1, "other");
  keep_parts (5, 99, "of no message");
  reopen ();
  g_assert_true (has_parts (5, 1, "one") && has_parts (5, 2, "second")
                 && has_parts (6, 1, "other"));
  g_assert_null (rack_store_parts (store, 5, 3));
  g_assert_null (rack_store_parts (store, 5, 99));
  g_autoptr (RackSet) gone = rack_set_new_range (2, 3);
  g_assert_true (rack_store_remove (store, 5, gone, &error));
  g_assert_null (rack_store_parts (store, 5, 2));
  g_assert_true (rack_store_drop_box (store, 6, &error));
  g_assert_null (rack_store_parts (store, 6, 1));
  g_assert_true (rack_store_check (store, &dropped, &error));
  g_assert_cmpuint (dropped, ==, 0);
  g_clear_pointer (&store, rack_store_close);
  execute ("INSERT INTO parts VALUES (5, 2, x'00'), (9, 1, x'00'); UPDATE parts SET facts = 'text'"
           " WHERE uid = 1 AND row = 5");
  open_quietly ();
  g_assert_true (rack_store_check (store, &dropped, &error));
  g_assert_cmpuint (dropped, ==, 3);
  end ();
}

/* What is loaded for the first time, as another program sees it. */
static void
test_loads (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (RackCacheFacts) facts = { 0 };
  g_auto (RackCacheFacts) after = { 0 };
  RackStoreFolder folder = { .id = 50, .mailbox = "a/b", .directory = "b", .selectable = TRUE };
  RackStoreBox box = { .row = 5, .folder = 50, .uid_validity = 7, .expected = 70 };
  begin ();
  open_quietly ();
  g_assert_true (rack_store_put_folders (store, &folder, 1, &error));
  g_assert_true (rack_store_add_box (store, &box, &error));
  g_assert_true (add_messages (5, 1, 30, &error));
  reopen ();
  g_assert_true (rack_store_measure (place, &facts, &error));
  g_assert_cmpuint (facts.n_loads, ==, 1);
  g_assert_cmpstr (facts.loads[0].mailbox, ==, "a/b");
  g_assert_cmpuint (facts.loads[0].messages, ==, 30);
  g_assert_cmpuint (facts.loads[0].expected, ==, 70);
  box.complete = TRUE;
  box.expected = 0;
  g_assert_true (rack_store_note_box (store, &box, &error));
  g_assert_true (rack_store_measure (place, &after, &error));
  g_assert_cmpuint (after.n_loads, ==, 0);
  end ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/parts", test_parts);
  g_test_add_func ("/store/loads", test_loads);
  return g_test_run ();
}
