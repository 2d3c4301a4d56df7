/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-line.c - a connection that waits to be told something, and comes back when it is lost */
#include "watch-line.h"

#define MAX_BACKOFF 60

/* ---- Hints ----------------------------------------------------------------------------- */

void
rack_watch_line_hint (RackWatchLine *line, guint hints)
{
  pthread_mutex_lock (&line->lock);
  line->hints |= hints;
  pthread_cond_broadcast (&line->changed);
  pthread_mutex_unlock (&line->lock);
}

static void
hear_death (gpointer data)
{
  rack_watch_line_hint (data, RACK_HINT_DIED);
}

static void
hear_network (gpointer data)
{
  rack_watch_line_hint (data, RACK_HINT_NETWORK);
}

static void
wake (GCancellable *cancellable, gpointer data)
{
  rack_watch_line_hint (data, 0);
}

/* ---- Life -------------------------------------------------------------------------------- */

void
rack_watch_line_init (RackWatchLine *line, RackAccount *account)
{
  pthread_condattr_t monotonic;

  *line = (RackWatchLine){ .account = rack_account_ref (account) };
  pthread_mutex_init (&line->lock, NULL);
  pthread_condattr_init (&monotonic);
  pthread_condattr_setclock (&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init (&line->changed, &monotonic);
  pthread_condattr_destroy (&monotonic);
  line->network_id = rack_netwatch_add (rack_account_netwatch (account), hear_network, line);
}

void
rack_watch_line_clear (RackWatchLine *line)
{
  rack_netwatch_remove (rack_account_netwatch (line->account), line->network_id);
  rack_watch_line_hang_up (line);
  pthread_mutex_destroy (&line->lock);
  pthread_cond_destroy (&line->changed);
  rack_account_unref (line->account);
}

/* ---- The connection ------------------------------------------------------------------------ */

gboolean
rack_watch_line_connect (RackWatchLine *line, RackNews hear, gpointer data,
                         GCancellable *cancellable, GError **error)
{
  RackWait wait = rack_account_wait (line->account, cancellable);

  line->conn = rack_account_open_conn (line->account, &wait, error);
  if (line->conn == NULL)
    return FALSE;
  pthread_mutex_lock (&line->lock);
  line->hints = 0;
  pthread_mutex_unlock (&line->lock);
  rack_conn_doubt_with (line->conn, rack_account_netwatch (line->account));
  rack_conn_enable_qresync (line->conn);
  rack_conn_set_news (line->conn, hear, data);
  rack_conn_set_died (line->conn, hear_death, line);
  return TRUE;
}

RackCall *
rack_watch_line_expect (RackWatchLine *line, RackCommand *command, const char *mailbox,
                        GCancellable *cancellable, GError **error)
{
  g_autoptr (RackCall) call = rack_call_new (command);

  if (call->exchange.flags & RACK_EXCHANGE_SELECTS)
    call->exchange.mailbox = g_strdup (mailbox);
  rack_conn_post (line->conn, call);
  return rack_call_expect (call, cancellable, error) ? g_steal_pointer (&call) : NULL;
}

void
rack_watch_line_settle (RackWatchLine *line)
{
  line->backoff = 0;
  rack_conn_want_idle (line->conn, TRUE);
}

void
rack_watch_line_hang_up (RackWatchLine *line)
{
  if (line->conn == NULL)
    return;
  rack_conn_close (line->conn, FALSE);
  g_clear_pointer (&line->conn, rack_conn_unref);
}

/* ---- Waiting ------------------------------------------------------------------------------- */

/* Until one of these hints is there, the time (0: none) has come, or it was cancelled. */
static void
wait_for (RackWatchLine *line, guint hints, gint64 seconds, GCancellable *cancellable)
{
  gulong handler =
      cancellable != NULL ? g_cancellable_connect (cancellable, G_CALLBACK (wake), line, NULL) : 0;
  struct timespec until;
  int result = 0;

  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_sec += seconds;
  pthread_mutex_lock (&line->lock);
  while (!(line->hints & hints) && result == 0 && !g_cancellable_is_cancelled (cancellable))
    result = seconds == 0 ? pthread_cond_wait (&line->changed, &line->lock)
                          : pthread_cond_timedwait (&line->changed, &line->lock, &until);
  pthread_mutex_unlock (&line->lock);
  if (handler != 0)
    g_cancellable_disconnect (cancellable, handler);
}

guint
rack_watch_line_wait (RackWatchLine *line, GCancellable *cancellable)
{
  wait_for (line, ~0u, 0, cancellable);
  pthread_mutex_lock (&line->lock);
  guint hints = line->hints;
  line->hints = 0;
  pthread_mutex_unlock (&line->lock);
  return hints;
}

void
rack_watch_line_pause (RackWatchLine *line, GCancellable *cancellable)
{
  if (line->backoff > 0)
    wait_for (line, RACK_HINT_NETWORK, g_random_int_range (1, (gint) line->backoff + 1),
              cancellable);
  pthread_mutex_lock (&line->lock);
  if (line->hints & RACK_HINT_NETWORK)
    line->backoff = 0;
  line->hints &= ~(guint) RACK_HINT_NETWORK;
  pthread_mutex_unlock (&line->lock);
  line->backoff = MIN (MAX (line->backoff * 2, 1), MAX_BACKOFF);
}

gboolean
rack_watch_may_recover (const GError *error)
{
  /* Nothing that a watch asks changes anything, so it may also be asked again. */
  return rack_error_is_lost (error) || g_error_matches (error, RACK_ERROR, RACK_ERROR_TIMEOUT)
         || g_error_matches (error, RACK_ERROR, RACK_ERROR_BUSY)
         || g_error_matches (error, RACK_ERROR, RACK_ERROR_UNAVAILABLE)
         || g_error_matches (error, RACK_ERROR, RACK_ERROR_SERVER)
         || g_error_matches (error, RACK_ERROR, RACK_ERROR_UNKNOWN_OUTCOME);
}
