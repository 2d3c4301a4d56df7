/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-method.c - the methods of c as commands: "select_folder INBOX" is
 * c.select_folder('INBOX')
 *
 * A word is a Python literal where it looks like one (5, [1, 2], True, b'x') and was not quoted,
 * $NAME a variable, NAME=WORD a keyword argument, all else a string. What is left over goes into
 * the list that the method takes: "search UNSEEN FROM bob". */
#include "display.h"
#include "method.h"
#include "sets.h"

#include <string.h>

/* Which argument is a list, counted from 0, of the methods that take one. */
static const struct
{
  const char *method;
  guint position;
} lists[] = {
  { "add_flags", 1 },
  { "add_gmail_labels", 1 },
  { "enable", 0 },
  { "fetch", 1 },
  { "folder_status", 1 },
  { "remove_flags", 1 },
  { "remove_gmail_labels", 1 },
  { "search", 0 },
  { "set_flags", 1 },
  { "set_gmail_labels", 1 },
  { "sort", 1 },
  { "thread", 1 },
};

static const ObjectClass *
client_class (Shell *shell)
{
  const Value *client = interp_get (shell->interp, "c");

  return client != NULL && client->kind == VALUE_OBJECT ? client->object.class : NULL;
}

gboolean
method_is_one (Shell *shell, const char *name)
{
  const ObjectClass *class = client_class (shell);

  return class != NULL && g_strv_contains (class->methods, name);
}

static guint
list_position (const char *method)
{
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    if (strcmp (lists[i].method, method) == 0)
      return lists[i].position;
  return G_MAXUINT;
}

/* Only what begins like a literal and is one to its end: 1:5 is a string. */
static Value *
word_value (Shell *shell, const CommandWord *word, const char *text, GError **error)
{
  Value *value = NULL;

  if (!word->quoted && *text == '$')
    return interp_eval (shell->interp, strcmp (text, "$_") == 0 ? text : text + 1, -1, error);
  if (!word->quoted
      && (strchr ("0123456789[({", *text) != NULL || strcmp (text, "True") == 0
          || strcmp (text, "False") == 0 || strcmp (text, "None") == 0))
    value = interp_eval (shell->interp, text, -1, NULL);
  return value != NULL ? value : value_str (text, -1);
}

/* "readonly=True": how long the name is, or 0. */
static gsize
keyword_size (const CommandWord *word)
{
  gsize size = strspn (word->text, "abcdefghijklmnopqrstuvwxyz_");

  return size > 0 && word->text[size] == '=' ? size : 0;
}

typedef struct
{
  GPtrArray *positional, *names, *values;
} Arguments;

static gboolean
add_word (Shell *shell, Arguments *arguments, Value *list, const CommandWord *word, guint position,
          GError **error)
{
  gsize size = keyword_size (word);
  Value *value = word_value (shell, word, size > 0 ? word->text + size + 1 : word->text, error);

  if (value == NULL)
    return FALSE;
  if (size > 0)
    {
      g_ptr_array_add (arguments->names, g_strndup (word->text, size));
      g_ptr_array_add (arguments->values, value);
    }
  else if (arguments->positional->len < position)
    g_ptr_array_add (arguments->positional, value);
  else
    value_append (list, value);
  return TRUE;
}

static gboolean
show (Shell *shell, Value *value)
{
  interp_set (shell->interp, "_", value_ref (value));
  sets_forget (shell);
  return display_value (value, shell);
}

gboolean
method_run (Shell *shell, const char *name, const CommandWord *words, guint n, GError **error)
{
  const ObjectClass *class = client_class (shell);
  guint position = list_position (name);
  g_autoptr (Value) list = value_list_new (n);
  Arguments arguments = { g_ptr_array_new_with_free_func ((GDestroyNotify) value_unref),
                          g_ptr_array_new_with_free_func (g_free),
                          g_ptr_array_new_with_free_func ((GDestroyNotify) value_unref) };
  gboolean ok = TRUE;

  for (guint i = 0; i < n && ok; i++)
    ok = add_word (shell, &arguments, list, &words[i], position, error);
  if (list->seq.n == 1 && list->seq.items[0]->kind == VALUE_LIST)
    g_ptr_array_add (arguments.positional, value_ref (list->seq.items[0]));
  else if (list->seq.n > 0)
    g_ptr_array_add (arguments.positional, value_ref (list));
  const CallArgs args = { (Value *const *) arguments.positional->pdata, arguments.positional->len,
                          (const char *const *) arguments.names->pdata,
                          (Value *const *) arguments.values->pdata, arguments.names->len };
  g_autoptr (Value) value = ok ? class->call (shell, name, &args, error) : NULL;
  ok = value != NULL && (value->kind == VALUE_NONE || show (shell, value));
  g_ptr_array_unref (arguments.positional);
  g_ptr_array_unref (arguments.names);
  g_ptr_array_unref (arguments.values);
  return ok;
}
