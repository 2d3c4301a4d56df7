/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls.c - what an account trusts: keys, credentials, protocol versions
 *
 * Everything that is read from this machine's disk is read here, before a connection
 * is made. The stream is in tls-stream.c, the judgement of certificates in tls-verify.c. */
#include "tls-private.h"

#include <errno.h>

/* GnuTLS's defaults would still take TLS 1.0 and 1.1 (RFC 8996 forbids both). Appended
 * to the default, so that the system's crypto policy stays in force. */
#define PRIORITY "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

const RackParam rack_tls_params[] = {
  RACK_PARAM (RackTlsConfig, check_hostname, "ssl_check_hostname", BOOL, OPTIONAL, "true",
              "The certificate must be made out to the host."),
  RACK_PARAM (RackTlsConfig, verify_cert, "ssl_verify_cert", BOOL, OPTIONAL, "true",
              "The certificate must be valid and issued by an authority that is trusted."),
  RACK_PARAM (RackTlsConfig, ca_file, "ssl_ca_file", PATH, OPTIONAL, NULL,
              "Trust the authorities in this PEM file instead of the system's."),
  RACK_PARAM (RackTlsConfig, client_cert, "ssl_client_cert", PATH, OPTIONAL, NULL,
              "Show the server this certificate (PEM, with its chain)."),
  RACK_PARAM (RackTlsConfig, client_key, "ssl_client_key", PATH, OPTIONAL, NULL,
              "The private key of ssl_client_cert (PEM); without it, looked for in that file."),
  RACK_PARAM (RackTlsConfig, alpn, "ssl_alpn", BOOL, OPTIONAL, "true",
              "Tell the server in the handshake that IMAP will be spoken (ALPN)."),
  RACK_PARAM_END,
};

static gboolean
load_trust (RackTls *tls, GError **error)
{
  const char *file = tls->config->ca_file;

  if (!tls->config->verify_cert)
    return TRUE;
  if (file == NULL)
    {
      int n = gnutls_certificate_set_x509_system_trust (tls->credentials);
      if (n > 0)
        return TRUE;
      g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                   "this system has no trusted certificate authorities%s%s: install "
                   "ca-certificates, or name a file with ssl_ca_file",
                   n < 0 ? ": " : "", n < 0 ? gnutls_strerror (n) : "");
      return FALSE;
    }
  int n = gnutls_certificate_set_x509_trust_file (tls->credentials, file, GNUTLS_X509_FMT_PEM);
  if (n > 0)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "ssl_ca_file: \"%s\": %s", file,
               n == 0                     ? "there is no certificate in it"
               : n == GNUTLS_E_FILE_ERROR ? g_strerror (errno)
                                          : gnutls_strerror (n));
  return FALSE;
}

static gboolean
load_client (RackTls *tls, GError **error)
{
  const RackTlsConfig *config = tls->config;

  if (config->client_cert == NULL)
    {
      if (config->client_key == NULL)
        return TRUE;
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CONFIG,
                           "ssl_client_key is set, but ssl_client_cert is not");
      return FALSE;
    }
  const char *key = config->client_key != NULL ? config->client_key : config->client_cert;
  int code = gnutls_certificate_set_x509_key_file (tls->credentials, config->client_cert, key,
                                                   GNUTLS_X509_FMT_PEM);
  if (code >= 0)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "ssl_client_cert: \"%s\" with key \"%s\": %s",
               config->client_cert, key, gnutls_strerror (code));
  return FALSE;
}

RackTls *
rack_tls_new (const RackTlsConfig *config, RackHost *host, GError **error)
{
  RackTls *tls = g_new0 (RackTls, 1);
  const char *where = NULL;
  int code;

  tls->config = config;
  tls->host = host;
  if ((code = gnutls_certificate_allocate_credentials (&tls->credentials)) < 0
      || (code = gnutls_priority_init2 (&tls->priority, PRIORITY, &where,
                                        GNUTLS_PRIORITY_INIT_DEF_APPEND))
             < 0)
    g_set_error (error, RACK_ERROR, RACK_ERROR_TLS, "GnuTLS cannot be set up: %s",
                 gnutls_strerror (code));
  else if (load_trust (tls, error) && load_client (tls, error))
    {
      gnutls_certificate_set_verify_function (tls->credentials, rack_tls_verify);
      return tls;
    }
  rack_tls_free (tls);
  return NULL;
}

void
rack_tls_free (RackTls *tls)
{
  if (tls == NULL)
    return;
  if (tls->credentials != NULL)
    gnutls_certificate_free_credentials (tls->credentials);
  if (tls->priority != NULL)
    gnutls_priority_deinit (tls->priority);
  g_free (tls);
}
