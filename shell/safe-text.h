/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* safe-text.h - text from a server or a message, made fit for a terminal
 *
 * A mail's subject may carry escape sequences that retitle a window, bidirectional overrides that
 * turn a file name round, or octets in no charset at all. All of them become visible. For values
 * repr.h does the same.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  SAFE_TEXT_LINE,  /* one line: line ends and tabs are escaped too */
  SAFE_TEXT_BLOCK, /* many lines: LF and TAB stay, CR LF becomes LF */
} SafeTextMode;

/* Control characters and invisible format characters (but the joiners that scripts need) become
 * \xNN, \uNNNN or \UNNNNNNNN; so does every octet that is not UTF-8. `size` -1: up to the NUL.
 * Free with g_free. */
char *safe_text_dup (const char *text, gssize size, SafeTextMode mode);
void safe_text_append (GString *out, const char *text, gssize size, SafeTextMode mode);

/* How many columns of a terminal safe text takes. */
guint safe_text_columns (const char *safe);
/* Appends text made safe, cut ("…") or padded with spaces to exactly `columns`. */
void safe_text_append_cell (GString *out, const char *text, guint columns);

G_END_DECLS
