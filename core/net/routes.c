/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * routes.c - addresses and routes, remembered by what makes them themselves
 *
 * Nobody asks the kernel what there is at first: what is announced and not known is new,
 * what goes was there. At worst an old address counts as new, once. */
#include "routes.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A router has a million routes: then all is forgotten and begins again. */
#define KNOWN_MAX 4096

struct RackRoutes
{
  int fd;
  GHashTable *known; /* of GBytes */
};

RackRoutes *
rack_routes_new (void)
{
  struct sockaddr_nl address = { .nl_family = AF_NETLINK,
                                 .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
                                              | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

  if (fd >= 0 && bind (fd, (struct sockaddr *) &address, sizeof address) != 0)
    {
      close (fd);
      fd = -1;
    }
  if (fd < 0)
    return NULL;
  RackRoutes *routes = g_new0 (RackRoutes, 1);
  routes->fd = fd;
  routes->known =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  return routes;
}

void
rack_routes_free (RackRoutes *routes)
{
  if (routes == NULL)
    return;
  close (routes->fd);
  g_hash_table_unref (routes->known);
  g_free (routes);
}

int
rack_routes_fd (const RackRoutes *routes)
{
  return routes->fd;
}

/* ---- One message ------------------------------------------------------------------------ */

static void
add_octets (GByteArray *key, const void *data, gsize size)
{
  g_byte_array_append (key, data, (guint) size);
}

/* The attributes of these types (0: none), with their types. */
static void
add_attributes (GByteArray *key, const struct rtattr *at, int size, const guint16 types[4])
{
  for (; RTA_OK (at, size); at = RTA_NEXT (at, size))
    for (guint i = 0; i < 4; i++)
      if (types[i] != 0 && at->rta_type == types[i])
        {
          add_octets (key, &at->rta_type, sizeof at->rta_type);
          add_octets (key, RTA_DATA (at), RTA_PAYLOAD (at));
        }
}

/* FALSE: it leads nowhere. */
static gboolean
make_address_key (const struct nlmsghdr *message, GByteArray *key)
{
  static const guint16 types[4] = { IFA_ADDRESS, IFA_LOCAL };
  const struct ifaddrmsg *address = NLMSG_DATA (message);

  if (message->nlmsg_len < NLMSG_LENGTH (sizeof *address) || address->ifa_scope >= RT_SCOPE_LINK
      || (address->ifa_flags & IFA_F_TENTATIVE))
    return FALSE;
  add_octets (key, "a", 1);
  add_octets (key, &address->ifa_family, sizeof address->ifa_family);
  add_octets (key, &address->ifa_prefixlen, sizeof address->ifa_prefixlen);
  add_octets (key, &address->ifa_index, sizeof address->ifa_index);
  add_attributes (key, IFA_RTA (address), (int) IFA_PAYLOAD (message), types);
  return TRUE;
}

/* The same. What the kernel makes by itself comes and goes with an address. */
static gboolean
make_route_key (const struct nlmsghdr *message, GByteArray *key)
{
  static const guint16 types[4] = { RTA_DST, RTA_GATEWAY, RTA_OIF, RTA_PRIORITY };
  const struct rtmsg *route = NLMSG_DATA (message);

  if (message->nlmsg_len < NLMSG_LENGTH (sizeof *route) || route->rtm_type != RTN_UNICAST
      || route->rtm_protocol == RTPROT_KERNEL || route->rtm_table == RT_TABLE_LOCAL
      || (route->rtm_flags & RTM_F_CLONED))
    return FALSE;
  add_octets (key, "r", 1);
  add_octets (key, &route->rtm_family, sizeof route->rtm_family);
  add_octets (key, &route->rtm_dst_len, sizeof route->rtm_dst_len);
  add_octets (key, &route->rtm_table, sizeof route->rtm_table);
  add_attributes (key, RTM_RTA (route), (int) RTM_PAYLOAD (message), types);
  return TRUE;
}

static gboolean
take_message (RackRoutes *routes, const struct nlmsghdr *message)
{
  GByteArray *key = g_byte_array_new ();
  gboolean counts = FALSE, comes = FALSE;

  switch (message->nlmsg_type)
    {
    case RTM_NEWADDR:
    case RTM_DELADDR:
      comes = message->nlmsg_type == RTM_NEWADDR;
      counts = make_address_key (message, key);
      break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      comes = message->nlmsg_type == RTM_NEWROUTE;
      counts = make_route_key (message, key);
      break;
    default:
      break;
    }
  GBytes *octets = g_byte_array_free_to_bytes (key);
  if (g_hash_table_size (routes->known) >= KNOWN_MAX)
    g_hash_table_remove_all (routes->known);
  if (counts && comes)
    return g_hash_table_add (routes->known, octets);
  if (counts)
    g_hash_table_remove (routes->known, octets);
  g_bytes_unref (octets);
  return counts;
}

gboolean
rack_routes_take_datagram (RackRoutes *routes, const void *data, gsize size)
{
  gboolean changed = FALSE;
  int left = (int) size; /* the last step may go below 0 */

  for (const struct nlmsghdr *at = data; NLMSG_OK (at, left); at = NLMSG_NEXT (at, left))
    changed |= take_message (routes, at);
  return changed;
}

gboolean
rack_routes_take (RackRoutes *routes)
{
  union
  {
    struct nlmsghdr header;
    char octets[16384];
  } space;
  gboolean changed = FALSE;

  for (;;)
    {
      struct sockaddr_nl from = { 0 };
      socklen_t size = sizeof from;
      ssize_t got =
          recvfrom (routes->fd, &space, sizeof space, 0, (struct sockaddr *) &from, &size);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0 && errno == ENOBUFS) /* some were lost */
        {
          changed = TRUE;
          continue;
        }
      if (got <= 0)
        return changed;
      if (from.nl_pid == 0) /* the kernel's, nobody else's */
        changed |= rack_routes_take_datagram (routes, &space, (gsize) got);
    }
}
