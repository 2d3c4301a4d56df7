/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cache.c - the mirrors on this disk, for whoever looks after them
 *
 * No mirror is opened for that: only its store, or nothing but its files.
 */
#include "mirror-private.h"

#include <string.h>

void
rack_cache_facts_clear (RackCacheFacts *facts)
{
  g_free (facts->directory);
  g_free (facts->holder);
  for (guint i = 0; i < facts->n_loads; i++)
    g_free (facts->loads[i].mailbox);
  g_free (facts->loads);
  memset (facts, 0, sizeof *facts);
}

void
rack_cache_repairs_clear (RackCacheRepairs *repairs)
{
  g_free (repairs->notice);
  memset (repairs, 0, sizeof *repairs);
}

gboolean
rack_cache_size (RackAccount *account, const char *cache_dir, RackCacheFacts *facts, GError **error)
{
  g_autofree char *place = rack_store_place (account, cache_dir);
  return rack_store_measure (place, facts, error);
}

GPtrArray *
rack_cache_list (RackAccount *account, const char *cache_dir)
{
  g_autofree char *place = rack_store_place (account, cache_dir);
  return rack_store_list (place);
}

gboolean
rack_cache_check (RackAccount *account, const char *cache_dir, RackCacheRepairs *repairs,
                  GError **error)
{
  g_autofree char *place = rack_store_place (account, cache_dir);
  memset (repairs, 0, sizeof *repairs);
  if (!rack_store_exists (place))
    return TRUE;
  for (guint attempt = 0;; attempt++)
    {
      g_autoptr (GError) problem = NULL;
      char *notice = NULL;
      RackStore *store =
          rack_store_open (place, "mailrack cache check", RACK_STORE_PATIENCE, &notice, error);
      if (notice != NULL)
        {
          g_free (repairs->notice);
          repairs->notice = notice;
        }
      if (store == NULL)
        break;
      gboolean ok = rack_store_check (store, &repairs->dropped, &problem)
                    && rack_bodies_check (store, &repairs->dropped, &problem);
      gboolean damaged = !ok && rack_store_is_suspect (store);
      rack_store_close (store);
      if (ok)
        return TRUE;
      /* Opened again, it is set aside. */
      if (damaged && attempt == 0)
        continue;
      g_propagate_error (error, g_steal_pointer (&problem));
      break;
    }
  rack_cache_repairs_clear (repairs);
  return FALSE;
}

gboolean
rack_cache_clear (RackAccount *account, const char *cache_dir, GError **error)
{
  g_autofree char *place = rack_store_place (account, cache_dir);
  return rack_store_clear (place, error);
}
