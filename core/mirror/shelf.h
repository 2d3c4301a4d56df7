/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * shelf.h - things of one place, ascending by number and found by name
 *
 * Names may be the same: then the one that was there first is found first. Nothing is owned here,
 * and nothing is locked.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct RackShelf RackShelf;

/* Part of each thing; zeroed: it is nowhere. */
typedef struct RackShelved RackShelved;
struct RackShelved
{
  guint64 id;
  const char *name;      /* borrowed */
  gpointer thing;        /* the whole */
  GSequenceIter *place;  /* NULL: nowhere */
  RackShelved *namesake; /* the next one that is called so, or NULL */
};

RackShelf *rack_shelf_new (void);
void rack_shelf_free (RackShelf *shelf);
/* name: may not change while it is there. */
void rack_shelf_add (RackShelf *shelf, RackShelved *shelved, guint64 id, const char *name,
                     gpointer thing);
void rack_shelf_remove (RackShelf *shelf, RackShelved *shelved);
gboolean rack_shelf_is_empty (const RackShelf *shelf);
/* The first that is called so, or NULL. */
RackShelved *rack_shelf_find (const RackShelf *shelf, const char *name);
/* The first with an id above after, or NULL. */
RackShelved *rack_shelf_after (const RackShelf *shelf, guint64 after);
/* The one after shelved, or NULL. */
RackShelved *rack_shelved_next (const RackShelved *shelved);

G_END_DECLS
