/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* parse-private.h - what the two halves of the parser share
 *
 * parse.c has the operators and statements, parse-value.c what stands between operators.
 */
#pragma once

#include "parse.h"
#include "token.h"

enum
{
  MAX_RECURSION = 100,
  MAX_TREE_DEPTH = 1000,
};

/* The first error stays; from then on every function returns NULL or FALSE. */
typedef struct
{
  Tokenizer tokenizer;
  guint recursion;
  GError *error;
  gsize error_at;
} Parser;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Node, node_free)

Node *node_new (NodeKind kind, gsize at);
/* Takes child, which may be NULL for an absent part of a slice. */
void node_add (Node *node, Node *child);

/* Sets the error; always NULL. */
gpointer parser_fail (Parser *parser, gsize at, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* The current token cannot stand here; always NULL. */
gpointer parser_unexpected (Parser *parser, const char *wanted);
gboolean parser_next (Parser *parser);
gboolean parser_is (Parser *parser, const char *operator_text);
gboolean parser_is_word (Parser *parser, const char *word);
gboolean parser_expect (Parser *parser, const char *operator_text);
/* Offset of the current token. */
gsize parser_here (Parser *parser);

/* Whether Python has this word and the call language does not. */
gboolean parse_is_absent (const char *name);

/* Each returns an owned node, or NULL with parser->error set. */
Node *parse_expression (Parser *parser);
/* A value with all that follows it: .name [index] (arguments). */
Node *parse_postfix (Parser *parser);
