/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-account.c - which mailboxes of an account change, pushed by the server (RFC 5465)
 *
 * One connection with nothing selected, on which the server reports the STATUS of
 * whatever changes and LIST for names. What it says last of a mailbox is kept until it is
 * asked for, so a slow caller holds one entry for each mailbox and no more. What happened
 * in a mailbox is for a resync to find out. */
#include "watch-line.h"

#include <string.h>

#define EVENTS      "(MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange)"
/* A server that reports more mailboxes than this one by one is asked for all again. */
#define MAX_PENDING 100000

struct RackAccountWatch
{
  RackWatchLine line;
  RackAccountEvent given;
  RackMailboxInfo *info; /* of the event that was given out */
  /* Guarded by line.lock. */
  GHashTable *pending; /* name -> RackMailboxInfo, owned by the queue */
  GQueue queue;        /* RackMailboxInfo *: STATUS */
  gboolean names;      /* mailboxes came or went, or were subscribed */
  gboolean reset;      /* anything may have happened */
};

/* ---- What is heard, on the owner's thread -------------------------------------------- */

static void
forget_pending (RackAccountWatch *watch)
{
  g_hash_table_remove_all (watch->pending);
  g_queue_clear_full (&watch->queue, (GDestroyNotify) rack_mailbox_info_free);
}

/* Dovecot 2.3 reports names as they are, in UTF-8, and not as IMAP4rev1 has them: what is no
 * modified UTF-7 is taken for that. Returns: (owned) */
static char *
name_of (RackStr wire)
{
  static const char no_mutf7[] = "\xef\xbf\xbc"; /* rack_mailbox_name_decode() marks it so */
  char *name = rack_mailbox_name_decode (wire);

  if (strstr (name, no_mutf7) == NULL || !g_utf8_validate (wire.data, (gssize) wire.size, NULL))
    return name;
  g_free (name);
  return rack_str_dup (wire);
}

static void
hear_status (RackAccountWatch *watch, const RackStatusData *status)
{
  g_autofree char *decoded = name_of (status->mailbox);
  const char *name = g_ascii_strcasecmp (decoded, "INBOX") == 0 ? "INBOX" : decoded;
  RackMailboxInfo *info = g_hash_table_lookup (watch->pending, name);

  if (info == NULL && g_hash_table_size (watch->pending) >= MAX_PENDING)
    {
      watch->reset = TRUE;
      return;
    }
  if (info == NULL)
    {
      info = g_new0 (RackMailboxInfo, 1);
      info->name = g_strdup (name);
      g_hash_table_insert (watch->pending, info->name, info);
      g_queue_push_tail (&watch->queue, info);
    }
  rack_mailbox_info_merge (info, status);
}

static void
hear (gpointer data, const RackResponse *response)
{
  RackAccountWatch *watch = data;
  guint hints = RACK_HINT_NEWS;

  pthread_mutex_lock (&watch->line.lock);
  if (response->kind == RACK_RESPONSE_MAILBOX_STATUS)
    hear_status (watch, &response->mailbox_status);
  else if (response->kind == RACK_RESPONSE_LIST)
    watch->names = TRUE;
  else if (response->kind == RACK_RESPONSE_STATUS
           && response->status.code.kind == RACK_CODE_NOTIFICATIONOVERFLOW)
    hints = RACK_HINT_DIED; /* it reports nothing from here on: begin again */
  pthread_mutex_unlock (&watch->line.lock);
  rack_watch_line_hint (&watch->line, hints);
}

/* ---- The connection -------------------------------------------------------------------- */

/* Asks for reports; the STATUS of every mailbox comes with the answer, and is heard like any other.
 */
static gboolean
ask_for_reports (RackAccountWatch *watch, GCancellable *cancellable, GError **error)
{
  RackCommand *command = rack_command_new ("NOTIFY");

  rack_command_raw (command, "SET STATUS (personal " EVENTS ")");
  g_autoptr (RackCall) call =
      rack_watch_line_expect (&watch->line, command, NULL, cancellable, error);
  if (call != NULL)
    return TRUE;
  /* NO with BADEVENT: it reports less than everything, which is not enough. */
  if (error != NULL && g_error_matches (*error, RACK_ERROR, RACK_ERROR_REFUSED))
    (*error)->code = RACK_ERROR_UNSUPPORTED;
  return FALSE;
}

/* Mod-sequences are part of what is reported, since they were enabled. */
static gboolean
connect_and_ask (RackAccountWatch *watch, GCancellable *cancellable, GError **error)
{
  pthread_mutex_lock (&watch->line.lock);
  forget_pending (watch);
  pthread_mutex_unlock (&watch->line.lock);
  if (!rack_watch_line_connect (&watch->line, hear, watch, cancellable, error))
    return FALSE;
  if (!rack_conn_has (watch->line.conn, "NOTIFY"))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED, "the server has no NOTIFY");
  else if (ask_for_reports (watch, cancellable, error))
    {
      rack_watch_line_settle (&watch->line); /* in IDLE the server does not log us out */
      return TRUE;
    }
  rack_watch_line_hang_up (&watch->line);
  return FALSE;
}

RackAccountWatch *
rack_account_watch (RackAccount *account, GCancellable *cancellable, GError **error)
{
  RackAccountWatch *watch = g_new0 (RackAccountWatch, 1);

  watch->pending = g_hash_table_new (g_str_hash, g_str_equal);
  g_queue_init (&watch->queue);
  rack_watch_line_init (&watch->line, account);
  if (connect_and_ask (watch, cancellable, error))
    return watch;
  g_prefix_error (error, "%s: watch: ", account->label);
  rack_account_watch_free (watch);
  return NULL;
}

void
rack_account_watch_free (RackAccountWatch *watch)
{
  if (watch == NULL)
    return;
  rack_watch_line_hang_up (&watch->line);
  forget_pending (watch);
  g_hash_table_unref (watch->pending);
  rack_mailbox_info_free (watch->info);
  rack_watch_line_clear (&watch->line);
  g_free (watch);
}

/* ---- Waiting --------------------------------------------------------------------------- */

static gboolean
is_quiet (const RackAccountWatch *watch)
{
  return watch->queue.head == NULL && !watch->names && !watch->reset;
}

/* FALSE with error set: it does not get better by trying again. */
static gboolean
reconnect (RackAccountWatch *watch, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) problem = NULL;

  rack_watch_line_hang_up (&watch->line);
  rack_watch_line_pause (&watch->line, cancellable);
  if (connect_and_ask (watch, cancellable, &problem))
    {
      pthread_mutex_lock (&watch->line.lock);
      watch->reset = TRUE;
      pthread_mutex_unlock (&watch->line.lock);
      return TRUE;
    }
  if (!g_cancellable_is_cancelled (cancellable) && rack_watch_may_recover (problem))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

/* FALSE: nothing was heard. */
static gboolean
take_event (RackAccountWatch *watch)
{
  pthread_mutex_lock (&watch->line.lock);
  gboolean any = !is_quiet (watch);
  g_clear_pointer (&watch->info, rack_mailbox_info_free);
  watch->given = (RackAccountEvent){ 0 };
  if (watch->reset)
    {
      watch->reset = watch->names = FALSE;
      watch->given.kind = RACK_ACCOUNT_RESET;
    }
  else if (watch->names)
    {
      watch->names = FALSE;
      watch->given.kind = RACK_ACCOUNT_NAMES;
    }
  else if (any)
    {
      watch->info = g_queue_pop_head (&watch->queue);
      g_hash_table_remove (watch->pending, watch->info->name);
      watch->given = (RackAccountEvent){ RACK_ACCOUNT_MAILBOX, watch->info };
    }
  pthread_mutex_unlock (&watch->line.lock);
  return any;
}

const RackAccountEvent *
rack_account_watch_next (RackAccountWatch *watch, GCancellable *cancellable, GError **error)
{
  while (!take_event (watch))
    {
      if (g_cancellable_is_cancelled (cancellable))
        {
          g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
          return NULL;
        }
      if (watch->line.conn != NULL)
        {
          if (rack_watch_line_wait (&watch->line, cancellable) & RACK_HINT_DIED)
            rack_watch_line_hang_up (&watch->line);
        }
      else if (!reconnect (watch, cancellable, error))
        {
          g_prefix_error (error, "%s: watch: ", watch->line.account->label);
          return NULL;
        }
    }
  return &watch->given;
}
