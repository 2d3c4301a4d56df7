/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-directory.c - opendir, readdir, readdirplus
 *
 * opendir waits until the index is complete, readdir never: a listing is whole, or it
 * is an error. The offset of an entry is the number of what it shows (a folder's id, a
 * message's UID), so reading goes on at the right place whatever came or went meanwhile.
 * The kernel keeps the listing until the notifier tells it to drop it.
 */
#include "beside.h"
#include "inode.h"
#include "opened.h"
#include "workers.h"

#include <errno.h>
#include <string.h>

#define BATCH 64

/* Offsets: 1 and 2 for "." and "..", then the other views and the places by number, folders by id,
 * messages by UID. */
#define OFFSET_DOT      1
#define OFFSET_DOT_DOT  2
#define OFFSET_VIEWS    3
#define OFFSET_PLACES   (OFFSET_VIEWS + N_VIEWS)
#define OFFSET_FOLDERS  (G_GINT64_CONSTANT (1) << 33)
#define OFFSET_MESSAGES (G_GINT64_CONSTANT (2) << 33)
/* And what is beside the mail (beside.h) by its place. */
#define OFFSET_BESIDE   (G_GINT64_CONSTANT (3) << 33)

/* ---- opendir ------------------------------------------------------------------------- */

static void
close_beside (gpointer beside)
{
  beside_unref (beside);
}

static void
reply_opendir (fuse_req_t req, struct fuse_file_info *fi)
{
  Mount *mount = fuse_req_userdata (req);
  Beside *beside = beside_new ();
  opened_add (mount->opened, beside, close_beside);
  fi->fh = (uintptr_t) beside;
  if (fuse_reply_open (req, fi) != 0)
    opened_close (mount->opened, beside);
}

static Beside *
beside_of (const struct fuse_file_info *fi)
{
  return (Beside *) (uintptr_t) fi->fh;
}

static void
answer_opendir (Task *task)
{
  reply_opendir (task->req, &task->file);
}

void
op_opendir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  Mount *mount = fuse_req_userdata (req);
  Directory directory;
  if (inode_kind (ino) == INODE_NODE)
    {
      node_op_opendir (req, ino, fi);
      return;
    }
  if (!inode_directory (mount, ino, &directory))
    {
      fuse_reply_err (req, ESTALE);
      return;
    }
  fi->cache_readdir = 1;
  fi->keep_cache = 1;
  if (!view_has_messages (&directory) || rack_folder_ready (directory.folder))
    {
      reply_opendir (req, fi);
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
  const Beside *beside;
  gboolean plus;
  fuse_ino_t ino;
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
  Directory parent = { listing->directory.view, 0, above, 0 };
  if (listing->directory.place != 0)
    parent.folder = folder;
  else if (above == NULL)
    parent = (Directory){ (View) listing->mount->root, 0, folder, 0 };
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

/* The other views, where they are listed. */
static gboolean
add_views (Listing *listing, off_t after)
{
  const Mount *mount = listing->mount;
  if (listing->ino != FUSE_ROOT_ID || !mount->list_views)
    return TRUE;
  for (View view = 0; view < N_VIEWS; view++)
    {
      const ViewOps *ops = view_ops (view);
      Directory top = { view, 0, listing->directory.folder, 0 };
      struct fuse_entry_param entry = { .attr.st_mode = S_IFDIR };
      if (ops == NULL || view == mount->root || after >= OFFSET_VIEWS + (off_t) view)
        continue;
      entry.attr.st_ino =
          ops->root != NULL ? node_number (ops->name) : inode_of_directory (mount, &top);
      if (!add (listing, ops->name, &entry, OFFSET_VIEWS + (off_t) view))
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_places (Listing *listing, off_t after)
{
  RackFolderFacts facts;
  const char *const *places = view_ops (listing->directory.view)->places;
  rack_folder_facts (listing->directory.folder, &facts);
  for (guint i = 0; places != NULL && places[i] != NULL && facts.selectable; i++)
    {
      Directory place = { listing->directory.view, i + 1, listing->directory.folder, 0 };
      struct fuse_entry_param entry;
      if (after >= OFFSET_PLACES + (off_t) i)
        continue;
      fill_directory_entry (listing->mount, &place, &entry);
      if (!add (listing, places[i], &entry, OFFSET_PLACES + (off_t) i))
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
          Directory child = { listing->directory.view, 0, children[i], 0 };
          char name[VIEW_NAME_SIZE];
          struct fuse_entry_param entry;
          fill_directory_entry (listing->mount, &child, &entry);
          last = inode_folder_id (entry.ino);
          view_folder_name (child.view, child.folder, name);
          if (!add (listing, name, &entry, OFFSET_FOLDERS + last))
            return FALSE;
        }
      if (n < BATCH)
        return TRUE;
    }
}

/* FALSE: it is not shown there. */
static gboolean
fill_listed (Listing *listing, guint32 row, const RackEntry *entry, char *name,
             struct fuse_entry_param *out)
{
  const ViewOps *ops = view_ops (listing->directory.view);
  if (ops->shows != NULL && !ops->shows (&listing->directory, entry))
    return FALSE;
  ops->entry_name (&listing->directory, entry, name);
  if (beside_hides (listing->beside, name))
    return FALSE;
  if (ops->list_entry == NULL)
    {
      fill_message_entry (listing->mount, row, entry, TRUE, out);
      return TRUE;
    }
  /* No inode: this is not a lookup, and makes no node. */
  memset (out, 0, sizeof *out);
  ops->list_entry (listing->mount, &listing->directory, row, entry, &out->attr);
  return TRUE;
}

static gboolean
add_messages (Listing *listing, off_t after)
{
  RackEntry entries[BATCH];
  RackFolder *folder = listing->directory.folder;
  RackFolderFacts facts;
  gboolean nameless = view_ops (listing->directory.view)->nameless;
  rack_folder_facts (folder, &facts);
  guint32 last = after >= OFFSET_MESSAGES ? (guint32) (after - OFFSET_MESSAGES) : 0;
  for (;;)
    {
      guint n = (nameless ? rack_folder_stat_entries : rack_folder_entries) (folder, last, entries,
                                                                             BATCH);
      for (guint i = 0; i < n; i++)
        {
          struct fuse_entry_param entry;
          char name[VIEW_NAME_SIZE];
          last = entries[i].uid;
          if (fill_listed (listing, facts.row, &entries[i], name, &entry)
              && !add (listing, name, &entry, OFFSET_MESSAGES + last))
            return FALSE;
        }
      if (n < BATCH)
        return TRUE;
    }
}

static gboolean
add_beside (Listing *listing, off_t after)
{
  guint at = after >= OFFSET_BESIDE ? (guint) (after - OFFSET_BESIDE) : 0;
  for (const BesideItem *item; (item = beside_item (listing->beside, at)) != NULL; at++)
    {
      struct fuse_entry_param entry = { .attr = item->attributes };
      if (item->message)
        fill_message_entry (listing->mount, item->row, &item->entry, TRUE, &entry);
      if (!add (listing, item->name, &entry, OFFSET_BESIDE + at + 1))
        return FALSE;
    }
  return TRUE;
}

static void
answer_readdir (Mount *mount, fuse_req_t req, fuse_ino_t ino, Beside *beside, size_t size,
                off_t offset, gboolean plus)
{
  Listing listing = {
    .mount = mount, .req = req, .ino = ino, .beside = beside, .plus = plus, .size = size
  };
  if (!inode_directory (mount, ino, &listing.directory))
    {
      fuse_reply_err (req, ESTALE);
      return;
    }
  g_autofree char *buffer = g_malloc (size);
  listing.buffer = buffer;
  if (offset == 0)
    beside_note (beside, &listing.directory);
  gboolean room = offset >= OFFSET_DOT_DOT || add_dots (&listing, offset);
  if (offset < OFFSET_FOLDERS && listing.directory.place == 0)
    room = room && add_views (&listing, offset) && add_places (&listing, offset);
  if (room && offset < OFFSET_MESSAGES && listing.directory.place == 0)
    room = add_folders (&listing, offset);
  if (room && offset < OFFSET_BESIDE && view_has_messages (&listing.directory))
    room = add_messages (&listing, offset);
  if (room)
    add_beside (&listing, offset);
  fuse_reply_buf (req, buffer, listing.used);
}

static void
answer_readdir_task (Task *task)
{
  answer_readdir (task->mount, task->req, task->ino, task->handle, task->size, task->offset,
                  task->plus);
}

static void
dispose_readdir (Task *task)
{
  beside_unref (task->handle);
}

static void
read_directory (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, gboolean plus,
                struct fuse_file_info *fi)
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
  if (facts.complete || !facts.selectable || !view_has_messages (&directory))
    {
      answer_readdir (mount, req, ino, beside_of (fi), size, offset, plus);
      return;
    }
  /* Another mailbox took the name since opendir. Half a listing would be a lie. */
  Task *task = task_new (mount, req, ino);
  task->folder = directory.folder;
  task->handle = beside_ref (beside_of (fi));
  task->dispose = dispose_readdir;
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
  if (inode_kind (ino) == INODE_NODE)
    node_op_readdir (req, ino, size, offset, FALSE, fi);
  else
    read_directory (req, ino, size, offset, FALSE, fi);
}

void
op_readdirplus (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                struct fuse_file_info *fi)
{
  if (inode_kind (ino) == INODE_NODE)
    node_op_readdir (req, ino, size, offset, TRUE, fi);
  else
    read_directory (req, ino, size, offset, TRUE, fi);
}

void
op_releasedir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  if (inode_kind (ino) == INODE_NODE)
    {
      node_op_release (req, ino, fi);
      return;
    }
  Mount *mount = fuse_req_userdata (req);
  opened_close (mount->opened, beside_of (fi));
  fuse_reply_err (req, 0);
}

/* ---- fsync --------------------------------------------------------------------------- */

/* Whoever asks that of a directory wants the names in it to be there for good. */
static gboolean
wait_for_server (Task *task, GCancellable *cancellable, GError **error)
{
  return rack_outgoing_flush (task->mount->mirror, cancellable, error);
}

static void
answer_done (Task *task)
{
  fuse_reply_err (task->req, 0);
}

void
op_fsyncdir (fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
  Mount *mount = fuse_req_userdata (req);
  Task *task = task_new (mount, req, ino);
  task->wait = wait_for_server;
  task->answer = answer_done;
  workers_submit (mount->changes, task);
}
