/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * inode.c - inode numbers and attributes
 */
#include "inode.h"

#include <string.h>

#define TOP_BIT     (G_GUINT64_CONSTANT (1) << 63)
#define NODE_BITS   (G_GUINT64_CONSTANT (3) << 62)
#define ID_MASK     G_GUINT64_CONSTANT (0xffffffff)
#define VIEW_SHIFT  32
#define PLACE_SHIFT 40
#define BLOCK       512

G_STATIC_ASSERT (sizeof (fuse_ino_t) == 8);

InodeKind
inode_kind (fuse_ino_t ino)
{
  if (ino == FUSE_ROOT_ID)
    return INODE_DIRECTORY;
  if ((ino & TOP_BIT) == 0)
    return INODE_MESSAGE;
  return (ino & NODE_BITS) == NODE_BITS ? INODE_NODE : INODE_DIRECTORY;
}

static fuse_ino_t
directory_number (const Mount *mount, const Directory *directory, guint32 id)
{
  if (directory->view == mount->root && id == 0 && directory->place == 0)
    return FUSE_ROOT_ID;
  return TOP_BIT | (guint64) directory->place << PLACE_SHIFT
         | (guint64) directory->view << VIEW_SHIFT | id;
}

fuse_ino_t
inode_of_directory (const Mount *mount, const Directory *directory)
{
  RackFolderFacts facts;
  rack_folder_facts (directory->folder, &facts);
  return directory_number (mount, directory, facts.id);
}

fuse_ino_t
inode_of_message (guint32 row, guint32 uid)
{
  return (guint64) row << 32 | uid;
}

fuse_ino_t
inode_shown (fuse_ino_t ino, const RackEntry *entry)
{
  return entry->number != 0 ? entry->number : ino;
}

fuse_ino_t
inode_of_node (guint64 hash)
{
  return hash | NODE_BITS;
}

guint32
inode_folder_id (fuse_ino_t ino)
{
  return ino == FUSE_ROOT_ID ? 0 : (guint32) (ino & ID_MASK);
}

guint32
inode_row (fuse_ino_t ino)
{
  return (guint32) (ino >> 32);
}

guint32
inode_uid (fuse_ino_t ino)
{
  return (guint32) (ino & ID_MASK);
}

gboolean
inode_directory (Mount *mount, fuse_ino_t ino, Directory *directory)
{
  RackFolderFacts facts;
  guint view = mount->root, place = 0;
  if (inode_kind (ino) != INODE_DIRECTORY)
    return FALSE;
  if (ino != FUSE_ROOT_ID)
    {
      view = ino >> VIEW_SHIFT & 0xff;
      place = ino >> PLACE_SHIFT & 0xff;
    }
  if (view >= N_VIEWS || view_ops ((View) view) == NULL || place > view_places ((View) view))
    return FALSE;
  directory->view = (View) view;
  directory->place = place;
  directory->row = 0;
  directory->folder = rack_mirror_folder (mount->mirror, inode_folder_id (ino));
  if (directory->folder == NULL)
    return FALSE;
  rack_folder_facts (directory->folder, &facts);
  return !facts.gone;
}

/* Without a network too: then it is for a moment that one may not. */
static gboolean
may_be_changed (const Directory *directory)
{
  g_autoptr (GError) error = NULL;
  return view_ops (directory->view)->changes && view_is_writable (directory)
         && (rack_folder_may_change (directory->folder, &error)
             || g_error_matches (error, RACK_ERROR, RACK_ERROR_NETWORK));
}

void
fill_directory (Mount *mount, const Directory *directory, struct stat *out)
{
  RackFolderFacts facts;
  rack_folder_facts (directory->folder, &facts);
  memset (out, 0, sizeof *out);
  out->st_ino = directory_number (mount, directory, facts.id);
  /* Announcing names (announce.h) is above that. */
  out->st_mode = S_IFDIR | ((may_be_changed (directory) ? 0777 : 0555) & ~mount->umask);
  /* Programs that look for new mail trust both of these. */
  out->st_nlink = 2;
  if (directory->place == 0)
    out->st_nlink += facts.children + (facts.selectable ? view_places (directory->view) : 0);
  out->st_mtim.tv_sec = facts.changed / 1000000000;
  out->st_mtim.tv_nsec = facts.changed % 1000000000;
  out->st_atim = out->st_ctim = out->st_mtim;
  out->st_uid = mount->uid;
  out->st_gid = mount->gid;
  out->st_size = 4096;
  out->st_blocks = 4096 / BLOCK;
  out->st_blksize = 4096;
  const ViewOps *ops = view_ops (directory->view);
  if (ops->fill_directory != NULL)
    ops->fill_directory (mount, directory, out);
}

void
fill_message (Mount *mount, fuse_ino_t ino, const RackEntry *entry, struct stat *out)
{
  memset (out, 0, sizeof *out);
  out->st_ino = inode_shown (ino, entry);
  out->st_mode = S_IFREG | (0666 & ~mount->umask);
  out->st_nlink = 1;
  out->st_uid = mount->uid;
  out->st_gid = mount->gid;
  out->st_size = (off_t) MIN (entry->size, G_MAXINT64);
  out->st_blocks = out->st_size / BLOCK + (out->st_size % BLOCK != 0);
  out->st_blksize = 4096;
  out->st_mtim.tv_sec = entry->date;
  out->st_atim = out->st_ctim = out->st_mtim;
}

double
message_timeout (const RackEntry *entry)
{
  return entry->dependable ? TIMEOUT_KNOWN : 0;
}

void
fill_directory_entry (Mount *mount, const Directory *directory, struct fuse_entry_param *out)
{
  memset (out, 0, sizeof *out);
  fill_directory (mount, directory, &out->attr);
  out->ino = out->attr.st_ino;
  out->generation = 1;
  out->attr_timeout = out->entry_timeout = TIMEOUT_KNOWN;
}

void
fill_message_entry (Mount *mount, guint32 row, const RackEntry *entry, gboolean current,
                    struct fuse_entry_param *out)
{
  memset (out, 0, sizeof *out);
  out->ino = inode_of_message (row, entry->uid);
  fill_message (mount, out->ino, entry, &out->attr);
  out->generation = 1;
  out->attr_timeout = message_timeout (entry);
  out->entry_timeout = current ? TIMEOUT_KNOWN : TIMEOUT_UNWATCHED;
}
