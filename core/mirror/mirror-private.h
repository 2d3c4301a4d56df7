/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mirror-private.h - what the files of this room share
 *
 * Locks, in the order in which they may be taken while another is held: the watchers'
 * mutex, a folder's mutex, the tree's mutex, the bodies' mutex, the mutex of online.c,
 * the changes' mutex, the store's (store.h); the mutex of the remembered parts is taken
 * alone. None is held while the server is asked, and none but the store's own while
 * something is written to the disk.
 */
#pragma once

#include "index.h"
#include "jobs.h"
#include "keywords.h"
#include "names.h"
#include "overlay.h"
#include "store.h"
#include "waiting.h"

#include <mailrack/mailrack-mirror.h>

G_BEGIN_DECLS

typedef struct RackBodies RackBodies;
typedef struct RackChanges RackChanges;
typedef struct RackPartsCache RackPartsCache;
typedef struct RackWatchers RackWatchers;
typedef struct RackWatcher RackWatcher;
typedef struct RackReports RackReports;
typedef struct RackNetwork RackNetwork;
typedef struct RackOnline RackOnline;
typedef struct RackThreadsCache RackThreadsCache;
typedef struct RackOutbox RackOutbox;

/* What the server can do that makes a difference here. */
typedef enum
{
  RACK_OFFERS_KNOWN = 1 << 0, /* it was asked */
  RACK_OFFERS_CONDSTORE = 1 << 1,
  RACK_OFFERS_OBJECTID = 1 << 2,
} RackOffers;

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
  RackReports *reports;
  RackNetwork *network;
  RackOnline *online;
  RackThreadsCache *threads;
  RackOutbox *outbox;
  RackStore *store;
  char *trash; /* the mailbox a person named, or NULL */
  char *notice;
  gint64 started; /* nanoseconds since the epoch */

  pthread_mutex_t tree;  /* guards ids, rows, and the tree fields of every folder */
  pthread_cond_t limits; /* of the tree's mutex: some folder's limits are known */
  GHashTable *ids;       /* id -> RackFolder (owned here), gone ones too */
  GHashTable *rows;      /* row -> RackFolder */
  RackFolder *root;
  gboolean unsaved; /* the store may lack folders; under tree */
  /* How many lists of mailboxes were asked for, and which of them the folders are from; under
   * tree. */
  guint64 lists_asked, list_applied;

  gint sizes_right; /* atomic: RFC822.SIZEs that proved right */
  gint sizes_wrong; /* atomic */
  gint probing;     /* atomic: sizes are being tried, or were */
  gint syncs;       /* atomic */
  gint offers;      /* atomic: RackOffers */
  gint separator;   /* atomic: of the levels of names, or 0 */
};

/* What is known of a folder's limits, or asked for. */
typedef enum
{
  RACK_LIMITS_RIGHTS = 1 << 0, /* MYRIGHTS */
  RACK_LIMITS_SELECT = 1 << 1, /* whether it may be written to at all */
  RACK_LIMITS_SIZES = 1 << 2,  /* of messages */
  RACK_LIMITS_ACL = 1 << 3,    /* rights are the server's word */
} RackLimitsWhat;

/* See limits.c. */
typedef struct
{
  RackRights rights;
  guint64 append_limit; /* octets of a message */
  guint64 quota;        /* the same: no message can have so many */
  RackLimitsWhat known, wanted, asking;
  gboolean busy;    /* a job is queued or runs */
  gboolean listed;  /* they come with the list */
  gint64 sizes_at;  /* monotonic: when sizes were asked */
  gint64 rights_at; /* the same of rights */
} RackLimits;

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
  guint64 pending;  /* octets asked for ahead that it has not come to */
  guint64 distance; /* how many there may be */
  guint heads;      /* large messages in a row of which only the beginning was read */
} RackAhead;

/* What a watch reported. */
typedef struct
{
  GArray *events; /* of RackEvent, without messages */
  RackRows rows;  /* what is known of new ones already */
} RackNews;

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
  gint64 gone_since; /* seconds since the epoch, or 0 */
  guint generation;  /* of the list that named it or something below it last */
  guint listed;      /* of the list that named it itself */
  RackLimits limits;

  pthread_mutex_t mutex; /* guards all that follows */
  pthread_cond_t cond;   /* a job has finished */
  RackIndex index;
  RackKeywords keywords;
  RackOverlay overlay;
  guint32 row;
  RackMailboxState state;           /* what the index is about; uid_validity 0: nothing is known */
  guint32 sent_validity, sent_next; /* what the sender knows of it; without the mutex */
  RackStoreBox box;                 /* what the store was told last; row 0: nothing */
  guint32 expected;                 /* while it is not complete: how many messages there will be */
  gboolean loaded;                  /* the index has what the store has */
  gboolean complete;
  gint64 changed, flags_changed; /* the latter may be the earlier one */
  gint64 touched;                /* monotonic, microseconds: when somebody last asked */
  gint64 fresh_until;            /* monotonic: believed to be current */
  RackWant wanted;
  gboolean busy;              /* a job is queued or runs */
  guint64 finished;           /* jobs that did */
  GError *error;              /* of the last one, or NULL */
  gint64 error_time;          /* monotonic */
  RackNews news;              /* to be applied */
  RackMailbox *handle;        /* NULL: not open */
  guint checks;               /* looks in a row that only compared numbers */
  RackWatcher *watcher;       /* under the watchers' mutex */
  const RackWatcher *watched; /* whose events come from now on */
  gboolean pushed;            /* the same, and the index is as the first of them expects it */
  gboolean replaced;          /* what was known is void; it has to be said once it is opened */
  gboolean early;  /* somebody may have a listing without what comes until it is complete */
  gboolean missed; /* what happened could not be fetched, or a look failed */
  RackAhead ahead;
};

void rack_news_init (RackNews *news);
void rack_news_clear (RackNews *news);

/* ---- mirror.c ---- */
gboolean rack_mirror_offers (RackMirror *mirror, RackOffers what);
/* Notes in the store how the sizes proved. */
void rack_mirror_save_trust (RackMirror *mirror);
/* Whether messages have names of their own. */
gboolean rack_mirror_names (const RackMirror *mirror);

/* ---- tree.c ---- */
/* Asks LIST and brings the tree in line. */
gboolean rack_tree_refresh (RackMirror *mirror, GError **error);
/* Makes the folders that the store has. */
gboolean rack_tree_load (RackMirror *mirror, GError **error);
/* A free row for folder's messages, now its own. */
guint32 rack_tree_new_row (RackFolder *folder, guint32 uid_validity);
void rack_tree_drop_row (RackMirror *mirror, guint32 row);
/* The folders that pass, which is asked with the folder's mutex held. Returns: (owned, container)
 */
GPtrArray *rack_tree_select (RackMirror *mirror, gboolean (*pass) (RackFolder *));
void rack_tree_free (RackMirror *mirror);

/* ---- folder.c ---- */
RackFolder *rack_folder_new (RackMirror *mirror, RackFolder *parent, guint32 id, char *mailbox,
                             char *directory);
void rack_folder_free (RackFolder *folder);
/* Notes that the members changed. With the folder's mutex held. */
void rack_folder_stamp (RackFolder *folder);
/* The same for their flags and keywords. */
void rack_folder_stamp_flags (RackFolder *folder);
/* How many messages the server has, as far as is known: hidden ones too. With the mutex held. */
guint32 rack_folder_count (const RackFolder *folder);
/* Returns: (owned) the open mailbox, or NULL with error set. */
RackMailbox *rack_folder_handle (RackFolder *folder, guint32 row, GError **error);
/* A literal of size octets was seen. */
void rack_folder_learn_size (RackFolder *folder, guint32 row, guint32 uid, guint64 size);
gboolean rack_mirror_trusts_sizes (RackMirror *mirror);

/* ---- entries.c ---- */
/* Those of n entries that a program gave a name are called so. */
void rack_folder_given_names (RackFolder *folder, guint32 row, RackEntry *entries, guint n);
/* base NULL: none. */
void rack_base_fill (const RackBase *base, RackEntry *entry);

/* ---- given.c ---- */
/* Messages went: what programs called them is nobody's name any more. Without the folder's mutex.
 */
void rack_folder_forget_names (RackFolder *folder, guint32 uid_validity, const RackSet *uids);

/* ---- sync.c ---- */
/* Has a job do it. With the folder's mutex held. */
void rack_sync_want (RackFolder *folder, RackWant want);
/* For watchers and the poller: takes the mutex. */
void rack_sync_request (RackFolder *folder, RackWant want);
/* Forgets everything about a folder's messages. wipe: on the disk too (its UIDVALIDITY changed);
 * else it may come back. */
void rack_sync_drop (RackFolder *folder, gboolean wipe);

/* Of a record: keywords as rows.h has them. With the folder's mutex held. */
void rack_record_set_keywords (RackRecord *record, RackKeywords *keywords, const char *text);

/* ---- publish.c: what was learnt of a folder goes to the store and the index ---- */
/* Those in rows come in. FALSE: the disk's error, or RACK_ERROR_STALE: the folder was dropped
 * meanwhile. */
gboolean rack_sync_publish (RackFolder *folder, RackMailbox *mailbox, const RackRows *rows,
                            GError **error);
/* Those in uids go. */
gboolean rack_sync_remove (RackFolder *folder, RackMailbox *mailbox, const RackSet *uids,
                           GError **error);
/* Flags and keywords of rows are as they are there; rows (that are as before) are taken out. */
gboolean rack_sync_set_flags (RackFolder *folder, RackMailbox *mailbox, RackRows *rows,
                              GError **error);
/* Notes in the store what is known of the folder's mailbox. */
gboolean rack_sync_note (RackFolder *folder, GError **error);
/* Fills the index from the store, unless that was done. */
gboolean rack_sync_load (RackFolder *folder, GError **error);

/* ---- fill.c ---- */
/* Fetches what is kept of uids, and publishes it. */
/* The FETCH items of it. Returns: (owned) */
char *rack_fill_items (RackFolder *folder);
gboolean rack_fill (RackFolder *folder, RackMailbox *mailbox, const RackSet *uids, GError **error);

/* ---- online.c: whether the server can be reached ---- */
RackOnline *rack_online_new (void);
void rack_online_free (RackOnline *online);
/* What came of asking the server something: NULL, or why it failed. */
void rack_online_note (RackMirror *mirror, const GError *problem);
/* It is the last error, whatever it is; for what was refused. */
void rack_online_say (RackMirror *mirror, const GError *problem);
/* Whether that means that it cannot be reached. */
gboolean rack_online_denies (const GError *problem);
gboolean rack_online_is (RackMirror *mirror);
/* Since when the server can be asked again, monotonic; 0: since the mirror was opened. */
gint64 rack_online_back (RackMirror *mirror);
/* Somebody says that no server is to be asked, or that this is over. Returns: whether that is new.
 */
gboolean rack_online_hold (RackMirror *mirror, gboolean held);
gboolean rack_online_is_held (RackMirror *mirror);
/* For those who are about to ask the server. FALSE at once, or after a moment in which it was tried
 * again: RACK_ERROR_NETWORK, it cannot be reached. */
gboolean rack_online_check (RackMirror *mirror, GError **error);

/* ---- limits.c ---- */
void rack_limits_init (RackLimits *limits);
/* Somebody uses the folder: its rights are wanted, if they are not known. */
void rack_limits_look (RackFolder *folder);
/* They may be others by now. */
void rack_limits_refresh (RackFolder *folder);
/* The server refused what seemed to be allowed. folder: may be NULL. */
void rack_limits_doubt (RackFolder *folder);
/* For who sends what may have waited long: asks for the rights at once unless that was done since
 * the server can be reached. FALSE: it cannot be asked. */
gboolean rack_limits_learn (RackFolder *folder, GError **error);
/* What it takes to change these. */
RackRights rack_limits_of_flags (RackFlags flags, gboolean keywords);
/* The list told them. With the tree's mutex held. Returns: whether they are others now. */
gboolean rack_limits_take_listed (RackFolder *folder, RackRights rights);

/* ---- watchers.c ---- */
RackWatchers *rack_watchers_new (RackMirror *mirror);
/* A folder is in use and its index complete: perhaps it gets a watch. */
void rack_watchers_consider (RackFolder *folder);
void rack_watchers_stop (RackFolder *folder);
void rack_watchers_stop_all (RackMirror *mirror);
/* Has the poller ask the server now, unless it did just now. */
void rack_watchers_probe (RackMirror *mirror);
/* The same, and again soon and often if that fails: the network changed. */
void rack_watchers_hurry (RackMirror *mirror);
/* Ends the threads; nothing is watched any more. */
void rack_watchers_end (RackWatchers *watchers);
void rack_watchers_free (RackWatchers *watchers);

/* ---- network.c ---- */
RackNetwork *rack_network_new (RackMirror *mirror);
void rack_network_free (RackNetwork *network);

/* ---- reports.c ---- */
RackReports *rack_reports_new (RackMirror *mirror);
/* Lets the connection go; another is made when that may be. */
void rack_reports_stop (RackReports *reports);
/* Joins the thread. */
void rack_reports_free (RackReports *reports);

/* ---- changes.c ---- */
RackChanges *rack_changes_new (void);
void rack_changes_free (RackChanges *changes);
/* The names of some messages, one for each of uids. */
typedef struct RackNames RackNames;
/* Reads them from the store. Returns: (owned) NULL if nobody listens. */
RackNames *rack_names_read (RackFolder *folder, guint32 row, const guint32 *uids, guint n);
/* records: n of them, ascending by UID, as RackChanged wants their flags; names (owned): theirs, or
 * NULL. Does nothing if nobody listens or n is 0. */
void rack_changes_push (RackFolder *folder, RackChangeKind kind, guint32 row,
                        const RackRecord *records, guint n, RackNames *names);
/* The same for what was taken away by us: the program knows. */
void rack_changes_push_taken (RackFolder *folder, guint32 row, const RackRecord *record,
                              RackNames *names);
/* A message whose flags changed. */
typedef struct
{
  RackRecord before, after;
} RackFlagged;
/* records: n of them, ascending by UID. */
void rack_changes_push_flags (RackFolder *folder, guint32 row, const RackFlagged *records, guint n);
/* ONLINE or OFFLINE. */
void rack_changes_push_state (RackMirror *mirror, RackChangeKind kind);
/* VALIDITY (row is the new one), RIGHTS or COMPLETE (row 0): what has no items. */
void rack_changes_push_bare (RackFolder *folder, RackChangeKind kind, guint32 row);
/* One name beside the mail of folder came or went. */
void rack_changes_push_local (RackFolder *folder, guint space, const char *name);
/* names: of directories below folder (char *). */
void rack_changes_push_folders (RackMirror *mirror, RackFolder *folder, const GPtrArray *names);

/* ---- bodies.c ---- */
RackBodies *rack_bodies_new (RackMirror *mirror, GError **error);
/* Out of the cache with all that nobody reads. Returns: how many octets that were. */
guint64 rack_bodies_drop (RackBodies *bodies);
/* The mirror's cancellable is cancelled. */
void rack_bodies_free (RackBodies *bodies);
/* Reads every kept body, without a mirror; drops what is wrong and adds to *dropped. */
gboolean rack_bodies_check (RackStore *store, guint64 *dropped, GError **error);
void rack_bodies_figures (RackBodies *bodies, RackMirrorFigures *figures);

/* Returns: (owned) those of the UIDs from first to last that are on disk. */
RackSet *rack_bodies_kept (RackFolder *folder, guint32 row, guint32 first, guint32 last);
/* For reading ahead what is not on disk. Returns: a body to be fetched by
 * rack_bodies_run_ahead(), or NULL if it is here or on its way already. */
RackBody *rack_bodies_claim (RackFolder *folder, guint32 row, guint32 uid);
/* One FETCH for all of them (owned; ascending by UID, all of folder); about so many octets. heads:
 * only the beginnings of those that are larger. */
void rack_bodies_run_ahead (RackFolder *folder, GPtrArray *claimed, guint64 octets, gboolean heads);
/* How many octets one more command may bring now; 0: enough are on their way. */
guint64 rack_bodies_ahead_room (RackMirror *mirror);

/* The same, but only the beginning of a message of size octets, which are believed. */
RackBody *rack_bodies_claim_head (RackFolder *folder, guint32 row, guint32 uid, guint64 size);

/* ---- ahead.c ---- */
/* What is read of a message at least when only its beginning is wanted. */
#define RACK_HEAD_OCTETS (16 << 10)
/* Whether only the beginning of this one is to be fetched, as of those before it. *size: its whole
 * size, which is believed. */
gboolean rack_ahead_wants_head (RackFolder *folder, guint32 row, guint32 uid, guint64 *size);
/* Nobody reads a message of more than RACK_HEAD_OCTETS any more. */
void rack_ahead_note_end (RackFolder *folder, guint32 row, gboolean head_only);
/* Reads a few small messages to see whether their RFC822.SIZE was right. */
void rack_ahead_probe (RackFolder *folder);

G_END_DECLS
