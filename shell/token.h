/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* token.h - the words of the call language: Python's names, literals and operators
 *
 * One token at a time over borrowed text. Knows brackets only so far that a line end inside of
 * them is no end.
 */
#pragma once

#include "value.h"

G_BEGIN_DECLS

typedef enum
{
  TOKEN_END,
  TOKEN_NEWLINE, /* or ";" */
  TOKEN_NAME,
  TOKEN_VALUE, /* a number, str or bytes literal */
  TOKEN_OPERATOR,
} TokenKind;

typedef struct
{
  TokenKind kind;
  gsize start, end; /* offsets in the source */
  Value *value;     /* VALUE: owned by the tokenizer until the next token */
  char text[4];     /* OPERATOR: "==", NUL-terminated */
} Token;

typedef struct
{
  const char *source; /* valid UTF-8, NUL-terminated */
  gsize size;
  gsize at;
  guint brackets; /* that are open */
  Token token;    /* the current one */
} Tokenizer;

/* source is borrowed; it must be valid UTF-8 of `size` octets with a NUL behind. */
void tokenizer_init (Tokenizer *tokenizer, const char *source, gsize size);
void tokenizer_clear (Tokenizer *tokenizer);
/* Moves on to the next token. On failure EVAL_ERROR_SYNTAX or EVAL_ERROR_INCOMPLETE (an open
 * triple quote); tokenizer->at is where it went wrong. */
gboolean tokenizer_next (Tokenizer *tokenizer, GError **error);
gboolean token_is (const Token *token, const char *operator_text);
gboolean token_is_name (const Tokenizer *tokenizer, const char *name);

/* The literal at source + *at, which must begin with a quote or a prefix and a quote; moves *at
 * behind it. */
Value *token_read_string (const char *source, gsize size, gsize *at, GError **error);
/* How many characters of string prefix stand at `at` before a quote; -1: no string begins here. */
int token_string_prefix (const char *source, gsize size, gsize at);
/* The number at source + *at, which must begin with a digit, or a dot and a digit. */
Value *token_read_number (const char *source, gsize size, gsize *at, GError **error);

G_END_DECLS
