/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bodies.c - which bodies there are, who holds them, and which one goes
 *
 * A body is in the table from the first question about it until nobody holds it and
 * it either failed or was never fetched. What is whole and held by nobody stays for a while, in a
 * list, least recently used last. What the store knows comes back from there (keeper.c).
 */
#include "keeper.h"

#include <string.h>

/* Until more is known of the line. */
#define FLIGHT_FIRST (1 << 20)
/* Longer sections are nobody's. */
#define SECTION_MAX  1000
#define MEBIBYTE     (G_GUINT64_CONSTANT (1) << 20)
/* Whole ones in memory that nobody holds; the others are in the store alone. */
#define UNHELD_MAX   16384
/* Beginnings of others. */
#define HEADS_MAX    1024
/* A kept body up to this size is looked through at once, a larger one by a job. */
#define SMALL        (256 << 10)
/* How exactly it is known when a body was used last, microseconds. */
#define USE_STEP     (60 * G_USEC_PER_SEC)

static guint
key_hash (gconstpointer data)
{
  const RackBodyKey *key = data;
  return g_str_hash (key->part) ^ (key->row * 31 + key->uid);
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  const RackBodyKey *left = a, *right = b;
  return left->row == right->row && left->uid == right->uid
         && strcmp (left->part, right->part) == 0;
}

RackBodies *
rack_bodies_new (RackMirror *mirror, GError **error)
{
  RackBodies *bodies = g_new0 (RackBodies, 1);
  bodies->mirror = mirror;
  gboolean kept = rack_store_is_kept (mirror->store);
  if (kept ? !rack_slab_open (&bodies->slab, rack_store_directory (mirror->store), error)
           : !rack_slab_open_memory (&bodies->slab, error))
    {
      g_free (bodies);
      return NULL;
    }
  bodies->limit = mirror->options.cache_limit > 0 ? (guint64) mirror->options.cache_limit * MEBIBYTE
                                                  : G_MAXUINT64;
  bodies->table = g_hash_table_new (key_hash, key_equal);
  g_queue_init (&bodies->unheld);
  g_queue_init (&bodies->heads);
  g_queue_init (&bodies->refugees);
  bodies->refuge.fd = -1;
  pthread_mutex_init (&bodies->mutex, NULL);
  bodies->flight.window = FLIGHT_FIRST;
  bodies->jobs = rack_jobs_new (mirror->options.fetchers, "mirror-fetch");
  if (!bodies->slab.kept || rack_keeper_start (bodies, error))
    return bodies;
  rack_bodies_free (bodies);
  return NULL;
}

void
rack_body_discard (RackBody *body)
{
  RackBodies *bodies = body->bodies;
  g_hash_table_remove (bodies->table, &body->key);
  if (rack_refuge_has (body))
    rack_refuge_leave (body);
  else if (body->placed && !body->kept)
    rack_slab_punch (&bodies->slab, body->offset, body->room);
  if (body->counted && !body->kept)
    bodies->used -= rack_slab_cost (body->size);
  g_clear_error (&body->error);
  pthread_cond_destroy (&body->cond);
  g_free (body->key.part);
  g_free (body->section);
  g_free (body);
}

/* What the store does not know goes here; the rest is the keeper's. */
void
rack_bodies_evict (RackBodies *bodies)
{
  for (GList *at = bodies->unheld.tail, *before; at != NULL; at = before)
    {
      before = at->prev;
      gboolean kept = ((RackBody *) at->data)->kept;
      if (!(kept ? bodies->unheld.length > UNHELD_MAX : bodies->used > bodies->limit))
        {
          if (kept && bodies->keeper != NULL)
            break;
          continue;
        }
      g_queue_unlink (&bodies->unheld, at);
      rack_body_discard (at->data);
    }
  rack_keeper_wake (bodies);
}

static void
take_back (RackBody *body)
{
  if (body->list != NULL)
    g_queue_unlink (body->list, &body->link);
  body->list = NULL;
}

gboolean
rack_bodies_forget (RackBodies *bodies, const RackBodyKey *key)
{
  RackBody *body = g_hash_table_lookup (bodies->table, key);
  if (body == NULL)
    return TRUE;
  if (body->refs > 0 || body->pins > 0)
    return FALSE;
  take_back (body);
  rack_body_discard (body);
  return TRUE;
}

void
rack_body_row (const RackBody *body, RackStoreBody *row)
{
  *row = (RackStoreBody){ .row = body->key.row,
                          .uid = body->key.uid,
                          .section = body->key.part,
                          .offset = body->offset,
                          .size = body->size,
                          .crc = body->crc,
                          .used = body->used_at };
}

guint64
rack_bodies_drop (RackBodies *bodies)
{
  pthread_mutex_lock (&bodies->mutex);
  guint64 before = bodies->used;
  while (bodies->unheld.length > 0)
    {
      GList *last = g_queue_pop_tail_link (&bodies->unheld);
      rack_body_discard (last->data);
    }
  rack_refuge_empty (bodies);
  pthread_mutex_unlock (&bodies->mutex);
  /* And what the store knows, a portion at a time. */
  while (rack_keeper_make_room (bodies, G_MAXUINT64 / 2))
    ;
  pthread_mutex_lock (&bodies->mutex);
  guint64 now = bodies->used;
  pthread_mutex_unlock (&bodies->mutex);
  return before - MIN (now, before);
}

static void
let_go_if_unheld (RackBody *body)
{
  RackBodies *bodies = body->bodies;
  if (body->refs > 0 || body->pins > 0)
    return;
  if (body->state != RACK_BODY_DONE && body->state != RACK_BODY_HEAD)
    {
      rack_body_discard (body);
      return;
    }
  body->list = body->state != RACK_BODY_DONE ? &bodies->heads
               : rack_refuge_has (body)      ? &bodies->refugees
                                             : &bodies->unheld;
  g_queue_push_head_link (body->list, &body->link);
  rack_refuge_limit (bodies);
  if (bodies->heads.length > HEADS_MAX)
    rack_body_discard (g_queue_pop_tail_link (&bodies->heads)->data);
  else
    rack_bodies_evict (bodies);
}

void
rack_body_pin (RackBody *body)
{
  take_back (body);
  body->pins++;
}

void
rack_body_unpin (RackBody *body)
{
  body->pins--;
  let_go_if_unheld (body);
}

/* ---- The table ------------------------------------------------------------------- */

static RackBody *
body_new (RackFolder *folder, const RackBodyKey *key)
{
  RackBody *body = g_new0 (RackBody, 1);
  body->key = (RackBodyKey){ key->row, key->uid, g_strdup (key->part) };
  body->section = g_strdup ("");
  body->bodies = folder->mirror->bodies;
  body->folder = folder;
  body->slab = &body->bodies->slab;
  body->link.data = body;
  rack_cond_init (&body->cond);
  g_hash_table_insert (body->bodies->table, &body->key, body);
  return body;
}

static gboolean
is_in_force (RackFolder *folder, guint32 row)
{
  pthread_mutex_lock (&folder->mutex);
  gboolean in_force = folder->row == row;
  pthread_mutex_unlock (&folder->mutex);
  return in_force;
}

/* ---- From the store ---------------------------------------------------------------- */

static void
adopt (RackBody *body, const RackStoreBody *row)
{
  body->kept = body->placed = body->counted = TRUE;
  body->offset = row->offset;
  body->room = body->size = row->size;
  body->crc = row->crc;
  body->used_at = row->used;
  if (row->size > SMALL)
    return; /* IDLE until somebody wants it: then a job looks at it */
  body->state = RACK_BODY_DONE;
  body->size_known = TRUE;
  body->have = row->size;
}

/* It may have gone bad: then it is as if it had never been there. */
static gboolean
find_kept (RackBodies *bodies, const RackBodyKey *key, RackStoreBody *row)
{
  if (!rack_store_find_body (bodies->mirror->store, key->row, key->uid, key->part, row))
    return FALSE;
  if (row->size > SMALL || rack_slab_verify (&bodies->slab, row->offset, row->size, row->crc))
    return TRUE;
  rack_keeper_drop (bodies, row);
  g_clear_pointer (&row->section, g_free);
  return FALSE;
}

static void
note_use (RackBody *body)
{
  gint64 now = g_get_real_time ();
  if (!body->kept || body->bodies->limit == G_MAXUINT64 || now - body->used_at < USE_STEP)
    return;
  body->used_at = now;
  rack_keeper_note (body);
}

void
rack_body_look (RackBody *body)
{
  RackBodies *bodies = body->bodies;
  pthread_mutex_lock (&bodies->mutex);
  while (!body->looked && body->state == RACK_BODY_IDLE && bodies->keeper != NULL)
    {
      RackStoreBody row = { .section = NULL };
      guint64 generation = bodies->generation;
      pthread_mutex_unlock (&bodies->mutex);
      gboolean kept = find_kept (bodies, &body->key, &row);
      pthread_mutex_lock (&bodies->mutex);
      /* What was found may be gone, or somebody else found it too. */
      if (!body->looked && body->state == RACK_BODY_IDLE
          && (!kept || bodies->generation == generation))
        {
          body->looked = TRUE;
          if (kept)
            adopt (body, &row);
          note_use (body);
        }
      g_free (row.section);
    }
  pthread_mutex_unlock (&bodies->mutex);
}

static RackBody *
hold (RackFolder *folder, const RackBodyKey *key, const char *section, RackPartForm form)
{
  RackBodies *bodies = folder->mirror->bodies;
  if (!is_in_force (folder, key->row))
    return NULL;
  pthread_mutex_lock (&bodies->mutex);
  RackBody *body = g_hash_table_lookup (bodies->table, key);
  if (body == NULL)
    body = body_new (folder, key);
  take_back (body);
  body->refs++;
  if (strcmp (body->section, section) != 0)
    {
      g_free (body->section);
      body->section = g_strdup (section);
      body->form = form;
    }
  note_use (body);
  pthread_mutex_unlock (&bodies->mutex);
  return body;
}

RackBody *
rack_bodies_get (RackFolder *folder, guint32 row, guint32 uid)
{
  RackBodyKey key = { row, uid, "" };
  RackBody *body = g_hash_table_lookup (folder->mirror->bodies->table, &key);
  return body != NULL ? body : body_new (folder, &key);
}

RackBody *
rack_folder_body (RackFolder *folder, guint32 row, guint32 uid)
{
  RackBodyKey key = { row, uid, "" };
  return hold (folder, &key, "", RACK_PART_AS_SENT);
}

/* What may stand in the brackets without a surprise. */
static gboolean
is_section (const char *section)
{
  gsize length = strlen (section);
  return length > 0 && length <= SECTION_MAX
         && strspn (section, "0123456789.ABCDEFGHIJKLMNOPQRSTUVWXYZ") == length;
}

RackBody *
rack_folder_part (RackFolder *folder, guint32 row, guint32 uid, const char *section,
                  RackPartForm form)
{
  static const char *const forms[] = { "", "=", "=text" };
  if (!is_section (section))
    return NULL;
  g_autofree char *part = g_strconcat (section, forms[form], NULL);
  RackBodyKey key = { row, uid, part };
  return hold (folder, &key, section, form);
}

RackBody *
rack_body_ref (RackBody *body)
{
  pthread_mutex_lock (&body->bodies->mutex);
  body->refs++;
  pthread_mutex_unlock (&body->bodies->mutex);
  return body;
}

/* What nobody reads any more is not fetched to its end if there is much of it left. */
static void
stop_if_long (RackBody *body)
{
  if (body->refs == 0 && body->state == RACK_BODY_FETCHING && body->goal == 0
      && body->cancellable != NULL && body->size_known && body->size - body->have > MEBIBYTE)
    g_cancellable_cancel (body->cancellable);
}

void
rack_body_unref (RackBody *body)
{
  if (body == NULL)
    return;
  RackBodies *bodies = body->bodies;
  RackFolder *folder = body->folder;
  guint32 row = body->key.row;
  pthread_mutex_lock (&bodies->mutex);
  body->refs--;
  gboolean tells = body->refs == 0 && *body->key.part == '\0' && body->size_known
                   && body->size > RACK_HEAD_OCTETS && body->read_to > 0;
  gboolean head_only = body->read_to <= RACK_HEAD_OCTETS;
  body->read_to = body->refs == 0 ? 0 : body->read_to;
  stop_if_long (body);
  let_go_if_unheld (body);
  pthread_mutex_unlock (&bodies->mutex);
  if (tells)
    rack_ahead_note_end (folder, row, head_only);
}

void
rack_bodies_figures (RackBodies *bodies, RackMirrorFigures *figures)
{
  pthread_mutex_lock (&bodies->mutex);
  *figures = bodies->figures;
  figures->cached = bodies->used + bodies->refuge_used;
  pthread_mutex_unlock (&bodies->mutex);
}

void
rack_bodies_free (RackBodies *bodies)
{
  GHashTableIter iter;
  gpointer one;
  pthread_mutex_lock (&bodies->mutex);
  bodies->closing = TRUE;
  g_hash_table_iter_init (&iter, bodies->table);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    if (((RackBody *) one)->cancellable != NULL)
      g_cancellable_cancel (((RackBody *) one)->cancellable);
  pthread_mutex_unlock (&bodies->mutex);
  rack_jobs_free (bodies->jobs);
  rack_keeper_end (bodies);

  g_autoptr (GList) rest = g_hash_table_get_values (bodies->table);
  for (GList *at = rest; at != NULL; at = at->next)
    rack_body_discard (at->data);
  g_hash_table_unref (bodies->table);
  rack_slab_close (&bodies->slab);
  rack_slab_close (&bodies->refuge);
  pthread_mutex_destroy (&bodies->mutex);
  g_free (bodies);
}
