/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fetch-private.h - a pulled FETCH on a connection that somebody else holds */
#pragma once

#include "mailbox-private.h"

/* Takes command. conn must outlive the fetch. */
/* context is put in front of what goes wrong. */
RackFetch *rack_fetch_new_on (RackConn *conn, RackCommand *command, const char *context,
                              GCancellable *cancellable);
/* The same beside others' commands: only responses for uids (taken) are its own. vanished
 * (borrowed, or NULL): what VANISHED (EARLIER) says is added when all has come. */
RackFetch *rack_fetch_new_for (RackConn *conn, RackCommand *command, RackSet *uids,
                               RackSet *vanished, GCancellable *cancellable);
/* What a response must have to be an answer to a FETCH of items, and not a change of flags that
 * came beside it. */
RackFields rack_fetch_wanted_fields (const char *items);
