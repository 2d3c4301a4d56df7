/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * parts-cache.c - the structures of messages: remembered, kept, asked for
 *
 * Those of the messages that were looked at last are in memory, all that the server ever told are
 * in the store. Of several who want the same one, one asks. Offline, a message that is here as a
 * whole is looked into; the server's word is asked for another time.
 */
#include "body-private.h"
#include "parts.h"
#include "slices.h"

#define REMEMBERED_MAX 256

typedef struct
{
  guint64 key;
  RackParts *parts; /* NULL: somebody asks for it */
  GList link;       /* once it is here */
} Remembered;

struct RackPartsCache
{
  pthread_mutex_t mutex;
  pthread_cond_t cond; /* something that was asked for is here, or will not be */
  GHashTable *table;   /* key -> Remembered */
  GQueue order;        /* the one used last first */
};

RackPartsCache *
rack_parts_cache_new (void)
{
  RackPartsCache *cache = g_new0 (RackPartsCache, 1);
  pthread_mutex_init (&cache->mutex, NULL);
  rack_cond_init (&cache->cond);
  cache->table = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_queue_init (&cache->order);
  return cache;
}

static void
forget (RackPartsCache *cache, Remembered *one)
{
  g_hash_table_remove (cache->table, &one->key);
  if (one->parts != NULL)
    g_queue_unlink (&cache->order, &one->link);
  rack_parts_unref (one->parts);
  g_free (one);
}

void
rack_parts_cache_free (RackPartsCache *cache)
{
  while (cache->order.head != NULL)
    forget (cache, cache->order.head->data);
  g_hash_table_unref (cache->table);
  pthread_cond_destroy (&cache->cond);
  pthread_mutex_destroy (&cache->mutex);
  g_free (cache);
}

/* With the mutex held. Returns: (owned) or NULL */
static RackParts *
recall (RackPartsCache *cache, guint64 key)
{
  Remembered *one = g_hash_table_lookup (cache->table, &key);
  if (one == NULL || one->parts == NULL)
    return NULL;
  g_queue_unlink (&cache->order, &one->link);
  g_queue_push_head_link (&cache->order, &one->link);
  return rack_parts_ref (one->parts);
}

/* parts NULL: it could not be had. */
static void
remember (RackPartsCache *cache, Remembered *one, RackParts *parts)
{
  pthread_mutex_lock (&cache->mutex);
  if (parts != NULL)
    {
      one->parts = rack_parts_ref (parts);
      g_queue_push_head_link (&cache->order, &one->link);
      if (cache->order.length > REMEMBERED_MAX)
        forget (cache, cache->order.tail->data);
    }
  else
    forget (cache, one);
  pthread_cond_broadcast (&cache->cond);
  pthread_mutex_unlock (&cache->mutex);
}

/* NULL without an error: nothing came of the message that could be understood. */
static RackParts *
ask_for (RackFolder *folder, guint32 row, guint32 uid, const char *items, GCancellable *cancellable,
         GError **error)
{
  GError *problem = NULL;
  g_autoptr (RackMailbox) mailbox = rack_folder_handle (folder, row, error);
  if (mailbox == NULL)
    return NULL;
  g_autoptr (RackSet) uids = rack_set_new_range (uid, uid);
  g_autoptr (RackFetch) fetch = rack_mailbox_fetch (mailbox, uids, items, NULL, cancellable, error);
  if (fetch == NULL)
    return NULL;
  const RackMessage *message = rack_fetch_next (fetch, &problem);
  if (message != NULL && message->body != NULL)
    return rack_parts_new (message->body, message->envelope);
  if (problem != NULL)
    g_propagate_error (error, problem);
  return NULL;
}

/* What the server says is right, but it cannot be asked now. NULL: the message is not here. */
static RackParts *
look_into (RackFolder *folder, guint32 row, guint32 uid)
{
  gsize size;
  g_autofree char *octets = rack_bodies_read_whole (folder, row, uid, &size);
  if (octets == NULL)
    return NULL;
  g_autoptr (RackSlices) slices = rack_slices_new ((RackStr){ octets, size });
  return rack_parts_new (rack_slices_root (slices), NULL);
}

static RackParts *
ask (RackFolder *folder, guint32 row, guint32 uid, GCancellable *cancellable, GError **error)
{
  GError *problem = NULL;
  RackParts *parts = NULL;
  if (!rack_online_check (folder->mirror, error))
    return NULL;
  if (folder->mirror->options.names == RACK_NAMES_UID)
    parts = ask_for (folder, row, uid, "UID ENVELOPE BODYSTRUCTURE", cancellable, &problem);
  /* Also of a server whose ENVELOPE nobody understands. */
  if (parts == NULL && problem == NULL)
    parts = ask_for (folder, row, uid, "UID BODYSTRUCTURE", cancellable, &problem);
  rack_online_note (folder->mirror, problem);
  if (problem != NULL)
    g_propagate_error (error, problem);
  else if (parts == NULL)
    g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND,
                 "%s: UID %u is gone, or nobody understands what the server says of its parts",
                 folder->mailbox, uid);
  return parts;
}

static RackParts *
find (RackFolder *folder, guint32 row, guint32 uid, GCancellable *cancellable, GError **error)
{
  RackStore *store = folder->mirror->store;
  GError *problem = NULL;
  g_autoptr (GBytes) kept = rack_store_parts (store, row, uid);
  RackParts *parts = kept != NULL ? rack_parts_thaw (kept) : NULL;
  if (parts != NULL || (!rack_online_is (folder->mirror) && (parts = look_into (folder, row, uid))))
    return parts;
  parts = ask (folder, row, uid, cancellable, &problem);
  if (parts != NULL)
    {
      g_autoptr (GBytes) frozen = rack_parts_freeze (parts);
      /* What cannot be kept is asked for again. */
      if (frozen != NULL)
        rack_store_keep_parts (store, row, uid, frozen, NULL);
    }
  else if (!rack_online_denies (problem) || (parts = look_into (folder, row, uid)) == NULL)
    g_propagate_error (error, problem);
  else
    g_error_free (problem);
  return parts;
}

RackParts *
rack_folder_parts_known (RackFolder *folder, guint32 row, guint32 uid)
{
  RackPartsCache *cache = folder->mirror->parts;
  pthread_mutex_lock (&cache->mutex);
  RackParts *parts = recall (cache, (guint64) row << 32 | uid);
  pthread_mutex_unlock (&cache->mutex);
  return parts;
}

RackParts *
rack_folder_parts (RackFolder *folder, guint32 row, guint32 uid, GCancellable *cancellable,
                   GError **error)
{
  RackPartsCache *cache = folder->mirror->parts;
  guint64 key = (guint64) row << 32 | uid;
  RackParts *parts = NULL;
  Remembered *ours = NULL;
  RackWaiting waiting;
  gboolean ok = TRUE;

  rack_waiting_begin (&waiting, &cache->mutex, &cache->cond, cancellable);
  while (ok && ours == NULL && (parts = recall (cache, key)) == NULL)
    if (g_hash_table_contains (cache->table, &key))
      ok = rack_waiting_once (&waiting, folder->mirror->options.stall, folder->mailbox, error);
    else
      {
        ours = g_new0 (Remembered, 1);
        ours->key = key;
        ours->link.data = ours;
        g_hash_table_insert (cache->table, &ours->key, ours);
      }
  rack_waiting_end (&waiting);
  if (ours == NULL)
    return parts;
  parts = find (folder, row, uid, cancellable, error);
  remember (cache, ours, parts);
  return parts;
}
