/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-node.c - requests about nodes
 *
 * A request becomes a Call: run() asks the node's function, reply() answers with what
 * it gave. run() is tried at once, with no cancellable; if it says NODE_WAIT the call
 * moves to a worker and is run there. An open file or directory is a Handle, which is
 * kept until the last request about it is answered: a program that was killed may have
 * closed it before.
 */
#include "inode.h"
#include "workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

/* ---- Handles ------------------------------------------------------------------------- */

typedef struct
{
  char *name;
  fuse_ino_t ino;
  mode_t type;
} Name;

struct NodeListing
{
  GArray *names; /* of Name */
};

typedef struct
{
  Node *node;
  gint refs; /* atomic */
  gboolean opened;
  gpointer data;       /* of a file: the node's own */
  NodeListing listing; /* of a directory */
} Handle;

static void
name_clear (gpointer data)
{
  g_free (((Name *) data)->name);
}

void
node_list (NodeListing *listing, const char *name, fuse_ino_t ino, mode_t type)
{
  Name entry = { g_strdup (name), ino, type & S_IFMT };
  g_array_append_val (listing->names, entry);
}

static Handle *
handle_new (Node *node)
{
  Handle *handle = g_new0 (Handle, 1);
  handle->node = node_ref (node);
  handle->refs = 1;
  if (S_ISDIR (node->ops->type))
    {
      handle->listing.names = g_array_new (FALSE, FALSE, sizeof (Name));
      g_array_set_clear_func (handle->listing.names, name_clear);
    }
  return handle;
}

static Handle *
handle_ref (Handle *handle)
{
  g_atomic_int_inc (&handle->refs);
  return handle;
}

static void
handle_unref (Handle *handle)
{
  if (!g_atomic_int_dec_and_test (&handle->refs))
    return;
  if (handle->opened && handle->node->ops->release != NULL)
    handle->node->ops->release (handle->node, handle->data);
  if (handle->listing.names != NULL)
    g_array_unref (handle->listing.names);
  node_unref (handle->node);
  g_free (handle);
}

static Handle *
handle_of (const struct fuse_file_info *fi)
{
  return (Handle *) (uintptr_t) fi->fh;
}

/* ---- Calls --------------------------------------------------------------------------- */

typedef struct Call Call;

struct Call
{
  fuse_req_t req;
  Node *node;
  Handle *handle; /* or NULL */
  int (*run) (Call *call, GCancellable *cancellable);
  /* run gave 0. */
  void (*reply) (Call *call);
  int result;
  /* What goes in and what comes out. */
  char *name;
  char *text; /* in: what is written; out: a link's target */
  size_t size;
  off_t offset;
  gboolean directory;
  struct fuse_file_info file;
  struct fuse_entry_param entry;
  NodeOctets octets;
};

/* NULL: there is no such node; that was answered. */
static Call *
call_new (fuse_req_t req, fuse_ino_t ino, int (*run) (Call *, GCancellable *),
          void (*reply) (Call *))
{
  Mount *mount = fuse_req_userdata (req);
  Node *node = nodes_find (mount->nodes, ino);
  if (node == NULL)
    {
      fuse_reply_err (req, ESTALE);
      return NULL;
    }
  Call *call = g_new0 (Call, 1);
  call->req = req;
  call->node = node;
  call->run = run;
  call->reply = reply;
  return call;
}

static Call *
call_new_for_handle (fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi,
                     int (*run) (Call *, GCancellable *), void (*reply) (Call *))
{
  Call *call = call_new (req, ino, run, reply);
  if (call == NULL)
    return NULL;
  call->handle = handle_ref (handle_of (fi));
  call->file = *fi;
  return call;
}

static void
call_free (Call *call)
{
  if (call->handle != NULL)
    handle_unref (call->handle);
  node_unref (call->node);
  g_free (call->name);
  g_free (call->text);
  g_free (call->octets.memory);
  g_free (call);
}

static void
finish (Call *call)
{
  if (call->result == 0)
    call->reply (call);
  else
    fuse_reply_err (call->req, call->result == NODE_WAIT ? EIO : call->result);
}

static gboolean
wait_call (Task *task, GCancellable *cancellable, GError **error)
{
  Call *call = task->handle;
  call->result = call->run (call, cancellable);
  return TRUE;
}

static void
answer_call (Task *task)
{
  finish (task->handle);
}

static void
dispose_call (Task *task)
{
  call_free (task->handle);
}

/* Takes call (may be NULL). */
static void
submit (Call *call, Workers *workers)
{
  if (call == NULL)
    return;
  call->result = call->run (call, NULL);
  if (call->result != NODE_WAIT)
    {
      finish (call);
      call_free (call);
      return;
    }
  Task *task = task_new (call->node->mount, call->req, call->node->ino);
  task->handle = call;
  task->wait = wait_call;
  task->answer = answer_call;
  task->dispose = dispose_call;
  workers_submit (workers, task);
}

static Workers *
lists_of (fuse_req_t req)
{
  return ((Mount *) fuse_req_userdata (req))->lists;
}

static Workers *
readers_of (fuse_req_t req, Handle *handle)
{
  Mount *mount = fuse_req_userdata (req);
  return handle->node->ops->waits_for_news ? mount->news : mount->bodies;
}

/* ---- Names --------------------------------------------------------------------------- */

static void
reply_entry (Call *call)
{
  /* The program gave up: the kernel did not count this. */
  if (fuse_reply_entry (call->req, &call->entry) != 0 && inode_kind (call->entry.ino) == INODE_NODE)
    nodes_forget (call->node->mount->nodes, call->entry.ino, 1);
}

static int
run_lookup (Call *call, GCancellable *cancellable)
{
  if (call->node->ops->lookup == NULL)
    return ENOTDIR;
  call->entry = (struct fuse_entry_param){ .entry_timeout = TIMEOUT_NEGATIVE };
  int result = call->node->ops->lookup (call->node, call->name, cancellable, &call->entry);
  if (result != ENOENT)
    return result;
  call->entry.ino = 0; /* a negative entry, which the kernel keeps for a while */
  return 0;
}

void
node_op_lookup (fuse_req_t req, fuse_ino_t ino, const char *name)
{
  Call *call = call_new (req, ino, run_lookup, reply_entry);
  if (call != NULL)
    call->name = g_strdup (name);
  submit (call, lists_of (req));
}

static int
run_make_directory (Call *call, GCancellable *cancellable)
{
  if (call->node->ops->make_directory == NULL)
    return EROFS;
  return call->node->ops->make_directory (call->node, call->name, cancellable, &call->entry);
}

void
node_op_make_directory (fuse_req_t req, fuse_ino_t ino, const char *name)
{
  Call *call = call_new (req, ino, run_make_directory, reply_entry);
  if (call != NULL)
    call->name = g_strdup (name);
  submit (call, lists_of (req));
}

static void
reply_done (Call *call)
{
  fuse_reply_err (call->req, 0);
}

static int
run_remove (Call *call, GCancellable *cancellable)
{
  if (call->node->ops->remove == NULL)
    return EROFS;
  return call->node->ops->remove (call->node, call->name, call->directory, cancellable);
}

void
node_op_remove (fuse_req_t req, fuse_ino_t ino, const char *name, gboolean directory)
{
  Call *call = call_new (req, ino, run_remove, reply_done);
  if (call != NULL)
    {
      call->name = g_strdup (name);
      call->directory = directory;
    }
  submit (call, lists_of (req));
}

void
node_op_getattr (fuse_req_t req, fuse_ino_t ino)
{
  Mount *mount = fuse_req_userdata (req);
  struct stat attributes;
  g_autoptr (Node) node = nodes_find (mount->nodes, ino);
  if (node == NULL)
    {
      fuse_reply_err (req, ESTALE);
      return;
    }
  double timeout = node_fill (node, &attributes);
  fuse_reply_attr (req, &attributes, timeout);
}

static int
run_readlink (Call *call, GCancellable *cancellable)
{
  if (call->node->ops->readlink == NULL)
    return EINVAL;
  return call->node->ops->readlink (call->node, cancellable, &call->text);
}

static void
reply_link (Call *call)
{
  fuse_reply_readlink (call->req, call->text);
}

void
node_op_readlink (fuse_req_t req, fuse_ino_t ino)
{
  submit (call_new (req, ino, run_readlink, reply_link), lists_of (req));
}

/* ---- Directories --------------------------------------------------------------------- */

static void
reply_open (Call *call)
{
  call->file.fh = (uintptr_t) handle_ref (call->handle);
  if (fuse_reply_open (call->req, &call->file) != 0)
    handle_unref (call->handle); /* the program gave up; nobody will release it */
}

static int
run_opendir (Call *call, GCancellable *cancellable)
{
  if (call->node->ops->list == NULL)
    return ENOTDIR;
  g_array_set_size (call->handle->listing.names, 0);
  return call->node->ops->list (call->node, cancellable, &call->handle->listing);
}

void
node_op_opendir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  Call *call = call_new (req, ino, run_opendir, reply_open);
  if (call != NULL)
    {
      call->file = *fi;
      call->handle = handle_new (call->node);
    }
  submit (call, lists_of (req));
}

void
node_op_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, gboolean plus,
                 struct fuse_file_info *fi)
{
  const GArray *names = handle_of (fi)->listing.names;
  const Name dots[] = { { (char *) ".", ino, S_IFDIR }, { (char *) "..", FUSE_ROOT_ID, S_IFDIR } };
  g_autofree char *buffer = g_malloc (size);
  size_t used = 0;
  /* Offset n is after the nth name, the dots being the first two. */
  for (guint64 at = (guint64) offset; at < names->len + G_N_ELEMENTS (dots); at++)
    {
      const Name *name = at < G_N_ELEMENTS (dots)
                             ? &dots[at]
                             : &g_array_index (names, Name, at - G_N_ELEMENTS (dots));
      /* No inode: an entry of a listing is not a lookup, and makes no node. */
      struct fuse_entry_param entry = { .attr = { .st_ino = name->ino, .st_mode = name->type } };
      char *place = buffer + used;
      size_t left = size - used;
      size_t need =
          plus ? fuse_add_direntry_plus (req, place, left, name->name, &entry, (off_t) at + 1)
               : fuse_add_direntry (req, place, left, name->name, &entry.attr, (off_t) at + 1);
      if (need > left)
        break;
      used += need;
    }
  fuse_reply_buf (req, buffer, used);
}

/* ---- Files --------------------------------------------------------------------------- */

static int
run_open (Call *call, GCancellable *cancellable)
{
  const NodeOps *ops = call->node->ops;
  if ((call->file.flags & O_ACCMODE) != O_RDONLY && ops->write == NULL)
    return EROFS;
  if ((call->file.flags & O_ACCMODE) != O_WRONLY && ops->read == NULL)
    return EACCES;
  int result =
      ops->open != NULL ? ops->open (call->node, &call->file, cancellable, &call->handle->data) : 0;
  call->handle->opened = result == 0;
  return result;
}

void
node_op_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  Call *call = call_new (req, ino, run_open, reply_open);
  if (call != NULL)
    {
      call->file = *fi;
      call->handle = handle_new (call->node);
    }
  submit (call, ((Mount *) fuse_req_userdata (req))->bodies);
}

static int
run_read (Call *call, GCancellable *cancellable)
{
  g_clear_pointer (&call->octets.memory, g_free);
  return call->node->ops->read (call->node, call->handle->data, call->size, call->offset,
                                call->file.flags, cancellable, &call->octets);
}

static void
reply_octets (Call *call)
{
  const NodeOctets *octets = &call->octets;
  struct fuse_bufvec reply = FUSE_BUFVEC_INIT (MIN (octets->size, call->size));
  if (octets->memory != NULL || octets->size == 0)
    {
      fuse_reply_buf (call->req, octets->memory, reply.buf[0].size);
      return;
    }
  reply.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK | FUSE_BUF_FD_RETRY;
  reply.buf[0].fd = octets->fd;
  reply.buf[0].pos = octets->position;
  fuse_reply_data (call->req, &reply, 0);
}

void
node_op_read (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  Call *call = call_new_for_handle (req, ino, fi, run_read, reply_octets);
  if (call != NULL)
    {
      call->size = size;
      call->offset = offset;
    }
  submit (call, readers_of (req, handle_of (fi)));
}

static int
run_write (Call *call, GCancellable *cancellable)
{
  return call->node->ops->write (call->node, call->handle->data, call->text, call->size,
                                 call->offset, cancellable);
}

static void
reply_written (Call *call)
{
  fuse_reply_write (call->req, call->size);
}

void
node_op_write (fuse_req_t req, fuse_ino_t ino, const char *octets, size_t size, off_t offset,
               struct fuse_file_info *fi)
{
  Call *call = call_new_for_handle (req, ino, fi, run_write, reply_written);
  if (call != NULL)
    {
      call->text = g_memdup2 (octets, size);
      call->size = size;
      call->offset = offset;
    }
  submit (call, lists_of (req));
}

void
node_op_truncate (fuse_req_t req, fuse_ino_t ino)
{
  Mount *mount = fuse_req_userdata (req);
  struct stat attributes;
  g_autoptr (Node) node = nodes_find (mount->nodes, ino);
  if (node == NULL || node->ops->write == NULL)
    {
      fuse_reply_err (req, node == NULL ? ESTALE : EROFS);
      return;
    }
  double timeout = node_fill (node, &attributes);
  fuse_reply_attr (req, &attributes, timeout);
}

void
node_op_release (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  handle_unref (handle_of (fi));
  fuse_reply_err (req, 0);
}

void
node_op_poll (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
              struct fuse_pollhandle *waker)
{
  Handle *handle = handle_of (fi);
  if (handle->node->ops->poll == NULL)
    {
      if (waker != NULL)
        fuse_pollhandle_destroy (waker);
      fuse_reply_poll (req, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
      return;
    }
  fuse_reply_poll (req, handle->node->ops->poll (handle->node, handle->data, waker));
}
