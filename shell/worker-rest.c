/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * worker-rest.c - what the worker does while no line runs: the connection waits in IDLE, and is
 * made again when it was lost
 *
 * Whatever blocks here takes worker->rest, which is cancelled when there is a job. */
#include "worker-private.h"

#include <string.h>

/* Who types on, or pastes, has the next line here before IDLE would be of any use. */
#define PAUSE (300 * 1000)

#define RETRIES_MAX 6
/* A connection that held so long is worth being made again at once. */
#define STEADY      (30 * G_USEC_PER_SEC)

static Job *
taken (Worker *worker, Job *job)
{
  if (job != NULL)
    g_atomic_int_dec_and_test (&worker->n_posted);
  return job;
}

/* Once for each reason. */
static void
complain (Worker *worker, const GError *error)
{
  if (g_error_matches (error, RACK_ERROR, RACK_ERROR_CANCELLED)
      || g_strcmp0 (worker->complaint, error->message) == 0)
    return;
  g_free (worker->complaint);
  worker->complaint = g_strdup (error->message);
  shell_notice (worker->shell, "%s", error->message);
}

/* Returns: a job that came meanwhile, or NULL. */
static Job *
pause_before_retry (Worker *worker)
{
  gint64 wait = 0;

  if (worker->retries > 0)
    wait = (gint64) 1 << MIN (worker->retries, RETRIES_MAX);
  else if (g_get_monotonic_time () - worker->connected_at < STEADY)
    wait = 1;
  return wait > 0 ? taken (
             worker, g_async_queue_timeout_pop (worker->jobs, (guint64) wait * G_USEC_PER_SEC))
                  : NULL;
}

/* The same mailbox again: what came meanwhile is new. */
static void
go_on (Worker *worker, guint32 uid_validity)
{
  const Shell *shell = worker->shell;

  if (shell->mailbox == NULL || shell->uid_validity != uid_validity || worker->uid_next == 0
      || shell->selections != worker->selections + 1)
    return;
  worker->selections = shell->selections;
  worker->told = 0;
}

static Job *
reconnect (Worker *worker)
{
  g_autoptr (GError) error = NULL;
  guint32 uid_validity = worker->shell->uid_validity;

  worker_publish (worker);
  Job *job = pause_before_retry (worker);
  if (job != NULL)
    return job;
  g_cancellable_reset (worker->rest);
  if (g_atomic_int_get (&worker->n_posted) > 0)
    return NULL;
  if (!shell_connect (worker->shell, &error))
    complain (worker, error);
  if (worker->shell->session != NULL && rack_session_alive (worker->shell->session))
    {
      worker->connected_at = g_get_monotonic_time ();
      worker->retries = 0;
      go_on (worker, uid_validity);
      g_clear_pointer (&worker->complaint, g_free);
      worker_look (worker);
    }
  else if (!g_error_matches (error, RACK_ERROR, RACK_ERROR_CANCELLED))
    worker->retries++;
  worker_publish (worker);
  return NULL;
}

static void
rest (Worker *worker)
{
  g_cancellable_reset (worker->rest);
  if (g_atomic_int_get (&worker->n_posted) > 0)
    return;
  worker_look (worker);
  g_autoptr (RackReply) news =
      rack_session_idle_check (worker->shell->session, -1, worker->rest, NULL);
}

Job *
worker_wait (Worker *worker)
{
  RackSession *session;
  Job *job = taken (worker, g_async_queue_timeout_pop (worker->jobs, PAUSE));

  while (job == NULL)
    {
      session = worker->shell->session;
      if (g_atomic_int_get (&worker->n_posted) > 0 || session == NULL
          || (rack_session_alive (session) && !rack_session_rest (session, TRUE)))
        job = taken (worker, g_async_queue_pop (worker->jobs));
      else if (!rack_session_alive (session))
        job = reconnect (worker);
      else
        {
          rest (worker);
          job = taken (worker, g_async_queue_try_pop (worker->jobs));
        }
    }
  if (worker->shell->session != NULL && job->kind == JOB_RUN)
    rack_session_rest (worker->shell->session, FALSE);
  return job;
}
