/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * run.c - one line of input: a call, a command, or the system's shell
 *
 * No terminal here: the same for -e, scripts, stdin and the prompt. */
#include "change.h"
#include "eval-error.h"
#include "lines.h"
#include "method.h"
#include "safe-text.h"
#include "sets.h"

#include <stdarg.h>
#include <string.h>
#include <sysexits.h>

/* ---- What a line prints -------------------------------------------------------------------------
 */

void
shell_notice (Shell *shell, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *safe = safe_text_dup (text, -1, SAFE_TEXT_LINE);
  if (shell->hooks != NULL && shell->hooks->notice != NULL)
    shell->hooks->notice (shell->hooks_data, safe);
  else
    fprintf (stderr, "%s\n", safe);
}

/* A file or another program is no terminal, whatever stdout is. */
static guint
line_width (const Shell *shell)
{
  if (shell->settings.width > 0)
    return (guint) shell->settings.width;
  return shell->redirected ? 0 : shell->columns;
}

Output *
shell_output (Shell *shell, const OutputColumn *columns, OutputFlags flags)
{
  gboolean terminal = shell->columns > 0 && !shell->redirected;
  const OutputTarget target = {
    .out = shell->out,
    .format = shell->result != NULL && !shell->redirected ? OUTPUT_VALUE
                                                          : (OutputFormat) shell->settings.output,
    .width = line_width (shell),
    .headings = shell->settings.headings == HEADINGS_ON
                || (shell->settings.headings == HEADINGS_AUTO && terminal),
    .result = shell->result,
  };

  return output_new (&target, columns, flags);
}

gboolean
shell_prints_text (const Shell *shell)
{
  return (shell->result == NULL || shell->redirected) && shell->settings.output == OUTPUT_TABLE;
}

/* ---- Errors -------------------------------------------------------------------------------------
 */

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
    case RACK_ERROR_UNAVAILABLE:
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
    case RACK_ERROR_DENIED:
    case RACK_ERROR_SERVER:
      return 1;
    }
  return EX_SOFTWARE;
}

const char *
shell_error_kind (const GError *error)
{
  static const char *const kinds[] = {
    [RACK_ERROR_CONFIG] = "Config",
    [RACK_ERROR_PLUGIN] = "Plugin",
    [RACK_ERROR_NETWORK] = "Network",
    [RACK_ERROR_TLS] = "TLS",
    [RACK_ERROR_AUTH] = "Auth",
    [RACK_ERROR_INTERACTION] = "Interaction",
    [RACK_ERROR_PROTOCOL] = "Protocol",
    [RACK_ERROR_REFUSED] = "Refused",
    [RACK_ERROR_NOT_FOUND] = "NotFound",
    [RACK_ERROR_EXISTS] = "Exists",
    [RACK_ERROR_READ_ONLY] = "ReadOnly",
    [RACK_ERROR_QUOTA] = "Quota",
    [RACK_ERROR_STALE] = "Stale",
    [RACK_ERROR_CLOSED] = "Closed",
    [RACK_ERROR_TIMEOUT] = "Timeout",
    [RACK_ERROR_CANCELLED] = "Cancelled",
    [RACK_ERROR_UNKNOWN_OUTCOME] = "UnknownOutcome",
    [RACK_ERROR_INVALID] = "Invalid",
    [RACK_ERROR_TOO_LARGE] = "TooLarge",
    [RACK_ERROR_UNSUPPORTED] = "Unsupported",
    [RACK_ERROR_IO] = "IO",
    [RACK_ERROR_BUSY] = "Busy",
  };

  if (error->domain == RACK_ERROR && error->code > 0 && error->code < (int) G_N_ELEMENTS (kinds))
    return kinds[error->code];
  return eval_error_kind (error);
}

/* ---- A line -------------------------------------------------------------------------------------
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

/* What a command must have before it runs. */
static gboolean
may_run (Shell *shell, const Command *command, GError **error)
{
  if ((command->flags & COMMAND_CHANGES) && shell->force_read_only)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_READ_ONLY,
                   "%s: the shell is read-only (--read-only or read_only = true)", command->name);
      return FALSE;
    }
  return (command->flags & COMMAND_OFFLINE) || shell_connect (shell, error);
}

static gboolean
run_table_command (Shell *shell, const Command *command, const Line *line, GError **error)
{
  const CommandWord *words = (const CommandWord *) (gpointer) line->words->data;
  g_auto (CommandCall) call = { 0 };
  GError *problem = NULL;

  if (!command_bind (command, words + 1, line->words->len - 1, &call, error)
      || !may_run (shell, command, error))
    return FALSE;
  if (command->run (shell, &call, &problem))
    return TRUE;
  name_operation (shell, command, problem);
  g_propagate_error (error, problem);
  return FALSE;
}

/* A command of the table, an alias, or a method of c. */
static gboolean
run_command (Shell *shell, const char *text, const Line *line, GError **error)
{
  const CommandWord *words = (const CommandWord *) (gpointer) line->words->data;
  const Command *command = command_find (shell_commands, words[0].text);
  gboolean found, ok;

  if (command != NULL)
    return run_table_command (shell, command, line, error);
  ok = alias_run (shell, text, words[0].text, &found, error);
  if (found)
    return ok;
  if (method_is_one (shell, words[0].text))
    {
      sets_publish (shell);
      return method_run (shell, words[0].text, words + 1, line->words->len - 1, error);
    }
  return command_unknown (shell_commands, words[0].text, error);
}

static gboolean
is_word (char c)
{
  return g_ascii_isalnum (c) || c == '_';
}

/* "_" or "$_" as a name of its own, not in select_folder: what it means may be long. */
static gboolean
names_last_result (const char *text)
{
  for (const char *at = text; (at = strchr (at, '_')) != NULL; at++)
    if ((at == text || !is_word (at[-1])) && !is_word (at[1]))
      return TRUE;
  return FALSE;
}

/* A call whose printing Ctrl-C stopped has no error of its own. */
static gboolean
run_call (Shell *shell, const Line *line, GError **error)
{
  if (names_last_result (line->text))
    sets_publish (shell);
  const Value *before = interp_get (shell->interp, "_");
  gboolean ok = interp_run (shell->interp, line->text, -1, error);
  if (interp_get (shell->interp, "_") != before)
    sets_forget (shell);
  if (!ok || !g_cancellable_is_cancelled (shell->cancellable))
    return ok;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

LineContext
shell_line_context (Shell *shell)
{
  return (LineContext){ shell_commands, is_variable, shell };
}

static gboolean
run_line (Shell *shell, const char *text, const Line *line, GError **error)
{
  g_autoptr (GError) problem = NULL;
  gboolean ok = line->kind == LINE_CALL ? run_call (shell, line, &problem)
                                        : run_command (shell, text, line, &problem);

  /* what would have been sent was printed instead */
  if (ok || g_error_matches (problem, CHANGE_ERROR, CHANGE_ERROR_DRY_RUN))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

gboolean
shell_run (Shell *shell, const char *text, GError **error)
{
  const LineContext context = shell_line_context (shell);
  g_auto (Line) line = { 0 };
  Redirect redirect;
  gboolean ok;

  if (shell->settings.timing && shell->depth == 0)
    return time_run (shell, text, error);
  shell_count (shell);
  if (!line_parse (text, &context, &line, error))
    return FALSE;
  if (line.kind == LINE_EMPTY)
    return TRUE;
  if (line.kind == LINE_SYSTEM)
    return shell_run_system (shell, line.text, error);
  if (!shell_redirect (shell, &line, &redirect, error))
    return FALSE;
  ok = run_line (shell, text, &line, error);
  return shell_redirect_end (shell, &line, &redirect, ok, error);
}
