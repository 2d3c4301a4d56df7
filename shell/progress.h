/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * progress.h - how far long work has come, as one line that fits a terminal
 *
 * Text only; who draws it, and where, is another matter. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* have of want are done, rate in a second (0: not known). label may be hostile. Returns: (owned) at
 * most columns - 1 columns, without a line end. */
char *progress_line (const char *label, guint64 have, guint64 want, guint64 rate, guint columns);

G_END_DECLS
