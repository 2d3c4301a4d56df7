/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * subjects.h - what a subject is without "Re:"
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* *reply: whether it says that it is an answer or was forwarded. Returns: (owned) the rest */
char *rack_subject_base (const char *subject, gboolean *reply);
/* The same for subjects that differ only in case and blanks. Returns: (owned) */
char *rack_subject_fold (const char *base);

G_END_DECLS
