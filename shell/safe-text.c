/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* safe-text.c - text from a server or a message, made fit for a terminal; see safe-text.h */
#include "safe-text.h"

#include "unicode.h"

#include <string.h>

static gboolean
is_harmless (gunichar c, SafeTextMode mode)
{
  if (c < 0x20)
    return mode == SAFE_TEXT_BLOCK && (c == '\n' || c == '\t');
  if (c == 0x200c || c == 0x200d) /* the joiners of Persian, Indic scripts and emoji */
    return TRUE;
  return unicode_is_drawn (c);
}

static void
append_escape (GString *out, gunichar c)
{
  if (c < 0x100)
    g_string_append_printf (out, "\\x%02x", c);
  else
    g_string_append_printf (out, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

void
safe_text_append (GString *out, const char *text, gssize size, SafeTextMode mode)
{
  const char *end = text + (size < 0 ? strlen (text) : (gsize) size);

  while (text < end)
    {
      gunichar c = g_utf8_get_char_validated (text, end - text);

      if (c == (gunichar) -1 || c == (gunichar) -2 || (c == 0 && *text != '\0'))
        {
          append_escape (out, (guchar) *text++);
          continue;
        }
      if (c == '\r' && mode == SAFE_TEXT_BLOCK && text + 1 < end && text[1] == '\n')
        ;
      else if (is_harmless (c, mode))
        g_string_append_unichar (out, c);
      else
        append_escape (out, c);
      text += c == 0 ? 1 : g_utf8_skip[(guchar) *text];
    }
}

char *
safe_text_dup (const char *text, gssize size, SafeTextMode mode)
{
  GString *out = g_string_new (NULL);

  safe_text_append (out, text, size, mode);
  return g_string_free (out, FALSE);
}

static guint
character_columns (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

guint
safe_text_columns (const char *safe)
{
  guint columns = 0;

  for (; *safe != '\0'; safe = g_utf8_next_char (safe))
    columns += character_columns (g_utf8_get_char (safe));
  return columns;
}

void
safe_text_append_cell (GString *out, const char *text, guint columns)
{
  g_autofree char *safe = safe_text_dup (text, -1, SAFE_TEXT_LINE);
  guint whole = safe_text_columns (safe), used = 0;
  guint room = whole > columns && columns > 0 ? columns - 1 : columns;
  const char *at = safe;

  for (; *at != '\0'; at = g_utf8_next_char (at))
    {
      guint more = character_columns (g_utf8_get_char (at));

      if (used + more > room)
        break;
      used += more;
    }
  g_string_append_len (out, safe, at - safe);
  if (whole > columns && columns > 0)
    {
      g_string_append (out, "…");
      used++;
    }
  g_string_append_printf (out, "%*s", (int) (columns - used), "");
}
