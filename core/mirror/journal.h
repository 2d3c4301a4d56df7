/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * journal.h - what a person changed and the server has not confirmed, on this disk
 *
 * State, not cache: one directory for each account below $XDG_STATE_HOME/mailrack, and in it a
 * database that is synced with every transaction, and the files that programs wrote. Rows only;
 * what they mean is the business of those who call. Any thread may call; one transaction at a
 * time. Nothing here calls out, so its lock comes last, with the store's.
 */
#pragma once

#include <mailrack/mailrack-outgoing.h>

G_BEGIN_DECLS

typedef struct RackJournal RackJournal;

typedef enum
{
  RACK_CHANGE_ROW_MOVE,
  RACK_CHANGE_ROW_COPY,
  RACK_CHANGE_ROW_STORE,
  RACK_CHANGE_ROW_EXPUNGE,
} RackJournalKind;

typedef enum
{
  RACK_STEP_QUEUED,
  RACK_STEP_SENDING, /* the server may have it: see mark_* */
  RACK_STEP_COPIED,  /* a move by steps: what is left is to expunge */
  RACK_STEP_FAILED,
  RACK_STEP_RETURNING, /* a move by steps: its second half was refused, for problem; the copy goes
                        */
} RackJournalStep;

/* One change of one message. Texts are borrowed when read by a callback, and never NULL there but
 * for problem. */
typedef struct
{
  RackTicket id;
  RackJournalKind kind;
  RackJournalStep step;
  const char *mailbox;
  guint32 uid_validity, uid;
  const char *target, *name; /* "" where there is none */
  RackFlags add, remove;
  const char *add_keywords, *remove_keywords; /* with a space between two */
  /* As the message was. */
  guint64 size;
  gint64 date;
  RackFlags flags;
  /* What the target would have had for its next message, before it was sent. */
  guint32 mark_validity, mark_next;
  const char *problem;
  guint tries;
  const char *base; /* of a message in the target's Maildir, or "" */
  guint base_space;
} RackJournalChange;

/* A local file or directory. */
typedef struct
{
  guint64 id;
  RackLocalState state; /* SCRATCH, QUEUED, SENDING or FAILED */
  const char *mailbox;
  guint space;
  guint64 parent;
  const char *name;
  gboolean directory;
  guint mode;
  gint64 mtime; /* nanoseconds since the epoch; 0: that of the file */
  RackTicket ticket;
  RackFlags flags;
  const char *keywords;                /* with a space between two */
  guint32 replaces, replaces_validity; /* validity 0: not known */
  guint32 mark_validity, mark_next;
  const char *problem;
  guint tries;
} RackJournalLocal;

/* Takes the lock of the directory, which is made where there is none. parent NULL:
 * $XDG_STATE_HOME/mailrack. RACK_ERROR_BUSY: another program has it. */
RackJournal *rack_journal_open (RackAccount *account, const char *parent, GError **error);
/* Only for looking, beside whoever has it. *there FALSE: there is none; error is not set then. */
RackJournal *rack_journal_open_to_read (RackAccount *account, const char *parent, gboolean *there,
                                        GError **error);
void rack_journal_close (RackJournal *journal);
/* "move", for people. */
const char *rack_journal_kind_name (RackJournalKind kind);
/* A GCompareFunc for arrays of RackOutgoing: the oldest first. */
gint rack_outgoing_compare (gconstpointer a, gconstpointer b);
/* Where the octets of a local file are. Returns: (owned) */
char *rack_journal_path (RackJournal *journal, guint64 id);

typedef void (*RackJournalChangeFunc) (const RackJournalChange *change, gpointer data);
typedef void (*RackJournalLocalFunc) (const RackJournalLocal *local, gpointer data);
typedef void (*RackJournalOctetsFunc) (guint64 id, const void *octets, gsize size, gpointer data);
typedef void (*RackJournalNameFunc) (const char *mailbox, guint32 uid_validity, guint32 uid,
                                     const char *name, gpointer data);
typedef void (*RackJournalBaseFunc) (const char *mailbox, guint32 uid_validity, guint32 uid,
                                     const char *name, guint space, gpointer data);
/* In the order in which they were made. func may not call the journal. */
gboolean rack_journal_each_change (RackJournal *journal, RackJournalChangeFunc func, gpointer data,
                                   GError **error);
gboolean rack_journal_each_local (RackJournal *journal, RackJournalLocalFunc func, gpointer data,
                                  GError **error);
gboolean rack_journal_each_octets (RackJournal *journal, RackJournalOctetsFunc func, gpointer data,
                                   GError **error);
gboolean rack_journal_each_name (RackJournal *journal, RackJournalNameFunc func, gpointer data,
                                 GError **error);
gboolean rack_journal_each_base (RackJournal *journal, RackJournalBaseFunc func, gpointer data,
                                 GError **error);

/* What follows is one transaction each, unless it is between begin and end: then all of it is one.
 * A FALSE of one of them makes end undo them all. */
gboolean rack_journal_begin (RackJournal *journal, GError **error);
/* The same, but it need not survive a loss of power by itself: whatever is synced after it takes it
 * along. */
gboolean rack_journal_begin_lazily (RackJournal *journal, GError **error);
gboolean rack_journal_end (RackJournal *journal, gboolean ok, GError **error);

/* Adds, or replaces the one with that id. */
gboolean rack_journal_put_change (RackJournal *journal, const RackJournalChange *change,
                                  GError **error);
gboolean rack_journal_remove_change (RackJournal *journal, RackTicket id, GError **error);
/* Whatever is about the mailbox from is about to. */
gboolean rack_journal_rename (RackJournal *journal, const char *from, const char *to,
                              GError **error);
/* id 0: a new one, whose number is put there. */
gboolean rack_journal_put_local (RackJournal *journal, RackJournalLocal *local, GError **error);
/* The octets of a small file, so that one sync is enough for them and its row; data NULL: there are
 * none here, the file has them. */
gboolean rack_journal_put_octets (RackJournal *journal, guint64 id, const void *data, gsize size,
                                  GError **error);
/* With its octets. */
gboolean rack_journal_remove_local (RackJournal *journal, guint64 id, GError **error);
/* name NULL: it has none any more. */
gboolean rack_journal_put_name (RackJournal *journal, const char *mailbox, guint32 uid_validity,
                                guint32 uid, const char *name, GError **error);
/* The same for its name in a Maildir: what is in front of the flags, and the space of the directory
 * that it was put into. */
gboolean rack_journal_put_base (RackJournal *journal, const char *mailbox, guint32 uid_validity,
                                guint32 uid, const char *name, guint space, GError **error);

G_END_DECLS
