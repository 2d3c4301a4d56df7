/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * engine-time.c - what the engine does because time passes: IDLE, NOOP, deadlines
 *
 * It has no clock: who drives it says what time it is. */
#include "engine-private.h"

#include <string.h>

#define NOOP_INTERVAL (60 * G_USEC_PER_SEC)

/* ---- IDLE --------------------------------------------------------------------- */

static RackEngine *
engine_of_idle (RackExchange *exchange)
{
  return (RackEngine *) ((char *) exchange - G_STRUCT_OFFSET (RackEngine, idle));
}

static void
idle_done (RackExchange *exchange, const RackResponse *tagged, const GError *error)
{
  RackEngine *engine = engine_of_idle (exchange);

  /* OK without "+" is a refusal too: to ask again would be to ask for ever. */
  gboolean refused =
      tagged != NULL
      && (tagged->status.kind != RACK_STATUS_OK || engine->idle_state == RACK_IDLE_SENT);

  engine->idle_state = RACK_IDLE_NONE;
  engine->probe_until = 0;
  /* A server that refuses IDLE is asked by NOOP from now on. */
  if (refused && engine->capabilities != NULL)
    for (guint i = 0; i + 1 < engine->capabilities->len; i++)
      if (strcmp (g_ptr_array_index (engine->capabilities, i), "IDLE") == 0)
        {
          g_ptr_array_remove_index (engine->capabilities, i);
          break;
        }
}

void
rack_engine_want_idle (RackEngine *engine, gboolean want)
{
  engine->want_idle = want;
}

static const RackExchangeOps idle_ops = { .done = idle_done };

/* IDLE or a NOOP, as the engine's own exchange. */
static void
start_own (RackEngine *engine, gboolean idle)
{
  rack_command_free (engine->idle_command);
  engine->idle_command = rack_command_new (idle ? "IDLE" : "NOOP");
  engine->idle = (RackExchange){ .ops = &idle_ops,
                                 .command = engine->idle_command,
                                 .flags = RACK_EXCHANGE_ALONE | RACK_EXCHANGE_REPEATABLE,
                                 .state = RACK_EXCHANGE_QUEUED };
  engine->idle_state = idle ? RACK_IDLE_SENT : RACK_IDLE_NONE;
  engine->idle.next = engine->queue;
  engine->queue = &engine->idle;
}

void
rack_engine_end_idle (RackEngine *engine)
{
  g_byte_array_append (engine->out, (const guint8 *) "DONE\r\n", 6);
  engine->idle_state = RACK_IDLE_ENDING;
}

static gboolean
idle_is_due (const RackEngine *engine, gint64 now)
{
  return now - engine->idle_since
         >= (rack_engine_has (engine, "IDLE") ? engine->idle_refresh : NOOP_INTERVAL);
}

/* ---- Time --------------------------------------------------------------------- */

/* Whether an octet from the server, or room for one of ours, is overdue after the timeout. */
static gboolean
is_awaiting (const RackEngine *engine)
{
  if (engine->phase == RACK_PHASE_CLOSED || engine->phase == RACK_PHASE_TLS)
    return FALSE;
  if (engine->phase == RACK_PHASE_GREETING || rack_framer_in_response (engine->framer)
      || engine->out_at < engine->out->len)
    return TRUE;
  if (engine->starved)
    return FALSE;
  return engine->in_flight != NULL
         && !(engine->in_flight == &engine->idle && engine->idle_state == RACK_IDLE_ON);
}

/* When IDLE (or NOOP) is to begin or to be renewed; it begins at once when wanted. */
static gint64
idle_deadline (const RackEngine *engine)
{
  if ((engine->phase != RACK_PHASE_SELECTED && engine->phase != RACK_PHASE_AUTHENTICATED)
      || !engine->want_idle || engine->queue != NULL)
    return G_MAXINT64;
  if (engine->idle_state == RACK_IDLE_ON)
    return engine->idle_since + engine->idle_refresh;
  if (engine->in_flight != NULL)
    return G_MAXINT64;
  return rack_engine_has (engine, "IDLE") ? 0 : engine->idle_since + NOOP_INTERVAL;
}

/* When what is awaited is overdue. */
static gint64
answer_deadline (const RackEngine *engine)
{
  if (!is_awaiting (engine))
    return G_MAXINT64;
  gint64 due = engine->timeout > 0 ? engine->last_activity + engine->timeout : G_MAXINT64;
  return engine->probe_until > 0 ? MIN (due, engine->probe_until) : due;
}

gint64
rack_engine_deadline (const RackEngine *engine)
{
  return MIN (idle_deadline (engine), answer_deadline (engine));
}

static void
set_overdue (const RackEngine *engine, gint64 now, GError **error)
{
  if (engine->probe_until > 0 && engine->probe_until <= now)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_TIMEOUT,
                         "the server did not answer when asked whether the connection still works");
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_TIMEOUT, "the server has not answered for %.3g s",
                 (double) engine->timeout / G_USEC_PER_SEC);
}

gboolean
rack_engine_tick (RackEngine *engine, gint64 now, GError **error)
{
  if (answer_deadline (engine) <= now)
    {
      set_overdue (engine, now, error);
      return FALSE;
    }
  if (idle_deadline (engine) > now)
    return TRUE;
  if (engine->idle_state == RACK_IDLE_ON)
    rack_engine_end_idle (engine); /* it begins again when the tagged response is here */
  else if (rack_engine_has (engine, "IDLE") || idle_is_due (engine, now))
    {
      engine->idle_since = now;
      engine->last_activity = now;
      start_own (engine, rack_engine_has (engine, "IDLE"));
    }
  return TRUE;
}

void
rack_engine_probe (RackEngine *engine, gint64 limit, gint64 now)
{
  const RackExchange *queue = engine->queue;

  if ((engine->phase != RACK_PHASE_SELECTED && engine->phase != RACK_PHASE_AUTHENTICATED)
      || engine->probe_until > 0)
    return;
  if (engine->idle_state == RACK_IDLE_ON)
    rack_engine_end_idle (engine);
  else if (engine->in_flight == NULL && engine->writing == NULL
           && (queue == NULL || ((queue->flags & RACK_EXCHANGE_PREFACE) && queue->next == NULL)))
    start_own (engine, FALSE);
  else if (engine->in_flight != &engine->idle)
    return;
  engine->probe_until = now + limit;
}
