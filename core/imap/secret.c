/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * secret.c - bytes that are wiped when they are freed
 *
 * They live in ordinary memory: core dumps are switched off where secrets are held
 * (the programs), and pages are locked only as far as the system lets us. */
#include "secret.h"

#include <stdio.h>
#include <string.h>

struct RackSecret
{
  gsize size;
  char data[];
};

void
rack_wipe (gpointer data, gsize size)
{
  if (data != NULL && size > 0)
    explicit_bzero (data, size);
}

static RackSecret *
allocate (gsize size)
{
  RackSecret *secret = g_malloc (sizeof (RackSecret) + size + 1);

  secret->size = size;
  secret->data[size] = '\0';
  return secret;
}

RackSecret *
rack_secret_new (const char *data, gssize size)
{
  RackSecret *secret = allocate (size < 0 ? strlen (data) : (gsize) size);

  if (secret->size > 0)
    memcpy (secret->data, data, secret->size);
  return secret;
}

RackSecret *
rack_secret_printf (const char *format, ...)
{
  va_list args, again;

  va_start (args, format);
  va_copy (again, args);
  int size = vsnprintf (NULL, 0, format, args);
  RackSecret *secret = allocate (size > 0 ? (gsize) size : 0);
  vsnprintf (secret->data, secret->size + 1, format, again);
  va_end (again);
  va_end (args);
  return secret;
}

RackSecret *
rack_secret_copy (const RackSecret *secret)
{
  return rack_secret_new (secret->data, (gssize) secret->size);
}

const char *
rack_secret_peek (const RackSecret *secret)
{
  return secret->data;
}

gsize
rack_secret_size (const RackSecret *secret)
{
  return secret->size;
}

void
rack_secret_free (RackSecret *secret)
{
  if (secret == NULL)
    return;
  rack_wipe (secret->data, secret->size);
  g_free (secret);
}

RackSecret *
rack_secret_to_base64 (const RackSecret *secret)
{
  RackSecret *text = allocate ((secret->size + 2) / 3 * 4);
  int state = 0, save = 0;
  gsize n = 0;

  if (secret->size > 0)
    n = g_base64_encode_step ((const guchar *) secret->data, secret->size, FALSE, text->data,
                              &state, &save);
  n += g_base64_encode_close (FALSE, text->data + n, &state, &save);
  g_assert (n == text->size);
  return text;
}
