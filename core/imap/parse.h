/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * parse.h - what the files of the response parser share
 *
 * Nobody else includes this. Functions return FALSE when the value does not parse;
 * the caller decides what that costs. */
#pragma once

#include "response.h"

#include <string.h>

/* An array in an arena that grows by doubling. item_size is the element's. */
typedef struct
{
  RackArena *arena;
  gpointer items;
  gsize n, room;
} RackList;
/* Makes room for at least one more. */
void rack_list_grow (RackList *list, gsize item_size);
/* The new element is zero. */
static inline gpointer
rack_list_add_ (RackList *list, gsize item_size)
{
  if (G_UNLIKELY (list->n == list->room))
    rack_list_grow (list, item_size);
  return (char *) list->items + list->n++ * item_size;
}
#define rack_list_add(list, Type) ((Type *) rack_list_add_ ((list), sizeof (Type)))

/* Passes over blanks. Returns: the octet that is next, or NUL at the end. One look at it decides
 * most things without making a token. */
static inline char
rack_next (RackLexer *lexer)
{
  while (lexer->at < lexer->end && (*lexer->at == ' ' || *lexer->at == '\t'))
    lexer->at++;
  return lexer->at < lexer->end ? *lexer->at : '\0';
}

/* What ends an atom. */
static inline gboolean
rack_ends_atom (char c)
{
  return c == ' ' || c == ')' || c == '(' || c == '"' || c == '\r' || c == '\n' || c == '\t';
}

/* Passes over NIL in any case, if it is next. */
static inline gboolean
rack_take_nil (RackLexer *lexer)
{
  const char *at;

  rack_next (lexer);
  at = lexer->at;
  if (lexer->end - at < 3 || (at[0] | 0x20) != 'n' || (at[1] | 0x20) != 'i' || (at[2] | 0x20) != 'l'
      || (lexer->end - at > 3 && !rack_ends_atom (at[3])))
    return FALSE;
  lexer->at += 3;
  return TRUE;
}

/* The first '"' or '\\' from at on, or end; sixteen or eight octets a step. */
static inline const char *
rack_scan_quoted (const char *at, const char *end)
{
#ifdef __SSE2__
  typedef char Octets __attribute__ ((vector_size (16)));

  for (; end - at >= 16; at += 16)
    {
      Octets octets;
      memcpy (&octets, at, 16);
      guint hit = (guint) __builtin_ia32_pmovmskb128 ((octets == '"') | (octets == '\\'));
      if (hit != 0)
        return at + __builtin_ctz (hit);
    }
#else
  const guint64 ones = G_GUINT64_CONSTANT (0x0101010101010101), highs = ones << 7;

  for (; end - at >= 8; at += 8)
    {
      guint64 word, quote, slash;
      memcpy (&word, at, 8);
      quote = word ^ (ones * '"');
      slash = word ^ (ones * '\\');
      if (((((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & highs) != 0)
        break; /* among these eight */
    }
#endif
  while (at < end && *at != '"' && *at != '\\')
    at++;
  return at;
}

/* Whether str is word, in any case. word is a constant, so that its size is known. */
#define rack_str_is(str, word) rack_str_is_sized ((str), (word), strlen (word))
static inline gboolean
rack_str_is_sized (RackStr str, const char *word, gsize size)
{
  return str.size == size
         && (memcmp (str.data, word, size) == 0 || g_ascii_strncasecmp (str.data, word, size) == 0);
}
gboolean rack_str_starts (RackStr str, const char *prefix); /* any case */

/* A token's octets with the escapes removed. */
RackStr rack_token_str (const RackToken *token, RackArena *arena);
/* string or NIL, or a bare atom or number where servers send one. */
gboolean rack_parse_nstring (RackLexer *lexer, RackArena *arena, RackStr *str);
/* ( name value ... ) or NIL. A bare string is one name without a value (Exchange). */
gboolean rack_parse_pairs (RackLexer *lexer, RackArena *arena, RackPairs *pairs);
/* Words up to the end or ")"; parentheses around them are optional. */
gboolean rack_parse_words (RackLexer *lexer, RackArena *arena, const RackStr **items, guint *n);
/* The same, where "LITERAL +" means LITERAL+. */
gboolean rack_parse_capabilities (RackLexer *lexer, RackArena *arena, const RackStr **items,
                                  guint *n);
/* 1 to 2^32-1. */
gboolean rack_parse_nz_number (RackStr text, guint32 *number);
/* sequence-set in the order given; "*" is RACK_SET_STAR. */
gboolean rack_parse_ranges (RackStr text, RackArena *arena, RackRanges *ranges);

gboolean rack_parse_fetch (RackLexer *lexer, RackArena *arena, RackMessage *message);
gboolean rack_parse_code (RackStr inside, RackArena *arena, RackCode *code);
/* Data after "* NAME"; FALSE: broken. Unknown names give OTHER. */
gboolean rack_parse_data (RackLexer *lexer, RackArena *arena, RackResponse *response);

/* The data of one response name each, for rack_parse_data(). */
gboolean rack_parse_search (RackLexer *lexer, RackArena *arena, RackResponse *response);
gboolean rack_parse_esearch (RackLexer *lexer, RackArena *arena, RackResponse *response);
gboolean rack_parse_sort (RackLexer *lexer, RackArena *arena, RackResponse *response);
gboolean rack_parse_vanished (RackLexer *lexer, RackArena *arena, RackResponse *response);
