/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-bodies.c - which octets the file of bodies holds
 *
 * Rows only; nobody here opens that file. A row is written when its octets are durable, and goes
 * before they do.
 */
#include "store-private.h"

/* The section is borrowed from the statement. */
static void
read_row (sqlite3_stmt *statement, RackStoreBody *body)
{
  *body = (RackStoreBody){
    .row = (guint32) sqlite3_column_int64 (statement, 0),
    .uid = (guint32) sqlite3_column_int64 (statement, 1),
    .section = (char *) sqlite3_column_text (statement, 2),
    .offset = (guint64) sqlite3_column_int64 (statement, 3),
    .size = (guint64) sqlite3_column_int64 (statement, 4),
    .crc = (guint32) sqlite3_column_int64 (statement, 5),
    .used = sqlite3_column_int64 (statement, 6),
  };
}

static void
bind_key (sqlite3_stmt *statement, guint32 row, guint32 uid, const char *section)
{
  sqlite3_bind_int64 (statement, 1, row);
  sqlite3_bind_int64 (statement, 2, uid);
  sqlite3_bind_text (statement, 3, section, -1, SQLITE_STATIC);
}

gboolean
rack_store_find_body (RackStore *store, guint32 row, guint32 uid, const char *section,
                      RackStoreBody *body)
{
  gboolean found = FALSE;
  RackStoreConn *conn = rack_store_read_begin (store, NULL);
  if (conn == NULL)
    return FALSE;
  sqlite3_stmt *find = rack_store_prepare (store, conn, RACK_SQL_FIND_BODY, NULL);
  if (find != NULL)
    {
      bind_key (find, row, uid, section);
      found = sqlite3_step (find) == SQLITE_ROW;
      if (found)
        {
          read_row (find, body);
          body->section = g_strdup (body->section);
        }
      sqlite3_reset (find);
    }
  rack_store_read_end (store, conn);
  return found;
}

void
rack_store_kept_uids (RackStore *store, guint32 row, guint32 first, guint32 last, RackSet *uids)
{
  RackStoreConn *conn = rack_store_read_begin (store, NULL);
  if (conn == NULL)
    return;
  sqlite3_stmt *select = rack_store_prepare (store, conn, RACK_SQL_KEPT_UIDS, NULL);
  if (select != NULL)
    {
      sqlite3_bind_int64 (select, 1, row);
      sqlite3_bind_int64 (select, 2, first);
      sqlite3_bind_int64 (select, 3, last);
      while (sqlite3_step (select) == SQLITE_ROW)
        {
          guint32 uid = (guint32) sqlite3_column_int64 (select, 0);
          rack_set_add (uids, uid, uid);
        }
      sqlite3_reset (select);
    }
  rack_store_read_end (store, conn);
}

/* ---- Changes --------------------------------------------------------------------------- */

static void
bind_body (sqlite3_stmt *statement, RackSql sql, const RackStoreBody *body)
{
  bind_key (statement, body->row, body->uid, body->section);
  sqlite3_bind_int64 (statement, 4, sql == RACK_SQL_USE_BODY ? body->used : (gint64) body->offset);
  if (sql != RACK_SQL_ADD_BODY)
    return;
  sqlite3_bind_int64 (statement, 5, (gint64) body->size);
  sqlite3_bind_int64 (statement, 6, body->crc);
  sqlite3_bind_int64 (statement, 7, body->used);
}

static gboolean
change_all (RackStore *store, RackSql sql, const RackStoreBody *bodies, guint n, GError **error)
{
  if (n == 0)
    return TRUE;
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      sqlite3_stmt *change = rack_store_prepare (store, conn, sql, error);
      ok = change != NULL;
      for (guint i = 0; ok && i < n; i++)
        {
          bind_body (change, sql, &bodies[i]);
          ok = rack_store_run (store, conn, change, error);
        }
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}

gboolean
rack_store_add_bodies (RackStore *store, const RackStoreBody *bodies, guint n, GError **error)
{
  return change_all (store, RACK_SQL_ADD_BODY, bodies, n, error);
}

gboolean
rack_store_use_bodies (RackStore *store, const RackStoreBody *bodies, guint n, GError **error)
{
  return change_all (store, RACK_SQL_USE_BODY, bodies, n, error);
}

gboolean
rack_store_remove_bodies (RackStore *store, const RackStoreBody *bodies, guint n, GError **error)
{
  return change_all (store, RACK_SQL_REMOVE_BODY, bodies, n, error);
}

/* ---- Many ------------------------------------------------------------------------------- */

static gboolean
each (RackStore *store, RackSql sql, guint limit, RackStoreBodyFunc func, gpointer data,
      GError **error)
{
  RackStoreConn *conn = rack_store_read_begin (store, error);
  if (conn == NULL)
    return FALSE;
  sqlite3_stmt *select = rack_store_prepare (store, conn, sql, error);
  int result = SQLITE_ERROR;
  if (select != NULL)
    {
      if (limit > 0)
        sqlite3_bind_int64 (select, 1, limit);
      while ((result = sqlite3_step (select)) == SQLITE_ROW)
        {
          RackStoreBody body;
          read_row (select, &body);
          func (&body, data);
        }
      if (result != SQLITE_DONE)
        rack_store_fail_on (store, conn, error);
      sqlite3_reset (select);
    }
  rack_store_read_end (store, conn);
  return result == SQLITE_DONE;
}

gboolean
rack_store_each_body (RackStore *store, RackStoreBodyFunc func, gpointer data, GError **error)
{
  return each (store, RACK_SQL_BODIES, 0, func, data, error);
}

static void
clear_body (gpointer data)
{
  g_free (((RackStoreBody *) data)->section);
}

static void
add_copy (const RackStoreBody *body, gpointer data)
{
  RackStoreBody copy = *body;
  copy.section = g_strdup (body->section);
  g_array_append_val ((GArray *) data, copy);
}

static GArray *
collect (RackStore *store, RackSql sql, guint n)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (RackStoreBody));
  g_array_set_clear_func (found, clear_body);
  each (store, sql, n, add_copy, found, NULL);
  return found;
}

GArray *
rack_store_oldest_bodies (RackStore *store, guint n)
{
  return collect (store, RACK_SQL_OLDEST_BODIES, n);
}

GArray *
rack_store_orphaned_bodies (RackStore *store, guint n)
{
  return collect (store, RACK_SQL_ORPHANS, n);
}
