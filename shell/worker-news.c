/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * worker-news.c - what came into the selected mailbox: counted for the prompt, and new mail told
 *
 * What is new is known by its UID, so that neither what was expunged at the same time nor a
 * connection that was lost in between hides a message. */
#include "listing.h"
#include "worker-private.h"

#include <string.h>

/* More are told by their number alone. */
#define TOLD_MAX  5
#define FETCH_MAX 100

/* ---- Facts ------------------------------------------------------------------------------------
 */

static gboolean
same_facts (const WorkerFacts *a, const WorkerFacts *b)
{
  return a->connected == b->connected && a->read_only == b->read_only && a->messages == b->messages
         && a->fresh == b->fresh && g_strcmp0 (a->mailbox, b->mailbox) == 0;
}

static gboolean
tell_change (gpointer data)
{
  Worker *worker = data;

  worker->ops->changed (worker->data);
  return G_SOURCE_REMOVE;
}

void
worker_publish (Worker *worker)
{
  const Shell *shell = worker->shell;
  WorkerFacts facts = {
    .connected = shell->session != NULL && rack_session_alive (shell->session),
    .read_only = shell->read_only,
    .mailbox = g_strdup (shell->mailbox),
    .messages = shell->messages,
    .fresh = MIN (worker->fresh, shell->messages),
  };

  pthread_mutex_lock (&worker->lock);
  gboolean changed = !same_facts (&facts, &worker->facts);
  worker_facts_clear (&worker->facts);
  worker->facts = facts;
  pthread_mutex_unlock (&worker->lock);
  if (changed)
    g_idle_add (tell_change, worker);
}

void
worker_facts (Worker *worker, WorkerFacts *facts)
{
  pthread_mutex_lock (&worker->lock);
  *facts = worker->facts;
  facts->mailbox = g_strdup (facts->mailbox);
  pthread_mutex_unlock (&worker->lock);
}

/* Another mailbox, or the same as it is now. */
static void
begin_anew (Worker *worker)
{
  const Shell *shell = worker->shell;
  GPtrArray *flags = g_ptr_array_new_with_free_func (g_free);

  worker->selections = shell->selections;
  worker->uid_next = shell->uid_next;
  worker->messages = shell->messages;
  worker->fresh = shell->recent;
  worker->told = 1; /* by the answer to SELECT */
  for (guint i = 0; shell->flags != NULL && i < shell->flags->len; i++)
    g_ptr_array_add (flags, g_strdup (g_ptr_array_index (shell->flags, i)));
  pthread_mutex_lock (&worker->lock);
  g_ptr_array_unref (worker->flags);
  worker->flags = flags;
  pthread_mutex_unlock (&worker->lock);
}

void
worker_count (Worker *worker)
{
  Shell *shell = worker->shell;

  shell_count (shell);
  if (shell->mailbox == NULL || shell->selections != worker->selections)
    begin_anew (worker);
  worker_publish (worker);
}

/* ---- New mail ---------------------------------------------------------------------------------
 */

static void
tell_message (Worker *worker, const RackMessage *message)
{
  g_autofree char *from =
      message->envelope != NULL ? listing_sender (message->envelope) : g_strdup ("");
  g_autofree char *subject =
      message->envelope != NULL ? rack_header_decode (message->envelope->subject) : g_strdup ("");

  shell_notice (worker->shell, "New mail in %s%s%s: %s", worker->shell->mailbox,
                *from != '\0' ? " from " : "", from, *subject != '\0' ? subject : "(no subject)");
}

/* FETCH from a UID on. NULL: there is no such thing now. */
static RackFetch *
fetch_from (Worker *worker, const char *from, const char *items)
{
  RackCommand *command = rack_command_new ("UID FETCH");
  g_autofree char *text = g_strdup_printf ("%s:* %s", from, items);

  rack_command_raw (command, text);
  return rack_session_fetch (worker->shell->session, command, worker->shell->cancellable, NULL);
}

/* What a line itself added is no news. Known by UID, because mail may come at the same time; of a
 * server without UIDPLUS all is told. */
static gboolean
is_own (const Worker *worker, guint32 uid)
{
  return worker->shell->own != NULL && rack_set_contains (worker->shell->own, uid);
}

/* How many of what is new now. */
static guint64
count_own (const Worker *worker)
{
  if (worker->shell->own == NULL || worker->uid_next == 0)
    return 0;
  g_autoptr (RackSet) own = rack_set_copy (worker->shell->own);
  if (worker->uid_next > 1)
    rack_set_remove (own, 1, worker->uid_next - 1);
  return rack_set_count (own);
}

/* Tells of each new message that nobody has read elsewhere. FALSE: it was interrupted. */
static gboolean
look_at_each (Worker *worker, gboolean announce)
{
  g_autofree char *from = g_strdup_printf ("%u", worker->uid_next);
  g_autoptr (RackFetch) fetch = fetch_from (worker, from, "(UID FLAGS ENVELOPE)");
  g_autoptr (GError) error = NULL;
  const RackMessage *message;
  guint32 first = worker->uid_next;
  guint64 n = 0;

  while (fetch != NULL && (message = rack_fetch_next (fetch, &error)) != NULL)
    {
      if (message->uid < first)
        continue;
      worker->uid_next = MAX (worker->uid_next, message->uid + 1);
      worker->fresh++;
      if ((message->flags.system & RACK_FLAG_SEEN) || !announce || is_own (worker, message->uid))
        continue;
      if (++n <= TOLD_MAX)
        tell_message (worker, message);
    }
  if (n > TOLD_MAX)
    shell_notice (worker->shell, "... and %" G_GUINT64_FORMAT " more", n - TOLD_MAX);
  return fetch != NULL && error == NULL;
}

/* So many that they are only counted; or the server says no UIDNEXT. Counted when the newest is
 * known, since more may have come until then. */
static gboolean
look_at_number (Worker *worker, RackSessionCounts *counts, gboolean announce)
{
  g_autoptr (RackFetch) fetch = fetch_from (worker, "*", "(UID)");
  g_autoptr (GError) error = NULL;
  const RackMessage *message;
  guint64 own = count_own (worker);

  while (fetch != NULL && (message = rack_fetch_next (fetch, &error)) != NULL)
    worker->uid_next = MAX (worker->uid_next, message->uid + 1);
  if (fetch == NULL || error != NULL)
    return FALSE;
  rack_session_counts (worker->shell->session, counts);
  guint64 n = counts->messages > worker->messages ? counts->messages - worker->messages : 0;
  worker->fresh += n;
  if (announce && n > own)
    shell_notice (worker->shell, "New mail in %s: %" G_GUINT64_FORMAT " message%s",
                  worker->shell->mailbox, n - own, n - own == 1 ? "" : "s");
  return TRUE;
}

void
worker_look (Worker *worker)
{
  Shell *shell = worker->shell;
  RackSessionCounts counts;
  gboolean announce = shell->settings.notices;

  if (shell->session == NULL || !rack_session_alive (shell->session))
    return;
  rack_reply_free (rack_session_news (shell->session));
  worker_count (worker);
  if (shell->mailbox == NULL)
    return;
  rack_session_counts (shell->session, &counts);
  guint64 n = counts.messages > worker->messages ? counts.messages - worker->messages : 0;
  gboolean ok = TRUE;
  if (counts.told != worker->told)
    ok = worker->uid_next == 0 || n > FETCH_MAX ? look_at_number (worker, &counts, announce)
                                                : look_at_each (worker, announce);
  if (!ok)
    return; /* the next look finds it */
  worker->told = counts.told;
  worker->messages = counts.messages;
  worker_count (worker);
}
