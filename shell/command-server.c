/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-server.c - commands about the server, the wire and the shell itself */
#include "command-table.h"
#include "eval-error.h"
#include "safe-text.h"

#include <string.h>

SHELL_COMMAND (do_capability)
{
  static const OutputColumn columns[] = { { "name", "CAPABILITY", CELL_TEXT, 0 },
                                          { NULL, NULL, CELL_TEXT, 0 } };
  Shell *shell = session;
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_MANY);

  for (const char *const *at = rack_session_capabilities (shell->session); *at != NULL; at++)
    {
      output_text (output, *at, -1);
      output_row (output);
    }
  output_end (output);
  return TRUE;
}

SHELL_COMMAND (do_id)
{
  static const OutputColumn columns[] = { { "name", "FIELD", CELL_TEXT, 0 },
                                          { "value", "VALUE", CELL_TEXT, 0 },
                                          { NULL, NULL, CELL_TEXT, 0 } };
  Shell *shell = session;
  RackCommand *command = rack_command_new ("ID");
  const RackResponse *response;

  rack_command_atom (command, "NIL");
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return FALSE;
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_MANY);
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    for (guint j = 0; response->kind == RACK_RESPONSE_ID && j < response->pairs.n; j++)
      {
        const RackPair *pair = &response->pairs.items[j];
        output_text (output, pair->name.data, (gssize) pair->name.size);
        output_text (output, pair->value.data, (gssize) pair->value.size);
        output_row (output);
      }
  output_end (output);
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

/* Commands that change how the connection speaks, or want an answer in their middle. */
static gboolean
raw_is_possible (Shell *shell, const char *verb, GError **error)
{
  static const char *const impossible[][2] = {
    { "IDLE", "it has no end of its own: c.idle(), c.idle_check() and c.idle_done() do that" },
    { "AUTHENTICATE", "it wants answers in its middle, and the shell is logged in" },
    { "STARTTLS", "only the start of a connection is the place for it: write starttls = true" },
    { "COMPRESS", "the shell could not read on" },
  };
  static const char *const reading[] = {
    "CAPABILITY", "CLOSE",      "EXAMINE",    "FETCH",      "GETACL",   "GETMETADATA",  "GETQUOTA",
    "ENABLE",     "LIST",       "LISTRIGHTS", "LOGOUT",     "LSUB",     "GETQUOTAROOT", "ID",
    "MYRIGHTS",   "NAMESPACE",  "NOOP",       "SEARCH",     "SORT",     "STATUS",       "THREAD",
    "UID FETCH",  "UID SEARCH", "UID SORT",   "UID THREAD", "UNSELECT", NULL,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (impossible); i++)
    if (strcmp (verb, impossible[i][0]) == 0)
      {
        g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "raw: %s: %s", verb, impossible[i][1]);
        return FALSE;
      }
  if (!shell->force_read_only || g_strv_contains (reading, verb))
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_READ_ONLY,
               "raw: %s may change something, and the shell is read-only", verb);
  return FALSE;
}

/* "uid fetch 1 ..." as "UID FETCH" and where the rest begins. */
static char *
raw_verb (const char *text, const char **rest)
{
  gsize size = strcspn (text, " ");

  if (g_ascii_strncasecmp (text, "UID ", 4) == 0)
    size = 4 + strcspn (text + 4, " ");
  *rest = text[size] == ' ' ? text + size + 1 : NULL;
  return g_ascii_strup (text, (gssize) size);
}

/* Which mailbox is selected has to be known, also when it was selected here. */
static RackCommand *
raw_command (const char *verb, const char *rest, char **selects)
{
  RackCommand *command = rack_command_new (verb);

  if (rest != NULL && (strcmp (verb, "SELECT") == 0 || strcmp (verb, "EXAMINE") == 0))
    {
      gsize size = strcspn (rest, " ");
      g_autofree char *name = NULL;
      if (*rest == '"' && strchr (rest + 1, '"') != NULL)
        {
          size = (gsize) (strchr (rest + 1, '"') - rest) + 1;
          name = g_strndup (rest + 1, size - 2);
        }
      else
        name = g_strndup (rest, size);
      if (*name != '\0' && strpbrk (name, "\"\\") == NULL)
        {
          *selects = rack_mailbox_name_decode ((RackStr){ name, strlen (name) });
          rack_command_mailbox (command, *selects);
          rest = rest[size] == ' ' ? rest + size + 1 : NULL;
        }
    }
  if (rest != NULL)
    rack_command_raw (command, rest);
  return command;
}

static void
raw_notice (Shell *shell, const char *verb, const char *selects, const RackReply *reply)
{
  const char *selected = rack_session_selected (shell->session);

  if (selected == NULL)
    g_clear_pointer (&shell->mailbox, g_free);
  else if (selects != NULL)
    shell_selected (shell, selects, strcmp (verb, "EXAMINE") == 0, reply);
}

SHELL_COMMAND (do_raw)
{
  static const char *const kinds[] = { "OK", "NO", "BAD", "PREAUTH", "BYE" };
  Shell *shell = session;
  const RackResponse *response;
  const char *rest;
  g_autofree char *verb = raw_verb (call->words[0].text, &rest);
  g_autofree char *selects = NULL;

  if (!raw_is_possible (shell, verb, error))
    return FALSE;
  g_autoptr (RackReply) reply = rack_session_run (
      shell->session, raw_command (verb, rest, &selects), shell->cancellable, error);
  if (reply == NULL)
    return FALSE;
  g_autofree char *sent = safe_text_dup (call->words[0].text, -1, SAFE_TEXT_LINE);
  fprintf (shell->out, "C: %s\n", sent);
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    print_response (shell, response);
  const RackStatus *status = rack_reply_status (reply);
  g_autofree char *safe = safe_text_dup (status->text.data != NULL ? status->text.data : "",
                                         (gssize) status->text.size, SAFE_TEXT_LINE);
  fprintf (shell->out, "S: %s %s\n", kinds[status->kind], safe);
  raw_notice (shell, verb, selects, reply);
  if (status->kind == RACK_STATUS_OK)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_REFUSED, "raw: %s: the server says %s", verb,
               kinds[status->kind]);
  return FALSE;
}

SHELL_COMMAND (do_quit)
{
  ((Shell *) session)->quit = TRUE;
  return TRUE;
}

SHELL_COMMAND (do_trace)
{
  Shell *shell = session;
  gboolean off = strcmp (call->words[0].text, "off") == 0;

  return rack_account_trace (shell->account, off ? NULL : call->words[0].text, error);
}
