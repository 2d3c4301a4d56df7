/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-folders.c - the tree in the store, and what is known of each mailbox
 */
#include "store-private.h"

/* Never NULL. */
static const char *
text_at (sqlite3_stmt *statement, int column)
{
  const char *text = (const char *) sqlite3_column_text (statement, column);
  return text != NULL ? text : "";
}

static void
give_folder (sqlite3_stmt *statement, gpointer func, gpointer data)
{
  RackStoreFolder folder = {
    .id = (guint32) sqlite3_column_int64 (statement, 0),
    .parent = (guint32) sqlite3_column_int64 (statement, 1),
    .mailbox = text_at (statement, 2),
    .directory = text_at (statement, 3),
    .flags = (RackListFlags) sqlite3_column_int64 (statement, 4),
    .selectable = sqlite3_column_int (statement, 5) != 0,
    .gone = sqlite3_column_int64 (statement, 6),
  };
  ((RackStoreFolderFunc) func) (&folder, data);
}

static void
give_box (sqlite3_stmt *statement, gpointer func, gpointer data)
{
  RackStoreBox box = {
    .row = (guint32) sqlite3_column_int64 (statement, 0),
    .folder = (guint32) sqlite3_column_int64 (statement, 1),
    .uid_validity = (guint32) sqlite3_column_int64 (statement, 2),
    .uid_next = (guint32) sqlite3_column_int64 (statement, 3),
    .modseq = (guint64) sqlite3_column_int64 (statement, 4),
    .complete = sqlite3_column_int (statement, 5) != 0,
    .named = sqlite3_column_int (statement, 6) != 0,
    .changed = sqlite3_column_int64 (statement, 7),
    .flags_changed = sqlite3_column_int64 (statement, 8),
    .expected = (guint32) sqlite3_column_int64 (statement, 9),
  };
  ((RackStoreBoxFunc) func) (&box, data);
}

static gboolean
each (RackStore *store, RackSql sql, void (*give) (sqlite3_stmt *, gpointer, gpointer),
      gpointer func, gpointer data, GError **error)
{
  RackStoreConn *conn = rack_store_read_begin (store, error);
  if (conn == NULL)
    return FALSE;
  sqlite3_stmt *statement = rack_store_prepare (store, conn, sql, error);
  int result = SQLITE_ERROR;
  if (statement != NULL)
    {
      while ((result = sqlite3_step (statement)) == SQLITE_ROW)
        give (statement, func, data);
      if (result != SQLITE_DONE)
        rack_store_fail_on (store, conn, error);
      sqlite3_reset (statement);
    }
  rack_store_read_end (store, conn);
  return result == SQLITE_DONE;
}

gboolean
rack_store_each_folder (RackStore *store, RackStoreFolderFunc func, gpointer data, GError **error)
{
  return each (store, RACK_SQL_FOLDERS, give_folder, (gpointer) func, data, error);
}

gboolean
rack_store_each_box (RackStore *store, RackStoreBoxFunc func, gpointer data, GError **error)
{
  return each (store, RACK_SQL_BOXES, give_box, (gpointer) func, data, error);
}

/* ---- Folders -------------------------------------------------------------------------- */

gboolean
rack_store_put_folders (RackStore *store, const RackStoreFolder *folders, guint n, GError **error)
{
  if (n == 0)
    return TRUE;
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      sqlite3_stmt *put = rack_store_prepare (store, conn, RACK_SQL_PUT_FOLDER, error);
      ok = put != NULL;
      for (guint i = 0; ok && i < n; i++)
        {
          sqlite3_bind_int64 (put, 1, folders[i].id);
          sqlite3_bind_int64 (put, 2, folders[i].parent);
          sqlite3_bind_text (put, 3, folders[i].mailbox, -1, SQLITE_STATIC);
          sqlite3_bind_text (put, 4, folders[i].directory, -1, SQLITE_STATIC);
          sqlite3_bind_int64 (put, 5, folders[i].flags);
          sqlite3_bind_int (put, 6, folders[i].selectable != FALSE);
          sqlite3_bind_int64 (put, 7, folders[i].gone);
          ok = rack_store_run (store, conn, put, error);
        }
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}

gboolean
rack_store_forget_gone (RackStore *store, gint64 before, GError **error)
{
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      sqlite3_stmt *forget = rack_store_prepare (store, conn, RACK_SQL_FORGET_FOLDERS, error);
      ok = forget != NULL;
      if (ok)
        {
          sqlite3_bind_int64 (forget, 1, before);
          ok = rack_store_run (store, conn, forget, error);
        }
      if (ok && sqlite3_changes (conn->db) > 0)
        {
          static const char sweep[] =
              "DELETE FROM boxes WHERE folder NOT IN (SELECT id FROM folders);"
              "DELETE FROM messages WHERE row NOT IN (SELECT row FROM boxes);"
              "DELETE FROM details WHERE row NOT IN (SELECT row FROM boxes);"
              "DELETE FROM parts WHERE row NOT IN (SELECT row FROM boxes);";
          ok = sqlite3_exec (conn->db, sweep, NULL, NULL, NULL) == SQLITE_OK;
          if (!ok)
            rack_store_fail_on (store, conn, error);
        }
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}

/* ---- Boxes ------------------------------------------------------------------------------ */

static void
bind_box (sqlite3_stmt *statement, const RackStoreBox *box)
{
  sqlite3_bind_int64 (statement, 1, box->row);
  sqlite3_bind_int64 (statement, 2, box->folder);
  sqlite3_bind_int64 (statement, 3, box->uid_validity);
  sqlite3_bind_int64 (statement, 4, box->uid_next);
  sqlite3_bind_int64 (statement, 5, (gint64) box->modseq);
  sqlite3_bind_int (statement, 6, box->complete != FALSE);
  sqlite3_bind_int (statement, 7, box->named != FALSE);
  sqlite3_bind_int64 (statement, 8, box->changed);
  sqlite3_bind_int64 (statement, 9, box->flags_changed);
  sqlite3_bind_int64 (statement, 10, box->expected);
}

/* All messages of a row. */
static gboolean
remove_messages (RackStore *store, RackStoreConn *conn, guint32 row, GError **error)
{
  static const RackSql all[] = { RACK_SQL_REMOVE_MESSAGES, RACK_SQL_REMOVE_DETAILS,
                                 RACK_SQL_REMOVE_PARTS };
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < G_N_ELEMENTS (all); i++)
    {
      sqlite3_stmt *remove = rack_store_prepare (store, conn, all[i], error);
      ok = remove != NULL;
      if (!ok)
        break;
      sqlite3_bind_int64 (remove, 1, row);
      sqlite3_bind_int64 (remove, 2, 0);
      sqlite3_bind_int64 (remove, 3, G_MAXUINT32);
      ok = rack_store_run (store, conn, remove, error);
    }
  return ok;
}

gboolean
rack_store_add_box (RackStore *store, const RackStoreBox *box, GError **error)
{
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      sqlite3_stmt *add = rack_store_prepare (store, conn, RACK_SQL_ADD_BOX, error);
      ok = add != NULL;
      if (ok)
        {
          bind_box (add, box);
          /* Messages of a row that nobody knew any more are not this one's. */
          ok = rack_store_run (store, conn, add, error)
               && remove_messages (store, conn, box->row, error);
        }
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}

gboolean
rack_store_note_box (RackStore *store, const RackStoreBox *box, GError **error)
{
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      sqlite3_stmt *note = rack_store_prepare (store, conn, RACK_SQL_NOTE_BOX, error);
      ok = note != NULL;
      if (ok)
        {
          bind_box (note, box);
          ok = rack_store_run (store, conn, note, error);
        }
      if (ok && sqlite3_changes (conn->db) == 0)
        {
          g_set_error_literal (error, RACK_ERROR, RACK_ERROR_STALE,
                               "the mailbox was dropped from the cache meanwhile");
          ok = FALSE;
        }
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}

gboolean
rack_store_drop_box (RackStore *store, guint32 row, GError **error)
{
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      sqlite3_stmt *drop = rack_store_prepare (store, conn, RACK_SQL_DROP_BOX, error);
      ok = drop != NULL;
      if (ok)
        {
          sqlite3_bind_int64 (drop, 1, row);
          ok = rack_store_run (store, conn, drop, error)
               && remove_messages (store, conn, row, error);
        }
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}
