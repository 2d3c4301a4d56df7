/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fetch-call.c - one FETCH in flight: the responses as the owner thread found them, unread
 *
 * Nothing is parsed here; windows, and what is asked for again, are in fetch.c. */
#include "fetch-private.h"

/* The consumer is woken for this much, or at the end of a window. */
#define WAKE_FRAMES 64
#define WAKE_OCTETS (64 * 1024)

void
rack_fetch_frame_clear (gpointer data)
{
  rack_block_unref (((RackFetchFrame *) data)->block);
}

static gboolean
fetch_claims (RackCall *call, guint32 uid)
{
  RackFetchCall *self = (RackFetchCall *) call;

  return self->uids == NULL || rack_set_contains (self->uids, uid);
}

static guint
fetch_fits (RackCall *call, RackStr bytes, RackFields fields)
{
  const RackFetchCall *self = (const RackFetchCall *) call;
  guint score = 1;

  for (guint wanted = self->wanted; wanted != 0; wanted &= wanted - 1)
    score++;
  return (fields & self->wanted) == self->wanted ? score : 0;
}

static gboolean
fetch_frame (RackCall *call, RackBlock *block, RackStr bytes)
{
  RackFetchCall *self = (RackFetchCall *) call;
  RackFetchFrame frame = { rack_block_ref (block), bytes };

  pthread_mutex_lock (&call->lock);
  g_array_append_val (self->frames, frame);
  self->octets += bytes.size;
  if (self->frames->len == WAKE_FRAMES
      || (self->octets >= WAKE_OCTETS && self->octets - bytes.size < WAKE_OCTETS))
    pthread_cond_broadcast (&call->changed);
  pthread_mutex_unlock (&call->lock);
  return TRUE;
}

static void
fetch_destroy (RackCall *call)
{
  RackFetchCall *self = (RackFetchCall *) call;

  g_array_free (self->frames, TRUE);
  rack_set_free (self->uids);
  g_free (self);
}

static const RackCallOps fetch_ops = {
  .claims = fetch_claims, .fits = fetch_fits, .frame = fetch_frame, .destroy = fetch_destroy
};

GArray *
rack_fetch_frames_new (void)
{
  GArray *frames = g_array_sized_new (FALSE, FALSE, sizeof (RackFetchFrame), 256);

  g_array_set_clear_func (frames, rack_fetch_frame_clear);
  return frames;
}

RackFetchCall *
rack_fetch_call_new (RackCommand *command, RackSet *uids)
{
  RackFetchCall *self = rack_call_new_sized (sizeof (RackFetchCall), &fetch_ops, command);

  self->frames = rack_fetch_frames_new ();
  self->uids = uids;
  return self;
}

static gboolean
has_enough (RackCall *call)
{
  const RackFetchCall *self = (const RackFetchCall *) call;

  return self->frames->len >= WAKE_FRAMES || self->octets >= WAKE_OCTETS;
}

gboolean
rack_fetch_call_take (RackFetchCall *self, GArray **frames, GCancellable *cancellable,
                      GError **error)
{
  pthread_mutex_lock (&self->call.lock);
  gboolean ok = rack_call_wait_locked (&self->call, has_enough, cancellable, error);
  if (ok && self->frames->len > 0)
    {
      GArray *full = self->frames;
      self->frames = *frames;
      *frames = full;
      self->octets = 0;
    }
  pthread_mutex_unlock (&self->call.lock);
  return ok;
}
