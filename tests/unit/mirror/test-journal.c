/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-journal.c - what is written is there after a restart, and a transaction is all or nothing
 */
#include "fake.h"
#include "journal.h"
#include "store.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

typedef struct
{
  char *place;
  RackAccount *account;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  fixture->place = g_dir_make_tmp ("journal-XXXXXX", NULL);
  fixture->account = fake_account_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *command = g_strdup_printf ("rm -rf '%s'", fixture->place);
  rack_account_unref (fixture->account);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_free (fixture->place);
}

static RackJournal *
open_journal (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  RackJournal *journal = rack_journal_open (fixture->account, fixture->place, &error);
  g_assert_no_error (error);
  return journal;
}

static void
describe_change (const RackJournalChange *change, gpointer data)
{
  g_string_append_printf (
      data, "%" G_GUINT64_FORMAT " %d %d %s %u/%u -> %s %s +%x-%x %s;", change->id, change->kind,
      change->step, change->mailbox, change->uid_validity, change->uid, change->target,
      change->name, change->add, change->remove, change->problem != NULL ? change->problem : "-");
  if (*change->base != '\0')
    g_string_append_printf (data, "as %s in %u;", change->base, change->base_space);
}

static void
describe_local (const RackJournalLocal *local, gpointer data)
{
  g_string_append_printf (data, "%" G_GUINT64_FORMAT " %d %s/%u/%" G_GUINT64_FORMAT "/%s;",
                          local->id, local->state, local->mailbox, local->space, local->parent,
                          local->name);
}

static void
describe_name (const char *mailbox, guint32 uid_validity, guint32 uid, const char *name,
               gpointer data)
{
  g_string_append_printf (data, "%s %u/%u %s;", mailbox, uid_validity, uid, name);
}

static void
describe_base (const char *mailbox, guint32 uid_validity, guint32 uid, const char *name,
               guint space, gpointer data)
{
  g_string_append_printf (data, "%s %u/%u %s in %u;", mailbox, uid_validity, uid, name, space);
}

static void
describe_octets (guint64 id, const void *octets, gsize size, gpointer data)
{
  g_string_append_printf (data, "%" G_GUINT64_FORMAT " %.*s;", id, (int) size,
                          (const char *) octets);
}

static char *
describe (RackJournal *journal)
{
  GString *text = g_string_new (NULL);
  g_assert_true (rack_journal_each_change (journal, describe_change, text, NULL));
  g_assert_true (rack_journal_each_local (journal, describe_local, text, NULL));
  g_assert_true (rack_journal_each_name (journal, describe_name, text, NULL));
  g_assert_true (rack_journal_each_base (journal, describe_base, text, NULL));
  g_assert_true (rack_journal_each_octets (journal, describe_octets, text, NULL));
  return g_string_free (text, FALSE);
}

static void
check (Fixture *fixture, const char *expected)
{
  RackJournal *journal = open_journal (fixture);
  g_autofree char *found = describe (journal);
  g_assert_cmpstr (found, ==, expected);
  rack_journal_close (journal);
}

static void
fill (RackJournal *journal)
{
  RackJournalChange change = { .id = 9,
                               .kind = RACK_CHANGE_ROW_MOVE,
                               .mailbox = "INBOX",
                               .uid_validity = 1,
                               .uid = 5,
                               .target = "Ärchive",
                               .name = "x.eml" };
  RackJournalLocal local = { .state = RACK_LOCAL_QUEUED, .mailbox = "INBOX", .name = "new.eml" };
  g_assert_true (rack_journal_put_change (journal, &change, NULL));
  g_assert_true (rack_journal_put_local (journal, &local, NULL));
  g_assert_cmpuint (local.id, ==, 1);
  g_assert_true (rack_journal_put_name (journal, "INBOX", 1, 7, "seven.eml", NULL));
  g_assert_true (rack_journal_put_octets (journal, local.id, "abc", 3, NULL));
}

static void
test_restart (Fixture *fixture, gconstpointer unused)
{
  RackJournal *journal = open_journal (fixture);
  fill (journal);
  rack_journal_close (journal);
  check (fixture, "9 0 0 INBOX 1/5 -> Ärchive x.eml +0-0 -;1 1 INBOX/0/0/new.eml;"
                  "INBOX 1/7 seven.eml;1 abc;");

  journal = open_journal (fixture);
  RackJournalLocal local = { .mailbox = "INBOX", .name = "next" };
  g_assert_true (rack_journal_remove_local (journal, 1, NULL));
  g_assert_true (rack_journal_remove_change (journal, 9, NULL));
  g_assert_true (rack_journal_put_name (journal, "INBOX", 1, 7, NULL, NULL));
  /* A number is never given twice: its file may still be open somewhere. */
  g_assert_true (rack_journal_put_local (journal, &local, NULL));
  g_assert_cmpuint (local.id, ==, 2);
  rack_journal_close (journal);
  check (fixture, "2 0 INBOX/0/0/next;");
}

static void
test_transactions (Fixture *fixture, gconstpointer unused)
{
  RackJournal *journal = open_journal (fixture);
  g_assert_true (rack_journal_begin (journal, NULL));
  fill (journal);
  g_assert_false (rack_journal_end (journal, FALSE, NULL));
  g_autofree char *nothing = describe (journal);
  g_assert_cmpstr (nothing, ==, "");
  g_assert_true (rack_journal_begin_lazily (journal, NULL));
  fill (journal);
  g_assert_true (rack_journal_end (journal, TRUE, NULL));
  g_assert_true (rack_journal_rename (journal, "INBOX", "Other", NULL));
  rack_journal_close (journal);
  check (fixture, "9 0 0 INBOX 1/5 -> Ärchive x.eml +0-0 -;1 1 Other/0/0/new.eml;"
                  "Other 1/7 seven.eml;1 abc;");
}

static void
test_bases (Fixture *fixture, gconstpointer unused)
{
  RackJournal *journal = open_journal (fixture);
  RackJournalChange change = { .id = 9,
                               .kind = RACK_CHANGE_ROW_MOVE,
                               .mailbox = "INBOX",
                               .target = "Work",
                               .base = "1.M2",
                               .base_space = 2 };
  g_assert_true (rack_journal_put_change (journal, &change, NULL));
  g_assert_true (rack_journal_put_base (journal, "INBOX", 1, 7, "seven", 2, NULL));
  g_assert_true (rack_journal_put_base (journal, "INBOX", 1, 7, "seven,U=1", 1, NULL));
  g_assert_true (rack_journal_put_base (journal, "INBOX", 1, 8, "eight", 0, NULL));
  g_assert_true (rack_journal_put_base (journal, "INBOX", 1, 8, NULL, 0, NULL));
  g_assert_true (rack_journal_rename (journal, "INBOX", "Other", NULL));
  rack_journal_close (journal);
  check (fixture, "9 0 0 INBOX 0/0 -> Work  +0-0 -;as 1.M2 in 2;Other 1/7 seven,U=1 in 1;");
}

/* What an earlier version wrote is brought up to date, by its owner only. */
static void
test_first_version (Fixture *fixture, gconstpointer unused)
{
  RackJournal *journal = open_journal (fixture);
  g_autofree char *file = rack_journal_path (journal, 1);
  g_autofree char *spool = g_path_get_dirname (file);
  g_autofree char *place = g_path_get_dirname (spool);
  g_autofree char *database = g_build_filename (place, "journal.db", NULL);
  gboolean there;
  sqlite3 *db = NULL;
  fill (journal);
  rack_journal_close (journal);
  g_assert_cmpint (sqlite3_open (database, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db,
                                 "DROP TABLE bases; ALTER TABLE changes DROP COLUMN base;"
                                 "ALTER TABLE changes DROP COLUMN base_space;"
                                 "ALTER TABLE locals DROP COLUMN replaces_validity;"
                                 "PRAGMA user_version = 1;",
                                 NULL, NULL, NULL),
                   ==, SQLITE_OK);
  sqlite3_close (db);
  journal = rack_journal_open_to_read (fixture->account, fixture->place, &there, NULL);
  g_assert_true (there);
  g_assert_nonnull (journal);
  rack_journal_close (journal);
  check (fixture, "9 0 0 INBOX 1/5 -> Ärchive x.eml +0-0 -;1 1 INBOX/0/0/new.eml;"
                  "INBOX 1/7 seven.eml;1 abc;");
}

static void
test_one_program (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  RackJournal *journal = open_journal (fixture);
  g_assert_null (rack_journal_open (fixture->account, fixture->place, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_BUSY);
  rack_journal_close (journal);
  rack_journal_close (open_journal (fixture));
}

/* $XDG_CACHE_HOME and $XDG_STATE_HOME may be the same. */
static void
test_beside_a_cache (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *place = rack_store_place (fixture->account, fixture->place);
  g_autofree char *notice = NULL;
  RackStore *store = rack_store_open (place, "test", 0, &notice, &error);
  g_assert_no_error (error);
  RackJournal *journal = open_journal (fixture);
  fill (journal);
  rack_journal_close (journal);
  rack_store_close (store);
  g_assert_true (rack_store_clear (place, &error));
  check (fixture, "9 0 0 INBOX 1/5 -> Ärchive x.eml +0-0 -;1 1 INBOX/0/0/new.eml;"
                  "INBOX 1/7 seven.eml;1 abc;");
}

static void
test_private (Fixture *fixture, gconstpointer unused)
{
  struct stat file;
  RackJournal *journal = open_journal (fixture);
  g_autofree char *path = rack_journal_path (journal, 1);
  g_autofree char *spool = g_path_get_dirname (path);
  g_autofree char *place = g_path_get_dirname (spool);
  g_autofree char *database = g_build_filename (place, "journal.db", NULL);
  g_assert_cmpint (stat (place, &file), ==, 0);
  g_assert_cmpuint (file.st_mode & 0777, ==, 0700);
  g_assert_cmpint (stat (spool, &file), ==, 0);
  g_assert_cmpuint (file.st_mode & 0777, ==, 0700);
  g_assert_cmpint (stat (database, &file), ==, 0);
  g_assert_cmpuint (file.st_mode & 0777, ==, 0600);
  rack_journal_close (journal);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/journal/restart", Fixture, NULL, set_up, test_restart, tear_down);
  g_test_add ("/journal/transactions", Fixture, NULL, set_up, test_transactions, tear_down);
  g_test_add ("/journal/bases", Fixture, NULL, set_up, test_bases, tear_down);
  g_test_add ("/journal/first-version", Fixture, NULL, set_up, test_first_version, tear_down);
  g_test_add ("/journal/one-program", Fixture, NULL, set_up, test_one_program, tear_down);
  g_test_add ("/journal/beside-a-cache", Fixture, NULL, set_up, test_beside_a_cache, tear_down);
  g_test_add ("/journal/private", Fixture, NULL, set_up, test_private, tear_down);
  return g_test_run ();
}
