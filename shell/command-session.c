/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-session.c - commands about the shell itself: help, set, quit */
#include "client.h"
#include "command-table.h"
#include "eval-error.h"

#include <string.h>

/* ---- help ---------------------------------------------------------------------------------------
 */

static gboolean
list_commands (Shell *shell)
{
  static const OutputColumn columns[] = {
    { "name", "COMMAND", CELL_TEXT, 0 },
    { "summary", "DOES", CELL_TEXT, 0 },
    { "usage", NULL, CELL_TEXT, 0 },
    { NULL, NULL, CELL_TEXT, 0 },
  };
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_MANY);

  for (const Command *at = shell_commands; at->name != NULL; at++)
    {
      g_autofree char *usage = command_usage (at);
      output_text (output, at->name, -1);
      output_text (output, at->summary, -1);
      output_text (output, usage, -1);
      output_row (output);
    }
  output_end (output);
  if (shell_prints_text (shell))
    fputs ("\nCalls: c.select_folder('INBOX'), c.search('UNSEEN'), c.fetch([1, 2], ['FLAGS']), "
           "... as in IMAPClient;\n"
           "variables (uids = c.search()). Behind a command > FILE, >> FILE or | COMMAND, behind a "
           "call\n>> FILE or | COMMAND; !COMMAND for the system's shell. \"help COMMAND\" says "
           "more.\n",
           shell->out);
  return TRUE;
}

static void
print_options (FILE *out, const CommandOption *options)
{
  for (const CommandOption *at = options; at != NULL && at->name != NULL; at++)
    {
      g_autofree char *letter = at->letter != 0 ? g_strdup_printf ("-%c, ", at->letter) : NULL;
      g_autofree char *form = g_strdup_printf ("%s--%s%s%s", letter != NULL ? letter : "", at->name,
                                               at->argument != NULL ? " " : "",
                                               at->argument != NULL ? at->argument : "");
      fprintf (out, "  %-22s %s\n", form, at->help);
    }
}

static void
print_examples (FILE *out, const char *examples)
{
  g_auto (GStrv) lines = g_strsplit (examples, "\n", -1);

  fputs ("Examples:\n", out);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      fprintf (out, "  %s\n", lines[i]);
}

static gboolean
explain_command (Shell *shell, const Command *command)
{
  static const OutputColumn columns[] = {
    { "name", NULL, CELL_TEXT, 0 },     { "summary", NULL, CELL_TEXT, 0 },
    { "usage", NULL, CELL_TEXT, 0 },    { "help", NULL, CELL_TEXT, 0 },
    { "options", NULL, CELL_WORDS, 0 }, { "examples", NULL, CELL_TEXT, 0 },
    { NULL, NULL, CELL_TEXT, 0 },
  };
  g_autofree char *usage = command_usage (command);

  if (shell_prints_text (shell))
    {
      fprintf (shell->out, "%s\n%s\n%s", usage, command->summary,
               command->help != NULL ? command->help : "");
      print_options (shell->out, command->options);
      print_examples (shell->out, command->examples);
      return TRUE;
    }
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_SINGLE);
  output_text (output, command->name, -1);
  output_text (output, command->summary, -1);
  output_text (output, usage, -1);
  output_text (output, command->help, -1);
  for (const CommandOption *at = command->options; at != NULL && at->name != NULL; at++)
    output_word (output, at->name, -1);
  output_words_end (output);
  output_text (output, command->examples, -1);
  output_row (output);
  output_end (output);
  return TRUE;
}

SHELL_COMMAND (do_help)
{
  Shell *shell = session;
  const Command *command = call->n > 0 ? command_find (shell_commands, call->words[0].text) : NULL;

  if (call->n == 0)
    return list_commands (shell);
  if (command != NULL)
    return explain_command (shell, command);
  if (client_help (shell, call->words[0].text))
    return TRUE;
  return command_unknown (shell_commands, call->words[0].text, error);
}

/* ---- set ----------------------------------------------------------------------------------------
 */

static gboolean
show_settings (Shell *shell, const Setting *only)
{
  static const OutputColumn columns[] = {
    { "name", "SETTING", CELL_TEXT, 0 }, { "value", "VALUE", CELL_TEXT, 0 },
    { "help", "MEANS", CELL_TEXT, 0 },   { "values", NULL, CELL_WORDS, 0 },
    { NULL, NULL, CELL_TEXT, 0 },
  };
  g_autoptr (Output) output =
      shell_output (shell, columns, only != NULL ? OUTPUT_SINGLE : OUTPUT_MANY);

  for (const Setting *at = setting_table; at->name != NULL; at++)
    {
      g_autofree char *value = settings_get (&shell->settings, at);
      if (only != NULL && at != only)
        continue;
      output_text (output, at->name, -1);
      output_text (output, value, -1);
      output_text (output, at->help, -1);
      for (guint i = 0; at->values != NULL && at->values[i] != NULL; i++)
        output_word (output, at->values[i], -1);
      output_words_end (output);
      output_row (output);
    }
  output_end (output);
  return TRUE;
}

SHELL_COMMAND (do_set)
{
  Shell *shell = session;
  const char *name = call->n > 0 ? call->words[0].text : NULL;

  if (call->n == 2)
    return settings_set (&shell->settings, name, call->words[1].text, error);
  if (name == NULL || setting_find (name) != NULL)
    return show_settings (shell, name != NULL ? setting_find (name) : NULL);
  return settings_set (&shell->settings, name, "", error); /* says that there is none */
}

SHELL_COMMAND (do_quit)
{
  ((Shell *) session)->quit = TRUE;
  return TRUE;
}
