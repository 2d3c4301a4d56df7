/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * complete-kinds.c - what mailboxes, files, flags, settings, names ... there are to complete to */
#include "complete-private.h"

#include "builtins.h"
#include "settings.h"

#include <string.h>
#include <sys/stat.h>

/* ---- Mailboxes and files ----------------------------------------------------------------------
 */

/* What is in front of the last separator of the prefix is not shown again. */
static void
show_behind (Completing *self, char separator)
{
  const char *last = separator != '\0' ? strrchr (self->prefix, separator) : NULL;

  if (last != NULL)
    self->shown_from = MAX (self->shown_from, (gsize) (last - self->prefix) + 1);
}

/* One level of the hierarchy at a time: "Work", and "Work/" for all that is below. */
static void
add_mailbox (Completing *self, const CompleteMailbox *mailbox)
{
  gsize typed = strlen (self->prefix);
  const char *below = mailbox->separator != '\0' && strlen (mailbox->name) > typed
                          ? strchr (mailbox->name + typed, mailbox->separator)
                          : NULL;

  show_behind (self, mailbox->separator);
  if (below == NULL || below[1] == '\0')
    {
      completing_add (self, mailbox->name, TRUE);
      return;
    }
  g_autofree char *level = g_strndup (mailbox->name, (gsize) (below - mailbox->name) + 1);
  completing_add (self, level, FALSE);
}

void
completing_add_mailboxes (Completing *self)
{
  if (self->sources->mailboxes == NULL)
    return;
  g_autoptr (GPtrArray) list = self->sources->mailboxes (self->sources->data);

  for (guint i = 0; i < list->len; i++)
    add_mailbox (self, g_ptr_array_index (list, i));
}

static void
add_files (Completing *self)
{
  const char *slash = strrchr (self->prefix, '/');
  g_autofree char *typed =
      slash != NULL ? g_strndup (self->prefix, (gsize) (slash - self->prefix) + 1) : g_strdup ("");
  g_autofree char *directory = g_str_has_prefix (typed, "~/")
                                   ? g_build_filename (g_get_home_dir (), typed + 2, NULL)
                                   : g_strdup (*typed != '\0' ? typed : ".");
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name, *wanted = slash != NULL ? slash + 1 : self->prefix;

  show_behind (self, '/');
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      if ((*name == '.') != (*wanted == '.') || !g_str_has_prefix (name, wanted))
        continue;
      g_autofree char *path = g_build_filename (directory, name, NULL);
      gboolean is_directory = g_file_test (path, G_FILE_TEST_IS_DIR);
      g_autofree char *value = g_strconcat (typed, name, is_directory ? "/" : "", NULL);
      completing_add (self, value, !is_directory);
    }
}

/* ---- Words ------------------------------------------------------------------------------------
 */

/* Behind what is typed of the word already: a sign, and flags with commas. */
static void
add_flag (Completing *self, const char *before, const char *flag)
{
  g_autofree char *word = g_strconcat (before, flag, NULL);

  completing_add (self, word, TRUE);
}

static void
add_flag_names (Completing *self, const char *sign)
{
  const char *comma = strrchr (self->prefix, ',');
  const char *last = comma != NULL ? comma + 1 : self->prefix;
  gboolean has_sign = *last == '+' || *last == '-';
  g_autofree char *typed = g_strndup (self->prefix, (gsize) (last - self->prefix) + has_sign);
  g_autofree char *before = g_strconcat (typed, *typed == '\0' ? sign : "", NULL);

  for (const char *const *at = command_flag_words; *at != NULL; at++)
    add_flag (self, before, *at);
  if (self->sources->flags == NULL)
    return;
  g_autoptr (GPtrArray) flags = self->sources->flags (self->sources->data);
  for (guint i = 0; i < flags->len; i++)
    if (*(const char *) g_ptr_array_index (flags, i) != '\\')
      add_flag (self, before, g_ptr_array_index (flags, i));
}

static void
add_changes (Completing *self)
{
  add_flag_names (self, "+");
}

static void
add_flags (Completing *self)
{
  add_flag_names (self, "");
}

/* "keyword:" is followed by one; "-" turns a term round; in capitals there are IMAP's keys. */
static void
add_search (Completing *self)
{
  const char *sign = *self->prefix == '-' ? "-" : "";

  if (g_ascii_isupper (*self->prefix))
    completing_add_all (self, complete_search_keys);
  for (const char *const *at = command_search_words; *at != NULL; at++)
    {
      g_autofree char *word = g_strconcat (sign, *at, NULL);
      completing_add (self, word, !g_str_has_suffix (word, ":"));
    }
  if (!g_str_has_prefix (self->prefix + strlen (sign), "keyword:") || self->sources->flags == NULL)
    return;
  g_autoptr (GPtrArray) flags = self->sources->flags (self->sources->data);
  for (guint i = 0; i < flags->len; i++)
    {
      const char *flag = g_ptr_array_index (flags, i);
      g_autofree char *word = g_strconcat (sign, "keyword:", flag, NULL);
      if (*flag != '\\')
        completing_add (self, word, TRUE);
    }
}

/* The result of the last find, and variables that hold messages' numbers. */
static void
add_messages (Completing *self)
{
  completing_add_all (self, command_message_words);
  if (*self->prefix != '$')
    return;
  g_auto (GStrv) names = interp_names (self->sources->interp);
  for (guint i = 0; names[i] != NULL; i++)
    {
      const Value *value = interp_get (self->sources->interp, names[i]);
      g_autofree char *word = g_strconcat ("$", names[i], NULL);
      if (value->kind == VALUE_INT || value_is_text (value) || value_is_sequence (value))
        completing_add (self, word, TRUE);
    }
}

static void
add_settings (Completing *self)
{
  for (const Setting *at = setting_table; at->name != NULL; at++)
    completing_add (self, at->name, TRUE);
}

static void
add_values (Completing *self, const char *name)
{
  const Setting *setting = name != NULL ? setting_find (name) : NULL;

  if (setting == NULL)
    return;
  completing_add_all (self, setting->values);
  if (setting->completion & COMPLETE_MAILBOX)
    completing_add_mailboxes (self);
  if (setting->completion & COMPLETE_FILE)
    add_files (self);
}

static void
add_commands (Completing *self)
{
  const Value *client = interp_get (self->sources->interp, "c");

  for (const Command *at = self->sources->line->commands; at->name != NULL; at++)
    completing_add (self, at->name, TRUE);
  if (self->sources->aliases != NULL)
    {
      g_auto (GStrv) names = self->sources->aliases (self->sources->data);
      completing_add_all (self, (const char *const *) names);
    }
  if (client != NULL && client->kind == VALUE_OBJECT)
    completing_add_all (self, client->object.class->methods);
}

void
completing_add_kinds (Completing *self, CommandCompletion kinds, const char *const *words,
                      const char *setting)
{
  static const struct
  {
    CommandCompletion kind;
    void (*add) (Completing *self);
  } adders[] = {
    { COMPLETE_MAILBOX, completing_add_mailboxes },
    { COMPLETE_FILE, add_files },
    { COMPLETE_COMMAND, add_commands },
    { COMPLETE_FLAG, add_changes },
    { COMPLETE_FLAG_NAME, add_flags },
    { COMPLETE_SEARCH, add_search },
    { COMPLETE_SETTING, add_settings },
    { COMPLETE_MESSAGES, add_messages },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (adders); i++)
    if (kinds & adders[i].kind)
      adders[i].add (self);
  if (kinds & COMPLETE_ITEM)
    completing_add_all (self, command_fetch_items);
  if (kinds & COMPLETE_ACCOUNT)
    completing_add_all (self, self->sources->accounts);
  if (kinds & COMPLETE_VALUE)
    add_values (self, setting);
  if (kinds & COMPLETE_WORDS)
    completing_add_all (self, words);
}

/* ---- The call language ------------------------------------------------------------------------
 */

void
completing_add_imap_flags (Completing *self)
{
  static const char *const system[] = { "\\Seen",    "\\Answered", "\\Flagged",
                                        "\\Deleted", "\\Draft",    NULL };

  completing_add_all (self, system);
  if (self->sources->flags == NULL)
    return;
  g_autoptr (GPtrArray) flags = self->sources->flags (self->sources->data);
  for (guint i = 0; i < flags->len; i++)
    completing_add (self, g_ptr_array_index (flags, i), TRUE);
}

/* "c.search(", and ")" too where it takes nothing. */
static void
add_function (Completing *self, const char *base, const char *name, const char *parameters)
{
  g_autofree char *call =
      g_strdup_printf ("%s%s%s", base, name, g_strcmp0 (parameters, "") == 0 ? "()" : "(");

  completing_add (self, call, TRUE);
}

/* What belongs to the value of a variable: "uids.", "c.". */
static void
add_members (Completing *self, const char *dot)
{
  g_autofree char *name = g_strndup (self->prefix, (gsize) (dot - self->prefix));
  g_autofree char *base = g_strconcat (name, ".", NULL);
  const Value *value = interp_get (self->sources->interp, name);
  g_auto (GStrv) members = value != NULL ? builtin_names (value) : NULL;

  self->shown_from = strlen (base);
  for (guint i = 0; members != NULL && members[i] != NULL; i++)
    {
      const ObjectClass *class = value->kind == VALUE_OBJECT ? value->object.class : NULL;
      gboolean is_call = class != NULL ? g_strv_contains (class->methods, members[i])
                                       : builtin_find_method (value->kind, members[i]) != NULL;
      g_autofree char *plain = g_strconcat (base, members[i], NULL);
      if (is_call)
        add_function (self, base, members[i],
                      strcmp (name, "c") == 0 && self->sources->parameters != NULL
                          ? self->sources->parameters (members[i])
                          : NULL);
      else
        completing_add (self, plain, TRUE);
    }
}

void
completing_add_names (Completing *self)
{
  static const char *const constants[] = { "True", "False", "None", NULL };
  const char *dot = strrchr (self->prefix, '.');
  g_auto (GStrv) functions = builtin_names (NULL);
  g_auto (GStrv) variables = interp_names (self->sources->interp);

  for (guint i = 0; functions[i] != NULL; i++)
    if ((dot != NULL) == (strchr (functions[i], '.') != NULL))
      add_function (self, "", functions[i], NULL);
  if (dot != NULL)
    {
      self->shown_from = (gsize) (dot - self->prefix) + 1;
      add_members (self, dot);
      return;
    }
  for (guint i = 0; variables[i] != NULL; i++)
    completing_add (self, variables[i], TRUE);
  completing_add_all (self, constants);
}
