/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * slab.h - one unlinked file that holds the bodies
 *
 * Each body has a range of its own, from a page boundary on; ranges are never used
 * twice, what is given back becomes a hole. One descriptor serves everybody, and the
 * file system's page cache is the only copy in memory. Nobody can find the file by
 * name, and it is gone with the process, however that ends. No lock: see bodies.c.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  int fd;
  guint64 next; /* where the next range begins */
} RackSlab;

/* In $XDG_CACHE_HOME/mailrack, or in memory if there is no file system there that has holes. */
gboolean rack_slab_open (RackSlab *slab, GError **error);
void rack_slab_close (RackSlab *slab);
/* A range for size octets. FALSE: RACK_ERROR_TOO_LARGE. */
gboolean rack_slab_reserve (RackSlab *slab, guint64 size, guint64 *offset, GError **error);
/* What a range of size octets takes at most. */
guint64 rack_slab_cost (guint64 size);
void rack_slab_punch (RackSlab *slab, guint64 offset, guint64 size);
/* Any thread. FALSE: RACK_ERROR_IO. */
gboolean rack_slab_write (const RackSlab *slab, guint64 offset, const void *data, gsize size,
                          GError **error);

G_END_DECLS
