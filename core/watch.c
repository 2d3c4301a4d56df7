/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch.c - what changed in a mailbox, pushed by the server
 *
 * One connection in IDLE. What IDLE says is a hint, never the truth: new messages
 * are asked for above the highest UID known, and after an EXPUNGE or a lost
 * connection the UIDs are compared with those known before, so nothing is missed.
 * VANISHED names its UIDs: it is believed. Who wants more of new messages than their
 * UIDs has it fetched here, in the place of asking which they are: one round trip. */
#include "fetch-private.h"

#include <string.h>

enum
{
  HINT_EXISTS = 1,
  HINT_EXPUNGE = 2,
  HINT_FLAGS = 4,
  HINT_DIED = 8,
  HINT_NETWORK = 16
};

#define MAX_BACKOFF 60
/* More new messages than this are left to whoever fetches in windows. */
#define FETCH_MAX   500

struct RackWatch
{
  RackMailbox *mailbox;
  RackConn *conn; /* NULL: lost */
  RackSet *known; /* UIDs */
  RackSet
      *gone; /* UIDs that vanished while the server was asked which there are; NULL: it is not */
  GQueue events; /* RackEvent *, not given out yet */
  guint backoff; /* seconds to wait before connecting again; 0 at first */
  char *items;   /* what is fetched of new messages; NULL: nothing */
  RackFields wanted;
  RackFetch *fetch; /* of new messages, under way; or NULL */
  guint32 since;    /* the lowest UID it may show */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  guint hints;    /* guarded by lock */
  guint32 exists; /* the same: what the server said last */
  guint network_id;
};

static guint
hint_of (const RackResponse *response)
{
  switch (response->kind)
    {
    case RACK_RESPONSE_EXISTS:
      return HINT_EXISTS;
    case RACK_RESPONSE_EXPUNGE:
      return HINT_EXPUNGE;
    case RACK_RESPONSE_FETCH:
      return HINT_FLAGS;
    default:
      return 0;
    }
}

static void
add_hint (RackWatch *watch, guint hint)
{
  pthread_mutex_lock (&watch->lock);
  watch->hints |= hint;
  pthread_cond_broadcast (&watch->changed);
  pthread_mutex_unlock (&watch->lock);
}

static void push (RackWatch *watch, RackEventKind kind, guint32 uid, RackFlags flags);

/* Whoever waits before the next attempt waits no longer. */
static void
hear_network (gpointer data)
{
  add_hint (data, HINT_NETWORK);
}

/* The UID of a sequence number, while what is known is in step with the server. */
static guint32
uid_of (RackWatch *watch, guint32 seq)
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

static void
push_set (RackWatch *watch, const RackSet *uids, RackEventKind kind)
{
  RackRanges ranges = rack_set_ranges (uids);

  for (gsize i = 0; i < ranges.n; i++)
    for (guint64 uid = ranges.items[i].first; uid <= ranges.items[i].last; uid++)
      push (watch, kind, (guint32) uid, 0);
}

/* A server may name more UIDs than the mailbox ever had. */
static void
hear_vanished (RackWatch *watch, RackRanges uids)
{
  g_autoptr (RackSet) vanished = rack_set_new ();

  rack_set_add_ranges (vanished, uids);
  pthread_mutex_lock (&watch->lock);
  if (watch->gone != NULL)
    rack_set_merge (watch->gone, vanished);
  rack_set_intersect (vanished, watch->known);
  rack_set_subtract (watch->known, vanished);
  push_set (watch, vanished, RACK_EVENT_REMOVED);
  pthread_cond_broadcast (&watch->changed);
  pthread_mutex_unlock (&watch->lock);
}

static void
hear (gpointer data, const RackResponse *response)
{
  RackWatch *watch = data;
  guint hint = hint_of (response);

  if (response->kind == RACK_RESPONSE_VANISHED)
    hear_vanished (watch, response->vanished.uids);
  if (response->kind == RACK_RESPONSE_EXISTS)
    {
      pthread_mutex_lock (&watch->lock);
      watch->exists = response->number;
      pthread_mutex_unlock (&watch->lock);
    }
  if (hint == HINT_FLAGS)
    {
      const RackMessage *message = &response->message;
      pthread_mutex_lock (&watch->lock);
      guint32 uid = message->uid != 0             ? message->uid
                    : watch->hints & HINT_EXPUNGE ? 0
                                                  : uid_of (watch, message->seq);
      if (uid != 0 && rack_set_contains (watch->known, uid) && (message->fields & RACK_FIELD_FLAGS))
        push (watch, RACK_EVENT_FLAGS, uid, message->flags.system);
      pthread_mutex_unlock (&watch->lock);
    }
  if (hint != 0)
    add_hint (watch, hint);
}

static void
hear_death (gpointer data)
{
  add_hint (data, HINT_DIED);
}

static void
push (RackWatch *watch, RackEventKind kind, guint32 uid, RackFlags flags)
{
  RackEvent *event = g_new (RackEvent, 1);

  *event = (RackEvent){ kind, uid, flags, NULL };
  g_queue_push_tail (&watch->events, event);
}

/* ---- The connection ----------------------------------------------------------------------- */

static RackCall *
expect (RackWatch *watch, RackCommand *command, GCancellable *cancellable, GError **error)
{
  g_autoptr (RackCall) call = rack_call_new (command);

  if (call->exchange.flags & RACK_EXCHANGE_SELECTS)
    call->exchange.mailbox = g_strdup (watch->mailbox->name);
  rack_conn_post (watch->conn, call);
  return rack_call_expect (call, cancellable, error) ? g_steal_pointer (&call) : NULL;
}

static gboolean
check_validity (RackWatch *watch, const RackReply *reply, GError **error)
{
  guint32 expected = rack_mailbox_validity (watch->mailbox);
  const RackResponse *response;

  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_STATUS
        && response->status.code.kind == RACK_CODE_UIDVALIDITY
        && response->status.code.number != expected)
      {
        g_set_error_literal (
            error, RACK_ERROR, RACK_ERROR_STALE,
            "the mailbox was made anew on the server (UIDVALIDITY changed); open it again");
        return FALSE;
      }
  return TRUE;
}

static void
hang_up (RackWatch *watch)
{
  if (watch->conn == NULL)
    return;
  g_clear_pointer (&watch->fetch, rack_fetch_free);
  rack_conn_close (watch->conn, FALSE);
  g_clear_pointer (&watch->conn, rack_conn_unref);
}

static gboolean
connect_and_select (RackWatch *watch, GCancellable *cancellable, GError **error)
{
  RackAccount *account = watch->mailbox->account;
  RackWait wait = rack_account_wait (account, cancellable);
  RackCommand *command = rack_command_new ("EXAMINE");

  rack_command_mailbox (command, watch->mailbox->name);
  watch->conn = rack_account_open_conn (account, &wait, error);
  if (watch->conn == NULL)
    {
      rack_command_free (command);
      return FALSE;
    }
  rack_conn_doubt_with (watch->conn, rack_account_netwatch (account));
  rack_conn_enable_qresync (watch->conn);
  pthread_mutex_lock (&watch->lock);
  watch->hints = 0;
  pthread_mutex_unlock (&watch->lock);
  rack_conn_set_news (watch->conn, hear, watch);
  rack_conn_set_died (watch->conn, hear_death, watch);
  g_autoptr (RackCall) call = expect (watch, command, cancellable, error);
  if (call != NULL && check_validity (watch, call->reply, error))
    return TRUE;
  hang_up (watch);
  return FALSE;
}

/* ---- What is there now -------------------------------------------------------------------- */

static RackSet *
search (RackWatch *watch, guint32 from, GCancellable *cancellable, GError **error)
{
  RackCommand *command = rack_command_new ("UID SEARCH");
  g_autoptr (RackSet) range = rack_set_new_range (MAX (from, 1), RACK_SET_STAR);
  const RackResponse *response;

  if (rack_conn_has (watch->conn, "ESEARCH") || rack_conn_has (watch->conn, "IMAP4REV2"))
    rack_command_raw (command, "RETURN (ALL)");
  rack_command_atom (command, "UID");
  rack_command_set (command, range);
  pthread_mutex_lock (&watch->lock);
  rack_set_free (watch->gone);
  watch->gone = rack_set_new ();
  pthread_mutex_unlock (&watch->lock);
  g_autoptr (RackCall) call = expect (watch, command, cancellable, error);
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
  push_set (watch, rest, kind);
}

/* What the server said it has, without what vanished since. With the lock held. */
static void
take_gone (RackWatch *watch, RackSet *found)
{
  if (watch->gone != NULL)
    rack_set_subtract (found, watch->gone);
  g_clear_pointer (&watch->gone, rack_set_free);
}

/* Compares everything with what was known. */
static gboolean
compare_all (RackWatch *watch, GCancellable *cancellable, GError **error)
{
  RackSet *now = search (watch, 1, cancellable, error);

  if (now == NULL)
    return FALSE;
  pthread_mutex_lock (&watch->lock);
  take_gone (watch, now);
  push_difference (watch, watch->known, now, RACK_EVENT_REMOVED);
  push_difference (watch, now, watch->known, RACK_EVENT_ADDED);
  RackSet *old = watch->known;
  watch->known = now;
  pthread_mutex_unlock (&watch->lock);
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
  pthread_mutex_lock (&watch->lock);
  guint32 last = highest (watch);
  pthread_mutex_unlock (&watch->lock);
  g_autoptr (RackSet) added = search (watch, last + 1, cancellable, error);

  if (added == NULL)
    return FALSE;
  pthread_mutex_lock (&watch->lock);
  take_gone (watch, added);
  push_difference (watch, added, watch->known, RACK_EVENT_ADDED);
  rack_set_merge (watch->known, added);
  pthread_mutex_unlock (&watch->lock);
  return TRUE;
}

/* What is new comes with what is wanted of it, by next_fetched(). */
static void
fetch_new (RackWatch *watch, GCancellable *cancellable)
{
  RackCommand *command = rack_command_new ("UID FETCH");
  g_autofree char *items = g_strdup_printf ("(UID %s)", watch->items);

  pthread_mutex_lock (&watch->lock);
  watch->since = highest (watch) + 1;
  rack_set_free (watch->gone);
  watch->gone = rack_set_new ();
  pthread_mutex_unlock (&watch->lock);
  g_autoptr (RackSet) range = rack_set_new_range (watch->since, RACK_SET_STAR);
  rack_command_set (command, range);
  rack_command_raw (command, items);
  watch->fetch = rack_fetch_new_on (watch->conn, command, NULL, cancellable);
}

static gboolean
look_for_new (RackWatch *watch, GCancellable *cancellable, GError **error)
{
  pthread_mutex_lock (&watch->lock);
  gboolean few = watch->exists <= rack_set_count (watch->known) + FETCH_MAX
                 && highest (watch) < RACK_SET_STAR - 1;
  pthread_mutex_unlock (&watch->lock);
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

  if (uid == 0 && !(watch->hints & HINT_EXPUNGE))
    uid = uid_of (watch, message->seq);
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

/* FALSE: there is nothing more of the fetch; with error if it failed. */
static gboolean
next_fetched (RackWatch *watch, RackEvent *event, GCancellable *cancellable, GError **error)
{
  GError *problem = NULL;
  const RackMessage *message;

  while ((message = rack_fetch_next (watch->fetch, &problem)) != NULL)
    {
      pthread_mutex_lock (&watch->lock);
      gboolean news = take_fetched (watch, message, event);
      pthread_mutex_unlock (&watch->lock);
      if (news)
        return TRUE;
    }
  gboolean unread = rack_fetch_skipped (watch->fetch) > 0;
  g_clear_pointer (&watch->fetch, rack_fetch_free);
  pthread_mutex_lock (&watch->lock);
  g_clear_pointer (&watch->gone, rack_set_free);
  pthread_mutex_unlock (&watch->lock);
  if (problem != NULL)
    g_propagate_error (error, problem);
  else if (unread) /* what nobody understands is there all the same */
    search_new (watch, cancellable, error);
  return FALSE;
}

/* ---- Life --------------------------------------------------------------------------------- */

RackWatch *
rack_mailbox_watch (RackMailbox *mailbox, GCancellable *cancellable, GError **error)
{
  g_autoptr (RackWatch) watch = g_new0 (RackWatch, 1);
  RackNetwatch *netwatch = rack_account_netwatch (mailbox->account);

  watch->mailbox = rack_mailbox_ref (mailbox);
  watch->known = rack_set_new ();
  g_queue_init (&watch->events);
  pthread_mutex_init (&watch->lock, NULL);
  pthread_cond_init (&watch->changed, NULL);
  watch->network_id = rack_netwatch_add (netwatch, hear_network, watch);
  RackSet *known =
      connect_and_select (watch, cancellable, error) ? search (watch, 1, cancellable, error) : NULL;
  if (known == NULL)
    {
      rack_mailbox_prefix (mailbox, "watch", error);
      return NULL;
    }
  pthread_mutex_lock (&watch->lock);
  take_gone (watch, known);
  rack_set_free (watch->known);
  watch->known = known;
  pthread_mutex_unlock (&watch->lock);
  rack_conn_want_idle (watch->conn, TRUE);
  return g_steal_pointer (&watch);
}

void
rack_watch_want (RackWatch *watch, const char *items)
{
  g_free (watch->items);
  watch->items = g_strdup (items);
  watch->wanted = items != NULL ? rack_fetch_wanted_fields (items) : 0;
}

void
rack_watch_free (RackWatch *watch)
{
  if (watch == NULL)
    return;
  rack_netwatch_remove (rack_account_netwatch (watch->mailbox->account), watch->network_id);
  hang_up (watch);
  g_queue_clear_full (&watch->events, g_free);
  g_free (watch->items);
  rack_set_free (watch->known);
  rack_set_free (watch->gone);
  rack_mailbox_unref (watch->mailbox);
  pthread_mutex_destroy (&watch->lock);
  pthread_cond_destroy (&watch->changed);
  g_free (watch);
}

static void
wake (GCancellable *cancellable, gpointer data)
{
  add_hint (data, 0);
}

/* Takes the hints; waits until there are some, seconds pass (0: no limit), or cancellation. */
static guint
wait_for_hints (RackWatch *watch, guint seconds, GCancellable *cancellable)
{
  gulong handler =
      cancellable != NULL ? g_cancellable_connect (cancellable, G_CALLBACK (wake), watch, NULL) : 0;
  struct timespec until;
  int result = 0;

  clock_gettime (CLOCK_REALTIME, &until);
  until.tv_sec += seconds;
  pthread_mutex_lock (&watch->lock);
  while (watch->hints == 0 && g_queue_is_empty (&watch->events) && result == 0
         && !g_cancellable_is_cancelled (cancellable))
    result = seconds == 0 ? pthread_cond_wait (&watch->changed, &watch->lock)
                          : pthread_cond_timedwait (&watch->changed, &watch->lock, &until);
  guint hints = watch->hints;
  watch->hints = 0;
  pthread_mutex_unlock (&watch->lock);
  if (handler != 0)
    g_cancellable_disconnect (cancellable, handler);
  return hints;
}

/* Credentials and certificates do not get better by trying again. */
static gboolean
is_final (const GError *error)
{
  return !rack_error_is_lost (error) && !g_error_matches (error, RACK_ERROR, RACK_ERROR_TIMEOUT);
}

static gboolean
reconnect (RackWatch *watch, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) problem = NULL;

  hang_up (watch);
  if (watch->backoff > 0
      && (wait_for_hints (watch, (guint) g_random_int_range (1, (gint) watch->backoff + 1),
                          cancellable)
          & HINT_NETWORK))
    watch->backoff = 0;
  watch->backoff = MIN (MAX (watch->backoff * 2, 1), MAX_BACKOFF);
  if (connect_and_select (watch, cancellable, &problem)
      && compare_all (watch, cancellable, &problem))
    {
      watch->backoff = 0;
      pthread_mutex_lock (&watch->lock);
      push (watch, RACK_EVENT_RESET, 0, 0);
      pthread_mutex_unlock (&watch->lock);
      rack_conn_want_idle (watch->conn, TRUE);
      return TRUE;
    }
  if (g_cancellable_is_cancelled (cancellable) || is_final (problem))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  add_hint (watch, HINT_DIED);
  return TRUE;
}

/* After something went wrong on the connection. */
static gboolean
recover (RackWatch *watch, GError *problem, GCancellable *cancellable, GError **error)
{
  if (is_final (problem))
    {
      g_propagate_error (error, problem);
      return FALSE;
    }
  g_error_free (problem);
  return reconnect (watch, cancellable, error);
}

static gboolean
handle_hints (RackWatch *watch, guint hints, GCancellable *cancellable, GError **error)
{
  GError *problem = NULL;
  gboolean ok = TRUE;

  if ((hints & HINT_DIED) || watch->conn == NULL)
    return reconnect (watch, cancellable, error);
  if (hints & HINT_EXPUNGE)
    ok = compare_all (watch, cancellable, &problem);
  else if (hints & HINT_EXISTS)
    ok = look_for_new (watch, cancellable, &problem);
  return ok || recover (watch, problem, cancellable, error);
}

static gboolean
pop (RackWatch *watch, RackEvent *event)
{
  pthread_mutex_lock (&watch->lock);
  RackEvent *next = g_queue_pop_head (&watch->events);
  pthread_mutex_unlock (&watch->lock);
  if (next == NULL)
    return FALSE;
  *event = *next;
  g_free (next);
  return TRUE;
}

/* Until there are hints, or the fetch under way has something. TRUE with event->kind 0: look again.
 */
static gboolean
wait_for_event (RackWatch *watch, RackEvent *event, GCancellable *cancellable, GError **error)
{
  GError *problem = NULL;

  *event = (RackEvent){ 0 };
  if (watch->fetch != NULL)
    return next_fetched (watch, event, cancellable, &problem) || problem == NULL
           || recover (watch, problem, cancellable, error);
  guint hints = wait_for_hints (watch, 0, cancellable);
  if (g_cancellable_is_cancelled (cancellable))
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
      return FALSE;
    }
  return hints == 0 || handle_hints (watch, hints, cancellable, error);
}

gboolean
rack_watch_next (RackWatch *watch, RackEvent *event, GCancellable *cancellable, GError **error)
{
  while (!pop (watch, event))
    {
      RackEvent next;
      if (!wait_for_event (watch, &next, cancellable, error))
        {
          rack_mailbox_prefix (watch->mailbox, "watch", error);
          return FALSE;
        }
      if (next.kind != 0)
        {
          *event = next;
          return TRUE;
        }
    }
  return TRUE;
}
