/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * worker-private.h - what the files of the worker share
 *
 * worker.c (the thread, its jobs, and running lines), worker-rest.c (between them), worker-news.c
 * (what came), worker-list.c (names for completion). Nobody else includes this. */
#pragma once

#include "worker.h"

#include <pthread.h>

typedef enum
{
  JOB_RUN,
  JOB_LIST,
  JOB_END,
} JobKind;

typedef struct
{
  JobKind kind;
  char *text; /* of RUN */
} Job;

struct Worker
{
  Shell *shell;
  char *cache_dir;
  const WorkerOps *ops;
  gpointer data;
  GThread *thread;
  GAsyncQueue *jobs;
  gint n_posted; /* atomic: jobs that are in the queue, or as good as */
  /* shell->cancellable is one of them: of the line that runs, and of all else. */
  GCancellable *line, *rest;
  gint draining; /* atomic */

  /* The worker's own. */
  guint selections;    /* shell->selections when the rest of this was set */
  guint32 uid_next;    /* what came has at least this UID; 0: unknown */
  guint64 told;        /* RackSessionCounts.told that were looked at */
  guint64 fresh;       /* as in WorkerFacts */
  guint64 messages;    /* at the last look */
  guint retries;       /* that failed since the connection was lost */
  gint64 connected_at; /* when it was made again last */
  char *complaint;     /* said last */
  gboolean read_cache; /* was done */

  pthread_mutex_t lock; /* of all below */
  WorkerFacts facts;
  GPtrArray *mailboxes, *flags; /* new ones replace them: never changed */
  gint64 listed_at;             /* 0: never */
  gboolean is_listing;
};

/* worker-rest.c: until there is a job. Returns: (owned) */
Job *worker_wait (Worker *worker);

/* worker-news.c: looks what came since the last time, and tells of it. */
void worker_look (Worker *worker);
/* The same without asking the server anything: what the prompt shows is right again. */
void worker_count (Worker *worker);
/* Publishes the facts; whoever shows them is told if they are others than before. */
void worker_publish (Worker *worker);

/* worker-list.c */
void worker_fetch_list (Worker *worker);
