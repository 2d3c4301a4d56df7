/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-names.c - lookup, getattr, access
 *
 * Answered from the index. Only the name of a message in a mailbox that was not loaded
 * yet (or not looked at for long) waits; names that cannot be a message's never do, so
 * that an editor looking for .git does not load a mailbox.
 */
#include "inode.h"
#include "workers.h"

#include <errno.h>
#include <string.h>

static void
reply_negative (fuse_req_t req)
{
  struct fuse_entry_param none = { .ino = 0, .entry_timeout = TIMEOUT_NEGATIVE };
  fuse_reply_entry (req, &none);
}

/* The UID that a name may be about in this view, or 0. */
static guint32
uid_of_name (View view, const char *name)
{
  guint32 uid = rack_entry_name_uid (name);
  if (uid == 0 || view == VIEW_MESSAGES)
    return uid;
  char canonical[RACK_ENTRY_NAME_SIZE];
  rack_entry_name_short (uid, canonical);
  return strcmp (canonical, name) == 0 ? uid : 0;
}

static gboolean
find_message (const Directory *directory, const char *name, RackEntry *entry)
{
  guint32 uid = uid_of_name (directory->view, name);
  if (uid == 0)
    return FALSE;
  return directory->view == VIEW_UID ? rack_folder_find (directory->folder, uid, entry)
                                     : rack_folder_find_name (directory->folder, name, entry);
}

/* Replies if name is a directory. */
static gboolean
answer_directory (Mount *mount, fuse_req_t req, const Directory *parent, const char *name)
{
  Directory found = { parent->view, NULL };
  if (parent->view == VIEW_MESSAGES && rack_folder_parent (parent->folder) == NULL
      && strcmp (name, UID_VIEW_NAME) == 0)
    found = (Directory){ VIEW_UID, parent->folder };
  else
    found.folder = rack_folder_child (parent->folder, name);
  if (found.folder == NULL)
    return FALSE;
  struct fuse_entry_param entry;
  fill_directory_entry (mount, &found, &entry);
  fuse_reply_entry (req, &entry);
  return TRUE;
}

static void
answer_message (Mount *mount, fuse_req_t req, const Directory *parent, const char *name)
{
  RackEntry message;
  RackFolderFacts facts;
  struct fuse_entry_param entry;
  rack_folder_facts (parent->folder, &facts);
  if (facts.row == 0 || !find_message (parent, name, &message))
    {
      reply_negative (req);
      return;
    }
  gboolean current = rack_folder_ready (parent->folder);
  fill_message_entry (mount, facts.row, &message, current, &entry);
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

void
op_lookup (fuse_req_t req, fuse_ino_t ino, const char *name)
{
  Mount *mount = fuse_req_userdata (req);
  Directory parent;
  RackEntry message;
  if (!inode_directory (mount, ino, &parent))
    {
      fuse_reply_err (req, ESTALE);
      return;
    }
  if (strlen (name) > 255)
    {
      fuse_reply_err (req, ENAMETOOLONG);
      return;
    }
  if (answer_directory (mount, req, &parent, name))
    return;
  if (uid_of_name (parent.view, name) == 0)
    reply_negative (req);
  else if (find_message (&parent, name, &message) || rack_folder_ready (parent.folder))
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
op_getattr (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  Mount *mount = fuse_req_userdata (req);
  struct stat attributes;
  Directory directory;
  RackEntry message;

  if (inode_is_directory (ino))
    {
      if (!inode_directory (mount, ino, &directory))
        {
          fuse_reply_err (req, ESTALE);
          return;
        }
      fill_directory (mount, &directory, &attributes);
      fuse_reply_attr (req, &attributes, TIMEOUT_KNOWN);
      return;
    }
  RackFolder *folder = rack_mirror_folder_by_row (mount->mirror, inode_row (ino));
  if (folder != NULL && rack_folder_find (folder, inode_uid (ino), &message))
    {
      fill_message (mount, ino, &message, &attributes);
      fuse_reply_attr (req, &attributes, message_timeout (&message));
    }
  else if (find_open_message (mount, ino, &attributes))
    fuse_reply_attr (req, &attributes, TIMEOUT_UNWATCHED);
  else
    fuse_reply_err (req, ESTALE);
}

void
op_access (fuse_req_t req, fuse_ino_t ino, int mask)
{
  /* default_permissions: the kernel decided by the mode already. */
  fuse_reply_err (req, mask & W_OK ? EROFS : 0);
}
