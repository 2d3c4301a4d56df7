/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-message.c - open, read, release of a message
 *
 * open is answered once the exact size is known; if the kernel was told another one it
 * is made to forget it first. Octets that are here go to the kernel straight from the
 * bodies' file; a read of others waits on a worker until they are.
 */
#include "calls.h"
#include "drafts.h"
#include "inode.h"
#include "opened.h"
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

/* Who wants a header only asks for less, octets. */
#define LARGE_READ  (64 << 10)
/* How long the notifier is waited for. */
#define NOTIFIER_MS 1000

typedef struct
{
  Mount *mount;
  RackBody *body; /* atomic; NULL: nobody has read yet */
  fuse_ino_t ino;
  RackEntry entry; /* as it was when it was opened */
  gint begun;      /* atomic: read at least once */
  gint unseen;     /* atomic: it is to be marked as seen when it is read to its end */
  GList link;
} Handle;

static Handle *
handle_new (Mount *mount, fuse_ino_t ino)
{
  RackEntry entry;
  if (rack_mirror_whereabouts (mount->mirror, inode_row (ino), inode_uid (ino), &entry) == NULL)
    return NULL;
  Handle *handle = g_new0 (Handle, 1);
  handle->mount = mount;
  handle->ino = ino;
  handle->entry = entry;
  handle->unseen = mount->seen_on_read && !(entry.flags & RACK_FLAG_SEEN);
  handle->link.data = handle;
  return handle;
}

/* Borrowed from the handle; NULL if the mailbox is another one now. Looked for when it is read, not
 * when it is opened: that may take the disk, and what the kernel has already is never read. */
static RackBody *
handle_body (Handle *handle)
{
  RackBody *body = g_atomic_pointer_get (&handle->body);
  if (body != NULL)
    return body;
  body = rack_mirror_body (handle->mount->mirror, inode_row (handle->ino), inode_uid (handle->ino));
  if (body == NULL || g_atomic_pointer_compare_and_exchange (&handle->body, NULL, body))
    return body;
  rack_body_unref (body);
  return g_atomic_pointer_get (&handle->body);
}

static void
handle_free (Handle *handle)
{
  /* That the kernel lets nobody read it any more is an order that is not to be seen from here. */
  rack_body_unref (g_atomic_pointer_get (&handle->body));
  g_free (handle);
}

gboolean
find_open_message (Mount *mount, fuse_ino_t ino, struct stat *attributes)
{
  gboolean found = FALSE;
  pthread_mutex_lock (&mount->mutex);
  for (GList *at = mount->handles.head; at != NULL && !found; at = at->next)
    {
      const Handle *handle = at->data;
      found = handle->ino == ino;
      if (found)
        {
          fill_message (mount, ino, &handle->entry, attributes);
          attributes->st_nlink = 0;
        }
    }
  pthread_mutex_unlock (&mount->mutex);
  return found;
}

/* ---- open ------------------------------------------------------------------------- */

static void
close_handle (gpointer data)
{
  Handle *handle = data;
  Mount *mount = handle->mount;
  pthread_mutex_lock (&mount->mutex);
  g_queue_unlink (&mount->handles, &handle->link);
  pthread_mutex_unlock (&mount->mutex);
  handle_free (handle);
}

static void
reply_open (Mount *mount, fuse_req_t req, struct fuse_file_info *fi, Handle *handle)
{
  pthread_mutex_lock (&mount->mutex);
  g_queue_push_head_link (&mount->handles, &handle->link);
  pthread_mutex_unlock (&mount->mutex);
  opened_add (mount->opened, handle, close_handle);
  fi->fh = (uintptr_t) handle;
  fi->keep_cache = !handle->unseen; /* a message never changes */
  /* How far a program reads is only known of what the kernel does not read for it. */
  fi->direct_io = handle->unseen;
  fi->noflush = 1;
  if (fuse_reply_open (req, fi) == -ENOENT)
    opened_close (mount->opened, handle); /* the program gave up; nobody will release it */
}

/* The kernel may believe a size that was dependable once: it must ask before the program reads.
 * Attributes alone: this takes no lock that a request could hold. */
static void
forget_size (Mount *mount, fuse_ino_t ino)
{
  fuse_lowlevel_notify_inval_inode (mount->session, ino, -1, 0);
}

/* The kernel drops what it is told of a size if it was made to forget the attributes while the
 * answer was on its way. So what the notifier has to say goes first. */
static void
let_notifier_finish (Mount *mount, GCancellable *cancellable)
{
  for (guint i = 0; i < NOTIFIER_MS && !rack_mirror_changes_are_told (mount->mirror)
                    && !g_cancellable_is_cancelled (cancellable);
       i++)
    g_usleep (1000);
}

static gboolean
wait_for_size (Task *task, GCancellable *cancellable, GError **error)
{
  Handle *handle = task->handle;
  guint64 size;
  if (!rack_body_wait_size (handle->body, &size, cancellable, error))
    return FALSE;
  gboolean misled = handle->entry.size != size || handle->entry.corrected;
  handle->entry.size = size;
  handle->entry.exact = handle->entry.dependable = TRUE;
  if (misled)
    {
      let_notifier_finish (task->mount, cancellable);
      forget_size (task->mount, task->ino);
    }
  return TRUE;
}

static void
answer_open (Task *task)
{
  reply_open (task->mount, task->req, &task->file, g_steal_pointer (&task->handle));
}

static void
dispose_open (Task *task)
{
  if (task->handle != NULL)
    handle_free (task->handle);
}

void
op_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  Mount *mount = fuse_req_userdata (req);
  if (reader_is_denied (mount, req))
    {
      fuse_reply_err (req, EACCES);
      return;
    }
  if (inode_kind (ino) == INODE_NODE)
    {
      node_op_open (req, ino, fi);
      return;
    }
  g_autoptr (Node) draft = draft_of (mount, ino);
  if (draft != NULL || (fi->flags & O_ACCMODE) != O_RDONLY)
    {
      draft_op_open (req, ino, fi);
      return;
    }
  Handle *handle = handle_new (mount, ino);
  if (handle == NULL)
    {
      fuse_reply_err (req, ESTALE);
      return;
    }
  pages_note_open (mount->pages, ino);
  if (handle->entry.exact
      && (!handle->entry.corrected || rack_mirror_changes_are_told (mount->mirror)))
    {
      if (handle->entry.corrected)
        forget_size (mount, ino);
      reply_open (mount, req, fi, handle);
      return;
    }
  if (handle_body (handle) == NULL)
    {
      handle_free (handle);
      fuse_reply_err (req, ESTALE);
      return;
    }
  rack_body_want (handle->body);
  g_atomic_int_set (&handle->begun, 1);
  Task *task = task_new (mount, req, ino);
  task->file = *fi;
  task->handle = handle;
  task->wait = wait_for_size;
  task->answer = answer_open;
  task->dispose = dispose_open;
  workers_submit (mount->bodies, task);
}

/* ---- read ------------------------------------------------------------------------- */

static void
reply_octets (fuse_req_t req, RackBody *body, size_t size, off_t offset)
{
  guint64 start, total;
  int fd = rack_body_file (body, &start, &total);
  guint64 from = MIN ((guint64) offset, total);
  struct fuse_bufvec octets = FUSE_BUFVEC_INIT (MIN (size, total - from));
  octets.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK | FUSE_BUF_FD_RETRY;
  octets.buf[0].fd = fd;
  octets.buf[0].pos = (off_t) (start + from);
  fuse_reply_data (req, &octets, 0);
}

static gboolean
wait_for_octets (Task *task, GCancellable *cancellable, GError **error)
{
  guint64 end = (guint64) task->offset + task->size;
  return rack_body_wait (task->handle, end, cancellable, error);
}

static gboolean
wait_and_mark (Task *task, GCancellable *cancellable, GError **error)
{
  guint32 row = inode_row (task->ino), uid = inode_uid (task->ino);
  RackFolder *folder = rack_mirror_whereabouts (task->mount->mirror, row, uid, NULL);
  RackFlagChange change = { .add = RACK_FLAG_SEEN };
  RackTicket ticket;
  /* Where that may not be done the message is read all the same. */
  if (folder != NULL)
    rack_folder_set_flags (folder, row, uid, &change, &ticket, NULL);
  return wait_for_octets (task, cancellable, error);
}

/* Whether this read is of somebody who has read the message: it begins behind the start, where who
 * wants the header of a small message stops, and comes to the end. */
static gboolean
ends_unseen (Handle *handle, size_t size, off_t offset)
{
  return offset > 0 && (guint64) offset + size >= handle->entry.size
         && g_atomic_int_compare_and_exchange (&handle->unseen, 1, 0);
}

static void
answer_read (Task *task)
{
  reply_octets (task->req, task->handle, task->size, task->offset);
}

static void
dispose_read (Task *task)
{
  rack_body_unref (task->handle);
}

/* Whether a reader's first question is one of those who read to the end. */
static gboolean
is_whole (const Handle *handle, size_t size)
{
  return size >= LARGE_READ || size >= handle->entry.size;
}

void
op_read (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  if (node_handles (ino, fi))
    {
      node_op_read (req, ino, size, offset, fi);
      return;
    }
  Mount *mount = fuse_req_userdata (req);
  Handle *handle = (Handle *) (uintptr_t) fi->fh;
  RackBody *body = handle_body (handle);
  if (body == NULL)
    {
      fuse_reply_err (req, ESTALE);
      return;
    }
  if (g_atomic_int_compare_and_exchange (&handle->begun, 0, 1))
    rack_body_want (body);
  if (offset == 0)
    pages_note_read (mount->pages, ino, is_whole (handle, size));
  gboolean marks = ends_unseen (handle, size, offset);
  if (!marks && rack_body_has (body, (guint64) offset + size))
    {
      reply_octets (req, body, size, offset);
      return;
    }
  Task *task = task_new (mount, req, ino);
  /* The file may be closed before this is answered. */
  task->handle = rack_body_ref (body);
  task->size = size;
  task->offset = offset;
  task->wait = marks ? wait_and_mark : wait_for_octets;
  task->answer = answer_read;
  task->dispose = dispose_read;
  workers_submit (marks ? mount->changes : mount->bodies, task);
}

void
op_release (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  if (node_handles (ino, fi))
    {
      node_op_release (req, ino, fi);
      return;
    }
  Mount *mount = fuse_req_userdata (req);
  opened_close (mount->opened, (Handle *) (uintptr_t) fi->fh);
  fuse_reply_err (req, 0);
}

/* ---- What only files that are written to know -------------------------------------- */

void
op_write (fuse_req_t req, fuse_ino_t ino, const char *octets, size_t size, off_t offset,
          struct fuse_file_info *fi)
{
  if (node_handles (ino, fi))
    node_op_write (req, ino, octets, size, offset, fi);
  else
    fuse_reply_err (req, EBADF);
}

void
op_flush (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  if (node_handles (ino, fi))
    node_op_flush (req, ino, fi);
  else
    fuse_reply_err (req, 0);
}

void
op_fsync (fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
  if (node_handles (ino, fi))
    node_op_fsync (req, ino, fi);
  else
    fuse_reply_err (req, 0);
}

void
op_poll (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *waker)
{
  if (node_handles (ino, fi))
    {
      node_op_poll (req, ino, fi, waker);
      return;
    }
  if (waker != NULL)
    fuse_pollhandle_destroy (waker);
  fuse_reply_poll (req, POLLIN | POLLRDNORM);
}
