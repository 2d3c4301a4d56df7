/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-account.c - reports about all mailboxes of an account, where the server gives them */
#include "live.h"

#include <string.h>

/* Waits for a report about the mailbox with so many messages (G_MAXUINT64: any number) and a higher
 * mod-sequence. */
static gboolean
wait_for (RackAccountWatch *watch, const char *name, guint64 messages, guint64 modseq,
          guint64 *seen, GError **error)
{
  const RackAccountEvent *event;

  while ((event = rack_account_watch_next (watch, NULL, error)) != NULL)
    {
      const RackMailboxInfo *info = event->mailbox;
      live_require ((event->kind == RACK_ACCOUNT_MAILBOX) == (info != NULL));
      if (info == NULL || strcmp (info->name, name) != 0)
        continue;
      if (info->status_items & RACK_STATUS_HIGHESTMODSEQ)
        *seen = info->highest_modseq;
      if ((messages == G_MAXUINT64
           || ((info->status_items & RACK_STATUS_MESSAGES) && info->messages == messages))
          && *seen > modseq)
        return TRUE;
    }
  return FALSE;
}

static gboolean
wait_for_names (RackAccountWatch *watch, GError **error)
{
  const RackAccountEvent *event;

  do
    event = rack_account_watch_next (watch, NULL, error);
  while (event != NULL && event->kind != RACK_ACCOUNT_NAMES);
  return event != NULL;
}

gboolean
live_check_watch_account (Live *live, GError **error)
{
  static const char text[] = "Subject: reported\r\n\r\nsomething\r\n";
  g_autoptr (RackMailbox) mailbox = live_mailbox (live, "repörted", error);
  g_autoptr (GError) problem = NULL;
  guint64 modseq = 0;

  if (mailbox == NULL)
    return FALSE;
  const char *name = rack_mailbox_name (mailbox);
  g_autoptr (RackAccountWatch) watch = rack_account_watch (live->account, NULL, &problem);
  if (watch == NULL)
    {
      live_require (g_error_matches (problem, RACK_ERROR, RACK_ERROR_UNSUPPORTED));
      return TRUE;
    }
  if (!wait_for (watch, name, 0, 0, &modseq, error)
      || !live_append (live, name, text, strlen (text), 0, -1, NULL, error)
      || !wait_for (watch, name, 1, modseq, &modseq, error))
    return FALSE;
  g_autoptr (RackSet) all = rack_mailbox_search (mailbox, "ALL", NULL, error);
  if (all == NULL
      || !rack_mailbox_store (mailbox, all, RACK_STORE_ADD, RACK_FLAG_FLAGGED, NULL, NULL, error)
      || !wait_for (watch, name, G_MAXUINT64, modseq, &modseq, error)
      || !rack_mailbox_expunge (mailbox, all, NULL, error)
      || !wait_for (watch, name, 0, modseq, &modseq, error))
    return FALSE;
  g_autofree char *other = live_name (live, "reported too");
  return rack_account_create (live->account, other, NULL, error) && wait_for_names (watch, error);
}
