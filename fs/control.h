/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * control.h - .mailrack: what the mount says of itself and what it can be told
 */
#pragma once

#include "nodes.h"

/* The files in it. */
extern const NodeOps control_status_ops;
extern const NodeOps control_events_ops;
extern const NodeOps control_ctl_ops;

/* The folder after folder, of all there are, parents first; NULL: it was the last. The root is the
 * first. (A server may nest mailboxes so deeply that recursion would be the end of us.) */
RackFolder *control_next_folder (RackFolder *folder);

/* Who reads events. */
Events *events_new (void);
/* Nobody reads any more. */
void events_free (Events *events);
/* Tells them. By the notifier's thread alone. */
void events_publish (Events *events, const RackChange *change);
