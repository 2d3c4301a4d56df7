/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-criteria.c - search criteria as values into search keys
 *
 * A list is quoted item by item; a single text is IMAP already and goes out as it is. Text that is
 * not ASCII is written in the charset of the call, and without one in UTF-8, which is then said. */
#include "builtins.h"
#include "client-private.h"

#include <string.h>

/* Deeper brackets than anybody means, and fewer than anybody's parser minds. */
#define MAX_DEPTH 50

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static gboolean
is_ascii (const Value *text)
{
  for (gsize i = 0; i < text->text.size; i++)
    if ((guchar) text->text.bytes[i] >= 0x80)
      return FALSE;
  return TRUE;
}

/* The octets that go out; a new reference. */
static Value *
encode (const Value *text, const Value *charset, GError **error)
{
  if (text->kind == VALUE_BYTES || charset == NULL || is_ascii (text))
    return value_ref ((Value *) text);
  return builtin_encode (text, charset, error);
}

/* Keys are bare words, the strings behind them quoted where they must be. */
static gboolean
is_bare (const Value *text)
{
  for (gsize i = 0; i < text->text.size; i++)
    if ((guchar) text->text.bytes[i] <= ' ' || (guchar) text->text.bytes[i] >= 0x7f
        || strchr ("\"\\{()", text->text.bytes[i]) != NULL)
      return FALSE;
  return text->text.size > 0;
}

static gboolean
add_text (RackCommand *command, const Value *text, const Value *charset, GError **error)
{
  g_autoptr (Value) octets = encode (text, charset, error);

  if (octets == NULL)
    return FALSE;
  if (is_bare (octets))
    rack_command_atom (command, octets->text.bytes);
  else
    rack_command_string (command, octets->text.bytes, (gssize) octets->text.size);
  return TRUE;
}

static void
add_date (RackCommand *command, const ValueTime *time)
{
  g_autofree char *date =
      g_strdup_printf ("%02u-%s-%04d", time->day, months[time->month - 1], time->year);

  rack_command_atom (command, date);
}

static gboolean add_items (RackCommand *command, const Value *items, const Value *charset,
                           guint depth, GError **error);

static gboolean
add_item (RackCommand *command, const Value *item, const Value *charset, guint depth,
          GError **error)
{
  guint64 number;

  if (value_get_uint64 (item, &number))
    rack_command_number (command, number);
  else if (item->kind == VALUE_DATE || item->kind == VALUE_DATETIME)
    add_date (command, &item->time);
  else if (value_is_text (item))
    return add_text (command, item, charset, error);
  else if (value_is_sequence (item))
    {
      rack_command_open (command);
      if (!add_items (command, item, charset, depth + 1, error))
        return FALSE;
      rack_command_close (command);
    }
  else
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "criteria cannot hold %s %s",
                   item->kind == VALUE_INT ? "a negative" : "a value of the type",
                   value_type_name (item));
      return FALSE;
    }
  return TRUE;
}

static gboolean
add_items (RackCommand *command, const Value *items, const Value *charset, guint depth,
           GError **error)
{
  if (items->seq.n == 0 || depth > MAX_DEPTH)
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE,
                           items->seq.n == 0 ? "no criteria are given"
                                             : "the criteria are nested too deeply");
      return FALSE;
    }
  for (guint i = 0; i < items->seq.n; i++)
    if (!add_item (command, items->seq.items[i], charset, depth, error))
      return FALSE;
  return TRUE;
}

/* ---- Criteria that are IMAP already --------------------------------------------------------- */

/* The end of a quoted string or word, which may be the end of all. */
static const char *
skip_word (const char *at)
{
  if (*at != '"')
    return at + strcspn (at, " ()\"");
  for (at++; *at != '\0' && *at != '"'; at++)
    if (*at == '\\' && at[1] != '\0')
      at++;
  return *at == '"' ? at + 1 : at;
}

static void
add_word (RackCommand *command, const char *word, gsize size)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (g_str_is_ascii (word))
    {
      rack_command_raw (command, word);
      return;
    }
  for (const char *at = word; at < word + size; at++)
    if (*at == '\\' && at + 1 < word + size)
      g_string_append_c (text, *++at);
    else if (*at != '"')
      g_string_append_c (text, *at);
  rack_command_string (command, text->str, (gssize) text->len);
}

/* Strings that are not ASCII have to be literals, so the text is taken apart. */
static void
add_keys (RackCommand *command, const char *keys)
{
  for (const char *at = keys; *at != '\0';)
    if (*at == ' ')
      at++;
    else if (*at == '(')
      {
        rack_command_open (command);
        at++;
      }
    else if (*at == ')')
      {
        rack_command_close (command);
        at++;
      }
    else
      {
        const char *end = skip_word (at);
        g_autofree char *word = g_strndup (at, end - at);
        add_word (command, word, end - at);
        at = end;
      }
}

static gboolean
add_raw (RackCommand *command, const Value *criteria, const Value *charset, GError **error)
{
  g_autoptr (Value) octets = NULL;

  if (!value_is_text (criteria))
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                   "criteria must be str, bytes, or a list, not %s", value_type_name (criteria));
      return FALSE;
    }
  if (!client_need_text (criteria, "criteria", error))
    return FALSE;
  octets = encode (criteria, charset, error);
  if (octets == NULL)
    return FALSE;
  if (octets->text.size == 0)
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE, "no criteria are given");
      return FALSE;
    }
  if (is_ascii (octets))
    rack_command_raw (command, octets->text.bytes);
  else
    add_keys (command, octets->text.bytes);
  return TRUE;
}

/* ---- The charset ---------------------------------------------------------------------------- */

static gboolean
needs_charset (const Value *value)
{
  if (value == NULL)
    return FALSE;
  if (value_is_sequence (value))
    {
      for (guint i = 0; i < value->seq.n; i++)
        if (needs_charset (value->seq.items[i]))
          return TRUE;
      return FALSE;
    }
  return value_is_text (value) && !is_ascii (value);
}

gboolean
client_add_criteria (RackCommand *command, const Value *criteria, const Value *charset,
                     gboolean always, GError **error)
{
  const char *name = always || needs_charset (criteria) ? "UTF-8" : NULL;

  if (charset != NULL)
    {
      if (!client_need_text (charset, "charset", error))
        return FALSE;
      name = client_text (charset);
    }
  if (name != NULL && !always)
    rack_command_atom (command, "CHARSET");
  if (name != NULL)
    rack_command_atom (command, name);
  if (criteria == NULL)
    rack_command_atom (command, "ALL");
  else if (value_is_sequence (criteria))
    return add_items (command, criteria, charset, 0, error);
  else
    return add_raw (command, criteria, charset, error);
  return TRUE;
}
