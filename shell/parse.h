/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* parse.h - the grammar of the call language: text to a tree
 *
 * Python's expressions without functions of one's own, comprehensions and loops; statements are
 * expressions and assignments. Nothing is computed here (eval.h does).
 */
#pragma once

#include "value.h"

G_BEGIN_DECLS

typedef enum
{
  NODE_CONST,     /* value */
  NODE_NAME,      /* name */
  NODE_LIST,      /* children */
  NODE_TUPLE,     /* children */
  NODE_DICT,      /* children: key, value, key, value, ... */
  NODE_ATTRIBUTE, /* children[0].name */
  NODE_INDEX,     /* children[0][children[1]] */
  NODE_SLICE,     /* children[0][children[1]:children[2]:children[3]]; absent ones are NULL */
  NODE_CALL,      /* children[0] (children[1], ...); NODE_KEYWORD among them */
  NODE_KEYWORD,   /* name = children[0] */
  NODE_UNARY,     /* operation children[0] */
  NODE_BINARY,    /* children[0] operation children[1] */
  NODE_AND,
  NODE_OR,
  NODE_IF,     /* children[0] if children[1] else children[2] */
  NODE_ASSIGN, /* children[0] = children[1]; the target is NAME, ATTRIBUTE or a TUPLE of NAMEs */
} NodeKind;

typedef enum
{
  OPERATION_ADD,
  OPERATION_SUBTRACT,
  OPERATION_MULTIPLY,
  OPERATION_DIVIDE,
  OPERATION_FLOOR_DIVIDE,
  OPERATION_MODULO,
  OPERATION_EQUAL,
  OPERATION_NOT_EQUAL,
  OPERATION_LESS,
  OPERATION_LESS_EQUAL,
  OPERATION_GREATER,
  OPERATION_GREATER_EQUAL,
  OPERATION_IN,
  OPERATION_NOT_IN,
  OPERATION_IS,
  OPERATION_IS_NOT,
  OPERATION_NEGATE, /* from here on of one operand */
  OPERATION_PLUS,
  OPERATION_NOT,
} Operation;

typedef struct Node Node;
struct Node
{
  NodeKind kind;
  Operation operation;
  guint depth; /* of the tree below it */
  gsize at;    /* offset in the source, for messages */
  Value *value;
  char *name;
  Node **children;
  guint n_children;
};

/* Parses statements separated by line ends or ";". Returns: (owned, element-type Node) them in
 * order, none for a blank or a comment; or NULL with EVAL_ERROR_SYNTAX, EVAL_ERROR_INCOMPLETE or
 * EVAL_ERROR_OVERFLOW set, and *at the offset it is about. `source` need not be valid UTF-8: what
 * is not is a syntax error. */
GPtrArray *parse_statements (const char *source, gsize size, gsize *at, GError **error);
void node_free (Node *node);

/* "and", "in", "None": words that cannot name a variable. */
gboolean parse_is_reserved (const char *name);

G_END_DECLS
