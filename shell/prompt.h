/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * prompt.h - the text of the prompt, with or without colours */
#pragma once

#include "worker.h"

/* "work:INBOX (1234, 3 new)> ". name is the account's; columns: of the terminal, so that the prompt
 * leaves room to type. With colour its escape sequences stand between \001 and \002, as readline
 * wants them. Returns: (owned) */
char *prompt_text (const char *name, const WorkerFacts *facts, guint columns, gboolean colour);
/* Of a call that goes on. */
char *prompt_more (gboolean colour);
/* NO_COLOR and TERM say so, and standard output is a terminal. */
gboolean prompt_wants_colour (void);
