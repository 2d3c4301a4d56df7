/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client.c - the object c: IMAPClient's methods by their names, arguments and results
 *
 * Here are the table of methods with their parameters, and what they share; one function
 * for each is in client-*.c. What a method sends is one IMAP command; what it gives back
 * is in convert.c. */
#include "args.h"
#include "client-private.h"

#include <string.h>

typedef Value *(*Run) (Shell *shell, Value **args, GError **error);

typedef enum
{
  METHOD_PLAIN = 0,
  METHOD_CHANGES = 1 << 0,  /* not with --read-only */
  METHOD_SELECTED = 1 << 1, /* is about the selected mailbox */
} MethodFlags;

typedef struct
{
  const char *name;
  Run run;
  MethodFlags flags;
  Param params[5];
} Method;

/* ---- Arguments ---- */

const char *
client_text (const Value *value)
{
  return value != NULL && value_is_text (value) ? value->text.bytes : NULL;
}

gboolean
client_need_text (const Value *value, const char *what, GError **error)
{
  if (client_text (value) != NULL)
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
  else if (client_text (value) != NULL)
    g_string_append_printf (set, "%s%s", set->len > 0 ? "," : "", client_text (value));
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

RackCommand *
client_message_command (Shell *shell, const char *name, const Value *messages, GError **error)
{
  g_autoptr (RackSet) set = messages_of (messages, error);
  g_autofree char *full = g_strconcat (shell->use_uid ? "UID " : "", name, NULL);

  if (set == NULL)
    return NULL;
  RackCommand *command = rack_command_new (full);
  rack_command_set (command, set);
  return command;
}

gboolean
client_add_flags (RackCommand *command, const Value *flags, GError **error)
{
  rack_command_open (command);
  if (client_text (flags) != NULL)
    rack_command_atom (command, client_text (flags));
  else if (value_is_sequence (flags))
    for (guint i = 0; i < flags->seq.n; i++)
      {
        if (!client_need_text (flags->seq.items[i], "a flag", error))
          return FALSE;
        rack_command_atom (command, client_text (flags->seq.items[i]));
      }
  rack_command_close (command);
  return TRUE;
}

/* ---- Results ---- */

Value *
client_status_result (RackReply *reply)
{
  g_autoptr (RackReply) owned = reply;

  return owned != NULL ? convert_status_text (rack_reply_status (owned)) : NULL;
}

/* {uid or seq: {...}} from a pulled fetch. */
Value *
client_fetch_result (Shell *shell, RackFetch *fetch, GError **error)
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

Value *
client_simple (Shell *shell, const char *verb, const Value *name, GError **error)
{
  if (!client_need_text (name, "the folder", error))
    return NULL;
  RackCommand *command = rack_command_new (verb);
  rack_command_mailbox (command, client_text (name));
  return client_status_result (shell_expect (shell, command, error));
}

Value *
client_bare (Shell *shell, const char *verb, GError **error)
{
  return client_status_result (shell_expect (shell, rack_command_new (verb), error));
}

/* ---- The object ---- */

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
    client_run_add_flags,
    METHOD_CHANGES | METHOD_SELECTED,
    { REQUIRED ("messages"), REQUIRED ("flags"), OPTIONAL ("silent") } },
  { "append",
    client_run_append,
    METHOD_CHANGES,
    { REQUIRED ("folder"), REQUIRED ("msg"), OPTIONAL ("flags"), OPTIONAL ("msg_time") } },
  { "capabilities", client_run_capabilities, METHOD_PLAIN, { { NULL, 0 } } },
  { "close_folder", client_run_close_folder, METHOD_PLAIN, { { NULL, 0 } } },
  { "copy",
    client_run_copy,
    METHOD_CHANGES | METHOD_SELECTED,
    { REQUIRED ("messages"), REQUIRED ("folder") } },
  { "create_folder", client_run_create_folder, METHOD_CHANGES, { REQUIRED ("folder") } },
  { "delete_folder", client_run_delete_folder, METHOD_CHANGES, { REQUIRED ("folder") } },
  { "delete_messages",
    client_run_delete_messages,
    METHOD_CHANGES | METHOD_SELECTED,
    { REQUIRED ("messages"), OPTIONAL ("silent") } },
  { "expunge", client_run_expunge, METHOD_CHANGES | METHOD_SELECTED, { OPTIONAL ("messages") } },
  { "fetch",
    client_run_fetch,
    METHOD_SELECTED,
    { REQUIRED ("messages"), REQUIRED ("data"), OPTIONAL ("modifiers") } },
  { "find_special_folder",
    client_run_find_special_folder,
    METHOD_PLAIN,
    { REQUIRED ("folder_flag") } },
  { "folder_exists", client_run_folder_exists, METHOD_PLAIN, { REQUIRED ("folder") } },
  { "folder_status",
    client_run_folder_status,
    METHOD_PLAIN,
    { REQUIRED ("folder"), OPTIONAL ("what") } },
  { "get_flags", client_run_get_flags, METHOD_SELECTED, { REQUIRED ("messages") } },
  { "getacl", client_run_getacl, METHOD_PLAIN, { REQUIRED ("folder") } },
  { "has_capability", client_run_has_capability, METHOD_PLAIN, { REQUIRED ("capability") } },
  { "id_", client_run_id, METHOD_PLAIN, { OPTIONAL ("parameters") } },
  { "idle", client_run_idle, METHOD_PLAIN, { { NULL, 0 } } },
  { "idle_check", client_run_idle_check, METHOD_PLAIN, { OPTIONAL ("timeout") } },
  { "idle_done", client_run_idle_done, METHOD_PLAIN, { { NULL, 0 } } },
  { "list_folders",
    client_run_list_folders,
    METHOD_PLAIN,
    { OPTIONAL ("directory"), OPTIONAL ("pattern") } },
  { "list_sub_folders",
    client_run_list_sub_folders,
    METHOD_PLAIN,
    { OPTIONAL ("directory"), OPTIONAL ("pattern") } },
  { "logout", client_run_logout, METHOD_PLAIN, { { NULL, 0 } } },
  { "move",
    client_run_move,
    METHOD_CHANGES | METHOD_SELECTED,
    { REQUIRED ("messages"), REQUIRED ("folder") } },
  { "namespace", client_run_namespace, METHOD_PLAIN, { { NULL, 0 } } },
  { "noop", client_run_noop, METHOD_PLAIN, { { NULL, 0 } } },
  { "remove_flags",
    client_run_remove_flags,
    METHOD_CHANGES | METHOD_SELECTED,
    { REQUIRED ("messages"), REQUIRED ("flags"), OPTIONAL ("silent") } },
  { "rename_folder",
    client_run_rename_folder,
    METHOD_CHANGES,
    { REQUIRED ("old_name"), REQUIRED ("new_name") } },
  { "search", client_run_search, METHOD_SELECTED, { OPTIONAL ("criteria"), OPTIONAL ("charset") } },
  { "select_folder",
    client_run_select_folder,
    METHOD_PLAIN,
    { REQUIRED ("folder"), OPTIONAL ("readonly") } },
  { "set_flags",
    client_run_set_flags,
    METHOD_CHANGES | METHOD_SELECTED,
    { REQUIRED ("messages"), REQUIRED ("flags"), OPTIONAL ("silent") } },
  { "sort",
    client_run_sort,
    METHOD_SELECTED,
    { REQUIRED ("sort_criteria"), OPTIONAL ("criteria"), OPTIONAL ("charset") } },
  { "subscribe_folder", client_run_subscribe_folder, METHOD_CHANGES, { REQUIRED ("folder") } },
  { "unselect_folder", client_run_unselect_folder, METHOD_PLAIN, { { NULL, 0 } } },
  { "unsubscribe_folder", client_run_unsubscribe_folder, METHOD_CHANGES, { REQUIRED ("folder") } },
};

static const char *method_names[G_N_ELEMENTS (methods) + 1];
static const char *const attribute_names[] = { "folder_encode", "normalise_times", "use_uid",
                                               NULL };

static gboolean
is_allowed (Shell *shell, const Method *method, GError **error)
{
  if ((method->flags & METHOD_CHANGES) && shell->force_read_only)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_READ_ONLY, "%s: the shell is read-only",
                   method->name);
      return FALSE;
    }
  if (!(method->flags & METHOD_SELECTED) || shell->mailbox != NULL)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
               "%s: no mailbox is selected: c.select_folder('INBOX') selects one", method->name);
  return FALSE;
}

static Value *
client_call (gpointer self, const char *name, const CallArgs *args, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    if (strcmp (methods[i].name, name) == 0)
      {
        Value *bound[ARGS_MAX] = { NULL };
        if (!args_bind (name, methods[i].params, args, bound, error))
          return NULL;
        if (!is_allowed (self, &methods[i], error))
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
