/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-server.c - commands about the server, the wire and the shell itself */
#include "command-table.h"
#include "eval-error.h"
#include "safe-text.h"

#include <string.h>

SHELL_COMMAND (do_capability)
{
  Shell *shell = session;

  for (const char *const *at = rack_session_capabilities (shell->session); *at != NULL; at++)
    {
      g_autofree char *safe = safe_text_dup (*at, -1, SAFE_TEXT_LINE);
      fprintf (shell->out, "%s\n", safe);
    }
  return TRUE;
}

SHELL_COMMAND (do_id)
{
  Shell *shell = session;
  RackCommand *command = rack_command_new ("ID");
  const RackResponse *response;

  rack_command_atom (command, "NIL");
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return FALSE;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    for (guint j = 0; response->kind == RACK_RESPONSE_ID && j < response->pairs.n; j++)
      {
        const RackPair *pair = &response->pairs.items[j];
        g_autofree char *name =
            safe_text_dup (pair->name.data, (gssize) pair->name.size, SAFE_TEXT_LINE);
        g_autofree char *value =
            pair->value.data != NULL
                ? safe_text_dup (pair->value.data, (gssize) pair->value.size, SAFE_TEXT_LINE)
                : g_strdup ("-");
        fprintf (shell->out, "%s: %s\n", name, value);
      }
  return TRUE;
}

static void
print_response (Shell *shell, const RackResponse *response)
{
  const RackStr *last = response->raw.data != NULL ? &response->raw : &response->name;
  const char *start = response->tag.data;
  g_autofree char *safe =
      safe_text_dup (start, (gssize) (last->data + last->size - start), SAFE_TEXT_BLOCK);

  fprintf (shell->out, "S: %s\n", safe);
}

SHELL_COMMAND (do_raw)
{
  Shell *shell = session;
  const char *text = words[0].text, *space = strchr (text, ' ');
  g_autofree char *name =
      space != NULL ? g_strndup (text, (gsize) (space - text)) : g_strdup (text);
  RackCommand *command = rack_command_new (name);
  const RackResponse *response;

  if (space != NULL)
    rack_command_raw (command, space + 1);
  fprintf (shell->out, "C: %s\n", text);
  g_autoptr (RackReply) reply =
      rack_session_run (shell->session, command, shell->cancellable, error);
  if (reply == NULL)
    return FALSE;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    print_response (shell, response);
  static const char *const kinds[] = { "OK", "NO", "BAD", "PREAUTH", "BYE" };
  const RackStatus *status = rack_reply_status (reply);
  g_autofree char *safe = safe_text_dup (status->text.data != NULL ? status->text.data : "",
                                         (gssize) status->text.size, SAFE_TEXT_LINE);
  fprintf (shell->out, "S: %s %s\n", kinds[status->kind], safe);
  return TRUE;
}

SHELL_COMMAND (do_help)
{
  Shell *shell = session;

  if (n == 0)
    {
      for (const Command *at = shell_commands; at->name != NULL; at++)
        fprintf (shell->out, "%-12s %s\n", at->name, at->summary);
      fputs ("\nCalls: c.select_folder('INBOX'), c.search('UNSEEN'), c.fetch([1, 2], ['FLAGS']), "
             "... as in IMAPClient;\n"
             "variables (uids = c.search()). Behind a command > FILE, >> FILE or | COMMAND, behind a "
             "call\n>> FILE or | COMMAND; !COMMAND for the system's shell. \"help COMMAND\" says "
             "more.\n",
             shell->out);
      return TRUE;
    }
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
  fprintf (shell->out, "%s %s\n%s\n%s", command->name, command->usage, command->summary,
           command->help != NULL ? command->help : "");
  return TRUE;
}

SHELL_COMMAND (do_quit)
{
  ((Shell *) session)->quit = TRUE;
  return TRUE;
}

SHELL_COMMAND (do_trace)
{
  Shell *shell = session;
  gboolean off = strcmp (words[0].text, "off") == 0;

  return rack_account_trace (shell->account, off ? NULL : words[0].text, error);
}
