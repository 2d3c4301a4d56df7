/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-attributes.c - getattr, setattr, access
 *
 * What mail is like is the server's: dates, modes and owners of messages and mailboxes are
 * accepted without effect, because programs that copy could not do without.
 */
#include "drafts.h"
#include "inode.h"

#include "calls.h"

#include <errno.h>

static void
get_directory (Mount *mount, fuse_req_t req, fuse_ino_t ino)
{
  Directory directory;
  struct stat attributes;
  if (!inode_directory (mount, ino, &directory))
    {
      fuse_reply_err (req, ESTALE);
      return;
    }
  fill_directory (mount, &directory, &attributes);
  fuse_reply_attr (req, &attributes, TIMEOUT_KNOWN);
}

static void
get_message (Mount *mount, fuse_req_t req, fuse_ino_t ino)
{
  struct stat attributes;
  RackEntry entry;
  g_autoptr (Node) draft = draft_of (mount, ino);
  if (draft != NULL)
    {
      double timeout = node_fill (draft, &attributes);
      fuse_reply_attr (req, &attributes, MAX (timeout, 0));
    }
  else if (rack_mirror_whereabouts (mount->mirror, inode_row (ino), inode_uid (ino), &entry)
           != NULL)
    {
      fill_message (mount, ino, &entry, &attributes);
      fuse_reply_attr (req, &attributes, message_timeout (&entry));
    }
  else if (find_open_message (mount, ino, &attributes))
    fuse_reply_attr (req, &attributes, TIMEOUT_UNWATCHED);
  else
    fuse_reply_err (req, ESTALE);
}

void
op_getattr (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  Mount *mount = fuse_req_userdata (req);
  switch (inode_kind (ino))
    {
    case INODE_NODE:
      node_op_getattr (req, ino);
      break;
    case INODE_DIRECTORY:
      get_directory (mount, req, ino);
      break;
    case INODE_MESSAGE:
      get_message (mount, req, ino);
      break;
    }
}

/* ---- setattr -------------------------------------------------------------------------------- */

/* Whether a change without effect is accepted: 0, or an errno. */
static int
may_pretend (const Mount *mount, RackFolder *folder, const struct stat *attributes, int which)
{
  g_autoptr (GError) error = NULL;
  if ((which & FUSE_SET_ATTR_UID) && attributes->st_uid != mount->uid)
    return EPERM;
  if ((which & FUSE_SET_ATTR_GID) && attributes->st_gid != mount->gid)
    return EPERM;
  if (!rack_folder_may_change (folder, &error) && error->code != RACK_ERROR_NETWORK)
    return errno_of (error);
  Directory directory = { VIEW_MAILDIR, 0, folder, 0 };
  return view_is_writable (&directory) ? 0 : EACCES;
}

static void
set_directory (Mount *mount, fuse_req_t req, fuse_ino_t ino, const struct stat *attributes,
               int which)
{
  Directory directory;
  int result = ESTALE;
  if (inode_directory (mount, ino, &directory))
    result = !view_ops (directory.view)->changes
                 ? EROFS
                 : may_pretend (mount, directory.folder, attributes, which);
  if (result != 0)
    fuse_reply_err (req, result);
  else
    get_directory (mount, req, ino);
}

/* truncate(2) of a message, which nobody has open. */
static int
run_truncate (Call *call, GCancellable *cancellable)
{
  if (cancellable == NULL)
    return NODE_WAIT;
  int result =
      draft_begin (call->mount, call->ino, call->attributes.st_size == 0, cancellable, &call->node);
  if (result != 0)
    return result;
  return call->node->ops->set (call->node, &call->attributes, call->which, cancellable);
}

static void
reply_message (Call *call)
{
  get_message (call->mount, call->req, call->ino);
}

static void
set_message (Mount *mount, fuse_req_t req, fuse_ino_t ino, const struct stat *attributes, int which)
{
  g_autoptr (Node) draft = draft_of (mount, ino);
  if (draft != NULL)
    {
      node_op_setattr_as (req, ino, draft, attributes, which);
      return;
    }
  if (which & FUSE_SET_ATTR_SIZE)
    {
      Call *call = call_new (req, ino, run_truncate, reply_message);
      call->attributes = *attributes;
      call->which = which;
      call_submit (call, mount->changes);
      return;
    }
  RackFolder *folder =
      rack_mirror_whereabouts (mount->mirror, inode_row (ino), inode_uid (ino), NULL);
  int result = folder != NULL ? may_pretend (mount, folder, attributes, which) : ESTALE;
  if (result != 0)
    fuse_reply_err (req, result);
  else
    get_message (mount, req, ino);
}

void
op_setattr (fuse_req_t req, fuse_ino_t ino, struct stat *attributes, int which,
            struct fuse_file_info *fi)
{
  Mount *mount = fuse_req_userdata (req);
  if (inode_kind (ino) == INODE_NODE)
    node_op_setattr (req, ino, attributes, which);
  else if (node_handles (ino, fi))
    node_op_setattr_as (req, ino, node_handle_of (fi)->node, attributes, which);
  else if (inode_kind (ino) == INODE_DIRECTORY)
    set_directory (mount, req, ino, attributes, which);
  else
    set_message (mount, req, ino, attributes, which);
}

void
op_access (fuse_req_t req, fuse_ino_t ino, int mask)
{
  /* default_permissions: the kernel decided by the mode already. */
  fuse_reply_err (req, 0);
}
