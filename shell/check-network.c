/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * check-network.c - mailrack check: the name of the server, and whether it can be reached
 *
 * Every address is tried, since one that does not answer costs each connection time. */
#include "check.h"

#include <string.h>

void
check_place_clear (CheckPlace *place)
{
  g_clear_pointer (&place->host, g_free);
}

static char *
address_text (gpointer address)
{
  return g_inet_address_to_string (address);
}

/* Returns: (owned, element-type char *) addresses as text, or NULL. */
static GPtrArray *
resolve (CheckReport *report, const char *host)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  g_autoptr (GError) problem = NULL;
  GPtrArray *texts = g_ptr_array_new_with_free_func (g_free);

  if (g_hostname_is_ip_address (host))
    {
      check_say (report, "name", CHECK_OK, NULL, "%s is an address", host);
      g_ptr_array_add (texts, g_strdup (host));
      return texts;
    }
  GList *found = g_resolver_lookup_by_name (resolver, host, NULL, &problem);
  if (found == NULL)
    {
      g_autoptr (GError) unresolved =
          g_error_new (RACK_ERROR, RACK_ERROR_NETWORK, "%s: %s", host, problem->message);
      check_fail (report, "name", unresolved,
                  "check host in the configuration, and whether this machine is online");
      g_ptr_array_unref (texts);
      return NULL;
    }
  g_autoptr (GString) all = g_string_new (NULL);
  for (GList *at = found; at != NULL; at = at->next)
    {
      char *text = address_text (at->data);
      if (g_ptr_array_find_with_equal_func (texts, text, g_str_equal, NULL))
        {
          g_free (text);
          continue;
        }
      g_string_append_printf (all, "%s%s", all->len > 0 ? ", " : "", text);
      g_ptr_array_add (texts, text);
    }
  g_resolver_free_addresses (found);
  check_say (report, "name", CHECK_OK, NULL, "%s is %s", host, all->str);
  return texts;
}

/* Returns: whether somebody listens there; what and how long it took is appended to text. */
static gboolean
reach (const CheckPlace *place, const char *address, GString *text, GError **error)
{
  gint64 began = g_get_monotonic_time ();
  const RackWait wait = { .size = sizeof (RackWait), .deadline = began + place->timeout * 1000 };
  RackStream *stream = rack_tcp_connect (address, place->port, &wait, error);

  if (stream == NULL)
    return FALSE;
  stream->ops->close (stream);
  g_string_append_printf (text, "%s%s in %.0f ms", text->len > 0 ? ", " : "", address,
                          (double) (g_get_monotonic_time () - began) / 1000);
  return TRUE;
}

static const char *
advice_for (const GError *problem)
{
  if (problem->code == RACK_ERROR_TIMEOUT)
    return "nothing answers: a firewall in between, or the wrong host or port (993 with ssl, 143 "
           "with starttls)";
  return "nothing listens there: check host and port (993 with ssl, 143 with starttls)";
}

gboolean
check_network (CheckReport *report, const CheckPlace *place)
{
  if (place->host == NULL)
    return TRUE;
  g_autoptr (GPtrArray) addresses = resolve (report, place->host);
  g_autoptr (GString) reached = g_string_new (NULL);
  g_autoptr (GString) silent = g_string_new (NULL);
  g_autoptr (GError) first = NULL;

  if (addresses == NULL)
    return FALSE;
  for (guint i = 0; i < addresses->len; i++)
    {
      g_autoptr (GError) problem = NULL;
      if (reach (place, addresses->pdata[i], reached, &problem))
        continue;
      g_string_append_printf (silent, "%s%s", silent->len > 0 ? ", " : "",
                              (const char *) addresses->pdata[i]);
      if (first == NULL)
        first = g_steal_pointer (&problem);
    }
  if (reached->len == 0)
    {
      check_fail (report, "tcp", first, advice_for (first));
      return FALSE;
    }
  if (silent->len == 0)
    check_say (report, "tcp", CHECK_OK, NULL, "port %u: %s", place->port, reached->str);
  else
    check_say (report, "tcp", CHECK_WARN,
               "each connection may lose time there: have the address repaired, or taken out of "
               "the name",
               "port %u: %s; but not %s: %s", place->port, reached->str, silent->str,
               first->message);
  return TRUE;
}
