/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * inode.c - inode numbers and attributes
 */
#include "inode.h"

#include <string.h>

#define TOP_BIT (G_GUINT64_CONSTANT (1) << 63)
#define ID_MASK G_GUINT64_CONSTANT (0xffffffff)
#define BLOCK   512

G_STATIC_ASSERT (sizeof (fuse_ino_t) == 8);

gboolean
inode_is_directory (fuse_ino_t ino)
{
  return ino == FUSE_ROOT_ID || (ino & TOP_BIT) != 0;
}

static fuse_ino_t
directory_number (View view, guint32 id)
{
  return view == VIEW_MESSAGES && id == 0 ? FUSE_ROOT_ID : TOP_BIT | (guint64) view << 32 | id;
}

fuse_ino_t
inode_of_directory (View view, RackFolder *folder)
{
  RackFolderFacts facts;
  rack_folder_facts (folder, &facts);
  return directory_number (view, facts.id);
}

fuse_ino_t
inode_of_message (guint32 row, guint32 uid)
{
  return (guint64) row << 32 | uid;
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
  if (!inode_is_directory (ino))
    return FALSE;
  guint64 number = ino == FUSE_ROOT_ID ? 0 : ino & ~TOP_BIT;
  if (number >> 32 > VIEW_UID)
    return FALSE;
  directory->view = (View) (number >> 32);
  directory->folder = rack_mirror_folder (mount->mirror, (guint32) (number & ID_MASK));
  if (directory->folder == NULL)
    return FALSE;
  rack_folder_facts (directory->folder, &facts);
  return !facts.gone;
}

static void
fill_directory_from (Mount *mount, View view, const RackFolderFacts *facts, struct stat *out)
{
  memset (out, 0, sizeof *out);
  out->st_ino = directory_number (view, facts->id);
  out->st_mode = S_IFDIR | (0777 & ~mount->umask);
  /* Programs that look for new mail trust both of these. */
  out->st_nlink = 2 + facts->children;
  out->st_mtim.tv_sec = facts->changed / 1000000000;
  out->st_mtim.tv_nsec = facts->changed % 1000000000;
  out->st_atim = out->st_ctim = out->st_mtim;
  out->st_uid = mount->uid;
  out->st_gid = mount->gid;
  out->st_size = 4096;
  out->st_blocks = 4096 / BLOCK;
  out->st_blksize = 4096;
}

void
fill_directory (Mount *mount, const Directory *directory, struct stat *out)
{
  RackFolderFacts facts;
  rack_folder_facts (directory->folder, &facts);
  fill_directory_from (mount, directory->view, &facts, out);
}

void
fill_message (Mount *mount, fuse_ino_t ino, const RackEntry *entry, struct stat *out)
{
  memset (out, 0, sizeof *out);
  out->st_ino = ino;
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
  RackFolderFacts facts;
  rack_folder_facts (directory->folder, &facts);
  memset (out, 0, sizeof *out);
  fill_directory_from (mount, directory->view, &facts, &out->attr);
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
