/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * resync.c - what changed in a mailbox since a state that was kept
 *
 * A ladder: with QRESYNC the server says which messages vanished and which changed; with
 * CONDSTORE which changed; without, everything is compared. What is new is always one
 * question above the highest UID known.
 *
 * The mod-sequence to remember was read before anything was asked, and the connection was
 * then made to look at the mailbox: it answers at least for that state, and whatever comes
 * later has a higher one. A lost connection begins it all again, on a new one; telling a
 * message's flags twice does no harm. */
#include "resync-private.h"

#include <string.h>

/* Known messages per FETCH, two of them in flight: bounds what may wait to be pulled. */
#define WINDOW 131072
#define TRIES  3

struct RackResync
{
  RackMailbox *mailbox;
  GCancellable *cancellable;
  RackMailboxState from, to;
  const RackSet *known; /* borrowed from the caller */
  guint32 last;         /* every known UID is at or below; what is above is new */
  RackResyncRung rung;
  guint tries;
  RackResyncRung best; /* what is above was refused */
  gboolean done, failed;

  RackLease lease;
  RackAsk ask; /* .conn NULL: nothing is leased */
  RackCounts counts;
  gint64 unseen; /* -1: not known */

  RackSet *todo;         /* known UIDs whose changes were not asked for yet */
  RackFetch *windows[2]; /* in order */
  RackCall *new_call;    /* asks what is new */
  RackFlagReader *flags;
  RackSet *vanished, *added;
  RackMessage message;
};

/* ---- Life -------------------------------------------------------------------------- */

static void
let_go (RackResync *resync, gboolean lost)
{
  g_clear_pointer (&resync->flags, rack_flag_reader_free);
  g_clear_pointer (&resync->windows[0], rack_fetch_free);
  g_clear_pointer (&resync->windows[1], rack_fetch_free);
  if (resync->new_call != NULL)
    rack_conn_detach (resync->ask.conn, resync->new_call);
  g_clear_pointer (&resync->new_call, rack_call_unref);
  g_clear_pointer (&resync->todo, rack_set_free);
  if (resync->ask.conn != NULL)
    rack_mailbox_release (resync->mailbox, &resync->lease, lost);
  resync->ask.conn = NULL;
}

void
rack_resync_free (RackResync *resync)
{
  if (resync == NULL)
    return;
  let_go (resync, FALSE);
  rack_set_free (resync->vanished);
  rack_set_free (resync->added);
  g_clear_object (&resync->cancellable);
  rack_mailbox_unref (resync->mailbox);
  g_free (resync);
}

const RackSet *
rack_resync_vanished (RackResync *resync)
{
  return resync->vanished;
}

const RackSet *
rack_resync_added (RackResync *resync)
{
  return resync->added;
}

RackResyncRung
rack_resync_rung (RackResync *resync)
{
  return resync->rung;
}

void
rack_resync_state (RackResync *resync, RackMailboxState *state)
{
  *state = resync->done ? resync->to : resync->from;
}

/* ---- How the mailbox is now ----------------------------------------------------------- */

static gboolean
has_modseq (const RackResync *resync)
{
  return rack_conn_has (resync->ask.conn, "CONDSTORE")
         || rack_conn_has (resync->ask.conn, "QRESYNC");
}

/* Of the SELECT: true when nobody used the connection before. */
static void
look_at_select (RackResync *resync)
{
  RackMailboxStatus status = { 0 };

  rack_mailbox_read_select (resync->lease.select->reply, &status);
  resync->to.uid_next = status.uid_next;
  resync->to.highest_modseq = status.highest_modseq;
  resync->counts = resync->lease.select->counts;
}

/* Returns: the UIDVALIDITY, or 0 if it does not say. */
static guint32
take_status (RackResync *resync, const RackReply *reply)
{
  const RackResponse *response;
  guint32 uid_validity = 0;

  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    {
      const RackStatusData *status = &response->mailbox_status;
      if (response->kind != RACK_RESPONSE_MAILBOX_STATUS)
        continue;
      if (status->items & RACK_STATUS_UIDNEXT)
        resync->to.uid_next = (guint32) MIN (status->uid_next, G_MAXUINT32);
      if (status->items & RACK_STATUS_HIGHESTMODSEQ)
        resync->to.highest_modseq = status->highest_modseq;
      if (status->items & RACK_STATUS_UNSEEN)
        resync->unseen = (gint64) MIN (status->unseen, G_MAXINT64);
      if ((status->items & RACK_STATUS_UIDVALIDITY) && status->uid_validity != 0)
        uid_validity = (guint32) MIN (status->uid_validity, G_MAXUINT32);
    }
  return uid_validity;
}

/* STATUS first, then NOOP, after which the connection shows at least what STATUS counted. (Dovecot
 * counts what the connection showed before: what was reported last is then reported again.) */
static gboolean
look_again (RackResync *resync, GError **error)
{
  RackCommand *command = rack_command_new ("STATUS");

  rack_command_mailbox (command, resync->mailbox->name);
  rack_command_raw (command, has_modseq (resync) ? "(UIDVALIDITY UIDNEXT UNSEEN HIGHESTMODSEQ)"
                                                 : "(UIDVALIDITY UIDNEXT UNSEEN)");
  g_autoptr (RackCall) status = rack_call_new (command);
  g_autoptr (RackCall) noop = rack_call_new (rack_command_new ("NOOP"));
  rack_conn_post (resync->ask.conn, status);
  rack_conn_post (resync->ask.conn, noop);
  if (!rack_call_wait (status, resync->cancellable, error)
      || !rack_call_expect (noop, resync->cancellable, error))
    return FALSE;
  /* Refused: nothing is known of now, so that the plain way is gone. */
  resync->to.uid_next = 0;
  resync->to.highest_modseq = 0;
  guint32 uid_validity = take_status (resync, status->reply);
  resync->counts = noop->counts;
  if (uid_validity == 0 || uid_validity == rack_mailbox_validity (resync->mailbox))
    return TRUE;
  /* The connection was selected before, and shows what it had then. */
  rack_account_heard_validity (resync->mailbox->account, resync->mailbox->name, uid_validity);
  rack_mailbox_set_stale (error);
  return FALSE;
}

static gboolean
look (RackResync *resync, GError **error)
{
  if (!rack_mailbox_lease (resync->mailbox, RACK_LEASE_AGAIN, resync->cancellable, &resync->lease,
                           error))
    return FALSE;
  resync->ask = (RackAsk){ .conn = resync->lease.conn,
                           .cancellable = resync->cancellable,
                           .extended = rack_conn_has (resync->lease.conn, "ESEARCH")
                                       || rack_conn_has (resync->lease.conn, "IMAP4REV2") };
  resync->to = resync->from;
  resync->unseen = -1;
  look_at_select (resync);
  if ((resync->lease.reused || (!resync->ask.extended && !has_modseq (resync)))
      && !look_again (resync, error))
    return FALSE;
  if (!has_modseq (resync)) /* Yahoo sends HIGHESTMODSEQ all the same */
    resync->to.highest_modseq = 0;
  return TRUE;
}

/* A server whose mod-sequence went back was restored from a copy: it cannot tell. */
static RackResyncRung
choose_rung (const RackResync *resync)
{
  const RackMailboxState *from = &resync->from, *to = &resync->to;

  if (from->highest_modseq == 0 || to->highest_modseq < from->highest_modseq
      || resync->best == RACK_RESYNC_PLAIN)
    return RACK_RESYNC_PLAIN;
  if (to->highest_modseq == from->highest_modseq && from->uid_next != 0
      && to->uid_next == from->uid_next && resync->counts.exists == rack_set_count (resync->known))
    return RACK_RESYNC_UNCHANGED;
  if (resync->best < RACK_RESYNC_CONDSTORE && rack_conn_has (resync->ask.conn, "QRESYNC")
      && rack_conn_has (resync->ask.conn, "ENABLE")
      && !g_atomic_int_get (&resync->mailbox->account->qresync_refused))
    return RACK_RESYNC_QRESYNC;
  return RACK_RESYNC_CONDSTORE;
}

/* ---- What is new ------------------------------------------------------------------------ */

static void
post_new (RackResync *resync)
{
  g_autoptr (RackSet) above = NULL;

  if (resync->new_call != NULL || resync->last == RACK_SET_STAR)
    return;
  above = rack_set_new_range (resync->last + 1, RACK_SET_STAR);
  resync->new_call = rack_ask_post (&resync->ask, "UID", above);
}

/* counts: of the mailbox just before and just after; FALSE in *steady: it changed between. */
static gboolean
read_new (RackResync *resync, gboolean *steady, GError **error)
{
  RackCounts after = resync->counts;

  post_new (resync);
  if (resync->new_call != NULL)
    {
      RackSet *found = rack_ask_read (&resync->ask, resync->new_call, &after, error);
      g_clear_pointer (&resync->new_call, rack_call_unref);
      if (found == NULL)
        return FALSE;
      rack_set_free (resync->added);
      resync->added = found;
      /* "n:*" holds the last message even when it is below n (RFC 9051 §9, seq-range). */
      if (resync->last > 0)
        rack_set_remove (found, 1, resync->last);
    }
  *steady = memcmp (&after, &resync->counts, sizeof after) == 0;
  resync->counts = after;
  return TRUE;
}

/* Compares UIDs, as far as the numbers of messages say that there is something to find. */
static gboolean
compare (RackResync *resync, gboolean steady, GError **error)
{
  g_autoptr (RackSet) left = rack_set_copy (resync->known);
  g_autoptr (RackSet) gone = rack_set_new ();
  g_autoptr (RackSet) others = rack_set_new ();
  guint64 n_added = rack_set_count (resync->added);
  gboolean ok;

  rack_set_subtract (left, resync->vanished);
  if (!steady || n_added > resync->counts.exists)
    ok = rack_compare_all (&resync->ask, left, resync->last, gone, others, error);
  else
    ok = rack_compare (&resync->ask, left, resync->last, resync->counts.exists - n_added,
                       &resync->counts, gone, others, error);
  rack_set_merge (resync->vanished, gone);
  rack_set_merge (resync->added, others);
  return ok;
}

/* With QRESYNC the server has said what vanished, and only a count that is wrong is looked into. */
static gboolean
settle (RackResync *resync, GError **error)
{
  gboolean steady = FALSE, told = resync->rung == RACK_RESYNC_QRESYNC;

  if (resync->last == 0) /* nothing is known */
    return read_new (resync, &steady, error);
  for (guint try = 0; !steady && try < (told ? 1 : TRIES); try++)
    if (!read_new (resync, &steady, error))
      return FALSE;
  rack_set_intersect (resync->vanished, resync->known);
  return (told && !steady) || compare (resync, steady, error);
}

static void
finish (RackResync *resync)
{
  RackRanges added = rack_set_ranges (resync->added);
  guint32 above = added.n > 0 ? added.items[added.n - 1].last : 0;

  above = MAX (above, resync->last);
  resync->to.uid_next = MAX (resync->to.uid_next, above == RACK_SET_STAR ? above : above + 1);
  let_go (resync, FALSE);
  resync->done = TRUE;
}

/* ---- What changed ----------------------------------------------------------------------- */

/* Up to WINDOW known messages and the gaps between them. */
static RackSet *
take_window (RackResync *resync)
{
  RackRanges ranges = rack_set_ranges (resync->todo);
  guint32 first = ranges.items[0].first, last = resync->last;
  guint64 n = 0;

  for (gsize i = 0; i < ranges.n; i++)
    {
      guint64 size = (guint64) ranges.items[i].last - ranges.items[i].first + 1;
      if (n + size >= WINDOW && (i + 1 < ranges.n || n + size > WINDOW))
        {
          last = ranges.items[i].first + (guint32) (WINDOW - n - 1);
          break;
        }
      n += size;
    }
  rack_set_remove (resync->todo, first, last);
  return rack_set_new_range (first, last);
}

static RackFetch *
ask_window (RackResync *resync)
{
  gboolean vanished = resync->rung == RACK_RESYNC_QRESYNC;
  RackSet *window = take_window (resync);
  RackCommand *command = rack_command_new ("UID FETCH");
  g_autofree char *modifiers =
      g_strdup_printf ("(UID FLAGS) (CHANGEDSINCE %" G_GUINT64_FORMAT "%s)",
                       resync->from.highest_modseq, vanished ? " VANISHED" : "");

  rack_command_set (command, window);
  rack_command_raw (command, modifiers);
  return rack_fetch_new_for (resync->ask.conn, command, window, vanished ? resync->vanished : NULL,
                             resync->cancellable);
}

/* Two windows in flight; what is new is asked behind the last. */
static void
ask_more (RackResync *resync)
{
  for (guint i = 0; i < G_N_ELEMENTS (resync->windows); i++)
    if (resync->windows[i] == NULL && rack_set_ranges (resync->todo).n > 0)
      resync->windows[i] = ask_window (resync);
  if (rack_set_ranges (resync->todo).n == 0)
    post_new (resync);
}

/* From all windows in turn. NULL: the end, or error set. */
static const RackMessage *
next_change (RackResync *resync, GError **error)
{
  GError *problem = NULL;

  while (resync->windows[0] != NULL)
    {
      const RackMessage *message = rack_fetch_next (resync->windows[0], &problem);
      if (message != NULL && (message->fields & RACK_FIELD_FLAGS)
          && rack_set_contains (resync->known, message->uid))
        return message;
      if (message != NULL)
        continue;
      if (problem != NULL)
        {
          g_propagate_error (error, problem);
          return NULL;
        }
      rack_fetch_free (resync->windows[0]);
      resync->windows[0] = g_steal_pointer (&resync->windows[1]);
      ask_more (resync);
    }
  return NULL;
}

static char **
all_keywords (const RackResync *resync)
{
  GPtrArray *all = g_ptr_array_new ();
  g_auto (GStrv) later = rack_conn_new_keywords (resync->ask.conn);
  const RackResponse *response;

  for (guint i = 0; (response = rack_reply_get (resync->lease.select->reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_FLAGS)
      for (guint k = 0; k < response->flags.n_keywords; k++)
        g_ptr_array_add (all, rack_str_dup (response->flags.keywords[k]));
  for (char **at = later; at != NULL && *at != NULL; at++)
    if (!g_ptr_array_find_with_equal_func (all, *at, g_str_equal, NULL))
      g_ptr_array_add (all, g_strdup (*at));
  g_ptr_array_add (all, NULL);
  return (char **) g_ptr_array_free (all, FALSE);
}

/* Vanished messages have no flags worth a question; they are dealt with first. */
static gboolean
begin_plain (RackResync *resync, GError **error)
{
  if (!settle (resync, error))
    return FALSE;
  rack_set_subtract (resync->todo, resync->vanished);
  if (rack_set_ranges (resync->todo).n == 0)
    return TRUE;
  resync->flags = rack_flag_reader_new (resync->mailbox, &resync->ask, resync->todo,
                                        all_keywords (resync), resync->unseen, error);
  return resync->flags != NULL;
}

/* ---- The ladder ------------------------------------------------------------------------- */

static gboolean
begin (RackResync *resync, GError **error)
{
  rack_set_clear (resync->vanished);
  rack_set_clear (resync->added);
  if (!look (resync, error))
    return FALSE;
  resync->todo = rack_set_copy (resync->known);
  resync->rung = choose_rung (resync);
  switch (resync->rung)
    {
    case RACK_RESYNC_UNCHANGED:
      finish (resync);
      return TRUE;
    case RACK_RESYNC_QRESYNC:
    case RACK_RESYNC_CONDSTORE:
      ask_more (resync);
      return TRUE;
    case RACK_RESYNC_PLAIN:
      return begin_plain (resync, error);
    }
  return TRUE;
}

/* TRUE: it is worth another try, from the beginning. */
static gboolean
may_try_again (RackResync *resync, const GError *problem)
{
  gboolean refused = g_error_matches (problem, RACK_ERROR, RACK_ERROR_REFUSED);

  /* The FETCH of the changes: the next rung does without. */
  if (refused && resync->windows[0] != NULL)
    {
      resync->best =
          resync->rung == RACK_RESYNC_QRESYNC ? RACK_RESYNC_CONDSTORE : RACK_RESYNC_PLAIN;
      if (resync->rung == RACK_RESYNC_QRESYNC)
        g_atomic_int_set (&resync->mailbox->account->qresync_refused, TRUE);
      return TRUE;
    }
  return rack_error_is_lost (problem) && ++resync->tries < TRIES;
}

/* Begins, and after a lost connection again. problem: why it is to begin again, or NULL; taken. */
static gboolean
climb (RackResync *resync, GError *problem, GError **error)
{
  for (;;)
    {
      if (problem != NULL && !may_try_again (resync, problem))
        {
          let_go (resync, rack_error_is_lost (problem));
          resync->failed = TRUE;
          g_propagate_error (error, problem);
          rack_mailbox_prefix (resync->mailbox, "resync", error);
          return FALSE;
        }
      if (problem != NULL)
        let_go (resync, rack_error_is_lost (problem));
      g_clear_error (&problem);
      if (begin (resync, &problem))
        return TRUE;
    }
}

RackResync *
rack_mailbox_resync (RackMailbox *mailbox, const RackMailboxState *state, const RackSet *uids,
                     GCancellable *cancellable, GError **error)
{
  g_autoptr (RackResync) resync = g_new0 (RackResync, 1);
  RackRanges ranges = rack_set_ranges (uids);

  resync->mailbox = rack_mailbox_ref (mailbox);
  resync->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  resync->from = *state;
  resync->known = uids;
  resync->last = ranges.n > 0 ? ranges.items[ranges.n - 1].last : 0;
  resync->last = MAX (resync->last, state->uid_next > 0 ? state->uid_next - 1 : 0);
  resync->vanished = rack_set_new ();
  resync->added = rack_set_new ();
  if (state->uid_validity != rack_mailbox_validity (mailbox))
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_STALE,
                           "the mailbox was made anew on the server since the state was kept "
                           "(another UIDVALIDITY)");
      rack_mailbox_prefix (mailbox, "resync", error);
      return NULL;
    }
  return climb (resync, NULL, error) ? g_steal_pointer (&resync) : NULL;
}

const RackMessage *
rack_resync_next (RackResync *resync, GError **error)
{
  if (resync->failed)
    g_set_error (error, RACK_ERROR, RACK_ERROR_CLOSED, "%s: %s: the resync has failed before",
                 resync->mailbox->account->label, resync->mailbox->name);
  while (!resync->done && !resync->failed)
    {
      GError *problem = NULL;
      const RackMessage *message = resync->flags != NULL
                                       ? rack_flag_reader_next (resync->flags, &problem)
                                       : next_change (resync, &problem);
      if (message != NULL)
        {
          resync->message =
              (RackMessage){ .fields = message->fields
                                       & (RACK_FIELD_UID | RACK_FIELD_FLAGS | RACK_FIELD_MODSEQ),
                             .uid = message->uid,
                             .flags = message->flags,
                             .modseq = message->modseq };
          resync->message.flags.system &= ~RACK_FLAG_RECENT;
          return &resync->message;
        }
      if (problem == NULL && (resync->rung == RACK_RESYNC_PLAIN || settle (resync, &problem)))
        finish (resync);
      else if (!climb (resync, problem, error))
        return NULL;
    }
  return NULL;
}
