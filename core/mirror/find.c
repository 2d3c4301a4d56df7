/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * find.c - messages of all mailboxes by date, sender, flag or thread
 *
 * A search reads the store in batches. One for a single UID looks that up in each
 * mailbox, however many messages the key has.
 */
#include "find.h"

#include "threads.h"

#include <stdio.h>
#include <string.h>

#define DAY_SECONDS 86400

struct RackFind
{
  RackMirror *mirror;
  RackFindBy by;
  gint64 first; /* of a date: the seconds of its day */
  char *sender;
  RackFindFlag flag;
  RackThreads *threads;
  guint32 uid;
  gboolean ended;

  RackStoreCursor cursor;
  GArray *ready; /* of RackFound: found and not given yet */
  guint at;      /* of ready */
};

/* ---- Keys ------------------------------------------------------------------------------------ */

gboolean
rack_find_parse_date (const char *key, gint64 *first)
{
  int year, month, day, end = 0;
  if (strlen (key) != 10 || sscanf (key, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3
      || end != 10)
    return FALSE;
  g_autoptr (GDateTime) date = g_date_time_new_utc (year, month, day, 0, 0, 0);
  if (date == NULL)
    return FALSE;
  char again[RACK_FIND_DATE_SIZE];
  *first = g_date_time_to_unix (date);
  rack_find_format_date (*first, again);
  return strcmp (key, again) == 0;
}

static gboolean
set_key (RackFind *find, const char *key, GError **error)
{
  switch (find->by)
    {
    case RACK_FIND_DATE:
      return rack_find_parse_date (key, &find->first);
    case RACK_FIND_SENDER:
      find->sender = rack_find_parse_sender (find->mirror, key, error);
      return find->sender != NULL;
    case RACK_FIND_FLAG:
      return rack_find_parse_flag (key, &find->flag);
    case RACK_FIND_THREAD:
      find->threads = rack_threads_get (find->mirror, error);
      return find->threads != NULL;
    }
  return FALSE;
}

/* ---- Hits ------------------------------------------------------------------------------------ */

static void
add_found (RackFind *find, guint32 row, guint32 uid, gint64 date, const char *name)
{
  RackFound found = { rack_mirror_folder_by_row (find->mirror, row), row, uid, date, "" };
  if (found.folder == NULL)
    return; /* it was replaced just now */
  if (name != NULL)
    g_strlcpy (found.name, name, sizeof found.name);
  else
    rack_name_uid (uid, found.name);
  g_array_append_val (find->ready, found);
}

static void
take_hit (const RackStoreHit *hit, gpointer data)
{
  add_found (data, hit->row, hit->uid, hit->date, hit->name);
}

/* Of the hits for one UID, those that are meant. */
static void
take_meant_hit (const RackStoreHit *hit, gpointer data)
{
  RackFind *find = data;
  gboolean meant = FALSE;
  switch (find->by)
    {
    case RACK_FIND_DATE:
      meant = hit->date >= find->first && hit->date < find->first + DAY_SECONDS;
      break;
    case RACK_FIND_SENDER:
      meant = g_strcmp0 (hit->sender, find->sender) == 0;
      break;
    case RACK_FIND_FLAG:
      meant = (hit->flags & find->flag.mask) == find->flag.wanted
              && (find->flag.keyword == NULL
                  || rack_find_has_keyword (hit->keywords, find->flag.keyword));
      break;
    case RACK_FIND_THREAD:
      break;
    }
  if (meant)
    take_hit (hit, find);
}

static int
compare_found (gconstpointer a, gconstpointer b)
{
  const RackFound *one = a, *other = b;
  if (one->date != other->date)
    return one->date < other->date ? -1 : 1;
  return one->row < other->row ? -1 : one->row > other->row;
}

static void
take_thread (RackFind *find, const char *key)
{
  guint n;
  const RackThreadMember *members = rack_threads_find (find->threads, key, &n);
  for (guint i = 0; i < n; i++)
    {
      RackEntry entry = { .uid = members[i].uid };
      if (find->uid != 0 && find->uid != entry.uid)
        continue;
      rack_store_names (find->mirror->store, members[i].row, &entry, 1, NULL);
      add_found (find, members[i].row, entry.uid, members[i].date,
                 entry.name[0] != '\0' ? entry.name : NULL);
    }
}

/* Everything that is not read in batches. */
static gboolean
prepare (RackFind *find, const char *key, GError **error)
{
  if (find->by == RACK_FIND_THREAD)
    take_thread (find, key);
  else if (find->uid == 0)
    return TRUE;
  else if (!rack_store_find_uid (find->mirror->store, find->uid, take_meant_hit, find, error))
    return FALSE;
  else if (find->by == RACK_FIND_DATE)
    g_array_sort (find->ready, compare_found);
  find->ended = TRUE;
  return TRUE;
}

RackFind *
rack_mirror_find (RackMirror *mirror, RackFindBy by, const char *key, guint32 uid, GError **error)
{
  g_autoptr (RackFind) find = g_new0 (RackFind, 1);
  GError *problem = NULL;
  find->mirror = mirror;
  find->by = by;
  find->uid = uid;
  find->ready = g_array_new (FALSE, FALSE, sizeof (RackFound));
  if (!set_key (find, key, &problem))
    find->ended = TRUE;
  else
    prepare (find, key, &problem);
  if (problem == NULL)
    return g_steal_pointer (&find);
  g_propagate_error (error, problem);
  return NULL;
}

static guint
read_batch (RackFind *find, guint n, GError **error)
{
  RackStore *store = find->mirror->store;
  switch (find->by)
    {
    case RACK_FIND_DATE:
      return rack_store_find_dates (store, find->first, find->first + DAY_SECONDS, &find->cursor, n,
                                    take_hit, find, error);
    case RACK_FIND_SENDER:
      return rack_store_find_sender (store, find->sender, &find->cursor, n, take_hit, find, error);
    case RACK_FIND_FLAG:
      return rack_store_find_flags (store, find->flag.mask, find->flag.wanted, find->flag.keyword,
                                    &find->cursor, n, take_hit, find, error);
    case RACK_FIND_THREAD:
      break;
    }
  return 0;
}

guint
rack_find_next (RackFind *find, RackFound *found, guint n, GError **error)
{
  while (find->at == find->ready->len && !find->ended)
    {
      g_array_set_size (find->ready, 0);
      find->at = 0;
      find->ended = read_batch (find, n, error) < n;
    }
  n = MIN (n, find->ready->len - find->at);
  if (n > 0)
    memcpy (found, &g_array_index (find->ready, RackFound, find->at), n * sizeof *found);
  find->at += n;
  return n;
}

void
rack_find_free (RackFind *find)
{
  if (find == NULL)
    return;
  g_free (find->sender);
  g_free (find->flag.keyword);
  rack_threads_unref (find->threads);
  g_array_unref (find->ready);
  g_free (find);
}
