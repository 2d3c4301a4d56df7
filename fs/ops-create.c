/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-create.c - create, mknod, mkdir
 *
 * A file is local first, whatever it will be. A directory is a mailbox, unless its name begins
 * with a dot or it is in a local one.
 */
#include "announce.h"
#include "inode.h"
#include "local.h"
#include "ops-node.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static gboolean
is_hidden (const char *name)
{
  return name[0] == '.';
}

/* Whether a new file may be called so, as far as that is known here. */
static int
may_make_file (const Spot *spot, const char *name)
{
  const ViewOps *ops = view_ops (spot->directory.view);
  int result = spot_takes_files (spot);
  if (result != 0)
    return result;
  /* It would look as if it were mail. */
  if (spot->local == NULL && view_has_messages (&spot->directory) && !spot_is_mail (spot, name)
      && ops->is_mail != NULL && ops->is_mail (&spot->directory, name))
    return EPERM;
  result = spot_may_change (spot);
  /* What stays here has nothing to do with the network. */
  if (result == EHOSTUNREACH && !spot_is_mail (spot, name))
    result = 0;
  return result != 0 ? result : spot_is_permitted (spot, name);
}

/* ---- Files ---------------------------------------------------------------------------------- */

/* Makes it, or takes what is there. *local: (owned) */
static int
make_file (Call *call, RackLocal **local)
{
  g_autoptr (GError) error = NULL;
  g_auto (Spot) spot = SPOT_INIT;
  g_auto (Thing) there = { .kind = THING_NONE };
  int result = spot_open (call->mount, call->ino, &spot);
  if (result == 0)
    result = may_make_file (&spot, call->name);
  if (result != 0)
    return result;
  spot_find (call->mount, &spot, call->name, &there);
  if (there.kind == THING_LOCAL && !there.facts.directory && !(call->flags & O_EXCL))
    {
      *local = g_steal_pointer (&there.local);
      return 0;
    }
  if (there.kind != THING_NONE)
    return EEXIST;
  *local = rack_local_make (spot.directory.folder, spot.space, spot.local, call->name, FALSE,
                            call->flags & O_CREAT ? call->attributes.st_mode & 0777 : 0600, &error);
  return *local != NULL ? 0 : errno_of (error);
}

static int
run_create (Call *call, GCancellable *cancellable)
{
  g_autoptr (RackLocal) local = NULL;
  if (cancellable == NULL)
    return NODE_WAIT;
  int result = make_file (call, &local);
  if (result != 0)
    return result;
  if (call->node != NULL)
    node_unref (call->node);
  call->node = local_node (call->mount, local);
  call->ino = call->node->ino;
  call->handle = node_handle_new (call->node);
  result = node_run_open (call, cancellable);
  if (result == 0)
    node_fill_entry (call->node, &call->entry);
  return result;
}

static void
reply_created (Call *call)
{
  node_handle_store (call->handle, call->ino, &call->file);
  if (fuse_reply_create (call->req, &call->entry, &call->file) == 0)
    return;
  /* The program gave up: nobody counts it, and nobody will release it. */
  nodes_forget (call->mount->nodes, call->ino, 1);
  node_handle_close (call->handle);
}

static gboolean
is_too_long (fuse_req_t req, const char *name)
{
  if (strlen (name) < VIEW_NAME_SIZE)
    return FALSE;
  fuse_reply_err (req, ENAMETOOLONG);
  return TRUE;
}

void
op_create (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
           struct fuse_file_info *fi)
{
  if (is_too_long (req, name))
    return;
  Call *call = call_new (req, parent, run_create, reply_created);
  if (call == NULL)
    return;
  call->name = g_strdup (name);
  call->file = *fi;
  call->flags = (unsigned int) fi->flags | O_CREAT;
  call->attributes.st_mode = mode;
  call_submit (call, call->mount->changes);
}

/* A file that nobody opens: it is empty. */
static int
run_mknod (Call *call, GCancellable *cancellable)
{
  g_autoptr (RackLocal) local = NULL;
  if (cancellable == NULL)
    return NODE_WAIT;
  int result = make_file (call, &local);
  if (result != 0)
    return result;
  g_autoptr (Node) node = local_node (call->mount, local);
  node_fill_entry (node, &call->entry);
  return 0;
}

void
op_mknod (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
  Mount *mount = fuse_req_userdata (req);
  gboolean comes;
  if (announcer_knows (mount, req, parent, name, &comes))
    {
      announcer_answer_call (mount, req, comes);
      return;
    }
  if (is_too_long (req, name))
    return;
  if (!S_ISREG (mode))
    {
      fuse_reply_err (req, EPERM);
      return;
    }
  Call *call = call_new (req, parent, run_mknod, call_reply_entry);
  if (call == NULL)
    return;
  call->name = g_strdup (name);
  call->flags = O_CREAT | O_EXCL;
  call->attributes.st_mode = mode;
  call_submit (call, mount->changes);
}

/* ---- Directories ---------------------------------------------------------------------------- */

static int
make_local_directory (Call *call, const Spot *spot)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RackLocal) local =
      rack_local_make (spot->directory.folder, spot->space, spot->local, call->name, TRUE,
                       call->attributes.st_mode & 0777, &error);
  if (local == NULL)
    return errno_of (error);
  g_autoptr (Node) node = local_node (call->mount, local);
  node_fill_entry (node, &call->entry);
  return 0;
}

static int
make_mailbox (Call *call, const Spot *spot, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  Directory made = { spot->directory.view, 0, NULL, 0 };
  if (spot->directory.place != 0)
    return EPERM;
  if (!rack_folder_make (spot->directory.folder, call->name, &made.folder, cancellable, &error))
    return error->code == RACK_ERROR_UNSUPPORTED ? EPERM : errno_of (error);
  fill_directory_entry (call->mount, &made, &call->entry);
  return 0;
}

static int
run_mkdir (Call *call, GCancellable *cancellable)
{
  g_auto (Spot) spot = SPOT_INIT;
  g_auto (Thing) there = { .kind = THING_NONE };
  if (cancellable == NULL)
    return NODE_WAIT;
  int result = spot_open (call->mount, call->ino, &spot);
  if (result != 0)
    return result;
  spot_find (call->mount, &spot, call->name, &there);
  if (there.kind != THING_NONE)
    return EEXIST;
  gboolean local = spot.local != NULL || is_hidden (call->name);
  result = local ? may_make_file (&spot, call->name) : spot_may_change (&spot);
  if (result != 0)
    return result;
  return local ? make_local_directory (call, &spot) : make_mailbox (call, &spot, cancellable);
}

void
op_mkdir (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
  Mount *mount = fuse_req_userdata (req);
  gboolean comes;
  if (announcer_knows (mount, req, parent, name, &comes))
    {
      announcer_answer_call (mount, req, comes);
      return;
    }
  if (is_too_long (req, name))
    return;
  if (inode_kind (parent) == INODE_NODE && !local_is_directory (mount, parent))
    {
      node_op_make_directory (req, parent, name);
      return;
    }
  Call *call = call_new (req, parent, run_mkdir, call_reply_entry);
  if (call == NULL)
    return;
  call->name = g_strdup (name);
  call->attributes.st_mode = mode;
  call_submit (call, mount->changes);
}

/* ---- What there is not ---------------------------------------------------------------------- */

/* EPERM: programs then do it in another way. */
static void
refuse (fuse_req_t req, fuse_ino_t parent)
{
  g_auto (Spot) spot = SPOT_INIT;
  int result = spot_open (fuse_req_userdata (req), parent, &spot);
  if (result == 0)
    result = spot_may_change (&spot);
  fuse_reply_err (req, result != 0 ? result : EPERM);
}

void
op_symlink (fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
  refuse (req, parent);
}

/* A mail with two names would be two for programs that read Maildirs. */
void
op_link (fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
  refuse (req, parent);
}
