/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * engine.c - the life of the machine, and commands on their way out
 *
 * What comes in is in receive.c, what time does in engine-time.c. The order of writing is: what a
 * refused command still owes, the command being written, then the next of the queue the pipelining
 * rule admits; IDLE when there is none. */
#include "engine-private.h"

#include "secret.h"

#include <string.h>

#define OUT_LIMIT     (64 * 1024)
/* Outlook.com answers BAD to about 50 pipelined commands. */
#define MAX_IN_FLIGHT 25
/* More than this is not padded away after an early NO: the connection goes instead. */
#define MAX_PADDING   (1024 * 1024)

RackEngine *
rack_engine_new (const RackEngineOptions *options, gint64 now)
{
  RackEngine *engine = g_new0 (RackEngine, 1);

  engine->arena = rack_arena_new ();
  engine->prefix = g_strdup (options->tag_prefix);
  engine->timeout = options->timeout;
  engine->idle_refresh =
      options->idle_refresh > 0 ? options->idle_refresh : 9 * 60 * G_USEC_PER_SEC;
  engine->preauth = options->preauth;
  engine->disabled = g_strdupv ((char **) options->disabled);
  if (options->limits != NULL)
    {
      engine->limits = *options->limits;
      engine->has_limits = TRUE;
    }
  engine->framer = rack_framer_new (options->limits);
  engine->news = options->news;
  engine->data = options->data;
  engine->out = g_byte_array_sized_new (OUT_LIMIT + 1024);
  engine->last_activity = now;
  return engine;
}

void
rack_engine_free (RackEngine *engine)
{
  if (engine == NULL)
    return;
  g_autoptr (GError) error =
      g_error_new (RACK_ERROR, RACK_ERROR_CLOSED, "the connection was closed");
  rack_engine_fail (engine, error);
  rack_framer_free (engine->framer);
  rack_arena_free (engine->arena);
  rack_command_free (engine->idle_command);
  rack_engine_forget_capabilities (engine);
  rack_wipe (engine->out->data, engine->out->len);
  g_byte_array_free (engine->out, TRUE);
  g_free (engine->prefix);
  g_strfreev (engine->disabled);
  g_free (engine->greeting);
  g_free (engine->bye);
  g_free (engine->selected);
  g_free (engine->selecting);
  g_free (engine);
}

void *
rack_engine_space (RackEngine *engine, gsize *size)
{
  return rack_framer_space (engine->framer, size);
}

gboolean
rack_engine_filled (RackEngine *engine, gsize size, gint64 now, GError **error)
{
  rack_framer_filled (engine->framer, size);
  engine->last_activity = now;
  return rack_engine_process (engine, now, error);
}

gboolean
rack_engine_eof (RackEngine *engine, GError **error)
{
  if (engine->phase == RACK_PHASE_CLOSED)
    return TRUE;
  if (rack_framer_in_response (engine->framer))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CLOSED,
                         "the server closed the connection in the middle of a response");
  else
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CLOSED, "the server closed the connection");
  return FALSE;
}

/* ---- Ending exchanges --------------------------------------------------------- */

static void
unlink_exchange (RackExchange **list, RackExchange *exchange)
{
  for (; *list != NULL; list = &(*list)->next)
    if (*list == exchange)
      {
        *list = exchange->next;
        exchange->next = NULL;
        return;
      }
}

void
rack_engine_end (RackEngine *engine, RackExchange *exchange, const RackResponse *tagged,
                 const GError *error)
{
  unlink_exchange (&engine->in_flight, exchange);
  unlink_exchange (&engine->queue, exchange);
  if (engine->streaming == exchange)
    {
      engine->streaming = NULL;
      engine->dropping = TRUE;
    }
  exchange->state = RACK_EXCHANGE_ENDED;
  exchange->ops->done (exchange, tagged, error);
}

gboolean
rack_exchange_changes (const RackExchange *exchange)
{
  const RackExchangeFlags harmless = RACK_EXCHANGE_REPEATABLE | RACK_EXCHANGE_LOGS_IN
                                     | RACK_EXCHANGE_LOGS_OUT | RACK_EXCHANGE_STARTS_TLS;

  return !(exchange->flags & harmless) || (exchange->flags & RACK_EXCHANGE_CHANGES);
}

/* What a lost connection means for a command depends on whether the server has seen it. */
static GError *
error_for (const RackExchange *exchange, gboolean all_sent, const GError *cause)
{
  gboolean lost = g_error_matches (cause, RACK_ERROR, RACK_ERROR_CLOSED)
                  || g_error_matches (cause, RACK_ERROR, RACK_ERROR_NETWORK)
                  || g_error_matches (cause, RACK_ERROR, RACK_ERROR_TIMEOUT)
                  || g_error_matches (cause, RACK_ERROR, RACK_ERROR_TLS)
                  || g_error_matches (cause, RACK_ERROR, RACK_ERROR_PROTOCOL);

  if (!lost || exchange->state != RACK_EXCHANGE_SENT || !rack_exchange_changes (exchange))
    return g_error_copy (cause);
  if (!all_sent) /* no server carries out half a command */
    return g_error_new_literal (RACK_ERROR, RACK_ERROR_CLOSED, cause->message);
  return g_error_new (RACK_ERROR, RACK_ERROR_UNKNOWN_OUTCOME,
                      "%s, and whether the command was carried out is not known", cause->message);
}

void
rack_engine_fail (RackEngine *engine, const GError *cause)
{
  engine->phase = RACK_PHASE_CLOSED;
  engine->writing = NULL;
  while (engine->in_flight != NULL || engine->queue != NULL)
    {
      RackExchange *exchange = engine->in_flight != NULL ? engine->in_flight : engine->queue;
      g_autoptr (GError) error =
          error_for (exchange, rack_engine_has_sent (engine, exchange), cause);
      rack_engine_end (engine, exchange, NULL, error);
    }
}

/* ---- Submitting --------------------------------------------------------------- */

void
rack_engine_submit (RackEngine *engine, RackExchange *exchange, gint64 now)
{
  const GError *bad = rack_command_error (exchange->command);
  RackExchange **end = &engine->queue;

  exchange->next = NULL;
  exchange->written = exchange->detached = FALSE;
  exchange->state = RACK_EXCHANGE_QUEUED;
  if (bad != NULL)
    {
      rack_engine_end (engine, exchange, NULL, bad);
      return;
    }
  if (engine->phase == RACK_PHASE_CLOSED)
    {
      g_autoptr (GError) error =
          g_error_new (RACK_ERROR, RACK_ERROR_CLOSED, "the connection is closed");
      rack_engine_end (engine, exchange, NULL, error);
      return;
    }
  if (engine->in_flight == NULL
      && (engine->queue == NULL || (engine->queue->flags & RACK_EXCHANGE_PREFACE)))
    engine->last_activity = now;
  while (*end != NULL)
    end = &(*end)->next;
  *end = exchange;
}

void
rack_engine_detach (RackEngine *engine, RackExchange *exchange)
{
  if (exchange->state == RACK_EXCHANGE_QUEUED)
    {
      g_autoptr (GError) error = g_error_new (RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
      rack_engine_end (engine, exchange, NULL, error);
    }
  else if (exchange->state == RACK_EXCHANGE_SENT)
    {
      exchange->detached = TRUE;
      if (engine->streaming == exchange)
        {
          engine->streaming = NULL;
          engine->dropping = TRUE;
        }
    }
}

void
rack_engine_kick (RackEngine *engine)
{
  engine->starved = FALSE;
}

/* ---- Writing ------------------------------------------------------------------ */

gboolean
rack_engine_began_sending (const RackEngine *engine, const RackExchange *exchange)
{
  return engine->n_sent > exchange->begins;
}

gboolean
rack_engine_has_sent (const RackEngine *engine, const RackExchange *exchange)
{
  return exchange->written && engine->n_sent >= exchange->ends;
}

/* Where the next octet appended to out stands in all that is written. */
static guint64
end_of_out (const RackEngine *engine)
{
  return engine->n_sent + (engine->out->len - engine->out_at);
}

static gboolean
phase_allows (const RackEngine *engine, const RackExchange *exchange)
{
  if (engine->phase == RACK_PHASE_NOT_AUTHENTICATED)
    return (exchange->flags & RACK_EXCHANGE_BEFORE_LOGIN) != 0;
  return engine->phase == RACK_PHASE_AUTHENTICATED || engine->phase == RACK_PHASE_SELECTED;
}

/* Untagged data of two exchanges that could be taken for one another's. */
static gboolean
is_ambiguous (const RackExchange *a, const RackExchange *b)
{
  RackTakes both = a->takes & b->takes & ~(guint) RACK_TAKES_FETCH;

  if ((a->flags & RACK_EXCHANGE_CORRELATED) && (b->flags & RACK_EXCHANGE_CORRELATED))
    both &= ~(guint) RACK_TAKES_SEARCH;
  return both != 0;
}

/* The pipelining rule; see exchange.c. */
static gboolean
may_start (const RackEngine *engine, const RackExchange *next)
{
  guint n = 0;

  if (!phase_allows (engine, next) || ((next->flags & RACK_EXCHANGE_PREFACE) && next->next == NULL))
    return FALSE;
  for (const RackExchange *at = engine->in_flight; at != NULL; at = at->next)
    {
      if (at == &engine->idle && engine->idle_state == RACK_IDLE_ENDING)
        continue;
      if ((at->flags & RACK_EXCHANGE_ALONE) || !at->written || is_ambiguous (at, next))
        return FALSE;
      if (at->flags & RACK_EXCHANGE_PREFACE)
        continue;
      /* After a SELECT, what is sent depends on its success. */
      if ((at->flags & RACK_EXCHANGE_SELECTS) && (next->flags & RACK_EXCHANGE_SELECTS))
        return FALSE;
      n++;
    }
  if (n >= MAX_IN_FLIGHT || (n > 0 && (next->flags & RACK_EXCHANGE_ALONE)))
    return FALSE;
  return n == 0 || !(next->flags & RACK_EXCHANGE_SELECTS);
}

static void
start_exchange (RackEngine *engine, RackExchange *exchange)
{
  RackExchange **end = &engine->in_flight;
  char tag[64];

  unlink_exchange (&engine->queue, exchange);
  while (*end != NULL)
    end = &(*end)->next;
  *end = exchange;
  exchange->state = RACK_EXCHANGE_SENT;
  exchange->tag = ++engine->last_tag;
  exchange->begins = end_of_out (engine);
  int size =
      g_snprintf (tag, sizeof tag, "%s%" G_GUINT64_FORMAT " ", engine->prefix, exchange->tag);
  g_byte_array_append (engine->out, (const guint8 *) tag, (guint) size);
  rack_writer_init (&engine->writer, exchange->command);
  engine->writing = exchange;
  engine->starved = FALSE;
  engine->n_commands++;
  if (exchange->flags & RACK_EXCHANGE_SELECTS)
    {
      g_free (engine->selecting);
      engine->selecting = g_steal_pointer (&exchange->mailbox);
      engine->uid_validity = 0;
      engine->counts = (RackCounts){ 0 };
    }
  engine->capability_updates_before_login = engine->capability_updates;
}

/* What the writer may use now. */
static RackWireOptions
wire_options (const RackEngine *engine)
{
  return (RackWireOptions){
    .literal_plus = rack_engine_has (engine, "LITERAL+"),
    .literal_minus = rack_engine_has (engine, "LITERAL-") || rack_engine_has (engine, "IMAP4REV2"),
  };
}

static void
write_some (RackEngine *engine)
{
  RackWireOptions options = wire_options (engine);

  switch (rack_writer_fill (&engine->writer, &options, engine->out, OUT_LIMIT, &engine->out_secret))
    {
    case RACK_WRITE_MORE:
    case RACK_WRITE_WAIT:
      break;
    case RACK_WRITE_SOURCE:
      engine->starved = TRUE;
      break;
    case RACK_WRITE_DONE:
      engine->writing->written = TRUE;
      engine->writing->ends = end_of_out (engine);
      engine->writing = NULL;
      break;
    case RACK_WRITE_FAILED:
      {
        RackExchange *failed = engine->writing;
        g_autoptr (GError) error = g_error_new (RACK_ERROR, RACK_ERROR_CANCELLED,
                                                "given up before all of the message was sent");
        /* The server waits for octets that will never come: only closing ends that. */
        rack_engine_end (engine, failed, NULL, error);
        rack_engine_fail (engine, error);
        break;
      }
    }
}

/* The server reads on until the literal it was promised, or the line, is over: it gets blanks and
 * the line's end. Not so before the go-ahead of a synchronising literal. */
gboolean
rack_engine_refused_while_writing (RackEngine *engine, GError **error)
{
  const RackWriter *writer = &engine->writer;
  guint64 literal = writer->in_literal ? writer->left - writer->offset : 0;

  engine->writing = NULL;
  engine->starved = FALSE;
  if (writer->waiting)
    return TRUE;
  if (literal > MAX_PADDING)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CLOSED,
                           "the server refused a large message while it was being sent, and the "
                           "connection had to be closed to stop");
      return FALSE;
    }
  engine->padding = literal + 2;
  return TRUE;
}

static void
write_padding (RackEngine *engine)
{
  guint now = (guint) MIN (engine->padding - 2, OUT_LIMIT);
  guint at = engine->out->len;

  g_byte_array_set_size (engine->out, at + now);
  memset (engine->out->data + at, ' ', now);
  engine->padding -= now;
  if (engine->padding == 2)
    {
      g_byte_array_append (engine->out, (const guint8 *) "\r\n", 2);
      engine->padding = 0;
    }
}

static gboolean
refill (RackEngine *engine)
{
  if (engine->padding > 0)
    write_padding (engine);
  else if (engine->writing != NULL)
    {
      if (!engine->starved)
        write_some (engine);
    }
  else if (engine->phase == RACK_PHASE_GREETING || engine->phase == RACK_PHASE_TLS
           || engine->phase == RACK_PHASE_CLOSED)
    return FALSE;
  else if (engine->idle_state == RACK_IDLE_ON && (engine->queue != NULL || !engine->want_idle))
    rack_engine_end_idle (engine);
  else if (engine->queue != NULL && may_start (engine, engine->queue))
    start_exchange (engine, engine->queue);
  else
    return FALSE;
  return engine->phase != RACK_PHASE_CLOSED;
}

gboolean
rack_engine_to_send (RackEngine *engine, RackStr *bytes, gboolean *secret)
{
  if (engine->out_at == engine->out->len)
    {
      guint before;
      g_byte_array_set_size (engine->out, 0);
      engine->out_at = 0;
      engine->out_secret = FALSE;
      do
        before = engine->out->len;
      while (refill (engine) && !engine->out_secret && engine->out->len < OUT_LIMIT
             && engine->out->len > before);
    }
  if (engine->out_at == engine->out->len)
    return FALSE;
  *bytes = (RackStr){ (const char *) engine->out->data + engine->out_at,
                      engine->out->len - engine->out_at };
  *secret = engine->out_secret;
  return TRUE;
}

void
rack_engine_sent (RackEngine *engine, gsize size, gint64 now)
{
  if (size == 0)
    return;
  if (engine->out_secret)
    rack_wipe (engine->out->data + engine->out_at, size);
  engine->out_at += size;
  engine->n_sent += size;
  engine->last_activity = now;
  if (engine->out_at == engine->out->len && engine->in_flight != NULL && engine->writing == NULL
      && (engine->queue == NULL || !may_start (engine, engine->queue)))
    engine->n_round_trips++;
}

void
rack_engine_answer (RackEngine *engine, const RackSecret *line)
{
  /* Continuations come when nothing is being written: the buffer is empty. */
  g_byte_array_set_size (engine->out, 0);
  engine->out_at = 0;
  g_byte_array_append (engine->out, (const guint8 *) rack_secret_peek (line),
                       (guint) rack_secret_size (line));
  g_byte_array_append (engine->out, (const guint8 *) "\r\n", 2);
  engine->out_secret = TRUE;
}

/* ---- State -------------------------------------------------------------------- */

RackPhase
rack_engine_phase (const RackEngine *engine)
{
  return engine->phase;
}

gboolean
rack_engine_is_idle (const RackEngine *engine)
{
  if (engine->queue != NULL || engine->padding > 0 || engine->out_at < engine->out->len)
    return FALSE;
  return engine->in_flight == NULL
         || (engine->in_flight == &engine->idle && engine->idle.next == NULL);
}

gboolean
rack_engine_in_idle (const RackEngine *engine)
{
  return engine->idle_state == RACK_IDLE_ON;
}

void
rack_engine_upgraded (RackEngine *engine, const char *tag_prefix, gint64 now)
{
  rack_framer_free (engine->framer);
  engine->framer = rack_framer_new (engine->has_limits ? &engine->limits : NULL);
  rack_engine_forget_capabilities (engine);
  g_free (engine->prefix);
  engine->prefix = g_strdup (tag_prefix);
  engine->phase = RACK_PHASE_NOT_AUTHENTICATED;
  engine->last_activity = now;
}

gsize
rack_engine_pending (const RackEngine *engine)
{
  return rack_framer_pending (engine->framer);
}

const char *
rack_engine_greeting (const RackEngine *engine)
{
  return engine->greeting;
}

const char *
rack_engine_selected (const RackEngine *engine)
{
  return engine->selected;
}

gboolean
rack_engine_selected_read_only (const RackEngine *engine)
{
  return engine->read_only;
}

guint32
rack_engine_uid_validity (const RackEngine *engine)
{
  return engine->uid_validity;
}

const RackCounts *
rack_engine_counts (const RackEngine *engine)
{
  return &engine->counts;
}

guint64
rack_engine_commands (const RackEngine *engine)
{
  return engine->n_commands;
}

guint64
rack_engine_round_trips (const RackEngine *engine)
{
  return engine->n_round_trips;
}
