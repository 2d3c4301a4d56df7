/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * keywords.h - the sets of keywords that the messages of one mailbox have
 *
 * A mailbox of a million messages has a handful of them, so a record holds a number.
 * Numbers mean the same as long as the mailbox is open; nothing is ever forgotten, so
 * how much is kept has a limit: beyond it a set has no number, and the store has it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  GPtrArray *texts;    /* of char *: number n is at n - 1 */
  GHashTable *numbers; /* text -> number */
  gsize octets;
} RackKeywords;

void rack_keywords_init (RackKeywords *keywords);
void rack_keywords_clear (RackKeywords *keywords);
/* text: as in rows.h; NULL or "" is number 0. RACK_KEYWORDS_OWN: there were too many others. */
guint16 rack_keywords_number (RackKeywords *keywords, const char *text);
/* Borrowed until cleared; NULL for RACK_KEYWORDS_OWN. */
const char *rack_keywords_text (const RackKeywords *keywords, guint16 number);

G_END_DECLS
