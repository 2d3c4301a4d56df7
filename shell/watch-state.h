/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-state.h - the file in which mailrack watch keeps what it has told
 *
 * It is written when that has been told, and replaced as a whole, so that whatever ends the program
 * something may be told once more, and nothing is left out. */
#pragma once

#include <mailrack/mailrack.h>

/* "~/" is not expanded. Returns: (owned) NULL without error: there is no such file yet. */
char *watch_state_read (const char *path, GError **error);
/* For the user alone, and on the disk when it returns. RACK_ERROR_IO */
gboolean watch_state_write (const char *path, const char *text, GError **error);
