/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * calls.c - requests that may have to wait, and the handles they hold
 */
#include "calls.h"

#include "inode.h"
#include "opened.h"

#include <errno.h>

/* ---- Handles ------------------------------------------------------------------------- */

/* Pointers are even. */
#define MARK ((uintptr_t) 1)

static void
name_clear (gpointer data)
{
  g_free (((NodeName *) data)->name);
}

NodeHandle *
node_handle_new (Node *node)
{
  NodeHandle *handle = g_new0 (NodeHandle, 1);
  handle->node = node_ref (node);
  handle->refs = 1;
  if (S_ISDIR (node->ops->type))
    {
      handle->names = g_array_new (FALSE, FALSE, sizeof (NodeName));
      g_array_set_clear_func (handle->names, name_clear);
    }
  return handle;
}

NodeHandle *
node_handle_ref (NodeHandle *handle)
{
  g_atomic_int_inc (&handle->refs);
  return handle;
}

void
node_handle_unref (NodeHandle *handle)
{
  if (!g_atomic_int_dec_and_test (&handle->refs))
    return;
  if (handle->opened && handle->node->ops->release != NULL)
    handle->node->ops->release (handle->node, handle->data);
  if (handle->names != NULL)
    g_array_unref (handle->names);
  node_unref (handle->node);
  g_free (handle);
}

static void
unref_handle (gpointer handle)
{
  node_handle_unref (handle);
}

void
node_handle_store (NodeHandle *handle, fuse_ino_t ino, struct fuse_file_info *fi)
{
  opened_add (handle->node->mount->opened, node_handle_ref (handle), unref_handle);
  fi->fh = (uintptr_t) handle | (inode_kind (ino) == INODE_NODE ? 0 : MARK);
}

void
node_handle_close (NodeHandle *handle)
{
  opened_close (handle->node->mount->opened, handle);
}

NodeHandle *
node_handle_of (const struct fuse_file_info *fi)
{
  return (NodeHandle *) ((uintptr_t) fi->fh & ~MARK);
}

gboolean
node_handles (fuse_ino_t ino, const struct fuse_file_info *fi)
{
  return inode_kind (ino) == INODE_NODE
         || (inode_kind (ino) == INODE_MESSAGE && fi != NULL && (fi->fh & MARK) != 0);
}

/* ---- Calls --------------------------------------------------------------------------- */

Call *
call_new (fuse_req_t req, fuse_ino_t ino, int (*run) (Call *, GCancellable *),
          void (*reply) (Call *))
{
  Mount *mount = fuse_req_userdata (req);
  Node *node = NULL;
  if (inode_kind (ino) == INODE_NODE && (node = nodes_find (mount->nodes, ino)) == NULL)
    {
      fuse_reply_err (req, ESTALE);
      return NULL;
    }
  Call *call = g_new0 (Call, 1);
  call->req = req;
  call->mount = mount;
  call->ino = ino;
  call->node = node;
  call->run = run;
  call->reply = reply;
  return call;
}

Call *
call_new_for_handle (fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi,
                     int (*run) (Call *, GCancellable *), void (*reply) (Call *))
{
  Call *call = g_new0 (Call, 1);
  call->req = req;
  call->mount = fuse_req_userdata (req);
  call->ino = ino;
  call->handle = node_handle_ref (node_handle_of (fi));
  call->node = node_ref (call->handle->node);
  call->run = run;
  call->reply = reply;
  call->file = *fi;
  return call;
}

static void
call_free (Call *call)
{
  if (call->handle != NULL)
    node_handle_unref (call->handle);
  if (call->node != NULL)
    node_unref (call->node);
  g_free (call->name);
  g_free (call->new_name);
  g_free (call->text);
  g_free (call->octets.memory);
  g_free (call);
}

static void
finish (Call *call)
{
  if (call->result == EAGAIN && call->again != 0)
    call->result = call->again;
  if (call->result == 0)
    call->reply (call);
  else
    fuse_reply_err (call->req, call->result == NODE_WAIT ? EIO : call->result);
}

static gboolean
wait_call (Task *task, GCancellable *cancellable, GError **error)
{
  Call *call = task->handle;
  g_autoptr (GError) problem = NULL;
  RackMirror *mirror = call->mount->mirror;
  RackTicket before = rack_outgoing_latest (mirror);
  call->result = call->run (call, cancellable);
  if (call->result == 0 && call->changes && call->mount->commit_server
      && !rack_outgoing_flush_after (mirror, before, cancellable, &problem))
    call->result = errno_of (problem);
  /* Not "unknown", of a change that nobody waits for any more. */
  if (call->result != 0 && g_cancellable_is_cancelled (cancellable))
    call->result = EINTR;
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

void
call_submit (Call *call, Workers *workers)
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
  /* What the request holds is only there while we are here. */
  if (call->written != NULL)
    call->written = call->text = g_memdup2 (call->written, call->size);
  Task *task = task_new (call->mount, call->req, call->ino);
  task->handle = call;
  task->wait = wait_call;
  task->answer = answer_call;
  task->dispose = dispose_call;
  workers_submit (workers, task);
}

void
call_reply_done (Call *call)
{
  fuse_reply_err (call->req, 0);
}

void
call_reply_entry (Call *call)
{
  /* The program gave up: the kernel did not count this. */
  if (fuse_reply_entry (call->req, &call->entry) != 0 && inode_kind (call->entry.ino) == INODE_NODE)
    nodes_forget (call->mount->nodes, call->entry.ino, 1);
}
