/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * netwatch.h - whether the way to servers may have changed
 *
 * The machine slept, or its addresses or routes changed: a connection that looks well may
 * be dead, and a server that could not be reached may be there. One thread hears of that
 * and tells whoever asked to be told. */
#pragma once

#include <gio/gio.h>

typedef struct RackNetwatch RackNetwatch;

/* Called on the thread of the watch; sets a flag and wakes somebody, no more. */
typedef void (*RackNetwatchFunc) (gpointer data);

RackNetwatch *rack_netwatch_new (void);
/* After everybody was removed. */
void rack_netwatch_free (RackNetwatch *watch);
/* Returns: for rack_netwatch_remove(); never 0. */
guint rack_netwatch_add (RackNetwatch *watch, RackNetwatchFunc func, gpointer data);
/* Waits until something happened after what *seen says, and everybody was told. FALSE: cancelled.
 */
gboolean rack_netwatch_wait (RackNetwatch *watch, guint64 *seen, GCancellable *cancellable);
/* func is not running any more when this returns, so it must not be called by func, nor with a lock
 * held that func takes. */
void rack_netwatch_remove (RackNetwatch *watch, guint id);
