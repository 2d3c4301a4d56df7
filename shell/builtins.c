/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* builtins.c - the functions of the language: len, sorted, str, range and the like
 *
 * Dates are in builtin-dates.c, methods in builtin-methods.c and builtin-text.c.
 */
#include "builtins.h"

#include "eval-error.h"
#include "operators.h"
#include "repr.h"
#include "token.h"

#include <math.h>
#include <string.h>

gpointer
builtin_wants (const char *function, const char *what, const Value *value, GError **error)
{
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s() wants %s, not %s", function, what,
               value_type_name (value));
  return NULL;
}

gboolean
builtin_int (const char *function, const Value *value, gint64 fallback, gint64 *number,
             GError **error)
{
  *number = fallback;
  if (value == NULL || value_get_int64 (value, number))
    return TRUE;
  builtin_wants (function, "a whole number", value, error);
  return FALSE;
}

static Value *
bad_value (const char *message, GError **error)
{
  g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE, message);
  return NULL;
}

/* ---- Looking at values ------------------------------------------------------------------------
 */

static Value *
call_len (const BuiltinCall *call, GError **error)
{
  gint64 length = operator_length (call->bound[0]);

  return length >= 0 ? value_int (length)
                     : builtin_wants ("len", "text, a list, tuple or dict", call->bound[0], error);
}

static Value *
call_repr (const BuiltinCall *call, GError **error)
{
  GString *text = g_string_new (NULL);
  Value *repr;

  repr_append (text, call->bound[0]);
  repr = value_str_take (text);
  if (operator_check_size (repr, error))
    return repr;
  value_unref (repr);
  return NULL;
}

static Value *
call_print (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < call->args->n_positional; i++)
    {
      const Value *value = call->args->positional[i];

      if (i > 0)
        g_string_append_c (text, ' ');
      if (value->kind == VALUE_STR)
        g_string_append_len (text, value->text.bytes, value->text.size);
      else
        repr_append (text, value);
    }
  g_string_append_c (text, '\n');
  if (call->write != NULL)
    call->write (text->str, text->len, call->data);
  return value_none ();
}

static Value *
call_type (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  return value_str (value_type_name (call->bound[0]), -1);
}

/* ---- Making values ----------------------------------------------------------------------------
 */

static Value *
call_str (const BuiltinCall *call, GError **error)
{
  Value *value = call->bound[0];

  if (value == NULL)
    return value_str ("", 0);
  if (call->bound[1] != NULL || call->bound[2] != NULL)
    return value->kind == VALUE_BYTES
               ? builtin_decode (value, call->bound[1], call->bound[2], error)
               : builtin_wants ("str", "bytes to decode", value, error);
  if (value->kind == VALUE_STR)
    return value_ref (value);
  return call_repr (call, error);
}

static Value *
bytes_of_numbers (Value *value, GError **error)
{
  g_autoptr (Value) list = operator_elements (value, error);
  GString *data;

  if (list == NULL)
    return NULL;
  data = g_string_new (NULL);
  for (guint i = 0; i < list->seq.n; i++)
    {
      guint64 octet;

      if (!value_get_uint64 (list->seq.items[i], &octet) || octet > 255)
        {
          g_string_free (data, TRUE);
          return bad_value ("bytes are made of numbers from 0 to 255", error);
        }
      g_string_append_c (data, (char) octet);
    }
  return value_bytes_take (data);
}

static Value *
call_bytes (const BuiltinCall *call, GError **error)
{
  Value *value = call->bound[0];
  guint64 size;

  if (value == NULL)
    return value_bytes ("", 0);
  if (value->kind == VALUE_BYTES)
    return value_ref (value);
  if (value->kind == VALUE_STR && call->bound[1] == NULL)
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                           "bytes() of a str wants a charset: bytes(text, 'utf-8')");
      return NULL;
    }
  if (value->kind == VALUE_STR)
    return builtin_encode (value, call->bound[1], error);
  if (value_get_uint64 (value, &size))
    {
      g_autoptr (Value) zero = value_bytes ("", 1);

      return operator_binary (OPERATION_MULTIPLY, zero, value, error);
    }
  return bytes_of_numbers (value, error);
}

static Value *
call_list (const BuiltinCall *call, GError **error)
{
  return call->bound[0] == NULL ? value_list_new (0) : operator_elements (call->bound[0], error);
}

static Value *
call_tuple (const BuiltinCall *call, GError **error)
{
  g_autoptr (Value) list = call_list (call, error);
  Value *tuple;

  if (list == NULL)
    return NULL;
  tuple = value_tuple_new (list->seq.n);
  for (guint i = 0; i < list->seq.n; i++)
    value_append (tuple, value_ref (list->seq.items[i]));
  return tuple;
}

static gboolean
add_pairs (Value *dict, Value *pairs, GError **error)
{
  g_autoptr (Value) list = operator_elements (pairs, error);

  if (list == NULL)
    return FALSE;
  for (guint i = 0; i < list->seq.n; i++)
    {
      Value *pair = list->seq.items[i];

      if (!value_is_sequence (pair) || pair->seq.n != 2 || !value_is_hashable (pair->seq.items[0]))
        {
          bad_value ("dict() wants a dict or pairs of key and value", error);
          return FALSE;
        }
      value_dict_set (dict, value_ref (pair->seq.items[0]), value_ref (pair->seq.items[1]));
    }
  return TRUE;
}

static Value *
call_dict (const BuiltinCall *call, GError **error)
{
  g_autoptr (Value) dict = value_dict_new ();
  Value *from = call->args->n_positional > 0 ? call->args->positional[0] : NULL;

  if (from != NULL && from->kind == VALUE_DICT)
    for (guint i = 0; i < from->dict.n; i++)
      value_dict_set (dict, value_ref (from->dict.pairs[i].key),
                      value_ref (from->dict.pairs[i].value));
  else if (from != NULL && !add_pairs (dict, from, error))
    return NULL;
  return g_steal_pointer (&dict);
}

/* The whole of a str as a number literal with a sign; NULL without an error if it is none. */
static Value *
number_from_text (const Value *text)
{
  g_autofree char *copy = g_strndup (text->text.bytes, text->text.size);
  const char *at = g_strstrip (copy);
  gboolean negative = *at == '-';
  gsize end = 0;
  Value *number;

  if (strlen (copy) < text->text.size && memchr (text->text.bytes, '\0', text->text.size) != NULL)
    return NULL;
  if (*at == '-' || *at == '+')
    at++;
  if (!g_ascii_isdigit (*at) && *at != '.')
    return NULL;
  if (*at == '.' && !g_ascii_isdigit (at[1]))
    return NULL;
  while (at[0] == '0' && g_ascii_isdigit (at[1]))
    at++;
  number = token_read_number (at, strlen (at), &end, NULL);
  if (number != NULL && at[end] != '\0')
    g_clear_pointer (&number, value_unref);
  if (number != NULL && negative)
    {
      g_autoptr (Value) positive = number;

      return operator_unary (OPERATION_NEGATE, positive, NULL);
    }
  return number;
}

static Value *
int_from_float (double real, GError **error)
{
  if (!(real > -9.3e18 && real < 1.85e19))
    return bad_value ("this float is too large for a whole number", error);
  real = trunc (real);
  if (real < 0)
    return real < -9223372036854775808.0
               ? bad_value ("this float is too large for a whole number", error)
               : value_int_signed (TRUE, (guint64) -real);
  return real >= 18446744073709551616.0
             ? bad_value ("this float is too large for a whole number", error)
             : value_uint ((guint64) real);
}

static Value *
call_int (const BuiltinCall *call, GError **error)
{
  Value *value = call->bound[0];
  guint64 number;

  if (value == NULL)
    return value_int (0);
  if (value->kind == VALUE_INT)
    return value_ref (value);
  if (value_get_uint64 (value, &number))
    return value_uint (number);
  if (value->kind == VALUE_FLOAT)
    return int_from_float (value->real, error);
  if (value_is_text (value))
    {
      g_autoptr (Value) read = number_from_text (value);

      if (read != NULL && read->kind == VALUE_INT)
        return g_steal_pointer (&read);
      return bad_value ("int() wants text that is a whole number", error);
    }
  return builtin_wants ("int", "a number or text", value, error);
}

static Value *
call_float (const BuiltinCall *call, GError **error)
{
  Value *value = call->bound[0];
  g_autoptr (Value) one = value_float (1);
  g_autoptr (Value) read = NULL;

  if (value == NULL)
    return value_float (0);
  if (value_is_text (value))
    {
      read = number_from_text (value);
      if (read == NULL)
        return bad_value ("float() wants text that is a number", error);
      value = read;
    }
  if (value->kind == VALUE_FLOAT)
    return value_float (value->real);
  if (value->kind != VALUE_INT && value->kind != VALUE_BOOL)
    return builtin_wants ("float", "a number or text", value, error);
  return operator_binary (OPERATION_MULTIPLY, value, one, error);
}

static Value *
call_bool (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  return value_bool (call->bound[0] != NULL && value_is_true (call->bound[0]));
}

enum
{
  MAX_RANGE = 1000000,
};

static Value *
call_range (const BuiltinCall *call, GError **error)
{
  gint64 start = 0, end, step, count;
  Value *list;

  if (!builtin_int ("range", call->bound[0], 0, &start, error)
      || !builtin_int ("range", call->bound[1], 0, &end, error)
      || !builtin_int ("range", call->bound[2], 1, &step, error))
    return NULL;
  if (call->bound[1] == NULL)
    {
      end = start;
      start = 0;
    }
  if (step == 0)
    return bad_value ("the step of range() cannot be 0", error);
  if (ABS (start / 2 - end / 2) > G_MAXINT64 / 4 || step < -G_MAXINT64 / 4 || step > G_MAXINT64 / 4)
    return bad_value ("range() cannot be that long", error);
  count = step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step;
  if (count > MAX_RANGE)
    return bad_value ("range() gives a list of at most 1000000 numbers", error);
  list = value_list_new (MAX (count, 0));
  for (gint64 i = 0; i < count; i++)
    value_append (list, value_int (start + i * step));
  return list;
}

/* ---- Over many values -------------------------------------------------------------------------
 */

typedef struct
{
  gboolean reverse;
  const Value *bad; /* two that cannot be ordered */
  const Value *worse;
} Sorting;

static int
compare_items (gconstpointer a, gconstpointer b, gpointer data)
{
  Value *const *x = a, *const *y = b;
  Sorting *sorting = data;
  int order = 0;

  if (!value_compare (*x, *y, &order) && sorting->bad == NULL)
    {
      sorting->bad = *x;
      sorting->worse = *y;
    }
  return sorting->reverse ? -order : order;
}

static Value *
unorderable (const Value *a, const Value *b, GError **error)
{
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s and %s have no order", value_type_name (a),
               value_type_name (b));
  return NULL;
}

static Value *
call_sorted (const BuiltinCall *call, GError **error)
{
  g_autoptr (Value) list = operator_elements (call->bound[0], error);
  Sorting sorting = { call->bound[1] != NULL && value_is_true (call->bound[1]), NULL, NULL };

  if (list == NULL)
    return NULL;
  if (list->seq.n > 1)
    g_qsort_with_data (list->seq.items, list->seq.n, sizeof (Value *), compare_items, &sorting);
  if (sorting.bad != NULL)
    return unorderable (sorting.bad, sorting.worse, error);
  return g_steal_pointer (&list);
}

static Value *
call_reversed (const BuiltinCall *call, GError **error)
{
  g_autoptr (Value) list = operator_elements (call->bound[0], error);
  Value *reversed;

  if (list == NULL)
    return NULL;
  reversed = value_list_new (list->seq.n);
  for (guint i = list->seq.n; i > 0; i--)
    value_append (reversed, value_ref (list->seq.items[i - 1]));
  return reversed;
}

/* min (values) or min (a, b, c). */
static Value *
extreme (const BuiltinCall *call, int wanted, GError **error)
{
  const CallArgs *args = call->args;
  g_autoptr (Value) list = NULL;
  Value *const *items = args->positional;
  guint n = args->n_positional, best = 0;

  if (n == 1)
    {
      list = operator_elements (args->positional[0], error);
      if (list == NULL)
        return NULL;
      items = list->seq.items;
      n = list->seq.n;
    }
  if (n == 0)
    return bad_value ("there is nothing to choose from", error);
  for (guint i = 1; i < n; i++)
    {
      int order = 0;

      if (!value_compare (items[i], items[best], &order))
        return unorderable (items[i], items[best], error);
      if (order == wanted)
        best = i;
    }
  return value_ref (items[best]);
}

static Value *
call_min (const BuiltinCall *call, GError **error)
{
  return extreme (call, -1, error);
}

static Value *
call_max (const BuiltinCall *call, GError **error)
{
  return extreme (call, 1, error);
}

static Value *
call_sum (const BuiltinCall *call, GError **error)
{
  g_autoptr (Value) list = operator_elements (call->bound[0], error);
  g_autoptr (Value) sum = NULL;

  if (list == NULL)
    return NULL;
  sum = call->bound[1] != NULL ? value_ref (call->bound[1]) : value_int (0);
  if (value_is_text (sum))
    return builtin_wants ("sum", "numbers; use ''.join(...)", sum, error);
  for (guint i = 0; i < list->seq.n; i++)
    {
      Value *more = operator_binary (OPERATION_ADD, sum, list->seq.items[i], error);

      if (more == NULL)
        return NULL;
      value_unref (sum);
      sum = more;
    }
  return g_steal_pointer (&sum);
}

static Value *
call_any (const BuiltinCall *call, GError **error)
{
  g_autoptr (Value) list = operator_elements (call->bound[0], error);

  if (list == NULL)
    return NULL;
  for (guint i = 0; i < list->seq.n; i++)
    if (value_is_true (list->seq.items[i]))
      return value_bool (TRUE);
  return value_bool (FALSE);
}

static Value *
call_all (const BuiltinCall *call, GError **error)
{
  g_autoptr (Value) list = operator_elements (call->bound[0], error);

  if (list == NULL)
    return NULL;
  for (guint i = 0; i < list->seq.n; i++)
    if (!value_is_true (list->seq.items[i]))
      return value_bool (FALSE);
  return value_bool (TRUE);
}

static Value *
call_abs (const BuiltinCall *call, GError **error)
{
  Value *value = call->bound[0];

  if (value->kind == VALUE_FLOAT)
    return value_float (fabs (value->real));
  if (value->kind == VALUE_INT && value->truth)
    return value_uint (value->magnitude);
  return operator_unary (OPERATION_PLUS, value, error);
}

#define ONE(name)                                                                                  \
  {                                                                                                \
    {                                                                                              \
      name, PARAM_REQUIRED | PARAM_POSITIONAL_ONLY                                                 \
    }                                                                                              \
  }
#define OPTIONAL(name)                                                                             \
  {                                                                                                \
    {                                                                                              \
      name, PARAM_POSITIONAL_ONLY                                                                  \
    }                                                                                              \
  }
#define ANY                                                                                        \
  {                                                                                                \
    {                                                                                              \
      "values", PARAM_REST                                                                         \
    }                                                                                              \
  }

const Builtin builtin_functions[] = {
  { "abs", call_abs, ONE ("number") },
  { "all", call_all, ONE ("values") },
  { "any", call_any, ONE ("values") },
  { "bool", call_bool, OPTIONAL ("value") },
  { "bytes", call_bytes, { { "source", PARAM_OPTIONAL }, { "encoding", PARAM_OPTIONAL } } },
  { "dict", call_dict, OPTIONAL ("pairs") },
  { "float", call_float, OPTIONAL ("value") },
  { "int", call_int, OPTIONAL ("value") },
  { "len", call_len, ONE ("value") },
  { "list", call_list, OPTIONAL ("values") },
  { "max", call_max, ANY },
  { "min", call_min, ANY },
  { "print", call_print, ANY },
  { "range",
    call_range,
    { { "start", PARAM_REQUIRED | PARAM_POSITIONAL_ONLY },
      { "stop", PARAM_POSITIONAL_ONLY },
      { "step", PARAM_POSITIONAL_ONLY } } },
  { "repr", call_repr, ONE ("value") },
  { "reversed", call_reversed, ONE ("values") },
  { "sorted",
    call_sorted,
    { { "values", PARAM_REQUIRED | PARAM_POSITIONAL_ONLY }, { "reverse", PARAM_OPTIONAL } } },
  { "str",
    call_str,
    { { "object", PARAM_OPTIONAL },
      { "encoding", PARAM_OPTIONAL },
      { "errors", PARAM_OPTIONAL } } },
  { "sum",
    call_sum,
    { { "values", PARAM_REQUIRED | PARAM_POSITIONAL_ONLY }, { "start", PARAM_OPTIONAL } } },
  { "tuple", call_tuple, OPTIONAL ("values") },
  { "type", call_type, ONE ("value") },
  { 0 },
};
