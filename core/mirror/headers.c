/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * headers.c - the fields of an envelope as text
 */
#include "headers.h"

#include "charsets.h"

#include <gmime/gmime.h>
#include <string.h>

/* A header of a megabyte is not decoded for nothing. */
#define INPUT_MAX 2048

/* C0, DEL, and C1 in UTF-8. */
static gboolean
is_control (const char *text)
{
  const guchar *c = (const guchar *) text;
  return c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0);
}

/* Copies what has to be no more than valid: to a NUL, without blanks around it. */
static gsize
copy_clean (const char *text, char *buffer, gsize size)
{
  gsize out = 0;
  while (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n')
    text++;
  while (*text != '\0')
    {
      gsize length = (gsize) g_utf8_skip[(guchar) *text];
      if (out + length >= size)
        break;
      if (is_control (text))
        buffer[out++] = ' ';
      else
        {
          memcpy (buffer + out, text, length);
          out += length;
        }
      text += length;
    }
  while (out > 0 && buffer[out - 1] == ' ')
    out--;
  buffer[out] = '\0';
  return out;
}

static gsize
copy_valid (const char *text, char *buffer, gsize size)
{
  if (g_str_is_ascii (text) || g_utf8_validate (text, -1, NULL))
    return copy_clean (text, buffer, size);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  return copy_clean (valid, buffer, size);
}

/* A bounded, NUL-terminated copy of value on one line: a line's end would end GMime's decoding. */
static void
bound (RackStr value, char *raw)
{
  gsize size = MIN (value.size, INPUT_MAX);
  gsize i = 0;
  for (; i < size && value.data[i] != '\0'; i++)
    raw[i] = (guchar) value.data[i] < 0x20 ? ' ' : value.data[i];
  raw[i] = '\0';
}

static gboolean
is_plain (const char *text)
{
  return g_str_is_ascii (text) && strstr (text, "=?") == NULL;
}

static gsize
decode (RackStr value, char *(*decoder) (GMimeParserOptions *, const char *), char *buffer,
        gsize size)
{
  char raw[INPUT_MAX + 1];
  bound (value, raw);
  if (is_plain (raw))
    return copy_clean (raw, buffer, size);
  rack_mime_ready ();
  rack_charsets_keep (raw);
  g_autofree char *decoded = decoder (NULL, raw);
  return copy_valid (decoded != NULL ? decoded : raw, buffer, size);
}

gsize
rack_header_text (RackStr value, char *buffer, gsize size)
{
  return decode (value, g_mime_utils_header_decode_text, buffer, size);
}

gsize
rack_header_phrase (RackStr value, char *buffer, gsize size)
{
  return decode (value, g_mime_utils_header_decode_phrase, buffer, size);
}

gsize
rack_header_plain (RackStr value, char *buffer, gsize size)
{
  char raw[INPUT_MAX + 1];
  bound (value, raw);
  return copy_valid (raw, buffer, size);
}

gsize
rack_header_address (const RackAddress *address, char *buffer, gsize size)
{
  gsize length = rack_header_plain (address->mailbox, buffer, size);
  if (length == 0 || length + 2 >= size)
    return length;
  buffer[length] = '@';
  gsize host = rack_header_plain (address->host, buffer + length + 1, size - length - 1);
  if (host == 0)
    buffer[length] = '\0';
  return host > 0 ? length + 1 + host : length;
}

const RackAddress *
rack_header_sender (const RackEnvelope *envelope)
{
  const RackAddresses *lists[] = { &envelope->from, &envelope->sender };
  for (guint l = 0; l < G_N_ELEMENTS (lists); l++)
    for (guint i = 0; i < lists[l]->n; i++)
      {
        const RackAddress *address = &lists[l]->items[i];
        /* Without a host it is the start or end of a group. */
        if (address->host.data != NULL && (address->name.size > 0 || address->mailbox.size > 0))
          return address;
      }
  return NULL;
}
