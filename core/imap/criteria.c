/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * criteria.c - search criteria: kept, written into a command, and IMAP's own keys
 *
 * Whatever a user wrote goes out as a string of the protocol or as an atom that was looked
 * at, so that no text can end a command and begin another. The words people use are in
 * terms.c. */
#include "criteria.h"

#include <string.h>

#define MAX_DEPTH 32

/* ---- Life -------------------------------------------------------------------------- */

static void
clear_bit (gpointer data)
{
  g_free (((RackBit *) data)->text);
}

static void
clear_term (gpointer data)
{
  g_array_unref (((RackTerm *) data)->bits);
}

RackCriteria *
rack_criteria_new (void)
{
  RackCriteria *criteria = g_new0 (RackCriteria, 1);

  criteria->terms = g_array_new (FALSE, TRUE, sizeof (RackTerm));
  g_array_set_clear_func (criteria->terms, clear_term);
  return criteria;
}

void
rack_criteria_free (RackCriteria *criteria)
{
  if (criteria == NULL)
    return;
  g_array_unref (criteria->terms);
  g_free (criteria);
}

RackTerm *
rack_criteria_add (RackCriteria *criteria, RackTermKind kind)
{
  RackTerm term = { .kind = kind, .bits = g_array_new (FALSE, FALSE, sizeof (RackBit)) };

  g_array_set_clear_func (term.bits, clear_bit);
  g_array_append_val (criteria->terms, term);
  return &g_array_index (criteria->terms, RackTerm, criteria->terms->len - 1);
}

void
rack_term_take (RackTerm *term, RackBitKind kind, char *text)
{
  RackBit bit = { kind, text };

  g_array_append_val (term->bits, bit);
}

void
rack_criteria_error (GError **error, const char *text, gsize where, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *what = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *safe = rack_text_escape (what, -1);
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "search, at character %ld: %s",
               g_utf8_strlen (text, (gssize) where) + 1, safe);
}

/* ---- IMAP's own keys --------------------------------------------------------------------- */

typedef struct
{
  const char *start, *at;
  gsize offset; /* of start in what the user wrote */
} Reader;

static void G_GNUC_PRINTF (3, 4)
    wrong (const Reader *reader, GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *what = g_strdup_vprintf (format, args);
  va_end (args);
  /* Octets before the keys are ASCII ("imap:") or counted by the caller. */
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "search, at character %ld: %s",
               (long) reader->offset
                   + g_utf8_strlen (reader->start, (gssize) (reader->at - reader->start)) + 1,
               what);
}

/* "a \"quoted\" string". at is behind the first quote; ends behind the last. */
static char *
read_quoted (Reader *reader, GError **error)
{
  GString *text = g_string_new (NULL);

  for (; *reader->at != '"'; reader->at++)
    {
      if (*reader->at == '\\' && reader->at[1] != '\0')
        reader->at++;
      if (*reader->at == '\0')
        {
          g_string_free (text, TRUE);
          wrong (reader, error, "a quoted text does not end");
          return NULL;
        }
      g_string_append_c (text, *reader->at);
    }
  reader->at++;
  return g_string_free (text, FALSE);
}

static gboolean
ends_word (char c)
{
  return c == '\0' || c == ' ' || c == '(' || c == ')' || c == '"';
}

/* A key, date, number or set, or a word that must be a string because of what is in it. */
static void
read_word (Reader *reader, RackTerm *term)
{
  const char *from = reader->at;
  gboolean plain = TRUE;

  for (; !ends_word (*reader->at); reader->at++)
    plain &= g_ascii_isgraph (*reader->at) && strchr ("\\{}%]", *reader->at) == NULL;
  rack_term_take (term, plain ? RACK_BIT_ATOM : RACK_BIT_STRING,
                  g_strndup (from, (gsize) (reader->at - from)));
}

gboolean
rack_term_read_keys (RackTerm *term, const char *keys, gsize offset, GError **error)
{
  Reader reader = { keys, keys, offset };
  guint depth = 0;
  char *text;

  term->raw = TRUE;
  while (*reader.at != '\0')
    switch (*reader.at)
      {
      case ' ':
        reader.at++;
        break;
      case '(':
        if (reader.at[1 + strspn (reader.at + 1, " ")] == ')')
          {
            wrong (&reader, error, "there is nothing between the parentheses");
            return FALSE;
          }
        if (++depth > MAX_DEPTH)
          {
            wrong (&reader, error, "parentheses are nested too deep");
            return FALSE;
          }
        rack_term_take (term, RACK_BIT_ATOM, g_strdup ("("));
        reader.at++;
        break;
      case ')':
        if (depth-- == 0)
          {
            wrong (&reader, error, "a parenthesis is closed that was not opened");
            return FALSE;
          }
        rack_term_take (term, RACK_BIT_ATOM, g_strdup (")"));
        reader.at++;
        break;
      case '"':
        reader.at++;
        text = read_quoted (&reader, error);
        if (text == NULL)
          return FALSE;
        rack_term_take (term, RACK_BIT_STRING, text);
        break;
      default:
        read_word (&reader, term);
      }
  if (depth == 0)
    return TRUE;
  wrong (&reader, error, "a parenthesis is not closed");
  return FALSE;
}

static gboolean
check_text (const char *text, GError **error)
{
  const char *bad;

  if (!g_utf8_validate (text, -1, &bad))
    {
      rack_criteria_error (error, text, (gsize) (bad - text), "this is not UTF-8");
      return FALSE;
    }
  for (const char *at = text; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      {
        rack_criteria_error (error, text, (gsize) (at - text), "a control character");
        return FALSE;
      }
  return TRUE;
}

RackCriteria *
rack_criteria_parse_keys (const char *keys, GError **error)
{
  g_autoptr (RackCriteria) criteria = rack_criteria_new ();

  if (!check_text (keys, error))
    return NULL;
  if (keys[strspn (keys, " ")] != '\0'
      && !rack_term_read_keys (rack_criteria_add (criteria, RACK_TERM_KEYS), keys, 0, error))
    return NULL;
  return g_steal_pointer (&criteria);
}

/* ---- What it needs ------------------------------------------------------------------------ */

static gboolean
is_term_ascii (const RackTerm *term)
{
  for (guint i = 0; i < term->bits->len; i++)
    if (!g_str_is_ascii (g_array_index (term->bits, RackBit, i).text))
      return FALSE;
  return TRUE;
}

gboolean
rack_criteria_needs_utf8 (const RackCriteria *criteria)
{
  for (guint i = 0; i < criteria->terms->len; i++)
    if (!is_term_ascii (&g_array_index (criteria->terms, RackTerm, i)))
      return TRUE;
  return FALSE;
}

gboolean
rack_criteria_needs_gmail (const RackCriteria *criteria)
{
  for (guint i = 0; i < criteria->terms->len; i++)
    if (g_array_index (criteria->terms, RackTerm, i).kind == RACK_TERM_GMAIL)
      return TRUE;
  return FALSE;
}

/* The longest run of ASCII: what holds the text holds this. Returns: (owned) */
static char *
ascii_part (const char *text)
{
  const char *best = text;
  gsize size = 0;

  for (const char *at = text; *at != '\0';)
    {
      const char *from = at;
      while (*at != '\0' && !(*at & 0x80))
        at++;
      if ((gsize) (at - from) > size)
        {
          size = (gsize) (at - from);
          best = from;
        }
      while (*at & 0x80)
        at++;
    }
  return g_strndup (best, size);
}

/* Whether the term can be asked in ASCII so that nothing is missed. */
static gboolean
survives_ascii (const RackTerm *term)
{
  if (is_term_ascii (term))
    return TRUE;
  if (term->negated || term->raw || term->or_next)
    return FALSE;
  for (guint i = 0; i < term->bits->len; i++)
    {
      const char *text = g_array_index (term->bits, RackBit, i).text;
      g_autofree char *part = ascii_part (text);
      if (!g_str_is_ascii (text) && strlen (part) < 2)
        return FALSE;
    }
  return TRUE;
}

/* A term, with those it is an alternative to, from first on. Returns: behind the last. */
static guint
end_of_group (const RackCriteria *criteria, guint first)
{
  while (g_array_index (criteria->terms, RackTerm, first).or_next)
    first++;
  return first + 1;
}

static gboolean
group_survives (const RackCriteria *criteria, guint first, guint end)
{
  for (guint i = first; i < end; i++)
    {
      const RackTerm *term = &g_array_index (criteria->terms, RackTerm, i);
      if (!(end - first > 1 ? is_term_ascii (term) : survives_ascii (term)))
        return FALSE;
    }
  return TRUE;
}

gboolean
rack_criteria_has_ascii (const RackCriteria *criteria)
{
  for (guint i = 0; i < criteria->terms->len;)
    {
      guint end = end_of_group (criteria, i);
      if (group_survives (criteria, i, end))
        return TRUE;
      i = end;
    }
  return FALSE;
}

/* ---- Writing ------------------------------------------------------------------------------ */

static void
write_string (RackCommand *command, const char *text, RackSearchOptions options)
{
  g_autofree char *part = options & RACK_SEARCH_ASCII ? ascii_part (text) : NULL;

  rack_command_string (command, part != NULL ? part : text, -1);
}

static void
write_keys (RackCommand *command, const RackTerm *term, RackSearchOptions options)
{
  for (guint i = 0; i < term->bits->len; i++)
    {
      const RackBit *bit = &g_array_index (term->bits, RackBit, i);
      if (bit->kind == RACK_BIT_STRING)
        write_string (command, bit->text, options);
      else if (strcmp (bit->text, "(") == 0)
        rack_command_open (command);
      else if (strcmp (bit->text, ")") == 0)
        rack_command_close (command);
      else
        rack_command_atom (command, bit->text);
    }
}

/* Gmail's language: a phrase stands in quotes and cannot hold one. */
static void
write_gmail_phrase (RackCommand *command, const char *text, RackSearchOptions options)
{
  g_autofree char *bare = g_strdelimit (g_strdup (text), "\"\\", ' ');
  g_autofree char *phrase = g_strconcat ("\"", bare, "\"", NULL);

  rack_command_atom (command, "X-GM-RAW");
  write_string (command, phrase, options);
}

static void
write_term (RackCommand *command, const RackTerm *term, gboolean alone, RackSearchOptions options)
{
  gboolean wrap = term->raw && (!alone || term->negated);
  gboolean gmail = (options & RACK_SEARCH_GMAIL) != 0;
  const char *text = term->bits->len > 0 ? g_array_index (term->bits, RackBit, 0).text : "";

  if (term->negated)
    rack_command_atom (command, "NOT");
  switch (term->kind)
    {
    case RACK_TERM_KEYS:
      if (wrap)
        rack_command_open (command);
      write_keys (command, term, options);
      if (wrap)
        rack_command_close (command);
      break;
    case RACK_TERM_WORDS:
      if (gmail)
        {
          write_gmail_phrase (command, text, options);
          break;
        }
      rack_command_atom (command, "TEXT");
      write_string (command, text, options);
      break;
    case RACK_TERM_ATTACHMENT:
      /* Elsewhere no key says so: mail with files in it is multipart/mixed. */
      rack_command_raw (command,
                        gmail ? "X-GM-RAW has:attachment" : "HEADER Content-Type multipart/mixed");
      break;
    case RACK_TERM_GMAIL:
      rack_command_atom (command, "X-GM-RAW");
      write_string (command, text, options);
      break;
    }
}

void
rack_command_criteria (RackCommand *command, const RackCriteria *criteria,
                       RackSearchOptions options)
{
  gboolean ascii = (options & RACK_SEARCH_ASCII) != 0, any = FALSE;

  if (!ascii && rack_criteria_needs_utf8 (criteria))
    rack_command_raw (command, "CHARSET UTF-8");
  for (guint i = 0; i < criteria->terms->len;)
    {
      guint end = end_of_group (criteria, i);
      gboolean written = !ascii || group_survives (criteria, i, end), alone = end == i + 1;
      for (; written && i < end; i++)
        {
          if (i + 1 < end)
            rack_command_atom (command, "OR");
          write_term (command, &g_array_index (criteria->terms, RackTerm, i), alone, options);
        }
      any |= written;
      i = end;
    }
  if (!any)
    rack_command_atom (command, "ALL");
}
