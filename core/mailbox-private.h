/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mailbox-private.h - a mailbox as the files beside mailbox.c see it */
#pragma once

#include "account-private.h"

struct RackMailbox
{
  gint references;
  RackAccount *account;
  char *name;
  gboolean read_only;
  pthread_mutex_t lock;
  RackMailboxStatus status; /* guarded by lock */
  gboolean selected;        /* guarded by lock: status is of a SELECT */
};

/* A lease of a connection on which the mailbox is selected under its UIDVALIDITY. */
gboolean rack_mailbox_lease (RackMailbox *mailbox, RackLeaseFlags flags, GCancellable *cancellable,
                             RackLease *lease, GError **error);
/* lost: what was tried on it failed because the connection did. */
void rack_mailbox_release (RackMailbox *mailbox, RackLease *lease, gboolean lost);

/* Has the server show what is new in the mailbox: on a lease that was reused, a UID that somebody
 * heard of elsewhere may not be known yet, and a FETCH of it says OK without data. */
gboolean rack_lease_refresh (const RackLease *lease, GCancellable *cancellable, GError **error);

/* Runs a command on the mailbox, again if it is repeatable and the connection was lost. Returns:
 * (owned) the finished call. what: for the error, "store". */
RackCall *rack_mailbox_run (RackMailbox *mailbox, RackLeaseFlags flags, const char *what,
                            RackMakeCommand make, gpointer data, GCancellable *cancellable,
                            GError **error);
/* The same for a command about these UIDs, all of which its connection must have been shown. */
RackCall *rack_mailbox_run_on (RackMailbox *mailbox, RackLeaseFlags flags, const char *what,
                               const RackSet *uids, RackMakeCommand make, gpointer data,
                               GCancellable *cancellable, GError **error);
/* UIDs that UID SEARCH finds with criteria that are added by add. */
RackSet *rack_mailbox_find_uids (RackMailbox *mailbox,
                                 void (*add) (RackCommand *command, gpointer data), gpointer data,
                                 GCancellable *cancellable, GError **error);
/* The mailbox of that name has this UIDVALIDITY now (0: it did not say): connections that have an
 * earlier one selected are not used for it again as they are. */
void rack_account_heard_validity (RackAccount *account, const char *name, guint32 uid_validity);
/* Fills in what the answer to a SELECT says; .read_only aside. */
void rack_mailbox_read_select (const RackReply *reply, RackMailboxStatus *status);
/* RACK_ERROR_STALE */
void rack_mailbox_set_stale (GError **error);
guint32 rack_mailbox_validity (RackMailbox *mailbox);
void rack_mailbox_prefix (RackMailbox *mailbox, const char *what, GError **error);
