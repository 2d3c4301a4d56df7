/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_scram.c - what a server says in SCRAM, one message a line. Oracle: nobody who does not
 * know the password is believed. */
#include "fuzz.h"

#include "scram.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (RackSecret) password = rack_secret_new ("sekret", -1);
  Scram *scram = scram_new ("SCRAM-SHA-256", "joe", SCRAM_NOT_OFFERED, NULL, "abc", NULL);
  const char *at = (const char *) data, *end = at + size;
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < 4; i++)
    {
      const char *stop = at < end ? memchr (at, '\n', (gsize) (end - at)) : NULL;
      stop = stop != NULL ? stop : end;
      g_autoptr (GBytes) challenge = i > 0 ? g_bytes_new (at, (gsize) (stop - at)) : NULL;
      g_autoptr (RackSecret) response = NULL;
      g_autoptr (GError) error = NULL;
      ok = scram_step (scram, challenge, password, &response, &error);
      g_assert (ok == (error == NULL) && (!ok || response != NULL));
      if (i > 0)
        at = stop < end ? stop + 1 : end;
    }
  g_assert (!scram_is_done (scram));
  scram_free (scram);
  return 0;
}
