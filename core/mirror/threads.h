/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * threads.h - which messages belong to the same conversation
 *
 * Made from all messages of the store at once, and remembered until a mailbox changes.
 */
#pragma once

#include "mirror-private.h"

G_BEGIN_DECLS

/* A member of a thread. */
typedef struct
{
  guint32 row, uid;
  gint64 date;
} RackThreadMember;

/* Never changes; shared by references. */
typedef struct RackThreads RackThreads;

/* How all threads of a store are made; for rack_threads_get(), and tests. Returns: (owned) */
RackThreads *rack_threads_new (RackStore *store, GError **error);
void rack_threads_unref (RackThreads *threads);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackThreads, rack_threads_unref)
/* Their names, ascending by bytes, each once. Borrowed. */
const GPtrArray *rack_threads_names (const RackThreads *threads);
/* The members of one, in the order of their dates; NULL if there is no such thread. Borrowed. */
const RackThreadMember *rack_threads_find (const RackThreads *threads, const char *name, guint *n);

RackThreadsCache *rack_threads_cache_new (void);
void rack_threads_cache_free (RackThreadsCache *cache);
/* As they are now. Returns: (owned) */
RackThreads *rack_threads_get (RackMirror *mirror, GError **error);

G_END_DECLS
