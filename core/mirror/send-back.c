/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * send-back.c - what the server has refused half way leaves nothing behind
 *
 * Without MOVE a message is copied first, and then marked and expunged. If that is refused for good
 * the original is to be as it was, and the copy is to go: it must be nowhere twice. It must not be
 * nowhere either, so the copy goes only after the original was seen, without a mark by which
 * somebody else's EXPUNGE would take it, and from then on nobody tries to expunge it again.
 */
#include "send-batch.h"

/* A refusal of that is no reason to stop: it is not worse than it was. */
static gboolean
unmark (RackBatch *send, RackMailbox *mailbox, const RackSet *uids, GError **error)
{
  GError *problem = NULL;
  if (rack_set_count (uids) == 0
      || rack_mailbox_store (mailbox, uids, RACK_STORE_REMOVE, RACK_FLAG_DELETED, NULL,
                             send->mirror->cancellable, &problem)
      || rack_send_is_final (problem))
    {
      g_clear_error (&problem);
      return TRUE;
    }
  g_propagate_error (error, problem);
  return FALSE;
}

/* Where they went, of those of which it is known. */
static RackSet *
list_copies (const RackBatch *send)
{
  RackSet *copies = rack_set_new ();
  for (guint i = 0; i < send->batch->len; i++)
    {
      guint32 uid = ((const RackPending *) send->batch->pdata[i])->new_uid;
      if (uid != 0)
        rack_set_add (copies, uid, uid);
    }
  return copies;
}

/* Those that had been marked before stay so. of: NULL is all. copies: their new UIDs. */
static RackSet *
list_unmarked (const RackBatch *send, const RackSet *of, gboolean copies)
{
  RackSet *found = rack_set_new ();
  for (guint i = 0; i < send->batch->len; i++)
    {
      const RackPending *pending = send->batch->pdata[i];
      guint32 uid = copies ? pending->new_uid : pending->uid;
      if (uid != 0 && (pending->record.flags & RACK_FLAG_DELETED) == 0
          && (of == NULL || rack_set_contains (of, pending->uid)))
        rack_set_add (found, uid, uid);
    }
  return found;
}

static gboolean
unmark_originals (RackBatch *send, GError **error)
{
  g_autoptr (RackSet) ours = list_unmarked (send, NULL, FALSE);
  return unmark (send, send->mailbox, ours, error);
}

static RackMailbox *
bind_target (const RackBatch *send)
{
  return rack_mailbox_bind (send->mirror->account, send->first->target->mailbox, FALSE,
                            send->first->mark_validity);
}

/* Of those of gone nothing is to be waited for in the target if the copy went as well. */
static gboolean
note_lost_copies (RackBatch *send, RackMailbox *target, const RackSet *gone, GError **error)
{
  g_autoptr (RackSet) copies = list_copies (send);
  if (rack_set_count (copies) == 0)
    return TRUE;
  g_autoptr (RackSet) there = rack_batch_find (send, target, copies, error);
  for (guint i = 0; there != NULL && i < send->batch->len; i++)
    {
      RackPending *pending = send->batch->pdata[i];
      if (rack_set_contains (gone, pending->uid) && !rack_set_contains (there, pending->new_uid))
        pending->new_uid = 0;
    }
  return there != NULL;
}

/* Somebody took the originals while their copies were about to go, and may be marked already: so
 * those that are there yet stay, and were moved. */
static gboolean
keep_copies (RackBatch *send, GError **error)
{
  g_autoptr (RackSet) remaining = rack_batch_find_remaining (send, error);
  if (remaining == NULL)
    return FALSE;
  g_autoptr (RackSet) gone = rack_set_copy (send->uids);
  rack_set_subtract (gone, remaining);
  if (rack_set_count (gone) == 0)
    return TRUE;
  if (!rack_batch_find_copies (send, remaining, error))
    return FALSE;
  RackMailbox *target = bind_target (send);
  gboolean ok = note_lost_copies (send, target, gone, error);
  g_autoptr (RackSet) copies = list_unmarked (send, gone, TRUE);
  ok = ok && unmark (send, target, copies, error);
  rack_mailbox_unref (target);
  return ok;
}

/* From here on the copy is what goes. */
static gboolean
write_returning (RackBatch *send, const GError *refusal, GError **error)
{
  if (send->first->step == RACK_STEP_RETURNING)
    return TRUE;
  pthread_mutex_lock (&send->outbox->mutex);
  for (guint i = 0; i < send->batch->len; i++)
    {
      RackPending *pending = send->batch->pdata[i];
      g_free (pending->problem);
      pending->problem = g_strdup (refusal->message);
      g_clear_error (&pending->refusal);
      pending->refusal = g_error_copy (refusal);
    }
  pthread_mutex_unlock (&send->outbox->mutex);
  return rack_batch_write_step (send, RACK_STEP_RETURNING, error);
}

static gboolean
expunge_copies (RackBatch *send, GError **error)
{
  if (!rack_batch_find_copies (send, send->uids, error))
    return FALSE;
  g_autoptr (RackSet) copies = list_copies (send);
  RackMailbox *target = bind_target (send);
  gboolean ok = rack_mailbox_expunge (target, copies, send->mirror->cancellable, error);
  rack_mailbox_unref (target);
  return ok;
}

static gboolean
has_copies (const RackBatch *send)
{
  for (guint i = 0; i < send->batch->len; i++)
    {
      const RackPending *pending = send->batch->pdata[i];
      if (pending->target != NULL
          && (pending->new_uid != 0 || pending->step == RACK_STEP_COPIED
              || pending->step == RACK_STEP_RETURNING))
        return TRUE;
    }
  return FALSE;
}

static gboolean
undo (RackBatch *send, const GError *refusal, GError **error)
{
  gboolean copied = has_copies (send);
  /* What is gone was moved. */
  if (((send->marked || copied) && !unmark_originals (send, error))
      || (send->first->step == RACK_STEP_RETURNING && !keep_copies (send, error))
      || !rack_batch_sort_out (send, error))
    return FALSE;
  return !copied || send->batch->len == 0
         || (write_returning (send, refusal, error) && expunge_copies (send, error));
}

gboolean
rack_batch_take_back (RackBatch *send, const GError *refusal, GError **said, GError **error)
{
  GError *problem = NULL;
  *said = g_error_copy (refusal);
  if (undo (send, refusal, &problem))
    return TRUE;
  if (!rack_send_is_final (problem))
    {
      g_clear_error (said);
      g_propagate_error (error, problem);
      return FALSE;
    }
  if (has_copies (send))
    {
      g_autofree char *before = g_steal_pointer (&(*said)->message);
      (*said)->message =
          g_strdup_printf ("%s; and it could not be taken out of %s again, so it may "
                           "be in both: %s",
                           before, send->first->target->mailbox, problem->message);
    }
  g_error_free (problem);
  return TRUE;
}
