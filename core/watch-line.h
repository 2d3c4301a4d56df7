/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-line.h - a connection that waits to be told something, and comes back when it is lost
 *
 * What watches have in common: hints from the connection's thread to the one that waits, a pause
 * before another attempt, and an end of the pause when the network changed. What the hints are
 * about, and what is asked because of them, is each watch's own. */
#pragma once

#include "account-private.h"

typedef enum
{
  RACK_HINT_EXISTS = 1 << 0,
  RACK_HINT_EXPUNGE = 1 << 1,
  RACK_HINT_FLAGS = 1 << 2,
  RACK_HINT_NEWS = 1 << 3,    /* something was put where the watch finds it */
  RACK_HINT_DIED = 1 << 4,    /* the connection */
  RACK_HINT_NETWORK = 1 << 5, /* it may have changed */
} RackHints;

typedef struct
{
  RackAccount *account;
  RackConn *conn; /* NULL: lost */
  guint backoff;  /* seconds to wait before connecting again; 0 at first */
  guint network_id;
  pthread_mutex_t lock; /* also for what the watch is told on the connection's thread */
  pthread_cond_t changed;
  guint hints; /* RackHints; guarded by lock */
} RackWatchLine;

void rack_watch_line_init (RackWatchLine *line, RackAccount *account);
/* Hangs up. */
void rack_watch_line_clear (RackWatchLine *line);

/* A connection of its own, logged in, with QRESYNC asked for where there is one; hear is told, on
 * the connection's thread, what belongs to no command. */
gboolean rack_watch_line_connect (RackWatchLine *line, RackNews hear, gpointer data,
                                  GCancellable *cancellable, GError **error);
/* Runs a command on it; NO and BAD are errors. Takes command. mailbox: what it selects, or NULL. */
RackCall *rack_watch_line_expect (RackWatchLine *line, RackCommand *command, const char *mailbox,
                                  GCancellable *cancellable, GError **error);
/* All was asked that was to be asked: it works, and idles from now on. */
void rack_watch_line_settle (RackWatchLine *line);
void rack_watch_line_hang_up (RackWatchLine *line);

/* Any thread. */
void rack_watch_line_hint (RackWatchLine *line, guint hints);
/* Waits until there are hints, and takes them. Returns: 0 when it was cancelled. */
guint rack_watch_line_wait (RackWatchLine *line, GCancellable *cancellable);
/* Before another attempt to connect: longer each time, until one settles; not at all the first
 * time, and no longer when the network changes. */
void rack_watch_line_pause (RackWatchLine *line, GCancellable *cancellable);

/* Whether another attempt may do better: credentials and certificates do not change by
 * themselves. */
gboolean rack_watch_may_recover (const GError *error);
