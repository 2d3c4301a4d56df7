/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-folders.c - the tree, the index and its upkeep, over the fake server */
#include "fake.h"

#include <string.h>

static RackAccount *account;
static RackMirror *mirror;

static void
open_mirror (gint64 poll, guint watches)
{
  g_autoptr (GError) error = NULL;
  RackMirrorOptions options = { .poll = poll, .watches = watches, .stall = 5000, .changes = TRUE };
  mirror = rack_mirror_open (account, &options, NULL, &error);
  g_assert_no_error (error);
}

static void
close_mirror (void)
{
  g_clear_pointer (&mirror, rack_mirror_close);
  g_clear_pointer (&account, rack_account_unref);
}

static RackFolder *
folder_at (const char *path)
{
  RackFolder *folder = rack_mirror_root (mirror);
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  for (guint i = 0; folder != NULL && parts[i] != NULL; i++)
    folder = rack_folder_child (folder, parts[i]);
  return folder;
}

static void
wait_for (RackFolder *folder)
{
  g_autoptr (GError) error = NULL;
  rack_folder_wait (folder, NULL, &error);
  g_assert_no_error (error);
}

/* "1,2" and so on, of all that is listed. */
static char *
uids_of (RackFolder *folder)
{
  RackEntry entries[3];
  g_autoptr (GString) text = g_string_new (NULL);
  guint32 after = 0;
  guint n;
  while ((n = rack_folder_entries (folder, after, entries, G_N_ELEMENTS (entries))) > 0)
    for (guint i = 0; i < n; i++)
      {
        after = entries[i].uid;
        g_string_append_printf (text, "%s%u", text->len > 0 ? "," : "", after);
      }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
check_uids (RackFolder *folder, const char *expected)
{
  g_autofree char *uids = uids_of (folder);
  g_assert_cmpstr (uids, ==, expected);
}

/* The next change as text: "added INBOX 4". */
static char *
next_change (void)
{
  static const char *const kinds[] = { "",        "added",  "removed", "flags",   "sizes",
                                       "folders", "online", "offline", "validity" };
  g_autoptr (GError) error = NULL;
  const RackChange *change = rack_mirror_next_change (mirror, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GString) text = g_string_new (kinds[change->kind]);
  g_string_append_printf (text, " %s", rack_folder_mailbox (change->folder));
  for (guint i = 0; i < change->n; i++)
    if (change->kind == RACK_CHANGE_FOLDERS)
      g_string_append_printf (text, " %s", change->items[i].name);
    else
      g_string_append_printf (text, " %u", change->items[i].uid);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
expect_change (const char *expected)
{
  g_autofree char *text = next_change ();
  g_assert_cmpstr (text, ==, expected);
}

static void
wait_until_pushed (RackFolder *folder)
{
  RackFolderFacts facts;
  do
    {
      g_usleep (1000);
      rack_folder_facts (folder, &facts);
    }
  while (!facts.pushed);
}

/* ---- The tree ------------------------------------------------------------------------------ */

static void
test_tree (void)
{
  RackFolderFacts facts;
  RackFolder *children[16];
  account = fake_account_new ();
  fake_box ("inbox", 0, 1);
  fake_box ("a/b/c", 0, 1);
  fake_box ("a/b", RACK_LIST_NOSELECT, 1);
  fake_box ("x//y", 0, 1);
  fake_box ("..", 0, 1);
  fake_box (".uid", 0, 1);
  fake_box ("lists/", RACK_LIST_NOSELECT, 1);
  fake_box ("lists/gone", RACK_LIST_NONEXISTENT, 1);
  open_mirror (0, 1);

  g_assert_cmpstr (rack_folder_mailbox (folder_at ("INBOX")), ==, "INBOX");
  g_assert_cmpstr (rack_folder_mailbox (folder_at ("a/b/c")), ==, "a/b/c");
  rack_folder_facts (folder_at ("a"), &facts);
  g_assert_false (facts.selectable);
  g_assert_cmpuint (facts.children, ==, 1);
  rack_folder_facts (folder_at ("a/b"), &facts);
  g_assert_false (facts.selectable);
  rack_folder_facts (folder_at ("a/b/c"), &facts);
  g_assert_true (facts.selectable);
  g_assert_true (rack_mirror_folder (mirror, facts.id) == folder_at ("a/b/c"));
  g_assert_cmpstr (rack_folder_mailbox (folder_at ("x/%00/y")), ==, "x//y");
  g_assert_nonnull (folder_at ("%2E."));
  g_assert_nonnull (folder_at ("%2Euid"));
  g_assert_null (folder_at (".uid"));
  rack_folder_facts (folder_at ("lists"), &facts);
  g_assert_false (facts.selectable);
  rack_folder_facts (folder_at ("lists/gone"), &facts);
  g_assert_false (facts.selectable);

  /* Children come by id, in any portions. */
  guint n = rack_folder_children (rack_mirror_root (mirror), 0, children, 16);
  g_assert_cmpuint (n, ==, 6);
  guint32 last = 0;
  for (guint i = 0; i < n; i++)
    {
      RackFolder *one;
      rack_folder_facts (children[i], &facts);
      g_assert_cmpuint (rack_folder_children (rack_mirror_root (mirror), last, &one, 1), ==, 1);
      g_assert_true (one == children[i]);
      g_assert_cmpuint (facts.id, >, last);
      last = facts.id;
    }
  close_mirror ();
}

static void
test_stable_numbers (void)
{
  RackFolderFacts first, second;
  for (guint round = 0; round < 2; round++)
    {
      account = fake_account_new ();
      if (round == 1)
        fake_box ("other", 0, 3);
      fake_box ("INBOX", 0, 17);
      open_mirror (0, 1);
      wait_for (folder_at ("INBOX"));
      rack_folder_facts (folder_at ("INBOX"), round == 0 ? &first : &second);
      close_mirror ();
    }
  g_assert_cmpuint (first.id, ==, second.id);
  g_assert_cmpuint (first.row, ==, second.row);
  g_assert_cmpuint (first.row, !=, 0);
}

static void
test_list_changes (void)
{
  RackFolderFacts before, after;
  account = fake_account_new ();
  fake_box ("INBOX", 0, 1);
  fake_box ("old/box", 0, 1);
  open_mirror (20, 1);
  RackFolder *old = folder_at ("old/box");
  rack_folder_facts (rack_mirror_root (mirror), &before);
  fake_box ("new", 0, 1);
  expect_change ("folders  new");
  g_assert_nonnull (folder_at ("new"));
  rack_folder_facts (rack_mirror_root (mirror), &after);
  g_assert_cmpint (after.changed, >, before.changed);
  g_assert_cmpuint (after.children, ==, before.children + 1);

  fake_box_delete ("old/box");
  g_autofree char *one = next_change ();
  g_autofree char *two = next_change ();
  g_assert_true (strcmp (one, "folders old box") == 0 || strcmp (two, "folders old box") == 0);
  g_assert_true (strcmp (one, "folders  old") == 0 || strcmp (two, "folders  old") == 0);
  g_assert_null (folder_at ("old"));
  rack_folder_facts (old, &after);
  g_assert_true (after.gone);

  /* Offline is not an empty list. */
  fake_offline (TRUE);
  guint lists = fake_count (FAKE_LIST);
  while (fake_count (FAKE_LIST) < lists + 2)
    g_usleep (1000);
  g_assert_nonnull (folder_at ("new"));
  expect_change ("offline ");
  fake_offline (FALSE);
  fake_box ("old/box", 0, 1);
  for (guint folders = 0; folders < 2;)
    {
      g_autofree char *text = next_change ();
      g_assert_true (g_str_has_prefix (text, "folders ") || g_str_equal (text, "online "));
      folders += g_str_has_prefix (text, "folders ");
    }
  g_assert_true (folder_at ("old/box") == old);
  close_mirror ();
}

/* ---- Loading ----------------------------------------------------------------------------------
 */

static void
test_load (void)
{
  RackEntry entry;
  account = fake_account_new ();
  FakeBox *inbox = fake_box ("INBOX", 0, 1);
  fake_add (inbox, 7, "seven", "body", -1);
  fake_add (inbox, 3, "three", "longer body", -1);
  fake_add (inbox, 9, "nine", "x", 0);
  open_mirror (0, 1);
  RackFolder *folder = folder_at ("INBOX");
  g_assert_false (rack_folder_ready (folder));
  g_assert_false (rack_folder_find (folder, 7, &entry));
  g_assert_cmpuint (fake_count (FAKE_OPEN), ==, 0); /* asking costs nothing */
  wait_for (folder);
  check_uids (folder, "3,7,9");
  g_assert_true (rack_folder_find_name (folder, "1970-01-01T0007Z_alice_seven.7.eml", &entry));
  g_assert_cmpuint (entry.size, ==, 4);
  g_assert_cmpint (entry.date, ==, 420);
  g_assert_false (rack_folder_find_name (folder, "1970-01-01T0007Z_alice_eight.7.eml", &entry));
  g_assert_false (rack_folder_find_name (folder, "7.eml", &entry));
  g_assert_true (rack_folder_find (folder, 9, &entry));
  g_assert_cmpuint (entry.size, ==, 1); /* a guess is never 0 */
  close_mirror ();
}

/* The newest come first in a large mailbox; in the end all are there, in order. */
static void
test_load_large (void)
{
  account = fake_account_new ();
  FakeBox *inbox = fake_box ("INBOX", 0, 1);
  for (guint32 uid = 1; uid <= 2500; uid++)
    fake_add (inbox, uid * 2, "s", "b", -1);
  open_mirror (0, 1);
  RackFolder *folder = folder_at ("INBOX");
  wait_for (folder);
  RackEntry entry;
  guint32 after = 0;
  for (guint32 uid = 1; uid <= 2500; uid++)
    {
      g_assert_cmpuint (rack_folder_entries (folder, after, &entry, 1), ==, 1);
      g_assert_cmpuint (entry.uid, ==, uid * 2);
      after = entry.uid;
    }
  g_assert_cmpuint (rack_folder_entries (folder, after, &entry, 1), ==, 0);
  close_mirror ();
}

static void
test_load_garbled (void)
{
  RackEntry entry;
  account = fake_account_new ();
  FakeBox *inbox = fake_box ("INBOX", 0, 1);
  fake_add (inbox, 1, "one", "b", -1);
  fake_add (inbox, 2, "two", "b", -1);
  fake_add (inbox, 3, "three", "b", -1);
  fake_garble (inbox, 2);
  open_mirror (0, 1);
  wait_for (folder_at ("INBOX"));
  check_uids (folder_at ("INBOX"), "1,2,3");
  g_assert_true (rack_folder_find (folder_at ("INBOX"), 2, &entry));
  g_assert_cmpstr (entry.name, ==, "1970-01-01T0002Z_unknown_no-subject.2.eml");
  close_mirror ();
}

static void
test_load_fails (void)
{
  g_autoptr (GError) error = NULL;
  account = fake_account_new ();
  FakeBox *inbox = fake_box ("INBOX", 0, 1);
  fake_add (inbox, 1, "one", "b", -1);
  open_mirror (0, 1);
  RackFolder *folder = folder_at ("INBOX");
  fake_offline (TRUE);
  g_assert_false (rack_folder_wait (folder, NULL, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_NETWORK);
  g_clear_error (&error);
  guint asked = fake_count (FAKE_OPEN);
  g_assert_false (rack_folder_wait (folder, NULL, &error)); /* at once, without asking again */
  g_assert_error (error, RACK_ERROR, RACK_ERROR_NETWORK);
  g_assert_cmpuint (fake_count (FAKE_OPEN), ==, asked);
  fake_offline (FALSE);
  g_usleep (2100 * 1000);
  wait_for (folder);
  check_uids (folder, "1");

  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_clear_error (&error);
  g_assert_true (rack_folder_wait (folder, cancellable, &error)); /* nothing to wait for */
  close_mirror ();
}

/* ---- Changes ----------------------------------------------------------------------------------
 */

static void
test_pushed (void)
{
  RackFolderFacts before, after;
  RackEntry entry;
  account = fake_account_new ();
  FakeBox *inbox = fake_box ("INBOX", 0, 1);
  fake_add (inbox, 1, "one", "b", -1);
  fake_add (inbox, 2, "two", "b", -1);
  open_mirror (0, 1);
  RackFolder *folder = folder_at ("INBOX");
  wait_for (folder);
  wait_until_pushed (folder);
  rack_folder_facts (folder, &before);

  guint fetches = fake_count (FAKE_FETCH);
  fake_add (inbox, 5, "five", "b", -1);
  expect_change ("added INBOX 5");
  check_uids (folder, "1,2,5");
  /* The watch brought it whole. */
  g_assert_cmpuint (fake_count (FAKE_FETCH), ==, fetches);
  g_assert_true (rack_folder_find (folder, 5, &entry));
  g_assert_cmpuint (entry.size, ==, 1);
  rack_folder_facts (folder, &after);
  g_assert_cmpint (after.changed, >, before.changed);

  fake_remove (inbox, 1);
  expect_change ("removed INBOX 1");
  check_uids (folder, "2,5");
  fake_flags (inbox, 2, RACK_FLAG_SEEN | RACK_FLAG_FLAGGED);
  expect_change ("flags INBOX 2");
  g_assert_true (rack_folder_find (folder, 2, &entry));
  g_assert_cmpuint (entry.flags, ==, RACK_FLAG_SEEN | RACK_FLAG_FLAGGED);
  close_mirror ();
}

/* A change of flags says what they were, and moves a time of its own. */
static void
test_flags (void)
{
  RackFolderFacts before, after;
  RackEntry entry;
  account = fake_account_new ();
  FakeBox *inbox = fake_box ("INBOX", 0, 1);
  fake_add (inbox, 7, "seven", "b", -1);
  fake_keywords (inbox, 7, "$FORWARDED work");
  open_mirror (0, 1);
  RackFolder *folder = folder_at ("INBOX");
  wait_for (folder);
  wait_until_pushed (folder);
  rack_folder_facts (folder, &before);
  g_assert_cmpint (before.flags_changed, >=, before.changed);
  g_assert_true (rack_folder_stat (folder, 7, &entry));
  g_assert_true (entry.forwarded);
  g_assert_cmpstr (entry.name, ==, "");

  fake_flags (inbox, 7, RACK_FLAG_DRAFT);
  const RackChange *change = rack_mirror_next_change (mirror, NULL, NULL);
  g_assert_cmpint (change->kind, ==, RACK_CHANGE_FLAGS);
  g_assert_cmpuint (change->items[0].uid, ==, 7);
  g_assert_true (change->items[0].forwarded);
  g_assert_cmpuint (change->items[0].flags & RACK_FLAG_DRAFT, ==, 0);
  g_assert_true (change->items[0].flags_now & RACK_FLAG_DRAFT);
  g_assert_true (change->items[0].forwarded_now);
  g_assert_cmpint (change->items[0].date, ==, entry.date);
  g_assert_cmpuint (rack_folder_stat_entries (folder, 0, &entry, 1), ==, 1);
  g_assert_true (entry.flags & RACK_FLAG_DRAFT);
  g_assert_true (entry.forwarded);

  fake_keywords (inbox, 7, "work $Forwarded2");
  change = rack_mirror_next_change (mirror, NULL, NULL);
  g_assert_cmpint (change->kind, ==, RACK_CHANGE_FLAGS);
  g_assert_true (change->items[0].forwarded);
  g_assert_false (change->items[0].forwarded_now);
  g_assert_true (change->items[0].flags & RACK_FLAG_DRAFT);
  g_assert_true (rack_folder_stat (folder, 7, &entry));
  g_assert_false (entry.forwarded);
  rack_folder_facts (folder, &after);
  g_assert_cmpint (after.flags_changed, >, before.flags_changed);
  g_assert_cmpint (after.changed, ==, before.changed);

  fake_remove (inbox, 7);
  change = rack_mirror_next_change (mirror, NULL, NULL);
  g_assert_cmpint (change->kind, ==, RACK_CHANGE_REMOVED);
  g_assert_true (change->items[0].flags & RACK_FLAG_DRAFT);
  close_mirror ();
}

/* After a lost connection everything is compared, in both directions. */
static void
test_reset (void)
{
  account = fake_account_new ();
  FakeBox *inbox = fake_box ("INBOX", 0, 1);
  fake_add (inbox, 1, "one", "b", -1);
  fake_add (inbox, 2, "two", "b", -1);
  open_mirror (0, 1);
  RackFolder *folder = folder_at ("INBOX");
  wait_for (folder);
  wait_until_pushed (folder);
  guint resyncs = fake_count (FAKE_RESYNC);
  fake_reset_watches ();
  while (fake_count (FAKE_RESYNC) == resyncs)
    g_usleep (1000);
  check_uids (folder, "1,2");
  close_mirror ();
}

/* A look that was asked for and failed is made up for, also when all that happens is pushed: what
 * it was to find may have happened before. */
static void
test_failed_look (void)
{
  account = fake_account_new ();
  FakeBox *inbox = fake_box ("INBOX", 0, 1);
  fake_add (inbox, 1, "one", "b", -1);
  open_mirror (0, 1);
  RackFolder *folder = folder_at ("INBOX");
  wait_for (folder);
  wait_until_pushed (folder);
  guint resyncs = fake_count (FAKE_RESYNC);
  fake_refuse_next_resync ();
  rack_mirror_look (mirror, folder);
  gint64 deadline = g_get_monotonic_time () + 25 * G_USEC_PER_SEC;
  while (fake_count (FAKE_RESYNC) < resyncs + 2)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, deadline);
      if (!rack_folder_ready (folder))
        wait_for (folder);
      g_usleep (1000);
    }
  check_uids (folder, "1");
  close_mirror ();
}

static void
test_polled (void)
{
  account = fake_account_new ();
  FakeBox *inbox = fake_box ("INBOX", 0, 1);
  FakeBox *other = fake_box ("other", 0, 1);
  fake_add (other, 1, "one", "b", -1);
  fake_add (other, 2, "two", "b", -1);
  fake_add (inbox, 1, "x", "b", -1);
  open_mirror (30, 1);
  wait_for (folder_at ("INBOX"));
  wait_until_pushed (folder_at ("INBOX")); /* takes the only watch */
  RackFolder *folder = folder_at ("other");
  wait_for (folder);
  fake_add (other, 3, "three", "b", -1);
  expect_change ("added other 3");
  fake_remove (other, 1);
  expect_change ("removed other 1");
  fake_flags (other, 2, RACK_FLAG_SEEN);
  expect_change ("flags other 2");
  check_uids (folder, "2,3");
  g_assert_cmpuint (fake_count (FAKE_WATCH), ==, 1);

  /* Left alone, it is not asked about; asked for, it is looked at again. */
  g_usleep (600 * 1000);
  guint asked = fake_count (FAKE_STATUS);
  g_usleep (200 * 1000);
  g_assert_cmpuint (fake_count (FAKE_STATUS), ==, asked);
  fake_add (other, 9, "nine", "b", -1);
  RackEntry entry;
  g_assert_false (rack_folder_ready (folder));
  wait_for (folder);
  g_assert_true (rack_folder_find (folder, 9, &entry));
  close_mirror ();
}

static void
test_uid_validity (void)
{
  RackFolderFacts before, after;
  account = fake_account_new ();
  FakeBox *inbox = fake_box ("INBOX", 0, 1);
  fake_add (inbox, 1, "one", "b", -1);
  open_mirror (0, 1);
  RackFolder *folder = folder_at ("INBOX");
  wait_for (folder);
  wait_until_pushed (folder);
  rack_folder_facts (folder, &before);
  fake_box_replace (inbox, 2);
  expect_change ("removed INBOX 1");
  wait_for (folder);
  rack_folder_facts (folder, &after);
  g_assert_cmpuint (after.row, !=, before.row);
  g_assert_cmpuint (after.id, ==, before.id);
  g_assert_null (rack_mirror_folder_by_row (mirror, before.row));
  g_assert_true (rack_mirror_folder_by_row (mirror, after.row) == folder);
  check_uids (folder, "");
  g_assert_null (rack_folder_body (folder, before.row, 1));
  close_mirror ();
}

/* What is known is still the answer when the server cannot be asked. */
static void
test_offline (void)
{
  g_autoptr (GError) error = NULL;
  account = fake_account_new ();
  FakeBox *inbox = fake_box ("INBOX", 0, 1);
  fake_box ("other", 0, 1);
  fake_add (inbox, 1, "one", "b", -1);
  open_mirror (20, 1);
  wait_for (folder_at ("INBOX"));
  wait_for (folder_at ("other"));
  fake_offline (TRUE);
  g_usleep (300 * 1000);
  g_assert_true (rack_folder_wait (folder_at ("other"), NULL, &error));
  g_assert_true (rack_folder_wait (folder_at ("INBOX"), NULL, &error));
  check_uids (folder_at ("INBOX"), "1");
  close_mirror ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/folders/tree", test_tree);
  g_test_add_func ("/folders/stable-numbers", test_stable_numbers);
  g_test_add_func ("/folders/list-changes", test_list_changes);
  g_test_add_func ("/folders/load", test_load);
  g_test_add_func ("/folders/load-large", test_load_large);
  g_test_add_func ("/folders/load-garbled", test_load_garbled);
  g_test_add_func ("/folders/load-fails", test_load_fails);
  g_test_add_func ("/folders/flags", test_flags);
  g_test_add_func ("/folders/pushed", test_pushed);
  g_test_add_func ("/folders/reset", test_reset);
  g_test_add_func ("/folders/failed-look", test_failed_look);
  g_test_add_func ("/folders/polled", test_polled);
  g_test_add_func ("/folders/uid-validity", test_uid_validity);
  g_test_add_func ("/folders/offline", test_offline);
  return g_test_run ();
}
