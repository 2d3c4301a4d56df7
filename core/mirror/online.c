/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * online.c - whether the server can be reached
 *
 * Who asks the server tells here what came of it. Once it could not be reached nobody
 * else waits for a time-out to learn the same: they fail at once, or after a moment in
 * which the poller tries again, until that succeeds.
 */
#include "mirror-private.h"

/* So long one who wants to ask waits for the poller's answer, milliseconds. */
#define MOMENT 300

struct RackOnline
{
  pthread_mutex_t mutex;
  pthread_cond_t cond; /* what follows changed */
  gboolean offline;
  char *why;
};

RackOnline *
rack_online_new (void)
{
  RackOnline *online = g_new0 (RackOnline, 1);
  pthread_mutex_init (&online->mutex, NULL);
  rack_cond_init (&online->cond);
  return online;
}

void
rack_online_free (RackOnline *online)
{
  pthread_cond_destroy (&online->cond);
  pthread_mutex_destroy (&online->mutex);
  g_free (online->why);
  g_free (online);
}

/* A connection that was lost was tried again by the library, in vain. */
gboolean
rack_online_denies (const GError *problem)
{
  return g_error_matches (problem, RACK_ERROR, RACK_ERROR_NETWORK)
         || g_error_matches (problem, RACK_ERROR, RACK_ERROR_CLOSED)
         || g_error_matches (problem, RACK_ERROR, RACK_ERROR_TIMEOUT);
}

void
rack_online_note (RackMirror *mirror, const GError *problem)
{
  RackOnline *online = mirror->online;
  if (problem != NULL && !rack_online_denies (problem))
    return;
  pthread_mutex_lock (&online->mutex);
  online->offline = problem != NULL;
  if (problem != NULL)
    {
      g_free (online->why);
      online->why = g_strdup (problem->message);
    }
  pthread_cond_broadcast (&online->cond);
  pthread_mutex_unlock (&online->mutex);
}

gboolean
rack_online_is (RackMirror *mirror)
{
  pthread_mutex_lock (&mirror->online->mutex);
  gboolean online = !mirror->online->offline;
  pthread_mutex_unlock (&mirror->online->mutex);
  return online;
}

gboolean
rack_online_check (RackMirror *mirror, GError **error)
{
  RackOnline *online = mirror->online;
  if (rack_online_is (mirror))
    return TRUE;
  rack_watchers_probe (mirror);
  gint64 until = g_get_monotonic_time () + MOMENT * 1000;
  gint64 left;
  pthread_mutex_lock (&online->mutex);
  while (online->offline && (left = until - g_get_monotonic_time ()) > 0)
    rack_cond_wait_for (&online->cond, &online->mutex, left / 1000 + 1);
  gboolean ok = !online->offline;
  if (!ok)
    g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK, "offline: %s", online->why);
  pthread_mutex_unlock (&online->mutex);
  return ok;
}
