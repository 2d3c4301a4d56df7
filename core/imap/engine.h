/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * engine.h - the IMAP state machine, without I/O
 *
 * Octets in, responses and "what to write next" out, the time as an argument. It
 * owns the rules of the connection: greeting, tags, literals and continuations,
 * what may be pipelined (RFC 9051 §5.5), capabilities and when they are void, IDLE,
 * deadlines. It does not know a socket, a thread, TLS or an auth plugin; who drives
 * it looks at the phase and does those. Times are microseconds on any scale that
 * does not run backwards.
 *
 * One thread uses an engine at a time. */
#pragma once

#include "command.h"
#include "framer.h"
#include "response.h"

typedef struct RackEngine RackEngine;
typedef struct RackExchange RackExchange;

/* ---- One command and what comes back --------------------------------------- */

/* Untagged data, by kind, that an exchange takes. */
typedef enum
{
  RACK_TAKES_FETCH = 1 << 0,
  RACK_TAKES_LIST = 1 << 1, /* LIST, LSUB, XLIST, MYRIGHTS */
  RACK_TAKES_STATUS = 1 << 2,
  RACK_TAKES_SEARCH = 1 << 3,   /* SEARCH, ESEARCH, SORT, THREAD */
  RACK_TAKES_SELECT = 1 << 4,   /* FLAGS, EXISTS, RECENT, and untagged OK with a code */
  RACK_TAKES_EXPUNGE = 1 << 5,  /* EXPUNGE, VANISHED without EARLIER */
  RACK_TAKES_VANISHED = 1 << 6, /* VANISHED (EARLIER) */
  RACK_TAKES_OTHER =
      1 << 7, /* CAPABILITY, ENABLED, NAMESPACE, ID, QUOTA, ACL, ... and unknown ones */
  RACK_TAKES_CODES = 1 << 8, /* untagged OK, NO, BAD with a code (COPYUID of MOVE, ...) */
  RACK_TAKES_ALL = (1 << 9) - 1,
} RackTakes;

typedef struct
{
  /* Whether a FETCH response for uid is its own; asked only while several exchanges in flight take
   * FETCH. NULL: it is. */
  gboolean (*claims) (RackExchange *exchange, guint32 uid);
  /* How much a FETCH response, of which bytes and the fields in it are here, looks like what was
   * asked for; 0: it is another's. Asked only when several claim the UID. NULL: 1. */
  guint (*fits) (RackExchange *exchange, RackStr bytes, RackFields fields);
  /* An untagged response that was taken. Borrowed. NULL: dropped. */
  void (*response) (RackExchange *exchange, const RackResponse *response);
  /* A FETCH response, before it is parsed. TRUE: taken (keep it by a reference on block). NULL:
   * parsed and given to response. */
  gboolean (*frame) (RackExchange *exchange, RackBlock *block, RackStr bytes);
  /* A large literal of a FETCH response begins; head is the response so far. TRUE: it comes through
   * piece, and the response that follows has the literal left out. NULL: kept inline. */
  gboolean (*literal) (RackExchange *exchange, RackStr head, guint64 size);
  void (*piece) (RackExchange *exchange, RackStr piece, guint64 left);
  /* "+ text" that no literal was waiting for. NULL: a protocol error. */
  void (*continuation) (RackExchange *exchange, RackStr text);
  /* Required; the last call on the exchange. tagged is the tagged response, or NULL with error
   * (borrowed) when there was none. */
  void (*done) (RackExchange *exchange, const RackResponse *tagged, const GError *error);
} RackExchangeOps;

typedef enum
{
  RACK_EXCHANGE_ALONE = 1 << 0,        /* nothing else in flight beside it: state changes */
  RACK_EXCHANGE_BEFORE_LOGIN = 1 << 1, /* may be sent in the not-authenticated phase */
  RACK_EXCHANGE_SELECTS =
      1 << 2, /* SELECT or EXAMINE: OK enters the selected phase, NO leaves it */
  RACK_EXCHANGE_EXAMINES = 1 << 3,
  RACK_EXCHANGE_UNSELECTS = 1 << 4,
  RACK_EXCHANGE_LOGS_IN = 1 << 5,
  RACK_EXCHANGE_LOGS_OUT = 1 << 6,
  RACK_EXCHANGE_STARTS_TLS = 1 << 7,
  RACK_EXCHANGE_REPEATABLE =
      1 << 8,                     /* for the layer above: may be repeated after a lost connection */
  RACK_EXCHANGE_PREFACE = 1 << 9, /* goes out with the exchange behind it, and only then; no other
                                     waits for its answer */
  RACK_EXCHANGE_CORRELATED =
      1 << 10,                     /* its SEARCH data name its tag (ESEARCH): several in flight */
  RACK_EXCHANGE_CHANGES = 1 << 11, /* of a repeatable one: it leaves something behind, so that it
                                      matters whether the server has seen it */
} RackExchangeFlags;

typedef enum
{
  RACK_EXCHANGE_NEW,
  RACK_EXCHANGE_QUEUED,
  RACK_EXCHANGE_SENT,
  RACK_EXCHANGE_ENDED
} RackExchangeState;

/* Put this first in your own struct. The first four are yours to set; it must live until done. */
struct RackExchange
{
  const RackExchangeOps *ops;
  RackCommand *command; /* borrowed */
  RackExchangeFlags flags;
  RackTakes takes;
  char *mailbox; /* SELECTS: the name, for rack_engine_selected(); owned, taken by the engine */
  /* The engine's. */
  RackExchangeState state;
  gboolean written;  /* completely: a tagged OK is valid */
  gboolean detached; /* its owner is gone: see rack_engine_detach() */
  guint64 tag;
  guint64 begins, ends; /* its place in all that is written; ends is valid once written */
  RackExchange *next;
};

/* What a command of this name takes and is (SELECT, UID FETCH, ...; any case). An unknown one takes
 * all and runs alone. */
void rack_exchange_classify (RackExchange *exchange, const char *name);

/* ---- The machine ------------------------------------------------------------ */

typedef enum
{
  RACK_PHASE_GREETING,
  RACK_PHASE_NOT_AUTHENTICATED,
  RACK_PHASE_TLS, /* STARTTLS was accepted: wrap the stream, rack_engine_upgraded() */
  RACK_PHASE_AUTHENTICATED,
  RACK_PHASE_SELECTED,
  RACK_PHASE_CLOSED, /* BYE, LOGOUT or a fatal error */
} RackPhase;

typedef struct
{
  const char *tag_prefix; /* [A-Za-z]+, random, different for each connection */
  gint64 timeout;         /* microseconds without an octet while something is awaited; 0 = none */
  gint64 idle_refresh;    /* microseconds */
  gboolean preauth;       /* a PREAUTH greeting is welcome */
  const char *const *disabled; /* capabilities to overlook, any case; NULL-terminated or NULL */
  const RackFramerLimits *limits;
  /* Untagged responses that no exchange took, while logged in, and what ends IDLE (tagged).
   * Borrowed; parsed. May be NULL. */
  void (*news) (gpointer data, const RackResponse *response);
  gpointer data;
} RackEngineOptions;

RackEngine *rack_engine_new (const RackEngineOptions *options, gint64 now);
/* Exchanges not done yet are ended with RACK_ERROR_CLOSED first. */
void rack_engine_free (RackEngine *engine);

/* Octets in: read into space, say how many. FALSE with error set: the connection must go
 * (rack_engine_fail() then). Callbacks of exchanges are made from here. */
void *rack_engine_space (RackEngine *engine, gsize *size);
gboolean rack_engine_filled (RackEngine *engine, gsize size, gint64 now, GError **error);
/* The stream ended. TRUE: after LOGOUT or BYE, as it should. */
gboolean rack_engine_eof (RackEngine *engine, GError **error);
/* Whether it matters if the server has seen it. */
gboolean rack_exchange_changes (const RackExchange *exchange);
/* Ends every exchange with error, RACK_ERROR_UNKNOWN_OUTCOME for those sent completely that change
 * something and RACK_ERROR_CLOSED for those sent in part; closes. error is borrowed. */
void rack_engine_fail (RackEngine *engine, const GError *error);

/* Octets out: the next run, valid until rack_engine_sent(). FALSE: nothing to write now. secret:
 * must not be shown in a trace. */
gboolean rack_engine_to_send (RackEngine *engine, RackStr *bytes, gboolean *secret);
void rack_engine_sent (RackEngine *engine, gsize size, gint64 now);

/* When rack_engine_tick() wants to be called; G_MAXINT64 = never. */
gint64 rack_engine_deadline (const RackEngine *engine);
/* FALSE with RACK_ERROR_TIMEOUT: the connection must go. */
gboolean rack_engine_tick (RackEngine *engine, gint64 now, GError **error);

/* The connection may be dead: has the server say something within limit microseconds, or tick()
 * fails. Leaves IDLE, or sends NOOP. Not while a command is in flight, which may take its time. */
void rack_engine_probe (RackEngine *engine, gint64 limit, gint64 now);

/* ---- Commands --------------------------------------------------------------- */

/* Queues an exchange; it is written as soon as the rules allow. An exchange whose command has an
 * error, or that the phase forbids for good, is done at once with that error. */
void rack_engine_submit (RackEngine *engine, RackExchange *exchange, gint64 now);
/* The owner goes away: no callback but done will be made. One that is still queued is done at once.
 */
void rack_engine_detach (RackEngine *engine, RackExchange *exchange);
/* A source has octets again. */
void rack_engine_kick (RackEngine *engine);
/* Answers a continuation with one line (CRLF added); secret. For AUTHENTICATE. */
void rack_engine_answer (RackEngine *engine, const RackSecret *line);
/* Whether to IDLE while logged in and nothing is queued (RFC 2177: with or without a mailbox).
 * Where the server has no IDLE: NOOP every minute. */
void rack_engine_want_idle (RackEngine *engine, gboolean want);

/* What was heard of the selected mailbox since its SELECT was sent. */
typedef struct
{
  guint32 exists;  /* messages */
  guint64 removed; /* how many EXPUNGE and VANISHED have taken out */
  guint64 told;    /* how often EXISTS was heard */
} RackCounts;

/* ---- State ------------------------------------------------------------------ */

RackPhase rack_engine_phase (const RackEngine *engine);
/* Nothing is queued or in flight but IDLE. */
gboolean rack_engine_is_idle (const RackEngine *engine);
gboolean rack_engine_in_idle (const RackEngine *engine); /* the server is in IDLE: "+" was seen */
/* After STARTTLS: everything learnt before is forgotten. */
void rack_engine_upgraded (RackEngine *engine, const char *tag_prefix, gint64 now);
/* Octets that came behind what was handled; must be 0 before a stream is wrapped. */
gsize rack_engine_pending (const RackEngine *engine);
gboolean rack_engine_knows_capabilities (const RackEngine *engine);
gboolean rack_engine_has (const RackEngine *engine, const char *capability); /* upper case */
/* Upper case, NULL-terminated; borrowed until the next octets come in. */
const char *const *rack_engine_capabilities (const RackEngine *engine);
const char *rack_engine_greeting (const RackEngine *engine); /* its text */
const char *rack_engine_selected (const RackEngine *engine); /* exchange.mailbox, or NULL */
gboolean rack_engine_selected_read_only (const RackEngine *engine);
guint32
rack_engine_uid_validity (const RackEngine *engine); /* of the selected mailbox, 0 unknown */
const RackCounts *rack_engine_counts (const RackEngine *engine);
guint64 rack_engine_commands (const RackEngine *engine);
/* How often all was written and the answer was still to come. */
guint64 rack_engine_round_trips (const RackEngine *engine);
