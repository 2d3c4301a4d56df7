/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-check.c - whether a store is right, how large it is, and its end
 *
 * What is wrong is dropped, because the server has it still; a mailbox that lost
 * something by that is not complete any more and is looked at when it is opened next.
 */
#include "store-private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each drops what no mailrack would have written. Those that take messages from a box come with one
 * that notes it. */
static const char *const repairs[] = {
  /* A folder below one that is not there (or below itself) can never be reached. */
  "DELETE FROM folders WHERE id <= 0 OR id > 2147483647 OR id NOT IN (WITH RECURSIVE tree (id, "
  "depth)"
  " AS (SELECT id, 1 FROM folders WHERE parent = 0 UNION ALL SELECT f.id, depth + 1 FROM folders f"
  " JOIN tree ON f.parent = tree.id WHERE depth < 100) SELECT id FROM tree)",
  "DELETE FROM boxes WHERE folder NOT IN (SELECT id FROM folders) OR row <= 0 OR row > 2147483647"
  " OR uid_validity <= 0 OR uid_validity > 4294967295",
  "DELETE FROM messages WHERE row NOT IN (SELECT row FROM boxes)",
  "UPDATE boxes SET complete = 0 WHERE complete AND EXISTS (SELECT 1 FROM messages m"
  " WHERE m.row = boxes.row AND (m.uid <= 0 OR m.uid > 4294967295 OR m.size < 0"
  " OR typeof (m.size) <> 'integer' OR typeof (m.flags) <> 'integer'"
  " OR typeof (m.date) <> 'integer'))",
  "DELETE FROM messages WHERE uid <= 0 OR uid > 4294967295 OR size < 0"
  " OR typeof (size) <> 'integer' OR typeof (flags) <> 'integer' OR typeof (date) <> 'integer'",
  "DELETE FROM details WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.row = details.row"
  " AND m.uid = details.uid)",
  "DELETE FROM parts WHERE typeof (facts) <> 'blob' OR NOT EXISTS (SELECT 1 FROM messages m"
  " WHERE m.row = parts.row AND m.uid = parts.uid)",
  "UPDATE boxes SET complete = 0, named = 0 WHERE named AND EXISTS (SELECT 1 FROM messages m"
  " LEFT JOIN details d ON d.row = m.row AND d.uid = m.uid WHERE m.row = boxes.row"
  " AND d.name IS NULL)",
};

static gboolean
is_intact (RackStore *store, RackStoreConn *conn, GError **error)
{
  sqlite3_stmt *statement = NULL;
  gboolean intact = FALSE;
  if (sqlite3_prepare_v2 (conn->db, "PRAGMA integrity_check(1)", -1, &statement, NULL) != SQLITE_OK
      || sqlite3_step (statement) != SQLITE_ROW)
    rack_store_fail_on (store, conn, error);
  else
    {
      const char *verdict = (const char *) sqlite3_column_text (statement, 0);
      intact = g_strcmp0 (verdict, "ok") == 0;
      if (!intact)
        rack_store_suspect (store);
      if (!intact)
        g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "the cache in %s is damaged: %s",
                     store->directory, verdict != NULL ? verdict : "no verdict");
    }
  sqlite3_finalize (statement);
  return intact;
}

gboolean
rack_store_check (RackStore *store, guint64 *dropped, GError **error)
{
  /* What was begun by a transaction is seen by nobody else, so this is done alone. */
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      ok = is_intact (store, conn, error);
      *dropped = 0;
      for (guint i = 0; ok && i < G_N_ELEMENTS (repairs); i++)
        {
          ok = sqlite3_exec (conn->db, repairs[i], NULL, NULL, NULL) == SQLITE_OK;
          if (ok)
            *dropped += (guint64) sqlite3_changes64 (conn->db);
          else
            rack_store_fail_on (store, conn, error);
        }
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}

/* ---- How much ------------------------------------------------------------------------- */

/* What a file takes on the disk: the bodies' one has holes. */
static guint64
octets_of (const char *directory, const char *name)
{
  struct stat facts;
  g_autofree char *path = g_build_filename (directory, name, NULL);
  return stat (path, &facts) == 0 ? (guint64) facts.st_blocks * 512 : 0;
}

static guint64
count (sqlite3 *db, const char *table)
{
  sqlite3_stmt *statement = NULL;
  guint64 n = 0;
  g_autofree char *sql = g_strdup_printf ("SELECT count (*) FROM %s", table);
  if (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) == SQLITE_OK
      && sqlite3_step (statement) == SQLITE_ROW)
    n = (guint64) sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  return n;
}

/* A store of an older version does not say. */
static void
find_loads (sqlite3 *db, RackCacheFacts *facts)
{
  static const char sql[] =
      "SELECT f.mailbox, b.expected, (SELECT count (*) FROM messages m WHERE m.row = b.row)"
      " FROM boxes b JOIN folders f ON f.id = b.folder AND f.gone = 0"
      " WHERE NOT b.complete AND b.expected > 0 ORDER BY f.mailbox";
  sqlite3_stmt *statement = NULL;
  g_autoptr (GArray) loads = g_array_new (FALSE, FALSE, sizeof (RackCacheLoad));
  if (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) == SQLITE_OK)
    while (sqlite3_step (statement) == SQLITE_ROW)
      {
        RackCacheLoad load = {
          .mailbox = g_strdup ((const char *) sqlite3_column_text (statement, 0)),
          .expected = (guint64) sqlite3_column_int64 (statement, 1),
          .messages = (guint64) sqlite3_column_int64 (statement, 2),
        };
        g_array_append_val (loads, load);
      }
  sqlite3_finalize (statement);
  facts->n_loads = loads->len;
  facts->loads = (RackCacheLoad *) g_array_steal (loads, NULL);
}

gboolean
rack_store_measure (const char *directory, RackCacheFacts *facts, GError **error)
{
  g_autofree char *path = g_build_filename (directory, RACK_STORE_DATABASE, NULL);
  sqlite3 *db = NULL;
  *facts = (RackCacheFacts){ .directory = g_strdup (directory) };
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  facts->holder = rack_store_holder (directory);
  facts->index_octets = octets_of (directory, RACK_STORE_DATABASE)
                        + octets_of (directory, RACK_STORE_DATABASE "-wal");
  facts->body_octets = octets_of (directory, RACK_STORE_BODIES);
  gboolean ok =
      sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK
      && sqlite3_busy_timeout (db, 10000) == SQLITE_OK && rack_store_version (db, error) >= 0;
  if (ok)
    {
      facts->mailboxes = count (db, "boxes");
      facts->messages = count (db, "messages");
      facts->bodies = count (db, "bodies");
      find_loads (db, facts);
    }
  else if (error != NULL && *error == NULL)
    rack_store_fail (db, error);
  sqlite3_close (db);
  if (!ok)
    rack_cache_facts_clear (facts);
  return ok;
}

/* The name of a child is its parent's, the separator, and more. */
static char
separator_behind (const char *parent, const char *name)
{
  gsize size = parent != NULL ? strlen (parent) : 0;
  return size > 0 && strncmp (parent, name, size) == 0 ? name[size] : '\0';
}

static void
read_names (sqlite3 *db, GPtrArray *list)
{
  static const char sql[] =
      "SELECT f.mailbox, f.flags, p.mailbox FROM folders f LEFT JOIN folders p"
      " ON p.id = f.parent WHERE f.gone = 0 AND f.mailbox != ''"
      " ORDER BY f.mailbox";
  sqlite3_stmt *statement = NULL;
  char separator = '\0';
  if (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) == SQLITE_OK)
    while (sqlite3_step (statement) == SQLITE_ROW)
      {
        RackMailboxInfo *info = g_new0 (RackMailboxInfo, 1);
        info->name = g_strdup ((const char *) sqlite3_column_text (statement, 0));
        info->flags = (RackListFlags) sqlite3_column_int64 (statement, 1);
        info->separator =
            separator_behind ((const char *) sqlite3_column_text (statement, 2), info->name);
        if (info->separator != '\0')
          separator = info->separator;
        g_ptr_array_add (list, info);
      }
  sqlite3_finalize (statement);
  /* An account has one, as good as always; those at the top do not show it. */
  for (guint i = 0; i < list->len; i++)
    {
      RackMailboxInfo *info = g_ptr_array_index (list, i);
      if (info->separator == '\0')
        info->separator = separator;
    }
}

GPtrArray *
rack_store_list (const char *directory)
{
  g_autofree char *path = g_build_filename (directory, RACK_STORE_DATABASE, NULL);
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) rack_mailbox_info_free);
  sqlite3 *db = NULL;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return list;
  if (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK
      && sqlite3_busy_timeout (db, 200) == SQLITE_OK && rack_store_version (db, NULL) >= 0)
    read_names (db, list);
  sqlite3_close (db);
  return list;
}

/* ---- The end ----------------------------------------------------------------------------- */

gboolean
rack_store_clear (const char *directory, GError **error)
{
  /* The database first: bodies that nothing points to are nobody's. The lock's file stays, because
   * somebody may be waiting to take it. */
  static const char *const files[] = { RACK_STORE_DATABASE,        RACK_STORE_DATABASE "-wal",
                                       RACK_STORE_DATABASE "-shm", RACK_STORE_BODIES,
                                       RACK_STORE_SUSPECT,         RACK_STORE_DAMAGED };
  if (!g_file_test (directory, G_FILE_TEST_IS_DIR))
    return TRUE;
  int lock = rack_store_take_lock (directory, "mailrack cache clear", RACK_STORE_PATIENCE, error);
  if (lock < 0)
    return FALSE;
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (directory, files[i], NULL);
      ok = g_unlink (path) == 0 || errno == ENOENT;
      if (!ok)
        g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "cannot remove %s: %s", path,
                     g_strerror (errno));
    }
  close (lock);
  return ok;
}
