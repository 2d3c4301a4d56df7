/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * framer.h - bytes into whole responses
 *
 * The framer is the only resumable part of reading: it finds where a response
 * ends (the CRLF that is not inside a literal), however the bytes were split on
 * their way. It knows nothing of what a response means but one thing: the text of
 * a status response or continuation may end in "{5}" without a literal following.
 *
 * Bytes are read straight into reference-counted blocks and a frame is a slice of
 * one, so nothing is copied on the way in, save a partial response once when its
 * block is full. A consumer that keeps a frame takes a reference on its block. */
#pragma once

#include <mailrack/mailrack-types.h>

typedef struct RackBlock RackBlock;
RackBlock *rack_block_ref (RackBlock *block); /* thread-safe */
void rack_block_unref (RackBlock *block);

typedef enum
{
  RACK_FRAME_MORE,     /* nothing whole yet: read more */
  RACK_FRAME_RESPONSE, /* a whole response, final CRLF included, literals inline */
  RACK_FRAME_HEAD,     /* a literal larger than max_inline begins: choose, see below */
  RACK_FRAME_LITERAL,  /* the next piece of a streamed literal */
  RACK_FRAME_BAD,      /* framing is lost for good; .reason says why */
} RackFrameKind;

typedef struct
{
  RackFrameKind kind;
  RackStr bytes;    /* RESPONSE: all of it. HEAD: the response up to and with "{n}" CRLF. LITERAL: a
                       piece */
  RackBlock *block; /* RESPONSE: what bytes points into, borrowed */
  guint64 literal;  /* HEAD: the literal's size. LITERAL: octets still to come after this piece */
  const char *reason; /* BAD */
} RackFrame;

typedef struct
{
  gsize max_line;     /* octets outside literals in a response, but for the next (64 KiB) */
  gsize max_data;     /* the same for FETCH, SEARCH, ESEARCH, SORT, THREAD, VANISHED (64 MiB) */
  gsize max_inline;   /* a literal above this gives a HEAD frame (64 KiB) */
  gsize max_response; /* octets of a response in all that is kept in memory (64 MiB) */
} RackFramerLimits;

typedef struct RackFramer RackFramer;
RackFramer *
rack_framer_new (const RackFramerLimits *limits); /* NULL: the defaults in parentheses */
void rack_framer_free (RackFramer *framer);
/* Where to read into: at least 16 KiB (the rest of a large block). Valid until the next call. */
void *rack_framer_space (RackFramer *framer, gsize *size);
void rack_framer_filled (RackFramer *framer, gsize size);
/* The next frame, valid until the next call on framer. After RACK_FRAME_HEAD the caller says
 * rack_framer_stream() to get the literal as LITERAL frames (a size of 0 gives none; in the
 * RESPONSE that follows the literal is left out and the lexer gives an elided string), or
 * nothing, and the literal is kept inline, up to max_response. */
RackFrame rack_framer_next (RackFramer *framer);
void rack_framer_stream (RackFramer *framer);
/* Octets received and not given out yet; must be 0 when STARTTLS's OK was given out. */
gsize rack_framer_pending (const RackFramer *framer);
/* Whether a response has begun and not ended (for deadlines in mid-line). */
gboolean rack_framer_in_response (const RackFramer *framer);
