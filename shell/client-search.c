/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-search.c - search and sort: criteria as values into search keys */
#include "client-private.h"

#include <string.h>

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
  else if (client_text (value) != NULL && is_bare (client_text (value)))
    rack_command_atom (command, client_text (value));
  else if (client_text (value) != NULL)
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
  return client_text (value) != NULL && !g_str_is_ascii (client_text (value));
}

static gboolean
add_criteria (RackCommand *command, const Value *criteria, GError **error)
{
  if (criteria == NULL)
    rack_command_atom (command, "ALL");
  else if (client_text (criteria) != NULL)
    rack_command_raw (command, client_text (criteria));
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

Value *
client_run_search (Shell *shell, Value **args, GError **error)
{
  const char *charset = args[1] != NULL           ? client_text (args[1])
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

Value *
client_run_sort (Shell *shell, Value **args, GError **error)
{
  const char *charset =
      args[2] != NULL && client_text (args[2]) != NULL ? client_text (args[2]) : "UTF-8";
  RackCommand *command = rack_command_new (shell->use_uid ? "UID SORT" : "SORT");
  const RackResponse *response;
  gboolean ok = TRUE;

  rack_command_open (command);
  if (client_text (args[0]) != NULL)
    rack_command_raw (command, client_text (args[0]));
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
