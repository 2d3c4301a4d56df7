/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * send-messages.c - changes of messages on the server
 *
 * All of a batch are alike, so they are one command with a set of UIDs. Whatever happens to the
 * connection or the server, each step may be asked again: flags are added and taken away, what was
 * expunged is not there any more, and send-copies.c finds the copies that were made.
 */
#include "send-batch.h"

#include <string.h>

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
note_done (RackBatch *send, const RackSet *uids, const RackCopied *copied)
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

void
rack_batch_complete (RackBatch *send, const RackSet *uids, const RackCopied *copied)
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
refuse (RackBatch *send, const GError *problem)
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
put_off (RackBatch *send, const GError *problem)
{
  pthread_mutex_lock (&send->outbox->mutex);
  for (guint i = 0; i < send->batch->len; i++)
    {
      RackPending *pending = send->batch->pdata[i];
      pending->tries++;
      /* That one is what is told in the end. */
      if (pending->step != RACK_STEP_RETURNING)
        {
          g_free (pending->problem);
          pending->problem = g_strdup (problem->message);
        }
      if (rack_send_is_for_now (problem))
        rack_put_off (&pending->off, pending->tries, problem);
      if (pending->step == RACK_STEP_SENDING)
        pending->step = RACK_STEP_QUEUED;
    }
  pthread_cond_broadcast (&send->outbox->settled);
  pthread_mutex_unlock (&send->outbox->mutex);
}

gboolean
rack_batch_write_step (RackBatch *send, RackJournalStep step, GError **error)
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

RackSet *
rack_batch_find (RackBatch *send, RackMailbox *mailbox, const RackSet *uids, GError **error)
{
  g_autofree char *set = rack_set_to_string (uids);
  g_autofree char *criteria = g_strconcat ("UID ", set, NULL);
  return rack_mailbox_search (mailbox, criteria, send->mirror->cancellable, error);
}

RackSet *
rack_batch_find_remaining (RackBatch *send, GError **error)
{
  return rack_batch_find (send, send->mailbox, send->uids, error);
}

gboolean
rack_batch_sort_out (RackBatch *send, GError **error)
{
  g_autoptr (RackSet) remaining = rack_batch_find_remaining (send, error);
  if (remaining == NULL)
    return FALSE;
  g_autoptr (RackSet) gone = rack_set_copy (send->uids);
  rack_set_subtract (gone, remaining);
  if (rack_set_count (gone) > 0)
    rack_batch_complete (send, gone, NULL);
  rack_set_intersect (send->uids, remaining);
  return TRUE;
}

/* ---- The commands ------------------------------------------------------------------------- */

static gboolean
store_one (RackBatch *send, RackStoreMode mode, RackFlags flags, const char *keywords,
           GError **error)
{
  g_auto (GStrv) words = g_strsplit (keywords != NULL ? keywords : "", " ", -1);
  gboolean none = words[0] == NULL || *words[0] == '\0';
  if (flags == 0 && none)
    return TRUE;
  return rack_mailbox_store (send->mailbox, send->uids, mode, flags,
                             none ? NULL : (const char *const *) words, send->mirror->cancellable,
                             error);
}

/* Some servers answer OK to what they do not do. */
static gboolean
may_store (RackBatch *send, GError **error)
{
  const RackPending *first = send->first;
  gboolean keywords = (first->add_keywords != NULL && *first->add_keywords != '\0')
                      || (first->remove_keywords != NULL && *first->remove_keywords != '\0');
  return rack_limits_learn (first->folder, error)
         && rack_folder_may (first->folder,
                             rack_limits_of_flags (first->add | first->remove, keywords), error);
}

static gboolean
send_store (RackBatch *send, GError **error)
{
  const RackPending *first = send->first;
  if (!may_store (send, error)
      || !store_one (send, RACK_STORE_ADD, first->add, first->add_keywords, error)
      || !store_one (send, RACK_STORE_REMOVE, first->remove, first->remove_keywords, error))
    return FALSE;
  rack_batch_complete (send, send->uids, NULL);
  return TRUE;
}

gboolean
rack_batch_expunge (RackBatch *send, GError **error)
{
  send->marked = TRUE;
  if (!rack_mailbox_expunge (send->mailbox, send->uids, send->mirror->cancellable, error))
    return FALSE;
  rack_batch_complete (send, send->uids, NULL);
  return TRUE;
}

static gboolean
dispatch (RackBatch *send, GError **error)
{
  if (send->first->step == RACK_STEP_RETURNING)
    {
      g_propagate_error (error, g_error_copy (send->first->refusal));
      return FALSE;
    }
  switch (send->first->kind)
    {
    case RACK_CHANGE_ROW_STORE:
      return send_store (send, error);
    case RACK_CHANGE_ROW_EXPUNGE:
      return rack_batch_expunge (send, error);
    case RACK_CHANGE_ROW_COPY:
      return rack_batch_copy (send, error);
    case RACK_CHANGE_ROW_MOVE:
      return rack_batch_move (send, error);
    }
  return TRUE;
}

/* *problem: why the server does not want them; if it cannot be asked to take back what was done of
 * it by then, why that is. */
static gboolean
give_up (RackBatch *send, GError **problem)
{
  g_autoptr (GError) said = NULL;
  GError *trouble = NULL;
  /* In a mailbox made anew there is nothing of it. */
  gboolean undo = takes_away (send->first->kind) && (*problem)->code != RACK_ERROR_STALE;
  gboolean ok = !undo || rack_batch_take_back (send, *problem, &said, &trouble);
  if (ok && send->batch->len > 0)
    refuse (send, said != NULL ? said : *problem);
  g_clear_error (problem);
  *problem = trouble;
  return ok;
}

GError *
rack_send_messages (RackOutbox *outbox, GPtrArray *batch)
{
  GError *problem = NULL;
  RackBatch send = { .outbox = outbox,
                     .mirror = outbox->mirror,
                     .batch = batch,
                     .first = batch->pdata[0],
                     .uids = rack_set_new () };
  RackFolder *target = send.first->target;
  for (guint i = 0; i < batch->len; i++)
    {
      guint32 uid = ((RackPending *) batch->pdata[i])->uid;
      rack_set_add (send.uids, uid, uid);
    }
  send.mailbox = rack_mailbox_bind (outbox->mirror->account, send.first->folder->mailbox, FALSE,
                                    send.first->uid_validity);
  gboolean ok = dispatch (&send, &problem);
  if (!ok && rack_send_is_final (problem))
    ok = give_up (&send, &problem);
  if (!ok)
    put_off (&send, problem);
  if (rack_send_is_for_now (problem))
    g_clear_error (&problem);
  rack_send_look (target);
  rack_mailbox_unref (send.mailbox);
  rack_set_free (send.uids);
  return problem;
}
