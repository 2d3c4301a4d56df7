/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * send-messages.c - changes of messages on the server
 *
 * All of a batch are alike, so they are one command with a set of UIDs. Whatever happens to the
 * connection or the server, each step may be asked again: flags are added and taken away, a UID
 * that was moved is not there any more, and before a copy or a move it was written down what the
 * target would call its next message, so that a copy that was made can be found.
 */
#include "pending.h"
#include "send.h"

#include <string.h>

/* A batch under way. */
typedef struct
{
  RackOutbox *outbox;
  RackMirror *mirror;
  GPtrArray *batch;
  const RackPending *first; /* of batch, or NULL */
  RackMailbox *mailbox;
  RackSet *uids;
} Send;

/* ---- Ends, with the mutex held ------------------------------------------------------------- */

/* It is nobody's business any more but that it is shown until it is seen. Stays in the table of
 * pending ones, which sweep() puts right. */
static void
forget (RackOutbox *outbox, RackPending *pending)
{
  pthread_mutex_lock (&outbox->shown);
  pending->done = TRUE;
  pthread_mutex_unlock (&outbox->shown);
  pending->made = g_get_monotonic_time ();
}

static void
sweep (RackOutbox *outbox)
{
  GPtrArray *all = outbox->pending;
  guint left = 0;
  for (guint i = 0; i < all->len; i++)
    {
      RackPending *pending = all->pdata[i];
      if (!pending->done)
        all->pdata[left++] = pending;
      else if (pending->arriving.place != NULL)
        rack_outbox_land (outbox, pending);
      else
        rack_pending_free (pending);
    }
  g_ptr_array_set_size (all, (gint) left);
}

/* What it says of those of uids is not pending any more. With the mutex held. */
static void
note_done (Send *send, const RackSet *uids, const RackCopied *copied)
{
  RackOutbox *outbox = send->outbox;
  gboolean begun = rack_journal_begin (outbox->journal, NULL);
  gboolean ok = begun;
  for (guint i = 0; i < send->batch->len; i++)
    {
      RackPending *pending = send->batch->pdata[i];
      if (!rack_set_contains (uids, pending->uid))
        continue;
      guint32 uid = copied != NULL ? rack_copied_find (copied, pending->uid) : 0;
      pending->new_uid = uid != 0 ? uid : pending->new_uid;
      guint32 validity = copied != NULL && uid != 0 ? copied->uid_validity : pending->mark_validity;
      pending->mark_validity = validity;
      ok = ok && rack_journal_remove_change (outbox->journal, pending->id, NULL);
      if (ok && pending->named && pending->new_uid != 0 && validity != 0)
        ok = rack_journal_put_name (outbox->journal, pending->target->mailbox, validity,
                                    pending->new_uid, pending->name, NULL);
      if (ok && pending->base != NULL && pending->new_uid != 0 && validity != 0)
        ok = rack_journal_put_base (outbox->journal, pending->target->mailbox, validity,
                                    pending->new_uid, pending->base, pending->base_space, NULL);
    }
  /* If this cannot be written it is asked again the next time, which changes nothing. */
  if (begun)
    rack_journal_end (outbox->journal, ok, NULL);
}

static gboolean
takes_away (RackJournalKind kind)
{
  return kind == RACK_CHANGE_ROW_MOVE || kind == RACK_CHANGE_ROW_EXPUNGE;
}

/* Those of uids are done. copied: what they became, or NULL. */
static void
complete (Send *send, const RackSet *uids, const RackCopied *copied)
{
  RackOutbox *outbox = send->outbox;
  g_autoptr (GPtrArray) left = g_ptr_array_new ();
  g_autoptr (RackSet) gone = rack_set_new ();
  /* All of a batch are about one mailbox; by then they may be freed. */
  RackFolder *folder = send->first->folder;
  guint32 row = 0, validity = send->first->uid_validity;
  pthread_mutex_lock (&outbox->mutex);
  note_done (send, uids, copied);
  for (guint i = 0; i < send->batch->len; i++)
    {
      RackPending *pending = send->batch->pdata[i];
      if (!rack_set_contains (uids, pending->uid))
        {
          g_ptr_array_add (left, pending);
          continue;
        }
      if (takes_away (pending->kind))
        {
          row = MAX (row, pending->row);
          rack_set_add (gone, pending->uid, pending->uid);
        }
      rack_pending_complete (outbox, pending, pending->mark_validity, pending->new_uid);
      forget (outbox, pending);
    }
  sweep (outbox);
  g_ptr_array_set_size (send->batch, 0);
  g_ptr_array_extend (send->batch, left, NULL, NULL);
  send->first = left->len > 0 ? left->pdata[0] : NULL;
  /* What is not shown any more is said to be gone before anybody hears that it is done. */
  rack_outbox_settle_arrivals (outbox);
  pthread_cond_broadcast (&outbox->settled);
  pthread_mutex_unlock (&outbox->mutex);
  if (row != 0)
    rack_store_remove (send->mirror->store, row, gone, NULL);
  rack_folder_forget_names (folder, validity, gone);
}

/* The server does not want them. */
static void
refuse (Send *send, const GError *problem)
{
  RackOutbox *outbox = send->outbox;
  rack_online_say (outbox->mirror, problem);
  RackFolder *source = send->first->folder, *target = send->first->target;
  pthread_mutex_lock (&outbox->mutex);
  for (guint i = 0; i < send->batch->len; i++)
    {
      RackPending *pending = send->batch->pdata[i];
      rack_journal_remove_change (outbox->journal, pending->id, NULL);
      rack_outbox_fail (outbox, pending->id, g_error_copy (problem));
      rack_pending_revert (outbox, pending);
      forget (outbox, pending);
    }
  sweep (outbox);
  g_ptr_array_set_size (send->batch, 0);
  pthread_cond_broadcast (&outbox->settled);
  pthread_mutex_unlock (&outbox->mutex);
  if (!g_error_matches (problem, RACK_ERROR, RACK_ERROR_DENIED))
    return;
  rack_limits_doubt (source);
  rack_limits_doubt (target);
}

/* They stay, and are tried again. */
static void
put_off (Send *send, const GError *problem)
{
  pthread_mutex_lock (&send->outbox->mutex);
  for (guint i = 0; i < send->batch->len; i++)
    {
      RackPending *pending = send->batch->pdata[i];
      pending->tries++;
      g_free (pending->problem);
      pending->problem = g_strdup (problem->message);
      if (rack_send_is_for_now (problem))
        rack_put_off (&pending->off, pending->tries, problem);
      if (pending->step == RACK_STEP_SENDING)
        pending->step = RACK_STEP_QUEUED;
    }
  pthread_cond_broadcast (&send->outbox->settled);
  pthread_mutex_unlock (&send->outbox->mutex);
}

static gboolean
write_step (Send *send, RackJournalStep step, GError **error)
{
  RackOutbox *outbox = send->outbox;
  pthread_mutex_lock (&outbox->mutex);
  gboolean begun = rack_journal_begin (outbox->journal, error), ok = begun;
  for (guint i = 0; ok && i < send->batch->len; i++)
    {
      RackPending *pending = send->batch->pdata[i];
      pending->step = step;
      ok = rack_pending_write (outbox, pending, error);
    }
  if (begun)
    ok = rack_journal_end (outbox->journal, ok, error);
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}

/* ---- Which are still there ---------------------------------------------------------------- */

/* Of send->uids. Returns: (owned) or NULL. */
static RackSet *
find_remaining (Send *send, GError **error)
{
  g_autofree char *set = rack_set_to_string (send->uids);
  g_autofree char *criteria = g_strconcat ("UID ", set, NULL);
  return rack_mailbox_search (send->mailbox, criteria, send->mirror->cancellable, error);
}

/* After an answer that never came, or came as a refusal amid the work: what is gone was moved. */
static gboolean
sort_out (Send *send, GError **error)
{
  g_autoptr (RackSet) remaining = find_remaining (send, error);
  if (remaining == NULL)
    return FALSE;
  g_autoptr (RackSet) gone = rack_set_copy (send->uids);
  rack_set_subtract (gone, remaining);
  if (rack_set_count (gone) > 0)
    complete (send, gone, NULL);
  rack_set_intersect (send->uids, remaining);
  return TRUE;
}

static gboolean
was_tried (const Send *send)
{
  for (guint i = 0; i < send->batch->len; i++)
    if (((const RackPending *) send->batch->pdata[i])->tries > 0)
      return TRUE;
  return FALSE;
}

/* ---- The commands ------------------------------------------------------------------------- */

static gboolean
store_one (Send *send, RackStoreMode mode, RackFlags flags, const char *keywords, GError **error)
{
  g_auto (GStrv) words = g_strsplit (keywords != NULL ? keywords : "", " ", -1);
  gboolean none = words[0] == NULL || *words[0] == '\0';
  if (flags == 0 && none)
    return TRUE;
  return rack_mailbox_store (send->mailbox, send->uids, mode, flags,
                             none ? NULL : (const char *const *) words, send->mirror->cancellable,
                             error);
}

static gboolean
send_store (Send *send, GError **error)
{
  const RackPending *first = send->first;
  if (!store_one (send, RACK_STORE_ADD, first->add, first->add_keywords, error)
      || !store_one (send, RACK_STORE_REMOVE, first->remove, first->remove_keywords, error))
    return FALSE;
  complete (send, send->uids, NULL);
  return TRUE;
}

static gboolean
send_expunge (Send *send, GError **error)
{
  if (!rack_mailbox_expunge (send->mailbox, send->uids, send->mirror->cancellable, error))
    return FALSE;
  complete (send, send->uids, NULL);
  return TRUE;
}

/* Copies that were made before the answer was lost. exactly: those whose octets are compared too,
 * since they will be taken out of where they are; NULL: none. *found: (owned) which of the batch
 * have one, and they know it. */
static gboolean
find_copies (Send *send, const RackSet *exactly, RackSet **found, GError **error)
{
  g_autoptr (GArray) wanted = g_array_new (FALSE, TRUE, sizeof (RackSought));
  g_autoptr (GPtrArray) order = g_ptr_array_new ();
  /* Those that can be told apart take theirs first. */
  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < send->batch->len; i++)
      {
        RackPending *pending = send->batch->pdata[i];
        gboolean exact = exactly != NULL && rack_set_contains (exactly, pending->uid);
        RackSought sought = { .size = pending->record.size,
                              .date = pending->record.date,
                              .source = exact ? send->mailbox : NULL,
                              .from = pending->uid };
        if (exact != (pass == 0))
          continue;
        g_array_append_val (wanted, sought);
        g_ptr_array_add (order, pending);
      }
  if (!rack_send_seek (send->first->target, send->first->mark_validity, send->first->mark_next,
                       (RackSought *) wanted->data, wanted->len, error))
    return FALSE;
  *found = rack_set_new ();
  for (guint i = 0; i < order->len; i++)
    {
      RackPending *pending = order->pdata[i];
      guint32 uid = g_array_index (wanted, RackSought, i).uid;
      if (uid == 0)
        continue;
      pending->new_uid = uid;
      rack_set_add (*found, pending->uid, pending->uid);
    }
  return TRUE;
}

/* It is written down what the target would call its next message. */
static gboolean
write_mark (Send *send, guint32 uid_validity, guint32 next, GError **error)
{
  for (guint i = 0; i < send->batch->len; i++)
    {
      RackPending *pending = send->batch->pdata[i];
      pending->mark_validity = uid_validity;
      pending->mark_next = MAX (next, 1);
    }
  return write_step (send, RACK_STEP_SENDING, error);
}

static gboolean
take_mark (Send *send, GError **error)
{
  RackFolder *target = send->first->target;
  RackMailboxInfo *info = rack_account_status (send->mirror->account, target->mailbox,
                                               send->mirror->cancellable, error);
  if (info == NULL)
    return FALSE;
  guint32 uid_validity = info->uid_validity, next = info->uid_next;
  rack_mailbox_info_free (info);
  rack_send_heard (target, uid_validity, next);
  return write_mark (send, uid_validity, next, error);
}

/* A mark may be lower than need be where octets are compared: what is known of the target anyhow
 * will do, and the server is asked only if nothing is. */
static gboolean
take_low_mark (Send *send, GError **error)
{
  guint32 uid_validity, next;
  if (rack_send_next (send->first->target, &uid_validity, &next))
    return write_mark (send, uid_validity, next, error);
  return take_mark (send, error);
}

/* Where they went is below what the target will call its next message. */
static void
note_copies (const Send *send, const RackCopied *copied)
{
  RackRanges to = { 0 };
  if (copied->to != NULL)
    to = rack_set_ranges (copied->to);
  if (to.n > 0 && to.items[to.n - 1].last < G_MAXUINT32)
    rack_send_heard (send->first->target, copied->uid_validity, to.items[to.n - 1].last + 1);
}

static void
take_new_uids (Send *send, const RackCopied *copied)
{
  for (guint i = 0; i < send->batch->len; i++)
    {
      RackPending *pending = send->batch->pdata[i];
      guint32 uid = rack_copied_find (copied, pending->uid);
      if (uid == 0)
        continue;
      pending->new_uid = uid;
      pending->mark_validity = copied->uid_validity;
    }
}

static gboolean
copy (Send *send, GError **error)
{
  RackCopied copied = { 0 };
  g_autoptr (RackSet) all = rack_set_copy (send->uids);
  gboolean ok = TRUE;
  if (send->first->mark_next != 0)
    {
      g_autoptr (RackSet) remaining = NULL;
      g_autoptr (RackSet) found = NULL;
      /* The originals of a move are to go. */
      if (send->first->kind == RACK_CHANGE_ROW_MOVE)
        ok = (remaining = find_remaining (send, error)) != NULL;
      ok = ok && find_copies (send, remaining, &found, error);
      if (ok)
        rack_set_subtract (send->uids, found);
    }
  ok = ok && (rack_set_count (send->uids) == 0 || take_mark (send, error));
  if (ok && rack_set_count (send->uids) > 0)
    {
      ok = rack_mailbox_copy (send->mailbox, send->uids, send->first->target->mailbox, &copied,
                              send->mirror->cancellable, error);
      if (ok)
        {
          note_copies (send, &copied);
          take_new_uids (send, &copied);
        }
      rack_copied_clear (&copied);
    }
  rack_set_merge (send->uids, all);
  return ok;
}

static gboolean
send_copy (Send *send, GError **error)
{
  if (!copy (send, error))
    return FALSE;
  complete (send, send->uids, NULL);
  return TRUE;
}

/* A server without MOVE: the copies first, written down, then the originals. */
static gboolean
move_by_steps (Send *send, GError **error)
{
  if (send->first->step != RACK_STEP_COPIED
      && (!copy (send, error) || !write_step (send, RACK_STEP_COPIED, error)))
    return FALSE;
  return send_expunge (send, error);
}

/* After an answer that never came: what is gone was moved, and what the server had copied but not
 * taken out when it was interrupted itself is taken out. */
static gboolean
finish_move (Send *send, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (RackSet) found = NULL;
  g_autoptr (RackSet) remaining = find_remaining (send, error);
  if (remaining == NULL)
    return FALSE;
  /* In another mailbox of that name none of them can be. */
  if (!find_copies (send, remaining, &found, &problem)
      && !g_error_matches (problem, RACK_ERROR, RACK_ERROR_STALE))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  g_autoptr (RackSet) done = rack_set_copy (send->uids);
  rack_set_subtract (done, remaining);
  if (found != NULL)
    rack_set_intersect (found, remaining);
  if (found != NULL && rack_set_count (found) > 0)
    {
      if (!rack_mailbox_expunge (send->mailbox, found, send->mirror->cancellable, error))
        return FALSE;
      rack_set_merge (done, found);
    }
  rack_set_subtract (send->uids, done);
  if (rack_set_count (done) > 0)
    complete (send, done, NULL);
  return TRUE;
}

static gboolean
move_at_once (Send *send, GError **error)
{
  RackCopied copied = { 0 };
  if (!take_low_mark (send, error)
      || !rack_mailbox_move (send->mailbox, send->uids, send->first->target->mailbox, &copied,
                             send->mirror->cancellable, error))
    return FALSE;
  note_copies (send, &copied);
  complete (send, send->uids, &copied);
  rack_copied_clear (&copied);
  return TRUE;
}

static gboolean
send_move (Send *send, GError **error)
{
  gboolean has = FALSE, has_rev2 = FALSE;
  GCancellable *cancellable = send->mirror->cancellable;
  if (!rack_account_has (send->mirror->account, "MOVE", &has, cancellable, error)
      || !rack_account_has (send->mirror->account, "IMAP4REV2", &has_rev2, cancellable, error))
    return FALSE;
  if (!has && !has_rev2)
    return move_by_steps (send, error);
  if (send->first->mark_next != 0 ? !finish_move (send, error)
                                  : was_tried (send) && !sort_out (send, error))
    return FALSE;
  return rack_set_count (send->uids) == 0 || move_at_once (send, error);
}

static gboolean
dispatch (Send *send, GError **error)
{
  switch (send->first->kind)
    {
    case RACK_CHANGE_ROW_STORE:
      return send_store (send, error);
    case RACK_CHANGE_ROW_EXPUNGE:
      return send_expunge (send, error);
    case RACK_CHANGE_ROW_COPY:
      return send_copy (send, error);
    case RACK_CHANGE_ROW_MOVE:
      return send_move (send, error);
    }
  return TRUE;
}

GError *
rack_send_messages (RackOutbox *outbox, GPtrArray *batch)
{
  GError *problem = NULL;
  Send send = { .outbox = outbox,
                .mirror = outbox->mirror,
                .batch = batch,
                .first = batch->pdata[0],
                .uids = rack_set_new () };
  RackFolder *target = send.first->target;
  RackJournalKind kind = send.first->kind;
  for (guint i = 0; i < batch->len; i++)
    {
      guint32 uid = ((RackPending *) batch->pdata[i])->uid;
      rack_set_add (send.uids, uid, uid);
    }
  send.mailbox = rack_mailbox_bind (outbox->mirror->account, send.first->folder->mailbox, FALSE,
                                    send.first->uid_validity);
  gboolean ok = dispatch (&send, &problem);
  if (!ok && rack_send_is_final (problem))
    {
      g_autoptr (GError) other = NULL;
      /* A move may have been done in part. */
      if (kind != RACK_CHANGE_ROW_MOVE || problem->code == RACK_ERROR_STALE
          || sort_out (&send, &other))
        {
          refuse (&send, problem);
          g_clear_error (&problem);
        }
      else
        put_off (&send, problem);
    }
  else if (!ok)
    put_off (&send, problem);
  if (rack_send_is_for_now (problem))
    g_clear_error (&problem);
  rack_send_look (target);
  rack_mailbox_unref (send.mailbox);
  rack_set_free (send.uids);
  return problem;
}
