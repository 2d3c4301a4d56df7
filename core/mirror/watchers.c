/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watchers.c - when a folder is looked at again
 *
 * A few folders have a watch: a thread that waits for what the server pushes and hands
 * it to sync.c. INBOX keeps its watch; the others' goes to whoever is in use. One more
 * thread, the poller, asks for the list of mailboxes and for the status of those that
 * are in use without a watch. What nobody uses is left alone until somebody does.
 */
#include "mirror-private.h"

#include <string.h>

/* A folder untouched for so long gives its watch to another, microseconds. */
#define IDLE_ENOUGH  (60 * G_USEC_PER_SEC)
/* In use: touched within so many polls. */
#define IN_USE_POLLS 10
/* Between attempts to reach a server that cannot be reached, milliseconds; doubled after each. */
#define PATIENCE_MIN 1000
#define PATIENCE_MAX 30000
/* The same for one that somebody waits for. */
#define PROBE_CALM   500

struct RackWatcher
{
  RackFolder *folder;
  RackMailbox *handle;
  GCancellable *cancellable;
  GThread *thread;
  gint done; /* atomic: the thread is about to end */
};

struct RackWatchers
{
  RackMirror *mirror;
  pthread_mutex_t mutex;
  pthread_cond_t cond;
  GPtrArray *all; /* of RackWatcher */
  gboolean ending;
  gboolean probe; /* somebody wants to know whether the server is there */
  gboolean hurry; /* and if it is not, to try again soon */
  gint64 asked;   /* monotonic: when the poller asked last */
  GThread *poller;
};

/* ---- One watch ---------------------------------------------------------------------- */

static void
push_event (RackFolder *folder, const RackEvent *event)
{
  RackEvent kept = *event;
  kept.message = NULL;
  pthread_mutex_lock (&folder->mutex);
  g_array_append_val (folder->news.events, kept);
  if (event->message != NULL)
    rack_rows_add (&folder->news.rows, event->message, rack_mirror_names (folder->mirror));
  rack_sync_want (folder, RACK_WANT_EVENTS);
  pthread_mutex_unlock (&folder->mutex);
}

static void
set_watched (RackWatcher *watcher, gboolean watched)
{
  RackFolder *folder = watcher->folder;
  pthread_mutex_lock (&folder->mutex);
  if (watched)
    folder->watched = watcher;
  else if (folder->watched == watcher) /* another one may have taken over */
    {
      folder->watched = NULL;
      folder->pushed = FALSE;
    }
  pthread_mutex_unlock (&folder->mutex);
}

static gpointer
run_watcher (gpointer data)
{
  RackWatcher *watcher = data;
  RackFolder *folder = watcher->folder;
  g_autoptr (GError) error = NULL;
  g_autoptr (RackWatch) watch = rack_mailbox_watch (watcher->handle, watcher->cancellable, &error);
  if (watch != NULL)
    {
      RackEvent event;
      g_autofree char *items = rack_fill_items (folder);
      rack_watch_want (watch, items);
      set_watched (watcher, TRUE);
      /* What happened between the index and now. */
      rack_sync_request (folder, RACK_WANT_SYNC);
      while (rack_watch_next (watch, &event, watcher->cancellable, &error))
        push_event (folder, &event);
      set_watched (watcher, FALSE);
    }
  if (g_error_matches (error, RACK_ERROR, RACK_ERROR_STALE)
      && !g_cancellable_is_cancelled (watcher->cancellable))
    rack_sync_request (folder, RACK_WANT_SYNC);
  g_atomic_int_set (&watcher->done, 1);
  return NULL;
}

static void
watcher_free (RackWatcher *watcher)
{
  g_thread_join (watcher->thread);
  g_object_unref (watcher->cancellable);
  rack_mailbox_unref (watcher->handle);
  g_free (watcher);
}

/* With the watchers' mutex held, as all of the following. */
static void
reap (RackWatchers *watchers)
{
  for (guint i = watchers->all->len; i-- > 0;)
    {
      RackWatcher *watcher = watchers->all->pdata[i];
      if (!g_atomic_int_get (&watcher->done))
        continue;
      if (watcher->folder->watcher == watcher)
        watcher->folder->watcher = NULL;
      g_ptr_array_remove_index_fast (watchers->all, i);
      watcher_free (watcher);
    }
}

static gboolean
is_inbox (const RackFolder *folder)
{
  return strcmp (folder->mailbox, "INBOX") == 0;
}

/* Takes the watch of the folder that was not used for longest. */
static void
make_room (RackWatchers *watchers)
{
  RackWatcher *victim = NULL;
  gint64 oldest = g_get_monotonic_time () - IDLE_ENOUGH;
  for (guint i = 0; i < watchers->all->len; i++)
    {
      RackWatcher *watcher = watchers->all->pdata[i];
      if (is_inbox (watcher->folder) || g_cancellable_is_cancelled (watcher->cancellable))
        continue;
      pthread_mutex_lock (&watcher->folder->mutex);
      gint64 touched = watcher->folder->touched;
      pthread_mutex_unlock (&watcher->folder->mutex);
      if (touched < oldest)
        {
          oldest = touched;
          victim = watcher;
        }
    }
  if (victim != NULL)
    g_cancellable_cancel (victim->cancellable);
}

static void
start (RackWatchers *watchers, RackFolder *folder)
{
  pthread_mutex_lock (&folder->mutex);
  RackMailbox *handle =
      folder->handle != NULL && folder->complete ? rack_mailbox_ref (folder->handle) : NULL;
  pthread_mutex_unlock (&folder->mutex);
  if (handle == NULL)
    return;
  RackWatcher *watcher = g_new0 (RackWatcher, 1);
  watcher->folder = folder;
  watcher->handle = handle;
  watcher->cancellable = g_cancellable_new ();
  watcher->thread = g_thread_new ("mirror-watch", run_watcher, watcher);
  folder->watcher = watcher;
  g_ptr_array_add (watchers->all, watcher);
}

void
rack_watchers_consider (RackFolder *folder)
{
  RackWatchers *watchers = folder->mirror->watchers;
  pthread_mutex_lock (&watchers->mutex);
  if (folder->watcher == NULL && !watchers->ending && !rack_online_is_held (folder->mirror))
    {
      reap (watchers);
      if (watchers->all->len < folder->mirror->options.watches)
        start (watchers, folder);
      else
        make_room (watchers); /* the poller finds it when it is there */
    }
  pthread_mutex_unlock (&watchers->mutex);
}

void
rack_watchers_stop (RackFolder *folder)
{
  RackWatchers *watchers = folder->mirror->watchers;
  if (watchers == NULL) /* the mirror is being opened */
    return;
  pthread_mutex_lock (&watchers->mutex);
  if (folder->watcher != NULL)
    {
      g_cancellable_cancel (folder->watcher->cancellable);
      folder->watcher = NULL;
    }
  pthread_mutex_unlock (&watchers->mutex);
}

void
rack_watchers_stop_all (RackMirror *mirror)
{
  RackWatchers *watchers = mirror->watchers;
  pthread_mutex_lock (&watchers->mutex);
  for (guint i = 0; i < watchers->all->len; i++)
    {
      RackWatcher *watcher = watchers->all->pdata[i];
      g_cancellable_cancel (watcher->cancellable);
      if (watcher->folder->watcher == watcher)
        watcher->folder->watcher = NULL;
    }
  pthread_mutex_unlock (&watchers->mutex);
}

/* ---- The poller --------------------------------------------------------------------- */

static gboolean
is_in_use (RackFolder *folder)
{
  gint64 in_use = IN_USE_POLLS * folder->mirror->options.poll * 1000;
  return folder->complete && g_get_monotonic_time () - folder->touched < in_use;
}

static gboolean
needs_a_look (RackFolder *folder)
{
  return is_in_use (folder) && (!folder->pushed || folder->missed);
}

static void
poll_once (RackWatchers *watchers)
{
  RackMirror *mirror = watchers->mirror;
  g_autoptr (GError) problem = NULL;
  rack_store_flush (mirror->store, NULL);
  if (rack_online_is_held (mirror))
    return;
  gboolean ok = rack_tree_refresh (mirror, &problem);
  rack_online_note (mirror, problem);
  if (!ok)
    return;
  g_autoptr (GPtrArray) used = rack_tree_select (mirror, is_in_use);
  for (guint i = 0; i < used->len; i++)
    rack_limits_refresh (used->pdata[i]);
  g_autoptr (GPtrArray) folders = rack_tree_select (mirror, needs_a_look);
  for (guint i = 0; i < folders->len; i++)
    rack_sync_request (folders->pdata[i], RACK_WANT_CHECK);
}

void
rack_watchers_probe (RackMirror *mirror)
{
  RackWatchers *watchers = mirror->watchers;
  pthread_mutex_lock (&watchers->mutex);
  watchers->probe = TRUE;
  pthread_cond_broadcast (&watchers->cond);
  pthread_mutex_unlock (&watchers->mutex);
}

void
rack_watchers_hurry (RackMirror *mirror)
{
  RackWatchers *watchers = mirror->watchers;
  pthread_mutex_lock (&watchers->mutex);
  watchers->probe = watchers->hurry = TRUE;
  pthread_cond_broadcast (&watchers->cond);
  pthread_mutex_unlock (&watchers->mutex);
}

/* When the poller asks next; an unreachable server sooner than the others. */
static gint64
next_due (RackWatchers *watchers, gint64 patience)
{
  gint64 poll = watchers->mirror->options.poll;
  if (watchers->probe)
    return watchers->asked + PROBE_CALM * 1000;
  return watchers->asked + (rack_online_is (watchers->mirror) ? poll : MIN (poll, patience)) * 1000;
}

static gpointer
run_poller (gpointer data)
{
  RackWatchers *watchers = data;
  gint64 patience = PATIENCE_MIN;
  pthread_mutex_lock (&watchers->mutex);
  while (!watchers->ending)
    {
      gint64 left;
      while (!watchers->ending
             && (left = next_due (watchers, patience) - g_get_monotonic_time ()) > 0)
        rack_cond_wait_for (&watchers->cond, &watchers->mutex, left / 1000 + 1);
      if (watchers->ending)
        break;
      watchers->probe = FALSE;
      reap (watchers);
      pthread_mutex_unlock (&watchers->mutex);
      poll_once (watchers);
      patience =
          rack_online_is (watchers->mirror) ? PATIENCE_MIN : MIN (patience * 2, PATIENCE_MAX);
      pthread_mutex_lock (&watchers->mutex);
      if (watchers->hurry)
        patience = PATIENCE_MIN;
      watchers->hurry = FALSE;
      watchers->asked = g_get_monotonic_time ();
    }
  pthread_mutex_unlock (&watchers->mutex);
  return NULL;
}

RackWatchers *
rack_watchers_new (RackMirror *mirror)
{
  RackWatchers *watchers = g_new0 (RackWatchers, 1);
  watchers->mirror = mirror;
  watchers->asked = g_get_monotonic_time ();
  watchers->all = g_ptr_array_new ();
  pthread_mutex_init (&watchers->mutex, NULL);
  rack_cond_init (&watchers->cond);
  watchers->poller = g_thread_new ("mirror-poll", run_poller, watchers);
  return watchers;
}

void
rack_watchers_end (RackWatchers *watchers)
{
  pthread_mutex_lock (&watchers->mutex);
  watchers->ending = TRUE;
  pthread_cond_broadcast (&watchers->cond);
  for (guint i = 0; i < watchers->all->len; i++)
    g_cancellable_cancel (((RackWatcher *) watchers->all->pdata[i])->cancellable);
  pthread_mutex_unlock (&watchers->mutex);
  g_thread_join (watchers->poller);
  for (guint i = 0; i < watchers->all->len; i++)
    watcher_free (watchers->all->pdata[i]);
  g_ptr_array_set_size (watchers->all, 0);
}

void
rack_watchers_free (RackWatchers *watchers)
{
  g_ptr_array_unref (watchers->all);
  pthread_cond_destroy (&watchers->cond);
  pthread_mutex_destroy (&watchers->mutex);
  g_free (watchers);
}
