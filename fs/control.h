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
/* A directory; its data is control_queue_place(). */
extern const NodeOps control_queue_ops;
gpointer control_queue_place (gboolean failed);
/* Adds lines to status. */
void control_queue_describe (Mount *mount, GString *text);
/* verb: "retry" or "drop"; id: of a change, "" for all (retry). Returns: why not (owned), or NULL.
 */
char *control_queue_run (Mount *mount, const char *verb, const char *id);

/* ---- control-status.c ---- */
/* What servers say may hold anything; a line stays one line, and a terminal as it is. (owned) */
char *control_safe (const char *text);
/* A time for people. (owned) */
char *control_moment (gint64 seconds);

/* The folder after folder, of all there are, parents first; NULL: it was the last. The root is the
 * first. (A server may nest mailboxes so deeply that recursion would be the end of us.) */
RackFolder *control_next_folder (RackFolder *folder);

/* Who reads events. */
Events *events_new (void);
/* Nobody reads any more. */
void events_free (Events *events);
/* Tells them. By the notifier's thread alone. */
void events_publish (Events *events, const RackChange *change);

/* ---- control-ctl.c ---- */
/* What was written to a file that takes commands could not be done: for status. NULL: it could. */
void control_note_problem (Mount *mount, const char *problem);
