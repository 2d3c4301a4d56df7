/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * spots.h - directories in which programs may change something, and what is in them
 *
 * A Spot is a directory of a view of folders, or a local one (local.h). What has a name
 * in it is a Thing. Nothing here waits.
 */
#pragma once

#include "view.h"

#include <mailrack/mailrack-outgoing.h>

typedef struct
{
  Directory directory; /* of a local one: the one it is in */
  guint space;         /* of mailrack-outgoing.h */
  RackLocal *local;    /* (owned) the local directory, or NULL */
} Spot;

#define SPOT_INIT                                                                                  \
  (Spot)                                                                                           \
  {                                                                                                \
    .local = NULL                                                                                  \
  }

/* Returns: 0, ESTALE, or EROFS: nothing can be made or removed in there. spot: to be cleared. */
int spot_open (Mount *mount, fuse_ino_t ino, Spot *spot);
void spot_clear (Spot *spot);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Spot, spot_clear)
/* Whether the view may hold files of programs there: 0, or an errno. */
int spot_takes_files (const Spot *spot);
/* Whether changes may be made in its folder now: 0, or an errno. */
int spot_may_change (const Spot *spot);
/* Whether the server lets a file be made there that is called name: 0 or EACCES. What stays here
 * goes where anything may be changed. May wait for the server a moment. */
int spot_is_permitted (const Spot *spot, const char *name);
/* What is called name there is to become mail once it was written. */
gboolean spot_is_mail (const Spot *spot, const char *name);
/* The same for a local file, where it is. */
gboolean local_is_mail (const RackLocalFacts *facts);

typedef enum
{
  THING_NONE,
  THING_FIXED, /* a view or a place */
  THING_FOLDER,
  THING_LOCAL,
  THING_MESSAGE,
} ThingKind;

typedef struct
{
  ThingKind kind;
  RackFolder *folder;   /* a FOLDER; where a MESSAGE is */
  RackLocal *local;     /* (owned) */
  RackLocalFacts facts; /* of local */
  guint32 row;          /* of a MESSAGE, for its inode */
  RackEntry entry;
} Thing;

/* thing: to be cleared. */
void spot_find (Mount *mount, const Spot *spot, const char *name, Thing *thing);
void thing_clear (Thing *thing);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Thing, thing_clear)
gboolean thing_is_directory (const Thing *thing);

/* Whether folder holds drafts: the only mail that may be rewritten. */
gboolean folder_has_drafts (RackFolder *folder);
