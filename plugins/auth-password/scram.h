/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scram.h - the client's side of SCRAM (RFC 5802, RFC 7677)
 *
 * Two messages out, two in. GNU SASL has the cryptography; the dialogue is here because
 * its own client (2.2.0) cannot say "y", the flag that shows a server that somebody in
 * between has hidden its -PLUS mechanisms. */
#pragma once

#include <gsasl.h>
#include <mailrack/mailrack-plugin.h>

typedef struct Scram Scram;

/* RFC 5802 §6. */
typedef enum
{
  SCRAM_CANNOT_BIND = 'n', /* or the server offers it and we were told not to */
  SCRAM_NOT_OFFERED = 'y', /* we could, the server does not offer it */
  SCRAM_TLS_EXPORTER = 'p',
} ScramBinding;

/* name is the mechanism's, for errors. data is tls-exporter's value with SCRAM_TLS_EXPORTER,
 * else NULL. nonce NULL: a random one; given, only in tests. NULL with error set when the
 * user's name cannot be prepared (SASLprep). Returns: (owned) */
Scram *scram_new (const char *name, const char *user, ScramBinding binding, GBytes *data,
                  const char *nonce, GError **error);
void scram_free (Scram *self);

/* The dialogue; challenge is NULL on the first call. Sets *response (owned by the caller). */
gboolean scram_step (Scram *self, GBytes *challenge, const RackSecret *password,
                     RackSecret **response, GError **error);
/* Whether the server has proved that it knows the password. */
gboolean scram_is_done (const Scram *self);
