/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-refuge.c - a store whose disk fails goes on in memory
 *
 * When a change cannot be written because the disk is full or fails, the database is copied to
 * memory and the change is made there, so that whoever made it need not know. The one on the disk
 * stays as it was, which is how a later process finds it unless the disk is good again before:
 * now and then, and at the end, all that is in memory is written back in one transaction.
 *
 * SQLite's memdb is shared by the connections of this process and gone with the last of them.
 */
#include "store-private.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than that is not copied to memory, octets. */
#define OCTETS_MAX  (G_GINT64_CONSTANT (1) << 30)
/* Between attempts to return, microseconds: twice as long each time. */
#define PAUSE_FIRST (5 * G_USEC_PER_SEC)
#define PAUSE_MAX   (600 * G_USEC_PER_SEC)

gboolean
rack_store_is_disk_failure (int code)
{
  switch (code & 0xff)
    {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return TRUE;
    default:
      return FALSE;
    }
}

/* The idle readers' connections are to what was left. */
static void
change_place (RackStore *store, RackStoreConn *writer, char *memory, const char *trouble)
{
  RackStoreConn before = store->writer;
  store->writer = *writer;
  pthread_mutex_lock (&store->mutex);
  g_autoptr (GPtrArray) idle = store->readers;
  store->readers = g_ptr_array_new ();
  store->n_readers -= idle->len;
  store->epoch++;
  g_free (store->memory);
  store->memory = memory;
  g_free (store->trouble);
  store->trouble = g_strdup (trouble);
  pthread_cond_broadcast (&store->cond);
  pthread_mutex_unlock (&store->mutex);
  for (guint i = 0; i < idle->len; i++)
    rack_store_connection_free (idle->pdata[i]);
  rack_store_disconnect (&before);
}

static gint64
number_of (sqlite3 *db, const char *pragma)
{
  sqlite3_stmt *statement = NULL;
  gint64 number = -1;
  if (sqlite3_prepare_v2 (db, pragma, -1, &statement, NULL) == SQLITE_OK
      && sqlite3_step (statement) == SQLITE_ROW)
    number = sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  return number;
}

static gboolean
is_small_enough (sqlite3 *db)
{
  gint64 pages = number_of (db, "PRAGMA page_count"), size = number_of (db, "PRAGMA page_size");
  return pages >= 0 && size > 0 && pages <= OCTETS_MAX / size;
}

static char *
new_name (void)
{
  static gint number;
  return g_strdup_printf ("file:/mailrack-%d-%d?vfs=memdb", (int) getpid (),
                          g_atomic_int_add (&number, 1));
}

gboolean
rack_store_flee (RackStore *store)
{
  RackStoreConn fresh = { 0 };
  if (!store->may_flee || store->failure == NULL || store->memory != NULL
      || !is_small_enough (store->writer.db))
    return FALSE;
  g_autofree char *name = new_name ();
  g_autofree char *copy = g_strdup_printf ("VACUUM INTO '%s'", name);
  if (!rack_store_connect (name, &fresh, 8192, NULL, NULL))
    return FALSE;
  if (sqlite3_exec (store->writer.db, copy, NULL, NULL, NULL) != SQLITE_OK)
    {
      rack_store_disconnect (&fresh);
      return FALSE;
    }
  change_place (store, &fresh, g_steal_pointer (&name), store->failure->message);
  store->pause = PAUSE_FIRST;
  store->return_at = g_get_monotonic_time () + store->pause;
  return TRUE;
}

static gboolean
has_octets (const char *path)
{
  struct stat facts;
  return stat (path, &facts) == 0 && facts.st_size > 0;
}

/* Copies what is on the disk without writing there: a log that is there is read (we are alone, so
 * its index is in memory); where none can be made there is nothing in it. */
static gboolean
read_disk (RackStore *store)
{
  static const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
  g_autofree char *path = g_build_filename (store->directory, RACK_STORE_DATABASE, NULL);
  g_autofree char *escaped = g_uri_escape_string (path, "/", FALSE);
  g_autofree char *log = g_strconcat (path, "-wal", NULL);
  g_autofree char *uri =
      g_strdup_printf ("file:%s%s", escaped, has_octets (log) ? "" : "?immutable=1");
  g_autofree char *copy = g_strdup_printf ("VACUUM INTO '%s'", store->memory);
  sqlite3 *disk = NULL;
  gboolean ok =
      sqlite3_open_v2 (uri, &disk, flags, NULL) == SQLITE_OK
      && sqlite3_exec (disk, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK
      && is_small_enough (disk) && sqlite3_exec (disk, copy, NULL, NULL, NULL) == SQLITE_OK;
  sqlite3_close (disk);
  return ok;
}

/* There is no database yet, or one that nothing was ever written to. */
static gboolean
is_empty (RackStore *store)
{
  g_autofree char *path = g_build_filename (store->directory, RACK_STORE_DATABASE, NULL);
  return !has_octets (path) && (access (path, F_OK) == 0 || errno == ENOENT);
}

gboolean
rack_store_begin_in_memory (RackStore *store, const GError *why, GError **error)
{
  store->memory = new_name ();
  store->trouble = g_strdup (why->message);
  store->pause = PAUSE_FIRST;
  store->return_at = g_get_monotonic_time () + store->pause;
  if (!rack_store_connect (store->memory, &store->writer, 8192, NULL, error))
    return FALSE;
  /* What cannot be read is not written over either. */
  if (store->lock >= 0 && !is_empty (store) && !read_disk (store))
    {
      close (store->lock);
      store->lock = -1;
    }
  return rack_store_migrate (store->writer.db, RACK_STORE_VERSION, error);
}

static gboolean
write_back (sqlite3 *from, sqlite3 *to)
{
  if (sqlite3_exec (to, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK)
    return FALSE;
  sqlite3_backup *backup = sqlite3_backup_init (to, "main", from, "main");
  if (backup == NULL)
    return FALSE;
  gboolean done = sqlite3_backup_step (backup, -1) == SQLITE_DONE;
  return sqlite3_backup_finish (backup) == SQLITE_OK && done;
}

void
rack_store_return (RackStore *store, gboolean now)
{
  RackStoreConn disk = { 0 };
  if (store->memory == NULL || store->lock < 0
      || (!now && g_get_monotonic_time () < store->return_at))
    return;
  g_autofree char *path = g_build_filename (store->directory, RACK_STORE_DATABASE, NULL);
  gboolean ok = (g_file_test (path, G_FILE_TEST_EXISTS) || rack_store_make_file (store, NULL))
                && rack_store_connect (path, &disk, 8192, NULL, NULL);
  if (ok && write_back (store->writer.db, disk.db))
    {
      change_place (store, &disk, NULL, NULL);
      return;
    }
  if (ok)
    rack_store_disconnect (&disk);
  store->pause = MIN (store->pause * 2, PAUSE_MAX);
  store->return_at = g_get_monotonic_time () + store->pause;
}

void
rack_store_allow_memory (RackStore *store)
{
  store->may_flee = TRUE;
}

char *
rack_store_trouble (RackStore *store)
{
  pthread_mutex_lock (&store->mutex);
  char *trouble = g_strdup (store->trouble);
  pthread_mutex_unlock (&store->mutex);
  return trouble;
}

gboolean
rack_store_is_kept (RackStore *store)
{
  return store->lock >= 0;
}
