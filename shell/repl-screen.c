/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * repl-screen.c - what is drawn beside the line that is edited: notices above it, and a bar while
 * long work runs
 *
 * While a line is edited, only the main thread draws; while one runs, the thread that runs it. */
#include "progress.h"
#include "repl-private.h"
#include "safe-text.h"

#include <pthread.h>
#include <readline/readline.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static FILE *screen;
static gboolean is_dumb;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */
static gboolean editing, has_bar;

void
screen_init (FILE *out)
{
  const char *terminal = getenv ("TERM");

  screen = out;
  is_dumb = terminal == NULL || *terminal == '\0' || strcmp (terminal, "dumb") == 0;
}

gboolean
screen_is_dumb (void)
{
  return is_dumb;
}

static gboolean
window (struct winsize *size)
{
  return ioctl (fileno (screen), TIOCGWINSZ, size) == 0;
}

guint
screen_columns (void)
{
  struct winsize size;

  return window (&size) ? size.ws_col : 0;
}

guint
screen_rows (void)
{
  struct winsize size;

  return window (&size) ? size.ws_row : 0;
}

/* ---- The line that is edited ------------------------------------------------------------------
 */

void
screen_edit (gboolean now)
{
  pthread_mutex_lock (&lock);
  editing = now;
  pthread_mutex_unlock (&lock);
}

/* While history is searched, the prompt is another one for the time being. */
static gboolean
has_prompt (void)
{
  return !RL_ISSTATE (RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG);
}

static void
clear_line (void)
{
  if (is_dumb)
    fputs ("\n", screen);
  else
    rl_clear_visible_line ();
}

static void
draw_line (void)
{
  rl_on_new_line ();
  rl_forced_update_display ();
}

void
screen_set_prompt (const char *prompt)
{
  if (!editing || !has_prompt () || g_strcmp0 (rl_prompt, prompt) == 0)
    return;
  if (is_dumb) /* the next line has it */
    return;
  clear_line ();
  rl_set_prompt (prompt);
  draw_line ();
}

void
screen_redraw (void)
{
  if (editing)
    rl_forced_update_display ();
}

void
screen_resized (void)
{
  if (editing)
    rl_resize_terminal ();
}

/* ---- Lists ------------------------------------------------------------------------------------
 */

#define GAP 2

static guint
widest (const GPtrArray *texts)
{
  guint width = 1;

  for (guint i = 0; i < texts->len; i++)
    width = MAX (width, safe_text_columns (g_ptr_array_index (texts, i)));
  return width;
}

/* Down the columns, as ls does. */
static void
print_columns (const GPtrArray *texts, guint columns, guint rows)
{
  guint width = MIN (widest (texts), MAX (columns, 1) - 1) + GAP;
  guint across = MAX (columns / width, 1);
  guint n = MIN (texts->len, across * rows);
  guint down = (n + across - 1) / across;

  for (guint row = 0; row < down; row++)
    {
      g_autoptr (GString) line = g_string_new (NULL);
      for (guint i = row; i < n; i += down)
        safe_text_append_cell (line, g_ptr_array_index (texts, i), width);
      fprintf (screen, "%s\n", g_strchomp (line->str));
    }
  if (n < texts->len)
    fprintf (screen, "... and %u more\n", texts->len - n);
}

void
screen_list (const GPtrArray *texts)
{
  guint columns = screen_columns (), rows = screen_rows ();
  int point = rl_point;

  rl_point = rl_end;
  rl_redisplay ();
  fputc ('\n', screen);
  print_columns (texts, columns > 0 ? columns : 80, rows > 8 ? rows - 4 : 20);
  rl_point = point;
  draw_line ();
}

/* ---- Notices ----------------------------------------------------------------------------------
 */

static void
erase_bar (void)
{
  if (has_bar)
    fputs ("\r\033[K", stderr);
  has_bar = FALSE;
}

static gboolean
tell_above (gpointer data)
{
  const char *text = data;

  if (!editing)
    {
      screen_tell (text);
      return G_SOURCE_REMOVE;
    }
  clear_line ();
  fprintf (screen, "%s\n", text);
  draw_line ();
  return G_SOURCE_REMOVE;
}

void
screen_tell (const char *text)
{
  pthread_mutex_lock (&lock);
  gboolean later = editing;
  if (!later)
    {
      erase_bar ();
      fprintf (stderr, "%s\n", text);
    }
  pthread_mutex_unlock (&lock);
  if (later)
    g_idle_add_full (G_PRIORITY_DEFAULT, tell_above, g_strdup (text), g_free);
}

/* ---- The bar ----------------------------------------------------------------------------------
 */

void
screen_progress (const char *label, guint64 have, guint64 want, guint64 rate)
{
  guint columns = screen_columns ();

  if (is_dumb || columns == 0 || !isatty (STDERR_FILENO))
    return;
  g_autofree char *line = label != NULL ? progress_line (label, have, want, rate, columns) : NULL;
  pthread_mutex_lock (&lock);
  if (line == NULL)
    erase_bar ();
  else if (!editing)
    {
      fprintf (stderr, "\r%s\033[K", line);
      has_bar = TRUE;
    }
  fflush (stderr);
  pthread_mutex_unlock (&lock);
}

void
screen_clear_progress (void)
{
  pthread_mutex_lock (&lock);
  erase_bar ();
  fflush (stderr);
  pthread_mutex_unlock (&lock);
}
