/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* token.c - the words of the call language: Python's names, literals and operators; see token.h */
#include "token.h"

#include "eval-error.h"

#include <errno.h>
#include <string.h>

void
tokenizer_init (Tokenizer *tokenizer, const char *source, gsize size)
{
  *tokenizer = (Tokenizer){ .source = source, .size = size };
}

void
tokenizer_clear (Tokenizer *tokenizer)
{
  g_clear_pointer (&tokenizer->token.value, value_unref);
}

gboolean
token_is (const Token *token, const char *operator_text)
{
  return token->kind == TOKEN_OPERATOR && strcmp (token->text, operator_text) == 0;
}

gboolean
token_is_name (const Tokenizer *tokenizer, const char *name)
{
  const Token *token = &tokenizer->token;
  gsize size = strlen (name);

  return token->kind == TOKEN_NAME && token->end - token->start == size
         && memcmp (tokenizer->source + token->start, name, size) == 0;
}

/* ---- Numbers ----------------------------------------------------------------------------------
 */

static gboolean
bad_number (const char *what, GError **error)
{
  g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_SYNTAX, what);
  return FALSE;
}

/* Digits of a base, with single underscores between them; appended to `digits`. */
static void
take_digits (const char *source, gsize size, gsize *at, guint base, GString *digits)
{
  while (*at < size)
    {
      int digit = g_ascii_xdigit_value (source[*at]);

      if (source[*at] == '_' && digits->len > 0 && *at + 1 < size
          && g_ascii_xdigit_value (source[*at + 1]) >= 0
          && g_ascii_xdigit_value (source[*at + 1]) < (int) base)
        {
          (*at)++;
          continue;
        }
      if (digit < 0 || digit >= (int) base)
        return;
      g_string_append_c (digits, source[(*at)++]);
    }
}

static Value *
int_from_digits (const char *digits, guint base, GError **error)
{
  guint64 number;

  errno = 0;
  number = g_ascii_strtoull (digits, NULL, base);
  if (errno == ERANGE)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_OVERFLOW, "numbers go up to %" G_GUINT64_FORMAT,
                   G_MAXUINT64);
      return NULL;
    }
  return value_uint (number);
}

static Value *
read_based (const char *source, gsize size, gsize *at, guint base, GError **error)
{
  g_autoptr (GString) digits = g_string_new (NULL);

  *at += 2;
  if (*at < size && source[*at] == '_')
    (*at)++;
  take_digits (source, size, at, base, digits);
  if (digits->len == 0 || (*at < size && g_ascii_isalnum (source[*at])))
    {
      bad_number ("a number with a base needs digits of that base", error);
      return NULL;
    }
  return int_from_digits (digits->str, base, error);
}

/* The fraction and exponent behind the whole part; FALSE if there is neither. */
static gboolean
take_float_tail (const char *source, gsize size, gsize *at, GString *digits)
{
  gboolean is_float = FALSE;
  gsize ahead;

  if (*at < size && source[*at] == '.')
    {
      is_float = TRUE;
      (*at)++;
      g_string_append (digits, digits->len == 0 ? "0." : ".");
      take_digits (source, size, at, 10, digits);
    }
  ahead = *at + 1;
  if (*at < size && (source[*at] == 'e' || source[*at] == 'E'))
    {
      if (ahead < size && (source[ahead] == '+' || source[ahead] == '-'))
        ahead++;
      if (ahead < size && g_ascii_isdigit (source[ahead]))
        {
          is_float = TRUE;
          g_string_append_len (digits, source + *at, ahead - *at);
          *at = ahead;
          take_digits (source, size, at, 10, digits);
        }
    }
  return is_float;
}

Value *
token_read_number (const char *source, gsize size, gsize *at, GError **error)
{
  g_autoptr (GString) digits = g_string_new (NULL);
  char second = *at + 1 < size ? g_ascii_tolower (source[*at + 1]) : '\0';

  if (source[*at] == '0' && strchr ("xob", second) != NULL && second != '\0')
    return read_based (source, size, at, second == 'x' ? 16 : second == 'o' ? 8 : 2, error);
  take_digits (source, size, at, 10, digits);

  gsize whole = digits->len;
  gboolean is_float = take_float_tail (source, size, at, digits);

  if (*at < size && (g_ascii_isalpha (source[*at]) || source[*at] == '_'))
    {
      bad_number ("a letter stands right behind a number", error);
      return NULL;
    }
  if (is_float)
    return value_float (g_ascii_strtod (digits->str, NULL));
  if (whole > 1 && digits->str[0] == '0' && strspn (digits->str, "0") < whole)
    {
      bad_number ("a whole number cannot begin with 0; octal is written 0o17", error);
      return NULL;
    }
  return int_from_digits (digits->str, 10, error);
}

/* ---- Tokens -----------------------------------------------------------------------------------
 */

static gboolean
is_name_start (gunichar c)
{
  return c == '_' || c == '$' || (c < 0x80 ? g_ascii_isalpha (c) : g_unichar_isalpha (c));
}

static void
skip_name (Tokenizer *tokenizer)
{
  const char *at = tokenizer->source + tokenizer->at;
  const char *end = tokenizer->source + tokenizer->size;

  for (at = g_utf8_next_char (at); at < end; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      if (!is_name_start (c) && !g_unichar_isalnum (c) && !g_unichar_ismark (c))
        break;
      if (c == '$')
        break;
    }
  tokenizer->at = at - tokenizer->source;
}

static gboolean
open_backslash (Tokenizer *tokenizer, GError **error)
{
  if (tokenizer->at + 1 >= tokenizer->size
      || (tokenizer->source[tokenizer->at + 1] == '\n' && tokenizer->at + 2 >= tokenizer->size))
    g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_INCOMPLETE,
                         "the line ends with a backslash");
  else
    g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_SYNTAX,
                         "a backslash outside of a string must end its line");
  return FALSE;
}

/* Skips what separates tokens. FALSE: an error. */
static gboolean
skip_blanks (Tokenizer *tokenizer, GError **error)
{
  const char *source = tokenizer->source;

  while (tokenizer->at < tokenizer->size)
    {
      char c = source[tokenizer->at];

      if (c == ' ' || c == '\t' || c == '\f' || c == '\r' || (c == '\n' && tokenizer->brackets > 0))
        tokenizer->at++;
      else if (c == '#')
        while (tokenizer->at < tokenizer->size && source[tokenizer->at] != '\n')
          tokenizer->at++;
      else if (c != '\\')
        return TRUE;
      else if (tokenizer->at + 2 < tokenizer->size && source[tokenizer->at + 1] == '\n')
        tokenizer->at += 2;
      else
        return open_backslash (tokenizer, error);
    }
  return TRUE;
}

static gboolean
take_operator (Tokenizer *tokenizer, GError **error)
{
  static const char *const doubles[] = { "==", "!=", "<=", ">=", "//", "**" };
  const char *here = tokenizer->source + tokenizer->at;
  Token *token = &tokenizer->token;

  token->kind = TOKEN_OPERATOR;
  for (guint i = 0; i < G_N_ELEMENTS (doubles); i++)
    if (strncmp (here, doubles[i], 2) == 0)
      {
        g_strlcpy (token->text, doubles[i], sizeof token->text);
        tokenizer->at += 2;
        return TRUE;
      }
  if (*here == '\0' || strchr ("()[]{}.,:=<>+-*/%", *here) == NULL)
    {
      g_autofree char *shown = g_strndup (here, MAX (1, g_utf8_next_char (here) - here));

      if (g_ascii_iscntrl (*here))
        g_set_error (error, EVAL_ERROR, EVAL_ERROR_SYNTAX,
                     "the character \\x%02x has no meaning here", (guchar) *here);
      else
        g_set_error (error, EVAL_ERROR, EVAL_ERROR_SYNTAX, "'%s' has no meaning here", shown);
      return FALSE;
    }
  token->text[0] = *here;
  token->text[1] = '\0';
  if (strchr ("([{", *here) != NULL)
    tokenizer->brackets++;
  else if (strchr (")]}", *here) != NULL && tokenizer->brackets > 0)
    tokenizer->brackets--;
  tokenizer->at++;
  return TRUE;
}

static gboolean
take_token (Tokenizer *tokenizer, GError **error)
{
  const char *source = tokenizer->source;
  gsize size = tokenizer->size, at = tokenizer->at;
  Token *token = &tokenizer->token;
  char c = source[at];

  if (c == '\n' || c == ';')
    {
      token->kind = TOKEN_NEWLINE;
      tokenizer->at++;
      return TRUE;
    }
  if (token_string_prefix (source, size, at) >= 0)
    {
      token->kind = TOKEN_VALUE;
      token->value = token_read_string (source, size, &tokenizer->at, error);
      return token->value != NULL;
    }
  if (g_ascii_isdigit (c) || (c == '.' && at + 1 < size && g_ascii_isdigit (source[at + 1])))
    {
      token->kind = TOKEN_VALUE;
      token->value = token_read_number (source, size, &tokenizer->at, error);
      return token->value != NULL;
    }
  if (is_name_start (g_utf8_get_char (source + at)))
    {
      token->kind = TOKEN_NAME;
      skip_name (tokenizer);
      return TRUE;
    }
  return take_operator (tokenizer, error);
}

gboolean
tokenizer_next (Tokenizer *tokenizer, GError **error)
{
  Token *token = &tokenizer->token;
  gboolean ok = TRUE;

  tokenizer_clear (tokenizer);
  if (!skip_blanks (tokenizer, error))
    return FALSE;
  token->start = tokenizer->at;
  if (tokenizer->at >= tokenizer->size)
    token->kind = TOKEN_END;
  else
    ok = take_token (tokenizer, error);
  token->end = tokenizer->at;
  return ok;
}
