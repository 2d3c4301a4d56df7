/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * transport = ssl: TLS from the first octet (RFC 8314)
 *
 * The default transport. All of TLS is in plugins/tls. */
#include "tls.h"

static gpointer
ssl_open (gconstpointer config, RackHost *host, GError **error)
{
  return rack_tls_new (config, host, error);
}

static void
ssl_close (gpointer self)
{
  rack_tls_free (self);
}

static RackStream *
ssl_connect (gpointer self, const RackPeer *peer, const RackWait *wait, GError **error)
{
  RackStream *tcp = rack_tcp_connect (peer->host, peer->port, wait, error);

  return tcp != NULL ? rack_tls_wrap (self, tcp, peer, wait, error) : NULL;
}

static const RackPluginInfo info = {
  RACK_PLUGIN_INFO,
  .name = "ssl",
  .summary = "TLS from the first octet (port 993)",
  .version = "0.1.0",
  .params = rack_tls_params,
  .config_size = sizeof (RackTlsConfig),
};

static const RackTransportPlugin plugin = {
  .info = &info,
  .default_port = 993,
  .flags = RACK_TRANSPORT_ENCRYPTS,
  .open = ssl_open,
  .close = ssl_close,
  .connect = ssl_connect,
};
RACK_REGISTER_TRANSPORT (plugin)
