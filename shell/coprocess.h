/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * coprocess.h - the shell driven by a program: a line in, exactly one line of answer out
 *
 * "= " and the result as a Python literal (JSON after "set output json" or with --json), or "! ",
 * the kind of error, ": " and its message. After "set news on" lines that begin with "* " say what
 * happens in the selected mailbox, also between lines. Nothing is ever asked, and no error ends it.
 */
#pragma once

#include "shell.h"

/* Until the end of standard input, or quit. Returns: the exit status. */
int coprocess_run (Shell *shell);
