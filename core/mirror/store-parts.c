/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-parts.c - what messages are made of, in the store
 *
 * Octets that only parts-kept.c understands. They go when their message does.
 */
#include "store-private.h"

GBytes *
rack_store_parts (RackStore *store, guint32 row, guint32 uid)
{
  GBytes *facts = NULL;
  RackStoreConn *conn = rack_store_read_begin (store, NULL);
  if (conn == NULL)
    return NULL;
  sqlite3_stmt *parts = rack_store_prepare (store, conn, RACK_SQL_PARTS, NULL);
  if (parts != NULL)
    {
      sqlite3_bind_int64 (parts, 1, row);
      sqlite3_bind_int64 (parts, 2, uid);
      int result = sqlite3_step (parts);
      if (result == SQLITE_ROW)
        {
          const void *octets = sqlite3_column_blob (parts, 0);
          facts = g_bytes_new (octets, (gsize) sqlite3_column_bytes (parts, 0));
        }
      else if (result != SQLITE_DONE)
        rack_store_fail_on (store, conn, NULL);
      sqlite3_reset (parts);
    }
  rack_store_read_end (store, conn);
  return facts;
}

gboolean
rack_store_keep_parts (RackStore *store, guint32 row, guint32 uid, GBytes *facts, GError **error)
{
  gsize size;
  const void *octets = g_bytes_get_data (facts, &size);
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      sqlite3_stmt *keep = rack_store_prepare (store, conn, RACK_SQL_KEEP_PARTS, error);
      ok = keep != NULL;
      if (ok)
        {
          sqlite3_bind_int64 (keep, 1, row);
          sqlite3_bind_int64 (keep, 2, uid);
          sqlite3_bind_blob64 (keep, 3, octets, size, SQLITE_STATIC);
          ok = rack_store_run (store, conn, keep, error);
        }
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}
