/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * control-status.c - .mailrack/status: how the mount is, for people
 *
 * The text is made when the file is opened, so that one reading is of one moment.
 */
#include "announce.h"
#include "control.h"

#include <string.h>

/* Those of this file and of the directory it is in, which are there while it is read. */
#define OWN_NODES 2

static double
getattr (Node *node, struct stat *out)
{
  out->st_mode &= ~(mode_t) 0222;
  return TIMEOUT_UNWATCHED;
}

static void
add_figures (Mount *mount, GString *text)
{
  RackMirrorFigures figures;
  rack_mirror_figures (mount->mirror, &figures);
  guint nodes = nodes_count (mount->nodes);
  g_string_append_printf (text, "cached octets: %" G_GUINT64_FORMAT "\n", figures.cached);
  g_string_append_printf (text, "messages fetched: %" G_GUINT64_FORMAT "\n", figures.bodies);
  g_string_append_printf (text, "messages fetched ahead: %" G_GUINT64_FORMAT "\n",
                          figures.read_ahead);
  g_string_append_printf (text, "octets fetched: %" G_GUINT64_FORMAT "\n", figures.body_octets);
  g_string_append_printf (text, "looks at mailboxes: %" G_GUINT64_FORMAT "\n", figures.syncs);
  g_string_append_printf (text, "sizes the server gives: %s\n",
                          figures.trusted ? "proved right" : "not trusted");
  g_autofree char *announced = announcer_describe (mount->announcer);
  g_string_append_printf (text, "announced by inotify: %s\n", announced);
  g_string_append_printf (text, "nodes: %u\n", nodes - MIN (nodes, OWN_NODES));
}

static int
open_status (Node *node, struct fuse_file_info *fi, GCancellable *cancellable, gpointer *handle)
{
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "account: %s\n", node->mount->label);
  add_figures (node->mount, text);
  fi->direct_io = 1;
  *handle = text;
  return 0;
}

static int
read_status (Node *node, gpointer handle, gsize size, off_t offset, int flags,
             GCancellable *cancellable, NodeOctets *out)
{
  const GString *text = handle;
  gsize from = MIN ((guint64) offset, text->len);
  out->size = MIN (size, text->len - from);
  out->memory = g_memdup2 (text->str + from, out->size);
  return 0;
}

static void
release (Node *node, gpointer handle)
{
  g_string_free (handle, TRUE);
}

const NodeOps control_status_ops = {
  .type = S_IFREG,
  .getattr = getattr,
  .open = open_status,
  .read = read_status,
  .release = release,
};
