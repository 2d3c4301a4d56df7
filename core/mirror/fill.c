/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fill.c - what is kept of a message, fetched from the server
 *
 * One RackFetch over any set of UIDs, published a thousand messages at a time, so that
 * what was fetched once is never fetched again, however this ends. A message whose
 * response could not be parsed is asked for again without its envelope, so that a
 * listing is complete even when somebody sent us something no parser understands.
 */
#include "mirror-private.h"

#include "rows.h"

#define PORTION 1000

/* A fill under way. */
typedef struct
{
  RackFolder *folder;
  RackMailbox *mailbox;
  gboolean named;
  RackRows rows;
  RackSet *got;
} Fill;

static gboolean
publish (Fill *fill, GError **error)
{
  gboolean ok = rack_sync_publish (fill->folder, fill->mailbox, &fill->rows, error);
  rack_rows_reset (&fill->rows);
  return ok;
}

static char *
items_of (RackFolder *folder, gboolean envelopes)
{
  gboolean ids = envelopes && rack_mirror_offers (folder->mirror, RACK_OFFERS_OBJECTID);
  pthread_mutex_lock (&folder->mutex);
  gboolean modseqs = folder->state.highest_modseq != 0
                     && rack_mirror_offers (folder->mirror, RACK_OFFERS_CONDSTORE);
  pthread_mutex_unlock (&folder->mutex);
  return g_strconcat ("UID INTERNALDATE RFC822.SIZE FLAGS", modseqs ? " MODSEQ" : "",
                      envelopes ? " ENVELOPE" : "", ids ? " EMAILID THREADID" : "", NULL);
}

char *
rack_fill_items (RackFolder *folder)
{
  return items_of (folder, rack_mirror_names (folder->mirror));
}

static gboolean
fetch_items (Fill *fill, const RackSet *uids, gboolean envelopes, guint64 *skipped, GError **error)
{
  g_autofree char *items = items_of (fill->folder, envelopes);
  g_autoptr (RackFetch) fetch = rack_mailbox_fetch (fill->mailbox, uids, items, NULL,
                                                    fill->folder->mirror->cancellable, error);
  if (fetch == NULL)
    return FALSE;
  GError *problem = NULL;
  const RackMessage *message;
  while ((message = rack_fetch_next (fetch, &problem)) != NULL)
    {
      rack_rows_add (&fill->rows, message, fill->named);
      rack_set_add (fill->got, message->uid, message->uid);
      if (fill->rows.n >= PORTION && !publish (fill, error))
        return FALSE;
    }
  *skipped = rack_fetch_skipped (fetch);
  /* What came before a failure is as good as any. */
  gboolean ok = publish (fill, problem == NULL ? error : NULL);
  if (problem == NULL)
    return ok;
  g_propagate_error (error, problem);
  return FALSE;
}

/* What of uids is in the mailbox but did not come is fetched without its envelope. */
static gboolean
repair (Fill *fill, const RackSet *uids, GError **error)
{
  guint64 skipped;
  g_autoptr (RackSet) missing =
      rack_mailbox_search (fill->mailbox, "ALL", fill->folder->mirror->cancellable, error);
  if (missing == NULL)
    return FALSE;
  rack_set_intersect (missing, uids);
  rack_set_subtract (missing, fill->got);
  return rack_set_count (missing) == 0 || fetch_items (fill, missing, FALSE, &skipped, error);
}

gboolean
rack_fill (RackFolder *folder, RackMailbox *mailbox, const RackSet *uids, GError **error)
{
  guint64 skipped = 0;
  if (rack_set_count (uids) == 0)
    return TRUE;
  Fill fill = { .folder = folder,
                .mailbox = mailbox,
                .named = rack_mirror_names (folder->mirror),
                .got = rack_set_new () };
  rack_rows_init (&fill.rows);
  gboolean ok = fetch_items (&fill, uids, fill.named, &skipped, error)
                && (skipped == 0 || repair (&fill, uids, error));
  rack_rows_clear (&fill.rows);
  rack_set_free (fill.got);
  return ok;
}
