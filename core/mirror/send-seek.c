/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * send-seek.c - was it stored, when the answer was lost?
 *
 * Before something is sent it is written down what the mailbox would call its next message.
 * Whatever it stored is not below that; size, date and in the end the octets say which it is.
 */
#include "send.h"

#include <string.h>

gboolean
rack_send_is_final (const GError *problem)
{
  if (problem->domain != RACK_ERROR)
    return FALSE;
  switch ((RackError) problem->code)
    {
    case RACK_ERROR_REFUSED:
    case RACK_ERROR_NOT_FOUND:
    case RACK_ERROR_EXISTS:
    case RACK_ERROR_READ_ONLY:
    case RACK_ERROR_DENIED:
    case RACK_ERROR_SERVER:
    case RACK_ERROR_QUOTA:
    case RACK_ERROR_STALE:
    case RACK_ERROR_INVALID:
    case RACK_ERROR_TOO_LARGE:
    case RACK_ERROR_UNSUPPORTED:
      return TRUE;
    default:
      return FALSE;
    }
}

gboolean
rack_send_is_for_now (const GError *problem)
{
  return g_error_matches (problem, RACK_ERROR, RACK_ERROR_BUSY)
         || g_error_matches (problem, RACK_ERROR, RACK_ERROR_UNAVAILABLE);
}

void
rack_send_look (RackFolder *folder)
{
  if (folder == NULL)
    return;
  pthread_mutex_lock (&folder->mutex);
  gboolean wanted = folder->complete && !folder->pushed;
  pthread_mutex_unlock (&folder->mutex);
  if (wanted)
    rack_sync_request (folder, RACK_WANT_SYNC);
}

guint32
rack_copied_find (const RackCopied *copied, guint32 from)
{
  if (copied->from == NULL || copied->to == NULL
      || rack_set_count (copied->from) != rack_set_count (copied->to)
      || !rack_set_contains (copied->from, from))
    return 0;
  RackRanges ranges = rack_set_ranges (copied->from);
  guint64 rank = 0;
  for (gsize i = 0; i < ranges.n && ranges.items[i].last < from; i++)
    rank += (guint64) ranges.items[i].last - ranges.items[i].first + 1;
  for (gsize i = 0; i < ranges.n; i++)
    if (ranges.items[i].first <= from && from <= ranges.items[i].last)
      rank += from - ranges.items[i].first;
  ranges = rack_set_ranges (copied->to);
  for (gsize i = 0; i < ranges.n; i++)
    {
      guint64 n = (guint64) ranges.items[i].last - ranges.items[i].first + 1;
      if (rank < n)
        return (guint32) (ranges.items[i].first + rank);
      rank -= n;
    }
  return 0;
}

void
rack_send_heard (RackFolder *folder, guint32 uid_validity, guint32 next)
{
  if (folder->sent_validity != uid_validity)
    folder->sent_next = 0;
  folder->sent_validity = uid_validity;
  folder->sent_next = MAX (folder->sent_next, next);
}

gboolean
rack_send_next (RackFolder *folder, guint32 *uid_validity, guint32 *next)
{
  *uid_validity = folder->sent_validity;
  *next = folder->sent_next;
  pthread_mutex_lock (&folder->mutex);
  RackMailboxState state = folder->state;
  pthread_mutex_unlock (&folder->mutex);
  if (state.uid_validity == 0 || state.uid_next == 0)
    return *next != 0;
  /* One of the two has not heard of it yet. */
  if (*next != 0 && *uid_validity != state.uid_validity)
    return FALSE;
  *uid_validity = state.uid_validity;
  *next = MAX (*next, state.uid_next);
  return TRUE;
}

/* ---- Octets as text ------------------------------------------------------------------- */

void
rack_text_digest_init (RackTextDigest *digest)
{
  *digest = (RackTextDigest){ .sum = g_checksum_new (G_CHECKSUM_SHA256) };
}

void
rack_text_digest_feed (RackTextDigest *digest, const char *data, gsize size)
{
  const char *end = data + size;
  digest->octets += size;
  while (data < end)
    {
      if (digest->cr && *data != '\n')
        g_checksum_update (digest->sum, (const guchar *) "\r", 1);
      else if (!digest->cr && *data == '\n')
        digest->bare++;
      digest->cr = FALSE;
      /* An LF goes in as it is, with or without the CR before it. */
      const char *cr = memchr (data, '\r', (gsize) (end - data));
      const char *stop = cr != NULL ? cr : end;
      for (const char *lf = *data == '\n' ? data + 1 : data;
           lf < stop && (lf = memchr (lf, '\n', (gsize) (stop - lf))) != NULL; lf++)
        digest->bare++;
      g_checksum_update (digest->sum, (const guchar *) data, stop - data);
      digest->cr = cr != NULL;
      data = cr != NULL ? cr + 1 : end;
    }
}

void
rack_text_digest_end (RackTextDigest *digest, guint8 *out)
{
  gsize size = 32;
  if (digest->cr)
    g_checksum_update (digest->sum, (const guchar *) "\r", 1);
  g_checksum_get_digest (digest->sum, out, &size);
  g_clear_pointer (&digest->sum, g_checksum_free);
}

/* ---- Looking ------------------------------------------------------------------------------ */

typedef struct
{
  guint32 uid;
  guint64 size;
  gint64 date;
  gboolean read; /* digest is set */
  guint8 digest[32];
} Candidate;

static GArray *
list_candidates (RackMirror *mirror, RackMailbox *mailbox, guint32 next, GError **error)
{
  GError *problem = NULL;
  const RackMessage *message;
  g_autoptr (RackSet) uids = rack_set_new_range (next, RACK_SET_STAR);
  g_autoptr (RackFetch) fetch = rack_mailbox_fetch (mailbox, uids, "RFC822.SIZE INTERNALDATE", NULL,
                                                    mirror->cancellable, error);
  if (fetch == NULL)
    return NULL;
  GArray *found = g_array_new (FALSE, FALSE, sizeof (Candidate));
  while ((message = rack_fetch_next (fetch, &problem)) != NULL)
    {
      Candidate one = { .uid = message->uid, .size = message->size, .date = message->date };
      if (message->uid >= next)
        g_array_append_val (found, one);
    }
  if (problem == NULL)
    return found;
  g_propagate_error (error, problem);
  g_array_unref (found);
  return NULL;
}

static gboolean
read_digest (RackMirror *mirror, RackMailbox *mailbox, guint32 uid, guint8 *digest, GError **error)
{
  RackTextDigest sum;
  gssize got;
  g_autofree char *chunk = g_malloc (64 * 1024);
  g_autoptr (RackReader) reader = rack_mailbox_read (mailbox, uid, "", mirror->cancellable, error);
  if (reader == NULL)
    return FALSE;
  rack_text_digest_init (&sum);
  while ((got = rack_reader_read (reader, chunk, 64 * 1024, error)) > 0)
    rack_text_digest_feed (&sum, chunk, (gsize) got);
  rack_text_digest_end (&sum, digest);
  return got == 0;
}

/* *there FALSE: it has gone. */
static gboolean
read_if_there (RackMirror *mirror, RackMailbox *mailbox, guint32 uid, guint8 *digest,
               gboolean *there, GError **error)
{
  GError *problem = NULL;
  *there = read_digest (mirror, mailbox, uid, digest, &problem);
  if (*there || g_error_matches (problem, RACK_ERROR, RACK_ERROR_NOT_FOUND))
    {
      g_clear_error (&problem);
      return TRUE;
    }
  g_propagate_error (error, problem);
  return FALSE;
}

static gboolean
fits (const Candidate *one, const RackSought *sought)
{
  return one->size >= sought->size && one->size <= MAX (sought->largest, sought->size)
         && (sought->date < 0 || one->date == sought->date);
}

/* *same: whether its octets are those that are sought. Each is read once, and only if it fits. */
static gboolean
compare_octets (RackMirror *mirror, RackMailbox *mailbox, Candidate *one, RackSought *sought,
                gboolean *same, GError **error)
{
  gboolean there = TRUE;
  *same = FALSE;
  if (sought->digest == NULL)
    {
      if (!read_if_there (mirror, sought->source, sought->from, sought->own, &there, error))
        return FALSE;
      if (!there)
        return TRUE;
      sought->digest = sought->own;
    }
  if (!one->read)
    {
      if (!read_if_there (mirror, mailbox, one->uid, one->digest, &there, error))
        return FALSE;
      one->read = there;
    }
  *same = there && memcmp (one->digest, sought->digest, sizeof one->digest) == 0;
  return TRUE;
}

static gboolean
seek_one (RackMirror *mirror, RackMailbox *mailbox, GArray *candidates, RackSought *sought,
          GError **error)
{
  for (guint i = 0; i < candidates->len; i++)
    {
      Candidate *one = &g_array_index (candidates, Candidate, i);
      gboolean same = fits (one, sought);
      if (same && (sought->digest != NULL || sought->source != NULL)
          && !compare_octets (mirror, mailbox, one, sought, &same, error))
        return FALSE;
      if (!same)
        continue;
      sought->uid = one->uid;
      g_array_remove_index (candidates, i);
      return TRUE;
    }
  return TRUE;
}

static void
leave_out_claimed (RackFolder *folder, guint32 uid_validity, GArray *candidates)
{
  pthread_mutex_lock (&folder->mutex);
  gboolean known = folder->overlay.uid_validity == uid_validity;
  for (guint i = candidates->len; known && i-- > 0;)
    if (rack_overlay_is_claimed (&folder->overlay, g_array_index (candidates, Candidate, i).uid))
      g_array_remove_index (candidates, i);
  pthread_mutex_unlock (&folder->mutex);
}

gboolean
rack_send_seek (RackFolder *folder, guint32 uid_validity, guint32 next, RackSought *sought, guint n,
                GError **error)
{
  RackMirror *mirror = folder->mirror;
  g_autoptr (RackMailbox) mailbox =
      rack_mailbox_bind (mirror->account, folder->mailbox, TRUE, uid_validity);
  g_autoptr (GArray) candidates = list_candidates (mirror, mailbox, MAX (next, 1), error);
  if (candidates == NULL)
    return FALSE;
  leave_out_claimed (folder, uid_validity, candidates);
  for (guint i = 0; i < n; i++)
    if (!seek_one (mirror, mailbox, candidates, &sought[i], error))
      return FALSE;
  return TRUE;
}
