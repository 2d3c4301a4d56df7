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
  if (rack_next (lexer) != '(') /* NIL, or a bare string (Exchange) */
    return rack_parse_nstring (lexer, arena, &part->disposition);
  lexer->at++;
  return rack_parse_nstring (lexer, arena, &part->disposition)
         && (rack_next (lexer) == ')' || rack_parse_pairs (lexer, arena, &part->disposition_params))
         && rack_lex (lexer).kind == RACK_TOKEN_CLOSE;
}

static gboolean
parse_languages (RackLexer *lexer, RackArena *arena, RackPart *part)
{
  RackStr *one;

  if (rack_next (lexer) == '(')
    return rack_parse_words (lexer, arena, &part->languages, &part->n_languages);
  one = rack_arena_new0 (arena, RackStr);
  if (!rack_parse_nstring (lexer, arena, one))
    return FALSE;
  part->languages = one->data != NULL ? one : NULL;
  part->n_languages = one->data != NULL;
  return TRUE;
}

static gboolean
parse_location (RackLexer *lexer, RackArena *arena, RackPart *part)
{
  return rack_parse_nstring (lexer, arena, &part->location);
}

/* disposition, language, location, and whatever a later RFC adds, up to and with ")". One that is
 * not understood is passed over. */
static gboolean
parse_extensions (RackLexer *lexer, RackArena *arena, RackPart *part)
{
  static gboolean (*const members[]) (RackLexer *, RackArena *, RackPart *) = {
    parse_disposition,
    parse_languages,
    parse_location,
  };

  for (guint n = 0; rack_next (lexer) != ')'; n++)
    {
      RackLexer before = *lexer;
      if (n < G_N_ELEMENTS (members) && members[n](lexer, arena, part))
        continue;
      *lexer = before;
      if (!rack_lex_skip_value (lexer, NULL))
        return FALSE;
    }
  lexer->at++;
  return TRUE;
}

static gboolean
parse_multipart (RackLexer *lexer, RackArena *arena, RackPart *part, guint depth)
{
  const RackPart **link = &part->child;
  guint position = 0;

  part->multipart = TRUE;
  part->type = (RackStr){ "multipart", 9 };
  while (rack_next (lexer) == '(')
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
  if (rack_next (lexer) != ')' && !rack_parse_pairs (lexer, arena, &part->params))
    return FALSE;
  return parse_extensions (lexer, arena, part);
}

/* envelope, body and lines of a message/rfc822; absent where a server treats it as a basic part. */
static gboolean
parse_message (RackLexer *lexer, RackArena *arena, RackPart *part, guint depth)
{
  RackEnvelope *envelope;

  if (rack_next (lexer) != '(')
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
  return rack_next (lexer) == ')' || parse_number (lexer, &part->lines);
}

/* The seven fields of every part that is no multipart; fewer when the list ends early. */
static gboolean
parse_fields (RackLexer *lexer, RackArena *arena, RackPart *part)
{
  RackStr *const before[] = { &part->type, &part->subtype };
  RackStr *const behind[] = { &part->id, &part->description, &part->encoding };

  for (guint i = 0; i < G_N_ELEMENTS (before); i++)
    if (rack_next (lexer) != ')' && !rack_parse_nstring (lexer, arena, before[i]))
      return FALSE;
  if (rack_next (lexer) != ')' && !rack_parse_pairs (lexer, arena, &part->params))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (behind); i++)
    if (rack_next (lexer) != ')' && !rack_parse_nstring (lexer, arena, behind[i]))
      return FALSE;
  return rack_next (lexer) == ')' || parse_number (lexer, &part->size);
}

static gboolean
parse_single (RackLexer *lexer, RackArena *arena, RackPart *part, guint depth)
{
  if (!parse_fields (lexer, arena, part))
    return FALSE;
  if (rack_str_is (part->type, "message")
      && (rack_str_is (part->subtype, "rfc822") || rack_str_is (part->subtype, "global")))
    {
      if (!parse_message (lexer, arena, part, depth))
        return FALSE;
    }
  else if (rack_str_is (part->type, "text") && rack_next (lexer) != ')'
           && !parse_number (lexer, &part->lines))
    return FALSE;
  if (rack_next (lexer) != ')' && !rack_parse_nstring (lexer, arena, &part->md5))
    return FALSE;
  return parse_extensions (lexer, arena, part);
}

/* Behind "(": ("mixed" ("boundary" ...) ...), a multipart without children, has a single string
 * before its parameters (Gmail). */
static gboolean
is_childless (RackLexer ahead)
{
  if (rack_lex (&ahead).kind != RACK_TOKEN_STRING)
    return FALSE;
  char next = rack_next (&ahead);
  return next == '(' || next == ')';
}

static RackPart *
parse_part (RackLexer *lexer, RackArena *arena, guint depth)
{
  RackPart *part;
  gboolean ok;

  if (depth > MAX_DEPTH || rack_next (lexer) != '(' || rack_arena_is_full (arena))
    return NULL;
  lexer->at++;
  part = rack_arena_new0 (arena, RackPart);
  if (rack_next (lexer) == '(' || is_childless (*lexer))
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
