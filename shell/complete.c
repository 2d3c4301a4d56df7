/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * complete.c - candidates: which fit, what they have in common, and how they are written
 *
 * What there is to choose from is found in complete-*.c. */
#include "complete-private.h"

#include "safe-text.h"

#include <string.h>

/* ---- Finding ----------------------------------------------------------------------------------
 */

void
completing_at (Completing *self, gsize start, const char *prefix, gssize size)
{
  self->start = start;
  g_free (self->prefix);
  self->prefix = size < 0 ? g_strdup (prefix) : g_strndup (prefix, (gsize) size);
}

static gboolean
folds_to (const char *value, const char *prefix)
{
  g_autofree char *folded = g_utf8_casefold (value, -1), *wanted = g_utf8_casefold (prefix, -1);

  return g_str_has_prefix (folded, wanted);
}

void
completing_add (Completing *self, const char *value, gboolean whole)
{
  if (!g_utf8_validate (value, -1, NULL) || !folds_to (value, self->prefix)
      || g_hash_table_contains (self->seen, value))
    return;
  g_autofree char *safe = safe_text_dup (value, -1, SAFE_TEXT_LINE);
  /* A word has no escapes for what cannot be seen. */
  if (self->as != WRITE_STRING && strcmp (safe, value) != 0)
    return;
  Found found = { g_strdup (value), whole };
  g_array_append_val (self->found, found);
  g_hash_table_add (self->seen, found.value);
}

void
completing_add_all (Completing *self, const char *const *values)
{
  for (; values != NULL && *values != NULL; values++)
    completing_add (self, *values, !g_str_has_suffix (*values, ":"));
}

/* Those that fit as they are written, if there are any. */
static void
prefer_case (Completing *self)
{
  gboolean any = FALSE;

  for (guint i = 0; i < self->found->len && !any; i++)
    any = g_str_has_prefix (g_array_index (self->found, Found, i).value, self->prefix);
  for (guint i = self->found->len; any && i-- > 0;)
    if (!g_str_has_prefix (g_array_index (self->found, Found, i).value, self->prefix))
      g_array_remove_index (self->found, i);
}

/* ---- Writing ----------------------------------------------------------------------------------
 */

static void
write_word (const Completing *self, const char *value, gboolean closed, GString *out)
{
  char quote = self->quote;

  /* "$_" and "$name" are what they stand for only without quotes; and a beginning that is nothing
   * yet needs none. */
  if (quote == '\0' && command_needs_quotes (value) && *self->prefix != '$' && *value != '$'
      && (closed || *value != '\0'))
    quote = '"';
  if (quote == '\'' && strchr (value, '\'') != NULL)
    quote = '"';
  command_append_quoted (out, value, quote, closed);
}

static void
write_character (gunichar c, char quote, gboolean bytes, GString *out)
{
  if (c == (guchar) quote || c == '\\')
    g_string_append_printf (out, "\\%c", (char) c);
  else if (c < 0x20 || c == 0x7f)
    g_string_append_printf (out, "\\x%02x", c);
  else if (!g_unichar_isprint (c) || bytes)
    g_string_append_printf (out, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
  else
    g_string_append_unichar (out, c);
}

static void
write_string (const Completing *self, const char *value, gboolean closed, GString *out)
{
  char quote = self->quote != '\0' ? self->quote : '\'';
  gboolean bytes = strpbrk (self->letters, "bB") != NULL;

  g_string_append (out, strpbrk (self->letters, "rR") != NULL ? (bytes ? "b" : "") : self->letters);
  g_string_append_c (out, quote);
  for (; *value != '\0'; value = g_utf8_next_char (value))
    {
      gunichar c = g_utf8_get_char (value);
      if (c < 0x80 || !bytes)
        write_character (c, quote, FALSE, out);
      else
        for (const char *at = value; at < g_utf8_next_char (value); at++)
          g_string_append_printf (out, "\\x%02x", (guchar) *at);
    }
  if (closed)
    g_string_append_c (out, quote);
}

/* Returns: (owned) */
static char *
write_value (const Completing *self, const char *value, gboolean closed)
{
  GString *out = g_string_new (NULL);

  if (self->as == WRITE_WORD)
    write_word (self, value, closed, out);
  else if (self->as == WRITE_STRING)
    write_string (self, value, closed, out);
  else
    g_string_append (out, value);
  return g_string_free (out, FALSE);
}

/* ---- What comes out ---------------------------------------------------------------------------
 */

static void
clear_candidate (gpointer data)
{
  Candidate *candidate = data;

  g_free (candidate->text);
  g_free (candidate->shown);
  g_free (candidate);
}

static gint
by_value (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Found *) a)->value, ((const Found *) b)->value);
}

static gsize
shared (const char *a, const char *b)
{
  gsize n = 0;

  while (a[n] != '\0' && a[n] == b[n])
    n++;
  while (n > 0 && ((guchar) a[n] & 0xc0) == 0x80) /* not in the middle of a character */
    n--;
  return n;
}

/* What all values begin with, or what is typed if that is more, because case differs. */
static char *
common_of (const Completing *self)
{
  const char *first = g_array_index (self->found, Found, 0).value;
  gsize n = strlen (first);

  for (guint i = 1; i < self->found->len; i++)
    n = MIN (n, shared (first, g_array_index (self->found, Found, i).value));
  if (n < strlen (self->prefix))
    return g_strdup (self->text + self->start);
  g_autofree char *value = g_strndup (first, n);
  return write_value (self, value, FALSE);
}

static void
add_candidate (const Completing *self, const Found *found, GPtrArray *candidates)
{
  Candidate *candidate = g_new0 (Candidate, 1);
  gsize from = MIN (self->shown_from, strlen (found->value));

  candidate->text = write_value (self, found->value, found->whole);
  candidate->shown = safe_text_dup (found->value + from, -1, SAFE_TEXT_LINE);
  candidate->follows = found->whole && self->as == WRITE_WORD ? ' ' : '\0';
  g_ptr_array_add (candidates, candidate);
}

static void
finish (Completing *self, Completion *completion)
{
  prefer_case (self);
  g_array_sort (self->found, by_value);
  completion->start = self->start;
  completion->candidates = g_ptr_array_new_with_free_func (clear_candidate);
  for (guint i = 0; i < self->found->len; i++)
    add_candidate (self, &g_array_index (self->found, Found, i), completion->candidates);
  completion->common =
      self->found->len > 0 ? common_of (self) : g_strdup (self->text + self->start);
}

static void
clear_found (gpointer data)
{
  g_free (((Found *) data)->value);
}

void
completing_line (Completing *self, gsize offset)
{
  switch (line_guess (self->text + offset, self->sources->line))
    {
    case LINE_CALL:
      complete_call (self, offset);
      break;
    case LINE_EMPTY:
    case LINE_COMMAND:
    case LINE_SYSTEM:
      complete_command (self, offset);
      break;
    }
}

void
complete (const CompleteSources *sources, const char *text, Completion *completion)
{
  Completing self = { .sources = sources, .text = text, .start = strlen (text) };

  self.prefix = g_strdup ("");
  self.seen = g_hash_table_new (g_str_hash, g_str_equal);
  self.found = g_array_new (FALSE, FALSE, sizeof (Found));
  g_array_set_clear_func (self.found, clear_found);
  completing_line (&self, 0);
  finish (&self, completion);
  g_hash_table_unref (self.seen);
  g_array_unref (self.found);
  g_free (self.prefix);
}

void
completion_clear (Completion *completion)
{
  g_clear_pointer (&completion->common, g_free);
  g_clear_pointer (&completion->candidates, g_ptr_array_unref);
}
