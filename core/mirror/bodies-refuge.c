/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bodies-refuge.c - bodies that the disk would not take are held in memory
 *
 * On a disk that is full or fails, what somebody reads is still read: from a file in memory, like
 * the slab, that is made when it is needed first. Nothing in it is kept; what nobody holds is let
 * go when there is much of it, or the disk works again.
 */
#include "body-private.h"

/* Of those that nobody holds, and of all, octets. */
#define UNHELD_MAX (G_GUINT64_CONSTANT (64) << 20)
#define ALL_MAX    (G_GUINT64_CONSTANT (1) << 30)

gboolean
rack_refuge_has (const RackBody *body)
{
  return body->placed && body->slab == &body->bodies->refuge;
}

/* With the mutex held. */
static gboolean
reserve (RackBodies *bodies, guint64 room, guint64 *offset, GError **error)
{
  guint64 cost = rack_slab_cost (room);
  if (bodies->refuge.fd < 0 && !rack_slab_open_memory (&bodies->refuge, error))
    return FALSE;
  if (cost > ALL_MAX - MIN (bodies->refuge_used, ALL_MAX))
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_IO, "nor can so much be held in memory");
      return FALSE;
    }
  if (!rack_slab_reserve (&bodies->refuge, room, offset, error))
    return FALSE;
  bodies->refuge_used += cost;
  return TRUE;
}

static void
give_back (RackBodies *bodies, guint64 offset, guint64 room)
{
  rack_slab_punch (&bodies->refuge, offset, room);
  bodies->refuge_used -= MIN (bodies->refuge_used, rack_slab_cost (room));
}

/* Whoever reads it now may still have its range in the slab: that stays until the body goes. */
static gboolean
move (RackBody *body, guint64 have, GError **error)
{
  RackBodies *bodies = body->bodies;
  guint64 offset;
  pthread_mutex_lock (&bodies->mutex);
  gboolean ok = reserve (bodies, body->room, &offset, error);
  pthread_mutex_unlock (&bodies->mutex);
  if (!ok)
    return FALSE;
  ok = rack_slab_copy (&bodies->slab, body->offset, have, &bodies->refuge, offset)
       && rack_slab_verify (&bodies->refuge, offset, have, body->crc);
  pthread_mutex_lock (&bodies->mutex);
  if (ok)
    {
      body->left = body->offset;
      body->left_room = body->room;
      body->slab = &bodies->refuge;
      body->offset = offset;
    }
  else
    {
      give_back (bodies, offset, body->room);
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_IO, "what was there is lost");
    }
  pthread_mutex_unlock (&bodies->mutex);
  return ok;
}

gboolean
rack_refuge_take (RackBody *body, guint64 have, int problem, GError **error)
{
  RackMirror *mirror = body->bodies->mirror;
  g_autoptr (GError) further = NULL;
  gboolean ok = move (body, have, &further);
  g_autoptr (GError) said =
      g_error_new (RACK_ERROR, RACK_ERROR_IO, "cannot keep a message in %s: %s; %s",
                   rack_store_directory (mirror->store), g_strerror (problem),
                   ok ? "it is only held in memory" : further->message);
  rack_online_note (mirror, said);
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&said));
  return ok;
}

void
rack_refuge_leave (RackBody *body)
{
  give_back (body->bodies, body->offset, body->room);
  rack_slab_punch (&body->bodies->slab, body->left, body->left_room);
  body->placed = FALSE;
}

void
rack_refuge_limit (RackBodies *bodies)
{
  while (bodies->refuge_used > UNHELD_MAX && bodies->refugees.length > 0)
    rack_body_discard (g_queue_pop_tail_link (&bodies->refugees)->data);
}

void
rack_refuge_empty (RackBodies *bodies)
{
  while (bodies->refugees.length > 0)
    rack_body_discard (g_queue_pop_tail_link (&bodies->refugees)->data);
}
