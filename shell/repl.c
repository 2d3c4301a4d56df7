/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * repl.c - the prompt: a line is edited on the main thread and run on the worker's
 *
 * Either readline has the terminal, and keys are events of the main loop; or a line runs, and the
 * terminal is as other programs expect it. Signals are events all the time. */
#include "pager.h"
#include "prompt.h"
#include "repl-private.h"

#include <glib-unix.h>
#include <langinfo.h>
#include <locale.h>
#include <pthread.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a cancelled command still has to say is worth a word when it takes so long. */
#define PATIENCE 700
/* Output that has not filled the screen is held for so long. */
#define HOLD     300

typedef struct
{
  Shell *shell;
  const char *name; /* of the account, for the prompt */
  Worker *worker;
  GMainLoop *loop;
  gboolean colour;
  GString *unfinished; /* a call that goes on; empty: none */
  gboolean editing;
  guint keys;     /* source of them while editing */
  guint patience; /* source that says what a cancelled command does */
  pthread_mutex_t lock;
  Pager *pager; /* of the line that runs, or NULL; guarded by lock */
} Repl;

static Repl *repl; /* readline's callbacks and signals have nothing of their own */

/* ---- Editing ----------------------------------------------------------------------------------
 */

static void on_line (char *line);

static char *
make_prompt (void)
{
  WorkerFacts facts;

  if (repl->unfinished->len > 0)
    return prompt_more (repl->colour);
  worker_facts (repl->worker, &facts);
  char *prompt = prompt_text (repl->name, &facts, screen_columns (), repl->colour);
  worker_facts_clear (&facts);
  return prompt;
}

static gboolean
on_key (int descriptor, GIOCondition condition, gpointer data)
{
  rl_callback_read_char ();
  if (repl->editing)
    return G_SOURCE_CONTINUE;
  repl->keys = 0;
  return G_SOURCE_REMOVE;
}

static void
begin_editing (void)
{
  g_autofree char *prompt = make_prompt ();

  shell_ask_allow (FALSE);
  rl_reset_screen_size ();
  rl_callback_handler_install (prompt, on_line);
  repl->editing = TRUE;
  screen_edit (TRUE);
  if (repl->keys == 0)
    repl->keys = g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, on_key, NULL);
}

/* The terminal is given back. */
static void
end_editing (void)
{
  screen_edit (FALSE);
  repl->editing = FALSE;
  rl_callback_handler_remove ();
  shell_ask_allow (TRUE);
}

static void
on_line (char *line)
{
  end_editing ();
  if (line == NULL && repl->unfinished->len == 0)
    {
      fputc ('\n', rl_outstream);
      g_main_loop_quit (repl->loop);
    }
  else if (line == NULL)
    {
      fputc ('\n', rl_outstream);
      g_string_truncate (repl->unfinished, 0);
      begin_editing ();
    }
  else
    {
      if (repl->unfinished->len > 0)
        g_string_append_c (repl->unfinished, '\n');
      g_string_append (repl->unfinished, line);
      fflush (rl_outstream);
      worker_run (repl->worker, repl->unfinished->str);
    }
  free (line);
}

/* A line end that does not run what was typed: Meta-Enter. */
static int
insert_line_end (int count, int key)
{
  return rl_insert_text ("\n") >= 0 ? 0 : 1;
}

/* ---- Running ----------------------------------------------------------------------------------
 */

static void
on_ran (gpointer data, WorkerOutcome *outcome)
{
  g_autoptr (WorkerOutcome) owned = outcome;

  g_clear_handle_id (&repl->patience, g_source_remove);
  for (guint i = 0; i < outcome->lines->len; i++)
    history_keep (g_ptr_array_index (outcome->lines, i));
  g_string_assign (repl->unfinished, outcome->rest != NULL ? outcome->rest : "");
  if (outcome->quit)
    g_main_loop_quit (repl->loop);
  else
    begin_editing ();
}

static void
on_changed (gpointer data)
{
  if (!repl->editing)
    return;
  g_autofree char *prompt = make_prompt ();
  screen_set_prompt (prompt);
}

static void
on_listed (gpointer data)
{
  completion_listed ();
}

static void
on_begins (gpointer data)
{
  repl->shell->columns = isatty (STDOUT_FILENO) ? screen_columns () : 0;
}

static void
on_ends (gpointer data)
{
  screen_clear_progress ();
}

/* ---- What a line wants of the terminal --------------------------------------------------------
 */

static void
notice (gpointer data, const char *text)
{
  screen_tell (text);
}

static gboolean
pager_has_terminal (void)
{
  pthread_mutex_lock (&repl->lock);
  gboolean has = repl->pager != NULL && pager_is_running (repl->pager);
  pthread_mutex_unlock (&repl->lock);
  return has;
}

static void
progress (gpointer data, const char *label, guint64 have, guint64 want, guint64 rate)
{
  if (label == NULL || !pager_has_terminal ())
    screen_progress (label, have, want, rate);
}

static gboolean
confirm (gpointer data, const char *question)
{
  screen_clear_progress ();
  return shell_ask_yes (question, repl->shell->cancellable);
}

static void
on_shows (gpointer data)
{
  screen_clear_progress ();
}

static gboolean
on_held (gpointer data)
{
  pthread_mutex_lock (&repl->lock);
  if (repl->pager != NULL && repl->pager == data)
    pager_release (repl->pager);
  pthread_mutex_unlock (&repl->lock);
  return G_SOURCE_REMOVE;
}

static void
on_holds (gpointer data)
{
  g_timeout_add (HOLD, on_held, repl->pager);
}

static FILE *
open_pager (gpointer data)
{
  const char *command = screen_is_dumb () ? "" : repl->shell->settings.pager;
  const PagerOptions options = { command,  screen_rows (), screen_columns (),
                                 on_shows, on_holds,       NULL };
  FILE *out;

  if (!isatty (STDOUT_FILENO))
    return NULL;
  Pager *pager = pager_new (&options, &out);
  pthread_mutex_lock (&repl->lock);
  repl->pager = pager;
  pthread_mutex_unlock (&repl->lock);
  return out;
}

static void
close_pager (gpointer data, FILE *out)
{
  Pager *pager = repl->pager;

  /* Still known while its end is waited for: it has the terminal. */
  pager_finish (pager);
  pthread_mutex_lock (&repl->lock);
  repl->pager = NULL;
  pthread_mutex_unlock (&repl->lock);
  pager_free (pager);
}

static const ShellHooks hooks = {
  .notice = notice,
  .progress = progress,
  .confirm = confirm,
  .open_pager = open_pager,
  .close_pager = close_pager,
};

/* ---- Signals ----------------------------------------------------------------------------------
 */

/* The line is given up, and a call that went on with it. The terminal stays readline's: for what
 * was typed meanwhile. */
static void
give_up_line (void)
{
  rl_callback_sigcleanup ();
  rl_free_line_state ();
  rl_point = rl_end;
  rl_redisplay ();
  fputs ("^C\n", rl_outstream);
  g_string_truncate (repl->unfinished, 0);
  using_history (); /* at its end again */
  rl_replace_line ("", 1);
  g_autofree char *prompt = make_prompt ();
  rl_set_prompt (prompt);
  rl_on_new_line ();
  rl_redisplay ();
}

static gboolean
say_draining (gpointer data)
{
  repl->patience = 0;
  if (worker_is_draining (repl->worker))
    screen_tell (
        "Cancelled; the server still sends the rest of its answer. Ctrl-C again breaks the "
        "connection.");
  return G_SOURCE_REMOVE;
}

static void
on_interrupt (void)
{
  if (repl->editing)
    {
      give_up_line ();
      return;
    }
  worker_cancel (repl->worker);
  if (repl->patience == 0)
    repl->patience = g_timeout_add (PATIENCE, say_draining, NULL);
}

/* The terminal as it was, the default of the signal, and when the program goes on, all again. */
static void
step_aside (int number)
{
  if (repl->editing)
    {
      rl_point = rl_end;
      rl_redisplay ();
      fputs (number == SIGTSTP ? "^Z\n" : "\n", rl_outstream);
      rl_cleanup_after_signal ();
    }
  signals_default (number);
  if (!repl->editing)
    return;
  rl_reset_after_signal ();
  screen_redraw ();
}

static void
on_signal (int number)
{
  switch (number)
    {
    case SIGINT:
      on_interrupt ();
      break;
    case SIGWINCH:
      screen_resized ();
      break;
    case SIGCONT:
      if (repl->editing)
        {
          rl_cleanup_after_signal ();
          rl_reset_after_signal ();
          screen_redraw ();
        }
      break;
    default:
      step_aside (number);
    }
}

/* ---- The loop ---------------------------------------------------------------------------------
 */

/* Without a locale, as in many a login by ssh: the server's names are UTF-8 all the same, and so
 * are nearly all terminals. readline asks the environment again for each line. */
static void
use_utf8 (void)
{
  const char *all = getenv ("LC_ALL");

  if (strcmp (nl_langinfo (CODESET), "UTF-8") == 0 || setlocale (LC_CTYPE, "C.UTF-8") == NULL)
    return;
  g_setenv (all != NULL && *all != '\0' ? "LC_ALL" : "LC_CTYPE", "C.UTF-8", TRUE);
}

static void
init_readline (void)
{
  rl_readline_name = "mailrack";
  rl_instream = stdin;
  rl_outstream = isatty (STDOUT_FILENO) ? stdout : stderr;
  rl_catch_signals = 0;
  rl_catch_sigwinch = 0;
  rl_change_environment = 0; /* LINES and COLUMNS would outlive a resize in other programs */
  rl_initialize ();
  rl_bind_keyseq ("\\e\\C-m", insert_line_end);
}

static void
use_pager_of_environment (Settings *settings)
{
  const char *pager = getenv ("PAGER");

  if (pager != NULL && *pager != '\0')
    settings_set (settings, "pager", pager, NULL);
}

static void
tell (gpointer data, const char *text)
{
  screen_tell (text);
}

static void
run_loop (void)
{
  static const WorkerOps ops = { on_ran, on_changed, on_listed, on_begins, on_ends };
  Shell *shell = repl->shell;

  shell->hooks = &hooks;
  shell_ask_attend (tell, NULL);
  signals_begin (on_signal);
  repl->worker = worker_new (shell, shell->cache_dir, &ops, NULL);
  completion_begin (shell, repl->worker, repl->unfinished);
  begin_editing ();
  g_main_loop_run (repl->loop);
  if (repl->editing)
    end_editing ();
  completion_end ();
  worker_free (repl->worker);
  signals_end ();
  shell_ask_attend (NULL, NULL);
  shell->hooks = NULL;
}

int
shell_repl (Shell *shell, const char *name)
{
  Repl self = { .shell = shell, .name = name };

  repl = &self;
  use_utf8 ();
  init_readline ();
  screen_init (rl_outstream);
  history_begin ();
  use_pager_of_environment (&shell->settings);
  pthread_mutex_init (&self.lock, NULL);
  self.unfinished = g_string_new (NULL);
  self.loop = g_main_loop_new (NULL, FALSE);
  self.colour = prompt_wants_colour ();
  run_loop ();
  g_main_loop_unref (self.loop);
  g_string_free (self.unfinished, TRUE);
  pthread_mutex_destroy (&self.lock);
  return 0;
}
