/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops.c - the table of operations, and the small ones
 */
#include "inode.h"

#include <string.h>

/* Requests of the kernel's own accord (reading ahead) that may be under way. With few of them, a
 * handful of reads that wait for a slow server would keep all others waiting. */
#define BACKGROUND_MAX 1024

static void
op_init (void *data, struct fuse_conn_info *conn)
{
  /* Always with attributes: left to itself the kernel asks for each of them again. */
  conn->want &= ~FUSE_CAP_READDIRPLUS_AUTO;
  /* Not because messages change: with it the kernel asks for the size before it reads a file whose
   * size it may not believe. Without it a program that reads and does not fstat gets zeros beyond
   * the end of an over-stated file when two reads ahead are answered in the other order. */
  conn->want |= conn->capable & FUSE_CAP_AUTO_INVAL_DATA;
  conn->want |= conn->capable & FUSE_CAP_SPLICE_WRITE;
  conn->max_background = BACKGROUND_MAX;
  conn->congestion_threshold = BACKGROUND_MAX * 3 / 4;
}

static void
op_forget (fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
  Mount *mount = fuse_req_userdata (req);
  if (inode_kind (ino) == INODE_NODE)
    nodes_forget (mount->nodes, ino, count);
  fuse_reply_none (req);
}

static void
op_forget_multi (fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
  Mount *mount = fuse_req_userdata (req);
  for (size_t i = 0; i < count; i++)
    if (inode_kind (forgets[i].ino) == INODE_NODE)
      nodes_forget (mount->nodes, forgets[i].ino, forgets[i].nlookup);
  fuse_reply_none (req);
}

const struct fuse_lowlevel_ops mount_ops = {
  .init = op_init,
  .lookup = op_lookup,
  .getattr = op_getattr,
  .access = op_access,
  .opendir = op_opendir,
  .readdir = op_readdir,
  .readdirplus = op_readdirplus,
  .open = op_open,
  .read = op_read,
  .release = op_release,
  .releasedir = op_releasedir,
  .write = op_write,
  .poll = op_poll,
  .readlink = op_readlink,
  .statfs = op_statfs,
  .getxattr = op_getxattr,
  .listxattr = op_listxattr,
  .setxattr = op_setxattr,
  .removexattr = op_removexattr,
  .forget = op_forget,
  .forget_multi = op_forget_multi,
  .create = op_create,
  .mknod = op_mknod,
  .mkdir = op_mkdir,
  .symlink = op_symlink,
  .link = op_link,
  .unlink = op_unlink,
  .rmdir = op_rmdir,
  .rename = op_rename,
  .setattr = op_setattr,
  .flush = op_flush,
  .fsync = op_fsync,
  .fsyncdir = op_fsyncdir,
  .copy_file_range = op_copy_file_range,
};
