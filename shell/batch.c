/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * batch.c - input without a person: -e, scripts, standard input; errors become exit statuses
 *
 * One line is run.c's affair. */
#include "batch.h"

#include "eval-error.h"
#include "lines.h"
#include "safe-text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static int
report (const GError *error, const char *where, guint line)
{
  g_autofree char *safe = safe_text_dup (error->message, -1, SAFE_TEXT_LINE);
  g_autofree char *place = where != NULL ? g_strdup_printf ("%s:%u: ", where, line) : g_strdup ("");

  fflush (stdout);
  if (error->domain == EVAL_ERROR)
    fprintf (stderr, "%s%s: %s\n", place, eval_error_kind (error), safe);
  else
    fprintf (stderr, "%s%s\n", place, safe);
  return shell_exit_status (error);
}

static int
run_one (Shell *shell, const char *text, const char *where, guint line)
{
  g_autoptr (GError) error = NULL;

  if (shell_run (shell, text, &error))
    return 0;
  if (g_error_matches (error, EVAL_ERROR, EVAL_ERROR_INCOMPLETE))
    error->code = EVAL_ERROR_SYNTAX;
  return report (error, where, line);
}

int
batch_commands (Shell *shell, char **commands, gboolean keep_going)
{
  int status = 0;

  for (char **at = commands; *at != NULL && !shell->quit; at++)
    {
      int now = run_one (shell, *at, NULL, 0);
      status = status != 0 ? status : now;
      if (now != 0 && (!keep_going || g_cancellable_is_cancelled (shell->cancellable)))
        break;
    }
  return status;
}

static gboolean
run_text (Shell *shell, const GString *text, GError **error)
{
  if (strlen (text->str) == text->len)
    return shell_run (shell, text->str, error);
  g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_SYNTAX,
                       "there is a NUL octet in the line: this is no text");
  return FALSE;
}

int
batch_stream (Shell *shell, FILE *in, const char *where, gboolean keep_going)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char *line = NULL;
  size_t room = 0;
  ssize_t n;
  int status = 0;
  guint number = 0, first = 1;

  while (errno = 0, !shell->quit && (n = getline (&line, &room, in)) >= 0)
    {
      g_autoptr (GError) error = NULL;
      number++;
      if (text->len == 0)
        first = number;
      gsize skipped = number == 1 ? lines_skip_mark (line) : 0;
      g_string_append_len (text, line + skipped, n - (gssize) skipped);
      if (!run_text (shell, text, &error))
        {
          if (g_error_matches (error, EVAL_ERROR, EVAL_ERROR_INCOMPLETE) && !feof (in))
            continue;
          int now = report (error, where, first);
          status = status != 0 ? status : now;
          if (!keep_going || g_cancellable_is_cancelled (shell->cancellable))
            break;
        }
      g_string_truncate (text, 0);
    }
  if (ferror (in) && status == 0)
    {
      fprintf (stderr, "%s: cannot be read: %s\n", where, g_strerror (errno));
      status = EX_NOINPUT;
    }
  else if (text->len > 0 && status == 0 && !shell->quit)
    status = run_one (shell, text->str, where, first);
  free (line);
  return status;
}

int
batch_script (Shell *shell, const char *path, gboolean keep_going)
{
  FILE *in = fopen (path, "re");

  if (in == NULL)
    {
      fprintf (stderr, "mailrack: %s: cannot be opened: %s\n", path, g_strerror (errno));
      return EX_NOINPUT;
    }
  int status = batch_stream (shell, in, path, keep_going);
  fclose (in);
  return status;
}
