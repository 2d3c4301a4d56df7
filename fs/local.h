/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local.h - files and directories of programs beside the mail, as nodes
 *
 * What is called as mail is becomes mail: when the last program that writes it has
 * closed it, when it is renamed to such a name, or at fsync(). All else stays here:
 * swap files of editors, temporary ones of rsync, directories beginning with a dot.
 */
#pragma once

#include "nodes.h"
#include "spots.h"

/* Returns: (owned) */
Node *local_node (Mount *mount, RackLocal *local);
/* Whether ino is a local directory. */
gboolean local_is_directory (Mount *mount, fuse_ino_t ino);
/* The number that programs see, without a node. */
fuse_ino_t local_number (const RackLocalFacts *facts);
/* Borrowed; NULL: node is something else. */
RackLocal *local_of (Node *node);

/* Whether it is mail by now, or nothing: then it is not under its own number any more, but for
 * those who have it open. */
gboolean local_has_ended (RackLocal *local, RackLocalFacts *facts);
/* Whether anybody may read what is written to it. */
gboolean local_is_read (Node *node);
/* It is a copy of a message: if nobody writes to it, it goes when it is closed. */
void local_mark_pristine (Node *node);

/* ---- local-commit.c ---- */

/* If local is to be mail, is not empty, and nobody writes it, it is queued; and *ticket set, which
 * stays as it is otherwise. It takes the disk. Returns: 0 or an errno. */
int local_settle (Mount *mount, RackLocal *local, RackTicket *ticket);
/* The same after a rename within mail: what is queued already is queued as what it is called now.
 */
int local_settle_renamed (Mount *mount, RackLocal *local);
/* Until the server has it, even if it is being written; or until it is on the disk, if it is not to
 * be mail. Returns: 0 or an errno. */
int local_commit (Mount *mount, RackLocal *local, GCancellable *cancellable);
/* Whether it has been sent, but is not seen as a message yet: waits until it is. FALSE: it was not
 * sent, or somebody was interrupted. */
gboolean local_await_message (RackLocal *local, GCancellable *cancellable);
/* What earlier processes left behind when they ended between a program's close and its commit is
 * mail too: a thread that looks at all folders once. */
typedef struct Recovery Recovery;
Recovery *recovery_start (Mount *mount);
void recovery_stop (Recovery *recovery);
/* All that programs still have open: the mount ends. */
void local_settle_all (Mount *mount);

/* ---- local-file.c ---- */

/* The state of an open file that all handles share; of its node. */
typedef struct
{
  RackLocal *local;
  pthread_mutex_t mutex; /* guards what is below; held for moments */
  guint handles, writers;
  guint readers;          /* handles that may read; a writer may, too */
  gboolean pristine;      /* a copy of a message that nobody has written to */
  guint64 hole;           /* octets from here on could not be written; G_MAXUINT64: all could */
  int hole_errno;         /* why */
  gboolean unsynced;      /* octets were written since they were last on the disk */
  RackTicket ticket;      /* the last it was queued with */
  pthread_mutex_t octets; /* who writes, or decides about what was written, holds it */
  gboolean touched;       /* rack_local_touch() was called since it was last queued */
} LocalData;

/* ---- local.c, for local-file.c ---- */
void local_data_free (gpointer data);
double local_getattr (Node *node, struct stat *out);
int local_set (Node *node, const struct stat *attributes, int which, GCancellable *cancellable);

extern const NodeOps local_file_ops, local_directory_ops;
