/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * inode.h - inode numbers and attributes
 *
 * A number says what it is, so there is no table and nothing to forget. A message is
 * its mailbox' row and its UID, in every view; a directory has the top bit set and
 * holds its view and the folder's id; the root is FUSE's own. All are the same after
 * a remount, and those of messages ascend with the UID.
 */
#pragma once

#include "mount.h"

typedef enum
{
  VIEW_MESSAGES, /* DATE_FROM_SUBJECT.UID.eml */
  VIEW_UID,      /* .uid: UID.eml */
} View;

#define UID_VIEW_NAME ".uid"

/* A directory: a folder in a view. */
typedef struct
{
  View view;
  RackFolder *folder;
} Directory;

gboolean inode_is_directory (fuse_ino_t ino);
fuse_ino_t inode_of_directory (View view, RackFolder *folder);
fuse_ino_t inode_of_message (guint32 row, guint32 uid);
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
