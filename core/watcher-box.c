/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watcher-box.c - what changed in one of many watched mailboxes since it was looked at
 *
 * Whatever says that something happened, what it was is found out here, by a resync where the
 * server has mod-sequences and by comparing UIDs where it has not. What was found and what is
 * known from then on are one step: when a look fails, nothing was told. A UID that was ever known
 * is never told as new, also where a server shows less for a while. */
#include "watcher-private.h"

/* So many messages' flags are remembered, lest they are told twice. */
#define MAX_FLAGS 65536

/* ---- Life -------------------------------------------------------------------------------- */

RackWatcherBox *
rack_watcher_box_new (const char *name)
{
  RackWatcherBox *box = g_new0 (RackWatcherBox, 1);

  box->name = g_strdup (name);
  box->known = rack_set_new ();
  box->seen = rack_set_new ();
  box->fresh = rack_set_new ();
  box->flags = g_hash_table_new (NULL, NULL);
  return box;
}

void
rack_watcher_box_free (RackWatcherBox *box)
{
  g_free (box->name);
  rack_mailbox_unref (box->mailbox);
  rack_set_free (box->known);
  rack_set_free (box->seen);
  rack_set_free (box->fresh);
  g_hash_table_unref (box->flags);
  g_free (box);
}

void
rack_told_free (RackTold *told)
{
  if (told == NULL)
    return;
  g_strfreev (told->keywords);
  g_free (told);
}

void
rack_watcher_push (RackWatcher *watcher, RackWatcherBox *box, RackEventKind kind, guint32 uid)
{
  RackTold *told = g_new0 (RackTold, 1);

  *told = (RackTold){
    .kind = kind, .mailbox = box->name, .uid_validity = box->state.uid_validity, .uid = uid
  };
  g_queue_push_tail (&watcher->events, told);
}

/* ---- Flags --------------------------------------------------------------------------------- */

gboolean
rack_watcher_box_note_flags (RackWatcherBox *box, guint32 uid, RackFlags flags,
                             const char *const *keywords)
{
  guint digest = (guint) flags + 1; /* never 0: that is none */
  gpointer key = GUINT_TO_POINTER (uid);

  for (; keywords != NULL && *keywords != NULL; keywords++)
    digest += g_str_hash (*keywords) | 0x100;
  digest = MAX (digest, 1);
  if (GPOINTER_TO_UINT (g_hash_table_lookup (box->flags, key)) == digest)
    return FALSE;
  if (g_hash_table_size (box->flags) >= MAX_FLAGS)
    g_hash_table_remove_all (box->flags);
  g_hash_table_insert (box->flags, key, GUINT_TO_POINTER (digest));
  return TRUE;
}

static RackTold *
told_of_flags (RackWatcherBox *box, const RackMessage *message)
{
  RackTold *told = g_new0 (RackTold, 1);

  *told = (RackTold){ .kind = RACK_EVENT_FLAGS,
                      .mailbox = box->name,
                      .uid_validity = box->state.uid_validity,
                      .uid = message->uid,
                      .flags = message->flags.system,
                      .keywords = g_new0 (char *, message->flags.n_keywords + 1) };
  for (guint i = 0; i < message->flags.n_keywords; i++)
    told->keywords[i] = rack_str_dup (message->flags.keywords[i]);
  return told;
}

/* Those of messages that are there, and were not told before. Takes what is in changes. */
static void
push_flags (RackWatcher *watcher, RackWatcherBox *box, GQueue *changes)
{
  RackTold *told;

  while ((told = g_queue_pop_head (changes)) != NULL)
    if (rack_set_contains (box->known, told->uid)
        && rack_watcher_box_note_flags (box, told->uid, told->flags,
                                        (const char *const *) told->keywords))
      g_queue_push_tail (&watcher->events, told);
    else
      rack_told_free (told);
}

/* ---- What came and went --------------------------------------------------------------------- */

static void
push_vanished (RackWatcher *watcher, RackWatcherBox *box, const RackSet *vanished)
{
  g_autoptr (RackSet) gone = rack_set_copy (vanished);

  rack_set_intersect (gone, box->known);
  RackRanges ranges = rack_set_ranges (gone);
  for (gsize i = 0; i < ranges.n; i++)
    for (guint64 uid = ranges.items[i].first; uid <= ranges.items[i].last; uid++)
      {
        rack_watcher_push (watcher, box, RACK_EVENT_REMOVED, (guint32) uid);
        g_hash_table_remove (box->flags, GUINT_TO_POINTER ((guint) uid));
      }
  rack_set_subtract (box->known, gone);
}

static void
take_added (RackWatcherBox *box, const RackSet *found)
{
  g_autoptr (RackSet) added = rack_set_copy (found);

  rack_set_subtract (added, box->seen);
  rack_set_merge (box->known, found);
  rack_set_merge (box->seen, found);
  rack_set_merge (box->fresh, added);
  box->activity =
      (guint) MIN (G_MAXINT32, box->activity + rack_set_count (added) * RACK_WATCHER_ARRIVAL);
}

static gboolean
resync (RackWatcher *watcher, RackWatcherBox *box, GCancellable *cancellable, GError **error)
{
  g_autoptr (RackResync) resync =
      rack_mailbox_resync (box->mailbox, &box->state, box->known, cancellable, error);
  GQueue changes = G_QUEUE_INIT;
  const RackMessage *message;
  GError *problem = NULL;

  if (resync == NULL)
    return FALSE;
  while ((message = rack_resync_next (resync, &problem)) != NULL)
    if (rack_resync_rung (resync) != RACK_RESYNC_PLAIN) /* there it is every message */
      g_queue_push_tail (&changes, told_of_flags (box, message));
  if (problem != NULL)
    {
      g_queue_clear_full (&changes, (GDestroyNotify) rack_told_free);
      g_propagate_error (error, problem);
      return FALSE;
    }
  g_autoptr (RackSet) added = rack_set_copy (rack_resync_added (resync));
  g_autoptr (RackSet) vanished = rack_set_copy (rack_resync_vanished (resync));
  rack_resync_state (resync, &box->state);
  push_vanished (watcher, box, vanished);
  push_flags (watcher, box, &changes);
  take_added (box, added);
  return TRUE;
}

static gboolean
compare (RackWatcher *watcher, RackWatcherBox *box, GCancellable *cancellable, GError **error)
{
  g_autoptr (RackSet) now = rack_mailbox_search (box->mailbox, "ALL", cancellable, error);

  if (now == NULL)
    return FALSE;
  g_autoptr (RackSet) vanished = rack_set_copy (box->known);
  rack_set_subtract (vanished, now);
  push_vanished (watcher, box, vanished);
  take_added (box, now);
  return TRUE;
}

/* ---- Looking -------------------------------------------------------------------------------- */

static guint32
above (const RackSet *uids)
{
  RackRanges ranges = rack_set_ranges (uids);

  return ranges.n > 0 ? MAX (ranges.items[ranges.n - 1].last, 1) : 0;
}

/* The first time. What is known is what was there when it began to be watched. */
static gboolean
look_first (RackWatcher *watcher, RackWatcherBox *box, GCancellable *cancellable, GError **error)
{
  RackMailboxStatus status;
  g_autoptr (RackMailbox) mailbox =
      rack_mailbox_open (watcher->account, box->name, TRUE, cancellable, error);
  g_autoptr (RackSet) all =
      mailbox != NULL ? rack_mailbox_search (mailbox, "ALL", cancellable, error) : NULL;

  if (all == NULL)
    return FALSE;
  rack_mailbox_status (mailbox, &status);
  guint32 first_new = box->state.uid_next != 0 ? box->state.uid_next : RACK_SET_STAR;
  if (box->state.uid_validity != 0 && box->state.uid_validity != status.uid_validity)
    first_new = 1; /* it was made anew since */
  rack_set_merge (box->known, all);
  rack_set_merge (box->seen, all);
  rack_set_merge (box->fresh, all);
  if (first_new > 1)
    rack_set_remove (box->fresh, 1, first_new - 1);
  box->state = (RackMailboxState){ .uid_validity = status.uid_validity,
                                   .uid_next = MAX (status.uid_next, above (all) + 1),
                                   .highest_modseq = status.highest_modseq };
  box->mailbox = g_steal_pointer (&mailbox);
  return TRUE;
}

void
rack_watcher_forget (RackWatcher *watcher, RackWatcherBox *box)
{
  rack_watcher_push (watcher, box, RACK_EVENT_RESET, 0);
  g_clear_pointer (&box->mailbox, rack_mailbox_unref);
  rack_set_clear (box->known);
  rack_set_clear (box->seen);
  rack_set_clear (box->fresh);
  g_hash_table_remove_all (box->flags);
  box->state = (RackMailboxState){ 0 };
}

gboolean
rack_watcher_look (RackWatcher *watcher, RackWatcherBox *box, GCancellable *cancellable,
                   GError **error)
{
  g_autoptr (GError) problem = NULL;
  RackMailboxInfo now = box->now;
  gboolean ok;

  if (box->mailbox == NULL)
    ok = look_first (watcher, box, cancellable, &problem);
  else if (box->state.highest_modseq != 0)
    ok = resync (watcher, box, cancellable, &problem);
  else
    ok = compare (watcher, box, cancellable, &problem);
  if (ok)
    {
      box->dirty = FALSE;
      box->counted = now;
      watcher->moved = TRUE;
      return TRUE;
    }
  if (g_error_matches (problem, RACK_ERROR, RACK_ERROR_STALE))
    {
      rack_watcher_forget (watcher, box);
      return TRUE; /* and is dirty still */
    }
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static gboolean
is_same (const RackMailboxInfo *one, const RackMailboxInfo *other)
{
  const guint needed = RACK_STATUS_MESSAGES | RACK_STATUS_UIDNEXT | RACK_STATUS_UIDVALIDITY;
  const guint told = needed | RACK_STATUS_HIGHESTMODSEQ;

  return (one->status_items & needed) == needed
         && (one->status_items & told) == (other->status_items & told)
         && one->messages == other->messages && one->uid_next == other->uid_next
         && one->uid_validity == other->uid_validity
         && one->highest_modseq == other->highest_modseq;
}

void
rack_watcher_box_touch (RackWatcherBox *box, const RackMailboxInfo *info)
{
  if (info != NULL && !box->dirty && is_same (info, &box->counted))
    return;
  box->dirty = TRUE;
  box->now = (RackMailboxInfo){ 0 };
  if (info != NULL)
    box->now = *info;
  box->now.name = NULL;
}
