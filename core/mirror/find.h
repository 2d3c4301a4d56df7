/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * find.h - the keys by which messages are found, and what they mean
 *
 * A key is a path component. An address becomes one as a mailbox' name does
 * (rack_name_directory()), and so does a keyword; one that is called like one of the
 * flags has "%" in front, which nothing else has.
 */
#pragma once

#include "mirror-private.h"

G_BEGIN_DECLS

#define RACK_FIND_DATE_SIZE 32

/* What a flag's key asks for. */
typedef struct
{
  RackFlags mask, wanted;
  char *keyword; /* (owned) or NULL */
} RackFindFlag;

void rack_find_format_date (gint64 date, char *buffer);
/* first: the seconds at which the day begins. FALSE: that is no key. */
gboolean rack_find_parse_date (const char *key, gint64 *first);
/* Returns: (owned) NULL if nobody is called so, or error is set. */
char *rack_find_parse_sender (RackMirror *mirror, const char *key, GError **error);
/* flag: its keyword is to be freed. */
gboolean rack_find_parse_flag (const char *key, RackFindFlag *flag);
/* keywords: as rows.h has them, or NULL. */
gboolean rack_find_has_keyword (const char *keywords, const char *keyword);

G_END_DECLS
