/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * reports.c - what the server tells about all mailboxes at once
 *
 * Where it has NOTIFY one thread hears which mailboxes change, also those that have no
 * watch of their own, and has them looked at; the poller's next round is then a second
 * look and not the first. Where it has not, the thread ends.
 */
#include "mirror-private.h"

#include <string.h>

/* While no server is to be asked, or none can be: milliseconds between looks at that. */
#define PAUSE 2000

struct RackReports
{
  RackMirror *mirror;
  pthread_mutex_t mutex;
  pthread_cond_t cond;
  gboolean ending;
  GCancellable *cancellable; /* of the watch that runs */
  GThread *thread;
};

static RackFolder *
find_folder (RackMirror *mirror, const char *mailbox)
{
  GHashTableIter iter;
  gpointer folder;
  RackFolder *found = NULL;

  pthread_mutex_lock (&mirror->tree);
  g_hash_table_iter_init (&iter, mirror->ids);
  while (found == NULL && g_hash_table_iter_next (&iter, NULL, &folder))
    if (((RackFolder *) folder)->selectable
        && strcmp (((RackFolder *) folder)->mailbox, mailbox) == 0)
      found = folder;
  pthread_mutex_unlock (&mirror->tree);
  return found;
}

/* Whether the folder is as the server says; what it does not say is no difference. */
static gboolean
is_current (const RackFolder *folder, const RackMailboxInfo *info)
{
  const RackMailboxState *state = &folder->state;
  RackStatusItems items = info->status_items;

  return (!(items & RACK_STATUS_MESSAGES) || info->messages == rack_folder_count (folder))
         && (!(items & RACK_STATUS_UIDNEXT) || info->uid_next == state->uid_next)
         && (!(items & RACK_STATUS_UIDVALIDITY) || info->uid_validity == state->uid_validity)
         && (!(items & RACK_STATUS_HIGHESTMODSEQ) || info->highest_modseq == state->highest_modseq)
         && (items & (RACK_STATUS_HIGHESTMODSEQ | RACK_STATUS_MESSAGES)) != 0;
}

static void
take_report (RackMirror *mirror, const RackMailboxInfo *info)
{
  RackFolder *folder = find_folder (mirror, info->name);
  if (folder == NULL)
    return;
  pthread_mutex_lock (&folder->mutex);
  /* One with a watch hears of it there; one nobody looked at is not kept current. */
  if (folder->complete && !folder->pushed && !is_current (folder, info))
    rack_sync_want (folder, RACK_WANT_SYNC);
  pthread_mutex_unlock (&folder->mutex);
}

/* Until the watch ends. FALSE: there is no point in another one. */
static gboolean
follow (RackReports *reports, GCancellable *cancellable)
{
  RackMirror *mirror = reports->mirror;
  g_autoptr (GError) error = NULL;
  g_autoptr (RackAccountWatch) watch = rack_account_watch (mirror->account, cancellable, &error);
  const RackAccountEvent *event;

  while (watch != NULL && (event = rack_account_watch_next (watch, cancellable, &error)) != NULL)
    switch (event->kind)
      {
      case RACK_ACCOUNT_MAILBOX:
        take_report (mirror, event->mailbox);
        break;
      case RACK_ACCOUNT_NAMES:
      case RACK_ACCOUNT_RESET:
        rack_watchers_probe (mirror);
        break;
      }
  return rack_online_denies (error) || g_error_matches (error, RACK_ERROR, RACK_ERROR_CANCELLED);
}

static gpointer
run (gpointer data)
{
  RackReports *reports = data;
  gboolean useful = TRUE;

  pthread_mutex_lock (&reports->mutex);
  while (useful && !reports->ending)
    {
      if (rack_online_is_held (reports->mirror) || !rack_online_is (reports->mirror))
        {
          rack_cond_wait_for (&reports->cond, &reports->mutex, PAUSE);
          continue;
        }
      reports->cancellable = g_cancellable_new ();
      g_autoptr (GCancellable) cancellable = g_object_ref (reports->cancellable);
      pthread_mutex_unlock (&reports->mutex);
      useful = follow (reports, cancellable);
      pthread_mutex_lock (&reports->mutex);
      g_clear_object (&reports->cancellable);
      if (useful && !reports->ending)
        rack_cond_wait_for (&reports->cond, &reports->mutex, PAUSE);
    }
  pthread_mutex_unlock (&reports->mutex);
  return NULL;
}

RackReports *
rack_reports_new (RackMirror *mirror)
{
  RackReports *reports = g_new0 (RackReports, 1);
  reports->mirror = mirror;
  pthread_mutex_init (&reports->mutex, NULL);
  rack_cond_init (&reports->cond);
  reports->thread = g_thread_new ("mirror-reports", run, reports);
  return reports;
}

static void
stop (RackReports *reports, gboolean ending)
{
  pthread_mutex_lock (&reports->mutex);
  reports->ending |= ending;
  GCancellable *cancellable =
      reports->cancellable != NULL ? g_object_ref (reports->cancellable) : NULL;
  pthread_cond_broadcast (&reports->cond);
  pthread_mutex_unlock (&reports->mutex);
  if (cancellable != NULL)
    g_cancellable_cancel (cancellable);
  g_clear_object (&cancellable);
}

void
rack_reports_stop (RackReports *reports)
{
  stop (reports, FALSE);
}

void
rack_reports_free (RackReports *reports)
{
  if (reports == NULL)
    return;
  stop (reports, TRUE);
  g_thread_join (reports->thread);
  pthread_cond_destroy (&reports->cond);
  pthread_mutex_destroy (&reports->mutex);
  g_free (reports);
}
