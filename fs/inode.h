/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * inode.h - inode numbers and attributes
 *
 * A number says what it is wherever it can, so that there is no table and nothing to
 * forget. A message is its mailbox' row and its UID, in every view. A directory of a view
 * of folders has the top bit set and holds its view, its place and the folder's id; the
 * root is FUSE's own. All are the same after a remount, and those of messages ascend
 * with the UID. Of what was written through this mount programs see another one (st_ino), by
 * which nobody asks for it: that of the file that it was. What has the two top bits set is a node
 * (nodes.h).
 */
#pragma once

#include "view.h"

typedef enum
{
  INODE_MESSAGE,
  INODE_DIRECTORY, /* of a view of folders */
  INODE_NODE,
} InodeKind;

InodeKind inode_kind (fuse_ino_t ino);
fuse_ino_t inode_of_directory (const Mount *mount, const Directory *directory);
fuse_ino_t inode_of_message (guint32 row, guint32 uid);
/* What programs see as its number: that, unless it was rewritten (drafts.h). */
fuse_ino_t inode_shown (fuse_ino_t ino, const RackEntry *entry);
/* hash: its lower 62 bits count. */
fuse_ino_t inode_of_node (guint64 hash);
/* Of a directory. */
guint32 inode_folder_id (fuse_ino_t ino);
/* Of a message. */
guint32 inode_row (fuse_ino_t ino);
guint32 inode_uid (fuse_ino_t ino);
/* FALSE: there is no such directory (any more). */
gboolean inode_directory (Mount *mount, fuse_ino_t ino, Directory *directory);

void fill_directory (Mount *mount, const Directory *directory, struct stat *attributes);
void fill_message (Mount *mount, fuse_ino_t ino, const RackEntry *entry, struct stat *attributes);
/* How long the attributes of a message may be believed. */
double message_timeout (const RackEntry *entry);
/* Whole entries, for lookup and readdirplus. */
void fill_directory_entry (Mount *mount, const Directory *directory, struct fuse_entry_param *out);
void fill_message_entry (Mount *mount, guint32 row, const RackEntry *entry, gboolean current,
                         struct fuse_entry_param *out);
