/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ask.c - one question on the terminal, with or without echo; and the host that asks it
 *
 * Not the prompt of the shell (repl.c). Whatever ends the program meanwhile, the terminal
 * echoes again afterwards. */
#include "shell.h"

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

static char *
read_silently (FILE *terminal)
{
  struct sigaction action = { .sa_handler = restore_and_die }, old[G_N_ELEMENTS (ending)];
  struct termios silent;

  if (tcgetattr (fileno (terminal), &before) != 0)
    return read_line (terminal);
  for (gsize i = 0; i < G_N_ELEMENTS (ending); i++)
    sigaction (ending[i], &action, &old[i]);
  silenced = fileno (terminal);
  silent = before;
  silent.c_lflag &= (tcflag_t) ~ECHO;
  tcsetattr (silenced, TCSAFLUSH, &silent);
  char *line = read_line (terminal);
  tcsetattr (silenced, TCSAFLUSH, &before);
  silenced = -1;
  for (gsize i = 0; i < G_N_ELEMENTS (ending); i++)
    sigaction (ending[i], &old[i], NULL);
  fputc ('\n', terminal);
  return line;
}

char *
shell_ask_line (const char *question, gboolean echo)
{
  FILE *terminal = fopen ("/dev/tty", "r+e");

  if (terminal == NULL)
    return NULL;
  fputs (question, terminal);
  fflush (terminal);
  char *line = echo ? read_line (terminal) : read_silently (terminal);
  fclose (terminal);
  return line;
}

/* ---- The person in front of it, as plugins see them ---------------------------------------- */

static RackSecret *
ask (gpointer data, const char *question, RackAskFlags flags, const RackWait *wait, GError **error)
{
  char *answer = isatty (STDIN_FILENO) ? shell_ask_line (question, flags == RACK_ASK_ECHO) : NULL;

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
  fprintf (stderr, "%s\n", text);
}

RackHost *
shell_host_new (void)
{
  static const RackHostOps ops = { sizeof (RackHostOps), ask, tell };

  return rack_host_new (&ops, NULL);
}
