/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-directory.c - opendir, readdir, readdirplus
 *
 * opendir waits until the index is complete, readdir never: a listing is whole, or it
 * is an error. The offset of an entry is the number of what it shows (a folder's id, a
 * message's UID), so reading goes on at the right place whatever came or went meanwhile.
 * The kernel keeps the listing until the notifier tells it to drop it.
 */
#include "inode.h"
#include "workers.h"

#include <errno.h>
#include <string.h>

#define BATCH 64

/* Offsets: 1 and 2 for "." and "..", then folders by id, then messages by UID. */
#define OFFSET_DOT      1
#define OFFSET_DOT_DOT  2
#define OFFSET_FOLDERS  (G_GINT64_CONSTANT (1) << 33)
#define OFFSET_MESSAGES (G_GINT64_CONSTANT (2) << 33)

static void
answer_opendir (Task *task)
{
  fuse_reply_open (task->req, &task->file);
}

void
op_opendir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  Mount *mount = fuse_req_userdata (req);
  Directory directory;
  if (!inode_directory (mount, ino, &directory))
    {
      fuse_reply_err (req, ESTALE);
      return;
    }
  fi->cache_readdir = 1;
  fi->keep_cache = 1;
  if (rack_folder_ready (directory.folder))
    {
      fuse_reply_open (req, fi);
      return;
    }
  Task *task = task_new (mount, req, ino);
  task->file = *fi;
  task->folder = directory.folder;
  task->wait = wait_for_folder;
  task->answer = answer_opendir;
  workers_submit (mount->lists, task);
}

/* A listing being written into the reply. */
typedef struct
{
  Mount *mount;
  fuse_req_t req;
  Directory directory;
  gboolean plus;
  char *buffer;
  size_t size, used;
} Listing;

/* FALSE: it does not fit any more. */
static gboolean
add (Listing *listing, const char *name, const struct fuse_entry_param *entry, off_t offset)
{
  char *place = listing->buffer + listing->used;
  size_t left = listing->size - listing->used;
  size_t need = listing->plus
                    ? fuse_add_direntry_plus (listing->req, place, left, name, entry, offset)
                    : fuse_add_direntry (listing->req, place, left, name, &entry->attr, offset);
  if (need > left)
    return FALSE;
  listing->used += need;
  return TRUE;
}

static gboolean
add_dots (Listing *listing, off_t after)
{
  RackFolder *folder = listing->directory.folder;
  RackFolder *above = rack_folder_parent (folder);
  Directory parent = { listing->directory.view, above };
  if (above == NULL)
    parent = (Directory){ VIEW_MESSAGES, folder };
  struct fuse_entry_param entry;
  if (after < OFFSET_DOT)
    {
      fill_directory_entry (listing->mount, &listing->directory, &entry);
      entry.ino = 0; /* readdirplus: not a lookup */
      if (!add (listing, ".", &entry, OFFSET_DOT))
        return FALSE;
    }
  if (after < OFFSET_DOT_DOT)
    {
      fill_directory_entry (listing->mount, &parent, &entry);
      entry.ino = 0;
      if (!add (listing, "..", &entry, OFFSET_DOT_DOT))
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_folders (Listing *listing, off_t after)
{
  RackFolder *children[BATCH];
  guint32 last = after >= OFFSET_FOLDERS ? (guint32) (after - OFFSET_FOLDERS) : 0;
  for (;;)
    {
      guint n = rack_folder_children (listing->directory.folder, last, children, BATCH);
      for (guint i = 0; i < n; i++)
        {
          Directory child = { listing->directory.view, children[i] };
          struct fuse_entry_param entry;
          fill_directory_entry (listing->mount, &child, &entry);
          last = inode_folder_id (entry.ino);
          if (!add (listing, rack_folder_directory (children[i]), &entry, OFFSET_FOLDERS + last))
            return FALSE;
        }
      if (n < BATCH)
        return TRUE;
    }
}

static gboolean
add_messages (Listing *listing, off_t after)
{
  RackEntry entries[BATCH];
  RackFolder *folder = listing->directory.folder;
  RackFolderFacts facts;
  rack_folder_facts (folder, &facts);
  guint32 last = after >= OFFSET_MESSAGES ? (guint32) (after - OFFSET_MESSAGES) : 0;
  for (;;)
    {
      guint n = rack_folder_entries (folder, last, entries, BATCH);
      for (guint i = 0; i < n; i++)
        {
          struct fuse_entry_param entry;
          char name[RACK_ENTRY_NAME_SIZE];
          fill_message_entry (listing->mount, facts.row, &entries[i], TRUE, &entry);
          if (listing->directory.view == VIEW_UID)
            rack_entry_name_short (entries[i].uid, name);
          last = entries[i].uid;
          if (!add (listing, listing->directory.view == VIEW_UID ? name : entries[i].name, &entry,
                    OFFSET_MESSAGES + last))
            return FALSE;
        }
      if (n < BATCH)
        return TRUE;
    }
}

static void
answer_readdir (Mount *mount, fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                gboolean plus)
{
  Listing listing = { .mount = mount, .req = req, .plus = plus, .size = size };
  if (!inode_directory (mount, ino, &listing.directory))
    {
      fuse_reply_err (req, ESTALE);
      return;
    }
  g_autofree char *buffer = g_malloc (size);
  listing.buffer = buffer;
  gboolean room = offset >= OFFSET_DOT_DOT || add_dots (&listing, offset);
  if (room && offset < OFFSET_MESSAGES)
    room = add_folders (&listing, offset);
  if (room)
    add_messages (&listing, offset);
  fuse_reply_buf (req, buffer, listing.used);
}

static void
answer_readdir_task (Task *task)
{
  answer_readdir (task->mount, task->req, task->ino, task->size, task->offset, task->plus);
}

static void
read_directory (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, gboolean plus)
{
  Mount *mount = fuse_req_userdata (req);
  Directory directory;
  RackFolderFacts facts;
  if (!inode_directory (mount, ino, &directory))
    {
      fuse_reply_err (req, ESTALE);
      return;
    }
  rack_folder_facts (directory.folder, &facts);
  if (facts.complete || !facts.selectable)
    {
      answer_readdir (mount, req, ino, size, offset, plus);
      return;
    }
  /* Another mailbox took the name since opendir. Half a listing would be a lie. */
  Task *task = task_new (mount, req, ino);
  task->folder = directory.folder;
  task->size = size;
  task->offset = offset;
  task->plus = plus;
  task->wait = wait_for_folder;
  task->answer = answer_readdir_task;
  workers_submit (mount->lists, task);
}

void
op_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  read_directory (req, ino, size, offset, FALSE);
}

void
op_readdirplus (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                struct fuse_file_info *fi)
{
  read_directory (req, ino, size, offset, TRUE);
}
