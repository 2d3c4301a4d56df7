/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-uids.c - which messages a watched mailbox has, and what became of those it had
 *
 * Asked on the watch's own connection, and told as events. Who wants more of new messages than
 * their UIDs has it fetched here, in the place of asking which they are: one round trip. */
#include "watch-private.h"

/* More new messages than this are left to whoever fetches in windows. */
#define FETCH_MAX 500

guint32
rack_watch_uid_of (RackWatch *watch, guint32 seq)
{
  RackRanges ranges = rack_set_ranges (watch->known);
  guint64 before = 0;

  for (gsize i = 0; i < ranges.n; i++)
    {
      guint64 n = (guint64) ranges.items[i].last - ranges.items[i].first + 1;
      if (seq <= before + n)
        return (guint32) (ranges.items[i].first + (seq - before - 1));
      before += n;
    }
  return 0;
}

/* ---- What is there now -------------------------------------------------------------------- */

static RackSet *
search (RackWatch *watch, guint32 from, GCancellable *cancellable, GError **error)
{
  RackCommand *command = rack_command_new ("UID SEARCH");
  g_autoptr (RackSet) range = rack_set_new_range (MAX (from, 1), RACK_SET_STAR);
  const RackResponse *response;

  if (rack_conn_has (watch->line.conn, "ESEARCH") || rack_conn_has (watch->line.conn, "IMAP4REV2"))
    rack_command_raw (command, "RETURN (ALL)");
  rack_command_atom (command, "UID");
  rack_command_set (command, range);
  pthread_mutex_lock (&watch->line.lock);
  rack_set_free (watch->gone);
  watch->gone = rack_set_new ();
  pthread_mutex_unlock (&watch->line.lock);
  g_autoptr (RackCall) call =
      rack_watch_line_expect (&watch->line, command, NULL, cancellable, error);
  if (call == NULL)
    return NULL;
  RackSet *set = rack_set_new ();
  for (guint i = 0; (response = rack_reply_get (call->reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_SEARCH)
      rack_set_add_ranges (set, response->search.all);
  /* "n:*" holds the last message even when it is below n (RFC 9051 §9, seq-range). */
  if (from > 1)
    rack_set_remove (set, 1, from - 1);
  return set;
}

static void
push_difference (RackWatch *watch, const RackSet *all, const RackSet *without, RackEventKind kind)
{
  g_autoptr (RackSet) rest = rack_set_copy (all);

  rack_set_subtract (rest, without);
  rack_watch_push_set (watch, rest, kind);
}

/* What the server said it has, without what vanished since. With the lock held. */
static void
take_gone (RackWatch *watch, RackSet *found)
{
  if (watch->gone != NULL)
    rack_set_subtract (found, watch->gone);
  g_clear_pointer (&watch->gone, rack_set_free);
}

gboolean
rack_watch_learn (RackWatch *watch, GCancellable *cancellable, GError **error)
{
  RackSet *known = search (watch, 1, cancellable, error);

  if (known == NULL)
    return FALSE;
  pthread_mutex_lock (&watch->line.lock);
  take_gone (watch, known);
  rack_set_free (watch->known);
  watch->known = known;
  pthread_mutex_unlock (&watch->line.lock);
  return TRUE;
}

gboolean
rack_watch_compare (RackWatch *watch, GCancellable *cancellable, GError **error)
{
  RackSet *now = search (watch, 1, cancellable, error);

  if (now == NULL)
    return FALSE;
  pthread_mutex_lock (&watch->line.lock);
  take_gone (watch, now);
  push_difference (watch, watch->known, now, RACK_EVENT_REMOVED);
  push_difference (watch, now, watch->known, RACK_EVENT_ADDED);
  RackSet *old = watch->known;
  watch->known = now;
  pthread_mutex_unlock (&watch->line.lock);
  rack_set_free (old);
  return TRUE;
}

/* The highest UID known. With the lock held. */
static guint32
highest (const RackWatch *watch)
{
  RackRanges ranges = rack_set_ranges (watch->known);

  return ranges.n > 0 ? ranges.items[ranges.n - 1].last : 0;
}

static gboolean
search_new (RackWatch *watch, GCancellable *cancellable, GError **error)
{
  pthread_mutex_lock (&watch->line.lock);
  guint32 last = highest (watch);
  pthread_mutex_unlock (&watch->line.lock);
  g_autoptr (RackSet) added = search (watch, last + 1, cancellable, error);

  if (added == NULL)
    return FALSE;
  pthread_mutex_lock (&watch->line.lock);
  take_gone (watch, added);
  push_difference (watch, added, watch->known, RACK_EVENT_ADDED);
  rack_set_merge (watch->known, added);
  pthread_mutex_unlock (&watch->line.lock);
  return TRUE;
}

/* What is new comes with what is wanted of it, by next_fetched(). */
static void
fetch_new (RackWatch *watch, GCancellable *cancellable)
{
  RackCommand *command = rack_command_new ("UID FETCH");
  g_autofree char *items = g_strdup_printf ("(UID %s)", watch->items);

  pthread_mutex_lock (&watch->line.lock);
  watch->since = highest (watch) + 1;
  rack_set_free (watch->gone);
  watch->gone = rack_set_new ();
  pthread_mutex_unlock (&watch->line.lock);
  g_autoptr (RackSet) range = rack_set_new_range (watch->since, RACK_SET_STAR);
  rack_command_set (command, range);
  rack_command_raw (command, items);
  watch->fetch = rack_fetch_new_on (watch->line.conn, command, NULL, cancellable);
}

gboolean
rack_watch_look_for_new (RackWatch *watch, GCancellable *cancellable, GError **error)
{
  pthread_mutex_lock (&watch->line.lock);
  gboolean few = watch->exists <= rack_set_count (watch->known) + FETCH_MAX
                 && highest (watch) < RACK_SET_STAR - 1;
  pthread_mutex_unlock (&watch->line.lock);
  if (watch->items == NULL || !few)
    return search_new (watch, cancellable, error);
  if (watch->fetch == NULL)
    fetch_new (watch, cancellable);
  return TRUE;
}

/* One response of the fetch: a new message, or flags that changed. With the lock held. */
static gboolean
take_fetched (RackWatch *watch, const RackMessage *message, RackEvent *event)
{
  guint32 uid = message->uid;

  if (uid == 0 && !(watch->line.hints & RACK_HINT_EXPUNGE))
    uid = rack_watch_uid_of (watch, message->seq);
  *event = (RackEvent){ RACK_EVENT_FLAGS, uid, message->flags.system, NULL };
  if (uid == 0 || rack_set_contains (watch->known, uid))
    return uid != 0 && (message->fields & RACK_FIELD_FLAGS);
  if (uid < watch->since || (message->fields & watch->wanted) != watch->wanted
      || rack_set_contains (watch->gone, uid))
    return FALSE;
  rack_set_add (watch->known, uid, uid);
  event->kind = RACK_EVENT_ADDED;
  event->message = message;
  return TRUE;
}

gboolean
rack_watch_next_fetched (RackWatch *watch, RackEvent *event, GCancellable *cancellable,
                         GError **error)
{
  GError *problem = NULL;
  const RackMessage *message;

  while ((message = rack_fetch_next (watch->fetch, &problem)) != NULL)
    {
      pthread_mutex_lock (&watch->line.lock);
      gboolean news = take_fetched (watch, message, event);
      pthread_mutex_unlock (&watch->line.lock);
      if (news)
        return TRUE;
    }
  gboolean unread = rack_fetch_skipped (watch->fetch) > 0;
  g_clear_pointer (&watch->fetch, rack_fetch_free);
  pthread_mutex_lock (&watch->line.lock);
  g_clear_pointer (&watch->gone, rack_set_free);
  pthread_mutex_unlock (&watch->line.lock);
  if (problem != NULL)
    g_propagate_error (error, problem);
  else if (unread) /* what nobody understands is there all the same */
    search_new (watch, cancellable, error);
  return FALSE;
}
