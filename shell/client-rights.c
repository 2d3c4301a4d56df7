/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-rights.c - methods about who may do what with a mailbox, and how much it may hold */
#include "client-private.h"

#include <string.h>

/* ---- ACL --------------------------------------------------------------------------------------
 */

Value *
client_run_getacl (Shell *shell, Value **args, GError **error)
{
  g_autofree char *name = client_folder (shell, args[0], "folder", error);
  const RackResponse *response;

  if (name == NULL)
    return NULL;
  RackCommand *command = rack_command_new ("GETACL");
  rack_command_mailbox (command, name);
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

Value *
client_run_setacl (Shell *shell, Value **args, GError **error)
{
  g_autofree char *name = client_folder (shell, args[0], "folder", error);

  if (name == NULL || !client_need_text (args[1], "who", error)
      || !client_need_text (args[2], "what", error))
    return NULL;
  RackCommand *command = rack_command_new ("SETACL");
  rack_command_mailbox (command, name);
  rack_command_string (command, client_text (args[1]), -1);
  rack_command_string (command, client_text (args[2]), -1);
  return client_status_result (shell_expect (shell, command, error));
}

/* ---- QUOTA ------------------------------------------------------------------------------------
 */

static Value *
quotas_of (const RackReply *reply)
{
  Value *list = value_list_new (2);
  const RackResponse *response;

  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_QUOTA)
      convert_quota (list, &response->quota);
  return list;
}

static Value *
roots_of (const Shell *shell, const RackReply *reply, const char *mailbox)
{
  Value *record = value_record_new (&convert_quota_roots_type), *list = value_list_new (2);
  const RackResponse *response;

  value_record_set (record, 0, value_str (mailbox, -1));
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_QUOTAROOT)
      {
        g_autofree char *name = rack_mailbox_name_decode (response->quota_roots.mailbox);
        value_record_set (record, 0,
                          shell->folder_encode ? value_str (name, -1)
                                               : convert_text (response->quota_roots.mailbox));
        for (guint j = 0; j < response->quota_roots.n; j++)
          value_append (list, convert_text (response->quota_roots.items[j]));
      }
  value_record_set (record, 1, list);
  return record;
}

static RackReply *
ask_roots (Shell *shell, const char *mailbox, GError **error)
{
  RackCommand *command = rack_command_new ("GETQUOTAROOT");

  rack_command_mailbox (command, mailbox);
  return shell_expect (shell, command, error);
}

Value *
client_run_get_quota_root (Shell *shell, Value **args, GError **error)
{
  g_autofree char *name = client_folder (shell, args[0], "mailbox", error);
  g_autoptr (RackReply) reply = name != NULL ? ask_roots (shell, name, error) : NULL;

  if (reply == NULL)
    return NULL;
  Value *pair = value_tuple_new (2);
  value_append (pair, roots_of (shell, reply, name));
  value_append (pair, quotas_of (reply));
  return pair;
}

Value *
client_run_get_quota (Shell *shell, Value **args, GError **error)
{
  g_autofree char *name =
      args[0] != NULL ? client_folder (shell, args[0], "mailbox", error) : g_strdup ("INBOX");
  g_autoptr (RackReply) reply = name != NULL ? ask_roots (shell, name, error) : NULL;

  return reply != NULL ? quotas_of (reply) : NULL;
}

static gboolean
add_limit (RackCommand *command, const Value *quota, const Value *root, GError **error)
{
  const Value *limit = value_record_get (quota, "limit");
  guint64 number;

  if (!value_equal (value_record_get (quota, "quota_root"), root))
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE,
                           "all quotas must be of one quota_root");
      return FALSE;
    }
  if (!client_need_text (value_record_get (quota, "resource"), "resource", error))
    return FALSE;
  if (!value_get_uint64 (limit, &number))
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "limit must be a number from 0 on, not %s",
                   value_type_name (limit));
      return FALSE;
    }
  rack_command_atom (command, client_text (value_record_get (quota, "resource")));
  rack_command_number (command, number);
  return TRUE;
}

static RackCommand *
set_quota_command (const Value *quotas, GError **error)
{
  g_autoptr (RackCommand) command = rack_command_new ("SETQUOTA");
  const Value *root = NULL;

  for (guint i = 0; i < quotas->seq.n; i++)
    {
      const Value *quota = quotas->seq.items[i];
      if (quota->kind != VALUE_RECORD || quota->record.type != &convert_quota_type)
        {
          g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "quotas must hold Quota, not %s",
                       value_type_name (quota));
          return NULL;
        }
      if (root == NULL)
        {
          root = value_record_get (quota, "quota_root");
          if (!client_need_text (root, "quota_root", error))
            return NULL;
          rack_command_string (command, client_text (root), -1);
          rack_command_open (command);
        }
      if (!add_limit (command, quota, root, error))
        return NULL;
    }
  rack_command_close (command);
  return g_steal_pointer (&command);
}

Value *
client_run_set_quota (Shell *shell, Value **args, GError **error)
{
  if (!value_is_sequence (args[0]))
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "quotas must be a list of Quota, not %s",
                   value_type_name (args[0]));
      return NULL;
    }
  if (args[0]->seq.n == 0)
    return value_none ();
  RackCommand *command = set_quota_command (args[0], error);
  g_autoptr (RackReply) reply = command != NULL ? shell_expect (shell, command, error) : NULL;
  return reply != NULL ? quotas_of (reply) : NULL;
}
