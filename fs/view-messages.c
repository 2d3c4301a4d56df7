/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-messages.c - the plain views: messages as files under their names, or by UID
 */
#include "view.h"

#include <string.h>

G_STATIC_ASSERT (VIEW_NAME_SIZE >= RACK_ENTRY_NAME_SIZE);

/* ---- DATE_FROM_SUBJECT.UID.eml --------------------------------------------------------- */

static void
full_name (const Directory *directory, const RackEntry *entry, char *name)
{
  memcpy (name, entry->name, strlen (entry->name) + 1);
}

static int
space (const Directory *directory)
{
  return 0;
}

static gboolean
is_mail (const Directory *directory, const char *name)
{
  return name[0] != '.' && g_str_has_suffix (name, ".eml");
}

static gboolean
find_given (const Directory *directory, const char *name, RackEntry *entry)
{
  return rack_folder_find_name (directory->folder, name, entry);
}

const ViewOps view_messages = {
  .name = ".messages",
  .entry_name = full_name,
  .changes = TRUE,
  .space = space,
  .is_mail = is_mail,
  .find_given = find_given,
};

/* ---- UID.eml --------------------------------------------------------------------------- */

static void
short_name (const Directory *directory, const RackEntry *entry, char *name)
{
  rack_entry_name_short (entry->uid, name);
}

static guint32
short_name_uid (const Directory *directory, const char *name)
{
  char canonical[RACK_ENTRY_NAME_SIZE];
  guint32 uid = rack_entry_name_uid (name);
  rack_entry_name_short (uid, canonical);
  return strcmp (canonical, name) == 0 ? uid : 0;
}

const ViewOps view_uid = {
  .name = ".uid",
  .nameless = TRUE,
  .entry_name = short_name,
  .name_uid = short_name_uid,
  .changes = TRUE,
};
