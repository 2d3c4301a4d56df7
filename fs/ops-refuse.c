/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-refuse.c - everything that would change something: EROFS
 *
 * The kernel refuses most of it by itself, since the file system is mounted read-only;
 * these answer when somebody remounted it read-write.
 */
#include "mount.h"

#include <errno.h>

void
op_refuse_mknod (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
  fuse_reply_err (req, EROFS);
}

void
op_refuse_mkdir (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
  fuse_reply_err (req, EROFS);
}

void
op_refuse_name (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  fuse_reply_err (req, EROFS);
}

void
op_refuse_symlink (fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
  fuse_reply_err (req, EROFS);
}

void
op_refuse_rename (fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                  const char *new_name, unsigned int flags)
{
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
op_refuse_setattr (fuse_req_t req, fuse_ino_t ino, struct stat *attributes, int which,
                   struct fuse_file_info *fi)
{
  fuse_reply_err (req, EROFS);
}
