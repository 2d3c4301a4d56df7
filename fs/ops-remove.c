/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-remove.c - unlink, rmdir
 *
 * Mail goes into the trash; a mailbox only when there is nothing in it, neither mail nor files
 * of programs.
 */
#include "announce.h"
#include "calls.h"
#include "drafts.h"
#include "inode.h"
#include "local.h"

#include <errno.h>

static int
remove_local (const Thing *thing, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  if (rack_local_remove (thing->local, cancellable, &error))
    return 0;
  return error->code == RACK_ERROR_BUSY && thing->facts.directory ? ENOTEMPTY : errno_of (error);
}

static int remove_file (Call *call, const Spot *spot, GCancellable *cancellable);

/* What was sent a moment ago is a message, as soon as that is seen; and a draft that is being
 * rewritten is two to us, but one to whoever removes it. */
static int
remove_local_file (Call *call, const Spot *spot, const Thing *thing, GCancellable *cancellable)
{
  RackLocalFacts facts;
  int result = remove_local (thing, cancellable);
  if (result != 0)
    return result;
  rack_local_facts (thing->local, &facts);
  if (facts.state == RACK_LOCAL_SENT)
    return local_await_message (thing->local, cancellable) ? remove_file (call, spot, cancellable)
                                                           : EINTR;
  return draft_uncover (call->mount, spot, call->name);
}

static int
remove_message (const Thing *thing)
{
  g_autoptr (GError) error = NULL;
  RackTicket ticket;
  if (rack_folder_remove (thing->folder, thing->row, thing->entry.uid, &ticket, &error))
    return 0;
  switch (error->code)
    {
    case RACK_ERROR_UNSUPPORTED: /* no trash, or in it */
      return EPERM;
    case RACK_ERROR_STALE:
      return ENOENT;
    default:
      return errno_of (error);
    }
}

static int
remove_file (Call *call, const Spot *spot, GCancellable *cancellable)
{
  g_auto (Thing) thing = { .kind = THING_NONE };
  spot_find (call->mount, spot, call->name, &thing);
  switch (thing.kind)
    {
    case THING_NONE:
      return ENOENT;
    case THING_FIXED:
    case THING_FOLDER:
      return EISDIR;
    case THING_LOCAL:
      return thing.facts.directory ? EISDIR : remove_local_file (call, spot, &thing, cancellable);
    case THING_MESSAGE:
      return remove_message (&thing);
    }
  return EIO;
}

static int
run_unlink (Call *call, GCancellable *cancellable)
{
  g_auto (Spot) spot = SPOT_INIT;
  if (cancellable == NULL)
    return NODE_WAIT;
  int result = spot_open (call->mount, call->ino, &spot);
  return result != 0 ? result : remove_file (call, &spot, cancellable);
}

/* Files that programs keep in a folder, in any view. */
static gboolean
holds_files (RackFolder *folder)
{
  RackArrival arrival;
  RackLocal *local;
  View view;
  guint place;
  for (guint space = 0; view_of_space (space, &view, &place); space++)
    if (rack_local_list (folder, space, NULL, 0, &local, 1) == 1)
      {
        rack_local_unref (local);
        return TRUE;
      }
  return rack_folder_arrivals (folder, 0, &arrival, 1) == 1;
}

static int
remove_folder (RackFolder *folder, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  if (holds_files (folder))
    return ENOTEMPTY;
  if (rack_folder_unmake (folder, cancellable, &error))
    return 0;
  switch (error->code)
    {
    case RACK_ERROR_BUSY:
      return ENOTEMPTY;
    case RACK_ERROR_UNSUPPORTED: /* INBOX, or one that has a special use */
      return EBUSY;
    default:
      return errno_of (error);
    }
}

static int
run_rmdir (Call *call, GCancellable *cancellable)
{
  g_auto (Spot) spot = SPOT_INIT;
  g_auto (Thing) thing = { .kind = THING_NONE };
  if (cancellable == NULL)
    return NODE_WAIT;
  int result = spot_open (call->mount, call->ino, &spot);
  if (result != 0)
    return result;
  spot_find (call->mount, &spot, call->name, &thing);
  switch (thing.kind)
    {
    case THING_NONE:
      return ENOENT;
    case THING_FIXED:
      return EBUSY;
    case THING_FOLDER:
      return remove_folder (thing.folder, cancellable);
    case THING_LOCAL:
      return thing.facts.directory ? remove_local (&thing, cancellable) : ENOTDIR;
    case THING_MESSAGE:
      return ENOTDIR;
    }
  return EIO;
}

static void
remove_name (fuse_req_t req, fuse_ino_t parent, const char *name, gboolean directory)
{
  Mount *mount = fuse_req_userdata (req);
  gboolean comes;
  if (announcer_knows (mount, req, parent, name, &comes))
    {
      announcer_answer_call (mount, req, comes);
      return;
    }
  if (inode_kind (parent) == INODE_NODE && !local_is_directory (mount, parent))
    {
      node_op_remove (req, parent, name, directory);
      return;
    }
  Call *call = call_new (req, parent, directory ? run_rmdir : run_unlink, call_reply_done);
  if (call != NULL)
    call->changes = TRUE;
  if (call == NULL)
    return;
  call->name = g_strdup (name);
  call_submit (call, mount->changes);
}

void
op_unlink (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  remove_name (req, parent, name, FALSE);
}

void
op_rmdir (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  remove_name (req, parent, name, TRUE);
}
