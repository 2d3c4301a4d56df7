/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls-stream.c - a stream that encrypts what another stream carries
 *
 * The handshake waits; all that follows never does. Plain text is decrypted straight
 * into the caller's buffer. There is no renegotiation, false start or early data, and
 * an end of the stream below without TLS's own goodbye is an error, because it may
 * have been cut by somebody else. */
#include "tls-private.h"

#include <errno.h>
#include <string.h>

/* A handshake that brings only warnings and never ends. */
#define MAX_WARNINGS 8

/* ---- The stream below, as GnuTLS calls it ----------------------------------------- */

static ssize_t
to_errno (RackTlsStream *self, gssize n, GError *error)
{
  if (n >= 0)
    return n;
  if (n == RACK_STREAM_AGAIN)
    {
      gnutls_transport_set_errno (self->session, EAGAIN);
      return -1;
    }
  g_clear_error (&self->why);
  self->why = error;
  gnutls_transport_set_errno (self->session, EIO);
  return -1;
}

static gssize
read_below (RackTlsStream *self, void *buffer, gsize size, GError **error)
{
  gssize n = self->lower->ops->read (self->lower, buffer, size, error);

  if (n > 0 && self->first < 0)
    self->first = *(const unsigned char *) buffer;
  if (n == 0)
    self->eof = TRUE;
  return n;
}

static ssize_t
pull (gnutls_transport_ptr_t data, void *buffer, size_t size)
{
  RackTlsStream *self = data;
  GError *error = NULL;

  if (self->ahead_at == self->ahead_end)
    {
      gssize n = read_below (self, self->ahead, RACK_TLS_AHEAD, &error);
      if (n <= 0)
        return to_errno (self, n, error);
      self->ahead_at = 0;
      self->ahead_end = (gsize) n;
    }
  size = MIN (size, self->ahead_end - self->ahead_at);
  memcpy (buffer, self->ahead + self->ahead_at, size);
  self->ahead_at += size;
  return (ssize_t) size;
}

static ssize_t
push (gnutls_transport_ptr_t data, const void *buffer, size_t size)
{
  RackTlsStream *self = data;
  GError *error = NULL;
  gssize n = self->lower->ops->write (self->lower, buffer, size, &error);

  return to_errno (self, n, error);
}

/* ---- The ops ------------------------------------------------------------------- */

static GIOCondition
direction (RackTlsStream *self)
{
  return gnutls_record_get_direction (self->session) == 0 ? G_IO_IN : G_IO_OUT;
}

static gssize
fail (RackTlsStream *self, int code, const char *doing, GError **error)
{
  if (self->why != NULL)
    g_propagate_error (error, g_steal_pointer (&self->why));
  else if (code == GNUTLS_E_PREMATURE_TERMINATION || self->eof)
    /* Cut off, by the network or whoever is on it: another connection may do better. */
    g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK,
                 "the connection to %s was closed without close_notify", self->name);
  else if (code == GNUTLS_E_FATAL_ALERT_RECEIVED)
    g_set_error (error, RACK_ERROR, RACK_ERROR_TLS, "%s ended TLS with the alert \"%s\"",
                 self->name, gnutls_alert_get_name (gnutls_alert_get (self->session)));
  else if (code == GNUTLS_E_REHANDSHAKE)
    g_set_error (error, RACK_ERROR, RACK_ERROR_TLS,
                 "%s asked for a renegotiation of TLS, which is refused", self->name);
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_TLS, "%s %s by TLS: %s", doing, self->name,
                 gnutls_strerror (code));
  return -1;
}

static gssize
tls_read (RackStream *stream, void *data, gsize size, GError **error)
{
  RackTlsStream *self = (RackTlsStream *) stream;
  gboolean again;
  ssize_t n;

  /* After a message that carries no data (a ticket, a new key) GnuTLS says "again" although
   * poll() has nothing to tell: the next one has been read already. */
  do
    {
      gsize at = self->ahead_at;
      n = gnutls_record_recv (self->session, data, size);
      again = n == GNUTLS_E_AGAIN && self->ahead_at != at && self->ahead_at < self->ahead_end;
    }
  while (again || n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_WARNING_ALERT_RECEIVED);
  if (n >= 0)
    return n;
  if (n != GNUTLS_E_AGAIN)
    return fail (self, (int) n, "reading from", error);
  self->wants_read = direction (self);
  return RACK_STREAM_AGAIN;
}

static gssize
tls_write (RackStream *stream, const void *data, gsize size, GError **error)
{
  RackTlsStream *self = (RackTlsStream *) stream;
  ssize_t n;

  do
    n = gnutls_record_send (self->session, data, size);
  while (n == GNUTLS_E_INTERRUPTED);
  if (n >= 0)
    return n;
  if (n != GNUTLS_E_AGAIN)
    return fail (self, (int) n, "writing to", error);
  self->wants_write = direction (self);
  return RACK_STREAM_AGAIN;
}

static int
tls_fd (RackStream *stream)
{
  RackStream *lower = ((RackTlsStream *) stream)->lower;

  return lower->ops->fd (lower);
}

static void
tls_close (RackStream *stream)
{
  RackTlsStream *self = (RackTlsStream *) stream;

  if (self->session != NULL)
    gnutls_deinit (self->session);
  self->lower->ops->close (self->lower);
  g_clear_error (&self->why);
  g_free (self->ahead);
  g_free (self->name);
  g_free (self);
}

static gboolean
tls_pending (RackStream *stream)
{
  RackTlsStream *self = (RackTlsStream *) stream;
  RackStream *lower = self->lower;

  /* After "again" nothing is left of what was read ahead, or GnuTLS would have gone on. */
  return gnutls_record_check_pending (self->session) > 0 || self->ahead_at < self->ahead_end
         || (RACK_HAS (lower->ops, pending) && lower->ops->pending != NULL
             && lower->ops->pending (lower));
}

static GIOCondition
tls_wants (RackStream *stream, gboolean reading)
{
  RackTlsStream *self = (RackTlsStream *) stream;

  return reading ? self->wants_read : self->wants_write;
}

static RackSecurity
tls_security (RackStream *stream)
{
  const RackTlsConfig *config = ((RackTlsStream *) stream)->tls->config;

  return config->verify_cert && config->check_hostname ? RACK_SECURITY_TLS_VERIFIED
                                                       : RACK_SECURITY_TLS_UNVERIFIED;
}

/* RFC 9266. Of TLS 1.3 alone: before it the value also depends on the extended master
 * secret and on whether an empty context counts as one, about which servers differ. */
static GBytes *
tls_binding (RackStream *stream, const char *type)
{
  gnutls_session_t session = ((RackTlsStream *) stream)->session;
  gnutls_datum_t data = { 0 };

  if (strcmp (type, "tls-exporter") != 0 || gnutls_protocol_get_version (session) != GNUTLS_TLS1_3
      || gnutls_session_channel_binding (session, GNUTLS_CB_TLS_EXPORTER, &data) < 0)
    return NULL;
  GBytes *bytes = g_bytes_new (data.data, data.size);
  gnutls_memset (data.data, 0, data.size);
  gnutls_free (data.data);
  return bytes;
}

static gboolean
tls_shutdown (RackStream *stream, const RackWait *wait, GError **error)
{
  RackTlsStream *self = (RackTlsStream *) stream;

  for (;;)
    {
      int code = gnutls_bye (self->session, GNUTLS_SHUT_WR);
      if (code >= 0)
        return TRUE;
      if (code == GNUTLS_E_INTERRUPTED)
        continue;
      if (code != GNUTLS_E_AGAIN)
        return fail (self, code, "saying goodbye to", error) >= 0;
      if (!rack_wait_fd (tls_fd (stream), direction (self), wait, error))
        return FALSE;
    }
}

static const RackStreamOps tls_ops = {
  .size = sizeof (RackStreamOps),
  .read = tls_read,
  .write = tls_write,
  .fd = tls_fd,
  .close = tls_close,
  .pending = tls_pending,
  .wants = tls_wants,
  .security = tls_security,
  .binding = tls_binding,
  .facts = rack_tls_facts,
  .shutdown = tls_shutdown,
};

/* ---- The handshake --------------------------------------------------------------- */

/* TLS records begin with 20 to 23; an IMAP greeting with "*". */
static gboolean
speaks_tls (RackTlsStream *self)
{
  return self->first < 0 || (self->first >= 20 && self->first <= 23);
}

static void
explain_alert (RackTlsStream *self, GError **error)
{
  gnutls_alert_description_t alert = gnutls_alert_get (self->session);

  if (alert == GNUTLS_A_PROTOCOL_VERSION)
    g_set_error (error, RACK_ERROR, RACK_ERROR_TLS,
                 "%s speaks no version of TLS that is safe: TLS 1.2 or 1.3 is needed", self->name);
  else if (alert == GNUTLS_A_NO_APPLICATION_PROTOCOL)
    g_set_error (error, RACK_ERROR, RACK_ERROR_TLS,
                 "%s does not take the ALPN protocol \"imap\"; if it is an IMAP server all the "
                 "same, write \"ssl_alpn = false\"",
                 self->name);
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_TLS,
                 "%s refused the TLS handshake with the alert \"%s\"", self->name,
                 gnutls_alert_get_name (alert));
}

static void
explain (RackTlsStream *self, int code, GError **error)
{
  if (g_error_matches (self->why, RACK_ERROR, RACK_ERROR_NETWORK))
    g_propagate_prefixed_error (error, g_steal_pointer (&self->why),
                                "during the TLS handshake with %s: ", self->name);
  else if (self->why != NULL)
    g_propagate_error (error, g_steal_pointer (&self->why));
  else if (!speaks_tls (self))
    g_set_error (error, RACK_ERROR, RACK_ERROR_TLS,
                 "%s does not answer with TLS: if this is the port for STARTTLS (143), write "
                 "\"starttls = true\" instead of \"ssl = true\"",
                 self->name);
  else if (code == GNUTLS_E_FATAL_ALERT_RECEIVED)
    explain_alert (self, error);
  else if (code == GNUTLS_E_NO_APPLICATION_PROTOCOL)
    g_set_error (error, RACK_ERROR, RACK_ERROR_TLS,
                 "%s chose an ALPN protocol that is not \"imap\"", self->name);
  else if (code == GNUTLS_E_UNSUPPORTED_VERSION_PACKET)
    g_set_error (error, RACK_ERROR, RACK_ERROR_TLS,
                 "%s speaks no version of TLS that is safe: TLS 1.2 or 1.3 is needed", self->name);
  else if (self->eof)
    g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK,
                 "%s closed the connection during the TLS handshake", self->name);
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_TLS, "the TLS handshake with %s failed: %s",
                 self->name, gnutls_strerror (code));
}

static gboolean
shake_hands (RackTlsStream *self, const RackWait *wait, GError **error)
{
  guint warnings = 0;

  for (;;)
    {
      int code = gnutls_handshake (self->session);
      if (code == GNUTLS_E_SUCCESS)
        return TRUE;
      if (code == GNUTLS_E_AGAIN)
        {
          if (rack_wait_fd (tls_fd (&self->stream), direction (self), wait, error))
            continue;
          g_prefix_error (error, "during the TLS handshake with %s: ", self->name);
          return FALSE;
        }
      if (code == GNUTLS_E_INTERRUPTED
          || (!gnutls_error_is_fatal (code) && ++warnings <= MAX_WARNINGS))
        continue;
      explain (self, code, error);
      /* So that the server's log says why; whether it arrives does not matter. */
      gnutls_alert_send_appropriate (self->session, code);
      return FALSE;
    }
}

static gboolean
prepare (RackTlsStream *self, GError **error)
{
  static const gnutls_datum_t imap = { (unsigned char *) "imap", 4 };
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (self->name);
  gnutls_session_t session;
  int code = gnutls_init (&self->session,
                          GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS);

  session = self->session;
  if (code >= 0)
    code = gnutls_priority_set (session, self->tls->priority);
  if (code >= 0)
    code = gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE, self->tls->credentials);
  /* RFC 6066 §3: no addresses in SNI. */
  if (code >= 0 && address == NULL)
    code = gnutls_server_name_set (session, GNUTLS_NAME_DNS, self->name, strlen (self->name));
  if (code >= 0 && self->tls->config->alpn)
    code = gnutls_alpn_set_protocols (session, &imap, 1, 0);
  if (code < 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_TLS, "TLS for \"%s\" cannot be set up: %s",
                   self->name, gnutls_strerror (code));
      return FALSE;
    }
  gnutls_session_set_ptr (session, self);
  gnutls_transport_set_ptr (session, self);
  gnutls_transport_set_pull_function (session, pull);
  gnutls_transport_set_push_function (session, push);
  return TRUE;
}

static void
warn_once (RackTls *tls, const char *name)
{
  const RackTlsConfig *config = tls->config;

  if ((config->verify_cert && config->check_hostname)
      || !g_atomic_int_compare_and_exchange (&tls->warned, 0, 1))
    return;
  g_autofree char *text = g_strdup_printf (
      "warning: %s: \"%s = false\": whoever is between you and the server can pretend to be it",
      name, config->verify_cert ? "ssl_check_hostname" : "ssl_verify_cert");
  rack_host_tell (tls->host, text);
}

RackStream *
rack_tls_wrap (RackTls *tls, RackStream *lower, const RackPeer *peer, const RackWait *wait,
               GError **error)
{
  g_autofree char *name = g_strdup (peer->host != NULL ? peer->host : "");
  gsize size = strlen (name);

  if (size > 0 && name[size - 1] == '.')
    name[--size] = '\0';
  if (size == 0)
    {
      /* GnuTLS would take any certificate for no name at all. */
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_TLS,
                           "TLS needs the name of the host to check its certificate");
      lower->ops->close (lower);
      return NULL;
    }
  RackTlsStream *self = g_new0 (RackTlsStream, 1);
  self->stream.ops = &tls_ops;
  self->tls = tls;
  self->lower = lower;
  self->name = g_steal_pointer (&name);
  self->ahead = g_malloc (RACK_TLS_AHEAD);
  self->first = -1;
  self->wants_read = G_IO_IN;
  self->wants_write = G_IO_OUT;
  if (prepare (self, error) && shake_hands (self, wait, error))
    {
      warn_once (tls, self->name);
      return &self->stream;
    }
  tls_close (&self->stream);
  return NULL;
}
