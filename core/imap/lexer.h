/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lexer.h - one whole response into tokens
 *
 * Works on slices of a complete response; knows strings, literals, atoms and
 * parentheses, not what they mean. Tolerant where servers are known to be
 * (tests/unit/imap/test-servers.c names them), never past the end. */
#pragma once

#include <mailrack/mailrack-types.h>

typedef enum
{
  RACK_TOKEN_END,    /* the end of the response (or of the slice) */
  RACK_TOKEN_ATOM,   /* up to SP, parenthesis, quote or end; BODY[...]<...> and BINARY[...]<...> are
                        one atom, elsewhere brackets mean nothing (Gmail's flags hold odd ones) */
  RACK_TOKEN_NUMBER, /* an atom of digits only that fits 64 bits */
  RACK_TOKEN_STRING, /* quoted or literal (also "~{n}") */
  RACK_TOKEN_NIL,
  RACK_TOKEN_OPEN,
  RACK_TOKEN_CLOSE,
  RACK_TOKEN_BAD, /* an unterminated string or the like: the rest cannot be trusted */
} RackTokenKind;

typedef struct
{
  RackTokenKind kind;
  RackStr text;     /* ATOM, NUMBER, STRING (inside the quotes, not yet unescaped) */
  guint64 number;   /* NUMBER */
  gboolean escaped; /* STRING: has backslashes to be removed */
  gboolean elided;  /* STRING: a streamed literal that is not here */
} RackToken;

typedef struct
{
  const char *at, *end;
} RackLexer;

/* Skips one or more spaces first. */
RackToken rack_lex (RackLexer *lexer);
RackToken rack_lex_peek (const RackLexer *lexer);
/* Passes over one value, a whole list of any depth included, and says where it stood. FALSE:
 * broken, or there is none. */
gboolean rack_lex_skip_value (RackLexer *lexer, RackStr *raw);
