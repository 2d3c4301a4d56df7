/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cache-loads.h - mailboxes that a mount loads for the first time, shown to people */
#pragma once

#include <mailrack/mailrack-mirror.h>

G_BEGIN_DECLS

/* A line for each load in facts, which were just read. On a terminal, while a mount goes on with
 * them, one line that is drawn again until it has finished, or Ctrl-C. FALSE: what it asks again
 * failed. */
gboolean cache_loads_show (RackAccount *account, const char *cache_dir, const RackCacheFacts *facts,
                           GError **error);

G_END_DECLS
