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
  if (!client_need_text (args[0], "the capability", error) || !shell_connect (shell, error))
    return NULL;
  return value_bool (rack_session_has (shell->session, client_text (args[0])));
}

Value *
client_run_noop (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackReply) reply = shell_expect (shell, rack_command_new ("NOOP"), error);

  if (reply == NULL)
    return NULL;
  Value *tuple = value_tuple_new (2);
  value_append (tuple, convert_status_text (rack_reply_status (reply)));
  value_append (tuple, convert_responses (reply));
  return tuple;
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
      text = convert_str (response->status.text);
  if (text == NULL)
    text = convert_status_text (rack_reply_status (reply));
  shell_disconnect (shell);
  return text;
}

static Value *
first_raw (Shell *shell, RackCommand *command, RackResponseKind kind, GError **error)
{
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  const RackResponse *response;

  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == kind)
      return convert_raw (response->raw);
  return value_none ();
}

Value *
client_run_id (Shell *shell, Value **args, GError **error)
{
  RackCommand *command = rack_command_new ("ID");

  if (args[0] != NULL && args[0]->kind == VALUE_DICT)
    {
      rack_command_open (command);
      for (guint i = 0; i < args[0]->dict.n; i++)
        {
          const char *key = client_text (args[0]->dict.pairs[i].key),
                     *value = client_text (args[0]->dict.pairs[i].value);
          if (key == NULL || value == NULL)
            continue;
          rack_command_string (command, key, -1);
          rack_command_string (command, value, -1);
        }
      rack_command_close (command);
    }
  else
    rack_command_atom (command, "NIL");
  return first_raw (shell, command, RACK_RESPONSE_ID, error);
}

static Value *
namespace_list (const RackNamespaceItem *items, guint n)
{
  if (n == 0)
    return value_none ();
  Value *tuple = value_tuple_new (n);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *prefix = rack_mailbox_name_decode (items[i].prefix);
      Value *pair = value_tuple_new (2);
      value_append (pair, value_str (prefix, -1));
      value_append (pair, items[i].separator != '\0' ? value_str (&items[i].separator, 1)
                                                     : value_none ());
      value_append (tuple, pair);
    }
  return tuple;
}

Value *
client_run_namespace (Shell *shell, Value **args, GError **error)
{
  static const char *const fields[] = { "personal", "other", "shared" };
  static const RecordType type = { "Namespace", G_N_ELEMENTS (fields), fields };
  g_autoptr (RackReply) reply = shell_expect (shell, rack_command_new ("NAMESPACE"), error);
  const RackResponse *response;

  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_NAMESPACE)
      {
        const RackNamespaceData *data = &response->namespaces;
        Value *record = value_record_new (&type);
        value_record_set (record, 0, namespace_list (data->personal, data->n_personal));
        value_record_set (record, 1, namespace_list (data->others, data->n_others));
        value_record_set (record, 2, namespace_list (data->shared, data->n_shared));
        return record;
      }
  return value_none ();
}

Value *
client_run_idle (Shell *shell, Value **args, GError **error)
{
  if (!shell_connect (shell, error)
      || !rack_session_idle (shell->session, shell->cancellable, error))
    return NULL;
  return value_none ();
}

Value *
client_run_idle_check (Shell *shell, Value **args, GError **error)
{
  gint64 wait = -1, seconds;
  g_autoptr (GError) problem = NULL;

  if (args[0] != NULL && value_get_int64 (args[0], &seconds))
    wait = seconds * 1000;
  else if (args[0] != NULL && args[0]->kind == VALUE_FLOAT)
    wait = (gint64) (args[0]->real * 1000);
  if (!shell_connect (shell, error))
    return NULL;
  g_autoptr (RackReply) news =
      rack_session_idle_check (shell->session, wait, shell->cancellable, &problem);
  if (problem != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }
  return news != NULL ? convert_responses (news) : value_list_new (0);
}

Value *
client_run_idle_done (Shell *shell, Value **args, GError **error)
{
  if (!shell_connect (shell, error))
    return NULL;
  g_autoptr (RackReply) news = rack_session_idle_done (shell->session, shell->cancellable, error);
  if (news == NULL)
    return NULL;
  Value *tuple = value_tuple_new (2);
  value_append (tuple, value_bytes ("Idle terminated", -1));
  value_append (tuple, convert_responses (news));
  return tuple;
}
