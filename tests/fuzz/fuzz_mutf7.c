/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_mutf7.c - mailbox names. Oracle: octets from the wire come back as they were,
 * and so does every name that can be sent. */
#include "fuzz.h"

#include <string.h>

#define OURS "\xef\xbf\xbc" /* marks an octet that is not modified UTF-7 (mutf7.c) */

static void
check_wire (RackStr wire)
{
  g_autofree char *name = rack_mailbox_name_decode (wire);
  g_autofree char *back = NULL;

  g_assert (g_utf8_validate (name, -1, NULL));
  back = rack_mailbox_name_encode (name, NULL);
  g_assert (back != NULL);
  g_assert (strlen (back) == wire.size && memcmp (back, wire.data, wire.size) == 0);
}

static void
check_name (const char *name)
{
  g_autofree char *wire = rack_mailbox_name_encode (name, NULL);

  if (wire == NULL || strstr (name, OURS) != NULL)
    return;
  for (const char *at = wire; *at != '\0'; at++)
    g_assert (*at >= 0x20 && *at < 0x7f);
  g_autofree char *back = rack_mailbox_name_decode ((RackStr){ wire, strlen (wire) });
  g_assert_cmpstr (back, ==, name);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *copy = g_strndup ((const char *) data, size);
  gsize length = strlen (copy);
  g_autofree char *safe = rack_text_escape ((const char *) data, (gssize) size);

  g_assert (g_utf8_validate (safe, -1, NULL));
  for (const char *at = safe; *at != '\0'; at++)
    g_assert (!g_ascii_iscntrl (*at));
  check_wire ((RackStr){ copy, length }); /* no NUL: no server may send one */
  check_name (copy);
  return 0;
}
