/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * control.c - the directory .mailrack
 *
 * A view of nodes: the directory and its files, which have a file of ours each.
 */
#include "control.h"

#include "view.h"

#include <errno.h>
#include <string.h>

static const struct
{
  const char *name;
  const NodeOps *ops;
  gboolean failed; /* of a directory */
} files[] = {
  { "status", &control_status_ops, FALSE }, { "events", &control_events_ops, FALSE },
  { "ctl", &control_ctl_ops, FALSE },       { "pending", &control_queue_ops, FALSE },
  { "failed", &control_queue_ops, TRUE },
};

static char *
key_of (const char *name)
{
  return g_strdup_printf ("%s/%s", view_control.name, name);
}

static RackFolder *
child_after (RackFolder *folder, guint32 id)
{
  RackFolder *child;
  return rack_folder_children (folder, id, &child, 1) == 1 ? child : NULL;
}

RackFolder *
control_next_folder (RackFolder *folder)
{
  RackFolder *next = child_after (folder, 0);
  for (RackFolder *parent; next == NULL && (parent = rack_folder_parent (folder)) != NULL;
       folder = parent)
    {
      RackFolderFacts facts;
      rack_folder_facts (folder, &facts);
      next = child_after (parent, facts.id);
    }
  return next;
}

static double
getattr (Node *node, struct stat *out)
{
  out->st_nlink = 4;
  out->st_mode &= ~(mode_t) 0222;
  return TIMEOUT_KNOWN;
}

static int
lookup (Node *node, const char *name, GCancellable *cancellable, struct fuse_entry_param *out)
{
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    if (strcmp (files[i].name, name) == 0)
      {
        g_autofree char *key = key_of (name);
        gpointer data = S_ISDIR (files[i].ops->type) ? control_queue_place (files[i].failed) : NULL;
        g_autoptr (Node) file = node_new (node->mount, files[i].ops, key, data);
        node_fill_entry (file, out);
        return 0;
      }
  return ENOENT;
}

static int
list (Node *node, GCancellable *cancellable, NodeListing *listing)
{
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *key = key_of (files[i].name);
      node_list (listing, files[i].name, node_number (key), files[i].ops->type);
    }
  return 0;
}

static const NodeOps directory_ops = {
  .type = S_IFDIR,
  .getattr = getattr,
  .lookup = lookup,
  .list = list,
};

static Node *
root (Mount *mount)
{
  return node_new (mount, &directory_ops, view_control.name, NULL);
}

const ViewOps view_control = {
  .name = ".mailrack",
  .root = root,
};
