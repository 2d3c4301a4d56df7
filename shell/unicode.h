/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unicode.h - which characters Python's repr and its line splitting treat specially
 *
 * Classification only. GLib's tables decide categories.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Python's str.isprintable for one character: repr() escapes all others. No control, format
 * (bidi), surrogate, private, unassigned character and no separator but the space is printable. */
gboolean unicode_is_printable (gunichar c);
/* Neither a control, format (bidi), surrogate character nor a line or paragraph separator: nothing
 * that a terminal might obey. */
gboolean unicode_is_drawn (gunichar c);
/* Python's str.isspace. */
gboolean unicode_is_space (gunichar c);
/* What str.splitlines splits at ("\r\n" counts as one). */
gboolean unicode_is_line_end (gunichar c);

G_END_DECLS
