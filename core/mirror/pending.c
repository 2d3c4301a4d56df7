/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pending.c - how a change of a message looks before the server has confirmed it, and after
 *
 * A message that is taken away leaves the index of its folder; flags change in the index. It is not
 * decided here what is changed, nor sent.
 */
#include "pending.h"
#include "outbox.h"

#include <string.h>

gint64
rack_pending_key (guint32 row, guint32 uid)
{
  return (gint64) ((guint64) row << 32 | uid);
}

/* ---- How it looks ---------------------------------------------------------------------------- */

static void
take_out (RackOutbox *outbox, RackPending *pending)
{
  RackFolder *folder = pending->folder;
  g_autoptr (RackSet) uids = rack_set_new_range (pending->uid, pending->uid);
  RackIndex gone;
  rack_index_init (&gone);
  pthread_mutex_lock (&folder->mutex);
  gboolean ours = rack_overlay_is_about (&folder->overlay, pending->uid_validity);
  if (ours)
    {
      rack_overlay_hide (&folder->overlay, pending->uid, TRUE);
      rack_index_take (&folder->index, uids, &gone);
      rack_folder_stamp (folder);
    }
  guint32 row = folder->row;
  pthread_mutex_unlock (&folder->mutex);
  if (gone.n > 0)
    {
      pthread_mutex_lock (&outbox->shown);
      pending->record = gone.records[0];
      pthread_mutex_unlock (&outbox->shown);
      RackNames *names = rack_names_read (folder, row, &pending->uid, 1);
      rack_changes_push_taken (folder, row, gone.records, names);
    }
  rack_index_clear (&gone);
}

/* What replaced this message cannot have its number while both are there. */
static void
renumber_successor (const RackPending *pending)
{
  RackFolder *folder = pending->folder;
  RackRecord found;
  pthread_mutex_lock (&folder->mutex);
  gboolean numbered = pending->successor != 0
                      && folder->overlay.uid_validity == pending->uid_validity
                      && rack_overlay_number_of (&folder->overlay, pending->successor) != 0;
  const RackRecord *record = numbered ? rack_index_find (&folder->index, pending->successor) : NULL;
  if (numbered)
    rack_overlay_set_number (&folder->overlay, pending->successor, 0);
  if (record != NULL)
    found = *record;
  guint32 row = folder->row;
  pthread_mutex_unlock (&folder->mutex);
  if (record != NULL)
    rack_changes_push (folder, RACK_CHANGE_SIZES, row, &found, 1, NULL);
}

static void
put_back (RackPending *pending)
{
  RackFolder *folder = pending->folder;
  gboolean back = FALSE;
  pthread_mutex_lock (&folder->mutex);
  if (folder->overlay.uid_validity == pending->uid_validity)
    {
      rack_overlay_hide (&folder->overlay, pending->uid, FALSE);
      back =
          folder->loaded && folder->row != 0 && folder->state.uid_validity == pending->uid_validity;
      if (back)
        {
          RackIndex one;
          rack_index_init (&one);
          rack_index_append (&one, &pending->record);
          rack_index_merge (&folder->index, &one, NULL);
          rack_folder_stamp (folder);
        }
    }
  guint32 row = folder->row;
  pthread_mutex_unlock (&folder->mutex);
  if (back)
    rack_changes_push (folder, RACK_CHANGE_ADDED, row, &pending->record, 1,
                       rack_names_read (folder, row, &pending->uid, 1));
}

static void
arrive (RackOutbox *outbox, RackPending *pending)
{
  RackFolder *target = pending->target;
  pthread_mutex_lock (&outbox->shown);
  rack_arrivals_add (outbox, pending);
  pthread_mutex_unlock (&outbox->shown);
  pthread_mutex_lock (&target->mutex);
  rack_folder_stamp (target);
  pthread_mutex_unlock (&target->mutex);
  rack_outbox_tell (target, 0, pending->name);
}

void
rack_pending_depart (RackOutbox *outbox, RackPending *pending)
{
  if (pending->arriving.place == NULL)
    return;
  pthread_mutex_lock (&outbox->shown);
  rack_arrivals_remove (outbox, pending);
  pthread_mutex_unlock (&outbox->shown);
  pthread_mutex_lock (&pending->target->mutex);
  rack_folder_stamp (pending->target);
  pthread_mutex_unlock (&pending->target->mutex);
  rack_outbox_tell (pending->target, 0, pending->name);
}

void
rack_pending_redirect (RackOutbox *outbox, RackPending *pending, const RackPending *as)
{
  pthread_mutex_lock (&outbox->shown);
  rack_arrivals_remove (outbox, pending);
  g_free (pending->name);
  g_free (pending->base);
  pending->target = as->target;
  pending->name = as->name;
  pending->named = as->named;
  pending->base = as->base;
  pending->base_space = as->base_space;
  rack_arrivals_add (outbox, pending);
  pthread_mutex_unlock (&outbox->shown);
}

/* The record of a message gets other flags and keywords. */
static void
show_flags (RackPending *pending, RackFlags flags, const char *keywords)
{
  RackFolder *folder = pending->folder;
  RackFlagged flagged;
  gboolean changed = FALSE;
  pthread_mutex_lock (&folder->mutex);
  RackRecord *record = folder->state.uid_validity == pending->uid_validity
                           ? rack_index_find (&folder->index, pending->uid)
                           : NULL;
  if (record != NULL)
    {
      flagged.before = *record;
      record->flags = (guint16) flags;
      rack_record_set_keywords (record, &folder->keywords, keywords);
      flagged.after = *record;
      changed = memcmp (&flagged.before, &flagged.after, sizeof (RackRecord)) != 0;
      if (changed)
        rack_folder_stamp_flags (folder);
    }
  guint32 row = folder->row;
  pthread_mutex_unlock (&folder->mutex);
  if (changed)
    rack_changes_push_flags (folder, row, &flagged, 1);
}

/* Of the message now. Returns: (owned) */
static char *
keywords_now (RackPending *pending)
{
  g_auto (GStrv) words = rack_folder_keywords (pending->folder, pending->uid);
  return words != NULL ? g_strjoinv (" ", words) : g_strdup ("");
}

static void
flag (RackPending *pending)
{
  RackFolder *folder = pending->folder;
  g_autofree char *before = keywords_now (pending);
  g_autofree char *after =
      rack_overlay_join (before, pending->add_keywords, pending->remove_keywords);
  pthread_mutex_lock (&folder->mutex);
  gboolean ours = rack_overlay_is_about (&folder->overlay, pending->uid_validity);
  if (ours)
    {
      rack_overlay_intend (&folder->overlay, pending->uid, pending->add, pending->remove);
      rack_overlay_intend_keywords (&folder->overlay, pending->uid, pending->add_keywords,
                                    pending->remove_keywords);
    }
  const RackRecord *record = ours ? rack_index_find (&folder->index, pending->uid) : NULL;
  RackFlags flags = 0;
  if (record != NULL)
    {
      pending->record = *record;
      flags = (record->flags & ~pending->remove) | pending->add;
    }
  pthread_mutex_unlock (&folder->mutex);
  if (record != NULL)
    show_flags (pending, flags, after);
}

static void
settle_flags (RackPending *pending)
{
  RackFolder *folder = pending->folder;
  pthread_mutex_lock (&folder->mutex);
  if (folder->overlay.uid_validity == pending->uid_validity)
    rack_overlay_settle (&folder->overlay, pending->uid);
  pthread_mutex_unlock (&folder->mutex);
}

void
rack_pending_apply (RackOutbox *outbox, RackPending *pending)
{
  gint64 key = rack_pending_key (pending->row, pending->uid);
  switch (pending->kind)
    {
    case RACK_CHANGE_ROW_MOVE:
      /* Those who look find it in both places for a moment, never in none. */
      pthread_mutex_lock (&outbox->shown);
      if (pending->row != 0)
        g_hash_table_replace (outbox->at, g_memdup2 (&key, sizeof key), pending);
      pthread_mutex_unlock (&outbox->shown);
      arrive (outbox, pending);
      take_out (outbox, pending);
      break;
    case RACK_CHANGE_ROW_COPY:
      arrive (outbox, pending);
      break;
    case RACK_CHANGE_ROW_EXPUNGE:
      take_out (outbox, pending);
      break;
    case RACK_CHANGE_ROW_STORE:
      flag (pending);
      break;
    }
}

void
rack_pending_revert (RackOutbox *outbox, RackPending *pending)
{
  gint64 key = rack_pending_key (pending->row, pending->uid);
  pthread_mutex_lock (&outbox->shown);
  if (g_hash_table_lookup (outbox->at, &key) == pending)
    g_hash_table_remove (outbox->at, &key);
  pthread_mutex_unlock (&outbox->shown);
  switch (pending->kind)
    {
    case RACK_CHANGE_ROW_MOVE:
      rack_pending_depart (outbox, pending);
      put_back (pending);
      break;
    case RACK_CHANGE_ROW_COPY:
      rack_pending_depart (outbox, pending);
      break;
    case RACK_CHANGE_ROW_EXPUNGE:
      renumber_successor (pending);
      put_back (pending);
      break;
    case RACK_CHANGE_ROW_STORE:
      {
        RackFlags touched = pending->add | pending->remove, flags = 0;
        g_autofree char *now = keywords_now (pending);
        g_autofree char *before =
            rack_overlay_join (now, pending->remove_keywords, pending->add_keywords);
        settle_flags (pending);
        pthread_mutex_lock (&pending->folder->mutex);
        const RackRecord *record = rack_index_find (&pending->folder->index, pending->uid);
        if (record != NULL)
          flags = (record->flags & ~touched) | (pending->record.flags & touched);
        pthread_mutex_unlock (&pending->folder->mutex);
        if (record != NULL)
          show_flags (pending, flags, before);
        break;
      }
    }
}

/* What is confirmed is in the store too, where the server will not tell it again. */
static void
store_flags (RackPending *pending)
{
  RackFolder *folder = pending->folder;
  g_auto (GStrv) words = rack_folder_keywords (folder, pending->uid);
  guint n = words != NULL ? g_strv_length (words) : 0;
  g_autofree RackStr *keywords = g_new (RackStr, n);
  RackRows rows;
  for (guint i = 0; i < n; i++)
    keywords[i] = (RackStr){ words[i], strlen (words[i]) };
  pthread_mutex_lock (&folder->mutex);
  const RackRecord *record = rack_index_find (&folder->index, pending->uid);
  RackFlagList list = { .n_keywords = n, .keywords = keywords };
  list.system = record != NULL ? (RackFlags) record->flags : 0;
  guint32 row = folder->row;
  pthread_mutex_unlock (&folder->mutex);
  if (record == NULL || row != pending->row)
    return;
  rack_rows_init (&rows);
  rack_rows_add_flags (&rows, pending->uid, &list, 0);
  rack_store_set_flags (folder->mirror->store, row, &rows, NULL);
  rack_rows_clear (&rows);
}

static void
note_moved (RackOutbox *outbox, RackPending *pending, guint32 uid_validity, guint32 uid)
{
  gint64 key = rack_pending_key (pending->row, pending->uid);
  RackMoved *moved = g_new (RackMoved, 1);
  *moved = (RackMoved){ pending->target, uid_validity, uid };
  pthread_mutex_lock (&outbox->shown);
  if (pending->row != 0)
    g_hash_table_replace (outbox->moved, g_memdup2 (&key, sizeof key), moved);
  else
    g_free (moved);
  pthread_mutex_unlock (&outbox->shown);
}

void
rack_pending_complete (RackOutbox *outbox, RackPending *pending, guint32 uid_validity, guint32 uid)
{
  RackFolder *target = pending->target;
  pending->new_uid = uid;
  if (target != NULL && uid != 0)
    {
      pthread_mutex_lock (&target->mutex);
      gboolean ours = rack_overlay_is_about (&target->overlay, uid_validity);
      if (ours && pending->named)
        {
          rack_overlay_claim (&target->overlay, uid);
          rack_overlay_name (&target->overlay, uid, pending->name);
        }
      if (ours)
        rack_overlay_set_base (&target->overlay, uid, pending->base, pending->base_space);
      pthread_mutex_unlock (&target->mutex);
    }
  if (pending->kind == RACK_CHANGE_ROW_MOVE)
    note_moved (outbox, pending, uid_validity, uid);
  if (pending->kind == RACK_CHANGE_ROW_STORE)
    {
      settle_flags (pending);
      store_flags (pending);
    }
}
