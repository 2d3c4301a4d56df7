/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * envelope.c - ENVELOPE (RFC 9051 §7.5.2)
 *
 * Tolerant of missing and surplus members, of parentheses too many (Domino) and of
 * a member of the wrong kind (Outlook.com): what can be read is kept by position. */
#include "parse.h"

/* More parentheses around an address than this are not an accident. */
#define MAX_EXTRA_PARENTHESES 8

/* A string; a list in its place is passed over and means NIL. */
static gboolean
parse_string (RackLexer *lexer, RackArena *arena, RackStr *str)
{
  if (G_UNLIKELY (rack_next (lexer) == '('))
    return rack_lex_skip_value (lexer, NULL);
  return rack_parse_nstring (lexer, arena, str);
}

/* Behind the "(" of an address, up to and with its ")". */
static gboolean
parse_address (RackLexer *lexer, RackArena *arena, RackAddress *address)
{
  RackStr *const fields[] = { &address->name, &address->route, &address->mailbox, &address->host };

  for (guint n = 0; n < G_N_ELEMENTS (fields); n++)
    if (rack_next (lexer) == ')' || !parse_string (lexer, arena, fields[n]))
      break;
  while (rack_next (lexer) != ')')
    if (!rack_lex_skip_value (lexer, NULL))
      return FALSE;
  lexer->at++;
  return TRUE;
}

/* Behind the "(" of a list, up to and with its ")". */
static gboolean
parse_address_list (RackLexer *lexer, RackList *list, guint depth)
{
  for (;;)
    switch (rack_next (lexer))
      {
      case ')':
        lexer->at++;
        return TRUE;
      case '(':
        if (rack_arena_is_full (list->arena))
          return FALSE;
        lexer->at++;
        if (G_UNLIKELY (rack_next (lexer) == '('))
          {
            if (depth == MAX_EXTRA_PARENTHESES || !parse_address_list (lexer, list, depth + 1))
              return FALSE;
          }
        else if (!parse_address (lexer, list->arena, rack_list_add (list, RackAddress)))
          return FALSE;
        break;
      default: /* NIL, or a string that has lost its way */
        if (!rack_lex_skip_value (lexer, NULL))
          return FALSE;
        break;
      }
}

static gboolean
parse_addresses (RackLexer *lexer, RackArena *arena, RackAddresses *addresses)
{
  RackList list = { .arena = arena };

  if (rack_take_nil (lexer))
    return TRUE;
  if (rack_next (lexer) != '(') /* "" or a string where NIL or a list belongs */
    return rack_lex_skip_value (lexer, NULL);
  lexer->at++;
  if (!parse_address_list (lexer, &list, 0))
    return FALSE;
  *addresses = (RackAddresses){ list.items, (guint) list.n };
  return TRUE;
}

static gboolean
parse_members (RackLexer *lexer, RackArena *arena, RackEnvelope *envelope)
{
  RackAddresses *const lists[] = { &envelope->from, &envelope->sender, &envelope->reply_to,
                                   &envelope->to,   &envelope->cc,     &envelope->bcc };

  if (rack_next (lexer) != '(')
    return FALSE;
  lexer->at++;
  for (guint n = 0; rack_next (lexer) != ')'; n++)
    {
      gboolean ok;
      if (n == 0)
        ok = parse_string (lexer, arena, &envelope->date);
      else if (n == 1)
        ok = parse_string (lexer, arena, &envelope->subject);
      else if (n < 8)
        ok = parse_addresses (lexer, arena, lists[n - 2]);
      else if (n == 8)
        ok = parse_string (lexer, arena, &envelope->in_reply_to);
      else if (n == 9)
        ok = parse_string (lexer, arena, &envelope->message_id);
      else
        ok = rack_lex_skip_value (lexer, NULL);
      if (!ok)
        return FALSE;
    }
  lexer->at++;
  return TRUE;
}

gboolean
rack_envelope_parse (RackLexer *lexer, RackArena *arena, RackEnvelope *envelope, GError **error)
{
  *envelope = (RackEnvelope){ 0 };
  if (parse_members (lexer, arena, envelope))
    return TRUE;
  *envelope = (RackEnvelope){ 0 };
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PROTOCOL, "an ENVELOPE is broken");
  return FALSE;
}
