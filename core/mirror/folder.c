/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * folder.c - what is asked about one folder and its messages
 *
 * Everything here answers from memory, but rack_folder_wait(), which has a job look
 * at the mailbox and waits for it. Answers are copied out under the folder's mutex,
 * so that nobody holds anything of the index while it changes.
 */
#include "mirror-private.h"

#include <string.h>

G_STATIC_ASSERT (RACK_ENTRY_NAME_SIZE > RACK_NAME_MESSAGE_MAX);

/* After an attempt failed nobody waits for another one so soon, milliseconds. */
#define RETRY_AFTER   2000
/* So many sizes must have been right until the others are believed. */
#define SIZES_TRUSTED 16

RackFolder *
rack_folder_new (RackMirror *mirror, RackFolder *parent, guint32 id, char *mailbox, char *directory)
{
  RackFolder *folder = g_new0 (RackFolder, 1);
  folder->mirror = mirror;
  folder->parent = parent;
  folder->id = id;
  folder->mailbox = mailbox;
  folder->directory = directory;
  folder->children = g_ptr_array_new ();
  folder->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  folder->changed = mirror->started;
  folder->events = g_array_new (FALSE, FALSE, sizeof (RackEvent));
  pthread_mutex_init (&folder->mutex, NULL);
  rack_cond_init (&folder->cond);
  rack_index_init (&folder->index);
  return folder;
}

void
rack_folder_free (RackFolder *folder)
{
  rack_index_clear (&folder->index);
  g_clear_error (&folder->error);
  g_clear_pointer (&folder->handle, rack_mailbox_unref);
  g_array_unref (folder->events);
  g_ptr_array_unref (folder->children);
  g_hash_table_unref (folder->by_name);
  pthread_cond_destroy (&folder->cond);
  pthread_mutex_destroy (&folder->mutex);
  g_free (folder->mailbox);
  g_free (folder->directory);
  g_free (folder);
}

void
rack_folder_stamp (RackFolder *folder)
{
  folder->changed = MAX (folder->changed + 1, g_get_real_time () * 1000);
}

/* ---- The tree --------------------------------------------------------------- */

static RackFolder *
look_up (RackMirror *mirror, GHashTable *table, guint32 number)
{
  pthread_mutex_lock (&mirror->tree);
  RackFolder *folder = g_hash_table_lookup (table, GUINT_TO_POINTER (number));
  pthread_mutex_unlock (&mirror->tree);
  return folder;
}

RackFolder *
rack_mirror_folder (RackMirror *mirror, guint32 id)
{
  return look_up (mirror, mirror->ids, id);
}

RackFolder *
rack_mirror_folder_by_row (RackMirror *mirror, guint32 row)
{
  return look_up (mirror, mirror->rows, row);
}

void
rack_folder_facts (RackFolder *folder, RackFolderFacts *facts)
{
  RackMirror *mirror = folder->mirror;
  pthread_mutex_lock (&folder->mutex);
  facts->row = folder->row;
  facts->complete = folder->complete;
  facts->pushed = folder->pushed;
  facts->messages = folder->index.n;
  facts->changed = folder->changed;
  pthread_mutex_unlock (&folder->mutex);
  pthread_mutex_lock (&mirror->tree);
  facts->id = folder->id;
  facts->flags = folder->flags;
  facts->selectable = folder->selectable;
  facts->gone = folder->gone;
  facts->children = folder->children->len;
  pthread_mutex_unlock (&mirror->tree);
}

const char *
rack_folder_mailbox (RackFolder *folder)
{
  return folder->mailbox;
}

const char *
rack_folder_directory (RackFolder *folder)
{
  return folder->directory;
}

RackFolder *
rack_folder_parent (RackFolder *folder)
{
  return folder->parent;
}

RackFolder *
rack_folder_child (RackFolder *folder, const char *directory)
{
  pthread_mutex_lock (&folder->mirror->tree);
  RackFolder *child = g_hash_table_lookup (folder->by_name, directory);
  pthread_mutex_unlock (&folder->mirror->tree);
  return child;
}

guint
rack_folder_children (RackFolder *folder, guint32 after, RackFolder **children, guint n)
{
  guint found = 0;
  pthread_mutex_lock (&folder->mirror->tree);
  for (guint i = 0; i < folder->children->len && found < n; i++)
    {
      RackFolder *child = folder->children->pdata[i];
      if (child->id > after)
        children[found++] = child;
    }
  pthread_mutex_unlock (&folder->mirror->tree);
  return found;
}

/* ---- Ready or not ------------------------------------------------------------ */

static gboolean
is_ready (RackFolder *folder)
{
  return folder->complete && (folder->pushed || g_get_monotonic_time () < folder->fresh_until);
}

static gboolean
is_selectable (RackFolder *folder)
{
  pthread_mutex_lock (&folder->mirror->tree);
  gboolean selectable = folder->selectable;
  pthread_mutex_unlock (&folder->mirror->tree);
  return selectable;
}

gboolean
rack_folder_ready (RackFolder *folder)
{
  if (!is_selectable (folder))
    return TRUE;
  pthread_mutex_lock (&folder->mutex);
  folder->touched = g_get_monotonic_time ();
  gboolean ready = is_ready (folder);
  pthread_mutex_unlock (&folder->mutex);
  return ready;
}

static gboolean
failed_just_now (RackFolder *folder)
{
  return folder->error != NULL
         && g_get_monotonic_time () - folder->error_time < RETRY_AFTER * G_GINT64_CONSTANT (1000);
}

gboolean
rack_folder_wait (RackFolder *folder, GCancellable *cancellable, GError **error)
{
  if (rack_folder_ready (folder))
    return TRUE;

  gboolean ok = TRUE;
  RackWaiting waiting;
  rack_waiting_begin (&waiting, &folder->mutex, &folder->cond, cancellable);
  if (folder->busy || !failed_just_now (folder))
    {
      guint64 finished = folder->finished;
      rack_sync_want (folder, folder->complete ? RACK_WANT_CHECK : RACK_WANT_SYNC);
      while (ok && !is_ready (folder) && folder->finished == finished)
        ok = rack_waiting_once (&waiting, folder->mirror->options.stall, folder->mailbox, error);
    }
  /* What is complete but could not be looked at again now is still the best answer there is. */
  if (ok && !folder->complete)
    {
      ok = FALSE;
      if (folder->error != NULL)
        g_propagate_error (error, g_error_copy (folder->error));
      else
        g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND, "%s: no such mailbox any more",
                     folder->mailbox);
    }
  rack_waiting_end (&waiting);
  return ok;
}

/* ---- The index ---------------------------------------------------------------- */

gboolean
rack_mirror_trusts_sizes (RackMirror *mirror)
{
  return g_atomic_int_get (&mirror->sizes_wrong) == 0
         && g_atomic_int_get (&mirror->sizes_right) >= SIZES_TRUSTED;
}

static void
fill_entry (const RackRecord *record, gboolean trusted, RackEntry *entry)
{
  entry->uid = record->uid;
  entry->flags = record->flags;
  entry->exact = (record->bits & RACK_RECORD_EXACT) != 0;
  entry->dependable = entry->exact || trusted;
  entry->corrected = (record->bits & RACK_RECORD_CORRECTED) != 0;
  /* A guess of 0 would keep tools from reading at all. */
  entry->size = !entry->exact && record->size == 0 ? 1 : record->size;
  entry->date = record->date;
  if (record->name != NULL)
    g_strlcpy (entry->name, record->name, sizeof entry->name);
  else
    rack_name_uid (record->uid, entry->name);
}

gboolean
rack_folder_find (RackFolder *folder, guint32 uid, RackEntry *entry)
{
  gboolean trusted = rack_mirror_trusts_sizes (folder->mirror);
  pthread_mutex_lock (&folder->mutex);
  const RackRecord *record = rack_index_find (&folder->index, uid);
  if (record != NULL)
    fill_entry (record, trusted, entry);
  pthread_mutex_unlock (&folder->mutex);
  return record != NULL;
}

gboolean
rack_folder_find_name (RackFolder *folder, const char *name, RackEntry *entry)
{
  guint32 uid = rack_name_parse_uid (name);
  return uid != 0 && rack_folder_find (folder, uid, entry) && strcmp (entry->name, name) == 0;
}

guint
rack_folder_entries (RackFolder *folder, guint32 after, RackEntry *entries, guint n)
{
  gboolean trusted = rack_mirror_trusts_sizes (folder->mirror);
  guint found = 0;
  if (after == G_MAXUINT32)
    return 0;
  pthread_mutex_lock (&folder->mutex);
  folder->touched = g_get_monotonic_time ();
  guint at = rack_index_position (&folder->index, after + 1);
  for (; at < folder->index.n && found < n; at++)
    fill_entry (&folder->index.records[at], trusted, &entries[found++]);
  pthread_mutex_unlock (&folder->mutex);
  return found;
}

/* ---- For the other files of the mirror ------------------------------------------ */

RackMailbox *
rack_folder_handle (RackFolder *folder, guint32 row, GError **error)
{
  RackMailbox *handle = NULL;
  pthread_mutex_lock (&folder->mutex);
  if (folder->row == row && folder->handle != NULL)
    handle = rack_mailbox_ref (folder->handle);
  pthread_mutex_unlock (&folder->mutex);
  if (handle == NULL)
    g_set_error (error, RACK_ERROR, RACK_ERROR_STALE,
                 "%s: the mailbox was replaced by another of the same name; look again",
                 folder->mailbox);
  return handle;
}

static gboolean
any_complete (RackFolder *folder)
{
  return folder->index.n > 0;
}

static gboolean
may_be_misremembered (const RackRecord *record)
{
  return !(record->bits & RACK_RECORD_EXACT) || (record->bits & RACK_RECORD_CORRECTED);
}

/* Sizes that were believed are not any more: whoever remembers them must ask again. */
static void
distrust_all (RackMirror *mirror)
{
  g_autoptr (GPtrArray) folders = rack_tree_select (mirror, any_complete);
  for (guint f = 0; f < folders->len; f++)
    {
      RackFolder *folder = folders->pdata[f];
      g_autoptr (GArray) uids = g_array_new (FALSE, FALSE, sizeof (guint32));
      pthread_mutex_lock (&folder->mutex);
      for (guint i = 0; i < folder->index.n; i++)
        if (may_be_misremembered (&folder->index.records[i]))
          g_array_append_val (uids, folder->index.records[i].uid);
      rack_changes_push_uids (mirror, RACK_CHANGE_SIZES, folder, uids, FALSE);
      pthread_mutex_unlock (&folder->mutex);
    }
}

void
rack_folder_learn_size (RackFolder *folder, guint32 row, guint32 uid, guint64 size)
{
  RackMirror *mirror = folder->mirror;
  gboolean news = FALSE, right = FALSE;

  pthread_mutex_lock (&folder->mutex);
  RackRecord *record = folder->row == row ? rack_index_find (&folder->index, uid) : NULL;
  if (record != NULL && !(record->bits & RACK_RECORD_EXACT))
    {
      news = TRUE;
      right = record->size == size;
      record->size = size;
      record->bits |= RACK_RECORD_EXACT | (right ? 0 : RACK_RECORD_CORRECTED);
    }
  pthread_mutex_unlock (&folder->mutex);
  if (!news)
    return;
  if (right)
    {
      g_atomic_int_inc (&mirror->sizes_right);
      return;
    }
  gboolean trusted = rack_mirror_trusts_sizes (mirror);
  g_atomic_int_inc (&mirror->sizes_wrong);
  if (trusted)
    distrust_all (mirror);
}
