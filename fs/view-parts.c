/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-parts.c - .parts: each message as a directory of what it is made of
 *
 *   INBOX/2026-11-20T0915Z_Alice-Doe_Budget-Q4.48213/
 *     message.eml   the message, the same file as in all views
 *     header        its header as it was sent
 *     text, html    what is there to be read, in UTF-8; absent where there is none
 *     flags         a flag or keyword on each line
 *     info.json     what is known of it, and its parts
 *     att/          everything else, under its own names; absent where there is nothing
 *
 * Listing a mailbox asks the server for nothing more than in other views. A message's
 * directory asks for its structure, and a file for the section that it shows.
 */
#include "view-parts.h"

#include "inode.h"

#include <errno.h>
#include <string.h>

#define SUFFIX ".eml"

char *
parts_key (const PartsMessage *message, const char *below)
{
  return g_strdup_printf ("parts/%u/%u%s%s", message->row, message->uid, below != NULL ? "/" : "",
                          below != NULL ? below : "");
}

void
parts_fill (const PartsMessage *message, struct stat *out)
{
  out->st_mode &= ~(mode_t) 0222;
  out->st_mtim.tv_sec = message->date;
  out->st_atim = out->st_ctim = out->st_mtim;
}

void
parts_fill_size (guint64 size, struct stat *out)
{
  out->st_size = (off_t) MIN (size, G_MAXINT64);
  out->st_blocks = out->st_size / 512 + (out->st_size % 512 != 0);
}

gboolean
parts_find (const PartsMessage *message, RackEntry *entry)
{
  RackFolderFacts facts;
  rack_folder_facts (message->folder, &facts);
  return facts.row == message->row && rack_folder_stat (message->folder, message->uid, entry);
}

int
parts_errno (const PartsMessage *message, const GError *error)
{
  RackEntry entry;
  int result = errno_of (error);
  return result == ENOENT && parts_find (message, &entry) ? EIO : result;
}

int
parts_get (const PartsMessage *message, GCancellable *cancellable, RackParts **parts)
{
  g_autoptr (GError) error = NULL;
  *parts = rack_folder_parts_known (message->folder, message->row, message->uid);
  if (*parts != NULL)
    return 0;
  if (cancellable == NULL)
    return NODE_WAIT;
  *parts = rack_folder_parts (message->folder, message->row, message->uid, cancellable, &error);
  return *parts != NULL ? 0 : parts_errno (message, error);
}

/* ---- The view ---------------------------------------------------------------------------- */

static void
entry_name (const Directory *directory, const RackEntry *entry, char *name)
{
  g_strlcpy (name, entry->name, VIEW_NAME_SIZE);
  if (g_str_has_suffix (name, SUFFIX))
    name[strlen (name) - strlen (SUFFIX)] = '\0';
}

static guint32
name_uid (const Directory *directory, const char *name)
{
  char whole[VIEW_NAME_SIZE + sizeof SUFFIX];
  g_snprintf (whole, sizeof whole, "%s" SUFFIX, name);
  return rack_entry_name_uid (whole);
}

/* "2026-11-20T0915Z_": how names of messages begin unless they are UIDs. */
static gboolean
begins_as_message (const char *name)
{
  static const char form[] = "0000-00-00T0000Z_";
  for (gsize i = 0; form[i] != '\0'; i++)
    if (form[i] == '0' ? !g_ascii_isdigit (name[i]) : name[i] != form[i])
      return FALSE;
  return TRUE;
}

static gboolean
find_given (const Directory *directory, const char *name, RackEntry *entry)
{
  g_autofree char *whole = g_strconcat (name, SUFFIX, NULL);
  return rack_folder_find_name (directory->folder, whole, entry);
}

static gboolean
takes (RackFolder *folder, const char *name)
{
  if (rack_folder_parent (folder) == NULL || strlen (name) >= RACK_ENTRY_NAME_SIZE
      || name_uid (NULL, name) == 0)
    return FALSE;
  switch (rack_folder_names (folder))
    {
    case RACK_NAMES_FULL:
      return begins_as_message (name);
    case RACK_NAMES_UID:
      return strchr (name, '.') == NULL;
    }
  return TRUE;
}

static PartsMessage
message_of (const Directory *directory, guint32 row, const RackEntry *entry)
{
  return (PartsMessage){ directory->folder, row, entry->uid, entry->date };
}

static int
fill_entry (Mount *mount, const Directory *directory, guint32 row, const RackEntry *entry,
            struct fuse_entry_param *out)
{
  PartsMessage message = message_of (directory, row, entry);
  g_autoptr (Node) node = parts_message_node (mount, &message);
  node_fill_entry (node, out);
  out->entry_timeout = rack_folder_ready (directory->folder) ? TIMEOUT_KNOWN : TIMEOUT_UNWATCHED;
  return 0;
}

static void
list_entry (Mount *mount, const Directory *directory, guint32 row, const RackEntry *entry,
            struct stat *out)
{
  PartsMessage message = message_of (directory, row, entry);
  g_autofree char *key = parts_key (&message, NULL);
  out->st_ino = node_number (key);
  out->st_mode = S_IFDIR;
}

/* Directories that are not counted have one link: of a number that was a moment too small, find
 * would conclude that the rest are files. */
static void
leave_uncounted (Mount *mount, const Directory *directory, struct stat *out)
{
  out->st_nlink = 1;
}

const ViewOps view_parts = {
  .name = ".parts",
  .entry_name = entry_name,
  .name_uid = name_uid,
  .find_given = find_given,
  .takes = takes,
  .fill_entry = fill_entry,
  .list_entry = list_entry,
  .fill_directory = leave_uncounted,
};
