/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-watch.c - watch: what happens in a mailbox, as it happens
 *
 * Ends with Ctrl-C, after --count of them, or after --timeout seconds. */
#include "command-table.h"
#include "sets.h"

#include <string.h>

/* Cancels a wait after a time, or when the line is cancelled. */
typedef struct
{
  GCancellable *cancellable;
  GMutex lock;
  GCond over;
  gboolean is_over;
  gboolean timed_out;
  gint64 deadline; /* monotonic, microseconds */
  GThread *thread;
  gulong handler;
} Timer;

static gpointer
run_timer (gpointer data)
{
  Timer *timer = data;

  g_mutex_lock (&timer->lock);
  while (!timer->is_over)
    if (!g_cond_wait_until (&timer->over, &timer->lock, timer->deadline))
      break;
  timer->timed_out = !timer->is_over;
  g_mutex_unlock (&timer->lock);
  if (timer->timed_out)
    g_cancellable_cancel (timer->cancellable);
  return NULL;
}

static void
cancel_too (GCancellable *cancellable, gpointer other)
{
  g_cancellable_cancel (other);
}

static void
timer_start (Timer *timer, GCancellable *parent, gint64 seconds)
{
  *timer = (Timer){ .cancellable = g_cancellable_new () };
  g_mutex_init (&timer->lock);
  g_cond_init (&timer->over);
  timer->handler =
      g_cancellable_connect (parent, G_CALLBACK (cancel_too), timer->cancellable, NULL);
  timer->deadline = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  if (seconds > 0)
    timer->thread = g_thread_new ("watch", run_timer, timer);
}

static void
timer_stop (Timer *timer, GCancellable *parent)
{
  g_mutex_lock (&timer->lock);
  timer->is_over = TRUE;
  g_cond_signal (&timer->over);
  g_mutex_unlock (&timer->lock);
  if (timer->thread != NULL)
    g_thread_join (timer->thread);
  g_cancellable_disconnect (parent, timer->handler);
  g_mutex_clear (&timer->lock);
  g_cond_clear (&timer->over);
  g_object_unref (timer->cancellable);
}

/* ---- Events -------------------------------------------------------------------------------------
 */

static const char *
event_name (RackEventKind kind)
{
  switch (kind)
    {
    case RACK_EVENT_ADDED:
      return "added";
    case RACK_EVENT_REMOVED:
      return "removed";
    case RACK_EVENT_FLAGS:
      return "flags";
    case RACK_EVENT_RESET:
      return "reset";
    case RACK_EVENT_GONE:
      return "gone";
    }
  return "";
}

static void
add_flags (Output *output, RackFlags flags)
{
  static const char *const names[] = { "\\Answered", "\\Flagged", "\\Deleted",
                                       "\\Seen",     "\\Draft",   "\\Recent" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (flags & (1u << i))
      output_word (output, names[i], -1);
  output_words_end (output);
}

static gboolean
add_event (Output *output, const char *mailbox, const RackEvent *event)
{
  const RackEnvelope *envelope = event->message != NULL ? event->message->envelope : NULL;
  g_autofree char *subject = envelope != NULL ? rack_header_decode (envelope->subject) : NULL;

  output_text (output, event_name (event->kind), -1);
  output_text (output, mailbox, -1);
  if (event->uid != 0)
    output_number (output, event->uid);
  else
    output_none (output);
  add_flags (output, event->message != NULL ? event->message->flags.system : event->flags);
  output_text (output, subject, -1);
  return output_row (output);
}

static gboolean
watch_until (Shell *shell, RackWatch *watch, const char *mailbox, guint64 count,
             GCancellable *cancellable, GError **error)
{
  static const OutputColumn columns[] = {
    { "event", "EVENT", CELL_TEXT, 8 },     { "mailbox", NULL, CELL_TEXT, 0 },
    { "uid", "UID", CELL_NUMBER, 7 },       { "flags", "FLAGS", CELL_WORDS, 24 },
    { "subject", "SUBJECT", CELL_TEXT, 0 }, { NULL, NULL, CELL_TEXT, 0 },
  };
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_LIVE);
  gboolean ok = TRUE;
  RackEvent event;

  for (guint64 n = 0; ok && (count == 0 || n < count); n++)
    {
      ok = rack_watch_next (watch, &event, cancellable, error);
      if (ok && !add_event (output, mailbox, &event))
        break;
    }
  output_end (output);
  return ok;
}

static gboolean
option_number (const CommandCall *call, const char *name, guint64 *number, GError **error)
{
  const char *text = command_option (call, name);

  *number = 0;
  if (text == NULL || g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT32, number, NULL))
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "--%s: \"%s\" is no number from 1 on", name,
               text);
  return FALSE;
}

SHELL_COMMAND (do_watch)
{
  Shell *shell = session;
  const char *name = call->n > 0              ? call->words[0].text
                     : shell->mailbox != NULL ? shell->mailbox
                                              : "INBOX";
  g_autoptr (GError) problem = NULL;
  guint64 count, seconds;
  Timer timer;

  if (!option_number (call, "count", &count, error)
      || !option_number (call, "timeout", &seconds, error))
    return FALSE;
  g_autoptr (RackMailbox) mailbox =
      rack_mailbox_open (shell->account, name, TRUE, shell->cancellable, error);
  g_autoptr (RackWatch) watch =
      mailbox != NULL ? rack_mailbox_watch (mailbox, shell->cancellable, error) : NULL;
  if (watch == NULL)
    return FALSE;
  rack_watch_want (watch, "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE");
  timer_start (&timer, shell->cancellable, (gint64) seconds);
  gboolean ok = watch_until (shell, watch, name, count, timer.cancellable, &problem);
  gboolean timed_out = timer.timed_out;
  timer_stop (&timer, shell->cancellable);
  if (ok || (timed_out && g_error_matches (problem, RACK_ERROR, RACK_ERROR_CANCELLED)))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}
