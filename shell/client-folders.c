/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-folders.c - methods about mailboxes, which IMAPClient calls folders */
#include "client-private.h"

#include <string.h>

/* ---- Lists ------------------------------------------------------------------------------------
 */

static Value *
list_entry (const Shell *shell, const RackListData *data)
{
  Value *tuple = value_tuple_new (3);

  value_append (tuple, convert_strs (data->names, data->n_names));
  value_append (tuple, data->separator != '\0' ? value_bytes (&data->separator, 1) : value_none ());
  value_append (tuple, client_folder_value (shell, data->mailbox));
  return tuple;
}

/* directory and pattern in UTF-8. */
static Value *
list (Shell *shell, const char *verb, const char *directory, const char *pattern, GError **error)
{
  RackCommand *command = rack_command_new (verb);
  const RackResponse *response;

  rack_command_mailbox (command, directory);
  rack_command_pattern (command, pattern);
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return NULL;
  Value *found = value_list_new (16);
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_LIST || response->kind == RACK_RESPONSE_LSUB)
      value_append (found, list_entry (shell, &response->list));
  return found;
}

static Value *
list_with (Shell *shell, const char *verb, Value **args, GError **error)
{
  g_autofree char *directory =
      args[0] != NULL ? client_folder (shell, args[0], "directory", error) : g_strdup ("");
  g_autofree char *pattern = directory == NULL ? NULL
                             : args[1] != NULL ? client_folder (shell, args[1], "pattern", error)
                                               : g_strdup ("*");

  return pattern != NULL ? list (shell, verb, directory, pattern, error) : NULL;
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
client_run_xlist_folders (Shell *shell, Value **args, GError **error)
{
  return list_with (shell, "XLIST", args, error);
}

Value *
client_run_folder_exists (Shell *shell, Value **args, GError **error)
{
  g_autofree char *name = client_folder (shell, args[0], "folder", error);
  g_autoptr (Value) found = name != NULL ? list (shell, "LIST", "", name, error) : NULL;

  return found != NULL ? value_bool (found->seq.n > 0) : NULL;
}

/* ---- Special mailboxes ------------------------------------------------------------------------
 */

static Value *
find_flag (const Value *found, const char *flag)
{
  for (guint i = 0; i < found->seq.n; i++)
    {
      const Value *flags = found->seq.items[i]->seq.items[0];
      for (guint j = 0; j < flags->seq.n; j++)
        if (g_ascii_strcasecmp (client_text (flags->seq.items[j]), flag) == 0)
          return value_ref (found->seq.items[i]->seq.items[2]);
    }
  return NULL;
}

/* What people call them, where the server does not say. */
static const struct
{
  const char *flag, *names[5];
} usual[] = {
  { "\\Archive", { "Archive" } },
  { "\\Drafts", { "Drafts" } },
  { "\\Junk", { "Junk", "Spam" } },
  { "\\Sent", { "Sent", "Sent Items", "Sent items", "Sent Messages" } },
  { "\\Trash", { "Trash", "Deleted Items", "Deleted Messages", "Deleted" } },
};

static const char *const *
usual_names (const char *flag)
{
  static const char *const none[] = { NULL };

  for (gsize i = 0; i < G_N_ELEMENTS (usual); i++)
    if (g_ascii_strcasecmp (usual[i].flag, flag) == 0)
      return usual[i].names;
  return none;
}

/* What may stand in front of a personal mailbox' name. Without NAMESPACE: what is usual. */
static GPtrArray *
personal_prefixes (Shell *shell, GError **error)
{
  g_autoptr (GPtrArray) prefixes = g_ptr_array_new_with_free_func (g_free);
  const RackResponse *response;

  if (!rack_session_has (shell->session, "NAMESPACE"))
    {
      g_ptr_array_add (prefixes, g_strdup (""));
      g_ptr_array_add (prefixes, g_strdup ("INBOX."));
      return g_steal_pointer (&prefixes);
    }
  g_autoptr (RackReply) reply = shell_expect (shell, rack_command_new ("NAMESPACE"), error);
  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    for (guint j = 0;
         response->kind == RACK_RESPONSE_NAMESPACE && j < response->namespaces.n_personal; j++)
      g_ptr_array_add (prefixes,
                       rack_mailbox_name_decode (response->namespaces.personal[j].prefix));
  return g_steal_pointer (&prefixes);
}

/* None where none of the names is there. */
static Value *
find_usual (Shell *shell, const char *prefix, const char *const *names, GError **error)
{
  for (; *names != NULL; names++)
    {
      g_autofree char *name = g_strconcat (prefix, *names, NULL);
      g_autoptr (Value) found = list (shell, "LIST", "", name, error);
      if (found == NULL)
        return NULL;
      if (found->seq.n > 0)
        return value_ref (found->seq.items[0]->seq.items[2]);
    }
  return value_none ();
}

Value *
client_run_find_special_folder (Shell *shell, Value **args, GError **error)
{
  g_autoptr (Value) all = client_need_text (args[0], "folder_flag", error)
                              ? list (shell, "LIST", "", "*", error)
                              : NULL;

  if (all == NULL)
    return NULL;
  Value *found = find_flag (all, client_text (args[0]));
  const char *const *names = usual_names (client_text (args[0]));
  if (found != NULL || *names == NULL)
    return found != NULL ? found : value_none ();
  g_autoptr (GPtrArray) prefixes = personal_prefixes (shell, error);
  if (prefixes == NULL)
    return NULL;
  for (guint i = 0; i < prefixes->len; i++)
    {
      found = find_usual (shell, prefixes->pdata[i], names, error);
      if (found == NULL || found->kind != VALUE_NONE)
        return found;
      value_unref (found);
    }
  return value_none ();
}

/* ---- Selecting --------------------------------------------------------------------------------
 */

Value *
client_run_select_folder (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackReply) reply = NULL;
  g_autofree char *name = client_folder (shell, args[0], "folder", error);

  if (name == NULL
      || !shell_select (shell, name, args[1] != NULL && value_is_true (args[1]), &reply, error))
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
  g_autofree char *name = client_folder (shell, args[0], "folder", error);
  g_autoptr (RackCommand) command = rack_command_new ("STATUS");
  const RackResponse *response;

  if (name == NULL)
    return NULL;
  rack_command_mailbox (command, name);
  if (args[1] == NULL)
    rack_command_raw (command, "(MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)");
  else if (!client_add_words (command, args[1], "what", error))
    return NULL;
  g_autoptr (RackReply) reply = shell_expect (shell, g_steal_pointer (&command), error);
  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_MAILBOX_STATUS)
      return convert_status_data (&response->mailbox_status);
  return value_dict_new ();
}

/* ---- Making and removing ----------------------------------------------------------------------
 */

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
client_run_rename_folder (Shell *shell, Value **args, GError **error)
{
  g_autofree char *from = client_folder (shell, args[0], "old_name", error);
  g_autofree char *to = from != NULL ? client_folder (shell, args[1], "new_name", error) : NULL;

  if (to == NULL)
    return NULL;
  RackCommand *command = rack_command_new ("RENAME");
  rack_command_mailbox (command, from);
  rack_command_mailbox (command, to);
  return client_status_result (shell_expect (shell, command, error));
}

/* IMAPClient gives these two answers as a list. */
static Value *
listed (Value *text)
{
  if (text == NULL)
    return NULL;
  Value *list = value_list_new (1);
  value_append (list, text);
  return list;
}

Value *
client_run_subscribe_folder (Shell *shell, Value **args, GError **error)
{
  return listed (client_simple (shell, "SUBSCRIBE", args[0], error));
}

Value *
client_run_unsubscribe_folder (Shell *shell, Value **args, GError **error)
{
  return listed (client_simple (shell, "UNSUBSCRIBE", args[0], error));
}
