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

/* ---- Arrivals ----------------------------------------------------------------------------- */

/* It is in the index, or was: it may have been moved on since. With the outbox' mutex held. */
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

guint
rack_outbox_settle_arrivals (RackOutbox *outbox)
{
  guint left = 0;
  for (guint i = outbox->arrivals->len; i-- > 0;)
    {
      RackPending *pending = outbox->arrivals->pdata[i];
      if (!pending->done)
        continue;
      gint64 age = g_get_monotonic_time () - pending->made;
      if (!is_seen (pending) && age < PATIENCE * G_GINT64_CONSTANT (1000))
        {
          left++;
          continue;
        }
      gint64 key = rack_pending_key (pending->row, pending->uid);
      if (g_hash_table_lookup (outbox->at, &key) == pending)
        g_hash_table_remove (outbox->at, &key);
      rack_pending_depart (outbox, pending);
      rack_pending_free (pending);
    }
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
  g_strlcpy (arrival->entry.name, pending->name, sizeof arrival->entry.name);
  if (pending->base != NULL)
    {
      g_strlcpy (arrival->entry.base, pending->base, sizeof arrival->entry.base);
      arrival->entry.base_space = pending->base_space;
    }
}

/* With the outbox' mutex held: what is in the index already is not shown twice. */
static gboolean
is_shown (RackPending *pending, RackFolder *folder)
{
  return pending->target == folder && pending->row != 0 && !(pending->done && is_seen (pending));
}

guint
rack_folder_arrivals (RackFolder *folder, RackTicket after, RackArrival *arrivals, guint n)
{
  RackOutbox *outbox = folder->mirror->outbox;
  guint found = 0;
  if (outbox == NULL)
    return 0;
  pthread_mutex_lock (&outbox->mutex);
  for (guint i = 0; i < outbox->arrivals->len && found < n; i++)
    {
      RackPending *pending = outbox->arrivals->pdata[i];
      if (pending->id > after && is_shown (pending, folder))
        rack_pending_fill (pending, &arrivals[found++]);
    }
  pthread_mutex_unlock (&outbox->mutex);
  return found;
}

/* With the outbox' mutex held. */
RackPending *
rack_outbox_find_arrival (RackOutbox *outbox, RackFolder *folder, const char *name)
{
  for (guint i = 0; i < outbox->arrivals->len; i++)
    {
      RackPending *pending = outbox->arrivals->pdata[i];
      if (is_shown (pending, folder) && strcmp (pending->name, name) == 0)
        return pending;
    }
  return NULL;
}

gboolean
rack_folder_find_arrival (RackFolder *folder, const char *name, RackArrival *arrival)
{
  RackOutbox *outbox = folder->mirror->outbox;
  if (outbox == NULL)
    return FALSE;
  pthread_mutex_lock (&outbox->mutex);
  const RackPending *pending = rack_outbox_find_arrival (outbox, folder, name);
  if (pending != NULL)
    rack_pending_fill (pending, arrival);
  pthread_mutex_unlock (&outbox->mutex);
  return pending != NULL;
}

/* ---- Where it is now ---------------------------------------------------------------------- */

/* With the outbox' mutex held: follows moves that are done. *pending: one that is not. */
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
  pthread_mutex_lock (&outbox->mutex);
  rack_outbox_follow (outbox, &row, &uid, &pending);
  if (pending == NULL && (row != first_row || uid != first_uid))
    {
      pthread_mutex_unlock (&outbox->mutex);
      folder = rack_mirror_folder_by_row (mirror, row);
      if (folder != NULL && rack_folder_find (folder, uid, entry != NULL ? entry : &found))
        return folder;
      /* Not seen there yet: as it was when it left. */
      pthread_mutex_lock (&outbox->mutex);
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
  pthread_mutex_unlock (&outbox->mutex);
  return folder;
}

RackBody *
rack_mirror_body (RackMirror *mirror, guint32 row, guint32 uid)
{
  RackOutbox *outbox = mirror->outbox;
  RackPending *pending;
  if (outbox != NULL)
    {
      pthread_mutex_lock (&outbox->mutex);
      rack_outbox_follow (outbox, &row, &uid, &pending);
      pthread_mutex_unlock (&outbox->mutex);
    }
  RackFolder *folder = rack_mirror_folder_by_row (mirror, row);
  return folder != NULL ? rack_folder_body (folder, row, uid) : NULL;
}
