/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sets.c - message sets as people type them, and large ones in pieces; see sets.h */
#include "sets.h"

#include "eval-error.h"

#include <string.h>

gboolean
sets_need_mailbox (Shell *shell, GError **error)
{
  if (shell->mailbox != NULL)
    return TRUE;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INVALID,
                       "no mailbox is selected: cd INBOX selects one");
  return FALSE;
}

/* ---- Searching ----------------------------------------------------------------------------------
 */

RackSet *
sets_search (Shell *shell, RackCommand *command, GError **error)
{
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  const RackResponse *response;

  if (reply == NULL)
    return NULL;
  RackSet *set = rack_set_new ();
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_SEARCH)
      rack_set_add_ranges (set, response->search.all);
  return set;
}

RackSet *
sets_last (Shell *shell, guint64 n, GError **error)
{
  g_autoptr (RackReply) noop = shell_expect (shell, rack_command_new ("NOOP"), error);
  const RackResponse *response;

  if (noop == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (noop, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_EXISTS)
      shell->messages = response->number;
  if (shell->messages == 0 || n == 0)
    return rack_set_new ();
  RackCommand *command = rack_command_new ("UID SEARCH");
  g_autofree char *range = g_strdup_printf ("%" G_GUINT64_FORMAT ":*",
                                            shell->messages > n ? shell->messages - n + 1 : 1);
  rack_command_atom (command, range);
  return sets_search (shell, command, error);
}

/* ---- Parsing ------------------------------------------------------------------------------------
 */

/* Numbers in a value: an int, a list of them, or the keys of what fetch gives. */
static gboolean
add_value (RackSet *set, const Value *value)
{
  guint64 number;

  if (value_get_uint64 (value, &number) && number > 0 && number < RACK_SET_STAR)
    rack_set_add (set, (guint32) number, (guint32) number);
  else if (value_is_sequence (value))
    {
      for (guint i = 0; i < value->seq.n; i++)
        if (!add_value (set, value->seq.items[i]))
          return FALSE;
    }
  else if (value->kind == VALUE_DICT)
    {
      for (guint i = 0; i < value->dict.n; i++)
        if (!add_value (set, value->dict.pairs[i].key))
          return FALSE;
    }
  else
    return FALSE;
  return TRUE;
}

static RackSet *
parse_variable (Shell *shell, const char *name, GError **error)
{
  g_autoptr (RackSet) set = NULL;
  gboolean is_last = strcmp (name, "_") == 0;

  if (is_last && shell->last != NULL)
    set = rack_set_copy (shell->last);
  else
    {
      const Value *value = interp_get (shell->interp, name);
      set = rack_set_new ();
      if (value != NULL && !add_value (set, value))
        {
          g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                       "$%s is no message set: it is a %s, and not numbers", name,
                       value_type_name (value));
          return NULL;
        }
    }
  if (rack_set_count (set) > 0)
    return g_steal_pointer (&set);
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "$%s is empty: %s fills it", name,
               is_last ? "find or ls" : "an assignment");
  return NULL;
}

/* "[1,2,3]", as the calls have it. */
static RackSet *
parse_list (Shell *shell, const char *text, GError **error)
{
  g_autoptr (Value) value = interp_eval (shell->interp, text, -1, error);
  g_autoptr (RackSet) set = rack_set_new ();

  if (value == NULL)
    return NULL;
  if (add_value (set, value) && rack_set_count (set) > 0)
    return g_steal_pointer (&set);
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s is no list of messages' numbers", text);
  return NULL;
}

gboolean
sets_none (Shell *shell, const CommandWord *word, GError **error)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND,
               "there is no message %s in %s (numbers are UIDs, as ls and find show them)",
               word->text, shell->mailbox);
  return FALSE;
}

RackSet *
sets_parse (Shell *shell, const CommandWord *word, GError **error)
{
  guint64 n = 1;

  if (!sets_need_mailbox (shell, error))
    return NULL;
  if (!word->quoted && word->text[0] == '$')
    return parse_variable (shell, word->text + 1, error);
  if (!word->quoted && g_str_has_prefix (word->text, "last")
      && (word->text[4] == '\0'
          || g_ascii_string_to_unsigned (word->text + 5, 10, 1, G_MAXUINT32, &n, NULL)))
    {
      RackSet *last = sets_last (shell, n, error);
      if (last == NULL || rack_set_count (last) > 0)
        return last;
      rack_set_free (last);
      sets_none (shell, word, error);
      return NULL;
    }
  if (!word->quoted && word->text[0] == '[')
    return parse_list (shell, word->text, error);
  return rack_set_parse (word->text, error);
}

RackSet *
sets_parse_there (Shell *shell, const CommandWord *word, GError **error)
{
  g_autoptr (RackSet) set = sets_parse (shell, word, error);
  g_autoptr (RackSet) found = rack_set_new ();
  RackSet *piece;

  if (set == NULL)
    return NULL;
  while ((piece = sets_take (set, G_MAXUINT64)) != NULL)
    {
      RackCommand *command = rack_command_new ("UID SEARCH");

      rack_command_atom (command, "UID");
      rack_command_set (command, piece);
      rack_set_free (piece);
      g_autoptr (RackSet) some = sets_search (shell, command, error);
      if (some == NULL)
        return NULL;
      rack_set_merge (found, some);
    }
  if (rack_set_count (found) > 0)
    return g_steal_pointer (&found);
  sets_none (shell, word, error);
  return NULL;
}

RackSet *
sets_parse_one (Shell *shell, const CommandWord *word, GError **error)
{
  g_autoptr (RackSet) set = sets_parse (shell, word, error);

  if (set == NULL || rack_set_count (set) == 1)
    return g_steal_pointer (&set);
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "%s is more than one message: name one",
               word->text);
  return NULL;
}

/* ---- Pieces -------------------------------------------------------------------------------------
 */

RackSet *
sets_take (RackSet *set, guint64 messages)
{
  RackRanges ranges = rack_set_ranges (set);
  gsize text = 0;

  if (ranges.n == 0)
    return NULL;
  RackSet *taken = rack_set_new ();
  for (gsize i = 0; i < ranges.n && messages > 0 && text < SETS_TEXT; i++)
    {
      guint32 first = ranges.items[i].first, last = ranges.items[i].last;

      if ((guint64) last - first + 1 > messages)
        last = first + (guint32) messages - 1;
      messages -= (guint64) last - first + 1;
      rack_set_add (taken, first, last);
      text += first == last ? 11 : 22; /* as long as numbers are */
    }
  rack_set_subtract (set, taken);
  return taken;
}

/* ---- The last result ----------------------------------------------------------------------------
 */

void
sets_keep (Shell *shell, RackSet *set)
{
  rack_set_free (shell->last);
  shell->last = set;
  shell->last_is_published = FALSE;
}

void
sets_publish (Shell *shell)
{
  if (shell->last == NULL || shell->last_is_published)
    return;
  RackRanges ranges = rack_set_ranges (shell->last);
  Value *list = value_list_new ((guint) MIN (rack_set_count (shell->last), 1 << 20));
  for (gsize i = 0; i < ranges.n; i++)
    for (guint64 uid = ranges.items[i].first; uid <= ranges.items[i].last; uid++)
      value_append (list, value_uint (uid));
  interp_set (shell->interp, "_", list);
  shell->last_is_published = TRUE;
}

void
sets_forget (Shell *shell)
{
  g_clear_pointer (&shell->last, rack_set_free);
}
