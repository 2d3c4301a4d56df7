/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls-facts.c - a session and its certificate in words for people
 *
 * Names, dates and texts as `mailrack check` and error messages show them. Everything
 * that comes out of a certificate is hostile and is escaped here. Nothing is judged. */
#include "tls-private.h"

#include <string.h>

static char *
dn_text (int (*get) (gnutls_x509_crt_t, gnutls_datum_t *, unsigned), gnutls_x509_crt_t cert)
{
  gnutls_datum_t text = { 0 };

  if (get (cert, &text, 0) < 0)
    return g_strdup ("unnamed");
  char *safe =
      text.size > 0 ? rack_text_escape ((const char *) text.data, text.size) : g_strdup ("unnamed");
  gnutls_free (text.data);
  return safe;
}

char *
rack_tls_subject (gnutls_x509_crt_t cert)
{
  return dn_text (gnutls_x509_crt_get_dn3, cert);
}

char *
rack_tls_issuer (gnutls_x509_crt_t cert)
{
  return dn_text (gnutls_x509_crt_get_issuer_dn3, cert);
}

static char *
ip_text (const unsigned char *octets, gsize size)
{
  if (size != 4 && size != 16)
    return g_strdup ("a malformed address");
  g_autoptr (GInetAddress) address = g_inet_address_new_from_bytes (
      octets, size == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
  return g_inet_address_to_string (address);
}

char *
rack_tls_names (gnutls_x509_crt_t cert)
{
  GString *names = g_string_new (NULL);
  guint shown = 0;

  for (unsigned i = 0;; i++)
    {
      unsigned char name[1024];
      size_t size = sizeof name;
      int type = gnutls_x509_crt_get_subject_alt_name2 (cert, i, name, &size, NULL, NULL);
      g_autofree char *text = NULL;

      if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
        continue;
      if (type < 0)
        break;
      if (type == GNUTLS_SAN_DNSNAME)
        text = rack_text_escape ((const char *) name, (gssize) size);
      else if (type == GNUTLS_SAN_IPADDRESS)
        text = ip_text (name, size);
      else
        continue;
      if (++shown > 8)
        {
          g_string_append (names, ", ...");
          break;
        }
      g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", text);
    }
  return g_string_free (names, FALSE);
}

char *
rack_tls_date (gint64 seconds)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (seconds);

  return date != NULL ? g_date_time_format (date, "%Y-%m-%d %H:%M UTC")
                      : g_strdup ("a strange date");
}

static void
add (GPtrArray *facts, const char *name, char *value)
{
  g_ptr_array_add (facts, g_strdup (name));
  g_ptr_array_add (facts, value);
}

static void
add_certificates (RackTlsStream *self, GPtrArray *facts)
{
  unsigned n = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers (self->session, &n);

  for (unsigned i = 0; chain != NULL && i < n; i++)
    {
      gnutls_x509_crt_t cert;
      gnutls_datum_t pem = { 0 };

      if (gnutls_x509_crt_init (&cert) < 0)
        return;
      if (gnutls_x509_crt_import (cert, &chain[i], GNUTLS_X509_FMT_DER) >= 0)
        {
          add (facts, i == 0 ? "subject" : "chain", rack_tls_subject (cert));
          if (i == 0)
            {
              add (facts, "names", rack_tls_names (cert));
              add (facts, "issuer", rack_tls_issuer (cert));
              add (facts, "valid from", rack_tls_date (gnutls_x509_crt_get_activation_time (cert)));
              add (facts, "expires", rack_tls_date (gnutls_x509_crt_get_expiration_time (cert)));
            }
          if (gnutls_x509_crt_export2 (cert, GNUTLS_X509_FMT_PEM, &pem) >= 0)
            {
              add (facts, "certificate", g_strndup ((const char *) pem.data, pem.size));
              gnutls_free (pem.data);
            }
        }
      gnutls_x509_crt_deinit (cert);
    }
}

char **
rack_tls_facts (RackStream *stream)
{
  RackTlsStream *self = (RackTlsStream *) stream;
  gnutls_session_t session = self->session;
  GPtrArray *facts = g_ptr_array_new ();
  gnutls_datum_t alpn;

  add (facts, "protocol",
       g_strdup (gnutls_protocol_get_name (gnutls_protocol_get_version (session))));
  add (facts, "cipher", g_strdup (gnutls_cipher_get_name (gnutls_cipher_get (session))));
  if (gnutls_alpn_get_selected_protocol (session, &alpn) >= 0)
    add (facts, "alpn", rack_text_escape ((const char *) alpn.data, alpn.size));
  add (facts, "certificate verified", g_strdup (self->tls->config->verify_cert ? "yes" : "no"));
  add (facts, "host name checked", g_strdup (self->tls->config->check_hostname ? "yes" : "no"));
  add_certificates (self, facts);
  g_ptr_array_add (facts, NULL);
  return (char **) g_ptr_array_free (facts, FALSE);
}
