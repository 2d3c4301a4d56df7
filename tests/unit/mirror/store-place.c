/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-place.c - a store in a directory of its own */
#include "store-place.h"

#include <sqlite3.h>
#include <string.h>

char *place;
RackStore *store;

void
begin (void)
{
  g_autofree char *top = g_dir_make_tmp ("store-XXXXXX", NULL);
  place = g_build_filename (top, "account", NULL);
}

void
end (void)
{
  g_autofree char *top = g_path_get_dirname (place);
  g_autofree char *quoted = g_shell_quote (top);
  g_autofree char *command = g_strdup_printf ("rm -rf -- %s", quoted);
  g_clear_pointer (&store, rack_store_close);
  g_assert_cmpint (system (command), ==, 0);
  g_clear_pointer (&place, g_free);
}

/* Returns: (owned) what was said. */
char *
open_store (void)
{
  g_autoptr (GError) error = NULL;
  char *notice = NULL;
  store = rack_store_open (place, "the test", 0, &notice, &error);
  g_assert_no_error (error);
  return notice;
}

void
open_quietly (void)
{
  g_autofree char *notice = open_store ();
  g_assert_null (notice);
}

void
reopen (void)
{
  g_clear_pointer (&store, rack_store_close);
  open_quietly ();
}

char *
database (void)
{
  return g_build_filename (place, "index.db", NULL);
}

/* On the closed database, behind the store's back. */
void
execute (const char *sql)
{
  sqlite3 *db;
  char *message = NULL;
  g_autofree char *path = database ();
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  sqlite3_exec (db, sql, NULL, NULL, &message);
  g_assert_cmpstr (message, ==, NULL);
  sqlite3_close (db);
}

gint64
ask (const char *sql)
{
  sqlite3 *db;
  sqlite3_stmt *statement;
  g_autofree char *path = database ();
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  gint64 value = sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  sqlite3_close (db);
  return value;
}

void
add_box (guint32 row, guint32 folder)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_strdup_printf ("box%u", folder);
  RackStoreFolder one = { .id = folder, .mailbox = name, .directory = name, .selectable = TRUE };
  RackStoreBox box = { .row = row, .folder = folder, .uid_validity = 7, .named = TRUE };
  g_assert_true (rack_store_put_folders (store, &one, 1, &error));
  g_assert_true (rack_store_add_box (store, &box, &error));
}

RackStr
str (const char *text)
{
  return (RackStr){ text, strlen (text) };
}

gboolean
add_messages (guint32 row, guint32 first, guint32 last, GError **error)
{
  RackRows rows;
  rack_rows_init (&rows);
  for (guint32 uid = first; uid <= last; uid++)
    {
      RackAddress from = { .name = str ("Alice"), .mailbox = str ("alice"), .host = str ("x.org") };
      g_autofree char *subject = g_strdup_printf ("=?utf-8?q?N=C2=B0_%u?=", uid);
      RackEnvelope envelope = { .subject = str (subject),
                                .from = { &from, 1 },
                                .message_id = str ("<a@b>") };
      RackStr words[] = { str ("zebra"), str ("apple"), str ("zebra") };
      RackMessage message = { .fields = RACK_FIELD_UID | RACK_FIELD_FLAGS | RACK_FIELD_DATE
                                        | RACK_FIELD_SIZE | RACK_FIELD_ENVELOPE | RACK_FIELD_MODSEQ,
                              .uid = uid,
                              .flags = { .system = RACK_FLAG_SEEN | RACK_FLAG_RECENT,
                                         .keywords = words,
                                         .n_keywords = uid % 2 == 0 ? 3 : 0 },
                              .size = uid * 10,
                              .date = uid * 60,
                              .modseq = 1000 + uid,
                              .envelope = &envelope };
      rack_rows_add (&rows, &message, TRUE);
    }
  gboolean ok = rack_store_add (store, row, &rows, error);
  rack_rows_clear (&rows);
  return ok;
}
