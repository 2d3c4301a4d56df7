/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * names-directory.c - the names that mailboxes have as directories
 *
 * A component of a mailbox' name is kept as it is wherever that is safe. What is
 * not becomes "%" and two upper-case hexadecimal digits per byte, "%" itself
 * included, so the mapping is injective and can be undone. The empty component is
 * "%00" (no component holds a NUL). A name that grows beyond what a directory may
 * have is cut and closed with "%~" and a digest of the component: "%~" occurs
 * nowhere else.
 */
#include "names.h"

#include "names-private.h"

#include <string.h>

#define DIGEST_DIGITS 32

static const char *const views[] = { ".messages", ".uid",      ".maildir", ".parts",
                                     ".search",   ".mailrack", NULL };

gboolean
rack_name_is_view (const char *name)
{
  return g_strv_contains (views, name);
}

static gboolean
is_safe (gunichar c)
{
  if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == '/' || c == '%')
    return FALSE;
  return !rack_name_is_invisible (c);
}

static void
append_escaped (GString *out, const char *data, gsize size)
{
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (out, "%%%02X", (guchar) data[i]);
}

/* Which bytes of a component are escaped although they are safe by themselves: those that would
 * make it a name with another meaning. Returns: an index, or size. */
static gsize
taken_at (const char *component, gsize size, gboolean at_root)
{
  if ((size == 1 && component[0] == '.') || (size == 2 && memcmp (component, "..", 2) == 0))
    return 0;
  if (at_root)
    {
      g_autofree char *name = g_strndup (component, size);
      if (strlen (name) == size && rack_name_is_view (name))
        return 0;
    }
  /* The name of a message ends so. */
  gsize suffix = strlen (RACK_NAME_SUFFIX);
  if (size >= suffix && memcmp (component + size - suffix, RACK_NAME_SUFFIX, suffix) == 0)
    return size - suffix;
  return size;
}

static char *
cut_with_digest (const GString *escaped, const char *component, gsize size)
{
  g_autofree char *digest =
      g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) component, size);
  gsize keep = RACK_NAME_DIRECTORY_MAX - 2 - DIGEST_DIGITS;
  /* Neither within a character nor within an escape. */
  while (keep > 0 && ((guchar) escaped->str[keep] & 0xc0) == 0x80)
    keep--;
  for (gsize back = 1; back <= 2 && back <= keep; back++)
    if (escaped->str[keep - back] == '%')
      {
        keep -= back;
        break;
      }
  return g_strdup_printf ("%.*s%%~%.*s", (int) keep, escaped->str, DIGEST_DIGITS, digest);
}

char *
rack_name_directory (const char *component, gssize size_or_minus, gboolean at_root)
{
  gsize size = size_or_minus < 0 ? strlen (component) : (gsize) size_or_minus;
  if (size == 0)
    return g_strdup ("%00");

  g_autoptr (GString) out = g_string_sized_new (size + 8);
  gsize taken = taken_at (component, size, at_root);
  gsize i = 0;
  while (i < size)
    {
      gunichar c = g_utf8_get_char_validated (component + i, (gssize) (size - i));
      gboolean valid = c != (gunichar) -1 && c != (gunichar) -2 && component[i] != '\0';
      gsize length = valid ? (gsize) g_utf8_skip[(guchar) component[i]] : 1;
      if (!valid || !is_safe (c) || i == taken)
        append_escaped (out, component + i, length);
      else
        g_string_append_len (out, component + i, (gssize) length);
      i += length;
    }
  if (out->len > RACK_NAME_DIRECTORY_MAX)
    return cut_with_digest (out, component, size);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

char *
rack_name_directory_parse (const char *name, gboolean at_root)
{
  g_autoptr (GString) out = g_string_new (NULL);
  if (strcmp (name, "%00") != 0)
    for (const char *p = name; *p != '\0'; p++)
      {
        if (*p != '%')
          {
            g_string_append_c (out, *p);
            continue;
          }
        int high = g_ascii_xdigit_value (p[1]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value (p[2]);
        if (low < 0 || (high == 0 && low == 0))
          return NULL;
        g_string_append_c (out, (char) (high * 16 + low));
        p += 2;
      }
  /* Only what we would have written ourselves: else two names would mean one mailbox. */
  g_autofree char *again = rack_name_directory (out->str, (gssize) out->len, at_root);
  if (strcmp (again, name) != 0)
    return NULL;
  return g_string_free (g_steal_pointer (&out), FALSE);
}
