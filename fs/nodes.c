/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * nodes.c - the table of nodes
 *
 * Two indices of the same nodes, by key and by number. A number is a hash of the key
 * in 62 bits; should two keys that are there at the same time have the same one, the
 * later gets the next.
 */
#include "inode.h"

#include <string.h>

struct Nodes
{
  pthread_mutex_t mutex;
  GHashTable *by_key;    /* key -> Node; both not owned */
  GHashTable *by_number; /* &ino -> Node */
};

Nodes *
nodes_new (void)
{
  Nodes *nodes = g_new0 (Nodes, 1);
  pthread_mutex_init (&nodes->mutex, NULL);
  nodes->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  nodes->by_number = g_hash_table_new (g_int64_hash, g_int64_equal);
  return nodes;
}

static void
dispose (Node *node)
{
  if (node->ops->dispose != NULL)
    node->ops->dispose (node->data);
  g_free (node->key);
  g_free (node);
}

/* When the mount has ended, the kernel forgets without saying so. */
void
nodes_free (Nodes *nodes)
{
  GHashTableIter iter;
  gpointer node;
  g_hash_table_unref (nodes->by_key);
  g_hash_table_iter_init (&iter, nodes->by_number);
  while (g_hash_table_iter_next (&iter, NULL, &node))
    {
      g_hash_table_iter_steal (&iter);
      dispose (node);
    }
  g_hash_table_unref (nodes->by_number);
  pthread_mutex_destroy (&nodes->mutex);
  g_free (nodes);
}

guint
nodes_count (Nodes *nodes)
{
  pthread_mutex_lock (&nodes->mutex);
  guint count = g_hash_table_size (nodes->by_key);
  pthread_mutex_unlock (&nodes->mutex);
  return count;
}

/* With the mutex held. Returns: the node if nobody knows it any more; it is out of the table then
 * and to be disposed of without the mutex. */
static Node *
take_if_unused (Nodes *nodes, Node *node)
{
  if (node->lookups > 0 || node->refs > 0)
    return NULL;
  g_hash_table_remove (nodes->by_key, node->key);
  g_hash_table_remove (nodes->by_number, &node->ino);
  return node;
}

Node *
nodes_find (Nodes *nodes, fuse_ino_t ino)
{
  guint64 number = ino;
  pthread_mutex_lock (&nodes->mutex);
  Node *node = g_hash_table_lookup (nodes->by_number, &number);
  if (node != NULL)
    node->refs++;
  pthread_mutex_unlock (&nodes->mutex);
  return node;
}

void
nodes_forget (Nodes *nodes, fuse_ino_t ino, guint64 n)
{
  guint64 number = ino;
  Node *unused = NULL;
  pthread_mutex_lock (&nodes->mutex);
  Node *node = g_hash_table_lookup (nodes->by_number, &number);
  if (node != NULL)
    {
      node->lookups -= MIN (n, node->lookups);
      unused = take_if_unused (nodes, node);
    }
  pthread_mutex_unlock (&nodes->mutex);
  if (unused != NULL)
    dispose (unused);
}

/* FNV-1a, 64 bits. */
fuse_ino_t
node_number (const char *key)
{
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325);
  for (const char *p = key; *p != '\0'; p++)
    hash = (hash ^ (guchar) *p) * G_GUINT64_CONSTANT (0x100000001b3);
  return inode_of_node (hash);
}

Node *
node_new (Mount *mount, const NodeOps *ops, const char *key, gpointer data)
{
  Nodes *nodes = mount->nodes;
  pthread_mutex_lock (&nodes->mutex);
  Node *node = g_hash_table_lookup (nodes->by_key, key);
  gboolean known = node != NULL;
  if (!known)
    {
      node = g_new0 (Node, 1);
      node->mount = mount;
      node->ops = ops;
      node->key = g_strdup (key);
      node->data = data;
      node->ino = node_number (key);
      while (g_hash_table_contains (nodes->by_number, &node->ino))
        node->ino = inode_of_node (node->ino + 1);
      g_hash_table_insert (nodes->by_key, node->key, node);
      g_hash_table_insert (nodes->by_number, &node->ino, node);
    }
  node->refs++;
  pthread_mutex_unlock (&nodes->mutex);
  if (known && ops->dispose != NULL)
    ops->dispose (data);
  return node;
}

Node *
node_ref (Node *node)
{
  pthread_mutex_lock (&node->mount->nodes->mutex);
  node->refs++;
  pthread_mutex_unlock (&node->mount->nodes->mutex);
  return node;
}

void
node_unref (Node *node)
{
  Nodes *nodes = node->mount->nodes;
  pthread_mutex_lock (&nodes->mutex);
  node->refs--;
  Node *unused = take_if_unused (nodes, node);
  pthread_mutex_unlock (&nodes->mutex);
  if (unused != NULL)
    dispose (unused);
}

double
node_fill (Node *node, struct stat *out)
{
  mode_t mode = S_ISDIR (node->ops->type) ? 0700 : S_ISLNK (node->ops->type) ? 0777 : 0600;
  memset (out, 0, sizeof *out);
  out->st_ino = node->ino;
  out->st_mode = node->ops->type | (mode | (mode & 0700) >> 3 | (mode & 0700) >> 6);
  if (!S_ISLNK (node->ops->type))
    out->st_mode &= ~node->mount->umask;
  out->st_nlink = 1;
  out->st_uid = node->mount->uid;
  out->st_gid = node->mount->gid;
  out->st_blksize = 4096;
  return node->ops->getattr (node, out);
}

void
node_fill_entry (Node *node, struct fuse_entry_param *out)
{
  memset (out, 0, sizeof *out);
  out->ino = node->ino;
  out->generation = 1;
  out->attr_timeout = MAX (node_fill (node, &out->attr), 0);
  out->entry_timeout = TIMEOUT_KNOWN;
  pthread_mutex_lock (&node->mount->nodes->mutex);
  node->lookups++;
  pthread_mutex_unlock (&node->mount->nodes->mutex);
}
