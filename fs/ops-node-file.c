/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-node-file.c - requests about nodes that are files
 *
 * A message that is being rewritten (drafts.h) is open as a node too.
 */
#include "calls.h"
#include "inode.h"
#include "ops-node.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

static Workers *
readers_of (fuse_req_t req, NodeHandle *handle)
{
  Mount *mount = fuse_req_userdata (req);
  return handle->node->ops->waits_for_news ? mount->news : mount->bodies;
}

static Workers *
changes_of (fuse_req_t req)
{
  return ((Mount *) fuse_req_userdata (req))->changes;
}

/* ---- open, read, write ------------------------------------------------------------------ */

void
node_reply_open (Call *call)
{
  node_handle_store (call->handle, call->ino, &call->file);
  if (fuse_reply_open (call->req, &call->file) != 0)
    node_handle_close (call->handle); /* the program gave up; nobody will release it */
}

int
node_run_open (Call *call, GCancellable *cancellable)
{
  const NodeOps *ops = call->node->ops;
  if ((call->file.flags & O_ACCMODE) != O_RDONLY && ops->write == NULL)
    return EROFS;
  if ((call->file.flags & O_ACCMODE) != O_WRONLY && ops->read == NULL)
    return EACCES;
  int result =
      ops->open != NULL ? ops->open (call->node, &call->file, cancellable, &call->handle->data) : 0;
  call->handle->opened = result == 0;
  return result;
}

void
node_op_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  Call *call = call_new (req, ino, node_run_open, node_reply_open);
  if (call != NULL)
    {
      call->file = *fi;
      call->handle = node_handle_new (call->node);
    }
  call_submit (call, ((Mount *) fuse_req_userdata (req))->bodies);
}

static int
run_read (Call *call, GCancellable *cancellable)
{
  g_clear_pointer (&call->octets.memory, g_free);
  return call->node->ops->read (call->node, call->handle->data, call->size, call->offset,
                                call->file.flags, cancellable, &call->octets);
}

static void
reply_octets (Call *call)
{
  const NodeOctets *octets = &call->octets;
  struct fuse_bufvec reply = FUSE_BUFVEC_INIT (MIN (octets->size, call->size));
  if (octets->memory != NULL || octets->size == 0)
    {
      fuse_reply_buf (call->req, octets->memory, reply.buf[0].size);
      return;
    }
  reply.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK | FUSE_BUF_FD_RETRY;
  reply.buf[0].fd = octets->fd;
  reply.buf[0].pos = octets->position;
  fuse_reply_data (call->req, &reply, 0);
}

void
node_op_read (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  Call *call = call_new_for_handle (req, ino, fi, run_read, reply_octets);
  if (call != NULL)
    {
      call->size = size;
      call->offset = offset;
    }
  call_submit (call, readers_of (req, node_handle_of (fi)));
}

static int
run_write (Call *call, GCancellable *cancellable)
{
  return call->node->ops->write (call->node, call->handle->data, call->written, call->size,
                                 call->offset, cancellable);
}

static void
reply_written (Call *call)
{
  fuse_reply_write (call->req, call->size);
}

void
node_op_write (fuse_req_t req, fuse_ino_t ino, const char *octets, size_t size, off_t offset,
               struct fuse_file_info *fi)
{
  Call *call = call_new_for_handle (req, ino, fi, run_write, reply_written);
  if (call != NULL)
    {
      call->written = octets;
      call->size = size;
      call->offset = offset;
    }
  call_submit (call, changes_of (req));
}

/* ---- Durable, and the end --------------------------------------------------------------- */

static int
run_flush (Call *call, GCancellable *cancellable)
{
  return call->node->ops->flush (call->node, call->handle->data, cancellable);
}

void
node_op_flush (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  if (node_handle_of (fi)->node->ops->flush == NULL)
    fuse_reply_err (req, 0);
  else
    call_submit (call_new_for_handle (req, ino, fi, run_flush, call_reply_done), changes_of (req));
}

static int
run_sync (Call *call, GCancellable *cancellable)
{
  return call->node->ops->sync (call->node, call->handle->data, cancellable);
}

void
node_op_fsync (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  if (node_handle_of (fi)->node->ops->sync == NULL)
    fuse_reply_err (req, 0);
  else
    call_submit (call_new_for_handle (req, ino, fi, run_sync, call_reply_done), changes_of (req));
}

/* The call holds the handle; with the call it goes, on the worker's thread. */
static int
run_release (Call *call, GCancellable *cancellable)
{
  return cancellable == NULL ? NODE_WAIT : 0;
}

void
node_op_release (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  NodeHandle *handle = node_handle_of (fi);
  if (!handle->node->ops->release_waits)
    {
      node_handle_close (handle);
      fuse_reply_err (req, 0);
      return;
    }
  Call *call = call_new_for_handle (req, ino, fi, run_release, call_reply_done);
  node_handle_close (handle);
  call_submit (call, changes_of (req));
}

/* ---- Attributes ------------------------------------------------------------------------- */

static int
run_setattr (Call *call, GCancellable *cancellable)
{
  const NodeOps *ops = call->node->ops;
  gboolean only_size =
      (call->which & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) == 0
      && (call->which & FUSE_SET_ATTR_SIZE) != 0;
  if (ops->set != NULL)
    return ops->set (call->node, &call->attributes, call->which, cancellable);
  /* Shells truncate what they write to; what can be written keeps nothing. */
  return only_size && ops->write != NULL ? 0 : EROFS;
}

static void
reply_attributes (Call *call)
{
  struct stat attributes;
  double timeout = node_fill (call->node, &attributes);
  fuse_reply_attr (call->req, &attributes, MAX (timeout, 0));
}

static void
set_attributes (Call *call, const struct stat *attributes, int which)
{
  if (call == NULL)
    return;
  call->attributes = *attributes;
  call->which = which;
  call_submit (call, call->mount->changes);
}

void
node_op_setattr (fuse_req_t req, fuse_ino_t ino, const struct stat *attributes, int which)
{
  set_attributes (call_new (req, ino, run_setattr, reply_attributes), attributes, which);
}

void
node_op_setattr_as (fuse_req_t req, fuse_ino_t ino, Node *node, const struct stat *attributes,
                    int which)
{
  Call *call = call_new (req, ino, run_setattr, reply_attributes);
  call->node = node_ref (node);
  set_attributes (call, attributes, which);
}

/* ---- poll ------------------------------------------------------------------------------- */

void
node_op_poll (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
              struct fuse_pollhandle *waker)
{
  NodeHandle *handle = node_handle_of (fi);
  if (handle->node->ops->poll == NULL)
    {
      if (waker != NULL)
        fuse_pollhandle_destroy (waker);
      fuse_reply_poll (req, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
      return;
    }
  fuse_reply_poll (req, handle->node->ops->poll (handle->node, handle->data, waker));
}
