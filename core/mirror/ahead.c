/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ahead.c - which bodies will be read next
 *
 * Programs like grep, cp and rsync read the messages of a directory in ascending order,
 * nearly: several threads, or a few skipped ones. After some steps upwards the next
 * ones are fetched, many in one command and several commands at a time. How far ahead of
 * the reader doubles while it keeps following; how much is on its way at a time is what
 * the line was seen to bring in a moment (bodies-ahead.c). Large messages are left out; they
 * would keep the small ones waiting.
 */
#include "mirror-private.h"

#include <stdlib.h>

#define STEP_MAX       8           /* positions that still count as the next one */
#define STREAK_MIN     1           /* steps before anything is fetched ahead */
#define DISTANCE_FIRST (256 << 10) /* octets before the reader */
#define GROWTH         8
#define DISTANCE_MAX   (32 << 20)
#define MESSAGE_MAX    (1 << 20)
#define JOB_MESSAGES   256
/* So many beginnings in a row, and only beginnings are fetched. */
#define HEADS_MIN      3

#define PROBE_NEWEST      200
#define PROBE_COUNT       16
#define PROBE_MESSAGE_MAX (16 << 10)

/* One command's worth. */
typedef struct
{
  guint32 row;
  guint64 octets;
  GArray *uids;     /* guint32, ascending */
  gboolean heads;   /* only the beginnings */
  GArray *believed; /* then: guint64, the sizes; 0: all of it is wanted */
} Job;

/* What reading a message to where this reader does brings. */
static guint64
weight (const RackAhead *ahead, const RackRecord *record)
{
  return ahead->heads >= HEADS_MIN ? MIN (record->size, RACK_HEAD_OCTETS) : record->size;
}

static gboolean
is_believed (RackMirror *mirror, const RackRecord *record)
{
  return (record->bits & RACK_RECORD_EXACT) || rack_mirror_trusts_sizes (mirror);
}

/* Takes the next ones off the index, octets of them or a little more. With the folder's mutex
 * held. */
static void
take_job (RackFolder *folder, guint from, guint64 octets, Job *job)
{
  RackAhead *ahead = &folder->ahead;
  for (guint i = from; i < folder->index.n && job->uids->len < JOB_MESSAGES; i++)
    {
      const RackRecord *record = &folder->index.records[i];
      guint64 size = weight (ahead, record);
      if (job->octets + size > octets && job->uids->len > 0)
        break;
      ahead->upto_uid = record->uid;
      if (size > MESSAGE_MAX)
        continue;
      gboolean head = record->size > RACK_HEAD_OCTETS && is_believed (folder->mirror, record);
      guint64 believed = job->heads && head ? record->size : 0;
      if (job->heads && record->size > RACK_HEAD_OCTETS && !head)
        continue;
      job->octets += size;
      g_array_append_val (job->uids, record->uid);
      g_array_append_val (job->believed, believed);
    }
  ahead->pending += job->octets;
}

/* Notes one step of the reader. With the mutex held. */
static void
step (RackFolder *folder, guint32 uid)
{
  RackAhead *ahead = &folder->ahead;
  gint64 at = rack_index_position (&folder->index, uid);
  gint64 last = rack_index_position (&folder->index, ahead->last_uid);
  if (uid == ahead->last_uid || (ahead->last_uid != 0 && at < last && last - at <= STEP_MAX))
    return; /* the same again, or a slower thread of the same reader */
  if (ahead->last_uid == 0 || at < last || at - last > STEP_MAX)
    {
      *ahead = (RackAhead){ .last_uid = uid, .distance = DISTANCE_FIRST, .heads = ahead->heads };
      return;
    }
  for (gint64 i = last + 1; i <= at && i < folder->index.n; i++)
    {
      const RackRecord *record = &folder->index.records[i];
      if (record->uid <= ahead->upto_uid && weight (ahead, record) <= MESSAGE_MAX)
        ahead->pending -= MIN (ahead->pending, weight (ahead, record));
    }
  ahead->last_uid = uid;
  ahead->streak++;
  if (ahead->upto_uid <= uid)
    {
      ahead->upto_uid = uid;
      ahead->pending = 0;
    }
  if (ahead->streak > STREAK_MIN && ahead->pending <= ahead->distance / 2)
    ahead->distance = MIN (ahead->distance * GROWTH, DISTANCE_MAX);
}

/* What to ask for next, if anything. With the mutex held. */
static void
next_job (RackFolder *folder, Job *job)
{
  RackAhead *ahead = &folder->ahead;
  if (ahead->streak < STREAK_MIN || ahead->pending > ahead->distance / 2)
    return;
  guint64 room = rack_bodies_ahead_room (folder->mirror);
  if (room == 0)
    return;
  guint from = rack_index_position (&folder->index, ahead->upto_uid + 1);
  job->heads = ahead->heads >= HEADS_MIN;
  take_job (folder, from, MIN (room, ahead->distance - ahead->pending), job);
}

static void
fetch_job (RackFolder *folder, const Job *job)
{
  if (job->uids->len == 0)
    return;
  GPtrArray *claimed = g_ptr_array_new ();
  g_autoptr (RackSet) kept =
      rack_bodies_kept (folder, job->row, g_array_index (job->uids, guint32, 0),
                        g_array_index (job->uids, guint32, job->uids->len - 1));
  for (guint i = 0; i < job->uids->len; i++)
    {
      guint32 uid = g_array_index (job->uids, guint32, i);
      if (rack_set_contains (kept, uid))
        continue;
      guint64 size = job->heads ? g_array_index (job->believed, guint64, i) : 0;
      RackBody *body = size > 0 ? rack_bodies_claim_head (folder, job->row, uid, size)
                                : rack_bodies_claim (folder, job->row, uid);
      if (body != NULL)
        g_ptr_array_add (claimed, body);
    }
  if (claimed->len > 0)
    rack_bodies_run_ahead (folder, claimed, job->octets, job->heads);
  else
    g_ptr_array_unref (claimed);
}

void
rack_folder_follow (RackFolder *folder, guint32 row, guint32 uid)
{
  for (gboolean first = TRUE, more = TRUE; more; first = FALSE)
    {
      g_autoptr (GArray) uids = g_array_new (FALSE, FALSE, sizeof (guint32));
      g_autoptr (GArray) believed = g_array_new (FALSE, FALSE, sizeof (guint64));
      Job job = { .row = row, .uids = uids, .believed = believed };
      pthread_mutex_lock (&folder->mutex);
      if (folder->row == row && folder->complete)
        {
          if (first)
            step (folder, uid);
          next_job (folder, &job);
        }
      pthread_mutex_unlock (&folder->mutex);
      more = uids->len > 0;
      if (more)
        fetch_job (folder, &job);
    }
}

/* ---- Beginnings ------------------------------------------------------------------------ */

gboolean
rack_ahead_wants_head (RackFolder *folder, guint32 row, guint32 uid, guint64 *size)
{
  gboolean wants = FALSE;
  pthread_mutex_lock (&folder->mutex);
  if (folder->row == row && folder->ahead.heads >= HEADS_MIN)
    {
      const RackRecord *record = rack_index_find (&folder->index, uid);
      wants =
          record != NULL && record->size > RACK_HEAD_OCTETS && is_believed (folder->mirror, record);
      *size = wants ? record->size : 0;
    }
  pthread_mutex_unlock (&folder->mutex);
  return wants;
}

void
rack_ahead_note_end (RackFolder *folder, guint32 row, gboolean head_only)
{
  pthread_mutex_lock (&folder->mutex);
  if (folder->row == row)
    folder->ahead.heads = head_only ? MIN (folder->ahead.heads + 1, HEADS_MIN) : 0;
  pthread_mutex_unlock (&folder->mutex);
}

/* ---- Are the announced sizes right? ------------------------------------------------- */

static int
by_size (gconstpointer a, gconstpointer b)
{
  guint64 left = ((const RackRecord *) a)->size, right = ((const RackRecord *) b)->size;
  return left < right ? -1 : left > right;
}

static gint
by_uid (gconstpointer a, gconstpointer b)
{
  guint32 left = *(const guint32 *) a, right = *(const guint32 *) b;
  return left < right ? -1 : left > right;
}

/* The smallest of the newest, ascending by UID. */
static GArray *
pick_probes (RackFolder *folder, guint32 *row)
{
  GArray *uids = g_array_new (FALSE, FALSE, sizeof (guint32));
  pthread_mutex_lock (&folder->mutex);
  guint n = MIN (folder->index.n, PROBE_NEWEST);
  g_autofree RackRecord *newest =
      g_memdup2 (folder->index.records + (folder->index.n - n), n * sizeof (RackRecord));
  *row = folder->row;
  pthread_mutex_unlock (&folder->mutex);
  if (n > 0)
    qsort (newest, n, sizeof (RackRecord), by_size);
  for (guint i = 0; i < n && uids->len < PROBE_COUNT; i++)
    if (!(newest[i].bits & RACK_RECORD_EXACT) && newest[i].size <= PROBE_MESSAGE_MAX)
      g_array_append_val (uids, newest[i].uid);
  g_array_sort (uids, by_uid);
  return uids;
}

void
rack_ahead_probe (RackFolder *folder)
{
  RackMirror *mirror = folder->mirror;
  guint32 row;
  if (rack_mirror_trusts_sizes (mirror) || g_atomic_int_get (&mirror->sizes_wrong) > 0)
    return;
  if (!g_atomic_int_compare_and_exchange (&mirror->probing, 0, 1))
    return;
  g_autoptr (GArray) uids = pick_probes (folder, &row);
  Job job = { .row = row, .octets = uids->len * PROBE_MESSAGE_MAX, .uids = uids };
  /* Too few to prove anything: the next folder is asked too. */
  if (uids->len < PROBE_COUNT)
    g_atomic_int_set (&mirror->probing, 0);
  fetch_job (folder, &job);
}
