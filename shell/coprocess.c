/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * coprocess.c - the shell driven by a program; see coprocess.h
 *
 * Lines are read on a thread of their own, so that the connection can be in IDLE until the next one
 * comes. All else happens on the thread that called. */
#include "coprocess.h"

#include "convert.h"
#include "eval-error.h"
#include "json-text.h"
#include "repr.h"
#include "safe-text.h"

#include <stdlib.h>
#include <string.h>

typedef struct
{
  Shell *shell;
  GAsyncQueue *lines; /* of char *; "\n" alone in front is the end of input */
  GCancellable *wake; /* there is a line */
} Coprocess;

/* The reader has one of the references: it may wait for input when all else has ended. */
static void
coprocess_clear (gpointer data)
{
  Coprocess *coprocess = data;

  g_async_queue_unref (coprocess->lines);
  g_object_unref (coprocess->wake);
}

static void
coprocess_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, coprocess_clear);
}

/* ---- Reading ------------------------------------------------------------------------------------
 */

static const char end_of_input[] = "\n";

static gpointer
read_lines (gpointer data)
{
  Coprocess *coprocess = data;
  char *line = NULL;
  size_t room = 0;
  ssize_t n;

  while ((n = getline (&line, &room, stdin)) >= 0)
    {
      g_autoptr (GString) text = g_string_new_len (line, n);
      if (n > 0 && text->str[n - 1] == '\n')
        g_string_truncate (text, (gsize) n - 1);
      /* what cannot be in a line is told from it by what no line holds */
      g_async_queue_push (coprocess->lines, strlen (text->str) == text->len ? g_strdup (text->str)
                                                                            : g_strdup ("\n\n"));
      g_cancellable_cancel (coprocess->wake);
    }
  free (line);
  g_async_queue_push (coprocess->lines, g_strdup (end_of_input));
  g_cancellable_cancel (coprocess->wake);
  coprocess_unref (coprocess);
  return NULL;
}

/* ---- News ---------------------------------------------------------------------------------------
 */

static gboolean
is_json (const Shell *shell)
{
  return shell->settings.output == OUTPUT_JSON || shell->settings.output == OUTPUT_JSONL;
}

static void
append_value (const Shell *shell, GString *line, const Value *value)
{
  if (is_json (shell))
    json_append_value (line, value);
  else
    repr_append (line, value);
}

/* Takes news, which may be NULL. */
static void
tell_news (Shell *shell, RackReply *news)
{
  const RackResponse *response;

  if (news == NULL)
    return;
  g_autoptr (Value) list = value_list_new (4);
  convert_responses (list, news);
  for (guint i = 0; i < list->seq.n; i++)
    {
      g_autoptr (GString) line = g_string_new ("* ");
      append_value (shell, line, list->seq.items[i]);
      printf ("%s\n", line->str);
    }
  for (guint i = 0; (response = rack_reply_get (news, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_EXISTS)
      shell->messages = response->number;
  rack_reply_free (news);
  fflush (stdout);
}

static gboolean
can_rest (const Shell *shell)
{
  return shell->settings.news && shell->session != NULL && shell->mailbox != NULL
         && rack_session_alive (shell->session);
}

/* Hears what happens until there is a line, or the connection is lost: then the next line makes
 * another. After c.idle() news are what c.idle_check() gives, and not for here. */
static void
rest (Coprocess *coprocess)
{
  Shell *shell = coprocess->shell;

  if (!rack_session_rest (shell->session, TRUE))
    return;
  while (g_async_queue_length (coprocess->lines) <= 0 && rack_session_alive (shell->session))
    {
      g_autoptr (GError) error = NULL;
      tell_news (shell, rack_session_idle_check (shell->session, -1, coprocess->wake, &error));
      if (error != NULL && !g_error_matches (error, RACK_ERROR, RACK_ERROR_CANCELLED))
        break;
      if (g_async_queue_length (coprocess->lines) <= 0)
        g_cancellable_reset (coprocess->wake);
    }
  rack_session_rest (shell->session, FALSE);
}

/* Returns: (owned) */
static char *
next_line (Coprocess *coprocess)
{
  if (g_async_queue_length (coprocess->lines) <= 0 && can_rest (coprocess->shell))
    rest (coprocess);
  char *line = g_async_queue_pop (coprocess->lines);
  g_cancellable_reset (coprocess->wake);
  return line;
}

/* ---- Answers ------------------------------------------------------------------------------------
 */

static void
answer_error (const Shell *shell, const GError *error)
{
  g_autoptr (GString) line = g_string_new (NULL);
  const char *kind = shell_error_kind (error);

  if (is_json (shell))
    {
      g_string_append_printf (line, "{\"kind\": \"%s\", \"message\": ", kind);
      json_append_text (line, error->message, -1);
      g_string_append_c (line, '}');
    }
  else
    {
      g_string_append_printf (line, "%s: ", kind);
      safe_text_append (line, error->message, -1, SAFE_TEXT_LINE);
    }
  printf ("! %s\n", line->str);
}

static void
answer_value (const Shell *shell, const Value *value)
{
  g_autoptr (GString) line = g_string_new (NULL);

  append_value (shell, line, value);
  printf ("= %s\n", line->str);
}

/* What a line printed is its result, if it has no other. */
static void
answer (Shell *shell, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Value) result = NULL;
  char *printed = NULL;
  gsize size = 0;
  gboolean ok;

  shell->out = open_memstream (&printed, &size);
  shell->result = &result;
  g_cancellable_reset (shell->cancellable);
  if (strcmp (text, "\n\n") == 0)
    ok = (g_set_error_literal (&error, EVAL_ERROR, EVAL_ERROR_SYNTAX,
                               "there is a NUL octet in the line: this is no text"),
          FALSE);
  else
    ok = shell_run (shell, text, &error);
  fclose (shell->out);
  shell->out = stdout;
  shell->result = NULL;
  if (shell->settings.news && shell->session != NULL)
    tell_news (shell, rack_session_news (shell->session));
  if (!ok)
    answer_error (shell, error);
  else
    {
      if (result == NULL)
        result = size > 0 ? value_str (printed, (gssize) size) : value_none ();
      answer_value (shell, result);
    }
  free (printed);
  fflush (stdout);
}

int
coprocess_run (Shell *shell)
{
  Coprocess *coprocess = g_atomic_rc_box_new0 (Coprocess);

  coprocess->shell = shell;
  coprocess->lines = g_async_queue_new_full (g_free);
  coprocess->wake = g_cancellable_new ();
  g_thread_unref (g_thread_new ("lines", read_lines, g_atomic_rc_box_acquire (coprocess)));
  while (!shell->quit)
    {
      g_autofree char *line = next_line (coprocess);
      if (strcmp (line, end_of_input) == 0)
        break;
      answer (shell, line);
    }
  coprocess_unref (coprocess);
  return 0;
}
