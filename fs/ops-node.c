/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-node.c - requests about nodes: names, attributes, directories
 *
 * Each becomes a Call (calls.h), which asks the node's function.
 */
#include "ops-node.h"
#include "calls.h"
#include "inode.h"

#include <errno.h>
#include <string.h>

struct NodeListing
{
  GArray *names; /* of NodeName */
};

void
node_list (NodeListing *listing, const char *name, fuse_ino_t ino, mode_t type)
{
  NodeName entry = { g_strdup (name), ino, type & S_IFMT };
  g_array_append_val (listing->names, entry);
}

static Workers *
lists_of (fuse_req_t req)
{
  return ((Mount *) fuse_req_userdata (req))->lists;
}

/* ---- Names --------------------------------------------------------------------------- */

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
  Call *call = call_new (req, ino, run_lookup, call_reply_entry);
  if (call != NULL)
    call->name = g_strdup (name);
  call_submit (call, lists_of (req));
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
  Call *call = call_new (req, ino, run_make_directory, call_reply_entry);
  if (call != NULL)
    call->name = g_strdup (name);
  call_submit (call, lists_of (req));
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
  Call *call = call_new (req, ino, run_remove, call_reply_done);
  if (call != NULL)
    {
      call->name = g_strdup (name);
      call->directory = directory;
    }
  call_submit (call, lists_of (req));
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
  if (timeout < 0)
    fuse_reply_err (req, ESTALE);
  else
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
  call_submit (call_new (req, ino, run_readlink, reply_link), lists_of (req));
}

/* ---- Directories --------------------------------------------------------------------- */

static int
run_opendir (Call *call, GCancellable *cancellable)
{
  if (call->node->ops->list == NULL)
    return ENOTDIR;
  NodeListing listing = { call->handle->names };
  g_array_set_size (listing.names, 0);
  return call->node->ops->list (call->node, cancellable, &listing);
}

void
node_op_opendir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  Call *call = call_new (req, ino, run_opendir, node_reply_open);
  if (call != NULL)
    {
      call->file = *fi;
      call->handle = node_handle_new (call->node);
    }
  call_submit (call, lists_of (req));
}

void
node_op_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, gboolean plus,
                 struct fuse_file_info *fi)
{
  const GArray *names = node_handle_of (fi)->names;
  const NodeName dots[] = { { (char *) ".", ino, S_IFDIR },
                            { (char *) "..", FUSE_ROOT_ID, S_IFDIR } };
  g_autofree char *buffer = g_malloc (size);
  size_t used = 0;
  /* Offset n is after the nth name, the dots being the first two. */
  for (guint64 at = (guint64) offset; at < names->len + G_N_ELEMENTS (dots); at++)
    {
      const NodeName *name = at < G_N_ELEMENTS (dots)
                                 ? &dots[at]
                                 : &g_array_index (names, NodeName, at - G_N_ELEMENTS (dots));
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
