/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * send-copies.c - messages are copied and moved on the server, once
 *
 * Before a command that copies goes it is written down what the target would call its next message,
 * so that what it stored can be found if its answer is lost. A UID that was moved is not there any
 * more, unless the server itself was interrupted: then it may be in both.
 */
#include "send-batch.h"

/* ---- Copies and marks ---------------------------------------------------------------------- */

/* Copies that were made before the answer was lost. exactly: those whose octets are compared too,
 * since they will be taken out of where they are; NULL: none. *found: (owned) which of the batch
 * have one, and they know it. */
static gboolean
find_copies (RackBatch *send, const RackSet *exactly, RackSet **found, GError **error)
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

gboolean
rack_batch_find_copies (RackBatch *send, const RackSet *exactly, GError **error)
{
  g_autoptr (RackSet) found = NULL;
  for (guint i = 0; i < send->batch->len; i++)
    if (((const RackPending *) send->batch->pdata[i])->new_uid == 0)
      return send->first->mark_next == 0 || find_copies (send, exactly, &found, error);
  return TRUE;
}

/* It is written down what the target would call its next message. */
static gboolean
write_mark (RackBatch *send, guint32 uid_validity, guint32 next, GError **error)
{
  for (guint i = 0; i < send->batch->len; i++)
    {
      RackPending *pending = send->batch->pdata[i];
      pending->mark_validity = uid_validity;
      pending->mark_next = MAX (next, 1);
    }
  return rack_batch_write_step (send, RACK_STEP_SENDING, error);
}

static gboolean
take_mark (RackBatch *send, GError **error)
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
take_low_mark (RackBatch *send, GError **error)
{
  guint32 uid_validity, next;
  if (rack_send_next (send->first->target, &uid_validity, &next))
    return write_mark (send, uid_validity, next, error);
  return take_mark (send, error);
}

/* Where they went is below what the target will call its next message. */
static void
note_copies (const RackBatch *send, const RackCopied *copied)
{
  RackRanges to = { 0 };
  if (copied->to != NULL)
    to = rack_set_ranges (copied->to);
  if (to.n > 0 && to.items[to.n - 1].last < G_MAXUINT32)
    rack_send_heard (send->first->target, copied->uid_validity, to.items[to.n - 1].last + 1);
}

static void
take_new_uids (RackBatch *send, const RackCopied *copied)
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
copy (RackBatch *send, GError **error)
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
        ok = (remaining = rack_batch_find_remaining (send, error)) != NULL;
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

gboolean
rack_batch_copy (RackBatch *send, GError **error)
{
  GError *problem = NULL;
  if (copy (send, &problem))
    {
      rack_batch_complete (send, send->uids, NULL);
      return TRUE;
    }
  /* Some may have been copied when an answer was lost, and only the others are refused. */
  if (rack_send_is_final (problem))
    {
      g_autoptr (RackSet) done = rack_set_new ();
      for (guint i = 0; i < send->batch->len; i++)
        {
          const RackPending *pending = send->batch->pdata[i];
          if (pending->new_uid != 0)
            rack_set_add (done, pending->uid, pending->uid);
        }
      if (rack_set_count (done) > 0)
        rack_batch_complete (send, done, NULL);
    }
  g_propagate_error (error, problem);
  return FALSE;
}

/* A server without MOVE: the copies first, written down, then the originals. */
static gboolean
move_by_steps (RackBatch *send, GError **error)
{
  if (send->first->step != RACK_STEP_COPIED
      && (!copy (send, error) || !rack_batch_write_step (send, RACK_STEP_COPIED, error)))
    return FALSE;
  return rack_batch_expunge (send, error);
}

static gboolean
was_tried (const RackBatch *send)
{
  for (guint i = 0; i < send->batch->len; i++)
    if (((const RackPending *) send->batch->pdata[i])->tries > 0)
      return TRUE;
  return FALSE;
}

/* After an answer that never came: what is gone was moved, and what the server had copied but not
 * taken out when it was interrupted itself is taken out. */
static gboolean
finish_move (RackBatch *send, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (RackSet) found = NULL;
  g_autoptr (RackSet) remaining = rack_batch_find_remaining (send, error);
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
      send->marked = TRUE;
      if (!rack_mailbox_expunge (send->mailbox, found, send->mirror->cancellable, error))
        return FALSE;
      rack_set_merge (done, found);
    }
  rack_set_subtract (send->uids, done);
  if (rack_set_count (done) > 0)
    rack_batch_complete (send, done, NULL);
  return TRUE;
}

static gboolean
move_at_once (RackBatch *send, GError **error)
{
  RackCopied copied = { 0 };
  if (!take_low_mark (send, error)
      || !rack_mailbox_move (send->mailbox, send->uids, send->first->target->mailbox, &copied,
                             send->mirror->cancellable, error))
    return FALSE;
  note_copies (send, &copied);
  rack_batch_complete (send, send->uids, &copied);
  rack_copied_clear (&copied);
  return TRUE;
}

gboolean
rack_batch_move (RackBatch *send, GError **error)
{
  gboolean has = FALSE, has_rev2 = FALSE;
  GCancellable *cancellable = send->mirror->cancellable;
  if (!rack_account_has (send->mirror->account, "MOVE", &has, cancellable, error)
      || !rack_account_has (send->mirror->account, "IMAP4REV2", &has_rev2, cancellable, error))
    return FALSE;
  if (!has && !has_rev2)
    return move_by_steps (send, error);
  if (send->first->mark_next != 0 ? !finish_move (send, error)
                                  : was_tried (send) && !rack_batch_sort_out (send, error))
    return FALSE;
  return rack_set_count (send->uids) == 0 || move_at_once (send, error);
}
