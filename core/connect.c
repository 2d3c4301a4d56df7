/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * connect.c - a connection from nothing to logged in
 *
 * Runs on the thread that wants the connection. Holds the rules of the time before
 * login (docs/SECURITY.md A): STARTTLS or nothing, nothing learnt in clear text kept,
 * no credential below the security level it asks for. */
#include "account-private.h"
#include "plugin-use.h"

#include <string.h>

static RackPeer
make_peer (RackAccount *account)
{
  return (RackPeer){
    .size = sizeof (RackPeer),
    .host = account->settings.host != NULL ? account->settings.host : "",
    .user = account->settings.username,
    .port = account->settings.port != 0 ? account->settings.port : account->transport->default_port,
  };
}

static gboolean
run_simple (RackConn *conn, const char *name, GError **error)
{
  g_autoptr (RackCall) call = rack_call_new (rack_command_new (name));

  rack_conn_post (conn, call);
  if (rack_call_expect (call, NULL, error))
    return TRUE;
  g_prefix_error (error, "%s: ", name);
  return FALSE;
}

static gboolean
learn_capabilities (RackConn *conn, GError **error)
{
  return rack_engine_knows_capabilities (rack_conn_engine (conn))
         || run_simple (conn, "CAPABILITY", error);
}

static gboolean
start_tls (RackAccount *account, RackConn *conn, const RackPeer *peer, const RackWait *wait,
           GError **error)
{
  RackEngine *engine = rack_conn_engine (conn);

  if (!learn_capabilities (conn, error))
    return FALSE;
  if (!rack_engine_has (engine, "STARTTLS"))
    {
      g_set_error_literal (
          error, RACK_ERROR, RACK_ERROR_TLS,
          "the server does not offer STARTTLS, and nothing is sent in clear text; if it "
          "speaks TLS from the first byte, write \"ssl = true\" (port 993)");
      return FALSE;
    }
  if (!run_simple (conn, "STARTTLS", error))
    {
      if (error != NULL
          && (g_error_matches (*error, RACK_ERROR, RACK_ERROR_REFUSED)
              || g_error_matches (*error, RACK_ERROR, RACK_ERROR_SERVER)))
        (*error)->code = RACK_ERROR_TLS;
      return FALSE;
    }
  if (rack_engine_phase (engine) != RACK_PHASE_TLS || rack_engine_pending (engine) > 0)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_TLS,
                           "data came between STARTTLS and TLS: refused");
      return FALSE;
    }
  RackStream *plain = rack_conn_steal_stream (conn);
  RackStream *stream =
      account->transport->upgrade (account->transport_self, plain, peer, wait, error);
  if (stream == NULL)
    return rack_plugin_failed (account->transport->info, "upgrade", RACK_ERROR_TLS, error);
  if (!rack_plugin_check_stream (account->transport->info, "upgrade", stream, error))
    return FALSE;
  rack_conn_upgraded (conn, stream);
  return TRUE;
}

/* A transport that says it encrypts and does not would give everything away. */
static gboolean
check_encrypted (RackAccount *account, RackConn *conn, GError **error)
{
  if (!(account->transport->flags & RACK_TRANSPORT_ENCRYPTS)
      || rack_stream_security (rack_conn_stream (conn)) >= RACK_SECURITY_TLS_UNVERIFIED)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_TLS,
               "the transport plugin \"%s\" promises TLS but gave a stream without it",
               account->transport->info->name);
  return FALSE;
}

static gboolean
build_up (RackAccount *account, RackConn *conn, const RackPeer *peer, const RackWait *wait,
          GError **error)
{
  if (!rack_conn_wait_greeting (conn, error))
    return FALSE;
  if (account->transport->upgrade != NULL && !start_tls (account, conn, peer, wait, error))
    return FALSE;
  if (!check_encrypted (account, conn, error) || !learn_capabilities (conn, error))
    return FALSE;
  if (rack_engine_phase (rack_conn_engine (conn)) == RACK_PHASE_NOT_AUTHENTICATED
      && !rack_account_login (account, conn, wait, error))
    return FALSE;
  return learn_capabilities (conn, error);
}

/* From then on the server says VANISHED with UIDs where it would say EXPUNGE (RFC 7162 3.2.3), and
 * answers what changed since a mod-sequence. A session's connection is left as it is: whoever
 * writes IMAP there enables what they want. */
void
rack_conn_enable_qresync (RackConn *conn)
{
  if (rack_conn_has (conn, "QRESYNC") && rack_conn_has (conn, "ENABLE"))
    rack_conn_enable (conn, "QRESYNC");
}

static RackStream *
connect_stream (RackAccount *account, const RackPeer *peer, const RackWait *wait, GError **error)
{
  const RackTransportPlugin *transport = account->transport;
  RackStream *stream = transport->connect (account->transport_self, peer, wait, error);

  if (stream == NULL)
    rack_plugin_failed (transport->info, "connect", RACK_ERROR_NETWORK, error);
  else if (!rack_plugin_check_stream (transport->info, "connect", stream, error))
    return NULL;
  return stream;
}

RackConn *
rack_account_open_conn (RackAccount *account, const RackWait *wait, GError **error)
{
  RackPeer peer = make_peer (account);
  g_autoptr (RackConn) conn = NULL;
  RackConnOptions options = {
    .timeout = account->settings.timeout * 1000,
    .idle_refresh = account->settings.idle_refresh * 1000,
    .preauth = (account->transport->flags & RACK_TRANSPORT_PREAUTH) != 0,
    .disabled = (const char *const *) account->settings.disable_extensions,
    .counters = &account->counters,
  };
  RackStream *stream = connect_stream (account, &peer, wait, error);

  if (stream == NULL)
    {
      g_prefix_error (error, "%s: ", account->label);
      return NULL;
    }
  options.trace = account->trace;
  conn = rack_conn_new (stream, &options);
  rack_conn_set_wait (conn, wait);
  if (!build_up (account, conn, &peer, wait, error))
    {
      g_prefix_error (error, "%s: ", account->label);
      return NULL;
    }
  rack_conn_start (conn);
  return g_steal_pointer (&conn);
}
