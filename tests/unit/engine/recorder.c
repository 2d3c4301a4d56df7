/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * recorder.c - exchanges for dialogues; the contract is in recorder.h */
#include "recorder.h"

#include "script.h"

#include <string.h>

/* ---- The record -------------------------------------------------------------------- */

static void
flush_piece (Record *record)
{
  if (record->whose == NULL)
    return;
  g_queue_push_tail (&record->lines,
                     g_strdup_printf ("streamed %s %" G_GSIZE_FORMAT " %s", record->whose,
                                      record->piece->len, record->piece->str));
  g_string_truncate (record->piece, 0);
  record->whose = NULL;
}

static void G_GNUC_PRINTF (2, 3) note (Record *record, const char *format, ...)
{
  va_list args;

  flush_piece (record);
  va_start (args, format);
  GString *line = g_string_new (NULL);
  g_string_vprintf (line, format, args);
  va_end (args);
  while (line->len > 0 && g_ascii_isspace (line->str[line->len - 1]))
    g_string_truncate (line, line->len - 1);
  g_string_replace (line, "\r", "\\r", 0);
  g_string_replace (line, "\n", "\\n", 0);
  g_queue_push_tail (&record->lines, g_string_free (line, FALSE));
}

void
record_init (Record *record)
{
  g_queue_init (&record->lines);
  record->piece = g_string_new (NULL);
  record->whose = NULL;
}

void
record_clear (Record *record)
{
  g_queue_clear_full (&record->lines, g_free);
  g_string_free (record->piece, TRUE);
}

char *
record_take (Record *record)
{
  return g_queue_pop_head (&record->lines);
}

const char *
record_error_name (const GError *error)
{
  static const char *const names[] = {
    "?",        "CONFIG",  "PLUGIN",    "NETWORK",         "TLS",       "AUTH",      "INTERACTION",
    "PROTOCOL", "REFUSED", "NOT_FOUND", "EXISTS",          "READ_ONLY", "QUOTA",     "STALE",
    "CLOSED",   "TIMEOUT", "CANCELLED", "UNKNOWN_OUTCOME", "INVALID",   "TOO_LARGE", "UNSUPPORTED",
    "IO",       "BUSY",    "DENIED",    "UNAVAILABLE",     "SERVER",
  };

  if (error->domain != RACK_ERROR || error->code < 0 || error->code >= (int) G_N_ELEMENTS (names))
    return "?";
  return names[error->code];
}

static char *
describe (const RackResponse *response)
{
  static const char *const kinds[] = { "OK", "NO", "BAD", "PREAUTH", "BYE" };
  g_autofree char *name = rack_str_dup (response->name);
  g_autofree char *raw = NULL;

  switch (response->kind)
    {
    case RACK_RESPONSE_FETCH:
      return g_strdup_printf ("FETCH %u uid %u", response->message.seq, response->message.uid);
    case RACK_RESPONSE_EXISTS:
    case RACK_RESPONSE_RECENT:
    case RACK_RESPONSE_EXPUNGE:
      return g_strdup_printf ("%s %u", name, response->number);
    case RACK_RESPONSE_STATUS:
      raw = rack_str_dup (response->status.text);
      return g_strdup_printf ("%s %s", kinds[response->status.kind], raw != NULL ? raw : "");
    default:
      raw = rack_str_dup (response->raw);
      return g_strdup_printf ("%s %s", name, raw != NULL ? g_strchug (raw) : "");
    }
}

void
record_news (gpointer data, const RackResponse *response)
{
  g_autofree char *text = describe (response);

  note (data, "news %s", text);
}

/* ---- Callbacks ---------------------------------------------------------------------- */

static gboolean
claims (RackExchange *exchange, guint32 uid)
{
  const Recorder *self = (const Recorder *) exchange;

  return self->uids == NULL || rack_set_contains (self->uids, uid);
}

/* A command that names BODY takes what has a section, another what has none. */
static guint
fits (RackExchange *exchange, RackStr bytes, RackFields fields)
{
  const Recorder *self = (const Recorder *) exchange;

  return self->wants_octets == ((fields & RACK_FIELD_SECTION) != 0);
}

static void
take (RackExchange *exchange, const RackResponse *response)
{
  const Recorder *self = (const Recorder *) exchange;
  g_autofree char *text = describe (response);

  note (self->record, "take %s %s", self->id, text);
}

static gboolean
frame (RackExchange *exchange, RackBlock *block, RackStr bytes)
{
  const Recorder *self = (const Recorder *) exchange;

  /* Held for a moment, as a consumer does, so that reuse of the block would show. */
  rack_block_ref (block);
  note (self->record, "frame %s %.*s", self->id, (int) bytes.size, bytes.data);
  rack_block_unref (block);
  return TRUE;
}

static gboolean
literal (RackExchange *exchange, RackStr head, guint64 size)
{
  const Recorder *self = (const Recorder *) exchange;

  note (self->record, "literal %s %" G_GUINT64_FORMAT, self->id, size);
  self->record->whose = self->id;
  return TRUE;
}

static void
piece (RackExchange *exchange, RackStr octets, guint64 left)
{
  const Recorder *self = (const Recorder *) exchange;

  g_string_append_len (self->record->piece, octets.data, (gssize) octets.size);
}

static void
continuation (RackExchange *exchange, RackStr text)
{
  const Recorder *self = (const Recorder *) exchange;

  note (self->record, "ask %s %.*s", self->id, (int) text.size, text.size > 0 ? text.data : "");
}

static void
done (RackExchange *exchange, const RackResponse *tagged, const GError *error)
{
  const Recorder *self = (const Recorder *) exchange;
  g_autofree char *text = tagged != NULL ? describe (tagged) : NULL;

  if (tagged != NULL)
    note (self->record, "done %s %s", self->id, text);
  else
    note (self->record, "done %s error %s", self->id, record_error_name (error));
}

static const RackExchangeOps parsed_ops = {
  .claims = claims, .fits = fits, .response = take, .done = done
};
static const RackExchangeOps asking_ops = {
  .claims = claims, .fits = fits, .response = take, .continuation = continuation, .done = done
};
static const RackExchangeOps unparsed_ops = {
  .claims = claims, .fits = fits, .response = take, .frame = frame, .done = done
};
static const RackExchangeOps streamed_ops = {
  .claims = claims, .fits = fits, .response = take, .literal = literal, .piece = piece, .done = done
};

static gssize
read_source (RackSource *source, void *data, gsize size)
{
  Recorder *self = (Recorder *) ((char *) source - G_STRUCT_OFFSET (Recorder, source));
  gsize n = (gsize) MIN ((guint64) size, self->allowed - self->given);

  if (self->failing)
    return -1;
  memset (data, 'x', n);
  self->given += n;
  return (gssize) n;
}

/* ---- Commands ------------------------------------------------------------------------ */

static char *
next_token (const char **at)
{
  while (**at == ' ')
    (*at)++;
  if (**at == '\0')
    return NULL;
  const char *start = *at;
  gboolean quoted = FALSE;
  for (; **at != '\0' && (quoted || **at != ' '); (*at)++)
    {
      if (**at == '\\' && quoted && (*at)[1] != '\0')
        (*at)++;
      else if (**at == '"')
        quoted = !quoted;
    }
  return g_strndup (start, (gsize) (*at - start));
}

static void
add_source (Recorder *self, const char *size)
{
  char *end;

  self->source = (RackSource){ .size = g_ascii_strtoull (size, &end, 10), .read = read_source };
  self->allowed = *end == ':' ? g_ascii_strtoull (end + 1, NULL, 10) : self->source.size;
  rack_command_source (self->exchange.command, &self->source);
}

/* "text", m"mailbox", p"pattern", l"literal", s"secret", a"secret atom" */
static void
add_quoted (RackCommand *command, char kind, const char *text, gsize size)
{
  g_autoptr (GString) octets = script_unescape (text, size);
  g_autoptr (GBytes) bytes = g_bytes_new (octets->str, octets->len);
  g_autoptr (RackSecret) secret = rack_secret_new (octets->str, (gssize) octets->len);

  switch (kind)
    {
    case 'm':
      rack_command_mailbox (command, octets->str);
      break;
    case 'p':
      rack_command_pattern (command, octets->str);
      break;
    case 'l':
      rack_command_literal (command, bytes);
      break;
    case 's':
      rack_command_secret (command, secret);
      break;
    case 'a':
      rack_command_secret_atom (command, secret);
      break;
    default:
      rack_command_string (command, octets->str, (gssize) octets->len);
    }
}

static void
add_token (Recorder *self, const char *token)
{
  RackCommand *command = self->exchange.command;
  const char *quote = *token == '"' ? token : token[1] == '"' ? token + 1 : NULL;
  gsize size = strlen (token);

  if (quote != NULL && token + size - 1 > quote)
    add_quoted (command, *token, quote + 1, (gsize) (token + size - 2 - quote));
  else if (g_str_has_prefix (token, "source:"))
    add_source (self, token + strlen ("source:"));
  else if (g_str_has_prefix (token, "literal:"))
    {
      gsize n = (gsize) g_ascii_strtoull (token + strlen ("literal:"), NULL, 10);
      g_autoptr (GBytes) bytes = g_bytes_new_take (g_strnfill (n, 'y'), n);
      rack_command_literal (command, bytes);
    }
  else if (g_str_has_prefix (token, "word:"))
    {
      g_autofree char *word = g_strnfill ((gsize) g_ascii_strtoull (token + 5, NULL, 10), 'w');
      rack_command_raw (command, word);
    }
  else
    rack_command_raw (command, token);
}

Recorder *
recorder_new (Record *record, const char *id, const char *spec, gboolean unparsed,
              gboolean streamed, GError **error)
{
  Recorder *self = g_new0 (Recorder, 1);
  g_autofree char *first = next_token (&spec);
  g_autofree char *second = g_ascii_strcasecmp (first, "UID") == 0 ? next_token (&spec) : NULL;
  g_autofree char *name = g_strjoin (second != NULL ? " " : NULL, first, second, NULL);
  char *token;
  gboolean is_first = TRUE;

  self->id = g_strdup (id);
  self->record = record;
  self->exchange.command = rack_command_new (name);
  rack_exchange_classify (&self->exchange, name);
  self->exchange.ops = unparsed                             ? &unparsed_ops
                       : streamed                           ? &streamed_ops
                       : g_str_equal (name, "AUTHENTICATE") ? &asking_ops
                                                            : &parsed_ops;
  while ((token = next_token (&spec)) != NULL)
    {
      add_token (self, token);
      if (is_first && (self->exchange.takes & RACK_TAKES_FETCH) && second != NULL)
        self->uids = rack_set_parse (token, error);
      self->wants_octets |= strstr (token, "BODY") != NULL;
      is_first = FALSE;
      g_free (token);
    }
  if (self->exchange.flags & RACK_EXCHANGE_SELECTS)
    self->exchange.mailbox = rack_command_first_string (self->exchange.command);
  return self;
}

void
recorder_free (Recorder *self)
{
  rack_command_free (self->exchange.command);
  rack_set_free (self->uids);
  g_free (self->exchange.mailbox);
  g_free (self->id);
  g_free (self);
}
