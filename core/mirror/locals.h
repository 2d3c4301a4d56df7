/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * locals.h - what the files about local files share; all with the outbox' mutex held
 */
#pragma once

#include "outbox.h"

G_BEGIN_DECLS

/* What is in one place, ascending by id; borrowed. NULL: nothing, unless it is to be made. */
GPtrArray *rack_locals_at (RackOutbox *outbox, RackFolder *folder, guint space, guint64 parent,
                           gboolean make);
/* Borrowed; NULL: nothing is called so. */
RackLocal *rack_locals_find (RackOutbox *outbox, RackFolder *folder, guint space, guint64 parent,
                             const char *name);
/* One that is in no table yet. */
RackLocal *rack_local_new (RackMirror *mirror, RackFolder *folder);
/* Only that. */
void rack_local_free (RackLocal *local);
/* Puts it into the tables, which take the reference. */
void rack_local_enter (RackLocal *local);
/* As rack_local_facts(). */
void rack_local_look (const RackLocal *local, RackLocalFacts *facts);
/* Among the names of its place, or not. */
void rack_local_list_name (RackLocal *local);
void rack_local_unlist (RackLocal *local);

G_END_DECLS
