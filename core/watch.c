/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch.c - what changed in a mailbox, pushed by the server
 *
 * One connection in IDLE. What IDLE says is a hint, never the truth: new messages
 * are asked for above the highest UID known, and after an EXPUNGE or a lost
 * connection the UIDs are compared with those known before, so nothing is missed.
 * VANISHED names its UIDs: it is believed. The questions are in watch-uids.c. */
#include "watch-private.h"

/* ---- What is heard, on the connection's thread --------------------------------------------- */

static guint
hint_of (const RackResponse *response)
{
  switch (response->kind)
    {
    case RACK_RESPONSE_EXISTS:
      return RACK_HINT_EXISTS;
    case RACK_RESPONSE_EXPUNGE:
      return RACK_HINT_EXPUNGE;
    case RACK_RESPONSE_FETCH:
      return RACK_HINT_FLAGS;
    default:
      return 0;
    }
}

void
rack_watch_push (RackWatch *watch, RackEventKind kind, guint32 uid, RackFlags flags)
{
  RackEvent *event = g_new (RackEvent, 1);

  *event = (RackEvent){ kind, uid, flags, NULL };
  g_queue_push_tail (&watch->events, event);
}

void
rack_watch_push_set (RackWatch *watch, const RackSet *uids, RackEventKind kind)
{
  RackRanges ranges = rack_set_ranges (uids);

  for (gsize i = 0; i < ranges.n; i++)
    for (guint64 uid = ranges.items[i].first; uid <= ranges.items[i].last; uid++)
      rack_watch_push (watch, kind, (guint32) uid, 0);
}

/* A server may name more UIDs than the mailbox ever had. */
static void
hear_vanished (RackWatch *watch, RackRanges uids)
{
  g_autoptr (RackSet) vanished = rack_set_new ();

  rack_set_add_ranges (vanished, uids);
  pthread_mutex_lock (&watch->line.lock);
  if (watch->gone != NULL)
    rack_set_merge (watch->gone, vanished);
  rack_set_intersect (vanished, watch->known);
  rack_set_subtract (watch->known, vanished);
  rack_watch_push_set (watch, vanished, RACK_EVENT_REMOVED);
  watch->line.hints |= RACK_HINT_NEWS;
  pthread_cond_broadcast (&watch->line.changed);
  pthread_mutex_unlock (&watch->line.lock);
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
      pthread_mutex_lock (&watch->line.lock);
      watch->exists = response->number;
      pthread_mutex_unlock (&watch->line.lock);
    }
  if (hint == RACK_HINT_FLAGS)
    {
      const RackMessage *message = &response->message;
      pthread_mutex_lock (&watch->line.lock);
      guint32 uid = message->uid != 0 ? message->uid
                    : watch->line.hints & RACK_HINT_EXPUNGE
                        ? 0
                        : rack_watch_uid_of (watch, message->seq);
      if (uid != 0 && rack_set_contains (watch->known, uid) && (message->fields & RACK_FIELD_FLAGS))
        rack_watch_push (watch, RACK_EVENT_FLAGS, uid, message->flags.system);
      pthread_mutex_unlock (&watch->line.lock);
    }
  if (hint != 0)
    rack_watch_line_hint (&watch->line, hint);
}

/* ---- The connection ----------------------------------------------------------------------- */

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
  g_clear_pointer (&watch->fetch, rack_fetch_free);
  rack_watch_line_hang_up (&watch->line);
}

static gboolean
connect_and_select (RackWatch *watch, GCancellable *cancellable, GError **error)
{
  const char *name = watch->mailbox->name;

  if (!rack_watch_line_connect (&watch->line, hear, watch, cancellable, error))
    return FALSE;
  RackCommand *command = rack_command_new ("EXAMINE");
  rack_command_mailbox (command, name);
  g_autoptr (RackCall) call =
      rack_watch_line_expect (&watch->line, command, name, cancellable, error);
  if (call != NULL && check_validity (watch, call->reply, error))
    return TRUE;
  hang_up (watch);
  return FALSE;
}

/* ---- Life --------------------------------------------------------------------------------- */

RackWatch *
rack_mailbox_watch (RackMailbox *mailbox, GCancellable *cancellable, GError **error)
{
  g_autoptr (RackWatch) watch = g_new0 (RackWatch, 1);

  watch->mailbox = rack_mailbox_ref (mailbox);
  watch->known = rack_set_new ();
  g_queue_init (&watch->events);
  rack_watch_line_init (&watch->line, mailbox->account);
  if (!connect_and_select (watch, cancellable, error)
      || !rack_watch_learn (watch, cancellable, error))
    {
      rack_mailbox_prefix (mailbox, "watch", error);
      return NULL;
    }
  rack_watch_line_settle (&watch->line);
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
  hang_up (watch);
  rack_watch_line_clear (&watch->line);
  g_queue_clear_full (&watch->events, g_free);
  g_free (watch->items);
  rack_set_free (watch->known);
  rack_set_free (watch->gone);
  rack_mailbox_unref (watch->mailbox);
  g_free (watch);
}

static gboolean
reconnect (RackWatch *watch, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) problem = NULL;

  hang_up (watch);
  rack_watch_line_pause (&watch->line, cancellable);
  if (connect_and_select (watch, cancellable, &problem)
      && rack_watch_compare (watch, cancellable, &problem))
    {
      pthread_mutex_lock (&watch->line.lock);
      rack_watch_push (watch, RACK_EVENT_RESET, 0, 0);
      pthread_mutex_unlock (&watch->line.lock);
      rack_watch_line_settle (&watch->line);
      return TRUE;
    }
  if (g_cancellable_is_cancelled (cancellable) || !rack_watch_may_recover (problem))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  rack_watch_line_hint (&watch->line, RACK_HINT_DIED);
  return TRUE;
}

/* After something went wrong on the connection. */
static gboolean
recover (RackWatch *watch, GError *problem, GCancellable *cancellable, GError **error)
{
  if (!rack_watch_may_recover (problem))
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

  if ((hints & RACK_HINT_DIED) || watch->line.conn == NULL)
    return reconnect (watch, cancellable, error);
  if (hints & RACK_HINT_EXPUNGE)
    ok = rack_watch_compare (watch, cancellable, &problem);
  else if (hints & RACK_HINT_EXISTS)
    ok = rack_watch_look_for_new (watch, cancellable, &problem);
  return ok || recover (watch, problem, cancellable, error);
}

static gboolean
pop (RackWatch *watch, RackEvent *event)
{
  pthread_mutex_lock (&watch->line.lock);
  RackEvent *next = g_queue_pop_head (&watch->events);
  pthread_mutex_unlock (&watch->line.lock);
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
    return rack_watch_next_fetched (watch, event, cancellable, &problem) || problem == NULL
           || recover (watch, problem, cancellable, error);
  guint hints = rack_watch_line_wait (&watch->line, cancellable);
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
