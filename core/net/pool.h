/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pool.h - the connections of one account, shared out by mailbox
 *
 * Chooses, in this order: a connection that has the mailbox selected, one with
 * nothing selected, a new one, the one longest unused. Several callers may share a
 * connection (their commands are pipelined) as long as they want the same mailbox.
 * A pool belongs to one account, so everything that decides trust is the same. */
#pragma once

#include "conn.h"

typedef struct RackPool RackPool;

typedef enum
{
  RACK_LEASE_READ_ONLY = 1 << 0, /* EXAMINE is enough */
  RACK_LEASE_ALONE = 1 << 1,     /* nobody else on it meanwhile */
  RACK_LEASE_FRESH = 1 << 3,     /* for the layer above: what is new must show */
  RACK_LEASE_BULK = 1 << 2,      /* long work: one connection is left for the others */
  RACK_LEASE_IN_LINE = 1 << 5,   /* behind others of this kind for the same mailbox, if there are */
  RACK_LEASE_ONCE =
      1 << 6, /* for the layer above: what may have been carried out is not run again */
  RACK_LEASE_AGAIN = 1 << 4, /* select it again, unless somebody else is on the connection */
} RackLeaseFlags;

/* One caller's share of a connection. The fields are the pool's. */
typedef struct RackSlot RackSlot;
typedef struct
{
  RackSlot *slot;
  RackLeaseFlags flags;
  RackConn *conn; /* borrowed for the lease */
  RackCall
      *select; /* the SELECT or EXAMINE to wait for; NULL when no mailbox was asked for. Borrowed */
  gboolean rested; /* nobody used it for a second: it may be dead without anybody knowing */
  gboolean reused; /* the mailbox was selected before: what is new in it may not show yet */
} RackLease;

/* Makes a connection, logged in and started, on the caller's thread. */
typedef RackConn *(*RackPoolOpen) (gpointer data, const RackWait *wait, GError **error);

RackPool *rack_pool_new (guint max, RackPoolOpen open, gpointer data);
/* No lease may be out. */
void rack_pool_free (RackPool *pool);
/* mailbox: UTF-8, or NULL for any state. Blocks while all are busy with other things. */
gboolean rack_pool_acquire (RackPool *pool, const char *mailbox, RackLeaseFlags flags,
                            const RackWait *wait, RackLease *lease, GError **error);
/* deselected: the mailbox is not selected any more, or its selection cannot be trusted. */
void rack_pool_release (RackPool *pool, RackLease *lease, gboolean deselected);
/* A mailbox is about to go: no connection keeps it selected. */
void rack_pool_forget (RackPool *pool, const char *mailbox);
/* Another mailbox has this name now, but for where is_current says of the answered SELECT: it is
 * selected again for whoever comes next, and those who use it go on. */
void rack_pool_outdate (RackPool *pool, const char *mailbox,
                        gboolean (*is_current) (const RackCall *select, gpointer data),
                        gpointer data);
/* Closes those nobody uses, politely; the others when they come back. */
void rack_pool_disconnect (RackPool *pool);
