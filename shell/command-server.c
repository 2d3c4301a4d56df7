/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-server.c - commands about the server and the wire */
#include "change.h"
#include "command-table.h"
#include "convert.h"
#include "eval-error.h"
#include "safe-text.h"

#include <errno.h>
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

/* ---- quota, acl ---------------------------------------------------------------------------------
 */

static const char *
mailbox_or_selected (Shell *shell, const CommandCall *call)
{
  return call->n > 0 ? call->words[0].text : shell->mailbox != NULL ? shell->mailbox : "INBOX";
}

SHELL_COMMAND (do_quota)
{
  static const OutputColumn columns[] = {
    { "root", "ROOT", CELL_TEXT, 0 },   { "resource", "RESOURCE", CELL_TEXT, 0 },
    { "used", "USED", CELL_NUMBER, 0 }, { "limit", "LIMIT", CELL_NUMBER, 0 },
    { NULL, NULL, CELL_TEXT, 0 },
  };
  Shell *shell = session;
  RackCommand *command = rack_command_new ("GETQUOTAROOT");
  const RackResponse *response;

  rack_command_mailbox (command, mailbox_or_selected (shell, call));
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return FALSE;
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_MANY);
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    for (guint j = 0; response->kind == RACK_RESPONSE_QUOTA && j < response->quota.n_resources; j++)
      {
        const RackQuotaResource *resource = &response->quota.resources[j];
        output_text (output, response->quota.root.data, (gssize) response->quota.root.size);
        output_text (output, resource->name.data, (gssize) resource->name.size);
        output_number (output, resource->usage);
        output_number (output, resource->limit);
        output_row (output);
      }
  output_end (output);
  return TRUE;
}

/* "acl INBOX bob lr" gives rights, "acl INBOX bob ''" takes all of them. */
static gboolean
set_acl (Shell *shell, const CommandCall *call, GError **error)
{
  gboolean remove = call->n > 2 && *call->words[2].text == '\0';
  RackCommand *command = rack_command_new (remove ? "DELETEACL" : "SETACL");

  rack_command_mailbox (command, call->words[0].text);
  rack_command_string (command, call->words[1].text, -1);
  if (!remove)
    rack_command_string (command, call->words[2].text, -1);
  return change_send (shell, command, NULL, error);
}

static gboolean
show_acl (Shell *shell, const char *mailbox, GError **error)
{
  static const OutputColumn columns[] = { { "identifier", "WHO", CELL_TEXT, 0 },
                                          { "rights", "RIGHTS", CELL_TEXT, 0 },
                                          { NULL, NULL, CELL_TEXT, 0 } };
  RackCommand *command = rack_command_new ("GETACL");
  const RackResponse *response;

  rack_command_mailbox (command, mailbox);
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return FALSE;
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_MANY);
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    for (guint j = 0; response->kind == RACK_RESPONSE_ACL && j < response->acl.n; j++)
      {
        const RackPair *pair = &response->acl.items[j];
        output_text (output, pair->name.data, (gssize) pair->name.size);
        output_text (output, pair->value.data, (gssize) pair->value.size);
        output_row (output);
      }
  output_end (output);
  return TRUE;
}

SHELL_COMMAND (do_acl)
{
  Shell *shell = session;

  if (call->n < 2)
    return show_acl (shell, mailbox_or_selected (shell, call), error);
  if (call->n == 2)
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                           "there are no rights behind the name; '' takes all of them away");
      return FALSE;
    }
  if (!shell->force_read_only)
    return set_acl (shell, call, error);
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_READ_ONLY,
                       "acl: the shell is read-only (--read-only or read_only = true)");
  return FALSE;
}

/* ---- raw ----------------------------------------------------------------------------------------
 */

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

  for (gsize i = 0; i < G_N_ELEMENTS (impossible); i++)
    if (strcmp (verb, impossible[i][0]) == 0)
      {
        g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "raw: %s: %s", verb, impossible[i][1]);
        return FALSE;
      }
  if (!shell->force_read_only || (!change_is_one (shell, verb) && strcmp (verb, "SELECT") != 0))
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

static void
add_wire (Output *output, const char *who, const char *text, gsize size)
{
  output_text (output, who, -1);
  output_text (output, text, (gssize) size);
  output_row (output);
}

static void
print_wire (Shell *shell, const char *who, const char *text, gsize size)
{
  g_autofree char *safe = safe_text_dup (text, (gssize) size, SAFE_TEXT_BLOCK);

  fprintf (shell->out, "%s: %s\n", who, safe);
}

static char *
tagged_line (const RackStatus *status)
{
  static const char *const kinds[] = { "OK", "NO", "BAD", "PREAUTH", "BYE" };
  g_autoptr (GString) line = g_string_new (kinds[status->kind]);

  if (status->code.name.data != NULL)
    g_string_append_c (line, ' ');
  convert_append_code (line, status);
  if (status->text.size > 0)
    {
      g_string_append_c (line, ' ');
      g_string_append_len (line, status->text.data, (gssize) status->text.size);
    }
  return g_string_free (g_steal_pointer (&line), FALSE);
}

static void
print_exchange (Shell *shell, const char *sent, const RackReply *reply)
{
  static const OutputColumn columns[] = { { "from", NULL, CELL_TEXT, 0 },
                                          { "line", NULL, CELL_TEXT, 0 },
                                          { NULL, NULL, CELL_TEXT, 0 } };
  g_autofree char *tagged = tagged_line (rack_reply_status (reply));
  gboolean text = shell_prints_text (shell);
  g_autoptr (Output) output = text ? NULL : shell_output (shell, columns, OUTPUT_MANY);
  const RackResponse *response;

  if (text)
    print_wire (shell, "C", sent, strlen (sent));
  else
    add_wire (output, "C", sent, strlen (sent));
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    {
      const RackStr *last = response->raw.data != NULL ? &response->raw : &response->name;
      gsize size = (gsize) (last->data + last->size - response->tag.data);

      if (text)
        print_wire (shell, "S", response->tag.data, size);
      else
        add_wire (output, "S", response->tag.data, size);
    }
  if (text)
    print_wire (shell, "S", tagged, strlen (tagged));
  else
    add_wire (output, "S", tagged, strlen (tagged));
  if (!text)
    output_end (output);
}

SHELL_COMMAND (do_raw)
{
  Shell *shell = session;
  const char *rest;
  g_autofree char *verb = raw_verb (call->words[0].text, &rest);
  g_autofree char *selects = NULL;

  if (!raw_is_possible (shell, verb, error))
    return FALSE;
  RackCommand *command = raw_command (verb, rest, &selects);
  if (change_is_held (shell, command, error))
    {
      rack_command_free (command);
      return FALSE;
    }
  g_autoptr (RackReply) reply =
      rack_session_run (shell->session, command, shell->cancellable, error);
  if (reply == NULL)
    return FALSE;
  print_exchange (shell, call->words[0].text, reply);
  raw_notice (shell, verb, selects, reply);
  const RackStatus *status = rack_reply_status (reply);
  if (status->kind == RACK_STATUS_OK)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_REFUSED, "raw: %s: the server says %s", verb,
               status->kind == RACK_STATUS_BAD ? "BAD" : "NO");
  return FALSE;
}

/* ---- trace --------------------------------------------------------------------------------------
 */

/* Where "trace on" writes. Returns: (owned) */
static char *
default_trace (GError **error)
{
  g_autofree char *directory = g_build_filename (g_get_user_state_dir (), "mailrack", NULL);

  if (g_mkdir_with_parents (directory, 0700) == 0)
    return g_build_filename (directory, "trace", NULL);
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s: %s", directory, g_strerror (errno));
  return NULL;
}

SHELL_COMMAND (do_trace)
{
  Shell *shell = session;
  const char *word = call->n > 0 ? call->words[0].text : "on";
  g_autofree char *path = NULL;

  if (strcmp (word, "off") == 0)
    return rack_account_trace (shell->account, NULL, error);
  path = strcmp (word, "on") == 0 ? default_trace (error) : g_strdup (word);
  if (path == NULL || !rack_account_trace (shell->account, path, error))
    return FALSE;
  shell_notice (shell, "The wire goes to %s, without secrets.", path);
  return TRUE;
}
