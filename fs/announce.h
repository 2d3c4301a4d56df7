/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * announce.h - new, gone and renamed mail for programs that watch directories (inotify, fanotify)
 *
 * The kernel raises these events for system calls alone, not for what a file system
 * tells it. So a helper process makes the call: it creates, removes or renames, through
 * the mount, exactly the name that came, went or changed, and is recognised by its process number;
 * for the helper, and for that one name, a new message is not there yet and a gone one
 * still is. The call changes nothing: the mirror knows already. Everybody else's
 * calls are refused as ever.
 *
 * It is a process and not a thread, because a process that waits for itself in the
 * kernel cannot be killed. Directories that nobody may write to are no obstacle: the
 * helper puts itself into a user namespace of its own, in which it may do to its own
 * user's files what root may.
 */
#pragma once

#include "view.h"

/* What the helper does. */
typedef enum
{
  ANNOUNCE_FILE = 'f',
  ANNOUNCE_DIRECTORY = 'd',
  ANNOUNCE_NO_FILE = 'u',
  ANNOUNCE_NO_DIRECTORY = 'r',
  ANNOUNCE_MOVE = 'm', /* a file has another name now */
} AnnounceKind;

/* ---- announce-helper.c ---- */

typedef struct
{
  pid_t pid;
  int socket; /* -1: there is no helper */
} AnnounceHelper;

/* Forks the helper, before there are threads, secrets and a mount. uid, gid: whom the files belong
 * to. FALSE: it could not be started. */
gboolean announce_helper_start (AnnounceHelper *helper, uid_t uid, gid_t gid);
/* Has it done for path. from: where a MOVE comes from, else NULL. Returns: 0 or an errno. */
int announce_helper_call (AnnounceHelper *helper, AnnounceKind kind, const char *path,
                          const char *from);
/* Lets it end. wait: until it has; only for one that was never called. */
void announce_helper_stop (AnnounceHelper *helper, gboolean wait);

/* ---- announce.c ---- */

/* The thread that has names announced. path: the mount point. helper: (owned) */
Announcer *announcer_start (Mount *mount, const char *path, const AnnounceHelper *helper);
/* FALSE: the kernel does not let it go; see notifier_stop(). */
gboolean announcer_stop (Announcer *announcer);
/* Announces what change brought; after the kernel was told to forget. Never waits. */
void announcer_push (Announcer *announcer, const RackChange *change);
/* Whether req is the helper's, about a name being announced now. *comes: into being, or it goes. */
gboolean announcer_knows (Mount *mount, fuse_req_t req, fuse_ino_t parent, const char *name,
                          gboolean *comes);
/* Answers such a request: a lookup, or (the other one) the call itself. */
void announcer_answer_lookup (Mount *mount, fuse_req_t req, gboolean comes);
void announcer_answer_call (Mount *mount, fuse_req_t req, gboolean comes);
/* For people: "yes", or why not. (owned) */
char *announcer_describe (Announcer *announcer);
