/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * criteria.h - what people search for, as search keys of IMAP
 *
 * RackCriteria is public (mailrack.h); here is how one is made and written. */
#pragma once

#include <mailrack/mailrack.h>

/* today: what "since:7d" counts from. RACK_ERROR_INVALID says where and what. */
RackCriteria *rack_criteria_parse (const char *terms, const GDate *today, GError **error);
/* IMAP's own keys alone: "UNSEEN OR FROM bob (TO eve SINCE 1-Jan-2026)". */
RackCriteria *rack_criteria_parse_keys (const char *keys, GError **error);
/* Whether something of it would be lost in RACK_SEARCH_ASCII. */
gboolean rack_criteria_needs_utf8 (const RackCriteria *criteria);
/* Whether it holds anything that only Gmail understands. */
gboolean rack_criteria_needs_gmail (const RackCriteria *criteria);
/* Whether something is left to ask for in ASCII that finds at least the same. */
gboolean rack_criteria_has_ascii (const RackCriteria *criteria);

/* ---- For the two files that fill one ------------------------------------------ */

typedef enum
{
  RACK_TERM_KEYS,       /* pieces */
  RACK_TERM_WORDS,      /* text somewhere in the message: pieces[0] */
  RACK_TERM_ATTACHMENT, /* has one */
  RACK_TERM_GMAIL,      /* pieces[0] in Gmail's own language */
} RackTermKind;

typedef enum
{
  RACK_BIT_ATOM,   /* safe as it is: also dates, numbers, sets and parentheses */
  RACK_BIT_STRING, /* quoted or a literal, as it needs */
} RackBitKind;

typedef struct
{
  RackBitKind kind;
  char *text;
} RackBit;

typedef struct
{
  RackTermKind kind;
  gboolean negated;
  gboolean or_next; /* it or the term behind it */
  gboolean raw;     /* IMAP's own keys: what they mean together is not known here */
  GArray *bits;     /* RackBit */
} RackTerm;

struct RackCriteria
{
  GArray *terms; /* RackTerm */
};

RackCriteria *rack_criteria_new (void);
/* Valid until the next one is added. */
RackTerm *rack_criteria_add (RackCriteria *criteria, RackTermKind kind);
/* Takes text. */
void rack_term_take (RackTerm *term, RackBitKind kind, char *text);
/* Reads keys into a term; offset: where keys begin in what the user wrote, for messages. */
gboolean rack_term_read_keys (RackTerm *term, const char *keys, gsize offset, GError **error);
/* An error that says at which character of the user's text; where: octets from its beginning. */
void rack_criteria_error (GError **error, const char *text, gsize where, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
