/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hooks.h - what a batch does for its shell; see hooks.c */
#pragma once

#include "shell.h"

/* asks: whether a person may be asked, if standard input is a terminal. */
const ShellHooks *hooks_of_batch (gboolean asks);
/* From now on Ctrl-C cancels, so that what runs can end well; the second one ends the program. */
void hooks_catch_interrupt (GCancellable *cancellable);
