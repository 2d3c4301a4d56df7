/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bodies.c - which bodies there are, who holds them, and which one goes
 *
 * A body is in the table from the first question about it until nobody holds it and
 * it either failed or was never fetched, or the cache needs its room. What is whole and
 * held by nobody waits in a list, least recently used last.
 */
#include "body-private.h"

#include <string.h>

/* Until more is known of the line. */
#define FLIGHT_FIRST (1 << 20)
/* Longer sections are nobody's. */
#define SECTION_MAX  1000
#define MEBIBYTE     (G_GUINT64_CONSTANT (1) << 20)

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
  if (!rack_slab_open (&bodies->slab, error))
    {
      g_free (bodies);
      return NULL;
    }
  bodies->mirror = mirror;
  bodies->limit = mirror->options.cache_limit > 0 ? (guint64) mirror->options.cache_limit * MEBIBYTE
                                                  : G_MAXUINT64;
  bodies->table = g_hash_table_new (key_hash, key_equal);
  g_queue_init (&bodies->unheld);
  pthread_mutex_init (&bodies->mutex, NULL);
  bodies->flight.window = FLIGHT_FIRST;
  bodies->jobs = rack_jobs_new (mirror->options.fetchers, "mirror-fetch");
  return bodies;
}

/* Out of the table and of memory. */
static void
discard (RackBody *body)
{
  RackBodies *bodies = body->bodies;
  g_hash_table_remove (bodies->table, &body->key);
  if (body->placed)
    rack_slab_punch (&bodies->slab, body->offset, body->room);
  if (body->state == RACK_BODY_DONE)
    bodies->used -= rack_slab_cost (body->size);
  g_clear_error (&body->error);
  pthread_cond_destroy (&body->cond);
  g_free (body->key.part);
  g_free (body->section);
  g_free (body);
}

void
rack_bodies_evict (RackBodies *bodies)
{
  while (bodies->used > bodies->limit && bodies->unheld.length > 0)
    {
      GList *last = g_queue_pop_tail_link (&bodies->unheld);
      discard (last->data);
    }
}

guint64
rack_bodies_drop (RackBodies *bodies)
{
  pthread_mutex_lock (&bodies->mutex);
  guint64 before = bodies->used;
  while (bodies->unheld.length > 0)
    {
      GList *last = g_queue_pop_tail_link (&bodies->unheld);
      discard (last->data);
    }
  guint64 dropped = before - bodies->used;
  pthread_mutex_unlock (&bodies->mutex);
  return dropped;
}

static void
let_go_if_unheld (RackBody *body)
{
  if (body->refs > 0 || body->pins > 0)
    return;
  if (body->state != RACK_BODY_DONE)
    {
      discard (body);
      return;
    }
  g_queue_push_head_link (&body->bodies->unheld, &body->link);
  rack_bodies_evict (body->bodies);
}

static void
take_back (RackBody *body)
{
  if (body->refs == 0 && body->pins == 0 && body->state == RACK_BODY_DONE)
    g_queue_unlink (&body->bodies->unheld, &body->link);
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

static RackBody *
hold (RackFolder *folder, const RackBodyKey *key, const char *section, RackPartForm form)
{
  RackBodies *bodies = folder->mirror->bodies;
  if (!is_in_force (folder, key->row))
    return NULL;
  pthread_mutex_lock (&bodies->mutex);
  RackBody *body = g_hash_table_lookup (bodies->table, key);
  if (body == NULL)
    {
      body = body_new (folder, key);
      g_free (body->section);
      body->section = g_strdup (section);
      body->form = form;
    }
  else
    take_back (body);
  body->refs++;
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
  if (body->refs == 0 && body->state == RACK_BODY_FETCHING && body->cancellable != NULL
      && body->size_known && body->size - body->have > MEBIBYTE)
    g_cancellable_cancel (body->cancellable);
}

void
rack_body_unref (RackBody *body)
{
  if (body == NULL)
    return;
  RackBodies *bodies = body->bodies;
  pthread_mutex_lock (&bodies->mutex);
  body->refs--;
  stop_if_long (body);
  let_go_if_unheld (body);
  pthread_mutex_unlock (&bodies->mutex);
}

void
rack_bodies_figures (RackBodies *bodies, RackMirrorFigures *figures)
{
  pthread_mutex_lock (&bodies->mutex);
  *figures = bodies->figures;
  figures->cached = bodies->used;
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

  g_autoptr (GList) rest = g_hash_table_get_values (bodies->table);
  for (GList *at = rest; at != NULL; at = at->next)
    discard (at->data);
  g_hash_table_unref (bodies->table);
  rack_slab_close (&bodies->slab);
  pthread_mutex_destroy (&bodies->mutex);
  g_free (bodies);
}
