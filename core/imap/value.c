/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * value.c - any IMAP data as a tree, for what has no record of its own */
#include "parse.h"

#define MAX_DEPTH 128

static gboolean
parse_list (RackLexer *lexer, RackArena *arena, guint depth, gboolean inside,
            const RackValue **first)
{
  const RackValue **link = first;

  if (depth > MAX_DEPTH)
    return FALSE;
  for (;;)
    {
      RackToken token = rack_lex (lexer);
      if (token.kind == RACK_TOKEN_END)
        return !inside;
      if (token.kind == RACK_TOKEN_CLOSE)
        return inside;
      if (token.kind == RACK_TOKEN_BAD || rack_arena_is_full (arena))
        return FALSE;
      RackValue *value = rack_arena_new0 (arena, RackValue);
      value->text = token.text;
      if (token.kind == RACK_TOKEN_OPEN)
        {
          value->kind = RACK_VALUE_LIST;
          value->text = RACK_STR_NIL;
          if (!parse_list (lexer, arena, depth + 1, TRUE, &value->child))
            return FALSE;
        }
      else if (token.kind == RACK_TOKEN_STRING)
        {
          value->kind = RACK_VALUE_STRING;
          value->text = rack_token_str (&token, arena);
        }
      else if (token.kind == RACK_TOKEN_NUMBER)
        {
          value->kind = RACK_VALUE_NUMBER;
          value->number = token.number;
        }
      else
        value->kind = token.kind == RACK_TOKEN_NIL ? RACK_VALUE_NIL : RACK_VALUE_ATOM;
      *link = value;
      link = &value->next;
    }
}

const RackValue *
rack_value_parse (RackArena *arena, RackStr text, GError **error)
{
  const RackValue *first = NULL;
  RackLexer lexer = { text.data, text.data + text.size };

  if (text.size == 0)
    return NULL;
  if (parse_list (&lexer, arena, 0, FALSE, &first))
    return first;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                       "data from the server is not well-formed, or nested too deeply");
  return NULL;
}
