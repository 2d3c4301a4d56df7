/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * locals.h - what the files about local files share; all with the outbox' mutex held
 */
#pragma once

#include "outbox.h"

G_BEGIN_DECLS

/* What is in one place; borrowed. NULL: nothing. */
RackShelf *rack_locals_at (RackOutbox *outbox, RackFolder *folder, guint space, guint64 parent);
/* Borrowed; NULL: nothing is called so. With shown held, which is enough. */
RackLocal *rack_locals_find (RackOutbox *outbox, RackFolder *folder, guint space, guint64 parent,
                             const char *name);
/* One that is in no table yet. */
RackLocal *rack_local_new (RackMirror *mirror, RackFolder *folder);
/* Only that. */
void rack_local_free (RackLocal *local);
/* Puts it into the tables, which take the reference. */
void rack_local_enter (RackLocal *local);
/* Into the journal, as if it were there and called so. */
gboolean rack_local_write_as (RackLocal *local, RackFolder *folder, guint space, guint64 parent,
                              const char *name, GError **error);
/* It is there now, and called so. name: NULL leaves that. */
void rack_local_put (RackLocal *local, RackFolder *folder, guint space, guint64 parent,
                     const char *name);

G_END_DECLS
