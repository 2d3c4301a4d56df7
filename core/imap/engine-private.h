/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * engine-private.h - the engine's insides, shared by its files
 *
 * engine.c (life, commands out), engine-time.c (IDLE, deadlines), receive.c (responses in),
 * capability.c (what the server can do). Nobody else includes this. */
#pragma once

#include "engine.h"

typedef enum
{
  RACK_IDLE_NONE,
  RACK_IDLE_SENT, /* IDLE is on its way, "+" has not come */
  RACK_IDLE_ON,
  RACK_IDLE_ENDING, /* DONE is on its way, the tagged response has not come */
} RackIdleState;

struct RackEngine
{
  RackFramer *framer;
  RackArena *arena;
  RackPhase phase;

  /* Settings. */
  char *prefix;
  gint64 timeout, idle_refresh;
  gboolean preauth;
  char **disabled;
  RackFramerLimits limits;
  gboolean has_limits;
  void (*news) (gpointer data, const RackResponse *response);
  gpointer data;

  /* What is going out. */
  GByteArray *out;
  gsize out_at;   /* octets of out that were sent */
  guint64 n_sent; /* octets sent in all */
  gboolean out_secret;
  RackWriter writer;
  RackExchange *writing; /* whose command is being written */
  guint64 padding;       /* octets the server still expects of a refused command's literal */
  gboolean starved;      /* the source had nothing: wait for a kick */

  /* Exchanges: in flight in order of sending, then queued in order of submission. */
  RackExchange *in_flight, *queue;
  RackExchange *streaming; /* whose literal is being streamed */
  gboolean dropping;       /* a literal nobody wants is being streamed away */
  guint64 last_tag;

  /* IDLE, an exchange of the engine's own. */
  RackExchange idle;
  RackCommand *idle_command;
  RackIdleState idle_state;
  gboolean want_idle;
  gint64 idle_since;
  gint64 probe_until; /* it must have ended, or the connection is dead; 0: no probe */

  gint64 last_activity;
  GPtrArray *capabilities;  /* char *, NULL-terminated; NULL: not known */
  guint capability_updates; /* to see whether login brought new ones */
  guint capability_updates_before_login;
  char *greeting;
  char *bye;
  char *selected;
  char *selecting; /* the mailbox of a SELECT that is in flight */
  gboolean read_only;
  guint32 uid_validity;
  RackCounts counts;
  guint64 n_commands, n_round_trips;
};

/* capability.c */
void rack_engine_set_capabilities (RackEngine *engine, const RackStr *atoms, guint n);
void rack_engine_forget_capabilities (RackEngine *engine);

/* receive.c: everything that is in the framer. */
gboolean rack_engine_process (RackEngine *engine, gint64 now, GError **error);

/* engine.c */
void rack_engine_end (RackEngine *engine, RackExchange *exchange, const RackResponse *tagged,
                      const GError *error);
/* NO or BAD came for the command being written. FALSE with error set: the server expects more than
 * can be padded. */
gboolean rack_engine_refused_while_writing (RackEngine *engine, GError **error);
/* engine-time.c: DONE goes out. */
void rack_engine_end_idle (RackEngine *engine);
/* Whether the first, or all, octets of a command in flight have left. */
gboolean rack_engine_began_sending (const RackEngine *engine, const RackExchange *exchange);
gboolean rack_engine_has_sent (const RackEngine *engine, const RackExchange *exchange);
