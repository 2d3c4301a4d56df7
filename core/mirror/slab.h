/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * slab.h - one file that holds the bodies
 *
 * Each body has a range of its own, from a page boundary on; what is given back becomes a hole. One
 * descriptor serves everybody, and the file system's page cache is the only copy in memory. What
 * the ranges hold is known elsewhere (the store), and so is which of them are in use when the file
 * is opened again. No lock: see bodies.c.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define RACK_SLAB_NAME "bodies"

typedef struct
{
  int fd;
  gboolean kept; /* it has a name and will be there the next time */
  guint64 next;  /* where the next range begins */
  guint64 end;   /* and where the room for them ends */
} RackSlab;

/* In directory; in memory, and not kept, if the file system there has no holes. */
gboolean rack_slab_open (RackSlab *slab, const char *directory, GError **error);
/* In memory, and not kept. */
gboolean rack_slab_open_memory (RackSlab *slab, GError **error);
void rack_slab_close (RackSlab *slab);
/* From now on ranges are taken from [next, end). */
void rack_slab_use (RackSlab *slab, guint64 next, guint64 end);
/* A range for size octets. FALSE: RACK_ERROR_TOO_LARGE. */
gboolean rack_slab_reserve (RackSlab *slab, guint64 size, guint64 *offset, GError **error);
/* Of a range reserved for room octets only size are needed. */
void rack_slab_trim (RackSlab *slab, guint64 offset, guint64 room, guint64 size);
/* What a range of size octets takes at most. */
guint64 rack_slab_cost (guint64 size);
void rack_slab_punch (const RackSlab *slab, guint64 offset, guint64 size);
/* Forgets everything from next on. */
void rack_slab_cut (const RackSlab *slab, guint64 next);
/* Any thread. Returns: 0 or an errno. */
int rack_slab_write (const RackSlab *slab, guint64 offset, const void *data, gsize size);
/* Any thread. FALSE: not all of it could be read. */
gboolean rack_slab_read (const RackSlab *slab, guint64 offset, void *data, gsize size);
/* The size octets from offset on go to another one, from there on. FALSE: they cannot be read or
 * written. Any thread. */
gboolean rack_slab_copy (const RackSlab *slab, guint64 offset, guint64 size, const RackSlab *to,
                         guint64 there);
/* Whether the range is whole and its octets have this CRC-32. Any thread. */
gboolean rack_slab_verify (const RackSlab *slab, guint64 offset, guint64 size, guint32 crc);
/* Waits until what was written is on the disk. Returns: 0 or an errno. */
int rack_slab_sync (const RackSlab *slab);
guint32 rack_slab_crc (guint32 before, const void *data, gsize size);

G_END_DECLS
