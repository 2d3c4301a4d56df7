/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-disk.c - what a mirror knows when it is opened again, with and without a server */
#include "fake.h"

#include <string.h>

static RackAccount *account;
static RackMirror *mirror;
static FakeBox *inbox;

static void
open_named (RackMountNames names)
{
  g_autoptr (GError) error = NULL;
  RackMirrorOptions options = {
    .poll = 60000, .watches = 1, .stall = 5000, .changes = TRUE, .names = names
  };
  mirror = rack_mirror_open (account, &options, NULL, &error);
  g_assert_no_error (error);
}

static void
open_mirror (void)
{
  open_named (RACK_NAMES_FULL);
}

static void
close_mirror (void)
{
  g_clear_pointer (&mirror, rack_mirror_close);
}

static void
end (void)
{
  close_mirror ();
  g_clear_pointer (&account, rack_account_unref);
}

/* A server with an INBOX of n messages. */
static void
begin (guint32 n)
{
  account = fake_account_new ();
  inbox = fake_box ("INBOX", 0, 1);
  for (guint32 uid = 1; uid <= n; uid++)
    fake_add (inbox, uid, "s", "body", -1);
}

static RackFolder *
folder_named (const char *name)
{
  return rack_folder_child (rack_mirror_root (mirror), name);
}

static RackFolder *
wait_for (const char *name)
{
  g_autoptr (GError) error = NULL;
  RackFolder *folder = folder_named (name);
  g_assert_nonnull (folder);
  rack_folder_wait (folder, NULL, &error);
  g_assert_no_error (error);
  return folder;
}

/* "1 2f 5": UIDs, with "f" for \Flagged, of all that is listed; each has the name it should. */
static char *
text_of (RackFolder *folder, gboolean named)
{
  RackEntry entry;
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint32 after = 0; rack_folder_entries (folder, after, &entry, 1) == 1; after = entry.uid)
    {
      g_autofree char *name = named ? g_strdup_printf ("1970-01-01T%02u%02uZ_alice_s.%u.eml",
                                                       entry.uid / 60, entry.uid % 60, entry.uid)
                                    : g_strdup_printf ("%u.eml", entry.uid);
      g_assert_cmpstr (entry.name, ==, name);
      g_string_append_printf (text, "%s%u%s", text->len > 0 ? " " : "", entry.uid,
                              entry.flags & RACK_FLAG_FLAGGED ? "f" : "");
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
check (RackFolder *folder, const char *expected)
{
  g_autofree char *text = text_of (folder, TRUE);
  g_assert_cmpstr (text, ==, expected);
}

/* What comes behind the first answer. */
static void
await (RackFolder *folder, const char *expected)
{
  for (guint i = 0; i < 10000; i++)
    {
      g_autofree char *text = text_of (folder, TRUE);
      if (strcmp (text, expected) == 0)
        return;
      g_usleep (1000);
    }
  check (folder, expected);
}

static RackMirrorFigures
figures (void)
{
  RackMirrorFigures now;
  rack_mirror_figures (mirror, &now);
  return now;
}

/* ---- Again ------------------------------------------------------------------------------ */

static void
test_again (void)
{
  RackFolderFacts before, after;
  begin (3);
  fake_flags (inbox, 2, RACK_FLAG_FLAGGED);
  open_mirror ();
  rack_folder_facts (wait_for ("INBOX"), &before);
  close_mirror ();

  guint messages = fake_count (FAKE_MESSAGES), opens = fake_count (FAKE_OPEN);
  open_mirror ();
  g_assert_null (rack_mirror_notice (mirror));
  RackFolder *folder = wait_for ("INBOX");
  check (folder, "1 2f 3");
  rack_folder_facts (folder, &after);
  g_assert_cmpuint (after.row, ==, before.row);
  g_assert_cmpuint (after.id, ==, before.id);
  g_assert_cmpint (after.changed, ==, before.changed);
  g_assert_true (rack_mirror_folder_by_row (mirror, after.row) == folder);
  /* Nothing was asked for again. */
  g_assert_cmpuint (fake_count (FAKE_MESSAGES), ==, messages);
  g_assert_cmpuint (fake_count (FAKE_OPEN), ==, opens);
  end ();
}

/* What changed while nobody looked comes behind the first answer, and nothing else does. */
static void
test_changed_meanwhile (void)
{
  begin (5);
  open_mirror ();
  wait_for ("INBOX");
  close_mirror ();
  fake_remove (inbox, 2);
  fake_flags (inbox, 3, RACK_FLAG_FLAGGED);
  fake_add (inbox, 9, "s", "b", -1);
  guint messages = fake_count (FAKE_MESSAGES);
  open_mirror ();
  RackFolder *folder = wait_for ("INBOX");
  await (folder, "1 3f 4 5 9");
  g_assert_cmpuint (fake_count (FAKE_MESSAGES) - messages, <=, 4);
  close_mirror ();
  open_mirror ();
  check (wait_for ("INBOX"), "1 3f 4 5 9");
  end ();
}

/* Another mailbox of the same name: its own messages are void, others' stay. */
static void
test_replaced_meanwhile (void)
{
  RackFolderFacts before, after;
  begin (3);
  FakeBox *other = fake_box ("other", 0, 5);
  fake_add (other, 1, "s", "b", -1);
  open_mirror ();
  rack_folder_facts (wait_for ("INBOX"), &before);
  wait_for ("other");
  close_mirror ();
  fake_box_replace (inbox, 2);
  fake_add (inbox, 7, "s", "b", -1);
  open_mirror ();
  RackFolder *folder = wait_for ("INBOX");
  await (folder, "7");
  rack_folder_facts (folder, &after);
  g_assert_cmpuint (after.row, !=, before.row);
  g_assert_null (rack_mirror_folder_by_row (mirror, before.row));
  fake_offline (TRUE); /* so that the other one cannot be asked for */
  check (wait_for ("other"), "1");
  end ();
}

/* A mailbox that is not listed for once is not forgotten. */
static void
test_gone_and_back (void)
{
  begin (1);
  FakeBox *other = fake_box ("other", 0, 5);
  fake_add (other, 1, "s", "b", -1);
  fake_add (other, 2, "s", "b", -1);
  open_mirror ();
  wait_for ("other");
  close_mirror ();
  fake_box_delete ("other");
  open_mirror ();
  g_assert_null (folder_named ("other"));
  close_mirror ();
  other = fake_box ("other", 0, 5);
  fake_add (other, 1, "s", "b", -1);
  fake_add (other, 2, "s", "b", -1);
  guint messages = fake_count (FAKE_MESSAGES);
  open_mirror ();
  check (wait_for ("other"), "1 2");
  g_assert_cmpuint (fake_count (FAKE_MESSAGES) - messages, <=, 2); /* flags, no names */
  end ();
}

/* ---- Offline ------------------------------------------------------------------------------- */

static void
test_offline_start (void)
{
  g_autoptr (GError) error = NULL;
  begin (3);
  FakeBox *deep = fake_box ("a/b", RACK_LIST_SENT, 1);
  fake_add (deep, 1, "s", "b", -1);
  fake_box ("a/never-seen", 0, 1);
  open_mirror ();
  wait_for ("INBOX");
  close_mirror ();

  fake_offline (TRUE);
  open_mirror ();
  g_assert_nonnull (rack_mirror_notice (mirror));
  g_assert_nonnull (strstr (rack_mirror_notice (mirror), "the network is unreachable"));
  g_assert_true (figures ().offline);
  RackFolder *folder = wait_for ("INBOX");
  check (folder, "1 2 3");
  RackFolder *branch = folder_named ("a");
  g_assert_nonnull (branch);
  RackFolderFacts facts;
  rack_folder_facts (rack_folder_child (branch, "b"), &facts);
  g_assert_cmpuint (facts.flags, ==, RACK_LIST_SENT);
  g_assert_true (facts.selectable);

  /* What is not here fails, without anybody asking for it in vain each time. */
  g_assert_false (rack_folder_wait (rack_folder_child (branch, "never-seen"), NULL, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_NETWORK);
  g_clear_error (&error);
  rack_folder_facts (folder, &facts);
  g_autoptr (RackBody) body = rack_folder_part (folder, facts.row, 1, "1", RACK_PART_AS_SENT);
  g_assert_false (rack_body_wait (body, 1, NULL, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_NETWORK);
  g_clear_pointer (&body, rack_body_unref);
  g_assert_cmpuint (fake_count (FAKE_READ), ==, 0);

  /* It comes back by itself. */
  fake_add (inbox, 4, "s", "b", -1);
  fake_offline (FALSE);
  await (folder, "1 2 3 4");
  g_assert_false (figures ().offline);
  end ();
}

static void
test_offline_without_anything (void)
{
  g_autoptr (GError) error = NULL;
  RackMirrorOptions options = { .stall = 5000 };
  begin (1);
  fake_offline (TRUE);
  g_assert_null (rack_mirror_open (account, &options, NULL, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_NETWORK);
  end ();
}

/* ---- Interrupted ----------------------------------------------------------------------------- */

/* A first load that was cut goes on where it was. */
static void
test_interrupted (void)
{
  g_autoptr (GError) error = NULL;
  RackFolderFacts facts;
  begin (0);
  for (guint32 uid = 1; uid <= 3500; uid++)
    fake_add (inbox, uid, uid == 1700 ? "cut here" : "s", "body", -1);
  fake_break_fetch (2200);
  open_mirror ();
  RackFolder *folder = folder_named ("INBOX");
  g_assert_false (rack_folder_wait (folder, NULL, &error));
  rack_folder_facts (folder, &facts);
  g_assert_false (facts.complete);
  g_assert_cmpuint (facts.expected, ==, 3500);
  g_assert_cmpuint (facts.messages, >=, 2200);
  close_mirror ();
  fake_break_fetch (0);
  guint before = fake_count (FAKE_MESSAGES);
  fake_flags (inbox, 5, RACK_FLAG_FLAGGED);
  fake_remove (inbox, 6);
  open_mirror ();
  folder = wait_for ("INBOX");
  rack_folder_facts (folder, &facts);
  g_assert_cmpuint (facts.messages, ==, 3499);
  g_assert_cmpuint (fake_count (FAKE_MESSAGES) - before, <, 1400);
  RackEntry entry;
  g_assert_true (rack_folder_find (folder, 5, &entry));
  g_assert_cmpuint (entry.flags, ==, RACK_FLAG_FLAGGED);
  g_assert_false (rack_folder_find (folder, 6, &entry));
  g_assert_true (
      rack_folder_find_name (folder, "1970-01-02T0420Z_alice_cut-here.1700.eml", &entry));
  end ();
}

/* ---- What is kept ------------------------------------------------------------------------------
 */

static void
test_names_later (void)
{
  begin (3);
  open_named (RACK_NAMES_UID);
  RackFolder *folder = wait_for ("INBOX");
  g_autofree char *text = text_of (folder, FALSE);
  g_assert_cmpstr (text, ==, "1 2 3");
  g_auto (RackDetails) details = { 0 };
  g_assert_true (rack_folder_details (folder, 2, &details));
  g_assert_null (details.subject);
  close_mirror ();
  open_mirror ();
  check (wait_for ("INBOX"), "1 2 3");
  close_mirror ();
  open_named (RACK_NAMES_UID);
  g_free (text);
  text = text_of (wait_for ("INBOX"), FALSE);
  g_assert_cmpstr (text, ==, "1 2 3");
  end ();
}

static void
check_keywords (RackFolder *folder, guint32 uid, const char *expected)
{
  g_auto (GStrv) words = rack_folder_keywords (folder, uid);
  g_autofree char *text = g_strjoinv (" ", words);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_details (void)
{
  begin (3);
  fake_keywords (inbox, 1, "$Label1 Work");
  fake_keywords (inbox, 3, "Work $Label1");
  open_mirror ();
  for (guint round = 0; round < 2; round++)
    {
      RackEntry one, two, three;
      RackDetails details[5];
      RackFolder *folder = wait_for ("INBOX");
      check_keywords (folder, 1, "$Label1 Work");
      check_keywords (folder, 2, "");
      g_assert_null (rack_folder_keywords (folder, 9));
      g_assert_true (rack_folder_find (folder, 1, &one));
      g_assert_true (rack_folder_find (folder, 2, &two));
      g_assert_true (rack_folder_stat (folder, 3, &three));
      g_assert_cmpuint (one.keywords, ==, three.keywords);
      g_assert_cmpuint (two.keywords, ==, 0);
      g_assert_cmpuint (rack_folder_list_details (folder, 1, details, 5), ==, 2);
      g_assert_cmpuint (details[1].uid, ==, 3);
      g_assert_cmpstr (details[1].subject, ==, "s");
      g_assert_cmpstr (details[1].sender_address, ==, "alice@x");
      g_assert_cmpuint (details[1].modseq, >, 1);
      rack_details_clear (&details[0]);
      rack_details_clear (&details[1]);
      g_assert_false (rack_folder_details (folder, 9, &details[0]));
      close_mirror ();
      open_mirror ();
    }
  end ();
}

static void
test_keywords_pushed (void)
{
  g_autoptr (GError) error = NULL;
  RackFolderFacts facts;
  begin (2);
  open_mirror ();
  RackFolder *folder = wait_for ("INBOX");
  do
    {
      g_usleep (1000);
      rack_folder_facts (folder, &facts);
    }
  while (!facts.pushed);
  fake_keywords (inbox, 2, "Later");
  const RackChange *change = rack_mirror_next_change (mirror, NULL, &error);
  g_assert_cmpint (change->kind, ==, RACK_CHANGE_FLAGS);
  g_assert_cmpuint (change->n, ==, 1);
  g_assert_cmpuint (change->items[0].uid, ==, 2);
  check_keywords (folder, 2, "Later");
  fake_keywords (inbox, 2, NULL);
  rack_mirror_next_change (mirror, NULL, &error);
  check_keywords (folder, 2, "");
  end ();
}

/* A set for each message, and more of them than are kept in memory. */
static void
test_many_keywords (void)
{
  begin (0);
  for (guint32 uid = 1; uid <= 21000; uid++)
    {
      fake_add (inbox, uid, "s", "b", -1);
      g_autofree char *word = g_strdup_printf ("k%u", uid);
      fake_keywords (inbox, uid, word);
    }
  open_named (RACK_NAMES_UID);
  RackFolder *folder = wait_for ("INBOX");
  RackEntry entry;
  g_assert_true (rack_folder_stat (folder, 20400, &entry));
  g_assert_cmpuint (entry.keywords, ==, RACK_KEYWORDS_OWN);
  check_keywords (folder, 20400, "k20400");
  check_keywords (folder, 1, "k1");
  end ();
}

static void
test_sizes_and_trust (void)
{
  RackEntry entry;
  g_autoptr (GError) error = NULL;
  begin (0);
  for (guint32 uid = 1; uid <= 20; uid++)
    fake_add (inbox, uid, "s", "body", uid == 1 ? -1 : 4);
  open_mirror ();
  wait_for ("INBOX");
  while (!figures ().trusted)
    g_usleep (1000);
  close_mirror ();
  open_mirror ();
  g_assert_true (figures ().trusted);
  RackFolder *folder = wait_for ("INBOX");
  guint exact = 0;
  for (guint32 uid = 1; uid <= 20; uid++)
    {
      g_assert_true (rack_folder_find (folder, uid, &entry));
      g_assert_true (entry.dependable);
      exact += entry.exact;
    }
  g_assert_cmpuint (exact, ==, 16);

  /* One wrong size, and no later mirror trusts the others. */
  fake_add (inbox, 30, "s", "body", 100);
  while (!rack_folder_find (folder, 30, &entry))
    g_usleep (1000);
  RackFolderFacts facts;
  rack_folder_facts (folder, &facts);
  g_autoptr (RackBody) body = rack_folder_body (folder, facts.row, 30);
  g_assert_true (rack_body_wait (body, 1, NULL, &error));
  g_clear_pointer (&body, rack_body_unref);
  close_mirror ();
  open_mirror ();
  g_assert_false (figures ().trusted);
  g_assert_true (rack_folder_find (wait_for ("INBOX"), 30, &entry));
  g_assert_cmpuint (entry.size, ==, 4);
  g_assert_true (entry.exact);
  end ();
}

static void
test_one_at_a_time (void)
{
  g_autoptr (GError) error = NULL;
  RackMirrorOptions options = { .holder = "the second" };
  begin (1);
  open_mirror ();
  g_assert_null (rack_mirror_open (account, &options, NULL, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "test-mirror-disk"));
  end ();
}

static void
test_cache (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (RackCacheFacts) facts = { 0 };
  g_auto (RackCacheRepairs) repairs = { 0 };
  begin (3);
  g_autoptr (GPtrArray) none = rack_cache_list (account, NULL);
  g_assert_cmpuint (none->len, ==, 0);
  g_assert_true (rack_cache_check (account, NULL, &repairs, &error)); /* there is none */
  open_mirror ();
  wait_for ("INBOX");
  g_assert_true (rack_cache_size (account, NULL, &facts, &error));
  g_assert_cmpuint (facts.messages, ==, 3);
  g_assert_nonnull (strstr (facts.holder, "test-mirror-disk"));
  g_autoptr (GPtrArray) list = rack_cache_list (account, NULL); /* also while it is held */
  gboolean listed = FALSE;
  for (guint i = 0; i < list->len; i++)
    listed |= strcmp (((RackMailboxInfo *) g_ptr_array_index (list, i))->name, "INBOX") == 0;
  g_assert_true (listed);
  g_assert_false (rack_cache_check (account, NULL, &repairs, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_BUSY);
  g_clear_error (&error);
  close_mirror ();
  g_assert_true (rack_cache_check (account, NULL, &repairs, &error));
  g_assert_cmpuint (repairs.dropped, ==, 0);
  g_assert_null (repairs.notice);
  g_assert_true (rack_cache_clear (account, NULL, &error));
  open_mirror ();
  check (wait_for ("INBOX"), "1 2 3");
  end ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/disk/again", test_again);
  g_test_add_func ("/disk/changed-meanwhile", test_changed_meanwhile);
  g_test_add_func ("/disk/replaced-meanwhile", test_replaced_meanwhile);
  g_test_add_func ("/disk/gone-and-back", test_gone_and_back);
  g_test_add_func ("/disk/offline-start", test_offline_start);
  g_test_add_func ("/disk/offline-without-anything", test_offline_without_anything);
  g_test_add_func ("/disk/interrupted", test_interrupted);
  g_test_add_func ("/disk/names-later", test_names_later);
  g_test_add_func ("/disk/details", test_details);
  g_test_add_func ("/disk/keywords-pushed", test_keywords_pushed);
  g_test_add_func ("/disk/many-keywords", test_many_keywords);
  g_test_add_func ("/disk/sizes-and-trust", test_sizes_and_trust);
  g_test_add_func ("/disk/one-at-a-time", test_one_at_a_time);
  g_test_add_func ("/disk/cache", test_cache);
  return g_test_run ();
}
