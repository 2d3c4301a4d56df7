/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * routes.h - whether this machine's addresses and routes changed
 *
 * What the kernel says by rtnetlink(7). It also repeats what it said before (an IPv6
 * address gets a new lifetime every few minutes) and tells of much that leads nowhere
 * (the link-local address of every container): neither is a change here. */
#pragma once

#include <glib.h>

typedef struct RackRoutes RackRoutes;

/* NULL: the kernel does not let us listen. */
RackRoutes *rack_routes_new (void);
void rack_routes_free (RackRoutes *routes);
/* To be polled for reading; does not block. */
int rack_routes_fd (const RackRoutes *routes);
/* Takes what is there to be read. Returns: whether something changed. */
gboolean rack_routes_take (RackRoutes *routes);
/* One datagram as the kernel sends it. For tests. */
gboolean rack_routes_take_datagram (RackRoutes *routes, const void *data, gsize size);
