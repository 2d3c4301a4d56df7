/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * conn-post.c - a connection as every thread but its owner sees it
 *
 * Calls go to the owner through the inbox, and what it publishes is read under the
 * lock. Nothing here touches the stream or, once the owner runs, the engine. */
#include "conn-private.h"

#include <unistd.h>

/* ---- Posting ---------------------------------------------------------------------------- */

static void
wake_owner (RackConn *conn)
{
  guint64 one = 1;

  if (write (conn->wake, &one, sizeof one) < 0)
    return; /* it is full: the owner will wake anyway */
}

static void
post (RackConn *conn, RackCall *call, guint what)
{
  pthread_mutex_lock (&conn->lock);
  gboolean dead = conn->death != NULL;
  if (!dead)
    {
      if (call->posted == 0)
        {
          rack_call_ref (call);
          *conn->inbox_end = call;
          conn->inbox_end = &call->next_posted;
        }
      call->posted |= what;
    }
  pthread_mutex_unlock (&conn->lock);
  if (!dead)
    wake_owner (conn);
  else if (what & POST_SUBMIT)
    {
      g_autoptr (GError) error = rack_conn_death (conn);
      /* Nothing was sent. */
      error->code = error->domain == RACK_ERROR ? RACK_ERROR_CLOSED : error->code;
      call->exchange.ops->done (&call->exchange, NULL, error);
    }
}

static void
forget_keywords (RackConn *conn)
{
  pthread_mutex_lock (&conn->lock);
  g_clear_pointer (&conn->keywords, g_strfreev);
  pthread_mutex_unlock (&conn->lock);
}

void
rack_conn_post (RackConn *conn, RackCall *call)
{
  call->conn = rack_conn_ref (conn);
  rack_call_ref (call); /* until done */
  if (call->exchange.flags & RACK_EXCHANGE_SELECTS)
    forget_keywords (conn);
  if (conn->started)
    post (conn, call, POST_SUBMIT);
  else
    rack_engine_submit (conn->engine, &call->exchange, g_get_monotonic_time ());
}

void
rack_conn_enable (RackConn *conn, const char *extension)
{
  RackCommand *command = rack_command_new ("ENABLE");

  rack_command_atom (command, extension);
  g_autoptr (RackCall) call = rack_call_new (command);
  call->exchange.flags = RACK_EXCHANGE_PREFACE | RACK_EXCHANGE_REPEATABLE;
  rack_conn_post (conn, call);
}

void
rack_conn_detach (RackConn *conn, RackCall *call)
{
  if (conn->started)
    post (conn, call, POST_DETACH);
  else
    rack_engine_detach (conn->engine, &call->exchange);
}

void
rack_conn_kick (RackConn *conn, RackCall *call)
{
  post (conn, call, POST_KICK);
}

void
rack_conn_want_idle (RackConn *conn, gboolean want)
{
  pthread_mutex_lock (&conn->lock);
  gboolean changed = conn->want_idle != want;
  conn->want_idle = want;
  pthread_mutex_unlock (&conn->lock);
  if (changed)
    wake_owner (conn);
}

static void
doubt (gpointer data)
{
  RackConn *conn = data;

  pthread_mutex_lock (&conn->lock);
  conn->probe = TRUE;
  pthread_mutex_unlock (&conn->lock);
  wake_owner (conn);
}

void
rack_conn_doubt_with (RackConn *conn, RackNetwatch *watch)
{
  conn->netwatch = watch;
  conn->network_id = rack_netwatch_add (watch, doubt, conn);
}

void
rack_conn_close (RackConn *conn, gboolean polite)
{
  if (!conn->started)
    return;
  if (polite && rack_conn_alive (conn))
    {
      g_autoptr (RackCall) call = rack_call_new (rack_command_new ("LOGOUT"));
      struct timespec until;
      clock_gettime (CLOCK_REALTIME, &until);
      until.tv_sec++;
      rack_conn_post (conn, call);
      pthread_mutex_lock (&call->lock);
      while (!call->done && pthread_cond_timedwait (&call->changed, &call->lock, &until) == 0)
        ;
      pthread_mutex_unlock (&call->lock);
    }
  pthread_mutex_lock (&conn->lock);
  conn->stop = TRUE;
  gboolean joined = conn->joined;
  conn->joined = TRUE;
  pthread_mutex_unlock (&conn->lock);
  wake_owner (conn);
  if (joined)
    return;
  if (conn->netwatch != NULL)
    rack_netwatch_remove (conn->netwatch, conn->network_id);
  pthread_join (conn->thread, NULL);
}

/* ---- Looking ----------------------------------------------------------------------------- */

gboolean
rack_conn_alive (RackConn *conn)
{
  pthread_mutex_lock (&conn->lock);
  gboolean alive = conn->death == NULL;
  pthread_mutex_unlock (&conn->lock);
  return alive;
}

GError *
rack_conn_death (RackConn *conn)
{
  pthread_mutex_lock (&conn->lock);
  GError *death = conn->death != NULL ? g_error_copy (conn->death) : NULL;
  pthread_mutex_unlock (&conn->lock);
  return death;
}

gboolean
rack_conn_has (RackConn *conn, const char *capability)
{
  if (!conn->started)
    return rack_engine_has (conn->engine, capability);
  pthread_mutex_lock (&conn->lock);
  gboolean has = g_strv_contains ((const char *const *) conn->capabilities, capability);
  pthread_mutex_unlock (&conn->lock);
  return has;
}

char **
rack_conn_capabilities (RackConn *conn)
{
  pthread_mutex_lock (&conn->lock);
  char **copy = g_strdupv (conn->capabilities);
  pthread_mutex_unlock (&conn->lock);
  return copy;
}

const char *
rack_conn_greeting (RackConn *conn)
{
  return conn->greeting;
}

char **
rack_conn_new_keywords (RackConn *conn)
{
  pthread_mutex_lock (&conn->lock);
  char **keywords = g_strdupv (conn->keywords);
  pthread_mutex_unlock (&conn->lock);
  return keywords;
}

char **
rack_conn_facts (RackConn *conn)
{
  return g_strdupv (conn->facts);
}

void
rack_conn_set_news (RackConn *conn, RackNews news, gpointer data)
{
  pthread_mutex_lock (&conn->lock);
  conn->news = news;
  conn->news_data = data;
  pthread_mutex_unlock (&conn->lock);
}

void
rack_conn_set_died (RackConn *conn, void (*died) (gpointer data), gpointer data)
{
  pthread_mutex_lock (&conn->lock);
  conn->died = died;
  conn->died_data = data;
  pthread_mutex_unlock (&conn->lock);
}
