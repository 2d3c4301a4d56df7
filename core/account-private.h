/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * account-private.h - an account as the files of the public API see it
 *
 * account.c (life, mailboxes), connect.c (a connection up to login), login.c (an
 * auth plugin at work), mailbox.c and those beside it. */
#pragma once

#include "plugin.h"
#include "pool.h"
#include "settings.h"

#include <mailrack/mailrack.h>

/* Serialises the callbacks of an auth plugin without holding up those who only close. */
typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  gboolean busy;
  GPtrArray *ended; /* attempts whose end is still to be called */
} RackAuthLock;

struct RackAccount
{
  gint references;
  char *label; /* bob@imap.example.org */
  char *identity;
  RackAccountSettings settings;
  RackHost *host;
  const RackAuthPlugin *auth;
  const RackTransportPlugin *transport;
  gpointer auth_config, transport_config; /* what the params filled */
  gpointer auth_account, transport_self;
  RackAuthLock auth_lock;
  gint qresync_refused; /* atomic: QRESYNC was offered, and using it was BAD */
  gint binding_refused; /* atomic: -PLUS was offered and did not work, the same without it did */
  RackPool *pool;
  RackNetwatch *netwatch; /* guarded by lock; NULL: nobody needed it yet */
  pthread_mutex_t lock;
  RackTrace *trace; /* always there; on or off */
  char *
      *foreign; /* guarded by lock: prefixes of namespaces that are not personal; NULL: not asked */
  RackCounters counters; /* atomic */
};

/* connect.c: a connection of its own, logged in and started. */
RackConn *rack_account_open_conn (RackAccount *account, const RackWait *wait, GError **error);
/* network.c: whether the network changed; made when it is first needed, there as long as the
 * account. */
RackNetwatch *rack_account_netwatch (RackAccount *account);
/* Before the first SELECT; costs no round trip. */
void rack_conn_enable_qresync (RackConn *conn);
/* list.c: what a STATUS says is added; the rest stays. */
void rack_mailbox_info_merge (RackMailboxInfo *info, const RackStatusData *status);
/* STATUS of each of list (RackMailboxInfo, each name once), in one flight; one that refuses is left
 * as it is. */
gboolean rack_account_ask_status (RackAccount *account, GPtrArray *list, GCancellable *cancellable,
                                  GError **error);
/* login.c: on a connection before it is started. */
gboolean rack_account_login (RackAccount *account, RackConn *conn, const RackWait *wait,
                             GError **error);
void rack_auth_lock_init (RackAuthLock *lock);
void rack_auth_lock_clear (RackAuthLock *lock);

/* A wait that ends after the account's time to connect, or when cancelled. */
RackWait rack_account_wait (RackAccount *account, GCancellable *cancellable);

/* Runs one command on any connection of the pool, again on another if the connection was lost and
 * the command is repeatable. make is called for each try. Returns: (owned) the finished call. */
typedef RackCommand *(*RackMakeCommand) (gpointer data, RackConn *conn);
RackCall *rack_account_run (RackAccount *account, RackMakeCommand make, gpointer data,
                            GCancellable *cancellable, GError **error);

gboolean rack_error_is_lost (const GError *error); /* a new connection may help */
/* It tells of the connection or of us and nothing of what was sent before. */
gboolean rack_error_is_silent (const GError *error);

/* What several tries of one command came to. */
typedef struct
{
  guint tries;
  gboolean open; /* one of them was sent and not answered: it may have been carried out */
} RackTries;
/* Whether call, which failed with problem, is to be run once more. */
gboolean rack_tries_again (RackTries *tries, const RackCall *call, const GError *problem);
/* Gives up. Takes problem: that no try came through says nothing of the one that is open. */
void rack_tries_end (const RackTries *tries, GError *problem, GError **error);
