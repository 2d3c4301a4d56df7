/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * workers.c - requests that have to wait
 *
 * On interrupts: libfuse calls on_interrupt() while it holds the request's own lock.
 * A task in the queue is answered there and then. One that runs is only cancelled; its
 * worker first takes the interrupt function away, which waits for one that is being
 * called, and then replies, so the task is never freed under on_interrupt().
 */
#include "workers.h"

#include <errno.h>
#include <string.h>

/* A thread without work ends after so many milliseconds. */
#define IDLE_MS 30000

struct Workers
{
  pthread_mutex_t mutex;
  pthread_cond_t work;   /* something is queued, or it ends */
  pthread_cond_t gone;   /* a thread has ended */
  GQueue queue, running; /* of Task, by their own link */
  guint max, threads, idle;
  gboolean ending;
  const char *name;
};

Workers *
workers_new (guint max, const char *name)
{
  pthread_condattr_t monotonic;
  Workers *workers = g_new0 (Workers, 1);
  pthread_mutex_init (&workers->mutex, NULL);
  pthread_condattr_init (&monotonic);
  pthread_condattr_setclock (&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init (&workers->work, &monotonic);
  pthread_cond_init (&workers->gone, &monotonic);
  pthread_condattr_destroy (&monotonic);
  g_queue_init (&workers->queue);
  g_queue_init (&workers->running);
  workers->max = max;
  workers->name = name;
  return workers;
}

Task *
task_new (Mount *mount, fuse_req_t req, fuse_ino_t ino)
{
  Task *task = g_new0 (Task, 1);
  task->mount = mount;
  task->req = req;
  task->ino = ino;
  task->link.data = task;
  task->cancellable = g_cancellable_new ();
  return task;
}

static void
task_free (Task *task)
{
  if (task->dispose != NULL)
    task->dispose (task);
  g_object_unref (task->cancellable);
  g_free (task);
}

static void
refuse (Task *task, int error)
{
  fuse_reply_err (task->req, error);
  task_free (task);
}

static void
on_interrupt (fuse_req_t req, void *data)
{
  Task *task = data;
  Workers *workers = task->workers;
  pthread_mutex_lock (&workers->mutex);
  gboolean queued = task->queued;
  if (queued)
    {
      g_queue_unlink (&workers->queue, &task->link);
      task->queued = FALSE;
    }
  pthread_mutex_unlock (&workers->mutex);
  if (queued)
    refuse (task, EINTR);
  else
    g_cancellable_cancel (task->cancellable);
}

static void
run (Task *task)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = !g_cancellable_is_cancelled (task->cancellable)
                && task->wait (task, task->cancellable, &error);
  /* From here on nobody else has the task. */
  fuse_req_interrupt_func (task->req, NULL, NULL);
  pthread_mutex_lock (&task->workers->mutex);
  g_queue_unlink (&task->workers->running, &task->link);
  pthread_mutex_unlock (&task->workers->mutex);
  if (ok)
    {
      task->answer (task);
      task_free (task);
    }
  else
    refuse (task, error != NULL ? errno_of (error) : EINTR);
}

static gboolean
wait_for_work (Workers *workers)
{
  struct timespec until;
  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_sec += IDLE_MS / 1000;
  workers->idle++;
  int result = 0;
  while (workers->queue.length == 0 && !workers->ending && result != ETIMEDOUT)
    result = pthread_cond_timedwait (&workers->work, &workers->mutex, &until);
  workers->idle--;
  return workers->queue.length > 0;
}

static gpointer
thread_main (gpointer data)
{
  Workers *workers = data;
  pthread_mutex_lock (&workers->mutex);
  while (workers->queue.length > 0 || wait_for_work (workers))
    {
      GList *link = g_queue_pop_head_link (&workers->queue);
      Task *task = link->data;
      task->queued = FALSE;
      g_queue_push_tail_link (&workers->running, link);
      pthread_mutex_unlock (&workers->mutex);
      run (task);
      pthread_mutex_lock (&workers->mutex);
    }
  workers->threads--;
  pthread_cond_broadcast (&workers->gone);
  pthread_mutex_unlock (&workers->mutex);
  return NULL;
}

void
workers_submit (Workers *workers, Task *task)
{
  task->workers = workers;
  /* An interrupt that came before this calls on_interrupt() now, when the task is not queued. */
  fuse_req_interrupt_func (task->req, on_interrupt, task);

  pthread_mutex_lock (&workers->mutex);
  gboolean refused = workers->ending || g_cancellable_is_cancelled (task->cancellable);
  if (!refused)
    {
      task->queued = TRUE;
      g_queue_push_tail_link (&workers->queue, &task->link);
      if (workers->idle < workers->queue.length && workers->threads < workers->max)
        {
          workers->threads++;
          g_thread_unref (g_thread_new (workers->name, thread_main, workers));
        }
    }
  pthread_mutex_unlock (&workers->mutex);
  if (!refused)
    {
      /* Not before: it would wake up only to wait for the mutex. */
      pthread_cond_signal (&workers->work);
      return;
    }
  fuse_req_interrupt_func (task->req, NULL, NULL);
  refuse (task, EINTR);
}

void
workers_free (Workers *workers)
{
  pthread_mutex_lock (&workers->mutex);
  workers->ending = TRUE;
  for (GList *at = workers->queue.head; at != NULL; at = at->next)
    g_cancellable_cancel (((Task *) at->data)->cancellable);
  /* The handlers take the mirror's locks, and no one waits for ours while holding those. */
  for (GList *at = workers->running.head; at != NULL; at = at->next)
    g_cancellable_cancel (((Task *) at->data)->cancellable);
  pthread_cond_broadcast (&workers->work);
  while (workers->threads > 0)
    pthread_cond_wait (&workers->gone, &workers->mutex);
  pthread_mutex_unlock (&workers->mutex);
  pthread_cond_destroy (&workers->work);
  pthread_cond_destroy (&workers->gone);
  pthread_mutex_destroy (&workers->mutex);
  g_free (workers);
}
