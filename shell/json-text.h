/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * json-text.h - values and texts as JSON on one line
 *
 * What a terminal might obey (control and invisible format characters) is escaped, so a parser
 * gives the text back as it was; octets that are not UTF-8 become U+FFFD. */
#pragma once

#include "value.h"

G_BEGIN_DECLS

/* size -1: up to the NUL. */
void json_append_text (GString *out, const char *text, gssize size);
/* None is null; bytes in UTF-8 are strings, others {"base64": "..."}; dates and times are ISO 8601;
 * a timedelta is seconds; records are objects with their fields; keys of dictionaries are
 * strings. */
void json_append_value (GString *out, const Value *value);
/* Seconds since the epoch as "2026-11-05T12:30:00Z"; null where there is no such date. */
void json_append_date (GString *out, gint64 date);

G_END_DECLS
