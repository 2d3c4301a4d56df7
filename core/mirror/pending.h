/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pending.h - what the files about changes of messages share; all with the outbox' mutex held
 */
#pragma once

#include "outbox.h"

G_BEGIN_DECLS

/* Of the tables of RackOutbox. */
gint64 rack_pending_key (guint32 row, guint32 uid);

/* ---- messages.c ---- */
/* Where the message is that was row and uid. With the outbox' mutex held, which is let go while
 * the message is being moved. Returns: NULL, or the move that is not sent yet; *folder NULL: it is
 * nowhere. */
RackPending *rack_pending_locate (RackOutbox *outbox, RackFolder **folder, guint32 *row,
                                  guint32 *uid, GError **error);

/* ---- pending.c ---- */
/* It is not shown in its target any more. */
void rack_pending_depart (RackOutbox *outbox, RackPending *pending);
/* It is called something else, in another folder: as the target and names of that one, which gives
 * its texts away. */
void rack_pending_redirect (RackOutbox *outbox, RackPending *pending, const RackPending *as);

/* ---- arrivals.c; with shown held too ---- */
void rack_arrivals_init (RackOutbox *outbox);
void rack_arrivals_clear (RackOutbox *outbox);
void rack_arrivals_add (RackOutbox *outbox, RackPending *pending);
void rack_arrivals_remove (RackOutbox *outbox, RackPending *pending);

/* ---- arrivals.c; with shown held, which is enough ---- */
void rack_pending_fill (const RackPending *pending, RackArrival *arrival);
/* What is shown in folder under that name, or NULL. */
RackPending *rack_outbox_find_arrival (RackOutbox *outbox, RackFolder *folder, const char *name);
/* Follows moves that are done. *pending: one that is not, or NULL. */
void rack_outbox_follow (RackOutbox *outbox, guint32 *row, guint32 *uid, RackPending **pending);

/* ---- arrivals.c; without it ---- */
/* It is done, and shown until it is seen. */
void rack_outbox_land (RackOutbox *outbox, RackPending *pending);
/* The one of those that became uid in folder, or NULL. */
RackPending *rack_outbox_find_landed (RackOutbox *outbox, const RackFolder *folder, guint32 uid);
/* What the server has moved to folder, whether or not it is in the index yet; it is about to go on
 * from there, so it is not shown as an arrival any more. FALSE: nothing is known of that. */
gboolean rack_outbox_take_moved (RackOutbox *outbox, RackFolder *folder, guint32 uid,
                                 RackRecord *record);

G_END_DECLS
