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

  message->size = token.number;
  return token.kind == RACK_TOKEN_NUMBER && token.number <= G_MAXINT64;
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
  message->modseq = token.number;
  return token.kind == RACK_TOKEN_NUMBER && token.number <= G_MAXINT64
         && rack_lex (lexer).kind == RACK_TOKEN_CLOSE;
}

/* (id) or NIL. */
static gboolean
parse_object_id (RackLexer *lexer, RackArena *arena, RackStr *id)
{
  RackToken token = rack_lex (lexer);

  if (token.kind == RACK_TOKEN_NIL)
    return TRUE;
  return token.kind == RACK_TOKEN_OPEN && rack_parse_nstring (lexer, arena, id)
         && rack_lex (lexer).kind == RACK_TOKEN_CLOSE;
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

static const struct
{
  const char *name;
  RackFields field;
  ParseItem parse;
} item_kinds[] = {
  { "UID", RACK_FIELD_UID, parse_uid },
  { "FLAGS", RACK_FIELD_FLAGS, parse_flags },
  { "ENVELOPE", RACK_FIELD_ENVELOPE, parse_envelope },
  { "BODYSTRUCTURE", RACK_FIELD_BODY, parse_body },
  { "RFC822.SIZE", RACK_FIELD_SIZE, parse_size },
  { "INTERNALDATE", RACK_FIELD_DATE, parse_date },
  { "MODSEQ", RACK_FIELD_MODSEQ, parse_modseq },
  { "BODY", RACK_FIELD_BODY, parse_body },
  { "EMAILID", RACK_FIELD_EMAILID, parse_email_id },
  { "THREADID", RACK_FIELD_THREADID, parse_thread_id },
  { "X-GM-MSGID", RACK_FIELD_GMAIL, parse_gm_msgid },
  { "X-GM-THRID", RACK_FIELD_GMAIL, parse_gm_thrid },
  { "X-GM-LABELS", RACK_FIELD_GMAIL, parse_gm_labels },
  { "PREVIEW", RACK_FIELD_PREVIEW, parse_preview },
  { "SAVEDATE", RACK_FIELD_SAVEDATE, parse_save_date },
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

static gboolean
parse_section (RackLexer *lexer, RackArena *arena, RackStr name, RackSection *section)
{
  const char *open = memchr (name.data, '[', name.size), *close = NULL;
  const char *end = name.data + name.size;

  section->name = name;
  section->section = (RackStr){ "", 0 };
  if (open != NULL)
    {
      for (close = end - 1; *close != ']' && close > open;)
        close--;
      if (close == open)
        return FALSE;
      section->section = (RackStr){ open + 1, (gsize) (close - open - 1) };
      if (close + 1 < end && close[1] == '<')
        {
          section->partial = TRUE;
          for (const char *at = close + 2; at < end && g_ascii_isdigit (*at); at++)
            section->origin = section->origin * 10 + (guint64) (*at - '0');
        }
    }
  return rack_parse_nstring (lexer, arena, &section->data);
}

static gboolean
parse_item (RackLexer *lexer, RackArena *arena, RackStr name, RackMessage *message,
            RackList *sections)
{
  for (gsize i = 0; i < G_N_ELEMENTS (item_kinds); i++)
    if (rack_str_is (name, item_kinds[i].name))
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
      RackItem *item = rack_list_add (&items, RackItem);
      while (lexer->at < lexer->end && *lexer->at == ' ')
        lexer->at++;
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
