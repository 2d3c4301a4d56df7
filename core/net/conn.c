/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * conn.c - a connection and its owner thread; the contract is in conn.h
 *
 * One step: write what the engine has, wait for the descriptor, the inbox or the
 * engine's deadline, read what is there. The same step serves the thread that
 * builds the connection up and the owner thread afterwards. What other threads do
 * with it is in conn-post.c. */
#include "conn-private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How long the answer may take when a connection is asked whether it still works: a network that
 * comes back may need some seconds. */
#define PROBE_LIMIT (10 * G_USEC_PER_SEC)

/* ---- Birth and death --------------------------------------------------------------- */

static void
random_prefix (char prefix[8])
{
  for (guint i = 0; i < 5; i++)
    {
      guint n = (guint) g_random_int_range (0, 52);
      prefix[i] = (char) (n < 26 ? 'A' + n : 'a' + n - 26);
    }
  prefix[5] = '\0';
}

static char **
dup_keywords (const RackFlagList *flags)
{
  char **keywords = g_new0 (char *, flags->n_keywords + 1);

  for (guint i = 0; i < flags->n_keywords; i++)
    keywords[i] = g_strndup (flags->keywords[i].data, flags->keywords[i].size);
  return keywords;
}

static void
hear_news (gpointer data, const RackResponse *response)
{
  RackConn *conn = data;

  pthread_mutex_lock (&conn->lock);
  if (response->kind == RACK_RESPONSE_FLAGS)
    {
      g_strfreev (conn->keywords);
      conn->keywords = dup_keywords (&response->flags);
    }
  RackNews news = conn->news;
  gpointer news_data = conn->news_data;
  pthread_mutex_unlock (&conn->lock);
  if (news != NULL)
    news (news_data, response);
}

RackConn *
rack_conn_new (RackStream *stream, const RackConnOptions *options)
{
  RackConn *conn = g_new0 (RackConn, 1);
  char prefix[8];

  random_prefix (prefix);
  conn->references = 1;
  conn->stream = stream;
  conn->trace = options->trace != NULL ? rack_trace_ref (options->trace) : NULL;
  conn->counters = options->counters;
  conn->inbox_end = &conn->inbox;
  conn->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  pthread_mutex_init (&conn->lock, NULL);
  RackEngineOptions engine = { .tag_prefix = prefix,
                               .timeout = options->timeout,
                               .idle_refresh = options->idle_refresh,
                               .preauth = options->preauth,
                               .disabled = options->disabled,
                               .news = hear_news,
                               .data = conn };
  conn->engine = rack_engine_new (&engine, g_get_monotonic_time ());
  if (conn->counters != NULL)
    __atomic_add_fetch (&conn->counters->connections, 1, __ATOMIC_RELAXED);
  return conn;
}

RackConn *
rack_conn_ref (RackConn *conn)
{
  g_atomic_int_inc (&conn->references);
  return conn;
}

void
rack_conn_unref (RackConn *conn)
{
  if (conn == NULL || !g_atomic_int_dec_and_test (&conn->references))
    return;
  rack_engine_free (conn->engine);
  if (conn->stream != NULL)
    conn->stream->ops->close (conn->stream);
  rack_trace_unref (conn->trace);
  close (conn->wake);
  g_clear_error (&conn->death);
  g_strfreev (conn->capabilities);
  g_free (conn->greeting);
  g_strfreev (conn->facts);
  g_strfreev (conn->keywords);
  pthread_mutex_destroy (&conn->lock);
  g_free (conn);
}

void
rack_conn_set_wait (RackConn *conn, const RackWait *wait)
{
  conn->wait = *wait;
}

RackEngine *
rack_conn_engine (RackConn *conn)
{
  return conn->engine;
}

RackStream *
rack_conn_stream (RackConn *conn)
{
  return conn->stream;
}

RackStream *
rack_conn_steal_stream (RackConn *conn)
{
  return g_steal_pointer (&conn->stream);
}

void
rack_conn_upgraded (RackConn *conn, RackStream *stream)
{
  char prefix[8];

  random_prefix (prefix);
  conn->stream = stream;
  rack_engine_upgraded (conn->engine, prefix, g_get_monotonic_time ());
}

/* ---- One step ----------------------------------------------------------------------- */

static void
count (RackConn *conn)
{
  guint64 commands = rack_engine_commands (conn->engine);
  guint64 trips = rack_engine_round_trips (conn->engine);

  if (conn->counters == NULL)
    return;
  if (commands != conn->seen_commands)
    __atomic_add_fetch (&conn->counters->commands, commands - conn->seen_commands,
                        __ATOMIC_RELAXED);
  if (trips != conn->seen_round_trips)
    __atomic_add_fetch (&conn->counters->round_trips, trips - conn->seen_round_trips,
                        __ATOMIC_RELAXED);
  conn->seen_commands = commands;
  conn->seen_round_trips = trips;
}

static void
add_bytes (RackConn *conn, gsize in, gsize out)
{
  if (conn->counters == NULL)
    return;
  if (in > 0)
    __atomic_add_fetch (&conn->counters->bytes_in, in, __ATOMIC_RELAXED);
  if (out > 0)
    __atomic_add_fetch (&conn->counters->bytes_out, out, __ATOMIC_RELAXED);
}

/* A stream of a plugin may forget to say why. */
static gboolean
stream_failed (const char *op, GError **error)
{
  if (error != NULL && *error == NULL)
    g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK, "%s of the stream failed and set no error",
                 op);
  return FALSE;
}

/* FALSE: the stream is broken. *blocked: it took no more. */
static gboolean
write_all (RackConn *conn, gboolean *blocked, GError **error)
{
  RackStr bytes;
  gboolean secret;

  *blocked = FALSE;
  while (rack_engine_to_send (conn->engine, &bytes, &secret))
    {
      gssize n = conn->stream->ops->write (conn->stream, bytes.data, bytes.size, error);
      if (n == RACK_STREAM_AGAIN)
        {
          *blocked = TRUE;
          return TRUE;
        }
      if (n < 0)
        return stream_failed ("write", error);
      if (conn->trace != NULL && secret)
        rack_trace_secret (conn->trace);
      else if (conn->trace != NULL)
        rack_trace_write (conn->trace, 'C', (RackStr){ bytes.data, (gsize) n });
      rack_engine_sent (conn->engine, (gsize) n, g_get_monotonic_time ());
      add_bytes (conn, 0, (gsize) n);
    }
  return TRUE;
}

static void
doubt (RackConn *conn)
{
  rack_engine_probe (conn->engine, PROBE_LIMIT, g_get_monotonic_time ());
  /* A command may take its time to be answered, but not to arrive. */
  rack_tcp_set_patience (conn->stream->ops->fd (conn->stream), FALSE);
  conn->doubted = TRUE;
}

static void
trust (RackConn *conn)
{
  if (conn->doubted)
    rack_tcp_set_patience (conn->stream->ops->fd (conn->stream), TRUE);
  conn->doubted = FALSE;
}

/* Reads what is there, a few blocks at a time so that writing is not forgotten. */
static gboolean
read_some (RackConn *conn, GError **error)
{
  for (guint i = 0; i < 16; i++)
    {
      gsize size;
      char *space = rack_engine_space (conn->engine, &size);
      gssize n = conn->stream->ops->read (conn->stream, space, size, error);
      if (n == RACK_STREAM_AGAIN)
        return TRUE;
      if (n < 0)
        return stream_failed ("read", error);
      if (n == 0)
        {
          if (!rack_engine_eof (conn->engine, error))
            return FALSE;
          g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CLOSED, "the connection is closed");
          return FALSE;
        }
      if (conn->trace != NULL)
        rack_trace_write (conn->trace, 'S', (RackStr){ space, (gsize) n });
      add_bytes (conn, (gsize) n, 0);
      count (conn); /* whoever is woken by what was read finds it counted */
      trust (conn);
      if (!rack_engine_filled (conn->engine, (gsize) n, g_get_monotonic_time (), error))
        return FALSE;
      if (rack_engine_phase (conn->engine) == RACK_PHASE_TLS
          || ((gsize) n < size && !rack_stream_pending (conn->stream)))
        return TRUE;
    }
  return TRUE;
}

static gboolean
wait_for_work (RackConn *conn, gboolean blocked, GError **error)
{
  GPollFD cancel = { .fd = -1 };
  gboolean building = !conn->started;
  gboolean cancellable = building && conn->wait.cancellable != NULL
                         && g_cancellable_make_pollfd (conn->wait.cancellable, &cancel);
  gint64 deadline = rack_engine_deadline (conn->engine);
  GIOCondition events = rack_stream_wants (conn->stream, TRUE);

  if (blocked)
    events |= rack_stream_wants (conn->stream, FALSE);
  if (building && conn->wait.deadline > 0)
    deadline = MIN (deadline, conn->wait.deadline);
  if (deadline <= 0)
    deadline = 1; /* now */
  struct pollfd fds[] = {
    { .fd = conn->stream->ops->fd (conn->stream), .events = (short) events },
    { .fd = building ? cancel.fd : conn->wake, .events = POLLIN },
  };
  int n = poll (fds, building && !cancellable ? 1 : 2,
                rack_stream_pending (conn->stream) ? 0 : rack_wait_milliseconds (deadline));
  if (cancellable)
    g_cancellable_release_fd (conn->wait.cancellable);
  if (n < 0 && errno != EINTR)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK, "waiting for the server: %s",
                   g_strerror (errno));
      return FALSE;
    }
  if (building)
    return rack_wait_check (&conn->wait, error);
  if (n > 0 && fds[1].revents != 0)
    {
      guint64 dummy;
      while (read (conn->wake, &dummy, sizeof dummy) > 0)
        ;
    }
  return TRUE;
}

static gboolean
step (RackConn *conn, GError **error)
{
  gboolean blocked;

  if (!rack_engine_tick (conn->engine, g_get_monotonic_time (), error)
      || !write_all (conn, &blocked, error))
    return FALSE;
  if (rack_engine_phase (conn->engine) == RACK_PHASE_CLOSED)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CLOSED, "the connection is closed");
      return FALSE;
    }
  return wait_for_work (conn, blocked, error) && read_some (conn, error);
}

/* ---- Building up ---------------------------------------------------------------------- */

static gboolean
drive (RackConn *conn, gboolean (*until) (RackConn *conn, gpointer data), gpointer data,
       GError **error)
{
  GError *problem = NULL;

  while (!until (conn, data))
    if (!step (conn, &problem))
      {
        rack_engine_fail (conn->engine, problem);
        count (conn);
        if (conn->death == NULL)
          conn->death = g_error_copy (problem);
        if (until (conn, data) && data != NULL) /* the call says it better */
          {
            g_error_free (problem);
            return TRUE;
          }
        g_propagate_error (error, problem);
        return FALSE;
      }
  count (conn);
  return TRUE;
}

static gboolean
is_greeted (RackConn *conn, gpointer data)
{
  return rack_engine_phase (conn->engine) != RACK_PHASE_GREETING;
}

gboolean
rack_conn_wait_greeting (RackConn *conn, GError **error)
{
  return drive (conn, is_greeted, NULL, error);
}

typedef struct
{
  RackCall *call;
  gboolean (*ready) (RackCall *call);
} Until;

static gboolean
is_call_ready (RackConn *conn, gpointer data)
{
  const Until *until = data;

  return until->call->done || (until->ready != NULL && until->ready (until->call));
}

gboolean
rack_conn_drive_until (RackConn *conn, RackCall *call, gboolean (*ready) (RackCall *call),
                       GError **error)
{
  Until until = { call, ready };

  return drive (conn, is_call_ready, &until, error);
}

gboolean
rack_conn_drive (RackConn *conn, RackCall *call, GCancellable *cancellable, GError **error)
{
  return conn->started || rack_conn_drive_until (conn, call, NULL, error);
}

/* ---- The owner thread ------------------------------------------------------------------ */

static void
handle_post (RackConn *conn, RackCall *call, guint posted)
{
  gint64 now = g_get_monotonic_time ();

  if (posted & POST_SUBMIT)
    rack_engine_submit (conn->engine, &call->exchange, now);
  if (posted & POST_DETACH)
    rack_engine_detach (conn->engine, &call->exchange);
  if (posted & POST_KICK)
    rack_engine_kick (conn->engine);
}

static gboolean
take_inbox (RackConn *conn)
{
  pthread_mutex_lock (&conn->lock);
  RackCall *call = conn->inbox;
  gboolean stop = conn->stop, idle = conn->want_idle, probe = conn->probe;
  conn->probe = FALSE;
  conn->inbox = NULL;
  conn->inbox_end = &conn->inbox;
  pthread_mutex_unlock (&conn->lock);

  /* Before what came because of the same news, and waits behind it. */
  if (probe && !stop && conn->death == NULL)
    doubt (conn);
  rack_engine_want_idle (conn->engine, idle);
  while (call != NULL)
    {
      pthread_mutex_lock (&conn->lock);
      RackCall *next = call->next_posted;
      guint posted = call->posted;
      call->posted = 0;
      call->next_posted = NULL;
      pthread_mutex_unlock (&conn->lock);
      handle_post (conn, call, posted);
      rack_call_unref (call);
      call = next;
    }
  return !stop;
}

static void
remember_capabilities (RackConn *conn)
{
  const char *const *now = rack_engine_capabilities (conn->engine);

  pthread_mutex_lock (&conn->lock);
  if (conn->capabilities == NULL || !g_strv_equal ((const char *const *) conn->capabilities, now))
    {
      g_strfreev (conn->capabilities);
      conn->capabilities = g_strdupv ((char **) now);
    }
  pthread_mutex_unlock (&conn->lock);
}

static void
die (RackConn *conn, GError *error)
{
  pthread_mutex_lock (&conn->lock);
  conn->death = g_error_copy (error);
  void (*died) (gpointer data) = conn->died;
  gpointer data = conn->died_data;
  pthread_mutex_unlock (&conn->lock);
  rack_engine_fail (conn->engine, error);
  take_inbox (conn); /* what came meanwhile fails at once */
  if (died != NULL)
    died (data);
}

static gpointer
own (gpointer data)
{
  RackConn *conn = data;
  g_autoptr (GError) error = NULL;
  guint known = 0;

  while (take_inbox (conn) && step (conn, &error))
    {
      count (conn);
      guint now = g_strv_length ((char **) rack_engine_capabilities (conn->engine));
      if (now != known)
        remember_capabilities (conn);
      known = now;
    }
  count (conn);
  if (error == NULL)
    error = g_error_new (RACK_ERROR, RACK_ERROR_CLOSED, "the connection was closed");
  die (conn, error);
  /* The descriptor goes at once, so that the server notices; memory with the last reference. */
  RackWait wait = { .size = sizeof wait, .deadline = g_get_monotonic_time () + G_USEC_PER_SEC / 2 };
  RackStream *stream = g_steal_pointer (&conn->stream);
  rack_stream_shutdown (stream, &wait);
  stream->ops->close (stream);
  return NULL;
}

static void *
own_thread (void *data)
{
  return own (data);
}

/* What was noted on the way stands behind what the stream says. */
static void
gather_facts (RackConn *conn)
{
  g_auto (GStrv) noted = g_steal_pointer (&conn->facts);
  g_auto (GStrv) of_stream = rack_stream_facts (conn->stream);
  GStrvBuilder *facts = g_strv_builder_new ();

  if (of_stream != NULL)
    g_strv_builder_addv (facts, (const char **) of_stream);
  if (noted != NULL)
    g_strv_builder_addv (facts, (const char **) noted);
  conn->facts = g_strv_builder_end (facts);
  g_strv_builder_unref (facts);
}

void
rack_conn_note (RackConn *conn, const char *name, const char *value)
{
  g_auto (GStrv) before = g_steal_pointer (&conn->facts);
  GStrvBuilder *facts = g_strv_builder_new ();

  if (before != NULL)
    g_strv_builder_addv (facts, (const char **) before);
  g_strv_builder_add_many (facts, name, value, NULL);
  conn->facts = g_strv_builder_end (facts);
  g_strv_builder_unref (facts);
}

void
rack_conn_start (RackConn *conn)
{
  remember_capabilities (conn);
  conn->greeting = g_strdup (rack_engine_greeting (conn->engine));
  gather_facts (conn);
  conn->wait = (RackWait){ .size = sizeof (RackWait) };
  conn->started = TRUE;
  if (pthread_create (&conn->thread, NULL, own_thread, conn) != 0)
    g_error ("cannot start a thread: out of memory or processes");
}
