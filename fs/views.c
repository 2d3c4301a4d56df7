/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * views.c - the table of views, and what views of folders have in common
 */
#include "drafts.h"
#include "inode.h"

#include <string.h>

static const ViewOps *const views[N_VIEWS] = {
  [VIEW_MESSAGES] = &view_messages, [VIEW_UID] = &view_uid,       [VIEW_MAILDIR] = &view_maildir,
  [VIEW_PARTS] = &view_parts,       [VIEW_SEARCH] = &view_search, [VIEW_CONTROL] = &view_control,
};

const ViewOps *
view_ops (View view)
{
  return views[view];
}

View
view_by_name (const char *name)
{
  View view = 0;
  while (view < N_VIEWS && (views[view] == NULL || strcmp (views[view]->name, name) != 0))
    view++;
  return view;
}

guint
view_places (View view)
{
  const char *const *places = views[view]->places;
  return places != NULL ? g_strv_length ((char **) places) : 0;
}

/* ---- Directories --------------------------------------------------------------------- */

static guint
place_by_name (View view, const char *name)
{
  const char *const *places = views[view]->places;
  for (guint i = 0; places != NULL && places[i] != NULL; i++)
    if (strcmp (places[i], name) == 0)
      return i + 1;
  return 0;
}

/* Whether the directory of a mailbox must not be called name in folder. */
static gboolean
is_taken (View view, RackFolder *folder, const char *name)
{
  return place_by_name (view, name) != 0
         || (views[view]->takes != NULL && views[view]->takes (folder, name));
}

/* Directory names hold no "%" that is not an escape, and never one of a letter or digit, so an
 * escaped first one is nobody else's name. */
void
view_child_name (View view, RackFolder *parent, const char *directory, char *name)
{
  if (is_taken (view, parent, directory))
    g_snprintf (name, VIEW_NAME_SIZE, "%%%02X%s", (guchar) directory[0], directory + 1);
  else
    g_strlcpy (name, directory, VIEW_NAME_SIZE);
}

void
view_folder_name (View view, RackFolder *folder, char *name)
{
  view_child_name (view, rack_folder_parent (folder), rack_folder_directory (folder), name);
}

/* The opposite: NULL if name is no child's. */
static RackFolder *
child_by_name (const Directory *directory, const char *name)
{
  int high, low;
  if (name[0] == '%' && (high = g_ascii_xdigit_value (name[1])) >= 0
      && (low = g_ascii_xdigit_value (name[2])) >= 0)
    {
      g_autofree char *plain = g_strdup_printf ("%c%s", (char) (high * 16 + low), name + 3);
      char again[VIEW_NAME_SIZE];
      RackFolder *child = is_taken (directory->view, directory->folder, plain)
                              ? rack_folder_child (directory->folder, plain)
                              : NULL;
      if (child != NULL)
        {
          view_folder_name (directory->view, child, again);
          return strcmp (again, name) == 0 ? child : NULL;
        }
    }
  if (is_taken (directory->view, directory->folder, name))
    return NULL;
  return rack_folder_child (directory->folder, name);
}

/* In a Maildir a flag is a name. */
gboolean
view_is_writable (const Directory *directory)
{
  const RackRights flags = RACK_RIGHT_SEEN | RACK_RIGHT_WRITE;
  const RackRights removes = RACK_RIGHT_DELETE | RACK_RIGHT_EXPUNGE;
  RackFolderFacts facts;
  rack_folder_facts (directory->folder, &facts);
  RackRights any = RACK_RIGHT_INSERT | RACK_RIGHT_CREATE;
  if (view_ops (directory->view)->name_flags != NULL)
    any |= flags;
  return (facts.rights & any) != 0 || (facts.rights & removes) == removes;
}

gboolean
view_has_messages (const Directory *directory)
{
  return (directory->place == 0) == (views[directory->view]->places == NULL);
}

gboolean
view_find_directory (const Directory *directory, const char *name, Directory *found)
{
  RackFolderFacts facts;
  if (directory->place != 0)
    return FALSE;
  *found = *directory;
  found->place = place_by_name (directory->view, name);
  if (found->place != 0)
    {
      rack_folder_facts (directory->folder, &facts);
      return facts.selectable;
    }
  found->folder = child_by_name (directory, name);
  return found->folder != NULL;
}

/* ---- Messages ------------------------------------------------------------------------ */

guint32
view_name_uid (const Directory *directory, const char *name)
{
  const ViewOps *ops = views[directory->view];
  if (!view_has_messages (directory))
    return 0;
  return ops->name_uid != NULL ? ops->name_uid (directory, name) : rack_entry_name_uid (name);
}

gboolean
view_is_called (const Directory *directory, const RackEntry *entry, const char *name)
{
  const ViewOps *ops = views[directory->view];
  char now[VIEW_NAME_SIZE];
  if (ops->shows != NULL && !ops->shows (directory, entry))
    return FALSE;
  ops->entry_name (directory, entry, now);
  return strcmp (now, name) == 0;
}

gboolean
view_find_message (const Directory *directory, const char *name, RackEntry *entry)
{
  const ViewOps *ops = views[directory->view];
  guint32 uid = view_name_uid (directory, name);
  if (uid != 0
      && (ops->nameless ? rack_folder_stat : rack_folder_find) (directory->folder, uid, entry)
      && (ops->resolves != NULL ? ops->resolves (directory, name, entry)
                                : view_is_called (directory, entry, name)))
    return TRUE;
  return view_has_messages (directory) && ops->find_given != NULL
         && ops->find_given (directory, name, entry);
}

/* ---- What is not mail yet ------------------------------------------------------------- */

gboolean
view_shows_arrivals (const Directory *directory)
{
  return view_has_messages (directory) && views[directory->view]->space != NULL
         && view_space (directory) >= 0;
}

gboolean
view_find_arrival (const Directory *directory, const char *name, RackArrival *arrival)
{
  const ViewOps *ops = views[directory->view];
  if (!view_shows_arrivals (directory))
    return FALSE;
  if (!ops->nameless)
    return rack_folder_find_arrival (directory->folder, name, arrival);
  Directory from = *directory;
  for (RackTicket after = 0; rack_folder_arrivals (directory->folder, after, arrival, 1) == 1;
       after = arrival->id)
    {
      from.row = arrival->row;
      if (ops->resolves != NULL ? ops->resolves (&from, name, &arrival->entry)
                                : view_is_called (&from, &arrival->entry, name))
        return TRUE;
    }
  return FALSE;
}

int
view_space (const Directory *directory)
{
  const ViewOps *ops = views[directory->view];
  return ops->space != NULL ? ops->space (directory) : -1;
}

gboolean
view_of_space (guint space, View *view, guint *place)
{
  for (View at = 0; at < N_VIEWS; at++)
    for (guint i = 0; views[at] != NULL && views[at]->space != NULL && i <= view_places (at); i++)
      {
        Directory directory = { at, i, NULL, 0 };
        if (views[at]->space (&directory) != (int) space)
          continue;
        *view = at;
        *place = i;
        return TRUE;
      }
  return FALSE;
}

/* ---- What the kernel must forget ------------------------------------------------------ */

static void
forget_name (Mount *mount, fuse_ino_t directory, const char *name)
{
  fuse_lowlevel_notify_inval_entry (mount->session, directory, name, strlen (name));
}

/* As much as a change says of a message. now: as its flags are, where they changed. */
static void
entry_of_changed (const RackChanged *changed, gboolean now, RackEntry *entry)
{
  *entry = (RackEntry){ .uid = changed->uid,
                        .flags = now ? changed->flags_now : changed->flags,
                        .forwarded = now ? changed->forwarded_now : changed->forwarded,
                        .date = changed->date,
                        .base_space = changed->base_space };
  if (changed->base != NULL)
    g_strlcpy (entry->base, changed->base, sizeof entry->base);
  if (changed->name != NULL)
    g_strlcpy (entry->name, changed->name, sizeof entry->name);
}

gboolean
view_find_changed (View view, const RackChange *change, const RackChanged *changed, gboolean now,
                   Directory *directory, char *name)
{
  const ViewOps *ops = views[view];
  guint places = view_places (view);
  RackEntry entry;
  entry_of_changed (changed, now, &entry);
  *directory = (Directory){ view, 0, change->folder, change->row };
  for (guint place = places > 0 ? 1 : 0; place <= places; place++)
    {
      directory->place = place;
      if (ops->shows != NULL && !ops->shows (directory, &entry))
        continue;
      ops->entry_name (directory, &entry, name);
      return TRUE;
    }
  return FALSE;
}

static void
forget_messages (Mount *mount, View view, const RackChange *change)
{
  guint places = view_places (view);
  char name[VIEW_NAME_SIZE];
  for (guint place = places > 0 ? 1 : 0; place <= places; place++)
    {
      Directory directory = { view, place, change->folder, 0 };
      fuse_ino_t ino = inode_of_directory (mount, &directory);
      /* The listing first: whoever lists after that asks us, and we know already. */
      fuse_lowlevel_notify_inval_inode (mount->session, ino, 0, 0);
      for (guint i = 0; i < change->n; i++)
        {
          RackEntry entry;
          entry_of_changed (&change->items[i], FALSE, &entry);
          views[view]->entry_name (&directory, &entry, name);
          forget_name (mount, ino, name);
        }
    }
}

static void
forget_folders (Mount *mount, View view, const RackChange *change)
{
  Directory directory = { view, 0, change->folder, 0 };
  fuse_ino_t ino = inode_of_directory (mount, &directory);
  char name[VIEW_NAME_SIZE];
  fuse_lowlevel_notify_inval_inode (mount->session, ino, 0, 0);
  for (guint i = 0; i < change->n; i++)
    {
      view_child_name (view, change->folder, change->items[i].name, name);
      forget_name (mount, ino, name);
    }
}

/* Files of programs, by their space; and arrivals, which every place may show. */
static void
forget_local (Mount *mount, View view, const RackChange *change)
{
  for (guint place = 0; views[view]->space != NULL && place <= view_places (view); place++)
    {
      Directory directory = { view, place, change->folder, 0 };
      fuse_ino_t ino = inode_of_directory (mount, &directory);
      fuse_lowlevel_notify_inval_inode (mount->session, ino, 0, 0);
      for (guint i = 0; i < change->n; i++)
        if ((int) change->items[i].uid == view_space (&directory))
          forget_name (mount, ino, change->items[i].name);
    }
}

/* Modes of directories. */
static void
forget_rights (Mount *mount, View view, const RackChange *change)
{
  for (guint place = 0; place <= view_places (view); place++)
    {
      Directory directory = { view, place, change->folder, 0 };
      fuse_lowlevel_notify_inval_inode (mount->session, inode_of_directory (mount, &directory), -1,
                                        0);
    }
}

void
view_forget (Mount *mount, View view, const RackChange *change)
{
  switch (change->kind)
    {
    case RACK_CHANGE_ADDED:
    case RACK_CHANGE_REMOVED:
    case RACK_CHANGE_COMPLETE: /* the listings alone */
      forget_messages (mount, view, change);
      break;
    case RACK_CHANGE_FOLDERS:
      forget_folders (mount, view, change);
      break;
    case RACK_CHANGE_LOCAL:
      forget_local (mount, view, change);
      break;
    case RACK_CHANGE_RIGHTS:
      forget_rights (mount, view, change);
      break;
    case RACK_CHANGE_SIZES: /* the files are the same in every view */
    case RACK_CHANGE_FLAGS:
    case RACK_CHANGE_ONLINE:
    case RACK_CHANGE_OFFLINE:
    case RACK_CHANGE_VALIDITY: /* the old messages were REMOVED */
      break;
    }
}

/* Whoever has not come through its top has nothing of a view to forget, and most mounts have one
 * that is used. */
static gboolean
is_known (Mount *mount, View view)
{
  return view == mount->root || views[view]->root != NULL
         || (g_atomic_int_get (&mount->views_known) & 1 << view) != 0;
}

void
views_forget (Mount *mount, const RackChange *change)
{
  if (change->kind == RACK_CHANGE_LOCAL)
    drafts_end (mount);
  if (change->kind == RACK_CHANGE_SIZES)
    for (guint i = 0; i < change->n; i++)
      fuse_lowlevel_notify_inval_inode (
          mount->session, inode_of_message (change->row, change->items[i].uid), -1, 0);
  for (View view = 0; view < N_VIEWS; view++)
    if (views[view] == NULL || !is_known (mount, view))
      continue;
    else if (views[view]->forget != NULL)
      views[view]->forget (mount, view, change);
    else if (views[view]->root == NULL)
      view_forget (mount, view, change);
}
