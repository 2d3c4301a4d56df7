/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-parts-message.c - the directory of a message in the parts view, and att in it
 *
 * Names that every message has are answered at once; what depends on its structure waits for that.
 */
#include "inode.h"
#include "view-parts.h"

#include <errno.h>
#include <string.h>

#define MESSAGE "message.eml"
#define HEADER  "header"
#define FLAGS   "flags"
#define INFO    "info.json"
#define TEXT    "text"
#define HTML    "html"
#define FILES   "att"

/* What headers mostly have. */
#define HEADER_GUESS 4096

static double
getattr (Node *node, struct stat *out)
{
  const PartsMessage *message = node->data;
  parts_fill (message, out);
  return TIMEOUT_KNOWN;
}

static Node *
directory_node (Mount *mount, const NodeOps *ops, const PartsMessage *message, const char *below)
{
  g_autofree char *key = parts_key (message, below);
  return node_new (mount, ops, key, g_memdup2 (message, sizeof *message));
}

/* ---- Parts as files -------------------------------------------------------------------------- */

/* The first part of that role; NULL if there is none. */
static const RackPartFacts *
find_role (const RackParts *parts, RackPartRole role)
{
  guint n;
  const RackPartFacts *items = rack_parts_items (parts, &n);
  for (guint i = 0; i < n; i++)
    if (items[i].role == role)
      return &items[i];
  return NULL;
}

static const RackPartFacts *
find_file (const RackParts *parts, const char *name)
{
  guint n;
  const RackPartFacts *items = rack_parts_items (parts, &n);
  for (guint i = 0; i < n; i++)
    if (items[i].file != NULL && strcmp (items[i].file, name) == 0)
      return &items[i];
  return NULL;
}

/* Never 0: of an empty file nobody reads. */
static guint64
guess_size (const RackPartFacts *part)
{
  /* Lines of 76 characters and their ends for 57 octets. */
  guint64 size = strcmp (part->encoding, "base64") == 0 ? part->size / 78 * 57 : part->size;
  return CLAMP (size, 1, (guint64) 1 << 40);
}

/* part NULL: there is no such name. */
static int
answer_part (Node *node, const PartsMessage *message, const RackPartFacts *part, const char *name,
             RackPartForm form, struct fuse_entry_param *out)
{
  if (part == NULL)
    return ENOENT;
  g_autofree char *key = g_strconcat (node->key, "/", name, NULL);
  g_autoptr (Node) file =
      parts_file_node (node->mount, message, key, part->section, form, guess_size (part));
  node_fill_entry (file, out);
  return 0;
}

/* ---- att ------------------------------------------------------------------------------------- */

static int
lookup_file (Node *node, const char *name, GCancellable *cancellable, struct fuse_entry_param *out)
{
  const PartsMessage *message = node->data;
  g_autoptr (RackParts) parts = NULL;
  int result = parts_get (message, cancellable, &parts);
  if (result != 0)
    return result;
  return answer_part (node, message, find_file (parts, name), name, RACK_PART_DECODED, out);
}

static int
list_files (Node *node, GCancellable *cancellable, NodeListing *listing)
{
  g_autoptr (RackParts) parts = NULL;
  guint n;
  int result = parts_get (node->data, cancellable, &parts);
  if (result != 0)
    return result;
  const RackPartFacts *items = rack_parts_items (parts, &n);
  for (guint i = 0; i < n; i++)
    if (items[i].file != NULL)
      {
        g_autofree char *key = g_strconcat (node->key, "/", items[i].file, NULL);
        node_list (listing, items[i].file, node_number (key), S_IFREG);
      }
  return 0;
}

static const NodeOps files_ops = {
  .type = S_IFDIR,
  .getattr = getattr,
  .lookup = lookup_file,
  .list = list_files,
  .dispose = g_free,
};

/* ---- The message -------------------------------------------------------------------------- */

static int
answer_node (Node *node, struct fuse_entry_param *out)
{
  node_fill_entry (node, out);
  node_unref (node);
  return 0;
}

/* Names that every message has; NULL: it is none of them. */
static Node *
node_of_any (Mount *mount, const PartsMessage *message, const char *name, const char *key)
{
  if (strcmp (name, HEADER) == 0)
    return parts_file_node (mount, message, key, "HEADER", RACK_PART_AS_SENT, HEADER_GUESS);
  if (strcmp (name, FLAGS) == 0)
    return parts_flags_node (mount, message, key);
  if (strcmp (name, INFO) == 0)
    return parts_info_node (mount, message, key);
  return NULL;
}

static int
lookup_by_structure (Node *node, const char *name, GCancellable *cancellable,
                     struct fuse_entry_param *out)
{
  const PartsMessage *message = node->data;
  g_autoptr (RackParts) parts = NULL;
  int result = parts_get (message, cancellable, &parts);
  if (result != 0)
    return result;
  if (strcmp (name, FILES) == 0)
    return find_role (parts, RACK_PART_FILE) != NULL
               ? answer_node (directory_node (node->mount, &files_ops, message, FILES), out)
               : ENOENT;
  RackPartRole role = strcmp (name, TEXT) == 0 ? RACK_PART_PLAIN : RACK_PART_HTML;
  return answer_part (node, message, find_role (parts, role), name, RACK_PART_TEXT, out);
}

static int
lookup (Node *node, const char *name, GCancellable *cancellable, struct fuse_entry_param *out)
{
  const PartsMessage *message = node->data;
  RackEntry entry;
  if (!parts_find (message, &entry))
    return ENOENT;
  if (strcmp (name, MESSAGE) == 0)
    {
      fill_message_entry (node->mount, message->row, &entry, rack_folder_ready (message->folder),
                          out);
      return 0;
    }
  g_autofree char *key = parts_key (message, name);
  Node *found = node_of_any (node->mount, message, name, key);
  if (found != NULL)
    return answer_node (found, out);
  if (strcmp (name, TEXT) == 0 || strcmp (name, HTML) == 0 || strcmp (name, FILES) == 0)
    return lookup_by_structure (node, name, cancellable, out);
  return ENOENT;
}

static void
list_one (const PartsMessage *message, NodeListing *listing, const char *name, mode_t type)
{
  g_autofree char *key = parts_key (message, name);
  node_list (listing, name, node_number (key), type);
}

static int
list (Node *node, GCancellable *cancellable, NodeListing *listing)
{
  const PartsMessage *message = node->data;
  g_autoptr (RackParts) parts = NULL;
  RackEntry entry;
  if (!parts_find (message, &entry))
    return ENOENT;
  int result = parts_get (message, cancellable, &parts);
  if (result != 0)
    return result;
  node_list (listing, MESSAGE, inode_shown (inode_of_message (message->row, message->uid), &entry),
             S_IFREG);
  list_one (message, listing, HEADER, S_IFREG);
  if (find_role (parts, RACK_PART_PLAIN) != NULL)
    list_one (message, listing, TEXT, S_IFREG);
  if (find_role (parts, RACK_PART_HTML) != NULL)
    list_one (message, listing, HTML, S_IFREG);
  list_one (message, listing, FLAGS, S_IFREG);
  list_one (message, listing, INFO, S_IFREG);
  if (find_role (parts, RACK_PART_FILE) != NULL)
    list_one (message, listing, FILES, S_IFDIR);
  return 0;
}

static const NodeOps message_ops = {
  .type = S_IFDIR,
  .getattr = getattr,
  .lookup = lookup,
  .list = list,
  .dispose = g_free,
};

Node *
parts_message_node (Mount *mount, const PartsMessage *message)
{
  return directory_node (mount, &message_ops, message, NULL);
}
