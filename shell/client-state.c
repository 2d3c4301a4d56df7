/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-state.c - methods about the connection and what the server can do */
#include "client-private.h"

#include <string.h>

Value *
client_run_capabilities (Shell *shell, Value **args, GError **error)
{
  if (!shell_connect (shell, error))
    return NULL;
  Value *tuple = value_tuple_new (32);
  for (const char *const *at = rack_session_capabilities (shell->session); *at != NULL; at++)
    value_append (tuple, value_bytes (*at, -1));
  return tuple;
}

Value *
client_run_has_capability (Shell *shell, Value **args, GError **error)
{
  if (!client_need_text (args[0], "capability", error) || !shell_connect (shell, error))
    return NULL;
  return value_bool (rack_session_has (shell->session, client_text (args[0])));
}

/* RFC 5161: while a mailbox is selected it is too late. */
Value *
client_run_enable (Shell *shell, Value **args, GError **error)
{
  const RackResponse *response;

  if (shell->mailbox != NULL)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INVALID,
                           "enable: not while a mailbox is selected: c.unselect_folder() first");
      return NULL;
    }
  g_autoptr (RackCommand) command = rack_command_new ("ENABLE");
  for (guint i = 0; i < args[0]->seq.n; i++)
    {
      if (!client_need_text (args[0]->seq.items[i], "a capability", error))
        return NULL;
      rack_command_atom (command, client_text (args[0]->seq.items[i]));
    }
  g_autoptr (RackReply) reply = shell_expect (shell, g_steal_pointer (&command), error);
  if (reply == NULL)
    return NULL;
  Value *list = value_list_new (2);
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    for (guint j = 0; response->kind == RACK_RESPONSE_ENABLED && j < response->atoms.n; j++)
      value_append (list, convert_str (response->atoms.items[j]));
  return list;
}

/* With what came since the last command. */
Value *
client_run_noop (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackReply) reply = shell_expect (shell, rack_command_new ("NOOP"), error);

  if (reply == NULL)
    return NULL;
  g_autoptr (RackReply) news = rack_session_news (shell->session);
  Value *tuple = value_tuple_new (2), *list = value_list_new (4);
  value_append (tuple, convert_status_text (rack_reply_status (reply)));
  if (news != NULL)
    convert_responses (list, news);
  convert_responses (list, reply);
  value_append (tuple, list);
  return tuple;
}

/* ---- Coming and going -------------------------------------------------------------------------
 */

Value *
client_run_login (Shell *shell, Value **args, GError **error)
{
  g_set_error (
      error, RACK_ERROR, RACK_ERROR_INVALID,
      "the shell logs in by itself, as %s: for somebody else start mailrack with -u USER, or "
      "with another account of the configuration file",
      rack_account_label (shell->account));
  return NULL;
}

/* Only what is encrypted has a cipher to tell of. */
static gboolean
is_encrypted (Shell *shell)
{
  g_auto (GStrv) facts = rack_session_facts (shell->session);

  for (char **at = facts; at != NULL && at[0] != NULL && at[1] != NULL; at += 2)
    if (strcmp (at[0], "cipher") == 0)
      return TRUE;
  return FALSE;
}

Value *
client_run_starttls (Shell *shell, Value **args, GError **error)
{
  if (!shell_connect (shell, error))
    return NULL;
  if (is_encrypted (shell))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INVALID,
                         "starttls: the connection is encrypted already");
  else
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INVALID,
                         "starttls: too late, the shell has logged in: \"starttls = true\" in the "
                         "configuration file, or --starttls, encrypts from the beginning");
  return NULL;
}

Value *
client_run_socket (Shell *shell, Value **args, GError **error)
{
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INVALID,
                       "socket: there are no sockets here: c.idle_check(timeout) waits for news");
  return NULL;
}

Value *
client_run_logout (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackReply) reply = shell_expect (shell, rack_command_new ("LOGOUT"), error);
  const RackResponse *response;
  Value *text = NULL;

  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_STATUS && response->status.kind == RACK_STATUS_BYE
        && text == NULL)
      text = convert_status_text (&response->status);
  if (text == NULL)
    text = convert_status_text (rack_reply_status (reply));
  shell_disconnect (shell);
  return text;
}

Value *
client_run_shutdown (Shell *shell, Value **args, GError **error)
{
  shell_disconnect (shell);
  return value_none ();
}

/* ---- Who is who -------------------------------------------------------------------------------
 */

static gboolean
add_parameters (RackCommand *command, const Value *parameters, GError **error)
{
  rack_command_open (command);
  for (guint i = 0; i < parameters->dict.n; i++)
    {
      const Value *key = parameters->dict.pairs[i].key, *value = parameters->dict.pairs[i].value;
      if (!client_need_text (key, "a name", error))
        return FALSE;
      rack_command_string (command, key->text.bytes, (gssize) key->text.size);
      if (value->kind == VALUE_NONE)
        {
          rack_command_atom (command, "NIL");
          continue;
        }
      if (!client_need_text (value, "a value", error))
        return FALSE;
      rack_command_string (command, value->text.bytes, (gssize) value->text.size);
    }
  rack_command_close (command);
  return TRUE;
}

Value *
client_run_id_ (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackCommand) command = rack_command_new ("ID");
  const RackResponse *response;

  if (args[0] == NULL)
    rack_command_atom (command, "NIL");
  else if (args[0]->kind != VALUE_DICT)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "parameters must be a dict, not %s",
                   value_type_name (args[0]));
      return NULL;
    }
  else if (!add_parameters (command, args[0], error))
    return NULL;
  g_autoptr (RackReply) reply = shell_expect (shell, g_steal_pointer (&command), error);
  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_ID)
      return convert_tuple (response->raw, error);
  return value_tuple_new (0);
}

Value *
client_run_namespace (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackReply) reply = shell_expect (shell, rack_command_new ("NAMESPACE"), error);
  const RackResponse *response;
  RackNamespaceData none = { 0 };

  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_NAMESPACE)
      return convert_namespaces (&response->namespaces, shell->folder_encode);
  return convert_namespaces (&none, shell->folder_encode);
}

/* ---- Waiting for news -------------------------------------------------------------------------
 */

Value *
client_run_idle (Shell *shell, Value **args, GError **error)
{
  if (!shell_connect (shell, error)
      || !rack_session_idle (shell->session, shell->cancellable, error))
    return NULL;
  return value_none ();
}

/* Milliseconds; -1: for ever. */
static gboolean
read_timeout (const Value *value, gint64 *wait, GError **error)
{
  gint64 seconds;

  if (value == NULL)
    *wait = -1;
  else if (value_get_int64 (value, &seconds) && seconds >= 0 && seconds <= G_MAXINT32)
    *wait = seconds * 1000;
  else if (value->kind == VALUE_FLOAT && value->real >= 0 && value->real <= G_MAXINT32)
    *wait = (gint64) (value->real * 1000);
  else
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                   "timeout must be a number of seconds from 0 on, not %s",
                   value_type_name (value));
      return FALSE;
    }
  return TRUE;
}

Value *
client_run_idle_check (Shell *shell, Value **args, GError **error)
{
  GError *problem = NULL;
  gint64 wait;

  if (!read_timeout (args[0], &wait, error) || !shell_connect (shell, error))
    return NULL;
  g_autoptr (RackReply) news =
      rack_session_idle_check (shell->session, wait, shell->cancellable, &problem);
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return NULL;
    }
  Value *list = value_list_new (4);
  if (news != NULL)
    convert_responses (list, news);
  return list;
}

Value *
client_run_idle_done (Shell *shell, Value **args, GError **error)
{
  if (!shell_connect (shell, error))
    return NULL;
  return client_reply_result (rack_session_idle_done (shell->session, shell->cancellable, error));
}
