/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guard.h - a process that lets a mount die whose process was killed
 *
 * A thread that tells the kernel to forget a name waits there, and nothing interrupts it,
 * for the directory's lock. Who lists that directory holds the lock and waits for our
 * answer. When we are killed at that moment, no answer comes, the thread never ends, so
 * neither does the process, and the kernel does not take the mount for dead: whoever
 * touches it hangs. Only aborting the connection ends that, and somebody else must do it.
 *
 * A process cannot be seen to be dying by its descriptors, which it keeps to its last
 * thread, but a child is told when the thread that made it ends.
 */
#pragma once

#include <glib.h>

typedef struct
{
  int socket; /* -1: there is no guard */
} Guard;

/* Forks the guard, before there are threads, secrets and a mount. To be called by the main thread:
 * when that ends, by whatever it may be, the connection is aborted. FALSE: it could not be started.
 */
gboolean guard_start (Guard *guard);
/* What it guards from now on: what is mounted on path. FALSE: it cannot abort that here. */
gboolean guard_watch (Guard *guard, const char *path);
