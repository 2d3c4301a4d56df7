/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fetch-private.h - a pulled FETCH on a connection that somebody else holds */
#pragma once

#include "mailbox-private.h"

/* Takes command. conn must outlive the fetch. */
RackFetch *rack_fetch_new_on (RackConn *conn, RackCommand *command, GCancellable *cancellable);
