/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-schema.c - the tables of the store, how they came to be, and every statement
 *
 * A version of the schema is never edited once it was released: a new one is a further
 * step at the end. A step may not throw away what a person would have to download again.
 */
#include "store-private.h"

/* Index n brings version n to n + 1. messages is narrow because all of it is read when a mailbox
 * is opened; what is only read by ranges is in details. */
static const char *const steps[] = {
  "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
  "CREATE TABLE folders (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, mailbox TEXT NOT NULL,"
  " directory TEXT NOT NULL, flags INTEGER NOT NULL, selectable INTEGER NOT NULL,"
  " gone INTEGER NOT NULL DEFAULT 0);"
  "CREATE TABLE boxes (row INTEGER PRIMARY KEY, folder INTEGER NOT NULL UNIQUE,"
  " uid_validity INTEGER NOT NULL, uid_next INTEGER NOT NULL, modseq INTEGER NOT NULL,"
  " complete INTEGER NOT NULL, named INTEGER NOT NULL, changed INTEGER NOT NULL);"
  "CREATE TABLE messages (row INTEGER NOT NULL, uid INTEGER NOT NULL, flags INTEGER NOT NULL,"
  " keywords TEXT, size INTEGER NOT NULL, exact INTEGER NOT NULL, date INTEGER NOT NULL,"
  " modseq INTEGER NOT NULL, PRIMARY KEY (row, uid)) WITHOUT ROWID;"
  "CREATE TABLE details (row INTEGER NOT NULL, uid INTEGER NOT NULL, name TEXT, sender_name TEXT,"
  " sender_address TEXT, subject TEXT, message_id TEXT, in_reply_to TEXT, email_id TEXT,"
  " thread_id TEXT, PRIMARY KEY (row, uid)) WITHOUT ROWID;",

  "CREATE TABLE bodies (row INTEGER NOT NULL, uid INTEGER NOT NULL, section TEXT NOT NULL,"
  " offset INTEGER NOT NULL, size INTEGER NOT NULL, crc INTEGER NOT NULL, used INTEGER NOT NULL,"
  " PRIMARY KEY (row, uid, section)) WITHOUT ROWID;"
  "CREATE INDEX bodies_used ON bodies (used);",

  "ALTER TABLE boxes ADD COLUMN flags_changed INTEGER NOT NULL DEFAULT 0;",

  "CREATE TABLE parts (row INTEGER NOT NULL, uid INTEGER NOT NULL, facts BLOB NOT NULL,"
  " PRIMARY KEY (row, uid)) WITHOUT ROWID;",

  "ALTER TABLE boxes ADD COLUMN expected INTEGER NOT NULL DEFAULT 0;",
};

G_STATIC_ASSERT (G_N_ELEMENTS (steps) == RACK_STORE_VERSION);

/* Of the boxes that are complete and whose folders are there. CROSS JOIN keeps SQLite to that
 * order. */
#define IN_BOXES                                                                                   \
  " CROSS JOIN boxes b ON b.row = m.row AND b.complete"                                            \
  " CROSS JOIN folders f ON f.id = b.folder AND f.gone = 0"
#define WITH_DETAILS " LEFT JOIN details d ON d.row = m.row AND d.uid = m.uid"

static const char *const statements[RACK_SQL_N] = {
  [RACK_SQL_BEGIN] = "BEGIN IMMEDIATE",
  [RACK_SQL_COMMIT] = "COMMIT",
  [RACK_SQL_GET] = "SELECT value FROM meta WHERE key = ?1",
  [RACK_SQL_SET] = "INSERT INTO meta VALUES (?1, ?2)"
                   " ON CONFLICT DO UPDATE SET value = excluded.value",
  [RACK_SQL_FOLDERS] = "WITH RECURSIVE tree (id, depth) AS (SELECT id, 1 FROM folders"
                       " WHERE parent = 0 UNION ALL SELECT f.id, depth + 1 FROM folders f"
                       " JOIN tree ON f.parent = tree.id WHERE depth < 100)"
                       " SELECT f.id, parent, mailbox, directory, flags, selectable, gone"
                       " FROM tree JOIN folders f ON f.id = tree.id ORDER BY depth, f.id",
  [RACK_SQL_PUT_FOLDER] = "INSERT OR REPLACE INTO folders (id, parent, mailbox, directory, flags,"
                          " selectable, gone) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
  [RACK_SQL_FORGET_FOLDERS] = "DELETE FROM folders WHERE gone <> 0 AND gone < ?1",
  [RACK_SQL_BOXES] = "SELECT row, folder, uid_validity, uid_next, modseq, complete, named, changed,"
                     " flags_changed, expected FROM boxes",
  [RACK_SQL_BOX_EXISTS] = "SELECT 1 FROM boxes WHERE row = ?1",
  [RACK_SQL_ADD_BOX] = "INSERT OR REPLACE INTO boxes (row, folder, uid_validity, uid_next, modseq,"
                       " complete, named, changed, flags_changed, expected)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
  [RACK_SQL_NOTE_BOX] = "UPDATE boxes SET uid_next = ?4, modseq = ?5, complete = ?6, named = ?7,"
                        " changed = ?8, flags_changed = ?9, expected = ?10 WHERE row = ?1 AND "
                        "folder = ?2 AND uid_validity = ?3",
  [RACK_SQL_DROP_BOX] = "DELETE FROM boxes WHERE row = ?1",
  [RACK_SQL_ADD_MESSAGE] = "INSERT INTO messages (row, uid, flags, keywords, size, exact, date,"
                           " modseq) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)"
                           " ON CONFLICT DO NOTHING",
  [RACK_SQL_ADD_DETAILS] = "INSERT INTO details (row, uid, name, sender_name, sender_address,"
                           " subject, message_id, in_reply_to, email_id, thread_id)"
                           " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
                           " ON CONFLICT DO NOTHING",
  [RACK_SQL_SET_FLAGS] = "UPDATE messages SET flags = ?3, keywords = ?4,"
                         " modseq = CASE WHEN ?5 > 0 THEN ?5 ELSE modseq END"
                         " WHERE row = ?1 AND uid = ?2",
  [RACK_SQL_SET_SIZE] = "UPDATE messages SET size = ?3, exact = 1 WHERE row = ?1 AND uid = ?2",
  [RACK_SQL_REMOVE_MESSAGES] = "DELETE FROM messages WHERE row = ?1 AND uid BETWEEN ?2 AND ?3",
  [RACK_SQL_REMOVE_DETAILS] = "DELETE FROM details WHERE row = ?1 AND uid BETWEEN ?2 AND ?3",
  [RACK_SQL_REMOVE_PARTS] = "DELETE FROM parts WHERE row = ?1 AND uid BETWEEN ?2 AND ?3",
  [RACK_SQL_PARTS] = "SELECT facts FROM parts WHERE row = ?1 AND uid = ?2",
  [RACK_SQL_KEEP_PARTS] = "INSERT OR REPLACE INTO parts (row, uid, facts) SELECT ?1, ?2, ?3"
                          " WHERE EXISTS (SELECT 1 FROM messages WHERE row = ?1 AND uid = ?2)",
  [RACK_SQL_LOAD] = "SELECT uid, flags, size, exact, date, keywords FROM messages WHERE row = ?1"
                    " ORDER BY uid",
  [RACK_SQL_NAMES] = "SELECT uid, name FROM details WHERE row = ?1 AND uid BETWEEN ?2 AND ?3"
                     " ORDER BY uid",
  [RACK_SQL_KEYWORDS] = "SELECT keywords FROM messages WHERE row = ?1 AND uid = ?2",
  [RACK_SQL_DETAILS] = "SELECT m.uid, m.modseq, sender_name, sender_address, subject, message_id,"
                       " in_reply_to, email_id, thread_id FROM messages m LEFT JOIN details d"
                       " ON d.row = ?1 AND d.uid = m.uid WHERE m.row = ?1 AND m.uid > ?2"
                       " ORDER BY m.uid LIMIT ?3",
  [RACK_SQL_FIND_BODY] = "SELECT row, uid, section, offset, size, crc, used FROM bodies"
                         " WHERE row = ?1 AND uid = ?2 AND section = ?3",
  [RACK_SQL_KEPT_UIDS] = "SELECT uid FROM bodies"
                         " WHERE row = ?1 AND uid BETWEEN ?2 AND ?3 AND section = ''",
  [RACK_SQL_ADD_BODY] = "INSERT OR REPLACE INTO bodies (row, uid, section, offset, size, crc, used)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
  [RACK_SQL_USE_BODY] = "UPDATE bodies SET used = ?4 WHERE row = ?1 AND uid = ?2 AND section = ?3",
  [RACK_SQL_REMOVE_BODY] = "DELETE FROM bodies WHERE row = ?1 AND uid = ?2 AND section = ?3"
                           " AND offset = ?4",
  [RACK_SQL_BODIES] = "SELECT row, uid, section, offset, size, crc, used FROM bodies"
                      " ORDER BY offset",
  [RACK_SQL_OLDEST_BODIES] = "SELECT row, uid, section, offset, size, crc, used FROM bodies"
                             " ORDER BY used LIMIT ?1",
  [RACK_SQL_ORPHANS] = "SELECT row, uid, section, offset, size, crc, used FROM bodies b"
                       " WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.row = b.row"
                       " AND m.uid = b.uid) LIMIT ?1",
  /* Not in the schema, because they cost time and room: made when somebody searches. */
  [RACK_SQL_INDEX_DATES] = "CREATE INDEX IF NOT EXISTS messages_date ON messages (date)",
  [RACK_SQL_INDEX_SENDERS] = "CREATE INDEX IF NOT EXISTS details_sender"
                             " ON details (lower(sender_address))",
  [RACK_SQL_FIND_DATES] = "SELECT m.row, m.uid, m.date, d.name"
                          " FROM messages m INDEXED BY messages_date" IN_BOXES WITH_DETAILS
                          " WHERE m.date >= ?5 AND m.date < ?6"
                          " AND (m.date, m.row, m.uid) > (?1, ?2, ?3)"
                          " ORDER BY m.date, m.row, m.uid LIMIT ?4",
  [RACK_SQL_FIND_SENDER] = "SELECT m.row, m.uid, m.date, d.name"
                           " FROM details d INDEXED BY details_sender"
                           " CROSS JOIN messages m ON m.row = d.row AND m.uid = d.uid" IN_BOXES
                           " WHERE lower(d.sender_address) = ?5 AND (d.row, d.uid) > (?2, ?3)"
                           " ORDER BY d.row, d.uid LIMIT ?4",
  [RACK_SQL_FIND_FLAGS] =
      "SELECT m.row, m.uid, m.date, d.name FROM messages m" IN_BOXES WITH_DETAILS
      " WHERE (m.row, m.uid) > (?2, ?3) AND (m.flags & ?5) = ?6"
      " AND (?7 IS NULL OR instr(' ' || m.keywords || ' ', ' ' || ?7 || ' '))"
      " ORDER BY m.row, m.uid LIMIT ?4",
  [RACK_SQL_FIND_LINKS] = "SELECT m.row, m.uid, m.date, d.subject, d.message_id, d.in_reply_to,"
                          " d.thread_id FROM messages m" IN_BOXES WITH_DETAILS
                          " WHERE (m.row, m.uid) > (?2, ?3) ORDER BY m.row, m.uid LIMIT ?4",
  [RACK_SQL_FIND_UID] = "SELECT m.row, m.uid, m.date, d.name, m.flags, m.keywords,"
                        " lower(d.sender_address) FROM boxes b"
                        " CROSS JOIN folders f ON f.id = b.folder AND f.gone = 0"
                        " CROSS JOIN messages m ON m.row = b.row AND m.uid = ?1" WITH_DETAILS
                        " WHERE b.complete ORDER BY b.row",
  [RACK_SQL_NEXT_DATE] = "SELECT m.date FROM messages m INDEXED BY messages_date" IN_BOXES
                         " WHERE m.date >= ?1 ORDER BY m.date LIMIT 1",
  [RACK_SQL_NEXT_SENDER] = "SELECT lower(d.sender_address) FROM details d INDEXED BY details_sender"
                           " CROSS JOIN messages m ON m.row = d.row AND m.uid = d.uid" IN_BOXES
                           " WHERE lower(d.sender_address) > ?1"
                           " ORDER BY lower(d.sender_address) LIMIT 1",
  [RACK_SQL_KEYWORD_SETS] =
      "SELECT DISTINCT m.keywords FROM messages m" IN_BOXES " WHERE m.keywords IS NOT NULL",
};

const char *
rack_store_sql (RackSql sql)
{
  return statements[sql];
}

int
rack_store_version (sqlite3 *db, GError **error)
{
  sqlite3_stmt *statement = NULL;
  int version = -1;
  if (sqlite3_prepare_v2 (db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK
      && sqlite3_step (statement) == SQLITE_ROW)
    version = sqlite3_column_int (statement, 0);
  else
    rack_store_fail (db, error);
  sqlite3_finalize (statement);
  if (version >= 0)
    return version;
  if (error != NULL && *error == NULL)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                         "the cache has a version that no mailrack ever made");
  return -1;
}

/* One step is one transaction: after a crash it happened or it did not. */
static gboolean
take_step (sqlite3 *db, int from, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT;",
                                          steps[from], from + 1);
  if (sqlite3_exec (db, sql, NULL, NULL, NULL) == SQLITE_OK)
    return TRUE;
  rack_store_fail (db, error);
  if (!sqlite3_get_autocommit (db))
    sqlite3_exec (db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

gboolean
rack_store_migrate (sqlite3 *db, int version, GError **error)
{
  int now = rack_store_version (db, error);
  if (now < 0)
    return FALSE;
  if (now > RACK_STORE_VERSION)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                   "the cache was made by a newer mailrack (version %d of it, this one knows %d): "
                   "use that one, set cache_dir to another place, or run mailrack cache clear",
                   now, RACK_STORE_VERSION);
      return FALSE;
    }
  for (; now < version; now++)
    if (!take_step (db, now, error))
      return FALSE;
  return TRUE;
}
