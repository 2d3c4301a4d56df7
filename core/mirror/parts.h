/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * parts.h - what a message is made of, and the memory for it
 *
 * Knows BODYSTRUCTUREs; the octets of parts are a matter of bodies.
 */
#pragma once

#include "mirror-private.h"

G_BEGIN_DECLS

/* Copies what it needs. envelope: may be NULL. Returns: (owned) */
RackParts *rack_parts_new (const RackPart *root, const RackEnvelope *envelope);
/* Borrowed; NULL if there is none. */
const RackPartFacts *rack_parts_find (const RackParts *parts, const char *section);

/* ---- parts-files.c ---- */
/* Sets role and file of each of items (of RackPartFacts), by all the rest; texts gets the names. */
void rack_parts_assign (GArray *items, GStringChunk *texts);

RackPartsCache *rack_parts_cache_new (void);
/* Nobody asks any more. */
void rack_parts_cache_free (RackPartsCache *cache);

G_END_DECLS
