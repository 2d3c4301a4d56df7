/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-names.c - lookup, readlink
 *
 * Answered from the index. Only the name of a message in a mailbox that was not loaded
 * yet (or not looked at for long) waits; names that cannot be a message's never do, so
 * that an editor looking for .git does not load a mailbox.
 */
#include "announce.h"
#include "inode.h"
#include "local.h"
#include "workers.h"

#include <errno.h>
#include <string.h>

/* An answer that may be a node: if the program gave up, the kernel did not count it. */
static void
reply_entry (Mount *mount, fuse_req_t req, const struct fuse_entry_param *entry)
{
  if (fuse_reply_entry (req, entry) != 0 && inode_kind (entry->ino) == INODE_NODE)
    nodes_forget (mount->nodes, entry->ino, 1);
}

static void
reply_negative (fuse_req_t req)
{
  struct fuse_entry_param none = { .ino = 0, .entry_timeout = TIMEOUT_NEGATIVE };
  fuse_reply_entry (req, &none);
}

/* Replies if name is another view's. */
static gboolean
answer_view (Mount *mount, fuse_req_t req, const Directory *parent, const char *name)
{
  View view = view_by_name (name);
  Directory top = { view, 0, parent->folder, 0 };
  struct fuse_entry_param entry;
  if (view == N_VIEWS || view == mount->root)
    return FALSE;
  g_atomic_int_or ((guint *) &mount->views_known, 1U << view);
  if (view_ops (view)->root != NULL)
    {
      g_autoptr (Node) node = view_ops (view)->root (mount);
      node_fill_entry (node, &entry);
      reply_entry (mount, req, &entry);
      return TRUE;
    }
  fill_directory_entry (mount, &top, &entry);
  fuse_reply_entry (req, &entry);
  return TRUE;
}

/* Replies if name is a directory of the same view. */
static gboolean
answer_directory (Mount *mount, fuse_req_t req, const Directory *parent, const char *name)
{
  Directory found;
  if (!view_find_directory (parent, name, &found))
    return FALSE;
  g_atomic_int_or ((guint *) &mount->views_used, 1U << parent->view);
  struct fuse_entry_param entry;
  fill_directory_entry (mount, &found, &entry);
  fuse_reply_entry (req, &entry);
  return TRUE;
}

/* Replies if name is a file or directory of a program's. */
static gboolean
answer_local (Mount *mount, fuse_req_t req, const Directory *parent, const char *name)
{
  int space = view_space (parent);
  struct fuse_entry_param entry;
  if (space < 0)
    return FALSE;
  g_autoptr (RackLocal) local = rack_local_find (parent->folder, (guint) space, NULL, name);
  if (local == NULL)
    return FALSE;
  g_autoptr (Node) node = local_node (mount, local);
  node_fill_entry (node, &entry);
  reply_entry (mount, req, &entry);
  return TRUE;
}

/* What it is that is not there, or not yet in the index. */
static void
answer_unlisted (Mount *mount, fuse_req_t req, const Directory *parent, const char *name)
{
  struct fuse_entry_param entry;
  RackArrival arrival;
  if (!view_find_arrival (parent, name, &arrival))
    {
      reply_negative (req);
      return;
    }
  fill_message_entry (mount, arrival.row, &arrival.entry, TRUE, &entry);
  fuse_reply_entry (req, &entry);
}

static void
answer_message (Mount *mount, fuse_req_t req, const Directory *parent, const char *name)
{
  RackEntry message;
  RackFolderFacts facts;
  struct fuse_entry_param entry;
  rack_folder_facts (parent->folder, &facts);
  if (facts.row == 0 || !view_find_message (parent, name, &message))
    {
      answer_unlisted (mount, req, parent, name);
      return;
    }
  const ViewOps *ops = view_ops (parent->view);
  if (ops->fill_entry != NULL)
    {
      int result = ops->fill_entry (mount, parent, facts.row, &message, &entry);
      if (result != 0)
        fuse_reply_err (req, result);
      else
        reply_entry (mount, req, &entry);
      return;
    }
  if (ops->fill_former != NULL && !view_is_called (parent, &message, name))
    {
      ops->fill_former (mount, parent, facts.row, &message, &entry);
      reply_entry (mount, req, &entry);
      return;
    }
  fill_message_entry (mount, facts.row, &message, rack_folder_ready (parent->folder), &entry);
  fuse_reply_entry (req, &entry);
}

gboolean
wait_for_folder (Task *task, GCancellable *cancellable, GError **error)
{
  return rack_folder_wait (task->folder, cancellable, error);
}

static void
answer_task (Task *task)
{
  Directory parent;
  if (!inode_directory (task->mount, task->ino, &parent))
    fuse_reply_err (task->req, ESTALE);
  else
    answer_message (task->mount, task->req, &parent, task->name);
}

/* Whether a name that nobody knows could be a message's once the folder was looked at again, or was
 * loaded. Names that programs gave are all known then. */
static gboolean
may_come (const Directory *parent, const char *name)
{
  const ViewOps *ops = view_ops (parent->view);
  RackFolderFacts facts;
  if (view_name_uid (parent, name) != 0)
    return !rack_folder_ready (parent->folder);
  rack_folder_facts (parent->folder, &facts);
  return facts.selectable && !facts.complete && ops->find_given != NULL && ops->is_mail != NULL
         && view_has_messages (parent) && ops->is_mail (parent, name)
         && (ops->is_given == NULL || ops->is_given (parent, name));
}

void
op_lookup (fuse_req_t req, fuse_ino_t ino, const char *name)
{
  Mount *mount = fuse_req_userdata (req);
  Directory parent;
  RackEntry message;
  if (strlen (name) > 255)
    {
      fuse_reply_err (req, ENAMETOOLONG);
      return;
    }
  gboolean comes;
  if (announcer_knows (mount, req, ino, name, &comes))
    {
      announcer_answer_lookup (mount, req, comes);
      return;
    }
  if (inode_kind (ino) == INODE_NODE)
    {
      node_op_lookup (req, ino, name);
      return;
    }
  if (!inode_directory (mount, ino, &parent))
    {
      fuse_reply_err (req, ESTALE);
      return;
    }
  if (ino == FUSE_ROOT_ID && answer_view (mount, req, &parent, name))
    return;
  if (answer_directory (mount, req, &parent, name))
    return;
  if (answer_local (mount, req, &parent, name))
    return;
  if (view_find_message (&parent, name, &message) || !may_come (&parent, name))
    answer_message (mount, req, &parent, name);
  else
    {
      Task *task = task_new (mount, req, ino);
      g_strlcpy (task->name, name, sizeof task->name);
      task->folder = parent.folder;
      task->wait = wait_for_folder;
      task->answer = answer_task;
      workers_submit (mount->lists, task);
    }
}

void
op_readlink (fuse_req_t req, fuse_ino_t ino)
{
  if (inode_kind (ino) == INODE_NODE)
    node_op_readlink (req, ino);
  else
    fuse_reply_err (req, EINVAL);
}
