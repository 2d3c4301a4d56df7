/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fetch-uids.c - which of the UIDs that somebody wants are there
 *
 * Windows count messages, and a set like 1:* says nothing about them. Not here: what is fetched. */
#include "fetch-private.h"

RackRange
rack_fetch_extent (const RackSet *uids)
{
  RackRanges ranges = rack_set_ranges (uids);
  return (RackRange){ ranges.items[0].first, ranges.items[ranges.n - 1].last };
}

static void
add_uid_key (RackCommand *command, gpointer data)
{
  rack_command_atom (command, "UID");
  rack_command_set (command, data);
}

/* "n:*" of a mailbox most of whose UIDs are still there: then a window of so many UIDs is about as
 * many messages, and only what came after the mailbox was selected has to be asked for. */
static gboolean
is_dense (RackMailbox *mailbox, RackRange range, guint32 *uid_next)
{
  RackMailboxStatus status;

  rack_mailbox_status (mailbox, &status);
  *uid_next = status.uid_next;
  return range.last == RACK_SET_STAR && status.uid_next > range.first
         && status.messages >= (status.uid_next - range.first) / 2;
}

/* A set of many ranges is no question for one line: then what is there between its first and last
 * is found. */
static RackSet *
find (RackMailbox *mailbox, const RackSet *uids, GCancellable *cancellable, GError **error)
{
  RackRange range = rack_fetch_extent (uids);
  g_autoptr (RackSet) all = rack_set_new_range (range.first, range.last);
  RackSet *found = rack_mailbox_find_uids (mailbox, add_uid_key, all, cancellable, error);

  if (found != NULL && rack_set_ranges (uids).n > 1)
    rack_set_intersect (found, uids);
  return found;
}

static RackSet *
find_new (RackMailbox *mailbox, guint32 first, guint32 uid_next, GCancellable *cancellable,
          GError **error)
{
  g_autoptr (RackSet) above = rack_set_new_range (uid_next, RACK_SET_STAR);
  RackSet *found = find (mailbox, above, cancellable, error);

  if (found == NULL)
    return NULL;
  /* By "n:*" the server also means its last message, whatever its UID. */
  rack_set_remove (found, 1, uid_next - 1);
  rack_set_add (found, first, uid_next - 1);
  return found;
}

RackSet *
rack_fetch_resolve (RackMailbox *mailbox, const RackSet *uids, gboolean *is_whole,
                    GCancellable *cancellable, GError **error)
{
  RackRanges ranges = rack_set_ranges (uids);
  guint32 uid_next;

  *is_whole = FALSE;
  if (rack_set_count (uids) <= RACK_FETCH_MAX_WINDOW
      || (ranges.n > 1 && ranges.items[ranges.n - 1].last != RACK_SET_STAR))
    return rack_set_copy (uids);
  if (ranges.n == 1 && is_dense (mailbox, ranges.items[0], &uid_next))
    return find_new (mailbox, ranges.items[0].first, uid_next, cancellable, error);
  *is_whole = ranges.n == 1;
  return find (mailbox, uids, cancellable, error);
}
