/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-search.c - .search: directories of links to the messages that match a query
 *
 *   now/QUERY/    whatever QUERY is
 *   QUERY/        one that is kept: mkdir keeps it, rmdir forgets it
 *   by-date/, by-from/, by-flag/, by-thread/    from what is known here
 *
 * A query that is not kept is not there outside of now, because a name that is there
 * could not be made with mkdir. What is in a query's directory cannot be removed, so
 * nothing that is done here ever reaches a message.
 */
#include "inode.h"
#include "search.h"

#include <errno.h>
#include <string.h>

#define NOW "now"

/* ---- The directory of a query ------------------------------------------------------------- */

/* How far its links are below the root. */
#define DEPTH_KEPT 2
#define DEPTH_NOW  3

typedef struct
{
  char *name;
  guint depth;
} Query;

static void
query_free (gpointer data)
{
  g_free (((Query *) data)->name);
  g_free (data);
}

double
search_fill_directory (Node *node, gboolean writable, struct stat *out)
{
  if (!writable)
    out->st_mode &= ~(mode_t) 0222;
  out->st_mtim = searches_changed (node->mount->searches);
  out->st_atim = out->st_ctim = out->st_mtim;
  return TIMEOUT_UNWATCHED;
}

static double
query_getattr (Node *node, struct stat *out)
{
  return search_fill_directory (node, TRUE, out);
}

static int
query_list (Node *node, GCancellable *cancellable, NodeListing *listing)
{
  const Query *query = node->data;
  g_autoptr (SearchResult) result = NULL;
  SearchLinks links;
  if (cancellable == NULL)
    return NODE_WAIT; /* each message's name is read from the disk */
  int problem = searches_get (node->mount->searches, query->name, TRUE, cancellable, &result);
  if (problem != 0)
    return problem;
  search_links_begin_list (&links, node, query->depth, listing);
  search_result_each (result, 0, search_links_add, &links);
  search_links_end (&links);
  return 0;
}

static int
look_up_link (Node *node, const char *name, gboolean fresh, GCancellable *cancellable,
              struct fuse_entry_param *out)
{
  const Query *query = node->data;
  g_autoptr (SearchResult) result = NULL;
  SearchLinks links;
  guint32 uid = search_links_begin_lookup (&links, node, query->depth, name);
  int problem =
      uid != 0 ? searches_get (node->mount->searches, query->name, fresh, cancellable, &result) : 0;
  if (result != NULL)
    search_result_each (result, uid, search_links_add, &links);
  if (problem == 0)
    problem = search_links_answer (&links, out);
  search_links_end (&links);
  return problem;
}

static int
query_lookup (Node *node, const char *name, GCancellable *cancellable, struct fuse_entry_param *out)
{
  /* What was listed a moment ago is there as long as the message is. */
  int problem = look_up_link (node, name, FALSE, cancellable, out);
  return problem == ENOENT ? look_up_link (node, name, TRUE, cancellable, out) : problem;
}

static const NodeOps query_ops = {
  .type = S_IFDIR,
  .getattr = query_getattr,
  .lookup = query_lookup,
  .list = query_list,
  .dispose = query_free,
};

static char *
query_key (const char *name, guint depth)
{
  return g_strdup_printf ("search/%s/%s", depth == DEPTH_NOW ? NOW : "kept", name);
}

static void
fill_query_entry (Mount *mount, const char *name, guint depth, struct fuse_entry_param *out)
{
  g_autofree char *key = query_key (name, depth);
  Query *query = g_new0 (Query, 1);
  *query = (Query){ g_strdup (name), depth };
  g_autoptr (Node) node = node_new (mount, &query_ops, key, query);
  node_fill_entry (node, out);
  out->entry_timeout = TIMEOUT_UNWATCHED;
}

/* Returns: 0, EINVAL, or ENOENT for what programs look for everywhere. */
static int
check_query (Mount *mount, const char *name)
{
  g_auto (SearchQuery) query = { 0 };
  g_autoptr (GError) error = NULL;
  if (name[0] == '.')
    return ENOENT;
  if (search_query_parse (mount->mirror, name, &query, &error))
    return 0;
  searches_note_refusal (mount->searches, name, error);
  return errno_of (error);
}

/* ---- now ------------------------------------------------------------------------------------ */

static double
now_getattr (Node *node, struct stat *out)
{
  return search_fill_directory (node, FALSE, out);
}

static int
now_lookup (Node *node, const char *name, GCancellable *cancellable, struct fuse_entry_param *out)
{
  out->entry_timeout = 0;
  int problem = check_query (node->mount, name);
  if (problem == 0)
    fill_query_entry (node->mount, name, DEPTH_NOW, out);
  return problem;
}

static int
now_list (Node *node, GCancellable *cancellable, NodeListing *listing)
{
  return 0;
}

static const NodeOps now_ops = {
  .type = S_IFDIR,
  .getattr = now_getattr,
  .lookup = now_lookup,
  .list = now_list,
};

/* ---- The root of the view -------------------------------------------------------------------- */

/* Returns: (owned) NULL if that name is no fixed one. */
static Node *
fixed_node (Mount *mount, const char *name)
{
  if (strcmp (name, NOW) == 0)
    return node_new (mount, &now_ops, "search/" NOW, NULL);
  return search_index_node (mount, name);
}

static double
root_getattr (Node *node, struct stat *out)
{
  return search_fill_directory (node, TRUE, out);
}

static int
root_lookup (Node *node, const char *name, GCancellable *cancellable, struct fuse_entry_param *out)
{
  Mount *mount = node->mount;
  g_autoptr (Node) fixed = fixed_node (mount, name);
  out->entry_timeout = 0;
  if (fixed != NULL)
    {
      node_fill_entry (fixed, out);
      return 0;
    }
  if (search_kept_has (searches_kept (mount->searches), name))
    {
      fill_query_entry (mount, name, DEPTH_KEPT, out);
      return 0;
    }
  int problem = check_query (mount, name);
  return problem != 0 ? problem : ENOENT;
}

static int
root_list (Node *node, GCancellable *cancellable, NodeListing *listing)
{
  const char *name;
  node_list (listing, NOW, node_number ("search/" NOW), S_IFDIR);
  for (guint i = 0; (name = search_index_name (i)) != NULL; i++)
    {
      g_autofree char *key = search_index_key (name);
      node_list (listing, name, node_number (key), S_IFDIR);
    }
  g_auto (GStrv) kept = search_kept_names (searches_kept (node->mount->searches));
  for (guint i = 0; kept[i] != NULL; i++)
    {
      g_autofree char *key = query_key (kept[i], DEPTH_KEPT);
      node_list (listing, kept[i], node_number (key), S_IFDIR);
    }
  return 0;
}

static int
root_make_directory (Node *node, const char *name, GCancellable *cancellable,
                     struct fuse_entry_param *out)
{
  g_autoptr (Node) fixed = fixed_node (node->mount, name);
  if (fixed != NULL)
    return EEXIST;
  if (cancellable == NULL)
    return NODE_WAIT; /* for the disk */
  int problem = check_query (node->mount, name);
  if (problem == ENOENT)
    return EINVAL;
  if (problem == 0)
    problem = search_kept_add (searches_kept (node->mount->searches), name);
  if (problem == 0)
    fill_query_entry (node->mount, name, DEPTH_KEPT, out);
  return problem;
}

static int
root_remove (Node *node, const char *name, gboolean directory, GCancellable *cancellable)
{
  g_autoptr (Node) fixed = fixed_node (node->mount, name);
  if (fixed != NULL)
    return EPERM;
  if (!search_kept_has (searches_kept (node->mount->searches), name))
    return ENOENT;
  if (!directory)
    return EISDIR;
  if (cancellable == NULL)
    return NODE_WAIT;
  return search_kept_remove (searches_kept (node->mount->searches), name);
}

static const NodeOps root_ops = {
  .type = S_IFDIR,
  .getattr = root_getattr,
  .lookup = root_lookup,
  .list = root_list,
  .make_directory = root_make_directory,
  .remove = root_remove,
};

static Node *
root (Mount *mount)
{
  return node_new (mount, &root_ops, view_search.name, NULL);
}

/* The kernel keeps none of this for longer than a moment. */
static void
forget (Mount *mount, View view, const RackChange *change)
{
  searches_expire (mount->searches);
}

const ViewOps view_search = {
  .name = ".search",
  .root = root,
  .forget = forget,
};
