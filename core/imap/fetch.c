/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fetch.c - FETCH: the items of one message
 *
 * This is the hot path: one pass, nothing copied, nothing allocated but from the
 * arena. An item that does not parse is passed over; the others stand. */
#include "date.h"
#include "parse.h"

#include <string.h>

typedef gboolean (*ParseItem) (RackLexer *lexer, RackArena *arena, RackMessage *message);

static gboolean
parse_uid (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  RackToken token = rack_lex (lexer);

  if (token.kind != RACK_TOKEN_NUMBER || token.number == 0 || token.number > G_MAXUINT32)
    return FALSE;
  message->uid = (guint32) token.number;
  return TRUE;
}

static gboolean
parse_flags (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  return rack_flags_parse (lexer, arena, &message->flags, NULL);
}

static gboolean
parse_date (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  RackStr text;

  return rack_parse_nstring (lexer, arena, &text) && text.data != NULL
         && rack_date_time_parse (text, &message->date, &message->date_zone);
}

static gboolean
parse_save_date (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  gint16 zone;
  RackStr text;

  return rack_parse_nstring (lexer, arena, &text) && text.data != NULL
         && rack_date_time_parse (text, &message->save_date, &zone);
}

static gboolean
parse_size (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  RackToken token = rack_lex (lexer);

  if (token.kind != RACK_TOKEN_NUMBER || token.number > G_MAXINT64)
    return FALSE;
  message->size = token.number;
  return TRUE;
}

static gboolean
parse_envelope (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  RackEnvelope *envelope = rack_arena_new0 (arena, RackEnvelope);

  if (!rack_envelope_parse (lexer, arena, envelope, NULL))
    return FALSE;
  message->envelope = envelope;
  return TRUE;
}

static gboolean
parse_body (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  const RackPart *body = rack_bodystructure_parse (lexer, arena, NULL);

  if (body == NULL)
    return FALSE;
  message->body = body;
  return TRUE;
}

static gboolean
parse_modseq (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  RackToken token;

  if (rack_lex (lexer).kind != RACK_TOKEN_OPEN)
    return FALSE;
  token = rack_lex (lexer);
  if (token.kind != RACK_TOKEN_NUMBER || token.number > G_MAXINT64
      || rack_lex (lexer).kind != RACK_TOKEN_CLOSE)
    return FALSE;
  message->modseq = token.number;
  return TRUE;
}

/* (id) or NIL. */
static gboolean
parse_object_id (RackLexer *lexer, RackArena *arena, RackStr *id)
{
  RackToken token = rack_lex (lexer);
  RackStr text;

  if (token.kind == RACK_TOKEN_NIL)
    return TRUE;
  if (token.kind != RACK_TOKEN_OPEN || !rack_parse_nstring (lexer, arena, &text)
      || rack_lex (lexer).kind != RACK_TOKEN_CLOSE)
    return FALSE;
  *id = text;
  return TRUE;
}

static gboolean
parse_email_id (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  return parse_object_id (lexer, arena, &message->email_id);
}

static gboolean
parse_thread_id (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  return parse_object_id (lexer, arena, &message->thread_id);
}

static gboolean
parse_gm_msgid (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  RackToken token = rack_lex (lexer);

  message->gm_msgid = token.number;
  return token.kind == RACK_TOKEN_NUMBER;
}

static gboolean
parse_gm_thrid (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  RackToken token = rack_lex (lexer);

  message->gm_thrid = token.number;
  return token.kind == RACK_TOKEN_NUMBER;
}

static gboolean
parse_gm_labels (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  return rack_lex_peek (lexer).kind == RACK_TOKEN_OPEN
         && rack_parse_words (lexer, arena, &message->gm_labels, &message->n_gm_labels);
}

static gboolean
parse_preview (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  return rack_parse_nstring (lexer, arena, &message->preview);
}

#define ITEM(name, field, parse)                                                                   \
  {                                                                                                \
    name, sizeof name - 1, field, parse                                                            \
  }

static const struct
{
  const char *name;
  gsize size;
  RackFields field;
  ParseItem parse;
} item_kinds[] = {
  ITEM ("UID", RACK_FIELD_UID, parse_uid),
  ITEM ("FLAGS", RACK_FIELD_FLAGS, parse_flags),
  ITEM ("ENVELOPE", RACK_FIELD_ENVELOPE, parse_envelope),
  ITEM ("BODYSTRUCTURE", RACK_FIELD_BODY, parse_body),
  ITEM ("RFC822.SIZE", RACK_FIELD_SIZE, parse_size),
  ITEM ("INTERNALDATE", RACK_FIELD_DATE, parse_date),
  ITEM ("MODSEQ", RACK_FIELD_MODSEQ, parse_modseq),
  ITEM ("BODY", RACK_FIELD_BODY, parse_body),
  ITEM ("EMAILID", RACK_FIELD_EMAILID, parse_email_id),
  ITEM ("THREADID", RACK_FIELD_THREADID, parse_thread_id),
  ITEM ("X-GM-MSGID", RACK_FIELD_GMAIL, parse_gm_msgid),
  ITEM ("X-GM-THRID", RACK_FIELD_GMAIL, parse_gm_thrid),
  ITEM ("X-GM-LABELS", RACK_FIELD_GMAIL, parse_gm_labels),
  ITEM ("PREVIEW", RACK_FIELD_PREVIEW, parse_preview),
  ITEM ("SAVEDATE", RACK_FIELD_SAVEDATE, parse_save_date),
};

/* BODY[...]<n>, BINARY[...]<n>, BINARY.SIZE[...] is not one; RFC822, RFC822.HEADER, RFC822.TEXT. */
static gboolean
is_section (RackStr name)
{
  if (memchr (name.data, '[', name.size) != NULL)
    return rack_str_starts (name, "BODY[") || rack_str_starts (name, "BINARY[");
  return rack_str_is (name, "RFC822") || rack_str_is (name, "RFC822.HEADER")
         || rack_str_is (name, "RFC822.TEXT");
}

/* "<n>" behind the bracket, if anything. */
static gboolean
parse_origin (const char *at, const char *end, RackSection *section)
{
  if (at == end)
    return TRUE;
  if (*at++ != '<')
    return FALSE;
  const char *digit = at;
  for (; digit < end && g_ascii_isdigit (*digit); digit++)
    {
      if (section->origin > (G_MAXINT64 - 9) / 10)
        return FALSE;
      section->origin = section->origin * 10 + (guint64) (*digit - '0');
    }
  section->partial = TRUE;
  return digit > at && digit < end && *digit == '>';
}

static gboolean
parse_section (RackLexer *lexer, RackArena *arena, RackStr name, RackSection *section)
{
  const char *open = memchr (name.data, '[', name.size), *close = NULL;
  const char *end = name.data + name.size;

  *section = (RackSection){ .name = name, .section = { "", 0 } };
  if (open != NULL)
    {
      for (close = end - 1; *close != ']' && close > open;)
        close--;
      if (close == open)
        return FALSE;
      section->section = (RackStr){ open + 1, (gsize) (close - open - 1) };
      if (!parse_origin (close + 1, end, section))
        return FALSE;
    }
  return rack_parse_nstring (lexer, arena, &section->data);
}

static gboolean
parse_item (RackLexer *lexer, RackArena *arena, RackStr name, RackMessage *message,
            RackList *sections)
{
  for (gsize i = 0; i < G_N_ELEMENTS (item_kinds); i++)
    if (rack_str_is_sized (name, item_kinds[i].name, item_kinds[i].size))
      {
        if (!item_kinds[i].parse (lexer, arena, message))
          return FALSE;
        message->fields |= item_kinds[i].field;
        return TRUE;
      }
  if (is_section (name))
    {
      if (!parse_section (lexer, arena, name, rack_list_add (sections, RackSection)))
        {
          sections->n--;
          return FALSE;
        }
      message->fields |= RACK_FIELD_SECTION;
      return TRUE;
    }
  return rack_lex_skip_value (lexer, NULL);
}

static RackFields
field_of (RackStr name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (item_kinds); i++)
    if (rack_str_is_sized (name, item_kinds[i].name, item_kinds[i].size))
      return item_kinds[i].field;
  return is_section (name) ? RACK_FIELD_SECTION : 0;
}

RackFields
rack_response_peek_fields (RackStr bytes)
{
  const char *end = bytes.data + bytes.size;
  const char *open = memchr (bytes.data, '(', MIN (bytes.size, 64));
  RackLexer lexer = { open != NULL ? open + 1 : end, end };
  RackFields fields = 0;

  for (;;)
    {
      RackToken name = rack_lex (&lexer);
      if (name.kind != RACK_TOKEN_ATOM)
        return fields;
      fields |= field_of (name.text);
      rack_next (&lexer);
      if (!rack_lex_skip_value (&lexer, NULL))
        return fields;
    }
}

gboolean
rack_parse_fetch (RackLexer *lexer, RackArena *arena, RackMessage *message)
{
  RackList items = { .arena = arena }, sections = { .arena = arena };

  if (rack_lex (lexer).kind != RACK_TOKEN_OPEN)
    return FALSE;
  for (;;)
    {
      RackToken name = rack_lex (lexer);
      if (name.kind == RACK_TOKEN_CLOSE)
        break;
      if (name.kind != RACK_TOKEN_ATOM)
        return FALSE;
      if (rack_arena_is_full (arena))
        return FALSE;
      RackItem *item = rack_list_add (&items, RackItem);
      rack_next (lexer);
      const char *start = lexer->at;
      if (!parse_item (lexer, arena, name.text, message, &sections))
        {
          lexer->at = start;
          if (!rack_lex_skip_value (lexer, NULL))
            return FALSE;
        }
      item->name = name.text;
      item->raw = (RackStr){ start, (gsize) (lexer->at - start) };
    }
  message->items = items.items;
  message->n_items = (guint) items.n;
  message->sections = sections.items;
  message->n_sections = (guint) sections.n;
  return TRUE;
}
