/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * spool.h - octets on their way from one thread to another, without a limit
 *
 * Up to 1 MiB stays in memory; beyond that an unlinked temporary file (0600) takes
 * them, so that the writer never waits for the reader. No lock: the user has one. */
#pragma once

#include <mailrack/mailrack-types.h>

typedef struct
{
  GByteArray *memory; /* everything, while there is no file */
  int fd;             /* -1: none */
  guint64 size;       /* written so far */
} RackSpool;

void rack_spool_init (RackSpool *spool);
void rack_spool_clear (RackSpool *spool);
gboolean rack_spool_write (RackSpool *spool, RackStr bytes, GError **error);
/* Up to size octets from offset; never beyond spool->size. -1 with error set. */
gssize rack_spool_read (RackSpool *spool, guint64 offset, void *data, gsize size, GError **error);
