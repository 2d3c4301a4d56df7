/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_engine.c - a whole session with a hostile server
 *
 * The first octet seeds the splits, the second chooses options, the others are what
 * the server sends; 0xFE among them is where the client gets to write. Oracles: any
 * split between two such places gives the same events and the same octets sent,
 * every exchange is done exactly once, nothing is called after done, and nothing of
 * a command that is refused after login goes out before it. */
#include "engine.h"
#include "fuzz.h"

#include <string.h>

#define GATE ((char) 0xfe)

enum
{
  PREAUTH = 1 << 0,
  TAKE_FRAMES = 1 << 1,
  STREAM = 1 << 2,
  DETACH = 1 << 3,
  WITH_LOGIN = 1 << 4,
  WANT_IDLE = 1 << 5,
};

static const RackFramerLimits small = {
  .max_line = 2048, .max_data = 8192, .max_inline = 48, .max_response = 16384
};

static const char *const scripts[] = {
  "CAPABILITY", "AUTHENTICATE", "SELECT", "UID FETCH", "UID FETCH", "UID STORE",
  "UID SEARCH", "APPEND",       "STATUS", "LIST",      "UID COPY",  "LOGOUT",
};

typedef struct Session Session;

typedef struct
{
  RackExchange base;
  Session *session;
  guint index;
  guint done;
} Task;

struct Session
{
  RackEngine *engine;
  GString *events;
  guint options;
  gint64 now;
  gboolean closed;
  Task tasks[G_N_ELEMENTS (scripts)];
};

static Task *
live (RackExchange *exchange)
{
  Task *task = (Task *) exchange;

  g_assert (task->done == 0);
  return task;
}

static gboolean
on_claims (RackExchange *exchange, guint32 uid)
{
  return live (exchange)->index % 2 == uid % 2;
}

static guint
on_fits (RackExchange *exchange, RackStr bytes, RackFields fields)
{
  walk_str (bytes);
  return live (exchange)->index % 3 * (guint) fields;
}

static void
on_response (RackExchange *exchange, const RackResponse *response)
{
  Task *task = live (exchange);

  walk_response (response);
  g_string_append_printf (task->session->events, "\n%u response %d ", task->index, response->kind);
}

static gboolean
on_frame (RackExchange *exchange, RackBlock *block, RackStr bytes)
{
  Task *task = live (exchange);

  walk_str (bytes);
  g_string_append_printf (task->session->events, "\n%u frame %" G_GSIZE_FORMAT " ", task->index,
                          bytes.size);
  return (task->session->options & TAKE_FRAMES) != 0;
}

static gboolean
on_literal (RackExchange *exchange, RackStr head, guint64 size)
{
  Task *task = live (exchange);

  walk_str (head);
  g_string_append_printf (task->session->events, "\n%u literal %" G_GUINT64_FORMAT " ", task->index,
                          size);
  return (task->session->options & STREAM) != 0;
}

static void
on_piece (RackExchange *exchange, RackStr piece, guint64 left)
{
  g_string_append_len (live (exchange)->session->events, piece.data, (gssize) piece.size);
}

static void
on_continuation (RackExchange *exchange, RackStr text)
{
  Task *task = live (exchange);
  g_autoptr (RackSecret) answer = rack_secret_new ("c2VjcmV0", -1);

  walk_str (text);
  g_string_append_printf (task->session->events, "\n%u continuation ", task->index);
  rack_engine_answer (task->session->engine, answer);
}

static void
on_done (RackExchange *exchange, const RackResponse *tagged, const GError *error)
{
  Task *task = live (exchange);

  g_assert ((tagged != NULL) != (error != NULL));
  task->done++;
  g_string_append_printf (task->session->events, "\n%u done %d ", task->index,
                          error != NULL ? 100 + error->code : (int) tagged->status.kind);
  if (tagged != NULL)
    walk_response (tagged);
}

static const RackExchangeOps ops = { on_claims,  on_fits,  on_response,     on_frame,
                                     on_literal, on_piece, on_continuation, on_done };
static const RackExchangeOps plain_ops = { .response = on_response, .done = on_done };

static void
on_news (gpointer data, const RackResponse *response)
{
  Session *session = data;

  walk_response (response);
  g_string_append_printf (session->events, "\nnews %d ", response->kind);
}

static void
fail (Session *session, const GError *error)
{
  g_assert (error != NULL && error->domain == RACK_ERROR);
  g_assert (g_utf8_validate (error->message, -1, NULL));
  g_string_append_printf (session->events, "\nfailed %s", error->message);
  rack_engine_fail (session->engine, error);
  session->closed = TRUE;
}

static RackCommand *
build (guint index)
{
  const char *name = scripts[index];
  RackCommand *command = rack_command_new (name);

  if (strcmp (name, "AUTHENTICATE") == 0)
    rack_command_atom (command, "X-FUZZ");
  else if (strcmp (name, "SELECT") == 0)
    rack_command_mailbox (command, "Entwürfe");
  else if (strcmp (name, "APPEND") == 0)
    {
      g_autoptr (GBytes) message = g_bytes_new_static ("a: b\r\n\r\nhello", 13);
      rack_command_mailbox (command, "a\"b");
      rack_command_literal (command, message);
    }
  else if (g_str_has_prefix (name, "UID "))
    rack_command_raw (command, "1:* X");
  return command;
}

static void
open_session (Session *session, guint options)
{
  const RackEngineOptions engine_options = { .tag_prefix = "A",
                                             .timeout = 30 * G_USEC_PER_SEC,
                                             .idle_refresh = 540 * G_USEC_PER_SEC,
                                             .preauth = (options & PREAUTH) != 0,
                                             .limits = &small,
                                             .news = on_news,
                                             .data = session };

  session->options = options;
  session->now = 1;
  session->events = g_string_new (NULL);
  session->engine = rack_engine_new (&engine_options, session->now);
  rack_engine_want_idle (session->engine, (options & WANT_IDLE) != 0);
  for (guint i = 0; i < G_N_ELEMENTS (scripts); i++)
    {
      Task *task = &session->tasks[i];
      if (i == 1 && !(options & WITH_LOGIN))
        {
          task->done = 1;
          continue;
        }
      task->base.ops = i >= 1 && i <= 5 ? &ops : &plain_ops;
      task->base.command = build (i);
      rack_exchange_classify (&task->base, scripts[i]);
      if (task->base.flags & RACK_EXCHANGE_SELECTS)
        task->base.mailbox = g_strdup ("Entwürfe");
      task->session = session;
      task->index = i;
      rack_engine_submit (session->engine, &task->base, session->now);
    }
}

/* The client writes all it may, and time passes. */
static void
pump (Session *session)
{
  g_autoptr (GError) error = NULL;
  RackStr bytes;
  gboolean secret;

  session->now += G_USEC_PER_SEC;
  if (!rack_engine_tick (session->engine, session->now, &error))
    {
      fail (session, error);
      return;
    }
  for (guint n = 0; rack_engine_to_send (session->engine, &bytes, &secret); n++)
    {
      g_assert (n < 1000 && bytes.size > 0);
      g_string_append (session->events, "\nsent ");
      g_string_append_len (session->events, bytes.data, (gssize) bytes.size);
      rack_engine_sent (session->engine, bytes.size, session->now);
    }
  if (rack_engine_phase (session->engine) == RACK_PHASE_TLS)
    rack_engine_upgraded (session->engine, "B", session->now);
  if (session->options & DETACH)
    rack_engine_detach (session->engine, &session->tasks[3].base);
}

static void
receive (Session *session, const char *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  gsize room;
  void *space = rack_engine_space (session->engine, &room);

  g_assert (size <= room);
  memcpy (space, data, size);
  if (!rack_engine_filled (session->engine, size, session->now, &error))
    fail (session, error);
}

static void
close_session (Session *session)
{
  g_autoptr (GError) error = NULL;

  if (!session->closed && !rack_engine_eof (session->engine, &error))
    fail (session, error);
  rack_engine_free (session->engine);
  for (guint i = 0; i < G_N_ELEMENTS (scripts); i++)
    {
      g_assert (session->tasks[i].done == 1);
      rack_command_free (session->tasks[i].base.command);
      g_free (session->tasks[i].base.mailbox);
    }
}

/* seed 0: as much at once as the gates allow. */
static GString *
play (const char *data, gsize size, guint options, guint seed)
{
  Session session = { 0 };
  guint32 state = seed * 2654435761u + 1;

  open_session (&session, options);
  for (gsize at = 0; at < size && !session.closed;)
    {
      const char *gate = memchr (data + at, GATE, size - at);
      gsize stop = gate != NULL ? (gsize) (gate - data) : size;
      while (at < stop && !session.closed)
        {
          gsize now = MIN (stop - at, 8000);
          state = state * 1664525u + 1013904223u;
          if (seed > 0)
            now = MIN (now, 1 + (state >> 16) % (seed % 7 == 0 ? 1 : seed));
          receive (&session, data + at, now);
          at += now;
        }
      at += gate != NULL;
      if (!session.closed)
        pump (&session);
    }
  close_session (&session);
  return session.events;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size < 2)
    return 0;
  g_autoptr (GString) whole = play ((const char *) data + 2, size - 2, data[1], 0);
  g_autoptr (GString) split = play ((const char *) data + 2, size - 2, data[1], 1 + data[0]);
  g_assert_cmpstr (split->str, ==, whole->str);
  return 0;
}
