/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client.c - the object c: IMAPClient's methods by their names, arguments and results
 *
 * One function for each method, in a table with its parameters. What a method sends is
 * one IMAP command; what it gives back is in convert.c. */
#include "args.h"
#include "convert.h"
#include "eval-error.h"
#include "shell.h"

#include <string.h>

typedef Value *(*Run) (Shell *shell, Value **args, GError **error);

typedef struct
{
  const char *name;
  Run run;
  Param params[5];
} Method;

/* ---- Arguments
 * -------------------------------------------------------------------------------------- */

static const char *
text_of (const Value *value)
{
  return value != NULL && value_is_text (value) ? value->text.bytes : NULL;
}

static gboolean
need_text (const Value *value, const char *what, GError **error)
{
  if (text_of (value) != NULL)
    return TRUE;
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s must be a string", what);
  return FALSE;
}

/* Appends "1,2:3" for an int, a string, or a sequence of them. */
static gboolean
add_numbers (GString *set, const Value *value, GError **error)
{
  guint64 number;

  if (value_get_uint64 (value, &number))
    g_string_append_printf (set, "%s%" G_GUINT64_FORMAT, set->len > 0 ? "," : "", number);
  else if (text_of (value) != NULL)
    g_string_append_printf (set, "%s%s", set->len > 0 ? "," : "", text_of (value));
  else if (value_is_sequence (value))
    {
      for (guint i = 0; i < value->seq.n; i++)
        if (!add_numbers (set, value->seq.items[i], error))
          return FALSE;
    }
  else
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                           "messages are a number, a string like '1:5,9', or a list of numbers");
      return FALSE;
    }
  return TRUE;
}

static RackSet *
messages_of (const Value *value, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (!add_numbers (text, value, error))
    return NULL;
  if (text->len == 0)
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE, "no messages are given");
      return NULL;
    }
  return rack_set_parse (text->str, error);
}

static RackCommand *
message_command (Shell *shell, const char *name, const Value *messages, GError **error)
{
  g_autoptr (RackSet) set = messages_of (messages, error);
  g_autofree char *full = g_strconcat (shell->use_uid ? "UID " : "", name, NULL);

  if (set == NULL)
    return NULL;
  RackCommand *command = rack_command_new (full);
  rack_command_set (command, set);
  return command;
}

static gboolean
add_flag_list (RackCommand *command, const Value *flags, GError **error)
{
  rack_command_open (command);
  if (text_of (flags) != NULL)
    rack_command_atom (command, text_of (flags));
  else if (value_is_sequence (flags))
    for (guint i = 0; i < flags->seq.n; i++)
      {
        if (!need_text (flags->seq.items[i], "a flag", error))
          return FALSE;
        rack_command_atom (command, text_of (flags->seq.items[i]));
      }
  rack_command_close (command);
  return TRUE;
}

/* ---- Results
 * ------------------------------------------------------------------------------------------ */

static Value *
status_result (RackReply *reply)
{
  g_autoptr (RackReply) owned = reply;

  return owned != NULL ? convert_status_text (rack_reply_status (owned)) : NULL;
}

/* {uid or seq: {...}} from a pulled fetch. */
static Value *
fetch_result (Shell *shell, RackFetch *fetch, GError **error)
{
  g_autoptr (RackFetch) owned = fetch;
  g_autoptr (GError) problem = NULL;
  const RackMessage *message;

  if (owned == NULL)
    return NULL;
  g_autoptr (Value) dict = value_dict_new ();
  while ((message = rack_fetch_next (owned, &problem)) != NULL)
    {
      guint32 key = shell->use_uid ? message->uid : message->seq;
      if (key != 0)
        value_dict_set (dict, value_uint (key), convert_message (message, shell->normalise_times));
    }
  if (problem != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }
  return g_steal_pointer (&dict);
}

static Value *
simple (Shell *shell, const char *verb, const Value *name, GError **error)
{
  if (!need_text (name, "the folder", error))
    return NULL;
  RackCommand *command = rack_command_new (verb);
  rack_command_mailbox (command, text_of (name));
  return status_result (shell_expect (shell, command, error));
}

static Value *
bare (Shell *shell, const char *verb, GError **error)
{
  return status_result (shell_expect (shell, rack_command_new (verb), error));
}

/* ---- State
 * ---------------------------------------------------------------------------------------------- */

static Value *
run_capabilities (Shell *shell, Value **args, GError **error)
{
  if (!shell_connect (shell, error))
    return NULL;
  Value *tuple = value_tuple_new (32);
  for (const char *const *at = rack_session_capabilities (shell->session); *at != NULL; at++)
    value_append (tuple, value_bytes (*at, -1));
  return tuple;
}

static Value *
run_has_capability (Shell *shell, Value **args, GError **error)
{
  if (!need_text (args[0], "the capability", error) || !shell_connect (shell, error))
    return NULL;
  return value_bool (rack_session_has (shell->session, text_of (args[0])));
}

static Value *
run_noop (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackReply) reply = shell_expect (shell, rack_command_new ("NOOP"), error);

  if (reply == NULL)
    return NULL;
  Value *tuple = value_tuple_new (2);
  value_append (tuple, convert_status_text (rack_reply_status (reply)));
  value_append (tuple, convert_responses (reply));
  return tuple;
}

static Value *
run_logout (Shell *shell, Value **args, GError **error)
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

static Value *
run_id (Shell *shell, Value **args, GError **error)
{
  RackCommand *command = rack_command_new ("ID");

  if (args[0] != NULL && args[0]->kind == VALUE_DICT)
    {
      rack_command_open (command);
      for (guint i = 0; i < args[0]->dict.n; i++)
        {
          const char *key = text_of (args[0]->dict.pairs[i].key),
                     *value = text_of (args[0]->dict.pairs[i].value);
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

static Value *
run_namespace (Shell *shell, Value **args, GError **error)
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

/* ---- Folders
 * ---------------------------------------------------------------------------------------------- */

static Value *
list_with (Shell *shell, const char *verb, Value **args, GError **error)
{
  const char *directory = args[0] != NULL ? text_of (args[0]) : "";
  const char *pattern = args[1] != NULL ? text_of (args[1]) : "*";
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

static Value *
run_list_folders (Shell *shell, Value **args, GError **error)
{
  return list_with (shell, "LIST", args, error);
}

static Value *
run_list_sub_folders (Shell *shell, Value **args, GError **error)
{
  return list_with (shell, "LSUB", args, error);
}

static Value *
run_find_special_folder (Shell *shell, Value **args, GError **error)
{
  Value *none[2] = { NULL, NULL };
  g_autoptr (Value) list =
      need_text (args[0], "the flag", error) ? list_with (shell, "LIST", none, error) : NULL;

  if (list == NULL)
    return NULL;
  for (guint i = 0; i < list->seq.n; i++)
    {
      const Value *flags = list->seq.items[i]->seq.items[0];
      for (guint j = 0; j < flags->seq.n; j++)
        if (g_ascii_strcasecmp (text_of (flags->seq.items[j]), text_of (args[0])) == 0)
          return value_ref (list->seq.items[i]->seq.items[2]);
    }
  return value_none ();
}

static Value *
run_select_folder (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackReply) reply = NULL;

  if (!need_text (args[0], "the folder", error)
      || !shell_select (shell, text_of (args[0]), args[1] != NULL && value_is_true (args[1]),
                        &reply, error))
    return NULL;
  return convert_select (reply);
}

static Value *
leave_mailbox (Shell *shell, const char *verb, GError **error)
{
  Value *result = bare (shell, verb, error);

  if (result != NULL)
    g_clear_pointer (&shell->mailbox, g_free);
  return result;
}

static Value *
run_unselect_folder (Shell *shell, Value **args, GError **error)
{
  return leave_mailbox (shell, "UNSELECT", error);
}

static Value *
run_close_folder (Shell *shell, Value **args, GError **error)
{
  return leave_mailbox (shell, "CLOSE", error);
}

static Value *
run_folder_status (Shell *shell, Value **args, GError **error)
{
  const RackResponse *response;

  if (!need_text (args[0], "the folder", error))
    return NULL;
  RackCommand *command = rack_command_new ("STATUS");
  rack_command_mailbox (command, text_of (args[0]));
  rack_command_open (command);
  if (args[1] == NULL)
    rack_command_raw (command, "MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN");
  else if (text_of (args[1]) != NULL)
    rack_command_raw (command, text_of (args[1]));
  else
    for (guint i = 0; value_is_sequence (args[1]) && i < args[1]->seq.n; i++)
      if (text_of (args[1]->seq.items[i]) != NULL)
        rack_command_atom (command, text_of (args[1]->seq.items[i]));
  rack_command_close (command);
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_MAILBOX_STATUS)
      return convert_status_data (&response->mailbox_status);
  return value_dict_new ();
}

static Value *
run_folder_exists (Shell *shell, Value **args, GError **error)
{
  Value *both[2] = { NULL, args[0] };
  g_autoptr (Value) list =
      need_text (args[0], "the folder", error) ? list_with (shell, "LIST", both, error) : NULL;

  return list != NULL ? value_bool (list->seq.n > 0) : NULL;
}

static Value *
run_create_folder (Shell *shell, Value **args, GError **error)
{
  return simple (shell, "CREATE", args[0], error);
}

static Value *
run_delete_folder (Shell *shell, Value **args, GError **error)
{
  return simple (shell, "DELETE", args[0], error);
}

static Value *
run_subscribe_folder (Shell *shell, Value **args, GError **error)
{
  return simple (shell, "SUBSCRIBE", args[0], error);
}

static Value *
run_unsubscribe_folder (Shell *shell, Value **args, GError **error)
{
  return simple (shell, "UNSUBSCRIBE", args[0], error);
}

static Value *
run_rename_folder (Shell *shell, Value **args, GError **error)
{
  if (!need_text (args[0], "the old name", error) || !need_text (args[1], "the new name", error))
    return NULL;
  RackCommand *command = rack_command_new ("RENAME");
  rack_command_mailbox (command, text_of (args[0]));
  rack_command_mailbox (command, text_of (args[1]));
  return status_result (shell_expect (shell, command, error));
}

/* ---- Search
 * ------------------------------------------------------------------------------------------------
 */

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* Keys are bare words, the strings behind them quoted where they must be. */
static gboolean
is_bare (const char *text)
{
  if (*text == '\0' || !g_str_is_ascii (text))
    return FALSE;
  for (const char *at = text; *at != '\0'; at++)
    if (*at <= ' ' || strchr ("\"\\{()", *at) != NULL)
      return FALSE;
  return TRUE;
}

static gboolean
add_criterion (RackCommand *command, const Value *value, GError **error)
{
  guint64 number;

  if (value_get_uint64 (value, &number))
    rack_command_number (command, number);
  else if (value->kind == VALUE_DATE || value->kind == VALUE_DATETIME)
    {
      g_autofree char *date = g_strdup_printf ("%02u-%s-%04d", value->time.day,
                                               months[value->time.month - 1], value->time.year);
      rack_command_atom (command, date);
    }
  else if (text_of (value) != NULL && is_bare (text_of (value)))
    rack_command_atom (command, text_of (value));
  else if (text_of (value) != NULL)
    rack_command_string (command, value->text.bytes, (gssize) value->text.size);
  else if (value_is_sequence (value))
    {
      rack_command_open (command);
      for (guint i = 0; i < value->seq.n; i++)
        if (!add_criterion (command, value->seq.items[i], error))
          return FALSE;
      rack_command_close (command);
    }
  else
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "search criteria cannot hold a %s",
                   value_type_name (value));
      return FALSE;
    }
  return TRUE;
}

static gboolean
needs_charset (const Value *value)
{
  if (value == NULL)
    return FALSE;
  if (value_is_sequence (value))
    {
      for (guint i = 0; i < value->seq.n; i++)
        if (needs_charset (value->seq.items[i]))
          return TRUE;
      return FALSE;
    }
  return text_of (value) != NULL && !g_str_is_ascii (text_of (value));
}

static gboolean
add_criteria (RackCommand *command, const Value *criteria, GError **error)
{
  if (criteria == NULL)
    rack_command_atom (command, "ALL");
  else if (text_of (criteria) != NULL)
    rack_command_raw (command, text_of (criteria));
  else if (value_is_sequence (criteria))
    {
      for (guint i = 0; i < criteria->seq.n; i++)
        if (!add_criterion (command, criteria->seq.items[i], error))
          return FALSE;
    }
  else
    return add_criterion (command, criteria, error);
  return TRUE;
}

static Value *
run_search (Shell *shell, Value **args, GError **error)
{
  const char *charset = args[1] != NULL           ? text_of (args[1])
                        : needs_charset (args[0]) ? "UTF-8"
                                                  : NULL;
  RackCommand *command = rack_command_new (shell->use_uid ? "UID SEARCH" : "SEARCH");
  const RackResponse *response;

  if (charset != NULL)
    {
      rack_command_atom (command, "CHARSET");
      rack_command_atom (command, charset);
    }
  if (!add_criteria (command, args[0], error))
    {
      rack_command_free (command);
      return NULL;
    }
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_SEARCH)
      return convert_ranges (response->search.all);
  return value_list_new (0);
}

static Value *
run_sort (Shell *shell, Value **args, GError **error)
{
  const char *charset = args[2] != NULL && text_of (args[2]) != NULL ? text_of (args[2]) : "UTF-8";
  RackCommand *command = rack_command_new (shell->use_uid ? "UID SORT" : "SORT");
  const RackResponse *response;
  gboolean ok = TRUE;

  rack_command_open (command);
  if (text_of (args[0]) != NULL)
    rack_command_raw (command, text_of (args[0]));
  else
    for (guint i = 0; value_is_sequence (args[0]) && i < args[0]->seq.n && ok; i++)
      ok = add_criterion (command, args[0]->seq.items[i], error);
  rack_command_close (command);
  rack_command_atom (command, charset);
  if (!ok || !add_criteria (command, args[1], error))
    {
      rack_command_free (command);
      return NULL;
    }
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return NULL;
  Value *list = value_list_new (64);
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    for (gsize j = 0; response->kind == RACK_RESPONSE_SORT && j < response->sort.n; j++)
      value_append (list, value_uint (response->sort.items[j]));
  return list;
}

/* ---- Messages
 * -------------------------------------------------------------------------------------------------
 */

static Value *
fetch_items (Shell *shell, const Value *messages, const Value *data, const Value *modifiers,
             GError **error)
{
  RackCommand *command = message_command (shell, "FETCH", messages, error);
  gboolean uid = shell->use_uid;

  if (command == NULL)
    return NULL;
  rack_command_open (command);
  if (uid)
    rack_command_atom (command, "UID");
  if (text_of (data) != NULL)
    rack_command_raw (command, text_of (data));
  else
    for (guint i = 0; value_is_sequence (data) && i < data->seq.n; i++)
      if (text_of (data->seq.items[i]) != NULL)
        rack_command_raw (command, text_of (data->seq.items[i]));
  rack_command_close (command);
  if (modifiers != NULL && value_is_sequence (modifiers) && modifiers->seq.n > 0)
    {
      rack_command_open (command);
      for (guint i = 0; i < modifiers->seq.n; i++)
        if (text_of (modifiers->seq.items[i]) != NULL)
          rack_command_raw (command, text_of (modifiers->seq.items[i]));
      rack_command_close (command);
    }
  return fetch_result (shell, shell_fetch (shell, command, error), error);
}

static Value *
run_fetch (Shell *shell, Value **args, GError **error)
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

static Value *
run_get_flags (Shell *shell, Value **args, GError **error)
{
  g_autoptr (Value) items = value_str ("FLAGS", -1);

  return only_flags (fetch_items (shell, args[0], items, NULL, error));
}

static Value *
store (Shell *shell, const char *mode, Value **args, GError **error)
{
  gboolean silent = args[2] != NULL && value_is_true (args[2]);
  g_autofree char *item = g_strconcat (mode, silent ? ".SILENT" : "", NULL);
  RackCommand *command = message_command (shell, "STORE", args[0], error);

  if (command == NULL)
    return NULL;
  rack_command_atom (command, item);
  if (!add_flag_list (command, args[1], error))
    {
      rack_command_free (command);
      return NULL;
    }
  g_autoptr (Value) result =
      only_flags (fetch_result (shell, shell_fetch (shell, command, error), error));
  if (result == NULL)
    return NULL;
  return silent ? value_none () : g_steal_pointer (&result);
}

static Value *
run_add_flags (Shell *shell, Value **args, GError **error)
{
  return store (shell, "+FLAGS", args, error);
}

static Value *
run_remove_flags (Shell *shell, Value **args, GError **error)
{
  return store (shell, "-FLAGS", args, error);
}

static Value *
run_set_flags (Shell *shell, Value **args, GError **error)
{
  return store (shell, "FLAGS", args, error);
}

static Value *
run_delete_messages (Shell *shell, Value **args, GError **error)
{
  g_autoptr (Value) deleted = value_str ("\\Deleted", -1);
  Value *with[3] = { args[0], deleted, args[1] };

  return store (shell, "+FLAGS", with, error);
}

static Value *
transfer (Shell *shell, const char *verb, Value **args, GError **error)
{
  RackCommand *command = need_text (args[1], "the folder", error)
                             ? message_command (shell, verb, args[0], error)
                             : NULL;

  if (command == NULL)
    return NULL;
  rack_command_mailbox (command, text_of (args[1]));
  return status_result (shell_expect (shell, command, error));
}

static Value *
run_copy (Shell *shell, Value **args, GError **error)
{
  return transfer (shell, "COPY", args, error);
}

static Value *
run_move (Shell *shell, Value **args, GError **error)
{
  return transfer (shell, "MOVE", args, error);
}

static Value *
run_expunge (Shell *shell, Value **args, GError **error)
{
  RackCommand *command = args[0] != NULL ? message_command (shell, "EXPUNGE", args[0], error)
                                         : rack_command_new ("EXPUNGE");
  g_autoptr (RackReply) reply = command != NULL ? shell_expect (shell, command, error) : NULL;

  if (reply == NULL)
    return NULL;
  Value *tuple = value_tuple_new (2);
  value_append (tuple, convert_status_text (rack_reply_status (reply)));
  value_append (tuple, convert_responses (reply));
  return tuple;
}

static Value *
run_append (Shell *shell, Value **args, GError **error)
{
  if (!need_text (args[0], "the folder", error) || !need_text (args[1], "the message", error))
    return NULL;
  RackCommand *command = rack_command_new ("APPEND");
  rack_command_mailbox (command, text_of (args[0]));
  if (args[2] != NULL && value_is_sequence (args[2]) && args[2]->seq.n > 0
      && !add_flag_list (command, args[2], error))
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
  return status_result (shell_expect (shell, command, error));
}

/* ---- IDLE
 * -------------------------------------------------------------------------------------------------------
 */

static Value *
run_idle (Shell *shell, Value **args, GError **error)
{
  if (!shell_connect (shell, error)
      || !rack_session_idle (shell->session, shell->cancellable, error))
    return NULL;
  return value_none ();
}

static Value *
run_idle_check (Shell *shell, Value **args, GError **error)
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

static Value *
run_idle_done (Shell *shell, Value **args, GError **error)
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

static Value *
run_getacl (Shell *shell, Value **args, GError **error)
{
  const RackResponse *response;

  if (!need_text (args[0], "the folder", error))
    return NULL;
  RackCommand *command = rack_command_new ("GETACL");
  rack_command_mailbox (command, text_of (args[0]));
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

/* ---- The object
 * ----------------------------------------------------------------------------------------------------
 */

#define REQUIRED(name)                                                                             \
  {                                                                                                \
    name, PARAM_REQUIRED                                                                           \
  }
#define OPTIONAL(name)                                                                             \
  {                                                                                                \
    name, PARAM_OPTIONAL                                                                           \
  }

static const Method methods[] = {
  { "add_flags",
    run_add_flags,
    { REQUIRED ("messages"), REQUIRED ("flags"), OPTIONAL ("silent") } },
  { "append",
    run_append,
    { REQUIRED ("folder"), REQUIRED ("msg"), OPTIONAL ("flags"), OPTIONAL ("msg_time") } },
  { "capabilities", run_capabilities, { { NULL, 0 } } },
  { "close_folder", run_close_folder, { { NULL, 0 } } },
  { "copy", run_copy, { REQUIRED ("messages"), REQUIRED ("folder") } },
  { "create_folder", run_create_folder, { REQUIRED ("folder") } },
  { "delete_folder", run_delete_folder, { REQUIRED ("folder") } },
  { "delete_messages", run_delete_messages, { REQUIRED ("messages"), OPTIONAL ("silent") } },
  { "expunge", run_expunge, { OPTIONAL ("messages") } },
  { "fetch", run_fetch, { REQUIRED ("messages"), REQUIRED ("data"), OPTIONAL ("modifiers") } },
  { "find_special_folder", run_find_special_folder, { REQUIRED ("folder_flag") } },
  { "folder_exists", run_folder_exists, { REQUIRED ("folder") } },
  { "folder_status", run_folder_status, { REQUIRED ("folder"), OPTIONAL ("what") } },
  { "get_flags", run_get_flags, { REQUIRED ("messages") } },
  { "getacl", run_getacl, { REQUIRED ("folder") } },
  { "has_capability", run_has_capability, { REQUIRED ("capability") } },
  { "id_", run_id, { OPTIONAL ("parameters") } },
  { "idle", run_idle, { { NULL, 0 } } },
  { "idle_check", run_idle_check, { OPTIONAL ("timeout") } },
  { "idle_done", run_idle_done, { { NULL, 0 } } },
  { "list_folders", run_list_folders, { OPTIONAL ("directory"), OPTIONAL ("pattern") } },
  { "list_sub_folders", run_list_sub_folders, { OPTIONAL ("directory"), OPTIONAL ("pattern") } },
  { "logout", run_logout, { { NULL, 0 } } },
  { "move", run_move, { REQUIRED ("messages"), REQUIRED ("folder") } },
  { "namespace", run_namespace, { { NULL, 0 } } },
  { "noop", run_noop, { { NULL, 0 } } },
  { "remove_flags",
    run_remove_flags,
    { REQUIRED ("messages"), REQUIRED ("flags"), OPTIONAL ("silent") } },
  { "rename_folder", run_rename_folder, { REQUIRED ("old_name"), REQUIRED ("new_name") } },
  { "search", run_search, { OPTIONAL ("criteria"), OPTIONAL ("charset") } },
  { "select_folder", run_select_folder, { REQUIRED ("folder"), OPTIONAL ("readonly") } },
  { "set_flags",
    run_set_flags,
    { REQUIRED ("messages"), REQUIRED ("flags"), OPTIONAL ("silent") } },
  { "sort", run_sort, { REQUIRED ("sort_criteria"), OPTIONAL ("criteria"), OPTIONAL ("charset") } },
  { "subscribe_folder", run_subscribe_folder, { REQUIRED ("folder") } },
  { "unselect_folder", run_unselect_folder, { { NULL, 0 } } },
  { "unsubscribe_folder", run_unsubscribe_folder, { REQUIRED ("folder") } },
};

static const char *method_names[G_N_ELEMENTS (methods) + 1];
static const char *const attribute_names[] = { "folder_encode", "normalise_times", "use_uid",
                                               NULL };

static Value *
client_call (gpointer self, const char *name, const CallArgs *args, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    if (strcmp (methods[i].name, name) == 0)
      {
        Value *bound[ARGS_MAX] = { NULL };
        if (!args_bind (name, methods[i].params, args, bound, error))
          return NULL;
        for (guint j = 0; j < ARGS_MAX; j++)
          if (bound[j] != NULL && bound[j]->kind == VALUE_NONE)
            bound[j] = NULL;
        return methods[i].run (self, bound, error);
      }
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_ATTRIBUTE, "the client has no method '%s'", name);
  return NULL;
}

static gboolean *
attribute (Shell *shell, const char *name)
{
  if (strcmp (name, "use_uid") == 0)
    return &shell->use_uid;
  if (strcmp (name, "normalise_times") == 0)
    return &shell->normalise_times;
  if (strcmp (name, "folder_encode") == 0)
    return &shell->folder_encode;
  return NULL;
}

static Value *
client_get (gpointer self, const char *name, GError **error)
{
  gboolean *found = attribute (self, name);

  return found != NULL ? value_bool (*found) : NULL;
}

static gboolean
client_set (gpointer self, const char *name, Value *value, GError **error)
{
  gboolean *found = attribute (self, name);

  if (found == NULL)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_ATTRIBUTE, "'%s' cannot be set", name);
      return FALSE;
    }
  *found = value_is_true (value);
  return TRUE;
}

static const ObjectClass client_class = {
  .type_name = "IMAPClient",
  .call = client_call,
  .get = client_get,
  .set = client_set,
  .methods = method_names,
  .attributes = attribute_names,
};

Value *
client_new (Shell *shell)
{
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    method_names[i] = methods[i].name;
  return value_object (&client_class, shell);
}
