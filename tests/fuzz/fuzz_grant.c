/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_grant.c - a token endpoint's answer: the first octet its status, then the body. Oracle: a
 * token or a sentence that is safe to show. */
#include "fuzz.h"

#include "oauth2.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const guint statuses[] = { 200, 200, 200, 200, 307, 400, 429, 503 };
  g_autofree char *body = size > 0 ? g_strndup ((const char *) data + 1, size - 1) : NULL;
  g_auto (Grant) grant = { 0 };
  g_autoptr (GError) error = NULL;

  if (size == 0)
    return 0;
  HttpAnswer answer = { .status = statuses[data[0] % 8], .body = body, .size = size - 1 };
  if (grant_read (&grant, &answer, &error))
    {
      g_assert (answer.status == 200 && grant.access_token != NULL && error == NULL);
      g_assert (grant.lifetime >= 0 && grant.lifetime <= 366 * 86400);
      token_is_bearer (grant.access_token);
      return 0;
    }
  g_assert (error != NULL && error->domain == RACK_ERROR && grant.access_token == NULL);
  for (const char *at = error->message; *at != '\0'; at++)
    g_assert (!g_ascii_iscntrl (*at));
  return 0;
}
