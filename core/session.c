/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * session.c - one connection of its own, in IMAP's own words
 *
 * The shell and the calls people know from other clients stand on this. It hides
 * nothing and repeats nothing: a lost connection is said, and the session is over. */
#include "fetch-private.h"

#include <string.h>

struct RackSession
{
  RackAccount *account;
  RackConn *conn;
  char **capabilities; /* given out last */
  char *selected;
  gboolean idling;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  RackReply *news;   /* guarded by lock */
  RackCounts counts; /* the same */
  gboolean died;
};

/* Counts are kept where they are heard, so that none comes after a later one. */
typedef struct
{
  RackCall call; /* first */
  RackSession *session;
} SessionCall;

static void
hear (gpointer data, const RackResponse *response)
{
  RackSession *session = data;

  pthread_mutex_lock (&session->lock);
  session->counts = *rack_engine_counts (rack_conn_engine (session->conn));
  rack_reply_add (session->news, response);
  pthread_cond_broadcast (&session->changed);
  pthread_mutex_unlock (&session->lock);
}

static void
hear_death (gpointer data)
{
  RackSession *session = data;

  pthread_mutex_lock (&session->lock);
  session->died = TRUE;
  pthread_cond_broadcast (&session->changed);
  pthread_mutex_unlock (&session->lock);
}

RackSession *
rack_session_open (RackAccount *account, GCancellable *cancellable, GError **error)
{
  RackWait wait = rack_account_wait (account, cancellable);
  RackConn *conn = rack_account_open_conn (account, &wait, error);

  if (conn == NULL)
    return NULL;
  RackSession *session = g_new0 (RackSession, 1);
  session->account = rack_account_ref (account);
  session->conn = conn;
  session->news = rack_reply_new ();
  pthread_mutex_init (&session->lock, NULL);
  pthread_cond_init (&session->changed, NULL);
  rack_conn_set_news (conn, hear, session);
  rack_conn_set_died (conn, hear_death, session);
  return session;
}

void
rack_session_free (RackSession *session)
{
  if (session == NULL)
    return;
  rack_conn_close (session->conn, FALSE);
  rack_conn_unref (session->conn);
  rack_reply_free (session->news);
  pthread_mutex_destroy (&session->lock);
  pthread_cond_destroy (&session->changed);
  g_strfreev (session->capabilities);
  g_free (session->selected);
  rack_account_unref (session->account);
  g_free (session);
}

const char *const *
rack_session_capabilities (RackSession *session)
{
  g_strfreev (session->capabilities);
  session->capabilities = rack_conn_capabilities (session->conn);
  return (const char *const *) session->capabilities;
}

gboolean
rack_session_has (RackSession *session, const char *capability)
{
  g_autofree char *upper = g_ascii_strup (capability, -1);

  return rack_conn_has (session->conn, upper);
}

char *
rack_session_greeting (RackSession *session)
{
  return g_strdup (rack_conn_greeting (session->conn));
}

const char *
rack_session_selected (RackSession *session)
{
  return session->selected;
}

char **
rack_session_facts (RackSession *session)
{
  return rack_conn_facts (session->conn);
}

gboolean
rack_session_alive (RackSession *session)
{
  return rack_conn_alive (session->conn);
}

static gboolean
check_usable (RackSession *session, RackCommand *command, GError **error)
{
  if (!session->idling)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
               "%s: the session is in IDLE: end it with idle_done first",
               rack_command_name (command));
  rack_command_free (command);
  return FALSE;
}

/* What stands in front of an error: the account, the mailbox if it is about one, the command. */
static char *
context_of (const RackSession *session, const RackCommand *command)
{
  static const char *const about_selected[] = { "FETCH",  "STORE",   "SEARCH", "SORT",
                                                "THREAD", "EXPUNGE", "CLOSE",  "CHECK",
                                                "COPY",   "MOVE",    NULL };
  const char *name = rack_command_name (command);
  const char *verb = g_str_has_prefix (name, "UID ") ? name + 4 : name;
  g_autofree char *mailbox = rack_command_first_mailbox (command);
  g_autofree char *shown = NULL;

  if (g_strv_contains (about_selected, verb) && session->selected != NULL)
    shown = rack_text_escape (session->selected, -1);
  else if (mailbox != NULL)
    shown = rack_text_escape (mailbox, -1);
  return g_strdup_printf ("%s: %s%s%s", session->account->label, shown != NULL ? shown : "",
                          shown != NULL ? ": " : "", name);
}

#define CHANGES_SELECTION (RACK_EXCHANGE_SELECTS | RACK_EXCHANGE_UNSELECTS | RACK_EXCHANGE_LOGS_OUT)

/* Which mailbox is selected is known from the commands that went well. */
static void
notice (RackSession *session, RackCall *call, const char *mailbox)
{
  RackExchangeFlags flags = call->exchange.flags;
  gboolean ok = rack_reply_status (call->reply)->kind == RACK_STATUS_OK;

  if ((flags & RACK_EXCHANGE_SELECTS)
      || ((flags & (RACK_EXCHANGE_UNSELECTS | RACK_EXCHANGE_LOGS_OUT)) && ok))
    g_clear_pointer (&session->selected, g_free);
  if ((flags & RACK_EXCHANGE_SELECTS) && ok)
    session->selected = g_strdup (mailbox);
}

static void
keep_counts (RackCall *call)
{
  RackSession *session = ((SessionCall *) call)->session;

  pthread_mutex_lock (&session->lock);
  session->counts = *rack_engine_counts (rack_conn_engine (call->conn));
  pthread_mutex_unlock (&session->lock);
}

static RackCall *
run (RackSession *session, RackCommand *command, GCancellable *cancellable, GError **error)
{
  static const RackCallOps ops = { .finished = keep_counts };
  g_autofree char *context = context_of (session, command);
  g_autofree char *mailbox = NULL;
  GError *problem = NULL;

  if (!check_usable (session, command, error))
    return NULL;
  SessionCall *session_call = rack_call_new_sized (sizeof (SessionCall), &ops, command);
  session_call->session = session;
  g_autoptr (RackCall) call = &session_call->call;
  if (call->exchange.flags & RACK_EXCHANGE_SELECTS)
    {
      mailbox = rack_command_first_string (command);
      call->exchange.mailbox = g_strdup (mailbox);
    }
  /* One at a time, and all that comes meanwhile is part of the answer. */
  call->exchange.takes = RACK_TAKES_ALL;
  rack_conn_post (session->conn, call);
  if (!rack_call_wait (call, cancellable, &problem))
    {
      /* Its answer still comes, and nobody hears it. */
      if ((call->exchange.flags & CHANGES_SELECTION)
          && g_error_matches (problem, RACK_ERROR, RACK_ERROR_CANCELLED))
        g_clear_pointer (&session->selected, g_free);
      g_propagate_prefixed_error (error, problem, "%s: ", context);
      return NULL;
    }
  notice (session, call, mailbox);
  return g_steal_pointer (&call);
}

RackReply *
rack_session_run (RackSession *session, RackCommand *command, GCancellable *cancellable,
                  GError **error)
{
  g_autoptr (RackCall) call = run (session, command, cancellable, error);

  return call != NULL ? g_steal_pointer (&call->reply) : NULL;
}

RackReply *
rack_session_expect (RackSession *session, RackCommand *command, GCancellable *cancellable,
                     GError **error)
{
  g_autofree char *context = context_of (session, command);
  g_autoptr (RackReply) reply = rack_session_run (session, command, cancellable, error);
  GError *refused = reply != NULL ? rack_reply_to_error (reply) : NULL;

  if (refused == NULL)
    return g_steal_pointer (&reply);
  g_propagate_prefixed_error (error, refused, "%s: ", context);
  return NULL;
}

RackFetch *
rack_session_fetch (RackSession *session, RackCommand *command, GCancellable *cancellable,
                    GError **error)
{
  g_autofree char *context = context_of (session, command);

  if (!check_usable (session, command, error))
    return NULL;
  return rack_fetch_new_on (session->conn, command, context, cancellable);
}

/* ---- News and IDLE ------------------------------------------------------------------------ */

/* With the lock held. */
static RackReply *
take_news (RackSession *session)
{
  if (rack_reply_is_empty (session->news))
    return NULL;
  RackReply *news = session->news;
  session->news = rack_reply_new ();
  return news;
}

RackReply *
rack_session_news (RackSession *session)
{
  pthread_mutex_lock (&session->lock);
  RackReply *news = take_news (session);
  pthread_mutex_unlock (&session->lock);
  return news;
}

void
rack_session_counts (RackSession *session, RackSessionCounts *counts)
{
  pthread_mutex_lock (&session->lock);
  counts->messages = session->counts.exists;
  counts->told = session->counts.told;
  pthread_mutex_unlock (&session->lock);
}

void
rack_session_break (RackSession *session)
{
  rack_conn_close (session->conn, FALSE);
}

gboolean
rack_session_rest (RackSession *session, gboolean rest)
{
  if (session->idling)
    return FALSE;
  rack_conn_want_idle (session->conn, rest);
  return TRUE;
}

static gboolean
check_alive (RackSession *session, GError **error)
{
  g_autoptr (GError) death = rack_conn_death (session->conn);

  if (death == NULL)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_CLOSED, "%s: %s", session->account->label,
               death->message);
  return FALSE;
}

gboolean
rack_session_idle (RackSession *session, GCancellable *cancellable, GError **error)
{
  if (!rack_session_has (session, "IDLE"))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED, "%s: the server has no IDLE",
                   session->account->label);
      return FALSE;
    }
  if (session->selected == NULL)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "%s: select a mailbox before IDLE",
                   session->account->label);
      return FALSE;
    }
  session->idling = TRUE;
  rack_conn_want_idle (session->conn, TRUE);
  return check_alive (session, error);
}

static void
wake (GCancellable *cancellable, gpointer data)
{
  RackSession *session = data;

  pthread_mutex_lock (&session->lock);
  pthread_cond_broadcast (&session->changed);
  pthread_mutex_unlock (&session->lock);
}

static gboolean
wait_for_news (RackSession *session, gint64 wait)
{
  struct timespec until;

  if (wait < 0)
    return pthread_cond_wait (&session->changed, &session->lock) == 0;
  clock_gettime (CLOCK_REALTIME, &until);
  until.tv_sec += wait / 1000;
  until.tv_nsec += wait % 1000 * 1000000;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  return pthread_cond_timedwait (&session->changed, &session->lock, &until) == 0;
}

RackReply *
rack_session_idle_check (RackSession *session, gint64 wait, GCancellable *cancellable,
                         GError **error)
{
  gint64 end = g_get_monotonic_time () + wait * 1000;
  gulong handler = cancellable != NULL
                       ? g_cancellable_connect (cancellable, G_CALLBACK (wake), session, NULL)
                       : 0;
  RackReply *news = NULL;

  pthread_mutex_lock (&session->lock);
  while ((news = take_news (session)) == NULL && !session->died
         && !g_cancellable_is_cancelled (cancellable))
    {
      gint64 left = wait < 0 ? -1 : MAX ((end - g_get_monotonic_time ()) / 1000, 0);
      if (left == 0 || !wait_for_news (session, left))
        {
          news = take_news (session);
          break;
        }
    }
  pthread_mutex_unlock (&session->lock);
  if (handler != 0)
    g_cancellable_disconnect (cancellable, handler);
  if (news == NULL && g_cancellable_is_cancelled (cancellable))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  else if (news == NULL)
    check_alive (session, error);
  return news;
}

RackReply *
rack_session_idle_done (RackSession *session, GCancellable *cancellable, GError **error)
{
  RackCommand *command = rack_command_new ("NOOP");

  session->idling = FALSE;
  rack_conn_want_idle (session->conn, FALSE);
  /* DONE goes out before it, so that everything IDLE had to say is here when it is answered. */
  g_autoptr (RackReply) reply = rack_session_run (session, command, cancellable, error);
  if (reply == NULL)
    return NULL;
  pthread_mutex_lock (&session->lock);
  const RackResponse *response;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    rack_reply_add (session->news, response);
  RackReply *news = session->news;
  session->news = rack_reply_new ();
  pthread_mutex_unlock (&session->lock);
  return news;
}
