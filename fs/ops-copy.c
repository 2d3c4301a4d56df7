/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-copy.c - copy_file_range: a whole message is copied by the server
 *
 * Only into a file that was made for it and is empty yet; of anything else the octets are
 * copied, which the kernel does when it hears EOPNOTSUPP.
 */
#include "calls.h"
#include "drafts.h"
#include "inode.h"
#include "local.h"

#include <errno.h>
#include <unistd.h>

/* The size of message ino, if it is certain. */
static gboolean
find_size (Mount *mount, fuse_ino_t ino, guint64 *size)
{
  RackEntry entry;
  g_autoptr (Node) draft = draft_of (mount, ino);
  if (draft != NULL
      || rack_mirror_whereabouts (mount->mirror, inode_row (ino), inode_uid (ino), &entry) == NULL)
    return FALSE;
  *size = entry.size;
  return entry.exact || entry.dependable;
}

/* What the file was the kernel is told to forget: it is the message's copy now. Those who have it
 * open cannot read it; they find that it has grown. */
static int
copy_message (Call *call, RackLocal *local, const RackLocalFacts *facts, guint64 size,
              GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  RackTicket ticket;
  Directory directory = { .folder = facts->folder };
  guint32 row = inode_row (call->ino), uid = inode_uid (call->ino);
  RackFolder *folder = rack_mirror_whereabouts (call->mount->mirror, row, uid, NULL);
  if (folder == NULL
      || !rack_folder_copy (folder, row, uid, facts->folder, facts->name, &ticket, &error)
      || !rack_local_remove (local, cancellable, &error))
    return EOPNOTSUPP;
  int fd = rack_local_file (local, NULL);
  if (fd >= 0 && ftruncate (fd, (off_t) size) != 0)
    g_debug ("the file stays empty");
  view_of_space (facts->space, &directory.view, &directory.place);
  notifier_forget_name (call->mount->notifier, inode_of_directory (call->mount, &directory),
                        facts->name);
  return 0;
}

static int
run_copy (Call *call, GCancellable *cancellable)
{
  RackLocalFacts facts;
  guint64 size;
  if (cancellable == NULL)
    return NODE_WAIT;
  if (!find_size (call->mount, call->ino, &size))
    return EOPNOTSUPP;
  if ((guint64) call->offset >= size)
    {
      call->size = 0;
      return 0;
    }
  g_autoptr (Node) node = nodes_find (call->mount->nodes, call->new_ino);
  RackLocal *local = node != NULL ? local_of (node) : NULL;
  if (local == NULL || call->offset != 0 || call->size < size)
    return EOPNOTSUPP;
  rack_local_facts (local, &facts);
  /* A name in a Maildir is not what the message would be called. */
  if (facts.directory || facts.space != 0 || facts.size != 0 || facts.state != RACK_LOCAL_SCRATCH
      || !local_is_mail (&facts) || local_is_read (node))
    return EOPNOTSUPP;
  call->size = size;
  return copy_message (call, local, &facts, size, cancellable);
}

static void
reply_copied (Call *call)
{
  fuse_reply_write (call->req, call->size);
}

void
op_copy_file_range (fuse_req_t req, fuse_ino_t ino, off_t offset, struct fuse_file_info *fi,
                    fuse_ino_t new_ino, off_t new_offset, struct fuse_file_info *new_fi,
                    size_t size, int flags)
{
  Mount *mount = fuse_req_userdata (req);
  if (inode_kind (ino) != INODE_MESSAGE || inode_kind (new_ino) != INODE_NODE
      || (new_offset != 0 && new_offset != offset))
    {
      fuse_reply_err (req, EOPNOTSUPP);
      return;
    }
  Call *call = call_new (req, ino, run_copy, reply_copied);
  if (call != NULL)
    call->changes = TRUE;
  call->offset = offset;
  call->new_ino = new_ino;
  call->size = size;
  call_submit (call, mount->changes);
}
