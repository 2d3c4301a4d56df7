/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hooks.c - what a batch does for its shell: notices and progress on stderr, questions on a
 * terminal
 *
 * The prompt has hooks of its own (repl.c). */
#include "hooks.h"

#include "progress.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void
notice (gpointer data, const char *text)
{
  fprintf (stderr, "%s\n", text);
}

static guint
terminal_columns (int descriptor)
{
  struct winsize size;

  if (!isatty (descriptor) || ioctl (descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return 80;
  return size.ws_col;
}

static void
progress (gpointer data, const char *label, guint64 have, guint64 want, guint64 rate)
{
  g_autofree char *line =
      label != NULL ? progress_line (label, have, want, rate, terminal_columns (STDERR_FILENO))
                    : g_strdup ("");

  fprintf (stderr, "\r%s\x1b[K", line);
  fflush (stderr);
}

static gboolean
confirm (gpointer data, const char *question)
{
  g_autofree char *whole = g_strdup_printf ("%s [y/N] ", question);
  char *answer = shell_ask_line (whole, TRUE);
  gboolean yes = answer != NULL && (*answer == 'y' || *answer == 'Y');

  free (answer);
  return yes;
}

/* ---- Ctrl-C -------------------------------------------------------------------------------------
 */

static int interrupt_pipe[2] = { -1, -1 };
static volatile sig_atomic_t interrupts;

/* The second one does not wait for what the first one asked. */
static void
on_interrupt (int number)
{
  char one = 1;

  if (interrupts++ > 0 || write (interrupt_pipe[1], &one, 1) != 1)
    {
      signal (number, SIG_DFL);
      raise (number);
    }
}

/* GCancellable is not for signal handlers, so a thread stands between. */
static gpointer
cancel_on_interrupt (gpointer data)
{
  char one;

  if (read (interrupt_pipe[0], &one, 1) == 1)
    g_cancellable_cancel (data);
  return NULL;
}

void
hooks_catch_interrupt (GCancellable *cancellable)
{
  const struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };

  if (!g_unix_open_pipe (interrupt_pipe, FD_CLOEXEC, NULL))
    return;
  g_thread_unref (g_thread_new ("interrupt", cancel_on_interrupt, cancellable));
  sigaction (SIGINT, &action, NULL);
}

const ShellHooks *
hooks_of_batch (gboolean asks)
{
  static ShellHooks hooks;

  hooks = (ShellHooks){ .notice = notice,
                        .progress = isatty (STDERR_FILENO) ? progress : NULL,
                        .confirm = asks && isatty (STDIN_FILENO) ? confirm : NULL };
  return &hooks;
}
