/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sets.h - message sets as people type them, and large ones in pieces a server takes
 *
 * "1,3:9,*", "last 50", $_ and other variables; numbers are UIDs. */
#pragma once

#include "shell.h"

/* What may be in one command: servers refuse long lines, and work is told, and can be stopped, only
 * between commands. */
enum
{
  SETS_TEXT = 7000,     /* characters of a set */
  SETS_MESSAGES = 1000, /* copied or moved at once */
};

/* Needs a selected mailbox; says so. */
gboolean sets_need_mailbox (Shell *shell, GError **error);
/* As it was typed: some of it need not be there, and it may hold "*". Asks the server only for
 * "last 50". Returns: (owned) or NULL with error set. */
RackSet *sets_parse (Shell *shell, const CommandWord *word, GError **error);
/* Those that are there, by SEARCH. RACK_ERROR_NOT_FOUND if there is none. */
RackSet *sets_parse_there (Shell *shell, const CommandWord *word, GError **error);
/* One message. */
RackSet *sets_parse_one (Shell *shell, const CommandWord *word, GError **error);
/* The newest n messages. */
RackSet *sets_last (Shell *shell, guint64 n, GError **error);
/* UIDs that SEARCH finds. command is UID SEARCH with its keys; taken. Returns: (owned) */
RackSet *sets_search (Shell *shell, RackCommand *command, GError **error);
/* For a set of which nothing came. Returns FALSE. */
gboolean sets_none (Shell *shell, const CommandWord *word, GError **error);
/* Takes up to so many messages, and not more text than a command may hold, from the front of a set.
 * Returns: (owned) NULL when the set is empty. */
RackSet *sets_take (RackSet *set, guint64 messages);
/* The result of a command: what $_ means from now on. Takes set. */
void sets_keep (Shell *shell, RackSet *set);
/* Before a call that may name $_: as a list, if a command's result is the last. */
void sets_publish (Shell *shell);
/* After a call: its result is the last. */
void sets_forget (Shell *shell);
