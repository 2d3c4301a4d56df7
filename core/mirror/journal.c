/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * journal.c - the database of what the server has not confirmed, and where its files are
 */
#include "journal-private.h"

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE "journal.db"
#define SPOOL    "files"
/* Not the name of the cache's: the two may share a directory. */
#define LOCK     "journal.lock"
#define VERSION  3

/* A step may not throw away what is here: it is nowhere else. */
static const char *const steps[] = {
  "CREATE TABLE changes (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, step INTEGER NOT NULL,"
  " mailbox TEXT NOT NULL, uid_validity INTEGER NOT NULL, uid INTEGER NOT NULL,"
  " target TEXT NOT NULL, name TEXT NOT NULL, add_flags INTEGER NOT NULL,"
  " remove_flags INTEGER NOT NULL, add_keywords TEXT NOT NULL, remove_keywords TEXT NOT NULL,"
  " size INTEGER NOT NULL, date INTEGER NOT NULL, flags INTEGER NOT NULL,"
  " mark_validity INTEGER NOT NULL, mark_next INTEGER NOT NULL, problem TEXT,"
  " tries INTEGER NOT NULL);"
  "CREATE TABLE locals (id INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL,"
  " mailbox TEXT NOT NULL, space INTEGER NOT NULL, parent INTEGER NOT NULL, name TEXT NOT NULL,"
  " directory INTEGER NOT NULL, mode INTEGER NOT NULL, mtime INTEGER NOT NULL,"
  " ticket INTEGER NOT NULL, flags INTEGER NOT NULL, keywords TEXT NOT NULL,"
  " replaces INTEGER NOT NULL, mark_validity INTEGER NOT NULL, mark_next INTEGER NOT NULL,"
  " problem TEXT, tries INTEGER NOT NULL);"
  "CREATE TABLE names (mailbox TEXT NOT NULL, uid_validity INTEGER NOT NULL,"
  " uid INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (mailbox, uid_validity, uid))"
  " WITHOUT ROWID;"
  "CREATE TABLE octets (id INTEGER PRIMARY KEY, data BLOB NOT NULL);",
  "CREATE TABLE bases (mailbox TEXT NOT NULL, uid_validity INTEGER NOT NULL,"
  " uid INTEGER NOT NULL, name TEXT NOT NULL, space INTEGER NOT NULL,"
  " PRIMARY KEY (mailbox, uid_validity, uid)) WITHOUT ROWID;"
  "ALTER TABLE changes ADD COLUMN base TEXT NOT NULL DEFAULT '';"
  "ALTER TABLE changes ADD COLUMN base_space INTEGER NOT NULL DEFAULT 0;",
  "ALTER TABLE locals ADD COLUMN replaces_validity INTEGER NOT NULL DEFAULT 0;",
};

G_STATIC_ASSERT (G_N_ELEMENTS (steps) == VERSION);

static const char *const texts[SQL_N] = {
  [SQL_BEGIN] = "BEGIN IMMEDIATE",
  [SQL_COMMIT] = "COMMIT",
  [SQL_ROLLBACK] = "ROLLBACK",
  [SQL_LAZY] = "PRAGMA synchronous = NORMAL",
  [SQL_STRICT] = "PRAGMA synchronous = FULL",
  [SQL_CHANGES] = "SELECT id, kind, step, mailbox, uid_validity, uid, target, name, add_flags,"
                  " remove_flags, add_keywords, remove_keywords, size, date, flags,"
                  " mark_validity, mark_next, problem, tries, base, base_space FROM changes"
                  " ORDER BY id",
  [SQL_LOCALS] = "SELECT id, state, mailbox, space, parent, name, directory, mode, mtime, ticket,"
                 " flags, keywords, replaces, mark_validity, mark_next, problem, tries,"
                 " replaces_validity FROM locals ORDER BY id",
  [SQL_NAMES] = "SELECT mailbox, uid_validity, uid, name FROM names",
  [SQL_PUT_CHANGE] = "INSERT OR REPLACE INTO changes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
                     " ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
  [SQL_REMOVE_CHANGE] = "DELETE FROM changes WHERE id = ?1",
  [SQL_PUT_LOCAL] = "INSERT OR REPLACE INTO locals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
                    " ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
  [SQL_REMOVE_LOCAL] = "DELETE FROM locals WHERE id = ?1",
  [SQL_OCTETS] = "SELECT id, data FROM octets",
  [SQL_PUT_OCTETS] = "INSERT OR REPLACE INTO octets VALUES (?1, ?2)",
  [SQL_REMOVE_OCTETS] = "DELETE FROM octets WHERE id = ?1",
  [SQL_PUT_NAME] = "INSERT OR REPLACE INTO names VALUES (?1, ?2, ?3, ?4)",
  [SQL_BASES] = "SELECT mailbox, uid_validity, uid, name, space FROM bases",
  [SQL_PUT_BASE] = "INSERT OR REPLACE INTO bases VALUES (?1, ?2, ?3, ?4, ?5)",
  [SQL_REMOVE_BASE] = "DELETE FROM bases WHERE mailbox = ?1 AND uid_validity = ?2 AND uid = ?3",
  [SQL_RENAME_LOCALS] = "UPDATE locals SET mailbox = ?2 WHERE mailbox = ?1",
  [SQL_RENAME_NAMES] = "UPDATE OR REPLACE names SET mailbox = ?2 WHERE mailbox = ?1",
  [SQL_RENAME_BASES] = "UPDATE OR REPLACE bases SET mailbox = ?2 WHERE mailbox = ?1",
  [SQL_REMOVE_NAME] = "DELETE FROM names WHERE mailbox = ?1 AND uid_validity = ?2 AND uid = ?3",
};

static gboolean
fail (RackJournal *journal, GError **error)
{
  int code = sqlite3_errcode (journal->db);
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "the journal in %s cannot be read or written: %s",
               journal->directory,
               (code & 0xff) == SQLITE_FULL ? "the disk is full" : sqlite3_errmsg (journal->db));
  return FALSE;
}

/* ---- Opening ---------------------------------------------------------------------------- */

static gboolean
take_lock (RackJournal *journal, GError **error)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  g_autofree char *path = g_build_filename (journal->directory, LOCK, NULL);
  journal->lock = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (journal->lock >= 0 && fcntl (journal->lock, F_OFD_SETLK, &lock) == 0)
    return TRUE;
  gboolean busy = journal->lock >= 0 && (errno == EAGAIN || errno == EACCES);
  g_set_error (error, RACK_ERROR, busy ? RACK_ERROR_BUSY : RACK_ERROR_IO, "%s: %s", path,
               busy ? "another program has this account's journal" : g_strerror (errno));
  return FALSE;
}

/* -1: it cannot be read. */
static int
version_of (RackJournal *journal)
{
  sqlite3_stmt *statement = NULL;
  int version = -1;
  if (sqlite3_prepare_v2 (journal->db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK
      && sqlite3_step (statement) == SQLITE_ROW)
    version = sqlite3_column_int (statement, 0);
  sqlite3_finalize (statement);
  return version;
}

static gboolean
migrate (RackJournal *journal, GError **error)
{
  int version = version_of (journal);
  if (version < 0)
    return fail (journal, error);
  if (version > VERSION)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                   "the journal in %s was made by a newer mailrack: use that one",
                   journal->directory);
      return FALSE;
    }
  for (; version < VERSION; version++)
    {
      g_autofree char *sql = g_strdup_printf (
          "BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT;", steps[version], version + 1);
      if (sqlite3_exec (journal->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fail (journal, error);
    }
  return TRUE;
}

static gboolean
open_database (RackJournal *journal, GError **error)
{
  g_autofree char *path = g_build_filename (journal->directory, DATABASE, NULL);
  /* Made by us, so that nobody else may read it whatever the umask is. */
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "cannot open %s: %s", path,
                   g_strerror (errno));
      return FALSE;
    }
  close (fd);
  if (sqlite3_open_v2 (path, &journal->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)
          != SQLITE_OK
      || sqlite3_exec (journal->db,
                       "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                       "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
                       NULL, NULL, NULL)
             != SQLITE_OK)
    return fail (journal, error);
  sqlite3_busy_timeout (journal->db, 10000);
  return migrate (journal, error);
}

static RackJournal *
journal_new (RackAccount *account, const char *parent)
{
  pthread_mutexattr_t recursive;
  g_autofree char *usual = g_build_filename (g_get_user_state_dir (), "mailrack", NULL);
  RackJournal *journal = g_new0 (RackJournal, 1);
  journal->lock = -1;
  journal->directory = rack_store_place (account, parent != NULL ? parent : usual);
  pthread_mutexattr_init (&recursive);
  pthread_mutexattr_settype (&recursive, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init (&journal->mutex, &recursive);
  pthread_mutexattr_destroy (&recursive);
  return journal;
}

RackJournal *
rack_journal_open (RackAccount *account, const char *parent, GError **error)
{
  RackJournal *journal = journal_new (account, parent);
  g_autofree char *spool = g_build_filename (journal->directory, SPOOL, NULL);
  if (rack_store_make_directory (journal->directory, "changes are not kept there", error)
      && rack_store_make_directory (spool, "changes are not kept there", error)
      && take_lock (journal, error) && open_database (journal, error))
    return journal;
  rack_journal_close (journal);
  return NULL;
}

RackJournal *
rack_journal_open_to_read (RackAccount *account, const char *parent, gboolean *there,
                           GError **error)
{
  RackJournal *journal = journal_new (account, parent);
  g_autofree char *path = g_build_filename (journal->directory, DATABASE, NULL);
  *there = access (path, F_OK) == 0;
  if (*there
      && (sqlite3_open_v2 (path, &journal->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL)
              == SQLITE_OK
          || fail (journal, error)))
    {
      sqlite3_busy_timeout (journal->db, 10000);
      int version = version_of (journal);
      if (version < 0 || version >= VERSION)
        return journal;
      /* An older one is brought up to date first, which only its owner may do. */
      rack_journal_close (journal);
      return rack_journal_open (account, parent, error);
    }
  rack_journal_close (journal);
  return NULL;
}

void
rack_journal_close (RackJournal *journal)
{
  if (journal == NULL)
    return;
  for (guint i = 0; i < SQL_N; i++)
    sqlite3_finalize (journal->statements[i]);
  sqlite3_close (journal->db);
  if (journal->lock >= 0)
    close (journal->lock);
  pthread_mutex_destroy (&journal->mutex);
  g_free (journal->directory);
  g_free (journal);
}

char *
rack_journal_path (RackJournal *journal, guint64 id)
{
  g_autofree char *name = g_strdup_printf ("%" G_GUINT64_FORMAT, id);
  return g_build_filename (journal->directory, SPOOL, name, NULL);
}

/* ---- Statements; with the mutex held ------------------------------------------------------ */

sqlite3_stmt *
rack_journal_prepare (RackJournal *journal, RackJournalSql sql, GError **error)
{
  sqlite3_stmt **statement = &journal->statements[sql];
  if (*statement == NULL
      && sqlite3_prepare_v3 (journal->db, texts[sql], -1, SQLITE_PREPARE_PERSISTENT, statement,
                             NULL)
             != SQLITE_OK)
    fail (journal, error);
  return *statement;
}

gboolean
rack_journal_run (RackJournal *journal, sqlite3_stmt *statement, GError **error)
{
  gboolean ok = sqlite3_step (statement) == SQLITE_DONE || fail (journal, error);
  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
  return ok;
}

static gboolean
run_plain (RackJournal *journal, RackJournalSql sql, GError **error)
{
  sqlite3_stmt *statement = rack_journal_prepare (journal, sql, error);
  return statement != NULL && rack_journal_run (journal, statement, error);
}

gboolean
rack_journal_begin (RackJournal *journal, GError **error)
{
  pthread_mutex_lock (&journal->mutex);
  if (journal->depth++ > 0 || run_plain (journal, SQL_BEGIN, error))
    return TRUE;
  journal->depth--;
  pthread_mutex_unlock (&journal->mutex);
  return FALSE;
}

gboolean
rack_journal_begin_lazily (RackJournal *journal, GError **error)
{
  pthread_mutex_lock (&journal->mutex);
  journal->lazy = journal->depth == 0 && run_plain (journal, SQL_LAZY, NULL);
  gboolean ok = rack_journal_begin (journal, error);
  pthread_mutex_unlock (&journal->mutex);
  return ok;
}

gboolean
rack_journal_end (RackJournal *journal, gboolean ok, GError **error)
{
  if (--journal->depth == 0)
    {
      ok = ok && run_plain (journal, SQL_COMMIT, error);
      /* Some failures end the transaction by themselves. */
      if (!ok && !sqlite3_get_autocommit (journal->db))
        run_plain (journal, SQL_ROLLBACK, NULL);
      if (journal->lazy)
        run_plain (journal, SQL_STRICT, NULL);
      journal->lazy = FALSE;
    }
  pthread_mutex_unlock (&journal->mutex);
  return ok;
}

void
rack_journal_bind_text (sqlite3_stmt *statement, int at, const char *text)
{
  sqlite3_bind_text (statement, at, text, -1, SQLITE_TRANSIENT);
}

const char *
rack_journal_text (sqlite3_stmt *statement, int column)
{
  return (const char *) sqlite3_column_text (statement, column);
}

/* ---- Reading -------------------------------------------------------------------------------- */

static void
read_change (sqlite3_stmt *row, RackJournalChange *change)
{
  *change = (RackJournalChange){
    .id = (RackTicket) sqlite3_column_int64 (row, 0),
    .kind = (RackJournalKind) sqlite3_column_int (row, 1),
    .step = (RackJournalStep) sqlite3_column_int (row, 2),
    .mailbox = rack_journal_text (row, 3),
    .uid_validity = (guint32) sqlite3_column_int64 (row, 4),
    .uid = (guint32) sqlite3_column_int64 (row, 5),
    .target = rack_journal_text (row, 6),
    .name = rack_journal_text (row, 7),
    .add = (RackFlags) sqlite3_column_int (row, 8),
    .remove = (RackFlags) sqlite3_column_int (row, 9),
    .add_keywords = rack_journal_text (row, 10),
    .remove_keywords = rack_journal_text (row, 11),
    .size = (guint64) sqlite3_column_int64 (row, 12),
    .date = sqlite3_column_int64 (row, 13),
    .flags = (RackFlags) sqlite3_column_int (row, 14),
    .mark_validity = (guint32) sqlite3_column_int64 (row, 15),
    .mark_next = (guint32) sqlite3_column_int64 (row, 16),
    .problem = rack_journal_text (row, 17),
    .tries = (guint) sqlite3_column_int (row, 18),
    .base = rack_journal_text (row, 19),
    .base_space = (guint) sqlite3_column_int64 (row, 20),
  };
}

static void
read_local (sqlite3_stmt *row, RackJournalLocal *local)
{
  *local = (RackJournalLocal){
    .id = (guint64) sqlite3_column_int64 (row, 0),
    .state = (RackLocalState) sqlite3_column_int (row, 1),
    .mailbox = rack_journal_text (row, 2),
    .space = (guint) sqlite3_column_int (row, 3),
    .parent = (guint64) sqlite3_column_int64 (row, 4),
    .name = rack_journal_text (row, 5),
    .directory = sqlite3_column_int (row, 6) != 0,
    .mode = (guint) sqlite3_column_int (row, 7),
    .mtime = sqlite3_column_int64 (row, 8),
    .ticket = (RackTicket) sqlite3_column_int64 (row, 9),
    .flags = (RackFlags) sqlite3_column_int (row, 10),
    .keywords = rack_journal_text (row, 11),
    .replaces = (guint32) sqlite3_column_int64 (row, 12),
    .mark_validity = (guint32) sqlite3_column_int64 (row, 13),
    .mark_next = (guint32) sqlite3_column_int64 (row, 14),
    .problem = rack_journal_text (row, 15),
    .tries = (guint) sqlite3_column_int (row, 16),
    .replaces_validity = (guint32) sqlite3_column_int64 (row, 17),
  };
}

gboolean
rack_journal_each (RackJournal *journal, RackJournalSql sql, RackJournalRowFunc row, gpointer func,
                   gpointer data, GError **error)
{
  pthread_mutex_lock (&journal->mutex);
  sqlite3_stmt *select = rack_journal_prepare (journal, sql, error);
  int result = SQLITE_ERROR;
  if (select != NULL)
    {
      while ((result = sqlite3_step (select)) == SQLITE_ROW)
        row (select, func, data);
      if (result != SQLITE_DONE)
        fail (journal, error);
      sqlite3_reset (select);
    }
  pthread_mutex_unlock (&journal->mutex);
  return result == SQLITE_DONE;
}

static void
give_change (sqlite3_stmt *row, gpointer func, gpointer data)
{
  RackJournalChange change;
  read_change (row, &change);
  (*(RackJournalChangeFunc *) func) (&change, data);
}

gboolean
rack_journal_each_change (RackJournal *journal, RackJournalChangeFunc func, gpointer data,
                          GError **error)
{
  return rack_journal_each (journal, SQL_CHANGES, give_change, &func, data, error);
}

static void
give_local (sqlite3_stmt *row, gpointer func, gpointer data)
{
  RackJournalLocal local;
  read_local (row, &local);
  (*(RackJournalLocalFunc *) func) (&local, data);
}

gboolean
rack_journal_each_local (RackJournal *journal, RackJournalLocalFunc func, gpointer data,
                         GError **error)
{
  return rack_journal_each (journal, SQL_LOCALS, give_local, &func, data, error);
}

static void
give_octets (sqlite3_stmt *row, gpointer func, gpointer data)
{
  const void *octets = sqlite3_column_blob (row, 1);
  (*(RackJournalOctetsFunc *) func) ((guint64) sqlite3_column_int64 (row, 0),
                                     octets != NULL ? octets : "",
                                     (gsize) sqlite3_column_bytes (row, 1), data);
}

gboolean
rack_journal_each_octets (RackJournal *journal, RackJournalOctetsFunc func, gpointer data,
                          GError **error)
{
  return rack_journal_each (journal, SQL_OCTETS, give_octets, &func, data, error);
}

/* ---- Writing ------------------------------------------------------------------------------ */

static void
bind_change (sqlite3_stmt *put, const RackJournalChange *change)
{
  sqlite3_bind_int64 (put, 1, (gint64) change->id);
  sqlite3_bind_int (put, 2, change->kind);
  sqlite3_bind_int (put, 3, change->step);
  rack_journal_bind_text (put, 4, change->mailbox);
  sqlite3_bind_int64 (put, 5, change->uid_validity);
  sqlite3_bind_int64 (put, 6, change->uid);
  rack_journal_bind_text (put, 7, change->target != NULL ? change->target : "");
  rack_journal_bind_text (put, 8, change->name != NULL ? change->name : "");
  sqlite3_bind_int64 (put, 9, change->add);
  sqlite3_bind_int64 (put, 10, change->remove);
  rack_journal_bind_text (put, 11, change->add_keywords != NULL ? change->add_keywords : "");
  rack_journal_bind_text (put, 12, change->remove_keywords != NULL ? change->remove_keywords : "");
  sqlite3_bind_int64 (put, 13, (gint64) change->size);
  sqlite3_bind_int64 (put, 14, change->date);
  sqlite3_bind_int64 (put, 15, change->flags);
  sqlite3_bind_int64 (put, 16, change->mark_validity);
  sqlite3_bind_int64 (put, 17, change->mark_next);
  rack_journal_bind_text (put, 18, change->problem);
  sqlite3_bind_int64 (put, 19, change->tries);
  rack_journal_bind_text (put, 20, change->base != NULL ? change->base : "");
  sqlite3_bind_int64 (put, 21, change->base_space);
}

gboolean
rack_journal_put_change (RackJournal *journal, const RackJournalChange *change, GError **error)
{
  pthread_mutex_lock (&journal->mutex);
  sqlite3_stmt *put = rack_journal_prepare (journal, SQL_PUT_CHANGE, error);
  gboolean ok = put != NULL;
  if (ok)
    {
      bind_change (put, change);
      ok = rack_journal_run (journal, put, error);
    }
  pthread_mutex_unlock (&journal->mutex);
  return ok;
}

static gboolean
remove_row (RackJournal *journal, RackJournalSql sql, guint64 id, GError **error)
{
  pthread_mutex_lock (&journal->mutex);
  sqlite3_stmt *remove = rack_journal_prepare (journal, sql, error);
  gboolean ok = remove != NULL;
  if (ok)
    {
      sqlite3_bind_int64 (remove, 1, (gint64) id);
      ok = rack_journal_run (journal, remove, error);
    }
  pthread_mutex_unlock (&journal->mutex);
  return ok;
}

gboolean
rack_journal_remove_change (RackJournal *journal, RackTicket id, GError **error)
{
  return remove_row (journal, SQL_REMOVE_CHANGE, id, error);
}

static void
bind_local (sqlite3_stmt *put, const RackJournalLocal *local)
{
  if (local->id != 0)
    sqlite3_bind_int64 (put, 1, (gint64) local->id);
  sqlite3_bind_int (put, 2, local->state);
  rack_journal_bind_text (put, 3, local->mailbox);
  sqlite3_bind_int64 (put, 4, local->space);
  sqlite3_bind_int64 (put, 5, (gint64) local->parent);
  rack_journal_bind_text (put, 6, local->name);
  sqlite3_bind_int (put, 7, local->directory);
  sqlite3_bind_int64 (put, 8, local->mode);
  sqlite3_bind_int64 (put, 9, local->mtime);
  sqlite3_bind_int64 (put, 10, (gint64) local->ticket);
  sqlite3_bind_int64 (put, 11, local->flags);
  rack_journal_bind_text (put, 12, local->keywords != NULL ? local->keywords : "");
  sqlite3_bind_int64 (put, 13, local->replaces);
  sqlite3_bind_int64 (put, 14, local->mark_validity);
  sqlite3_bind_int64 (put, 15, local->mark_next);
  rack_journal_bind_text (put, 16, local->problem);
  sqlite3_bind_int64 (put, 17, local->tries);
  sqlite3_bind_int64 (put, 18, local->replaces_validity);
}

gboolean
rack_journal_put_local (RackJournal *journal, RackJournalLocal *local, GError **error)
{
  pthread_mutex_lock (&journal->mutex);
  sqlite3_stmt *put = rack_journal_prepare (journal, SQL_PUT_LOCAL, error);
  gboolean ok = put != NULL;
  if (ok)
    {
      bind_local (put, local);
      ok = rack_journal_run (journal, put, error);
    }
  if (ok && local->id == 0)
    local->id = (guint64) sqlite3_last_insert_rowid (journal->db);
  pthread_mutex_unlock (&journal->mutex);
  return ok;
}

gboolean
rack_journal_remove_local (RackJournal *journal, guint64 id, GError **error)
{
  if (!rack_journal_begin (journal, error))
    return FALSE;
  gboolean ok = remove_row (journal, SQL_REMOVE_LOCAL, id, error)
                && remove_row (journal, SQL_REMOVE_OCTETS, id, error);
  return rack_journal_end (journal, ok, error);
}

gboolean
rack_journal_put_octets (RackJournal *journal, guint64 id, const void *data, gsize size,
                         GError **error)
{
  if (data == NULL)
    return remove_row (journal, SQL_REMOVE_OCTETS, id, error);
  pthread_mutex_lock (&journal->mutex);
  sqlite3_stmt *put = rack_journal_prepare (journal, SQL_PUT_OCTETS, error);
  gboolean ok = put != NULL;
  if (ok)
    {
      sqlite3_bind_int64 (put, 1, (gint64) id);
      sqlite3_bind_blob64 (put, 2, data, size, SQLITE_STATIC);
      ok = rack_journal_run (journal, put, error);
    }
  pthread_mutex_unlock (&journal->mutex);
  return ok;
}

/* ---- For people ---------------------------------------------------------------------------- */

const char *
rack_journal_kind_name (RackJournalKind kind)
{
  static const char *const names[] = { "move", "copy", "store", "expunge" };
  return names[MIN ((guint) kind, G_N_ELEMENTS (names) - 1)];
}

gint
rack_outgoing_compare (gconstpointer a, gconstpointer b)
{
  RackTicket left = (*(RackOutgoing *const *) a)->id, right = (*(RackOutgoing *const *) b)->id;
  return (left > right) - (left < right);
}
