/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * search.c - sets on the wire, and the data that is made of numbers: SEARCH,
 * ESEARCH, SORT, VANISHED
 *
 * A million numbers are an ordinary result, so these are read digit by digit and
 * kept as ranges; a set is never expanded. */
#include "parse.h"

#include <string.h>

/* Digits at *at up to 2^32-1; moves past them. FALSE: none, or too large. */
static inline gboolean
read_number (const char **at, const char *end, guint32 *number)
{
  const char *from = *at, *digit = from;
  guint64 n = 0;

  for (; digit < end && g_ascii_isdigit (*digit) && n <= G_MAXUINT32; digit++)
    n = n * 10 + (guint64) (*digit - '0');
  *at = digit;
  *number = (guint32) n;
  return digit > from && n <= G_MAXUINT32;
}

gboolean
rack_parse_nz_number (RackStr text, guint32 *number)
{
  const char *at = text.data, *end = text.data + text.size;

  return text.size > 0 && read_number (&at, end, number) && at == end && *number > 0;
}

static inline gboolean
read_bound (const char **at, const char *end, guint32 *number)
{
  if (*at < end && **at == '*')
    {
      (*at)++;
      *number = RACK_SET_STAR;
      return TRUE;
    }
  return read_number (at, end, number) && *number > 0;
}

gboolean
rack_parse_ranges (RackStr text, RackArena *arena, RackRanges *ranges)
{
  RackList list = { .arena = arena };
  const char *at = text.data, *end = text.data + text.size;

  if (text.size == 0)
    return FALSE;
  for (;;)
    {
      RackRange *range = rack_list_add (&list, RackRange);
      if (!read_bound (&at, end, &range->first))
        return FALSE;
      range->last = range->first;
      if (at < end && *at == ':')
        {
          at++;
          if (!read_bound (&at, end, &range->last))
            return FALSE;
        }
      if (at == end)
        break;
      if (*at++ != ',')
        return FALSE;
    }
  *ranges = (RackRanges){ list.items, list.n };
  return TRUE;
}

/* "(MODSEQ n)", and whatever else a later RFC puts in parentheses there. */
static gboolean
parse_modseq (RackLexer *lexer, guint64 *modseq)
{
  RackLexer inside;
  RackStr raw;

  if (!rack_lex_skip_value (lexer, &raw))
    return FALSE;
  inside = (RackLexer){ raw.data + 1, raw.data + raw.size };
  RackToken word = rack_lex (&inside), number = rack_lex (&inside);
  if (rack_str_is (word.text, "MODSEQ") && number.kind == RACK_TOKEN_NUMBER
      && number.number <= G_MAXINT64)
    *modseq = number.number;
  return TRUE;
}

/* The next of many numbers between spaces. FALSE: there is none, something else is next. */
static inline gboolean
next_number (RackLexer *lexer, guint32 *number)
{
  const char *at;

  rack_next (lexer);
  at = lexer->at;
  if (!read_number (&at, lexer->end, number))
    return FALSE;
  if (at < lexer->end && *at != ' ' && *at != '(' && *at != '\r' && *at != '\n')
    return FALSE;
  lexer->at = at;
  return TRUE;
}

gboolean
rack_parse_search (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  RackSearchData *search = &response->search;
  RackList list = { .arena = arena };
  RackRange *last = NULL;
  guint32 number;

  for (;;)
    {
      while (next_number (lexer, &number))
        {
          if (number == 0) /* hMailServer */
            continue;
          if (last != NULL && number == last->last + 1)
            {
              last->last = number;
              continue;
            }
          last = rack_list_add (&list, RackRange);
          last->first = last->last = number;
        }
      if (rack_next (lexer) != '(')
        break;
      if (!parse_modseq (lexer, &search->modseq))
        return FALSE;
    }
  search->all = (RackRanges){ list.items, list.n };
  return rack_lex (lexer).kind == RACK_TOKEN_END;
}

gboolean
rack_parse_sort (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  RackList list = { .arena = arena };
  guint32 number;

  for (;;)
    {
      while (next_number (lexer, &number))
        if (number > 0)
          *rack_list_add (&list, guint32) = number;
      if (rack_next (lexer) != '(')
        break;
      if (!parse_modseq (lexer, &response->sort.modseq))
        return FALSE;
    }
  response->sort.items = list.items;
  response->sort.n = list.n;
  return rack_lex (lexer).kind == RACK_TOKEN_END;
}

/* A bound that is 0 or odd means that there is none. */
static void
set_bound (RackToken value, guint32 *bound)
{
  *bound =
      value.kind == RACK_TOKEN_NUMBER && value.number <= G_MAXUINT32 ? (guint32) value.number : 0;
}

static gboolean
parse_esearch_item (RackLexer *lexer, RackArena *arena, RackStr name, RackSearchData *search)
{
  RackToken value;

  if (rack_next (lexer) == '(')
    return rack_lex_skip_value (lexer, NULL);
  value = rack_lex (lexer);
  if (value.kind == RACK_TOKEN_END || value.kind == RACK_TOKEN_BAD
      || value.kind == RACK_TOKEN_CLOSE)
    return FALSE;
  if (rack_str_is (name, "ALL"))
    return value.kind == RACK_TOKEN_NIL || rack_parse_ranges (value.text, arena, &search->all);
  if (rack_str_is (name, "MIN"))
    set_bound (value, &search->min);
  else if (rack_str_is (name, "MAX"))
    set_bound (value, &search->max);
  else if (rack_str_is (name, "MODSEQ") && value.number <= G_MAXINT64)
    search->modseq = value.number;
  else if (rack_str_is (name, "COUNT"))
    {
      search->has_count = value.kind == RACK_TOKEN_NUMBER;
      search->count = value.number;
    }
  return TRUE;
}

gboolean
rack_parse_esearch (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  RackSearchData *search = &response->search;

  search->extended = TRUE;
  if (rack_next (lexer) == '(')
    {
      rack_lex (lexer);
      RackToken word = rack_lex (lexer), tag = rack_lex (lexer);
      if (!rack_str_is (word.text, "TAG") || rack_lex (lexer).kind != RACK_TOKEN_CLOSE)
        return FALSE;
      search->tag = rack_token_str (&tag, arena);
    }
  for (;;)
    {
      RackToken name = rack_lex (lexer);
      if (name.kind == RACK_TOKEN_END)
        return TRUE;
      if (name.kind != RACK_TOKEN_ATOM)
        return FALSE;
      if (rack_str_is (name.text, "UID"))
        search->uid = TRUE;
      else if (!parse_esearch_item (lexer, arena, name.text, search))
        return FALSE;
    }
}

gboolean
rack_parse_vanished (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  if (rack_next (lexer) == '(')
    {
      rack_lex (lexer);
      response->vanished.earlier = rack_str_is (rack_lex (lexer).text, "EARLIER");
      if (rack_lex (lexer).kind != RACK_TOKEN_CLOSE)
        return FALSE;
    }
  return rack_parse_ranges (rack_lex (lexer).text, arena, &response->vanished.uids);
}
