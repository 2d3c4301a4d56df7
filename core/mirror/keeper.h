/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * keeper.h - bodies that outlive the process
 *
 * A thread that makes bodies durable, many at a time: first their octets, then the rows that say
 * where they are. It also takes away what was not used for longest when there is more than the
 * limit allows. A row is gone before its octets are.
 */
#pragma once

#include "body-private.h"

/* Looks at what is there from before and starts the thread. */
gboolean rack_keeper_start (RackBodies *bodies, GError **error);
/* Makes everything durable that is still to be, and ends the thread. No body is fetched any more.
 */
void rack_keeper_end (RackBodies *bodies);

/* ---- with the bodies' mutex held ---- */
/* A whole body, new or used again: it will be noted. Pins it until then. */
void rack_keeper_note (RackBody *body);
/* There may be too much. */
void rack_keeper_wake (RackBodies *bodies);

/* ---- without it ---- */
/* Takes away at least so many octets, if it can. FALSE: nothing could go. */
gboolean rack_keeper_make_room (RackBodies *bodies, guint64 octets);
/* The octets of a row are not what they were. Takes it away, if it is still there. */
void rack_keeper_drop (RackBodies *bodies, const RackStoreBody *row);
