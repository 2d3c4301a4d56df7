/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * transport = plain: no TLS at all
 *
 * Chosen only by an explicit "ssl = false". Says once what that means, unless the
 * server is this machine. */
#include <mailrack/mailrack-plugin.h>

typedef struct
{
  RackHost *host;
  gint warned; /* atomic: connect may run in several threads */
} Plain;

static gpointer
plain_open (gconstpointer config, RackHost *host, GError **error)
{
  Plain *self = g_new0 (Plain, 1);

  self->host = host;
  return self;
}

static RackStream *
plain_connect (gpointer data, const RackPeer *peer, const RackWait *wait, GError **error)
{
  Plain *self = data;
  RackStream *stream = rack_tcp_connect (peer->host, peer->port, wait, error);

  if (stream != NULL && rack_stream_security (stream) == RACK_SECURITY_NONE
      && g_atomic_int_compare_and_exchange (&self->warned, 0, 1))
    {
      g_autofree char *text = g_strdup_printf (
          "warning: %s: without TLS, the password and all mail can be read on the way", peer->host);
      rack_host_tell (self->host, text);
    }
  return stream;
}

static const RackPluginInfo info = {
  RACK_PLUGIN_INFO,
  .name = "plain",
  .summary = "No TLS: everything can be read on the way (port 143)",
  .version = "0.1.0",
};

static const RackTransportPlugin plugin = {
  .info = &info,
  .default_port = 143,
  .open = plain_open,
  .close = g_free,
  .connect = plain_connect,
};
RACK_REGISTER_TRANSPORT (plugin)
