/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ask.c - one question on the terminal, with or without echo; and the host that asks it
 *
 * Not the prompt of the shell (repl.c). Whatever ends the program meanwhile, the terminal
 * echoes again afterwards. */
#include "shell.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct termios before; /* as the handler needs it */
static volatile sig_atomic_t silenced = -1;

/* Only what may be called in a handler: tcsetattr, signal, raise. */
static void
restore_and_die (int number)
{
  if (silenced >= 0)
    tcsetattr (silenced, TCSAFLUSH, &before);
  signal (number, SIG_DFL);
  raise (number);
}

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* Who has the terminal; see shell_ask_attend(). */
static void (*attendant) (gpointer data, const char *text);
static gpointer attendant_data;
static gint refuses; /* atomic */

static char *
read_line (FILE *terminal)
{
  char *line = NULL;
  size_t room = 0;

  if (getline (&line, &room, terminal) <= 0)
    {
      free (line);
      return NULL;
    }
  line[strcspn (line, "\r\n")] = '\0';
  return line;
}

/* A terminal gives whole lines, so that one octet means that there is one. FALSE: cancelled. */
static gboolean
wait_for_line (FILE *terminal, GCancellable *cancellable)
{
  GPollFD cancel = { .fd = -1 };
  gboolean can = cancellable != NULL && g_cancellable_make_pollfd (cancellable, &cancel);
  struct pollfd fds[] = { { .fd = fileno (terminal), .events = POLLIN },
                          { .fd = cancel.fd, .events = POLLIN } };
  int n;

  do
    n = poll (fds, can ? 2 : 1, -1);
  while (n < 0 && errno == EINTR);
  if (can)
    g_cancellable_release_fd (cancellable);
  return n > 0 && (!can || fds[1].revents == 0);
}

static char *
read_cancellable (FILE *terminal, GCancellable *cancellable)
{
  if (wait_for_line (terminal, cancellable))
    return read_line (terminal);
  fputc ('\n', terminal);
  return NULL;
}

static char *
read_silently (FILE *terminal, GCancellable *cancellable)
{
  struct sigaction action = { .sa_handler = restore_and_die }, old[G_N_ELEMENTS (ending)];
  struct termios silent;

  if (tcgetattr (fileno (terminal), &before) != 0)
    return read_line (terminal);
  for (gsize i = 0; attendant == NULL && i < G_N_ELEMENTS (ending); i++)
    sigaction (ending[i], &action, &old[i]);
  silenced = fileno (terminal);
  silent = before;
  silent.c_lflag &= (tcflag_t) ~ECHO;
  tcsetattr (silenced, TCSAFLUSH, &silent);
  char *line = read_cancellable (terminal, cancellable);
  tcsetattr (silenced, TCSAFLUSH, &before);
  silenced = -1;
  for (gsize i = 0; attendant == NULL && i < G_N_ELEMENTS (ending); i++)
    sigaction (ending[i], &old[i], NULL);
  if (line != NULL)
    fputc ('\n', terminal);
  return line;
}

static char *
ask_line (const char *question, gboolean echo, GCancellable *cancellable)
{
  FILE *terminal = fopen ("/dev/tty", "r+e");

  if (terminal == NULL)
    return NULL;
  fputs (question, terminal);
  fflush (terminal);
  char *line =
      echo ? read_cancellable (terminal, cancellable) : read_silently (terminal, cancellable);
  fclose (terminal);
  return line;
}

char *
shell_ask_line (const char *question, gboolean echo)
{
  return ask_line (question, echo, NULL);
}

gboolean
shell_ask_yes (const char *question, GCancellable *cancellable)
{
  g_autofree char *text = g_strdup_printf ("%s [y/N] ", question);
  char *answer = ask_line (text, TRUE, cancellable);
  gboolean yes = answer != NULL
                 && (g_ascii_strcasecmp (g_strstrip (answer), "y") == 0
                     || g_ascii_strcasecmp (answer, "yes") == 0);

  free (answer);
  return yes;
}

/* ---- The person in front of it, as plugins see them ---------------------------------------- */

static RackSecret *
ask (gpointer data, const char *question, RackAskFlags flags, const RackWait *wait, GError **error)
{
  gboolean can = isatty (STDIN_FILENO) && g_atomic_int_get (&refuses) == 0;
  char *answer = can ? ask_line (question, flags == RACK_ASK_ECHO, wait->cancellable) : NULL;

  if (answer == NULL && isatty (STDIN_FILENO))
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INTERACTION,
                           can ? "the question was not answered"
                               : "a password is wanted: any command asks for it");
      return NULL;
    }
  if (answer == NULL)
    {
      g_autofree char *what = g_strdup (question); /* "Password of bob at host: " */
      g_strchomp (what)[strcspn (what, ":")] = '\0';
      g_set_error (error, RACK_ERROR, RACK_ERROR_INTERACTION,
                   "%s: not configured, and nobody can be asked: standard input is no terminal; "
                   "write it into the configuration file",
                   what);
      return NULL;
    }
  RackSecret *secret = rack_secret_new (answer, -1);
  explicit_bzero (answer, strlen (answer));
  free (answer);
  return secret;
}

static void
tell (gpointer data, const char *text)
{
  if (attendant != NULL)
    attendant (attendant_data, text);
  else
    fprintf (stderr, "%s\n", text);
}

RackHost *
shell_host_new (void)
{
  static const RackHostOps ops = { sizeof (RackHostOps), ask, tell };

  return rack_host_new (&ops, NULL);
}

void
shell_ask_attend (void (*tell_it) (gpointer data, const char *text), gpointer data)
{
  attendant = tell_it;
  attendant_data = data;
}

void
shell_ask_allow (gboolean allowed)
{
  g_atomic_int_set (&refuses, !allowed);
}
