/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * complete-call.c - where in a call the cursor is, and what may stand there
 *
 * The text is looked through without being understood: brackets, strings, commas, and which
 * function was named in front of a bracket are all that counts. */
#include "complete-private.h"

#include "builtins.h"
#include "token.h"

#include <string.h>

typedef struct
{
  char bracket;
  char *function; /* "c.fetch" in front of "("; NULL: none */
  guint index;    /* commas so far */
  char *keyword;  /* of the argument, or NULL */
} Frame;

typedef struct
{
  const char *text;
  gsize at;
  GArray *frames;     /* of Frame */
  gsize name, behind; /* of the last name or path: where it begins and ends */
  gsize begun;        /* where the argument begins */
  /* The string that is open at the end. */
  gboolean in_string;
  gsize string;  /* where its letters begin */
  gsize content; /* behind its quotes */
} Scan;

static void
clear_frame (gpointer data)
{
  g_free (((Frame *) data)->function);
  g_free (((Frame *) data)->keyword);
}

static Frame *
top_of (const Scan *scan)
{
  return scan->frames->len > 0 ? &g_array_index (scan->frames, Frame, scan->frames->len - 1) : NULL;
}

/* ---- Looking through it -----------------------------------------------------------------------
 */

static gboolean
is_name_character (char c)
{
  return g_ascii_isalnum (c) || c == '_' || (guchar) c >= 0x80;
}

/* A string that begins with n letters. */
static void
scan_string (Scan *scan, gsize letters)
{
  const char *text = scan->text;
  gsize start = scan->at, at = start + letters;
  char quote = text[at];
  gsize n = text[at + 1] == quote && text[at + 2] == quote ? 3 : 1;
  const char close[4] = { quote, n == 3 ? quote : '\0', n == 3 ? quote : '\0', '\0' };

  scan->string = start;
  scan->content = at += n;
  while (text[at] != '\0' && strncmp (text + at, close, n) != 0)
    at += text[at] == '\\' && text[at + 1] != '\0' ? 2 : 1;
  scan->in_string = text[at] == '\0';
  scan->at = scan->in_string ? at : at + n;
}

/* "c.fetch", also with blanks behind. */
static void
scan_name (Scan *scan)
{
  gsize start = scan->at;

  while (is_name_character (scan->text[scan->at])
         || (scan->text[scan->at] == '.' && scan->at > start))
    scan->at++;
  scan->name = start;
  scan->behind = scan->at;
}

static void
open_bracket (Scan *scan)
{
  Frame frame = { .bracket = scan->text[scan->at] };

  if (frame.bracket == '(' && scan->behind == scan->at && scan->name < scan->behind)
    frame.function = g_strndup (scan->text + scan->name, scan->behind - scan->name);
  g_array_append_val (scan->frames, frame);
  scan->begun = ++scan->at;
}

static void
next_argument (Scan *scan)
{
  Frame *top = top_of (scan);

  scan->begun = ++scan->at;
  if (top == NULL)
    return;
  top->index++;
  g_clear_pointer (&top->keyword, g_free);
}

/* "name=" at the beginning of an argument. */
static void
scan_equals (Scan *scan)
{
  Frame *top = top_of (scan);
  g_autofree char *between = g_strndup (scan->text + scan->begun, scan->at - scan->begun);

  if (scan->text[scan->at + 1] == '=')
    {
      scan->at += 2;
      return;
    }
  if (top != NULL && top->bracket == '(' && scan->name >= scan->begun && scan->behind > scan->name)
    {
      g_free (top->keyword);
      top->keyword = g_strdup (g_strstrip (between));
    }
  scan->at++;
}

static void
scan_step (Scan *scan)
{
  const char *text = scan->text;
  char c = text[scan->at];
  int letters = token_string_prefix (text, strlen (text), scan->at);

  if (letters >= 0)
    scan_string (scan, (gsize) letters);
  else if (is_name_character (c) || c == '$')
    {
      scan->at += c == '$';
      scan_name (scan);
    }
  else if (c == '#')
    scan->at += strcspn (text + scan->at, "\n");
  else if (strchr ("([{", c) != NULL)
    open_bracket (scan);
  else if (strchr (")]}", c) != NULL)
    {
      if (scan->frames->len > 0)
        g_array_set_size (scan->frames, scan->frames->len - 1);
      scan->at++;
    }
  else if (c == ',')
    next_argument (scan);
  else if (c == '=')
    scan_equals (scan);
  else
    scan->at++;
}

/* ---- Which parameter --------------------------------------------------------------------------
 */

/* The call that the cursor is in, through lists and dictionaries. */
static const Frame *
call_of (const Scan *scan)
{
  for (guint i = scan->frames->len; i-- > 0;)
    {
      const Frame *frame = &g_array_index (scan->frames, Frame, i);
      if (frame->bracket == '(' && frame->function != NULL)
        return frame;
    }
  return NULL;
}

/* The names of a function's parameters. Returns: (owned) or NULL */
static char **
parameters_of (const Completing *self, const char *function)
{
  GStrvBuilder *builder;
  const char *text = g_str_has_prefix (function, "c.") && self->sources->parameters != NULL
                         ? self->sources->parameters (function + 2)
                         : NULL;
  const Builtin *builtin = builtin_find (function);

  if (text != NULL)
    {
      char **words = g_strsplit (text, ", ", -1);
      for (char **at = words; *at != NULL; at++)
        (*at)[strcspn (*at, "=")] = '\0';
      return words;
    }
  if (builtin == NULL)
    return NULL;
  builder = g_strv_builder_new ();
  for (const Param *at = builtin->params; at->name != NULL; at++)
    if (!(at->flags & (PARAM_POSITIONAL_ONLY | PARAM_REST)))
      g_strv_builder_add (builder, at->name);
  char **names = g_strv_builder_end (builder);
  g_strv_builder_unref (builder);
  return names;
}

/* What the argument is called that the cursor is in. Returns: (owned) or NULL */
static char *
parameter_name (const Completing *self, const Frame *call)
{
  g_auto (GStrv) names = NULL;

  if (call == NULL)
    return NULL;
  if (call->keyword != NULL)
    return g_strdup (call->keyword);
  names = parameters_of (self, call->function);
  return names != NULL && call->index < g_strv_length (names) ? g_strdup (names[call->index])
                                                              : NULL;
}

/* ---- What may stand there ---------------------------------------------------------------------
 */

const char *const complete_search_keys[] = {
  "ALL",       "ANSWERED",   "BCC",     "BEFORE",      "BODY",      "CC",      "DELETED",
  "DRAFT",     "FLAGGED",    "FROM",    "HEADER",      "KEYWORD",   "LARGER",  "MODSEQ",
  "NEW",       "NOT",        "OLD",     "OLDER",       "ON",        "OR",      "RECENT",
  "SEEN",      "SENTBEFORE", "SENTON",  "SENTSINCE",   "SINCE",     "SMALLER", "SUBJECT",
  "TEXT",      "TO",         "UID",     "UNANSWERED",  "UNDELETED", "UNDRAFT", "UNFLAGGED",
  "UNKEYWORD", "UNSEEN",     "YOUNGER", "X-GM-LABELS", "X-GM-RAW",  NULL,
};
static const char *const sort_keys[] = {
  "ARRIVAL", "CC",      "DATE", "FROM", "REVERSE ARRIVAL", "REVERSE DATE", "REVERSE SIZE",
  "SIZE",    "SUBJECT", "TO",   NULL
};
static const char *const status_items[] = { "MESSAGES", "UNSEEN",        "UIDNEXT", "UIDVALIDITY",
                                            "RECENT",   "HIGHESTMODSEQ", NULL };
static const char *const special_uses[] = { "\\All",  "\\Archive", "\\Drafts", "\\Flagged",
                                            "\\Junk", "\\Sent",    "\\Trash",  NULL };
static const char *const charsets[] = { "UTF-8", "US-ASCII", NULL };
static const char *const algorithms[] = { "REFERENCES", "ORDEREDSUBJECT", NULL };
static const char *const modifiers[] = { "CHANGEDSINCE ", NULL };

static const struct
{
  const char *parameter;
  void (*add) (Completing *self);
  const char *const *words;
} arguments[] = {
  { "folder", completing_add_mailboxes, NULL },
  { "old_name", completing_add_mailboxes, NULL },
  { "new_name", completing_add_mailboxes, NULL },
  { "mailbox", completing_add_mailboxes, NULL },
  { "directory", completing_add_mailboxes, NULL },
  { "pattern", completing_add_mailboxes, NULL },
  { "flags", completing_add_imap_flags, NULL },
  { "data", NULL, command_fetch_items },
  { "criteria", NULL, complete_search_keys },
  { "sort_criteria", NULL, sort_keys },
  { "what", NULL, status_items },
  { "folder_flag", NULL, special_uses },
  { "charset", NULL, charsets },
  { "algorithm", NULL, algorithms },
  { "modifiers", NULL, modifiers },
};

static void
add_argument (Completing *self, const char *parameter)
{
  for (gsize i = 0; parameter != NULL && i < G_N_ELEMENTS (arguments); i++)
    if (strcmp (arguments[i].parameter, parameter) == 0)
      {
        if (arguments[i].add != NULL)
          arguments[i].add (self);
        completing_add_all (self, arguments[i].words);
      }
}

/* What the characters of an open string stand for; what makes no sense is left as it is. */
static char *
string_value (const Scan *scan)
{
  const char *content = scan->text + scan->content;
  gsize size = strlen (content), letters = 0, at = 0;
  g_autoptr (GError) error = NULL;
  gsize backslashes = 0;

  while (backslashes < size && content[size - 1 - backslashes] == '\\')
    backslashes++;
  if (backslashes % 2 == 1) /* the beginning of an escape */
    size--;
  while (strchr ("'\"", scan->text[scan->string + letters]) == NULL)
    letters++;
  g_autofree char *source = g_strdup_printf (
      "%.*s%.*s%.*s", (int) (scan->content - scan->string), scan->text + scan->string, (int) size,
      content, (int) (scan->content - scan->string - letters), scan->text + scan->string + letters);
  g_autoptr (Value) value = token_read_string (source, strlen (source), &at, &error);
  return value != NULL ? g_strndup (value->text.bytes, value->text.size)
                       : g_strndup (content, size);
}

static void
complete_string (Completing *self, const Scan *scan)
{
  g_autofree char *parameter = parameter_name (self, call_of (scan));
  g_autofree char *value = string_value (scan);
  gsize letters = 0;

  while (strchr ("'\"", scan->text[scan->string + letters]) == NULL && letters < 2)
    letters++;
  if (scan->content - scan->string - letters != 1 || !g_utf8_validate (value, -1, NULL))
    return; /* three quotes are for texts */
  self->as = WRITE_STRING;
  self->quote = scan->text[scan->string + letters];
  memcpy (self->letters, scan->text + scan->string, letters);
  self->letters[letters] = '\0';
  completing_at (self, scan->string, value, -1);
  add_argument (self, parameter);
}

/* Names; at the beginning of an argument also "readonly=". */
static void
complete_name (Completing *self, const Scan *scan, gsize start)
{
  const Frame *top = top_of (scan);
  gboolean begins = top != NULL && top->bracket == '(' && top->function != NULL
                    && scan->begun + strspn (scan->text + scan->begun, " \t\n") >= start;

  self->as = WRITE_PLAIN;
  completing_at (self, start, self->text + start, -1);
  g_auto (GStrv) names = begins ? parameters_of (self, top->function) : NULL;
  for (guint i = 0; names != NULL && names[i] != NULL && top->keyword == NULL; i++)
    {
      g_autofree char *keyword = g_strconcat (names[i], "=", NULL);
      if (i >= top->index && *names[i] != '*')
        completing_add (self, keyword, TRUE);
    }
  completing_add_names (self);
}

/* Nothing is typed of an argument: what it may be, as strings, rather than every name. */
static gboolean
complete_empty (Completing *self, const Scan *scan)
{
  g_autofree char *parameter = parameter_name (self, call_of (scan));

  self->as = WRITE_STRING;
  self->quote = '\'';
  add_argument (self, parameter);
  return self->found->len > 0;
}

void
complete_call (Completing *self, gsize offset)
{
  Scan scan = { .text = self->text, .at = offset, .begun = offset };
  gsize end = strlen (self->text);

  scan.frames = g_array_new (FALSE, FALSE, sizeof (Frame));
  g_array_set_clear_func (scan.frames, clear_frame);
  while (scan.at < end && !scan.in_string)
    scan_step (&scan);
  if (scan.in_string)
    complete_string (self, &scan);
  else if (scan.behind == end && scan.name < end)
    complete_name (self, &scan, scan.name);
  else if (!complete_empty (self, &scan))
    complete_name (self, &scan, end);
  g_array_unref (scan.frames);
}
