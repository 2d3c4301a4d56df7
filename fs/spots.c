/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * spots.c - directories in which programs may change something, and what is in them
 */
#include "spots.h"

#include "inode.h"
#include "local.h"

#include <errno.h>
#include <string.h>

/* ---- Where ------------------------------------------------------------------------------- */

static int
open_local (Mount *mount, fuse_ino_t ino, Spot *spot)
{
  g_autoptr (Node) node = nodes_find (mount->nodes, ino);
  RackLocalFacts facts;
  if (node == NULL)
    return ESTALE;
  RackLocal *local = local_of (node);
  if (local == NULL)
    return EROFS;
  rack_local_facts (local, &facts);
  if (facts.state == RACK_LOCAL_GONE)
    return ENOENT;
  if (!view_of_space (facts.space, &spot->directory.view, &spot->directory.place))
    return EROFS;
  spot->directory.folder = facts.folder;
  spot->directory.row = 0;
  spot->space = facts.space;
  spot->local = rack_local_ref (local);
  return 0;
}

int
spot_open (Mount *mount, fuse_ino_t ino, Spot *spot)
{
  *spot = SPOT_INIT;
  if (inode_kind (ino) == INODE_NODE)
    return open_local (mount, ino, spot);
  if (!inode_directory (mount, ino, &spot->directory))
    return ESTALE;
  if (!view_ops (spot->directory.view)->changes)
    return EROFS;
  int space = view_space (&spot->directory);
  spot->space = space >= 0 ? (guint) space : 0;
  return 0;
}

void
spot_clear (Spot *spot)
{
  g_clear_pointer (&spot->local, rack_local_unref);
}

int
spot_takes_files (const Spot *spot)
{
  return spot->local == NULL && view_space (&spot->directory) < 0 ? EPERM : 0;
}

int
spot_may_change (const Spot *spot)
{
  g_autoptr (GError) error = NULL;
  return rack_folder_may_change (spot->directory.folder, &error) ? 0 : errno_of (error);
}

int
spot_is_permitted (const Spot *spot, const char *name)
{
  g_autoptr (GError) error = NULL;
  gboolean mail = spot_is_mail (spot, name);
  rack_folder_await_limits (spot->directory.folder, FALSE);
  if (!mail)
    return view_is_writable (&spot->directory) ? 0 : EACCES;
  if (!rack_folder_may (spot->directory.folder, RACK_RIGHT_INSERT, &error))
    return errno_of (error);
  rack_folder_want_sizes (spot->directory.folder);
  return 0;
}

gboolean
spot_is_mail (const Spot *spot, const char *name)
{
  const ViewOps *ops = view_ops (spot->directory.view);
  RackFolderFacts facts;
  rack_folder_facts (spot->directory.folder, &facts);
  return spot->local == NULL && facts.selectable && ops->is_mail != NULL
         && view_has_messages (&spot->directory) && ops->is_mail (&spot->directory, name);
}

gboolean
local_is_mail (const RackLocalFacts *facts)
{
  Spot spot = { .directory.folder = facts->folder };
  return facts->parent == 0 && !facts->directory
         && view_of_space (facts->space, &spot.directory.view, &spot.directory.place)
         && spot_is_mail (&spot, facts->name);
}

/* ---- What -------------------------------------------------------------------------------- */

static gboolean
find_local (const Spot *spot, const char *name, Thing *thing)
{
  if (spot_takes_files (spot) != 0)
    return FALSE;
  thing->local = rack_local_find (spot->directory.folder, spot->space, spot->local, name);
  if (thing->local == NULL)
    return FALSE;
  rack_local_facts (thing->local, &thing->facts);
  thing->kind = THING_LOCAL;
  return TRUE;
}

static gboolean
find_directory (Mount *mount, const Spot *spot, const char *name, Thing *thing)
{
  Directory found;
  RackFolder *folder = spot->directory.folder;
  gboolean at_root = spot->directory.view == mount->root && spot->directory.place == 0
                     && rack_folder_parent (folder) == NULL;
  if (at_root && view_by_name (name) != N_VIEWS && view_by_name (name) != mount->root)
    {
      thing->kind = THING_FIXED;
      return TRUE;
    }
  if (!view_find_directory (&spot->directory, name, &found))
    return FALSE;
  thing->kind = found.place != 0 ? THING_FIXED : THING_FOLDER;
  thing->folder = found.folder;
  return TRUE;
}

static gboolean
find_message (const Spot *spot, const char *name, Thing *thing)
{
  RackFolderFacts facts;
  RackArrival arrival;
  rack_folder_facts (spot->directory.folder, &facts);
  thing->folder = spot->directory.folder;
  if (facts.row != 0 && view_find_message (&spot->directory, name, &thing->entry))
    thing->row = facts.row;
  else if (view_find_arrival (&spot->directory, name, &arrival))
    {
      thing->row = arrival.row;
      thing->entry = arrival.entry;
    }
  else
    return FALSE;
  thing->kind = THING_MESSAGE;
  return TRUE;
}

void
spot_find (Mount *mount, const Spot *spot, const char *name, Thing *thing)
{
  *thing = (Thing){ .kind = THING_NONE };
  if (spot->local != NULL)
    find_local (spot, name, thing);
  else if (!find_directory (mount, spot, name, thing) && !find_local (spot, name, thing))
    find_message (spot, name, thing);
}

void
thing_clear (Thing *thing)
{
  g_clear_pointer (&thing->local, rack_local_unref);
}

gboolean
thing_is_directory (const Thing *thing)
{
  switch (thing->kind)
    {
    case THING_NONE:
    case THING_MESSAGE:
      return FALSE;
    case THING_FIXED:
    case THING_FOLDER:
      return TRUE;
    case THING_LOCAL:
      return thing->facts.directory;
    }
  return FALSE;
}

gboolean
folder_has_drafts (RackFolder *folder)
{
  RackFolderFacts facts;
  rack_folder_facts (folder, &facts);
  return (facts.flags & RACK_LIST_DRAFTS) != 0;
}
