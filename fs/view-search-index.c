/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-search-index.c - .search/by-date, by-from, by-flag and by-thread
 *
 * Made from what this machine knows of the mailboxes that are complete; no server is
 * asked. A directory is a prefix of keys (the whole of by-from, a year, a month) or a
 * key, which has links. Of dates "-" between the parts of a key is "/" here.
 */
#include "inode.h"
#include "search.h"

#include <errno.h>
#include <string.h>

#define BATCH      64
#define DATE_PARTS 3

static const struct
{
  const char *name;
  RackFindBy by;
} indices[] = {
  { "by-date", RACK_FIND_DATE },
  { "by-from", RACK_FIND_SENDER },
  { "by-flag", RACK_FIND_FLAG },
  { "by-thread", RACK_FIND_THREAD },
};

typedef struct
{
  RackFindBy by;
  guint parts; /* that the key has already */
  char *key;   /* or how it begins */
} Index;

static const NodeOps prefix_ops, key_ops;

static void
index_free (gpointer data)
{
  g_free (((Index *) data)->key);
  g_free (data);
}

const char *
search_index_name (guint n)
{
  return n < G_N_ELEMENTS (indices) ? indices[n].name : NULL;
}

char *
search_index_key (const char *name)
{
  return g_strdup_printf ("search/%s", name);
}

static Node *
index_node (Mount *mount, const NodeOps *ops, const char *key, RackFindBy by, guint parts,
            char *prefix)
{
  Index *index = g_new0 (Index, 1);
  *index = (Index){ by, parts, prefix };
  return node_new (mount, ops, key, index);
}

Node *
search_index_node (Mount *mount, const char *name)
{
  g_autofree char *key = search_index_key (name);
  for (guint i = 0; i < G_N_ELEMENTS (indices); i++)
    if (strcmp (indices[i].name, name) == 0)
      return index_node (mount, &prefix_ops, key, indices[i].by, 0, g_strdup (""));
  return NULL;
}

static double
getattr (Node *node, struct stat *out)
{
  return search_fill_directory (node, FALSE, out);
}

/* ---- Prefixes -------------------------------------------------------------------------------- */

static guint
parts_of (RackFindBy by)
{
  return by == RACK_FIND_DATE ? DATE_PARTS : 1;
}

/* Writes what key is called in the directory: the rest of it up to the next "-" of a date. */
static gsize
child_size (const Index *index, const char *key)
{
  const char *rest = key + strlen (index->key);
  return index->by == RACK_FIND_DATE ? strcspn (rest, "-") : strlen (rest);
}

static char *
child_key (const Node *node, const char *name)
{
  return g_strdup_printf ("%s/%s", node->key, name);
}

static int
prefix_list (Node *node, GCancellable *cancellable, NodeListing *listing)
{
  const Index *index = node->data;
  g_autoptr (GError) error = NULL;
  g_autofree char *last = g_strdup ("");
  if (cancellable == NULL)
    return NODE_WAIT;
  g_auto (GStrv) keys = rack_mirror_find_keys (node->mount->mirror, index->by, index->key, &error);
  if (keys == NULL)
    return errno_of (error);
  for (guint i = 0; keys[i] != NULL; i++)
    {
      char *name = g_strndup (keys[i] + strlen (index->key), child_size (index, keys[i]));
      if (strcmp (name, last) == 0)
        {
          g_free (name);
          continue;
        }
      g_free (last);
      last = name;
      g_autofree char *key = child_key (node, name);
      node_list (listing, name, node_number (key), S_IFDIR);
    }
  return 0;
}

/* Whether there are messages below. *key: (owned) of the directory or how it goes on. */
static gboolean
has_child (Mount *mount, const Index *index, const char *name, char **key, GError **error)
{
  gboolean last = index->parts + 1 == parts_of (index->by);
  *key = g_strdup_printf ("%s%s%s", index->key, name, last ? "" : "-");
  if (last)
    return rack_mirror_find_has (mount->mirror, index->by, *key, error);
  gsize size = index->parts == 0 ? strlen ("2026") : strlen ("11");
  if (strlen (name) != size || strspn (name, "0123456789") != size)
    return FALSE;
  g_auto (GStrv) keys = rack_mirror_find_keys (mount->mirror, index->by, *key, error);
  return keys != NULL && keys[0] != NULL;
}

static int
prefix_lookup (Node *node, const char *name, GCancellable *cancellable,
               struct fuse_entry_param *out)
{
  const Index *index = node->data;
  g_autoptr (GError) error = NULL;
  g_autofree char *key = NULL;
  out->entry_timeout = 0;
  if (cancellable == NULL)
    return NODE_WAIT;
  if (!has_child (node->mount, index, name, &key, &error))
    return error != NULL ? errno_of (error) : ENOENT;
  g_autofree char *path = child_key (node, name);
  guint parts = index->parts + 1;
  g_autoptr (Node) child =
      index_node (node->mount, parts == parts_of (index->by) ? &key_ops : &prefix_ops, path,
                  index->by, parts, g_steal_pointer (&key));
  node_fill_entry (child, out);
  out->entry_timeout = TIMEOUT_UNWATCHED;
  return 0;
}

static const NodeOps prefix_ops = {
  .type = S_IFDIR,
  .getattr = getattr,
  .lookup = prefix_lookup,
  .list = prefix_list,
  .dispose = index_free,
};

/* ---- Keys --------------------------------------------------------------------------------- */

/* .search, by-..., and the parts of the key. */
static guint
depth_of (const Index *index)
{
  return 2 + index->parts;
}

static int
add_found (Node *node, guint32 uid, GCancellable *cancellable, SearchLinks *links)
{
  const Index *index = node->data;
  g_autoptr (GError) error = NULL;
  RackFound found[BATCH];
  guint n;
  g_autoptr (RackFind) find =
      rack_mirror_find (node->mount->mirror, index->by, index->key, uid, &error);
  if (find == NULL)
    return errno_of (error);
  while ((n = rack_find_next (find, found, BATCH, &error)) > 0)
    {
      if (g_cancellable_is_cancelled (cancellable))
        return EINTR;
      for (guint i = 0; i < n; i++)
        search_links_add (&found[i], links);
    }
  return error != NULL ? errno_of (error) : 0;
}

static int
key_list (Node *node, GCancellable *cancellable, NodeListing *listing)
{
  SearchLinks links;
  if (cancellable == NULL)
    return NODE_WAIT;
  search_links_begin_list (&links, node, depth_of (node->data), listing);
  int result = add_found (node, 0, cancellable, &links);
  search_links_end (&links);
  return result;
}

static int
key_lookup (Node *node, const char *name, GCancellable *cancellable, struct fuse_entry_param *out)
{
  SearchLinks links;
  if (cancellable == NULL)
    return NODE_WAIT;
  guint32 uid = search_links_begin_lookup (&links, node, depth_of (node->data), name);
  int result = uid != 0 ? add_found (node, uid, cancellable, &links) : 0;
  if (result == 0)
    result = search_links_answer (&links, out);
  search_links_end (&links);
  return result;
}

static const NodeOps key_ops = {
  .type = S_IFDIR,
  .getattr = getattr,
  .lookup = key_lookup,
  .list = key_list,
  .dispose = index_free,
};
