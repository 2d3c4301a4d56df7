/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * repl.c - the prompt: readline, history, completion of names, Ctrl-C
 *
 * The only file of the project that knows readline. Lines go to run.c. */
#include "eval-error.h"
#include "safe-text.h"
#include "shell.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static Shell *current; /* for readline's callbacks and the signal */

/* ---- Ctrl-C
 * --------------------------------------------------------------------------------------------------
 */

static int interrupt_pipe[2] = { -1, -1 };

static volatile sig_atomic_t interrupted;

static void
on_interrupt (int number)
{
  char one = 1;

  interrupted = 1;
  if (write (interrupt_pipe[1], &one, 1) < 0)
    return;
}

/* GCancellable is not for signal handlers, so a thread stands between. */
static gpointer
cancel_on_interrupt (gpointer data)
{
  char one;

  while (read (interrupt_pipe[0], &one, 1) == 1)
    g_cancellable_cancel (current->cancellable);
  return NULL;
}

/* A call that goes on over several lines is given up as a whole. */
static gboolean continuing, abandoned;

/* At the prompt Ctrl-C clears the line. */
static void
clear_line (void)
{
  fputc ('\n', rl_outstream);
  rl_replace_line ("", 0);
  rl_on_new_line ();
  rl_redisplay ();
}

/* readline's own reader waits on behind a signal, so the wait is here. No signal is missed: they
 * are let in by ppoll alone. EOF for a call that was given up. */
static int
read_key (FILE *in)
{
  struct pollfd key = { .fd = fileno (in), .events = POLLIN };
  sigset_t interrupt, before;

  sigemptyset (&interrupt);
  sigaddset (&interrupt, SIGINT);
  pthread_sigmask (SIG_BLOCK, &interrupt, &before);
  for (;;)
    {
      rl_check_signals ();
      if (interrupted && continuing)
        {
          abandoned = TRUE;
          break;
        }
      if (interrupted)
        clear_line ();
      interrupted = 0;
      if (ppoll (&key, 1, NULL, &before) > 0 || errno != EINTR)
        break;
    }
  interrupted = 0;
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return abandoned ? EOF : rl_getc (in);
}

/* ---- Completion
 * ------------------------------------------------------------------------------------------------
 */

static char **candidates;

static char *
next_candidate (const char *text, int state)
{
  static guint at;
  gsize size = strlen (text);

  if (state == 0)
    at = 0;
  while (candidates != NULL && candidates[at] != NULL)
    {
      const char *found = candidates[at++];
      if (strncmp (found, text, size) == 0)
        return strdup (found);
    }
  return NULL;
}

static char **
command_names (void)
{
  GPtrArray *names = g_ptr_array_new ();

  for (const Command *at = shell_commands; at->name != NULL; at++)
    g_ptr_array_add (names, g_strdup (at->name));
  g_ptr_array_add (names, g_strdup ("c."));
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

static char **
method_names (void)
{
  Value *client = interp_get (current->interp, "c");
  GPtrArray *names = g_ptr_array_new ();

  for (const char *const *at = client->object.class->methods; *at != NULL; at++)
    g_ptr_array_add (names, g_strdup_printf ("c.%s(", *at));
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

static char **
mailbox_names (void)
{
  g_autoptr (GPtrArray) list = rack_account_list (current->account, "*", 0, NULL, NULL);
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; list != NULL && i < list->len; i++)
    g_ptr_array_add (names,
                     command_quote (((RackMailboxInfo *) g_ptr_array_index (list, i))->name));
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

static gboolean
completes (const Command *command, CommandCompletion what)
{
  for (const CommandParameter *at = command->parameters; at->name != NULL; at++)
    if (at->completion & what)
      return TRUE;
  return FALSE;
}

static char **
complete (const char *text, int start, int end)
{
  g_autofree char *line = g_strndup (rl_line_buffer, (gsize) start);
  g_auto (GStrv) words = g_strsplit (g_strstrip (line), " ", 2);
  const Command *command = words[0] != NULL ? command_find (shell_commands, words[0]) : NULL;

  g_clear_pointer (&candidates, g_strfreev);
  rl_completion_append_character = ' ';
  if (command == NULL)
    {
      candidates = g_str_has_prefix (text, "c.") ? method_names () : command_names ();
      rl_completion_append_character = '\0';
    }
  else if (completes (command, COMPLETE_MAILBOX))
    candidates = mailbox_names ();
  else if (completes (command, COMPLETE_COMMAND))
    candidates = command_names ();
  else if (completes (command, COMPLETE_FILE))
    return NULL; /* readline's own */
  rl_attempted_completion_over = 1;
  return rl_completion_matches (text, next_candidate);
}

/* ---- History
 * ------------------------------------------------------------------------------------------------------
 */

static char *
history_path (void)
{
  g_autofree char *directory = g_build_filename (g_get_user_state_dir (), "mailrack", NULL);

  g_mkdir_with_parents (directory, 0700);
  return g_build_filename (directory, "history", NULL);
}

/* Lines with a leading space, and those that could hold a password, are not kept. */
static void
remember (const char *line)
{
  g_autofree char *lower = g_ascii_strdown (line, -1);

  if (*line != ' ' && *line != '\0' && strstr (lower, "raw login") == NULL
      && strstr (lower, "raw authenticate") == NULL && strstr (lower, "c.login") == NULL)
    add_history (line);
}

/* ---- The loop
 * ------------------------------------------------------------------------------------------------------
 */

static void
print_error (const GError *error)
{
  g_autofree char *safe = safe_text_dup (error->message, -1, SAFE_TEXT_LINE);

  if (error->domain == EVAL_ERROR)
    fprintf (stderr, "%s: %s\n", eval_error_kind (error), safe);
  else
    fprintf (stderr, "%s\n", safe);
}

static char *
make_prompt (Shell *shell, const char *name)
{
  g_autofree char *mailbox =
      shell->mailbox != NULL ? safe_text_dup (shell->mailbox, -1, SAFE_TEXT_LINE) : NULL;

  if (mailbox == NULL)
    return g_strdup_printf ("%s> ", name);
  return g_strdup_printf ("%s:%s (%" G_GUINT64_FORMAT ")> ", name, mailbox, shell->messages);
}

static void
tell_news (Shell *shell)
{
  g_autoptr (RackReply) news = shell->session != NULL ? rack_session_news (shell->session) : NULL;
  const RackResponse *response;

  for (guint i = 0; news != NULL && (response = rack_reply_get (news, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_EXISTS)
      {
        if (response->number > shell->messages)
          fprintf (stderr, "New mail: %u messages\n", response->number);
        shell->messages = response->number;
      }
}

/* NULL: the call was given up, by Ctrl-C or Ctrl-D. */
static char *
read_more (void)
{
  continuing = TRUE;
  abandoned = FALSE;
  char *more = readline ("... ");
  continuing = FALSE;
  if (more == NULL && !abandoned)
    fputc ('\n', stderr);
  if (!abandoned)
    return more;
  abandoned = FALSE;
  free (more);
  return NULL;
}

static void
run_lines (Shell *shell, char *line)
{
  g_autoptr (GString) text = g_string_new (line);

  for (;;)
    {
      g_autoptr (GError) error = NULL;
      interrupted = 0;
      g_cancellable_reset (shell->cancellable);
      if (shell_run (shell, text->str, &error))
        break;
      if (!g_error_matches (error, EVAL_ERROR, EVAL_ERROR_INCOMPLETE))
        {
          print_error (error);
          break;
        }
      char *more = read_more ();
      if (more == NULL)
        return;
      g_string_append_c (text, '\n');
      g_string_append (text, more);
      free (more);
    }
  remember (text->str);
}

int
shell_repl (Shell *shell, const char *name)
{
  g_autofree char *history = history_path ();
  struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };

  current = shell;
  if (g_unix_open_pipe (interrupt_pipe, FD_CLOEXEC, NULL))
    {
      sigset_t all, before;
      sigfillset (&all); /* signals are for the thread that waits for keys */
      pthread_sigmask (SIG_SETMASK, &all, &before);
      g_thread_unref (g_thread_new ("interrupt", cancel_on_interrupt, NULL));
      pthread_sigmask (SIG_SETMASK, &before, NULL);
      sigaction (SIGINT, &action, NULL);
    }
  rl_readline_name = "mailrack";
  rl_attempted_completion_function = complete;
  rl_getc_function = read_key;
  using_history ();
  stifle_history (5000);
  read_history (history);
  while (!shell->quit)
    {
      tell_news (shell);
      g_autofree char *prompt = make_prompt (shell, name);
      char *line = readline (prompt);
      if (line == NULL)
        {
          fputc ('\n', stderr);
          break;
        }
      run_lines (shell, line);
      free (line);
    }
  mode_t mask = umask (077);
  write_history (history);
  umask (mask);
  return 0;
}
