/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-messages.c - methods about messages: fetch, flags, copy, move, append */
#include "client-private.h"

#include <string.h>

static Value *
fetch_items (Shell *shell, const Value *messages, const Value *data, const Value *modifiers,
             GError **error)
{
  RackCommand *command = client_message_command (shell, "FETCH", messages, error);
  gboolean uid = shell->use_uid;

  if (command == NULL)
    return NULL;
  rack_command_open (command);
  if (uid)
    rack_command_atom (command, "UID");
  if (client_text (data) != NULL)
    rack_command_raw (command, client_text (data));
  else
    for (guint i = 0; value_is_sequence (data) && i < data->seq.n; i++)
      if (client_text (data->seq.items[i]) != NULL)
        rack_command_raw (command, client_text (data->seq.items[i]));
  rack_command_close (command);
  if (modifiers != NULL && value_is_sequence (modifiers) && modifiers->seq.n > 0)
    {
      rack_command_open (command);
      for (guint i = 0; i < modifiers->seq.n; i++)
        if (client_text (modifiers->seq.items[i]) != NULL)
          rack_command_raw (command, client_text (modifiers->seq.items[i]));
      rack_command_close (command);
    }
  return client_fetch_result (shell, shell_fetch (shell, command, error), error);
}

Value *
client_run_fetch (Shell *shell, Value **args, GError **error)
{
  if (value_is_sequence (args[0]) && args[0]->seq.n == 0)
    return value_dict_new ();
  return fetch_items (shell, args[0], args[1], args[2], error);
}

static Value *
only_flags (Value *fetched)
{
  g_autoptr (Value) owned = fetched;

  if (owned == NULL)
    return NULL;
  Value *dict = value_dict_new ();
  for (guint i = 0; i < owned->dict.n; i++)
    {
      Value *flags = value_dict_get_bytes (owned->dict.pairs[i].value, "FLAGS");
      if (flags != NULL)
        value_dict_set (dict, value_ref (owned->dict.pairs[i].key), value_ref (flags));
    }
  return dict;
}

Value *
client_run_get_flags (Shell *shell, Value **args, GError **error)
{
  g_autoptr (Value) items = value_str ("FLAGS", -1);

  return only_flags (fetch_items (shell, args[0], items, NULL, error));
}

static Value *
store (Shell *shell, const char *mode, Value **args, GError **error)
{
  gboolean silent = args[2] != NULL && value_is_true (args[2]);
  g_autofree char *item = g_strconcat (mode, silent ? ".SILENT" : "", NULL);
  RackCommand *command = client_message_command (shell, "STORE", args[0], error);

  if (command == NULL)
    return NULL;
  rack_command_atom (command, item);
  if (!client_add_flags (command, args[1], error))
    {
      rack_command_free (command);
      return NULL;
    }
  g_autoptr (Value) result =
      only_flags (client_fetch_result (shell, shell_fetch (shell, command, error), error));
  if (result == NULL)
    return NULL;
  return silent ? value_none () : g_steal_pointer (&result);
}

Value *
client_run_add_flags (Shell *shell, Value **args, GError **error)
{
  return store (shell, "+FLAGS", args, error);
}

Value *
client_run_remove_flags (Shell *shell, Value **args, GError **error)
{
  return store (shell, "-FLAGS", args, error);
}

Value *
client_run_set_flags (Shell *shell, Value **args, GError **error)
{
  return store (shell, "FLAGS", args, error);
}

Value *
client_run_delete_messages (Shell *shell, Value **args, GError **error)
{
  g_autoptr (Value) deleted = value_str ("\\Deleted", -1);
  Value *with[3] = { args[0], deleted, args[1] };

  return store (shell, "+FLAGS", with, error);
}

static Value *
transfer (Shell *shell, const char *verb, Value **args, GError **error)
{
  RackCommand *command = client_need_text (args[1], "the folder", error)
                             ? client_message_command (shell, verb, args[0], error)
                             : NULL;

  if (command == NULL)
    return NULL;
  rack_command_mailbox (command, client_text (args[1]));
  return client_status_result (shell_expect (shell, command, error));
}

Value *
client_run_copy (Shell *shell, Value **args, GError **error)
{
  return transfer (shell, "COPY", args, error);
}

Value *
client_run_move (Shell *shell, Value **args, GError **error)
{
  return transfer (shell, "MOVE", args, error);
}

Value *
client_run_expunge (Shell *shell, Value **args, GError **error)
{
  RackCommand *command = args[0] != NULL ? client_message_command (shell, "EXPUNGE", args[0], error)
                                         : rack_command_new ("EXPUNGE");
  g_autoptr (RackReply) reply = command != NULL ? shell_expect (shell, command, error) : NULL;

  if (reply == NULL)
    return NULL;
  Value *tuple = value_tuple_new (2);
  value_append (tuple, convert_status_text (rack_reply_status (reply)));
  value_append (tuple, convert_responses (reply));
  return tuple;
}

Value *
client_run_append (Shell *shell, Value **args, GError **error)
{
  if (!client_need_text (args[0], "the folder", error)
      || !client_need_text (args[1], "the message", error))
    return NULL;
  RackCommand *command = rack_command_new ("APPEND");
  rack_command_mailbox (command, client_text (args[0]));
  if (args[2] != NULL && value_is_sequence (args[2]) && args[2]->seq.n > 0
      && !client_add_flags (command, args[2], error))
    {
      rack_command_free (command);
      return NULL;
    }
  if (args[3] != NULL && args[3]->kind == VALUE_DATETIME)
    {
      gint64 unix_epoch = value_time_ordinal (1970, 1, 1) - value_time_ordinal (1, 1, 1);
      gint64 seconds =
          value_time_microseconds (&args[3]->time) / G_USEC_PER_SEC - unix_epoch * 86400;
      rack_command_date_time (command, seconds,
                              args[3]->time.aware ? args[3]->time.offset / 60 : 0);
    }
  g_autoptr (GBytes) data = g_bytes_new (args[1]->text.bytes, args[1]->text.size);
  rack_command_literal (command, data);
  return client_status_result (shell_expect (shell, command, error));
}
