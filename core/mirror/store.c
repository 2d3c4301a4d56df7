/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store.c - opening, closing and sharing the database of a mirror
 */
#include "store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Readers are few: a read is a matter of microseconds, and each has a page cache. */
#define READERS_MAX  8
#define BUSY_TIMEOUT 10000 /* milliseconds, for a checkpoint by somebody who only reads */

/* ---- Errors ------------------------------------------------------------------------ */

static gboolean
is_damage (int code)
{
  return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

gboolean
rack_store_fail (sqlite3 *db, GError **error)
{
  int code = db != NULL ? sqlite3_errcode (db) : SQLITE_NOMEM;
  if (is_damage (code))
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO,
                 "the cache is damaged (%s); it is looked through when it is opened next, and "
                 "mailrack cache check does so now",
                 sqlite3_errmsg (db));
  else if ((code & 0xff) == SQLITE_FULL)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_IO,
                         "the disk that has the cache is full; nothing new can be kept");
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "the cache cannot be read or written: %s",
                 db != NULL ? sqlite3_errmsg (db) : "out of memory");
  return FALSE;
}

static char *
path_of (const char *directory, const char *name)
{
  return g_build_filename (directory, name, NULL);
}

void
rack_store_suspect (RackStore *store)
{
  g_autofree char *path = path_of (store->directory, RACK_STORE_SUSPECT);
  pthread_mutex_lock (&store->mutex);
  int fd = store->suspect ? -1 : open (path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  store->suspect = TRUE;
  pthread_mutex_unlock (&store->mutex);
  if (fd >= 0)
    close (fd);
}

gboolean
rack_store_is_suspect (RackStore *store)
{
  pthread_mutex_lock (&store->mutex);
  gboolean suspect = store->suspect;
  pthread_mutex_unlock (&store->mutex);
  return suspect;
}

gboolean
rack_store_fail_on (RackStore *store, const RackStoreConn *conn, GError **error)
{
  if (is_damage (sqlite3_errcode (conn->db)))
    rack_store_suspect (store);
  return rack_store_fail (conn->db, error);
}

/* ---- Connections ---------------------------------------------------------------------- */

static void
disconnect (RackStoreConn *conn)
{
  for (guint i = 0; i < RACK_SQL_N; i++)
    sqlite3_finalize (conn->statements[i]);
  sqlite3_close (conn->db);
  memset (conn, 0, sizeof *conn);
}

/* Made by us, so that nobody else may read it whatever the umask is. Never while this process has a
 * connection to it: closing any descriptor of a file gives up all the locks on it (fcntl(2)), and
 * then another process that looks at the database takes its journal away when it has done. */
static gboolean
make_file (const char *directory, GError **error)
{
  g_autofree char *path = path_of (directory, RACK_STORE_DATABASE);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0)
    {
      close (fd);
      return TRUE;
    }
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "cannot open %s: %s", path, g_strerror (errno));
  return FALSE;
}

/* kibibytes: of page cache. *damaged (may be NULL): it failed because the file is no good. */
static gboolean
open_database (const char *directory, RackStoreConn *conn, guint kibibytes, gboolean *damaged,
               GError **error)
{
  g_autofree char *path = path_of (directory, RACK_STORE_DATABASE);
  g_autofree char *pragmas =
      g_strdup_printf ("PRAGMA cache_size = -%u; PRAGMA synchronous = NORMAL;"
                       "PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY;"
                       "PRAGMA trusted_schema = OFF;",
                       kibibytes);
  if (sqlite3_open_v2 (path, &conn->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)
          == SQLITE_OK
      && sqlite3_busy_timeout (conn->db, BUSY_TIMEOUT) == SQLITE_OK
      && sqlite3_exec (conn->db, pragmas, NULL, NULL, NULL) == SQLITE_OK)
    return TRUE;
  if (damaged != NULL)
    *damaged = is_damage (sqlite3_errcode (conn->db));
  rack_store_fail (conn->db, error);
  disconnect (conn);
  return FALSE;
}

sqlite3_stmt *
rack_store_prepare (RackStore *store, RackStoreConn *conn, RackSql sql, GError **error)
{
  sqlite3_stmt **statement = &conn->statements[sql];
  if (*statement != NULL)
    {
      sqlite3_clear_bindings (*statement);
      return *statement;
    }
  if (sqlite3_prepare_v3 (conn->db, rack_store_sql (sql), -1, SQLITE_PREPARE_PERSISTENT, statement,
                          NULL)
      == SQLITE_OK)
    return *statement;
  rack_store_fail_on (store, conn, error);
  return NULL;
}

gboolean
rack_store_run (RackStore *store, RackStoreConn *conn, sqlite3_stmt *statement, GError **error)
{
  int result;
  do
    result = sqlite3_step (statement);
  while (result == SQLITE_ROW);
  if (result != SQLITE_DONE)
    rack_store_fail_on (store, conn, error);
  sqlite3_reset (statement);
  return result == SQLITE_DONE;
}

static gboolean
run_plain (RackStore *store, RackStoreConn *conn, RackSql sql, GError **error)
{
  sqlite3_stmt *statement = rack_store_prepare (store, conn, sql, error);
  return statement != NULL && rack_store_run (store, conn, statement, error);
}

RackStoreConn *
rack_store_begin (RackStore *store, GError **error)
{
  RackStoreConn *conn = &store->writer;
  pthread_mutex_lock (&store->writing);
  if (run_plain (store, conn, RACK_SQL_BEGIN, error))
    {
      if (rack_store_write_sizes (store, conn, error))
        return conn;
      run_plain (store, conn, RACK_SQL_ROLLBACK, NULL);
    }
  pthread_mutex_unlock (&store->writing);
  return NULL;
}

gboolean
rack_store_end (RackStore *store, gboolean ok, GError **error)
{
  RackStoreConn *conn = &store->writer;
  ok = ok && run_plain (store, conn, RACK_SQL_COMMIT, error);
  /* Some failures end the transaction by themselves. */
  if (!ok && !sqlite3_get_autocommit (conn->db))
    run_plain (store, conn, RACK_SQL_ROLLBACK, NULL);
  pthread_mutex_unlock (&store->writing);
  return ok;
}

RackStoreConn *
rack_store_read_begin (RackStore *store, GError **error)
{
  RackStoreConn *conn = NULL;
  gboolean connect = FALSE;
  pthread_mutex_lock (&store->mutex);
  while (store->readers->len == 0 && store->n_readers == READERS_MAX)
    pthread_cond_wait (&store->cond, &store->mutex);
  if (store->readers->len > 0)
    conn = g_ptr_array_steal_index_fast (store->readers, store->readers->len - 1);
  else
    {
      store->n_readers++;
      connect = TRUE;
    }
  pthread_mutex_unlock (&store->mutex);
  if (!connect)
    return conn;
  conn = g_new0 (RackStoreConn, 1);
  if (open_database (store->directory, conn, 1024, NULL, error))
    return conn;
  g_free (conn);
  pthread_mutex_lock (&store->mutex);
  store->n_readers--;
  pthread_cond_signal (&store->cond);
  pthread_mutex_unlock (&store->mutex);
  return NULL;
}

void
rack_store_read_end (RackStore *store, RackStoreConn *conn)
{
  pthread_mutex_lock (&store->mutex);
  g_ptr_array_add (store->readers, conn);
  pthread_cond_signal (&store->cond);
  pthread_mutex_unlock (&store->mutex);
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

static gboolean
make_directory (const char *directory, GError **error)
{
  struct stat facts;
  if (g_mkdir_with_parents (directory, 0700) == 0 && lstat (directory, &facts) == 0)
    {
      if (S_ISDIR (facts.st_mode) && facts.st_uid == geteuid ()
          && ((facts.st_mode & 077) == 0 || chmod (directory, 0700) == 0))
        return TRUE;
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO,
                   "%s is not a directory of yours alone; the cache is not put there", directory);
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
  *damaged = FALSE;
  if (!make_file (store->directory, error)
      || !open_database (store->directory, conn, 8192, damaged, error))
    return FALSE;
  if (g_file_test (suspect, G_FILE_TEST_EXISTS) && !is_intact (conn->db))
    {
      *damaged = TRUE;
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "the cache in %s is damaged",
                   store->directory);
    }
  else if (sqlite3_exec (conn->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK)
    {
      *damaged = is_damage (sqlite3_errcode (conn->db));
      rack_store_fail (conn->db, error);
    }
  else if (rack_store_migrate (conn->db, RACK_STORE_VERSION, error))
    {
      g_unlink (suspect);
      return TRUE;
    }
  else
    *damaged = is_damage (sqlite3_errcode (conn->db));
  disconnect (conn);
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

RackStore *
rack_store_open (const char *directory, const char *holder, gint64 patience, char **notice,
                 GError **error)
{
  if (!make_directory (directory, error))
    return NULL;
  int lock = rack_store_take_lock (directory, holder, patience, error);
  if (lock < 0)
    return NULL;
  RackStore *store = g_new0 (RackStore, 1);
  store->directory = g_strdup (directory);
  store->lock = lock;
  pthread_mutex_init (&store->writing, NULL);
  pthread_mutex_init (&store->mutex, NULL);
  pthread_cond_init (&store->cond, NULL);
  store->readers = g_ptr_array_new ();
  store->sizes = g_array_new (FALSE, FALSE, sizeof (RackStoreSize));
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
    rack_store_flush (store, NULL);
  for (guint i = 0; i < store->readers->len; i++)
    {
      disconnect (store->readers->pdata[i]);
      g_free (store->readers->pdata[i]);
    }
  disconnect (&store->writer);
  close (store->lock);
  g_ptr_array_unref (store->readers);
  g_array_unref (store->sizes);
  pthread_cond_destroy (&store->cond);
  pthread_mutex_destroy (&store->mutex);
  pthread_mutex_destroy (&store->writing);
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
  RackStoreConn *conn = rack_store_begin (store, error);
  if (conn == NULL)
    return FALSE;
  sqlite3_stmt *set = rack_store_prepare (store, conn, RACK_SQL_SET, error);
  gboolean ok = set != NULL;
  if (ok)
    {
      sqlite3_bind_text (set, 1, key, -1, SQLITE_STATIC);
      sqlite3_bind_int64 (set, 2, value);
      ok = rack_store_run (store, conn, set, error);
    }
  return rack_store_end (store, ok, error);
}
