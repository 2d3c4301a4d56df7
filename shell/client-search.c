/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-search.c - search, sort and thread; their criteria are made in client-criteria.c */
#include "client-private.h"

#include <string.h>

static RackCommand *
new_command (const Shell *shell, const char *verb)
{
  g_autofree char *full = g_strconcat (shell->use_uid ? "UID " : "", verb, NULL);

  return rack_command_new (full);
}

/* Takes command. */
static Value *
run_search (Shell *shell, RackCommand *command, GError **error)
{
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  const RackSearchData none = { .all = { NULL, 0 } };
  const RackResponse *response;

  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_SEARCH)
      return convert_search (&response->search, error);
  return convert_search (&none, error);
}

Value *
client_run_search (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackCommand) command = new_command (shell, "SEARCH");

  if (!client_add_criteria (command, args[0], args[1], FALSE, error))
    return NULL;
  return run_search (shell, g_steal_pointer (&command), error);
}

Value *
client_run_gmail_search (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackCommand) command = new_command (shell, "SEARCH");
  g_autoptr (Value) charset = args[1] != NULL ? value_ref (args[1]) : value_str ("UTF-8", -1);
  g_autoptr (Value) criteria = value_list_new (2);

  if (!client_need_text (args[0], "query", error))
    return NULL;
  value_append (criteria, value_str ("X-GM-RAW", -1));
  value_append (criteria, value_ref (args[0]));
  if (!client_add_criteria (command, criteria, charset, FALSE, error))
    return NULL;
  return run_search (shell, g_steal_pointer (&command), error);
}

Value *
client_run_sort (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackCommand) command = new_command (shell, "SORT");
  const RackResponse *response;

  if (!client_add_words (command, args[0], "sort_criteria", error)
      || !client_add_criteria (command, args[1], args[2], TRUE, error))
    return NULL;
  g_autoptr (RackReply) reply = shell_expect (shell, g_steal_pointer (&command), error);
  if (reply == NULL)
    return NULL;
  Value *list = value_list_new (64);
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    for (gsize j = 0; response->kind == RACK_RESPONSE_SORT && j < response->sort.n; j++)
      value_append (list, value_uint (response->sort.items[j]));
  return list;
}

static gboolean
can_thread (Shell *shell, const char *algorithm, GError **error)
{
  g_autofree char *capability = g_strconcat ("THREAD=", algorithm, NULL);

  if (!shell_connect (shell, error))
    return FALSE;
  if (rack_session_has (shell->session, capability))
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
               "%s: thread: the server does not support %s", rack_account_label (shell->account),
               capability);
  return FALSE;
}

Value *
client_run_thread (Shell *shell, Value **args, GError **error)
{
  g_autoptr (RackCommand) command = new_command (shell, "THREAD");
  const RackResponse *response;
  const char *algorithm = "REFERENCES";

  if (args[0] != NULL)
    {
      if (!client_need_text (args[0], "algorithm", error))
        return NULL;
      algorithm = client_text (args[0]);
    }
  if (!can_thread (shell, algorithm, error))
    return NULL;
  rack_command_atom (command, algorithm);
  if (!client_add_criteria (command, args[1], args[2], TRUE, error))
    return NULL;
  g_autoptr (RackReply) reply = shell_expect (shell, g_steal_pointer (&command), error);
  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_THREAD)
      return convert_tuple (response->raw, error);
  return value_tuple_new (0);
}
