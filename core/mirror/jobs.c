/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * jobs.c - a few threads that work off a queue
 */
#include "jobs.h"

#include <pthread.h>

typedef struct
{
  RackJobFunc func;
  gpointer data;
} Job;

struct RackJobs
{
  pthread_mutex_t mutex;
  pthread_cond_t cond;
  GQueue urgent, other; /* of Job */
  gboolean ending;
  guint n_threads;
  GThread *threads[];
};

static gpointer
run (gpointer data)
{
  RackJobs *jobs = data;
  pthread_mutex_lock (&jobs->mutex);
  for (;;)
    {
      Job *job = g_queue_pop_head (&jobs->urgent);
      if (job == NULL)
        job = g_queue_pop_head (&jobs->other);
      if (job != NULL)
        {
          pthread_mutex_unlock (&jobs->mutex);
          job->func (job->data);
          g_free (job);
          pthread_mutex_lock (&jobs->mutex);
        }
      else if (jobs->ending)
        break;
      else
        pthread_cond_wait (&jobs->cond, &jobs->mutex);
    }
  pthread_mutex_unlock (&jobs->mutex);
  return NULL;
}

RackJobs *
rack_jobs_new (guint threads, const char *name)
{
  RackJobs *jobs = g_malloc0 (sizeof *jobs + threads * sizeof jobs->threads[0]);
  pthread_mutex_init (&jobs->mutex, NULL);
  pthread_cond_init (&jobs->cond, NULL);
  g_queue_init (&jobs->urgent);
  g_queue_init (&jobs->other);
  jobs->n_threads = threads;
  for (guint i = 0; i < threads; i++)
    jobs->threads[i] = g_thread_new (name, run, jobs);
  return jobs;
}

void
rack_jobs_push (RackJobs *jobs, RackJobFunc func, gpointer data, gboolean urgent)
{
  Job *job = g_new (Job, 1);
  *job = (Job){ func, data };
  pthread_mutex_lock (&jobs->mutex);
  if (!jobs->ending)
    g_queue_push_tail (urgent ? &jobs->urgent : &jobs->other, g_steal_pointer (&job));
  pthread_cond_signal (&jobs->cond);
  pthread_mutex_unlock (&jobs->mutex);
  g_free (job);
}

void
rack_jobs_end (RackJobs *jobs)
{
  pthread_mutex_lock (&jobs->mutex);
  jobs->ending = TRUE;
  pthread_cond_broadcast (&jobs->cond);
  pthread_mutex_unlock (&jobs->mutex);
  for (guint i = 0; i < jobs->n_threads; i++)
    g_thread_join (jobs->threads[i]);
  jobs->n_threads = 0;
}

void
rack_jobs_free (RackJobs *jobs)
{
  rack_jobs_end (jobs);
  pthread_cond_destroy (&jobs->cond);
  pthread_mutex_destroy (&jobs->mutex);
  g_free (jobs);
}
