/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * journal-names.c - what programs called messages, for as long as they live
 *
 * Names of the mailbox' own directory, and those of its Maildir ("bases").
 */
#include "journal-private.h"

/* ---- Reading -------------------------------------------------------------------------------- */

static void
give_name (sqlite3_stmt *row, gpointer func, gpointer data)
{
  (*(RackJournalNameFunc *) func) (
      rack_journal_text (row, 0), (guint32) sqlite3_column_int64 (row, 1),
      (guint32) sqlite3_column_int64 (row, 2), rack_journal_text (row, 3), data);
}

gboolean
rack_journal_each_name (RackJournal *journal, RackJournalNameFunc func, gpointer data,
                        GError **error)
{
  return rack_journal_each (journal, SQL_NAMES, give_name, &func, data, error);
}

static void
give_base (sqlite3_stmt *row, gpointer func, gpointer data)
{
  (*(RackJournalBaseFunc *) func) (
      rack_journal_text (row, 0), (guint32) sqlite3_column_int64 (row, 1),
      (guint32) sqlite3_column_int64 (row, 2), rack_journal_text (row, 3),
      (guint) sqlite3_column_int64 (row, 4), data);
}

gboolean
rack_journal_each_base (RackJournal *journal, RackJournalBaseFunc func, gpointer data,
                        GError **error)
{
  return rack_journal_each (journal, SQL_BASES, give_base, &func, data, error);
}

/* ---- Writing ------------------------------------------------------------------------------ */

/* space: -1 where there is none. name NULL: the row goes. */
static gboolean
put (RackJournal *journal, RackJournalSql sql, const char *mailbox, guint32 uid_validity,
     guint32 uid, const char *name, gint64 space, GError **error)
{
  pthread_mutex_lock (&journal->mutex);
  sqlite3_stmt *statement = rack_journal_prepare (journal, sql, error);
  gboolean ok = statement != NULL;
  if (ok)
    {
      rack_journal_bind_text (statement, 1, mailbox);
      sqlite3_bind_int64 (statement, 2, uid_validity);
      sqlite3_bind_int64 (statement, 3, uid);
      if (name != NULL)
        rack_journal_bind_text (statement, 4, name);
      if (space >= 0)
        sqlite3_bind_int64 (statement, 5, space);
      ok = rack_journal_run (journal, statement, error);
    }
  pthread_mutex_unlock (&journal->mutex);
  return ok;
}

gboolean
rack_journal_put_name (RackJournal *journal, const char *mailbox, guint32 uid_validity, guint32 uid,
                       const char *name, GError **error)
{
  return put (journal, name != NULL ? SQL_PUT_NAME : SQL_REMOVE_NAME, mailbox, uid_validity, uid,
              name, -1, error);
}

gboolean
rack_journal_put_base (RackJournal *journal, const char *mailbox, guint32 uid_validity, guint32 uid,
                       const char *name, guint space, GError **error)
{
  return put (journal, name != NULL ? SQL_PUT_BASE : SQL_REMOVE_BASE, mailbox, uid_validity, uid,
              name, name != NULL ? (gint64) space : -1, error);
}

static gboolean
rename_rows (RackJournal *journal, RackJournalSql sql, const char *from, const char *to,
             GError **error)
{
  sqlite3_stmt *update = rack_journal_prepare (journal, sql, error);
  if (update == NULL)
    return FALSE;
  rack_journal_bind_text (update, 1, from);
  rack_journal_bind_text (update, 2, to);
  return rack_journal_run (journal, update, error);
}

gboolean
rack_journal_rename (RackJournal *journal, const char *from, const char *to, GError **error)
{
  if (!rack_journal_begin (journal, error))
    return FALSE;
  gboolean ok = rename_rows (journal, SQL_RENAME_LOCALS, from, to, error)
                && rename_rows (journal, SQL_RENAME_NAMES, from, to, error)
                && rename_rows (journal, SQL_RENAME_BASES, from, to, error);
  return rack_journal_end (journal, ok, error);
}
