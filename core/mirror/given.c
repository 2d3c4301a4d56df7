/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * given.c - what programs call messages: how long it is kept, and names in a Maildir
 *
 * A name is in the journal first, then in the folder's overlay. Names of the mailbox' own directory
 * come with a message and never change, so they are with those who bring it (send-*.c); those of a
 * Maildir may change as often as a program likes.
 */
#include "outbox.h"
#include "pending.h"

#include <string.h>

/* ---- Forgetting ----------------------------------------------------------------------------- */

/* Those of uids that have a name have none any more. Returns: (owned) their UIDs */
static GArray *
take_names (RackFolder *folder, guint32 uid_validity, const RackSet *uids)
{
  RackOverlay *overlay = &folder->overlay;
  RackRanges ranges = rack_set_ranges (uids);
  GArray *named = g_array_new (FALSE, FALSE, sizeof (guint32));
  pthread_mutex_lock (&folder->mutex);
  gboolean any = overlay->uid_validity == uid_validity
                 && (overlay->names.by_uid != NULL || overlay->bases.by_uid != NULL);
  for (guint i = 0; any && i < ranges.n; i++)
    for (guint64 at = ranges.items[i].first; at <= ranges.items[i].last; at++)
      {
        guint32 uid = (guint32) at;
        if (rack_overlay_name_of (overlay, uid) == NULL
            && rack_overlay_base_of (overlay, uid) == NULL)
          continue;
        rack_overlay_name (overlay, uid, NULL);
        rack_overlay_set_base (overlay, uid, NULL, 0);
        rack_overlay_set_number (overlay, uid, 0);
        g_array_append_val (named, uid);
      }
  pthread_mutex_unlock (&folder->mutex);
  return named;
}

void
rack_folder_forget_names (RackFolder *folder, guint32 uid_validity, const RackSet *uids)
{
  RackOutbox *outbox = folder->mirror->outbox;
  if (outbox == NULL)
    return;
  RackJournal *journal = outbox->journal;
  g_autoptr (GArray) named = take_names (folder, uid_validity, uids);
  if (named->len == 0 || !rack_journal_begin_lazily (journal, NULL))
    return;
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < named->len; i++)
    {
      guint32 uid = g_array_index (named, guint32, i);
      ok = rack_journal_put_name (journal, folder->mailbox, uid_validity, uid, NULL, NULL)
           && rack_journal_put_base (journal, folder->mailbox, uid_validity, uid, NULL, 0, NULL);
    }
  /* Rows that stay are about nothing. */
  rack_journal_end (journal, ok, NULL);
}

/* ---- In a Maildir --------------------------------------------------------------------------- */

gboolean
rack_folder_give_base (RackFolder *folder, guint32 uid_validity, guint32 uid, const char *base,
                       guint space, GError **error)
{
  RackJournal *journal = folder->mirror->outbox->journal;
  if (!rack_journal_put_base (journal, folder->mailbox, uid_validity, uid, base, space, error))
    return FALSE;
  pthread_mutex_lock (&folder->mutex);
  if (rack_overlay_is_about (&folder->overlay, uid_validity))
    {
      rack_overlay_set_base (&folder->overlay, uid, base, space);
      rack_folder_stamp_flags (folder);
    }
  pthread_mutex_unlock (&folder->mutex);
  return TRUE;
}

static guint32
uid_of (RackFolder *folder, const char *base)
{
  pthread_mutex_lock (&folder->mutex);
  guint32 uid = rack_overlay_uid_of_base (&folder->overlay, base);
  pthread_mutex_unlock (&folder->mutex);
  return uid;
}

gboolean
rack_folder_knows_base (RackFolder *folder, const char *base)
{
  return uid_of (folder, base) != 0;
}

gboolean
rack_folder_find_base (RackFolder *folder, const char *base, RackEntry *entry)
{
  guint32 uid = uid_of (folder, base);
  return uid != 0 && rack_folder_stat (folder, uid, entry) && strcmp (entry->base, base) == 0;
}

/* A move that is under way brings the name along. */
static gboolean
rebase (RackOutbox *outbox, RackPending *pending, const char *base, guint space, GError **error)
{
  RackPending after = *pending;
  after.base = (char *) base;
  after.base_space = space;
  if (!pending->done && !rack_pending_write (outbox, &after, error))
    return FALSE;
  pthread_mutex_lock (&outbox->shown);
  g_free (pending->base);
  pending->base = g_strdup (base);
  pending->base_space = space;
  pthread_mutex_unlock (&outbox->shown);
  pthread_mutex_lock (&pending->target->mutex);
  rack_folder_stamp_flags (pending->target);
  pthread_mutex_unlock (&pending->target->mutex);
  return TRUE;
}

/* With the outbox' mutex held. uid: whose it may be already. */
static gboolean
is_free (RackOutbox *outbox, RackFolder *folder, const char *base, guint32 uid,
         const RackPending *mover, GError **error)
{
  RackEntry entry;
  if (base == NULL)
    return TRUE;
  gboolean taken = rack_folder_find_base (folder, base, &entry) && entry.uid != uid;
  const RackShelf *arrivals = g_hash_table_lookup (outbox->arrivals, folder);
  for (const RackShelved *at = arrivals != NULL ? rack_shelf_after (arrivals, 0) : NULL;
       at != NULL && !taken; at = rack_shelved_next (at))
    {
      const RackPending *pending = at->thing;
      taken = pending != mover && !pending->done && g_strcmp0 (pending->base, base) == 0;
    }
  if (taken)
    g_set_error (error, RACK_ERROR, RACK_ERROR_EXISTS, "%s: %s is there already", folder->mailbox,
                 base);
  return !taken;
}

/* Whose UIDVALIDITY that is. 0: it was made anew. */
static guint32
validity_of (RackFolder *folder, guint32 row)
{
  pthread_mutex_lock (&folder->mutex);
  guint32 uid_validity = folder->row == row ? folder->state.uid_validity : 0;
  pthread_mutex_unlock (&folder->mutex);
  return uid_validity;
}

static gboolean
set_base (RackOutbox *outbox, RackFolder *folder, guint32 row, guint32 uid, const char *base,
          guint space, GError **error)
{
  RackPending *queued = rack_pending_locate (outbox, &folder, &row, &uid, error);
  if (folder == NULL)
    return FALSE;
  if (queued != NULL)
    return is_free (outbox, queued->target, base, 0, queued, error)
           && rebase (outbox, queued, base, space, error);
  guint32 uid_validity = validity_of (folder, row);
  if (uid_validity == 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_STALE, "%s was made anew on the server",
                   folder->mailbox);
      return FALSE;
    }
  if (!is_free (outbox, folder, base, uid, NULL, error)
      || !rack_folder_give_base (folder, uid_validity, uid, base, space, error))
    return FALSE;
  /* What is shown as an arrival until it is seen is called so too. */
  RackPending *landed = rack_outbox_find_landed (outbox, folder, uid);
  return landed == NULL || rebase (outbox, landed, base, space, error);
}

gboolean
rack_folder_set_base (RackFolder *folder, guint32 row, guint32 uid, const char *base, guint space,
                      GError **error)
{
  RackOutbox *outbox = folder->mirror->outbox;
  if (!rack_folder_may_change (folder, error))
    return FALSE;
  pthread_mutex_lock (&outbox->mutex);
  gboolean ok = set_base (outbox, folder, row, uid, base, space, error);
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}
