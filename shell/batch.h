/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * batch.h - input without a person: -e, scripts, standard input
 *
 * Each stops at the first error unless keep_going; the exit status is that of the first error. */
#pragma once

#include "shell.h"

int batch_commands (Shell *shell, char **commands, gboolean keep_going);
/* Lines; a call may go on over several. where is for messages: "stdin". */
int batch_stream (Shell *shell, FILE *in, const char *where, gboolean keep_going);
int batch_script (Shell *shell, const char *path, gboolean keep_going);
