/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * json-text.c - values and texts as JSON on one line; see json-text.h */
#include "json-text.h"

#include "repr.h"
#include "unicode.h"

#include <math.h>
#include <string.h>

/* ---- Text ---------------------------------------------------------------------------------------
 */

static gboolean
is_plain (gunichar c)
{
  return c != '"' && c != '\\' && unicode_is_drawn (c);
}

static void
append_escaped (GString *out, gunichar c)
{
  if (c == '"' || c == '\\')
    g_string_append_printf (out, "\\%c", (char) c);
  else if (c == '\n')
    g_string_append (out, "\\n");
  else if (c == '\r')
    g_string_append (out, "\\r");
  else if (c == '\t')
    g_string_append (out, "\\t");
  else if (c < 0x10000)
    g_string_append_printf (out, "\\u%04x", c);
  else
    g_string_append_printf (out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                            0xdc00 + ((c - 0x10000) & 0x3ff));
}

void
json_append_text (GString *out, const char *text, gssize size)
{
  const char *end = text + (size < 0 ? strlen (text) : (gsize) size);

  g_string_append_c (out, '"');
  while (text < end)
    {
      gunichar c = *text == '\0' ? 0 : g_utf8_get_char_validated (text, end - text);

      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          g_string_append (out, "\xef\xbf\xbd");
          text++;
          continue;
        }
      if (is_plain (c))
        g_string_append_unichar (out, c);
      else
        append_escaped (out, c);
      text += c == 0 ? 1 : g_utf8_skip[(guchar) *text];
    }
  g_string_append_c (out, '"');
}

void
json_append_date (GString *out, gint64 date)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (date);
  g_autofree char *text = time != NULL ? g_date_time_format (time, "\"%Y-%m-%dT%H:%M:%SZ\"") : NULL;

  g_string_append (out, text != NULL ? text : "null");
}

/* ---- Values -------------------------------------------------------------------------------------
 */

static void
append_bytes (GString *out, const Value *value)
{
  if (g_utf8_validate_len (value->text.bytes, value->text.size, NULL))
    {
      json_append_text (out, value->text.bytes, (gssize) value->text.size);
      return;
    }
  g_autofree char *encoded = g_base64_encode ((const guchar *) value->text.bytes, value->text.size);
  g_string_append_printf (out, "{\"base64\": \"%s\"}", encoded);
}

static void
append_offset (GString *out, gint32 offset)
{
  gint32 minutes = ABS (offset) / 60;

  g_string_append_printf (out, "%c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static void
append_time (GString *out, const Value *value)
{
  const ValueTime *time = &value->time;

  g_string_append_printf (out, "\"%04d-%02d-%02d", time->year, time->month, time->day);
  if (value->kind == VALUE_DATETIME)
    {
      g_string_append_printf (out, "T%02d:%02d:%02d", time->hour, time->minute, time->second);
      if (time->microsecond != 0)
        g_string_append_printf (out, ".%06d", time->microsecond);
      if (time->aware)
        append_offset (out, time->offset);
    }
  g_string_append_c (out, '"');
}

static void
append_sequence (GString *out, const Value *value)
{
  g_string_append_c (out, '[');
  for (guint i = 0; i < value->seq.n; i++)
    {
      if (i > 0)
        g_string_append (out, ", ");
      json_append_value (out, value->seq.items[i]);
    }
  g_string_append_c (out, ']');
}

/* JSON's keys are strings: a text is itself, all else what str() gives. */
static void
append_key (GString *out, const Value *key)
{
  if (value_is_text (key))
    {
      json_append_text (out, key->text.bytes, (gssize) key->text.size);
      return;
    }
  g_autofree char *text = repr_str_dup (key);
  json_append_text (out, text, -1);
}

static void
append_dict (GString *out, const Value *value)
{
  g_string_append_c (out, '{');
  for (guint i = 0; i < value->dict.n; i++)
    {
      if (i > 0)
        g_string_append (out, ", ");
      append_key (out, value->dict.pairs[i].key);
      g_string_append (out, ": ");
      json_append_value (out, value->dict.pairs[i].value);
    }
  g_string_append_c (out, '}');
}

static void
append_record (GString *out, const Value *value)
{
  const RecordType *type = value->record.type;

  g_string_append_c (out, '{');
  for (guint i = 0; i < type->n_fields; i++)
    {
      g_string_append_printf (out, "%s\"%s\": ", i > 0 ? ", " : "", type->fields[i]);
      json_append_value (out, value->record.fields[i]);
    }
  g_string_append_c (out, '}');
}

static void
append_real (GString *out, double real)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (!isfinite (real)) /* JSON has no such numbers */
    g_string_append (out, "null");
  else
    g_string_append (out, g_ascii_dtostr (text, sizeof text, real));
}

void
json_append_value (GString *out, const Value *value)
{
  g_autofree char *text = NULL;

  switch ((ValueKind) value->kind)
    {
    case VALUE_NONE:
      g_string_append (out, "null");
      return;
    case VALUE_BOOL:
      g_string_append (out, value->truth ? "true" : "false");
      return;
    case VALUE_FLOAT:
      append_real (out, value->real);
      return;
    case VALUE_STR:
      json_append_text (out, value->text.bytes, (gssize) value->text.size);
      return;
    case VALUE_BYTES:
      append_bytes (out, value);
      return;
    case VALUE_LIST:
    case VALUE_TUPLE:
      append_sequence (out, value);
      return;
    case VALUE_DICT:
      append_dict (out, value);
      return;
    case VALUE_DATE:
    case VALUE_DATETIME:
      append_time (out, value);
      return;
    case VALUE_TIMEDELTA:
      append_real (out, (double) value_delta_microseconds (&value->delta) / 1e6);
      return;
    case VALUE_RECORD:
      append_record (out, value);
      return;
    case VALUE_INT:
      text = repr_dup (value);
      g_string_append (out, text);
      return;
    case VALUE_TIMEZONE:
    case VALUE_OBJECT:
    case VALUE_BUILTIN:
    case VALUE_METHOD:
      text = repr_dup (value);
      json_append_text (out, text, -1);
      return;
    }
}
