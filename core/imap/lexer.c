/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lexer.c - one whole response into tokens; the contract is in lexer.h */
#include "lexer.h"

#include <string.h>

#define MAX_DEPTH 128

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
  const char *start = ++lexer->at;
  gboolean escaped = FALSE;

  for (const char *at = start; at < lexer->end; at++)
    {
      if (*at == '\\')
        {
          escaped = TRUE;
          at++;
        }
      else if (*at == '"')
        {
          RackToken result = token (RACK_TOKEN_STRING, start, (gsize) (at - start));
          result.escaped = escaped;
          lexer->at = at + 1;
          return result;
        }
    }
  return bad (lexer);
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

/* Up to a space or parenthesis; inside brackets (BODY[HEADER.FIELDS (A B)]<0>) both belong to it,
 * up to the bracket that closes the first. */
static RackToken
lex_atom (RackLexer *lexer)
{
  const char *start = lexer->at, *at = start;
  guint64 number = 0;
  gboolean digits = TRUE;
  guint brackets = 0;

  for (; at < lexer->end; at++)
    {
      char c = *at;
      if (c >= '0' && c <= '9')
        {
          if (number > (G_MAXUINT64 - 9) / 10)
            digits = FALSE;
          number = number * 10 + (guint64) (c - '0');
          continue;
        }
      if (c == '[')
        brackets++;
      else if (c == ']' && brackets > 0)
        brackets--;
      else if (c == '\r' || c == '\n')
        break;
      else if (brackets == 0 && (c == ' ' || c == '(' || c == ')' || c == '"'))
        break;
      digits = FALSE;
    }
  if (at == start)
    return bad (lexer);
  lexer->at = at;
  gsize size = (gsize) (at - start);
  if (digits)
    {
      RackToken result = token (RACK_TOKEN_NUMBER, start, size);
      result.number = number;
      return result;
    }
  if (size == 3 && g_ascii_strncasecmp (start, "NIL", 3) == 0)
    return token (RACK_TOKEN_NIL, start, size);
  return token (RACK_TOKEN_ATOM, start, size);
}

RackToken
rack_lex (RackLexer *lexer)
{
  while (lexer->at < lexer->end && (*lexer->at == ' ' || *lexer->at == '\t'))
    lexer->at++;
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
  guint depth = 0;

  while (lexer->at < lexer->end && *lexer->at == ' ')
    lexer->at++;
  const char *start = lexer->at;
  do
    switch (rack_lex (lexer).kind)
      {
      case RACK_TOKEN_OPEN:
        if (++depth > MAX_DEPTH)
          return FALSE;
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
