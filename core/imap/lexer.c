/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lexer.c - one whole response into tokens; the contract is in lexer.h */
#include "parse.h"

static RackToken
token (RackTokenKind kind, const char *data, gsize size)
{
  return (RackToken){ .kind = kind, .text = { data, size } };
}

static RackToken
bad (RackLexer *lexer)
{
  const char *at = lexer->at;

  lexer->at = lexer->end;
  return token (RACK_TOKEN_BAD, at, (gsize) (lexer->end - at));
}

static RackToken
lex_quoted (RackLexer *lexer)
{
  const char *start = lexer->at + 1;
  gboolean escaped = FALSE;

  for (const char *at = start;;)
    {
      at = rack_scan_quoted (at, lexer->end);
      if (at >= lexer->end)
        return bad (lexer);
      if (*at == '"')
        {
          RackToken result = token (RACK_TOKEN_STRING, start, (gsize) (at - start));
          result.escaped = escaped;
          lexer->at = at + 1;
          return result;
        }
      escaped = TRUE;
      at += lexer->end - at >= 2 ? 2 : 1;
    }
}

static RackToken
lex_literal (RackLexer *lexer, gboolean elided)
{
  const char *at = lexer->at + 1;
  guint64 size = 0;

  for (; at < lexer->end && g_ascii_isdigit (*at) && size < G_MAXINT64 / 10 - 1; at++)
    size = size * 10 + (guint64) (*at - '0');
  if (at < lexer->end && *at == '+')
    at++;
  if (at >= lexer->end || *at++ != '}')
    return bad (lexer);
  if (at < lexer->end && *at == '\r')
    at++;
  if (at >= lexer->end || *at++ != '\n')
    return bad (lexer);
  if (elided)
    size = 0;
  if ((guint64) (lexer->end - at) < size)
    return bad (lexer);
  lexer->at = at + size;
  RackToken result = token (RACK_TOKEN_STRING, at, (gsize) size);
  result.elided = elided;
  return result;
}

/* At the "[" of BODY[HEADER.FIELDS (A "B]" C)]: behind the "]" that closes it, or NULL when none
 * does. */
static const char *
skip_section (const char *at, const char *end)
{
  guint depth = 0;

  for (const char *c = at; c < end && *c != '\r' && *c != '\n'; c++)
    if (*c == '"')
      {
        for (c = rack_scan_quoted (c + 1, end); c < end && *c == '\\';)
          c = rack_scan_quoted (MIN (c + 2, end), end);
        if (c == end)
          break;
      }
    else if (*c == '[')
      depth++;
    else if (*c == ']' && --depth == 0)
      return c + 1;
  return NULL;
}

static gboolean
has_section (RackStr name)
{
  return rack_str_starts (name, "BODY") || rack_str_starts (name, "BINARY");
}

static RackToken
lex_atom (RackLexer *lexer)
{
  const char *start = lexer->at, *at = start, *end = lexer->end;
  guint64 number = 0;

  for (; at < end && *at >= '0' && *at <= '9' && number <= (G_MAXUINT64 - 9) / 10; at++)
    number = number * 10 + (guint64) (*at - '0');
  if (at > start && (at == end || rack_ends_atom (*at)))
    {
      RackToken result = token (RACK_TOKEN_NUMBER, start, (gsize) (at - start));
      result.number = number;
      lexer->at = at;
      return result;
    }
  for (; at < end && !rack_ends_atom (*at); at++)
    if (*at == '[' && has_section ((RackStr){ start, (gsize) (at - start) }))
      {
        at = skip_section (at, end);
        if (at == NULL) /* looking for it again at every atom would take for ever */
          return bad (lexer);
        while (at < end && !rack_ends_atom (*at))
          at++;
        break;
      }
  if (at == start)
    return bad (lexer);
  lexer->at = at;
  gsize size = (gsize) (at - start);
  if (size == 3 && (start[0] | 0x20) == 'n' && (start[1] | 0x20) == 'i' && (start[2] | 0x20) == 'l')
    return token (RACK_TOKEN_NIL, start, size);
  return token (RACK_TOKEN_ATOM, start, size);
}

RackToken
rack_lex (RackLexer *lexer)
{
  rack_next (lexer);
  if (lexer->at >= lexer->end || *lexer->at == '\r' || *lexer->at == '\n')
    return token (RACK_TOKEN_END, lexer->at, 0);
  switch (*lexer->at)
    {
    case '(':
      lexer->at++;
      return token (RACK_TOKEN_OPEN, lexer->at - 1, 1);
    case ')':
      lexer->at++;
      return token (RACK_TOKEN_CLOSE, lexer->at - 1, 1);
    case '"':
      return lex_quoted (lexer);
    case '{':
      return lex_literal (lexer, FALSE);
    case '\x01':
      return lex_literal (lexer, TRUE);
    case '~':
      if (lexer->end - lexer->at > 1 && (lexer->at[1] == '{' || lexer->at[1] == '\x01'))
        {
          lexer->at++;
          return lex_literal (lexer, *lexer->at == '\x01');
        }
      break;
    default:
      break;
    }
  return lex_atom (lexer);
}

RackToken
rack_lex_peek (const RackLexer *lexer)
{
  RackLexer copy = *lexer;

  return rack_lex (&copy);
}

gboolean
rack_lex_skip_value (RackLexer *lexer, RackStr *raw)
{
  gsize depth = 0;

  rack_next (lexer);
  const char *start = lexer->at;
  do
    switch (rack_lex (lexer).kind)
      {
      case RACK_TOKEN_OPEN:
        depth++;
        break;
      case RACK_TOKEN_CLOSE:
        if (depth == 0)
          return FALSE;
        depth--;
        break;
      case RACK_TOKEN_END:
      case RACK_TOKEN_BAD:
        return FALSE;
      case RACK_TOKEN_ATOM:
      case RACK_TOKEN_NUMBER:
      case RACK_TOKEN_STRING:
      case RACK_TOKEN_NIL:
        break;
      }
  while (depth > 0);
  if (raw != NULL)
    *raw = (RackStr){ start, (gsize) (lexer->at - start) };
  return TRUE;
}
