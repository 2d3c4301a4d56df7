/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-private.h - the insides of the store, for store*.c
 *
 * A connection prepares each of the statements below when it is first used. Those that
 * change something are for the writer's connection, between rack_store_begin() and
 * rack_store_end().
 */
#pragma once

#include "store.h"

#include <pthread.h>
#include <sqlite3.h>

G_BEGIN_DECLS

#define RACK_STORE_DATABASE "index.db"
#define RACK_STORE_LOCK     "lock"
#define RACK_STORE_BODIES   "bodies"
/* Its presence means that something read looked damaged. */
#define RACK_STORE_SUSPECT  "index.db.suspect"
#define RACK_STORE_DAMAGED  "index.db.damaged"
/* Of the program. A database has it as PRAGMA user_version. */
#define RACK_STORE_VERSION  5

typedef enum
{
  RACK_SQL_BEGIN,
  RACK_SQL_COMMIT,
  RACK_SQL_GET,
  RACK_SQL_SET,
  RACK_SQL_FOLDERS,
  RACK_SQL_PUT_FOLDER,
  RACK_SQL_FORGET_FOLDERS,
  RACK_SQL_BOXES,
  RACK_SQL_BOX_EXISTS,
  RACK_SQL_ADD_BOX,
  RACK_SQL_NOTE_BOX,
  RACK_SQL_DROP_BOX,
  RACK_SQL_ADD_MESSAGE,
  RACK_SQL_ADD_DETAILS,
  RACK_SQL_SET_FLAGS,
  RACK_SQL_SET_SIZE,
  RACK_SQL_REMOVE_MESSAGES,
  RACK_SQL_REMOVE_DETAILS,
  RACK_SQL_REMOVE_PARTS,
  RACK_SQL_PARTS,
  RACK_SQL_KEEP_PARTS,
  RACK_SQL_LOAD,
  RACK_SQL_NAMES,
  RACK_SQL_KEYWORDS,
  RACK_SQL_DETAILS,
  RACK_SQL_FIND_BODY,
  RACK_SQL_KEPT_UIDS,
  RACK_SQL_ADD_BODY,
  RACK_SQL_USE_BODY,
  RACK_SQL_REMOVE_BODY,
  RACK_SQL_BODIES,
  RACK_SQL_OLDEST_BODIES,
  RACK_SQL_ORPHANS,
  RACK_SQL_INDEX_DATES,
  RACK_SQL_INDEX_SENDERS,
  RACK_SQL_FIND_DATES,
  RACK_SQL_FIND_SENDER,
  RACK_SQL_FIND_FLAGS,
  RACK_SQL_FIND_LINKS,
  RACK_SQL_FIND_UID,
  RACK_SQL_NEXT_DATE,
  RACK_SQL_NEXT_SENDER,
  RACK_SQL_KEYWORD_SETS,
  RACK_SQL_N,
} RackSql;

typedef struct
{
  sqlite3 *db;
  sqlite3_stmt *statements[RACK_SQL_N];
  guint epoch; /* of a reader: the store's when it was made */
} RackStoreConn;

typedef struct
{
  guint32 row, uid;
  guint64 size;
} RackStoreSize;

struct RackStore
{
  char *directory;
  int lock; /* descriptor; -1: nothing of this is ever on the disk */

  pthread_mutex_t writing; /* held from begin to end; guards writer */
  RackStoreConn writer;
  gboolean may_flee;
  GError *failure;         /* why the disk failed what the writer does now, or NULL */
  gint64 return_at, pause; /* monotonic; microseconds: see store-refuge.c */

  pthread_mutex_t mutex; /* guards what follows; the last lock of all */
  pthread_cond_t cond;   /* a reader is free */
  GPtrArray *readers;    /* of RackStoreConn: those that are free */
  guint n_readers;
  guint epoch;   /* grows when the database's place changes */
  char *memory;  /* the place in memory, or NULL: it is on the disk; also under writing */
  char *trouble; /* why it is not on the disk */
  GArray *sizes; /* of RackStoreSize: to be written */
  gboolean suspect;
  gboolean indexed; /* the indices that only searches need are there */
};

/* ---- store-schema.c ---- */
const char *rack_store_sql (RackSql sql);
/* Brings a database up to version. FALSE: RACK_ERROR_UNSUPPORTED or what the disk said. */
gboolean rack_store_migrate (sqlite3 *db, int version, GError **error);
int rack_store_version (sqlite3 *db, GError **error); /* -1 with error set */

/* ---- store-lock.c ---- */
/* patience: milliseconds to wait for one who has it. Returns: a descriptor, or -1 with
 * RACK_ERROR_BUSY or RACK_ERROR_IO. */
int rack_store_take_lock (const char *directory, const char *holder, gint64 patience,
                          GError **error);

/* ---- store-connect.c ---- */
/* Whether a code of SQLite's says that the file is no good. */
gboolean rack_store_is_damage (int code);
/* Sets error to what db's last call failed with. Returns: FALSE. */
gboolean rack_store_fail (sqlite3 *db, GError **error);
/* The same for one of store's connections: a damaged database is noted for the next time. */
gboolean rack_store_fail_on (RackStore *store, const RackStoreConn *conn, GError **error);
/* Has the next one who opens it look through all of it. */
void rack_store_suspect (RackStore *store);
/* Every change is a loop, because it is made once more where the disk fails it:
 *
 *   gboolean ok = FALSE;
 *   RackStoreConn *conn = rack_store_begin (store, error);
 *   while (conn != NULL)
 *     {
 *       ok = ...;
 *       conn = rack_store_end (store, &ok, error);
 *     }
 *   return ok;
 *
 * The latter commits if *ok, else takes everything back; it is NULL at the end, and *ok then says
 * whether all was committed. Else what was done is undone, and to be done again. */
RackStoreConn *rack_store_begin (RackStore *store, GError **error);
RackStoreConn *rack_store_end (RackStore *store, gboolean *ok, GError **error);
/* Made by us, so that nobody else may read it whatever the umask is. Never while this process has a
 * connection to it: closing any descriptor of a file gives up all the locks on it (fcntl(2)), and
 * then another process that looks at the database takes its journal away when it has done. */
gboolean rack_store_make_file (RackStore *store, GError **error);
/* name: a path, or the URI of one in memory. kibibytes: of page cache. *damaged (may be NULL): it
 * failed because the file is no good. */
gboolean rack_store_connect (const char *name, RackStoreConn *conn, guint kibibytes,
                             gboolean *damaged, GError **error);
void rack_store_disconnect (RackStoreConn *conn);
void rack_store_connection_free (RackStoreConn *conn);
RackStoreConn *rack_store_read_begin (RackStore *store, GError **error);
void rack_store_read_end (RackStore *store, RackStoreConn *conn);
/* A statement without bindings, ready to be stepped; NULL with error set. */
sqlite3_stmt *rack_store_prepare (RackStore *store, RackStoreConn *conn, RackSql sql,
                                  GError **error);
/* Steps to the end and resets. */
gboolean rack_store_run (RackStore *store, RackStoreConn *conn, sqlite3_stmt *statement,
                         GError **error);

/* ---- store-refuge.c; with writing held, outside of a transaction ---- */
gboolean rack_store_is_disk_failure (int code);
/* If the disk failed the writer, the database goes on in memory. FALSE: it did not, or that cannot
 * be, or is so already. */
gboolean rack_store_flee (RackStore *store);
/* Back to the disk, if that is good and it is time for another attempt, or now. */
void rack_store_return (RackStore *store, gboolean now);
/* A new store's database is in memory; what the disk has is copied there if it can be read. */
gboolean rack_store_begin_in_memory (RackStore *store, const GError *why, GError **error);

/* ---- store-messages.c ---- */
gboolean rack_store_write_sizes (RackStore *store, RackStoreConn *conn, GError **error);

G_END_DECLS
