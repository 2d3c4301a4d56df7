/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * run.c - one line of input: a call, a command, or the system's shell; and the connection
 *
 * No terminal here: the same for -e, scripts, stdin and the prompt. */
#include "convert.h"
#include "eval-error.h"
#include "printer.h"
#include "shell.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

/* ---- The connection
 * ----------------------------------------------------------------------------------- */

/* The same mailbox as before, or none: UIDs of another one mean other messages. */
static gboolean
select_again (Shell *shell, const char *mailbox, gboolean read_only, guint32 uid_validity,
              GError **error)
{
  if (!shell_select (shell, mailbox, read_only, NULL, error))
    return FALSE;
  if (shell->uid_validity == uid_validity)
    return TRUE;
  g_clear_pointer (&shell->last, rack_set_free);
  g_set_error (error, RACK_ERROR, RACK_ERROR_STALE,
               "%s: %s: it is not the mailbox it was (its UIDVALIDITY has changed), and UIDs from "
               "before mean other messages: nothing was done; ls or find show the new ones",
               rack_account_label (shell->account), mailbox);
  return FALSE;
}

gboolean
shell_connect (Shell *shell, GError **error)
{
  if (shell->session != NULL && rack_session_alive (shell->session))
    return TRUE;
  gboolean again = shell->session != NULL;
  g_autofree char *mailbox = g_strdup (shell->mailbox);
  guint32 uid_validity = shell->uid_validity;
  RackSession *session = rack_session_open (shell->account, shell->cancellable, error);

  /* Until there is another one the dead one stays, which knows that it is to be made again. */
  if (session == NULL)
    return FALSE;
  shell_disconnect (shell);
  shell->session = session;
  if (!again)
    return TRUE;
  rack_host_tell (shell->host, "The connection was lost and has been made again.");
  return mailbox == NULL || select_again (shell, mailbox, shell->read_only, uid_validity, error);
}

void
shell_disconnect (Shell *shell)
{
  g_clear_pointer (&shell->session, rack_session_free);
  g_clear_pointer (&shell->mailbox, g_free);
}

RackReply *
shell_expect (Shell *shell, RackCommand *command, GError **error)
{
  if (!shell_connect (shell, error))
    {
      rack_command_free (command);
      return NULL;
    }
  return rack_session_expect (shell->session, command, shell->cancellable, error);
}

RackFetch *
shell_fetch (Shell *shell, RackCommand *command, GError **error)
{
  if (!shell_connect (shell, error))
    {
      rack_command_free (command);
      return NULL;
    }
  return rack_session_fetch (shell->session, command, shell->cancellable, error);
}

void
shell_selected (Shell *shell, const char *mailbox, gboolean read_only, const RackReply *reply)
{
  const RackResponse *response;
  char *name = g_strdup (g_ascii_strcasecmp (mailbox, "INBOX") == 0 ? "INBOX" : mailbox);

  g_free (shell->mailbox);
  shell->mailbox = name;
  shell->read_only = read_only;
  shell->messages = 0;
  shell->uid_validity = 0;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_EXISTS)
      shell->messages = response->number;
    else if (response->kind == RACK_RESPONSE_STATUS
             && response->status.code.kind == RACK_CODE_UIDVALIDITY)
      shell->uid_validity = (guint32) response->status.code.number;
}

gboolean
shell_select (Shell *shell, const char *mailbox, gboolean read_only, RackReply **reply,
              GError **error)
{
  gboolean examine = read_only || shell->force_read_only;
  RackCommand *command = rack_command_new (examine ? "EXAMINE" : "SELECT");
  g_autofree char *name = g_strdup (mailbox);

  rack_command_mailbox (command, name);
  g_autoptr (RackReply) answer = shell_expect (shell, command, error);
  g_clear_pointer (&shell->mailbox, g_free);
  if (answer == NULL)
    return FALSE;
  shell_selected (shell, name, examine, answer);
  if (reply != NULL)
    *reply = g_steal_pointer (&answer);
  return TRUE;
}

int
shell_exit_status (const GError *error)
{
  if (error->domain != RACK_ERROR)
    return error->domain == EVAL_ERROR ? EX_USAGE : EX_SOFTWARE;
  switch ((RackError) error->code)
    {
    case RACK_ERROR_CONFIG:
    case RACK_ERROR_PLUGIN:
      return EX_CONFIG;
    case RACK_ERROR_NETWORK:
    case RACK_ERROR_TLS:
    case RACK_ERROR_CLOSED:
      return EX_UNAVAILABLE;
    case RACK_ERROR_TIMEOUT:
    case RACK_ERROR_UNKNOWN_OUTCOME:
    case RACK_ERROR_BUSY:
      return EX_TEMPFAIL;
    case RACK_ERROR_PROTOCOL:
      return EX_PROTOCOL;
    case RACK_ERROR_AUTH:
    case RACK_ERROR_INTERACTION:
      return EX_NOPERM;
    case RACK_ERROR_INVALID:
      return EX_USAGE;
    case RACK_ERROR_CANCELLED:
      return 130;
    case RACK_ERROR_IO:
      return EX_IOERR;
    case RACK_ERROR_REFUSED:
    case RACK_ERROR_NOT_FOUND:
    case RACK_ERROR_EXISTS:
    case RACK_ERROR_READ_ONLY:
    case RACK_ERROR_QUOTA:
    case RACK_ERROR_STALE:
    case RACK_ERROR_TOO_LARGE:
    case RACK_ERROR_UNSUPPORTED:
      return 1;
    }
  return EX_SOFTWARE;
}

/* ---- A line
 * -----------------------------------------------------------------------------------------------
 */

static gboolean
is_variable (const char *name, gpointer data)
{
  return interp_get (((Shell *) data)->interp, name) != NULL;
}

/* What the connection says begins with the account; all else with the command. */
static void
name_operation (Shell *shell, const Command *command, GError *error)
{
  const char *const known[] = { rack_account_label (shell->account), command->name };

  if (error->domain != RACK_ERROR)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_has_prefix (error->message, known[i]) && error->message[strlen (known[i])] == ':')
      return;
  g_autofree char *message = error->message;
  error->message = g_strdup_printf ("%s: %s", command->name, message);
}

static gboolean
run_command (Shell *shell, const Line *line, GError **error)
{
  const CommandWord *words = (const CommandWord *) (gpointer) line->words->data;
  const Command *command = command_find (shell_commands, words[0].text);

  if (command == NULL)
    {
      const char *near = command_suggest (shell_commands, words[0].text);
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_NAME,
                   "there is no command \"%s\"%s%s%s; \"help\" lists them all", words[0].text,
                   near != NULL ? " (did you mean \"" : "", near != NULL ? near : "",
                   near != NULL ? "\"?)" : "");
      return FALSE;
    }
  if (!command_check (command, line->words->len - 1, error))
    return FALSE;
  if ((command->flags & COMMAND_CHANGES) && shell->force_read_only)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_READ_ONLY,
                   "%s: the shell is read-only (--read-only or read_only = true)", command->name);
      return FALSE;
    }
  if (!(command->flags & COMMAND_OFFLINE) && !shell_connect (shell, error))
    return FALSE;
  GError *problem = NULL;
  if (command->run (shell, words + 1, line->words->len - 1, &problem))
    return TRUE;
  name_operation (shell, command, problem);
  g_propagate_error (error, problem);
  return FALSE;
}

static gboolean
run_system (const char *text, GError **error)
{
  fflush (stdout);
  const char *const argv[] = { "/bin/sh", "-c", text, NULL };
  int status = 0;
  g_autoptr (GError) problem = NULL;

  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL,
                     NULL, &status, &problem)
      || !g_spawn_check_wait_status (status, &problem))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_REFUSED, "!%s: %s", text, problem->message);
      return FALSE;
    }
  return TRUE;
}

/* Unlike popen's, the command gets SIGPIPE as usual, and what it says is told from what became of
 * the octets it did not want. */
static FILE *
open_pipe (const char *command, GPid *child, GError **error)
{
  const char *const argv[] = { "/bin/sh", "-c", command, NULL };
  int in;

  fflush (stdout);
  if (!g_spawn_async_with_pipes (NULL, (char **) argv, NULL,
                                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES, NULL, NULL,
                                 child, &in, NULL, NULL, error))
    return NULL;
  return fdopen (in, "w");
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

/* "> file" and "| command". */
static FILE *
open_output (const Line *line, GPid *child, GError **error)
{
  if (line->pipe != NULL)
    return open_pipe (line->pipe, child, error);
  return line->file != NULL ? open_file (line, error) : stdout;
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

static gboolean
close_output (const Line *line, FILE *out, GPid child, gboolean ok, GError **error)
{
  if (out == stdout)
    {
      fflush (stdout);
      return ok;
    }
  if (line->pipe != NULL)
    return close_pipe (line, out, child, ok, error);
  gboolean failed = ferror (out) != 0;
  failed |= fclose (out) != 0;
  if (!ok || !failed)
    return ok;
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s: cannot be written: %s", line->file,
               g_strerror (errno));
  return FALSE;
}

/* A call whose printing Ctrl-C stopped has no error of its own. */
static gboolean
run_call (Shell *shell, const Line *line, GError **error)
{
  if (!interp_run (shell->interp, line->text, -1, error))
    return FALSE;
  if (!g_cancellable_is_cancelled (shell->cancellable))
    return TRUE;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

gboolean
shell_run (Shell *shell, const char *text, GError **error)
{
  const LineContext context = { shell_commands, is_variable, shell };
  g_auto (Line) line = { 0 };
  GPid child = 0;
  gboolean ok;

  if (!line_parse (text, &context, &line, error))
    return FALSE;
  if (line.kind == LINE_EMPTY)
    return TRUE;
  if (line.kind == LINE_SYSTEM)
    return run_system (line.text, error);
  FILE *out = open_output (&line, &child, error);
  if (out == NULL)
    return FALSE;
  shell->out = out;
  ok = line.kind == LINE_CALL ? run_call (shell, &line, error) : run_command (shell, &line, error);
  ok = close_output (&line, out, child, ok, error);
  shell->out = stdout;
  return ok;
}
