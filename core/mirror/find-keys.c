/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * find-keys.c - the keys by which messages are found
 */
#include "find.h"

#include "threads.h"

#include <string.h>

#define DAY_SECONDS 86400
/* The first second of the year 10000, which no name of a day has. */
#define DATE_END    G_GINT64_CONSTANT (253402300800)

static const struct
{
  const char *key;
  RackFlags mask, wanted;
} flags[] = {
  { "unread", RACK_FLAG_SEEN, 0 },
  { "flagged", RACK_FLAG_FLAGGED, RACK_FLAG_FLAGGED },
  { "answered", RACK_FLAG_ANSWERED, RACK_FLAG_ANSWERED },
  { "draft", RACK_FLAG_DRAFT, RACK_FLAG_DRAFT },
};

/* Takes key. */
static void
add_key (GPtrArray *keys, const char *prefix, char *key)
{
  if (g_str_has_prefix (key, prefix))
    g_ptr_array_add (keys, key);
  else
    g_free (key);
}

/* ---- Dates ----------------------------------------------------------------------------------- */

void
rack_find_format_date (gint64 date, char *buffer)
{
  g_autoptr (GDateTime) day = g_date_time_new_from_unix_utc (date);
  g_snprintf (buffer, RACK_FIND_DATE_SIZE, "%04d-%02d-%02d", g_date_time_get_year (day),
              g_date_time_get_month (day), g_date_time_get_day_of_month (day));
}

/* Where the days begin whose keys begin with prefix; they follow each other. */
static gint64
date_of_prefix (const char *prefix)
{
  static const char first[] = "1970-01-01";
  gint64 date;
  gsize size = strlen (prefix);
  if (size >= sizeof first)
    return 0;
  g_autofree char *key = g_strconcat (prefix, first + size, NULL);
  return rack_find_parse_date (key, &date) ? date : 0;
}

static void
add_dates (RackMirror *mirror, const char *prefix, GPtrArray *keys, GError **error)
{
  gint64 date = date_of_prefix (prefix);
  while ((date = rack_store_next_date (mirror->store, date, error)) >= 0 && date < DATE_END)
    {
      char key[RACK_FIND_DATE_SIZE];
      rack_find_format_date (date, key);
      if (!g_str_has_prefix (key, prefix))
        {
          if (strcmp (key, prefix) > 0)
            return;
          date = (date / DAY_SECONDS + 1) * DAY_SECONDS;
          continue;
        }
      g_ptr_array_add (keys, g_strdup (key));
      date = (date / DAY_SECONDS + 1) * DAY_SECONDS;
    }
}

/* ---- Senders --------------------------------------------------------------------------------- */

static void
add_senders (RackMirror *mirror, const char *prefix, GPtrArray *keys, GError **error)
{
  g_autofree char *sender = g_strdup ("");
  for (;;)
    {
      char *next = rack_store_next_sender (mirror->store, sender, error);
      if (next == NULL)
        return;
      add_key (keys, prefix, rack_name_directory (next, -1, FALSE));
      g_free (sender);
      sender = next;
    }
}

char *
rack_find_parse_sender (RackMirror *mirror, const char *key, GError **error)
{
  char *sender = rack_name_directory_parse (key, FALSE);
  if (sender != NULL || strstr (key, "%~") == NULL)
    return sender;
  /* It was cut. */
  sender = g_strdup ("");
  while (sender != NULL)
    {
      g_autofree char *before = sender;
      sender = rack_store_next_sender (mirror->store, before, error);
      g_autofree char *name = sender != NULL ? rack_name_directory (sender, -1, FALSE) : NULL;
      if (g_strcmp0 (name, key) == 0)
        break;
    }
  return sender;
}

/* ---- Flags ----------------------------------------------------------------------------------- */

static gboolean
is_flag (const char *word)
{
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    if (strcmp (flags[i].key, word) == 0)
      return TRUE;
  return FALSE;
}

static void
add_flags (RackMirror *mirror, const char *prefix, GPtrArray *keys, GError **error)
{
  g_autoptr (GHashTable) keywords = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    add_key (keys, prefix, g_strdup (flags[i].key));
  if (!rack_store_each_keyword (mirror->store, keywords, error))
    return;
  g_autoptr (GList) sorted = g_list_sort (g_hash_table_get_keys (keywords), (GCompareFunc) strcmp);
  for (const GList *l = sorted; l != NULL; l = l->next)
    if (is_flag (l->data))
      add_key (keys, prefix, g_strconcat ("%", l->data, NULL));
    else
      add_key (keys, prefix, rack_name_directory (l->data, -1, FALSE));
}

gboolean
rack_find_parse_flag (const char *key, RackFindFlag *flag)
{
  memset (flag, 0, sizeof *flag);
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    if (strcmp (flags[i].key, key) == 0)
      {
        flag->mask = flags[i].mask;
        flag->wanted = flags[i].wanted;
        return TRUE;
      }
  if (key[0] == '%' && is_flag (key + 1))
    flag->keyword = g_strdup (key + 1);
  else
    flag->keyword = rack_name_directory_parse (key, FALSE);
  return flag->keyword != NULL;
}

gboolean
rack_find_has_keyword (const char *keywords, const char *keyword)
{
  if (keywords == NULL)
    return FALSE;
  g_auto (GStrv) words = g_strsplit (keywords, " ", -1);
  return g_strv_contains ((const char *const *) words, keyword);
}

/* ---- All ---- */

static void
add_threads (RackMirror *mirror, const char *prefix, GPtrArray *keys, GError **error)
{
  g_autoptr (RackThreads) threads = rack_threads_get (mirror, error);
  const GPtrArray *names = threads != NULL ? rack_threads_names (threads) : NULL;
  for (guint i = 0; names != NULL && i < names->len; i++)
    add_key (keys, prefix, g_strdup (names->pdata[i]));
}

char **
rack_mirror_find_keys (RackMirror *mirror, RackFindBy by, const char *prefix, GError **error)
{
  static void (*const add[]) (RackMirror *, const char *, GPtrArray *, GError **) = {
    [RACK_FIND_DATE] = add_dates,
    [RACK_FIND_SENDER] = add_senders,
    [RACK_FIND_FLAG] = add_flags,
    [RACK_FIND_THREAD] = add_threads,
  };
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  GError *problem = NULL;
  add[by](mirror, prefix, keys, &problem);
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return NULL;
    }
  g_ptr_array_add (keys, NULL);
  return (char **) g_ptr_array_steal (keys, NULL);
}

gboolean
rack_mirror_find_has (RackMirror *mirror, RackFindBy by, const char *key, GError **error)
{
  RackFound found;
  if (by == RACK_FIND_FLAG && is_flag (key))
    return TRUE;
  g_autoptr (RackFind) find = rack_mirror_find (mirror, by, key, 0, error);
  return find != NULL && rack_find_next (find, &found, 1, error) > 0;
}
