/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bodystructure.c - BODY and BODYSTRUCTURE (RFC 9051 §7.5.2)
 *
 * Tolerates what servers are known to send: NIL for type, encoding and sizes, a
 * disposition that is a bare string (Exchange), multiparts without children and
 * message/rfc822 as a basic part (Gmail). */
#include "parse.h"

#include <string.h>

#define MAX_DEPTH 128

static RackPart *parse_part (RackLexer *lexer, RackArena *arena, guint depth);

/* A number, or NIL or garbage as 0: sizes of parts are hints. */
static gboolean
parse_number (RackLexer *lexer, guint64 *number)
{
  RackToken token = rack_lex (lexer);

  *number = token.kind == RACK_TOKEN_NUMBER ? token.number : 0;
  return token.kind == RACK_TOKEN_NUMBER || token.kind == RACK_TOKEN_NIL
         || token.kind == RACK_TOKEN_ATOM || token.kind == RACK_TOKEN_STRING;
}

static gboolean
parse_disposition (RackLexer *lexer, RackArena *arena, RackPart *part)
{
  RackToken token = rack_lex (lexer);

  if (token.kind == RACK_TOKEN_NIL)
    return TRUE;
  if (token.kind == RACK_TOKEN_STRING)
    {
      part->disposition = rack_token_str (&token, arena);
      return TRUE;
    }
  if (token.kind != RACK_TOKEN_OPEN || !rack_parse_nstring (lexer, arena, &part->disposition))
    return FALSE;
  if (rack_lex_peek (lexer).kind != RACK_TOKEN_CLOSE
      && !rack_parse_pairs (lexer, arena, &part->disposition_params))
    return FALSE;
  return rack_lex (lexer).kind == RACK_TOKEN_CLOSE;
}

static gboolean
parse_languages (RackLexer *lexer, RackArena *arena, RackPart *part)
{
  RackToken token = rack_lex_peek (lexer);

  if (token.kind == RACK_TOKEN_OPEN)
    return rack_parse_words (lexer, arena, &part->languages, &part->n_languages);
  rack_lex (lexer);
  if (token.kind == RACK_TOKEN_NIL)
    return TRUE;
  RackStr *one = rack_arena_new0 (arena, RackStr);
  *one = rack_token_str (&token, arena);
  part->languages = one;
  part->n_languages = 1;
  return token.kind == RACK_TOKEN_STRING || token.kind == RACK_TOKEN_ATOM;
}

/* disposition, language, location, and whatever a later RFC adds, up to and with ")". */
static gboolean
parse_extensions (RackLexer *lexer, RackArena *arena, RackPart *part)
{
  for (guint n = 0;; n++)
    {
      gboolean ok;
      if (rack_lex_peek (lexer).kind == RACK_TOKEN_CLOSE)
        {
          rack_lex (lexer);
          return TRUE;
        }
      if (n == 0)
        ok = parse_disposition (lexer, arena, part);
      else if (n == 1)
        ok = parse_languages (lexer, arena, part);
      else if (n == 2)
        ok = rack_parse_nstring (lexer, arena, &part->location);
      else
        ok = rack_lex_skip_value (lexer, NULL);
      if (!ok)
        return FALSE;
    }
}

static gboolean
parse_multipart (RackLexer *lexer, RackArena *arena, RackPart *part, guint depth)
{
  const RackPart **link = &part->child;
  guint position = 0;

  part->multipart = TRUE;
  part->type = (RackStr){ "multipart", 9 };
  while (rack_lex_peek (lexer).kind == RACK_TOKEN_OPEN)
    {
      RackPart *child = parse_part (lexer, arena, depth + 1);
      if (child == NULL)
        return FALSE;
      child->parent = part;
      child->position = ++position;
      *link = child;
      link = &child->next;
    }
  if (!rack_parse_nstring (lexer, arena, &part->subtype))
    return FALSE;
  if (rack_lex_peek (lexer).kind != RACK_TOKEN_CLOSE
      && !rack_parse_pairs (lexer, arena, &part->params))
    return FALSE;
  return parse_extensions (lexer, arena, part);
}

/* envelope, body and lines of a message/rfc822; absent where a server treats it as a basic part. */
static gboolean
parse_message (RackLexer *lexer, RackArena *arena, RackPart *part, guint depth)
{
  RackEnvelope *envelope;

  if (rack_lex_peek (lexer).kind != RACK_TOKEN_OPEN)
    return TRUE;
  envelope = rack_arena_new0 (arena, RackEnvelope);
  if (!rack_envelope_parse (lexer, arena, envelope, NULL))
    return FALSE;
  part->envelope = envelope;
  RackPart *child = parse_part (lexer, arena, depth + 1);
  if (child == NULL)
    return FALSE;
  child->parent = part;
  child->position = 1;
  part->child = child;
  return rack_lex_peek (lexer).kind == RACK_TOKEN_CLOSE || parse_number (lexer, &part->lines);
}

static gboolean
parse_single (RackLexer *lexer, RackArena *arena, RackPart *part, guint depth)
{
  if (!rack_parse_nstring (lexer, arena, &part->type)
      || !rack_parse_nstring (lexer, arena, &part->subtype)
      || !rack_parse_pairs (lexer, arena, &part->params)
      || !rack_parse_nstring (lexer, arena, &part->id)
      || !rack_parse_nstring (lexer, arena, &part->description)
      || !rack_parse_nstring (lexer, arena, &part->encoding) || !parse_number (lexer, &part->size))
    return FALSE;
  if (rack_str_is (part->type, "message")
      && (rack_str_is (part->subtype, "rfc822") || rack_str_is (part->subtype, "global")))
    {
      if (!parse_message (lexer, arena, part, depth))
        return FALSE;
    }
  else if (rack_str_is (part->type, "text") && rack_lex_peek (lexer).kind != RACK_TOKEN_CLOSE
           && !parse_number (lexer, &part->lines))
    return FALSE;
  if (rack_lex_peek (lexer).kind != RACK_TOKEN_CLOSE
      && !rack_parse_nstring (lexer, arena, &part->md5))
    return FALSE;
  return parse_extensions (lexer, arena, part);
}

static RackPart *
parse_part (RackLexer *lexer, RackArena *arena, guint depth)
{
  RackPart *part;
  gboolean ok;

  if (depth > MAX_DEPTH || rack_lex (lexer).kind != RACK_TOKEN_OPEN)
    return NULL;
  part = rack_arena_new0 (arena, RackPart);
  RackLexer ahead = *lexer;
  RackToken first = rack_lex (&ahead);
  /* ("mixed" ...): a multipart without children has a single string before its parameters. */
  gboolean childless = first.kind == RACK_TOKEN_STRING
                       && (rack_lex_peek (&ahead).kind == RACK_TOKEN_OPEN
                           || rack_lex_peek (&ahead).kind == RACK_TOKEN_CLOSE);
  if (first.kind == RACK_TOKEN_OPEN || childless)
    ok = parse_multipart (lexer, arena, part, depth);
  else
    ok = parse_single (lexer, arena, part, depth);
  return ok ? part : NULL;
}

const RackPart *
rack_bodystructure_parse (RackLexer *lexer, RackArena *arena, GError **error)
{
  const RackPart *part = parse_part (lexer, arena, 0);

  if (part == NULL)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PROTOCOL, "a BODYSTRUCTURE is broken");
  return part;
}

/* Numbers count the parts of multiparts. The body of a message/rfc822 that is not a multipart is
 * part 1 of it; a multipart body adds no number of its own (RFC 9051 §6.4.5.1). */
gsize
rack_part_section (const RackPart *part, char *buffer, gsize size)
{
  guint numbers[MAX_DEPTH + 2];
  guint n = 0;
  gsize length = 0;

  for (const RackPart *at = part; at != NULL && n < G_N_ELEMENTS (numbers); at = at->parent)
    if ((at->parent == NULL || !at->parent->multipart) ? !at->multipart : TRUE)
      numbers[n++] = at->parent != NULL && at->parent->multipart ? at->position : 1;
  if (size > 0)
    buffer[0] = '\0';
  while (n-- > 0)
    {
      char text[16];
      int wrote = g_snprintf (text, sizeof text, length > 0 ? ".%u" : "%u", numbers[n]);
      if (length < size)
        g_strlcpy (buffer + length, text, size - length);
      length += (gsize) wrote;
    }
  return length;
}
