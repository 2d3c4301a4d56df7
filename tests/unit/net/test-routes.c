/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-routes.c - which messages of the kernel are a change of the network
 *
 * The datagrams are made here; that the kernel's own are understood is shown by a mount in a
 * network of its own (tests/fs/test_mount_network.py). */
#include "routes.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <string.h>

typedef struct
{
  union
  {
    struct nlmsghdr header;
    char octets[512];
  } space;
} Datagram;

static void
add_attribute (Datagram *datagram, guint16 type, const void *data, guint16 size)
{
  struct nlmsghdr *header = &datagram->space.header;
  struct rtattr *at = (struct rtattr *) (datagram->space.octets + NLMSG_ALIGN (header->nlmsg_len));

  at->rta_type = type;
  at->rta_len = (guint16) RTA_LENGTH (size);
  memcpy (RTA_DATA (at), data, size);
  header->nlmsg_len = NLMSG_ALIGN (header->nlmsg_len) + RTA_ALIGN (at->rta_len);
}

/* lifetime: what is repeated with another one is the same. */
static Datagram
address (guint16 type, const char *text, guint8 scope, guint8 flags, guint32 lifetime)
{
  Datagram datagram = { 0 };
  struct ifaddrmsg *body = NLMSG_DATA (&datagram.space.header);
  struct ifa_cacheinfo cache = { .ifa_valid = lifetime };
  guint32 octets = inet_addr (text);

  datagram.space.header.nlmsg_type = type;
  datagram.space.header.nlmsg_len = NLMSG_LENGTH (sizeof *body);
  *body = (struct ifaddrmsg){ AF_INET, 24, flags, scope, 2 };
  add_attribute (&datagram, IFA_LOCAL, &octets, sizeof octets);
  add_attribute (&datagram, IFA_CACHEINFO, &cache, sizeof cache);
  return datagram;
}

static Datagram
route (guint16 type, const char *gateway, guint8 protocol, guint8 table)
{
  Datagram datagram = { 0 };
  struct rtmsg *body = NLMSG_DATA (&datagram.space.header);
  guint32 octets = inet_addr (gateway);

  datagram.space.header.nlmsg_type = type;
  datagram.space.header.nlmsg_len = NLMSG_LENGTH (sizeof *body);
  *body = (struct rtmsg){
    .rtm_family = AF_INET, .rtm_table = table, .rtm_protocol = protocol, .rtm_type = RTN_UNICAST
  };
  add_attribute (&datagram, RTA_GATEWAY, &octets, sizeof octets);
  return datagram;
}

static gboolean
take (RackRoutes *routes, Datagram datagram)
{
  return rack_routes_take_datagram (routes, &datagram, datagram.space.header.nlmsg_len);
}

static void
test_addresses (void)
{
  RackRoutes *routes = rack_routes_new ();

  g_assert_true (take (routes, address (RTM_NEWADDR, "192.0.2.1", RT_SCOPE_UNIVERSE, 0, 60)));
  g_assert_false (take (routes, address (RTM_NEWADDR, "192.0.2.1", RT_SCOPE_UNIVERSE, 0, 90)));
  g_assert_true (take (routes, address (RTM_NEWADDR, "192.0.2.2", RT_SCOPE_UNIVERSE, 0, 90)));
  g_assert_true (take (routes, address (RTM_DELADDR, "192.0.2.1", RT_SCOPE_UNIVERSE, 0, 0)));
  g_assert_true (take (routes, address (RTM_NEWADDR, "192.0.2.1", RT_SCOPE_UNIVERSE, 0, 60)));
  /* What was there before anybody listened. */
  g_assert_true (take (routes, address (RTM_DELADDR, "192.0.2.9", RT_SCOPE_UNIVERSE, 0, 0)));
  /* What leads nowhere, or not yet. */
  g_assert_false (take (routes, address (RTM_NEWADDR, "169.254.0.1", RT_SCOPE_LINK, 0, 60)));
  g_assert_false (take (routes, address (RTM_NEWADDR, "127.0.0.2", RT_SCOPE_HOST, 0, 60)));
  g_assert_false (
      take (routes, address (RTM_NEWADDR, "192.0.2.5", RT_SCOPE_UNIVERSE, IFA_F_TENTATIVE, 60)));
  g_assert_true (take (routes, address (RTM_NEWADDR, "192.0.2.5", RT_SCOPE_UNIVERSE, 0, 60)));
  rack_routes_free (routes);
}

static void
test_routes (void)
{
  RackRoutes *routes = rack_routes_new ();

  g_assert_true (take (routes, route (RTM_NEWROUTE, "192.0.2.1", RTPROT_BOOT, RT_TABLE_MAIN)));
  g_assert_false (take (routes, route (RTM_NEWROUTE, "192.0.2.1", RTPROT_BOOT, RT_TABLE_MAIN)));
  g_assert_true (take (routes, route (RTM_NEWROUTE, "192.0.2.3", RTPROT_BOOT, RT_TABLE_MAIN)));
  g_assert_true (take (routes, route (RTM_DELROUTE, "192.0.2.1", RTPROT_BOOT, RT_TABLE_MAIN)));
  g_assert_false (take (routes, route (RTM_NEWROUTE, "192.0.2.4", RTPROT_KERNEL, RT_TABLE_MAIN)));
  g_assert_false (take (routes, route (RTM_NEWROUTE, "192.0.2.4", RTPROT_BOOT, RT_TABLE_LOCAL)));
  rack_routes_free (routes);
}

/* Whatever is cut or nonsense is no change and reads nothing beyond the end. */
static void
test_garbage (void)
{
  RackRoutes *routes = rack_routes_new ();
  Datagram whole = address (RTM_NEWADDR, "192.0.2.1", RT_SCOPE_UNIVERSE, 0, 60);
  guint32 size = whole.space.header.nlmsg_len;

  for (guint32 i = 0; i < size; i++)
    {
      g_autofree char *cut = g_memdup2 (&whole, i);
      g_assert_false (rack_routes_take_datagram (routes, cut, i));
    }
  for (guint i = 0; i < 100000; i++)
    {
      g_autofree char *changed = g_memdup2 (&whole, size);
      for (guint n = 0; n < 3; n++)
        changed[g_test_rand_int_range (0, (gint32) size)] = (char) g_test_rand_int ();
      rack_routes_take_datagram (routes, changed, size);
    }
  rack_routes_free (routes);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/routes/addresses", test_addresses);
  g_test_add_func ("/routes/routes", test_routes);
  g_test_add_func ("/routes/garbage", test_garbage);
  return g_test_run ();
}
