/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls.h - TLS over any stream, for the ssl and starttls plugins
 *
 * A static helper that both link: their INI keys, the trust an account has, and a
 * stream that encrypts what another stream carries. It knows GnuTLS and nothing of
 * IMAP; who may send what over it is core's business. */
#pragma once

#include <mailrack/mailrack-plugin.h>

/* What the ssl_* keys of an account say. */
typedef struct
{
  gboolean check_hostname;
  gboolean verify_cert;
  gboolean alpn;
  char *ca_file;
  char *client_cert;
  char *client_key;
} RackTlsConfig;

extern const RackParam rack_tls_params[];

/* The trust and credentials of one account. Read-only after rack_tls_new(), so any
 * number of threads may wrap streams with it. */
typedef struct RackTls RackTls;

/* config and host are borrowed until rack_tls_free(). Reads the certificate files, so
 * that a wrong path is reported before anything is contacted (RACK_ERROR_CONFIG). */
RackTls *rack_tls_new (const RackTlsConfig *config, RackHost *host, GError **error);
void rack_tls_free (RackTls *tls);

/* Takes ownership of lower, also when it fails. Does the handshake within wait and
 * checks the certificate for peer->host before a byte of ours is sent.
 * Returns: (owned) the stream, or NULL with error set. */
RackStream *rack_tls_wrap (RackTls *tls, RackStream *lower, const RackPeer *peer,
                           const RackWait *wait, GError **error);
