/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * body.c - waiting for the octets of a body
 */
#include "body-private.h"

/* So much of a message is still a beginning. */
#define HEAD_MAX    (4 * RACK_HEAD_OCTETS)
/* So long a failure is the answer before it is tried again, microseconds. */
#define RETRY_AFTER (G_USEC_PER_SEC / 2)

/* Stopped because nobody read it any more; now somebody does. */
static gboolean
was_stopped (const RackBody *body)
{
  return body->state == RACK_BODY_FAILED && !body->bodies->closing
         && g_error_matches (body->error, RACK_ERROR, RACK_ERROR_CANCELLED);
}

/* Somebody wants to read up to end. A little more of a beginning is fetched alone; beyond that all
 * of it. */
static void
aim (RackBody *body, guint64 end)
{
  body->read_to = MAX (body->read_to, MIN (end, body->size_known ? body->size : end));
  if (body->goal == 0 || end <= body->goal)
    return;
  guint64 steps = (MIN (end, body->size) + RACK_HEAD_OCTETS - 1) / RACK_HEAD_OCTETS;
  guint64 goal = steps * RACK_HEAD_OCTETS;
  gboolean few = body->size_believed && goal <= HEAD_MAX && goal < body->size;
  /* What is fetched now ends where it was meant to. */
  if (body->state != RACK_BODY_FETCHING)
    body->goal = few ? goal : 0;
}

/* With the mutex held. */
static void
want (RackBody *body, guint64 end)
{
  gboolean again =
      body->state == RACK_BODY_FAILED && g_get_monotonic_time () - body->failed_at > RETRY_AFTER;
  aim (body, end);
  gboolean more = body->state == RACK_BODY_HEAD && (body->goal == 0 || body->goal > body->have);
  if (body->state == RACK_BODY_IDLE || again || more || was_stopped (body))
    {
      body->state = RACK_BODY_QUEUED;
      body->have = more ? body->have : 0;
      g_clear_error (&body->error);
    }
  else if (body->state != RACK_BODY_QUEUED || !body->ahead)
    return;
  /* In front of whatever else would have fetched it later. */
  body->ahead = FALSE;
  rack_body_pin (body);
  rack_jobs_push (body->bodies->jobs, rack_fetcher_run, body, TRUE);
}

void
rack_body_want (RackBody *body)
{
  gboolean whole = *body->key.part == '\0';
  guint64 size;
  gboolean head =
      whole && rack_ahead_wants_head (body->folder, body->key.row, body->key.uid, &size);
  rack_body_look (body);
  pthread_mutex_lock (&body->bodies->mutex);
  if (head && body->state == RACK_BODY_IDLE && !body->kept)
    rack_body_aim_at_head (body, size);
  want (body, 0);
  pthread_mutex_unlock (&body->bodies->mutex);
  if (whole)
    rack_folder_follow (body->folder, body->key.row, body->key.uid);
}

void
rack_body_aim_at_head (RackBody *body, guint64 size)
{
  body->size = size;
  body->size_known = body->size_believed = TRUE;
  body->goal = RACK_HEAD_OCTETS;
}

static gboolean
has (const RackBody *body, guint64 end)
{
  return body->state == RACK_BODY_DONE
         || (body->placed && body->have >= (body->size_known ? MIN (end, body->size) : end));
}

gboolean
rack_body_has (RackBody *body, guint64 end)
{
  rack_body_look (body);
  pthread_mutex_lock (&body->bodies->mutex);
  gboolean result = has (body, end);
  if (result && body->size_known)
    body->read_to = MAX (body->read_to, MIN (end, body->size));
  pthread_mutex_unlock (&body->bodies->mutex);
  return result;
}

static gboolean
wait_until (RackBody *body, gboolean (*enough) (const RackBody *, guint64), guint64 end,
            GCancellable *cancellable, GError **error)
{
  RackWaiting waiting;
  gboolean ok = TRUE;
  gint64 stall = body->bodies->mirror->options.stall;
  rack_body_look (body);
  rack_waiting_begin (&waiting, &body->bodies->mutex, &body->cond, cancellable);
  want (body, end);
  while (ok && !enough (body, end) && (body->state != RACK_BODY_FAILED || was_stopped (body)))
    {
      want (body, end);
      ok = rack_waiting_once (&waiting, stall, body->folder->mailbox, error);
    }
  if (ok && !enough (body, end))
    {
      g_propagate_error (error, g_error_copy (body->error));
      ok = FALSE;
    }
  rack_waiting_end (&waiting);
  return ok;
}

static gboolean
knows_size (const RackBody *body, guint64 unused)
{
  return body->size_known;
}

gboolean
rack_body_wait_size (RackBody *body, guint64 *size, GCancellable *cancellable, GError **error)
{
  if (!wait_until (body, knows_size, 0, cancellable, error))
    return FALSE;
  pthread_mutex_lock (&body->bodies->mutex);
  *size = body->size;
  pthread_mutex_unlock (&body->bodies->mutex);
  return TRUE;
}

gboolean
rack_body_wait (RackBody *body, guint64 end, GCancellable *cancellable, GError **error)
{
  return wait_until (body, has, end, cancellable, error);
}

gboolean
rack_body_await (RackBody *body, GCancellable *cancellable)
{
  RackWaiting waiting;
  gboolean ok = TRUE;
  gint64 stall = body->bodies->mirror->options.stall;
  rack_body_look (body);
  rack_waiting_begin (&waiting, &body->bodies->mutex, &body->cond, cancellable);
  while (ok && (body->state == RACK_BODY_QUEUED || body->state == RACK_BODY_FETCHING))
    ok = rack_waiting_once (&waiting, stall, body->folder->mailbox, NULL);
  gboolean here = body->state == RACK_BODY_DONE;
  rack_waiting_end (&waiting);
  return here;
}

int
rack_body_file (RackBody *body, guint64 *offset, guint64 *size)
{
  pthread_mutex_lock (&body->bodies->mutex);
  *offset = body->offset;
  *size = body->size_known ? body->size : body->have;
  int fd = body->slab->fd;
  pthread_mutex_unlock (&body->bodies->mutex);
  return fd;
}
