/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local.c - nodes for the files and directories of programs; the directories
 */
#include "local.h"

#include "inode.h"

#include <errno.h>
#include <string.h>

#define BATCH 64

static char *
key_of (guint64 id)
{
  return g_strdup_printf ("local/%" G_GUINT64_FORMAT, id);
}

void
local_data_free (gpointer pointer)
{
  LocalData *data = pointer;
  rack_local_unref (data->local);
  pthread_mutex_destroy (&data->mutex);
  pthread_mutex_destroy (&data->octets);
  g_free (data);
}

Node *
local_node (Mount *mount, RackLocal *local)
{
  RackLocalFacts facts;
  rack_local_facts (local, &facts);
  g_autofree char *key = key_of (facts.id);
  LocalData *data = g_new0 (LocalData, 1);
  data->local = rack_local_ref (local);
  data->hole = G_MAXUINT64;
  pthread_mutex_init (&data->mutex, NULL);
  pthread_mutex_init (&data->octets, NULL);
  return node_new (mount, facts.directory ? &local_directory_ops : &local_file_ops, key, data);
}

fuse_ino_t
local_number (const RackLocalFacts *facts)
{
  if (facts->number != 0)
    return facts->number;
  g_autofree char *key = key_of (facts->id);
  return node_number (key);
}

RackLocal *
local_of (Node *node)
{
  if (node->ops != &local_file_ops && node->ops != &local_directory_ops)
    return NULL;
  return ((LocalData *) node->data)->local;
}

gboolean
local_is_directory (Mount *mount, fuse_ino_t ino)
{
  g_autoptr (Node) node = nodes_find (mount->nodes, ino);
  return node != NULL && node->ops == &local_directory_ops;
}

gboolean
local_is_read (Node *node)
{
  LocalData *data = node->data;
  pthread_mutex_lock (&data->mutex);
  gboolean read = data->readers > 0;
  pthread_mutex_unlock (&data->mutex);
  return read;
}

void
local_mark_pristine (Node *node)
{
  LocalData *data = node->data;
  pthread_mutex_lock (&data->mutex);
  data->pristine = TRUE;
  pthread_mutex_unlock (&data->mutex);
}

/* ---- Attributes ---------------------------------------------------------------------------- */

static void
set_time (struct timespec *out, gint64 nanoseconds)
{
  out->tv_sec = nanoseconds / 1000000000;
  out->tv_nsec = nanoseconds % 1000000000;
}

gboolean
local_has_ended (RackLocal *local, RackLocalFacts *facts)
{
  rack_local_facts (local, facts);
  switch (facts->state)
    {
    case RACK_LOCAL_SCRATCH:
    case RACK_LOCAL_QUEUED:
    case RACK_LOCAL_SENDING:
      return FALSE;
    case RACK_LOCAL_SENT:
      return facts->row != 0; /* else it stands for the message that is not seen yet */
    case RACK_LOCAL_FAILED:
    case RACK_LOCAL_GONE:
      return TRUE;
    }
  return TRUE;
}

double
local_getattr (Node *node, struct stat *out)
{
  LocalData *data = node->data;
  RackLocalFacts facts;
  gboolean ended = local_has_ended (data->local, &facts);
  pthread_mutex_lock (&data->mutex);
  gboolean opened = data->handles > 0;
  pthread_mutex_unlock (&data->mutex);
  /* What it stands for is seen again when it was refused. */
  if (facts.number != 0 && facts.state != RACK_LOCAL_FAILED)
    out->st_ino = facts.number;
  out->st_mode = (facts.directory ? S_IFDIR : S_IFREG) | (facts.mode & 0777);
  out->st_size = facts.directory ? 4096 : (off_t) facts.size;
  out->st_blocks = out->st_size / 512 + (out->st_size % 512 != 0);
  out->st_nlink = facts.directory ? 2 : facts.state == RACK_LOCAL_GONE ? 0 : 1;
  set_time (&out->st_mtim, facts.directory ? facts.changed : facts.mtime);
  /* As the message: editors compare both with what they saw when they saved. */
  if (local_is_mail (&facts))
    {
      out->st_mtim.tv_nsec = 0;
      out->st_mode = S_IFREG | (0666 & ~node->mount->umask);
    }
  out->st_atim = out->st_ctim = out->st_mtim;
  if (ended)
    return opened ? 0 : NODE_STALE;
  return TIMEOUT_KNOWN;
}

/* Owners are the mount's, and so is what the umask takes away. */
int
local_set (Node *node, const struct stat *attributes, int which, GCancellable *cancellable)
{
  LocalData *data = node->data;
  const Mount *mount = node->mount;
  g_autoptr (GError) error = NULL;
  if ((which & FUSE_SET_ATTR_UID) && attributes->st_uid != mount->uid)
    return EPERM;
  if ((which & FUSE_SET_ATTR_GID) && attributes->st_gid != mount->gid)
    return EPERM;
  if (cancellable == NULL)
    return NODE_WAIT;
  gint64 mtime = (gint64) attributes->st_mtim.tv_sec * 1000000000 + attributes->st_mtim.tv_nsec;
  if (which & FUSE_SET_ATTR_MTIME_NOW)
    mtime = g_get_real_time () * 1000;
  gboolean timed = (which & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW)) != 0;
  gint mode = which & FUSE_SET_ATTR_MODE ? (gint) (attributes->st_mode & 0777) : -1;
  if (!timed && mode < 0)
    return 0;
  if (!rack_local_set (data->local, timed ? &mtime : NULL, mode, &error)
      && error->code != RACK_ERROR_NOT_FOUND) /* it is mail by now: accepted without effect */
    return errno_of (error);
  return 0;
}

/* ---- Directories --------------------------------------------------------------------------- */

static int
lookup (Node *node, const char *name, GCancellable *cancellable, struct fuse_entry_param *out)
{
  LocalData *data = node->data;
  RackLocalFacts facts;
  rack_local_facts (data->local, &facts);
  g_autoptr (RackLocal) found = rack_local_find (facts.folder, facts.space, data->local, name);
  if (found == NULL)
    return ENOENT;
  g_autoptr (Node) child = local_node (node->mount, found);
  node_fill_entry (child, out);
  return 0;
}

static int
list (Node *node, GCancellable *cancellable, NodeListing *listing)
{
  LocalData *data = node->data;
  RackLocalFacts facts;
  RackLocal *found[BATCH];
  guint64 after = 0;
  rack_local_facts (data->local, &facts);
  for (guint n = BATCH; n == BATCH;)
    {
      n = rack_local_list (facts.folder, facts.space, data->local, after, found, BATCH);
      for (guint i = 0; i < n; i++)
        {
          RackLocalFacts child;
          rack_local_facts (found[i], &child);
          rack_local_unref (found[i]);
          node_list (listing, child.name, local_number (&child),
                     child.directory ? S_IFDIR : S_IFREG);
          after = child.id;
        }
    }
  return 0;
}

const NodeOps local_directory_ops = {
  .type = S_IFDIR,
  .getattr = local_getattr,
  .set = local_set,
  .lookup = lookup,
  .list = list,
  .dispose = local_data_free,
};
