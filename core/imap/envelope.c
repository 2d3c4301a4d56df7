/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * envelope.c - ENVELOPE (RFC 9051 §7.5.2)
 *
 * Tolerant of missing and surplus members: what is there is kept by position. */
#include "parse.h"

static gboolean
parse_address (RackLexer *lexer, RackArena *arena, RackAddress *address)
{
  RackStr *const fields[] = { &address->name, &address->route, &address->mailbox, &address->host };
  guint n = 0;

  for (;;)
    {
      RackToken token = rack_lex_peek (lexer);
      if (token.kind == RACK_TOKEN_CLOSE)
        {
          rack_lex (lexer);
          return TRUE;
        }
      if (n == G_N_ELEMENTS (fields))
        {
          if (!rack_lex_skip_value (lexer, NULL))
            return FALSE;
        }
      else if (!rack_parse_nstring (lexer, arena, fields[n++]))
        return FALSE;
    }
}

static gboolean
parse_addresses (RackLexer *lexer, RackArena *arena, RackAddresses *addresses)
{
  RackList list = { .arena = arena };
  RackToken token = rack_lex (lexer);

  *addresses = (RackAddresses){ NULL, 0 };
  /* "" where NIL or a list belongs. */
  if (token.kind == RACK_TOKEN_NIL || (token.kind == RACK_TOKEN_STRING && token.text.size == 0))
    return TRUE;
  if (token.kind != RACK_TOKEN_OPEN)
    return FALSE;
  for (;;)
    {
      token = rack_lex (lexer);
      if (token.kind == RACK_TOKEN_CLOSE)
        break;
      if (token.kind == RACK_TOKEN_NIL)
        continue;
      if (token.kind != RACK_TOKEN_OPEN
          || !parse_address (lexer, arena, rack_list_add (&list, RackAddress)))
        return FALSE;
    }
  *addresses = (RackAddresses){ list.items, (guint) list.n };
  return TRUE;
}

static gboolean
parse_members (RackLexer *lexer, RackArena *arena, RackEnvelope *envelope)
{
  RackAddresses *const lists[] = { &envelope->from, &envelope->sender, &envelope->reply_to,
                                   &envelope->to,   &envelope->cc,     &envelope->bcc };

  if (rack_lex (lexer).kind != RACK_TOKEN_OPEN)
    return FALSE;
  for (guint n = 0; rack_lex_peek (lexer).kind != RACK_TOKEN_CLOSE; n++)
    {
      gboolean ok;
      if (n == 0)
        ok = rack_parse_nstring (lexer, arena, &envelope->date);
      else if (n == 1)
        ok = rack_parse_nstring (lexer, arena, &envelope->subject);
      else if (n < 8)
        ok = parse_addresses (lexer, arena, lists[n - 2]);
      else if (n == 8)
        ok = rack_parse_nstring (lexer, arena, &envelope->in_reply_to);
      else if (n == 9)
        ok = rack_parse_nstring (lexer, arena, &envelope->message_id);
      else
        ok = rack_lex_skip_value (lexer, NULL);
      if (!ok)
        return FALSE;
    }
  rack_lex (lexer);
  return TRUE;
}

gboolean
rack_envelope_parse (RackLexer *lexer, RackArena *arena, RackEnvelope *envelope, GError **error)
{
  if (parse_members (lexer, arena, envelope))
    return TRUE;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PROTOCOL, "an ENVELOPE is broken");
  return FALSE;
}
