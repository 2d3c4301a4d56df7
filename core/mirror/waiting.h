/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * waiting.h - waiting on a condition that a GCancellable can interrupt
 *
 * pthread primitives, because Debian's GLib is not instrumented and ThreadSanitizer
 * would not see what GMutex orders. Nothing here knows what is waited for.
 */
#pragma once

#include <gio/gio.h>
#include <pthread.h>

typedef struct
{
  pthread_mutex_t *mutex;
  pthread_cond_t *cond;
  GCancellable *cancellable;
  gulong handler;
  gint ready; /* atomic: what is above is set. GLib orders this too, unseen by ThreadSanitizer */
} RackWaiting;

/* A condition on the monotonic clock. */
void rack_cond_init (pthread_cond_t *cond);

/* Locks mutex; from now on cancelling wakes those who wait on cond. */
void rack_waiting_begin (RackWaiting *waiting, pthread_mutex_t *mutex, pthread_cond_t *cond,
                         GCancellable *cancellable);
/* With mutex held: until cond is signalled, or stall milliseconds passed. what completes the
 * message "waiting for ...". FALSE: RACK_ERROR_CANCELLED or RACK_ERROR_TIMEOUT. */
gboolean rack_waiting_once (RackWaiting *waiting, gint64 stall, const char *what, GError **error);
/* Unlocks mutex. */
void rack_waiting_end (RackWaiting *waiting);

/* With mutex held: a timed wait without anything to cancel it. */
void rack_cond_wait_for (pthread_cond_t *cond, pthread_mutex_t *mutex, gint64 milliseconds);
