/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client.h - the object c of the call language, and what stands around it
 *
 * IMAPClient's methods by their names, with its arguments and results (docs/CALLS.md). */
#pragma once

#include "shell.h"

/* Sets the variables c, imapclient and help. */
void client_install (Shell *shell);
/* Tells of a method ("search", "c.search") or, for "c", of each. FALSE: there is none of that name.
 */
gboolean client_help (Shell *shell, const char *topic);
/* "messages, data, modifiers=None"; NULL: there is no such method. */
const char *client_parameters (const char *method);
