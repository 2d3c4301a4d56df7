/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-messages.c - the messages of a mailbox in the store
 */
#include "names.h"
#include "store-private.h"

#include <string.h>

/* So many sizes may wait until they are written; after a crash they are only inexact again. */
#define SIZES_MAX 256

/* NULL for "": an absent text. */
static void
bind_text (sqlite3_stmt *statement, int at, const RackRows *rows, guint32 text)
{
  if (text != 0)
    sqlite3_bind_text (statement, at, rack_rows_text (rows, text), -1, SQLITE_STATIC);
  else
    sqlite3_bind_null (statement, at);
}

static gboolean
box_exists (RackStore *store, RackStoreConn *conn, guint32 row, GError **error)
{
  sqlite3_stmt *exists = rack_store_prepare (store, conn, RACK_SQL_BOX_EXISTS, error);
  if (exists == NULL)
    return FALSE;
  sqlite3_bind_int64 (exists, 1, row);
  int result = sqlite3_step (exists);
  if (result == SQLITE_DONE)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_STALE,
                         "the mailbox was dropped from the cache meanwhile");
  else if (result != SQLITE_ROW)
    rack_store_fail_on (store, conn, error);
  sqlite3_reset (exists);
  return result == SQLITE_ROW;
}

/* ---- Coming, changing, going ------------------------------------------------------------ */

static gboolean
has_details (const RackRow *row)
{
  return row->name != 0 || row->email_id != 0;
}

static gboolean
add_details (RackStore *store, RackStoreConn *conn, guint32 row, const RackRows *rows, guint i,
             GError **error)
{
  const RackRow *one = &rows->items[i];
  sqlite3_stmt *add = rack_store_prepare (store, conn, RACK_SQL_ADD_DETAILS, error);
  if (add == NULL)
    return FALSE;
  sqlite3_bind_int64 (add, 1, row);
  sqlite3_bind_int64 (add, 2, one->uid);
  bind_text (add, 3, rows, one->name);
  bind_text (add, 4, rows, one->sender_name);
  bind_text (add, 5, rows, one->sender_address);
  bind_text (add, 6, rows, one->subject);
  bind_text (add, 7, rows, one->message_id);
  bind_text (add, 8, rows, one->in_reply_to);
  bind_text (add, 9, rows, one->email_id);
  bind_text (add, 10, rows, one->thread_id);
  return rack_store_run (store, conn, add, error);
}

static gboolean
add_message (RackStore *store, RackStoreConn *conn, guint32 row, const RackRows *rows, guint i,
             GError **error)
{
  const RackRow *one = &rows->items[i];
  sqlite3_stmt *add = rack_store_prepare (store, conn, RACK_SQL_ADD_MESSAGE, error);
  if (add == NULL)
    return FALSE;
  sqlite3_bind_int64 (add, 1, row);
  sqlite3_bind_int64 (add, 2, one->uid);
  sqlite3_bind_int64 (add, 3, one->flags);
  bind_text (add, 4, rows, one->keywords);
  sqlite3_bind_int64 (add, 5, (gint64) one->size);
  sqlite3_bind_int64 (add, 6, one->date);
  sqlite3_bind_int64 (add, 7, (gint64) one->modseq);
  return rack_store_run (store, conn, add, error);
}

gboolean
rack_store_add (RackStore *store, guint32 row, const RackRows *rows, GError **error)
{
  if (rows->n == 0)
    return TRUE;
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      ok = box_exists (store, conn, row, error);
      for (guint i = 0; ok && i < rows->n; i++)
        ok = add_message (store, conn, row, rows, i, error)
             && (!has_details (&rows->items[i]) || add_details (store, conn, row, rows, i, error));
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}

gboolean
rack_store_set_flags (RackStore *store, guint32 row, const RackRows *rows, GError **error)
{
  if (rows->n == 0)
    return TRUE;
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      sqlite3_stmt *set = rack_store_prepare (store, conn, RACK_SQL_SET_FLAGS, error);
      ok = set != NULL;
      for (guint i = 0; ok && i < rows->n; i++)
        {
          const RackRow *one = &rows->items[i];
          sqlite3_bind_int64 (set, 1, row);
          sqlite3_bind_int64 (set, 2, one->uid);
          sqlite3_bind_int64 (set, 3, one->flags);
          bind_text (set, 4, rows, one->keywords);
          sqlite3_bind_int64 (set, 5, (gint64) one->modseq);
          ok = rack_store_run (store, conn, set, error);
        }
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}

gboolean
rack_store_remove (RackStore *store, guint32 row, const RackSet *uids, GError **error)
{
  static const RackSql all[] = { RACK_SQL_REMOVE_MESSAGES, RACK_SQL_REMOVE_DETAILS,
                                 RACK_SQL_REMOVE_PARTS };
  RackRanges ranges = rack_set_ranges (uids);
  if (ranges.n == 0)
    return TRUE;
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      ok = TRUE;
      for (guint a = 0; ok && a < G_N_ELEMENTS (all); a++)
        {
          sqlite3_stmt *remove = rack_store_prepare (store, conn, all[a], error);
          ok = remove != NULL;
          for (gsize i = 0; ok && i < ranges.n; i++)
            {
              sqlite3_bind_int64 (remove, 1, row);
              sqlite3_bind_int64 (remove, 2, ranges.items[i].first);
              sqlite3_bind_int64 (remove, 3, ranges.items[i].last);
              ok = rack_store_run (store, conn, remove, error);
            }
        }
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}

/* ---- Sizes --------------------------------------------------------------------------------- */

gboolean
rack_store_write_sizes (RackStore *store, RackStoreConn *conn, GError **error)
{
  g_autoptr (GArray) sizes = NULL;
  pthread_mutex_lock (&store->mutex);
  if (store->sizes->len > 0)
    {
      sizes = store->sizes;
      store->sizes = g_array_new (FALSE, FALSE, sizeof (RackStoreSize));
    }
  pthread_mutex_unlock (&store->mutex);
  if (sizes == NULL)
    return TRUE;
  sqlite3_stmt *set = rack_store_prepare (store, conn, RACK_SQL_SET_SIZE, error);
  gboolean ok = set != NULL;
  for (guint i = 0; ok && i < sizes->len; i++)
    {
      const RackStoreSize *one = &g_array_index (sizes, RackStoreSize, i);
      sqlite3_bind_int64 (set, 1, one->row);
      sqlite3_bind_int64 (set, 2, one->uid);
      sqlite3_bind_int64 (set, 3, (gint64) one->size);
      ok = rack_store_run (store, conn, set, error);
    }
  return ok;
}

void
rack_store_learn_size (RackStore *store, guint32 row, guint32 uid, guint64 size)
{
  RackStoreSize one = { row, uid, size };
  pthread_mutex_lock (&store->mutex);
  g_array_append_val (store->sizes, one);
  gboolean many = store->sizes->len >= SIZES_MAX;
  pthread_mutex_unlock (&store->mutex);
  if (many)
    rack_store_flush (store, NULL);
}

gboolean
rack_store_flush (RackStore *store, GError **error)
{
  pthread_mutex_lock (&store->mutex);
  gboolean any = store->sizes->len > 0;
  pthread_mutex_unlock (&store->mutex);
  if (!any)
    return TRUE;
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      ok = TRUE;
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static void
give_message (sqlite3_stmt *load, RackStoreMessageFunc func, gpointer data)
{
  RackStoreMessage message = {
    .uid = (guint32) sqlite3_column_int64 (load, 0),
    .flags = (RackFlags) sqlite3_column_int64 (load, 1),
    .size = (guint64) sqlite3_column_int64 (load, 2),
    .exact = sqlite3_column_int (load, 3) != 0,
    .date = sqlite3_column_int64 (load, 4),
    .keywords = (const char *) sqlite3_column_text (load, 5),
  };
  func (&message, data);
}

gboolean
rack_store_load (RackStore *store, guint32 row, RackStoreMessageFunc func, gpointer data,
                 GError **error)
{
  RackStoreConn *conn = rack_store_read_begin (store, error);
  if (conn == NULL)
    return FALSE;
  sqlite3_stmt *load = rack_store_prepare (store, conn, RACK_SQL_LOAD, error);
  int result = SQLITE_ERROR;
  if (load != NULL)
    {
      sqlite3_bind_int64 (load, 1, row);
      while ((result = sqlite3_step (load)) == SQLITE_ROW)
        give_message (load, func, data);
      if (result != SQLITE_DONE)
        rack_store_fail_on (store, conn, error);
      sqlite3_reset (load);
    }
  rack_store_read_end (store, conn);
  return result == SQLITE_DONE;
}

/* Entries and rows ascend together. */
static int
step_names (sqlite3_stmt *names, RackEntry *entries, guint n)
{
  guint at = 0;
  int result;
  while ((result = sqlite3_step (names)) == SQLITE_ROW)
    {
      guint32 uid = (guint32) sqlite3_column_int64 (names, 0);
      while (at < n && entries[at].uid < uid)
        at++;
      const char *name = (const char *) sqlite3_column_text (names, 1);
      if (at < n && entries[at].uid == uid && name != NULL && entries[at].name[0] == '\0')
        rack_name_copy (name, entries[at].name, sizeof entries[at].name);
    }
  return result;
}

gboolean
rack_store_names (RackStore *store, guint32 row, RackEntry *entries, guint n, GError **error)
{
  while (n > 0 && entries[n - 1].name[0] != '\0')
    n--;
  for (; n > 0 && entries[0].name[0] != '\0'; n--)
    entries++;
  if (n == 0)
    return TRUE;
  RackStoreConn *conn = rack_store_read_begin (store, error);
  if (conn == NULL)
    return FALSE;
  sqlite3_stmt *names = rack_store_prepare (store, conn, RACK_SQL_NAMES, error);
  int result = SQLITE_ERROR;
  if (names != NULL)
    {
      sqlite3_bind_int64 (names, 1, row);
      sqlite3_bind_int64 (names, 2, entries[0].uid);
      sqlite3_bind_int64 (names, 3, entries[n - 1].uid);
      result = step_names (names, entries, n);
      if (result != SQLITE_DONE)
        rack_store_fail_on (store, conn, error);
      sqlite3_reset (names);
    }
  rack_store_read_end (store, conn);
  return result == SQLITE_DONE;
}

char *
rack_store_keywords (RackStore *store, guint32 row, guint32 uid)
{
  char *text = NULL;
  RackStoreConn *conn = rack_store_read_begin (store, NULL);
  if (conn == NULL)
    return NULL;
  sqlite3_stmt *keywords = rack_store_prepare (store, conn, RACK_SQL_KEYWORDS, NULL);
  if (keywords != NULL)
    {
      sqlite3_bind_int64 (keywords, 1, row);
      sqlite3_bind_int64 (keywords, 2, uid);
      if (sqlite3_step (keywords) == SQLITE_ROW)
        text = g_strdup ((const char *) sqlite3_column_text (keywords, 0));
      sqlite3_reset (keywords);
    }
  rack_store_read_end (store, conn);
  return text;
}

static char *
dup_text (sqlite3_stmt *statement, int column)
{
  return g_strdup ((const char *) sqlite3_column_text (statement, column));
}

guint
rack_store_details (RackStore *store, guint32 row, guint32 after, RackDetails *details, guint n,
                    GError **error)
{
  guint found = 0;
  RackStoreConn *conn = rack_store_read_begin (store, error);
  if (conn == NULL)
    return 0;
  sqlite3_stmt *statement = rack_store_prepare (store, conn, RACK_SQL_DETAILS, error);
  if (statement != NULL)
    {
      sqlite3_bind_int64 (statement, 1, row);
      sqlite3_bind_int64 (statement, 2, after);
      sqlite3_bind_int64 (statement, 3, n);
      int result = SQLITE_DONE;
      while (found < n && (result = sqlite3_step (statement)) == SQLITE_ROW)
        details[found++] = (RackDetails){
          .uid = (guint32) sqlite3_column_int64 (statement, 0),
          .modseq = (guint64) sqlite3_column_int64 (statement, 1),
          .sender_name = dup_text (statement, 2),
          .sender_address = dup_text (statement, 3),
          .subject = dup_text (statement, 4),
          .message_id = dup_text (statement, 5),
          .in_reply_to = dup_text (statement, 6),
          .email_id = dup_text (statement, 7),
          .thread_id = dup_text (statement, 8),
        };
      if (result != SQLITE_ROW && result != SQLITE_DONE)
        rack_store_fail_on (store, conn, error);
      sqlite3_reset (statement);
    }
  rack_store_read_end (store, conn);
  return found;
}
