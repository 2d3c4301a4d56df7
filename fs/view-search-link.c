/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-search-link.c - a directory of links to messages
 *
 * A link has its message's name and leads to the message in its mailbox, through the
 * view that has messages under these names. Of two mailboxes' messages with the same
 * name, which have the same UID then, the later one's is "NAME.copy-2.UID.eml".
 */
#include "inode.h"
#include "search.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

typedef struct
{
  char *target;
  gint64 date;
} Link;

static void
link_free (gpointer data)
{
  g_free (((Link *) data)->target);
  g_free (data);
}

static double
link_getattr (Node *node, struct stat *out)
{
  const Link *link = node->data;
  out->st_size = (off_t) strlen (link->target);
  out->st_mtim.tv_sec = link->date;
  out->st_atim = out->st_ctim = out->st_mtim;
  return TIMEOUT_UNWATCHED;
}

static int
link_readlink (Node *node, GCancellable *cancellable, char **target)
{
  *target = g_strdup (((Link *) node->data)->target);
  return 0;
}

static const NodeOps link_ops = {
  .type = S_IFLNK,
  .getattr = link_getattr,
  .readlink = link_readlink,
  .dispose = link_free,
};

/* ---- Where it leads --------------------------------------------------------------------- */

static void
append_folder (GString *path, RackFolder *folder)
{
  char name[VIEW_NAME_SIZE];
  RackFolder *parent = rack_folder_parent (folder);
  if (parent == NULL)
    return;
  append_folder (path, parent);
  view_folder_name (VIEW_MESSAGES, folder, name);
  g_string_append_printf (path, "%s/", name);
}

/* Returns: (owned) */
static char *
target_of (const SearchLinks *links, const RackFound *found)
{
  GString *path = g_string_new (NULL);
  for (guint i = 0; i < links->depth; i++)
    g_string_append (path, "../");
  if (links->directory->mount->root != VIEW_MESSAGES)
    g_string_append_printf (path, "%s/", view_ops (VIEW_MESSAGES)->name);
  append_folder (path, found->folder);
  g_string_append (path, found->name);
  return g_string_free (path, FALSE);
}

static char *
key_of (const SearchLinks *links, const RackFound *found)
{
  return g_strdup_printf ("%s/%u/%u", links->directory->key, found->row, found->uid);
}

/* ---- Names -------------------------------------------------------------------------------- */

/* before: how many have that name already. name: VIEW_NAME_SIZE bytes. */
static void
number_name (const RackFound *found, guint before, char *name)
{
  char short_name[RACK_ENTRY_NAME_SIZE];
  rack_entry_name_short (found->uid, short_name);
  gsize stem = strlen (found->name) - strlen (short_name);
  if (before == 0)
    g_strlcpy (name, found->name, VIEW_NAME_SIZE);
  else
    g_snprintf (name, VIEW_NAME_SIZE, "%.*scopy-%u.%s", (int) stem, found->name, before + 1,
                short_name);
}

static guint
count_name (SearchLinks *links, const char *name)
{
  guint before = GPOINTER_TO_UINT (g_hash_table_lookup (links->names, name));
  g_hash_table_insert (links->names, g_strdup (name), GUINT_TO_POINTER (before + 1));
  return before;
}

static void
begin (SearchLinks *links, Node *directory, guint depth)
{
  memset (links, 0, sizeof *links);
  links->directory = directory;
  links->depth = depth;
  links->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

void
search_links_begin_list (SearchLinks *links, Node *directory, guint depth, NodeListing *listing)
{
  begin (links, directory, depth);
  links->listing = listing;
}

guint32
search_links_begin_lookup (SearchLinks *links, Node *directory, guint depth, const char *name)
{
  begin (links, directory, depth);
  links->name = name;
  return rack_entry_name_uid (name);
}

void
search_links_add (const RackFound *found, gpointer data)
{
  SearchLinks *links = data;
  char name[VIEW_NAME_SIZE];
  number_name (found, count_name (links, found->name), name);
  if (links->listing == NULL)
    {
      if (strcmp (name, links->name) == 0)
        {
          links->match = *found;
          links->found = TRUE;
        }
      return;
    }
  g_autofree char *key = key_of (links, found);
  node_list (links->listing, name, node_number (key), S_IFLNK);
}

void
search_links_end (SearchLinks *links)
{
  g_hash_table_unref (links->names);
}

int
search_links_answer (SearchLinks *links, struct fuse_entry_param *out)
{
  out->entry_timeout = 0; /* of a name that is not there */
  if (!links->found)
    return ENOENT;
  g_autofree char *target = target_of (links, &links->match);
  if (strlen (target) >= PATH_MAX)
    return ENAMETOOLONG;
  g_autofree char *key = key_of (links, &links->match);
  Link *link = g_new0 (Link, 1);
  link->target = g_steal_pointer (&target);
  link->date = links->match.date;
  g_autoptr (Node) node = node_new (links->directory->mount, &link_ops, key, link);
  node_fill_entry (node, out);
  out->entry_timeout = TIMEOUT_UNWATCHED;
  return 0;
}
