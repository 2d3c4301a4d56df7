/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mutf7.c - mailbox names between UTF-8 and modified UTF-7 (RFC 3501 §5.1.3)
 *
 * A name on the wire that is not valid modified UTF-7 must still be reachable: it
 * is decoded with its odd octets as U+FFFC plus two hexadecimal digits, and encoded
 * back to the same octets. */
#include "parse.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* OBJECT REPLACEMENT CHARACTER: not used in names by people. */
#define ESCAPE      "\xef\xbf\xbc"
#define ESCAPE_SIZE 3

typedef struct
{
  guint32 bits;
  guint n_bits;
} Base64;

static void
put16 (GString *out, Base64 *state, guint unit)
{
  state->bits = (state->bits << 16) | unit;
  state->n_bits += 16;
  while (state->n_bits >= 6)
    {
      state->n_bits -= 6;
      g_string_append_c (out, alphabet[(state->bits >> state->n_bits) & 63]);
    }
}

static void
end_base64 (GString *out, Base64 *state)
{
  if (state->n_bits > 0)
    g_string_append_c (out, alphabet[(state->bits << (6 - state->n_bits)) & 63]);
  g_string_append_c (out, '-');
}

/* At an escape of ours: the octet it stands for, or -1. */
static gint
escaped_octet (const char *at)
{
  if (strncmp (at, ESCAPE, ESCAPE_SIZE) != 0)
    return -1;
  gint high = g_ascii_xdigit_value (at[ESCAPE_SIZE]);
  gint low = high < 0 ? -1 : g_ascii_xdigit_value (at[ESCAPE_SIZE + 1]);
  return low < 0 || high * 16 + low == 0 ? -1 : high * 16 + low;
}

char *
rack_mailbox_name_encode (const char *utf8, GError **error)
{
  GString *out;
  Base64 state = { 0 };
  gboolean in_base64 = FALSE;

  if (!g_utf8_validate (utf8, -1, NULL) || strpbrk (utf8, "\r\n") != NULL)
    {
      g_autofree char *safe = rack_text_escape (utf8, -1);
      g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                   "the mailbox name \"%s\" cannot be sent: it is not UTF-8, or has a line break",
                   safe);
      return NULL;
    }
  out = g_string_new (NULL);
  for (const char *at = utf8; *at != '\0';)
    {
      gint octet = escaped_octet (at);
      gunichar c = g_utf8_get_char (at);
      gboolean plain = octet >= 0 || (c >= 0x20 && c < 0x7f);
      if (plain && in_base64)
        {
          end_base64 (out, &state);
          in_base64 = FALSE;
        }
      if (!plain && !in_base64)
        {
          g_string_append_c (out, '&');
          state = (Base64){ 0 };
          in_base64 = TRUE;
        }
      if (octet >= 0)
        {
          g_string_append_c (out, (char) octet);
          at += ESCAPE_SIZE + 2;
          continue;
        }
      if (plain)
        g_string_append (out, c == '&' ? "&-" : (char[]){ (char) c, '\0' });
      else if (c > 0xffff)
        {
          put16 (out, &state, 0xd800 + ((c - 0x10000) >> 10));
          put16 (out, &state, 0xdc00 + ((c - 0x10000) & 0x3ff));
        }
      else
        put16 (out, &state, c);
      at = g_utf8_next_char (at);
    }
  if (in_base64)
    end_base64 (out, &state);
  return g_string_free (out, FALSE);
}

/* One run "&...-": appends its characters. FALSE: invalid, or not in the one form an encoder gives.
 */
static gboolean
decode_run (GString *out, const char *at, gsize size)
{
  guint32 bits = 0;
  guint n_bits = 0;
  gunichar high = 0;

  for (gsize i = 0; i < size; i++)
    {
      const char *digit = at[i] != '\0' ? strchr (alphabet, at[i]) : NULL;
      if (digit == NULL)
        return FALSE;
      bits = (bits << 6) | (guint32) (digit - alphabet);
      n_bits += 6;
      if (n_bits < 16)
        continue;
      n_bits -= 16;
      gunichar unit = (bits >> n_bits) & 0xffff;
      if (high != 0)
        {
          if (unit < 0xdc00 || unit > 0xdfff)
            return FALSE;
          g_string_append_unichar (out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
          high = 0;
        }
      else if (unit >= 0xd800 && unit <= 0xdbff)
        high = unit;
      else if ((unit >= 0xdc00 && unit <= 0xdfff) || (unit >= 0x20 && unit < 0x7f) || unit == 0
               || unit == '\r' || unit == '\n' || unit == 0xfffc)
        return FALSE;
      else
        g_string_append_unichar (out, unit);
    }
  return high == 0 && n_bits < 6 && (bits & ((1u << n_bits) - 1)) == 0;
}

static void
append_escaped (GString *out, const char *at, gsize size)
{
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (out, ESCAPE "%02X", (guchar) at[i]);
}

char *
rack_mailbox_name_decode (RackStr wire)
{
  GString *out = g_string_sized_new (wire.size);
  const char *end = wire.data + wire.size;
  const char *base64_end = NULL; /* two runs side by side are not what an encoder gives */

  /* A name in raw UTF-8, from servers that ignore the rule. */
  gboolean eight_bit = FALSE;
  for (gsize i = 0; i < wire.size; i++)
    eight_bit |= (guchar) wire.data[i] >= 0x80;
  for (const char *at = wire.data; at < end;)
    {
      const char *close = *at == '&' ? memchr (at, '-', (gsize) (end - at)) : NULL;
      gsize before = out->len;
      if (*at == '&' && close == at + 1)
        g_string_append_c (out, '&');
      else if (close != NULL && !eight_bit && base64_end != at
               && decode_run (out, at + 1, (gsize) (close - at - 1)))
        base64_end = close + 1;
      else if (*at != '&' && (guchar) *at >= 0x20 && (guchar) *at < 0x7f)
        {
          g_string_append_c (out, *at++);
          continue;
        }
      else
        {
          g_string_truncate (out, before);
          append_escaped (out, at, 1);
          at++;
          continue;
        }
      at = close + 1;
    }
  return g_string_free (out, FALSE);
}
