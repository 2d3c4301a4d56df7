/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-private.h - the watch of one mailbox, as its two files see it
 *
 * watch.c (what is heard, life, the next event), watch-uids.c (which messages there are). */
#pragma once

#include "fetch-private.h"
#include "watch-line.h"

struct RackWatch
{
  RackMailbox *mailbox;
  RackWatchLine line;
  char *items; /* what is fetched of new messages; NULL: nothing */
  RackFields wanted;
  RackFetch *fetch; /* of new messages, under way; or NULL */
  guint32 since;    /* the lowest UID it may show */
  /* Guarded by line.lock. */
  RackSet *known; /* UIDs */
  RackSet
      *gone; /* UIDs that vanished while the server was asked which there are; NULL: it is not */
  GQueue events;  /* RackEvent *, not given out yet */
  guint32 exists; /* what the server said last */
};

/* The UID of a sequence number, while what is known is in step with the server; 0: there is none.
 * With the lock held. */
guint32 rack_watch_uid_of (RackWatch *watch, guint32 seq);
/* With the lock held. */
void rack_watch_push (RackWatch *watch, RackEventKind kind, guint32 uid, RackFlags flags);
void rack_watch_push_set (RackWatch *watch, const RackSet *uids, RackEventKind kind);

/* Asks for all UIDs that there are, the first time. */
gboolean rack_watch_learn (RackWatch *watch, GCancellable *cancellable, GError **error);
/* Compares everything with what was known. */
gboolean rack_watch_compare (RackWatch *watch, GCancellable *cancellable, GError **error);
/* Looks above the highest UID known: at once, or by a fetch that rack_watch_next_fetched() reads.
 */
gboolean rack_watch_look_for_new (RackWatch *watch, GCancellable *cancellable, GError **error);
/* FALSE: there is nothing more of the fetch; with error if it failed. */
gboolean rack_watch_next_fetched (RackWatch *watch, RackEvent *event, GCancellable *cancellable,
                                  GError **error);
