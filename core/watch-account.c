/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-account.c - which mailboxes of an account change, pushed by the server (RFC 5465)
 *
 * One connection with nothing selected, on which the server reports the STATUS of
 * whatever changes and LIST for names. What it says last of a mailbox is kept until it is
 * asked for, so a slow caller holds one entry for each mailbox and no more. What happened
 * in a mailbox is for a resync to find out. */
#include "account-private.h"

#include <string.h>

#define EVENTS      "(MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange)"
#define MAX_BACKOFF 60
/* A server that reports more mailboxes than this one by one is asked for all again. */
#define MAX_PENDING 100000

struct RackAccountWatch
{
  RackAccount *account;
  RackConn *conn; /* NULL: lost */
  guint backoff;  /* seconds to wait before connecting again; 0 at first */
  RackAccountEvent given;
  RackMailboxInfo *info; /* of the event that was given out */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  /* Guarded by lock. */
  GHashTable *pending; /* name -> RackMailboxInfo, owned by the queue */
  GQueue queue;        /* RackMailboxInfo *: STATUS */
  gboolean names;      /* mailboxes came or went, or were subscribed */
  gboolean reset;      /* anything may have happened */
  gboolean died;
  gboolean network; /* it may have changed */
  guint network_id;
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

  pthread_mutex_lock (&watch->lock);
  if (response->kind == RACK_RESPONSE_MAILBOX_STATUS)
    hear_status (watch, &response->mailbox_status);
  else if (response->kind == RACK_RESPONSE_LIST)
    watch->names = TRUE;
  else if (response->kind == RACK_RESPONSE_STATUS
           && response->status.code.kind == RACK_CODE_NOTIFICATIONOVERFLOW)
    watch->died = TRUE; /* it reports nothing from here on: begin again */
  pthread_cond_broadcast (&watch->changed);
  pthread_mutex_unlock (&watch->lock);
}

static void
hear_death (gpointer data)
{
  RackAccountWatch *watch = data;

  pthread_mutex_lock (&watch->lock);
  watch->died = TRUE;
  pthread_cond_broadcast (&watch->changed);
  pthread_mutex_unlock (&watch->lock);
}

static void
hear_network (gpointer data)
{
  RackAccountWatch *watch = data;

  pthread_mutex_lock (&watch->lock);
  watch->network = TRUE;
  pthread_cond_broadcast (&watch->changed);
  pthread_mutex_unlock (&watch->lock);
}

/* ---- The connection -------------------------------------------------------------------- */

static void
hang_up (RackAccountWatch *watch)
{
  if (watch->conn == NULL)
    return;
  rack_conn_close (watch->conn, FALSE);
  g_clear_pointer (&watch->conn, rack_conn_unref);
}

/* Asks for reports; the STATUS of every mailbox comes with the answer, and is heard like any other.
 */
static gboolean
ask_for_reports (RackAccountWatch *watch, GCancellable *cancellable, GError **error)
{
  RackCommand *command = rack_command_new ("NOTIFY");

  rack_command_raw (command, "SET STATUS (personal " EVENTS ")");
  g_autoptr (RackCall) call = rack_call_new (command);
  rack_conn_post (watch->conn, call);
  if (rack_call_expect (call, cancellable, error))
    return TRUE;
  /* NO with BADEVENT: it reports less than everything, which is not enough. */
  if (error != NULL && g_error_matches (*error, RACK_ERROR, RACK_ERROR_REFUSED))
    (*error)->code = RACK_ERROR_UNSUPPORTED;
  return FALSE;
}

static gboolean
connect_and_ask (RackAccountWatch *watch, GCancellable *cancellable, GError **error)
{
  RackWait wait = rack_account_wait (watch->account, cancellable);

  watch->conn = rack_account_open_conn (watch->account, &wait, error);
  if (watch->conn == NULL)
    return FALSE;
  pthread_mutex_lock (&watch->lock);
  watch->died = FALSE;
  forget_pending (watch);
  pthread_mutex_unlock (&watch->lock);
  if (!rack_conn_has (watch->conn, "NOTIFY"))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED, "the server has no NOTIFY");
  else
    {
      /* Mod-sequences are part of what is reported once they are enabled. */
      rack_conn_doubt_with (watch->conn, rack_account_netwatch (watch->account));
      rack_conn_enable_qresync (watch->conn);
      rack_conn_set_news (watch->conn, hear, watch);
      rack_conn_set_died (watch->conn, hear_death, watch);
      if (ask_for_reports (watch, cancellable, error))
        {
          rack_conn_want_idle (watch->conn, TRUE); /* so that the server does not log us out */
          return TRUE;
        }
    }
  hang_up (watch);
  return FALSE;
}

RackAccountWatch *
rack_account_watch (RackAccount *account, GCancellable *cancellable, GError **error)
{
  RackAccountWatch *watch = g_new0 (RackAccountWatch, 1);

  watch->account = rack_account_ref (account);
  watch->pending = g_hash_table_new (g_str_hash, g_str_equal);
  g_queue_init (&watch->queue);
  pthread_mutex_init (&watch->lock, NULL);
  pthread_cond_init (&watch->changed, NULL);
  watch->network_id = rack_netwatch_add (rack_account_netwatch (account), hear_network, watch);
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
  rack_netwatch_remove (rack_account_netwatch (watch->account), watch->network_id);
  hang_up (watch);
  forget_pending (watch);
  g_hash_table_unref (watch->pending);
  rack_mailbox_info_free (watch->info);
  rack_account_unref (watch->account);
  pthread_mutex_destroy (&watch->lock);
  pthread_cond_destroy (&watch->changed);
  g_free (watch);
}

/* ---- Waiting --------------------------------------------------------------------------- */

static void
wake (GCancellable *cancellable, gpointer data)
{
  RackAccountWatch *watch = data;

  pthread_mutex_lock (&watch->lock);
  pthread_cond_broadcast (&watch->changed);
  pthread_mutex_unlock (&watch->lock);
}

static gboolean
is_quiet (const RackAccountWatch *watch)
{
  return watch->queue.head == NULL && !watch->names && !watch->reset;
}

/* Until something was heard, or it died; with seconds, so long in any case unless cancelled or the
 * network changed. Returns: whether that did. */
static gboolean
wait_for_news (RackAccountWatch *watch, guint seconds, GCancellable *cancellable)
{
  gulong handler =
      cancellable != NULL ? g_cancellable_connect (cancellable, G_CALLBACK (wake), watch, NULL) : 0;
  struct timespec until;
  int result = 0;

  clock_gettime (CLOCK_REALTIME, &until);
  until.tv_sec += seconds;
  pthread_mutex_lock (&watch->lock);
  while (result == 0 && !g_cancellable_is_cancelled (cancellable)
         && (seconds > 0 ? !watch->network : is_quiet (watch) && !watch->died))
    result = seconds > 0 ? pthread_cond_timedwait (&watch->changed, &watch->lock, &until)
                         : pthread_cond_wait (&watch->changed, &watch->lock);
  gboolean network = watch->network;
  watch->network = FALSE;
  pthread_mutex_unlock (&watch->lock);
  if (handler != 0)
    g_cancellable_disconnect (cancellable, handler);
  return network;
}

/* FALSE with error set: it does not get better by trying again. */
static gboolean
reconnect (RackAccountWatch *watch, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) problem = NULL;

  hang_up (watch);
  if (watch->backoff > 0
      && wait_for_news (watch, (guint) g_random_int_range (1, (gint) watch->backoff + 1),
                        cancellable))
    watch->backoff = 0;
  watch->backoff = MIN (MAX (watch->backoff * 2, 1), MAX_BACKOFF);
  if (connect_and_ask (watch, cancellable, &problem))
    {
      watch->backoff = 0;
      pthread_mutex_lock (&watch->lock);
      watch->reset = TRUE;
      pthread_mutex_unlock (&watch->lock);
      return TRUE;
    }
  if (!g_cancellable_is_cancelled (cancellable)
      && (rack_error_is_lost (problem)
          || g_error_matches (problem, RACK_ERROR, RACK_ERROR_TIMEOUT)))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

/* FALSE: nothing was heard. */
static gboolean
take_event (RackAccountWatch *watch)
{
  pthread_mutex_lock (&watch->lock);
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
  pthread_mutex_unlock (&watch->lock);
  return any;
}

const RackAccountEvent *
rack_account_watch_next (RackAccountWatch *watch, GCancellable *cancellable, GError **error)
{
  for (;;)
    {
      if (take_event (watch))
        return &watch->given;
      if (g_cancellable_is_cancelled (cancellable))
        {
          g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
          return NULL;
        }
      pthread_mutex_lock (&watch->lock);
      gboolean died = watch->died;
      pthread_mutex_unlock (&watch->lock);
      if (!died && watch->conn != NULL)
        wait_for_news (watch, 0, cancellable);
      else if (!reconnect (watch, cancellable, error))
        {
          g_prefix_error (error, "%s: watch: ", watch->account->label);
          return NULL;
        }
    }
}
