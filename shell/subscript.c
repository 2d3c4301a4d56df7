/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* subscript.c - the parts of values: length, value[index], value[start:end], in
 *
 * The characters of a str are counted as Python counts them, octets of UTF-8 notwithstanding.
 */
#include "operators.h"

#include "eval-error.h"
#include "repr.h"

#include <string.h>

static gsize
count_characters (const char *text, gsize size)
{
  gsize n = 0;

  for (gsize i = 0; i < size; i++)
    n += ((guchar) text[i] & 0xc0) != 0x80;
  return n;
}

gint64
operator_length (const Value *value)
{
  switch ((ValueKind) value->kind)
    {
    case VALUE_STR:
      return count_characters (value->text.bytes, value->text.size);
    case VALUE_BYTES:
      return value->text.size;
    case VALUE_LIST:
    case VALUE_TUPLE:
      return value->seq.n;
    case VALUE_DICT:
      return value->dict.n;
    default: /* everything else is one thing */
      return -1;
    }
}

Value *
operator_text_part (const Value *text, gsize start, gsize end)
{
  const char *from, *to;

  if (text->kind == VALUE_BYTES)
    return value_bytes (text->text.bytes + start, end - start);
  from = g_utf8_offset_to_pointer (text->text.bytes, start);
  to = g_utf8_offset_to_pointer (from, end - start);
  return value_str (from, to - from);
}

static Value *
element (Value *owner, gsize at)
{
  if (value_is_sequence (owner))
    return value_ref (owner->seq.items[at]);
  if (owner->kind == VALUE_BYTES)
    return value_uint ((guchar) owner->text.bytes[at]);
  return operator_text_part (owner, at, at + 1);
}

static Value *
index_dict (Value *owner, Value *key, GError **error)
{
  Value *found;
  g_autofree char *shown = NULL;

  if (!value_is_hashable (key))
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s cannot be the key of a dict",
                   value_type_name (key));
      return NULL;
    }
  found = value_dict_get (owner, key);
  if (found != NULL)
    return value_ref (found);
  shown = repr_dup (key);
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_KEY, "%s", shown);
  return NULL;
}

Value *
operator_index (Value *owner, Value *index, GError **error)
{
  gint64 length = operator_length (owner), at;

  if (owner->kind == VALUE_DICT)
    return index_dict (owner, index, error);
  if (length < 0)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s has no elements to pick one from",
                   value_type_name (owner));
      return NULL;
    }
  if (index->kind != VALUE_INT && index->kind != VALUE_BOOL)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "the index of a %s must be a number, not %s",
                   value_type_name (owner), value_type_name (index));
      return NULL;
    }
  if (!value_get_int64 (index, &at) || at >= length || at < -length)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_INDEX, "%s index out of range",
                   value_type_name (owner));
      return NULL;
    }
  return element (owner, at < 0 ? at + length : at);
}

/* ---- Slices -----------------------------------------------------------------------------------
 */

static gboolean
slice_bound (Value *bound, gint64 *number, gboolean *given, GError **error)
{
  *given = bound != NULL && bound->kind != VALUE_NONE;
  if (!*given)
    return TRUE;
  if (bound->kind != VALUE_INT && bound->kind != VALUE_BOOL)
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                           "the parts of a slice must be numbers or None");
      return FALSE;
    }
  if (!value_get_int64 (bound, number))
    *number = bound->truth ? G_MININT64 : G_MAXINT64;
  return TRUE;
}

/* Counts from the end if negative, and stays within what a walk in that direction can reach. */
static gint64
place_bound (gint64 bound, gint64 length, gboolean backwards)
{
  if (bound < 0)
    {
      bound = bound < -length ? -1 : bound + length;
      return bound < 0 ? (backwards ? -1 : 0) : bound;
    }
  return MIN (bound, backwards ? length - 1 : length);
}

static Value *
collect (Value *owner, gint64 start, gint64 step, gint64 count)
{
  Value *part;

  if (value_is_sequence (owner))
    {
      part = owner->kind == VALUE_LIST ? value_list_new (count) : value_tuple_new (count);
      for (gint64 i = 0; i < count; i++)
        value_append (part, value_ref (owner->seq.items[start + i * step]));
      return part;
    }
  if (step == 1 || count == 0)
    return operator_text_part (owner, count > 0 ? start : 0, count > 0 ? start + count : 0);

  GString *text = g_string_new (NULL);

  if (owner->kind == VALUE_BYTES)
    {
      for (gint64 i = 0; i < count; i++)
        g_string_append_c (text, owner->text.bytes[start + i * step]);
      return value_bytes_take (text);
    }
  const char *at = g_utf8_offset_to_pointer (owner->text.bytes, start);

  for (gint64 i = 0; i < count; i++)
    {
      g_string_append_unichar (text, g_utf8_get_char (at));
      if (i + 1 < count)
        at = g_utf8_offset_to_pointer (at, step);
    }
  return value_str_take (text);
}

Value *
operator_slice (Value *owner, Value *start, Value *end, Value *step, GError **error)
{
  gint64 length = operator_length (owner), from = 0, to = 0, by = 1, count;
  gboolean has_from, has_to, has_by;

  if (length < 0 || owner->kind == VALUE_DICT)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s cannot be sliced",
                   value_type_name (owner));
      return NULL;
    }
  if (!slice_bound (start, &from, &has_from, error) || !slice_bound (end, &to, &has_to, error)
      || !slice_bound (step, &by, &has_by, error))
    return NULL;
  if (has_by && by == 0)
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE, "the step of a slice cannot be 0");
      return NULL;
    }
  by = CLAMP (by, -length - 1, length + 1); /* more makes no difference, and cannot overflow */
  from = has_from ? place_bound (from, length, by < 0) : by < 0 ? length - 1 : 0;
  to = has_to ? place_bound (to, length, by < 0) : by < 0 ? -1 : length;
  if (by > 0)
    count = to > from ? (to - from + by - 1) / by : 0;
  else
    count = from > to ? (from - to - by - 1) / -by : 0;
  return collect (owner, from, by, count);
}

/* ---- Walking and searching --------------------------------------------------------------------
 */

Value *
operator_elements (Value *value, GError **error)
{
  gint64 length = operator_length (value);
  Value *list;

  if (length < 0)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s has no elements",
                   value_type_name (value));
      return NULL;
    }
  list = value_list_new (length);
  if (value->kind == VALUE_DICT)
    for (guint i = 0; i < value->dict.n; i++)
      value_append (list, value_ref (value->dict.pairs[i].key));
  else if (value->kind == VALUE_STR)
    for (const char *at = value->text.bytes; at < value->text.bytes + value->text.size;
         at = g_utf8_next_char (at))
      value_append (list, value_str (at, g_utf8_next_char (at) - at));
  else
    for (gint64 i = 0; i < length; i++)
      value_append (list, element (value, i));
  return list;
}

static gboolean
text_contains (const Value *container, const Value *item, gboolean *found)
{
  guint64 octet;

  if (container->kind == VALUE_BYTES && value_get_uint64 (item, &octet))
    *found =
        octet < 256 && memchr (container->text.bytes, (int) octet, container->text.size) != NULL;
  else if (item->kind == container->kind)
    *found =
        item->text.size == 0
        || memmem (container->text.bytes, container->text.size, item->text.bytes, item->text.size)
               != NULL;
  else
    return FALSE;
  return TRUE;
}

gboolean
operator_contains (Value *container, Value *item, gboolean *found, GError **error)
{
  *found = FALSE;
  if (value_is_sequence (container))
    {
      for (guint i = 0; i < container->seq.n && !*found; i++)
        *found = value_equal (container->seq.items[i], item);
      return TRUE;
    }
  if (container->kind == VALUE_DICT && value_is_hashable (item))
    {
      *found = value_dict_get (container, item) != NULL;
      return TRUE;
    }
  if (value_is_text (container) && text_contains (container, item, found))
    return TRUE;
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s cannot be looked for in %s",
               value_type_name (item), value_type_name (container));
  return FALSE;
}
