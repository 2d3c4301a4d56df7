/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * receive.c - responses on their way in
 *
 * Takes the framer's frames one by one, changes the phase where a response says
 * so, and hands each on to the exchange it belongs to, or to the news. What came
 * before login changes nothing but capabilities. */
#include "engine-private.h"

#include <string.h>

static gboolean G_GNUC_PRINTF (2, 3) broken (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL && *error == NULL)
    *error = g_error_new_valist (RACK_ERROR, RACK_ERROR_PROTOCOL, format, args);
  va_end (args);
  return FALSE;
}

static char *
text_of (RackStr text)
{
  return rack_text_escape (text.data != NULL ? text.data : "", (gssize) text.size);
}

/* ---- Whose response is it? ---------------------------------------------------- */

static RackTakes
kind_of (const RackResponse *response)
{
  switch (response->kind)
    {
    case RACK_RESPONSE_FETCH:
      return RACK_TAKES_FETCH;
    case RACK_RESPONSE_LIST:
    case RACK_RESPONSE_LSUB:
    case RACK_RESPONSE_MYRIGHTS: /* comes with the list, where that is asked (RFC 8440) */
      return RACK_TAKES_LIST;
    case RACK_RESPONSE_MAILBOX_STATUS:
      return RACK_TAKES_STATUS;
    case RACK_RESPONSE_SEARCH:
    case RACK_RESPONSE_SORT:
    case RACK_RESPONSE_THREAD:
      return RACK_TAKES_SEARCH;
    case RACK_RESPONSE_EXISTS:
    case RACK_RESPONSE_RECENT:
    case RACK_RESPONSE_FLAGS:
      return RACK_TAKES_SELECT;
    case RACK_RESPONSE_EXPUNGE:
      return RACK_TAKES_EXPUNGE;
    case RACK_RESPONSE_VANISHED:
      return response->vanished.earlier ? RACK_TAKES_VANISHED : RACK_TAKES_EXPUNGE;
    case RACK_RESPONSE_STATUS:
    case RACK_RESPONSE_CONTINUE:
      return RACK_TAKES_CODES;
    case RACK_RESPONSE_CAPABILITY:
    case RACK_RESPONSE_ENABLED:
    case RACK_RESPONSE_NAMESPACE:
    case RACK_RESPONSE_ID:
    case RACK_RESPONSE_QUOTA:
    case RACK_RESPONSE_QUOTAROOT:
    case RACK_RESPONSE_ACL:
    case RACK_RESPONSE_LISTRIGHTS:
    case RACK_RESPONSE_OTHER:
      return RACK_TAKES_OTHER;
    }
  return RACK_TAKES_OTHER;
}

/* Finds the exchange of a tag of ours; NULL: not a tag of a command in flight. */
static RackExchange *
find_tag (RackEngine *engine, RackStr tag)
{
  gsize prefix = strlen (engine->prefix);
  guint64 number = 0;

  if (tag.size <= prefix || tag.size > prefix + 19
      || memcmp (tag.data, engine->prefix, prefix) != 0)
    return NULL;
  if (tag.data[prefix] == '0')
    return NULL;
  for (gsize i = prefix; i < tag.size; i++)
    {
      if (!g_ascii_isdigit (tag.data[i]))
        return NULL;
      number = number * 10 + (guint64) (tag.data[i] - '0');
    }
  for (RackExchange *at = engine->in_flight; at != NULL; at = at->next)
    if (at->tag == number)
      return at;
  return NULL;
}

static gboolean
claims (const RackExchange *exchange, guint32 uid)
{
  return (exchange->takes & RACK_TAKES_FETCH)
         && (exchange->ops->claims == NULL
             || exchange->ops->claims ((RackExchange *) exchange, uid));
}

/* Of those from first on that claim the UID, the one that asked for such a response. A server may
 * answer commands that are in flight together in any order, and end them later (Dovecot does). */
static RackExchange *
find_fitting (RackExchange *first, guint32 uid, RackStr bytes)
{
  RackFields fields = rack_response_peek_fields (bytes);
  RackExchange *best = first;
  guint most = 0;

  for (RackExchange *at = first; at != NULL; at = at->next)
    if (claims (at, uid))
      {
        guint score = at->ops->fits != NULL ? at->ops->fits (at, bytes, fields) : 1;
        if (score > most)
          best = at;
        most = MAX (most, score);
      }
  return best;
}

/* The exchange a FETCH response belongs to. One alone takes them all; of several, the one that
 * claims the UID. bytes: the response, or its beginning. */
static RackExchange *
find_fetch (RackEngine *engine, RackStr bytes)
{
  RackExchange *first = NULL;
  guint takers = 0;

  for (RackExchange *at = engine->in_flight; at != NULL; at = at->next)
    if (at->takes & RACK_TAKES_FETCH)
      {
        first = first != NULL ? first : at;
        takers++;
      }
  if (takers <= 1)
    return first;
  guint32 uid = rack_response_peek_uid (bytes);
  RackExchange *found = NULL;
  for (RackExchange *at = first; at != NULL && uid != 0; at = at->next)
    if (claims (at, uid))
      {
        if (found != NULL)
          return find_fitting (found, uid, bytes);
        found = at;
      }
  return found != NULL ? found : first;
}

static RackExchange *
find_taker (RackEngine *engine, const RackResponse *response, RackStr bytes)
{
  RackTakes kind = kind_of (response);
  RackExchange *tagged = NULL;

  if (kind == RACK_TAKES_FETCH)
    return find_fetch (engine, bytes);
  if (response->kind == RACK_RESPONSE_SEARCH && response->search.tag.data != NULL)
    tagged = find_tag (engine, response->search.tag);
  for (RackExchange *at = engine->in_flight; at != NULL; at = at->next)
    if ((at->takes & kind) && (tagged == NULL || tagged == at))
      return at;
  return NULL;
}

static void
deliver (RackEngine *engine, const RackResponse *response, RackStr bytes)
{
  RackExchange *taker = find_taker (engine, response, bytes);

  if (taker != NULL)
    {
      if (!taker->detached && taker->ops->response != NULL)
        taker->ops->response (taker, response);
    }
  else if (engine->news != NULL
           && (engine->phase == RACK_PHASE_AUTHENTICATED || engine->phase == RACK_PHASE_SELECTED))
    engine->news (engine->data, response);
}

/* ---- Greeting, status, phases --------------------------------------------------- */

static gboolean
receive_greeting (RackEngine *engine, const RackResponse *response, GError **error)
{
  g_autofree char *text = NULL;

  if (response->kind != RACK_RESPONSE_STATUS || response->tag.size != 1
      || *response->tag.data != '*')
    return broken (error, "this is not an IMAP server: its greeting is not \"* OK\"");
  text = text_of (response->status.text);
  g_free (engine->greeting);
  engine->greeting = g_strdup_printf ("* %.*s%.*s", (int) response->name.size, response->name.data,
                                      (int) response->raw.size, response->raw.data);
  switch (response->status.kind)
    {
    case RACK_STATUS_OK:
      engine->phase = RACK_PHASE_NOT_AUTHENTICATED;
      break;
    case RACK_STATUS_PREAUTH:
      if (!engine->preauth)
        {
          g_set_error_literal (
              error, RACK_ERROR, RACK_ERROR_TLS,
              "the server greets with PREAUTH, as logged in already, where TLS and a "
              "login were to come: refused, it may be an attack");
          return FALSE;
        }
      engine->phase = RACK_PHASE_AUTHENTICATED;
      break;
    case RACK_STATUS_BYE:
      g_set_error (error, RACK_ERROR, RACK_ERROR_CLOSED, "the server refuses connections: %s",
                   text);
      return FALSE;
    case RACK_STATUS_NO:
    case RACK_STATUS_BAD:
      return broken (error, "this is not an IMAP server: it greets with an error: %s", text);
    }
  if (response->status.code.kind == RACK_CODE_CAPABILITY)
    rack_engine_set_capabilities (engine, response->status.code.atoms,
                                  response->status.code.n_atoms);
  return TRUE;
}

static gboolean
is_logging_out (const RackEngine *engine)
{
  for (const RackExchange *at = engine->in_flight; at != NULL; at = at->next)
    if (at->flags & RACK_EXCHANGE_LOGS_OUT)
      return TRUE;
  return FALSE;
}

static gboolean
receive_bye (RackEngine *engine, const RackStatus *status, GError **error)
{
  g_autofree char *text = text_of (status->text);

  if (is_logging_out (engine))
    return TRUE; /* receive_status() hands it on */
  g_set_error (error, RACK_ERROR, RACK_ERROR_CLOSED, "the server ended the session: %s", text);
  return FALSE;
}

static gboolean
is_selecting (const RackEngine *engine)
{
  for (const RackExchange *at = engine->in_flight; at != NULL; at = at->next)
    if (at->flags & RACK_EXCHANGE_SELECTS)
      return TRUE;
  return FALSE;
}

/* Untagged OK, NO, BAD, and BYE at any time. */
static gboolean
receive_status (RackEngine *engine, const RackResponse *response, RackStr bytes, GError **error)
{
  const RackStatus *status = &response->status;

  if (status->kind == RACK_STATUS_BYE)
    {
      if (!receive_bye (engine, status, error))
        return FALSE;
      deliver (engine, response, bytes);
      return TRUE;
    }
  if (status->kind == RACK_STATUS_PREAUTH)
    return broken (error, "the server sent PREAUTH behind its greeting");
  if (status->code.kind == RACK_CODE_CAPABILITY)
    rack_engine_set_capabilities (engine, status->code.atoms, status->code.n_atoms);
  if (status->code.kind == RACK_CODE_UIDVALIDITY && is_selecting (engine))
    engine->uid_validity = (guint32) status->code.number;
  if (engine->phase != RACK_PHASE_NOT_AUTHENTICATED)
    deliver (engine, response, bytes);
  return TRUE;
}

static void
selected (RackEngine *engine, const RackExchange *exchange, const RackStatus *status)
{
  g_clear_pointer (&engine->selected, g_free);
  if (status->kind != RACK_STATUS_OK)
    {
      engine->phase = RACK_PHASE_AUTHENTICATED;
      return;
    }
  engine->phase = RACK_PHASE_SELECTED;
  engine->selected = g_steal_pointer (&engine->selecting);
  engine->read_only =
      status->code.kind == RACK_CODE_READ_ONLY || (exchange->flags & RACK_EXCHANGE_EXAMINES) != 0;
}

/* What a tagged response changes. */
static gboolean
change_phase (RackEngine *engine, RackExchange *exchange, const RackStatus *status, GError **error)
{
  gboolean ok = status->kind == RACK_STATUS_OK;

  if (exchange->flags & RACK_EXCHANGE_SELECTS)
    selected (engine, exchange, status);
  if (!ok)
    return TRUE;
  if (exchange->flags & RACK_EXCHANGE_LOGS_IN)
    {
      engine->phase = RACK_PHASE_AUTHENTICATED;
      /* Only what was said with the login counts after it. */
      if (engine->capability_updates == engine->capability_updates_before_login)
        rack_engine_forget_capabilities (engine);
    }
  if (exchange->flags & RACK_EXCHANGE_UNSELECTS)
    {
      engine->phase = RACK_PHASE_AUTHENTICATED;
      g_clear_pointer (&engine->selected, g_free);
    }
  if (exchange->flags & RACK_EXCHANGE_LOGS_OUT)
    engine->phase = RACK_PHASE_CLOSED;
  if (exchange->flags & RACK_EXCHANGE_STARTS_TLS)
    {
      if (rack_framer_pending (engine->framer) > 0)
        {
          g_set_error_literal (error, RACK_ERROR, RACK_ERROR_TLS,
                               "the server sent data behind its answer to STARTTLS and before TLS: "
                               "refused, it may be an injection by somebody between");
          return FALSE;
        }
      engine->phase = RACK_PHASE_TLS;
    }
  return TRUE;
}

static gboolean
receive_tagged (RackEngine *engine, const RackResponse *response, GError **error)
{
  const RackStatus *status = &response->status;
  RackExchange *exchange = find_tag (engine, response->tag);

  if (exchange == NULL || response->kind != RACK_RESPONSE_STATUS || status->kind == RACK_STATUS_BYE
      || status->kind == RACK_STATUS_PREAUTH || !rack_engine_began_sending (engine, exchange))
    {
      g_autofree char *tag = text_of (response->tag);
      return broken (error, "the server answered a command it was not sent (tag \"%s\")", tag);
    }
  if (status->kind == RACK_STATUS_OK && !rack_engine_has_sent (engine, exchange))
    return broken (error, "the server answered OK to a command before it had all of it");
  gboolean go_on = engine->writing != exchange || rack_engine_refused_while_writing (engine, error);
  if (status->code.kind == RACK_CODE_CAPABILITY && status->kind == RACK_STATUS_OK)
    rack_engine_set_capabilities (engine, status->code.atoms, status->code.n_atoms);
  if (!change_phase (engine, exchange, status, error))
    return FALSE;
  if (exchange == &engine->idle && engine->idle_state == RACK_IDLE_ENDING && engine->news != NULL)
    engine->news (engine->data, response);
  rack_engine_end (engine, exchange, response, NULL);
  return go_on;
}

static gboolean
receive_continuation (RackEngine *engine, const RackResponse *response, GError **error)
{
  if (engine->writing != NULL)
    {
      if (rack_writer_continue (&engine->writer))
        return TRUE;
    }
  else if (engine->idle_state == RACK_IDLE_SENT && rack_engine_has_sent (engine, &engine->idle))
    {
      engine->idle_state = RACK_IDLE_ON;
      return TRUE;
    }
  else
    for (RackExchange *at = engine->in_flight; at != NULL; at = at->next)
      if (at->ops->continuation != NULL && !at->detached && rack_engine_has_sent (engine, at))
        {
          at->ops->continuation (at, response->status.text);
          return TRUE;
        }
  return broken (error, "the server asked for a continuation (\"+\") that nothing waits for");
}

/* EXISTS, EXPUNGE and VANISHED, whosever they are. */
static void
keep_count (RackEngine *engine, const RackResponse *response)
{
  RackCounts *counts = &engine->counts;
  guint64 removed = 0;

  if (response->kind == RACK_RESPONSE_EXISTS)
    {
      counts->exists = response->number;
      counts->told++;
    }
  else if (response->kind == RACK_RESPONSE_EXPUNGE)
    removed = 1;
  else if (response->kind == RACK_RESPONSE_VANISHED && !response->vanished.earlier)
    for (gsize i = 0; i < response->vanished.uids.n; i++)
      {
        const RackRange *range = &response->vanished.uids.items[i];
        removed += (guint64) MAX (range->first, range->last) - MIN (range->first, range->last) + 1;
      }
  counts->exists -= (guint32) MIN (removed, counts->exists);
  counts->removed += removed;
}

/* ---- Frames ------------------------------------------------------------------- */

static gboolean
receive_response (RackEngine *engine, RackStr bytes, GError **error)
{
  g_autoptr (GError) problem = NULL;
  RackResponse response;

  rack_arena_reset (engine->arena);
  if (!rack_response_parse (bytes, engine->arena, &response, &problem))
    {
      if (engine->phase == RACK_PHASE_GREETING)
        return broken (error, "this is not an IMAP server: %s", problem->message);
      /* One untagged response that makes no sense costs itself alone. */
      if (bytes.size >= 2 && bytes.data[0] == '*' && bytes.data[1] == ' ')
        return TRUE;
      return broken (error, "%s", problem->message);
    }
  if (engine->phase == RACK_PHASE_GREETING)
    return receive_greeting (engine, &response, error);
  if (response.kind == RACK_RESPONSE_CONTINUE)
    return receive_continuation (engine, &response, error);
  if (response.tag.size != 1 || *response.tag.data != '*')
    return receive_tagged (engine, &response, error);
  if (response.kind == RACK_RESPONSE_STATUS)
    return receive_status (engine, &response, bytes, error);
  if (response.kind == RACK_RESPONSE_CAPABILITY)
    rack_engine_set_capabilities (engine, response.atoms.items, response.atoms.n);
  keep_count (engine, &response);
  if (engine->phase != RACK_PHASE_NOT_AUTHENTICATED || response.kind == RACK_RESPONSE_CAPABILITY)
    deliver (engine, &response, bytes);
  return TRUE;
}

static gboolean
is_logged_in (const RackEngine *engine)
{
  return engine->phase == RACK_PHASE_AUTHENTICATED || engine->phase == RACK_PHASE_SELECTED;
}

/* A FETCH response is offered unparsed first. */
static gboolean
offer_frame (RackEngine *engine, const RackFrame *frame)
{
  guint32 seq;

  if (rack_response_peek (frame->bytes, &seq) != RACK_PEEK_FETCH)
    return FALSE;
  RackExchange *taker = find_fetch (engine, frame->bytes);
  return taker != NULL && !taker->detached && taker->ops->frame != NULL
         && taker->ops->frame (taker, frame->block, frame->bytes);
}

static void
begin_literal (RackEngine *engine, const RackFrame *frame)
{
  guint32 seq;
  RackExchange *taker = NULL;

  /* Another response's literal is nobody's message. */
  if (is_logged_in (engine) && rack_response_peek (frame->bytes, &seq) == RACK_PEEK_FETCH)
    taker = find_fetch (engine, frame->bytes);
  if (taker != NULL && taker->detached)
    engine->dropping = TRUE;
  else if (taker != NULL && taker->ops->literal != NULL
           && taker->ops->literal (taker, frame->bytes, frame->literal))
    engine->streaming = taker;
  if (engine->streaming != NULL || engine->dropping)
    rack_framer_stream (engine->framer);
}

gboolean
rack_engine_process (RackEngine *engine, gint64 now, GError **error)
{
  for (;;)
    {
      RackFrame frame = rack_framer_next (engine->framer);

      switch (frame.kind)
        {
        case RACK_FRAME_MORE:
          return TRUE;
        case RACK_FRAME_BAD:
          return broken (error, "the server's data cannot be followed: %s", frame.reason);
        case RACK_FRAME_HEAD:
          engine->streaming = NULL;
          engine->dropping = FALSE;
          begin_literal (engine, &frame);
          break;
        case RACK_FRAME_LITERAL:
          if (engine->streaming != NULL)
            engine->streaming->ops->piece (engine->streaming, frame.bytes, frame.literal);
          break;
        case RACK_FRAME_RESPONSE:
          engine->streaming = NULL;
          engine->dropping = FALSE;
          if (is_logged_in (engine) && offer_frame (engine, &frame))
            break;
          if (!receive_response (engine, frame.bytes, error))
            return FALSE;
          if (engine->phase == RACK_PHASE_TLS || engine->phase == RACK_PHASE_CLOSED)
            return TRUE;
          break;
        }
    }
}
