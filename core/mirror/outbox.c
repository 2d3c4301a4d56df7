/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * outbox.c - what is on its way to the server: how it is kept, waited for and looked at
 *
 * What is in memory is a copy of the journal with pointers in it. How a change looks is
 * messages.c's and locals.c's business, how it gets to the server the sender's.
 */
#include "locals.h"
#include "pending.h"

#include <string.h>

/* Answers for those who ask after the fact. */
#define FAILURES_MAX 1000
/* What the server could not do is tried again after so long, milliseconds. */
#define RETRY_FIRST  500
#define RETRY_MAX    60000
/* How often those who wait look whether something changed, milliseconds. */
#define WAIT_STEP    3600000

/* ---- Small things ----------------------------------------------------------------------- */

RackTicket
rack_outbox_ticket (RackOutbox *outbox)
{
  /* Ascending also over restarts. */
  outbox->last_ticket = MAX (outbox->last_ticket + 1, (RackTicket) g_get_real_time ());
  return outbox->last_ticket;
}

void
rack_put_off_clear (RackPutOff *off)
{
  off->until = 0;
  g_clear_error (&off->why);
}

void
rack_put_off (RackPutOff *off, guint tries, const GError *why)
{
  gint64 delay = MIN (RETRY_FIRST << MIN (tries, 6), RETRY_MAX);
  g_clear_error (&off->why);
  off->why = g_error_copy (why);
  off->until = g_get_monotonic_time () + delay * 1000;
}

void
rack_pending_free (RackPending *pending)
{
  rack_put_off_clear (&pending->off);
  g_clear_error (&pending->refusal);
  g_free (pending->name);
  g_free (pending->base);
  g_free (pending->add_keywords);
  g_free (pending->remove_keywords);
  g_free (pending->problem);
  g_free (pending);
}

gboolean
rack_pending_write (RackOutbox *outbox, const RackPending *pending, GError **error)
{
  RackJournalChange row = {
    .id = pending->id,
    .kind = pending->kind,
    .step = pending->step,
    .mailbox = pending->folder->mailbox,
    .uid_validity = pending->uid_validity,
    .uid = pending->uid,
    .target = pending->target != NULL ? pending->target->mailbox : NULL,
    .name = pending->named ? pending->name : NULL,
    .add = pending->add,
    .remove = pending->remove,
    .add_keywords = pending->add_keywords,
    .remove_keywords = pending->remove_keywords,
    .size = pending->record.size,
    .date = pending->record.date,
    .flags = pending->record.flags,
    .mark_validity = pending->mark_validity,
    .mark_next = pending->mark_next,
    .problem = pending->problem,
    .tries = pending->tries,
    .base = pending->base,
    .base_space = pending->base_space,
  };
  return rack_journal_put_change (outbox->journal, &row, error);
}

static void
failure_free (gpointer data)
{
  RackFailure *failure = data;
  g_error_free (failure->error);
  g_free (failure);
}

void
rack_outbox_fail (RackOutbox *outbox, RackTicket ticket, GError *error)
{
  RackFailure *failure = g_new (RackFailure, 1);
  *failure = (RackFailure){ .ticket = ticket, .error = error };
  g_free (outbox->refusal);
  outbox->refusal = g_strdup (error->message);
  g_queue_push_head (&outbox->failures, failure);
  if (outbox->failures.length > FAILURES_MAX)
    failure_free (g_queue_pop_tail (&outbox->failures));
}

void
rack_outbox_tell (RackFolder *folder, guint space, const char *name)
{
  rack_changes_push_local (folder, space, name);
}

/* ---- From the journal --------------------------------------------------------------------- */

typedef struct
{
  RackOutbox *outbox;
  GHashTable *by_mailbox; /* name -> RackFolder */
  guint lost;             /* about mailboxes that nobody knows any more */
} Loading;

static guint32
row_of (RackFolder *folder, guint32 uid_validity)
{
  return folder->box.uid_validity == uid_validity ? folder->box.row : 0;
}

static void
load_change (const RackJournalChange *from, gpointer data)
{
  Loading *loading = data;
  RackFolder *folder = g_hash_table_lookup (loading->by_mailbox, from->mailbox);
  RackFolder *target =
      *from->target != '\0' ? g_hash_table_lookup (loading->by_mailbox, from->target) : NULL;
  if (folder == NULL || (*from->target != '\0' && target == NULL))
    {
      loading->lost++;
      return;
    }
  RackPending *pending = g_new0 (RackPending, 1);
  *pending = (RackPending){
    .id = from->id,
    .kind = from->kind,
    /* What was being sent is looked for before it is sent again: it has its mark. */
    .step = from->step == RACK_STEP_SENDING ? RACK_STEP_QUEUED : from->step,
    .folder = folder,
    .target = target,
    .row = row_of (folder, from->uid_validity),
    .uid_validity = from->uid_validity,
    .uid = from->uid,
    .name = *from->name != '\0' || target == NULL ? g_strdup (from->name)
                                                  : g_strdup_printf ("%u.eml", from->uid),
    .named = *from->name != '\0',
    .base = *from->base != '\0' ? g_strdup (from->base) : NULL,
    .base_space = from->base_space,
    .add = from->add,
    .remove = from->remove,
    .add_keywords = g_strdup (from->add_keywords),
    .remove_keywords = g_strdup (from->remove_keywords),
    .record = { .uid = from->uid,
                .flags = (guint16) from->flags,
                .size = from->size,
                .date = from->date },
    .mark_validity = from->mark_validity,
    .mark_next = from->mark_next,
    .problem = g_strdup (from->problem),
    .tries = from->tries,
  };
  if (pending->step == RACK_STEP_RETURNING)
    pending->refusal =
        g_error_new_literal (RACK_ERROR, RACK_ERROR_REFUSED,
                             pending->problem != NULL ? pending->problem : "the server refused it");
  g_ptr_array_add (loading->outbox->pending, pending);
  loading->outbox->last_ticket = MAX (loading->outbox->last_ticket, from->id);
  rack_pending_apply (loading->outbox, pending);
}

static void
load_name (const char *mailbox, guint32 uid_validity, guint32 uid, const char *name, gpointer data)
{
  Loading *loading = data;
  RackFolder *folder = g_hash_table_lookup (loading->by_mailbox, mailbox);
  if (folder == NULL)
    return;
  pthread_mutex_lock (&folder->mutex);
  if (rack_overlay_is_about (&folder->overlay, uid_validity))
    rack_overlay_name (&folder->overlay, uid, name);
  pthread_mutex_unlock (&folder->mutex);
}

static void
load_base (const char *mailbox, guint32 uid_validity, guint32 uid, const char *name, guint space,
           gpointer data)
{
  Loading *loading = data;
  RackFolder *folder = g_hash_table_lookup (loading->by_mailbox, mailbox);
  if (folder == NULL)
    return;
  pthread_mutex_lock (&folder->mutex);
  if (rack_overlay_is_about (&folder->overlay, uid_validity))
    rack_overlay_set_base (&folder->overlay, uid, name, space);
  pthread_mutex_unlock (&folder->mutex);
}

static gboolean
load (RackOutbox *outbox, GError **error)
{
  g_autoptr (GHashTable) by_mailbox = g_hash_table_new (g_str_hash, g_str_equal);
  Loading loading = { outbox, by_mailbox, 0 };
  GHashTableIter iter;
  gpointer one;
  g_hash_table_iter_init (&iter, outbox->mirror->ids);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    {
      RackFolder *folder = one;
      rack_overlay_bind (&folder->overlay, folder->box.uid_validity);
      g_hash_table_insert (by_mailbox, folder->mailbox, folder);
    }
  return rack_journal_each_name (outbox->journal, load_name, &loading, error)
         && rack_journal_each_base (outbox->journal, load_base, &loading, error)
         && rack_journal_each_change (outbox->journal, load_change, &loading, error)
         && rack_locals_load (outbox, error);
}

RackOutbox *
rack_outbox_open (RackMirror *mirror, const char *state_dir, GError **error)
{
  RackOutbox *outbox = g_new0 (RackOutbox, 1);
  outbox->mirror = mirror;
  pthread_mutex_init (&outbox->mutex, NULL);
  pthread_mutex_init (&outbox->shown, NULL);
  rack_cond_init (&outbox->work);
  rack_cond_init (&outbox->settled);
  outbox->pending = g_ptr_array_new ();
  rack_arrivals_init (outbox);
  g_queue_init (&outbox->failures);
  rack_locals_init (outbox);
  mirror->outbox = outbox; /* what is loaded asks for it */
  outbox->journal = rack_journal_open (mirror->account, state_dir, error);
  if (outbox->journal != NULL && load (outbox, error))
    return outbox;
  mirror->outbox = NULL;
  rack_outbox_free (outbox);
  return NULL;
}

void
rack_outbox_start (RackOutbox *outbox)
{
  outbox->sender = g_thread_new ("mirror-send", rack_sender_run, outbox);
}

void
rack_outbox_end (RackOutbox *outbox)
{
  if (outbox == NULL)
    return;
  pthread_mutex_lock (&outbox->mutex);
  outbox->ending = TRUE;
  pthread_cond_broadcast (&outbox->work);
  pthread_cond_broadcast (&outbox->settled);
  pthread_mutex_unlock (&outbox->mutex);
  if (outbox->sender != NULL)
    g_thread_join (g_steal_pointer (&outbox->sender));
}

void
rack_outbox_free (RackOutbox *outbox)
{
  if (outbox == NULL)
    return;
  rack_outbox_end (outbox);
  rack_arrivals_clear (outbox);
  g_ptr_array_set_free_func (outbox->pending, (GDestroyNotify) rack_pending_free);
  g_ptr_array_unref (outbox->pending);
  rack_locals_clear (outbox);
  g_queue_clear_full (&outbox->failures, failure_free);
  g_free (outbox->refusal);
  rack_journal_close (outbox->journal);
  pthread_cond_destroy (&outbox->work);
  pthread_cond_destroy (&outbox->settled);
  pthread_mutex_destroy (&outbox->shown);
  pthread_mutex_destroy (&outbox->mutex);
  g_free (outbox);
}

/* ---- Waiting -------------------------------------------------------------------------------- */

/* Those below after that are put off are not waited for. */
static gboolean
is_on_its_way (RackOutbox *outbox, RackTicket first, RackTicket last, RackTicket after)
{
  GHashTableIter iter;
  gpointer one;
  for (guint i = 0; i < outbox->pending->len; i++)
    {
      const RackPending *pending = outbox->pending->pdata[i];
      if (pending->id >= first && pending->id <= last && pending->step != RACK_STEP_FAILED
          && (pending->id >= after || pending->off.until == 0))
        return TRUE;
    }
  g_hash_table_iter_init (&iter, outbox->locals);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    {
      const RackLocal *local = one;
      if (local->ticket >= first && local->ticket <= last
          && (local->ticket >= after || local->off.until == 0)
          && (local->state == RACK_LOCAL_QUEUED || local->state == RACK_LOCAL_SENDING))
        return TRUE;
    }
  return FALSE;
}

/* Who waits for all hears of those that nobody was told of yet, or else one refusal would fail
 * every wait from then on. again: also what somebody was told already. */
static gboolean
tell_failure (RackOutbox *outbox, RackTicket first, RackTicket last, gboolean again, GError **error)
{
  const RackFailure *told = NULL;
  for (GList *at = outbox->failures.tail; at != NULL; at = at->prev)
    {
      RackFailure *failure = at->data;
      if (failure->ticket < first || failure->ticket > last || (failure->told && !again))
        continue;
      failure->told = TRUE;
      told = told != NULL ? told : failure;
    }
  if (told != NULL)
    g_propagate_error (error, g_error_copy (told->error));
  return told == NULL;
}

/* Of whatever is within these tickets. */
static void
each_put_off (RackOutbox *outbox, RackTicket first, RackTicket last,
              void (*func) (RackPutOff *off, gpointer data), gpointer data)
{
  GHashTableIter iter;
  gpointer one;
  for (guint i = 0; i < outbox->pending->len; i++)
    {
      RackPending *pending = outbox->pending->pdata[i];
      if (pending->id >= first && pending->id <= last)
        func (&pending->off, data);
    }
  g_hash_table_iter_init (&iter, outbox->locals);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    {
      RackLocal *local = one;
      if (local->ticket >= first && local->ticket <= last)
        func (&local->off, data);
    }
}

static void
try_now (RackPutOff *off, gpointer data)
{
  rack_put_off_clear (off);
}

static void
take_reason (RackPutOff *off, gpointer data)
{
  GError **error = data;
  if (off->why != NULL && *error == NULL)
    *error = g_error_copy (off->why);
}

/* It was tried, and the server says that it cannot just now. */
static gboolean
was_put_off (RackOutbox *outbox, RackTicket first, RackTicket last, GError **error)
{
  GError *problem = NULL;
  each_put_off (outbox, first, last, take_reason, &problem);
  if (problem == NULL)
    return FALSE;
  g_propagate_prefixed_error (error, problem, "it stays in the queue: ");
  return TRUE;
}

/* Until what is from first to last (0: all there is) has an answer. Only what became of those from
 * mine on is an error; mine 0: of all of them, if nobody was told yet. */
static gboolean
wait_for (RackMirror *mirror, RackTicket first, RackTicket last, RackTicket mine,
          GCancellable *cancellable, GError **error)
{
  RackOutbox *outbox = mirror->outbox;
  RackWaiting waiting;
  gboolean ok = TRUE;
  gint64 stall = mirror->options.stall;
  gint64 until = g_get_monotonic_time () + stall * 1000;
  rack_waiting_begin (&waiting, &outbox->mutex, &outbox->settled, cancellable);
  if (last == 0)
    last = outbox->last_ticket;
  outbox->urgent = MAX (outbox->urgent, last);
  each_put_off (outbox, mine, last, try_now, NULL);
  pthread_cond_signal (&outbox->work);
  while (ok && !outbox->ending && is_on_its_way (outbox, first, last, mine))
    {
      gint64 left = (until - g_get_monotonic_time ()) / 1000;
      ok = rack_waiting_once (&waiting, CLAMP (left, 1, stall), "the server's answer", error);
      if (ok && g_get_monotonic_time () >= until)
        {
          g_set_error_literal (error, RACK_ERROR, RACK_ERROR_TIMEOUT,
                               "the server has not confirmed it yet; it stays in the queue");
          ok = FALSE;
        }
      if (ok && !rack_online_is (mirror))
        {
          g_set_error_literal (error, RACK_ERROR, RACK_ERROR_NETWORK,
                               "the server cannot be reached; it stays in the queue");
          ok = FALSE;
        }
      ok = ok && !was_put_off (outbox, mine, last, error);
    }
  ok = ok && tell_failure (outbox, mine, last, mine != 0, error);
  rack_waiting_end (&waiting);
  return ok;
}

gboolean
rack_outgoing_wait (RackMirror *mirror, RackTicket ticket, GCancellable *cancellable,
                    GError **error)
{
  return ticket == 0 || wait_for (mirror, ticket, ticket, ticket, cancellable, error);
}

gboolean
rack_outgoing_flush (RackMirror *mirror, GCancellable *cancellable, GError **error)
{
  return wait_for (mirror, 1, 0, 0, cancellable, error);
}

RackTicket
rack_outgoing_latest (RackMirror *mirror)
{
  RackOutbox *outbox = mirror->outbox;
  if (outbox == NULL)
    return 0;
  pthread_mutex_lock (&outbox->mutex);
  RackTicket latest = outbox->last_ticket;
  pthread_mutex_unlock (&outbox->mutex);
  return latest;
}

gboolean
rack_outgoing_flush_after (RackMirror *mirror, RackTicket after, GCancellable *cancellable,
                           GError **error)
{
  return wait_for (mirror, 1, 0, after + 1, cancellable, error);
}

gboolean
rack_outbox_drain (RackMirror *mirror, GCancellable *cancellable, GError **error)
{
  return rack_outgoing_flush_after (mirror, rack_outgoing_latest (mirror), cancellable, error);
}

/* ---- Looking --------------------------------------------------------------------------------- */

void
rack_outgoing_free (RackOutgoing *outgoing)
{
  g_free (outgoing->what);
  g_free (outgoing->mailbox);
  g_free (outgoing->target);
  g_free (outgoing->name);
  g_free (outgoing->problem);
  g_free (outgoing);
}

static RackOutgoing *
describe_pending (const RackPending *pending)
{
  RackOutgoing *out = g_new0 (RackOutgoing, 1);
  out->id = pending->id;
  out->failed = pending->step == RACK_STEP_FAILED;
  out->what = g_strdup (rack_journal_kind_name (pending->kind));
  out->mailbox = g_strdup (pending->folder->mailbox);
  out->target = pending->target != NULL ? g_strdup (pending->target->mailbox) : NULL;
  out->name = g_strdup (pending->name);
  out->uid = pending->uid;
  out->size = pending->record.size;
  out->problem = g_strdup (pending->problem);
  out->made = (gint64) (pending->id / G_USEC_PER_SEC);
  out->tries = pending->tries;
  return out;
}

static RackOutgoing *
describe_local (RackLocal *local)
{
  RackOutgoing *out = g_new0 (RackOutgoing, 1);
  RackLocalFacts facts;
  rack_local_facts (local, &facts);
  out->id = local->ticket;
  out->failed = local->state == RACK_LOCAL_FAILED;
  out->what = g_strdup ("append");
  out->mailbox = g_strdup (local->folder->mailbox);
  out->name = g_strdup (local->name);
  out->local = local->id;
  out->size = facts.size;
  out->problem = g_strdup (local->problem);
  out->made = (gint64) (local->ticket / G_USEC_PER_SEC);
  out->tries = local->tries;
  return out;
}

GPtrArray *
rack_outgoing_list (RackMirror *mirror)
{
  RackOutbox *outbox = mirror->outbox;
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) rack_outgoing_free);
  if (outbox == NULL)
    return list;
  GHashTableIter iter;
  gpointer one;
  pthread_mutex_lock (&outbox->mutex);
  for (guint i = 0; i < outbox->pending->len; i++)
    g_ptr_array_add (list, describe_pending (outbox->pending->pdata[i]));
  g_hash_table_iter_init (&iter, outbox->locals);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    {
      RackLocal *local = one;
      if (local->state == RACK_LOCAL_QUEUED || local->state == RACK_LOCAL_SENDING
          || local->state == RACK_LOCAL_FAILED)
        g_ptr_array_add (list, describe_local (local));
    }
  pthread_mutex_unlock (&outbox->mutex);
  g_ptr_array_sort (list, rack_outgoing_compare);
  return list;
}

char *
rack_outgoing_refusal (RackMirror *mirror)
{
  RackOutbox *outbox = mirror->outbox;
  if (outbox == NULL)
    return NULL;
  pthread_mutex_lock (&outbox->mutex);
  char *refusal = g_strdup (outbox->refusal);
  pthread_mutex_unlock (&outbox->mutex);
  return refusal;
}

/* ---- What a person says of those that failed ------------------------------------------------- */

static gboolean
no_such (RackTicket id, GError **error)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND,
               "nothing with the number %" G_GUINT64_FORMAT " is in the queue", id);
  return FALSE;
}

static RackLocal *
find_failed (RackOutbox *outbox, RackTicket id)
{
  GHashTableIter iter;
  gpointer one;
  g_hash_table_iter_init (&iter, outbox->locals);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    if (((RackLocal *) one)->state == RACK_LOCAL_FAILED
        && (id == 0 || ((RackLocal *) one)->ticket == id))
      return one;
  return NULL;
}

gboolean
rack_outgoing_retry (RackMirror *mirror, RackTicket id, GError **error)
{
  RackOutbox *outbox = mirror->outbox;
  RackLocal *local;
  gboolean any = FALSE, ok = TRUE;
  pthread_mutex_lock (&outbox->mutex);
  while (ok && (local = find_failed (outbox, id)) != NULL)
    {
      g_clear_pointer (&local->problem, g_free);
      local->tries = 0;
      local->ticket = rack_outbox_ticket (outbox);
      rack_local_become (local, RACK_LOCAL_QUEUED);
      ok = rack_local_write (local, error);
      any = TRUE;
      rack_outbox_tell (local->folder, local->space, local->name);
    }
  each_put_off (outbox, 1, outbox->last_ticket, try_now, NULL);
  outbox->retry_at = MIN (outbox->retry_at, outbox->doubt_until);
  outbox->urgent = outbox->last_ticket;
  pthread_cond_signal (&outbox->work);
  pthread_mutex_unlock (&outbox->mutex);
  return ok && (any || id == 0 || no_such (id, error));
}

static RackPending *
find_pending (RackOutbox *outbox, RackTicket id)
{
  for (guint i = 0; i < outbox->pending->len; i++)
    if (((RackPending *) outbox->pending->pdata[i])->id == id)
      return outbox->pending->pdata[i];
  return NULL;
}

gboolean
rack_outgoing_drop (RackMirror *mirror, RackTicket id, GError **error)
{
  RackOutbox *outbox = mirror->outbox;
  g_autoptr (RackLocal) local = NULL;
  gboolean ok = FALSE, busy = FALSE;
  pthread_mutex_lock (&outbox->mutex);
  RackPending *pending = find_pending (outbox, id);
  GHashTableIter iter;
  gpointer one;
  g_hash_table_iter_init (&iter, outbox->locals);
  while (pending == NULL && local == NULL && g_hash_table_iter_next (&iter, NULL, &one))
    if (((RackLocal *) one)->ticket == id)
      local = rack_local_ref (one);
  if (pending != NULL)
    {
      busy = pending->step != RACK_STEP_QUEUED && pending->step != RACK_STEP_FAILED;
      ok = !busy && rack_journal_remove_change (outbox->journal, id, error);
      if (ok)
        {
          rack_pending_revert (outbox, pending);
          g_ptr_array_remove (outbox->pending, pending);
          rack_pending_free (pending);
        }
    }
  pthread_mutex_unlock (&outbox->mutex);
  if (local != NULL)
    return rack_local_remove (local, NULL, error);
  if (busy)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_BUSY, "it is being sent just now");
  return ok || (pending == NULL ? no_such (id, error) : FALSE);
}
