/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fetch.c - messages as a stream that is pulled
 *
 * The owner thread of the connection only finds where responses end and hands over
 * slices of its read buffers (fetch-call.c); they are parsed here, on the thread that wants them,
 * one at a time into an arena that is used again. Two windows of UIDs are in flight,
 * so that the server never waits for us, and no more, so that a slow consumer holds
 * little memory and never leaves the socket unread. */
#include "fetch-private.h"

#include <string.h>

/* Windows begin with a screenful and grow to RACK_FETCH_MAX_WINDOW messages, or this many octets.
 */
#define FIRST_WINDOW  64
#define WINDOW_OCTETS (2 * 1024 * 1024)
/* RFC 7162 section 4 wants command lines below 8192 octets; Dovecot refuses more than 65536. */
#define SET_OCTETS    7000

/* ---- The stream ------------------------------------------------------------------------------ */

typedef struct
{
  RackFetchCall *call; /* NULL: not in use */
  RackSet *left;       /* asked for and not delivered yet */
} Window;

struct RackFetch
{
  /* Where from: a mailbox, or a session's connection. */
  RackMailbox *mailbox;
  RackLeaseFlags flags;
  RackLease lease;
  RackConn *conn; /* borrowed from the lease or session; NULL: none now */
  GCancellable *cancellable;
  char *items, *modifiers;
  char *context; /* of a session's: what stands in front of an error */
  RackFields wanted;
  guint tries;

  RackSet *todo;     /* not asked for yet */
  gboolean is_whole; /* nothing is in the mailbox between the UIDs of todo */
  RackSet *missed;   /* asked for, not answered; NULL: nothing is asked for a second time */
  RackSet *vanished; /* borrowed: what VANISHED (EARLIER) says goes in; or NULL */
  Window windows[2]; /* in order */
  guint window_size;
  guint64 octets, messages; /* seen so far, for the size of windows */

  GArray *batch; /* frames being delivered */
  guint at;
  RackArena *arena;
  RackResponse response;
  guint64 skipped;
};

RackFields
rack_fetch_wanted_fields (const char *items)
{
  static const struct
  {
    const char *name;
    RackFields field;
  } names[] = {
    { "ENVELOPE", RACK_FIELD_ENVELOPE }, { "BODYSTRUCTURE", RACK_FIELD_BODY },
    { "RFC822.SIZE", RACK_FIELD_SIZE },  { "INTERNALDATE", RACK_FIELD_DATE },
    { "BODY[", RACK_FIELD_SECTION },     { "BODY.PEEK[", RACK_FIELD_SECTION },
    { "X-GM-", RACK_FIELD_GMAIL },       { "PREVIEW", RACK_FIELD_PREVIEW },
  };
  g_autofree char *upper = g_ascii_strup (items, -1);
  RackFields wanted = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strstr (upper, names[i].name) != NULL)
      wanted |= names[i].field;
  return wanted;
}

static RackFetch *
fetch_new (const char *items, GCancellable *cancellable)
{
  RackFetch *fetch = g_new0 (RackFetch, 1);

  fetch->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  fetch->items = g_strdup (items);
  fetch->wanted = rack_fetch_wanted_fields (items);
  fetch->window_size = FIRST_WINDOW;
  fetch->batch = rack_fetch_frames_new ();
  fetch->arena = rack_arena_new ();
  return fetch;
}

static void
window_clear (Window *window)
{
  if (window->call != NULL)
    {
      rack_conn_detach (window->call->call.conn, &window->call->call);
      rack_call_unref (&window->call->call);
    }
  g_clear_pointer (&window->left, rack_set_free);
  window->call = NULL;
}

static void
give_back (RackFetch *fetch, gboolean lost)
{
  if (fetch->mailbox != NULL && fetch->conn != NULL)
    rack_mailbox_release (fetch->mailbox, &fetch->lease, lost);
  fetch->conn = NULL;
}

void
rack_fetch_free (RackFetch *fetch)
{
  if (fetch == NULL)
    return;
  window_clear (&fetch->windows[0]);
  window_clear (&fetch->windows[1]);
  give_back (fetch, FALSE);
  g_clear_pointer (&fetch->mailbox, rack_mailbox_unref);
  g_clear_object (&fetch->cancellable);
  rack_set_free (fetch->todo);
  rack_set_free (fetch->missed);
  g_array_set_clear_func (fetch->batch, NULL);
  /* Those that were delivered were given back, but for the last one. */
  for (guint i = 0; i < fetch->batch->len; i++)
    if (g_array_index (fetch->batch, RackFetchFrame, i).block != NULL)
      rack_block_unref (g_array_index (fetch->batch, RackFetchFrame, i).block);
  g_array_free (fetch->batch, TRUE);
  rack_arena_free (fetch->arena);
  g_free (fetch->items);
  g_free (fetch->context);
  g_free (fetch->modifiers);
  g_free (fetch);
}

guint64
rack_fetch_skipped (const RackFetch *fetch)
{
  return fetch->skipped;
}

/* ---- Windows ------------------------------------------------------------------------------ */

static gsize
digits (guint32 number)
{
  gsize n = 1;
  for (; number >= 10; number /= 10)
    n++;
  return n;
}

/* With a comma. */
static gsize
text_size (RackRange range)
{
  return digits (range.first) + 1 + (range.last > range.first ? digits (range.last) + 1 : 0);
}

/* Takes the next UIDs off todo, which has some: as many as a window holds and a command line, which
 * knows no limit where a window is one range. From the end of a scratch list it would be cheaper,
 * but ascending is what servers like. */
static RackSet *
take_window (RackFetch *fetch)
{
  RackSet *uids = rack_set_new ();
  RackRanges ranges = rack_set_ranges (fetch->todo);
  guint64 room = fetch->window_size;
  gsize octets = 0;

  for (gsize i = 0; i < ranges.n && room > 0 && octets < SET_OCTETS; i++)
    {
      RackRange range = ranges.items[i];
      guint64 n = MIN ((guint64) range.last - range.first + 1, room);
      rack_set_add (uids, range.first, (guint32) (range.first + n - 1));
      room -= n;
      octets += fetch->is_whole ? 0 : text_size (range);
    }
  RackRange taken = rack_fetch_extent (uids);
  rack_set_remove (fetch->todo, taken.first, taken.last);
  return uids;
}

static RackCommand *
make_fetch (RackFetch *fetch, const RackSet *uids)
{
  RackCommand *command = rack_command_new ("UID FETCH");
  g_autofree char *items = g_strdup_printf ("(UID %s)", fetch->items);
  RackRange range = rack_fetch_extent (uids);
  g_autoptr (RackSet) all = rack_set_new_range (range.first, range.last);

  rack_command_set (command, fetch->is_whole ? all : uids);
  rack_command_raw (command, items);
  if (fetch->modifiers != NULL)
    {
      g_autofree char *modifiers = g_strdup_printf ("(%s)", fetch->modifiers);
      rack_command_raw (command, modifiers);
    }
  return command;
}

/* Grows while windows are cheap, shrinks to what messages turned out to weigh. */
static void
adapt_window (RackFetch *fetch)
{
  guint by_octets = RACK_FETCH_MAX_WINDOW;

  if (fetch->messages > 0 && fetch->octets / fetch->messages > 0)
    by_octets =
        (guint) CLAMP (WINDOW_OCTETS / (fetch->octets / fetch->messages), 1, RACK_FETCH_MAX_WINDOW);
  fetch->window_size = MIN (MIN (fetch->window_size * 4, RACK_FETCH_MAX_WINDOW), by_octets);
}

static gboolean
ask_more (RackFetch *fetch, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (fetch->windows); i++)
    {
      Window *window = &fetch->windows[i];
      if (window->call != NULL || fetch->todo == NULL || rack_set_ranges (fetch->todo).n == 0)
        continue;
      if (fetch->conn == NULL)
        {
          if (!rack_mailbox_lease (fetch->mailbox, fetch->flags, fetch->cancellable, &fetch->lease,
                                   error))
            return FALSE;
          fetch->conn = fetch->lease.conn;
        }
      RackSet *uids = take_window (fetch);
      window->left = rack_set_copy (uids);
      window->call = rack_fetch_call_new (make_fetch (fetch, uids), uids);
      window->call->wanted = fetch->wanted;
      rack_conn_post (fetch->conn, &window->call->call);
      adapt_window (fetch);
    }
  return TRUE;
}

/* After a lost connection: what was not delivered is asked for again. */
static void
ask_again (RackFetch *fetch)
{
  for (guint i = 0; i < G_N_ELEMENTS (fetch->windows); i++)
    if (fetch->windows[i].call != NULL)
      {
        rack_set_add_ranges (fetch->todo, rack_set_ranges (fetch->windows[i].left));
        window_clear (&fetch->windows[i]);
      }
  give_back (fetch, TRUE);
}

static void
take_vanished (RackFetch *fetch, const RackReply *reply)
{
  const RackResponse *response;

  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_VANISHED)
      {
        g_autoptr (RackSet) uids = rack_set_new ();
        rack_set_add_ranges (uids, response->vanished.uids);
        rack_set_merge (fetch->vanished, uids);
      }
}

/* A connection that was selected before does not show what came since. What was there when it was
 * selected it does: if that was not answered, it is gone. */
static void
note_missed (RackFetch *fetch, const RackSet *left)
{
  g_autoptr (RackSet) unseen = rack_set_copy (left);
  RackMailboxStatus then = { 0 };

  rack_mailbox_read_select (fetch->lease.select->reply, &then);
  if (then.uid_next > 1)
    rack_set_remove (unseen, 1, then.uid_next - 1);
  rack_set_merge (fetch->missed, unseen);
}

/* The first window is over: TRUE to go on with what is left. */
static gboolean
end_window (RackFetch *fetch, GError **error)
{
  RackFetchCall *call = fetch->windows[0].call;
  GError *problem = call->call.error != NULL ? g_error_copy (call->call.error)
                                             : rack_reply_to_error (call->call.reply);

  if (problem != NULL && fetch->mailbox != NULL && rack_error_is_lost (problem)
      && fetch->tries++ < 3)
    {
      g_error_free (problem);
      ask_again (fetch);
      return TRUE;
    }
  if (problem == NULL)
    {
      fetch->tries = 0;
      if (fetch->vanished != NULL)
        take_vanished (fetch, call->call.reply);
      if (fetch->missed != NULL && fetch->lease.reused)
        note_missed (fetch, fetch->windows[0].left);
      window_clear (&fetch->windows[0]);
      fetch->windows[0] = fetch->windows[1];
      fetch->windows[1] = (Window){ NULL, NULL };
      return TRUE;
    }
  g_propagate_error (error, problem);
  if (fetch->mailbox != NULL)
    rack_mailbox_prefix (fetch->mailbox, "fetch", error);
  else if (fetch->context != NULL)
    g_prefix_error (error, "%s: ", fetch->context);
  return FALSE;
}

/* All windows are over. What had no answer is gone, or new and not shown on this connection yet: it
 * is asked for once more, after the server was made to look. */
static gboolean
ask_for_missed (RackFetch *fetch, GError **error)
{
  if (fetch->missed == NULL || rack_set_count (fetch->missed) == 0)
    return TRUE;
  rack_set_free (fetch->todo);
  fetch->todo = g_steal_pointer (&fetch->missed);
  fetch->is_whole = FALSE;
  g_autoptr (GError) problem = NULL;
  if (fetch->conn == NULL || rack_lease_refresh (&fetch->lease, fetch->cancellable, &problem))
    return TRUE;
  if (rack_error_is_lost (problem))
    {
      give_back (fetch, TRUE);
      return TRUE;
    }
  g_propagate_error (error, g_steal_pointer (&problem));
  rack_mailbox_prefix (fetch->mailbox, "fetch", error);
  return FALSE;
}

/* Fills the batch with what the first window has; waits if it must. FALSE at the end or with error.
 */
static gboolean
next_batch (RackFetch *fetch, GError **error)
{
  g_array_set_clear_func (fetch->batch, NULL);
  g_array_set_size (fetch->batch, 0);
  g_array_set_clear_func (fetch->batch, rack_fetch_frame_clear);
  fetch->at = 0;
  for (;;)
    {
      if (fetch->mailbox != NULL && !ask_more (fetch, error))
        return FALSE;
      if (fetch->windows[0].call == NULL
          && (!ask_for_missed (fetch, error) || !ask_more (fetch, error)))
        return FALSE;
      RackFetchCall *call = fetch->windows[0].call;
      if (call == NULL)
        return FALSE;
      gboolean ok = rack_fetch_call_take (call, &fetch->batch, fetch->cancellable, error);
      if (!ok || fetch->batch->len > 0)
        return ok;
      if (!end_window (fetch, error))
        return FALSE;
    }
}

/* Whether a parsed response is an answer to what was asked, and the first for its message. */
static gboolean
is_answer (RackFetch *fetch)
{
  const RackMessage *message = &fetch->response.message;
  RackSet *left = fetch->windows[0].left;

  if (left == NULL) /* a session's: everything is shown */
    return TRUE;
  if (message->uid == 0 || (message->fields & fetch->wanted) != fetch->wanted
      || !rack_set_contains (left, message->uid))
    return FALSE;
  rack_set_remove (left, message->uid, message->uid);
  return TRUE;
}

/* It was answered, even if nobody understands how. */
static void
skip (RackFetch *fetch, RackStr bytes)
{
  guint32 uid = rack_response_peek_uid (bytes);

  fetch->skipped++;
  if (uid != 0 && fetch->windows[0].left != NULL)
    rack_set_remove (fetch->windows[0].left, uid, uid);
}

const RackMessage *
rack_fetch_next (RackFetch *fetch, GError **error)
{
  if (fetch->at > 0)
    {
      /* The message given out before is not needed any more. */
      RackFetchFrame *last = &g_array_index (fetch->batch, RackFetchFrame, fetch->at - 1);
      g_clear_pointer (&last->block, rack_block_unref);
    }
  for (;;)
    {
      if (fetch->at == fetch->batch->len && !next_batch (fetch, error))
        return NULL;
      RackFetchFrame *frame = &g_array_index (fetch->batch, RackFetchFrame, fetch->at++);
      rack_arena_reset (fetch->arena);
      fetch->octets += frame->bytes.size;
      fetch->messages++;
      if (!rack_response_parse (frame->bytes, fetch->arena, &fetch->response, NULL))
        skip (fetch, frame->bytes);
      else if (is_answer (fetch))
        return &fetch->response.message;
      g_clear_pointer (&frame->block, rack_block_unref);
    }
}

/* ---- Beginning ---------------------------------------------------------------------------- */

RackFetch *
rack_mailbox_fetch (RackMailbox *mailbox, const RackSet *uids, const char *items,
                    const char *modifiers, GCancellable *cancellable, GError **error)
{
  g_autoptr (RackFetch) fetch = fetch_new (items, cancellable);

  fetch->mailbox = rack_mailbox_ref (mailbox);
  fetch->flags = RACK_LEASE_BULK;
  fetch->modifiers = g_strdup (modifiers);
  if (modifiers == NULL) /* with CHANGEDSINCE silence is an answer */
    fetch->missed = rack_set_new ();
  fetch->todo = rack_fetch_resolve (mailbox, uids, &fetch->is_whole, cancellable, error);
  if (fetch->todo == NULL)
    return NULL;
  return g_steal_pointer (&fetch);
}

void
rack_fetch_stand_in_line (RackFetch *fetch)
{
  fetch->flags |= RACK_LEASE_IN_LINE;
}

RackFetch *
rack_fetch_new_on (RackConn *conn, RackCommand *command, const char *context,
                   GCancellable *cancellable)
{
  RackFetch *fetch = fetch_new ("", cancellable);

  fetch->conn = conn;
  fetch->context = g_strdup (context);
  fetch->windows[0].call = rack_fetch_call_new (command, NULL);
  rack_conn_post (conn, &fetch->windows[0].call->call);
  return fetch;
}

RackFetch *
rack_fetch_new_for (RackConn *conn, RackCommand *command, RackSet *uids, RackSet *vanished,
                    GCancellable *cancellable)
{
  RackFetch *fetch = fetch_new ("", cancellable);
  RackFetchCall *call = rack_fetch_call_new (command, uids);

  fetch->conn = conn;
  fetch->vanished = vanished;
  fetch->windows[0].call = call;
  if (vanished != NULL)
    call->call.exchange.takes |= RACK_TAKES_VANISHED;
  rack_conn_post (conn, &call->call);
  return fetch;
}
