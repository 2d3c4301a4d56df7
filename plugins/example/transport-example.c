/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * transport = example: the server is behind a socket in the file system
 *
 * A transport plugin to copy, for a proxy or a container that offers IMAP on a Unix domain
 * socket. Its stream is core's own over a descriptor; a plugin that changes the octets on
 * their way writes RackStreamOps of its own, as plugins/tls does. */
#include <mailrack/mailrack-plugin.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct
{
  char *socket;
} Config;

static const RackParam params[] = {
  RACK_PARAM (Config, socket, "example_socket", PATH, REQUIRED, NULL,
              "The Unix domain socket on which the server listens."),
  RACK_PARAM_END,
};

static gboolean
fill_address (struct sockaddr_un *address, const char *path, GError **error)
{
  memset (address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (strlen (path) < sizeof address->sun_path)
    {
      memcpy (address->sun_path, path, strlen (path));
      return TRUE;
    }
  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "example_socket: \"%s\" is too long", path);
  return FALSE;
}

/* Connects without blocking for longer than wait allows. */
static gboolean
connect_within (int fd, const struct sockaddr_un *address, const RackWait *wait, GError **error)
{
  int failure = 0;
  socklen_t size = sizeof failure;

  if (connect (fd, (const struct sockaddr *) address, sizeof *address) == 0)
    return TRUE;
  if (errno == EINPROGRESS)
    {
      if (!rack_wait_fd (fd, G_IO_OUT, wait, error))
        return FALSE;
      getsockopt (fd, SOL_SOCKET, SO_ERROR, &failure, &size);
      if (failure == 0)
        return TRUE;
      errno = failure;
    }
  g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK, "cannot connect to %s: %s", address->sun_path,
               g_strerror (errno));
  return FALSE;
}

/* self is the config, because there is no open. Several threads may be in here at once. */
static RackStream *
example_connect (gpointer self, const RackPeer *peer, const RackWait *wait, GError **error)
{
  const Config *config = (const Config *) self;
  struct sockaddr_un address;

  if (!fill_address (&address, config->socket, error))
    return NULL;
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "socket: %s", g_strerror (errno));
      return NULL;
    }
  if (connect_within (fd, &address, wait, error))
    return rack_fd_stream_new (fd, RACK_SECURITY_LOOPBACK, error);
  close (fd);
  return NULL;
}

static const RackPluginInfo info = {
  RACK_PLUGIN_INFO, "example",       "A server behind a Unix domain socket", "1.0",
  params,           sizeof (Config),
};

static const RackTransportPlugin plugin = {
  &info,
  0, /* default_port */
  RACK_TRANSPORT_NO_HOST,
  NULL, /* open */
  NULL, /* close */
  example_connect,
  NULL, /* upgrade */
};
RACK_REGISTER_TRANSPORT (plugin)
