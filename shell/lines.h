/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * lines.h - lines that stand for, or hold, other lines; see command-line.c */
#pragma once

#include "shell.h"

/* Runs what an alias stands for, with what follows its name in text. *found: whether there is such
 * an alias; if not, nothing was done and TRUE is returned. */
gboolean alias_run (Shell *shell, const char *text, const char *name, gboolean *found,
                    GError **error);
/* How many octets of a byte order mark (UTF-8) begin a file's text, which is no part of its first
 * line. */
gsize lines_skip_mark (const char *text);
/* The lines of a file, up to the first error if the setting errexit says so. */
gboolean source_file (Shell *shell, const char *path, GError **error);
/* Runs a line and says how long it took and what went over the wire. */
gboolean time_run (Shell *shell, const char *text, GError **error);
