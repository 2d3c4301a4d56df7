/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mirror-private.h - what the files of this room share
 *
 * Locks, in the order in which they may be taken while another is held: the watchers'
 * mutex, a folder's mutex, the tree's mutex, the bodies' mutex, the changes' mutex; the mutex of
 * the remembered parts is taken alone. None is held while the server is asked.
 */
#pragma once

#include "index.h"
#include "jobs.h"
#include "names.h"
#include "waiting.h"

#include <mailrack/mailrack-mirror.h>

G_BEGIN_DECLS

typedef struct RackBodies RackBodies;
typedef struct RackChanges RackChanges;
typedef struct RackPartsCache RackPartsCache;
typedef struct RackWatchers RackWatchers;
typedef struct RackWatcher RackWatcher;

struct RackMirror
{
  RackAccount *account;
  RackMirrorOptions options; /* with the defaults filled in */
  GCancellable *cancellable; /* cancelled when the mirror closes */
  RackJobs *jobs;            /* lists, loads and syncs */
  RackBodies *bodies;
  RackPartsCache *parts;
  RackChanges *changes;
  RackWatchers *watchers;
  gint64 started; /* nanoseconds since the epoch */

  pthread_mutex_t tree; /* guards ids, rows, and the tree fields of every folder */
  GHashTable *ids;      /* id -> RackFolder (owned here), gone ones too */
  GHashTable *rows;     /* row -> RackFolder */
  RackFolder *root;

  gint sizes_right; /* atomic: RFC822.SIZEs that proved right */
  gint sizes_wrong; /* atomic */
  gint probing;     /* atomic: sizes are being tried, or were */
  gint syncs;       /* atomic */
};

/* What a folder's job is asked to do. */
typedef enum
{
  RACK_WANT_SYNC = 1 << 0,   /* look at everything again */
  RACK_WANT_CHECK = 1 << 1,  /* ask STATUS whether that is needed */
  RACK_WANT_EVENTS = 1 << 2, /* apply the events that were pushed */
} RackWant;

/* Where a program reads in ascending order; see ahead.c. */
typedef struct
{
  guint32 last_uid; /* read last */
  guint32 upto_uid; /* asked for ahead up to here */
  guint streak;     /* steps upwards in a row */
  guint window;     /* how many to ask for next */
} RackAhead;

struct RackFolder
{
  RackMirror *mirror;
  guint32 id;
  char *mailbox;
  char *directory;
  RackFolder *parent;

  /* Under the tree's mutex. */
  GPtrArray *children; /* ascending by id, not owned; those that are not gone */
  GHashTable *by_name; /* directory -> RackFolder, the same */
  RackListFlags flags;
  gboolean selectable;
  gboolean gone;
  guint generation; /* of the list that named it or something below it last */
  guint listed;     /* of the list that named it itself */

  pthread_mutex_t mutex; /* guards all that follows */
  pthread_cond_t cond;   /* a job has finished */
  RackIndex index;
  guint32 row;
  gboolean complete;
  gint64 changed;
  gint64 touched;     /* monotonic, microseconds: when somebody last asked */
  gint64 fresh_until; /* monotonic: believed to be current */
  RackWant wanted;
  gboolean busy;              /* a job is queued or runs */
  guint64 finished;           /* jobs that did */
  GError *error;              /* of the last one, or NULL */
  gint64 error_time;          /* monotonic */
  GArray *events;             /* of RackEvent, to be applied */
  RackMailbox *handle;        /* NULL: not open */
  RackMailboxStatus seen;     /* what the last sync was about */
  RackWatcher *watcher;       /* under the watchers' mutex */
  const RackWatcher *watched; /* whose events come from now on */
  gboolean pushed;            /* the same, and the index is as the first of them expects it */
  gboolean missed;            /* something happened that could not be fetched */
  RackAhead ahead;
};

/* ---- tree.c ---- */
/* Asks LIST and brings the tree in line. */
gboolean rack_tree_refresh (RackMirror *mirror, GError **error);
/* A row for folder's messages; the one before is not in force any more. */
guint32 rack_tree_new_row (RackFolder *folder, guint32 uid_validity);
void rack_tree_drop_row (RackFolder *folder);
/* The folders that pass. Returns: (owned, container) */
GPtrArray *rack_tree_select (RackMirror *mirror, gboolean (*pass) (RackFolder *));
void rack_tree_free (RackMirror *mirror);

/* ---- folder.c ---- */
RackFolder *rack_folder_new (RackMirror *mirror, RackFolder *parent, guint32 id, char *mailbox,
                             char *directory);
void rack_folder_free (RackFolder *folder);
/* Notes that the members changed. With the folder's mutex held. */
void rack_folder_stamp (RackFolder *folder);
/* Returns: (owned) the open mailbox, or NULL with error set. */
RackMailbox *rack_folder_handle (RackFolder *folder, guint32 row, GError **error);
/* A literal of size octets was seen. */
void rack_folder_learn_size (RackFolder *folder, guint32 row, guint32 uid, guint64 size);
gboolean rack_mirror_trusts_sizes (RackMirror *mirror);

/* ---- sync.c ---- */
/* Has a job do it. With the folder's mutex held. */
void rack_sync_want (RackFolder *folder, RackWant want);
/* For watchers and the poller: takes the mutex. */
void rack_sync_request (RackFolder *folder, RackWant want);
/* Forgets everything about a folder's messages (UIDVALIDITY changed, or it is gone). */
void rack_sync_drop (RackFolder *folder);

/* ---- fill.c ---- */
/* Fetches what an index keeps of uids into batch (sealed). */
gboolean rack_fill (RackFolder *folder, RackMailbox *mailbox, const RackSet *uids, RackIndex *batch,
                    GError **error);

/* ---- watchers.c ---- */
RackWatchers *rack_watchers_new (RackMirror *mirror);
/* A folder is in use and its index complete: perhaps it gets a watch. */
void rack_watchers_consider (RackFolder *folder);
void rack_watchers_stop (RackFolder *folder);
/* Ends the threads; nothing is watched any more. */
void rack_watchers_end (RackWatchers *watchers);
void rack_watchers_free (RackWatchers *watchers);

/* ---- changes.c ---- */
RackChanges *rack_changes_new (void);
void rack_changes_free (RackChanges *changes);
/* The records of index, with their names if named. Does nothing if nobody listens or n is 0. */
void rack_changes_push (RackMirror *mirror, RackChangeKind kind, RackFolder *folder, guint32 row,
                        const RackIndex *index, gboolean named);
/* The records of folder's index in uids (guint32, ascending). With the folder's mutex held. */
void rack_changes_push_uids (RackMirror *mirror, RackChangeKind kind, RackFolder *folder,
                             const GArray *uids, gboolean named);
/* names: of directories below folder (char *). */
void rack_changes_push_folders (RackMirror *mirror, RackFolder *folder, const GPtrArray *names);

/* ---- bodies.c ---- */
RackBodies *rack_bodies_new (RackMirror *mirror, GError **error);
/* The mirror's cancellable is cancelled. */
void rack_bodies_free (RackBodies *bodies);
void rack_bodies_figures (RackBodies *bodies, RackMirrorFigures *figures);

/* For reading ahead. Returns: a body to be fetched by rack_bodies_run_ahead(), or NULL if it is
 * here or on its way already. */
RackBody *rack_bodies_claim (RackFolder *folder, guint32 row, guint32 uid);
/* One FETCH for all of them (owned; ascending by UID, all of folder). */
void rack_bodies_run_ahead (RackFolder *folder, GPtrArray *claimed);
gboolean rack_bodies_ahead_is_busy (RackMirror *mirror);

/* ---- ahead.c ---- */
/* A body is read for the first time: fetches ahead if this goes upwards. */
void rack_ahead_note (RackFolder *folder, guint32 row, guint32 uid);
/* Reads a few small messages to see whether their RFC822.SIZE was right. */
void rack_ahead_probe (RackFolder *folder);

G_END_DECLS
