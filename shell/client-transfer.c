/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-transfer.c - methods that put messages into mailboxes, or remove them */
#include "client-private.h"

#include <string.h>

/* Sends a command that adds messages to folder. Takes command. Returns: (owned) its text */
static Value *
send_to (Shell *shell, const char *folder, RackCommand *command, GError **error)
{
  RackReply *reply = shell_expect (shell, command, error);

  shell_added (shell, folder, reply);
  return client_status_result (reply);
}

/* ---- COPY, MOVE, EXPUNGE ----------------------------------------------------------------------
 */

/* One command a set; the texts of their answers, a line each. What is moved away changes the
 * numbers of what is behind it, so numbers go from the last to the first. */
static Value *
transfer (Shell *shell, const char *verb, Value **args, GError **error)
{
  g_autofree char *folder = client_folder (shell, args[1], "folder", error);
  g_autoptr (GPtrArray) sets = folder != NULL ? client_need_sets (args[0], error) : NULL;
  g_autoptr (GString) texts = g_string_new (NULL);

  if (sets == NULL)
    return NULL;
  for (guint i = 0; i < sets->len; i++)
    {
      const RackSet *set = sets->pdata[shell->use_uid ? i : sets->len - 1 - i];
      RackCommand *command = client_set_command (shell, verb, set);
      rack_command_mailbox (command, folder);
      g_autoptr (Value) text = send_to (shell, folder, command, error);
      if (text == NULL && client_goes_on (i + 1 == sets->len, error))
        continue;
      if (text == NULL)
        return NULL;
      g_string_append (texts, i > 0 ? "\n" : "");
      g_string_append_len (texts, text->text.bytes, (gssize) text->text.size);
    }
  return value_bytes_take (g_steal_pointer (&texts));
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
client_run_uid_expunge (Shell *shell, Value **args, GError **error)
{
  g_autoptr (GPtrArray) sets = client_need_sets (args[0], error);

  if (sets == NULL)
    return NULL;
  if (!shell->use_uid)
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE,
                           "messages can be expunged by UID alone: c.use_uid is False");
      return NULL;
    }
  for (guint i = 0; i < sets->len; i++)
    {
      RackCommand *command = client_set_command (shell, "EXPUNGE", sets->pdata[i]);
      g_autoptr (RackReply) reply = shell_expect (shell, command, error);
      if (reply == NULL && !client_goes_on (i + 1 == sets->len, error))
        return NULL;
    }
  return value_none ();
}

Value *
client_run_expunge (Shell *shell, Value **args, GError **error)
{
  if (args[0] != NULL)
    return client_run_uid_expunge (shell, args, error);
  return client_reply_result (shell_expect (shell, rack_command_new ("EXPUNGE"), error));
}

/* ---- APPEND -----------------------------------------------------------------------------------
 */

/* Lines end with CR LF, as in IMAP (and as IMAPClient's append has it). */
static GBytes *
message_octets (const Value *message)
{
  const char *at = message->text.bytes, *end = at + message->text.size;
  GByteArray *octets = g_byte_array_sized_new ((guint) message->text.size);

  while (at < end)
    {
      const char *stop = at;
      while (stop < end && *stop != '\r' && *stop != '\n')
        stop++;
      g_byte_array_append (octets, (const guint8 *) at, (guint) (stop - at));
      if (stop < end)
        g_byte_array_append (octets, (const guint8 *) "\r\n", 2);
      at = stop + (stop + 1 < end && stop[0] == '\r' && stop[1] == '\n' ? 2 : 1);
    }
  return g_byte_array_free_to_bytes (octets);
}

/* flags and time: NULL for none. */
static gboolean
add_message (RackCommand *command, const Value *message, const Value *flags, const Value *time,
             GError **error)
{
  if (client_text (message) == NULL)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "a message must be str or bytes, not %s",
                   message != NULL ? value_type_name (message) : "NoneType");
      return FALSE;
    }
  if (flags != NULL && value_is_true (flags) && !client_add_words (command, flags, "flags", error))
    return FALSE;
  if (time != NULL && time->kind != VALUE_NONE
      && !client_add_time (command, time, "the time", error))
    return FALSE;
  g_autoptr (GBytes) octets = message_octets (message);
  rack_command_literal (command, octets);
  return TRUE;
}

Value *
client_run_append (Shell *shell, Value **args, GError **error)
{
  g_autofree char *folder = client_folder (shell, args[0], "folder", error);
  g_autoptr (RackCommand) command = rack_command_new ("APPEND");

  if (folder == NULL)
    return NULL;
  rack_command_mailbox (command, folder);
  if (!add_message (command, args[1], args[2], args[3], error))
    return NULL;
  return send_to (shell, folder, g_steal_pointer (&command), error);
}

static gboolean
check_keys (const Value *item, GError **error)
{
  for (guint i = 0; i < item->dict.n; i++)
    {
      const char *key = client_text (item->dict.pairs[i].key);
      if (g_strcmp0 (key, "msg") == 0 || g_strcmp0 (key, "flags") == 0
          || g_strcmp0 (key, "date") == 0)
        continue;
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_KEY,
                           "a message has 'msg', 'flags' and 'date', nothing else");
      return FALSE;
    }
  return TRUE;
}

static Value *
item_get (const Value *item, const char *name)
{
  g_autoptr (Value) key = value_str (name, -1);

  return value_dict_get (item, key);
}

static gboolean
add_item (RackCommand *command, const Value *item, GError **error)
{
  if (item->kind != VALUE_DICT)
    return add_message (command, item, NULL, NULL, error);
  return check_keys (item, error)
         && add_message (command, item_get (item, "msg"), item_get (item, "flags"),
                         item_get (item, "date"), error);
}

Value *
client_run_multiappend (Shell *shell, Value **args, GError **error)
{
  g_autofree char *folder = client_folder (shell, args[0], "folder", error);
  g_autoptr (RackCommand) command = rack_command_new ("APPEND");

  if (folder == NULL)
    return NULL;
  if (!value_is_sequence (args[1]) || args[1]->seq.n == 0)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                   "msgs must be a list of at least one message, not %s",
                   value_is_sequence (args[1]) ? "an empty one" : value_type_name (args[1]));
      return NULL;
    }
  rack_command_mailbox (command, folder);
  for (guint i = 0; i < args[1]->seq.n; i++)
    if (!add_item (command, args[1]->seq.items[i], error))
      return NULL;
  Value *text = send_to (shell, folder, g_steal_pointer (&command), error);
  if (text == NULL)
    return NULL;
  Value *pair = value_tuple_new (2), *list = value_list_new (1);
  value_append (list, text);
  value_append (pair, value_str ("OK", -1));
  value_append (pair, list);
  return pair;
}
