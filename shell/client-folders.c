/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-folders.c - methods about mailboxes, which IMAPClient calls folders */
#include "client-private.h"

#include <string.h>

static Value *
list_with (Shell *shell, const char *verb, Value **args, GError **error)
{
  const char *directory = args[0] != NULL ? client_text (args[0]) : "";
  const char *pattern = args[1] != NULL ? client_text (args[1]) : "*";
  RackCommand *command = rack_command_new (verb);
  const RackResponse *response;

  rack_command_string (command, directory != NULL ? directory : "", -1);
  rack_command_pattern (command, pattern != NULL ? pattern : "*");
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return NULL;
  Value *list = value_list_new (16);
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_LIST || response->kind == RACK_RESPONSE_LSUB)
      {
        g_autofree char *name = rack_mailbox_name_decode (response->list.mailbox);
        Value *tuple = value_tuple_new (3);
        value_append (tuple, convert_strs (response->list.names, response->list.n_names));
        value_append (tuple, response->list.separator != '\0'
                                 ? value_bytes (&response->list.separator, 1)
                                 : value_none ());
        value_append (tuple, shell->folder_encode ? value_str (name, -1)
                                                  : convert_str (response->list.mailbox));
        value_append (list, tuple);
      }
  return list;
}

Value *
client_run_list_folders (Shell *shell, Value **args, GError **error)
{
  return list_with (shell, "LIST", args, error);
}

Value *
client_run_list_sub_folders (Shell *shell, Value **args, GError **error)
{
  return list_with (shell, "LSUB", args, error);
}

Value *
client_run_find_special_folder (Shell *shell, Value **args, GError **error)
{
  Value *none[2] = { NULL, NULL };
  g_autoptr (Value) list =
      client_need_text (args[0], "the flag", error) ? list_with (shell, "LIST", none, error) : NULL;

  if (list == NULL)
    return NULL;
  for (guint i = 0; i < list->seq.n; i++)
    {
      const Value *flags = list->seq.items[i]->seq.items[0];
      for (guint j = 0; j < flags->seq.n; j++)
        if (g_ascii_strcasecmp (client_text (flags->seq.items[j]), client_text (args[0])) == 0)
          return value_ref (list->seq.items[i]->seq.items[2]);
    }
  return value_none ();
}

Value *
client_run_select_folder (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackReply) reply = NULL;

  if (!client_need_text (args[0], "the folder", error)
      || !shell_select (shell, client_text (args[0]), args[1] != NULL && value_is_true (args[1]),
                        &reply, error))
    return NULL;
  return convert_select (reply);
}

static Value *
leave_mailbox (Shell *shell, const char *verb, GError **error)
{
  Value *result = client_bare (shell, verb, error);

  if (result != NULL)
    g_clear_pointer (&shell->mailbox, g_free);
  return result;
}

Value *
client_run_unselect_folder (Shell *shell, Value **args, GError **error)
{
  return leave_mailbox (shell, "UNSELECT", error);
}

Value *
client_run_close_folder (Shell *shell, Value **args, GError **error)
{
  return leave_mailbox (shell, "CLOSE", error);
}

Value *
client_run_folder_status (Shell *shell, Value **args, GError **error)
{
  const RackResponse *response;

  if (!client_need_text (args[0], "the folder", error))
    return NULL;
  RackCommand *command = rack_command_new ("STATUS");
  rack_command_mailbox (command, client_text (args[0]));
  rack_command_open (command);
  if (args[1] == NULL)
    rack_command_raw (command, "MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN");
  else if (client_text (args[1]) != NULL)
    rack_command_raw (command, client_text (args[1]));
  else
    for (guint i = 0; value_is_sequence (args[1]) && i < args[1]->seq.n; i++)
      if (client_text (args[1]->seq.items[i]) != NULL)
        rack_command_atom (command, client_text (args[1]->seq.items[i]));
  rack_command_close (command);
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_MAILBOX_STATUS)
      return convert_status_data (&response->mailbox_status);
  return value_dict_new ();
}

Value *
client_run_folder_exists (Shell *shell, Value **args, GError **error)
{
  Value *both[2] = { NULL, args[0] };
  g_autoptr (Value) list = client_need_text (args[0], "the folder", error)
                               ? list_with (shell, "LIST", both, error)
                               : NULL;

  return list != NULL ? value_bool (list->seq.n > 0) : NULL;
}

Value *
client_run_create_folder (Shell *shell, Value **args, GError **error)
{
  return client_simple (shell, "CREATE", args[0], error);
}

Value *
client_run_delete_folder (Shell *shell, Value **args, GError **error)
{
  return client_simple (shell, "DELETE", args[0], error);
}

Value *
client_run_subscribe_folder (Shell *shell, Value **args, GError **error)
{
  return client_simple (shell, "SUBSCRIBE", args[0], error);
}

Value *
client_run_unsubscribe_folder (Shell *shell, Value **args, GError **error)
{
  return client_simple (shell, "UNSUBSCRIBE", args[0], error);
}

Value *
client_run_rename_folder (Shell *shell, Value **args, GError **error)
{
  if (!client_need_text (args[0], "the old name", error)
      || !client_need_text (args[1], "the new name", error))
    return NULL;
  RackCommand *command = rack_command_new ("RENAME");
  rack_command_mailbox (command, client_text (args[0]));
  rack_command_mailbox (command, client_text (args[1]));
  return client_status_result (shell_expect (shell, command, error));
}

Value *
client_run_getacl (Shell *shell, Value **args, GError **error)
{
  const RackResponse *response;

  if (!client_need_text (args[0], "the folder", error))
    return NULL;
  RackCommand *command = rack_command_new ("GETACL");
  rack_command_mailbox (command, client_text (args[0]));
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return NULL;
  Value *list = value_list_new (4);
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    for (guint j = 0; response->kind == RACK_RESPONSE_ACL && j < response->acl.n; j++)
      {
        Value *pair = value_tuple_new (2);
        value_append (pair, convert_str (response->acl.items[j].name));
        value_append (pair, convert_str (response->acl.items[j].value));
        value_append (list, pair);
      }
  return list;
}
