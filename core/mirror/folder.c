/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * folder.c - what is asked about one folder, whether its index is ready, and its sizes
 *
 * Everything here answers from memory, but rack_folder_wait(), which has a job look
 * at the mailbox and waits for it. What is asked about its messages is in entries.c.
 */
#include "mirror-private.h"

#include <string.h>

/* After an attempt failed nobody waits for another one so soon, milliseconds. */
#define RETRY_AFTER   2000
/* So long somebody waits for news of what is complete, milliseconds. */
#define MOMENT        300
#define MOMENT_BEHIND 10000
/* So many sizes must have been right until the others are believed. */
#define SIZES_TRUSTED 16

void
rack_news_init (RackNews *news)
{
  news->events = g_array_new (FALSE, FALSE, sizeof (RackEvent));
  rack_rows_init (&news->rows);
}

void
rack_news_clear (RackNews *news)
{
  g_array_unref (news->events);
  rack_rows_clear (&news->rows);
}

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
  rack_limits_init (&folder->limits);
  rack_news_init (&folder->news);
  pthread_mutex_init (&folder->mutex, NULL);
  rack_cond_init (&folder->cond);
  rack_index_init (&folder->index);
  rack_keywords_init (&folder->keywords);
  rack_overlay_init (&folder->overlay);
  return folder;
}

void
rack_folder_free (RackFolder *folder)
{
  rack_index_clear (&folder->index);
  rack_keywords_clear (&folder->keywords);
  rack_overlay_clear (&folder->overlay);
  g_clear_error (&folder->error);
  g_clear_pointer (&folder->handle, rack_mailbox_unref);
  rack_news_clear (&folder->news);
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

void
rack_folder_stamp_flags (RackFolder *folder)
{
  folder->flags_changed =
      MAX (MAX (folder->flags_changed, folder->changed) + 1, g_get_real_time () * 1000);
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
  RackFolder *folder = look_up (mirror, mirror->rows, row);
  if (folder == NULL)
    return NULL;
  pthread_mutex_lock (&folder->mutex);
  gboolean in_force = folder->row == row;
  pthread_mutex_unlock (&folder->mutex);
  return in_force ? folder : NULL;
}

void
rack_folder_facts (RackFolder *folder, RackFolderFacts *facts)
{
  RackMirror *mirror = folder->mirror;
  pthread_mutex_lock (&folder->mutex);
  facts->row = folder->row;
  facts->uid_validity = folder->state.uid_validity;
  facts->complete = folder->complete;
  facts->pushed = folder->pushed;
  facts->messages = folder->index.n;
  facts->expected = folder->complete ? 0 : folder->expected;
  facts->changed = folder->changed;
  facts->flags_changed = MAX (folder->changed, folder->flags_changed);
  pthread_mutex_unlock (&folder->mutex);
  pthread_mutex_lock (&mirror->tree);
  facts->id = folder->id;
  facts->flags = folder->flags;
  facts->selectable = folder->selectable;
  facts->gone = folder->gone;
  facts->children = folder->children->len;
  facts->rights = folder->limits.rights;
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
  return folder->complete
         && ((folder->pushed && !folder->missed) || g_get_monotonic_time () < folder->fresh_until);
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

/* A server that cannot be reached is online.c's business. */
static gboolean
failed_just_now (RackFolder *folder)
{
  return folder->error != NULL && !rack_online_denies (folder->error)
         && g_get_monotonic_time () - folder->error_time < RETRY_AFTER * G_GINT64_CONSTANT (1000);
}

/* What we put there ourselves is not in it: it was sent shortly before an earlier process ended. A
 * program that finds it missing would write it once more. */
static gboolean
is_behind (const RackFolder *folder)
{
  return folder->state.uid_next != 0 && folder->overlay.last_named >= folder->state.uid_next
         && rack_index_find (&folder->index, folder->overlay.last_named) == NULL;
}

/* With the mutex held. What is complete is the answer in any case; a moment is given to whoever
 * looks whether it is the latest. */
static gboolean
wait_a_moment (RackFolder *folder, RackWaiting *waiting, GError **error)
{
  g_autoptr (GError) problem = NULL;
  gint64 until = g_get_monotonic_time () + (is_behind (folder) ? MOMENT_BEHIND : MOMENT) * 1000;
  guint64 finished = folder->finished;
  gint64 left;
  if (!folder->busy && failed_just_now (folder))
    return TRUE;
  rack_sync_want (folder, RACK_WANT_CHECK);
  while (problem == NULL && folder->complete && !is_ready (folder) && folder->finished == finished
         && (left = until - g_get_monotonic_time ()) > 0)
    rack_waiting_once (waiting, left / 1000 + 1, folder->mailbox, &problem);
  if (!g_error_matches (problem, RACK_ERROR, RACK_ERROR_CANCELLED))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

/* The same, until it is complete. */
static gboolean
wait_until_complete (RackFolder *folder, RackWaiting *waiting, GError **error)
{
  gboolean ok = TRUE;
  guint32 seen = folder->index.n;
  if (folder->busy || !failed_just_now (folder))
    {
      guint64 finished = folder->finished;
      gint64 stall = folder->mirror->options.stall;
      rack_sync_want (folder, RACK_WANT_SYNC);
      while (ok && !folder->complete && folder->finished == finished)
        {
          g_autoptr (GError) problem = NULL;
          if (rack_waiting_once (waiting, stall, folder->mailbox, &problem))
            continue;
          /* While messages come in it is no stall. */
          if (g_error_matches (problem, RACK_ERROR, RACK_ERROR_TIMEOUT) && folder->index.n != seen)
            {
              seen = folder->index.n;
              continue;
            }
          g_propagate_error (error, g_steal_pointer (&problem));
          ok = FALSE;
        }
    }
  if (!ok || folder->complete)
    return ok;
  if (folder->error != NULL)
    g_propagate_error (error, g_error_copy (folder->error));
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND, "%s: no such mailbox any more",
                 folder->mailbox);
  return FALSE;
}

gboolean
rack_folder_wait (RackFolder *folder, GCancellable *cancellable, GError **error)
{
  if (rack_folder_ready (folder))
    return TRUE;
  gboolean online = rack_online_is (folder->mirror);
  RackWaiting waiting;
  rack_waiting_begin (&waiting, &folder->mutex, &folder->cond, cancellable);
  gboolean ok;
  if (!folder->complete)
    {
      ok = wait_until_complete (folder, &waiting, error);
      /* From the disk. */
      if (ok && online && is_behind (folder) && !is_ready (folder))
        ok = wait_a_moment (folder, &waiting, error);
    }
  else
    ok = !online || wait_a_moment (folder, &waiting, error);
  rack_waiting_end (&waiting);
  return ok;
}

/* ---- For the other files of the mirror ------------------------------------------ */

guint32
rack_folder_count (const RackFolder *folder)
{
  const RackSet *hidden = folder->overlay.hidden;
  return folder->index.n + (hidden != NULL ? (guint32) rack_set_count (hidden) : 0);
}

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

/* ---- Sizes --------------------------------------------------------------------- */

gboolean
rack_mirror_trusts_sizes (RackMirror *mirror)
{
  return g_atomic_int_get (&mirror->sizes_wrong) == 0
         && g_atomic_int_get (&mirror->sizes_right) >= SIZES_TRUSTED;
}

static gboolean
any_messages (RackFolder *folder)
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
  g_autoptr (GPtrArray) folders = rack_tree_select (mirror, any_messages);
  for (guint f = 0; f < folders->len; f++)
    {
      RackFolder *folder = folders->pdata[f];
      g_autoptr (GArray) doubtful = g_array_new (FALSE, FALSE, sizeof (RackRecord));
      pthread_mutex_lock (&folder->mutex);
      for (guint i = 0; i < folder->index.n; i++)
        if (may_be_misremembered (&folder->index.records[i]))
          g_array_append_val (doubtful, folder->index.records[i]);
      guint32 row = folder->row;
      pthread_mutex_unlock (&folder->mutex);
      rack_changes_push (folder, RACK_CHANGE_SIZES, row, (const RackRecord *) doubtful->data,
                         doubtful->len, NULL);
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
  rack_store_learn_size (mirror->store, row, uid, size);
  if (right)
    {
      if (g_atomic_int_add (&mirror->sizes_right, 1) + 1 == SIZES_TRUSTED)
        rack_mirror_save_trust (mirror);
      return;
    }
  gboolean trusted = rack_mirror_trusts_sizes (mirror);
  if (g_atomic_int_add (&mirror->sizes_wrong, 1) == 0)
    rack_mirror_save_trust (mirror);
  if (trusted)
    distrust_all (mirror);
}
