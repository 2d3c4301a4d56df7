/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* repr.h - one value as one line of text, as Python's repr() writes it
 *
 * Whatever a str or bytes holds, the text is printable: control characters, escape sequences and
 * bidirectional overrides appear as escapes. Not here: breaking over lines (printer.h).
 */
#pragma once

#include "value.h"

G_BEGIN_DECLS

/* How many characters (code points) a repr may still use. */
typedef struct
{
  GString *text;       /* the result grows here */
  gssize room;         /* characters left; below 0 the result is cut and useless */
  gboolean sort_dicts; /* keys in pprint's order instead of the order of insertion */
} Repr;

/* Appends the repr of `value`. FALSE as soon as it does not fit in repr->room. */
gboolean repr_write (Repr *repr, const Value *value);

/* The whole repr; free with g_free. */
char *repr_dup (const Value *value);
void repr_append (GString *text, const Value *value);
/* What str() gives: the text itself of a str, else its repr. */
char *repr_str_dup (const Value *value);

/* The pieces of text reprs, also for printer.c, which breaks them over lines. */
typedef struct
{
  gsize width;       /* of the octets or characters, without quotes and prefix */
  guint single, dbl; /* quotes seen; each counted with one column in width */
} ReprWidth;

/* Adds one character or octet to what is measured. */
void repr_width_add (ReprWidth *width, gunichar c, gboolean bytes);
/* Columns of the whole literal, with quotes and prefix. */
gsize repr_width_total (const ReprWidth *width, gboolean bytes);
/* Appends the literal of a part of a str or bytes. */
void repr_append_text (GString *text, const char *data, gsize size, gboolean bytes);

/* The pairs of a dictionary in pprint's order: sorted where Python can sort. Free with g_free. */
const ValuePair **repr_sorted_pairs (const Value *dict);

G_END_DECLS
