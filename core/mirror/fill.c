/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fill.c - what the index keeps of a message, fetched from the server
 *
 * One RackFetch over any set of UIDs. A message whose response could not be parsed
 * is asked for again without its envelope, so that a listing is complete even when
 * somebody sent us something no parser understands.
 */
#include "mirror-private.h"

#define ITEMS_FULL  "UID INTERNALDATE RFC822.SIZE FLAGS ENVELOPE"
#define ITEMS_PLAIN "UID INTERNALDATE RFC822.SIZE FLAGS"

static void
append_message (RackIndex *batch, const RackMessage *message, gboolean named)
{
  if (!(message->fields & RACK_FIELD_UID) || message->uid == 0)
    return;
  RackRecord record = {
    .uid = message->uid,
    .flags = (guint16) message->flags.system,
    .size = message->fields & RACK_FIELD_SIZE ? message->size : 0,
    .date = message->fields & RACK_FIELD_DATE ? message->date : 0,
  };
  char name[RACK_NAME_MESSAGE_MAX + 1];
  gsize size = 0;
  if (named)
    {
      const RackEnvelope *envelope =
          message->fields & RACK_FIELD_ENVELOPE ? message->envelope : NULL;
      size = rack_name_message (record.uid, record.date, envelope, name);
    }
  rack_index_append (batch, &record, named ? name : NULL, size);
}

static gboolean
fetch_items (RackFolder *folder, RackMailbox *mailbox, const RackSet *uids, const char *items,
             gboolean named, RackIndex *batch, guint64 *skipped, GError **error)
{
  g_autoptr (RackFetch) fetch =
      rack_mailbox_fetch (mailbox, uids, items, NULL, folder->mirror->cancellable, error);
  if (fetch == NULL)
    return FALSE;
  GError *problem = NULL;
  const RackMessage *message;
  while ((message = rack_fetch_next (fetch, &problem)) != NULL)
    append_message (batch, message, named);
  *skipped = rack_fetch_skipped (fetch);
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return FALSE;
    }
  return TRUE;
}

/* What of uids is in the mailbox but not in batch is fetched without its envelope. */
static gboolean
repair (RackFolder *folder, RackMailbox *mailbox, const RackSet *uids, RackIndex *batch,
        gboolean named, GError **error)
{
  g_autoptr (RackSet) present =
      rack_mailbox_search (mailbox, "ALL", folder->mirror->cancellable, error);
  if (present == NULL)
    return FALSE;
  g_autoptr (RackSet) unknown = NULL;
  g_autoptr (RackSet) elsewhere = NULL;
  g_autoptr (RackSet) missing = rack_set_new ();
  rack_index_compare (batch, present, &unknown, &elsewhere);
  RackRanges asked = rack_set_ranges (uids), lost = rack_set_ranges (unknown);
  for (gsize a = 0, l = 0; a < asked.n && l < lost.n;)
    {
      guint32 first = MAX (asked.items[a].first, lost.items[l].first);
      guint32 last = MIN (asked.items[a].last, lost.items[l].last);
      if (first <= last)
        rack_set_add (missing, first, last);
      if (asked.items[a].last < lost.items[l].last)
        a++;
      else
        l++;
    }
  if (rack_set_count (missing) == 0)
    return TRUE;
  guint64 skipped;
  gboolean ok = fetch_items (folder, mailbox, missing, ITEMS_PLAIN, named, batch, &skipped, error);
  rack_index_seal (batch);
  return ok;
}

gboolean
rack_fill (RackFolder *folder, RackMailbox *mailbox, const RackSet *uids, RackIndex *batch,
           GError **error)
{
  gboolean named = folder->mirror->options.names == RACK_NAMES_FULL;
  guint64 skipped = 0;
  if (rack_set_count (uids) == 0)
    return TRUE;
  if (!fetch_items (folder, mailbox, uids, named ? ITEMS_FULL : ITEMS_PLAIN, named, batch, &skipped,
                    error))
    return FALSE;
  rack_index_seal (batch);
  return skipped == 0 || repair (folder, mailbox, uids, batch, named, error);
}
