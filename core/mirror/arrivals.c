/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * arrivals.c - messages that were moved or copied and are not in the index of their target yet
 *
 * And where a message is by now: whoever has seen it where it was may still ask for it there.
 */
#include "outbox.h"
#include "pending.h"

#include <string.h>

/* So long a message that the server has moved is shown by us, milliseconds. */
#define PATIENCE 30000

/* ---- The tables; with both mutexes held ---------------------------------------------------- */

static void
free_shelf (gpointer shelf)
{
  rack_shelf_free (shelf);
}

void
rack_arrivals_init (RackOutbox *outbox)
{
  outbox->arrivals = g_hash_table_new_full (NULL, NULL, NULL, free_shelf);
  outbox->landed = g_ptr_array_new ();
  outbox->landings = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  outbox->at = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  outbox->moved = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
}

void
rack_arrivals_clear (RackOutbox *outbox)
{
  g_hash_table_unref (outbox->arrivals);
  g_hash_table_unref (outbox->landings);
  g_hash_table_unref (outbox->at);
  g_hash_table_unref (outbox->moved);
  g_ptr_array_set_free_func (outbox->landed, (GDestroyNotify) rack_pending_free);
  g_ptr_array_unref (outbox->landed);
}

void
rack_arrivals_add (RackOutbox *outbox, RackPending *pending)
{
  RackShelf *here = g_hash_table_lookup (outbox->arrivals, pending->target);
  if (here == NULL)
    {
      here = rack_shelf_new ();
      g_hash_table_insert (outbox->arrivals, pending->target, here);
    }
  rack_shelf_add (here, &pending->arriving, pending->id, pending->name, pending);
}

void
rack_arrivals_remove (RackOutbox *outbox, RackPending *pending)
{
  rack_shelf_remove (g_hash_table_lookup (outbox->arrivals, pending->target), &pending->arriving);
}

/* ---- Those that are there ------------------------------------------------------------------- */

/* It is in the index, or was: it may have been moved on since. With shown held. */
static gboolean
is_seen (RackPending *pending)
{
  RackFolder *target = pending->target;
  if (pending->seen)
    return TRUE;
  pthread_mutex_lock (&target->mutex);
  gboolean seen = pending->new_uid == 0 || !target->complete
                  || rack_index_find (&target->index, pending->new_uid) != NULL
                  || rack_overlay_hides (&target->overlay, pending->new_uid);
  pthread_mutex_unlock (&target->mutex);
  pending->seen = seen;
  return seen;
}

void
rack_outbox_land (RackOutbox *outbox, RackPending *pending)
{
  gint64 key = rack_pending_key (pending->target->id, pending->new_uid);
  g_ptr_array_add (outbox->landed, pending);
  if (pending->new_uid != 0)
    g_hash_table_replace (outbox->landings, g_memdup2 (&key, sizeof key), pending);
}

RackPending *
rack_outbox_find_landed (RackOutbox *outbox, const RackFolder *folder, guint32 uid)
{
  gint64 key = rack_pending_key (folder->id, uid);
  return g_hash_table_lookup (outbox->landings, &key);
}

gboolean
rack_outbox_take_moved (RackOutbox *outbox, RackFolder *folder, guint32 uid, RackRecord *record)
{
  RackPending *pending = rack_outbox_find_landed (outbox, folder, uid);
  if (pending == NULL)
    return FALSE;
  pthread_mutex_lock (&outbox->shown);
  pending->seen = TRUE;
  pthread_mutex_unlock (&outbox->shown);
  *record = pending->record;
  record->uid = uid;
  return TRUE;
}

static void
leave (RackOutbox *outbox, RackPending *pending)
{
  gint64 at = rack_pending_key (pending->row, pending->uid);
  gint64 key = rack_pending_key (pending->target->id, pending->new_uid);
  if (g_hash_table_lookup (outbox->landings, &key) == pending)
    g_hash_table_remove (outbox->landings, &key);
  pthread_mutex_lock (&outbox->shown);
  if (g_hash_table_lookup (outbox->at, &at) == pending)
    g_hash_table_remove (outbox->at, &at);
  pthread_mutex_unlock (&outbox->shown);
  rack_pending_depart (outbox, pending);
  rack_pending_free (pending);
}

guint
rack_outbox_settle_arrivals (RackOutbox *outbox)
{
  GPtrArray *landed = outbox->landed;
  guint left = 0;
  for (guint i = 0; i < landed->len; i++)
    {
      RackPending *pending = landed->pdata[i];
      gint64 age = g_get_monotonic_time () - pending->made;
      pthread_mutex_lock (&outbox->shown);
      gboolean seen = is_seen (pending);
      pthread_mutex_unlock (&outbox->shown);
      if (!seen && age < PATIENCE * G_GINT64_CONSTANT (1000))
        landed->pdata[left++] = pending;
      else
        leave (outbox, pending);
    }
  g_ptr_array_set_size (landed, (gint) left);
  return left;
}

void
rack_pending_fill (const RackPending *pending, RackArrival *arrival)
{
  const RackRecord *record = &pending->record;
  memset (arrival, 0, sizeof *arrival);
  arrival->id = pending->id;
  arrival->row = pending->row;
  arrival->entry = (RackEntry){
    .uid = pending->uid,
    .flags = record->flags,
    .keywords = 0,
    .size = MAX (record->size, 1),
    .exact = (record->bits & RACK_RECORD_EXACT) != 0,
    .dependable =
        (record->bits & RACK_RECORD_EXACT) || rack_mirror_trusts_sizes (pending->folder->mirror),
    .corrected = (record->bits & RACK_RECORD_CORRECTED) != 0,
    .forwarded = (record->bits & RACK_RECORD_FORWARDED) != 0,
    .date = record->date,
  };
  rack_name_copy (pending->name, arrival->entry.name, sizeof arrival->entry.name);
  if (pending->base != NULL)
    {
      rack_name_copy (pending->base, arrival->entry.base, sizeof arrival->entry.base);
      arrival->entry.base_space = pending->base_space;
    }
}

/* What is in the index already is not shown twice. With shown held. */
static gboolean
is_shown (RackPending *pending)
{
  return pending->row != 0 && !(pending->done && is_seen (pending));
}

guint
rack_folder_arrivals (RackFolder *folder, RackTicket after, RackArrival *arrivals, guint n)
{
  RackOutbox *outbox = folder->mirror->outbox;
  guint found = 0;
  if (outbox == NULL)
    return 0;
  pthread_mutex_lock (&outbox->shown);
  const RackShelf *here = g_hash_table_lookup (outbox->arrivals, folder);
  for (RackShelved *at = here != NULL ? rack_shelf_after (here, after) : NULL;
       at != NULL && found < n; at = rack_shelved_next (at))
    if (is_shown (at->thing))
      rack_pending_fill (at->thing, &arrivals[found++]);
  pthread_mutex_unlock (&outbox->shown);
  return found;
}

RackPending *
rack_outbox_find_arrival (RackOutbox *outbox, RackFolder *folder, const char *name)
{
  const RackShelf *here = g_hash_table_lookup (outbox->arrivals, folder);
  const RackShelved *at = here != NULL ? rack_shelf_find (here, name) : NULL;
  while (at != NULL && !is_shown (at->thing))
    at = at->namesake;
  return at != NULL ? at->thing : NULL;
}

gboolean
rack_folder_find_arrival (RackFolder *folder, const char *name, RackArrival *arrival)
{
  RackOutbox *outbox = folder->mirror->outbox;
  if (outbox == NULL)
    return FALSE;
  pthread_mutex_lock (&outbox->shown);
  const RackPending *pending = rack_outbox_find_arrival (outbox, folder, name);
  if (pending != NULL)
    rack_pending_fill (pending, arrival);
  pthread_mutex_unlock (&outbox->shown);
  return pending != NULL;
}

/* ---- Where it is now ---------------------------------------------------------------------- */

void
rack_outbox_follow (RackOutbox *outbox, guint32 *row, guint32 *uid, RackPending **pending)
{
  *pending = NULL;
  for (guint steps = 0; steps < 64; steps++)
    {
      gint64 key = rack_pending_key (*row, *uid);
      RackPending *moving = g_hash_table_lookup (outbox->at, &key);
      if (moving != NULL && !(moving->done && moving->new_uid != 0))
        {
          *pending = moving;
          return;
        }
      const RackMoved *moved = g_hash_table_lookup (outbox->moved, &key);
      if (moved == NULL || moved->uid == 0)
        return;
      pthread_mutex_lock (&moved->folder->mutex);
      guint32 next =
          moved->folder->state.uid_validity == moved->uid_validity ? moved->folder->row : 0;
      pthread_mutex_unlock (&moved->folder->mutex);
      if (next == 0)
        return;
      *row = next;
      *uid = moved->uid;
    }
}

RackFolder *
rack_mirror_whereabouts (RackMirror *mirror, guint32 row, guint32 uid, RackEntry *entry)
{
  RackOutbox *outbox = mirror->outbox;
  RackFolder *folder = rack_mirror_folder_by_row (mirror, row);
  RackEntry found;
  RackArrival arrival;
  RackPending *pending;
  if (folder != NULL && rack_folder_stat (folder, uid, entry != NULL ? entry : &found))
    return folder;
  if (outbox == NULL)
    return NULL;
  guint32 first_row = row, first_uid = uid;
  pthread_mutex_lock (&outbox->shown);
  rack_outbox_follow (outbox, &row, &uid, &pending);
  if (pending == NULL && (row != first_row || uid != first_uid))
    {
      pthread_mutex_unlock (&outbox->shown);
      folder = rack_mirror_folder_by_row (mirror, row);
      if (folder != NULL && rack_folder_find (folder, uid, entry != NULL ? entry : &found))
        return folder;
      /* Not seen there yet: as it was when it left. */
      pthread_mutex_lock (&outbox->shown);
      gint64 key = rack_pending_key (first_row, first_uid);
      pending = g_hash_table_lookup (outbox->at, &key);
    }
  folder = NULL;
  if (pending != NULL)
    {
      rack_pending_fill (pending, &arrival);
      folder = pending->target;
      if (entry != NULL)
        *entry = arrival.entry;
    }
  pthread_mutex_unlock (&outbox->shown);
  /* It was seen there in just that moment. */
  if (pending == NULL && (row != first_row || uid != first_uid))
    {
      folder = rack_mirror_folder_by_row (mirror, row);
      if (folder != NULL && !rack_folder_find (folder, uid, entry != NULL ? entry : &found))
        folder = NULL;
    }
  return folder;
}

RackBody *
rack_mirror_body (RackMirror *mirror, guint32 row, guint32 uid)
{
  RackOutbox *outbox = mirror->outbox;
  RackPending *pending;
  if (outbox != NULL)
    {
      pthread_mutex_lock (&outbox->shown);
      rack_outbox_follow (outbox, &row, &uid, &pending);
      pthread_mutex_unlock (&outbox->shown);
    }
  RackFolder *folder = rack_mirror_folder_by_row (mirror, row);
  return folder != NULL ? rack_folder_body (folder, row, uid) : NULL;
}
