/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * worker.h - the thread that has the shell while a prompt lives on another
 *
 * It runs lines one after the other. Between them the connection rests: new mail is told, counts
 * are kept, and a connection that was lost is made again. No terminal is known here.
 *
 * Threads: all functions are for the thread of the prompt alone, but for those that say otherwise;
 * between worker_new() and worker_free() the shell is the worker's, except .interp and .settings,
 * which may be read while no line runs. */
#pragma once

#include "shell.h"

typedef struct Worker Worker;

/* What a prompt shows. */
typedef struct
{
  gboolean connected, read_only;
  char *mailbox;    /* selected, or NULL */
  guint64 messages; /* in it */
  guint64 fresh;    /* of them, those that were recent when it was selected, and came since */
} WorkerFacts;

/* How a text was run. */
typedef struct
{
  GPtrArray *lines; /* of char *: those that were run, each a line or a call over several */
  char *rest;       /* the beginning of a call that wants more lines; or NULL */
  gboolean quit;
} WorkerOutcome;
void worker_outcome_free (WorkerOutcome *outcome);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WorkerOutcome, worker_outcome_free)

typedef struct
{
  /* On the main context. Takes outcome. */
  void (*ran) (gpointer data, WorkerOutcome *outcome);
  /* On the main context, while no line runs: worker_facts() gives something else now. */
  void (*changed) (gpointer data);
  /* On the worker's thread: worker_mailboxes() knows more now, or gave up. */
  void (*listed) (gpointer data);
  /* On the worker's thread: before and after a line is run. */
  void (*begins) (gpointer data);
  void (*ends) (gpointer data);
} WorkerOps;

/* cache_dir: where mirrors are, or NULL for the usual place. All but data is borrowed. */
Worker *worker_new (Shell *shell, const char *cache_dir, const WorkerOps *ops, gpointer data);
/* Cancels what runs and waits for its end. */
void worker_free (Worker *worker);

/* One at a time; ops->ran is called when it is done. */
void worker_run (Worker *worker, const char *text);
/* Cancels the line that runs; if its answer is still on the way when that was done already, breaks
 * the connection. */
void worker_cancel (Worker *worker);
/* Whether a line was cancelled and the rest of its answer is waited for. Any thread. */
gboolean worker_is_draining (Worker *worker);
/* facts: to be cleared. Any thread. */
void worker_facts (Worker *worker, WorkerFacts *facts);
void worker_facts_clear (WorkerFacts *facts);

/* ---- For completion ---------------------------------------------------------------------------
 */

/* Asks for a list that is not older than this many seconds; FALSE: there is one. */
gboolean worker_list (Worker *worker, guint seconds);
gboolean worker_is_listing (Worker *worker);
/* The mailboxes as known by now (element-type RackMailboxInfo), owned; empty if none are. */
GPtrArray *worker_mailboxes (Worker *worker);
/* The flags of the selected mailbox (element-type char *), owned. */
GPtrArray *worker_flags (Worker *worker);
