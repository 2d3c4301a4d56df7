/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * transport = starttls: clear text until core's STARTTLS, then TLS, or nothing
 *
 * What may be said in clear text, and that nothing follows the server's OK, is core's
 * to check; this only wraps the stream. All of TLS is in plugins/tls. */
#include "tls.h"

static gpointer
starttls_open (gconstpointer config, RackHost *host, GError **error)
{
  return rack_tls_new (config, host, error);
}

static void
starttls_close (gpointer self)
{
  rack_tls_free (self);
}

static RackStream *
starttls_connect (gpointer self, const RackPeer *peer, const RackWait *wait, GError **error)
{
  return rack_tcp_connect (peer->host, peer->port, wait, error);
}

static RackStream *
starttls_upgrade (gpointer self, RackStream *plain, const RackPeer *peer, const RackWait *wait,
                  GError **error)
{
  return rack_tls_wrap (self, plain, peer, wait, error);
}

static const RackPluginInfo info = {
  RACK_PLUGIN_INFO,
  .name = "starttls",
  .summary = "TLS, started inside a plain connection (port 143)",
  .version = "0.1.0",
  .params = rack_tls_params,
  .config_size = sizeof (RackTlsConfig),
};

static const RackTransportPlugin plugin = {
  .info = &info,
  .default_port = 143,
  .flags = RACK_TRANSPORT_ENCRYPTS,
  .open = starttls_open,
  .close = starttls_close,
  .connect = starttls_connect,
  .upgrade = starttls_upgrade,
};
RACK_REGISTER_TRANSPORT (plugin)
