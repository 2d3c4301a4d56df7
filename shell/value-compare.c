/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* value-compare.c - equality, order and hash of values, as Python has them
 *
 * 1 == True == 1.0 and they hash alike; a list never equals a tuple; str never equals bytes; what
 * cannot be ordered says so.
 */
#include "value-private.h"

#include <math.h>
#include <string.h>

static gboolean
is_number (const Value *value)
{
  return value->kind == VALUE_BOOL || value->kind == VALUE_INT || value->kind == VALUE_FLOAT;
}

static gboolean
number_parts (const Value *value, guint64 *magnitude)
{
  *magnitude = value->kind == VALUE_BOOL ? value->truth : value->magnitude;
  return value->kind == VALUE_INT && value->truth;
}

static double
as_double (const Value *value)
{
  guint64 magnitude;
  gboolean negative;

  if (value->kind == VALUE_FLOAT)
    return value->real;
  negative = number_parts (value, &magnitude);
  return negative ? -(double) magnitude : (double) magnitude;
}

/* FALSE only with a NaN, which has no place in any order. */
static gboolean
compare_numbers (const Value *a, const Value *b, int *order)
{
  if (a->kind == VALUE_FLOAT || b->kind == VALUE_FLOAT)
    {
      double x = as_double (a), y = as_double (b);

      if (isnan (x) || isnan (y))
        return FALSE;
      *order = x < y ? -1 : x > y;
      return TRUE;
    }

  guint64 x, y;
  gboolean x_negative = number_parts (a, &x), y_negative = number_parts (b, &y);

  if (x_negative != y_negative)
    *order = x_negative ? -1 : 1;
  else if (x == y)
    *order = 0;
  else
    *order = (x < y) != x_negative ? -1 : 1;
  return TRUE;
}

static int
compare_text (const Value *a, const Value *b)
{
  gsize shorter = MIN (a->text.size, b->text.size);
  int order = shorter > 0 ? memcmp (a->text.bytes, b->text.bytes, shorter) : 0;

  if (order != 0)
    return order < 0 ? -1 : 1;
  return a->text.size < b->text.size ? -1 : a->text.size > b->text.size;
}

static int
compare_int64 (gint64 a, gint64 b)
{
  return a < b ? -1 : a > b;
}

static int
compare_deltas (const ValueDelta *a, const ValueDelta *b)
{
  if (a->days != b->days)
    return compare_int64 (a->days, b->days);
  if (a->seconds != b->seconds)
    return compare_int64 (a->seconds, b->seconds);
  return compare_int64 (a->microseconds, b->microseconds);
}

static gboolean
equal_sequences (const Value *a, const Value *b)
{
  if (a->seq.n != b->seq.n)
    return FALSE;
  for (guint i = 0; i < a->seq.n; i++)
    if (!value_equal (a->seq.items[i], b->seq.items[i]))
      return FALSE;
  return TRUE;
}

static gboolean
equal_dicts (const Value *a, const Value *b)
{
  if (a->dict.n != b->dict.n)
    return FALSE;
  for (guint i = 0; i < a->dict.n; i++)
    {
      const Value *other = value_dict_get (b, a->dict.pairs[i].key);

      if (other == NULL || !value_equal (a->dict.pairs[i].value, other))
        return FALSE;
    }
  return TRUE;
}

static gboolean
equal_records (const Value *a, const Value *b)
{
  if (a->record.type != b->record.type)
    return FALSE;
  for (guint i = 0; i < a->record.type->n_fields; i++)
    if (!value_equal (a->record.fields[i], b->record.fields[i]))
      return FALSE;
  return TRUE;
}

static gboolean
equal_same_kind (const Value *a, const Value *b)
{
  switch ((ValueKind) a->kind)
    {
    case VALUE_STR:
    case VALUE_BYTES:
      return a->text.size == b->text.size && compare_text (a, b) == 0;
    case VALUE_LIST:
    case VALUE_TUPLE:
      return equal_sequences (a, b);
    case VALUE_DICT:
      return equal_dicts (a, b);
    case VALUE_RECORD:
      return equal_records (a, b);
    case VALUE_DATE:
    case VALUE_DATETIME:
      return a->time.aware == b->time.aware
             && value_time_microseconds (&a->time) == value_time_microseconds (&b->time);
    case VALUE_TIMEDELTA:
      return compare_deltas (&a->delta, &b->delta) == 0;
    case VALUE_TIMEZONE:
      return a->offset == b->offset;
    case VALUE_OBJECT:
      return a->object.self == b->object.self;
    case VALUE_BUILTIN:
      return a->builtin == b->builtin;
    case VALUE_METHOD:
      return a->method.builtin == b->method.builtin && strcmp (a->method.name, b->method.name) == 0
             && value_equal (a->method.self, b->method.self);
    case VALUE_NONE:
      return TRUE;
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
      break; /* numbers were compared before */
    }
  return FALSE;
}

gboolean
value_equal (const Value *a, const Value *b)
{
  int order;

  if (is_number (a) && is_number (b))
    return compare_numbers (a, b, &order) && order == 0;
  if (a == b)
    return TRUE;
  return a->kind == b->kind && equal_same_kind (a, b);
}

static gboolean
compare_sequences (const Value *a, const Value *b, int *order)
{
  guint shorter = MIN (a->seq.n, b->seq.n);

  for (guint i = 0; i < shorter; i++)
    if (!value_equal (a->seq.items[i], b->seq.items[i]))
      return value_compare (a->seq.items[i], b->seq.items[i], order);
  *order = compare_int64 (a->seq.n, b->seq.n);
  return TRUE;
}

gboolean
value_compare (const Value *a, const Value *b, int *order)
{
  if (is_number (a) && is_number (b))
    return compare_numbers (a, b, order);
  if (a->kind != b->kind)
    return FALSE;

  switch ((ValueKind) a->kind)
    {
    case VALUE_STR:
    case VALUE_BYTES:
      *order = compare_text (a, b);
      return TRUE;
    case VALUE_LIST:
    case VALUE_TUPLE:
      return compare_sequences (a, b, order);
    case VALUE_DATE:
    case VALUE_DATETIME:
      if (a->time.aware != b->time.aware)
        return FALSE;
      *order =
          compare_int64 (value_time_microseconds (&a->time), value_time_microseconds (&b->time));
      return TRUE;
    case VALUE_TIMEDELTA:
      *order = compare_deltas (&a->delta, &b->delta);
      return TRUE;
    case VALUE_NONE:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_DICT:
    case VALUE_TIMEZONE:
    case VALUE_RECORD:
    case VALUE_OBJECT:
    case VALUE_BUILTIN:
    case VALUE_METHOD:
      break;
    }
  return FALSE;
}

gboolean
value_is_hashable (const Value *value)
{
  if (value->kind == VALUE_LIST || value->kind == VALUE_DICT || value->kind == VALUE_RECORD)
    return FALSE;
  if (value->kind == VALUE_TUPLE)
    for (guint i = 0; i < value->seq.n; i++)
      if (!value_is_hashable (value->seq.items[i]))
        return FALSE;
  return TRUE;
}

static guint
mix (guint64 bits)
{
  bits ^= bits >> 33;
  bits *= G_GUINT64_CONSTANT (0xff51afd7ed558ccd);
  bits ^= bits >> 33;
  return (guint) bits;
}

static guint
hash_number (const Value *value)
{
  guint64 magnitude;
  gboolean negative;

  /* Whole floats hash as the integer they equal. Above 2**53 several integers compare equal to one
   * float, so everything that large hashes as its float. */
  if (value->kind != VALUE_FLOAT)
    {
      negative = number_parts (value, &magnitude);
      if (magnitude <= G_GUINT64_CONSTANT (1) << 53)
        return mix (negative ? ~magnitude : magnitude);
    }

  double real = as_double (value);
  guint64 bits;

  if (fabs (real) <= 9007199254740992.0 && real == floor (real))
    return mix (real < 0 ? ~(guint64) -real : (guint64) real);
  memcpy (&bits, &real, sizeof bits);
  return mix (bits);
}

static guint
hash_text (const char *bytes, gsize size)
{
  guint64 hash = G_GUINT64_CONSTANT (14695981039346656037);

  for (gsize i = 0; i < size; i++)
    hash = (hash ^ (guint8) bytes[i]) * G_GUINT64_CONSTANT (1099511628211);
  return mix (hash);
}

guint
value_hash (const Value *value)
{
  guint hash = value->kind;

  switch ((ValueKind) value->kind)
    {
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
      return hash_number (value);
    case VALUE_STR:
    case VALUE_BYTES:
      return hash_text (value->text.bytes, value->text.size) + hash;
    case VALUE_TUPLE:
      for (guint i = 0; i < value->seq.n; i++)
        hash = mix ((guint64) hash * 31 + value_hash (value->seq.items[i]));
      return hash;
    case VALUE_DATE:
    case VALUE_DATETIME:
      return mix (value_time_microseconds (&value->time));
    case VALUE_TIMEDELTA:
      return mix (value_delta_microseconds (&value->delta));
    case VALUE_TIMEZONE:
      return mix ((guint32) value->offset);
    case VALUE_NONE:
    case VALUE_LIST:
    case VALUE_DICT:
    case VALUE_RECORD:
    case VALUE_OBJECT:
    case VALUE_BUILTIN:
    case VALUE_METHOD:
      break;
    }
  return hash;
}
