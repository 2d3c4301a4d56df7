/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * notify.c - the kernel hears what changed
 *
 * One thread of its own pulls the mirror's changes and makes the kernel forget names,
 * attributes and listings. Such a call waits for a directory's lock while a request of
 * the same directory is on its way, so it is never made from a request, nor with a lock
 * of ours held.
 */
#include "inode.h"

#include <string.h>

/* How long a call into the kernel may keep us from ending. */
#define STOP_MS      2000
#define STOP_STEP_MS 5

struct Notifier
{
  Mount *mount;
  GCancellable *cancellable;
  GThread *thread;
  gint ended; /* atomic */
};

static void
forget_name (Mount *mount, fuse_ino_t directory, const char *name)
{
  fuse_lowlevel_notify_inval_entry (mount->session, directory, name, strlen (name));
}

static void
forget_listing (Mount *mount, fuse_ino_t directory)
{
  fuse_lowlevel_notify_inval_inode (mount->session, directory, 0, 0);
}

static void
forget_messages (Mount *mount, const RackChange *change)
{
  fuse_ino_t named = inode_of_directory (VIEW_MESSAGES, change->folder);
  fuse_ino_t by_uid = inode_of_directory (VIEW_UID, change->folder);
  char name[RACK_ENTRY_NAME_SIZE];
  /* The listing first: whoever lists after that asks us, and we know already. */
  forget_listing (mount, named);
  forget_listing (mount, by_uid);
  for (guint i = 0; i < change->n; i++)
    {
      rack_entry_name_short (change->items[i].uid, name);
      forget_name (mount, named, change->items[i].name);
      forget_name (mount, by_uid, name);
    }
}

static void
forget_folders (Mount *mount, const RackChange *change)
{
  for (View view = VIEW_MESSAGES; view <= VIEW_UID; view++)
    {
      fuse_ino_t directory = inode_of_directory (view, change->folder);
      forget_listing (mount, directory);
      for (guint i = 0; i < change->n; i++)
        forget_name (mount, directory, change->items[i].name);
    }
}

static void
forget_sizes (Mount *mount, const RackChange *change)
{
  for (guint i = 0; i < change->n; i++)
    fuse_lowlevel_notify_inval_inode (mount->session,
                                      inode_of_message (change->row, change->items[i].uid), -1, 0);
}

static gpointer
run (gpointer data)
{
  Notifier *notifier = data;
  Mount *mount = notifier->mount;
  const RackChange *change;
  while ((change = rack_mirror_next_change (mount->mirror, notifier->cancellable, NULL)) != NULL)
    switch (change->kind)
      {
      case RACK_CHANGE_ADDED:
      case RACK_CHANGE_REMOVED:
        forget_messages (mount, change);
        break;
      case RACK_CHANGE_SIZES:
        forget_sizes (mount, change);
        break;
      case RACK_CHANGE_FOLDERS:
        forget_folders (mount, change);
        break;
      case RACK_CHANGE_FLAGS:
        break; /* not to be seen in this view */
      }
  g_atomic_int_set (&notifier->ended, 1);
  return NULL;
}

Notifier *
notifier_start (Mount *mount)
{
  Notifier *notifier = g_new0 (Notifier, 1);
  notifier->mount = mount;
  notifier->cancellable = g_cancellable_new ();
  notifier->thread = g_thread_new ("mount-notify", run, notifier);
  return notifier;
}

gboolean
notifier_stop (Notifier *notifier)
{
  g_cancellable_cancel (notifier->cancellable);
  for (guint i = 0; i < STOP_MS / STOP_STEP_MS && !g_atomic_int_get (&notifier->ended); i++)
    g_usleep (STOP_STEP_MS * 1000);
  if (!g_atomic_int_get (&notifier->ended))
    return FALSE;
  g_thread_join (notifier->thread);
  g_object_unref (notifier->cancellable);
  g_free (notifier);
  return TRUE;
}
