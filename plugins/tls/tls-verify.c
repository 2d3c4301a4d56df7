/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls-verify.c - whether a certificate is to be believed, and the sentence if not
 *
 * Called by GnuTLS when the server's certificates have come and nothing of ours has
 * been sent but the hello. Chain, dates and purpose are GnuTLS's verdict; the name is
 * checked here, because RFC 9525 asks for a subjectAltName and GnuTLS would fall back
 * to the common name. */
#include "tls-private.h"

#include <gio/gio.h>
#include <string.h>
#include <time.h>

static int refuse (RackTlsStream *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static int
refuse (RackTlsStream *self, const char *format, ...)
{
  va_list args;

  if (self->why != NULL)
    return GNUTLS_E_CERTIFICATE_ERROR;
  va_start (args, format);
  g_autofree char *reason = g_strdup_vprintf (format, args);
  va_end (args);
  self->why = g_error_new (RACK_ERROR, RACK_ERROR_TLS, "the certificate of %s is refused: %s",
                           self->name, reason);
  return GNUTLS_E_CERTIFICATE_ERROR;
}

static gnutls_x509_crt_t
import (const gnutls_datum_t *der)
{
  gnutls_x509_crt_t cert;

  if (gnutls_x509_crt_init (&cert) < 0)
    return NULL;
  if (gnutls_x509_crt_import (cert, der, GNUTLS_X509_FMT_DER) >= 0)
    return cert;
  gnutls_x509_crt_deinit (cert);
  return NULL;
}

/* ---- The chain ------------------------------------------------------------------ */

/* Which of the certificates that were sent is outside its dates. */
static int
refuse_dates (RackTlsStream *self, const gnutls_datum_t *chain, guint n)
{
  time_t now = time (NULL);

  for (guint i = 0; i < n; i++)
    {
      gnutls_x509_crt_t cert = import (&chain[i]);
      if (cert == NULL)
        continue;
      time_t from = gnutls_x509_crt_get_activation_time (cert);
      time_t until = gnutls_x509_crt_get_expiration_time (cert);
      g_autofree char *subject = rack_tls_subject (cert);
      gnutls_x509_crt_deinit (cert);
      if (from <= now && now <= until)
        continue;
      g_autofree char *date = rack_tls_date (now > until ? until : from);
      const char *what = now > until ? "it expired on" : "it is not valid before";
      if (i == 0)
        return refuse (self, "%s %s (is this machine's clock right?)", what, date);
      return refuse (self, "the certificate of its issuer (%s): %s %s", subject, what, date);
    }
  return refuse (self, "a certificate above it is outside its dates");
}

static int
refuse_issuer (RackTlsStream *self, gnutls_x509_crt_t leaf)
{
  g_autofree char *issuer = rack_tls_issuer (leaf);
  const char *file = self->tls->config->ca_file;
  g_autofree char *where =
      file != NULL ? g_strdup_printf ("ssl_ca_file (%s)", file) : g_strdup ("this system's list");

  if (gnutls_x509_crt_check_issuer (leaf, leaf))
    return refuse (self,
                   "it is self-signed; if it is the right one, save it to a file and name that "
                   "with ssl_ca_file");
  return refuse (self,
                 "its issuer (%s) is not an authority in %s, and the server sent no certificate "
                 "that leads to one",
                 issuer, where);
}

static int
check_chain (RackTlsStream *self, const gnutls_datum_t *chain, guint n, gnutls_x509_crt_t leaf)
{
  gnutls_typed_vdata_st purpose = {
    .type = GNUTLS_DT_KEY_PURPOSE_OID,
    .data = (unsigned char *) GNUTLS_KP_TLS_WWW_SERVER,
  };
  gnutls_datum_t text = { 0 };
  unsigned status = 0;
  int code = gnutls_certificate_verify_peers (self->session, &purpose, 1, &status);

  if (code < 0)
    return refuse (self, "%s", gnutls_strerror (code));
  if (status == 0)
    return 0;
  if (status & GNUTLS_CERT_REVOKED)
    return refuse (self, "it has been revoked by its issuer");
  if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
    return refuse_issuer (self, leaf);
  if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
    return refuse_dates (self, chain, n);
  if (status & GNUTLS_CERT_PURPOSE_MISMATCH)
    return refuse (self, "it is not meant for servers (extended key usage)");
  if (status & GNUTLS_CERT_SIGNER_NOT_CA)
    return refuse (self, "its issuer is not a certificate authority");
  if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
    return refuse (self, "it is signed with an algorithm that is not safe any more");
  if (gnutls_certificate_verification_status_print (status, GNUTLS_CRT_X509, &text, 0) < 0)
    return refuse (self, "it is not valid");
  refuse (self, "%s", (const char *) text.data);
  gnutls_free (text.data);
  return GNUTLS_E_CERTIFICATE_ERROR;
}

/* ---- The name ------------------------------------------------------------------- */

static gboolean
has_dns_name (gnutls_x509_crt_t cert)
{
  for (unsigned i = 0;; i++)
    {
      unsigned char name[1024];
      size_t size = sizeof name;
      int type = gnutls_x509_crt_get_subject_alt_name2 (cert, i, name, &size, NULL, NULL);
      if (type == GNUTLS_SAN_DNSNAME)
        return TRUE;
      if (type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER)
        return FALSE;
    }
}

static gboolean
name_matches (gnutls_x509_crt_t cert, const char *name)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (name);

  if (address != NULL)
    return gnutls_x509_crt_check_ip (cert, g_inet_address_to_bytes (address),
                                     (unsigned) g_inet_address_get_native_size (address), 0)
           != 0;
  return has_dns_name (cert)
         && gnutls_x509_crt_check_hostname2 (cert, name, GNUTLS_VERIFY_DO_NOT_ALLOW_IP_MATCHES)
                != 0;
}

static int
check_name (RackTlsStream *self, gnutls_x509_crt_t leaf)
{
  if (name_matches (leaf, self->name))
    return 0;
  g_autofree char *names = rack_tls_names (leaf);
  if (*names == '\0')
    return refuse (self, "it names no host (it has no subjectAltName, and its common name does "
                         "not count)");
  return refuse (self, "it is made out to %s", names);
}

int
rack_tls_verify (gnutls_session_t session)
{
  RackTlsStream *self = gnutls_session_get_ptr (session);
  const RackTlsConfig *config = self->tls->config;
  unsigned n = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers (session, &n);
  int code = 0;

  if (!config->verify_cert && !config->check_hostname)
    return 0;
  if (chain == NULL || n == 0 || gnutls_certificate_type_get (session) != GNUTLS_CRT_X509)
    return refuse (self, "the server sent none");
  gnutls_x509_crt_t leaf = import (&chain[0]);
  if (leaf == NULL)
    return refuse (self, "it cannot be read");
  /* The name first: the answer of the wrong server is not worth a look at its dates. */
  if (config->check_hostname)
    code = check_name (self, leaf);
  if (code == 0 && config->verify_cert)
    code = check_chain (self, chain, n, leaf);
  gnutls_x509_crt_deinit (leaf);
  return code;
}
