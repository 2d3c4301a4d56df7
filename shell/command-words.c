/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* command-words.c - the words of a command: options, parameters, usage, and names that were
 * misspelt
 *
 * All of it comes from the tables of CommandOption and CommandParameter, which also are what help,
 * completion and the manual's test read. Nothing is run here.
 */
#include "command.h"

#include "eval-error.h"

#include <string.h>

/* ---- Words that complete ------------------------------------------------------------------------
 */

const char *const command_search_words[] = {
  "from:",       "to:",
  "cc:",         "bcc:",
  "subject:",    "body:",
  "text:",       "header:",
  "list:",       "id:",
  "keyword:",    "uid:",
  "before:",     "since:",
  "after:",      "on:",
  "larger:",     "smaller:",
  "sentsince:",  "sentbefore:",
  "senton:",     "is:unread",
  "is:read",     "is:new",
  "is:flagged",  "is:unflagged",
  "is:answered", "is:unanswered",
  "is:deleted",  "is:draft",
  "is:recent",   "is:forwarded",
  "is:junk",     "has:attachment",
  "imap:",       "gmail:",
  "OR",          NULL,
};
const char *const command_fetch_items[] = {
  "FLAGS",
  "UID",
  "INTERNALDATE",
  "RFC822.SIZE",
  "ENVELOPE",
  "BODY",
  "BODYSTRUCTURE",
  "BODY.PEEK[]",
  "BODY.PEEK[HEADER]",
  "BODY.PEEK[TEXT]",
  "BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)]",
  "MODSEQ",
  "EMAILID",
  "THREADID",
  "SAVEDATE",
  "PREVIEW",
  "X-GM-LABELS",
  "X-GM-MSGID",
  "X-GM-THRID",
  "ALL",
  "FAST",
  "FULL",
  NULL,
};
const char *const command_message_words[] = { "$_", "last", "1:*", "*", NULL };
const char *const command_flag_words[] = { "seen",       "answered", "flagged",  "deleted", "draft",
                                           "$Forwarded", "$Junk",    "$NotJunk", NULL };

/* ---- Usage --------------------------------------------------------------------------------------
 */

static void
append_option (GString *usage, const CommandOption *option)
{
  g_string_append (usage, " [");
  if (option->letter != 0)
    g_string_append_printf (usage, "-%c", option->letter);
  else
    g_string_append_printf (usage, "--%s", option->name);
  if (option->argument != NULL)
    g_string_append_printf (usage, " %s", option->argument);
  g_string_append_c (usage, ']');
}

char *
command_usage (const Command *command)
{
  static const char *const forms[] = { " %s", " [%s]", " [%s...]", " %s..." };
  g_autoptr (GString) usage = g_string_new (command->name);

  for (const CommandOption *at = command->options; at != NULL && at->name != NULL; at++)
    append_option (usage, at);
  for (const CommandParameter *at = command->parameters; at->name != NULL; at++)
    {
      g_auto (GStrv) halves = g_strsplit (forms[at->takes], "%s", 2);
      g_string_append_printf (usage, "%s%s%s", halves[0], at->name, halves[1]);
    }
  return g_string_free (g_steal_pointer (&usage), FALSE);
}

static gboolean
usage_error (const Command *command, const char *what, const char *word, GError **error)
{
  g_autofree char *usage = command_usage (command);

  g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s%s%s%susage: %s", what,
               word != NULL ? " \"" : "", word != NULL ? word : "",
               word != NULL    ? "\"; "
               : *what != '\0' ? "; "
                               : "",
               usage);
  return FALSE;
}

/* ---- Options ------------------------------------------------------------------------------------
 */

void
command_call_clear (CommandCall *call)
{
  g_clear_pointer (&call->words, g_free);
  g_clear_pointer (&call->joined, g_ptr_array_unref);
}

const char *
command_option (const CommandCall *call, const char *name)
{
  const CommandOption *options = call->command->options;

  for (guint i = 0; options != NULL && options[i].name != NULL; i++)
    if (strcmp (options[i].name, name) == 0)
      return call->options[i];
  g_return_val_if_reached (NULL);
}

/* "-l", "--long", "--sort=KEY", "--sort KEY" or "-n50". FALSE: an error was set. */
static gboolean
bind_option (CommandCall *call, const CommandWord *words, guint n, guint *at, GError **error)
{
  const CommandOption *options = call->command->options;
  const char *text = words[*at].text;
  gboolean is_long = text[1] == '-';
  gsize size = is_long ? strcspn (text + 2, "=") : 1;

  for (guint i = 0; options != NULL && options[i].name != NULL; i++)
    {
      const char *argument = is_long ? text + 2 + size : text + 2;

      if (is_long
              ? strlen (options[i].name) != size || strncmp (options[i].name, text + 2, size) != 0
              : options[i].letter != text[1])
        continue;
      if (*argument != '\0')
        argument += is_long; /* behind "=" */
      else if (options[i].argument == NULL)
        argument = "";
      else if (*at + 1 < n)
        argument = words[++*at].text;
      else
        return usage_error (call->command, "there is nothing behind", text, error);
      if (options[i].argument == NULL && *argument != '\0')
        return usage_error (call->command, "there is no option", text, error);
      call->options[i] = argument;
      return TRUE;
    }
  return usage_error (call->command, "there is no option", text, error);
}

static gboolean
looks_like_option (const Command *command, const CommandWord *word)
{
  if (word->quoted || word->text[0] != '-' || word->text[1] == '\0')
    return FALSE;
  return word->text[1] == '-' || !(command->flags & COMMAND_DASHES);
}

/* ---- Parameters ---------------------------------------------------------------------------------
 */

gboolean
command_is_list (const char *text)
{
  return *text == '[' && (text[1] == '\0' || text[1] == ']' || g_ascii_isdigit (text[1]));
}

static gboolean
is_number (const char *text)
{
  return *text != '\0' && strspn (text, "0123456789") == strlen (text);
}

static gboolean
takes_messages (const Command *command, guint position)
{
  const CommandParameter *at = command->parameters;

  for (guint i = 0; i < position && at->name != NULL && at->takes < TAKES_ANY; i++)
    at++;
  return at->name != NULL && (at->completion & COMPLETE_MESSAGES);
}

/* How many of these words are one where messages are meant: "last 50", "[1, 2]". */
static guint
count_joined (const CommandWord *words, guint n)
{
  if (words[0].quoted)
    return 1;
  if (strcmp (words[0].text, "last") == 0)
    return n > 1 && is_number (words[1].text) ? 2 : 1;
  if (!command_is_list (words[0].text))
    return 1;
  for (guint i = 0; i < n && !words[i].quoted; i++)
    if (strchr (words[i].text, ']') != NULL)
      return i + 1;
  return 1;
}

static void
bind_word (CommandCall *call, const CommandWord *words, guint n, guint *at)
{
  CommandWord *word = &call->words[call->n];
  guint joined = takes_messages (call->command, call->n) ? count_joined (words + *at, n - *at) : 1;

  *word = words[*at];
  for (guint i = 1; i < joined; i++)
    {
      word->text = g_strconcat (word->text, " ", words[++*at].text, NULL);
      g_ptr_array_add (call->joined, word->text);
    }
  call->n++;
}

static gboolean
check_number (const CommandCall *call, GError **error)
{
  guint least = 0, most = 0;

  for (const CommandParameter *at = call->command->parameters; at->name != NULL; at++)
    {
      least += at->takes == TAKES_ONE || at->takes == TAKES_SOME;
      most = at->takes >= TAKES_ANY ? G_MAXUINT : most + 1;
    }
  if (call->n >= least && call->n <= most)
    return TRUE;
  if (call->n > most)
    return usage_error (call->command, "one word too many:", call->words[most].text, error);
  return usage_error (call->command, "", NULL, error);
}

gboolean
command_bind (const Command *command, const CommandWord *words, guint n, CommandCall *call,
              GError **error)
{
  gboolean options = !(command->flags & COMMAND_VERBATIM);

  *call = (CommandCall){ .command = command };
  call->words = g_new0 (CommandWord, n + 1);
  call->joined = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < n; i++)
    {
      gboolean ok = TRUE;

      if (options && !words[i].quoted && strcmp (words[i].text, "--") == 0)
        options = FALSE;
      else if (options && looks_like_option (command, &words[i]))
        ok = bind_option (call, words, n, &i, error);
      else
        bind_word (call, words, n, &i);
      if (!ok)
        {
          command_call_clear (call);
          return FALSE;
        }
    }
  if (check_number (call, error))
    return TRUE;
  command_call_clear (call);
  return FALSE;
}

/* ---- The table --------------------------------------------------------------------------------
 */

const Command *
command_find (const Command *commands, const char *name)
{
  for (const Command *each = commands; each != NULL && each->name != NULL; each++)
    if (strcmp (each->name, name) == 0)
      return each;
  return NULL;
}

/* Levenshtein's distance, for short names. */
static guint
distance (const char *a, const char *b)
{
  guint row[64], n = strlen (b);

  if (n >= G_N_ELEMENTS (row))
    return G_MAXUINT;
  for (guint k = 0; k <= n; k++)
    row[k] = k;
  for (guint i = 0; a[i] != '\0'; i++)
    {
      guint diagonal = row[0];

      row[0] = i + 1;
      for (guint k = 1; k <= n; k++)
        {
          guint replaced = diagonal + (a[i] != b[k - 1]);

          diagonal = row[k];
          row[k] = MIN (replaced, MIN (row[k], row[k - 1]) + 1);
        }
    }
  return row[n];
}

/* What people know from elsewhere. */
static const char *
other_name (const char *name)
{
  static const char *const pairs[][2] = {
    { "append", "put" },    { "bye", "quit" },    { "cat", "show" },    { "copy", "cp" },
    { "create", "mkdir" },  { "del", "rm" },      { "delete", "rm" },   { "dir", "ls" },
    { "fetch", "show" },    { "list", "ls" },     { "logout", "quit" }, { "move", "mv" },
    { "read", "show" },     { "search", "find" }, { "select", "cd" },   { "store", "flag" },
    { "upload", "put" },    { "less", "show" },   { "view", "show" },   { "examine", "cd" },
    { "download", "save" }, { "expunge", "rm" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    if (strcmp (pairs[i][0], name) == 0)
      return pairs[i][1];
  return NULL;
}

const char *
command_suggest (const Command *commands, const char *typed)
{
  g_autofree char *name = g_ascii_strdown (typed, -1);
  const char *best = other_name (name);
  guint least = MIN (3, (guint) strlen (name)); /* a name with nothing in common is no help */

  if (best != NULL && command_find (commands, best) != NULL)
    return best;
  best = NULL;

  for (const Command *each = commands; each->name != NULL; each++)
    {
      guint here = distance (name, each->name);

      if (here < least)
        {
          least = here;
          best = each->name;
        }
    }
  return best;
}

gboolean
command_unknown (const Command *commands, const char *name, GError **error)
{
  const char *near = command_suggest (commands, name);

  g_set_error (error, EVAL_ERROR, EVAL_ERROR_NAME,
               "there is no command \"%s\"%s%s%s; \"help\" lists them all", name,
               near != NULL ? " (did you mean \"" : "", near != NULL ? near : "",
               near != NULL ? "\"?)" : "");
  return FALSE;
}
