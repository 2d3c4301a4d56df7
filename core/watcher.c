/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watcher.c - many mailboxes watched at once: life, and what is done next
 *
 * All that is asked because of what the threads hear is asked here, on the caller's thread, one
 * thing after the other: events are given out, then new messages fetched, then mailboxes looked
 * at that something happened in, and now and then all of them from afar. When the server cannot
 * be reached it is tried again, ever more seldom, and at once when the network changes. */
#include "watcher-private.h"

#include <string.h>

#define DEFAULT_CONNECTIONS 3
#define DEFAULT_POLL        (60 * G_TIME_SPAN_SECOND)
#define MAX_BACKOFF         60
/* A message whose fetch breaks the connection is told without what was wanted of it. */
#define FETCH_TRIES         8

/* ---- Life -------------------------------------------------------------------------------- */

static void
hear_network (gpointer data)
{
  RackWatcher *watcher = data;

  pthread_mutex_lock (&watcher->news.lock);
  watcher->news.network = TRUE;
  pthread_cond_broadcast (&watcher->news.changed);
  pthread_mutex_unlock (&watcher->news.lock);
}

/* Returns: the state to go on from, borrowed, or NULL. */
static const char *
take_options (RackWatcher *watcher, const RackWatcherOptions *given)
{
  RackWatcherOptions options = { 0 };

  if (given != NULL)
    memcpy (&options, given, MIN (given->size, sizeof options));
  if (options.mailboxes != NULL && *options.mailboxes != NULL)
    watcher->names = g_strdupv ((char **) options.mailboxes);
  /* Flags, so that they are not told once more as changed. */
  if (options.items != NULL)
    watcher->items = g_strdup_printf ("FLAGS %s", options.items);
  watcher->connections = options.connections > 0 ? options.connections : DEFAULT_CONNECTIONS;
  watcher->poll = options.poll > 0 ? options.poll * 1000 : DEFAULT_POLL;
  watcher->settled = options.settled;
  watcher->settled_data = options.settled_data;
  return options.state;
}

/* Which mailboxes there are, and what is known of them. */
static gboolean
begin (RackWatcher *watcher, const char *state, GCancellable *cancellable, GError **error)
{
  if ((state != NULL && !rack_watcher_restore (watcher, state, error))
      || !rack_watcher_begin (watcher, cancellable, error))
    return FALSE;
  rack_watcher_check_restored (watcher);
  return TRUE;
}

RackWatcher *
rack_watcher_new (RackAccount *account, const RackWatcherOptions *options,
                  GCancellable *cancellable, GError **error)
{
  g_autoptr (RackWatcher) watcher = g_new0 (RackWatcher, 1);

  watcher->account = rack_account_ref (account);
  watcher->boxes = g_ptr_array_new_with_free_func ((GDestroyNotify) rack_watcher_box_free);
  watcher->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  watcher->ears = g_ptr_array_new_with_free_func ((GDestroyNotify) rack_watcher_ear_free);
  g_queue_init (&watcher->events);
  rack_watcher_news_init (&watcher->news);
  watcher->network_id = rack_netwatch_add (rack_account_netwatch (account), hear_network, watcher);
  const char *state = take_options (watcher, options);
  if (!begin (watcher, state, cancellable, error)
      || !rack_watcher_listen (watcher, cancellable, error))
    return NULL;
  watcher->poll_at = g_get_monotonic_time () + watcher->poll;
  return g_steal_pointer (&watcher);
}

void
rack_watcher_free (RackWatcher *watcher)
{
  if (watcher == NULL)
    return;
  rack_watcher_listen_no_more (watcher);
  rack_netwatch_remove (rack_account_netwatch (watcher->account), watcher->network_id);
  rack_fetch_free (watcher->fetch);
  g_ptr_array_unref (watcher->ears);
  rack_watcher_news_clear (&watcher->news);
  g_queue_clear_full (&watcher->events, (GDestroyNotify) rack_told_free);
  rack_told_free (watcher->given);
  g_hash_table_unref (watcher->by_name);
  g_ptr_array_unref (watcher->boxes);
  g_strfreev (watcher->names);
  g_free (watcher->items);
  rack_account_unref (watcher->account);
  g_free (watcher);
}

/* ---- Giving out ------------------------------------------------------------------------------ */

static gboolean
give_told (RackWatcher *watcher, RackWatcherEvent *event)
{
  g_clear_pointer (&watcher->given, rack_told_free);
  watcher->given = g_queue_pop_head (&watcher->events);
  if (watcher->given == NULL)
    return FALSE;
  const RackTold *told = watcher->given;
  watcher->moved = TRUE;
  *event = (RackWatcherEvent){ .kind = told->kind,
                               .mailbox = told->mailbox,
                               .uid_validity = told->uid_validity,
                               .uid = told->uid,
                               .flags = told->flags,
                               .keywords = (const char *const *) told->keywords };
  return TRUE;
}

static void
give_added (RackWatcher *watcher, RackWatcherBox *box, guint32 uid, const RackMessage *message,
            RackWatcherEvent *event)
{
  rack_set_remove (box->fresh, uid, uid);
  rack_watcher_push (watcher, box, RACK_EVENT_ADDED, uid);
  RackTold *told = g_queue_peek_tail (&watcher->events);
  if (message != NULL && (message->fields & RACK_FIELD_FLAGS))
    {
      told->flags = message->flags.system & ~(guint) RACK_FLAG_RECENT;
      told->keywords = g_new0 (char *, message->flags.n_keywords + 1);
      for (guint i = 0; i < message->flags.n_keywords; i++)
        told->keywords[i] = rack_str_dup (message->flags.keywords[i]);
      rack_watcher_box_note_flags (box, uid, told->flags, (const char *const *) told->keywords);
    }
  give_told (watcher, event); /* nothing else is in the queue */
  event->message = message;
}

static RackWatcherBox *
box_with_fresh (RackWatcher *watcher)
{
  for (guint i = 0; i < watcher->boxes->len; i++)
    {
      RackWatcherBox *box = watcher->boxes->pdata[i];
      if (rack_set_ranges (box->fresh).n > 0)
        return box;
    }
  return NULL;
}

/* Begins, or goes on. NULL: the end, or error set. */
static const RackMessage *
next_fetched (RackWatcher *watcher, GCancellable *cancellable, GError **error)
{
  RackWatcherBox *box = watcher->fetched;
  const RackMessage *message;

  if (watcher->items == NULL || watcher->tries >= FETCH_TRIES)
    return NULL;
  if (watcher->fetch == NULL)
    watcher->fetch =
        rack_mailbox_fetch (box->mailbox, box->fresh, watcher->items, NULL, cancellable, error);
  if (watcher->fetch == NULL)
    return NULL;
  do
    message = rack_fetch_next (watcher->fetch, error);
  while (message != NULL && !rack_set_contains (box->fresh, message->uid));
  return message;
}

/* TRUE: an event was given. FALSE without error: there is nothing new any more. */
static gboolean
give_fresh (RackWatcher *watcher, RackWatcherEvent *event, GCancellable *cancellable,
            GError **error)
{
  while (watcher->fetched != NULL || (watcher->fetched = box_with_fresh (watcher)) != NULL)
    {
      RackWatcherBox *box = watcher->fetched;
      GError *problem = NULL;
      const RackMessage *message =
          rack_set_ranges (box->fresh).n > 0 ? next_fetched (watcher, cancellable, &problem) : NULL;
      if (message != NULL)
        {
          give_added (watcher, box, message->uid, message, event);
          return TRUE;
        }
      if (problem != NULL)
        {
          g_clear_pointer (&watcher->fetch, rack_fetch_free);
          if (g_cancellable_is_cancelled (cancellable)
              || (rack_watch_may_recover (problem) && ++watcher->tries < FETCH_TRIES))
            {
              g_propagate_error (error, problem);
              return FALSE;
            }
          g_error_free (problem);
          watcher->tries = FETCH_TRIES;
        }
      /* The rest is gone again, or cannot be read. */
      RackRanges rest = rack_set_ranges (box->fresh);
      if (rest.n > 0)
        {
          give_added (watcher, box, rest.items[0].first, NULL, event);
          return TRUE;
        }
      g_clear_pointer (&watcher->fetch, rack_fetch_free);
      watcher->fetched = NULL;
      watcher->tries = 0;
    }
  return FALSE;
}

/* ---- What is next ---------------------------------------------------------------------------- */

/* Takes what the threads said. FALSE: one of them found that it is of no use. */
static gboolean
take_news (RackWatcher *watcher, GError **error)
{
  RackWatcherNews *news = &watcher->news;
  GHashTableIter iter;
  gpointer value;

  pthread_mutex_lock (&news->lock);
  if (news->problem != NULL)
    g_propagate_error (error, g_error_copy (news->problem));
  gboolean ok = news->problem == NULL;
  g_hash_table_iter_init (&iter, news->reports);
  while (ok && g_hash_table_iter_next (&iter, NULL, &value))
    {
      const RackMailboxInfo *info = value;
      RackWatcherBox *box = g_hash_table_lookup (watcher->by_name, info->name);
      if (box != NULL)
        rack_watcher_take_report (box, info);
      else if (watcher->names == NULL)
        news->all = TRUE; /* one that was not there before, perhaps */
      g_hash_table_iter_remove (&iter);
    }
  if (news->all || news->network)
    watcher->poll_at = 0;
  if (news->network)
    watcher->retry_at = watcher->backoff = 0;
  news->all = news->network = FALSE;
  pthread_mutex_unlock (&news->lock);
  return ok;
}

static void
wake (GCancellable *cancellable, gpointer data)
{
  RackWatcher *watcher = data;

  pthread_mutex_lock (&watcher->news.lock);
  pthread_cond_broadcast (&watcher->news.changed);
  pthread_mutex_unlock (&watcher->news.lock);
}

/* Everything that is known was given out, but for what is kept in box->fresh. */
static void
settle (RackWatcher *watcher)
{
  if (!watcher->moved || watcher->settled == NULL)
    return;
  watcher->moved = FALSE;
  watcher->settled (watcher, watcher->settled_data);
}

static void
wait_until (RackWatcher *watcher, gint64 when, GCancellable *cancellable)
{
  RackWatcherNews *news = &watcher->news;
  gulong handler = cancellable != NULL
                       ? g_cancellable_connect (cancellable, G_CALLBACK (wake), watcher, NULL)
                       : 0;
  /* GLib's monotonic clock is CLOCK_MONOTONIC in microseconds. */
  struct timespec until = { .tv_sec = when / G_USEC_PER_SEC,
                            .tv_nsec = when % G_USEC_PER_SEC * 1000 };
  int result = 0;
  gboolean retries = watcher->retry_at > g_get_monotonic_time ();

  settle (watcher);
  pthread_mutex_lock (&news->lock);
  /* While it is waited for another attempt, reports say nothing that helps. */
  while (result == 0 && !g_cancellable_is_cancelled (cancellable) && !news->network
         && news->problem == NULL
         && (retries || (!news->all && g_hash_table_size (news->reports) == 0)))
    result = pthread_cond_timedwait (&news->changed, &news->lock, &until);
  pthread_mutex_unlock (&news->lock);
  if (handler != 0)
    g_cancellable_disconnect (cancellable, handler);
}

/* In turn, so that none waits for ever; those that were looked at before come first, since news
 * of them is news. */
static RackWatcherBox *
next_dirty (RackWatcher *watcher)
{
  RackWatcherBox *unknown = NULL;

  for (guint i = 0; i < watcher->boxes->len; i++)
    {
      guint at = (watcher->turn + i) % watcher->boxes->len;
      RackWatcherBox *box = watcher->boxes->pdata[at];
      if (!box->dirty || box->absent)
        continue;
      if (box->mailbox != NULL)
        {
          watcher->turn = at + 1;
          return box;
        }
      unknown = unknown != NULL ? unknown : box;
    }
  return unknown;
}

static gboolean
look (RackWatcher *watcher, RackWatcherBox *box, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) problem = NULL;

  if (rack_watcher_look (watcher, box, cancellable, &problem))
    return TRUE;
  if (g_error_matches (problem, RACK_ERROR, RACK_ERROR_NOT_FOUND))
    {
      rack_watcher_lose (watcher, box);
      return TRUE;
    }
  /* One of many that cannot be read is none of those that are watched. */
  if (watcher->names == NULL
      && (g_error_matches (problem, RACK_ERROR, RACK_ERROR_REFUSED)
          || g_error_matches (problem, RACK_ERROR, RACK_ERROR_DENIED)))
    {
      box->dirty = FALSE;
      return TRUE;
    }
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static gboolean
poll_all (RackWatcher *watcher, GCancellable *cancellable, GError **error)
{
  if (!rack_watcher_poll (watcher, cancellable, error))
    return FALSE;
  watcher->poll_at = g_get_monotonic_time () + watcher->poll;
  rack_watcher_listen_better (watcher);
  return TRUE;
}

/* Does the next thing there is to do, or waits. TRUE with event->kind 0: go on. */
static gboolean
step (RackWatcher *watcher, RackWatcherEvent *event, GCancellable *cancellable, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  RackWatcherBox *box;

  if (now < watcher->retry_at)
    {
      wait_until (watcher, watcher->retry_at, cancellable);
      return TRUE;
    }
  if (give_fresh (watcher, event, cancellable, error))
    return TRUE;
  if (error != NULL && *error != NULL)
    return FALSE;
  if ((box = next_dirty (watcher)) == NULL && now < watcher->poll_at)
    {
      wait_until (watcher, watcher->poll_at, cancellable);
      return TRUE;
    }
  if (!(box != NULL ? look (watcher, box, cancellable, error)
                    : poll_all (watcher, cancellable, error)))
    return FALSE;
  watcher->backoff = 0;
  return TRUE;
}

gboolean
rack_watcher_next (RackWatcher *watcher, RackWatcherEvent *event, GCancellable *cancellable,
                   GError **error)
{
  *event = (RackWatcherEvent){ 0 };
  while (!give_told (watcher, event))
    {
      g_autoptr (GError) problem = NULL;
      if (!take_news (watcher, error))
        return FALSE;
      if (step (watcher, event, cancellable, &problem) && event->kind != 0)
        return TRUE;
      if (g_cancellable_is_cancelled (cancellable))
        {
          g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
          return FALSE;
        }
      if (problem == NULL)
        continue;
      if (!rack_watch_may_recover (problem))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return FALSE;
        }
      watcher->backoff = MIN (MAX (watcher->backoff * 2, 1), MAX_BACKOFF);
      watcher->retry_at =
          g_get_monotonic_time ()
          + g_random_int_range (0, (gint) watcher->backoff * 1000) * G_TIME_SPAN_MILLISECOND;
    }
  return TRUE;
}
