/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * response.h - one whole response into one typed record
 *
 * Recursive descent over slices, in files by subject: response.c (dispatch and
 * status), fetch.c, envelope.c, bodystructure.c, mailbox-data.c (LIST, STATUS,
 * SEARCH, NAMESPACE, ...). Pure functions of their bytes; strings point into the
 * bytes, or into the arena where an escape had to be removed. */
#pragma once

#include "arena.h"
#include "lexer.h"

/* Parses bytes (one frame, with or without its CRLF). FALSE with RACK_ERROR_PROTOCOL when it is no
 * response at all or its data is broken; framing is not lost by that. response is valid as long as
 * bytes, and until arena is reset. */
gboolean rack_response_parse (RackStr bytes, RackArena *arena, RackResponse *response,
                              GError **error);

typedef enum
{
  RACK_PEEK_TAGGED,
  RACK_PEEK_UNTAGGED,
  RACK_PEEK_FETCH, /* "* n FETCH ...": seq is n */
  RACK_PEEK_CONTINUE,
} RackPeek;

/* What a frame is, in a few instructions and without parsing it. */
RackPeek rack_response_peek (RackStr bytes, guint32 *seq);

/* The UID in a FETCH response, or in the beginning of one that a literal cuts off; 0: it has none
 * there. */
guint32 rack_response_peek_uid (RackStr bytes);

/* What a FETCH response holds, or the beginning of one. Looks at names alone. */
RackFields rack_response_peek_fields (RackStr bytes);

/* The two productions others need alone. lexer stands before the value. */
gboolean rack_envelope_parse (RackLexer *lexer, RackArena *arena, RackEnvelope *envelope,
                              GError **error);
const RackPart *rack_bodystructure_parse (RackLexer *lexer, RackArena *arena, GError **error);

/* For uses outside a response (command lines, tests). */
gboolean rack_flags_parse (RackLexer *lexer, RackArena *arena, RackFlagList *flags, GError **error);
RackFlags rack_flag_from_name (RackStr name);       /* 0 for a keyword; any case */
const char *rack_flag_name (RackFlags single_flag); /* "\\Seen" */
