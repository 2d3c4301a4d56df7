/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-find.c - messages of the store by something else than their box
 *
 * Each call is one short read that goes on where the last one ended, so that nothing is
 * held between two and what is kept in memory does not depend on how many there are.
 */
#include "store-private.h"

static const char *
text_at (sqlite3_stmt *statement, int column)
{
  return (const char *) sqlite3_column_text (statement, column);
}

/* ---- Indices ------------------------------------------------------------------------------ */

/* FALSE: they are not there, and error is set. */
static gboolean
need_indices (RackStore *store, GError **error)
{
  static const RackSql both[] = { RACK_SQL_INDEX_DATES, RACK_SQL_INDEX_SENDERS };
  pthread_mutex_lock (&store->mutex);
  gboolean indexed = store->indexed;
  pthread_mutex_unlock (&store->mutex);
  if (indexed)
    return TRUE;
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      ok = TRUE;
      for (guint i = 0; ok && i < G_N_ELEMENTS (both); i++)
        {
          sqlite3_stmt *make = rack_store_prepare (store, conn, both[i], error);
          ok = make != NULL && rack_store_run (store, conn, make, error);
        }
      conn = rack_store_end (store, &ok, error);
    }
  if (!ok)
    return FALSE;
  pthread_mutex_lock (&store->mutex);
  store->indexed = TRUE;
  pthread_mutex_unlock (&store->mutex);
  return TRUE;
}

/* ---- Messages ------------------------------------------------------------------------------ */

/* A statement being read. */
typedef struct
{
  RackStore *store;
  RackStoreConn *conn;
  sqlite3_stmt *statement;
} Reading;

static gboolean
begin (Reading *reading, RackStore *store, RackSql sql, GError **error)
{
  reading->store = store;
  reading->conn = rack_store_read_begin (store, error);
  if (reading->conn == NULL)
    return FALSE;
  reading->statement = rack_store_prepare (store, reading->conn, sql, error);
  if (reading->statement != NULL)
    return TRUE;
  rack_store_read_end (store, reading->conn);
  return FALSE;
}

/* result: of the last step. */
static gboolean
end (Reading *reading, int result, GError **error)
{
  gboolean ok = result == SQLITE_ROW || result == SQLITE_DONE;
  if (!ok)
    rack_store_fail_on (reading->store, reading->conn, error);
  sqlite3_reset (reading->statement);
  rack_store_read_end (reading->store, reading->conn);
  return ok;
}

static RackStoreHit
hit_of (sqlite3_stmt *statement)
{
  return (RackStoreHit){
    .row = (guint32) sqlite3_column_int64 (statement, 0),
    .uid = (guint32) sqlite3_column_int64 (statement, 1),
    .date = sqlite3_column_int64 (statement, 2),
  };
}

static void
bind_cursor (sqlite3_stmt *statement, const RackStoreCursor *cursor, guint n)
{
  sqlite3_bind_int64 (statement, 1, cursor->date);
  sqlite3_bind_int64 (statement, 2, cursor->row);
  sqlite3_bind_int64 (statement, 3, cursor->uid);
  sqlite3_bind_int64 (statement, 4, n);
}

/* Ends the reading. */
static guint
give (Reading *reading, RackStoreCursor *cursor, gboolean links, RackStoreHitFunc func,
      gpointer data, GError **error)
{
  sqlite3_stmt *statement = reading->statement;
  guint found = 0;
  int result;
  while ((result = sqlite3_step (statement)) == SQLITE_ROW)
    {
      RackStoreHit hit = hit_of (statement);
      if (links)
        {
          hit.subject = text_at (statement, 3);
          hit.message_id = text_at (statement, 4);
          hit.in_reply_to = text_at (statement, 5);
          hit.thread_id = text_at (statement, 6);
        }
      else
        hit.name = text_at (statement, 3);
      *cursor = (RackStoreCursor){ hit.date, hit.row, hit.uid };
      func (&hit, data);
      found++;
    }
  end (reading, result, error);
  return found;
}

guint
rack_store_find_dates (RackStore *store, gint64 first, gint64 last, RackStoreCursor *cursor,
                       guint n, RackStoreHitFunc func, gpointer data, GError **error)
{
  Reading reading;
  if (!need_indices (store, error) || !begin (&reading, store, RACK_SQL_FIND_DATES, error))
    return 0;
  bind_cursor (reading.statement, cursor, n);
  sqlite3_bind_int64 (reading.statement, 5, first);
  sqlite3_bind_int64 (reading.statement, 6, last);
  return give (&reading, cursor, FALSE, func, data, error);
}

guint
rack_store_find_sender (RackStore *store, const char *sender, RackStoreCursor *cursor, guint n,
                        RackStoreHitFunc func, gpointer data, GError **error)
{
  Reading reading;
  if (!need_indices (store, error) || !begin (&reading, store, RACK_SQL_FIND_SENDER, error))
    return 0;
  bind_cursor (reading.statement, cursor, n);
  sqlite3_bind_text (reading.statement, 5, sender, -1, SQLITE_STATIC);
  return give (&reading, cursor, FALSE, func, data, error);
}

guint
rack_store_find_flags (RackStore *store, RackFlags mask, RackFlags wanted, const char *keyword,
                       RackStoreCursor *cursor, guint n, RackStoreHitFunc func, gpointer data,
                       GError **error)
{
  Reading reading;
  if (!begin (&reading, store, RACK_SQL_FIND_FLAGS, error))
    return 0;
  bind_cursor (reading.statement, cursor, n);
  sqlite3_bind_int64 (reading.statement, 5, mask);
  sqlite3_bind_int64 (reading.statement, 6, wanted);
  if (keyword != NULL)
    sqlite3_bind_text (reading.statement, 7, keyword, -1, SQLITE_STATIC);
  return give (&reading, cursor, FALSE, func, data, error);
}

guint
rack_store_find_links (RackStore *store, RackStoreCursor *cursor, guint n, RackStoreHitFunc func,
                       gpointer data, GError **error)
{
  Reading reading;
  if (!begin (&reading, store, RACK_SQL_FIND_LINKS, error))
    return 0;
  bind_cursor (reading.statement, cursor, n);
  return give (&reading, cursor, TRUE, func, data, error);
}

gboolean
rack_store_find_uid (RackStore *store, guint32 uid, RackStoreHitFunc func, gpointer data,
                     GError **error)
{
  Reading reading;
  int result;
  if (!begin (&reading, store, RACK_SQL_FIND_UID, error))
    return FALSE;
  sqlite3_bind_int64 (reading.statement, 1, uid);
  while ((result = sqlite3_step (reading.statement)) == SQLITE_ROW)
    {
      RackStoreHit hit = hit_of (reading.statement);
      hit.name = text_at (reading.statement, 3);
      hit.flags = (RackFlags) sqlite3_column_int64 (reading.statement, 4);
      hit.keywords = text_at (reading.statement, 5);
      hit.sender = text_at (reading.statement, 6);
      func (&hit, data);
    }
  return end (&reading, result, error);
}

/* ---- What there is to find by ---------------------------------------------------------------- */

gint64
rack_store_next_date (RackStore *store, gint64 date, GError **error)
{
  Reading reading;
  gint64 next = -1;
  if (!need_indices (store, error) || !begin (&reading, store, RACK_SQL_NEXT_DATE, error))
    return -1;
  sqlite3_bind_int64 (reading.statement, 1, date);
  int result = sqlite3_step (reading.statement);
  if (result == SQLITE_ROW)
    next = sqlite3_column_int64 (reading.statement, 0);
  return end (&reading, result, error) ? next : -1;
}

char *
rack_store_next_sender (RackStore *store, const char *sender, GError **error)
{
  Reading reading;
  char *next = NULL;
  if (!need_indices (store, error) || !begin (&reading, store, RACK_SQL_NEXT_SENDER, error))
    return NULL;
  sqlite3_bind_text (reading.statement, 1, sender, -1, SQLITE_STATIC);
  int result = sqlite3_step (reading.statement);
  if (result == SQLITE_ROW)
    next = g_strdup (text_at (reading.statement, 0));
  end (&reading, result, error);
  return next;
}

gboolean
rack_store_each_keyword (RackStore *store, GHashTable *keywords, GError **error)
{
  Reading reading;
  int result;
  if (!begin (&reading, store, RACK_SQL_KEYWORD_SETS, error))
    return FALSE;
  while ((result = sqlite3_step (reading.statement)) == SQLITE_ROW)
    {
      g_auto (GStrv) words = g_strsplit (text_at (reading.statement, 0), " ", -1);
      for (guint i = 0; words[i] != NULL; i++)
        if (words[i][0] != '\0')
          g_hash_table_add (keywords, g_strdup (words[i]));
    }
  return end (&reading, result, error);
}
