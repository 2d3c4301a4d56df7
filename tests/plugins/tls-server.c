/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls-server.c - one TLS session from the server's side; the contract is in tls-server.h */
#include "tls-server.h"

#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
send_all (gnutls_session_t session, const char *data, gsize size)
{
  while (size > 0)
    {
      ssize_t n = gnutls_record_send (session, data, size);
      if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
        continue;
      if (n <= 0)
        return;
      data += n;
      size -= (gsize) n;
    }
}

static void
talk (Server *self, gnutls_session_t session)
{
  gnutls_datum_t binding = { 0 };
  char buffer[4096];
  ssize_t n;

  if (gnutls_protocol_get_version (session) == GNUTLS_TLS1_3
      && gnutls_session_channel_binding (session, GNUTLS_CB_TLS_EXPORTER, &binding) >= 0)
    {
      g_assert_cmpuint (binding.size, ==, sizeof self->binding);
      memcpy (self->binding, binding.data, binding.size);
      self->has_binding = TRUE;
      gnutls_free (binding.data);
    }
  send_all (session, "* OK hello\r\n", 12);
  if (self->send > 0)
    {
      char *block = g_malloc (self->send);
      for (gsize i = 0; i < self->send; i++)
        block[i] = (char) (i * 31 + (i >> 10));
      send_all (session, block, self->send);
      g_free (block);
    }
  if (self->end == END_BYE)
    gnutls_bye (session, GNUTLS_SHUT_WR);
  if (self->end == END_CUT)
    shutdown (self->fd, SHUT_WR);
  while ((n = gnutls_record_recv (session, buffer, sizeof buffer)) > 0)
    {
      self->received += (gsize) n;
      g_string_append_len (self->text, buffer, n);
    }
  self->goodbye = n == 0;
}

gpointer
tls_serve (gpointer data)
{
  Server *self = data;
  gnutls_certificate_credentials_t credentials;
  gnutls_session_t session;
  g_autofree char *chain = g_strdup_printf ("%s/%s.pem", self->directory, self->cert);
  g_autofree char *key = g_strdup_printf ("%s/%s.key", self->directory, self->cert);

  gnutls_certificate_allocate_credentials (&credentials);
  g_assert_cmpint (
      gnutls_certificate_set_x509_key_file (credentials, chain, key, GNUTLS_X509_FMT_PEM), >=, 0);
  gnutls_init (&session, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);
  g_assert_cmpint (gnutls_priority_set_direct (
                       session, self->priority != NULL ? self->priority : "NORMAL", NULL),
                   >=, 0);
  gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE, credentials);
  if (self->alpn != NULL)
    {
      gnutls_datum_t name = { (unsigned char *) self->alpn, (unsigned) strlen (self->alpn) };
      gnutls_alpn_set_protocols (session, &name, 1, GNUTLS_ALPN_MANDATORY);
    }
  if (self->wants_client)
    {
      g_autofree char *trust = g_strdup_printf ("%s/ca.crt", self->directory);
      gnutls_certificate_set_x509_trust_file (credentials, trust, GNUTLS_X509_FMT_PEM);
      gnutls_certificate_server_set_request (session, GNUTLS_CERT_REQUIRE);
      gnutls_session_set_verify_cert (session, NULL, 0);
    }
  gnutls_transport_set_int (session, self->fd);
  gnutls_handshake_set_timeout (session, 10000);
  do
    self->handshake = gnutls_handshake (session);
  while (self->handshake < 0 && !gnutls_error_is_fatal (self->handshake));
  if (self->handshake == GNUTLS_E_SUCCESS)
    talk (self, session);
  else
    gnutls_alert_send_appropriate (session, self->handshake);
  gnutls_deinit (session);
  gnutls_certificate_free_credentials (credentials);
  close (self->fd);
  return NULL;
}
