/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * announce.c - which names are announced, and how the helper is answered
 *
 * One name at a time: the thread here says which it is, has the helper make its call,
 * and takes the next. Only names of plain files are announced, in the view at the root
 * and in those that somebody has looked into.
 */
#include "announce.h"

#include "inode.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* More than a watching program would hear anyway (fs.inotify.max_queued_events is 16,384). */
#define QUEUE_MAX 16384
/* Somebody may look a new name up before it is announced; then it must be forgotten once more. */
#define ATTEMPTS  3

typedef struct
{
  AnnounceKind kind;
  Directory directory;
  guint32 row, uid; /* of a message */
  fuse_ino_t parent;
  char name[VIEW_NAME_SIZE];
} Name;

struct Announcer
{
  Mount *mount;
  char *path;
  AnnounceHelper helper;
  GThread *thread;
  gint ended; /* atomic */
  /* Guards what is below. No GAsyncQueue: ThreadSanitizer does not see how it hands over. */
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  GQueue queue; /* of Name */
  gboolean stopping;
  Name now;    /* parent 0: nothing is being announced */
  int problem; /* of the last one: an errno or 0 */
  guint64 announced, dropped;
};

/* ---- What is announced ------------------------------------------------------------------- */

static void
push (Announcer *announcer, AnnounceKind kind, const Directory *directory, guint32 row, guint32 uid,
      const char *name)
{
  Name *item = g_new0 (Name, 1);
  item->kind = kind;
  item->directory = *directory;
  item->row = row;
  item->uid = uid;
  item->parent = inode_of_directory (announcer->mount, directory);
  g_strlcpy (item->name, name, sizeof item->name);

  pthread_mutex_lock (&announcer->mutex);
  gboolean full = announcer->queue.length >= QUEUE_MAX;
  if (full)
    announcer->dropped++;
  else
    g_queue_push_tail (&announcer->queue, item);
  pthread_cond_signal (&announcer->changed);
  pthread_mutex_unlock (&announcer->mutex);
  if (full)
    g_free (item);
}

static void
push_message (Announcer *announcer, const Directory *directory, const RackChange *change,
              const RackChanged *changed)
{
  const ViewOps *ops = view_ops (directory->view);
  gboolean added = change->kind == RACK_CHANGE_ADDED;
  char name[VIEW_NAME_SIZE];
  RackEntry entry = { .uid = changed->uid };
  if (!added)
    g_strlcpy (entry.name, changed->name, sizeof entry.name);
  else if (!rack_folder_find (change->folder, changed->uid, &entry)
           || (ops->shows != NULL && !ops->shows (directory, &entry)))
    return;
  ops->entry_name (directory, &entry, name);
  push (announcer, added ? ANNOUNCE_FILE : ANNOUNCE_NO_FILE, directory, change->row, changed->uid,
        name);
}

static void
push_messages (Announcer *announcer, View view, const RackChange *change)
{
  const ViewOps *ops = view_ops (view);
  guint places = view_places (view);
  /* Where names tell more than the UID, nobody knows here what a gone message was called. */
  if (ops->fill_entry != NULL || (change->kind == RACK_CHANGE_REMOVED && ops->shows != NULL))
    return;
  for (guint place = places > 0 ? 1 : 0; place <= places; place++)
    {
      Directory directory = { view, place, change->folder };
      for (guint i = 0; i < change->n; i++)
        push_message (announcer, &directory, change, &change->items[i]);
    }
}

static void
push_folders (Announcer *announcer, View view, const RackChange *change)
{
  Directory parent = { view, 0, change->folder };
  for (guint i = 0; i < change->n; i++)
    {
      const char *name = change->items[i].name;
      gboolean there = rack_folder_child (change->folder, name) != NULL;
      char shown[VIEW_NAME_SIZE];
      view_child_name (view, change->folder, name, shown);
      push (announcer, there ? ANNOUNCE_DIRECTORY : ANNOUNCE_NO_DIRECTORY, &parent, 0, 0, shown);
    }
}

void
announcer_push (Announcer *announcer, const RackChange *change)
{
  if (announcer == NULL)
    return;
  for (View view = 0; view < N_VIEWS; view++)
    {
      const ViewOps *ops = view_ops (view);
      gboolean used = view == announcer->mount->root
                      || (g_atomic_int_get (&announcer->mount->views_used) & 1 << view) != 0;
      if (ops == NULL || ops->root != NULL || !used)
        continue;
      switch (change->kind)
        {
        case RACK_CHANGE_ADDED:
        case RACK_CHANGE_REMOVED:
          push_messages (announcer, view, change);
          break;
        case RACK_CHANGE_FOLDERS:
          push_folders (announcer, view, change);
          break;
        case RACK_CHANGE_FLAGS:
        case RACK_CHANGE_SIZES:
        case RACK_CHANGE_ONLINE:
        case RACK_CHANGE_OFFLINE:
        case RACK_CHANGE_VALIDITY:
          break;
        }
    }
}

/* ---- The thread ----------------------------------------------------------------------------- */

static void
append_folder (GString *path, View view, RackFolder *folder)
{
  char name[VIEW_NAME_SIZE];
  RackFolder *parent = rack_folder_parent (folder);
  if (parent == NULL)
    return;
  append_folder (path, view, parent);
  view_folder_name (view, folder, name);
  g_string_append_printf (path, "/%s", name);
}

static char *
path_of (const Announcer *announcer, const Name *item)
{
  const ViewOps *ops = view_ops (item->directory.view);
  GString *path = g_string_new (announcer->path);
  if (item->directory.view != announcer->mount->root)
    g_string_append_printf (path, "/%s", ops->name);
  append_folder (path, item->directory.view, item->directory.folder);
  if (item->directory.place > 0)
    g_string_append_printf (path, "/%s", ops->places[item->directory.place - 1]);
  g_string_append_printf (path, "/%s", item->name);
  return g_string_free (path, FALSE);
}

static void
set_now (Announcer *announcer, const Name *item)
{
  pthread_mutex_lock (&announcer->mutex);
  announcer->now = item != NULL ? *item : (Name){ 0 };
  pthread_mutex_unlock (&announcer->mutex);
}

/* Returns: an errno. */
static int
announce (Announcer *announcer, const Name *item)
{
  g_autofree char *path = path_of (announcer, item);
  int result = EEXIST;
  set_now (announcer, item);
  for (guint i = 0; i < ATTEMPTS && result == EEXIST; i++)
    {
      result = announce_helper_call (&announcer->helper, item->kind, path);
      if (result == EEXIST)
        fuse_lowlevel_notify_inval_entry (announcer->mount->session, item->parent, item->name,
                                          strlen (item->name));
    }
  set_now (announcer, NULL);
  return result;
}

/* Waits for a name. Returns: (owned), or NULL when there is to be no more. */
static Name *
pop (Announcer *announcer)
{
  pthread_mutex_lock (&announcer->mutex);
  while (!announcer->stopping && announcer->queue.length == 0)
    pthread_cond_wait (&announcer->changed, &announcer->mutex);
  Name *item = announcer->stopping ? NULL : g_queue_pop_head (&announcer->queue);
  pthread_mutex_unlock (&announcer->mutex);
  return item;
}

static gpointer
run (gpointer data)
{
  Announcer *announcer = data;
  Name *item;
  while ((item = pop (announcer)) != NULL)
    {
      int result = announce (announcer, item);
      g_free (item);
      pthread_mutex_lock (&announcer->mutex);
      announcer->announced += result == 0;
      announcer->problem = result;
      pthread_mutex_unlock (&announcer->mutex);
    }
  g_atomic_int_set (&announcer->ended, 1);
  return NULL;
}

Announcer *
announcer_start (Mount *mount, const char *path, const AnnounceHelper *helper)
{
  Announcer *announcer = g_new0 (Announcer, 1);
  announcer->mount = mount;
  announcer->path = g_strdup (path);
  announcer->helper = *helper;
  g_queue_init (&announcer->queue);
  pthread_mutex_init (&announcer->mutex, NULL);
  pthread_cond_init (&announcer->changed, NULL);
  announcer->thread = g_thread_new ("mount-announce", run, announcer);
  return announcer;
}

gboolean
announcer_stop (Announcer *announcer)
{
  if (announcer == NULL)
    return TRUE;
  pthread_mutex_lock (&announcer->mutex);
  announcer->stopping = TRUE;
  pthread_cond_signal (&announcer->changed);
  pthread_mutex_unlock (&announcer->mutex);
  /* Ends a call that is being waited for. */
  shutdown (announcer->helper.socket, SHUT_RDWR);
  if (!thread_ended (&announcer->ended))
    return FALSE;
  g_thread_join (announcer->thread);
  announce_helper_stop (&announcer->helper, FALSE);
  g_queue_clear_full (&announcer->queue, g_free);
  pthread_cond_destroy (&announcer->changed);
  pthread_mutex_destroy (&announcer->mutex);
  g_free (announcer->path);
  g_free (announcer);
  return TRUE;
}

char *
announcer_describe (Announcer *announcer)
{
  if (announcer == NULL)
    return g_strdup ("no");
  pthread_mutex_lock (&announcer->mutex);
  int problem = announcer->problem;
  guint64 announced = announcer->announced, dropped = announcer->dropped;
  pthread_mutex_unlock (&announcer->mutex);
  return g_strdup_printf ("%" G_GUINT64_FORMAT " names, %" G_GUINT64_FORMAT " left out%s%s",
                          announced, dropped, problem != 0 ? ", the last failed: " : "",
                          problem != 0 ? g_strerror (problem) : "");
}

/* ---- The helper's requests ------------------------------------------------------------------- */

gboolean
announcer_knows (Mount *mount, fuse_req_t req, fuse_ino_t parent, const char *name,
                 AnnounceKind *kind)
{
  Announcer *announcer = mount->announcer;
  if (announcer == NULL || fuse_req_ctx (req)->pid != announcer->helper.pid)
    return FALSE;
  pthread_mutex_lock (&announcer->mutex);
  gboolean knows = announcer->now.parent == parent && strcmp (announcer->now.name, name) == 0;
  *kind = announcer->now.kind;
  pthread_mutex_unlock (&announcer->mutex);
  return knows;
}

static gboolean
creates (AnnounceKind kind)
{
  return kind == ANNOUNCE_FILE || kind == ANNOUNCE_DIRECTORY;
}

/* What came or goes, as it is (or was). */
static gboolean
fill_now (Mount *mount, struct fuse_entry_param *out)
{
  RackEntry entry;
  Directory child;
  pthread_mutex_lock (&mount->announcer->mutex);
  Name now = mount->announcer->now;
  pthread_mutex_unlock (&mount->announcer->mutex);
  switch (now.kind)
    {
    case ANNOUNCE_FILE:
      if (!rack_folder_find (now.directory.folder, now.uid, &entry))
        return FALSE;
      fill_message_entry (mount, now.row, &entry, rack_folder_ready (now.directory.folder), out);
      return TRUE;
    case ANNOUNCE_NO_FILE:
      entry = (RackEntry){ .uid = now.uid, .size = 1 };
      fill_message_entry (mount, now.row, &entry, FALSE, out);
      /* Who has it open may read on. */
      find_open_message (mount, out->ino, &out->attr);
      out->attr.st_nlink = 1;
      out->attr_timeout = out->entry_timeout = 0;
      return TRUE;
    case ANNOUNCE_DIRECTORY:
      if (!view_find_directory (&now.directory, now.name, &child))
        return FALSE;
      fill_directory_entry (mount, &child, out);
      return TRUE;
    case ANNOUNCE_NO_DIRECTORY:
      /* Its number does not matter any more. */
      memset (out, 0, sizeof *out);
      out->attr.st_ino = out->ino = inode_of_node (node_number (now.name));
      out->attr.st_mode = S_IFDIR | 0700;
      out->attr.st_nlink = 2;
      out->attr.st_uid = mount->uid;
      out->attr.st_gid = mount->gid;
      return TRUE;
    }
  return FALSE;
}

void
announcer_answer_lookup (Mount *mount, fuse_req_t req, AnnounceKind kind)
{
  struct fuse_entry_param entry = { .ino = 0 };
  if (!creates (kind) && !fill_now (mount, &entry))
    fuse_reply_err (req, ENOENT);
  else
    fuse_reply_entry (req, &entry);
}

void
announcer_answer_call (Mount *mount, fuse_req_t req, AnnounceKind kind)
{
  struct fuse_entry_param entry;
  if (!creates (kind))
    fuse_reply_err (req, 0);
  else if (fill_now (mount, &entry))
    fuse_reply_entry (req, &entry);
  else
    fuse_reply_err (req, ENOENT);
}
