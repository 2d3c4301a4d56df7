/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ahead.c - which bodies will be read next
 *
 * Programs like grep, cp and rsync read the messages of a directory in ascending order,
 * nearly: several threads, or a few skipped ones. After some steps upwards the next
 * ones are fetched in one command, a window that doubles while the reader keeps
 * following. Large messages are left out; they would keep the small ones waiting.
 */
#include "mirror-private.h"

#include <stdlib.h>

#define STEP_MAX     8 /* positions that still count as the next one */
#define STREAK_MIN   2 /* steps before anything is fetched ahead */
#define WINDOW_FIRST 4
#define WINDOW_MAX   256       /* messages */
#define OCTETS_MAX   (4 << 20) /* per window */
#define MESSAGE_MAX  (1 << 20)

#define PROBE_NEWEST      200
#define PROBE_COUNT       16
#define PROBE_MESSAGE_MAX (16 << 10)

/* Takes the next window off the index into uids. With the folder's mutex held. */
static void
next_window (RackFolder *folder, guint from, GArray *uids)
{
  RackAhead *ahead = &folder->ahead;
  guint64 octets = 0;
  for (guint i = from; i < folder->index.n && uids->len < ahead->window; i++)
    {
      const RackRecord *record = &folder->index.records[i];
      if (octets + record->size > OCTETS_MAX && uids->len > 0)
        break;
      ahead->upto_uid = record->uid;
      if (record->size > MESSAGE_MAX)
        continue;
      octets += record->size;
      g_array_append_val (uids, record->uid);
    }
  ahead->window = MIN (ahead->window * 2, WINDOW_MAX);
}

/* Notes one step; fills uids if it is time for the next window. With the mutex held. */
static void
step (RackFolder *folder, guint32 uid, GArray *uids)
{
  RackAhead *ahead = &folder->ahead;
  if (uid == ahead->last_uid)
    return;
  gint64 at = rack_index_position (&folder->index, uid);
  gint64 last = rack_index_position (&folder->index, ahead->last_uid);
  if (ahead->last_uid != 0 && at < last && last - at <= STEP_MAX)
    return; /* a slower thread of the same reader */
  if (ahead->last_uid == 0 || at < last || at - last > STEP_MAX)
    {
      *ahead = (RackAhead){ .last_uid = uid, .window = WINDOW_FIRST };
      return;
    }
  ahead->last_uid = uid;
  if (++ahead->streak < STREAK_MIN || rack_bodies_ahead_is_busy (folder->mirror))
    return;
  gint64 from = at + 1;
  if (ahead->upto_uid > uid)
    from = rack_index_position (&folder->index, ahead->upto_uid) + 1;
  if (from - (at + 1) <= ahead->window / 2)
    next_window (folder, (guint) from, uids);
}

static void
fetch_uids (RackFolder *folder, guint32 row, const GArray *uids)
{
  GPtrArray *claimed = g_ptr_array_new ();
  for (guint i = 0; i < uids->len; i++)
    {
      RackBody *body = rack_bodies_claim (folder, row, g_array_index (uids, guint32, i));
      if (body != NULL)
        g_ptr_array_add (claimed, body);
    }
  if (claimed->len > 0)
    rack_bodies_run_ahead (folder, claimed);
  else
    g_ptr_array_unref (claimed);
}

void
rack_ahead_note (RackFolder *folder, guint32 row, guint32 uid)
{
  g_autoptr (GArray) uids = g_array_new (FALSE, FALSE, sizeof (guint32));
  pthread_mutex_lock (&folder->mutex);
  if (folder->row == row && folder->complete)
    step (folder, uid, uids);
  pthread_mutex_unlock (&folder->mutex);
  fetch_uids (folder, row, uids);
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
  /* Too few to prove anything: the next folder is asked too. */
  if (uids->len < PROBE_COUNT)
    g_atomic_int_set (&mirror->probing, 0);
  fetch_uids (folder, row, uids);
}
