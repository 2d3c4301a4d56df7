/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * listing.h - messages as rows, and how many messages are fetched at once */
#pragma once

#include "shell.h"

/* What the rows need. */
#define LISTING_ITEMS "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE"
extern const OutputColumn listing_columns[];

/* FETCH of UIDs that may be many; items as in "FLAGS ENVELOPE". Returns: (owned) */
RackFetch *listing_fetch (Shell *shell, const RackSet *set, const char *items, GError **error);
/* A row of listing_columns. FALSE: nobody reads any more. */
gboolean listing_add (Output *output, const RackMessage *message);
/* Prints those of a set that are there; they are $_ from now on. */
gboolean listing_messages (Shell *shell, const RackSet *uids, GError **error);
/* The first sender's name, or address. Hostile. Returns: (owned) */
char *listing_sender (const RackEnvelope *envelope);
