/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-store.c - the database of a mirror: versions, damage, the lock, and its rows */
#include "store-place.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
give_text (const RackStoreMessage *message, gpointer data)
{
  g_string_append_printf (data, "%u:%u:%u:%s:%" G_GUINT64_FORMAT "%s ", message->uid,
                          message->flags, (guint) message->date,
                          message->keywords != NULL ? message->keywords : "-", message->size,
                          message->exact ? "!" : "");
}

static void
check_messages (guint32 row, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_assert_true (rack_store_load (store, row, give_text, text, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_rows (void)
{
  g_autoptr (GError) error = NULL;
  RackEntry entries[3] = { { .uid = 1 }, { .uid = 2 }, { .uid = 9 } };
  begin ();
  open_quietly ();
  g_assert_false (add_messages (5, 1, 1, &error)); /* no such box */
  g_assert_error (error, RACK_ERROR, RACK_ERROR_STALE);
  g_clear_error (&error);
  add_box (5, 50);
  add_box (6, 60);
  g_assert_true (add_messages (5, 1, 3, &error));
  g_assert_true (add_messages (6, 2, 2, &error));
  reopen ();
  check_messages (5, "1:8:60:-:10 2:8:120:apple zebra:20 3:8:180:-:30 ");

  g_assert_true (rack_store_names (store, 5, entries, 3, &error));
  g_assert_cmpstr (entries[0].name, ==, "1970-01-01T0001Z_Alice_N-1.1.eml");
  g_assert_cmpstr (entries[1].name, ==, "1970-01-01T0002Z_Alice_N-2.2.eml");
  g_assert_cmpstr (entries[2].name, ==, "");
  g_autofree char *keywords = rack_store_keywords (store, 5, 2);
  g_assert_cmpstr (keywords, ==, "apple zebra");

  g_auto (RackDetails) details = { 0 };
  g_assert_cmpuint (rack_store_details (store, 5, 2, &details, 1, &error), ==, 1);
  g_assert_cmpuint (details.uid, ==, 3);
  g_assert_cmpuint (details.modseq, ==, 1003);
  g_assert_cmpstr (details.sender_name, ==, "Alice");
  g_assert_cmpstr (details.sender_address, ==, "alice@x.org");
  g_assert_cmpstr (details.subject, ==, "N° 3");
  g_assert_cmpstr (details.message_id, ==, "<a@b>");
  g_assert_null (details.in_reply_to);

  g_autoptr (RackSet) some = rack_set_parse ("1,3:4294967295", NULL);
  g_assert_true (rack_store_remove (store, 5, some, &error));
  check_messages (5, "2:8:120:apple zebra:20 ");
  check_messages (6, "2:8:120:apple zebra:20 ");
  g_assert_true (rack_store_drop_box (store, 5, &error));
  check_messages (5, "");
  g_assert_cmpuint (rack_store_details (store, 5, 0, &details, 1, &error), ==, 0);
  check_messages (6, "2:8:120:apple zebra:20 ");
  end ();
}

/* What is known of a message stays; only its flags change, and its size once. */
static void
test_changes (void)
{
  g_autoptr (GError) error = NULL;
  RackRows rows;
  RackStr word = str ("later");
  RackFlagList flags = { .system = RACK_FLAG_FLAGGED, .keywords = &word, .n_keywords = 1 };
  begin ();
  open_quietly ();
  add_box (5, 50);
  g_assert_true (add_messages (5, 1, 2, &error));
  rack_rows_init (&rows);
  rack_rows_add_flags (&rows, 1, &flags, 0);
  rack_rows_add_flags (&rows, 77, &flags, 0); /* unknown */
  g_assert_true (rack_store_set_flags (store, 5, &rows, &error));
  rack_rows_clear (&rows);
  g_assert_true (add_messages (5, 1, 3, &error));
  check_messages (5, "1:2:60:later:10 2:8:120:apple zebra:20 3:8:180:-:30 ");
  rack_store_learn_size (store, 5, 2, 21);
  reopen ();
  check_messages (5, "1:2:60:later:10 2:8:120:apple zebra:21! 3:8:180:-:30 ");
  for (guint32 i = 0; i < 256; i++) /* enough not to wait for anything else */
    rack_store_learn_size (store, 5, 1, 100 + i);
  check_messages (5, "1:2:60:later:355! 2:8:120:apple zebra:21! 3:8:180:-:30 ");
  end ();
}

static void
give_folder (const RackStoreFolder *folder, gpointer data)
{
  g_string_append_printf (data, "%u<%u %s %s %u%s%s\n", folder->id, folder->parent, folder->mailbox,
                          folder->directory, (guint) folder->flags, folder->selectable ? " s" : "",
                          folder->gone != 0 ? " gone" : "");
}

static void
give_box (const RackStoreBox *box, gpointer data)
{
  g_string_append_printf (
      data, "%u %u %u %u %" G_GUINT64_FORMAT " %d %d %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n",
      box->row, box->folder, box->uid_validity, box->uid_next, box->modseq, box->complete,
      box->named, box->changed, box->flags_changed);
}

static void
test_folders (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  RackStoreFolder folders[] = {
    { .id = 3, .parent = 9, .mailbox = "a/b", .directory = "b", .selectable = TRUE },
    { .id = 9, .mailbox = "a", .directory = "a", .flags = 1 },
    { .id = 4, .parent = 9, .mailbox = "a/c", .directory = "c", .gone = 1000 },
  };
  RackStoreBox box = { .row = 8, .folder = 3, .uid_validity = 4000000000, .named = TRUE };
  begin ();
  open_quietly ();
  g_assert_true (rack_store_put_folders (store, folders, 3, &error));
  g_assert_true (rack_store_add_box (store, &box, &error));
  box.uid_next = 4294967295;
  box.modseq = G_GUINT64_CONSTANT (9223372036854775807);
  box.complete = TRUE;
  box.changed = G_GINT64_CONSTANT (1700000000123456789);
  box.flags_changed = box.changed + 1;
  g_assert_true (rack_store_note_box (store, &box, &error));
  box.row = 1;
  g_assert_false (rack_store_note_box (store, &box, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_STALE);
  g_clear_error (&error);
  reopen ();
  g_assert_true (rack_store_each_folder (store, give_folder, text, &error));
  g_assert_cmpstr (text->str, ==, "9<0 a a 1\n3<9 a/b b 0 s\n4<9 a/c c 0 gone\n");
  g_string_truncate (text, 0);
  g_assert_true (rack_store_each_box (store, give_box, text, &error));
  g_assert_cmpstr (text->str, ==,
                   "8 3 4000000000 4294967295 9223372036854775807 1 1 1700000000123456789 "
                   "1700000000123456790\n");

  g_assert_true (rack_store_forget_gone (store, 999, &error));
  g_string_truncate (text, 0);
  rack_store_each_folder (store, give_folder, text, &error);
  g_assert_nonnull (strstr (text->str, "gone"));
  g_assert_true (rack_store_forget_gone (store, 1001, &error));
  g_string_truncate (text, 0);
  rack_store_each_folder (store, give_folder, text, &error);
  g_assert_cmpstr (text->str, ==, "9<0 a a 1\n3<9 a/b b 0 s\n");

  g_assert_cmpint (rack_store_get (store, "x", 5), ==, 5);
  g_assert_true (rack_store_set (store, "x", -3, &error));
  g_assert_true (rack_store_set (store, "x", 12, &error));
  reopen ();
  g_assert_cmpint (rack_store_get (store, "x", 5), ==, 12);
  end ();
}

/* ---- Versions, damage, the lock ----------------------------------------------------------- */

static void
test_private (void)
{
  struct stat facts;
  g_autofree char *path = NULL;
  begin ();
  mode_t mask = umask (0);
  open_quietly ();
  umask (mask);
  g_assert_cmpint (stat (place, &facts), ==, 0);
  g_assert_cmpint (facts.st_mode & 0777, ==, 0700);
  path = database ();
  g_assert_cmpint (stat (path, &facts), ==, 0);
  g_assert_cmpint (facts.st_mode & 0777, ==, 0600);
  end ();
}

static void
test_older_version (void)
{
  g_autoptr (GError) error = NULL;
  begin ();
  open_quietly ();
  add_box (5, 50);
  g_assert_true (add_messages (5, 1, 2, &error));
  g_clear_pointer (&store, rack_store_close);
  /* As version 1 left it. */
  execute ("DROP TABLE bodies; DROP TABLE parts; ALTER TABLE boxes DROP COLUMN flags_changed;"
           "ALTER TABLE boxes DROP COLUMN expected;"
           "PRAGMA user_version = 1");
  open_quietly ();
  check_messages (5, "1:8:60:-:10 2:8:120:apple zebra:20 ");
  g_clear_pointer (&store, rack_store_close);
  g_assert_cmpint (ask ("PRAGMA user_version"), ==, 5);
  g_assert_cmpint (ask ("SELECT count (*) FROM bodies"), ==, 0);
  g_assert_cmpint (ask ("SELECT flags_changed FROM boxes"), ==, 0);
  end ();
}

static void
test_newer_version (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *notice = NULL;
  begin ();
  open_quietly ();
  add_box (5, 50);
  g_assert_true (add_messages (5, 1, 2, &error));
  g_clear_pointer (&store, rack_store_close);
  execute ("PRAGMA user_version = 99");
  store = rack_store_open (place, "the test", 0, &notice, &error);
  g_assert_null (store);
  g_assert_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "newer mailrack (version 99"));
  g_assert_null (notice);
  g_assert_cmpint (ask ("SELECT count (*) FROM messages"), ==, 2);
  end ();
}

static void
overwrite (gsize offset, gsize size)
{
  g_autofree char *path = database ();
  g_autofree char *garbage = g_malloc (size);
  memset (garbage, 0xa5, size);
  int fd = open (path, O_WRONLY);
  g_assert_cmpint (pwrite (fd, garbage, size, (off_t) offset), ==, (gssize) size);
  close (fd);
}

static void
check_set_aside (void)
{
  g_autofree char *notice = open_store ();
  g_autofree char *aside = g_build_filename (place, "index.db.damaged", NULL);
  g_assert_nonnull (notice);
  g_assert_nonnull (strstr (notice, "was damaged; it was set aside"));
  g_assert_true (g_file_test (aside, G_FILE_TEST_EXISTS));
  check_messages (5, "");
  add_box (5, 50);
  reopen ();
}

static void
test_no_database (void)
{
  begin ();
  open_quietly ();
  g_clear_pointer (&store, rack_store_close);
  overwrite (0, 100);
  check_set_aside ();
  end ();
}

/* Seen only when it is read: said then, and set aside the next time. */
static void
test_damaged_page (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 dropped;
  begin ();
  open_quietly ();
  add_box (5, 50);
  g_assert_true (add_messages (5, 1, 2000, &error));
  g_clear_pointer (&store, rack_store_close);
  g_autofree char *path = database ();
  struct stat facts;
  g_assert_cmpint (stat (path, &facts), ==, 0);
  overwrite (100 * 4096 / 10, (gsize) facts.st_size - 100 * 4096 / 10);
  open_quietly ();
  g_assert_false (rack_store_load (store, 5, give_text, text, &error)
                  && rack_store_check (store, &dropped, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_IO);
  g_assert_true (rack_store_is_suspect (store));
  g_clear_pointer (&store, rack_store_close);
  check_set_aside ();
  end ();
}

static void
test_lock (void)
{
  g_autoptr (GError) error = NULL;
  char *notice = NULL;
  begin ();
  g_assert_null (rack_store_holder (place));
  open_quietly ();
  g_assert_null (rack_store_open (place, "another", 0, &notice, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_BUSY);
  g_autofree char *who = g_strdup_printf ("the test (process %d)", (int) getpid ());
  g_assert_nonnull (strstr (error->message, who));
  g_clear_error (&error);
  g_autofree char *holder = rack_store_holder (place);
  g_assert_cmpstr (holder, ==, who);
  g_assert_false (rack_store_clear (place, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_BUSY);
  g_clear_pointer (&store, rack_store_close);
  g_assert_null (rack_store_holder (place));
  end ();
}

static gpointer
close_soon (gpointer data)
{
  g_usleep (50 * 1000);
  rack_store_close (data);
  return NULL;
}

/* One that said that it is about to end is waited for, whatever the patience. */
static void
test_lock_closing (void)
{
  begin ();
  open_quietly ();
  rack_store_say_closing (store);
  GThread *thread = g_thread_new ("close", close_soon, g_steal_pointer (&store));
  open_quietly ();
  g_thread_join (thread);
  end ();
}

static void
test_check (void)
{
  g_autoptr (GError) error = NULL;
  guint64 dropped = 77;
  g_autoptr (GString) text = g_string_new (NULL);
  begin ();
  open_quietly ();
  add_box (5, 50);
  g_assert_true (add_messages (5, 1, 3, &error));
  RackStoreBox box = { .row = 5, .folder = 50, .uid_validity = 7, .complete = TRUE, .named = TRUE };
  g_assert_true (rack_store_note_box (store, &box, &error));
  g_assert_true (rack_store_check (store, &dropped, &error));
  g_assert_cmpuint (dropped, ==, 0);
  g_clear_pointer (&store, rack_store_close);
  execute ("INSERT INTO messages VALUES (5, -4, 0, NULL, 1, 0, 0, 0), (99, 1, 0, NULL, 1, 0, 0, 0);"
           "INSERT INTO details (row, uid, name) VALUES (5, 1000, 'x'), (98, 1, 'y');"
           "INSERT INTO folders VALUES (70, 71, 'lost', 'lost', 0, 1, 0);"
           "INSERT INTO boxes VALUES (98, 70, 1, 1, 1, 1, 1, 1, 1, 0);"
           "DELETE FROM details WHERE row = 5 AND uid = 2");
  open_quietly ();
  g_assert_true (rack_store_check (store, &dropped, &error));
  g_assert_cmpuint (dropped, >=, 6);
  check_messages (5, "1:8:60:-:10 2:8:120:apple zebra:20 3:8:180:-:30 ");
  rack_store_each_box (store, give_box, text, NULL);
  g_assert_cmpstr (text->str, ==, "5 50 7 0 0 0 0 0 0\n"); /* neither complete nor named */
  g_assert_true (rack_store_check (store, &dropped, &error));
  g_assert_cmpuint (dropped, ==, 0);
  end ();
}

static void
test_size_and_clear (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (RackCacheFacts) facts = { 0 };
  g_auto (RackCacheFacts) after = { 0 };
  begin ();
  g_assert_true (rack_store_measure (place, &after, &error)); /* nothing there */
  g_assert_cmpuint (after.messages, ==, 0);
  rack_cache_facts_clear (&after);
  open_quietly ();
  add_box (5, 50);
  g_assert_true (add_messages (5, 1, 30, &error));
  g_assert_true (rack_store_measure (place, &facts, &error)); /* while another has it */
  g_assert_cmpuint (facts.mailboxes, ==, 1);
  g_assert_cmpuint (facts.messages, ==, 30);
  g_assert_cmpuint (facts.n_loads, ==, 0);
  g_assert_cmpuint (facts.index_octets, >, 4096);
  g_assert_nonnull (facts.holder);
  g_clear_pointer (&store, rack_store_close);
  g_assert_true (rack_store_clear (place, &error));
  g_assert_false (rack_store_exists (place));
  g_assert_true (rack_store_clear (place, &error)); /* again is no error */
  g_assert_true (rack_store_measure (place, &after, &error));
  g_assert_cmpuint (after.messages + after.index_octets, ==, 0);
  end ();
}

/* ---- Threads --------------------------------------------------------------------------------- */

static gpointer
read_all (gpointer data)
{
  for (guint round = 0; round < 30; round++)
    {
      RackEntry entries[20] = { 0 };
      for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
        entries[i].uid = i + 1;
      g_assert_true (rack_store_names (store, 5, entries, G_N_ELEMENTS (entries), NULL));
      g_assert_cmpstr (entries[19].name, ==, "1970-01-01T0020Z_Alice_N-20.20.eml");
      rack_store_learn_size (store, 5, round + 1, round);
    }
  return NULL;
}

/* Readers, more than there are connections, and a writer do not get into each other's way. */
static void
test_threads (void)
{
  GThread *threads[12];
  g_autoptr (GError) error = NULL;
  begin ();
  open_quietly ();
  add_box (5, 50);
  g_assert_true (add_messages (5, 1, 40, &error));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("read", read_all, NULL);
  for (guint32 i = 0; i < 20; i++)
    g_assert_true (add_messages (5, 100 + i * 10, 109 + i * 10, &error));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_true (rack_store_flush (store, &error));
  g_auto (RackCacheFacts) facts = { 0 };
  g_assert_true (rack_store_measure (place, &facts, &error));
  g_assert_cmpuint (facts.messages, ==, 240);
  end ();
}

/* ---- Rows alone ---------------------------------------------------------------------------------
 */

/* Whatever a server says becomes bounded, valid text without control characters. */
static void
test_hostile (void)
{
  RackRows rows;
  g_autofree char *huge = g_strnfill (1 << 20, 'x');
  g_autoptr (GArray) words = g_array_new (FALSE, FALSE, sizeof (RackStr));
  RackAddress from = { .name = str ("=?utf-8?q?a=00b=1b=0a?=\xff\xfe"),
                       .mailbox = { huge, 1 << 20 },
                       .host = str ("h\r\nx") };
  RackEnvelope envelope = { .subject = { huge, 1 << 20 },
                            .from = { &from, 1 },
                            .message_id = str ("<\x01\xc2\x85\xe2\x82>"),
                            .in_reply_to = { "", 0 } };
  RackMessage message = { .fields = RACK_FIELD_UID | RACK_FIELD_SIZE | RACK_FIELD_ENVELOPE,
                          .uid = 4294967295,
                          .size = G_MAXUINT64,
                          .envelope = &envelope };
  for (guint i = 0; i < 5000; i++)
    {
      RackStr word = i % 3 == 0 ? (RackStr){ huge, 200 } : str (i % 3 == 1 ? "a b" : "fine");
      g_array_append_val (words, word);
    }
  message.flags.keywords = (const RackStr *) words->data;
  message.flags.n_keywords = words->len;
  rack_rows_init (&rows);
  rack_rows_add (&rows, &message, TRUE);
  message.uid = 0;
  rack_rows_add (&rows, &message, TRUE);
  g_assert_cmpuint (rows.n, ==, 1);
  const RackRow *row = rows.items;
  const guint32 texts[] = { row->keywords,       row->name,    row->sender_name,
                            row->sender_address, row->subject, row->message_id };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      const char *text = rack_rows_text (&rows, texts[i]);
      g_assert_cmpuint (strlen (text), >, 0);
      g_assert_cmpuint (strlen (text), <=, RACK_ROW_TEXT_MAX);
      g_assert_true (g_utf8_validate (text, -1, NULL));
      for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
        g_assert_false (g_unichar_iscntrl (g_utf8_get_char (p)));
    }
  g_assert_cmpuint (row->in_reply_to, ==, 0);
  g_assert_cmpuint (row->size, <, G_GUINT64_CONSTANT (1) << 48);
  g_autofree char *expected = g_strdup_printf ("fine %.200s", huge);
  g_assert_cmpstr (rack_rows_text (&rows, row->keywords), ==, expected);
  rack_rows_clear (&rows);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/rows", test_rows);
  g_test_add_func ("/store/changes", test_changes);
  g_test_add_func ("/store/folders", test_folders);
  g_test_add_func ("/store/private", test_private);
  g_test_add_func ("/store/older-version", test_older_version);
  g_test_add_func ("/store/newer-version", test_newer_version);
  g_test_add_func ("/store/no-database", test_no_database);
  g_test_add_func ("/store/damaged-page", test_damaged_page);
  g_test_add_func ("/store/lock", test_lock);
  g_test_add_func ("/store/lock-closing", test_lock_closing);
  g_test_add_func ("/store/check", test_check);
  g_test_add_func ("/store/size-and-clear", test_size_and_clear);
  g_test_add_func ("/store/threads", test_threads);
  g_test_add_func ("/store/hostile", test_hostile);
  return g_test_run ();
}
