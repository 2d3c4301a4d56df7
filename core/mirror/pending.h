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

/* ---- arrivals.c ---- */
void rack_pending_fill (const RackPending *pending, RackArrival *arrival);
/* What is shown in folder under that name, or NULL. */
RackPending *rack_outbox_find_arrival (RackOutbox *outbox, RackFolder *folder, const char *name);
/* Follows moves that are done. *pending: one that is not, or NULL. */
void rack_outbox_follow (RackOutbox *outbox, guint32 *row, guint32 *uid, RackPending **pending);

G_END_DECLS
