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

#include <malloc.h>
#include <string.h>

/* The newest of a large mailbox are there before the rest. */
#define NEWEST_FIRST       2000
#define NEWEST_WINDOW      500
/* How long a failure spares a complete folder from the next attempt, milliseconds. */
#define CALM_AFTER_FAILURE 5000
/* Flags that are noted at a time. */
#define FLAGS_PORTION      1000
/* Without mod-sequences flags are looked at after so many looks at numbers alone. */
#define CHECKS_MAX         4

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
rack_sync_drop (RackFolder *folder, gboolean wipe)
{
  RackIndex gone;
  pthread_mutex_lock (&folder->mutex);
  gone = folder->index;
  rack_index_init (&folder->index);
  rack_keywords_clear (&folder->keywords);
  guint32 row = folder->row, stored = folder->box.row;
  folder->row = folder->expected = 0;
  folder->state = (RackMailboxState){ 0 };
  if (wipe)
    folder->box = (RackStoreBox){ 0 };
  folder->loaded = wipe;
  /* Also an empty listing, of which nothing goes, is not what it was. */
  folder->early |= folder->complete;
  folder->complete = folder->pushed = folder->missed = FALSE;
  folder->replaced |= wipe && stored != 0;
  g_clear_pointer (&folder->handle, rack_mailbox_unref);
  g_array_set_size (folder->news.events, 0);
  rack_rows_reset (&folder->news.rows);
  folder->ahead = (RackAhead){ 0 };
  rack_folder_stamp (folder);
  pthread_cond_broadcast (&folder->cond);
  pthread_mutex_unlock (&folder->mutex);
  rack_watchers_stop (folder);

  g_autofree guint32 *uids = g_new (guint32, gone.n);
  for (guint i = 0; i < gone.n; i++)
    uids[i] = gone.records[i].uid;
  RackNames *names = rack_names_read (folder, row, uids, gone.n);
  if (wipe && stored != 0)
    {
      rack_tree_drop_row (folder->mirror, stored);
      /* What stays behind belongs to nothing: the check finds it. */
      rack_store_drop_box (folder->mirror->store, stored, NULL);
    }
  rack_changes_push (folder, RACK_CHANGE_REMOVED, row, gone.records, gone.n, names);
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

/* ---- The first time --------------------------------------------------------------- */

/* A row in the store for what has this UIDVALIDITY now. */
static gboolean
make_box (RackFolder *folder, const RackMailboxStatus *status, RackStoreBox *box, GError **error)
{
  *box = (RackStoreBox){
    .row = rack_tree_new_row (folder, status->uid_validity),
    .folder = folder->id,
    .uid_validity = status->uid_validity,
    /* As it was before the first message was asked for: what happens meanwhile is asked for again.
     */
    .modseq = status->highest_modseq,
    .named = rack_mirror_names (folder->mirror),
    .expected = status->messages,
  };
  if (rack_store_add_box (folder->mirror->store, box, error))
    return TRUE;
  rack_tree_drop_row (folder->mirror, box->row);
  return FALSE;
}

/* What was begun goes on. */
static gboolean
expect (RackFolder *folder, const RackMailboxStatus *status, RackStoreBox *box, GError **error)
{
  if (box->complete || box->expected == status->messages)
    return TRUE;
  box->expected = status->messages;
  return rack_store_note_box (folder->mirror->store, box, error);
}

/* Returns: (owned) the open mailbox. Opens it if it is not. */
static RackMailbox *
ensure_open (RackFolder *folder, GError **error)
{
  RackMailboxStatus status;
  RackStoreBox box;
  pthread_mutex_lock (&folder->mutex);
  RackMailbox *handle = folder->handle != NULL ? rack_mailbox_ref (folder->handle) : NULL;
  box = folder->box;
  pthread_mutex_unlock (&folder->mutex);
  if (handle != NULL)
    return handle;
  handle = rack_mailbox_open (folder->mirror->account, folder->mailbox, TRUE,
                              folder->mirror->cancellable, error);
  if (handle == NULL)
    return NULL;
  rack_mailbox_status (handle, &status);
  if (box.row != 0 && box.uid_validity != status.uid_validity)
    {
      rack_sync_drop (folder, TRUE);
      box.row = 0;
    }
  if (!(box.row == 0 ? make_box (folder, &status, &box, error)
                     : expect (folder, &status, &box, error)))
    {
      rack_mailbox_unref (handle);
      return NULL;
    }
  pthread_mutex_lock (&folder->mutex);
  folder->handle = rack_mailbox_ref (handle);
  folder->box = box;
  folder->row = box.row;
  folder->state = (RackMailboxState){ box.uid_validity, box.uid_next, box.modseq };
  rack_overlay_bind (&folder->overlay, box.uid_validity);
  folder->expected = status.messages;
  gboolean replaced = folder->replaced;
  folder->replaced = FALSE;
  pthread_mutex_unlock (&folder->mutex);
  if (replaced)
    rack_changes_push_bare (folder, RACK_CHANGE_VALIDITY, box.row);
  return handle;
}

static gboolean
load_range (RackFolder *folder, RackMailbox *mailbox, guint32 first, guint32 last, GError **error)
{
  g_autoptr (RackSet) uids = rack_set_new_range (first, last);
  return rack_fill (folder, mailbox, uids, error);
}

static gboolean
load_all (RackFolder *folder, RackMailbox *mailbox, GError **error)
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

typedef const RackMessage *(*NextFlags) (gpointer source, GError **error);

static const RackMessage *
next_of_fetch (gpointer fetch, GError **error)
{
  return rack_fetch_next (fetch, error);
}

static const RackMessage *
next_of_resync (gpointer resync, GError **error)
{
  return rack_resync_next (resync, error);
}

/* Flags that come one by one go where they belong, in portions. */
static gboolean
take_flags (RackFolder *folder, RackMailbox *mailbox, NextFlags next, gpointer source,
            GError **error)
{
  GError *problem = NULL;
  gboolean ok = TRUE;
  RackRows rows;
  const RackMessage *message;
  rack_rows_init (&rows);
  while (ok && (message = next (source, &problem)) != NULL)
    {
      if (!(message->fields & RACK_FIELD_FLAGS))
        continue;
      rack_rows_add_flags (&rows, message->uid, &message->flags,
                           message->fields & RACK_FIELD_MODSEQ ? message->modseq : 0);
      if (rows.n < FLAGS_PORTION)
        continue;
      ok = rack_sync_set_flags (folder, mailbox, &rows, error);
      rack_rows_reset (&rows);
    }
  ok = ok && rack_sync_set_flags (folder, mailbox, &rows, problem == NULL ? error : NULL);
  rack_rows_clear (&rows);
  if (problem == NULL)
    return ok;
  g_propagate_error (error, problem);
  return FALSE;
}

static gboolean
fetch_flags (RackFolder *folder, RackMailbox *mailbox, const RackSet *uids, GError **error)
{
  g_autoptr (RackFetch) fetch =
      rack_mailbox_fetch (mailbox, uids, "UID FLAGS", NULL, folder->mirror->cancellable, error);
  return fetch != NULL && take_flags (folder, mailbox, next_of_fetch, fetch, error);
}

/* What changed since the folder's state; afterwards that is state. */
static gboolean
take_changes (RackFolder *folder, RackMailbox *mailbox, RackMailboxState *state, GError **error)
{
  pthread_mutex_lock (&folder->mutex);
  g_autoptr (RackSet) known = rack_index_uids (&folder->index);
  if (folder->overlay.hidden != NULL)
    rack_set_merge (known, folder->overlay.hidden);
  *state = folder->state;
  pthread_mutex_unlock (&folder->mutex);
  g_autoptr (RackResync) resync =
      rack_mailbox_resync (mailbox, state, known, folder->mirror->cancellable, error);
  if (resync == NULL || !take_flags (folder, mailbox, next_of_resync, resync, error))
    return FALSE;
  rack_resync_state (resync, state);
  return rack_fill (folder, mailbox, rack_resync_added (resync), error)
         && rack_sync_remove (folder, mailbox, rack_resync_vanished (resync), error);
}

/* What an earlier load left undone: messages it did not come to, or all their names. */
static gboolean
load_rest (RackFolder *folder, RackMailbox *mailbox, GError **error)
{
  g_autoptr (RackSet) wanted =
      rack_mailbox_search (mailbox, "ALL", folder->mirror->cancellable, error);
  if (wanted == NULL)
    return FALSE;
  pthread_mutex_lock (&folder->mutex);
  if (folder->box.named || !rack_mirror_names (folder->mirror))
    {
      g_autoptr (RackSet) known = rack_index_uids (&folder->index);
      rack_set_subtract (wanted, known);
    }
  pthread_mutex_unlock (&folder->mutex);
  return rack_fill (folder, mailbox, wanted, error);
}

/* The folder is as mailbox was when state was. */
static gboolean
note_success (RackFolder *folder, RackMailbox *mailbox, const RackMailboxState *state,
              GError **error)
{
  gboolean late = FALSE;
  pthread_mutex_lock (&folder->mutex);
  if (folder->handle == mailbox)
    {
      /* What came while it was not complete was told to nobody. */
      late = folder->early;
      folder->early = FALSE;
      if (late)
        rack_folder_stamp (folder);
      guint32 highest = folder->index.n > 0 ? folder->index.records[folder->index.n - 1].uid : 0;
      folder->complete = TRUE;
      folder->missed = FALSE;
      folder->checks = 0;
      folder->pushed = folder->watched != NULL;
      folder->state = *state;
      folder->state.uid_next = MAX (state->uid_next, highest < RACK_SET_STAR ? highest + 1 : 0);
      rack_index_trim (&folder->index);
    }
  pthread_mutex_unlock (&folder->mutex);
  if (late)
    rack_changes_push_bare (folder, RACK_CHANGE_COMPLETE, 0);
  return rack_sync_note (folder, error);
}

static gboolean
bring_up_to_date (RackFolder *folder, RackMailbox *mailbox, gboolean complete, GError **error)
{
  RackMailboxState state;
  pthread_mutex_lock (&folder->mutex);
  gboolean empty = folder->index.n == 0;
  state = folder->state;
  pthread_mutex_unlock (&folder->mutex);
  gboolean ok = complete || !empty ? take_changes (folder, mailbox, &state, error)
                                         && (complete || load_rest (folder, mailbox, error))
                                   : load_all (folder, mailbox, error);
  return ok && note_success (folder, mailbox, &state, error);
}

static gboolean
sync_once (RackFolder *folder, GError **error)
{
  g_autoptr (RackMailbox) mailbox = ensure_open (folder, error);
  if (mailbox == NULL)
    return FALSE;
  gboolean first = !is_complete (folder);
  if (!bring_up_to_date (folder, mailbox, !first, error))
    return FALSE;
  if (!first)
    return TRUE;
  /* A large mailbox leaves megabytes behind, kept pages and free memory, that would never be used
   * again. */
  rack_store_shrink (folder->mirror->store);
  malloc_trim (0);
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
      rack_sync_drop (folder, TRUE);
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
  const RackMailboxState *state = &folder->state;
  /* Numbers say nothing about flags where there are no mod-sequences. */
  gboolean enough = state->highest_modseq != 0 ? info->highest_modseq == state->highest_modseq
                                               : folder->checks++ < CHECKS_MAX;
  gboolean replaced = info->uid_validity != 0 && info->uid_validity != state->uid_validity;
  gboolean same = enough && !replaced && info->messages == rack_folder_count (folder)
                  && !folder->missed && (info->uid_next == 0 || info->uid_next == state->uid_next);
  pthread_mutex_unlock (&folder->mutex);
  rack_mailbox_info_free (info);
  if (same)
    return TRUE;
  if (replaced)
    rack_sync_drop (folder, TRUE);
  return sync_all (folder, error);
}

/* ---- What a watch reported ------------------------------------------------------------ */

/* What came with the events and is to be added still; it leaves added. */
static void
keep_added (RackRows *rows, RackSet *added)
{
  guint kept = 0;
  for (guint i = 0; i < rows->n; i++)
    if (rack_set_contains (added, rows->items[i].uid))
      {
        rack_set_remove (added, rows->items[i].uid, rows->items[i].uid);
        rows->items[kept++] = rows->items[i];
      }
  rows->n = kept;
}

static gboolean
apply_events (RackFolder *folder, RackNews *news, GError **error)
{
  g_autoptr (RackSet) added = rack_set_new ();
  g_autoptr (RackSet) removed = rack_set_new ();
  g_autoptr (RackSet) changed = rack_set_new ();
  g_autoptr (RackMailbox) mailbox = ensure_open (folder, error);
  if (mailbox == NULL)
    return FALSE;

  pthread_mutex_lock (&folder->mutex);
  for (guint i = 0; i < news->events->len; i++)
    {
      const RackEvent *event = &g_array_index (news->events, RackEvent, i);
      switch (event->kind)
        {
        case RACK_EVENT_ADDED:
          if (rack_index_find (&folder->index, event->uid) == NULL)
            rack_set_add (added, event->uid, event->uid);
          break;
        case RACK_EVENT_REMOVED:
          rack_set_remove (added, event->uid, event->uid);
          rack_set_remove (changed, event->uid, event->uid);
          rack_set_add (removed, event->uid, event->uid);
          break;
        case RACK_EVENT_FLAGS:
          rack_set_add (changed, event->uid, event->uid);
          break;
        case RACK_EVENT_RESET:
        case RACK_EVENT_GONE:
          break;
        }
    }
  pthread_mutex_unlock (&folder->mutex);
  keep_added (&news->rows, added);
  rack_set_subtract (changed, added);
  /* An event has no keywords. */
  return rack_sync_publish (folder, mailbox, &news->rows, error)
         && (rack_set_count (changed) == 0 || fetch_flags (folder, mailbox, changed, error))
         && rack_fill (folder, mailbox, added, error)
         && rack_sync_remove (folder, mailbox, removed, error);
}

static gboolean
holds_reset (const RackNews *news)
{
  for (guint i = 0; i < news->events->len; i++)
    if (g_array_index (news->events, RackEvent, i).kind == RACK_EVENT_RESET)
      return TRUE;
  return FALSE;
}

/* ---- The job ---------------------------------------------------------------------------- */

static gboolean
ask_server (RackFolder *folder, RackWant want, RackNews *news, GError **error)
{
  if ((want & RACK_WANT_SYNC) || !is_complete (folder) || holds_reset (news))
    return sync_all (folder, error);
  if (news->events->len > 0 && !apply_events (folder, news, error))
    {
      if (!g_error_matches (*error, RACK_ERROR, RACK_ERROR_STALE))
        return FALSE;
      g_clear_error (error);
      return sync_all (folder, error);
    }
  return !(want & RACK_WANT_CHECK) || check (folder, error);
}

/* What came from the disk whole is only checked, where numbers tell of flags too. */
static RackWant
lessen (RackFolder *folder, RackWant want)
{
  pthread_mutex_lock (&folder->mutex);
  if (folder->complete && folder->state.highest_modseq != 0)
    want = RACK_WANT_CHECK;
  pthread_mutex_unlock (&folder->mutex);
  return want;
}

static gboolean
do_wanted (RackFolder *folder, RackWant want, RackNews *news, GError **error)
{
  GError *problem = NULL;
  pthread_mutex_lock (&folder->mutex);
  gboolean loaded = folder->loaded;
  pthread_mutex_unlock (&folder->mutex);
  if (g_cancellable_set_error_if_cancelled (folder->mirror->cancellable, error)
      || !rack_sync_load (folder, error) || !rack_online_check (folder->mirror, error))
    return FALSE;
  gboolean ok = ask_server (folder, loaded ? want : lessen (folder, want), news, &problem);
  rack_online_note (folder->mirror, problem);
  if (!ok)
    g_propagate_error (error, problem);
  return ok;
}

static void
finish_round (RackFolder *folder, gboolean ok, GError *problem)
{
  gint64 now = g_get_monotonic_time ();
  gint64 calm = ok ? 2 * folder->mirror->options.poll : CALM_AFTER_FAILURE;
  folder->finished++;
  folder->fresh_until = now + calm * 1000;
  /* A look that failed is owed, also where all is pushed: nothing more may come. */
  folder->missed |= !ok;
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
      RackNews news = folder->news;
      rack_news_init (&folder->news);
      pthread_mutex_unlock (&folder->mutex);

      GError *problem = NULL;
      ok = do_wanted (folder, want, &news, &problem);

      pthread_mutex_lock (&folder->mutex);
      finish_round (folder, ok, problem);
      rack_news_clear (&news);
    }
  folder->busy = FALSE;
  pthread_mutex_unlock (&folder->mutex);
  if (ok)
    {
      rack_watchers_consider (folder);
      rack_limits_look (folder);
    }
}
