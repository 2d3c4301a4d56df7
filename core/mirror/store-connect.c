/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-connect.c - connections to the database of a mirror, and how they are shared
 *
 * One connection changes things and a few read. Where the database is, on the disk or in memory,
 * is store-refuge.c's; here it is asked each time.
 */
#include "store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Readers are few: a read is a matter of microseconds, and each has a page cache. */
#define READERS_MAX  8
#define BUSY_TIMEOUT 10000 /* milliseconds, for a checkpoint by somebody who only reads */

/* ---- Errors ------------------------------------------------------------------------ */

gboolean
rack_store_is_damage (int code)
{
  return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

gboolean
rack_store_fail (sqlite3 *db, GError **error)
{
  int code = db != NULL ? sqlite3_errcode (db) : SQLITE_NOMEM;
  const char *file = db != NULL ? sqlite3_db_filename (db, "main") : NULL;
  int cause = db != NULL ? sqlite3_system_errno (db) : 0;
  if (file == NULL || *file == '\0')
    file = "the cache";
  if (rack_store_is_damage (code))
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO,
                 "%s: the cache is damaged (%s); it is looked through when it is opened next, and "
                 "mailrack cache check does so now",
                 file, sqlite3_errmsg (db));
  else if ((code & 0xff) == SQLITE_FULL)
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO,
                 "%s: the disk that has the cache is full; nothing new can be kept", file);
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO,
                 "%s: the cache cannot be read or written: %s%s%s%s", file,
                 db != NULL ? sqlite3_errmsg (db) : "out of memory", cause != 0 ? " (" : "",
                 cause != 0 ? g_strerror (cause) : "", cause != 0 ? ")" : "");
  return FALSE;
}

void
rack_store_suspect (RackStore *store)
{
  g_autofree char *path = g_build_filename (store->directory, RACK_STORE_SUSPECT, NULL);
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
  if (rack_store_is_damage (sqlite3_errcode (conn->db)))
    rack_store_suspect (store);
  if (conn == &store->writer && rack_store_is_disk_failure (sqlite3_errcode (conn->db)))
    {
      g_clear_error (&store->failure);
      rack_store_fail (conn->db, &store->failure);
    }
  return rack_store_fail (conn->db, error);
}

/* ---- Connections ---------------------------------------------------------------------- */

void
rack_store_disconnect (RackStoreConn *conn)
{
  for (guint i = 0; i < RACK_SQL_N; i++)
    sqlite3_finalize (conn->statements[i]);
  sqlite3_close (conn->db);
  memset (conn, 0, sizeof *conn);
}

void
rack_store_connection_free (RackStoreConn *conn)
{
  rack_store_disconnect (conn);
  g_free (conn);
}

gboolean
rack_store_make_file (RackStore *store, GError **error)
{
  g_autofree char *path = g_build_filename (store->directory, RACK_STORE_DATABASE, NULL);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0)
    {
      close (fd);
      return TRUE;
    }
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "cannot open %s: %s", path, g_strerror (errno));
  return FALSE;
}

gboolean
rack_store_connect (const char *name, RackStoreConn *conn, guint kibibytes, gboolean *damaged,
                    GError **error)
{
  static const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
  gboolean memory = g_str_has_prefix (name, "file:");
  g_autofree char *pragmas =
      g_strdup_printf ("PRAGMA cache_size = -%u; PRAGMA synchronous = NORMAL;"
                       "PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY;"
                       "PRAGMA trusted_schema = OFF;",
                       kibibytes);
  if (sqlite3_open_v2 (name, &conn->db, flags | (memory ? SQLITE_OPEN_CREATE : 0), NULL)
          == SQLITE_OK
      && sqlite3_busy_timeout (conn->db, BUSY_TIMEOUT) == SQLITE_OK
      && sqlite3_exec (conn->db, pragmas, NULL, NULL, NULL) == SQLITE_OK)
    return TRUE;
  if (damaged != NULL)
    *damaged = rack_store_is_damage (sqlite3_errcode (conn->db));
  rack_store_fail (conn->db, error);
  rack_store_disconnect (conn);
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

static gboolean
begin_once (RackStore *store, GError **error)
{
  RackStoreConn *conn = &store->writer;
  g_clear_error (&store->failure);
  if (!run_plain (store, conn, RACK_SQL_BEGIN, error))
    return FALSE;
  if (rack_store_write_sizes (store, conn, error))
    return TRUE;
  if (!sqlite3_get_autocommit (conn->db))
    sqlite3_exec (conn->db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

RackStoreConn *
rack_store_begin (RackStore *store, GError **error)
{
  g_autoptr (GError) problem = NULL;
  pthread_mutex_lock (&store->writing);
  rack_store_return (store, FALSE);
  if (begin_once (store, &problem))
    return &store->writer;
  if (rack_store_flee (store))
    {
      g_clear_error (&problem);
      if (begin_once (store, &problem))
        return &store->writer;
    }
  pthread_mutex_unlock (&store->writing);
  g_propagate_error (error, g_steal_pointer (&problem));
  return NULL;
}

RackStoreConn *
rack_store_end (RackStore *store, gboolean *ok, GError **error)
{
  RackStoreConn *conn = &store->writer;
  if (*ok)
    *ok = run_plain (store, conn, RACK_SQL_COMMIT, error);
  /* Some failures end the transaction by themselves. */
  if (!*ok && !sqlite3_get_autocommit (conn->db))
    sqlite3_exec (conn->db, "ROLLBACK", NULL, NULL, NULL);
  if (!*ok && rack_store_flee (store) && begin_once (store, NULL))
    {
      g_clear_error (error);
      return conn;
    }
  pthread_mutex_unlock (&store->writing);
  return NULL;
}

static RackStoreConn *
new_reader (const char *name, guint epoch, GError **error)
{
  RackStoreConn *conn = g_new0 (RackStoreConn, 1);
  if (rack_store_connect (name, conn, 1024, NULL, error))
    {
      conn->epoch = epoch;
      return conn;
    }
  g_free (conn);
  return NULL;
}

/* One that is free, or another one. */
static RackStoreConn *
take_reader (RackStore *store, GError **error)
{
  RackStoreConn *conn = NULL;
  g_autofree char *name = NULL;
  pthread_mutex_lock (&store->mutex);
  while (store->readers->len == 0 && store->n_readers == READERS_MAX)
    pthread_cond_wait (&store->cond, &store->mutex);
  if (store->readers->len > 0)
    conn = g_ptr_array_steal_index_fast (store->readers, store->readers->len - 1);
  else
    {
      store->n_readers++;
      name = store->memory != NULL ? g_strdup (store->memory)
                                   : g_build_filename (store->directory, RACK_STORE_DATABASE, NULL);
    }
  guint epoch = store->epoch;
  pthread_mutex_unlock (&store->mutex);
  if (conn != NULL || (conn = new_reader (name, epoch, error)) != NULL)
    return conn;
  pthread_mutex_lock (&store->mutex);
  store->n_readers--;
  pthread_cond_signal (&store->cond);
  pthread_mutex_unlock (&store->mutex);
  return NULL;
}

RackStoreConn *
rack_store_read_begin (RackStore *store, GError **error)
{
  g_autoptr (GError) problem = NULL;
  RackStoreConn *conn = take_reader (store, &problem);
  if (conn != NULL)
    return conn;
  /* A disk that cannot be opened once more may still be read by who has it open. */
  pthread_mutex_lock (&store->writing);
  g_clear_error (&store->failure);
  store->failure = g_error_copy (problem);
  gboolean fled = store->memory != NULL || rack_store_flee (store);
  pthread_mutex_unlock (&store->writing);
  if (fled)
    return take_reader (store, error);
  g_propagate_error (error, g_steal_pointer (&problem));
  return NULL;
}

void
rack_store_read_end (RackStore *store, RackStoreConn *conn)
{
  pthread_mutex_lock (&store->mutex);
  gboolean current = conn->epoch == store->epoch;
  if (current)
    g_ptr_array_add (store->readers, conn);
  else
    store->n_readers--;
  pthread_cond_signal (&store->cond);
  pthread_mutex_unlock (&store->mutex);
  if (!current)
    rack_store_connection_free (conn);
}
