/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* operators.c - computing with values: arithmetic, joining, repeating and comparing
 *
 * Python's meaning and errors. Indexing and slicing are in subscript.c.
 */
#include "operators.h"

#include "eval-error.h"
#include "repr.h"

#include <math.h>
#include <string.h>

__extension__ typedef __int128 Wide;

enum
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  MAX_WEIGHT = 1 << 16,
#else
  MAX_WEIGHT = 1 << 24, /* that many elements, or four times as many octets */
#endif
};

static const char *const symbols[] = {
  [OPERATION_ADD] = "+",         [OPERATION_SUBTRACT] = "-",      [OPERATION_MULTIPLY] = "*",
  [OPERATION_DIVIDE] = "/",      [OPERATION_FLOOR_DIVIDE] = "//", [OPERATION_MODULO] = "%",
  [OPERATION_EQUAL] = "==",      [OPERATION_NOT_EQUAL] = "!=",    [OPERATION_LESS] = "<",
  [OPERATION_LESS_EQUAL] = "<=", [OPERATION_GREATER] = ">",       [OPERATION_GREATER_EQUAL] = ">=",
  [OPERATION_IN] = "in",         [OPERATION_NOT_IN] = "not in",   [OPERATION_IS] = "is",
  [OPERATION_IS_NOT] = "is not", [OPERATION_NEGATE] = "-",        [OPERATION_PLUS] = "+",
  [OPERATION_NOT] = "not",
};

static Value *
wrong_operands (Operation operation, const Value *left, const Value *right, GError **error)
{
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "'%s' does not work between %s and %s",
               symbols[operation], value_type_name (left), value_type_name (right));
  return NULL;
}

static gboolean
too_large (GError **error)
{
  g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_MEMORY,
                       "the result would be too large to keep");
  return FALSE;
}

gboolean
operator_check_size (const Value *value, GError **error)
{
  if (value->depth > VALUE_MAX_DEPTH)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_VALUE, "values can be nested %d deep, no deeper",
                   VALUE_MAX_DEPTH);
      return FALSE;
    }
  return value->weight <= MAX_WEIGHT || too_large (error);
}

/* ---- Numbers ----------------------------------------------------------------------------------
 */

static gboolean
is_int (const Value *value)
{
  return value->kind == VALUE_INT || value->kind == VALUE_BOOL;
}

static gboolean
is_number (const Value *value)
{
  return is_int (value) || value->kind == VALUE_FLOAT;
}

static Wide
as_wide (const Value *value)
{
  if (value->kind == VALUE_BOOL)
    return value->truth;
  return value->truth ? -(Wide) value->magnitude : (Wide) value->magnitude;
}

static double
as_double (const Value *value)
{
  return value->kind == VALUE_FLOAT ? value->real : (double) as_wide (value);
}

static Value *
from_wide (Wide number, GError **error)
{
  if (number > (Wide) G_MAXUINT64 || number < (Wide) G_MININT64)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_OVERFLOW,
                   "whole numbers go from %" G_GINT64_FORMAT " to %" G_GUINT64_FORMAT, G_MININT64,
                   G_MAXUINT64);
      return NULL;
    }
  return value_int_signed (number < 0, (guint64) (number < 0 ? -number : number));
}

static Value *
division_by_zero (GError **error)
{
  g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_ZERO_DIVISION, "division by zero");
  return NULL;
}

static Value *
compute_ints (Operation operation, const Value *left, const Value *right, GError **error)
{
  Wide a = as_wide (left), b = as_wide (right), result, rest;

  switch (operation)
    {
    case OPERATION_ADD:
      return from_wide (a + b, error);
    case OPERATION_SUBTRACT:
      return from_wide (a - b, error);
    case OPERATION_MULTIPLY:
      if (__builtin_mul_overflow (a, b, &result))
        result = (Wide) 1 << 100; /* beyond any number of ours */
      return from_wide (result, error);
    default:
      break;
    }
  if (b == 0)
    return division_by_zero (error);
  if (operation == OPERATION_DIVIDE)
    return value_float ((double) a / (double) b);
  /* Python rounds down, C towards zero. */
  result = a / b;
  rest = a % b;
  if (rest != 0 && (rest < 0) != (b < 0))
    {
      result--;
      rest += b;
    }
  return from_wide (operation == OPERATION_MODULO ? rest : result, error);
}

static Value *
compute_floats (Operation operation, const Value *left, const Value *right, GError **error)
{
  double a = as_double (left), b = as_double (right), rest;

  switch (operation)
    {
    case OPERATION_ADD:
      return value_float (a + b);
    case OPERATION_SUBTRACT:
      return value_float (a - b);
    case OPERATION_MULTIPLY:
      return value_float (a * b);
    default:
      break;
    }
  if (b == 0)
    return division_by_zero (error);
  if (operation == OPERATION_DIVIDE)
    return value_float (a / b);
  if (operation == OPERATION_FLOOR_DIVIDE)
    return value_float (floor (a / b));
  rest = fmod (a, b);
  if (rest == 0)
    return value_float (copysign (0, b));
  return value_float ((rest < 0) != (b < 0) ? rest + b : rest);
}

/* ---- Joining and repeating --------------------------------------------------------------------
 */

static Value *
join (const Value *left, const Value *right, GError **error)
{
  Value *joined;

  if ((guint64) left->weight + right->weight > MAX_WEIGHT)
    {
      too_large (error);
      return NULL;
    }
  if (value_is_text (left))
    {
      GString *text = g_string_sized_new (left->text.size + right->text.size);

      g_string_append_len (text, left->text.bytes, left->text.size);
      g_string_append_len (text, right->text.bytes, right->text.size);
      return left->kind == VALUE_STR ? value_str_take (text) : value_bytes_take (text);
    }
  joined = left->kind == VALUE_LIST ? value_list_new (left->seq.n + right->seq.n)
                                    : value_tuple_new (left->seq.n + right->seq.n);
  for (guint i = 0; i < left->seq.n; i++)
    value_append (joined, value_ref (left->seq.items[i]));
  for (guint i = 0; i < right->seq.n; i++)
    value_append (joined, value_ref (right->seq.items[i]));
  return joined;
}

static Value *
repeat (const Value *value, const Value *count, GError **error)
{
  guint64 times = 0;
  Value *repeated;

  value_get_uint64 (count, &times); /* less than nothing is nothing */
  if (times > MAX_WEIGHT || value->weight * times > MAX_WEIGHT)
    {
      too_large (error);
      return NULL;
    }
  if (value_is_text (value))
    {
      GString *text = g_string_sized_new (value->text.size * times);

      for (guint64 i = 0; i < times; i++)
        g_string_append_len (text, value->text.bytes, value->text.size);
      return value->kind == VALUE_STR ? value_str_take (text) : value_bytes_take (text);
    }
  repeated = value->kind == VALUE_LIST ? value_list_new (0) : value_tuple_new (0);
  for (guint64 i = 0; i < times; i++)
    for (guint k = 0; k < value->seq.n; k++)
      value_append (repeated, value_ref (value->seq.items[k]));
  return repeated;
}

/* ---- '%d of %s' % (1, 'a') --------------------------------------------------------------------
 */

static gboolean
format_one (GString *out, char conversion, const Value *value, GError **error)
{
  g_autofree char *text = NULL;

  if (conversion == 'd' && !is_int (value))
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%%d wants a number, not %s",
                   value_type_name (value));
      return FALSE;
    }
  if (conversion == 's' && value->kind == VALUE_STR)
    {
      g_string_append_len (out, value->text.bytes, value->text.size);
      return TRUE;
    }
  if (conversion == 'd' && value->kind == VALUE_BOOL)
    text = g_strdup (value->truth ? "1" : "0");
  else
    text = repr_dup (value);
  g_string_append (out, text);
  return TRUE;
}

static Value *
format (const Value *pattern, Value *values, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const char *at = pattern->text.bytes, *end = at + pattern->text.size;
  guint used = 0, n = values->kind == VALUE_TUPLE ? values->seq.n : 1;

  for (; at < end; at++)
    {
      const Value *value;

      if (*at != '%' || at[1] == '%')
        {
          at += *at == '%';
          g_string_append_c (out, *at);
          continue;
        }
      at++;
      if (*at == '\0' || strchr ("sdr", *at) == NULL)
        {
          g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE,
                               "only %s, %d, %r and %% can be formatted");
          return NULL;
        }
      if (used == n)
        {
          g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                               "there are fewer values than the format wants");
          return NULL;
        }
      value = values->kind == VALUE_TUPLE ? values->seq.items[used] : values;
      used++;
      if (!format_one (out, *at, value, error))
        return NULL;
      if (out->len / 4 > MAX_WEIGHT)
        {
          too_large (error);
          return NULL;
        }
    }
  /* a list or dict may be what names are looked up in, so Python does not mind it unused */
  if (used < n
      && !(values->kind == VALUE_LIST || values->kind == VALUE_DICT || values->kind == VALUE_BYTES))
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                           "there are more values than the format wants");
      return NULL;
    }
  return value_str (out->str, out->len);
}

/* ---- Dates ------------------------------------------------------------------------------------
 */

static gboolean
is_moment (const Value *value)
{
  return value->kind == VALUE_DATE || value->kind == VALUE_DATETIME;
}

static Value *
moved (const Value *moment, const ValueDelta *delta, int sign, GError **error)
{
  gint64 at = value_time_microseconds (&moment->time);
  gint64 by = sign * value_delta_microseconds (delta);
  ValueTime time;

  /* A date moves by whole days, whatever the delta's seconds. */
  if (moment->kind == VALUE_DATE)
    by = sign * CLAMP (delta->days, -9999999, 9999999) * G_GINT64_CONSTANT (86400000000);
  if (!value_time_from_microseconds (at + by, moment->time.aware, moment->time.offset, &time))
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_OVERFLOW,
                           "dates go from year 1 to year 9999");
      return NULL;
    }
  return moment->kind == VALUE_DATE ? value_date (time.year, time.month, time.day)
                                    : value_datetime (&time);
}

static Value *
sum_of_deltas (const ValueDelta *a, const ValueDelta *b, int sign)
{
  return value_timedelta ((gint64) a->days + sign * (gint64) b->days,
                          (gint64) a->seconds + sign * (gint64) b->seconds,
                          (gint64) a->microseconds + sign * (gint64) b->microseconds);
}

/* NULL without an error: these are not dates that can be computed with. */
static Value *
compute_dates (Operation operation, const Value *left, const Value *right, GError **error)
{
  int sign = operation == OPERATION_SUBTRACT ? -1 : 1;

  if (operation != OPERATION_ADD && operation != OPERATION_SUBTRACT)
    return NULL;
  if (is_moment (left) && right->kind == VALUE_TIMEDELTA)
    return moved (left, &right->delta, sign, error);
  if (left->kind == VALUE_TIMEDELTA && is_moment (right) && sign > 0)
    return moved (right, &left->delta, sign, error);
  if (left->kind == VALUE_TIMEDELTA && right->kind == VALUE_TIMEDELTA)
    return sum_of_deltas (&left->delta, &right->delta, sign);
  if (is_moment (left) && left->kind == right->kind && sign < 0
      && left->time.aware == right->time.aware)
    return value_timedelta (
        0, 0, value_time_microseconds (&left->time) - value_time_microseconds (&right->time));
  return NULL;
}

/* ---- All of them ------------------------------------------------------------------------------
 */

static Value *
compute (Operation operation, Value *left, Value *right, GError **error)
{
  GError *problem = NULL;
  Value *result;

  if (is_int (left) && is_int (right))
    return compute_ints (operation, left, right, error);
  if (is_number (left) && is_number (right))
    return compute_floats (operation, left, right, error);
  if (operation == OPERATION_ADD && left->kind == right->kind
      && (value_is_text (left) || value_is_sequence (left)))
    return join (left, right, error);
  if (operation == OPERATION_MULTIPLY && (value_is_text (left) || value_is_sequence (left))
      && is_int (right))
    return repeat (left, right, error);
  if (operation == OPERATION_MULTIPLY && (value_is_text (right) || value_is_sequence (right))
      && is_int (left))
    return repeat (right, left, error);
  if (operation == OPERATION_MODULO && left->kind == VALUE_STR)
    return format (left, right, error);
  result = compute_dates (operation, left, right, &problem);
  if (result != NULL || problem == NULL)
    return result != NULL ? result : wrong_operands (operation, left, right, error);
  g_propagate_error (error, problem);
  return NULL;
}

static Value *
order (Operation operation, const Value *left, const Value *right, GError **error)
{
  gboolean nan = left->kind == VALUE_FLOAT || right->kind == VALUE_FLOAT;
  int way;

  if (!value_compare (left, right, &way))
    return nan && is_number (left) && is_number (right)
               ? value_bool (FALSE)
               : wrong_operands (operation, left, right, error);
  switch (operation)
    {
    case OPERATION_LESS:
      return value_bool (way < 0);
    case OPERATION_LESS_EQUAL:
      return value_bool (way <= 0);
    case OPERATION_GREATER:
      return value_bool (way > 0);
    default:
      return value_bool (way >= 0);
    }
}

/* Small values are made anew each time, so identity is equality of scalars. */
static gboolean
is_same (const Value *left, const Value *right)
{
  if (left->kind != right->kind)
    return FALSE;
  return left == right || (left->kind <= VALUE_BYTES && value_equal (left, right));
}

Value *
operator_binary (Operation operation, Value *left, Value *right, GError **error)
{
  gboolean found;

  switch (operation)
    {
    case OPERATION_EQUAL:
      return value_bool (value_equal (left, right));
    case OPERATION_NOT_EQUAL:
      return value_bool (!value_equal (left, right));
    case OPERATION_IS:
      return value_bool (is_same (left, right));
    case OPERATION_IS_NOT:
      return value_bool (!is_same (left, right));
    case OPERATION_IN:
    case OPERATION_NOT_IN:
      if (!operator_contains (right, left, &found, error))
        return NULL;
      return value_bool (found == (operation == OPERATION_IN));
    case OPERATION_LESS:
    case OPERATION_LESS_EQUAL:
    case OPERATION_GREATER:
    case OPERATION_GREATER_EQUAL:
      return order (operation, left, right, error);
    case OPERATION_ADD:
    case OPERATION_SUBTRACT:
    case OPERATION_MULTIPLY:
    case OPERATION_DIVIDE:
    case OPERATION_FLOOR_DIVIDE:
    case OPERATION_MODULO:
      return compute (operation, left, right, error);
    case OPERATION_NEGATE:
    case OPERATION_PLUS:
    case OPERATION_NOT:
      break;
    }
  return wrong_operands (operation, left, right, error);
}

Value *
operator_unary (Operation operation, Value *operand, GError **error)
{
  if (operation == OPERATION_NOT)
    return value_bool (!value_is_true (operand));
  if (operand->kind == VALUE_FLOAT)
    return value_float (operation == OPERATION_NEGATE ? -operand->real : operand->real);
  if (operand->kind == VALUE_TIMEDELTA && operation == OPERATION_NEGATE)
    return value_timedelta (-(gint64) operand->delta.days, -(gint64) operand->delta.seconds,
                            -(gint64) operand->delta.microseconds);
  if (!is_int (operand))
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "'%s' does not work on %s",
                   symbols[operation], value_type_name (operand));
      return NULL;
    }
  return from_wide (operation == OPERATION_NEGATE ? -as_wide (operand) : as_wide (operand), error);
}
