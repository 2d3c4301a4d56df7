/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * keeper.c - bodies that outlive the process
 */
#include "keeper.h"

#include <string.h>

/* A batch is written when it is so large, or so old. */
#define BATCH_OCTETS  (32 << 20)
#define BATCH_BODIES  4096
#define BATCH_WAIT    500 /* milliseconds */
/* What is looked at together when something has to go. */
#define VICTIMS       256
#define ROOM_MIN      (8 << 20)
#define STUCK_WAIT    1000 /* milliseconds: everything is in use */
/* How often bodies are looked for whose messages have gone, milliseconds. */
#define ORPHANS_EVERY (30 * 60 * 1000)
/* In the store: whether the last process with it ended by itself. */
#define CLEAN         "bodies_clean"

struct RackKeeper
{
  RackBodies *bodies;
  pthread_cond_t cond;      /* with the bodies' mutex: there is something to do */
  pthread_mutex_t removing; /* one removes rows at a time; before the bodies' mutex */
  GPtrArray *queue;         /* RackBody, pinned */
  guint64 octets;           /* of those */
  gboolean ending;
  gint64 looked_at; /* for orphans, monotonic; 0: not yet */
  GThread *thread;
};

/* ---- Taking away -------------------------------------------------------------------- */

/* Those of rows that nobody holds, until they are enough; they leave the table. With the mutex
 * held. Returns: (owned, container) indices into rows. */
static GArray *
choose (RackBodies *bodies, const GArray *rows, guint64 need)
{
  GArray *chosen = g_array_new (FALSE, FALSE, sizeof (RackStoreBody));
  guint64 freed = 0;
  for (guint i = 0; i < rows->len && freed < need; i++)
    {
      const RackStoreBody *row = &g_array_index (rows, RackStoreBody, i);
      RackBodyKey key = { row->row, row->uid, row->section };
      if (!rack_bodies_forget (bodies, &key))
        continue;
      freed += rack_slab_cost (row->size);
      g_array_append_val (chosen, *row);
    }
  return chosen;
}

/* Removes rows and gives their octets back. Somebody may have found one meanwhile: then its octets
 * stay until that body goes. Returns: how many octets were given back. */
static guint64
take_away (RackBodies *bodies, const RackStoreBody *rows, guint n)
{
  guint64 freed = 0;
  if (n == 0 || !rack_store_remove_bodies (bodies->mirror->store, rows, n, NULL))
    return 0;
  g_autofree gboolean *spared = g_new0 (gboolean, n);
  pthread_mutex_lock (&bodies->mutex);
  bodies->generation++;
  for (guint i = 0; i < n; i++)
    {
      RackBodyKey key = { rows[i].row, rows[i].uid, rows[i].section };
      RackBody *body = g_hash_table_lookup (bodies->table, &key);
      spared[i] = body != NULL && body->kept && body->offset == rows[i].offset;
      if (spared[i])
        body->kept = FALSE;
      else
        bodies->used -= MIN (bodies->used, rack_slab_cost (rows[i].size));
    }
  pthread_mutex_unlock (&bodies->mutex);
  for (guint i = 0; i < n; i++)
    if (!spared[i])
      {
        rack_slab_punch (&bodies->slab, rows[i].offset, rows[i].size);
        freed += rack_slab_cost (rows[i].size);
      }
  return freed;
}

static guint64
evict (RackBodies *bodies, guint64 need)
{
  RackKeeper *keeper = bodies->keeper;
  pthread_mutex_lock (&keeper->removing);
  g_autoptr (GArray) oldest = rack_store_oldest_bodies (bodies->mirror->store, VICTIMS);
  pthread_mutex_lock (&bodies->mutex);
  g_autoptr (GArray) chosen = choose (bodies, oldest, need);
  pthread_mutex_unlock (&bodies->mutex);
  guint64 freed = take_away (bodies, (const RackStoreBody *) chosen->data, chosen->len);
  pthread_mutex_unlock (&keeper->removing);
  return freed;
}

gboolean
rack_keeper_make_room (RackBodies *bodies, guint64 octets)
{
  return bodies->keeper != NULL && evict (bodies, octets + ROOM_MIN) > 0;
}

void
rack_keeper_drop (RackBodies *bodies, const RackStoreBody *row)
{
  RackStoreBody now;
  pthread_mutex_lock (&bodies->keeper->removing);
  if (rack_store_find_body (bodies->mirror->store, row->row, row->uid, row->section, &now))
    {
      if (now.offset == row->offset)
        take_away (bodies, row, 1);
      g_free (now.section);
    }
  pthread_mutex_unlock (&bodies->keeper->removing);
}

/* Bodies of messages that are not there any more, and of boxes that were replaced. */
static void
drop_orphans (RackKeeper *keeper)
{
  RackBodies *bodies = keeper->bodies;
  guint64 freed;
  do
    {
      freed = 0;
      pthread_mutex_lock (&keeper->removing);
      g_autoptr (GArray) orphans = rack_store_orphaned_bodies (bodies->mirror->store, VICTIMS);
      pthread_mutex_lock (&bodies->mutex);
      g_autoptr (GArray) chosen = choose (bodies, orphans, G_MAXUINT64);
      gboolean ending = keeper->ending;
      pthread_mutex_unlock (&bodies->mutex);
      if (!ending)
        freed = take_away (bodies, (const RackStoreBody *) chosen->data, chosen->len);
      pthread_mutex_unlock (&keeper->removing);
    }
  while (freed > 0);
}

/* ---- Making durable ---------------------------------------------------------------------- */

static void
sort_batch (const GPtrArray *batch, GArray *added, GArray *used)
{
  for (guint i = 0; i < batch->len; i++)
    {
      const RackBody *body = batch->pdata[i];
      RackStoreBody row;
      rack_body_row (body, &row);
      g_array_append_val (body->kept ? used : added, row);
    }
}

/* With the mutex held. have: octets that are there. */
static void
set_body (RackBody *body, RackBodyState state, guint64 have)
{
  body->state = state;
  body->have = have;
  pthread_cond_broadcast (&body->cond);
}

/* What a sync that failed was to make durable may be gone at any time, also from the page cache.
 * Nobody reads it until it is looked at: what is still there goes to memory, the rest is fetched
 * again. */
static void
rescue (RackBodies *bodies, const GPtrArray *batch, int problem)
{
  g_autoptr (GPtrArray) lost = g_ptr_array_new ();
  pthread_mutex_lock (&bodies->mutex);
  for (guint i = 0; i < batch->len; i++)
    {
      RackBody *body = batch->pdata[i];
      if (body->kept || body->state != RACK_BODY_DONE)
        continue;
      set_body (body, RACK_BODY_FETCHING, 0);
      g_ptr_array_add (lost, body);
    }
  pthread_mutex_unlock (&bodies->mutex);
  for (guint i = 0; i < lost->len; i++)
    {
      RackBody *body = lost->pdata[i];
      gboolean saved = rack_refuge_take (body, body->size, problem, NULL);
      pthread_mutex_lock (&bodies->mutex);
      if (body->counted)
        bodies->used -= MIN (bodies->used, rack_slab_cost (body->size));
      body->counted = FALSE;
      set_body (body, saved ? RACK_BODY_DONE : RACK_BODY_IDLE, saved ? body->size : 0);
      pthread_mutex_unlock (&bodies->mutex);
    }
}

static gboolean
add_rows (RackBodies *bodies, const RackStoreBody *rows, guint n)
{
  g_autoptr (GError) error = NULL;
  if (rack_store_add_bodies (bodies->mirror->store, rows, n, &error))
    return TRUE;
  rack_online_note (bodies->mirror, error);
  return FALSE;
}

/* With the mutex held, which is given up meanwhile. */
static void
save_batch (RackKeeper *keeper)
{
  RackBodies *bodies = keeper->bodies;
  RackStore *store = bodies->mirror->store;
  g_autoptr (GPtrArray) batch = keeper->queue;
  g_autoptr (GArray) added = g_array_new (FALSE, FALSE, sizeof (RackStoreBody));
  g_autoptr (GArray) used = g_array_new (FALSE, FALSE, sizeof (RackStoreBody));
  keeper->queue = g_ptr_array_new ();
  keeper->octets = 0;
  sort_batch (batch, added, used);
  pthread_mutex_unlock (&bodies->mutex);

  /* If it cannot be kept it is read now all the same, and fetched again another time. */
  int problem = added->len > 0 ? rack_slab_sync (&bodies->slab) : 0;
  if (problem != 0)
    rescue (bodies, batch, problem);
  gboolean ok =
      added->len == 0
      || (problem == 0 && add_rows (bodies, (const RackStoreBody *) added->data, added->len));
  rack_store_use_bodies (store, (const RackStoreBody *) used->data, used->len, NULL);

  pthread_mutex_lock (&bodies->mutex);
  for (guint i = 0; i < batch->len; i++)
    {
      RackBody *body = batch->pdata[i];
      body->noted = FALSE;
      body->kept |= ok;
      rack_body_unpin (body);
    }
  if (ok && added->len > 0)
    rack_refuge_empty (bodies); /* the disk works: what is read again can be kept */
}

static gboolean
is_urgent (const RackKeeper *keeper)
{
  return keeper->ending || keeper->octets >= BATCH_OCTETS || keeper->queue->len >= BATCH_BODIES
         || keeper->bodies->used > keeper->bodies->limit;
}

/* Something is queued: a moment later there is more. */
static void
gather (RackKeeper *keeper)
{
  gint64 until = g_get_monotonic_time () + BATCH_WAIT * G_GINT64_CONSTANT (1000);
  gint64 left;
  while (!is_urgent (keeper) && (left = until - g_get_monotonic_time ()) > 0)
    rack_cond_wait_for (&keeper->cond, &keeper->bodies->mutex, left / 1000 + 1);
}

/* With the mutex held, which is given up meanwhile. */
static void
reduce (RackKeeper *keeper)
{
  RackBodies *bodies = keeper->bodies;
  guint64 need = bodies->used - bodies->limit;
  pthread_mutex_unlock (&bodies->mutex);
  guint64 freed = evict (bodies, need);
  pthread_mutex_lock (&bodies->mutex);
  if (freed == 0 && !keeper->ending && keeper->queue->len == 0)
    rack_cond_wait_for (&keeper->cond, &bodies->mutex, STUCK_WAIT);
}

/* Once in a while. With the mutex held, which is given up meanwhile. */
static void
look_for_orphans (RackKeeper *keeper)
{
  gint64 now = g_get_monotonic_time ();
  if (keeper->looked_at > 0 && now - keeper->looked_at < ORPHANS_EVERY * G_GINT64_CONSTANT (1000))
    return;
  keeper->looked_at = now;
  pthread_mutex_unlock (&keeper->bodies->mutex);
  drop_orphans (keeper);
  pthread_mutex_lock (&keeper->bodies->mutex);
}

static gpointer
run (gpointer data)
{
  RackKeeper *keeper = data;
  RackBodies *bodies = keeper->bodies;
  pthread_mutex_lock (&bodies->mutex);
  look_for_orphans (keeper);
  for (;;)
    if (keeper->queue->len > 0)
      {
        gather (keeper);
        save_batch (keeper);
      }
    else if (keeper->ending)
      break;
    else if (bodies->used > bodies->limit)
      reduce (keeper);
    else
      {
        rack_cond_wait_for (&keeper->cond, &bodies->mutex, ORPHANS_EVERY);
        look_for_orphans (keeper);
      }
  pthread_mutex_unlock (&bodies->mutex);
  return NULL;
}

void
rack_keeper_note (RackBody *body)
{
  RackKeeper *keeper = body->bodies->keeper;
  if (keeper == NULL || body->noted)
    return;
  body->noted = TRUE;
  rack_body_pin (body);
  g_ptr_array_add (keeper->queue, body);
  keeper->octets += body->kept ? 0 : body->size;
  if (keeper->queue->len == 1 || is_urgent (keeper))
    pthread_cond_signal (&keeper->cond);
}

void
rack_keeper_wake (RackBodies *bodies)
{
  if (bodies->keeper != NULL && bodies->used > bodies->limit)
    pthread_cond_signal (&bodies->keeper->cond);
}

/* ---- What is there from before --------------------------------------------------------------- */

typedef struct
{
  const RackSlab *slab;
  gboolean punch;          /* what no row knows is a hole from now on */
  guint64 used, end;       /* of the ranges so far */
  guint64 gap, gap_octets; /* the largest one between them */
  GArray *bad;             /* RackStoreBody: what cannot be */
} Survey;

static void
survey_one (const RackStoreBody *row, gpointer data)
{
  Survey *survey = data;
  if (row->offset < survey->end || rack_slab_cost (row->offset) != row->offset
      || row->offset > G_MAXINT64 / 2 || row->size > G_MAXINT64 / 2)
    {
      RackStoreBody copy = *row;
      copy.section = g_strdup (row->section);
      g_array_append_val (survey->bad, copy);
      return;
    }
  guint64 gap = row->offset - survey->end;
  if (gap > 0 && survey->punch)
    rack_slab_punch (survey->slab, survey->end, gap);
  if (gap > survey->gap_octets)
    {
      survey->gap = survey->end;
      survey->gap_octets = gap;
    }
  survey->end = row->offset + rack_slab_cost (row->size);
  survey->used += rack_slab_cost (row->size);
}

static void
free_section (gpointer row)
{
  g_free (((RackStoreBody *) row)->section);
}

static gboolean
survey_all (RackBodies *bodies, GError **error)
{
  RackStore *store = bodies->mirror->store;
  g_autoptr (GArray) bad = g_array_new (FALSE, FALSE, sizeof (RackStoreBody));
  g_array_set_clear_func (bad, free_section);
  Survey survey = { .slab = &bodies->slab, .bad = bad };
  survey.punch = rack_store_get (store, CLEAN, 0) == 0;
  if (!rack_store_each_body (store, survey_one, &survey, error)
      || !rack_store_remove_bodies (store, (const RackStoreBody *) bad->data, bad->len, error))
    return FALSE;
  rack_slab_cut (&bodies->slab, survey.end);
  /* Ranges are not moved: where the file has grown very long, its largest hole is used first. */
  if (bodies->slab.end - MIN (bodies->slab.end, survey.end) > survey.gap_octets)
    rack_slab_use (&bodies->slab, survey.end, bodies->slab.end);
  else
    rack_slab_use (&bodies->slab, survey.gap, survey.gap + survey.gap_octets);
  bodies->used = survey.used;
  return rack_store_set (store, CLEAN, 0, error);
}

gboolean
rack_keeper_start (RackBodies *bodies, GError **error)
{
  if (!survey_all (bodies, error))
    return FALSE;
  RackKeeper *keeper = g_new0 (RackKeeper, 1);
  keeper->bodies = bodies;
  keeper->queue = g_ptr_array_new ();
  rack_cond_init (&keeper->cond);
  pthread_mutex_init (&keeper->removing, NULL);
  bodies->keeper = keeper;
  keeper->thread = g_thread_new ("mirror-keep", run, keeper);
  return TRUE;
}

void
rack_keeper_end (RackBodies *bodies)
{
  RackKeeper *keeper = bodies->keeper;
  if (keeper == NULL)
    return;
  pthread_mutex_lock (&bodies->mutex);
  keeper->ending = TRUE;
  pthread_cond_signal (&keeper->cond);
  pthread_mutex_unlock (&bodies->mutex);
  g_thread_join (keeper->thread);
  rack_store_set (bodies->mirror->store, CLEAN, 1, NULL);
  bodies->keeper = NULL;
  g_ptr_array_unref (keeper->queue);
  pthread_cond_destroy (&keeper->cond);
  pthread_mutex_destroy (&keeper->removing);
  g_free (keeper);
}
