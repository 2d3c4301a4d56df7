/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* eval.c - running lines of the call language: walks the tree that parse.c made
 *
 * The depth of a tree is limited by the parser, so recursion here is too.
 */
#include "eval.h"

#include "builtins.h"
#include "operators.h"
#include "parse.h"

#include <string.h>

struct Interp
{
  GHashTable *variables; /* owned name -> owned Value */
  const InterpSink *sink;
  gpointer data;
  gssize error_at; /* offset of the innermost node that failed; -1: none yet */
};

static Value *eval_node (Interp *interp, const Node *node, GError **error);

Interp *
interp_new (const InterpSink *sink, gpointer data)
{
  Interp *interp = g_new0 (Interp, 1);

  interp->variables =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) value_unref);
  interp->sink = sink;
  interp->data = data;
  return interp;
}

void
interp_free (Interp *interp)
{
  g_hash_table_unref (interp->variables);
  g_free (interp);
}

static const char *
variable_name (const char *name)
{
  return strcmp (name, "$_") == 0 ? "_" : name;
}

void
interp_set (Interp *interp, const char *name, Value *value)
{
  g_hash_table_replace (interp->variables, g_strdup (variable_name (name)), value);
}

Value *
interp_get (Interp *interp, const char *name)
{
  return g_hash_table_lookup (interp->variables, variable_name (name));
}

char **
interp_names (Interp *interp)
{
  g_autoptr (GList) keys = g_hash_table_get_keys (interp->variables);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  keys = g_list_sort (keys, (GCompareFunc) strcmp);
  for (GList *each = keys; each != NULL; each = each->next)
    g_ptr_array_add (names, g_strdup (each->data));
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

/* ---- Expressions ------------------------------------------------------------------------------
 */

static Value *
eval_name (Interp *interp, const Node *node, GError **error)
{
  Value *found = interp_get (interp, node->name);
  const Builtin *builtin;

  if (found != NULL)
    return value_ref (found);
  builtin = builtin_find (node->name);
  if (builtin != NULL)
    return value_builtin (builtin);
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_NAME, "name '%s' is not defined", node->name);
  return NULL;
}

static Value *
eval_items (Interp *interp, const Node *node, GError **error)
{
  g_autoptr (Value) sequence = node->kind == NODE_LIST ? value_list_new (node->n_children)
                                                       : value_tuple_new (node->n_children);

  for (guint i = 0; i < node->n_children; i++)
    {
      Value *item = eval_node (interp, node->children[i], error);

      if (item == NULL)
        return NULL;
      value_append (sequence, item);
    }
  return operator_check_size (sequence, error) ? g_steal_pointer (&sequence) : NULL;
}

static Value *
eval_dict (Interp *interp, const Node *node, GError **error)
{
  g_autoptr (Value) dict = value_dict_new ();

  for (guint i = 0; i < node->n_children; i += 2)
    {
      g_autoptr (Value) key = eval_node (interp, node->children[i], error);
      Value *value;

      if (key == NULL)
        return NULL;
      if (!value_is_hashable (key))
        {
          g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s cannot be the key of a dict",
                       value_type_name (key));
          return NULL;
        }
      value = eval_node (interp, node->children[i + 1], error);
      if (value == NULL)
        return NULL;
      value_dict_set (dict, g_steal_pointer (&key), value);
    }
  return operator_check_size (dict, error) ? g_steal_pointer (&dict) : NULL;
}

static Value *
eval_attribute (Interp *interp, const Node *node, GError **error)
{
  g_autoptr (Value) owner = eval_node (interp, node->children[0], error);

  return owner != NULL ? builtin_attribute (owner, node->name, error) : NULL;
}

static Value *
eval_index (Interp *interp, const Node *node, GError **error)
{
  g_autoptr (Value) owner = eval_node (interp, node->children[0], error);
  g_autoptr (Value) index = owner != NULL ? eval_node (interp, node->children[1], error) : NULL;

  return index != NULL ? operator_index (owner, index, error) : NULL;
}

static Value *
eval_slice (Interp *interp, const Node *node, GError **error)
{
  Value *parts[4] = { NULL, NULL, NULL, NULL }, *slice = NULL;
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < 4; i++)
    if (node->children[i] != NULL)
      {
        parts[i] = eval_node (interp, node->children[i], error);
        ok = parts[i] != NULL;
      }
  if (ok)
    slice = operator_slice (parts[0], parts[1], parts[2], parts[3], error);
  for (guint i = 0; i < 4; i++)
    value_unref (parts[i]);
  return slice;
}

static Value *
eval_logic (Interp *interp, const Node *node, GError **error)
{
  for (guint i = 0;; i++)
    {
      g_autoptr (Value) value = eval_node (interp, node->children[i], error);

      if (value == NULL)
        return NULL;
      if (i + 1 == node->n_children || value_is_true (value) == (node->kind == NODE_OR))
        return g_steal_pointer (&value);
    }
}

static Value *
eval_if (Interp *interp, const Node *node, GError **error)
{
  g_autoptr (Value) condition = eval_node (interp, node->children[1], error);

  if (condition == NULL)
    return NULL;
  return eval_node (interp, node->children[value_is_true (condition) ? 0 : 2], error);
}

static Value *
eval_operation (Interp *interp, const Node *node, GError **error)
{
  g_autoptr (Value) left = eval_node (interp, node->children[0], error);
  g_autoptr (Value) right = NULL;

  if (left == NULL)
    return NULL;
  if (node->kind == NODE_UNARY)
    return operator_unary (node->operation, left, error);
  right = eval_node (interp, node->children[1], error);
  return right != NULL ? operator_binary (node->operation, left, right, error) : NULL;
}

/* ---- Calls ------------------------------------------------------------------------------------
 */

static Value *
call_builtin (Interp *interp, const Builtin *builtin, Value *self, const CallArgs *args,
              GError **error)
{
  BuiltinCall call = { .self = self, .args = args, .data = interp->data };

  call.write = interp->sink != NULL ? interp->sink->write : NULL;
  if (!args_bind (builtin->name, builtin->params, args, call.bound, error))
    return NULL;
  return builtin->function (&call, error);
}

static Value *
call_value (Interp *interp, Value *function, const CallArgs *args, GError **error)
{
  Value *self;

  if (function->kind == VALUE_BUILTIN)
    return call_builtin (interp, function->builtin, NULL, args, error);
  if (function->kind != VALUE_METHOD)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s cannot be called",
                   value_type_name (function));
      return NULL;
    }
  self = function->method.self;
  if (function->method.builtin != NULL)
    return call_builtin (interp, function->method.builtin, self, args, error);
  return self->object.class->call (self->object.self, function->method.name, args, error);
}

static Value *
eval_call (Interp *interp, const Node *node, GError **error)
{
  g_autoptr (Value) function = eval_node (interp, node->children[0], error);
  g_autoptr (GPtrArray) positional = g_ptr_array_new_with_free_func ((GDestroyNotify) value_unref);
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) value_unref);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (Value) result = NULL;
  CallArgs args;

  if (function == NULL)
    return NULL;
  for (guint i = 1; i < node->n_children; i++)
    {
      const Node *argument = node->children[i];
      gboolean keyword = argument->kind == NODE_KEYWORD;
      Value *value = eval_node (interp, keyword ? argument->children[0] : argument, error);

      if (value == NULL)
        return NULL;
      g_ptr_array_add (keyword ? values : positional, value);
      if (keyword)
        g_ptr_array_add (names, argument->name);
    }
  args =
      (CallArgs){ (Value *const *) positional->pdata, positional->len,
                  (const char *const *) names->pdata, (Value *const *) values->pdata, values->len };
  result = call_value (interp, function, &args, error);
  if (result != NULL && result->depth > VALUE_MAX_DEPTH && !operator_check_size (result, error))
    return NULL;
  return g_steal_pointer (&result);
}

static Value *
eval_kind (Interp *interp, const Node *node, GError **error)
{
  switch (node->kind)
    {
    case NODE_CONST:
      return value_ref (node->value);
    case NODE_NAME:
      return eval_name (interp, node, error);
    case NODE_LIST:
    case NODE_TUPLE:
      return eval_items (interp, node, error);
    case NODE_DICT:
      return eval_dict (interp, node, error);
    case NODE_ATTRIBUTE:
      return eval_attribute (interp, node, error);
    case NODE_INDEX:
      return eval_index (interp, node, error);
    case NODE_SLICE:
      return eval_slice (interp, node, error);
    case NODE_CALL:
      return eval_call (interp, node, error);
    case NODE_UNARY:
    case NODE_BINARY:
      return eval_operation (interp, node, error);
    case NODE_AND:
    case NODE_OR:
      return eval_logic (interp, node, error);
    case NODE_IF:
      return eval_if (interp, node, error);
    case NODE_KEYWORD:
    case NODE_ASSIGN:
      break;
    }
  g_assert_not_reached ();
}

static Value *
eval_node (Interp *interp, const Node *node, GError **error)
{
  Value *value = eval_kind (interp, node, error);

  if (value == NULL && interp->error_at < 0)
    interp->error_at = node->at;
  return value;
}

/* ---- Statements -------------------------------------------------------------------------------
 */

static gboolean
assign_attribute (Interp *interp, const Node *target, Value *value, GError **error)
{
  g_autoptr (Value) owner = eval_node (interp, target->children[0], error);

  if (owner == NULL)
    return FALSE;
  if (owner->kind == VALUE_OBJECT && owner->object.class->set != NULL)
    return owner->object.class->set (owner->object.self, target->name, value, error);
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_ATTRIBUTE, "the attributes of %s cannot be set",
               value_type_name (owner));
  return FALSE;
}

static gboolean
assign_tuple (Interp *interp, const Node *target, Value *value, GError **error)
{
  g_autoptr (Value) list = operator_elements (value, error);

  if (list == NULL)
    return FALSE;
  if (list->seq.n != target->n_children)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_VALUE, "%u names cannot take %u values",
                   target->n_children, list->seq.n);
      return FALSE;
    }
  for (guint i = 0; i < list->seq.n; i++)
    interp_set (interp, target->children[i]->name, value_ref (list->seq.items[i]));
  return TRUE;
}

static gboolean
run_assignment (Interp *interp, const Node *node, GError **error)
{
  const Node *target = node->children[0];
  g_autoptr (Value) value = eval_node (interp, node->children[1], error);
  gboolean ok = TRUE;

  if (value == NULL)
    return FALSE;
  if (target->kind == NODE_NAME)
    interp_set (interp, target->name, g_steal_pointer (&value));
  else if (target->kind == NODE_TUPLE)
    ok = assign_tuple (interp, target, value, error);
  else
    ok = assign_attribute (interp, target, value, error);
  if (!ok && interp->error_at < 0)
    interp->error_at = node->at;
  return ok;
}

/* FALSE without an error: the sink wants no more. */
static gboolean
run_statement (Interp *interp, const Node *node, GError **error)
{
  Value *value;

  if (node->kind == NODE_ASSIGN)
    return run_assignment (interp, node, error);
  value = eval_node (interp, node, error);
  if (value == NULL)
    return FALSE;
  if (value->kind == VALUE_NONE)
    return TRUE;
  interp_set (interp, "_", value);
  return interp->sink == NULL || interp->sink->display == NULL
         || interp->sink->display (value, interp->data);
}

/* Adds where it happened to an error of the language; the client's errors say their own. */
static void
place_error (GError *error, const char *source, gsize at)
{
  guint line = 1, column = 1;
  g_autofree char *message = NULL;

  if (error == NULL || error->domain != EVAL_ERROR)
    return;
  for (gsize i = 0; i < at; i++)
    {
      if (source[i] == '\n')
        {
          line++;
          column = 1;
        }
      else
        column += ((guchar) source[i] & 0xc0) != 0x80;
    }
  message = error->message;
  if (memchr (source, '\n', strlen (source)) != NULL)
    error->message = g_strdup_printf ("%s (line %u, column %u)", message, line, column);
  else
    error->message = g_strdup_printf ("%s (column %u)", message, column);
}

gboolean
interp_run (Interp *interp, const char *source, gssize size, GError **error)
{
  g_autofree char *copy = g_strndup (source, size < 0 ? strlen (source) : (gsize) size);
  g_autoptr (GPtrArray) statements = NULL;
  GError *problem = NULL;
  gboolean ok = TRUE;
  gsize at;

  interp->error_at = -1;
  statements = parse_statements (source, size < 0 ? strlen (source) : (gsize) size, &at, &problem);
  for (guint i = 0; statements != NULL && ok && i < statements->len; i++)
    ok = run_statement (interp, statements->pdata[i], &problem);
  if (problem == NULL)
    return TRUE;
  place_error (problem, copy, statements == NULL ? at : (gsize) MAX (0, interp->error_at));
  g_propagate_error (error, problem);
  return FALSE;
}

Value *
interp_eval (Interp *interp, const char *source, gssize size, GError **error)
{
  g_autofree char *copy = g_strndup (source, size < 0 ? strlen (source) : (gsize) size);
  g_autoptr (GPtrArray) statements = NULL;
  GError *problem = NULL;
  Value *value = NULL;
  gsize at = 0;

  interp->error_at = -1;
  statements = parse_statements (source, size < 0 ? strlen (source) : (gsize) size, &at, &problem);
  if (statements != NULL && statements->len == 1
      && ((Node *) statements->pdata[0])->kind != NODE_ASSIGN)
    value = eval_node (interp, statements->pdata[0], &problem);
  else if (statements != NULL)
    g_set_error_literal (&problem, EVAL_ERROR, EVAL_ERROR_SYNTAX, "one expression is wanted here");
  if (value != NULL)
    return value;
  place_error (problem, copy, statements == NULL ? at : (gsize) MAX (0, interp->error_at));
  g_propagate_error (error, problem);
  return NULL;
}
