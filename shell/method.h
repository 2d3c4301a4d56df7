/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * method.h - the methods of c as commands; see command-method.c */
#pragma once

#include "shell.h"

gboolean method_is_one (Shell *shell, const char *name);
/* words: those behind the name. Prints the result, and $_ is it, as after the call. */
gboolean method_run (Shell *shell, const char *name, const CommandWord *words, guint n,
                     GError **error);
