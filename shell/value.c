/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* value.c - making and freeing the values of the interactive session
 *
 * Counting, construction and the bookkeeping of depth and weight. Comparing and hashing are in
 * value-compare.c, dictionaries in value-dict.c, the calendar in value-time.c.
 */
#include "value-private.h"

#include <string.h>

static Value none_value = { .refs = 1, .kind = VALUE_NONE, .immortal = TRUE, .weight = 1 };
static Value true_value = {
  .refs = 1, .kind = VALUE_BOOL, .immortal = TRUE, .truth = TRUE, .weight = 1
};
static Value false_value = { .refs = 1, .kind = VALUE_BOOL, .immortal = TRUE, .weight = 1 };

static Value *
value_new (ValueKind kind)
{
  Value *value = g_new0 (Value, 1);

  value->refs = 1;
  value->kind = kind;
  value->weight = 1;
  return value;
}

Value *
value_ref (Value *value)
{
  if (!value->immortal)
    value->refs++;
  return value;
}

static void
free_sequence (Value *value)
{
  for (guint i = 0; i < value->seq.n; i++)
    value_unref (value->seq.items[i]);
  g_free (value->seq.items);
  value_unref (value->seq.attributes);
}

void
value_unref (Value *value)
{
  if (value == NULL || value->immortal || --value->refs > 0)
    return;

  switch ((ValueKind) value->kind)
    {
    case VALUE_LIST:
    case VALUE_TUPLE:
      free_sequence (value);
      break;
    case VALUE_DICT:
      value_dict_clear (value);
      break;
    case VALUE_RECORD:
      for (guint i = 0; i < value->record.type->n_fields; i++)
        value_unref (value->record.fields[i]);
      g_free (value->record.fields);
      break;
    case VALUE_METHOD:
      value_unref (value->method.self);
      g_free (value->method.name);
      break;
    case VALUE_NONE:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_STR:
    case VALUE_BYTES:
    case VALUE_DATE:
    case VALUE_DATETIME:
    case VALUE_TIMEDELTA:
    case VALUE_TIMEZONE:
    case VALUE_OBJECT:
    case VALUE_BUILTIN:
      break;
    }
  g_free (value);
}

/* ---- Scalars ----------------------------------------------------------------------------------
 */

Value *
value_none (void)
{
  return &none_value;
}

Value *
value_bool (gboolean truth)
{
  return truth ? &true_value : &false_value;
}

Value *
value_int_signed (gboolean negative, guint64 magnitude)
{
  Value *value = value_new (VALUE_INT);

  value->truth = negative && magnitude != 0;
  value->magnitude = magnitude;
  return value;
}

Value *
value_int (gint64 number)
{
  return value_int_signed (number < 0, number < 0 ? -(guint64) number : (guint64) number);
}

Value *
value_uint (guint64 number)
{
  return value_int_signed (FALSE, number);
}

Value *
value_float (double number)
{
  Value *value = value_new (VALUE_FLOAT);

  value->real = number;
  return value;
}

/* One allocation for head and octets. */
static Value *
text_new (ValueKind kind, const char *data, gsize size)
{
  Value *value = g_malloc (sizeof (Value) + size + 1);
  char *bytes = (char *) (value + 1);

  memset (value, 0, sizeof *value);
  value->refs = 1;
  value->kind = kind;
  value->weight = size / 4 < G_MAXUINT32 - 1 ? 1 + size / 4 : G_MAXUINT32;
  if (size > 0)
    memcpy (bytes, data, size);
  bytes[size] = '\0';
  value->text.bytes = bytes;
  value->text.size = size;
  return value;
}

/* As g_utf8_validate, but NUL is a character. */
static gboolean
is_utf8 (const char *text, gsize size)
{
  while (size > 0)
    {
      const char *end;

      if (g_utf8_validate_len (text, size, &end))
        return TRUE;
      if (*end != '\0')
        return FALSE;
      size -= end + 1 - text;
      text = end + 1;
    }
  return TRUE;
}

/* Every octet that begins no character becomes U+FFFD; NUL stays. */
static Value *
str_repaired (const char *text, gsize size)
{
  g_autoptr (GString) repaired = g_string_sized_new (size + 16);

  while (size > 0)
    {
      const char *end;

      g_utf8_validate_len (text, size, &end);
      g_string_append_len (repaired, text, end - text);
      size -= end - text;
      text = end;
      if (size == 0)
        break;
      if (*text == '\0')
        g_string_append_c (repaired, '\0');
      else
        g_string_append (repaired, "\357\277\275");
      text++;
      size--;
    }
  return text_new (VALUE_STR, repaired->str, repaired->len);
}

Value *
value_str (const char *text, gssize size)
{
  gsize length = size < 0 ? strlen (text) : (gsize) size;

  if (!is_utf8 (text, length))
    return str_repaired (text, length);
  return text_new (VALUE_STR, text, length);
}

Value *
value_str_take (GString *text)
{
  Value *value = value_str (text->str, text->len);

  g_string_free (text, TRUE);
  return value;
}

Value *
value_bytes (const void *data, gssize size)
{
  return text_new (VALUE_BYTES, data, size < 0 ? strlen (data) : (gsize) size);
}

Value *
value_bytes_take (GString *data)
{
  Value *value = text_new (VALUE_BYTES, data->str, data->len);

  g_string_free (data, TRUE);
  return value;
}

Value *
value_date (gint32 year, guint month, guint day)
{
  Value *value = value_new (VALUE_DATE);

  value->time = (ValueTime){ .year = year, .month = month, .day = day };
  return value;
}

Value *
value_datetime (const ValueTime *time)
{
  Value *value = value_new (VALUE_DATETIME);

  value->time = *time;
  return value;
}

Value *
value_timedelta (gint64 days, gint64 seconds, gint64 microseconds)
{
  Value *value = value_new (VALUE_TIMEDELTA);

  seconds += microseconds / 1000000;
  microseconds %= 1000000;
  if (microseconds < 0)
    {
      microseconds += 1000000;
      seconds--;
    }
  days += seconds / 86400;
  seconds %= 86400;
  if (seconds < 0)
    {
      seconds += 86400;
      days--;
    }
  value->delta = (ValueDelta){ CLAMP (days, -999999999, 999999999), seconds, microseconds };
  return value;
}

Value *
value_timezone (gint32 offset)
{
  Value *value = value_new (VALUE_TIMEZONE);

  value->offset = offset;
  return value;
}

Value *
value_object (const ObjectClass *class, gpointer self)
{
  Value *value = value_new (VALUE_OBJECT);

  value->object.class = class;
  value->object.self = self;
  return value;
}

Value *
value_builtin (const Builtin *builtin)
{
  Value *value = value_new (VALUE_BUILTIN);

  value->builtin = builtin;
  return value;
}

Value *
value_method (Value *self, const char *name, const Builtin *builtin)
{
  Value *value = value_new (VALUE_METHOD);

  value->method.self = value_ref (self);
  value->method.name = g_strdup (name);
  value->method.builtin = builtin;
  return value;
}

/* ---- Containers -------------------------------------------------------------------------------
 */

void
value_grow (Value *container, const Value *part)
{
  guint32 weight = container->weight;

  container->depth = MAX (container->depth, MIN (part->depth + 1, G_MAXUINT16));
  container->weight = part->weight < G_MAXUINT32 - weight ? weight + part->weight : G_MAXUINT32;
}

static Value *
sequence_new (ValueKind kind, guint reserved)
{
  Value *value = value_new (kind);

  if (reserved > 0)
    value->seq.items = g_new (Value *, reserved);
  value->seq.room = reserved;
  value->depth = 1;
  return value;
}

Value *
value_list_new (guint reserved)
{
  return sequence_new (VALUE_LIST, reserved);
}

Value *
value_tuple_new (guint reserved)
{
  return sequence_new (VALUE_TUPLE, reserved);
}

void
value_append (Value *sequence, Value *item)
{
  if (sequence->seq.n == sequence->seq.room)
    {
      sequence->seq.room = MAX (4, sequence->seq.room * 2);
      sequence->seq.items = g_renew (Value *, sequence->seq.items, sequence->seq.room);
    }
  sequence->seq.items[sequence->seq.n++] = item;
  value_grow (sequence, item);
}

void
value_set_attributes (Value *sequence, Value *record)
{
  value_unref (sequence->seq.attributes);
  sequence->seq.attributes = record;
}

Value *
value_dict_new (void)
{
  Value *value = value_new (VALUE_DICT);

  value->depth = 1;
  return value;
}

Value *
value_record_new (const RecordType *type)
{
  Value *value = value_new (VALUE_RECORD);

  value->depth = 1;
  value->weight += type->n_fields;
  value->record.type = type;
  value->record.fields = g_new (Value *, type->n_fields);
  for (guint i = 0; i < type->n_fields; i++)
    value->record.fields[i] = value_none ();
  return value;
}

void
value_record_set (Value *record, guint field, Value *value)
{
  value_unref (record->record.fields[field]);
  record->record.fields[field] = value;
  value_grow (record, value);
}

Value *
value_record_get (const Value *record, const char *field)
{
  const RecordType *type = record->record.type;

  for (guint i = 0; i < type->n_fields; i++)
    if (strcmp (type->fields[i], field) == 0)
      return record->record.fields[i];
  return NULL;
}

/* ---- Asking -----------------------------------------------------------------------------------
 */

const char *
value_type_name (const Value *value)
{
  switch ((ValueKind) value->kind)
    {
    case VALUE_NONE:
      return "NoneType";
    case VALUE_BOOL:
      return "bool";
    case VALUE_INT:
      return "int";
    case VALUE_FLOAT:
      return "float";
    case VALUE_STR:
      return "str";
    case VALUE_BYTES:
      return "bytes";
    case VALUE_LIST:
      return "list";
    case VALUE_TUPLE:
      return "tuple";
    case VALUE_DICT:
      return "dict";
    case VALUE_DATE:
      return "datetime.date";
    case VALUE_DATETIME:
      return "datetime.datetime";
    case VALUE_TIMEDELTA:
      return "datetime.timedelta";
    case VALUE_TIMEZONE:
      return "datetime.timezone";
    case VALUE_RECORD:
      return value->record.type->name;
    case VALUE_OBJECT:
      return value->object.class->type_name;
    case VALUE_BUILTIN:
      return "builtin_function_or_method";
    case VALUE_METHOD:
      return "method";
    }
  return "object";
}

gboolean
value_is_text (const Value *value)
{
  return value->kind == VALUE_STR || value->kind == VALUE_BYTES;
}

gboolean
value_is_sequence (const Value *value)
{
  return value->kind == VALUE_LIST || value->kind == VALUE_TUPLE;
}

gboolean
value_is_str (const Value *value, const char *text)
{
  return value->kind == VALUE_STR && strcmp (value->text.bytes, text) == 0
         && value->text.size == strlen (text);
}

gboolean
value_is_true (const Value *value)
{
  switch ((ValueKind) value->kind)
    {
    case VALUE_NONE:
      return FALSE;
    case VALUE_BOOL:
      return value->truth;
    case VALUE_INT:
      return value->magnitude != 0;
    case VALUE_FLOAT:
      return value->real != 0;
    case VALUE_STR:
    case VALUE_BYTES:
      return value->text.size > 0;
    case VALUE_LIST:
    case VALUE_TUPLE:
      return value->seq.n > 0;
    case VALUE_DICT:
      return value->dict.n > 0;
    case VALUE_TIMEDELTA:
      return value_delta_microseconds (&value->delta) != 0;
    case VALUE_DATE:
    case VALUE_DATETIME:
    case VALUE_TIMEZONE:
    case VALUE_RECORD:
    case VALUE_OBJECT:
    case VALUE_BUILTIN:
    case VALUE_METHOD:
      return TRUE;
    }
  return TRUE;
}

gboolean
value_get_uint64 (const Value *value, guint64 *number)
{
  if (value->kind == VALUE_BOOL)
    {
      *number = value->truth;
      return TRUE;
    }
  if (value->kind != VALUE_INT || value->truth)
    return FALSE;
  *number = value->magnitude;
  return TRUE;
}

gboolean
value_get_int64 (const Value *value, gint64 *number)
{
  guint64 magnitude;

  if (value_get_uint64 (value, &magnitude))
    {
      if (magnitude > G_MAXINT64)
        return FALSE;
      *number = (gint64) magnitude;
      return TRUE;
    }
  if (value->kind != VALUE_INT || value->magnitude > (guint64) G_MAXINT64 + 1)
    return FALSE;
  *number = (gint64) (0 - value->magnitude);
  return TRUE;
}
