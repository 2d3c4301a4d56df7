/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sender.c - the thread that brings changes to the server
 *
 * It waits a moment for company, so that what a program does to a thousand messages becomes a
 * command or two, unless somebody waits for the answer. What the server could not be asked stays
 * where it is and is tried again, ever more seldom.
 */
#include "outbox.h"

#include <string.h>

/* Nothing more came for so long, milliseconds. */
#define QUIET           200
/* The oldest waits no longer, milliseconds. */
#define OLDEST          10000
/* A file was left alone for so long, milliseconds: its date has been set by then. */
#define ALONE           500
/* One waits no longer for others to fill a batch, milliseconds. */
#define COMPANY         2000
#define BATCH_MAX       1000
#define FILES_MAX       100
#define LINE_MAX_OCTETS 7000
#define RANGE_MAX       22
/* Steps of waiting, milliseconds. */
#define LIMBO_STEP      50
#define OFFLINE_STEP    500
#define RETRY_FIRST     1000
#define RETRY_MAX       60000

/* ---- Which ------------------------------------------------------------------------------ */

static gboolean
is_alike (const RackPending *first, const RackPending *other)
{
  return first->kind == other->kind && first->step == other->step && first->folder == other->folder
         && first->target == other->target && first->uid_validity == other->uid_validity
         && first->mark_validity == other->mark_validity && first->mark_next == other->mark_next
         && first->add == other->add && first->remove == other->remove
         && g_strcmp0 (first->add_keywords, other->add_keywords) == 0
         && g_strcmp0 (first->remove_keywords, other->remove_keywords) == 0;
}

static gboolean
is_waiting (const RackPending *pending)
{
  return pending->step == RACK_STEP_QUEUED || pending->step == RACK_STEP_COPIED
         || pending->step == RACK_STEP_RETURNING;
}

/* The folders in which the server could not do something: what else is to be done there waits too,
 * since it may be about the same messages. Returns: (owned) of RackFolder, NULL: none. */
static GHashTable *
held_folders (RackOutbox *outbox, gint64 now, gint64 *due)
{
  GHashTable *held = NULL;
  for (guint i = 0; i < outbox->pending->len; i++)
    {
      RackPending *pending = outbox->pending->pdata[i];
      if (pending->off.until <= now)
        continue;
      *due = MIN (*due, pending->off.until);
      held = held != NULL ? held : g_hash_table_new (NULL, NULL);
      g_hash_table_add (held, pending->folder);
    }
  return held;
}

/* Flags go first: a message takes them along when it moves. held: may be NULL. */
static RackPending *
first_message (RackOutbox *outbox, GHashTable *held)
{
  RackPending *first = NULL;
  for (guint i = 0; i < outbox->pending->len; i++)
    {
      RackPending *pending = outbox->pending->pdata[i];
      if (!is_waiting (pending) || (held != NULL && g_hash_table_contains (held, pending->folder)))
        continue;
      if (pending->kind == RACK_CHANGE_ROW_STORE)
        return pending;
      first = first != NULL ? first : pending;
    }
  return first;
}

/* Servers take lines up to 8,000 octets; sets with gaps are long. */
static void
cut_to_line (GPtrArray *batch)
{
  g_autoptr (RackSet) uids = rack_set_new ();
  for (guint i = 0; i < batch->len; i++)
    {
      guint32 uid = ((RackPending *) batch->pdata[i])->uid;
      rack_set_add (uids, uid, uid);
      /* Counting each range for the longest it can be is enough to begin to measure. */
      if (rack_set_ranges (uids).n * RANGE_MAX <= LINE_MAX_OCTETS)
        continue;
      g_autofree char *text = rack_set_to_string (uids);
      if (strlen (text) <= LINE_MAX_OCTETS)
        continue;
      g_ptr_array_set_size (batch, (gint) i);
      return;
    }
}

/* Whether pending may go with first, and before all that was not taken: of two changes of a
 * message's flags the last one wins. passed: the UIDs of those, of first's mailbox. */
static gboolean
goes_along (const RackPending *first, const RackPending *pending, GHashTable *passed)
{
  if (is_alike (first, pending))
    return !g_hash_table_contains (passed, GUINT_TO_POINTER (pending->uid));
  if (first->kind == RACK_CHANGE_ROW_STORE && pending->kind == RACK_CHANGE_ROW_STORE
      && first->folder == pending->folder && first->uid_validity == pending->uid_validity)
    g_hash_table_add (passed, GUINT_TO_POINTER (pending->uid));
  return FALSE;
}

/* *due: when it is time for them, monotonic. Returns: (owned) or NULL. */
static GPtrArray *
choose_messages (RackOutbox *outbox, gint64 now, gint64 *due)
{
  g_autoptr (GHashTable) held = held_folders (outbox, now, due);
  RackPending *first = first_message (outbox, held);
  outbox->company = 0;
  if (first == NULL)
    return NULL;
  g_autoptr (GHashTable) passed = g_hash_table_new (NULL, NULL);
  GPtrArray *batch = g_ptr_array_new ();
  gint64 newest = 0;
  gboolean urgent = FALSE;
  for (guint i = 0; i < outbox->pending->len && batch->len < BATCH_MAX; i++)
    {
      RackPending *pending = outbox->pending->pdata[i];
      if (!goes_along (first, pending, passed))
        continue;
      g_ptr_array_add (batch, pending);
      newest = MAX (newest, pending->made);
      urgent |= pending->id <= outbox->urgent;
    }
  outbox->company = batch->len;
  cut_to_line (batch);
  gint64 quiet = newest + QUIET * 1000, oldest = first->made + OLDEST * 1000;
  *due = MIN (*due, urgent || batch->len == BATCH_MAX ? now : MIN (quiet, oldest));
  if (MIN (quiet, oldest) <= now || urgent || batch->len == BATCH_MAX)
    return batch;
  g_ptr_array_unref (batch);
  return NULL;
}

static gint
by_id (gconstpointer a, gconstpointer b)
{
  guint64 left = (*(RackLocal *const *) a)->id, right = (*(RackLocal *const *) b)->id;
  return (left > right) - (left < right);
}

/* Files that may go now, of one folder. While others are still coming they wait for a full
 * batch. */
static GPtrArray *
choose_files (RackOutbox *outbox, gint64 now, gint64 *due)
{
  GPtrArray *batch = g_ptr_array_new ();
  RackFolder *folder = NULL;
  gint64 oldest = G_MAXINT64, last = 0;
  gboolean urgent = FALSE;
  GHashTableIter iter;
  gpointer one;
  g_hash_table_iter_init (&iter, outbox->locals);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    {
      RackLocal *local = one;
      if (local->state != RACK_LOCAL_QUEUED)
        continue;
      gboolean wanted = local->ticket <= outbox->urgent;
      gint64 when = wanted ? now : local->touched + ALONE * 1000;
      if (local->off.until > now)
        {
          *due = MIN (*due, local->off.until);
          continue;
        }
      last = MAX (last, when);
      if (when > now || (folder != NULL && local->folder != folder))
        continue;
      urgent |= wanted;
      oldest = MIN (oldest, when);
      folder = local->folder;
      g_ptr_array_add (batch, local);
    }
  if (last > 0)
    *due = MIN (*due, MIN (last, oldest != G_MAXINT64 ? oldest + COMPANY * 1000 : last));
  g_ptr_array_sort (batch, by_id);
  gboolean full = batch->len >= FILES_MAX;
  if (full)
    g_ptr_array_set_size (batch, FILES_MAX);
  if (batch->len > 0 && (full || urgent || last <= now || now - oldest >= COMPANY * 1000))
    return batch;
  g_ptr_array_unref (batch);
  return NULL;
}

/* ---- The loop --------------------------------------------------------------------------- */

/* An APPEND that was cut off before its end had no effect, and unlike other commands the library
 * does not repeat it: that says little of whether the server can be reached. */
static gboolean
was_cut_off (const RackOutbox *outbox, gboolean files, const GError *problem)
{
  return files && outbox->failed_rounds == 0
         && g_error_matches (problem, RACK_ERROR, RACK_ERROR_CLOSED);
}

/* Whether something may be there that must not be sent twice. */
static gboolean
is_doubtful (RackOutbox *outbox)
{
  GHashTableIter iter;
  gpointer one;
  for (guint i = 0; i < outbox->pending->len; i++)
    if (((const RackPending *) outbox->pending->pdata[i])->mark_next != 0)
      return TRUE;
  g_hash_table_iter_init (&iter, outbox->locals);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    if (((const RackLocal *) one)->mark_next != 0)
      return TRUE;
  return FALSE;
}

/* Whoever is in a hurry: the server may still be at it, and what is looked for too soon is not
 * there yet. With the mutex held. */
static void
note_doubt (RackOutbox *outbox, gint64 now)
{
  if (!is_doubtful (outbox))
    return;
  outbox->doubt_until = now + RETRY_FIRST * 1000;
  outbox->retry_at = MAX (outbox->retry_at, outbox->doubt_until);
}

/* With the mutex held. Takes problem. */
static void
note_round (RackOutbox *outbox, gboolean files, GError *problem, gint64 now)
{
  if (problem == NULL)
    outbox->failed_rounds = 0;
  else
    {
      gint64 delay = MIN (RETRY_FIRST << MIN (outbox->failed_rounds, 6), RETRY_MAX);
      outbox->retry_at = was_cut_off (outbox, files, problem) ? now : now + delay * 1000;
      outbox->failed_rounds++;
      g_error_free (problem);
      note_doubt (outbox, now);
    }
  pthread_cond_broadcast (&outbox->settled);
}

/* With the mutex held, which is let go meanwhile. */
static void
send_round (RackOutbox *outbox, GPtrArray *messages, GPtrArray *files)
{
  for (guint i = 0; messages != NULL && i < messages->len; i++)
    {
      RackPending *pending = messages->pdata[i];
      /* Nobody else may touch it now. */
      if (pending->step == RACK_STEP_QUEUED)
        pending->step = RACK_STEP_SENDING;
    }
  for (guint i = 0; files != NULL && i < files->len; i++)
    {
      RackLocal *local = files->pdata[i];
      rack_local_become (local, RACK_LOCAL_SENDING);
      rack_local_ref (local);
    }
  g_autoptr (GPtrArray) held =
      files != NULL ? g_ptr_array_copy (files, NULL, NULL) : g_ptr_array_new ();
  pthread_mutex_unlock (&outbox->mutex);
  GError *problem =
      messages != NULL ? rack_send_messages (outbox, messages) : rack_send_files (outbox, files);
  if (!was_cut_off (outbox, files != NULL, problem))
    rack_online_note (outbox->mirror, problem);
  pthread_mutex_lock (&outbox->mutex);
  for (guint i = 0; i < held->len; i++)
    rack_local_unref (held->pdata[i]);
  note_round (outbox, files != NULL, problem, g_get_monotonic_time ());
}

void
rack_sender_expect_message (RackOutbox *outbox)
{
  gint64 quiet = g_get_monotonic_time () + QUIET * 1000;
  if (++outbox->company >= BATCH_MAX || quiet < outbox->due)
    pthread_cond_signal (&outbox->work);
}

void
rack_sender_expect_file (RackOutbox *outbox)
{
  if (g_get_monotonic_time () + ALONE * 1000 < outbox->due)
    pthread_cond_signal (&outbox->work);
}

gpointer
rack_sender_run (gpointer data)
{
  RackOutbox *outbox = data;
  pthread_mutex_lock (&outbox->mutex);
  note_doubt (outbox, g_get_monotonic_time ());
  while (!outbox->ending)
    {
      gint64 now = g_get_monotonic_time (), due = now + RETRY_MAX * 1000;
      rack_send_note (outbox);
      gboolean limbo =
          rack_outbox_settle_arrivals (outbox) + rack_outbox_settle_locals (outbox) > 0;
      g_autoptr (GPtrArray) messages = NULL;
      g_autoptr (GPtrArray) files = NULL;
      gboolean online = rack_online_is (outbox->mirror);
      gboolean may = now >= outbox->retry_at && online;
      messages = choose_messages (outbox, now, &due);
      if (messages == NULL)
        files = choose_files (outbox, now, &due);
      if (may && (messages != NULL || files != NULL))
        {
          send_round (outbox, messages, files);
          continue;
        }
      /* Whoever found out that the server cannot be reached, those who wait hear it from us. */
      if (!online)
        pthread_cond_broadcast (&outbox->settled);
      if (!may && due < now + OFFLINE_STEP * 1000)
        {
          gint64 look = now + OFFLINE_STEP * 1000;
          due = online ? MIN (outbox->retry_at, look) : look;
        }
      gint64 wait = MAX ((due - now) / 1000, 1);
      wait = limbo ? MIN (wait, LIMBO_STEP) : wait;
      outbox->due = may ? now + wait * 1000 : 0;
      outbox->company = may ? outbox->company : 0;
      rack_cond_wait_for (&outbox->work, &outbox->mutex, wait);
      outbox->due = 0;
    }
  pthread_mutex_unlock (&outbox->mutex);
  return NULL;
}
