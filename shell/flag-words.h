/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * flag-words.h - flags as people type them: "+seen,answered", "-$Work", "\Flagged" */
#pragma once

#include "command.h"

/* Adds the flags of one word, with commas between, as IMAP writes them. signs: whether a sign must
 * stand in front (and may stand before each); those with "-" go to removed, which else may be NULL.
 * In quotes a comma is part of a keyword's name, and a name that people take for a flag is one.
 * verb: the command, for RACK_ERROR_INVALID, which says what to write. */
gboolean flag_words_add (const char *verb, const CommandWord *word, gboolean signs,
                         GPtrArray *flags, GPtrArray *removed, GError **error);
/* Returns: (owned) "(\Seen $Work)" */
char *flag_words_join (const GPtrArray *flags);
