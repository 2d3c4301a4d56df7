/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * find-words.h - the words of find: the shell's terms and IMAP's search keys, also in one line */
#pragma once

#include "command.h"

#include <mailrack/mailrack.h>

/* Nothing finds everything. RACK_ERROR_INVALID says what to write instead. Returns: (owned) */
RackCriteria *find_words_parse (const CommandWord *words, guint n, GError **error);
