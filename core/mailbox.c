/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mailbox.c - a mailbox by name, and what is done to sets of its messages
 *
 * Selecting is the pool's; here it is made sure that UIDs are only ever used under
 * the UIDVALIDITY they belong to. */
#include "mailbox-private.h"

#include <string.h>

void
rack_mailbox_prefix (RackMailbox *mailbox, const char *what, GError **error)
{
  g_prefix_error (error, "%s: %s: %s: ", mailbox->account->label, mailbox->name, what);
}

/* ---- Leases ------------------------------------------------------------------------------ */

void
rack_mailbox_read_select (const RackReply *reply, RackMailboxStatus *status)
{
  const RackResponse *response;

  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    {
      if (response->kind == RACK_RESPONSE_EXISTS)
        status->messages = response->number;
      else if (response->kind == RACK_RESPONSE_FLAGS)
        status->flags = response->flags.system;
      else if (response->kind == RACK_RESPONSE_STATUS)
        {
          const RackCode *code = &response->status.code;
          if (code->kind == RACK_CODE_UIDVALIDITY)
            status->uid_validity = (guint32) code->number;
          else if (code->kind == RACK_CODE_UIDNEXT)
            status->uid_next = (guint32) code->number;
          else if (code->kind == RACK_CODE_HIGHESTMODSEQ)
            status->highest_modseq = code->number;
          else if (code->kind == RACK_CODE_PERMANENTFLAGS)
            status->permanent_flags = code->flags.system;
        }
    }
}

static gboolean
is_current (const RackCall *select, gpointer data)
{
  const guint32 *uid_validity = data;
  RackMailboxStatus then = { 0 };

  rack_mailbox_read_select (select->reply, &then);
  return then.uid_validity == 0 || then.uid_validity == *uid_validity;
}

void
rack_account_heard_validity (RackAccount *account, const char *name, guint32 uid_validity)
{
  const char *mailbox = g_ascii_strcasecmp (name, "INBOX") == 0 ? "INBOX" : name;

  if (uid_validity != 0)
    rack_pool_outdate (account->pool, mailbox, is_current, &uid_validity);
}

void
rack_mailbox_set_stale (GError **error)
{
  g_set_error_literal (
      error, RACK_ERROR, RACK_ERROR_STALE,
      "the mailbox was made anew on the server (UIDVALIDITY changed); open it again");
}

static gboolean
check_selected (RackMailbox *mailbox, const RackLease *lease, GError **error)
{
  RackMailboxStatus now = { 0 };

  rack_mailbox_read_select (lease->select->reply, &now);
  now.read_only = mailbox->read_only
                  || rack_reply_status (lease->select->reply)->code.kind == RACK_CODE_READ_ONLY;
  pthread_mutex_lock (&mailbox->lock);
  gboolean stale =
      mailbox->status.uid_validity != 0 && now.uid_validity != mailbox->status.uid_validity;
  /* A connection that was selected long ago knows nothing newer. */
  if (!stale && (!lease->reused || !mailbox->selected))
    {
      mailbox->status = now;
      mailbox->selected = TRUE;
    }
  pthread_mutex_unlock (&mailbox->lock);
  if (stale)
    rack_mailbox_set_stale (error);
  if (stale && !lease->reused)
    rack_account_heard_validity (mailbox->account, mailbox->name, now.uid_validity);
  return !stale;
}

/* A server shows what happened meanwhile at its own pace: after the answer to a NOOP it has. (Sent
 * in one flight with the command, Dovecot puts it off until behind that.) */
gboolean
rack_lease_refresh (const RackLease *lease, GCancellable *cancellable, GError **error)
{
  g_autoptr (RackCall) noop = rack_call_new (rack_command_new ("NOOP"));

  rack_conn_post (lease->conn, noop);
  return rack_call_expect (noop, cancellable, error);
}

/* What was there when it was selected the connection has been shown. */
static gboolean
was_shown (const RackLease *lease, const RackSet *uids)
{
  RackMailboxStatus then = { 0 };
  RackRanges ranges = rack_set_ranges (uids);

  rack_mailbox_read_select (lease->select->reply, &then);
  return ranges.n > 0 && ranges.items[ranges.n - 1].last < then.uid_next;
}

static gboolean
lease_for (RackMailbox *mailbox, RackLeaseFlags flags, const RackSet *uids,
           GCancellable *cancellable, RackLease *lease, GError **error)
{
  RackAccount *account = mailbox->account;

  if (mailbox->read_only)
    flags |= RACK_LEASE_READ_ONLY;
  for (guint try = 0;; try++)
    {
      RackWait wait = rack_account_wait (account, cancellable);
      g_autoptr (GError) problem = NULL;
      if (!rack_pool_acquire (account->pool, mailbox->name, flags, &wait, lease, error))
        return FALSE;
      gboolean ok = rack_call_expect (lease->select, cancellable, &problem);
      ok = ok && check_selected (mailbox, lease, &problem);
      if (ok && (flags & RACK_LEASE_FRESH) && lease->reused
          && (uids == NULL || !was_shown (lease, uids)))
        ok = rack_lease_refresh (lease, cancellable, &problem);
      if (ok)
        return TRUE;
      /* It may be the connection that still has the mailbox that there was before. */
      gboolean outdated = lease->reused && g_error_matches (problem, RACK_ERROR, RACK_ERROR_STALE);
      rack_pool_release (account->pool, lease, TRUE);
      if (try < 2 && (outdated || rack_error_is_lost (problem)))
        continue;
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
}

gboolean
rack_mailbox_lease (RackMailbox *mailbox, RackLeaseFlags flags, GCancellable *cancellable,
                    RackLease *lease, GError **error)
{
  return lease_for (mailbox, flags, NULL, cancellable, lease, error);
}

void
rack_mailbox_release (RackMailbox *mailbox, RackLease *lease, gboolean lost)
{
  rack_pool_release (mailbox->account->pool, lease, lost);
}

RackCall *
rack_mailbox_run (RackMailbox *mailbox, RackLeaseFlags flags, const char *what,
                  RackMakeCommand make, gpointer data, GCancellable *cancellable, GError **error)
{
  return rack_mailbox_run_on (mailbox, flags, what, NULL, make, data, cancellable, error);
}

RackCall *
rack_mailbox_run_on (RackMailbox *mailbox, RackLeaseFlags flags, const char *what,
                     const RackSet *uids, RackMakeCommand make, gpointer data,
                     GCancellable *cancellable, GError **error)
{
  RackTries tries = { 0 };
  GError *problem = NULL;
  RackLease lease;

  while (lease_for (mailbox, flags, uids, cancellable, &lease, &problem))
    {
      g_autoptr (RackCall) call = rack_call_new (make (data, lease.conn));
      if (flags & RACK_LEASE_ONCE)
        call->exchange.flags &= ~(guint) RACK_EXCHANGE_REPEATABLE;
      rack_conn_post (lease.conn, call);
      gboolean ok = rack_call_expect (call, cancellable, &problem);
      rack_mailbox_release (mailbox, &lease, FALSE);
      if (ok)
        return g_steal_pointer (&call);
      if (!rack_tries_again (&tries, call, problem))
        break;
      g_clear_error (&problem);
    }
  rack_tries_end (&tries, problem, error);
  rack_mailbox_prefix (mailbox, what, error);
  return NULL;
}

/* ---- Life ---------------------------------------------------------------------------------- */

RackMailbox *
rack_mailbox_bind (RackAccount *account, const char *name, gboolean read_only, guint32 uid_validity)
{
  RackMailbox *mailbox = g_new0 (RackMailbox, 1);

  mailbox->references = 1;
  mailbox->account = rack_account_ref (account);
  mailbox->name = g_strdup (g_ascii_strcasecmp (name, "INBOX") == 0 ? "INBOX" : name);
  mailbox->read_only = read_only || account->settings.read_only;
  mailbox->status.uid_validity = uid_validity;
  mailbox->status.read_only = mailbox->read_only;
  pthread_mutex_init (&mailbox->lock, NULL);
  return mailbox;
}

RackMailbox *
rack_mailbox_open (RackAccount *account, const char *name, gboolean read_only,
                   GCancellable *cancellable, GError **error)
{
  g_autoptr (RackMailbox) mailbox = rack_mailbox_bind (account, name, read_only, 0);
  RackLease lease;

  /* What a connection selected long ago may be what had this name before. */
  if (!rack_mailbox_lease (mailbox, RACK_LEASE_AGAIN, cancellable, &lease, error))
    {
      rack_mailbox_prefix (mailbox, "select", error);
      return NULL;
    }
  rack_mailbox_release (mailbox, &lease, FALSE);
  return g_steal_pointer (&mailbox);
}

RackMailbox *
rack_mailbox_ref (RackMailbox *mailbox)
{
  g_atomic_int_inc (&mailbox->references);
  return mailbox;
}

void
rack_mailbox_unref (RackMailbox *mailbox)
{
  if (mailbox == NULL || !g_atomic_int_dec_and_test (&mailbox->references))
    return;
  rack_account_unref (mailbox->account);
  pthread_mutex_destroy (&mailbox->lock);
  g_free (mailbox->name);
  g_free (mailbox);
}

const char *
rack_mailbox_name (RackMailbox *mailbox)
{
  return mailbox->name;
}

guint32
rack_mailbox_validity (RackMailbox *mailbox)
{
  pthread_mutex_lock (&mailbox->lock);
  guint32 uid_validity = mailbox->status.uid_validity;
  pthread_mutex_unlock (&mailbox->lock);
  return uid_validity;
}

void
rack_mailbox_status (RackMailbox *mailbox, RackMailboxStatus *status)
{
  pthread_mutex_lock (&mailbox->lock);
  *status = mailbox->status;
  pthread_mutex_unlock (&mailbox->lock);
}

/* All of these on a lease that is fresh: a UID that the server has not shown on that connection yet
 * is left out, and the answer is OK all the same (Dovecot's is "No messages found", and behind it
 * they are there: a move by steps would expunge what it has not copied). */

/* ---- Store, copy, move, expunge ----------------------------------------------------------- */

typedef struct
{
  const char *verb;
  const RackSet *uids;
  const char *to;
  RackStoreMode mode;
  RackFlags flags;
  const char *const *keywords;
} SetCommand;

static gboolean
check_writable (RackMailbox *mailbox, const char *what, GError **error)
{
  if (!mailbox->read_only)
    return TRUE;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_READ_ONLY, "the mailbox was opened read-only");
  rack_mailbox_prefix (mailbox, what, error);
  return FALSE;
}

static RackCommand *
make_set_command (gpointer data, RackConn *conn)
{
  static const char *const modes[] = { "+FLAGS.SILENT", "-FLAGS.SILENT", "FLAGS.SILENT" };
  const SetCommand *what = data;
  RackCommand *command = rack_command_new (what->verb);

  if (what->uids != NULL) /* a plain EXPUNGE has none */
    rack_command_set (command, what->uids);
  if (what->to != NULL)
    rack_command_mailbox (command, what->to);
  else if (strcmp (what->verb, "UID STORE") == 0)
    {
      rack_command_atom (command, modes[what->mode]);
      rack_command_flags (command, what->flags, what->keywords);
    }
  return command;
}

static gboolean
store_as (RackMailbox *mailbox, SetCommand *set, const char *what, GCancellable *cancellable,
          GError **error)
{
  /* Sent again, a replacement would undo what others changed in between. */
  RackLeaseFlags run = RACK_LEASE_FRESH | (set->mode == RACK_STORE_REPLACE ? RACK_LEASE_ONCE : 0);
  g_autoptr (RackCall) call = rack_mailbox_run_on (mailbox, run, what, set->uids, make_set_command,
                                                   set, cancellable, error);

  return call != NULL;
}

gboolean
rack_mailbox_store (RackMailbox *mailbox, const RackSet *uids, RackStoreMode mode, RackFlags flags,
                    const char *const *keywords, GCancellable *cancellable, GError **error)
{
  SetCommand set = {
    .verb = "UID STORE", .uids = uids, .mode = mode, .flags = flags, .keywords = keywords
  };

  if (rack_set_count (uids) == 0)
    return TRUE;
  return check_writable (mailbox, "store", error)
         && store_as (mailbox, &set, "store", cancellable, error);
}

void
rack_copied_clear (RackCopied *copied)
{
  g_clear_pointer (&copied->from, rack_set_free);
  g_clear_pointer (&copied->to, rack_set_free);
  copied->uid_validity = 0;
}

static void
take_code (RackCopied *copied, const RackCode *code)
{
  if (code->kind != RACK_CODE_COPYUID)
    return;
  copied->uid_validity = (guint32) code->number;
  rack_set_add_ranges (copied->from, code->uids);
  rack_set_add_ranges (copied->to, code->copies);
}

static void
take_copied (const RackReply *reply, RackCopied *copied)
{
  const RackResponse *response;

  if (copied == NULL)
    return;
  *copied = (RackCopied){ 0, rack_set_new (), rack_set_new () };
  take_code (copied, &rack_reply_status (reply)->code);
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_STATUS)
      take_code (copied, &response->status.code);
}

static gboolean
copy_as (RackMailbox *mailbox, const RackSet *uids, const char *to, RackCopied *copied,
         const char *what, GCancellable *cancellable, GError **error)
{
  SetCommand set = { .verb = "UID COPY", .uids = uids, .to = to };
  g_autoptr (RackCall) call = rack_mailbox_run_on (mailbox, RACK_LEASE_FRESH, what, uids,
                                                   make_set_command, &set, cancellable, error);

  if (call != NULL)
    take_copied (call->reply, copied);
  return call != NULL;
}

gboolean
rack_mailbox_copy (RackMailbox *mailbox, const RackSet *uids, const char *to, RackCopied *copied,
                   GCancellable *cancellable, GError **error)
{
  return copy_as (mailbox, uids, to, copied, "copy", cancellable, error);
}

static gboolean
has_capability (RackMailbox *mailbox, const char *name, GCancellable *cancellable, gboolean *has,
                GError **error)
{
  RackLease lease;

  if (!rack_mailbox_lease (mailbox, 0, cancellable, &lease, error))
    return FALSE;
  *has = rack_conn_has (lease.conn, name) || rack_conn_has (lease.conn, "IMAP4REV2");
  rack_mailbox_release (mailbox, &lease, FALSE);
  return TRUE;
}

/* Without UIDPLUS a plain EXPUNGE takes every \Deleted message: only when those are ours alone. */
static gboolean
only_ours_deleted (RackMailbox *mailbox, const RackSet *uids, const char *what,
                   GCancellable *cancellable, GError **error)
{
  g_autoptr (RackSet) others = rack_mailbox_search (mailbox, "DELETED", cancellable, error);

  if (others == NULL)
    return FALSE;
  rack_set_subtract (others, uids);
  if (rack_set_count (others) == 0)
    return TRUE;
  g_set_error_literal (
      error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
      "the server cannot expunge single messages (no UIDPLUS), and others in the mailbox are "
      "marked \\Deleted too: they would go as well");
  rack_mailbox_prefix (mailbox, what, error);
  return FALSE;
}

/* Whether these can be taken out alone, and how. */
static gboolean
may_expunge (RackMailbox *mailbox, const RackSet *uids, const char *what, gboolean *has_uidplus,
             GCancellable *cancellable, GError **error)
{
  return check_writable (mailbox, what, error)
         && has_capability (mailbox, "UIDPLUS", cancellable, has_uidplus, error)
         && (*has_uidplus || only_ours_deleted (mailbox, uids, what, cancellable, error));
}

static gboolean
expunge_as (RackMailbox *mailbox, const RackSet *uids, gboolean has_uidplus, const char *what,
            GCancellable *cancellable, GError **error)
{
  SetCommand mark = {
    .verb = "UID STORE", .uids = uids, .mode = RACK_STORE_ADD, .flags = RACK_FLAG_DELETED
  };
  SetCommand expunge = { .verb = has_uidplus ? "UID EXPUNGE" : "EXPUNGE",
                         .uids = has_uidplus ? uids : NULL };
  g_autofree char *marked = g_strconcat (what, ": marked \\Deleted, but not expunged", NULL);
  GError *problem = NULL;

  if (!store_as (mailbox, &mark, what, cancellable, error))
    return FALSE;
  g_autoptr (RackCall) call = rack_mailbox_run_on (
      mailbox, RACK_LEASE_FRESH, marked, uids, make_set_command, &expunge, cancellable, &problem);
  if (call == NULL)
    {
      /* Something has happened: that is not what a lost connection promises. */
      if (rack_error_is_silent (problem))
        problem->code = RACK_ERROR_UNKNOWN_OUTCOME;
      g_propagate_error (error, problem);
    }
  return call != NULL;
}

gboolean
rack_mailbox_expunge (RackMailbox *mailbox, const RackSet *uids, GCancellable *cancellable,
                      GError **error)
{
  gboolean has_uidplus;

  return rack_set_count (uids) == 0
         || (may_expunge (mailbox, uids, "expunge", &has_uidplus, cancellable, error)
             && expunge_as (mailbox, uids, has_uidplus, "expunge", cancellable, error));
}

static gboolean
move_by_steps (RackMailbox *mailbox, const RackSet *uids, const char *to, RackCopied *copied,
               GCancellable *cancellable, GError **error)
{
  g_autofree char *half =
      g_strdup_printf ("move: copied to %s, but not taken out of %s", to, mailbox->name);
  RackCopied made = { 0 };
  GError *problem = NULL;
  gboolean has_uidplus;

  if (!may_expunge (mailbox, uids, "move", &has_uidplus, cancellable, error)
      || !copy_as (mailbox, uids, to, &made, "move", cancellable, error))
    return FALSE;
  /* What was not copied must not go, and COPYUID says what was. */
  const RackSet *there = has_uidplus ? made.from : uids;
  if (rack_set_count (there) > 0
      && !expunge_as (mailbox, there, has_uidplus, half, cancellable, &problem))
    {
      /* Whatever it was, an error that says "not done" would have them copied again. */
      problem->code = RACK_ERROR_UNKNOWN_OUTCOME;
      g_propagate_error (error, problem);
      rack_copied_clear (&made);
      return FALSE;
    }
  if (copied != NULL)
    *copied = made;
  else
    rack_copied_clear (&made);
  return TRUE;
}

gboolean
rack_mailbox_move (RackMailbox *mailbox, const RackSet *uids, const char *to, RackCopied *copied,
                   GCancellable *cancellable, GError **error)
{
  SetCommand set = { .verb = "UID MOVE", .uids = uids, .to = to };
  gboolean has_move;

  if (!check_writable (mailbox, "move", error)
      || !has_capability (mailbox, "MOVE", cancellable, &has_move, error))
    return FALSE;
  if (!has_move)
    return move_by_steps (mailbox, uids, to, copied, cancellable, error);
  g_autoptr (RackCall) call = rack_mailbox_run_on (mailbox, RACK_LEASE_FRESH, "move", uids,
                                                   make_set_command, &set, cancellable, error);
  if (call != NULL)
    take_copied (call->reply, copied);
  return call != NULL;
}
