/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * arena.c - memory for the pieces of one response
 *
 * Blocks in a list; the first one is kept over a reset. See arena.h. */
#include "arena.h"

#include <string.h>

#define FIRST_BLOCK (64 * 1024)
#define ALIGN       16
#define FULL        (256 * 1024 * 1024)

typedef struct Block Block;
struct Block
{
  Block *next;
  gsize size, used;
  max_align_t data[];
};

struct RackArena
{
  Block *blocks; /* the one in use first; the last was the first */
  gsize held;    /* octets in all blocks */
};

static Block *
block_new (gsize size)
{
  Block *block = g_malloc (sizeof (Block) + size);

  block->next = NULL;
  block->size = size;
  block->used = 0;
  return block;
}

RackArena *
rack_arena_new (void)
{
  return g_new0 (RackArena, 1);
}

void
rack_arena_reset (RackArena *arena)
{
  while (arena->blocks != NULL
         && (arena->blocks->next != NULL || arena->blocks->size > FIRST_BLOCK))
    {
      Block *block = arena->blocks;
      arena->blocks = block->next;
      arena->held -= block->size;
      g_free (block);
    }
  if (arena->blocks != NULL)
    arena->blocks->used = 0;
}

void
rack_arena_free (RackArena *arena)
{
  if (arena == NULL)
    return;
  rack_arena_reset (arena);
  g_free (arena->blocks);
  g_free (arena);
}

gboolean
rack_arena_is_full (const RackArena *arena)
{
  return arena->held > FULL;
}

static gpointer
take (RackArena *arena, gsize size)
{
  gsize rounded = (size + ALIGN - 1) & ~(gsize) (ALIGN - 1);
  Block *block = arena->blocks;

  if (block == NULL || block->size - block->used < rounded)
    {
      block = block_new (MAX (rounded, FIRST_BLOCK));
      block->next = arena->blocks;
      arena->blocks = block;
      arena->held += block->size;
    }
  gpointer piece = (char *) block->data + block->used;
  block->used += rounded;
  return piece;
}

gpointer
rack_arena_alloc (RackArena *arena, gsize size)
{
  return memset (take (arena, size), 0, size);
}

gpointer
rack_arena_grow (RackArena *arena, gpointer old, gsize old_size, gsize new_size)
{
  gsize old_rounded = (old_size + ALIGN - 1) & ~(gsize) (ALIGN - 1);
  gsize new_rounded = (new_size + ALIGN - 1) & ~(gsize) (ALIGN - 1);
  Block *block = arena->blocks;

  if (old != NULL && block != NULL
      && (char *) old + old_rounded == (char *) block->data + block->used
      && block->size - block->used >= new_rounded - old_rounded)
    {
      block->used += new_rounded - old_rounded;
      memset ((char *) old + old_size, 0, new_size - old_size);
      return old;
    }
  char *piece = take (arena, new_size);
  if (old != NULL)
    memcpy (piece, old, old_size);
  memset (piece + old_size, 0, new_size - old_size);
  return piece;
}

RackStr
rack_arena_str (RackArena *arena, const char *data, gsize size)
{
  char *copy = take (arena, size + 1);

  memcpy (copy, data, size);
  copy[size] = '\0';
  return (RackStr){ copy, size };
}
