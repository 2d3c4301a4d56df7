/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fetcher.c - bodies come from the server
 *
 * On demand: one body by a RackReader, so that whoever waits has the first octets
 * while the rest arrives. Those that are fetched ahead are bodies-ahead.c's. Both run on the
 * bodies' own threads.
 */
#include "body-private.h"
#include "decode.h"
#include "keeper.h"
#include "parts.h"
#include "slices.h"

#include <errno.h>
#include <string.h>

#define CHUNK         (64 * 1024)
/* What an encoded size is believed at most. */
#define ANNOUNCED_MAX (G_GUINT64_CONSTANT (1) << 32)
/* Times a body is begun again after the connection was lost under it. */
#define ATTEMPTS      3
/* An empty part may be announced as the end of a line. */
#define EMPTY_MAX     2

/* There is a place for room octets from now on. */
static gboolean
place (RackBody *body, guint64 room, GError **error)
{
  gboolean ok = TRUE;
  if (!body->placed)
    {
      body->slab = &body->bodies->slab;
      ok = rack_slab_reserve (body->slab, room, &body->offset, error);
      body->room = room;
      body->placed = ok;
    }
  body->have = 0;
  body->crc = 0;
  pthread_cond_broadcast (&body->cond);
  return ok;
}

/* The size is known. The index learns it first, so that whoever waits for the body finds it
 * there. */
static gboolean
begin_octets (RackBody *body, guint64 size, GError **error)
{
  RackBodies *bodies = body->bodies;
  pthread_mutex_lock (&bodies->mutex);
  gboolean changed = body->size_known && body->size != size;
  pthread_mutex_unlock (&bodies->mutex);
  if (changed)
    {
      /* If only what was announced is wrong, the next one who asks is told the truth. */
      if (body->size_believed)
        rack_folder_learn_size (body->folder, body->key.row, body->key.uid, size);
      g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                   "%s: UID %u had another size than %" G_GUINT64_FORMAT
                   " octets before, but a message cannot change",
                   body->folder->mailbox, body->key.uid, size);
      return FALSE;
    }
  if (*body->key.part == '\0')
    rack_folder_learn_size (body->folder, body->key.row, body->key.uid, size);
  pthread_mutex_lock (&bodies->mutex);
  gboolean ok = place (body, size, error);
  if (ok)
    {
      body->size = size;
      body->size_known = TRUE;
      body->size_believed = FALSE;
    }
  pthread_mutex_unlock (&bodies->mutex);
  return ok;
}

/* On a full disk what was read once makes room for what is read now. If there is no room, or the
 * disk fails, it is held in memory for those who read it now. */
static gboolean
write_octets (RackBody *body, const void *data, gsize size, GError **error)
{
  RackBodies *bodies = body->bodies;
  guint64 at = body->offset + body->have;
  int problem = rack_slab_write (body->slab, at, data, size);
  if ((problem == ENOSPC || problem == EDQUOT) && rack_keeper_make_room (bodies, size))
    problem = rack_slab_write (body->slab, at, data, size);
  if (problem != 0 && !rack_refuge_has (body))
    {
      if (!rack_refuge_take (body, body->have, problem, error))
        return FALSE;
      problem = rack_slab_write (body->slab, body->offset + body->have, data, size);
    }
  if (problem == 0)
    {
      body->crc = rack_slab_crc (body->crc, data, size);
      return TRUE;
    }
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "cannot keep a message in %s: %s",
               rack_store_directory (bodies->mirror->store), g_strerror (problem));
  return FALSE;
}

static gboolean
add_octets (RackBody *body, const void *data, gsize size, GError **error)
{
  RackBodies *bodies = body->bodies;
  guint64 most = body->size_known ? body->size : body->room;
  if (size > most - body->have)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL, "%s: UID %u is longer than announced",
                   body->folder->mailbox, body->key.uid);
      return FALSE;
    }
  if (!write_octets (body, data, size, error))
    return FALSE;
  pthread_mutex_lock (&bodies->mutex);
  body->have += size;
  pthread_cond_broadcast (&body->cond);
  pthread_mutex_unlock (&bodies->mutex);
  return TRUE;
}

static void
count_octets (RackBodies *bodies, gsize size)
{
  pthread_mutex_lock (&bodies->mutex);
  bodies->figures.body_octets += size;
  pthread_mutex_unlock (&bodies->mutex);
}

/* It is whole. With the mutex held. */
static void
take_in (RackBody *body)
{
  RackBodies *bodies = body->bodies;
  if (body->kept)
    return;
  if (rack_refuge_has (body))
    return;
  rack_slab_trim (&bodies->slab, body->offset, body->room, body->size);
  body->room = body->size;
  bodies->used += rack_slab_cost (body->size);
  body->counted = TRUE;
  body->used_at = g_get_real_time ();
  rack_keeper_note (body);
}

void
rack_fetcher_finish (RackBody *body, GError *problem)
{
  RackBodies *bodies = body->bodies;
  RackFolder *folder = body->folder;
  gboolean gone = g_error_matches (problem, RACK_ERROR, RACK_ERROR_NOT_FOUND)
                  || g_error_matches (problem, RACK_ERROR, RACK_ERROR_STALE);
  pthread_mutex_lock (&bodies->mutex);
  g_clear_object (&body->cancellable);
  if (problem == NULL)
    {
      gboolean whole = body->have == body->size && !body->size_believed;
      body->state = whole ? RACK_BODY_DONE : RACK_BODY_HEAD;
      if (whole)
        take_in (body);
    }
  else
    {
      body->state = RACK_BODY_FAILED;
      body->error = problem;
      body->failed_at = g_get_monotonic_time ();
    }
  pthread_cond_broadcast (&body->cond);
  rack_body_unpin (body);
  rack_bodies_evict (bodies);
  gboolean look = gone && !bodies->closing;
  pthread_mutex_unlock (&bodies->mutex);
  if (look)
    rack_sync_request (folder, RACK_WANT_SYNC);
}

/* ---- On demand ------------------------------------------------------------------ */

/* What is decoded has no announced size, only a bound. */
static gboolean
begin_decoded (RackBody *body, guint64 room, GError **error)
{
  RackBodies *bodies = body->bodies;
  pthread_mutex_lock (&bodies->mutex);
  gboolean ok = place (body, room, error);
  pthread_mutex_unlock (&bodies->mutex);
  return ok;
}

static gssize
read_some (RackBody *body, RackReader *reader, char *chunk, GError **error)
{
  gssize got = rack_reader_read (reader, chunk, CHUNK, error);
  if (got > 0)
    count_octets (body->bodies, (gsize) got);
  return got;
}

static gboolean
add_piece (RackBody *body, RackDecoder *decoder, const char *data, gsize size, gboolean last,
           GError **error)
{
  RackStr out = { data, size };
  if (decoder != NULL)
    rack_decoder_feed (decoder, data, size, last, &out);
  return out.size == 0 || add_octets (body, out.data, out.size, error);
}

static gboolean
check_end (RackBody *body, GError **error)
{
  RackBodies *bodies = body->bodies;
  pthread_mutex_lock (&bodies->mutex);
  if (!body->size_known)
    {
      body->size = body->have;
      body->size_known = TRUE;
    }
  gboolean whole = body->have == body->size;
  pthread_mutex_unlock (&bodies->mutex);
  if (!whole)
    g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL, "%s: UID %u is shorter than announced",
                 body->folder->mailbox, body->key.uid);
  return whole;
}

/* A server gives the empty string for a section that there is not. */
static gboolean
refuse_missing (const RackBody *body, GError **error)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
               "%s: UID %u: nothing came of part %s, which was announced", body->folder->mailbox,
               body->key.uid, body->section);
  return FALSE;
}

/* facts: of the section; NULL for the whole message and what is not decoded. there: the server may
 * decode it. */
static gboolean
receive (RackBody *body, RackMailbox *mailbox, const RackPartFacts *facts, gboolean there,
         char *chunk, GError **error)
{
  guint64 size;
  RackReadRange range = { .section = body->section, .decode = there };
  g_autoptr (RackReader) reader =
      rack_mailbox_read_range (mailbox, body->key.uid, &range, body->cancellable, error);
  if (reader == NULL || !rack_reader_size (reader, &size, error))
    return FALSE;
  if (size == 0 && facts != NULL && facts->size > EMPTY_MAX)
    {
      gboolean decoded = rack_reader_is_decoded (reader);
      g_clear_pointer (&reader, rack_reader_free);
      return decoded ? receive (body, mailbox, facts, FALSE, chunk, error)
                     : refuse_missing (body, error);
    }
  g_autoptr (RackDecoder) decoder =
      facts != NULL ? rack_decoder_new (facts, body->form, rack_reader_is_decoded (reader)) : NULL;
  if (!(decoder == NULL
            ? begin_octets (body, size, error)
            : begin_decoded (
                body, rack_decoder_bound (decoder, MAX (size, MIN (facts->size, ANNOUNCED_MAX))),
                error)))
    return FALSE;
  gssize got;
  while ((got = read_some (body, reader, chunk, error)) > 0)
    if (!add_piece (body, decoder, chunk, (gsize) got, FALSE, error))
      return FALSE;
  return got == 0 && (decoder == NULL || add_piece (body, decoder, "", 0, TRUE, error))
         && check_end (body, error);
}

/* ---- Only the beginning ----------------------------------------------------------- */

/* There is a place for all of it, and what is here already stays. */
static gboolean
begin_head (RackBody *body, GError **error)
{
  RackBodies *bodies = body->bodies;
  gboolean ok = TRUE;
  pthread_mutex_lock (&bodies->mutex);
  if (!body->placed)
    ok = place (body, body->size, error);
  pthread_mutex_unlock (&bodies->mutex);
  return ok;
}

/* got octets came of the wanted ones, which are there if the message is as long as announced. */
static gboolean
check_head (RackBody *body, guint64 wanted, guint64 got, GError **error)
{
  if (got == wanted)
    return TRUE;
  rack_folder_learn_size (body->folder, body->key.row, body->key.uid, body->have + got);
  g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
               "%s: UID %u has not the %" G_GUINT64_FORMAT " octets that were announced",
               body->folder->mailbox, body->key.uid, body->size);
  return FALSE;
}

static gboolean
receive_head (RackBody *body, RackMailbox *mailbox, char *chunk, GError **error)
{
  guint64 wanted = MIN (body->goal, body->size) - body->have, size;
  RackReadRange range = { .section = "", .offset = body->have, .length = wanted };
  g_autoptr (RackReader) reader =
      rack_mailbox_read_range (mailbox, body->key.uid, &range, body->cancellable, error);
  if (reader == NULL || !rack_reader_size (reader, &size, error)
      || !check_head (body, wanted, size, error) || !begin_head (body, error))
    return FALSE;
  gssize got;
  while ((got = read_some (body, reader, chunk, error)) > 0)
    if (!add_piece (body, NULL, chunk, (gsize) got, FALSE, error))
      return FALSE;
  return got == 0;
}

void
rack_fetcher_put_head (RackBody *body, RackStr octets)
{
  GError *problem = NULL;
  count_octets (body->bodies, octets.size);
  if (check_head (body, MIN (body->goal, body->size), octets.size, &problem)
      && begin_head (body, &problem))
    add_octets (body, octets.data, octets.size, &problem);
  rack_fetcher_finish (body, problem);
}

static gboolean
is_worth_repeating (const GError *problem)
{
  return problem->domain == RACK_ERROR
         && (problem->code == RACK_ERROR_CLOSED || problem->code == RACK_ERROR_NETWORK);
}

/* How the section is encoded. *parts keeps what *facts points into. */
static gboolean
find_facts (RackBody *body, RackParts **parts, const RackPartFacts **facts, GError **error)
{
  if (body->form == RACK_PART_AS_SENT)
    return TRUE;
  *parts = rack_folder_parts (body->folder, body->key.row, body->key.uid, body->cancellable, error);
  if (*parts == NULL)
    return FALSE;
  *facts = rack_parts_find (*parts, body->section);
  if (*facts == NULL)
    g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND, "%s: UID %u has no part %s",
                 body->folder->mailbox, body->key.uid, body->section);
  return *facts != NULL;
}

/* ---- Of a message that is here as a whole ------------------------------------------- */

static gboolean
is_word (RackStr text, const char *word)
{
  return text.size == strlen (word) && g_ascii_strncasecmp (text.data, word, text.size) == 0;
}

/* Whether a slice is the part that the server described. Some servers' sizes are nearly right: they
 * do when nothing better can be had. */
static gboolean
is_described (RackMirror *mirror, const RackPart *part, const RackPartFacts *facts)
{
  return part->multipart == facts->multipart && is_word (part->type, facts->type)
         && is_word (part->subtype, facts->subtype) && is_word (part->encoding, facts->encoding)
         && (part->size == facts->size || !rack_online_is (mirror));
}

static gboolean
add_slice (RackBody *body, RackStr slice, const RackPartFacts *facts, GError **error)
{
  g_autoptr (RackDecoder) decoder =
      facts != NULL ? rack_decoder_new (facts, body->form, FALSE) : NULL;
  if (!(decoder == NULL ? begin_octets (body, slice.size, error)
                        : begin_decoded (body, rack_decoder_bound (decoder, slice.size), error)))
    return FALSE;
  for (gsize at = 0, size; at < slice.size; at += size)
    {
      size = MIN (slice.size - at, CHUNK);
      if (!add_piece (body, decoder, slice.data + at, size, FALSE, error))
        return FALSE;
    }
  return (decoder == NULL || add_piece (body, decoder, "", 0, TRUE, error))
         && check_end (body, error);
}

/* FALSE without an error: the message is not here, or is not what the server says it is. */
static gboolean
take_slice (RackBody *body, const RackPartFacts *facts, GError **error)
{
  gsize size;
  const RackPart *part;
  g_autofree char *octets =
      rack_bodies_read_whole (body->folder, body->key.row, body->key.uid, &size);
  if (octets == NULL)
    return FALSE;
  g_autoptr (RackSlices) slices = rack_slices_new ((RackStr){ octets, size });
  RackStr slice = rack_slices_find (slices, body->section, &part);
  if (slice.data == NULL || (part == NULL) != (facts == NULL)
      || (part != NULL && !is_described (body->folder->mirror, part, facts)))
    return FALSE;
  pthread_mutex_lock (&body->bodies->mutex);
  body->bodies->figures.bodies--;
  pthread_mutex_unlock (&body->bodies->mutex);
  return add_slice (body, slice, facts, error);
}

static GError *
fetch (RackBody *body)
{
  GError *problem = NULL;
  g_autoptr (RackParts) parts = NULL;
  const RackPartFacts *facts = NULL;
  if (!find_facts (body, &parts, &facts, &problem)
      || (*body->key.part != '\0' && take_slice (body, facts, &problem)) || problem != NULL
      || !rack_online_check (body->folder->mirror, &problem))
    return problem;
  g_autoptr (RackMailbox) mailbox = rack_folder_handle (body->folder, body->key.row, &problem);
  if (mailbox == NULL)
    return problem;
  g_autofree char *chunk = g_malloc (CHUNK);
  for (guint attempt = 1;; attempt++)
    {
      /* Dovecot closes the connection over base64 that breaks off. */
      gboolean there = attempt == 1 && facts != NULL && rack_decoder_is_needed (facts);
      gboolean ok = body->goal > 0 ? receive_head (body, mailbox, chunk, &problem)
                                   : receive (body, mailbox, facts, there, chunk, &problem);
      /* A lost connection may be about this one message. */
      if (!g_error_matches (problem, RACK_ERROR, RACK_ERROR_CLOSED))
        rack_online_note (body->folder->mirror, problem);
      if (ok)
        return NULL;
      if (attempt == ATTEMPTS || !is_worth_repeating (problem)
          || g_cancellable_is_cancelled (body->cancellable))
        return problem;
      g_clear_error (&problem);
    }
}

gboolean
rack_fetcher_begin (RackBody *body, gboolean ahead)
{
  RackBodies *bodies = body->bodies;
  pthread_mutex_lock (&bodies->mutex);
  gboolean ours = body->state == RACK_BODY_QUEUED && !bodies->closing;
  if (ours)
    {
      body->state = RACK_BODY_FETCHING;
      body->ahead = FALSE;
      if (!ahead)
        body->cancellable = g_cancellable_new ();
      bodies->figures.read_ahead += ahead;
      bodies->figures.bodies += !ahead && !body->kept;
    }
  pthread_mutex_unlock (&bodies->mutex);
  return ours;
}

void
rack_fetcher_leave (RackBody *body)
{
  RackBodies *bodies = body->bodies;
  pthread_mutex_lock (&bodies->mutex);
  rack_body_unpin (body);
  pthread_mutex_unlock (&bodies->mutex);
}

void
rack_fetcher_put (RackBody *body, RackStr octets)
{
  GError *problem = NULL;
  count_octets (body->bodies, octets.size);
  if (begin_octets (body, octets.size, &problem))
    add_octets (body, octets.data, octets.size, &problem);
  rack_fetcher_finish (body, problem);
}

/* Whether a kept body is what it was. If not it is not kept any more. */
static gboolean
check_kept (RackBody *body)
{
  RackBodies *bodies = body->bodies;
  RackStoreBody row;
  rack_body_row (body, &row);
  gboolean sound = rack_slab_verify (&bodies->slab, row.offset, row.size, row.crc);
  pthread_mutex_lock (&bodies->mutex);
  if (sound)
    body->have = body->size;
  else
    body->kept = body->placed = body->counted = FALSE;
  body->size_known = sound;
  pthread_mutex_unlock (&bodies->mutex);
  if (!sound)
    rack_keeper_drop (bodies, &row);
  return sound;
}

void
rack_fetcher_run (gpointer data)
{
  RackBody *body = data;
  if (!rack_fetcher_begin (body, FALSE))
    rack_fetcher_leave (body);
  else if (body->kept && check_kept (body))
    rack_fetcher_finish (body, NULL);
  else
    rack_fetcher_finish (body, fetch (body));
}
