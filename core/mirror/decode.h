/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * decode.h - octets of a part as they were before they were sent, piece by piece
 *
 * Transfer encodings, charsets and line ends are GMime's filters in a row. There is no
 * limit here on what comes out: see rack_decoder_bound().
 */
#pragma once

#include <mailrack/mailrack-mirror.h>

G_BEGIN_DECLS

typedef struct RackDecoder RackDecoder;

/* Whether a server that can may undo the transfer encoding. Not that of a message within: it would
 * undo all of those in it too, and not say so (Dovecot). */
gboolean rack_decoder_is_needed (const RackPartFacts *facts);
/* decoded: the server undid the transfer encoding. Returns: (owned), or NULL if there is nothing
 * to do. */
RackDecoder *rack_decoder_new (const RackPartFacts *facts, RackPartForm form, gboolean decoded);
void rack_decoder_free (RackDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackDecoder, rack_decoder_free)
/* *out is borrowed until the next call. last: nothing follows; size may be 0. */
void rack_decoder_feed (RackDecoder *decoder, const char *data, gsize size, gboolean last,
                        RackStr *out);
/* More than size octets can ever become. */
guint64 rack_decoder_bound (const RackDecoder *decoder, guint64 size);

G_END_DECLS
