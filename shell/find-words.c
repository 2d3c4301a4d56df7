/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * find-words.c - the words of find: the shell's terms and IMAP's search keys, also in one line
 *
 *   find from:bob is:unread report        terms
 *   find unseen from bob                  keys, since the first word is one
 *   find UNSEEN from:bob SINCE 1-Jan-2026 both: all of it must hold
 *
 * Keys are told from words by their place or by their capitals, and go to the end, where
 * rack_search_parse() takes them behind "imap:". */
#include "find-words.h"

#include <string.h>

/* What follows a key: nothing, so many words, or other keys. */
static const struct
{
  const char *key;
  guint words, keys;
  gboolean in_capitals; /* as people write it to search for the word otherwise */
} table[] = {
  { "all", 0, 0, FALSE },        { "answered", 0, 0, FALSE },    { "bcc", 1, 0, FALSE },
  { "before", 1, 0, FALSE },     { "body", 1, 0, FALSE },        { "cc", 1, 0, FALSE },
  { "deleted", 0, 0, FALSE },    { "draft", 0, 0, FALSE },       { "emailid", 1, 0, TRUE },
  { "flagged", 0, 0, FALSE },    { "from", 1, 0, FALSE },        { "fuzzy", 0, 1, TRUE },
  { "header", 2, 0, FALSE },     { "keyword", 1, 0, FALSE },     { "larger", 1, 0, FALSE },
  { "modseq", 1, 0, FALSE },     { "new", 0, 0, FALSE },         { "not", 0, 1, FALSE },
  { "old", 0, 0, FALSE },        { "older", 1, 0, TRUE },        { "on", 1, 0, FALSE },
  { "or", 0, 2, FALSE },         { "recent", 0, 0, FALSE },      { "savedbefore", 1, 0, TRUE },
  { "savedon", 1, 0, TRUE },     { "savedsince", 1, 0, TRUE },   { "seen", 0, 0, FALSE },
  { "sentbefore", 1, 0, FALSE }, { "senton", 1, 0, FALSE },      { "sentsince", 1, 0, FALSE },
  { "since", 1, 0, FALSE },      { "smaller", 1, 0, FALSE },     { "subject", 1, 0, FALSE },
  { "text", 1, 0, FALSE },       { "threadid", 1, 0, TRUE },     { "to", 1, 0, FALSE },
  { "uid", 1, 0, FALSE },        { "unanswered", 0, 0, FALSE },  { "undeleted", 0, 0, FALSE },
  { "undraft", 0, 0, FALSE },    { "unflagged", 0, 0, FALSE },   { "unkeyword", 1, 0, FALSE },
  { "unseen", 0, 0, FALSE },     { "x-gm-labels", 1, 0, FALSE }, { "x-gm-msgid", 1, 0, FALSE },
  { "x-gm-raw", 1, 0, FALSE },   { "x-gm-thrid", 1, 0, FALSE },  { "younger", 1, 0, TRUE },
};

typedef struct
{
  CommandWord *words;
  guint n, at;
  gboolean keys_first; /* keys may be in small letters */
  gboolean as_written; /* behind "imap:": what nobody here knows is for the server to judge */
  GString *terms, *keys;
} Reader;

static gboolean fail (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
fail (GError **error, const char *format, ...)
{
  va_list list;

  va_start (list, format);
  g_autofree char *text = g_strdup_vprintf (format, list);
  va_end (list);
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "find: %s", text);
  return FALSE;
}

/* ---- What a word is ---------------------------------------------------------------------------
 */

/* Its place in the table, or -1. */
static int
find_key (const CommandWord *word, gboolean small)
{
  g_autofree char *upper = g_ascii_strup (word->text, -1);
  gboolean capitals = strcmp (upper, word->text) == 0;

  for (gsize i = 0; i < G_N_ELEMENTS (table) && !word->quoted; i++)
    if (g_ascii_strcasecmp (word->text, table[i].key) == 0)
      return capitals || (small && !table[i].in_capitals) ? (int) i : -1;
  return -1;
}

/* A set of numbers, or a group. */
static gboolean
is_sequence (const CommandWord *word)
{
  return !word->quoted && *word->text != '\0' && strchr ("(0123456789*", *word->text) != NULL;
}

/* "from:bob", "-is:unread", and also what is wrong with it: a prefix is no key. */
static gboolean
has_prefix (const CommandWord *word)
{
  const char *at = word->text + (*word->text == '-');
  gsize letters = strspn (at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

  return letters > 0 && at[letters] == ':' && !g_str_has_prefix (at + letters, "://");
}

static gboolean
is_or (const CommandWord *word)
{
  return !word->quoted && strcmp (word->text, "OR") == 0;
}

/* ---- Writing ----------------------------------------------------------------------------------
 */

static void
append_quoted (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (; *text != '\0'; text++)
    {
      if (*text == '"' || *text == '\\')
        g_string_append_c (out, '\\');
      g_string_append_c (out, *text);
    }
  g_string_append_c (out, '"');
}

static void
add_key (Reader *reader, const CommandWord *word)
{
  g_string_append (reader->keys, reader->keys->len > 0 ? " " : "");
  if (word->quoted)
    append_quoted (reader->keys, word->text);
  else
    g_string_append (reader->keys, word->text);
}

/* A word of which something was quoted: from:"a b", if that means something, else a text. */
static void
add_quoted_term (GString *terms, const char *word)
{
  gsize prefix = strspn (word, "abcdefghijklmnopqrstuvwxyz");

  if (prefix > 0 && word[prefix] == ':')
    {
      g_autoptr (GString) term = g_string_new_len (word, (gssize) prefix + 1);
      append_quoted (term, word + prefix + 1);
      g_autoptr (RackCriteria) criteria = rack_search_parse (term->str, NULL);
      if (criteria != NULL)
        {
          g_string_append (terms, term->str);
          return;
        }
    }
  append_quoted (terms, word);
}

static void
add_term (Reader *reader, const CommandWord *word)
{
  g_string_append (reader->terms, reader->terms->len > 0 ? " " : "");
  if (word->quoted)
    add_quoted_term (reader->terms, word->text);
  else
    g_string_append (reader->terms, word->text);
}

/* ---- Keys -------------------------------------------------------------------------------------
 */

/* "(UNSEEN FROM bob)" in as many words as it took. */
static void
take_group (Reader *reader)
{
  int depth = 0;

  do
    {
      const CommandWord *word = &reader->words[reader->at++];
      for (const char *at = word->text; !word->quoted && *at != '\0'; at++)
        depth += (*at == '(') - (*at == ')');
      add_key (reader, word);
    }
  while (depth > 0 && reader->at < reader->n);
}

static gboolean take_key (Reader *reader, GError **error);

/* What belongs to NOT, OR and FUZZY. before: its name, as it was written. */
static gboolean
take_operand (Reader *reader, const char *before, GError **error)
{
  const CommandWord *word = reader->at < reader->n ? &reader->words[reader->at] : NULL;

  if (word == NULL)
    return fail (error, "a search key is missing behind %s", before);
  if (!has_prefix (word) || find_key (word, TRUE) >= 0)
    return take_key (reader, error);
  if (g_ascii_strcasecmp (before, "NOT") == 0)
    return fail (error,
                 "NOT is IMAP's and stands before its keys; the opposite of a term is "
                 "%s%s",
                 *word->text == '-' ? "" : "-", word->text + (*word->text == '-'));
  return fail (error,
               "this %s is IMAP's and stands before its keys, as in OR FROM bob TO bob; between "
               "terms write from:bob OR to:bob",
               before);
}

static gboolean
take_key (Reader *reader, GError **error)
{
  const CommandWord *word = &reader->words[reader->at];
  int i = find_key (word, TRUE);

  if (i < 0 && is_sequence (word))
    {
      take_group (reader);
      return TRUE;
    }
  add_key (reader, word);
  reader->at++;
  for (guint n = i >= 0 ? table[i].words : 0; n > 0; n--)
    {
      if (reader->at == reader->n)
        return fail (error, "something is missing behind %s; for the word itself write \"%s\"",
                     word->text, word->text);
      add_key (reader, &reader->words[reader->at++]);
    }
  for (guint n = i >= 0 ? table[i].keys : 0; n > 0; n--)
    if (!take_operand (reader, word->text, error))
      return FALSE;
  return TRUE;
}

/* A key nobody here knows may be one of the server's if it is written as one. */
static gboolean
take_unknown (Reader *reader, GError **error)
{
  const CommandWord *word = &reader->words[reader->at], *first = &reader->words[0];
  g_autofree char *upper = g_ascii_strup (word->text, -1);

  if (reader->as_written || (!word->quoted && strcmp (upper, word->text) == 0))
    return take_key (reader, error);
  return fail (error,
               "\"%s\" is no search key of IMAP, which \"%s\" before it is; to search for words, "
               "put that in quotes: find \"%s\" %s",
               word->text, first->text, first->text, word->text);
}

/* ---- All of it --------------------------------------------------------------------------------
 */

/* Terms on both sides of it, or it is somebody's mistake. */
static gboolean
check_or (const Reader *reader, GError **error)
{
  const CommandWord *next = reader->at + 1 < reader->n ? &reader->words[reader->at + 1] : NULL;

  if (reader->terms->len > 0 && (next == NULL || find_key (next, FALSE) < 0))
    return TRUE;
  return fail (error, "OR joins two terms, as in from:bob OR to:bob; of IMAP's keys it stands "
                      "before both: OR FROM bob UNSEEN");
}

/* "imap:UNSEEN FROM bob": keys from here on. imap:"UNSEEN FROM bob" is all of them. */
static void
take_imap (Reader *reader)
{
  CommandWord *word = &reader->words[reader->at];

  word->text += strlen ("imap:");
  if (word->quoted)
    g_string_append_printf (reader->keys, "%s%s", reader->keys->len > 0 ? " " : "", word->text);
  else
    reader->keys_first = reader->as_written = TRUE;
  reader->at += word->quoted || *word->text == '\0';
}

static gboolean
take_word (Reader *reader, GError **error)
{
  const CommandWord *word = &reader->words[reader->at];

  if (g_str_has_prefix (word->text, "imap:")
      && reader->at + 1 < reader->n + (word->text[5] != '\0'))
    {
      take_imap (reader);
      return TRUE;
    }
  if (is_or (word) && !reader->keys_first && !check_or (reader, error))
    return FALSE;
  if ((find_key (word, reader->keys_first) >= 0 && (reader->keys_first || !is_or (word)))
      || (reader->keys_first && is_sequence (word)))
    return take_key (reader, error);
  if (reader->keys_first && !word->quoted && !has_prefix (word))
    return take_unknown (reader, error);
  add_term (reader, word);
  reader->at++;
  return TRUE;
}

RackCriteria *
find_words_parse (const CommandWord *words, guint n, GError **error)
{
  g_autoptr (GString) terms = g_string_new (NULL);
  g_autoptr (GString) keys = g_string_new (NULL);
  g_autofree CommandWord *own = g_new0 (CommandWord, n + 1);
  Reader reader = { .words = own, .n = n, .terms = terms, .keys = keys };

  for (guint i = 0; i < n; i++)
    own[i] = words[i];
  reader.keys_first = n > 0 && (find_key (&words[0], TRUE) >= 0 || is_sequence (&words[0]));
  while (reader.at < n)
    if (!take_word (&reader, error))
      return NULL;
  if (keys->len > 0)
    g_string_append_printf (terms, "%simap:%s", terms->len > 0 ? " " : "", keys->str);
  return rack_search_parse (terms->str, error);
}
