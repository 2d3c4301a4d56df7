/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * workers.h - requests that have to wait
 *
 * FUSE's threads never wait. A request that cannot be answered from memory becomes a
 * task: a worker thread runs its wait function, which may block, and then its answer
 * function, which replies and does not. An interrupted program gets EINTR at once,
 * whether its task waits in the queue or in the wait function.
 */
#pragma once

#include "mount.h"

typedef struct Task Task;

struct Task
{
  Mount *mount;
  fuse_req_t req;
  /* May block; FALSE with error set makes the reply. */
  gboolean (*wait) (Task *task, GCancellable *cancellable, GError **error);
  /* Replies, unless wait failed. */
  void (*answer) (Task *task);
  /* What wait and answer need. */
  fuse_ino_t ino;
  char name[256];
  size_t size;
  off_t offset;
  gboolean plus;
  struct fuse_file_info file;
  RackFolder *folder;
  gpointer handle;
  void (*dispose) (Task *task); /* frees the above where needed, after the reply; may be NULL */

  /* The workers' own. */
  Workers *workers;
  GCancellable *cancellable;
  GList link;
  gboolean queued;
};

/* Up to max threads; they come when needed and go when not. name: at most 15 characters. */
Workers *workers_new (guint max, const char *name);
/* Cancels everything and waits until it is answered. */
void workers_free (Workers *workers);
/* A task with everything else zero. */
Task *task_new (Mount *mount, fuse_req_t req, fuse_ino_t ino);
/* Takes the task and its request. */
void workers_submit (Workers *workers, Task *task);
/* A wait function: until task->folder is ready. */
gboolean wait_for_folder (Task *task, GCancellable *cancellable, GError **error);
