/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * complete-command.c - which word of a command the cursor is in, and what it may be
 *
 * The tables of commands say it; a method's name is a command too, with its parameters. */
#include "complete-private.h"

#include <string.h>

typedef struct
{
  char *text; /* without its quotes */
  gsize start;
  gboolean quoted;
} Word;

static void
clear_word (gpointer data)
{
  g_free (((Word *) data)->text);
}

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Reads a word from *at on as command.c does, but its quotes may be open. TRUE: the text ends in
 * it; *quote is what is open then. */
static gboolean
read_word (const char *text, gsize *at, Word *word, char *quote)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const char *p = text + *at;

  *word = (Word){ .start = *at };
  *quote = '\0';
  for (; *p != '\0' && (*quote != '\0' || !is_blank (*p)); p++)
    if (*quote == '\0' && (*p == '\'' || *p == '"'))
      {
        *quote = *p;
        word->quoted = TRUE;
      }
    else if (*quote != '\0' && *p == *quote)
      *quote = '\0';
    else if (*p == '\\' && p[1] != '\0' && *quote != '\''
             && (*quote == '\0' || p[1] == '"' || p[1] == '\\'))
      g_string_append_c (out, *++p);
    else
      g_string_append_c (out, *p);
  word->text = g_string_free (g_steal_pointer (&out), FALSE);
  *at = (gsize) (p - text);
  return *p == '\0';
}

/* ---- The first word ---------------------------------------------------------------------------
 */

/* A command, or a name of the call language: a method is one too, and clutters the list unless
 * something of it is typed. */
static void
complete_first (Completing *self)
{
  const LineContext *line = self->sources->line;

  for (const Command *at = line->commands; at->name != NULL; at++)
    completing_add (self, at->name, TRUE);
  if (self->sources->aliases != NULL)
    {
      g_auto (GStrv) names = self->sources->aliases (self->sources->data);
      completing_add_all (self, (const char *const *) names);
    }
  completing_add (self, "c.", FALSE);
  if (*self->prefix == '\0')
    return;
  completing_add_kinds (self, COMPLETE_COMMAND, NULL, NULL);
  /* Names are no words: nothing follows them by itself. */
  if (self->found->len == 0)
    {
      self->as = WRITE_PLAIN;
      completing_add_names (self);
    }
}

/* ---- Parameters and options -------------------------------------------------------------------
 */

typedef struct
{
  CommandCompletion kinds;
  const char *const *words;
} Wanted;

/* What "--name" takes, if the word is an option that takes something. */
static const CommandOption *
option_of (const Command *command, const Word *word)
{
  const CommandOption *at = command->options;

  for (; at != NULL && at->name != NULL && !word->quoted && word->text[0] == '-'; at++)
    if (at->argument != NULL
        && (g_strcmp0 (word->text + 1 + (word->text[1] == '-'), at->name) == 0
            || (at->letter != '\0' && word->text[1] == at->letter && word->text[2] == '\0')))
      return at;
  return NULL;
}

static gboolean
is_option (const Command *command, const Word *word)
{
  return !word->quoted && word->text[0] == '-' && word->text[1] != '\0'
         && (word->text[1] == '-' || !(command->flags & COMMAND_DASHES));
}

static gboolean
is_number (const char *text)
{
  return *text != '\0' && strspn (text, "0123456789") == strlen (text);
}

/* The parameter that the next word is, behind these. */
static const CommandParameter *
parameter_at (const Command *command, const GArray *words, gsize *line_start)
{
  const CommandParameter *at = command->parameters;

  for (guint i = 1; i < words->len && at->name != NULL; i++)
    {
      const Word *word = &g_array_index (words, Word, i);
      if (at->completion & COMPLETE_LINE)
        {
          /* "repeat 5 -- ls" */
          if (is_option (command, word) || is_number (word->text))
            continue;
          *line_start = word->start;
          return at;
        }
      if (option_of (command, word) != NULL)
        i++;
      else if (!is_option (command, word) && at->takes < TAKES_ANY)
        at++;
      /* "last 50" is one word */
      if (i + 1 < words->len && !word->quoted && strcmp (word->text, "last") == 0
          && at > command->parameters && (at[-1].completion & COMPLETE_MESSAGES))
        i++;
    }
  return at;
}

static void
add_options (Completing *self, const Command *command)
{
  gboolean is_long = g_str_has_prefix (self->prefix, "--");

  for (const CommandOption *at = command->options; at != NULL && at->name != NULL; at++)
    {
      g_autofree char *name = g_strdup_printf ("--%s", at->name);
      completing_add (self, name, TRUE);
      if (is_long || at->letter == '\0' || (command->flags & COMMAND_DASHES))
        continue;
      g_autofree char *letter = g_strdup_printf ("-%c", at->letter);
      completing_add (self, letter, TRUE);
    }
}

static void
complete_word (Completing *self, const Command *command, const GArray *words)
{
  const Word *last = &g_array_index (words, Word, words->len - 1);
  const CommandOption *option = words->len > 1 ? option_of (command, last) : NULL;
  gsize line_start = 0;

  if (option != NULL)
    {
      completing_add_kinds (self, option->completion, option->words, NULL);
      return;
    }
  const CommandParameter *parameter = parameter_at (command, words, &line_start);
  if (line_start > 0 || (parameter->name != NULL && (parameter->completion & COMPLETE_LINE)))
    {
      completing_line (self, line_start > 0 ? line_start : self->start);
      return;
    }
  if (self->quote == '\0' && *self->prefix == '-')
    add_options (self, command);
  if (parameter->name != NULL)
    completing_add_kinds (self, parameter->completion, parameter->words, last->text);
}

/* "select_folder INBOX": words in the order of the method's parameters. */
static void
complete_method (Completing *self, const char *name, guint position)
{
  const char *parameters =
      self->sources->parameters != NULL ? self->sources->parameters (name) : NULL;
  g_auto (GStrv) words = g_strsplit (parameters != NULL ? parameters : "", ", ", -1);

  if (position >= g_strv_length (words))
    return;
  words[position][strcspn (words[position], "=")] = '\0';
  static const char *const folders[] = { "folder", "old_name", "new_name", "mailbox", NULL };
  if (g_strv_contains (folders, words[position]))
    completing_add_mailboxes (self);
}

/* ---- The line ---------------------------------------------------------------------------------
 */

static gsize
skip_blanks (const char *text, gsize at)
{
  while (is_blank (text[at]))
    at++;
  return at;
}

static void
complete_with (Completing *self, const GArray *words)
{
  const Word *first = &g_array_index (words, Word, 0);
  const CompleteSources *sources = self->sources;
  const char *meaning =
      sources->meaning != NULL ? sources->meaning (first->text, sources->data) : NULL;
  g_autofree char *name =
      meaning != NULL ? g_strndup (meaning, strcspn (meaning, " ")) : g_strdup (first->text);
  const Command *command = command_find (sources->line->commands, name);

  if (command != NULL)
    complete_word (self, command, words);
  else
    complete_method (self, first->text, words->len - 1);
}

void
complete_command (Completing *self, gsize offset)
{
  g_autoptr (GArray) words = g_array_new (FALSE, FALSE, sizeof (Word));
  const char *text = self->text;
  gsize at = skip_blanks (text, offset);
  gboolean is_file = FALSE;

  g_array_set_clear_func (words, clear_word);
  self->as = WRITE_WORD;
  if (text[at] == '!')
    {
      at = skip_blanks (text, at + 1);
      is_file = TRUE;
    }
  for (;;)
    {
      Word word;
      char quote;
      gsize start = at;
      if (words->len > 0 && !is_file && (text[at] == '>' || text[at] == '|'))
        {
          is_file = TRUE;
          at = skip_blanks (text, at + 1 + (text[at + 1] == '>'));
          continue;
        }
      if (read_word (text, &at, &word, &quote))
        {
          self->quote = quote != '\0' ? quote : word.quoted ? text[start] : '\0';
          if (self->quote != '\'' && self->quote != '"')
            self->quote = '\0';
          completing_at (self, start, word.text, -1);
          clear_word (&word);
          break;
        }
      g_array_append_val (words, word);
      at = skip_blanks (text, at);
    }
  if (is_file)
    completing_add_kinds (self, COMPLETE_FILE, NULL, NULL);
  else if (words->len == 0)
    complete_first (self);
  else
    complete_with (self, words);
}
