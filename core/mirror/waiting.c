/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * waiting.c - waiting on a condition that a GCancellable can interrupt
 *
 * The cancellable's handler takes the mutex, so it is connected before the mutex is
 * taken and disconnected after it is given back: disconnecting waits for a handler
 * that runs.
 */
#include "waiting.h"

#include <errno.h>
#include <mailrack/mailrack-types.h>
#include <time.h>

void
rack_cond_init (pthread_cond_t *cond)
{
  pthread_condattr_t attr;
  pthread_condattr_init (&attr);
  pthread_condattr_setclock (&attr, CLOCK_MONOTONIC);
  pthread_cond_init (cond, &attr);
  pthread_condattr_destroy (&attr);
}

static struct timespec
moment_after (gint64 milliseconds)
{
  struct timespec at;
  clock_gettime (CLOCK_MONOTONIC, &at);
  at.tv_sec += milliseconds / 1000;
  at.tv_nsec += (milliseconds % 1000) * 1000000;
  if (at.tv_nsec >= 1000000000)
    {
      at.tv_sec++;
      at.tv_nsec -= 1000000000;
    }
  return at;
}

void
rack_cond_wait_for (pthread_cond_t *cond, pthread_mutex_t *mutex, gint64 milliseconds)
{
  struct timespec at = moment_after (milliseconds);
  pthread_cond_timedwait (cond, mutex, &at);
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  RackWaiting *waiting = data;
  g_assert (g_atomic_int_get (&waiting->ready));
  pthread_mutex_t *mutex = waiting->mutex;
  pthread_mutex_lock (mutex);
  pthread_cond_broadcast (waiting->cond);
  pthread_mutex_unlock (mutex);
}

void
rack_waiting_begin (RackWaiting *waiting, pthread_mutex_t *mutex, pthread_cond_t *cond,
                    GCancellable *cancellable)
{
  waiting->mutex = mutex;
  waiting->cond = cond;
  waiting->cancellable = cancellable;
  waiting->handler = 0;
  g_atomic_int_set (&waiting->ready, 1);
  if (cancellable != NULL)
    waiting->handler =
        g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), waiting, NULL);
  pthread_mutex_lock (mutex);
}

gboolean
rack_waiting_once (RackWaiting *waiting, gint64 stall, const char *what, GError **error)
{
  gboolean late = FALSE;
  if (!g_cancellable_is_cancelled (waiting->cancellable))
    {
      struct timespec at = moment_after (stall);
      late = pthread_cond_timedwait (waiting->cond, waiting->mutex, &at) == ETIMEDOUT;
    }
  if (g_cancellable_is_cancelled (waiting->cancellable))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_CANCELLED, "waiting for %s: cancelled", what);
      return FALSE;
    }
  if (late)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_TIMEOUT,
                   "waiting for %s: nothing came for %.0f seconds", what, (double) stall / 1000);
      return FALSE;
    }
  return TRUE;
}

void
rack_waiting_end (RackWaiting *waiting)
{
  pthread_mutex_unlock (waiting->mutex);
  if (waiting->handler == 0)
    return;
  g_cancellable_disconnect (waiting->cancellable, waiting->handler);
  if (g_cancellable_is_cancelled (waiting->cancellable))
    {
      /* The handler has run, and is seen to have. */
      pthread_mutex_lock (waiting->mutex);
      pthread_mutex_unlock (waiting->mutex);
    }
}
