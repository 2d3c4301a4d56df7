/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * online.c - whether the server can be reached
 *
 * Who asks the server tells here what came of it. Once it could not be reached nobody
 * else waits for a time-out to learn the same: they fail at once, or after a moment in
 * which the poller tries again, until that succeeds. A person may also have said that
 * no server is to be asked.
 */
#include "mirror-private.h"

/* So long one who wants to ask waits for the poller's answer, milliseconds. */
#define MOMENT 300

struct RackOnline
{
  pthread_mutex_t mutex;
  pthread_cond_t cond; /* what follows changed */
  gboolean offline;
  gboolean held; /* somebody said so */
  gint64 since;  /* as both together are now: seconds since the epoch */
  gint64 back;   /* monotonic: when the server could be asked again; 0: it always could */
  char *why;     /* it is offline */
  char *error;   /* the last one of any kind, or NULL */
  gint64 error_time;
};

RackOnline *
rack_online_new (void)
{
  RackOnline *online = g_new0 (RackOnline, 1);
  pthread_mutex_init (&online->mutex, NULL);
  rack_cond_init (&online->cond);
  online->since = g_get_real_time () / G_USEC_PER_SEC;
  return online;
}

void
rack_online_free (RackOnline *online)
{
  pthread_cond_destroy (&online->cond);
  pthread_mutex_destroy (&online->mutex);
  g_free (online->why);
  g_free (online->error);
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

/* With the mutex held: sets both, and has it heard if that makes a difference. */
static void
set_state (RackMirror *mirror, gboolean offline, gboolean held)
{
  RackOnline *online = mirror->online;
  gboolean before = online->offline || online->held;
  gboolean now = offline || held;
  online->offline = offline;
  online->held = held;
  if (now == before)
    return;
  online->since = g_get_real_time () / G_USEC_PER_SEC;
  if (!now)
    online->back = g_get_monotonic_time ();
  rack_changes_push_state (mirror, now ? RACK_CHANGE_OFFLINE : RACK_CHANGE_ONLINE);
}

/* What a person should hear of: not that something is gone, or that nobody wants it any more. */
static gboolean
is_worth_saying (const GError *problem)
{
  return !g_error_matches (problem, RACK_ERROR, RACK_ERROR_CANCELLED)
         && !g_error_matches (problem, RACK_ERROR, RACK_ERROR_STALE)
         && !g_error_matches (problem, RACK_ERROR, RACK_ERROR_NOT_FOUND);
}

/* With the mutex held. */
static void
say (RackOnline *online, const GError *problem)
{
  g_free (online->error);
  online->error = g_strdup (problem->message);
  online->error_time = g_get_real_time () / G_USEC_PER_SEC;
}

void
rack_online_say (RackMirror *mirror, const GError *problem)
{
  pthread_mutex_lock (&mirror->online->mutex);
  say (mirror->online, problem);
  pthread_mutex_unlock (&mirror->online->mutex);
}

void
rack_online_note (RackMirror *mirror, const GError *problem)
{
  RackOnline *online = mirror->online;
  pthread_mutex_lock (&online->mutex);
  if (problem != NULL && is_worth_saying (problem))
    say (online, problem);
  if (problem == NULL || rack_online_denies (problem))
    {
      set_state (mirror, problem != NULL, online->held);
      if (problem != NULL)
        {
          g_free (online->why);
          online->why = g_strdup (problem->message);
        }
      pthread_cond_broadcast (&online->cond);
    }
  pthread_mutex_unlock (&online->mutex);
}

gboolean
rack_online_hold (RackMirror *mirror, gboolean held)
{
  RackOnline *online = mirror->online;
  pthread_mutex_lock (&online->mutex);
  gboolean different = online->held != held;
  set_state (mirror, online->offline, held);
  pthread_cond_broadcast (&online->cond);
  pthread_mutex_unlock (&online->mutex);
  return different;
}

gboolean
rack_online_is_held (RackMirror *mirror)
{
  pthread_mutex_lock (&mirror->online->mutex);
  gboolean held = mirror->online->held;
  pthread_mutex_unlock (&mirror->online->mutex);
  return held;
}

void
rack_mirror_state (RackMirror *mirror, RackMirrorState *state)
{
  const RackOnline *online = mirror->online;
  pthread_mutex_lock (&mirror->online->mutex);
  *state = (RackMirrorState){
    .offline = online->offline || online->held,
    .held = online->held,
    .since = online->since,
    .error = g_strdup (online->error),
    .error_time = online->error_time,
  };
  pthread_mutex_unlock (&mirror->online->mutex);
  state->unkept = rack_store_trouble (mirror->store);
}

void
rack_mirror_state_clear (RackMirrorState *state)
{
  g_free (state->error);
  g_free (state->unkept);
  *state = (RackMirrorState){ 0 };
}

gboolean
rack_online_is (RackMirror *mirror)
{
  pthread_mutex_lock (&mirror->online->mutex);
  gboolean online = !mirror->online->offline && !mirror->online->held;
  pthread_mutex_unlock (&mirror->online->mutex);
  return online;
}

gint64
rack_online_back (RackMirror *mirror)
{
  pthread_mutex_lock (&mirror->online->mutex);
  gint64 back = mirror->online->back;
  pthread_mutex_unlock (&mirror->online->mutex);
  return back;
}

gboolean
rack_online_check (RackMirror *mirror, GError **error)
{
  RackOnline *online = mirror->online;
  if (rack_online_is (mirror))
    return TRUE;
  if (rack_online_is_held (mirror))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK,
                   "offline: somebody said so; say \"online\" when that is over");
      return FALSE;
    }
  rack_watchers_probe (mirror);
  gint64 until = g_get_monotonic_time () + MOMENT * 1000;
  gint64 left;
  pthread_mutex_lock (&online->mutex);
  while (online->offline && (left = until - g_get_monotonic_time ()) > 0)
    rack_cond_wait_for (&online->cond, &online->mutex, left / 1000 + 1);
  gboolean ok = !online->offline && !online->held;
  if (!ok)
    g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK, "offline: %s",
                 online->why != NULL ? online->why : "somebody said so");
  pthread_mutex_unlock (&online->mutex);
  return ok;
}
