/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stream.c - streams over descriptors, connecting, and waiting
 *
 * Implements what mailrack-plugin.h promises plugins about byte streams. Name
 * resolution and the race between addresses (RFC 8305) are GSocketClient's, run on
 * a main context of the call's own, so that it needs no loop of the program's. */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct
{
  RackStream stream;
  int fd;
  gboolean is_socket;
  RackSecurity security;
} FdStream;

static gssize
fail (GError **error, const char *what)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK, "%s: %s", what, g_strerror (errno));
  return -1;
}

static gssize
fd_read (RackStream *stream, void *data, gsize size, GError **error)
{
  FdStream *self = (FdStream *) stream;
  gssize n;

  do
    n = read (self->fd, data, size);
  while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    return RACK_STREAM_AGAIN;
  if (n < 0 && errno == EIO && !self->is_socket) /* a terminal whose other end is gone */
    return 0;
  return n < 0 ? fail (error, "reading from the server") : n;
}

static gssize
fd_write (RackStream *stream, const void *data, gsize size, GError **error)
{
  FdStream *self = (FdStream *) stream;
  gssize n;

  do
    n = self->is_socket ? send (self->fd, data, size, MSG_NOSIGNAL) : write (self->fd, data, size);
  while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    return RACK_STREAM_AGAIN;
  return n < 0 ? fail (error, "writing to the server") : n;
}

static int
fd_fd (RackStream *stream)
{
  return ((FdStream *) stream)->fd;
}

static RackSecurity
fd_security (RackStream *stream)
{
  return ((FdStream *) stream)->security;
}

static void
fd_close (RackStream *stream)
{
  close (((FdStream *) stream)->fd);
  g_free (stream);
}

static const RackStreamOps fd_ops = {
  .size = sizeof (RackStreamOps),
  .read = fd_read,
  .write = fd_write,
  .fd = fd_fd,
  .close = fd_close,
  .security = fd_security,
};

RackStream *
rack_fd_stream_new (int fd, RackSecurity security, GError **error)
{
  int flags = fcntl (fd, F_GETFL);
  int type;
  socklen_t size = sizeof type;

  if (flags < 0 || fcntl (fd, F_SETFL, flags | O_NONBLOCK) < 0
      || fcntl (fd, F_SETFD, FD_CLOEXEC) < 0)
    {
      fail (error, "preparing a connection");
      close (fd);
      return NULL;
    }
  FdStream *self = g_new0 (FdStream, 1);
  self->stream.ops = &fd_ops;
  self->fd = fd;
  self->is_socket = getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
  self->security = security;
  return &self->stream;
}

/* ---- Defaults of the ops -------------------------------------------------------- */

gboolean
rack_stream_pending (RackStream *stream)
{
  return RACK_HAS (stream->ops, pending) && stream->ops->pending != NULL
         && stream->ops->pending (stream);
}

GIOCondition
rack_stream_wants (RackStream *stream, gboolean reading)
{
  if (RACK_HAS (stream->ops, wants) && stream->ops->wants != NULL)
    return stream->ops->wants (stream, reading);
  return reading ? G_IO_IN : G_IO_OUT;
}

RackSecurity
rack_stream_security (RackStream *stream)
{
  if (RACK_HAS (stream->ops, security) && stream->ops->security != NULL)
    return stream->ops->security (stream);
  return RACK_SECURITY_NONE;
}

GBytes *
rack_stream_binding (RackStream *stream, const char *type)
{
  if (stream != NULL && RACK_HAS (stream->ops, binding) && stream->ops->binding != NULL)
    return stream->ops->binding (stream, type);
  return NULL;
}

char **
rack_stream_facts (RackStream *stream)
{
  if (RACK_HAS (stream->ops, facts) && stream->ops->facts != NULL)
    return stream->ops->facts (stream);
  return g_new0 (char *, 1);
}

void
rack_stream_shutdown (RackStream *stream, const RackWait *wait)
{
  if (RACK_HAS (stream->ops, shutdown) && stream->ops->shutdown != NULL)
    stream->ops->shutdown (stream, wait, NULL);
}

/* ---- Waiting ------------------------------------------------------------------- */

gboolean
rack_wait_check (const RackWait *wait, GError **error)
{
  if (wait == NULL)
    return TRUE;
  if (g_cancellable_is_cancelled (wait->cancellable))
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
      return FALSE;
    }
  if (wait->deadline > 0 && g_get_monotonic_time () >= wait->deadline)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_TIMEOUT, "timed out");
      return FALSE;
    }
  return TRUE;
}

int
rack_wait_milliseconds (gint64 deadline)
{
  if (deadline <= 0 || deadline == G_MAXINT64)
    return -1;
  gint64 left = deadline - g_get_monotonic_time ();
  return left <= 0 ? 0 : (int) MIN ((left + 999) / 1000, G_MAXINT);
}

gboolean
rack_wait_fd (int fd, GIOCondition condition, const RackWait *wait, GError **error)
{
  GPollFD cancel = { .fd = -1 };
  gboolean cancellable = wait != NULL && wait->cancellable != NULL
                         && g_cancellable_make_pollfd (wait->cancellable, &cancel);
  gboolean ready = FALSE, ok;

  while ((ok = rack_wait_check (wait, error)) && !ready)
    {
      struct pollfd fds[] = { { .fd = fd, .events = (short) condition },
                              { .fd = cancel.fd, .events = POLLIN } };
      int n = poll (fds, cancellable ? 2 : 1,
                    rack_wait_milliseconds (wait != NULL ? wait->deadline : 0));
      if (n < 0 && errno != EINTR)
        {
          fail (error, "waiting");
          ok = FALSE;
          break;
        }
      ready = n > 0 && fds[0].revents != 0;
    }
  if (cancellable)
    g_cancellable_release_fd (wait->cancellable);
  return ok;
}

/* ---- Connecting ---------------------------------------------------------------- */

typedef struct
{
  GSocketConnection *connection;
  GError *error;
  gboolean done, late;
} Connecting;

static void
connected (GObject *source, GAsyncResult *result, gpointer data)
{
  Connecting *state = data;

  state->connection =
      g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &state->error);
  state->done = TRUE;
}

static gboolean
too_late (gpointer data)
{
  Connecting *state = ((gpointer *) data)[0];

  state->late = TRUE;
  g_cancellable_cancel (((gpointer *) data)[1]);
  return G_SOURCE_REMOVE;
}

static void
pass_cancel (GCancellable *cancellable, gpointer inner)
{
  g_cancellable_cancel (inner);
}

/* Runs the client on a context of this call alone. */
static void
connect_within (const char *host, guint16 port, const RackWait *wait, Connecting *state)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GCancellable) inner = g_cancellable_new ();
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnectable) address = NULL;
  GSource *timer = NULL;
  gulong handler = 0;
  gpointer timer_data[] = { state, inner };

  g_main_context_push_thread_default (context);
  g_socket_client_set_enable_proxy (client, FALSE);
  if (wait != NULL && wait->cancellable != NULL)
    handler = g_cancellable_connect (wait->cancellable, G_CALLBACK (pass_cancel), inner, NULL);
  if (wait != NULL && wait->deadline > 0)
    {
      timer = g_timeout_source_new ((guint) rack_wait_milliseconds (wait->deadline));
      g_source_set_callback (timer, too_late, timer_data, NULL);
      g_source_attach (timer, context);
    }
  address = g_network_address_new (host, port);
  g_socket_client_connect_async (client, address, inner, connected, state);
  while (!state->done)
    g_main_context_iteration (context, TRUE);
  if (timer != NULL)
    {
      g_source_destroy (timer);
      g_source_unref (timer);
    }
  if (handler != 0)
    g_cancellable_disconnect (wait->cancellable, handler);
  g_main_context_pop_thread_default (context);
}

static gboolean
is_loopback (GSocketConnection *connection)
{
  g_autoptr (GSocketAddress) address = g_socket_connection_get_remote_address (connection, NULL);

  return G_IS_INET_SOCKET_ADDRESS (address)
         && g_inet_address_get_is_loopback (
             g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

static void
set_tcp (int fd, int option, int value)
{
  setsockopt (fd, IPPROTO_TCP, option, &value, sizeof value);
}

void
rack_tcp_set_patience (int fd, gboolean patient)
{
  set_tcp (fd, TCP_KEEPIDLE, patient ? 120 : 1);
  set_tcp (fd, TCP_KEEPINTVL, patient ? 15 : 2);
  set_tcp (fd, TCP_KEEPCNT, patient ? 4 : 5);
  set_tcp (fd, TCP_USER_TIMEOUT, patient ? 0 : 10000); /* milliseconds; 0: the system's */
}

RackStream *
rack_tcp_connect (const char *host, guint16 port, const RackWait *wait, GError **error)
{
  g_autofree char *plain = g_strdup (host);
  gsize size = strlen (plain);
  Connecting state = { 0 };

  if (size == 0 || *plain == '-')
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "\"%s\" is not a host name", host);
      return NULL;
    }
  if (plain[size - 1] == '.')
    plain[size - 1] = '\0';
  if (!rack_wait_check (wait, error))
    return NULL;
  connect_within (plain, port, wait, &state);
  if (state.connection == NULL)
    {
      if (state.late)
        g_set_error (error, RACK_ERROR, RACK_ERROR_TIMEOUT,
                     "%s port %u does not answer: timed out while connecting", plain, port);
      else if (wait != NULL && g_cancellable_is_cancelled (wait->cancellable))
        g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
      else
        g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK, "cannot connect to %s port %u: %s",
                     plain, port, state.error->message);
      g_clear_error (&state.error);
      return NULL;
    }
  GSocket *socket = g_socket_connection_get_socket (state.connection);
  int fd = fcntl (g_socket_get_fd (socket), F_DUPFD_CLOEXEC, 3);
  int on = 1;
  RackSecurity security =
      is_loopback (state.connection) ? RACK_SECURITY_LOOPBACK : RACK_SECURITY_NONE;
  g_object_unref (state.connection);
  if (fd < 0)
    {
      fail (error, "keeping the connection");
      return NULL;
    }
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt (fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  rack_tcp_set_patience (fd, TRUE);
  return rack_fd_stream_new (fd, security, error);
}
