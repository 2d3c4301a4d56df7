/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-change.c - what would change something
 *
 * Mail is read-only in this version: EROFS. Some nodes can be written or have names made
 * and removed in them (.mailrack/ctl, .search); they answer for themselves.
 */
#include "announce.h"
#include "inode.h"

#include <errno.h>

/* Of mail nobody makes or removes a name but who announces it. */
static void
change_name (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  Mount *mount = fuse_req_userdata (req);
  gboolean comes;
  if (announcer_knows (mount, req, parent, name, &comes))
    announcer_answer_call (mount, req, comes);
  else
    fuse_reply_err (req, EROFS);
}

void
op_mknod (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
  change_name (req, parent, name);
}

void
op_refuse_symlink (fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
  fuse_reply_err (req, EROFS);
}

void
op_rename (fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
           const char *new_name, unsigned int flags)
{
  Mount *mount = fuse_req_userdata (req);
  gboolean old_comes, new_comes;
  if (announcer_knows (mount, req, parent, name, &old_comes) && !old_comes
      && announcer_knows (mount, req, new_parent, new_name, &new_comes) && new_comes)
    announcer_answer_call (mount, req, FALSE);
  else
    fuse_reply_err (req, EROFS);
}

void
op_refuse_link (fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
  fuse_reply_err (req, EROFS);
}

void
op_refuse_create (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                  struct fuse_file_info *fi)
{
  fuse_reply_err (req, EROFS);
}

void
op_mkdir (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
  if (inode_kind (parent) == INODE_NODE)
    node_op_make_directory (req, parent, name);
  else
    change_name (req, parent, name);
}

void
op_unlink (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  if (inode_kind (parent) == INODE_NODE)
    node_op_remove (req, parent, name, FALSE);
  else
    change_name (req, parent, name);
}

void
op_rmdir (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  if (inode_kind (parent) == INODE_NODE)
    node_op_remove (req, parent, name, TRUE);
  else
    change_name (req, parent, name);
}

void
op_write (fuse_req_t req, fuse_ino_t ino, const char *octets, size_t size, off_t offset,
          struct fuse_file_info *fi)
{
  if (inode_kind (ino) == INODE_NODE)
    node_op_write (req, ino, octets, size, offset, fi);
  else
    fuse_reply_err (req, EROFS);
}

void
op_setattr (fuse_req_t req, fuse_ino_t ino, struct stat *attributes, int which,
            struct fuse_file_info *fi)
{
  /* Shells truncate what they write to. */
  gboolean more = (which & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) != 0;
  if (inode_kind (ino) == INODE_NODE && (which & FUSE_SET_ATTR_SIZE) && !more)
    node_op_truncate (req, ino);
  else
    fuse_reply_err (req, EROFS);
}
