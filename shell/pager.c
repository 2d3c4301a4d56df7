/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pager.c - what a line prints on a terminal, through a pager if it is long
 *
 * The pager is in this program's process group, as in other programs that start one: Ctrl-C ends
 * what feeds it, while it goes on with what it has; Ctrl-Z stops both. */
#include "pager.h"

#include "safe-text.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Held at most. */
#define HELD_MAX (1024 * 1024)

struct Pager
{
  char *command;
  guint rows, columns;
  void (*shows) (gpointer data);
  void (*holds) (gpointer data);
  gpointer data;
  FILE *out;
  struct termios before; /* of the terminal: who is killed does not put it right again */
  pthread_mutex_t lock;  /* of all below */
  GString *held;         /* NULL: shown already */
  guint n_rows, column;  /* of what is held, on the screen */
  GPid child;            /* 0: none */
  int to_child;
};

/* ---- How much of the screen it takes ----------------------------------------------------------
 */

static void
count (Pager *pager, const char *text, gsize size)
{
  for (gsize i = 0; i < size; i++)
    if (text[i] == '\n')
      {
        pager->n_rows++;
        pager->column = 0;
      }
    else if (((guchar) text[i] & 0xc0) != 0x80 && ++pager->column > pager->columns
             && pager->columns > 0)
      {
        pager->n_rows++;
        pager->column = 1;
      }
}

/* The prompt that follows has a row too. */
static gboolean
is_long (const Pager *pager)
{
  return pager->rows > 0 && pager->n_rows >= pager->rows;
}

/* ---- Where it goes ----------------------------------------------------------------------------
 */

static gboolean
write_all (int descriptor, const char *text, gsize size)
{
  while (size > 0)
    {
      ssize_t n = write (descriptor, text, size);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      text += n;
      size -= (gsize) n;
    }
  return TRUE;
}

static gboolean
start (Pager *pager)
{
  const char *const argv[] = { "/bin/sh", "-c", pager->command, NULL };
  g_auto (GStrv) environment = g_get_environ ();

  /* Colours, no more than a screen if it is no more, and what was shown stays. */
  environment = g_environ_setenv (environment, "LESS", "FRX", FALSE);
  fflush (stdout);
  return g_spawn_async_with_pipes (NULL, (char **) argv, environment,
                                   G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES, NULL, NULL,
                                   &pager->child, &pager->to_child, NULL, NULL, NULL);
}

/* What was held, for whoever writes it now, with the lock held. Returns: (owned) */
static GString *
take_held (Pager *pager)
{
  pager->shows (pager->data);
  return g_steal_pointer (&pager->held);
}

/* What is to be written now, if there is any more than text: what was held before it. Returns:
 * (owned) or NULL */
static GString *
hold (Pager *pager, const char *text, gsize size)
{
  if (pager->held->len == 0)
    pager->holds (pager->data);
  g_string_append_len (pager->held, text, (gssize) size);
  count (pager, text, size);
  if (!is_long (pager) && pager->held->len <= HELD_MAX)
    return NULL;
  if (!start (pager))
    pager->child = 0;
  return take_held (pager);
}

/* The lock is not held while a pager is waited for: others look whether there is one. */
static ssize_t
take (void *cookie, const char *text, size_t size)
{
  Pager *pager = cookie;
  g_autoptr (GString) held = NULL;
  gboolean ok = TRUE;

  pthread_mutex_lock (&pager->lock);
  gboolean holds = pager->held != NULL;
  if (holds)
    held = hold (pager, text, size);
  else if (pager->child == 0)
    pager->shows (pager->data);
  int to = pager->child != 0 ? pager->to_child : STDOUT_FILENO;
  pthread_mutex_unlock (&pager->lock);
  if (held != NULL)
    ok = write_all (to, held->str, held->len);
  else if (!holds)
    ok = write_all (to, text, size);
  return ok ? (ssize_t) size : 0;
}

Pager *
pager_new (const PagerOptions *options, FILE **out)
{
  static const cookie_io_functions_t functions = { .write = take };
  Pager *pager = g_new0 (Pager, 1);

  pager->command = g_strdup (options->command);
  pager->rows = options->rows;
  pager->columns = options->columns;
  pager->shows = options->shows;
  pager->holds = options->holds;
  pager->data = options->data;
  pager->held = *options->command != '\0' ? g_string_new (NULL) : NULL;
  tcgetattr (STDIN_FILENO, &pager->before);
  pthread_mutex_init (&pager->lock, NULL);
  pager->out = fopencookie (pager, "w", functions);
  if (pager->out == NULL)
    g_error ("no memory for a line's output");
  setvbuf (pager->out, NULL, _IOLBF, BUFSIZ);
  fflush (stdout);
  *out = pager->out;
  return pager;
}

void
pager_release (Pager *pager)
{
  pthread_mutex_lock (&pager->lock);
  if (pager->held != NULL && pager->held->len > 0)
    {
      g_autoptr (GString) held = take_held (pager);
      write_all (STDOUT_FILENO, held->str, held->len);
    }
  pthread_mutex_unlock (&pager->lock);
}

gboolean
pager_is_running (Pager *pager)
{
  pthread_mutex_lock (&pager->lock);
  gboolean running = pager->child != 0;
  pthread_mutex_unlock (&pager->lock);
  return running;
}

static void
wait_for_child (Pager *pager)
{
  int status = 0;

  close (pager->to_child);
  while (waitpid (pager->child, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFSIGNALED (status))
    tcsetattr (STDIN_FILENO, TCSADRAIN, &pager->before);
  g_spawn_close_pid (pager->child);
}

void
pager_finish (Pager *pager)
{
  fclose (pager->out);
  pager_release (pager);
  if (pager->child != 0)
    wait_for_child (pager);
}

void
pager_free (Pager *pager)
{
  if (pager->held != NULL)
    g_string_free (pager->held, TRUE);
  pthread_mutex_destroy (&pager->lock);
  g_free (pager->command);
  g_free (pager);
}
