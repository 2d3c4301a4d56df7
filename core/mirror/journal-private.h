/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * journal-private.h - the journal's database, for the files that read and write it
 */
#pragma once

#include "journal.h"

#include <pthread.h>
#include <sqlite3.h>

typedef enum
{
  SQL_BEGIN,
  SQL_COMMIT,
  SQL_ROLLBACK,
  SQL_LAZY,
  SQL_STRICT,
  SQL_CHANGES,
  SQL_LOCALS,
  SQL_NAMES,
  SQL_PUT_CHANGE,
  SQL_REMOVE_CHANGE,
  SQL_PUT_LOCAL,
  SQL_REMOVE_LOCAL,
  SQL_OCTETS,
  SQL_PUT_OCTETS,
  SQL_REMOVE_OCTETS,
  SQL_PUT_NAME,
  SQL_REMOVE_NAME,
  SQL_BASES,
  SQL_PUT_BASE,
  SQL_REMOVE_BASE,
  SQL_RENAME_LOCALS,
  SQL_RENAME_NAMES,
  SQL_RENAME_BASES,
  SQL_N,
} RackJournalSql;

struct RackJournal
{
  char *directory;
  pthread_mutex_t mutex; /* recursive: of a transaction */
  sqlite3 *db;
  sqlite3_stmt *statements[SQL_N];
  int lock;
  guint depth; /* in a transaction */
  gboolean lazy;
};

/* With the mutex held. Returns: borrowed, or NULL. */
sqlite3_stmt *rack_journal_prepare (RackJournal *journal, RackJournalSql sql, GError **error);
/* The same; afterwards it can be bound anew. */
gboolean rack_journal_run (RackJournal *journal, sqlite3_stmt *statement, GError **error);
void rack_journal_bind_text (sqlite3_stmt *statement, int at, const char *text);
/* Borrowed, until the next row. */
const char *rack_journal_text (sqlite3_stmt *statement, int column);

typedef void (*RackJournalRowFunc) (sqlite3_stmt *row, gpointer func, gpointer data);
/* Every row of a query; func is the caller's. */
gboolean rack_journal_each (RackJournal *journal, RackJournalSql sql, RackJournalRowFunc row,
                            gpointer func, gpointer data, GError **error);
