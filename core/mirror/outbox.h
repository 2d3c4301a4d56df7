/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * outbox.h - what is on its way to the server, in memory, and who brings it there
 *
 * The journal has everything first; this is the same with pointers. outbox.c keeps it, messages.c
 * changes messages, locals.c has the files, sender.c is the thread that empties it, and
 * send-*.c what it does. Everything here is under the outbox' mutex, which is the first of all:
 * folders, tree, bodies, changes and the journal may be asked while it is held, never the server.
 * So whoever has it may wait for the disk. What is seen of it is also under a second one, shown,
 * which comes right after it, is held for moments, and is enough to look: a listing waits for no
 * disk. To change that takes both.
 */
#pragma once

#include "journal.h"
#include "mirror-private.h"
#include "shelf.h"

G_BEGIN_DECLS

/* The server could not do it just now, as it said: it is tried again by itself, apart from others.
 */
typedef struct
{
  gint64 until; /* monotonic; 0: it is not put off */
  GError *why;  /* (owned) of the last try; NULL: none, or somebody has begun to wait since */
} RackPutOff;

/* One change of one message. */
typedef struct RackPending RackPending;
struct RackPending
{
  RackTicket id;
  RackJournalKind kind;
  RackJournalStep step;
  RackFolder *folder, *target; /* target NULL: none */
  guint32 row;                 /* 0: not known in this process */
  guint32 uid_validity, uid;
  char *name;     /* in target, or NULL */
  gboolean named; /* it is to be called so there for good */
  char *base;     /* in the target's Maildir, or NULL */
  guint base_space;
  RackFlags add, remove;
  char *add_keywords, *remove_keywords;
  RackRecord record; /* the message as it was */
  guint32 mark_validity, mark_next;
  char *problem;
  guint tries;
  RackPutOff off;
  GError *refusal;      /* (owned) step RETURNING: why; else NULL */
  gint64 made;          /* monotonic */
  guint32 new_uid;      /* what it became in target; 0: not known */
  guint32 successor;    /* what took the place of this one, which is expunged; 0: nothing */
  gboolean seen;        /* it was in the target's index, or has gone on from there */
  gboolean done;        /* the server has confirmed it; only shown until it is seen there */
  RackShelved arriving; /* among the arrivals of target */
};

struct RackLocal
{
  gint refs; /* atomic; the table has one while it is in it */
  RackMirror *mirror;
  guint64 id;
  RackLocalState state;
  guint space;
  RackFolder *folder;
  guint64 parent;
  char *name;
  gboolean directory;
  guint mode;
  guint64 number;     /* the caller's; with the outbox' mutex and shown held; 0: none */
  gint64 mtime;       /* nanoseconds; 0: the file's */
  gint64 changed;     /* of a directory */
  RackShelved listed; /* among the names of its place */
  int fd;             /* -1: not open */
  /* As it was when it was made durable; no size is -1. */
  guint32 synced_crc;
  gint64 synced_size;
  RackTicket ticket;
  RackFlags flags;
  char *keywords;
  guint32 replaces, replaces_validity; /* a message of folder that goes when this is there */
  gboolean replaced;                   /* SENT, and it went with the same command */
  guint32 mark_validity, mark_next;
  char *problem;
  guint tries;
  RackPutOff off;
  gint64 touched;             /* monotonic: left alone since */
  guint32 row, validity, uid; /* SENT */
  gboolean seen;              /* SENT, and it was in the index */
  gboolean unsettled;         /* SENT, and the journal does not say so yet */
};

/* What a waiter is told of a ticket that failed. */
typedef struct
{
  RackTicket ticket;
  GError *error;
  gboolean told; /* to somebody */
} RackFailure;

struct RackOutbox
{
  RackMirror *mirror;
  RackJournal *journal;
  pthread_mutex_t mutex;
  pthread_cond_t work;    /* for the sender */
  pthread_cond_t settled; /* something was done, refused or put off */
  RackTicket last_ticket;
  GPtrArray *pending;    /* of RackPending (owned), the oldest first */
  GPtrArray *landed;     /* the same, of those done that are still shown */
  GHashTable *landings;  /* folder's id << 32 | new UID (gint64, owned) -> one of landed */
  pthread_mutex_t shown; /* guards what follows up to places, and what those in it say */
  GHashTable *at;        /* row << 32 | uid (gint64, owned) -> RackPending that moves it */
  GHashTable *moved;     /* the same -> RackMoved (owned): where it went */
  GHashTable *arrivals;  /* RackFolder -> RackShelf (owned) of RackPending */
  GHashTable *locals;    /* id (gint64) -> RackLocal, a reference */
  GHashTable *places;    /* RackPlace -> RackShelf (owned) of RackLocal */
  GQueue failures;       /* of RackFailure, the latest first */
  char *refusal;         /* what the last one of them said, or NULL */
  RackTicket urgent;     /* up to this one nobody waits for company */
  gint64 due;            /* monotonic: the sender looks then, whatever comes; 0: it is not known */
  guint company;         /* messages that wait for more, as far as it knows */
  gint64 retry_at;       /* monotonic: the server could not be reached */
  gint64 doubt_until;    /* the same: it may still be at what it was sent, whoever is in a hurry */
  guint failed_rounds;
  gboolean ending;
  GThread *sender;
};

/* Where a message went. */
typedef struct
{
  RackFolder *folder;
  guint32 uid_validity, uid; /* uid 0: not known */
} RackMoved;

/* ---- outbox.c ---- */
/* Reads the journal and applies it to the folders, which nobody uses yet. */
RackOutbox *rack_outbox_open (RackMirror *mirror, const char *state_dir, GError **error);
void rack_outbox_start (RackOutbox *outbox);
/* As rack_outgoing_flush(), whatever came of them. */
gboolean rack_outbox_drain (RackMirror *mirror, GCancellable *cancellable, GError **error);
/* Ends the thread: what is not sent is in the journal. What is there can still be looked at. NULL
 * is fine. */
void rack_outbox_end (RackOutbox *outbox);
void rack_outbox_free (RackOutbox *outbox);
RackTicket rack_outbox_ticket (RackOutbox *outbox);
/* Takes error. */
void rack_outbox_fail (RackOutbox *outbox, RackTicket ticket, GError *error);
void rack_pending_free (RackPending *pending);
/* tries: how many failed. */
void rack_put_off (RackPutOff *off, guint tries, const GError *why);
/* It is as if it had never been. */
void rack_put_off_clear (RackPutOff *off);
gboolean rack_pending_write (RackOutbox *outbox, const RackPending *pending, GError **error);
/* One name in folder is not what it was; space: of local files, 0 for arrivals. */
void rack_outbox_tell (RackFolder *folder, guint space, const char *name);

/* ---- messages.c ---- */
/* What a pending change does to what is seen; on loading and when it is made. */
void rack_pending_apply (RackOutbox *outbox, RackPending *pending);
/* Undoes it. */
void rack_pending_revert (RackOutbox *outbox, RackPending *pending);
/* The server has done it. uid: in the target, 0 if it did not say. */
void rack_pending_complete (RackOutbox *outbox, RackPending *pending, guint32 uid_validity,
                            guint32 uid);
/* The folder of the trash, or NULL. */
RackFolder *rack_outbox_trash (RackMirror *mirror);
/* Takes out those that are seen in their target by themselves. Returns: how many are left. */
guint rack_outbox_settle_arrivals (RackOutbox *outbox);

/* ---- locals.c ---- */
gboolean rack_locals_load (RackOutbox *outbox, GError **error);
void rack_locals_init (RackOutbox *outbox);
void rack_locals_clear (RackOutbox *outbox);
/* Those in from are in to. */
void rack_locals_rehome (RackOutbox *outbox, RackFolder *from, RackFolder *to);
gboolean rack_local_write (RackLocal *local, GError **error);
/* What nobody was promised yet. */
gboolean rack_local_write_lazily (RackLocal *local, GError **error);
/* Sets the state, and takes it out of the names when it has none any more. */
void rack_local_become (RackLocal *local, RackLocalState state);
/* Those that were sent and are seen as messages now are not shown any more. Returns: how many are
 * left. */
guint rack_outbox_settle_locals (RackOutbox *outbox);

/* ---- given.c ---- */
/* With the outbox' mutex held: the journal and the folder get to know what a message is called in a
 * Maildir. base NULL: nothing of its own. */
gboolean rack_folder_give_base (RackFolder *folder, guint32 uid_validity, guint32 uid,
                                const char *base, guint space, GError **error);

/* ---- sender.c ---- */
gpointer rack_sender_run (gpointer outbox);
/* Another one was queued: the sender is woken if it would come too late, or if there are enough. A
 * thousand of them do not make it look a thousand times. With the mutex held. */
void rack_sender_expect_message (RackOutbox *outbox);
void rack_sender_expect_file (RackOutbox *outbox);

/* ---- send-messages.c, send-files.c; without the mutex ---- */
/* All of one kind, about one mailbox, and alike. Returns: NULL, or why the server could not be
 * asked: then they stay. */
GError *rack_send_messages (RackOutbox *outbox, GPtrArray *batch);
/* Local files of one folder. */
GError *rack_send_files (RackOutbox *outbox, GPtrArray *batch);
/* With the mutex held. One transaction for all that was sent; what ends us before it, or makes it
 * fail, leaves marks by which they are found, and it is tried again. */
void rack_send_note (RackOutbox *outbox);

G_END_DECLS
