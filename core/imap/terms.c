/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * terms.c - the words people search with, into search keys
 *
 *   from:alice subject:"annual report" is:unread since:7d -larger:10M words OR others
 *   imap:UNSEEN NOT (FROM bob)
 *
 * One table of prefixes. A word with a prefix nobody knows is an error and not a word to
 * search for, because it is a typing error more often than not. */
#include "criteria.h"

#include <string.h>

#define MAX_TERMS 200
#define MAX_SIZE  8000

typedef struct
{
  RackCriteria *criteria;
  const GDate *today;
  const char *text; /* all of it */
  const char *at;
} Parser;

/* One word with its prefix taken off. */
typedef struct
{
  gsize where;    /* of the word */
  gsize value_at; /* of the value */
  char *prefix;   /* lower case; "" if there is none */
  char *value;
  gboolean negated, quoted;
} Word;

typedef gboolean (*Handler) (Parser *parser, const Word *word, const char *key, GError **error);

static RackTerm *
add (Parser *parser, const Word *word, RackTermKind kind)
{
  RackTerm *term = rack_criteria_add (parser->criteria, kind);

  term->negated = word->negated;
  return term;
}

static void
add_key (Parser *parser, const Word *word, const char *key, RackBitKind kind, const char *value)
{
  RackTerm *term = add (parser, word, RACK_TERM_KEYS);

  rack_term_take (term, RACK_BIT_ATOM, g_strdup (key));
  if (value != NULL)
    rack_term_take (term, kind, g_strdup (value));
}

/* ---- Values -------------------------------------------------------------------------- */

static gboolean
read_text (Parser *parser, const Word *word, const char *key, GError **error)
{
  add_key (parser, word, key, RACK_BIT_STRING, word->value);
  return TRUE;
}

static gboolean
read_header (Parser *parser, const Word *word, const char *key, GError **error)
{
  const char *colon = strchr (word->value, ':');
  g_autofree char *name = colon != NULL ? g_strndup (word->value, (gsize) (colon - word->value))
                                        : g_strdup (word->value);

  for (const char *at = name; *at != '\0'; at++)
    if (!g_ascii_isgraph (*at))
      {
        rack_criteria_error (error, parser->text, word->value_at,
                             "\"%s\" is not the name of a header", name);
        return FALSE;
      }
  RackTerm *term = add (parser, word, RACK_TERM_KEYS);
  rack_term_take (term, RACK_BIT_ATOM, g_strdup ("HEADER"));
  rack_term_take (term, RACK_BIT_STRING, g_strdup (name));
  rack_term_take (term, RACK_BIT_STRING, g_strdup (colon != NULL ? colon + 1 : ""));
  return TRUE;
}

/* key: the header. */
static gboolean
read_one_header (Parser *parser, const Word *word, const char *key, GError **error)
{
  RackTerm *term = add (parser, word, RACK_TERM_KEYS);

  rack_term_take (term, RACK_BIT_ATOM, g_strdup ("HEADER"));
  rack_term_take (term, RACK_BIT_ATOM, g_strdup (key));
  rack_term_take (term, RACK_BIT_STRING, g_strdup (word->value));
  return TRUE;
}

static const struct
{
  const char *word, *key, *keyword;
} states[] = {
  { "unread", "UNSEEN", NULL },
  { "unseen", "UNSEEN", NULL },
  { "read", "SEEN", NULL },
  { "seen", "SEEN", NULL },
  { "flagged", "FLAGGED", NULL },
  { "starred", "FLAGGED", NULL },
  { "unflagged", "UNFLAGGED", NULL },
  { "answered", "ANSWERED", NULL },
  { "replied", "ANSWERED", NULL },
  { "unanswered", "UNANSWERED", NULL },
  { "deleted", "DELETED", NULL },
  { "draft", "DRAFT", NULL },
  { "recent", "RECENT", NULL },
  { "new", "NEW", NULL },
  { "forwarded", "KEYWORD", "$Forwarded" },
  { "junk", "KEYWORD", "$Junk" },
};

static gboolean
read_state (Parser *parser, const Word *word, const char *key, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    if (g_ascii_strcasecmp (word->value, states[i].word) == 0)
      {
        add_key (parser, word, states[i].key, RACK_BIT_ATOM, states[i].keyword);
        return TRUE;
      }
  g_autoptr (GString) known = g_string_new (states[0].word);
  for (gsize i = 1; i < G_N_ELEMENTS (states); i++)
    g_string_append_printf (known, ", %s", states[i].word);
  rack_criteria_error (error, parser->text, word->value_at, "is: knows %s, not \"%s\"", known->str,
                       word->value);
  return FALSE;
}

static gboolean
read_keyword (Parser *parser, const Word *word, const char *key, GError **error)
{
  for (const char *at = word->value; *at != '\0'; at++)
    if (!g_ascii_isgraph (*at) || strchr ("(){%*\"\\]", *at) != NULL)
      {
        rack_criteria_error (error, parser->text, word->value_at,
                             "\"%s\" cannot be a keyword (letters, digits and most signs, no "
                             "blank; for \\Seen and its like there is is:)",
                             word->value);
        return FALSE;
      }
  add_key (parser, word, key, RACK_BIT_ATOM, word->value);
  return TRUE;
}

static gboolean
read_has (Parser *parser, const Word *word, const char *key, GError **error)
{
  if (g_ascii_strcasecmp (word->value, "attachment") != 0)
    {
      rack_criteria_error (error, parser->text, word->value_at, "has: knows attachment, not \"%s\"",
                           word->value);
      return FALSE;
    }
  add (parser, word, RACK_TERM_ATTACHMENT);
  return TRUE;
}

static gboolean
read_size (Parser *parser, const Word *word, const char *key, GError **error)
{
  char *end = NULL;
  guint64 size = g_ascii_isdigit (*word->value) ? g_ascii_strtoull (word->value, &end, 10) : 0;
  static const char units[] = "KMG";
  const char *unit = end != NULL && *end != '\0' ? strchr (units, g_ascii_toupper (*end)) : NULL;

  for (const char *at = units; unit != NULL && at <= unit; at++)
    size = size <= G_MAXUINT32 ? size * 1024 : size;
  if (unit != NULL)
    end += g_ascii_toupper (end[1]) == 'B' ? 2 : 1;
  if (end == NULL || *end != '\0' || size > G_MAXUINT32)
    {
      rack_criteria_error (error, parser->text, word->value_at,
                           "\"%s\" is not a size below 4G, such as 20000, 500K or 10M",
                           word->value);
      return FALSE;
    }
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, size);
  add_key (parser, word, key, RACK_BIT_ATOM, number);
  return TRUE;
}

static gboolean
read_uid (Parser *parser, const Word *word, const char *key, GError **error)
{
  g_autoptr (RackSet) set = rack_set_parse (word->value, NULL);

  if (set == NULL)
    {
      rack_criteria_error (error, parser->text, word->value_at,
                           "\"%s\" is not a set of UIDs, such as 7 or 1:5,9", word->value);
      return FALSE;
    }
  g_autofree char *text = rack_set_to_string (set);
  add_key (parser, word, key, RACK_BIT_ATOM, text);
  return TRUE;
}

/* "imap:" takes the rest of the text. */
static gboolean
read_imap (Parser *parser, const Word *word, const char *key, GError **error)
{
  gsize before = (gsize) g_utf8_strlen (parser->text, (gssize) word->value_at);
  const char *rest = parser->text + word->value_at;

  parser->at = rest + strlen (rest);
  if (rest[strspn (rest, " ")] == '\0')
    {
      rack_criteria_error (error, parser->text, word->value_at,
                           "search keys of IMAP belong behind imap:, such as UNSEEN FROM bob");
      return FALSE;
    }
  return rack_term_read_keys (add (parser, word, RACK_TERM_KEYS), rest, before, error);
}

static gboolean
read_gmail (Parser *parser, const Word *word, const char *key, GError **error)
{
  rack_term_take (add (parser, word, RACK_TERM_GMAIL), RACK_BIT_STRING, g_strdup (word->value));
  return TRUE;
}

/* ---- Dates ------------------------------------------------------------------------------ */

/* "7d", "2w", "3m", "1y" before today. */
static gboolean
read_ago (const Parser *parser, const char *value, GDate *date)
{
  gsize digits = strspn (value, "0123456789");
  guint n = (guint) g_ascii_strtoull (value, NULL, 10);

  if (digits == 0 || digits > 4 || value[digits] == '\0' || value[digits + 1] != '\0')
    return FALSE;
  *date = *parser->today;
  switch (g_ascii_tolower (value[digits]))
    {
    case 'd':
      g_date_subtract_days (date, n);
      break;
    case 'w':
      g_date_subtract_days (date, 7 * n);
      break;
    case 'm':
      g_date_subtract_months (date, MIN (n, 1200));
      break;
    case 'y':
      g_date_subtract_years (date, MIN (n, 100));
      break;
    default:
      return FALSE;
    }
  return TRUE;
}

/* "2026-11-05", with / as well; "2026-11" and "2026" are the first day. */
static gboolean
read_calendar (const char *value, GDate *date)
{
  guint numbers[3] = { 0, 1, 1 };
  const char *at = value;

  for (guint i = 0; i < 3; i++)
    {
      gsize digits = strspn (at, "0123456789");
      if (digits == 0 || digits > (i == 0 ? 4 : 2) || (i == 0 && digits < 4))
        return FALSE;
      numbers[i] = (guint) g_ascii_strtoull (at, NULL, 10);
      at += digits;
      if (*at == '\0')
        break;
      if (i == 2 || (*at != '-' && *at != '/'))
        return FALSE;
      at++;
    }
  if (*at != '\0' || !g_date_valid_dmy ((GDateDay) numbers[2], numbers[1], (GDateYear) numbers[0]))
    return FALSE;
  g_date_set_dmy (date, (GDateDay) numbers[2], numbers[1], (GDateYear) numbers[0]);
  return TRUE;
}

static gboolean
read_date (Parser *parser, const Word *word, const char *key, GError **error)
{
  static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
  GDate date = *parser->today;
  gboolean ok = TRUE;

  if (g_ascii_strcasecmp (word->value, "yesterday") == 0)
    g_date_subtract_days (&date, 1);
  else if (g_ascii_strcasecmp (word->value, "today") != 0)
    ok = read_calendar (word->value, &date) || read_ago (parser, word->value, &date);
  if (!ok || !g_date_valid (&date) || g_date_get_year (&date) > 9999)
    {
      rack_criteria_error (error, parser->text, word->value_at,
                           "\"%s\" is not a date: write 2026-11-05, 2026-11, 2026, today, "
                           "yesterday, or 7d, 2w, 3m, 1y for so long ago",
                           word->value);
      return FALSE;
    }
  g_autofree char *text =
      g_strdup_printf ("%u-%s-%04u", g_date_get_day (&date), months[g_date_get_month (&date) - 1],
                       g_date_get_year (&date));
  add_key (parser, word, key, RACK_BIT_ATOM, text);
  return TRUE;
}

/* ---- Words ------------------------------------------------------------------------------ */

static const struct
{
  const char *prefix;
  Handler read;
  const char *key;
} prefixes[] = {
  { "from", read_text, "FROM" },
  { "to", read_text, "TO" },
  { "cc", read_text, "CC" },
  { "bcc", read_text, "BCC" },
  { "subject", read_text, "SUBJECT" },
  { "body", read_text, "BODY" },
  { "text", read_text, "TEXT" },
  { "header", read_header, NULL },
  { "list", read_one_header, "List-Id" },
  { "id", read_one_header, "Message-ID" },
  { "is", read_state, NULL },
  { "has", read_has, NULL },
  { "keyword", read_keyword, "KEYWORD" },
  { "before", read_date, "BEFORE" },
  { "since", read_date, "SINCE" },
  { "after", read_date, "SINCE" },
  { "on", read_date, "ON" },
  { "sentbefore", read_date, "SENTBEFORE" },
  { "sentsince", read_date, "SENTSINCE" },
  { "senton", read_date, "SENTON" },
  { "larger", read_size, "LARGER" },
  { "smaller", read_size, "SMALLER" },
  { "uid", read_uid, "UID" },
  { "imap", read_imap, NULL },
  { "gmail", read_gmail, NULL },
};

static void
clear_word (Word *word)
{
  g_free (word->prefix);
  g_free (word->value);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Word, clear_word)

/* Up to a blank, or the closing quote. */
static gboolean
read_value (Parser *parser, Word *word, GError **error)
{
  GString *value = g_string_new (NULL);
  gsize where = (gsize) (parser->at - parser->text);

  word->value_at = where;
  word->quoted = *parser->at == '"';
  parser->at += word->quoted;
  while (*parser->at != '\0' && *parser->at != (word->quoted ? '"' : ' '))
    {
      if (word->quoted && *parser->at == '\\' && parser->at[1] != '\0')
        parser->at++;
      g_string_append_c (value, *parser->at++);
    }
  word->value = g_string_free (value, FALSE);
  if (word->quoted && *parser->at != '"')
    {
      rack_criteria_error (error, parser->text, where,
                           "the quoted text that begins here does not "
                           "end");
      return FALSE;
    }
  parser->at += word->quoted;
  if (!word->quoted || *parser->at == '\0' || *parser->at == ' ')
    return TRUE;
  rack_criteria_error (error, parser->text, (gsize) (parser->at - parser->text),
                       "a blank belongs behind a quoted text");
  return FALSE;
}

static gboolean
read_word (Parser *parser, Word *word, GError **error)
{
  word->where = (gsize) (parser->at - parser->text);
  if (*parser->at == '-' && parser->at[1] != '\0' && parser->at[1] != ' ')
    {
      word->negated = TRUE;
      parser->at++;
    }
  gsize letters = strspn (parser->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
  gboolean prefixed =
      letters > 0 && parser->at[letters] == ':' && !g_str_has_prefix (parser->at + letters, "://");
  word->prefix = g_ascii_strdown (parser->at, prefixed ? (gssize) letters : 0);
  parser->at += prefixed ? letters + 1 : 0;
  return read_value (parser, word, error);
}

static gboolean
handle_prefix (Parser *parser, const Word *word, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (prefixes); i++)
    {
      if (strcmp (word->prefix, prefixes[i].prefix) != 0)
        continue;
      if (*word->value == '\0' && prefixes[i].read != read_imap)
        {
          rack_criteria_error (error, parser->text, word->value_at,
                               "nothing stands behind %s:", word->prefix);
          return FALSE;
        }
      return prefixes[i].read (parser, word, prefixes[i].key, error);
    }
  g_autoptr (GString) known = g_string_new (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (prefixes); i++)
    g_string_append_printf (known, "%s%s:", i > 0 ? " " : "", prefixes[i].prefix);
  rack_criteria_error (error, parser->text, word->where,
                       "%s: is not known, only %s; to search for the text itself put it in "
                       "quotes: \"%s:%s\"",
                       word->prefix, known->str, word->prefix, word->value);
  return FALSE;
}

static gboolean
handle_word (Parser *parser, const Word *word, GError **error)
{
  if (*word->prefix != '\0')
    return handle_prefix (parser, word, error);
  if (*word->value == '\0')
    {
      rack_criteria_error (error, parser->text, word->where, "there is nothing between the quotes");
      return FALSE;
    }
  rack_term_take (add (parser, word, RACK_TERM_WORDS), RACK_BIT_STRING, g_strdup (word->value));
  return TRUE;
}

/* "OR" joins the term before it and the one behind. */
static gboolean
handle_or (Parser *parser, const Word *word, gboolean *open, GError **error)
{
  GArray *terms = parser->criteria->terms;

  if (terms->len == 0 || *open)
    {
      rack_criteria_error (error, parser->text, word->where,
                           "OR stands between two terms; to search for the word put it in quotes");
      return FALSE;
    }
  g_array_index (terms, RackTerm, terms->len - 1).or_next = TRUE;
  *open = TRUE;
  return TRUE;
}

static gboolean
check_text (const char *terms, GError **error)
{
  const char *bad = terms;

  if (strlen (terms) > MAX_SIZE)
    rack_criteria_error (error, terms, 0, "this is more than %d octets long", MAX_SIZE);
  else if (!g_utf8_validate (terms, -1, &bad))
    rack_criteria_error (error, terms, (gsize) (bad - terms), "this is not UTF-8");
  else
    {
      for (bad = terms; *bad != '\0' && !g_ascii_iscntrl (*bad); bad++)
        ;
      if (*bad == '\0')
        return TRUE;
      rack_criteria_error (error, terms, (gsize) (bad - terms), "a control character");
    }
  return FALSE;
}

RackCriteria *
rack_criteria_parse (const char *terms, const GDate *today, GError **error)
{
  g_autoptr (RackCriteria) criteria = rack_criteria_new ();
  Parser parser = { criteria, today, terms, terms };
  gboolean open = FALSE; /* an OR waits for its second term */

  if (!check_text (terms, error))
    return NULL;
  for (;;)
    {
      parser.at += strspn (parser.at, " ");
      if (*parser.at == '\0')
        break;
      g_auto (Word) word = { 0 };
      if (!read_word (&parser, &word, error))
        return NULL;
      gboolean is_or =
          !word.quoted && !word.negated && *word.prefix == '\0' && strcmp (word.value, "OR") == 0;
      if (!(is_or ? handle_or (&parser, &word, &open, error) : handle_word (&parser, &word, error)))
        return NULL;
      open = is_or;
      if (criteria->terms->len > MAX_TERMS)
        {
          rack_criteria_error (error, terms, word.where, "these are more than %d terms", MAX_TERMS);
          return NULL;
        }
    }
  if (open)
    {
      rack_criteria_error (error, terms, strlen (terms), "a term is missing behind OR");
      return NULL;
    }
  return g_steal_pointer (&criteria);
}
