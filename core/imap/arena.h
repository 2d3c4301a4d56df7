/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * arena.h - memory for the pieces of one response
 *
 * A bump allocator: pieces are taken from a few large blocks and all given back
 * at once. Reset keeps the blocks, so that parsing message after message
 * allocates nothing. Not a general allocator: nothing is freed alone. */
#pragma once

#include <mailrack/mailrack-types.h>

/* RackArena, rack_arena_new() and rack_arena_free() are public: mailrack-types.h. */

/* Zeroed, aligned for any type; valid until reset or free. Never NULL. */
gpointer rack_arena_alloc (RackArena *arena, gsize size);
#define rack_arena_new0(arena, Type) ((Type *) rack_arena_alloc (arena, sizeof (Type)))
/* The last piece, grown from old_size to new_size in place where it can be, else copied. For arrays
 * whose length is not known beforehand; old may be NULL. The new bytes are zero. */
gpointer rack_arena_grow (RackArena *arena, gpointer old, gsize old_size, gsize new_size);
RackStr rack_arena_str (RackArena *arena, const char *data, gsize size); /* a copy */
/* Whether it holds so much (256 MiB) that no honest response needs it: parsers then give up. A few
 * octets of a response can ask for hundreds of memory. */
gboolean rack_arena_is_full (const RackArena *arena);
/* Forgets every piece but keeps up to 64 KiB of blocks. */
void rack_arena_reset (RackArena *arena);
