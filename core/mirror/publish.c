/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * publish.c - what was learnt of a folder goes to the store, the index and whoever listens
 *
 * What comes is in the store before it is in the index, what goes leaves the index
 * first: so that whatever the index has, the store has its name. One job at a time
 * works on a folder; only a drop may come between, and everything here notices that.
 */
#include "mirror-private.h"

/* With the folder's mutex held, unless FALSE is returned. */
static gboolean
lock_if_open (RackFolder *folder, RackMailbox *mailbox, GError **error)
{
  pthread_mutex_lock (&folder->mutex);
  if (folder->handle == mailbox)
    return TRUE;
  pthread_mutex_unlock (&folder->mutex);
  g_set_error (error, RACK_ERROR, RACK_ERROR_STALE, "%s: it changed while it was read",
               folder->mailbox);
  return FALSE;
}

static gboolean
prefix (RackFolder *folder, GError **error)
{
  g_prefix_error (error, "%s: ", folder->mailbox);
  return FALSE;
}

/* ---- Coming ----------------------------------------------------------------------------- */

static gboolean
has_forwarded (const char *keywords)
{
  static const char word[] = "$Forwarded";
  for (const char *at = keywords; at != NULL && *at != '\0';)
    {
      gsize length = strcspn (at, " ");
      if (length == strlen (word) && g_ascii_strncasecmp (at, word, length) == 0)
        return TRUE;
      at += length + strspn (at + length, " ");
    }
  return FALSE;
}

void
rack_record_set_keywords (RackRecord *record, RackKeywords *keywords, const char *text)
{
  record->keywords = rack_keywords_number (keywords, text);
  record->bits = (record->bits & ~(guint) RACK_RECORD_FORWARDED)
                 | (has_forwarded (text) ? RACK_RECORD_FORWARDED : 0);
}

/* With the folder's mutex held. */
static void
merge (RackFolder *folder, const RackRows *rows, GArray *added)
{
  RackIndex batch;
  rack_index_init (&batch);
  for (guint i = 0; i < rows->n; i++)
    {
      const RackRow *row = &rows->items[i];
      if (rack_overlay_hides (&folder->overlay, row->uid))
        continue;
      RackRecord record = {
        .uid = row->uid,
        .flags = (guint16) rack_overlay_flags (&folder->overlay, row->uid, row->flags),
        .size = row->size,
        .date = row->date,
      };
      g_autofree char *changed = NULL;
      rack_record_set_keywords (&record, &folder->keywords,
                                rack_overlay_keywords (&folder->overlay, row->uid,
                                                       rack_rows_text (rows, row->keywords),
                                                       &changed));
      rack_index_append (&batch, &record);
    }
  rack_index_seal (&batch);
  rack_index_merge (&folder->index, &batch, added);
}

/* Messages without names come to a box whose messages all had one. */
static gboolean
note_unnamed (RackFolder *folder, GError **error)
{
  pthread_mutex_lock (&folder->mutex);
  gboolean news = folder->box.named && !rack_mirror_names (folder->mirror);
  folder->box.named &= !news;
  RackStoreBox box = folder->box;
  pthread_mutex_unlock (&folder->mutex);
  return !news || rack_store_note_box (folder->mirror->store, &box, error);
}

/* Of uids (guint32), which are there. With the folder's mutex held. */
static RackRecord *
copy_records (RackFolder *folder, const GArray *uids)
{
  RackRecord *records = g_new (RackRecord, uids->len);
  for (guint i = 0; i < uids->len; i++)
    records[i] = *rack_index_find (&folder->index, g_array_index (uids, guint32, i));
  return records;
}

gboolean
rack_sync_publish (RackFolder *folder, RackMailbox *mailbox, const RackRows *rows, GError **error)
{
  if (rows->n == 0)
    return TRUE;
  if (!lock_if_open (folder, mailbox, error))
    return FALSE;
  guint32 row = folder->row;
  pthread_mutex_unlock (&folder->mutex);
  if (!note_unnamed (folder, error) || !rack_store_add (folder->mirror->store, row, rows, error))
    return prefix (folder, error);

  g_autoptr (GArray) added = g_array_new (FALSE, FALSE, sizeof (guint32));
  if (!lock_if_open (folder, mailbox, error))
    return FALSE;
  merge (folder, rows, added);
  gboolean tell = folder->complete && added->len > 0;
  g_autofree RackRecord *records = tell ? copy_records (folder, added) : NULL;
  if (tell)
    rack_folder_stamp (folder);
  pthread_mutex_unlock (&folder->mutex);
  if (tell)
    {
      const guint32 *uids = (const guint32 *) added->data;
      rack_changes_push (folder, RACK_CHANGE_ADDED, row, records, added->len,
                         rack_names_read (folder, row, uids, added->len));
    }
  return TRUE;
}

/* ---- Going ------------------------------------------------------------------------------- */

gboolean
rack_sync_remove (RackFolder *folder, RackMailbox *mailbox, const RackSet *uids, GError **error)
{
  RackIndex gone;
  rack_index_init (&gone);
  if (!lock_if_open (folder, mailbox, error))
    return FALSE;
  rack_index_take (&folder->index, uids, &gone);
  g_autoptr (RackSet) set = rack_set_new ();
  if (folder->overlay.hidden != NULL)
    {
      rack_set_merge (set, folder->overlay.hidden);
      rack_set_intersect (set, uids);
      rack_set_subtract (folder->overlay.hidden, set);
    }
  guint32 row = folder->row, uid_validity = folder->state.uid_validity;
  if (gone.n > 0)
    rack_folder_stamp (folder);
  pthread_mutex_unlock (&folder->mutex);

  g_autofree guint32 *left = g_new (guint32, gone.n);
  for (guint i = 0; i < gone.n; i++)
    {
      left[i] = gone.records[i].uid;
      rack_set_add (set, left[i], left[i]);
    }
  RackNames *names = rack_names_read (folder, row, left, gone.n);
  gboolean ok =
      rack_store_remove (folder->mirror->store, row, set, error) || prefix (folder, error);
  rack_changes_push (folder, RACK_CHANGE_REMOVED, row, gone.records, gone.n, names);
  rack_folder_forget_names (folder, uid_validity, set);
  rack_index_clear (&gone);
  return ok;
}

/* ---- Changing ------------------------------------------------------------------------------ */

/* With the folder's mutex held. Returns: whether record has other flags now. */
static gboolean
set_record (RackFolder *folder, RackRecord *record, const RackRows *rows, const RackRow *row,
            RackFlagged *flagged)
{
  g_autofree char *changed = NULL;
  const char *text = rack_overlay_keywords (&folder->overlay, row->uid,
                                            rack_rows_text (rows, row->keywords), &changed);
  guint16 keywords = rack_keywords_number (&folder->keywords, text);
  guint16 flags = (guint16) rack_overlay_flags (&folder->overlay, row->uid, row->flags);
  if (record->flags == flags && record->keywords == keywords && keywords != RACK_KEYWORDS_OWN)
    return FALSE;
  flagged->before = *record;
  record->flags = flags;
  rack_record_set_keywords (record, &folder->keywords, text);
  flagged->after = *record;
  return TRUE;
}

static int
by_uid (gconstpointer a, gconstpointer b)
{
  guint32 left = ((const RackFlagged *) a)->before.uid;
  guint32 right = ((const RackFlagged *) b)->before.uid;
  return (left > right) - (left < right);
}

gboolean
rack_sync_set_flags (RackFolder *folder, RackMailbox *mailbox, RackRows *rows, GError **error)
{
  g_autoptr (GArray) changed = g_array_new (FALSE, FALSE, sizeof (RackFlagged));
  guint kept = 0;
  if (!lock_if_open (folder, mailbox, error))
    return FALSE;
  for (guint i = 0; i < rows->n; i++)
    {
      const RackRow one = rows->items[i];
      RackRecord *record = rack_index_find (&folder->index, one.uid);
      RackFlagged flagged;
      gboolean news = record != NULL && set_record (folder, record, rows, &one, &flagged);
      if (news)
        g_array_append_val (changed, flagged);
      if (news || (record != NULL && one.modseq != 0))
        rows->items[kept++] = one;
    }
  rows->n = kept;
  if (changed->len > 0)
    rack_folder_stamp_flags (folder);
  guint32 row = folder->row;
  pthread_mutex_unlock (&folder->mutex);
  gboolean ok =
      rack_store_set_flags (folder->mirror->store, row, rows, error) || prefix (folder, error);
  g_array_sort (changed, by_uid);
  rack_changes_push_flags (folder, row, (const RackFlagged *) changed->data, changed->len);
  return ok;
}

/* ---- The whole ------------------------------------------------------------------------------- */

gboolean
rack_sync_note (RackFolder *folder, GError **error)
{
  pthread_mutex_lock (&folder->mutex);
  RackStoreBox box = folder->box;
  box.uid_next = folder->state.uid_next;
  box.modseq = folder->state.highest_modseq;
  box.complete = folder->complete;
  box.changed = folder->changed;
  box.flags_changed = MAX (folder->changed, folder->flags_changed);
  box.named = box.named || (folder->complete && rack_mirror_names (folder->mirror));
  box.expected = folder->complete ? 0 : box.expected;
  gboolean news = box.row != 0 && folder->loaded
                  && (box.uid_next != folder->box.uid_next || box.modseq != folder->box.modseq
                      || box.complete != folder->box.complete || box.changed != folder->box.changed
                      || box.flags_changed != folder->box.flags_changed
                      || box.named != folder->box.named || box.expected != folder->box.expected);
  if (news)
    folder->box = box;
  pthread_mutex_unlock (&folder->mutex);
  return !news || rack_store_note_box (folder->mirror->store, &box, error)
         || prefix (folder, error);
}

typedef struct
{
  RackIndex index;
  RackKeywords keywords;
} Loading;

/* With the folder's mutex held: what is on its way is seen as done. */
static void
apply_overlay (RackFolder *folder)
{
  const RackOverlay *overlay = &folder->overlay;
  RackIndex hidden;
  rack_index_init (&hidden);
  if (overlay->hidden != NULL)
    rack_index_take (&folder->index, overlay->hidden, &hidden);
  rack_index_clear (&hidden);
  if (overlay->intents == NULL)
    return;
  GHashTableIter iter;
  gpointer uid;
  g_hash_table_iter_init (&iter, overlay->intents);
  while (g_hash_table_iter_next (&iter, &uid, NULL))
    {
      RackRecord *record = rack_index_find (&folder->index, GPOINTER_TO_UINT (uid));
      if (record == NULL)
        continue;
      g_autofree char *changed = NULL;
      const char *before = rack_keywords_text (&folder->keywords, record->keywords);
      const char *after = rack_overlay_keywords (overlay, record->uid, before, &changed);
      record->flags = (guint16) rack_overlay_flags (overlay, record->uid, record->flags);
      if (after != before && before != NULL)
        rack_record_set_keywords (record, &folder->keywords, after);
    }
}

static void
load_message (const RackStoreMessage *message, gpointer data)
{
  Loading *loading = data;
  RackRecord record = { .uid = message->uid,
                        .flags = (guint16) message->flags,
                        .size = message->size,
                        .bits = message->exact ? RACK_RECORD_EXACT : 0,
                        .date = message->date };
  rack_record_set_keywords (&record, &loading->keywords, message->keywords);
  rack_index_append (&loading->index, &record);
}

/* With the folder's mutex held: takes over what was loaded. */
static void
take_loaded (RackFolder *folder, Loading *loading)
{
  const RackStoreBox *box = &folder->box;
  rack_index_clear (&folder->index);
  rack_keywords_clear (&folder->keywords);
  rack_index_trim (&loading->index);
  folder->index = loading->index;
  folder->keywords = loading->keywords;
  rack_index_init (&loading->index);
  rack_keywords_init (&loading->keywords);
  folder->row = box->row;
  folder->changed = MAX (folder->changed, box->changed);
  folder->flags_changed = MAX (folder->flags_changed, box->flags_changed);
  folder->state = (RackMailboxState){ box->uid_validity, box->uid_next, box->modseq };
  rack_overlay_bind (&folder->overlay, box->uid_validity);
  apply_overlay (folder);
  folder->complete = box->complete && (box->named || !rack_mirror_names (folder->mirror));
  if (folder->complete)
    folder->handle =
        rack_mailbox_bind (folder->mirror->account, folder->mailbox, TRUE, box->uid_validity);
  pthread_cond_broadcast (&folder->cond);
}

gboolean
rack_sync_load (RackFolder *folder, GError **error)
{
  Loading loading;
  pthread_mutex_lock (&folder->mutex);
  gboolean loaded = folder->loaded;
  guint32 row = folder->box.row;
  pthread_mutex_unlock (&folder->mutex);
  if (loaded)
    return TRUE;
  rack_index_init (&loading.index);
  rack_keywords_init (&loading.keywords);
  gboolean ok =
      row == 0 || rack_store_load (folder->mirror->store, row, load_message, &loading, error);
  pthread_mutex_lock (&folder->mutex);
  if (ok && folder->box.row == row)
    {
      folder->loaded = TRUE;
      if (row != 0)
        take_loaded (folder, &loading);
    }
  pthread_mutex_unlock (&folder->mutex);
  rack_index_clear (&loading.index);
  rack_keywords_clear (&loading.keywords);
  return ok || prefix (folder, error);
}
