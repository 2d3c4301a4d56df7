/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * parse.h - what the files of the response parser share
 *
 * Nobody else includes this. Functions return FALSE when the value does not parse;
 * the caller decides what that costs. */
#pragma once

#include "response.h"

/* An array in an arena that grows by doubling. item_size is the element's. */
typedef struct
{
  RackArena *arena;
  gpointer items;
  gsize n, room;
} RackList;
gpointer rack_list_add_ (RackList *list, gsize item_size);
#define rack_list_add(list, Type) ((Type *) rack_list_add_ ((list), sizeof (Type)))

/* A token's octets with the escapes removed. */
RackStr rack_token_str (const RackToken *token, RackArena *arena);
/* string or NIL, or a bare atom or number where servers send one. */
gboolean rack_parse_nstring (RackLexer *lexer, RackArena *arena, RackStr *str);
/* ( name value ... ) or NIL. A bare string is one name without a value (Exchange). */
gboolean rack_parse_pairs (RackLexer *lexer, RackArena *arena, RackPairs *pairs);
/* Words up to the end or ")"; parentheses around them are optional. */
gboolean rack_parse_words (RackLexer *lexer, RackArena *arena, const RackStr **items, guint *n);
gboolean rack_str_is (RackStr str, const char *word);       /* any case */
gboolean rack_str_starts (RackStr str, const char *prefix); /* any case */
/* 1 to 2^32-1. */
gboolean rack_parse_nz_number (RackStr text, guint32 *number);
/* sequence-set in the order given; "*" is RACK_SET_STAR. */
gboolean rack_parse_ranges (RackStr text, RackArena *arena, RackRanges *ranges);

gboolean rack_parse_fetch (RackLexer *lexer, RackArena *arena, RackMessage *message);
gboolean rack_parse_code (RackStr inside, RackArena *arena, RackCode *code);
/* Data after "* NAME"; FALSE: broken. Unknown names give OTHER. */
gboolean rack_parse_data (RackLexer *lexer, RackArena *arena, RackResponse *response);
