/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watcher-hear.c - threads that are told by the server that something happened somewhere
 *
 * One with NOTIFY for all mailboxes, or one with IDLE for each of a few. They say which mailbox,
 * and no more: what happened is for watcher-box.c to find out, so nothing depends on what they
 * missed while a connection was away. */
#include "watcher-private.h"

#include <string.h>

/* A server that reports more mailboxes than this one by one has all of them looked at. */
#define MAX_REPORTS 100000

struct RackWatcherEar
{
  RackWatcher *watcher;
  GThread *thread;
  GCancellable *stop;
  RackAccountWatch *notify; /* or */
  RackWatchLine line;       /* in IDLE */
  char *mailbox;
};

/* ---- News ---------------------------------------------------------------------------------- */

void
rack_watcher_news_init (RackWatcherNews *news)
{
  pthread_condattr_t monotonic;

  pthread_mutex_init (&news->lock, NULL);
  pthread_condattr_init (&monotonic);
  pthread_condattr_setclock (&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init (&news->changed, &monotonic);
  pthread_condattr_destroy (&monotonic);
  news->reports = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                         (GDestroyNotify) rack_mailbox_info_free);
}

void
rack_watcher_news_clear (RackWatcherNews *news)
{
  g_hash_table_unref (news->reports);
  g_clear_error (&news->problem);
  pthread_mutex_destroy (&news->lock);
  pthread_cond_destroy (&news->changed);
}

/* info: NULL, or what is known of it now. */
static void
report (RackWatcherNews *news, const char *mailbox, const RackMailboxInfo *info)
{
  RackMailboxInfo *copy = g_new0 (RackMailboxInfo, 1);

  if (info != NULL)
    *copy = *info;
  copy->name = g_strdup (mailbox);
  pthread_mutex_lock (&news->lock);
  if (g_hash_table_size (news->reports) >= MAX_REPORTS)
    {
      g_hash_table_remove_all (news->reports);
      news->all = TRUE;
    }
  /* The key is the value's, so the old one has to go first. */
  g_hash_table_remove (news->reports, mailbox);
  g_hash_table_insert (news->reports, copy->name, copy);
  pthread_cond_broadcast (&news->changed);
  pthread_mutex_unlock (&news->lock);
}

static void
report_all (RackWatcherNews *news)
{
  pthread_mutex_lock (&news->lock);
  news->all = TRUE;
  pthread_cond_broadcast (&news->changed);
  pthread_mutex_unlock (&news->lock);
}

/* Takes problem. */
static void
report_end (RackWatcherNews *news, GError *problem)
{
  pthread_mutex_lock (&news->lock);
  if (news->problem == NULL)
    news->problem = g_steal_pointer (&problem);
  pthread_cond_broadcast (&news->changed);
  pthread_mutex_unlock (&news->lock);
  g_clear_error (&problem);
}

/* ---- NOTIFY ---------------------------------------------------------------------------------- */

static gpointer
hear_notify (gpointer data)
{
  RackWatcherEar *ear = data;
  RackWatcherNews *news = &ear->watcher->news;
  const RackAccountEvent *event;
  GError *problem = NULL;

  while ((event = rack_account_watch_next (ear->notify, ear->stop, &problem)) != NULL)
    if (event->kind == RACK_ACCOUNT_MAILBOX)
      report (news, event->mailbox->name, event->mailbox);
    else
      report_all (news);
  report_end (news, problem);
  return NULL;
}

/* ---- IDLE ------------------------------------------------------------------------------------ */

static void
hear_line (gpointer data, const RackResponse *response)
{
  RackWatcherEar *ear = data;

  switch (response->kind)
    {
    case RACK_RESPONSE_EXISTS:
    case RACK_RESPONSE_EXPUNGE:
    case RACK_RESPONSE_VANISHED:
    case RACK_RESPONSE_FETCH:
      rack_watch_line_hint (&ear->line, RACK_HINT_NEWS);
      break;
    default:
      break;
    }
}

static gboolean
connect_line (RackWatcherEar *ear, GError **error)
{
  GCancellable *stop = ear->stop;

  if (!rack_watch_line_connect (&ear->line, hear_line, ear, stop, error))
    return FALSE;
  RackCommand *command = rack_command_new ("EXAMINE");
  rack_command_mailbox (command, ear->mailbox);
  g_autoptr (RackCall) call =
      rack_watch_line_expect (&ear->line, command, ear->mailbox, stop, error);
  if (call != NULL)
    {
      rack_watch_line_settle (&ear->line);
      return TRUE;
    }
  rack_watch_line_hang_up (&ear->line);
  return FALSE;
}

/* Whether it is about this mailbox alone, which may come back; the others go on. */
static gboolean
is_of_mailbox (const GError *problem)
{
  return g_error_matches (problem, RACK_ERROR, RACK_ERROR_NOT_FOUND)
         || g_error_matches (problem, RACK_ERROR, RACK_ERROR_REFUSED)
         || g_error_matches (problem, RACK_ERROR, RACK_ERROR_DENIED);
}

/* FALSE: there is no use in trying again. */
static gboolean
come_back (RackWatcherEar *ear)
{
  RackWatcher *watcher = ear->watcher;
  GError *problem = NULL;

  rack_watch_line_pause (&ear->line, ear->stop);
  gboolean ok = connect_line (ear, &problem);
  if (g_cancellable_is_cancelled (ear->stop))
    g_clear_error (&problem);
  else if (ok || is_of_mailbox (problem))
    report (&watcher->news, ear->mailbox, NULL);
  if (problem == NULL || rack_watch_may_recover (problem) || is_of_mailbox (problem))
    {
      g_clear_error (&problem);
      return TRUE;
    }
  report_end (&watcher->news, problem);
  return FALSE;
}

static gpointer
hear_idle (gpointer data)
{
  RackWatcherEar *ear = data;
  GCancellable *stop = ear->stop;

  while (!g_cancellable_is_cancelled (stop))
    {
      if (ear->line.conn == NULL)
        {
          if (!come_back (ear))
            break;
          continue;
        }
      guint hints = rack_watch_line_wait (&ear->line, stop);
      if (hints & RACK_HINT_NEWS)
        report (&ear->watcher->news, ear->mailbox, NULL);
      if (hints & RACK_HINT_DIED)
        rack_watch_line_hang_up (&ear->line);
    }
  return NULL;
}

/* ---- Life ------------------------------------------------------------------------------------ */

void
rack_watcher_ear_free (RackWatcherEar *ear)
{
  g_cancellable_cancel (ear->stop);
  if (ear->thread != NULL)
    g_thread_join (ear->thread);
  g_object_unref (ear->stop);
  rack_account_watch_free (ear->notify);
  if (ear->mailbox != NULL)
    rack_watch_line_clear (&ear->line);
  g_free (ear->mailbox);
  g_free (ear);
}

static RackWatcherEar *
add_ear (RackWatcher *watcher)
{
  RackWatcherEar *ear = g_new0 (RackWatcherEar, 1);

  ear->watcher = watcher;
  ear->stop = g_cancellable_new ();
  g_ptr_array_add (watcher->ears, ear);
  return ear;
}

static void
add_idle (RackWatcher *watcher, const RackWatcherBox *box)
{
  RackWatcherEar *ear = add_ear (watcher);

  ear->mailbox = g_strdup (box->name);
  rack_watch_line_init (&ear->line, watcher->account);
  ear->thread = g_thread_new ("rack-idle", hear_idle, ear);
}

gboolean
rack_watcher_listen (RackWatcher *watcher, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) problem = NULL;
  RackAccountWatch *notify = rack_account_watch (watcher->account, cancellable, &problem);

  if (notify != NULL)
    {
      RackWatcherEar *ear = add_ear (watcher);
      ear->notify = notify;
      ear->thread = g_thread_new ("rack-notify", hear_notify, ear);
      return TRUE;
    }
  if (!g_error_matches (problem, RACK_ERROR, RACK_ERROR_UNSUPPORTED))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  for (guint i = 0; i < watcher->boxes->len && i < watcher->connections; i++)
    add_idle (watcher, watcher->boxes->pdata[i]);
  return TRUE;
}

void
rack_watcher_listen_no_more (RackWatcher *watcher)
{
  /* All of them first: each may take a moment. */
  for (guint i = 0; i < watcher->ears->len; i++)
    g_cancellable_cancel (((RackWatcherEar *) watcher->ears->pdata[i])->stop);
  g_ptr_array_set_size (watcher->ears, 0);
}

/* ---- Where to listen --------------------------------------------------------------------------
 */

static RackWatcherEar *
find_ear (RackWatcher *watcher, const RackWatcherBox *box)
{
  for (guint i = 0; i < watcher->ears->len; i++)
    {
      RackWatcherEar *ear = watcher->ears->pdata[i];
      if (g_strcmp0 (ear->mailbox, box->name) == 0)
        return ear;
    }
  return NULL;
}

/* The one without a connection in which most happened, and the one with one in which least did.
 * INBOX keeps its own. */
static void
find_extremes (RackWatcher *watcher, RackWatcherBox **busiest, RackWatcherBox **quietest)
{
  for (guint i = 0; i < watcher->boxes->len; i++)
    {
      RackWatcherBox *box = watcher->boxes->pdata[i];
      if (find_ear (watcher, box) == NULL)
        {
          if (!box->absent && (*busiest == NULL || box->activity > (*busiest)->activity))
            *busiest = box;
        }
      else if (strcmp (box->name, "INBOX") != 0
               && (*quietest == NULL || box->activity < (*quietest)->activity))
        *quietest = box;
    }
}

void
rack_watcher_listen_better (RackWatcher *watcher)
{
  RackWatcherBox *busiest = NULL, *quietest = NULL;

  if (watcher->names != NULL || watcher->ears->len == 0
      || ((const RackWatcherEar *) watcher->ears->pdata[0])->notify != NULL)
    return;
  find_extremes (watcher, &busiest, &quietest);
  /* Twice as much, lest two that are alike take it from each other for ever. */
  if (busiest != NULL && quietest != NULL && busiest->activity > 2 * quietest->activity)
    {
      g_ptr_array_remove_fast (watcher->ears, find_ear (watcher, quietest));
      add_idle (watcher, busiest);
    }
  for (guint i = 0; i < watcher->boxes->len; i++)
    {
      RackWatcherBox *box = watcher->boxes->pdata[i];
      box->activity -= box->activity / RACK_WATCHER_FADES;
    }
}

guint
rack_watcher_mailboxes (RackWatcher *watcher, guint *pushed)
{
  const RackWatcherEar *first = watcher->ears->len > 0 ? watcher->ears->pdata[0] : NULL;
  guint n = 0;

  for (guint i = 0; i < watcher->boxes->len; i++)
    n += !((const RackWatcherBox *) watcher->boxes->pdata[i])->absent;
  if (pushed != NULL)
    *pushed = first == NULL ? 0 : first->notify != NULL ? n : watcher->ears->len;
  return n;
}
