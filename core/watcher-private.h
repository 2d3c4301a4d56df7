/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watcher-private.h - many mailboxes watched at once, as the files of the watcher see it
 *
 * watcher.c (life, what is done next), watcher-box.c (what changed in one mailbox),
 * watcher-list.c (which mailboxes, and looking at all of them), watcher-hear.c (threads that are
 * told that something happened somewhere), watcher-keep.c (what is known as a text). */
#pragma once

#include "fetch-private.h"
#include "watch-line.h"

/* An event that was not given out yet. */
typedef struct
{
  RackEventKind kind;
  const char *mailbox; /* the box', which stays as long as the watcher */
  guint32 uid_validity, uid;
  RackFlags flags;
  char **keywords;
} RackTold;
void rack_told_free (RackTold *told);

/* A mailbox, and what was told of it. */
typedef struct
{
  char *name;
  RackMailbox *mailbox;    /* NULL: not looked at yet */
  RackMailboxState state;  /* of .known; before the first look, what counts as known: see .known */
  RackSet *known;          /* UIDs it has; before the first look: those below state.uid_next, or all
                            * if that is 0 */
  RackSet *seen;           /* every UID it ever had: no message is told twice */
  RackSet *fresh;          /* to be told as ADDED */
  GHashTable *flags;       /* UID -> digest of the flags that were told last */
  RackMailboxInfo counted; /* what the server counted when it was looked at last; no .name */
  RackMailboxInfo now;     /* the same of when it was found to be dirty */
  guint activity;          /* messages that came, fading: see below */
  gboolean dirty;          /* something happened that was not looked at */
  gboolean absent;         /* it is not there */
  gboolean listed;         /* while a list is gone through */
} RackWatcherBox;

/* What a message that comes adds to .activity, and which part of it each poll takes away: after
 * some 22 of them half is left. */
enum
{
  RACK_WATCHER_ARRIVAL = 1 << 8,
  RACK_WATCHER_FADES = 1 << 5,
};

/* What the threads say; guarded by lock. */
typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  GHashTable *reports; /* name -> RackMailboxInfo, owned; .status_items 0: it is not known how it
                        * is */
  gboolean all;        /* anything may have happened */
  gboolean network;    /* it may have changed */
  GError *problem;     /* that does not get better */
} RackWatcherNews;

typedef struct RackWatcherEar RackWatcherEar; /* one of the threads */

struct RackWatcher
{
  RackAccount *account;
  char **names; /* NULL: all */
  char *items;  /* what is fetched of new messages, or NULL */
  guint connections;
  gint64 poll; /* microseconds */
  void (*settled) (RackWatcher *watcher, gpointer data);
  gpointer settled_data;
  gboolean moved;    /* something is known or was given out since that was called */
  gboolean knew_all; /* an earlier watcher, whose state was given, watched all mailboxes */
  GPtrArray *boxes;
  GHashTable *by_name;
  guint turn; /* which box is looked at first */
  GQueue events;
  RackTold *given;
  RackFetch *fetch; /* of .fetched's fresh messages */
  RackWatcherBox *fetched;
  guint tries; /* of that fetch */
  gint64 poll_at, retry_at;
  guint backoff;
  guint network_id;
  GPtrArray *ears;
  RackWatcherNews news;
};

/* ---- watcher-box.c ---- */

RackWatcherBox *rack_watcher_box_new (const char *name);
void rack_watcher_box_free (RackWatcherBox *box);
/* Finds out what changed and puts it into watcher->events and box->fresh: all of it, or on failure
 * nothing. */
gboolean rack_watcher_look (RackWatcher *watcher, RackWatcherBox *box, GCancellable *cancellable,
                            GError **error);
/* Something happened in it, unless info (may be NULL) is how it was when it was looked at. */
void rack_watcher_box_touch (RackWatcherBox *box, const RackMailboxInfo *info);
/* Its UIDs mean nothing any more; says so. */
void rack_watcher_forget (RackWatcher *watcher, RackWatcherBox *box);
/* The flags that a message has, as it is given out: FALSE if they were told already. */
gboolean rack_watcher_box_note_flags (RackWatcherBox *box, guint32 uid, RackFlags flags,
                                      const char *const *keywords);
void rack_watcher_push (RackWatcher *watcher, RackWatcherBox *box, RackEventKind kind, guint32 uid);

/* ---- watcher-list.c ---- */

/* Of a mailbox that is watched from now on; it is not looked at by that. */
RackWatcherBox *rack_watcher_add_box (RackWatcher *watcher, const char *name);
gboolean rack_watcher_is_named (const RackWatcher *watcher, const char *name);
/* The mailboxes there are to begin with, and how far they are known. */
gboolean rack_watcher_begin (RackWatcher *watcher, GCancellable *cancellable, GError **error);
/* Looks at all of them from afar (STATUS), and for ones that came or went. */
gboolean rack_watcher_poll (RackWatcher *watcher, GCancellable *cancellable, GError **error);
/* What somebody says of it; without .status_items only that something happened. */
void rack_watcher_take_report (RackWatcherBox *box, const RackMailboxInfo *info);
/* It is not there any more; what is known of it is kept, for if it comes back. */
void rack_watcher_lose (RackWatcher *watcher, RackWatcherBox *box);

/* ---- watcher-keep.c ---- */

/* Before rack_watcher_begin(): mailboxes as rack_watcher_save() gave them. */
gboolean rack_watcher_restore (RackWatcher *watcher, const char *state, GError **error);
/* After it: those that are others now are forgotten, and what was to be told of them. */
void rack_watcher_check_restored (RackWatcher *watcher);

/* ---- watcher-hear.c ---- */

void rack_watcher_news_init (RackWatcherNews *news);
void rack_watcher_news_clear (RackWatcherNews *news);
/* NOTIFY, or without it IDLE for as many mailboxes as there may be connections. */
gboolean rack_watcher_listen (RackWatcher *watcher, GCancellable *cancellable, GError **error);
/* Where messages came lately there is a connection rather than elsewhere. After each poll. */
void rack_watcher_listen_better (RackWatcher *watcher);
void rack_watcher_listen_no_more (RackWatcher *watcher);
void rack_watcher_ear_free (RackWatcherEar *ear);
