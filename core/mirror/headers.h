/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * headers.h - the fields of an envelope as text
 *
 * What a header says becomes valid UTF-8 on one line without control characters, cut at
 * a character to fit a buffer. What is plain ASCII, as most of it is, is only copied.
 * Nothing here is safe for a terminal or a file name yet: it may hold bidirectional and
 * invisible characters.
 */
#pragma once

#include <mailrack/mailrack-types.h>

G_BEGIN_DECLS

/* Each writes at most size bytes with a NUL. Returns: the length written. */

/* Unstructured (a subject): RFC 2047 words are decoded. */
gsize rack_header_text (RackStr value, char *buffer, gsize size);
/* A display name. */
gsize rack_header_phrase (RackStr value, char *buffer, gsize size);
/* Nothing is decoded (a Message-ID, a local part). */
gsize rack_header_plain (RackStr value, char *buffer, gsize size);
/* "local@host". */
gsize rack_header_address (const RackAddress *address, char *buffer, gsize size);

/* Whom a message is from: the first address of From, else of Sender, that says anything. NULL if
 * there is none. */
const RackAddress *rack_header_sender (const RackEnvelope *envelope);

G_END_DECLS
