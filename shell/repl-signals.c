/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * repl-signals.c - signals as events of the main context
 *
 * GLib's own sources know neither SIGTSTP nor SIGCONT, and cannot be waited for inside of a key's
 * function. A handler writes the signal's number into a pipe and does nothing else. */
#include "repl-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static const int handled[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH };

static int ends[2] = { -1, -1 };
static guint source;
static struct sigaction before[G_N_ELEMENTS (handled)];

static void
note (int number)
{
  char byte = (char) number;
  int kept = errno;

  if (write (ends[1], &byte, 1) < 0)
    errno = kept; /* it is full of them */
  errno = kept;
}

static gboolean
dispatch (int descriptor, GIOCondition condition, gpointer data)
{
  void (*on_signal) (int number) = *(void (**) (int)) data;
  char number;

  while (read (descriptor, &number, 1) == 1)
    on_signal (number);
  return G_SOURCE_CONTINUE;
}

static void
install (int number, void (*handler) (int), struct sigaction *old)
{
  struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

  sigemptyset (&action.sa_mask);
  sigaction (number, &action, old);
}

void
signals_begin (void (*on_signal) (int number))
{
  static void (*kept) (int number);

  kept = on_signal;
  if (!g_unix_open_pipe (ends, FD_CLOEXEC, NULL))
    return;
  g_unix_set_fd_nonblocking (ends[0], TRUE, NULL);
  g_unix_set_fd_nonblocking (ends[1], TRUE, NULL);
  /* What is typed behind a Ctrl-C comes after it. */
  source = g_unix_fd_add_full (G_PRIORITY_HIGH, ends[0], G_IO_IN, dispatch, &kept, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (handled); i++)
    install (handled[i], note, &before[i]);
}

void
signals_end (void)
{
  if (ends[0] < 0)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (handled); i++)
    sigaction (handled[i], &before[i], NULL);
  g_source_remove (source);
  close (ends[0]);
  close (ends[1]);
  ends[0] = ends[1] = -1;
}

void
signals_default (int number)
{
  struct sigaction ours;

  install (number, SIG_DFL, &ours);
  raise (number);
  sigaction (number, &ours, NULL);
}

gboolean
signals_wait (int descriptor, int milliseconds)
{
  struct pollfd fds[] = {
    { .fd = descriptor, .events = POLLIN },
    { .fd = ends[0], .events = POLLIN },
    { .fd = STDIN_FILENO, .events = POLLIN },
  };
  int n;

  do
    n = poll (fds, G_N_ELEMENTS (fds), milliseconds);
  while (n < 0 && errno == EINTR);
  return n > 0 && fds[0].revents != 0;
}
