/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * control.h - .mailrack: what the mount says of itself and what it can be told
 */
#pragma once

#include "nodes.h"

/* The files in it. */
extern const NodeOps control_status_ops;
extern const NodeOps control_events_ops;

/* Who reads events. */
Events *events_new (void);
/* Nobody reads any more. */
void events_free (Events *events);
/* Tells them. By the notifier's thread alone. */
void events_publish (Events *events, const RackChange *change);
