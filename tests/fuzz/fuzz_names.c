/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_names.c - names of files from hostile text. Oracles: a directory's name comes back
 * as the component it was made of, and only such names come back; a message's name is safe,
 * holds its UID, and is never that of a directory. */
#include "fuzz.h"
#include "names.h"

#include <string.h>

static void
check_safe (const char *name, gsize max)
{
  gsize size = strlen (name);

  g_assert (size > 0 && size <= max);
  g_assert (g_utf8_validate (name, -1, NULL));
  g_assert (strchr (name, '/') == NULL);
  g_assert (strcmp (name, ".") != 0 && strcmp (name, "..") != 0);
  for (const char *p = name; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      g_assert (!g_unichar_iscntrl (c) && g_unichar_type (c) != G_UNICODE_FORMAT);
    }
}

static void
check_directory (const char *component, gsize size, gboolean at_root)
{
  g_autofree char *name = rack_name_directory (component, (gssize) size, at_root);
  g_autofree char *back = rack_name_directory_parse (name, at_root);

  check_safe (name, RACK_NAME_DIRECTORY_MAX);
  g_assert (!at_root || !rack_name_is_view (name));
  g_assert (rack_name_parse_uid (name) == 0);
  if (strstr (name, "%~") != NULL)
    g_assert (back == NULL);
  else
    g_assert (strlen (back) == size && memcmp (back, component, size) == 0);
}

/* Any name that is accepted is the one that its component gets. */
static void
check_parse (const char *name, gboolean at_root)
{
  g_autofree char *component = rack_name_directory_parse (name, at_root);

  if (component == NULL)
    return;
  g_autofree char *again = rack_name_directory (component, -1, at_root);
  g_assert (strcmp (again, name) == 0);
}

static RackStr
take (const uint8_t **data, size_t *size)
{
  gsize n = *size > 0 ? MIN ((gsize) * *data, *size - 1) : 0;
  RackStr str = { (const char *) *data + (*size > 0), n };

  *data += n + (*size > 0);
  *size -= n + (*size > 0);
  return str;
}

static void
check_message (const uint8_t *data, size_t size)
{
  char name[RACK_NAME_MESSAGE_MAX + 1], again[RACK_NAME_MESSAGE_MAX + 1];
  guint32 uid = 1;
  gint64 date = 0;

  memcpy (&uid, data, MIN (size, sizeof uid));
  memcpy (&date, data, MIN (size, sizeof date));
  uid = MAX (uid, 1);
  RackAddress address = { .name = take (&data, &size), .mailbox = take (&data, &size) };
  address.host = (RackStr){ "h", 1 };
  RackEnvelope envelope = { .from = { &address, 1 } };
  envelope.subject = (RackStr){ (const char *) data, size };
  gsize length = rack_name_message (uid, date, &envelope, name);
  g_assert (length == strlen (name));
  check_safe (name, RACK_NAME_MESSAGE_MAX);
  g_assert (rack_name_parse_uid (name) == uid);
  g_assert (rack_name_directory_parse (name, FALSE) == NULL);
  g_assert (g_ascii_isdigit (name[0]));
  rack_name_message (uid, date, &envelope, again);
  g_assert (strcmp (name, again) == 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  gsize length = strlen (text); /* no component holds a NUL */

  for (gboolean at_root = FALSE; at_root <= TRUE; at_root++)
    {
      check_directory (text, length, at_root);
      check_parse (text, at_root);
    }
  if (size > 0)
    check_message (data, size);
  return 0;
}
