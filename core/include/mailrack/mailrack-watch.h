/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mailrack-watch.h - what happens in mailboxes: one, an account's, or many
 *
 * Part of mailrack.h, which includes it, and whose rules hold here too. A RackWatch has one
 * connection for one mailbox and is the fastest to tell; a RackAccountWatch hears which mailboxes
 * changed, and not how; a RackWatcher tells of many what happened in them. */
#pragma once

#include <mailrack/mailrack.h>

G_BEGIN_DECLS

/* ---- Watch: what changed, pushed by the server ----------------------------- */

typedef enum
{
  RACK_EVENT_ADDED = 1,   /* uid */
  RACK_EVENT_REMOVED = 2, /* uid */
  RACK_EVENT_FLAGS = 3,   /* uid, flags */
  RACK_EVENT_RESET = 4,   /* the connection was lost or UIDs are void: look at everything again */
  RACK_EVENT_GONE = 5,    /* a watcher's: the mailbox is not there any more */
} RackEventKind;

typedef struct
{
  RackEventKind kind;
  guint32 uid;
  RackFlags flags;
  const RackMessage
      *message; /* of ADDED, after rack_watch_want(); borrowed until the next call;
                 * NULL when it was learnt in another way, or has too many beside it */
} RackEvent;

typedef struct RackWatch RackWatch;
/* Holds one connection of its own, in IDLE (without IDLE: NOOP every minute). Knows the
 * mailbox' UIDs from then on; what was there is not reported. */
RACK_API RackWatch *rack_mailbox_watch (RackMailbox *mailbox, GCancellable *cancellable,
                                        GError **error);
/* What is fetched of a new message (such as "FLAGS RFC822.SIZE ENVELOPE") in the round trip that
 * finds out about it. Before the first rack_watch_next(). */
RACK_API void rack_watch_want (RackWatch *watch, const char *items);
/* Blocks until something happens. Survives reconnects: what changed meanwhile is reported. */
RACK_API gboolean rack_watch_next (RackWatch *watch, RackEvent *event, GCancellable *cancellable,
                                   GError **error);
RACK_API void rack_watch_free (RackWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackWatch, rack_watch_free)

typedef enum
{
  RACK_ACCOUNT_MAILBOX = 1, /* something happened in .mailbox */
  RACK_ACCOUNT_NAMES = 2,   /* mailboxes came, went or were subscribed: list them again */
  RACK_ACCOUNT_RESET = 3,   /* reports were lost: list and look at everything again */
} RackAccountEventKind;

typedef struct
{
  RackAccountEventKind kind;
  /* Of MAILBOX: its name, and what .status_items says is known of it now; no flags. */
  const RackMailboxInfo *mailbox;
} RackAccountEvent;

typedef struct RackAccountWatch RackAccountWatch;
/* Has the server report every personal mailbox in which messages come, go or change flags (NOTIFY,
 * RFC 5465), on one connection of its own. Begins with a report of each mailbox as it is now.
 * RACK_ERROR_UNSUPPORTED: the server cannot; there is rack_mailbox_watch(), and polling. */
RACK_API RackAccountWatch *rack_account_watch (RackAccount *account, GCancellable *cancellable,
                                               GError **error);
/* Blocks until there is one. Reports about one mailbox that was not asked for yet are merged.
 * Survives reconnects: RESET, and a report of each mailbox again. Returns: borrowed until the next
 * call; NULL with error set. */
RACK_API const RackAccountEvent *
rack_account_watch_next (RackAccountWatch *watch, GCancellable *cancellable, GError **error);
RACK_API void rack_account_watch_free (RackAccountWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackAccountWatch, rack_account_watch_free)

/* ---- Watcher: many mailboxes at once ------------------------------------------ */

typedef struct RackWatcher RackWatcher;

typedef struct
{
  gsize size;                   /* sizeof (RackWatcherOptions) */
  const char *const *mailboxes; /* NULL-terminated; NULL: all that can be selected, but for those
                                 * whose messages are also in others (\All, \Flagged, \Important) */
  const char *items; /* fetched of each new message, such as "FLAGS RFC822.SIZE ENVELOPE";
                      * NULL: nothing */
  guint connections; /* at most so many in IDLE where the server has no NOTIFY, for the
                      * mailboxes named first (of all: INBOX, and those in which messages
                      * came lately); 0: 3 */
  gint64 poll;       /* milliseconds between looks at what no connection watches, and at
                      * the rest in case a report was lost; 0: a minute */
  /* What rack_watcher_save() gave of an earlier watcher of this account: what happened since is
   * told. NULL: it begins now. Borrowed for the call. */
  const char *state;
  /* Called on the thread that is in rack_watcher_next(), before it waits, when everything that was
   * found has been given out and something was since the last time: the time to save. NULL: none.
   */
  void (*settled) (RackWatcher *watcher, gpointer data);
  gpointer settled_data;
} RackWatcherOptions;

typedef struct
{
  RackEventKind kind;
  const char *mailbox;
  guint32 uid_validity;
  guint32 uid; /* of ADDED, REMOVED, FLAGS */
  /* Of FLAGS, and of ADDED where .message is there. */
  RackFlags flags;
  const char *const *keywords; /* NULL-terminated */
  const RackMessage *message;  /* of ADDED: what was asked for; NULL when that could not be had,
                                * as it was gone again, or nothing was asked for */
} RackWatcherEvent;

/* Watches mailboxes from now on: what comes later is told once, whatever becomes of connections in
 * between, and what vanishes of what was there when it was first looked at, which is the first
 * thing that rack_watcher_next() does. One connection hears of changes everywhere (NOTIFY), or a
 * few of some mailboxes (IDLE); one more looks what they are. Flags are told where the server has
 * mod-sequences (CONDSTORE). A mailbox that comes later is watched when all are, and all its
 * messages are new. RACK_EVENT_RESET: UIDs of that mailbox are void, and what is in it now counts
 * as known. The account outlives it no longer than any other; its host may be asked from threads
 * of the watcher. options may be NULL. RACK_ERROR_NOT_FOUND: one that was named is not there;
 * RACK_ERROR_INVALID: .state is none of this account's. */
RACK_API RackWatcher *rack_watcher_new (RackAccount *account, const RackWatcherOptions *options,
                                        GCancellable *cancellable, GError **error);
/* Blocks until something happens. Networks that are gone, servers that restart and mailboxes that
 * come and go are waited for; FALSE: what does not get better by waiting, as when the password is
 * not taken any more. event's strings are borrowed until the next call. */
RACK_API gboolean rack_watcher_next (RackWatcher *watcher, RackWatcherEvent *event,
                                     GCancellable *cancellable, GError **error);
/* How many mailboxes it watches, and how many of them are pushed by the server now. */
RACK_API guint rack_watcher_mailboxes (RackWatcher *watcher, guint *pushed);
/* What it knows, for the .state of another, as lines of text; what was given out counts as told.
 * Only while nobody is in rack_watcher_next(), or from .settled. Returns: (owned) or NULL while
 * something was found that was not given out yet; not so when rack_watcher_next() has returned
 * FALSE or .settled is called. */
RACK_API char *rack_watcher_save (RackWatcher *watcher);
RACK_API void rack_watcher_free (RackWatcher *watcher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackWatcher, rack_watcher_free)

G_END_DECLS
