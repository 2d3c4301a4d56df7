/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * imap-test.h - what the tests of the pure engine share
 *
 * Every response that a test parses goes through the framer first, whole, split at
 * every octet and octet by octet, and must give the same frames each time. */
#pragma once

#include "framer.h"
#include "response.h"

#include <string.h>

#define STR(text) ((RackStr){ (text), sizeof (text) - 1 })

/* The arena of the running test; fresh for each. */
extern RackArena *test_arena;

/* Adds a test that has a fresh test_arena. */
void imap_test_add (const char *path, void (*run) (void));

/* The frames of a stream as text, fed in pieces that end at the given places; streamed literals
 * above max_inline are written as one however they came. Returns: (owned) */
char *imap_frames (RackStr stream, const gsize *cuts, gsize n_cuts, const RackFramerLimits *limits);
/* Asserts that any one cut, and all cuts at once, give the frames of the uncut stream. */
void imap_check_splits (RackStr stream, const RackFramerLimits *limits);

/* Parses one response (splits checked) and asserts that it parses. */
RackResponse imap_parse (const char *bytes);
RackResponse imap_parse_sized (RackStr bytes);
/* Asserts that it is refused with RACK_ERROR_PROTOCOL. */
void imap_parse_refused (const char *bytes);

void imap_assert_str (RackStr str, const char *text, int line); /* text NULL: NIL */
#define assert_str(str, text) imap_assert_str ((str), (text), __LINE__)

void imap_assert_ranges (RackRanges ranges, const char *text, int line);
#define assert_ranges(ranges, text) imap_assert_ranges ((ranges), (text), __LINE__)
