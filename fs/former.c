/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * former.c - a message under a name it does not have (any more)
 */
#include "former.h"

#include "inode.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

typedef struct
{
  fuse_ino_t ino; /* the message's */
} Former;

static gboolean
find (Node *node, RackEntry *entry)
{
  const Former *former = node->data;
  return rack_mirror_whereabouts (node->mount->mirror, inode_row (former->ino),
                                  inode_uid (former->ino), entry)
         != NULL;
}

static double
getattr (Node *node, struct stat *out)
{
  const Former *former = node->data;
  RackEntry entry;
  if (find (node, &entry))
    {
      fill_message (node->mount, former->ino, &entry, out);
      return message_timeout (&entry);
    }
  if (find_open_message (node->mount, former->ino, out))
    return TIMEOUT_UNWATCHED;
  out->st_ino = former->ino;
  return NODE_STALE;
}

static int
open_file (Node *node, struct fuse_file_info *fi, GCancellable *cancellable, gpointer *handle)
{
  const Former *former = node->data;
  g_autoptr (GError) error = NULL;
  RackEntry entry;
  guint64 size;
  g_autoptr (RackBody) body =
      rack_mirror_body (node->mount->mirror, inode_row (former->ino), inode_uid (former->ino));
  if (body == NULL || !find (node, &entry))
    return ESTALE;
  if (!entry.exact && cancellable == NULL)
    return NODE_WAIT;
  if (!entry.exact && !rack_body_wait_size (body, &size, cancellable, &error))
    return errno_of (error);
  fi->keep_cache = 1; /* a message never changes */
  fi->noflush = 1;
  *handle = g_steal_pointer (&body);
  return 0;
}

static int
read_file (Node *node, gpointer handle, gsize size, off_t offset, int flags,
           GCancellable *cancellable, NodeOctets *out)
{
  RackBody *body = handle;
  g_autoptr (GError) error = NULL;
  guint64 start, whole, end = (guint64) offset + size;
  if (!rack_body_has (body, end))
    {
      if (cancellable == NULL)
        return NODE_WAIT;
      if (!rack_body_wait (body, end, cancellable, &error))
        return errno_of (error);
    }
  out->fd = rack_body_file (body, &start, &whole);
  guint64 from = MIN ((guint64) offset, whole);
  out->position = (off_t) (start + from);
  out->size = MIN (size, whole - from);
  return 0;
}

static void
release (Node *node, gpointer handle)
{
  rack_body_unref (handle);
}

static int
set (Node *node, const struct stat *attributes, int which, GCancellable *cancellable)
{
  return which & FUSE_SET_ATTR_SIZE ? EACCES : 0;
}

static const NodeOps former_ops = {
  .type = S_IFREG,
  .getattr = getattr,
  .set = set,
  .open = open_file,
  .read = read_file,
  .release = release,
  .dispose = g_free,
};

Node *
former_node (Mount *mount, fuse_ino_t ino)
{
  g_autofree char *key = g_strdup_printf ("former/%u/%u", inode_row (ino), inode_uid (ino));
  Former *former = g_new0 (Former, 1);
  former->ino = ino;
  return node_new (mount, &former_ops, key, former);
}
