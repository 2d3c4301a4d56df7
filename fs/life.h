/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life.h - the process of a mount: mount points, the daemon, signals
 *
 * Nothing here knows of mail.
 */
#pragma once

#include "mount.h"

/* Whether something can be mounted on directory. A dead mount of ours that is left there is cleaned
 * away. *path: (owned) the absolute path. Returns: 0, or an exit status after saying why. */
int life_check_directory (const char *directory, char **path);

/* Forks, before there are threads. Returns in the child: the descriptor for life_ready(). The
 * parent waits for that or for the child's end, and exits with the status it gave. -1: could not
 * fork; it was said. */
int life_fork (void);
/* The mount is there: leaves the terminal and lets the parent exit with 0. ready -1: there is no
 * parent that waits. */
void life_ready (int ready);

/* In a process that was forked to help: a name, nothing open but keep (3 or more) and /dev/null,
 * and what the terminal says is for the mount, not for it. */
void life_settle_child (const char *name, int keep);

/* Nobody may read our memory or find it in a core file. */
void life_protect_memory (void);

/* From now on SIGINT, SIGTERM and SIGHUP cancel cancellable, and end the loop of the session once
 * there is one. To be called by the main thread. */
gboolean life_catch_signals (GCancellable *cancellable);
void life_set_session (struct fuse_session *session);
