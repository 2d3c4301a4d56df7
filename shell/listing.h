/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * listing.h - message sets as people type them, and messages as lines of a table */
#pragma once

#include "shell.h"

/* "1,3:9,*" or $_; UIDs. Returns: (owned) or NULL with error set. */
RackSet *listing_set (Shell *shell, const CommandWord *word, GError **error);
/* Those of a set that are there, by a SEARCH: for commands that would do nothing in silence.
 * RACK_ERROR_NOT_FOUND if there is none. */
RackSet *listing_set_there (Shell *shell, const CommandWord *word, GError **error);
/* A set of one message. */
RackSet *listing_set_one (Shell *shell, const CommandWord *word, GError **error);
/* For a set of which nothing came. Returns FALSE. */
gboolean listing_none (Shell *shell, const CommandWord *word, GError **error);
/* Needs a selected mailbox; says so. */
gboolean listing_need_mailbox (Shell *shell, GError **error);
/* UIDs that SEARCH finds. command is UID SEARCH with its keys; taken. Returns: (owned) */
RackSet *listing_search (Shell *shell, RackCommand *command, GError **error);
gboolean listing_messages (Shell *shell, const RackSet *uids, GError **error);
/* The newest n messages. */
gboolean listing_last (Shell *shell, guint n, GError **error);
