/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sd-notify.c - telling a service manager how we are
 *
 * The protocol of sd_notify(3), which is a datagram to a socket: for that no library is
 * needed.
 */
#include "sd-notify.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address;
static socklen_t address_size;
static int notify_socket = -1;

void
sd_notify_begin (void)
{
  g_autofree char *path = g_strdup (g_getenv ("NOTIFY_SOCKET"));
  g_unsetenv ("NOTIFY_SOCKET");
  if (path == NULL || (path[0] != '/' && path[0] != '@') || path[1] == '\0'
      || strlen (path) >= sizeof address.sun_path)
    return;
  address.sun_family = AF_UNIX;
  memcpy (address.sun_path, path, strlen (path));
  if (path[0] == '@')
    address.sun_path[0] = '\0'; /* an abstract name */
  address_size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + strlen (path));
  notify_socket = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void
sd_notify_send (const char *lines)
{
  if (notify_socket >= 0)
    sendto (notify_socket, lines, strlen (lines), MSG_NOSIGNAL, (const struct sockaddr *) &address,
            address_size);
}
