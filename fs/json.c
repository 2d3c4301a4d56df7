/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * json.c - writing JSON (RFC 8259), an object on a line
 */
#include "json.h"

/* What turns the direction of writing round, or is not seen. */
static void
append_escaped (GString *out, gunichar c)
{
  if (c < 0x10000)
    g_string_append_printf (out, "\\u%04x", c);
  else
    g_string_append_printf (out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

static void
append_character (GString *out, gunichar c)
{
  if (c == '"' || c == '\\')
    g_string_append_printf (out, "\\%c", (char) c);
  else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
    g_string_append_printf (out, "\\u%04x", c);
  else if (g_unichar_type (c) == G_UNICODE_FORMAT)
    append_escaped (out, c);
  else
    g_string_append_unichar (out, c);
}

void
json_append_string (GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_string_append_c (out, '"');
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    append_character (out, g_utf8_get_char (p));
  g_string_append_c (out, '"');
}

static void
add_key (GString *out, const char *key)
{
  if (out->len > 0 && out->str[out->len - 1] != '{')
    g_string_append_c (out, ',');
  json_append_string (out, key);
  g_string_append_c (out, ':');
}

void
json_add_string (GString *out, const char *key, const char *value)
{
  add_key (out, key);
  json_append_string (out, value);
}

void
json_add_number (GString *out, const char *key, gint64 value)
{
  add_key (out, key);
  g_string_append_printf (out, "%" G_GINT64_FORMAT, value);
}

void
json_add_strings (GString *out, const char *key, const char *const *values)
{
  add_key (out, key);
  g_string_append_c (out, '[');
  for (guint i = 0; values[i] != NULL; i++)
    {
      g_string_append (out, i > 0 ? "," : "");
      json_append_string (out, values[i]);
    }
  g_string_append_c (out, ']');
}

void
json_add_bool (GString *out, const char *key, gboolean value)
{
  add_key (out, key);
  g_string_append (out, value ? "true" : "false");
}
