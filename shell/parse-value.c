/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* parse-value.c - the grammar of the call language: names, literals, brackets, and what follows
 * them
 *
 * Everything that stands between two operators.
 */
#include "parse-private.h"

#include "eval-error.h"

#include <string.h>

/* ---- Names ------------------------------------------------------------------------------------
 */

static const char *const operator_words[] = { "and",  "or",   "not",  "in",    "is", "if",
                                              "else", "None", "True", "False", NULL };
static const char *const absent_words[] = { "for",    "while",   "def",      "class",    "lambda",
                                            "import", "from",    "with",     "try",      "return",
                                            "yield",  "del",     "global",   "async",    "await",
                                            "assert", "raise",   "pass",     "break",    "elif",
                                            "except", "finally", "continue", "nonlocal", NULL };

gboolean
parse_is_absent (const char *name)
{
  return g_strv_contains (absent_words, name);
}

gboolean
parse_is_reserved (const char *name)
{
  return g_strv_contains (operator_words, name) || parse_is_absent (name);
}

static char *
token_text (Parser *parser)
{
  Token *token = &parser->tokenizer.token;

  return g_strndup (parser->tokenizer.source + token->start, token->end - token->start);
}

static Node *
parse_name (Parser *parser)
{
  g_autofree char *name = token_text (parser);
  Node *node;

  if (parse_is_absent (name))
    return parser_fail (parser, parser_here (parser), "'%s' is not part of this language", name);
  node = node_new (NODE_CONST, parser_here (parser));
  if (strcmp (name, "None") == 0)
    node->value = value_none ();
  else if (strcmp (name, "True") == 0 || strcmp (name, "False") == 0)
    node->value = value_bool (*name == 'T');
  else if (g_strv_contains (operator_words, name))
    {
      node_free (node);
      return parser_unexpected (parser, "a value");
    }
  else
    {
      node->kind = NODE_NAME;
      node->name = g_steal_pointer (&name);
    }
  parser_next (parser);
  return node;
}

/* ---- Values in brackets -----------------------------------------------------------------------
 */

/* Adjacent literals are one: 'a' 'b' == 'ab'. */
static Node *
parse_literal (Parser *parser)
{
  Token *token = &parser->tokenizer.token;
  g_autoptr (Node) node = node_new (NODE_CONST, parser_here (parser));

  node->value = value_ref (token->value);
  parser_next (parser);
  while (parser->error == NULL && token->kind == TOKEN_VALUE && value_is_text (token->value))
    {
      GString *joined;
      Value *both;

      if (token->value->kind != node->value->kind)
        return parser_fail (parser, parser_here (parser),
                            "str and bytes cannot be joined, nor anything else");
      joined = g_string_new_len (node->value->text.bytes, node->value->text.size);
      g_string_append_len (joined, token->value->text.bytes, token->value->text.size);
      both = token->value->kind == VALUE_STR ? value_str_take (joined) : value_bytes_take (joined);
      value_unref (node->value);
      node->value = both;
      parser_next (parser);
    }
  return g_steal_pointer (&node);
}

/* Expressions up to `closing`, which is read as well. *comma tells whether there was one. */
static gboolean
parse_items (Parser *parser, Node *into, const char *closing, gboolean *comma)
{
  while (!parser_is (parser, closing))
    {
      Node *item = parse_expression (parser);

      if (item == NULL)
        return FALSE;
      node_add (into, item);
      if (parser_is (parser, closing))
        break;
      if (!parser_expect (parser, ","))
        return FALSE;
      *comma = TRUE;
    }
  return parser_expect (parser, closing);
}

static Node *
parse_list (Parser *parser)
{
  g_autoptr (Node) node = node_new (NODE_LIST, parser_here (parser));
  gboolean comma = FALSE;

  parser_next (parser);
  return parse_items (parser, node, "]", &comma) ? g_steal_pointer (&node) : NULL;
}

static Node *
parse_parentheses (Parser *parser)
{
  g_autoptr (Node) node = node_new (NODE_TUPLE, parser_here (parser));
  gboolean comma = FALSE;

  parser_next (parser);
  if (!parse_items (parser, node, ")", &comma))
    return NULL;
  if (node->n_children == 1 && !comma)
    {
      node->n_children = 0;
      return node->children[0];
    }
  return g_steal_pointer (&node);
}

static Node *
parse_dict (Parser *parser)
{
  g_autoptr (Node) node = node_new (NODE_DICT, parser_here (parser));

  parser_next (parser);
  while (!parser_is (parser, "}"))
    {
      for (guint i = 0; i < 2; i++)
        {
          Node *part = parse_expression (parser);

          if (part == NULL)
            return NULL;
          node_add (node, part);
          if (i == 0 && (parser_is (parser, ",") || parser_is (parser, "}")))
            return parser_fail (parser, parser_here (parser),
                                "sets are not part of this language; a dict has key: value");
          if (i == 0 && !parser_expect (parser, ":"))
            return NULL;
        }
      if (parser_is (parser, "}"))
        break;
      if (!parser_expect (parser, ","))
        return NULL;
    }
  return parser_expect (parser, "}") ? g_steal_pointer (&node) : NULL;
}

static Node *
parse_atom (Parser *parser)
{
  Token *token = &parser->tokenizer.token;

  if (parser->error != NULL)
    return NULL;
  if (token->kind == TOKEN_VALUE)
    return parse_literal (parser);
  if (token->kind == TOKEN_NAME)
    return parse_name (parser);
  if (parser_is (parser, "["))
    return parse_list (parser);
  if (parser_is (parser, "("))
    return parse_parentheses (parser);
  if (parser_is (parser, "{"))
    return parse_dict (parser);
  return parser_unexpected (parser, "a value");
}

/* ---- What follows a value ---------------------------------------------------------------------
 */

static Node *
parse_attribute (Parser *parser, Node *owner)
{
  g_autoptr (Node) node = node_new (NODE_ATTRIBUTE, parser_here (parser));

  node_add (node, owner);
  if (!parser_next (parser))
    return NULL;
  if (parser->tokenizer.token.kind != TOKEN_NAME)
    return parser_unexpected (parser, "the name of an attribute");
  node->name = token_text (parser);
  parser_next (parser);
  return g_steal_pointer (&node);
}

/* [index] or [start:end:step]; any of the three may be missing. */
static Node *
parse_subscript (Parser *parser, Node *owner)
{
  g_autoptr (Node) node = node_new (NODE_INDEX, parser_here (parser));

  node_add (node, owner);
  if (!parser_next (parser))
    return NULL;
  for (guint part = 0; part < 3; part++)
    {
      Node *value = NULL;

      if (!parser_is (parser, ":") && !(node->kind == NODE_SLICE && parser_is (parser, "]")))
        {
          value = parse_expression (parser);
          if (value == NULL)
            return NULL;
        }
      node_add (node, value);
      if (part == 2 || !parser_is (parser, ":"))
        break;
      node->kind = NODE_SLICE;
      if (!parser_next (parser))
        return NULL;
    }
  while (node->kind == NODE_SLICE && node->n_children < 4)
    node_add (node, NULL);
  return parser_expect (parser, "]") ? g_steal_pointer (&node) : NULL;
}

static Node *
parse_argument (Parser *parser)
{
  g_autoptr (Node) value = parse_expression (parser);
  Node *keyword;

  if (value == NULL || !parser_is (parser, "="))
    return g_steal_pointer (&value);
  if (value->kind != NODE_NAME)
    return parser_fail (parser, parser_here (parser),
                        "the part before '=' must be the name of an argument");
  keyword = g_steal_pointer (&value);
  keyword->kind = NODE_KEYWORD;
  parser_next (parser);
  value = parse_expression (parser);
  if (value == NULL)
    {
      node_free (keyword);
      return NULL;
    }
  node_add (keyword, g_steal_pointer (&value));
  return keyword;
}

static Node *
parse_call (Parser *parser, Node *function)
{
  g_autoptr (Node) node = node_new (NODE_CALL, parser_here (parser));
  gboolean keywords = FALSE;

  node_add (node, function);
  parser_next (parser);
  while (!parser_is (parser, ")"))
    {
      Node *argument = parse_argument (parser);

      if (argument == NULL)
        return NULL;
      if (keywords && argument->kind != NODE_KEYWORD)
        parser_fail (parser, argument->at, "an argument without a name follows one with a name");
      keywords = argument->kind == NODE_KEYWORD;
      node_add (node, argument);
      if (parser_is (parser, ")"))
        break;
      if (!parser_expect (parser, ","))
        return NULL;
    }
  return parser_expect (parser, ")") ? g_steal_pointer (&node) : NULL;
}

Node *
parse_postfix (Parser *parser)
{
  Node *node = parse_atom (parser);

  while (node != NULL && parser->error == NULL)
    {
      if (node->depth > MAX_TREE_DEPTH)
        parser_fail (parser, node->at, "this expression is too long");
      else if (parser_is (parser, "."))
        node = parse_attribute (parser, node);
      else if (parser_is (parser, "["))
        node = parse_subscript (parser, node);
      else if (parser_is (parser, "("))
        node = parse_call (parser, node);
      else
        return node;
    }
  node_free (node);
  return NULL;
}
