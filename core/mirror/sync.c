/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sync.c - how the index of a folder comes and stays right
 *
 * One job at a time works on a folder: it loads the index, compares it with the
 * server, or applies what a watch reported. What it learnt is published under the
 * folder's mutex and only then queued as a change. When anything is in doubt (a reset,
 * a lost connection, a new UIDVALIDITY) everything is looked at again.
 */
#include "mirror-private.h"

#include <string.h>

/* The newest of a large mailbox are there before the rest. */
#define NEWEST_FIRST       2000
#define NEWEST_WINDOW      500
/* How long a failure spares a complete folder from the next attempt, milliseconds. */
#define CALM_AFTER_FAILURE 5000
/* Without mod-sequences only the flags of so many of the newest are asked for again. */
#define FLAGS_WINDOW       20000

static void run_job (gpointer data);

void
rack_sync_want (RackFolder *folder, RackWant want)
{
  folder->wanted |= want;
  if (folder->busy)
    return;
  folder->busy = TRUE;
  /* What somebody waits for goes before what only keeps things current. */
  rack_jobs_push (folder->mirror->jobs, run_job, folder, !folder->complete);
}

void
rack_sync_request (RackFolder *folder, RackWant want)
{
  pthread_mutex_lock (&folder->mutex);
  rack_sync_want (folder, want);
  pthread_mutex_unlock (&folder->mutex);
}

void
rack_sync_drop (RackFolder *folder)
{
  RackIndex gone;
  pthread_mutex_lock (&folder->mutex);
  gone = folder->index;
  rack_index_init (&folder->index);
  guint32 row = folder->row;
  rack_tree_drop_row (folder);
  folder->row = 0;
  folder->complete = folder->pushed = folder->missed = FALSE;
  g_clear_pointer (&folder->handle, rack_mailbox_unref);
  g_array_set_size (folder->events, 0);
  folder->ahead = (RackAhead){ 0 };
  rack_folder_stamp (folder);
  pthread_cond_broadcast (&folder->cond);
  pthread_mutex_unlock (&folder->mutex);
  rack_watchers_stop (folder);
  rack_changes_push (folder->mirror, RACK_CHANGE_REMOVED, folder, row, &gone, TRUE);
  rack_index_clear (&gone);
}

static gboolean
is_complete (RackFolder *folder)
{
  pthread_mutex_lock (&folder->mutex);
  gboolean complete = folder->complete;
  pthread_mutex_unlock (&folder->mutex);
  return complete;
}

/* ---- Publishing ----------------------------------------------------------------- */

/* batch (emptied) comes in, removed (may be NULL) goes. FALSE: the folder was dropped meanwhile. */
static gboolean
publish (RackFolder *folder, RackMailbox *mailbox, RackIndex *batch, const RackSet *removed,
         GError **error)
{
  g_autoptr (GArray) added = g_array_new (FALSE, FALSE, sizeof (guint32));
  RackIndex gone;
  rack_index_init (&gone);

  pthread_mutex_lock (&folder->mutex);
  if (folder->handle != mailbox)
    {
      pthread_mutex_unlock (&folder->mutex);
      g_set_error (error, RACK_ERROR, RACK_ERROR_STALE, "%s: it changed while it was read",
                   folder->mailbox);
      return FALSE;
    }
  if (removed != NULL)
    rack_index_take (&folder->index, removed, &gone);
  rack_index_merge (&folder->index, batch, added);
  if (folder->complete && (gone.n > 0 || added->len > 0))
    {
      rack_folder_stamp (folder);
      rack_changes_push_uids (folder->mirror, RACK_CHANGE_ADDED, folder, added, TRUE);
    }
  guint32 row = folder->row;
  pthread_mutex_unlock (&folder->mutex);

  rack_changes_push (folder->mirror, RACK_CHANGE_REMOVED, folder, row, &gone, TRUE);
  rack_index_clear (&gone);
  return TRUE;
}

static void
set_flags (RackFolder *folder, guint32 uid, RackFlags flags, GArray *changed)
{
  RackRecord *record = rack_index_find (&folder->index, uid);
  if (record == NULL || record->flags == (guint16) flags)
    return;
  record->flags = (guint16) flags;
  g_array_append_val (changed, uid);
}

/* ---- The first time --------------------------------------------------------------- */

/* Returns: (owned) the open mailbox. Opens it if it is not. */
static RackMailbox *
ensure_open (RackFolder *folder, GError **error)
{
  pthread_mutex_lock (&folder->mutex);
  RackMailbox *handle = folder->handle != NULL ? rack_mailbox_ref (folder->handle) : NULL;
  pthread_mutex_unlock (&folder->mutex);
  if (handle != NULL)
    return handle;
  handle = rack_mailbox_open (folder->mirror->account, folder->mailbox, TRUE,
                              folder->mirror->cancellable, error);
  if (handle == NULL)
    return NULL;
  RackMailboxStatus status;
  rack_mailbox_status (handle, &status);
  pthread_mutex_lock (&folder->mutex);
  folder->handle = rack_mailbox_ref (handle);
  folder->row = rack_tree_new_row (folder, status.uid_validity);
  folder->seen = status;
  pthread_mutex_unlock (&folder->mutex);
  return handle;
}

static gboolean
load_range (RackFolder *folder, RackMailbox *mailbox, guint32 first, guint32 last, GError **error)
{
  g_autoptr (RackSet) uids = rack_set_new_range (first, last);
  RackIndex batch;
  rack_index_init (&batch);
  gboolean ok = rack_fill (folder, mailbox, uids, &batch, error)
                && publish (folder, mailbox, &batch, NULL, error);
  rack_index_clear (&batch);
  return ok;
}

static gboolean
load (RackFolder *folder, RackMailbox *mailbox, GError **error)
{
  RackMailboxStatus status;
  guint32 below = RACK_SET_STAR;
  rack_mailbox_status (mailbox, &status);
  if (status.messages > NEWEST_FIRST && status.uid_next > NEWEST_WINDOW + 1)
    {
      guint32 first = status.uid_next - NEWEST_WINDOW;
      if (!load_range (folder, mailbox, first, RACK_SET_STAR, error))
        return FALSE;
      below = first - 1;
    }
  return load_range (folder, mailbox, 1, below, error);
}

/* ---- Every other time --------------------------------------------------------------- */

static gboolean
refresh_flags (RackFolder *folder, RackMailbox *mailbox, GError **error)
{
  guint32 first = 1;
  g_autofree char *modifiers = NULL;

  pthread_mutex_lock (&folder->mutex);
  if (folder->seen.highest_modseq != 0)
    modifiers = g_strdup_printf ("CHANGEDSINCE %" G_GUINT64_FORMAT, folder->seen.highest_modseq);
  else if (folder->index.n > FLAGS_WINDOW)
    first = folder->index.records[folder->index.n - FLAGS_WINDOW].uid;
  gboolean empty = folder->index.n == 0;
  pthread_mutex_unlock (&folder->mutex);
  if (empty)
    return TRUE;

  g_autoptr (RackSet) uids = rack_set_new_range (first, RACK_SET_STAR);
  g_autoptr (RackFetch) fetch = rack_mailbox_fetch (mailbox, uids, "UID FLAGS", modifiers,
                                                    folder->mirror->cancellable, error);
  if (fetch == NULL)
    return FALSE;
  g_autoptr (GArray) changed = g_array_new (FALSE, FALSE, sizeof (guint32));
  GError *problem = NULL;
  const RackMessage *message;
  while ((message = rack_fetch_next (fetch, &problem)) != NULL)
    if (message->fields & RACK_FIELD_FLAGS)
      {
        pthread_mutex_lock (&folder->mutex);
        if (folder->handle == mailbox)
          set_flags (folder, message->uid, message->flags.system, changed);
        pthread_mutex_unlock (&folder->mutex);
      }
  pthread_mutex_lock (&folder->mutex);
  rack_changes_push_uids (folder->mirror, RACK_CHANGE_FLAGS, folder, changed, FALSE);
  pthread_mutex_unlock (&folder->mutex);
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return FALSE;
    }
  return TRUE;
}

static gboolean
resync (RackFolder *folder, RackMailbox *mailbox, GError **error)
{
  g_autoptr (RackSet) present =
      rack_mailbox_search (mailbox, "ALL", folder->mirror->cancellable, error);
  if (present == NULL)
    return FALSE;
  g_autoptr (RackSet) unknown = NULL;
  g_autoptr (RackSet) vanished = NULL;
  pthread_mutex_lock (&folder->mutex);
  rack_index_compare (&folder->index, present, &unknown, &vanished);
  pthread_mutex_unlock (&folder->mutex);

  RackIndex batch;
  rack_index_init (&batch);
  gboolean ok = refresh_flags (folder, mailbox, error)
                && rack_fill (folder, mailbox, unknown, &batch, error)
                && publish (folder, mailbox, &batch, vanished, error);
  rack_index_clear (&batch);
  return ok;
}

/* The folder is as mailbox was just now. */
static void
note_success (RackFolder *folder, RackMailbox *mailbox)
{
  RackMailboxStatus status;
  rack_mailbox_status (mailbox, &status);
  pthread_mutex_lock (&folder->mutex);
  if (folder->handle == mailbox)
    {
      guint32 highest = folder->index.n > 0 ? folder->index.records[folder->index.n - 1].uid : 0;
      folder->complete = TRUE;
      folder->missed = FALSE;
      folder->pushed = folder->watched != NULL;
      status.highest_modseq = MAX (status.highest_modseq, folder->seen.highest_modseq);
      status.uid_next = MAX (status.uid_next, highest + 1);
      folder->seen = status;
    }
  pthread_mutex_unlock (&folder->mutex);
}

static gboolean
sync_once (RackFolder *folder, GError **error)
{
  g_autoptr (RackMailbox) mailbox = ensure_open (folder, error);
  if (mailbox == NULL)
    return FALSE;
  gboolean first = !is_complete (folder);
  if (!(first ? load (folder, mailbox, error) : resync (folder, mailbox, error)))
    return FALSE;
  note_success (folder, mailbox);
  if (first)
    rack_ahead_probe (folder);
  return TRUE;
}

static gboolean
sync_all (RackFolder *folder, GError **error)
{
  GError *problem = NULL;
  g_atomic_int_inc (&folder->mirror->syncs);
  for (guint attempt = 0;; attempt++)
    {
      if (sync_once (folder, &problem))
        return TRUE;
      if (attempt > 0 || !g_error_matches (problem, RACK_ERROR, RACK_ERROR_STALE))
        break;
      /* Another mailbox has this name now: everything we knew is void. */
      g_clear_error (&problem);
      rack_sync_drop (folder);
    }
  g_propagate_error (error, problem);
  return FALSE;
}

static gboolean
check (RackFolder *folder, GError **error)
{
  RackMailboxInfo *info = rack_account_status (folder->mirror->account, folder->mailbox,
                                               folder->mirror->cancellable, error);
  if (info == NULL)
    return FALSE;
  pthread_mutex_lock (&folder->mutex);
  const RackMailboxStatus *seen = &folder->seen;
  gboolean same = info->messages == folder->index.n && !folder->missed
                  && (info->uid_validity == 0 || info->uid_validity == seen->uid_validity)
                  && (info->uid_next == 0 || info->uid_next == seen->uid_next)
                  && (seen->highest_modseq == 0 || info->highest_modseq == seen->highest_modseq);
  gboolean replaced = info->uid_validity != 0 && info->uid_validity != seen->uid_validity;
  pthread_mutex_unlock (&folder->mutex);
  guint64 modseq = info->highest_modseq;
  rack_mailbox_info_free (info);
  if (same)
    return TRUE;
  if (replaced)
    rack_sync_drop (folder);
  if (!sync_all (folder, error))
    return FALSE;
  /* Asked before the flags were: what changed since then is asked for again next time. */
  pthread_mutex_lock (&folder->mutex);
  folder->seen.highest_modseq = modseq;
  pthread_mutex_unlock (&folder->mutex);
  return TRUE;
}

/* ---- What a watch reported ------------------------------------------------------------ */

static gboolean
apply_events (RackFolder *folder, const GArray *events, GError **error)
{
  g_autoptr (RackSet) added = rack_set_new ();
  g_autoptr (RackSet) removed = rack_set_new ();
  g_autoptr (GArray) changed = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (RackMailbox) mailbox = ensure_open (folder, error);
  if (mailbox == NULL)
    return FALSE;

  pthread_mutex_lock (&folder->mutex);
  for (guint i = 0; i < events->len; i++)
    {
      const RackEvent *event = &g_array_index (events, RackEvent, i);
      switch (event->kind)
        {
        case RACK_EVENT_ADDED:
          if (rack_index_find (&folder->index, event->uid) == NULL)
            rack_set_add (added, event->uid, event->uid);
          break;
        case RACK_EVENT_REMOVED:
          rack_set_remove (added, event->uid, event->uid);
          rack_set_add (removed, event->uid, event->uid);
          break;
        case RACK_EVENT_FLAGS:
          set_flags (folder, event->uid, event->flags, changed);
          break;
        case RACK_EVENT_RESET:
          break;
        }
    }
  rack_changes_push_uids (folder->mirror, RACK_CHANGE_FLAGS, folder, changed, FALSE);
  pthread_mutex_unlock (&folder->mutex);

  RackIndex batch;
  rack_index_init (&batch);
  gboolean ok = rack_fill (folder, mailbox, added, &batch, error)
                && publish (folder, mailbox, &batch, removed, error);
  rack_index_clear (&batch);
  return ok;
}

static gboolean
holds_reset (const GArray *events)
{
  for (guint i = 0; i < events->len; i++)
    if (g_array_index (events, RackEvent, i).kind == RACK_EVENT_RESET)
      return TRUE;
  return FALSE;
}

/* ---- The job ---------------------------------------------------------------------------- */

static gboolean
do_wanted (RackFolder *folder, RackWant want, const GArray *events, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (folder->mirror->cancellable, error))
    return FALSE;
  if ((want & RACK_WANT_SYNC) || !is_complete (folder) || holds_reset (events))
    return sync_all (folder, error);
  if (events->len > 0 && !apply_events (folder, events, error))
    {
      if (!g_error_matches (*error, RACK_ERROR, RACK_ERROR_STALE))
        return FALSE;
      g_clear_error (error);
      return sync_all (folder, error);
    }
  return !(want & RACK_WANT_CHECK) || check (folder, error);
}

static void
finish_round (RackFolder *folder, gboolean ok, const GArray *events, GError *problem)
{
  gint64 now = g_get_monotonic_time ();
  gint64 calm = ok ? 2 * folder->mirror->options.poll : CALM_AFTER_FAILURE;
  folder->finished++;
  folder->fresh_until = now + calm * 1000;
  folder->missed |= !ok && events->len > 0;
  g_clear_error (&folder->error);
  folder->error = problem;
  folder->error_time = now;
  pthread_cond_broadcast (&folder->cond);
}

static void
run_job (gpointer data)
{
  RackFolder *folder = data;
  gboolean ok = FALSE;
  pthread_mutex_lock (&folder->mutex);
  while (folder->wanted != 0)
    {
      RackWant want = folder->wanted;
      folder->wanted = 0;
      g_autoptr (GArray) events = g_array_new (FALSE, FALSE, sizeof (RackEvent));
      g_array_append_vals (events, folder->events->data, folder->events->len);
      g_array_set_size (folder->events, 0);
      pthread_mutex_unlock (&folder->mutex);

      GError *problem = NULL;
      ok = do_wanted (folder, want, events, &problem);

      pthread_mutex_lock (&folder->mutex);
      finish_round (folder, ok, events, problem);
    }
  folder->busy = FALSE;
  pthread_mutex_unlock (&folder->mutex);
  if (ok)
    rack_watchers_consider (folder);
}
