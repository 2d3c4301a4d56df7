/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-draft.c - open of a message that is being rewritten, or is going to be
 */
#include "drafts.h"
#include "ops-node.h"

#include <fcntl.h>

static int
run_open (Call *call, GCancellable *cancellable)
{
  gboolean writes = (call->file.flags & O_ACCMODE) != O_RDONLY;
  if (call->node == NULL)
    call->node = draft_of (call->mount, call->ino);
  if (call->node == NULL && cancellable == NULL)
    return NODE_WAIT;
  if (call->node == NULL)
    {
      gboolean empty = writes && (call->file.flags & O_TRUNC) != 0;
      int result = draft_begin (call->mount, call->ino, empty, cancellable, &call->node);
      if (result != 0)
        return result;
    }
  if (call->handle == NULL)
    call->handle = node_handle_new (call->node);
  return node_run_open (call, cancellable);
}

void
draft_op_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  Call *call = call_new (req, ino, run_open, node_reply_open);
  call->file = *fi;
  call_submit (call, call->mount->changes);
}
