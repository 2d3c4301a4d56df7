/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * slices.h - where the parts of a message are in its octets
 *
 * For messages that are here as a whole when the server cannot be asked, or need not be. Knows
 * RFC 2045 and 2046 as far as a BODYSTRUCTURE does; what is decoded is decode.c's matter. Asks
 * nobody and keeps nothing.
 */
#pragma once

#include <mailrack/mailrack-types.h>

G_BEGIN_DECLS

typedef struct RackSlices RackSlices;

/* Borrows octets for its life, with lines that end in CRLF or LF. Any octets have parts: what is
 * not understood is one text. Returns: (owned) */
RackSlices *rack_slices_new (RackStr octets);
void rack_slices_free (RackSlices *slices);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackSlices, rack_slices_free)

/* As the server would describe it, but for envelopes and numbers of lines. Borrowed. */
const RackPart *rack_slices_root (const RackSlices *slices);
/* The octets of a part ("2.1"), in their transfer encoding, or of "HEADER". NIL: there is none.
 * *part: set to what it is, NULL for the header. Both borrowed. */
RackStr rack_slices_find (const RackSlices *slices, const char *section, const RackPart **part);

G_END_DECLS
