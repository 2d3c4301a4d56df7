/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bodies-ahead.c - bodies come before anybody asks for them
 *
 * Which ones is decided elsewhere (ahead.c). Here many are fetched in one command, and it is
 * watched how much may be on its way: as much as the line brings within a moment, so that
 * it is always busy, and no more, so that what a person asks for does not stand behind it.
 */
#include "body-private.h"

#define JOBS_MAX   6
#define WINDOW_MIN (256 << 10)
#define WINDOW_MAX (24 << 20)
/* Jobs that the window is shared by. */
#define SHARES     4
#define SHARE_MIN  (64 << 10)
/* A job that took so much longer than the quickest one was quick, or slow; microseconds. */
#define QUICK      (G_USEC_PER_SEC / 4)
#define SLOW       (G_USEC_PER_SEC * 3 / 2)

/* ---- How much ------------------------------------------------------------------------ */

guint64
rack_bodies_ahead_room (RackMirror *mirror)
{
  RackBodies *bodies = mirror->bodies;
  pthread_mutex_lock (&bodies->mutex);
  const RackFlight *flight = &bodies->flight;
  gboolean full = flight->jobs >= JOBS_MAX || flight->octets >= flight->window || bodies->closing;
  guint64 room = full ? 0 : MAX (flight->window / SHARES, SHARE_MIN);
  pthread_mutex_unlock (&bodies->mutex);
  return room;
}

static void
take_off (RackBodies *bodies, guint64 octets)
{
  pthread_mutex_lock (&bodies->mutex);
  bodies->flight.jobs++;
  bodies->flight.octets += octets;
  pthread_mutex_unlock (&bodies->mutex);
}

static void
land (RackBodies *bodies, guint64 octets, gint64 took, gboolean ok)
{
  RackFlight *flight = &bodies->flight;
  pthread_mutex_lock (&bodies->mutex);
  flight->jobs--;
  flight->octets -= octets;
  if (ok && (flight->quickest == 0 || took < flight->quickest))
    flight->quickest = took;
  if (ok && took < 2 * flight->quickest + QUICK)
    flight->window = MIN (flight->window * 4, WINDOW_MAX);
  else if (!ok || took > 4 * flight->quickest + SLOW)
    flight->window = MAX (flight->window / 2, WINDOW_MIN);
  pthread_mutex_unlock (&bodies->mutex);
}

/* ---- The octets ------------------------------------------------------------------------ */

typedef struct
{
  RackFolder *folder;
  GPtrArray *bodies; /* pinned, ascending by UID; NULL where it was finished */
  guint64 octets;
  gboolean heads;
  gint64 began; /* monotonic */
} Ahead;

static RackStr
octets_of (const RackMessage *message)
{
  for (guint i = 0; i < message->n_sections; i++)
    if (message->sections[i].section.size == 0 && message->sections[i].origin == 0)
      return message->sections[i].data;
  return RACK_STR_NIL;
}

static RackBody **
find_body (GPtrArray *bodies, guint32 uid)
{
  for (guint i = 0; i < bodies->len; i++)
    if (bodies->pdata[i] != NULL && ((RackBody *) bodies->pdata[i])->key.uid == uid)
      return (RackBody **) &bodies->pdata[i];
  return NULL;
}

static void
take_message (Ahead *ahead, const RackMessage *message)
{
  RackStr octets = octets_of (message);
  RackBody **body = octets.data != NULL ? find_body (ahead->bodies, message->uid) : NULL;
  if (body == NULL)
    return;
  /* A beginning that is not full is the whole message. Of what turned out to be larger, or to be
   * wanted to a later end, whoever waits asks again. */
  if (ahead->heads && (*body)->goal == RACK_HEAD_OCTETS)
    rack_fetcher_put_head (*body, octets);
  else if (!ahead->heads || octets.size < RACK_HEAD_OCTETS)
    rack_fetcher_put (*body, octets);
  else
    rack_fetcher_finish (*body, g_error_new (RACK_ERROR, RACK_ERROR_CANCELLED,
                                             "%s: UID %u: more of it is wanted",
                                             ahead->folder->mailbox, message->uid));
  *body = NULL;
}

static GError *
fetch_ahead (Ahead *ahead)
{
  GError *problem = NULL;
  guint32 row = ((RackBody *) ahead->bodies->pdata[0])->key.row;
  if (!rack_online_check (ahead->folder->mirror, &problem))
    return problem;
  g_autoptr (RackMailbox) mailbox = rack_folder_handle (ahead->folder, row, &problem);
  if (mailbox == NULL)
    return problem;
  g_autoptr (RackSet) uids = rack_set_new ();
  for (guint i = 0; i < ahead->bodies->len; i++)
    {
      guint32 uid = ((RackBody *) ahead->bodies->pdata[i])->key.uid;
      rack_set_add (uids, uid, uid);
    }
  g_autofree char *beginnings = g_strdup_printf ("UID BODY.PEEK[]<0.%d>", RACK_HEAD_OCTETS);
  const char *items = ahead->heads ? beginnings : "UID BODY.PEEK[]";
  g_autoptr (RackFetch) fetched =
      rack_mailbox_fetch (mailbox, uids, items, NULL, ahead->folder->mirror->cancellable, &problem);
  if (fetched == NULL)
    return problem;
  rack_fetch_stand_in_line (fetched);
  const RackMessage *message;
  while ((message = rack_fetch_next (fetched, &problem)) != NULL)
    take_message (ahead, message);
  return problem;
}

static void
run_ahead (gpointer data)
{
  Ahead *ahead = data;
  RackBodies *bodies = ahead->folder->mirror->bodies;
  GPtrArray *ours = g_ptr_array_new ();
  for (guint i = 0; i < ahead->bodies->len; i++)
    {
      RackBody *body = ahead->bodies->pdata[i];
      if (rack_fetcher_begin (body, TRUE))
        g_ptr_array_add (ours, body);
      else
        rack_fetcher_leave (body);
    }
  g_ptr_array_unref (ahead->bodies);
  ahead->bodies = ours;

  g_autoptr (GError) problem = ours->len > 0 ? fetch_ahead (ahead) : NULL;
  for (guint i = 0; i < ours->len; i++)
    if (ours->pdata[i] != NULL)
      rack_fetcher_finish (ours->pdata[i],
                           problem != NULL
                               ? g_error_copy (problem)
                               : g_error_new (RACK_ERROR, RACK_ERROR_NOT_FOUND,
                                              "%s: UID %u is gone", ahead->folder->mailbox,
                                              ((RackBody *) ours->pdata[i])->key.uid));
  g_ptr_array_unref (ours);
  land (bodies, ahead->octets, g_get_monotonic_time () - ahead->began, problem == NULL);
  g_free (ahead);
}

RackSet *
rack_bodies_kept (RackFolder *folder, guint32 row, guint32 first, guint32 last)
{
  RackSet *kept = rack_set_new ();
  if (folder->mirror->bodies->keeper != NULL)
    rack_store_kept_uids (folder->mirror->store, row, first, last, kept);
  return kept;
}

RackBody *
rack_bodies_claim (RackFolder *folder, guint32 row, guint32 uid)
{
  return rack_bodies_claim_head (folder, row, uid, 0);
}

RackBody *
rack_bodies_claim_head (RackFolder *folder, guint32 row, guint32 uid, guint64 size)
{
  RackBodies *bodies = folder->mirror->bodies;
  pthread_mutex_lock (&bodies->mutex);
  RackBody *body = rack_bodies_get (folder, row, uid);
  if (body->state == RACK_BODY_IDLE && !body->kept)
    {
      if (size > 0)
        rack_body_aim_at_head (body, size);
      body->state = RACK_BODY_QUEUED;
      body->ahead = TRUE;
      rack_body_pin (body);
    }
  else
    body = NULL;
  pthread_mutex_unlock (&bodies->mutex);
  return body;
}

void
rack_bodies_run_ahead (RackFolder *folder, GPtrArray *claimed, guint64 octets, gboolean heads)
{
  RackBodies *bodies = folder->mirror->bodies;
  Ahead *ahead = g_new (Ahead, 1);
  *ahead = (Ahead){ folder, claimed, octets, heads, g_get_monotonic_time () };
  take_off (bodies, octets);
  rack_jobs_push (bodies->jobs, run_ahead, ahead, FALSE);
}
