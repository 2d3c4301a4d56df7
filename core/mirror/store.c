/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store.c - opening and closing the database of a mirror
 */
#include "store-private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
path_of (const char *directory, const char *name)
{
  return g_build_filename (directory, name, NULL);
}

/* ---- Opening ---------------------------------------------------------------------------- */

char *
rack_store_place (RackAccount *account, const char *parent)
{
  g_autofree char *identity = rack_account_identity (account);
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, identity, -1);
  g_autofree char *usual = g_build_filename (g_get_user_cache_dir (), "mailrack", NULL);
  digest[32] = '\0';
  return g_build_filename (parent != NULL ? parent : usual, digest, NULL);
}

gboolean
rack_store_make_directory (const char *directory, const char *what, GError **error)
{
  struct stat facts;
  if (g_mkdir_with_parents (directory, 0700) == 0 && lstat (directory, &facts) == 0)
    {
      if (S_ISDIR (facts.st_mode) && facts.st_uid == geteuid ()
          && ((facts.st_mode & 077) == 0 || chmod (directory, 0700) == 0))
        return TRUE;
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s is not a directory of yours alone; %s",
                   directory, what);
    }
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "cannot make the directory %s: %s", directory,
                 g_strerror (errno));
  return FALSE;
}

static gboolean
is_intact (sqlite3 *db)
{
  sqlite3_stmt *statement = NULL;
  gboolean intact =
      sqlite3_prepare_v2 (db, "PRAGMA integrity_check(1)", -1, &statement, NULL) == SQLITE_OK
      && sqlite3_step (statement) == SQLITE_ROW
      && g_strcmp0 ((const char *) sqlite3_column_text (statement, 0), "ok") == 0;
  sqlite3_finalize (statement);
  return intact;
}

/* The writer's connection, with our schema. *damaged: it failed because the file is no good. */
static gboolean
connect_writer (RackStore *store, gboolean *damaged, GError **error)
{
  RackStoreConn *conn = &store->writer;
  g_autofree char *suspect = path_of (store->directory, RACK_STORE_SUSPECT);
  g_autofree char *path = path_of (store->directory, RACK_STORE_DATABASE);
  *damaged = FALSE;
  if (!rack_store_make_file (store, error)
      || !rack_store_connect (path, conn, 8192, damaged, error))
    return FALSE;
  if (g_file_test (suspect, G_FILE_TEST_EXISTS) && !is_intact (conn->db))
    {
      *damaged = TRUE;
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "the cache in %s is damaged",
                   store->directory);
    }
  else if (sqlite3_exec (conn->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK)
    {
      *damaged = rack_store_is_damage (sqlite3_errcode (conn->db));
      rack_store_fail (conn->db, error);
    }
  else if (rack_store_migrate (conn->db, RACK_STORE_VERSION, error))
    {
      g_unlink (suspect);
      return TRUE;
    }
  else
    *damaged = rack_store_is_damage (sqlite3_errcode (conn->db));
  rack_store_disconnect (conn);
  return FALSE;
}

static void
set_aside (const char *directory)
{
  static const char *const leftovers[] = { RACK_STORE_DATABASE "-wal", RACK_STORE_DATABASE "-shm",
                                           RACK_STORE_SUSPECT };
  g_autofree char *from = path_of (directory, RACK_STORE_DATABASE);
  g_autofree char *to = path_of (directory, RACK_STORE_DAMAGED);
  g_rename (from, to);
  for (guint i = 0; i < G_N_ELEMENTS (leftovers); i++)
    {
      g_autofree char *path = path_of (directory, leftovers[i]);
      g_unlink (path);
    }
}

static gboolean
connect_or_rebuild (RackStore *store, char **notice, GError **error)
{
  g_autoptr (GError) problem = NULL;
  gboolean damaged;
  if (connect_writer (store, &damaged, &problem))
    return TRUE;
  if (damaged)
    {
      set_aside (store->directory);
      g_clear_error (&problem);
      if (connect_writer (store, &damaged, &problem))
        {
          *notice = g_strdup_printf ("the cache in %s was damaged; it was set aside as %s and is "
                                     "built again",
                                     store->directory, RACK_STORE_DAMAGED);
          return TRUE;
        }
    }
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static RackStore *
store_new (const char *directory, int lock)
{
  RackStore *store = g_new0 (RackStore, 1);
  store->directory = g_strdup (directory);
  store->lock = lock;
  pthread_mutex_init (&store->writing, NULL);
  pthread_mutex_init (&store->mutex, NULL);
  pthread_cond_init (&store->cond, NULL);
  store->readers = g_ptr_array_new ();
  store->sizes = g_array_new (FALSE, FALSE, sizeof (RackStoreSize));
  return store;
}

RackStore *
rack_store_open_memory (const char *directory, const char *holder, const GError *why,
                        GError **error)
{
  RackStore *store = store_new (directory, rack_store_take_lock (directory, holder, 0, NULL));
  if (rack_store_begin_in_memory (store, why, error))
    return store;
  rack_store_close (store);
  return NULL;
}

RackStore *
rack_store_open (const char *directory, const char *holder, gint64 patience, char **notice,
                 GError **error)
{
  if (!rack_store_make_directory (directory, "the cache is not put there", error))
    return NULL;
  int lock = rack_store_take_lock (directory, holder, patience, error);
  if (lock < 0)
    return NULL;
  RackStore *store = store_new (directory, lock);
  *notice = NULL;
  if (connect_or_rebuild (store, notice, error))
    return store;
  rack_store_close (store);
  return NULL;
}

void
rack_store_close (RackStore *store)
{
  if (store == NULL)
    return;
  if (store->writer.db != NULL)
    {
      rack_store_flush (store, NULL);
      rack_store_return (store, TRUE);
    }
  for (guint i = 0; i < store->readers->len; i++)
    rack_store_connection_free (store->readers->pdata[i]);
  rack_store_disconnect (&store->writer);
  if (store->lock >= 0)
    close (store->lock);
  g_ptr_array_unref (store->readers);
  g_array_unref (store->sizes);
  pthread_cond_destroy (&store->cond);
  pthread_mutex_destroy (&store->mutex);
  pthread_mutex_destroy (&store->writing);
  g_free (store->memory);
  g_free (store->trouble);
  g_clear_error (&store->failure);
  g_free (store->directory);
  g_free (store);
}

void
rack_store_shrink (RackStore *store)
{
  pthread_mutex_lock (&store->writing);
  sqlite3_db_release_memory (store->writer.db);
  pthread_mutex_unlock (&store->writing);
}

const char *
rack_store_directory (RackStore *store)
{
  return store->directory;
}

gboolean
rack_store_exists (const char *directory)
{
  g_autofree char *path = path_of (directory, RACK_STORE_DATABASE);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* ---- Numbers ------------------------------------------------------------------------------ */

gint64
rack_store_get (RackStore *store, const char *key, gint64 fallback)
{
  gint64 value = fallback;
  RackStoreConn *conn = rack_store_read_begin (store, NULL);
  sqlite3_stmt *get = conn != NULL ? rack_store_prepare (store, conn, RACK_SQL_GET, NULL) : NULL;
  if (get != NULL)
    {
      sqlite3_bind_text (get, 1, key, -1, SQLITE_STATIC);
      if (sqlite3_step (get) == SQLITE_ROW)
        value = sqlite3_column_int64 (get, 0);
      sqlite3_reset (get);
    }
  if (conn != NULL)
    rack_store_read_end (store, conn);
  return value;
}

gboolean
rack_store_set (RackStore *store, const char *key, gint64 value, GError **error)
{
  gboolean ok = FALSE;
  RackStoreConn *conn = rack_store_begin (store, error);
  while (conn != NULL)
    {
      sqlite3_stmt *set = rack_store_prepare (store, conn, RACK_SQL_SET, error);
      ok = set != NULL;
      if (ok)
        {
          sqlite3_bind_text (set, 1, key, -1, SQLITE_STATIC);
          sqlite3_bind_int64 (set, 2, value);
          ok = rack_store_run (store, conn, set, error);
        }
      conn = rack_store_end (store, &ok, error);
    }
  return ok;
}
