/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * json.h - writing JSON, an object on a line
 *
 * Texts may hold anything a server sent: what is not UTF-8 becomes U+FFFD, and control
 * characters are escaped, so a line is one line and a terminal shows it as it is.
 */
#pragma once

#include <glib.h>

/* Appends a string with its quotes. */
void json_append_string (GString *out, const char *text);
/* Appends ,"key": and the value; the comma is left out after "{". */
void json_add_string (GString *out, const char *key, const char *value);
void json_add_number (GString *out, const char *key, gint64 value);
/* values: NULL-terminated. */
void json_add_strings (GString *out, const char *key, const char *const *values);
void json_add_bool (GString *out, const char *key, gboolean value);
