/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* parse.c - the grammar of the call language: operators and statements by recursive descent
 *
 * From loosest to tightest: if-else, or, and, not, comparison, + -, * / // %, unary - +, and what
 * follows a value: .name, [index], (arguments). Both the recursion and the depth of the tree are
 * limited, since the input may be anything.
 */
#include "parse-private.h"

#include "eval-error.h"

#include <string.h>

/* ---- Nodes ------------------------------------------------------------------------------------
 */

void
node_free (Node *node)
{
  if (node == NULL)
    return;
  for (guint i = 0; i < node->n_children; i++)
    node_free (node->children[i]);
  g_free (node->children);
  g_free (node->name);
  value_unref (node->value);
  g_free (node);
}

Node *
node_new (NodeKind kind, gsize at)
{
  Node *node = g_new0 (Node, 1);

  node->kind = kind;
  node->at = at;
  return node;
}

void
node_add (Node *node, Node *child)
{
  if ((node->n_children & (node->n_children - 1)) == 0) /* full at every power of two */
    node->children = g_renew (Node *, node->children, MAX (2, node->n_children * 2));
  node->children[node->n_children++] = child;
  if (child != NULL)
    node->depth = MAX (node->depth, child->depth + 1);
}

/* ---- Reading tokens ---------------------------------------------------------------------------
 */

gpointer
parser_fail (Parser *parser, gsize at, const char *format, ...)
{
  va_list args;

  if (parser->error != NULL)
    return NULL;
  va_start (args, format);
  parser->error = g_error_new_valist (EVAL_ERROR, EVAL_ERROR_SYNTAX, format, args);
  va_end (args);
  parser->error_at = at;
  return NULL;
}

/* The current token cannot stand here. */
gpointer
parser_unexpected (Parser *parser, const char *wanted)
{
  Token *token = &parser->tokenizer.token;
  g_autofree char *shown = NULL;

  if (token->kind == TOKEN_END && parser->tokenizer.brackets > 0 && parser->error == NULL)
    {
      parser->error =
          g_error_new_literal (EVAL_ERROR, EVAL_ERROR_INCOMPLETE, "a bracket is not closed");
      parser->error_at = token->start;
      return NULL;
    }
  if (token->kind == TOKEN_END || token->kind == TOKEN_NEWLINE)
    return parser_fail (parser, token->start, "the line ends where %s should be", wanted);
  shown = g_strndup (parser->tokenizer.source + token->start, MIN (token->end - token->start, 40));
  if (!g_utf8_validate (shown, -1, NULL)) /* cut in the middle of a character */
    {
      g_free (shown);
      shown = g_strdup ("this");
    }
  if (token->kind == TOKEN_NAME && parse_is_absent (shown))
    return parser_fail (parser, token->start, "'%s' is not part of this language", shown);
  return parser_fail (parser, token->start, "'%s' stands where %s should be", shown, wanted);
}

gboolean
parser_next (Parser *parser)
{
  if (parser->error != NULL)
    return FALSE;
  if (tokenizer_next (&parser->tokenizer, &parser->error))
    return TRUE;
  parser->error_at = parser->tokenizer.at;
  return FALSE;
}

gboolean
parser_is (Parser *parser, const char *operator_text)
{
  return parser->error == NULL && token_is (&parser->tokenizer.token, operator_text);
}

gboolean
parser_is_word (Parser *parser, const char *word)
{
  return parser->error == NULL && token_is_name (&parser->tokenizer, word);
}

gboolean
parser_expect (Parser *parser, const char *operator_text)
{
  g_autofree char *wanted = NULL;

  if (parser_is (parser, operator_text))
    return parser_next (parser);
  wanted = g_strdup_printf ("'%s'", operator_text);
  parser_unexpected (parser, wanted);
  return FALSE;
}

gsize
parser_here (Parser *parser)
{
  return parser->tokenizer.token.start;
}

/* ---- Operators --------------------------------------------------------------------------------
 */

static Node *
unary_node (Parser *parser, Operation operation, Node *(*operand) (Parser *) )
{
  Node *node, *child;
  gsize at = parser_here (parser);

  if (!parser_next (parser))
    return NULL;
  if (++parser->recursion > MAX_RECURSION)
    return parser_fail (parser, at, "this expression is nested too deeply");
  child = operand (parser);
  parser->recursion--;
  if (child == NULL)
    return NULL;
  node = node_new (NODE_UNARY, at);
  node->operation = operation;
  node_add (node, child);
  return node;
}

static Node *
parse_unary (Parser *parser)
{
  if (parser_is (parser, "-"))
    return unary_node (parser, OPERATION_NEGATE, parse_unary);
  if (parser_is (parser, "+"))
    return unary_node (parser, OPERATION_PLUS, parse_unary);
  return parse_postfix (parser);
}

typedef struct
{
  const char *text;
  Operation operation;
} OperatorText;

/* One level of operators that group from the left. */
static Node *
parse_left (Parser *parser, const OperatorText *operators, guint n, Node *(*operand) (Parser *) )
{
  g_autoptr (Node) left = operand (parser);

  while (left != NULL)
    {
      Node *both, *right;
      guint i;

      for (i = 0; i < n && !parser_is (parser, operators[i].text); i++)
        ;
      if (i == n)
        break;
      both = node_new (NODE_BINARY, parser_here (parser));
      both->operation = operators[i].operation;
      node_add (both, g_steal_pointer (&left));
      left = both;
      if (both->depth > MAX_TREE_DEPTH)
        return parser_fail (parser, parser_here (parser), "this expression is too long");
      right = parser_next (parser) ? operand (parser) : NULL;
      if (right == NULL)
        return NULL;
      node_add (both, right);
    }
  return g_steal_pointer (&left);
}

static Node *
parse_product (Parser *parser)
{
  static const OperatorText operators[] = { { "*", OPERATION_MULTIPLY },
                                            { "/", OPERATION_DIVIDE },
                                            { "//", OPERATION_FLOOR_DIVIDE },
                                            { "%", OPERATION_MODULO } };

  return parse_left (parser, operators, G_N_ELEMENTS (operators), parse_unary);
}

static Node *
parse_sum (Parser *parser)
{
  static const OperatorText operators[] = { { "+", OPERATION_ADD }, { "-", OPERATION_SUBTRACT } };

  return parse_left (parser, operators, G_N_ELEMENTS (operators), parse_product);
}

/* Reads a comparison operator, also the ones made of two words. */
static gboolean
take_comparison (Parser *parser, Operation *operation)
{
  static const OperatorText operators[] = {
    { "==", OPERATION_EQUAL },      { "!=", OPERATION_NOT_EQUAL }, { "<", OPERATION_LESS },
    { "<=", OPERATION_LESS_EQUAL }, { ">", OPERATION_GREATER },    { ">=", OPERATION_GREATER_EQUAL }
  };

  for (guint i = 0; i < G_N_ELEMENTS (operators); i++)
    if (parser_is (parser, operators[i].text))
      {
        *operation = operators[i].operation;
        parser_next (parser);
        return TRUE;
      }
  if (parser_is_word (parser, "in"))
    {
      *operation = OPERATION_IN;
      parser_next (parser);
      return TRUE;
    }
  if (parser_is_word (parser, "not"))
    {
      *operation = OPERATION_NOT_IN;
      parser_next (parser);
      if (parser_is_word (parser, "in"))
        parser_next (parser);
      else
        parser_unexpected (parser, "'in'");
      return TRUE;
    }
  if (!parser_is_word (parser, "is"))
    return FALSE;
  *operation = OPERATION_IS;
  parser_next (parser);
  if (parser_is_word (parser, "not"))
    {
      *operation = OPERATION_IS_NOT;
      parser_next (parser);
    }
  return TRUE;
}

static Node *
parse_comparison (Parser *parser)
{
  g_autoptr (Node) left = parse_sum (parser);
  Operation operation;
  Node *both, *right;
  gsize at = parser_here (parser);

  if (left == NULL || !take_comparison (parser, &operation))
    return g_steal_pointer (&left);
  right = parse_sum (parser);
  if (right == NULL)
    return NULL;
  both = node_new (NODE_BINARY, at);
  both->operation = operation;
  node_add (both, g_steal_pointer (&left));
  node_add (both, right);
  left = both;
  if (take_comparison (parser, &operation))
    return parser_fail (parser, parser_here (parser),
                        "comparisons cannot be chained; join them with 'and'");
  return g_steal_pointer (&left);
}

static Node *
parse_not (Parser *parser)
{
  if (parser_is_word (parser, "not"))
    return unary_node (parser, OPERATION_NOT, parse_not);
  return parse_comparison (parser);
}

/* `and` and `or` share their shape: any number of operands in one node. */
static Node *
parse_logic (Parser *parser, const char *word, NodeKind kind, Node *(*operand) (Parser *) )
{
  g_autoptr (Node) first = operand (parser);
  g_autoptr (Node) node = NULL;

  if (first == NULL || !parser_is_word (parser, word))
    return g_steal_pointer (&first);
  node = node_new (kind, parser_here (parser));
  node_add (node, g_steal_pointer (&first));
  while (parser_is_word (parser, word))
    {
      Node *more = parser_next (parser) ? operand (parser) : NULL;

      if (more == NULL)
        return NULL;
      node_add (node, more);
    }
  return g_steal_pointer (&node);
}

static Node *
parse_and (Parser *parser)
{
  return parse_logic (parser, "and", NODE_AND, parse_not);
}

static Node *
parse_or (Parser *parser)
{
  return parse_logic (parser, "or", NODE_OR, parse_and);
}

static Node *
parse_if (Parser *parser)
{
  g_autoptr (Node) chosen = parse_or (parser);
  g_autoptr (Node) node = NULL;
  Node *part;

  if (chosen == NULL || !parser_is_word (parser, "if"))
    return g_steal_pointer (&chosen);
  node = node_new (NODE_IF, parser_here (parser));
  node_add (node, g_steal_pointer (&chosen));
  parser_next (parser);
  part = parse_or (parser);
  if (part == NULL)
    return NULL;
  node_add (node, part);
  if (!parser_is_word (parser, "else"))
    return parser_unexpected (parser, "'else'");
  parser_next (parser);
  part = parse_expression (parser);
  if (part == NULL)
    return NULL;
  node_add (node, part);
  return g_steal_pointer (&node);
}

Node *
parse_expression (Parser *parser)
{
  Node *node;

  if (parser->error != NULL)
    return NULL;
  if (++parser->recursion > MAX_RECURSION)
    return parser_fail (parser, parser_here (parser), "this expression is nested too deeply");
  node = parse_if (parser);
  parser->recursion--;
  if (node != NULL && (parser->error != NULL || node->depth > MAX_TREE_DEPTH))
    {
      parser_fail (parser, node->at, "this expression is too long");
      node_free (node);
      return NULL;
    }
  return node;
}

/* ---- Statements -------------------------------------------------------------------------------
 */

static gboolean
at_statement_end (Parser *parser)
{
  TokenKind kind = parser->tokenizer.token.kind;

  return parser->error == NULL && (kind == TOKEN_END || kind == TOKEN_NEWLINE);
}

/* One expression, or several with commas: a tuple. */
static Node *
parse_expressions (Parser *parser)
{
  g_autoptr (Node) first = parse_expression (parser);
  g_autoptr (Node) tuple = NULL;

  if (first == NULL || !parser_is (parser, ","))
    return g_steal_pointer (&first);
  tuple = node_new (NODE_TUPLE, first->at);
  node_add (tuple, g_steal_pointer (&first));
  while (parser_is (parser, ","))
    {
      Node *more;

      if (!parser_next (parser))
        return NULL;
      if (at_statement_end (parser) || parser_is (parser, "="))
        break;
      more = parse_expression (parser);
      if (more == NULL)
        return NULL;
      node_add (tuple, more);
    }
  return g_steal_pointer (&tuple);
}

static gboolean
is_target (const Node *node)
{
  if (node->kind == NODE_NAME || node->kind == NODE_ATTRIBUTE)
    return TRUE;
  if (node->kind != NODE_TUPLE || node->n_children == 0)
    return FALSE;
  for (guint i = 0; i < node->n_children; i++)
    if (node->children[i]->kind != NODE_NAME)
      return FALSE;
  return TRUE;
}

static Node *
parse_statement (Parser *parser)
{
  g_autoptr (Node) node = parse_expressions (parser);
  Node *assign, *value;

  if (node == NULL || !parser_is (parser, "="))
    return g_steal_pointer (&node);
  if (node->kind == NODE_INDEX || node->kind == NODE_SLICE)
    return parser_fail (parser, parser_here (parser),
                        "the parts of a value cannot be changed; make a new value");
  if (!is_target (node))
    return parser_fail (parser, parser_here (parser),
                        "only a name or an attribute can be assigned to");
  assign = node_new (NODE_ASSIGN, parser_here (parser));
  node_add (assign, g_steal_pointer (&node));
  node = assign;
  value = parser_next (parser) ? parse_expressions (parser) : NULL;
  if (value == NULL)
    return NULL;
  node_add (node, value);
  if (parser_is (parser, "="))
    return parser_fail (parser, parser_here (parser), "one line can make one assignment");
  return g_steal_pointer (&node);
}

static void
parse_all (Parser *parser, GPtrArray *statements)
{
  parser_next (parser);
  while (parser->error == NULL && parser->tokenizer.token.kind != TOKEN_END)
    {
      Node *statement;

      if (parser->tokenizer.token.kind == TOKEN_NEWLINE)
        {
          parser_next (parser);
          continue;
        }
      statement = parse_statement (parser);
      if (statement == NULL)
        return;
      g_ptr_array_add (statements, statement);
      if (!at_statement_end (parser))
        parser_unexpected (parser, "the end of the line");
    }
}

GPtrArray *
parse_statements (const char *source, gsize size, gsize *at, GError **error)
{
  g_autoptr (GPtrArray) statements = g_ptr_array_new_with_free_func ((GDestroyNotify) node_free);
  g_autofree char *copy = NULL;
  const char *bad;
  Parser parser = { 0 };

  *at = 0;
  if (!g_utf8_validate_len (source, size, &bad))
    {
      *at = bad - source;
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_SYNTAX, "the input is not valid UTF-8");
      return NULL;
    }
  copy = g_strndup (source, size);
  tokenizer_init (&parser.tokenizer, copy, size);
  parse_all (&parser, statements);
  tokenizer_clear (&parser.tokenizer);
  if (parser.error != NULL)
    {
      *at = parser.error_at;
      g_propagate_error (error, parser.error);
      return NULL;
    }
  return g_steal_pointer (&statements);
}
