/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * parts.h - what a message is made of, and the memory for it
 *
 * Knows BODYSTRUCTUREs; the octets of parts are a matter of bodies and slices.
 */
#pragma once

#include "mirror-private.h"

G_BEGIN_DECLS

struct RackParts
{
  gint references;
  GStringChunk *texts;
  GArray *items; /* of RackPartFacts */
  gboolean has_details;
  RackDetails details;
};

/* Nothing yet. Returns: (owned) */
RackParts *rack_parts_alloc (void);
/* Copies what it needs. envelope: may be NULL. Returns: (owned) */
RackParts *rack_parts_new (const RackPart *root, const RackEnvelope *envelope);
/* Borrowed; NULL if there is none. */
const RackPartFacts *rack_parts_find (const RackParts *parts, const char *section);

/* ---- parts-files.c ---- */
/* Sets role and file of each of items (of RackPartFacts), by all the rest; texts gets the names. */
void rack_parts_assign (GArray *items, GStringChunk *texts);

/* ---- parts-kept.c ---- */
/* Returns: (owned), or NULL if it is too much to be kept. */
GBytes *rack_parts_freeze (const RackParts *parts);
/* Returns: (owned), or NULL if frozen cannot be what was once kept. */
RackParts *rack_parts_thaw (GBytes *frozen);

/* ---- parts-cache.c ---- */
RackPartsCache *rack_parts_cache_new (void);
/* Nobody asks any more. */
void rack_parts_cache_free (RackPartsCache *cache);

G_END_DECLS
