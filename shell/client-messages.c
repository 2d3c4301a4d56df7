/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-messages.c - fetch, flags and Gmail's labels; and how their answers become one dict */
#include "client-private.h"
#include "repr.h"

#include <string.h>

/* ---- Answers ----------------------------------------------------------------------------------
 */

/* A set with "*" is of messages that only the server can tell. */
static gboolean
is_open (const RackSet *set)
{
  RackRanges ranges = rack_set_ranges (set);

  return ranges.n > 0 && ranges.items[ranges.n - 1].last == RACK_SET_STAR;
}

gboolean
client_fetch_into (Shell *shell, Value *dict, const RackSet *set, RackFetch *fetch, GError **error)
{
  const ConvertOptions options = { .normalise_times = shell->normalise_times,
                                   .with_uid = !shell->use_uid };
  g_autoptr (RackFetch) owned = fetch;
  gboolean open = is_open (set);
  GError *problem = NULL;
  const RackMessage *message;

  if (owned == NULL)
    return FALSE;
  while ((message = rack_fetch_next (owned, &problem)) != NULL)
    {
      guint32 number = shell->use_uid ? message->uid : message->seq;
      /* the server may tell of others meanwhile */
      if (number == 0 || (!open && !rack_set_contains (set, number)))
        continue;
      g_autoptr (Value) key = value_uint (number);
      Value *earlier = value_dict_get (dict, key);
      value_dict_set (dict, value_ref (key), convert_message (message, earlier, &options));
    }
  if (problem == NULL)
    return TRUE;
  g_propagate_error (error, problem);
  return FALSE;
}

Value *
client_only (Value *fetched, const char *item)
{
  g_autoptr (Value) owned = fetched;

  if (owned == NULL)
    return NULL;
  Value *dict = value_dict_new ();
  for (guint i = 0; i < owned->dict.n; i++)
    {
      Value *value = value_dict_get_bytes (owned->dict.pairs[i].value, item);
      if (value != NULL)
        value_dict_set (dict, value_ref (owned->dict.pairs[i].key), value_ref (value));
    }
  return dict;
}

Value *
client_store (Shell *shell, const char *item, Value **args, ClientAdd add, GError **error)
{
  gboolean silent = args[2] != NULL && value_is_true (args[2]);
  g_autofree char *full = g_strconcat (item, silent ? ".SILENT" : "", NULL);
  g_autoptr (GPtrArray) sets = client_sets (args[0], error);
  g_autoptr (Value) dict = value_dict_new ();

  if (sets == NULL)
    return NULL;
  for (guint i = 0; i < sets->len; i++)
    {
      g_autoptr (RackCommand) command = client_set_command (shell, "STORE", sets->pdata[i]);
      rack_command_atom (command, full);
      if (!add (shell, command, args[1], error))
        return NULL;
      if (!client_fetch_into (shell, dict, sets->pdata[i],
                              shell_fetch (shell, g_steal_pointer (&command), error), error)
          && !client_goes_on (i + 1 == sets->len, error))
        return NULL;
    }
  return silent && sets->len > 0 ? value_none () : g_steal_pointer (&dict);
}

/* ---- FETCH ------------------------------------------------------------------------------------
 */

static gboolean
is_macro (const Value *data)
{
  static const char *const macros[] = { "ALL", "FAST", "FULL" };
  const char *word = client_text (
      data != NULL && value_is_sequence (data) && data->seq.n == 1 ? data->seq.items[0] : data);

  for (gsize i = 0; word != NULL && i < G_N_ELEMENTS (macros); i++)
    if (g_ascii_strcasecmp (word, macros[i]) == 0)
      return TRUE;
  return FALSE;
}

/* Macros stand alone, without brackets. */
static gboolean
add_items (RackCommand *command, const Value *data, GError **error)
{
  if (!is_macro (data))
    return client_add_words (command, data, "data", error);
  rack_command_raw (command, client_text (value_is_sequence (data) ? data->seq.items[0] : data));
  return TRUE;
}

static Value *
fetch (Shell *shell, const Value *messages, const Value *data, const Value *modifiers,
       GError **error)
{
  g_autoptr (GPtrArray) sets = client_sets (messages, error);
  g_autoptr (Value) dict = value_dict_new ();

  if (sets == NULL)
    return NULL;
  for (guint i = 0; i < sets->len; i++)
    {
      g_autoptr (RackCommand) command = client_set_command (shell, "FETCH", sets->pdata[i]);
      if (!add_items (command, data, error))
        return NULL;
      if (modifiers != NULL && value_is_true (modifiers)
          && !client_add_words (command, modifiers, "modifiers", error))
        return NULL;
      if (!client_fetch_into (shell, dict, sets->pdata[i],
                              shell_fetch (shell, g_steal_pointer (&command), error), error))
        return NULL;
    }
  return g_steal_pointer (&dict);
}

Value *
client_run_fetch (Shell *shell, Value **args, GError **error)
{
  return fetch (shell, args[0], args[1], args[2], error);
}

/* ---- Flags ------------------------------------------------------------------------------------
 */

static gboolean
add_flags (Shell *shell, RackCommand *command, const Value *flags, GError **error)
{
  return client_add_words (command, flags, "flags", error);
}

static Value *
store_flags (Shell *shell, const char *item, Value **args, GError **error)
{
  Value *stored = client_store (shell, item, args, add_flags, error);

  return stored != NULL && stored->kind == VALUE_DICT ? client_only (stored, "FLAGS") : stored;
}

Value *
client_run_get_flags (Shell *shell, Value **args, GError **error)
{
  g_autoptr (Value) item = value_str ("FLAGS", -1);

  return client_only (fetch (shell, args[0], item, NULL, error), "FLAGS");
}

Value *
client_run_add_flags (Shell *shell, Value **args, GError **error)
{
  return store_flags (shell, "+FLAGS", args, error);
}

Value *
client_run_remove_flags (Shell *shell, Value **args, GError **error)
{
  return store_flags (shell, "-FLAGS", args, error);
}

Value *
client_run_set_flags (Shell *shell, Value **args, GError **error)
{
  return store_flags (shell, "FLAGS", args, error);
}

Value *
client_run_delete_messages (Shell *shell, Value **args, GError **error)
{
  g_autoptr (Value) deleted = value_str ("\\Deleted", -1);
  Value *with[3] = { args[0], deleted, args[1] };

  return store_flags (shell, "+FLAGS", with, error);
}

/* ---- Gmail's labels ---------------------------------------------------------------------------
 */

/* Labels are names of mailboxes but for Gmail's own, such as \Inbox. */
static gboolean
add_labels (Shell *shell, RackCommand *command, const Value *labels, GError **error)
{
  gboolean many = value_is_sequence (labels);

  rack_command_open (command);
  for (guint i = 0; i < (many ? labels->seq.n : 1); i++)
    {
      g_autofree char *label =
          client_folder (shell, many ? labels->seq.items[i] : labels, "a label", error);
      if (label == NULL)
        return FALSE;
      if (*label == '\\')
        rack_command_atom (command, label);
      else
        rack_command_mailbox (command, label);
    }
  rack_command_close (command);
  return TRUE;
}

/* {1: (b'Caf&AOk-',)} becomes {1: ['Café']}; takes labels. */
static Value *
decode_labels (Value *labels)
{
  g_autoptr (Value) owned = labels;

  if (owned == NULL)
    return NULL;
  Value *dict = value_dict_new ();
  for (guint i = 0; i < owned->dict.n; i++)
    {
      const ValuePair *pair = &owned->dict.pairs[i];
      Value *names = value_list_new (4);
      for (guint j = 0; value_is_sequence (pair->value) && j < pair->value->seq.n; j++)
        {
          g_autofree char *number = repr_str_dup (pair->value->seq.items[j]);
          const char *text = client_text (pair->value->seq.items[j]);
          RackStr wire = { text != NULL ? text : number, strlen (text != NULL ? text : number) };
          g_autofree char *name = rack_mailbox_name_decode (wire);
          value_append (names, value_str (name, -1));
        }
      value_dict_set (dict, value_ref (pair->key), names);
    }
  return dict;
}

Value *
client_run_get_gmail_labels (Shell *shell, Value **args, GError **error)
{
  g_autoptr (Value) item = value_str ("X-GM-LABELS", -1);

  return decode_labels (client_only (fetch (shell, args[0], item, NULL, error), "X-GM-LABELS"));
}

static Value *
store_labels (Shell *shell, const char *item, Value **args, GError **error)
{
  Value *stored = client_store (shell, item, args, add_labels, error);

  return stored != NULL && stored->kind == VALUE_DICT
             ? decode_labels (client_only (stored, "X-GM-LABELS"))
             : stored;
}

Value *
client_run_add_gmail_labels (Shell *shell, Value **args, GError **error)
{
  return store_labels (shell, "+X-GM-LABELS", args, error);
}

Value *
client_run_remove_gmail_labels (Shell *shell, Value **args, GError **error)
{
  return store_labels (shell, "-X-GM-LABELS", args, error);
}

Value *
client_run_set_gmail_labels (Shell *shell, Value **args, GError **error)
{
  return store_labels (shell, "X-GM-LABELS", args, error);
}
