/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * text-escape.c - text from a server made safe to look at */
#include <mailrack/mailrack-types.h>

#include <string.h>

static gboolean
is_harmless (gunichar c)
{
  if (c < 0x20 || (c >= 0x7f && c < 0xa0))
    return FALSE;
  if (c < 0x300)
    return c != 0xad;
  /* Bidi controls, zero width, line and paragraph separators, variation selectors, tags. */
  if ((c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f)
      || c == 0x61c || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb)
      || (c >= 0xe0000 && c <= 0xe0fff))
    return FALSE;
  return g_unichar_isdefined (c);
}

char *
rack_text_escape (const char *text, gssize size)
{
  const char *end = text + (size < 0 ? (gssize) strlen (text) : size);
  GString *out = g_string_sized_new ((gsize) (end - text));

  for (const char *at = text; at < end;)
    {
      gunichar c = g_utf8_get_char_validated (at, end - at);
      if (c == (gunichar) -1 || c == (gunichar) -2 || (c == 0 && *at != '\0'))
        {
          g_string_append_printf (out, "\\x%02x", (guchar) *at++);
          continue;
        }
      if (*at == '\0')
        {
          g_string_append (out, "\\x00");
          at++;
          continue;
        }
      if (is_harmless (c))
        g_string_append_unichar (out, c);
      else if (c < 0x80)
        g_string_append_printf (out, "\\x%02x", c);
      else
        g_string_append_printf (out, "\\u{%04x}", c);
      at = g_utf8_next_char (at);
    }
  return g_string_free (out, FALSE);
}
