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

/* Those that had been marked before stay so. A refusal of that is no reason to stop: it is not
 * worse than it was. */
static gboolean
unmark (RackBatch *send, GError **error)
{
  GError *problem = NULL;
  g_autoptr (RackSet) ours = rack_set_new ();
  for (guint i = 0; i < send->batch->len; i++)
    {
      const RackPending *pending = send->batch->pdata[i];
      if ((pending->record.flags & RACK_FLAG_DELETED) == 0)
        rack_set_add (ours, pending->uid, pending->uid);
    }
  if (rack_set_count (ours) == 0
      || rack_mailbox_store (send->mailbox, ours, RACK_STORE_REMOVE, RACK_FLAG_DELETED, NULL,
                             send->mirror->cancellable, &problem)
      || rack_send_is_final (problem))
    {
      g_clear_error (&problem);
      return TRUE;
    }
  g_propagate_error (error, problem);
  return FALSE;
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
  const RackPending *first = send->first;
  g_autoptr (RackSet) copies = rack_set_new ();
  if (!rack_batch_find_copies (send, error))
    return FALSE;
  for (guint i = 0; i < send->batch->len; i++)
    {
      guint32 uid = ((const RackPending *) send->batch->pdata[i])->new_uid;
      if (uid != 0)
        rack_set_add (copies, uid, uid);
    }
  RackMailbox *target = rack_mailbox_bind (send->mirror->account, first->target->mailbox, FALSE,
                                           first->mark_validity);
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
  if (((send->marked || copied) && !unmark (send, error)) || !rack_batch_sort_out (send, error))
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
