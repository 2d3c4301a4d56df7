/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* token-string.c - string and bytes literals, with all of Python's prefixes and escapes but \N
 *
 * The source is valid UTF-8, and so is every str that comes out: a lone surrogate (\ud800), which
 * Python would let pass, is refused.
 */
#include "token.h"

#include "eval-error.h"

#include <string.h>

/* What kind of literal is being read, and where it stands. */
typedef struct
{
  const char *source;
  gsize size;
  gsize at;
  gboolean bytes, raw, triple;
  char quote;
  GString *out;
} Reader;

int
token_string_prefix (const char *source, gsize size, gsize at)
{
  gboolean seen_b = FALSE, seen_r = FALSE, seen_other = FALSE;

  for (int n = 0; n <= 2 && at + n < size; n++)
    {
      gboolean *seen;
      char c = source[at + n];

      if (c == '\'' || c == '"')
        return n;
      c = g_ascii_tolower (c);
      seen = c == 'b' ? &seen_b : c == 'r' ? &seen_r : c == 'u' || c == 'f' ? &seen_other : NULL;
      if (seen == NULL || *seen || (c == 'b' && seen_other))
        return -1;
      *seen = TRUE;
    }
  return -1;
}

static gboolean
bad_escape (const char *what, GError **error)
{
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_SYNTAX, "%s in a string", what);
  return FALSE;
}

static gboolean
read_hex (Reader *reader, guint digits, guint32 *number, GError **error)
{
  *number = 0;
  for (guint i = 0; i < digits; i++, reader->at++)
    {
      int digit =
          reader->at < reader->size ? g_ascii_xdigit_value (reader->source[reader->at]) : -1;

      if (digit < 0)
        return bad_escape ("a \\x, \\u or \\U with too few hexadecimal digits", error);
      *number = *number << 4 | digit;
    }
  return TRUE;
}

static void
append_number (Reader *reader, guint32 number)
{
  if (reader->bytes)
    g_string_append_c (reader->out, (char) number);
  else
    g_string_append_unichar (reader->out, number);
}

static gboolean
read_unicode (Reader *reader, guint digits, GError **error)
{
  guint32 number;

  if (!read_hex (reader, digits, &number, error))
    return FALSE;
  if (!g_unichar_validate (number))
    return bad_escape ("an escape that is no Unicode character", error);
  append_number (reader, number);
  return TRUE;
}

static void
read_octal (Reader *reader)
{
  guint32 number = 0;

  for (guint i = 0; i < 3 && reader->at < reader->size; i++, reader->at++)
    {
      char c = reader->source[reader->at];

      if (c < '0' || c > '7')
        break;
      number = number * 8 + (c - '0');
    }
  append_number (reader, number);
}

/* reader->at is behind the backslash. */
static gboolean
read_escape (Reader *reader, GError **error)
{
  static const char plain[] = "\\'\"abfnrtv";
  static const char meant[] = "\\'\"\a\b\f\n\r\t\v";
  char c = reader->source[reader->at];
  const char *found = c != '\0' ? strchr (plain, c) : NULL;
  guint32 number;

  if (c == '\n')
    {
      reader->at++;
      return TRUE;
    }
  if (found != NULL)
    {
      reader->at++;
      g_string_append_c (reader->out, meant[found - plain]);
      return TRUE;
    }
  if (c >= '0' && c <= '7')
    {
      read_octal (reader);
      return TRUE;
    }
  if (c == 'x')
    {
      reader->at++;
      if (!read_hex (reader, 2, &number, error))
        return FALSE;
      append_number (reader, number);
      return TRUE;
    }
  if (!reader->bytes && (c == 'u' || c == 'U'))
    {
      reader->at++;
      return read_unicode (reader, c == 'u' ? 4 : 8, error);
    }
  if (!reader->bytes && c == 'N')
    return bad_escape ("\\N{...} is not understood", error);
  g_string_append_c (reader->out, '\\'); /* not an escape: both characters stay */
  return TRUE;
}

static gboolean
unterminated (Reader *reader, GError **error)
{
  reader->at = MIN (reader->at, reader->size);
  if (reader->triple)
    g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_INCOMPLETE,
                         "the string that begins with three quotes has no end");
  else
    g_set_error (error, EVAL_ERROR, EVAL_ERROR_SYNTAX, "the string has no closing %c",
                 reader->quote);
  return FALSE;
}

/* TRUE at the closing quotes, which are then behind reader->at. */
static gboolean
at_end (Reader *reader)
{
  const char *here = reader->source + reader->at;

  if (*here != reader->quote)
    return FALSE;
  if (!reader->triple)
    {
      reader->at++;
      return TRUE;
    }
  if (reader->size - reader->at < 3 || here[1] != reader->quote || here[2] != reader->quote)
    return FALSE;
  reader->at += 3;
  return TRUE;
}

static gboolean
read_backslash (Reader *reader, GError **error)
{
  if (reader->at + 1 >= reader->size)
    return unterminated (reader, error);
  if (!reader->raw)
    {
      reader->at++;
      return read_escape (reader, error);
    }
  g_string_append_c (reader->out, '\\');
  reader->at++;
  if (reader->source[reader->at] == reader->quote || reader->source[reader->at] == '\\')
    g_string_append_c (reader->out, reader->source[reader->at++]);
  return TRUE;
}

static gboolean
read_content (Reader *reader, GError **error)
{
  for (;;)
    {
      char c;

      if (reader->at >= reader->size)
        return unterminated (reader, error);
      if (at_end (reader))
        return TRUE;
      c = reader->source[reader->at];
      if (c == '\n' && !reader->triple)
        return unterminated (reader, error);
      if (c == '\\')
        {
          if (!read_backslash (reader, error))
            return FALSE;
          continue;
        }
      if (reader->bytes && (guchar) c >= 0x80)
        return bad_escape ("bytes can only hold ASCII characters; write the others as \\x..",
                           error);
      g_string_append_c (reader->out, c);
      reader->at++;
    }
}

Value *
token_read_string (const char *source, gsize size, gsize *at, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  Reader reader = { .source = source, .size = size, .at = *at, .out = out };
  gboolean ok;

  for (int n = token_string_prefix (source, size, *at); n > 0; n--, reader.at++)
    {
      char c = g_ascii_tolower (source[reader.at]);

      reader.bytes = reader.bytes || c == 'b';
      reader.raw = reader.raw || c == 'r';
      if (c == 'f')
        {
          g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_SYNTAX,
                               "f-strings are not part of this language; use + and str()");
          return NULL;
        }
    }
  reader.quote = source[reader.at];
  reader.triple = size - reader.at >= 3 && source[reader.at + 1] == reader.quote
                  && source[reader.at + 2] == reader.quote;
  reader.at += reader.triple ? 3 : 1;
  ok = read_content (&reader, error);
  *at = reader.at;
  if (!ok)
    return NULL;
  return reader.bytes ? value_bytes (out->str, out->len) : value_str (out->str, out->len);
}
