/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * redirect.c - where the output of a line goes: a file, another program, a pager; and "!command"
 *
 * What the line does is run.c's affair. */
#include "shell.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* Where shell->out is no descriptor a child could write to: a file for what it prints. NULL: it has
 * stdout. */
static FILE *
open_capture (const Shell *shell)
{
  fflush (stdout);
  return shell->out != stdout ? tmpfile () : NULL;
}

static void
close_capture (Shell *shell, FILE *captured)
{
  char octets[8192];
  gsize n;

  if (captured == NULL)
    return;
  rewind (captured);
  while ((n = fread (octets, 1, sizeof octets, captured)) > 0)
    fwrite (octets, 1, n, shell->out);
  fclose (captured);
}

static gboolean
wait_for (GPid child, GError **error)
{
  int status = 0;

  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  return g_spawn_check_wait_status (status, error);
}

gboolean
shell_run_system (Shell *shell, const char *text, GError **error)
{
  const char *const argv[] = { "/bin/sh", "-c", text, NULL };
  FILE *captured = open_capture (shell);
  g_autoptr (GError) problem = NULL;
  GPid child;

  if (g_spawn_async_with_pipes_and_fds (NULL, argv, NULL,
                                        G_SPAWN_DO_NOT_REAP_CHILD
                                            | (captured == NULL ? G_SPAWN_CHILD_INHERITS_STDIN : 0),
                                        NULL, NULL, -1, captured != NULL ? fileno (captured) : -1,
                                        -1, NULL, NULL, 0, &child, NULL, NULL, NULL, &problem))
    wait_for (child, &problem);
  close_capture (shell, captured);
  if (problem == NULL)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_REFUSED, "!%s: %s", text, problem->message);
  return FALSE;
}

/* Unlike popen's, the command gets SIGPIPE as usual, and what it says is told from what became of
 * the octets it did not want. */
static FILE *
open_pipe (const char *command, Redirect *redirect, GError **error)
{
  const char *const argv[] = { "/bin/sh", "-c", command, NULL };
  g_autoptr (GError) problem = NULL;
  int in;

  if (g_spawn_async_with_pipes_and_fds (
          NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES, NULL, NULL, -1,
          redirect->captured != NULL ? fileno (redirect->captured) : -1, -1, NULL, NULL, 0,
          &redirect->child, &in, NULL, NULL, &problem))
    return fdopen (in, "w");
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "| %s: %s", command, problem->message);
  g_clear_pointer (&redirect->captured, fclose);
  return NULL;
}

static FILE *
open_file (const Line *line, GError **error)
{
  g_autofree char *path = g_str_has_prefix (line->file, "~/")
                              ? g_build_filename (g_get_home_dir (), line->file + 2, NULL)
                              : g_strdup (line->file);
  FILE *out = fopen (path, line->append ? "ae" : "we");

  if (out == NULL)
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s: cannot be written: %s", line->file,
                 g_strerror (errno));
  return out;
}

static gboolean
close_pipe (const Line *line, FILE *out, GPid child, gboolean ok, GError **error)
{
  g_autoptr (GError) problem = NULL;
  int status = 0;

  fclose (out); /* a reader that has seen enough (head, less) is no error */
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFSIGNALED (status) && (WTERMSIG (status) == SIGINT || WTERMSIG (status) == SIGPIPE))
    return ok; /* Ctrl-C in a pager */
  if (!ok || g_spawn_check_wait_status (status, &problem))
    return ok;
  g_set_error (error, RACK_ERROR, RACK_ERROR_REFUSED, "| %s: %s", line->pipe, problem->message);
  return FALSE;
}

/* What a disk that is full did not take. */
static gboolean
close_file (const Line *line, FILE *out, gboolean ok, GError **error)
{
  gboolean failed = ferror (out) != 0;

  failed |= fclose (out) != 0;
  if (!ok || !failed)
    return ok;
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s: cannot be written: %s", line->file,
               g_strerror (errno));
  return FALSE;
}

gboolean
shell_redirect (Shell *shell, const Line *line, Redirect *redirect, GError **error)
{
  const ShellHooks *hooks = shell->hooks;

  *redirect = (Redirect){ .before = shell->out, .was_redirected = shell->redirected };
  if (line->pipe != NULL)
    {
      redirect->captured = open_capture (shell);
      redirect->out = open_pipe (line->pipe, redirect, error);
    }
  else if (line->file != NULL)
    redirect->out = open_file (line, error);
  else if (shell->out == stdout && hooks != NULL && hooks->open_pager != NULL)
    redirect->out = hooks->open_pager (shell->hooks_data);
  if (redirect->out == NULL && (line->pipe != NULL || line->file != NULL))
    return FALSE;
  shell->redirected |= line->pipe != NULL || line->file != NULL;
  if (redirect->out != NULL)
    shell->out = redirect->out;
  return TRUE;
}

gboolean
shell_redirect_end (Shell *shell, const Line *line, Redirect *redirect, gboolean ok, GError **error)
{
  FILE *out = redirect->out;

  shell->redirected = redirect->was_redirected;
  if (out == NULL)
    {
      fflush (shell->out);
      return ok;
    }
  shell->out = redirect->before;
  if (line->pipe != NULL)
    {
      ok = close_pipe (line, out, redirect->child, ok, error);
      close_capture (shell, redirect->captured);
      return ok;
    }
  if (line->file != NULL)
    return close_file (line, out, ok, error);
  shell->hooks->close_pager (shell->hooks_data, out);
  return ok;
}
