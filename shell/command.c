/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* command.c - the command language: telling calls from commands, words, redirections
 *
 * Quoting is a shell's without expansions: '...' is literal, "..." knows \" and \\, a backslash
 * elsewhere takes the next character as it is. ">" and "|" count only at the beginning of a word,
 * so that BODY[]<0.100> needs no quotes.
 */
#include "command.h"

#include "eval-error.h"
#include "parse.h"
#include "token.h"

#include <string.h>

void
line_clear (Line *line)
{
  g_clear_pointer (&line->text, g_free);
  g_clear_pointer (&line->words, g_array_unref);
  g_clear_pointer (&line->file, g_free);
  g_clear_pointer (&line->pipe, g_free);
}

static void
clear_word (gpointer word)
{
  g_free (((CommandWord *) word)->text);
}

static gboolean
syntax_error (const char *message, GError **error)
{
  g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_SYNTAX, message);
  return FALSE;
}

/* ---- A call or a command? ---------------------------------------------------------------------
 */

static const char *
skip_blanks (const char *at)
{
  while (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')
    at++;
  return at;
}

static const char *
skip_name (const char *at)
{
  if (*at == '$')
    at++;
  while (*at != '\0')
    {
      gunichar c = g_utf8_get_char (at);

      if (c != '_' && !g_unichar_isalnum (c))
        break;
      at = g_utf8_next_char (at);
    }
  return at;
}

/* `name = ...` and `name == ...` with or without blanks. */
static gboolean
assigns_or_compares (const char *after_name)
{
  const char *at = skip_blanks (after_name);

  return (*at == '=') || (*at == '!' && at[1] == '=');
}

static gboolean
is_call (const char *text, const LineContext *context)
{
  g_autofree char *name = NULL;
  const char *end;

  if (*text == '$')
    return TRUE;
  if (token_string_prefix (text, strlen (text), 0) >= 0)
    return TRUE;
  if (*text != '_' && !g_unichar_isalpha (g_utf8_get_char (text)))
    return strchr ("([{-+.0123456789", *text) != NULL;
  end = skip_name (text);
  name = g_strndup (text, end - text);
  if (strchr (".([", *end) != NULL && *end != '\0')
    return TRUE;
  if (assigns_or_compares (end))
    return TRUE;
  if (command_find (context->commands, name) != NULL)
    return FALSE;
  if (parse_is_reserved (name))
    return TRUE;
  return context->is_variable != NULL && context->is_variable (name, context->data);
}

/* ---- Words ------------------------------------------------------------------------------------
 */

/* Reads one word from *at on. NULL if a quote stays open. */
static char *
read_word (const char **at, gboolean *quoted, GError **error)
{
  g_autoptr (GString) word = g_string_new (NULL);
  char quote = '\0';
  const char *p = *at;

  *quoted = FALSE;
  for (; *p != '\0'; p++)
    {
      if (quote == '\0' && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        break;
      if (quote == '\0' && (*p == '\'' || *p == '"'))
        {
          quote = *p;
          *quoted = TRUE;
        }
      else if (quote != '\0' && *p == quote)
        quote = '\0';
      else if (*p == '\\' && p[1] != '\0' && quote != '\''
               && (quote == '\0' || p[1] == '"' || p[1] == '\\'))
        {
          g_string_append_c (word, *++p);
          *quoted = TRUE;
        }
      else
        g_string_append_c (word, *p);
    }
  *at = p;
  if (quote == '\0')
    return g_string_free (g_steal_pointer (&word), FALSE);
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_SYNTAX, "the quote %c is not closed", quote);
  return NULL;
}

/* "> file", ">> file" or "| command" up to the end of the line. */
static gboolean
read_redirection (const char *at, Line *line, GError **error)
{
  gboolean quoted;

  if (*at == '|')
    {
      at = skip_blanks (at + 1);
      if (*at == '\0')
        return syntax_error ("there is no command behind |", error);
      line->pipe = g_strdup (at);
      return TRUE;
    }
  line->append = at[1] == '>';
  at = skip_blanks (at + (line->append ? 2 : 1));
  if (*at == '\0')
    return syntax_error ("there is no file name behind >", error);
  line->file = read_word (&at, &quoted, error);
  if (line->file == NULL)
    return FALSE;
  if (*skip_blanks (at) != '\0')
    return syntax_error ("there is more than a file name behind >", error);
  return TRUE;
}

static void
add_word (Line *line, char *text, gboolean quoted)
{
  CommandWord word = { text, quoted };

  g_array_append_val (line->words, word);
}

/* Everything behind the name up to a redirection is one word as it stands. */
static gboolean
read_verbatim (const char *at, Line *line, GError **error)
{
  const char *start = at, *end = at;

  while (*at != '\0' && *at != '>' && *at != '|')
    {
      gboolean quoted;
      char *word = read_word (&at, &quoted, NULL);

      if (word == NULL) /* an open quote is the server's affair */
        at += strlen (at);
      g_free (word);
      end = at;
      at = skip_blanks (at);
    }
  if (end > start)
    add_word (line, g_strndup (start, end - start), TRUE);
  return *at == '\0' || read_redirection (at, line, error);
}

static gboolean
read_command (const char *at, const LineContext *context, Line *line, GError **error)
{
  line->kind = LINE_COMMAND;
  line->words = g_array_new (FALSE, FALSE, sizeof (CommandWord));
  g_array_set_clear_func (line->words, clear_word);
  while (*at != '\0')
    {
      const Command *command;
      gboolean quoted;
      char *word;

      if (*at == '#')
        break;
      if (line->words->len > 0 && (*at == '>' || *at == '|'))
        return read_redirection (at, line, error);
      word = read_word (&at, &quoted, error);
      if (word == NULL)
        return FALSE;
      add_word (line, word, quoted);
      at = skip_blanks (at);
      command = line->words->len == 1 ? command_find (context->commands, word) : NULL;
      if (command != NULL && (command->flags & COMMAND_VERBATIM))
        return read_verbatim (at, line, error);
    }
  return TRUE;
}

/* ---- Calls ------------------------------------------------------------------------------------
 */

/* Where a call ends and a redirection begins: at a "|" or ">>" outside of brackets and strings,
 * neither of which the language knows. NULL: there is none. */
static const char *
find_redirection (const char *text)
{
  Tokenizer tokenizer;
  const char *found = NULL;
  gsize last_greater = G_MAXSIZE;

  tokenizer_init (&tokenizer, text, strlen (text));
  while (found == NULL)
    {
      if (!tokenizer_next (&tokenizer, NULL))
        {
          if (tokenizer.brackets == 0 && text[tokenizer.at] == '|')
            found = text + tokenizer.at;
          break;
        }
      if (tokenizer.token.kind == TOKEN_END)
        break;
      if (tokenizer.brackets == 0 && token_is (&tokenizer.token, ">"))
        {
          if (last_greater + 1 == tokenizer.token.start)
            found = text + last_greater;
          last_greater = tokenizer.token.start;
        }
    }
  tokenizer_clear (&tokenizer);
  return found;
}

static gboolean
read_call (const char *text, Line *line, GError **error)
{
  const char *redirection = g_utf8_validate (text, -1, NULL) ? find_redirection (text) : NULL;

  line->kind = LINE_CALL;
  if (redirection == NULL)
    {
      line->text = g_strdup (text);
      return TRUE;
    }
  line->text = g_strndup (text, redirection - text);
  return read_redirection (redirection, line, error);
}

LineKind
line_guess (const char *text, const LineContext *context)
{
  const char *start = skip_blanks (text);

  if (*start == '\0' || *start == '#')
    return LINE_EMPTY;
  if (*start == '!')
    return LINE_SYSTEM;
  if (!g_utf8_validate (start, -1, NULL) || (*start != '$' && *skip_name (start) == '\0'))
    return LINE_COMMAND;
  return is_call (start, context) ? LINE_CALL : LINE_COMMAND;
}

gboolean
line_parse (const char *text, const LineContext *context, Line *line, GError **error)
{
  const char *start = skip_blanks (text);
  gboolean ok = TRUE;

  *line = (Line){ .kind = LINE_EMPTY };
  if (*start == '\0' || *start == '#')
    return TRUE;
  if (*start == '!')
    {
      start = skip_blanks (start + 1);
      if (*start == '\0')
        return syntax_error ("there is no command behind !", error);
      line->kind = LINE_SYSTEM;
      line->text = g_strdup (start);
      return TRUE;
    }
  /* the columns of error messages count from the beginning of the line */
  if (!g_utf8_validate (text, -1, NULL))
    return syntax_error ("the line is not valid UTF-8", error);
  ok = is_call (start, context) ? read_call (text, line, error)
                                : read_command (start, context, line, error);
  if (!ok)
    line_clear (line);
  return ok;
}

gboolean
command_needs_quotes (const char *text)
{
  return *text == '\0' || strpbrk (text, " \t\r\n'\"\\") != NULL || strchr ("#>|!$", *text) != NULL;
}

void
command_append_quoted (GString *out, const char *text, char quote, gboolean closed)
{
  if (quote != '\0')
    g_string_append_c (out, quote);
  for (; *text != '\0'; text++)
    {
      if (quote == '"' && (*text == '"' || *text == '\\'))
        g_string_append_c (out, '\\');
      g_string_append_c (out, *text);
    }
  if (quote != '\0' && closed)
    g_string_append_c (out, quote);
}
