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
  Directory directory;
  fuse_ino_t parent;
  char name[VIEW_NAME_SIZE];
} Name;

typedef struct
{
  AnnounceKind kind;
  guint32 row, uid; /* of a message */
  Name name;
  Name from; /* of a MOVE, else parent is 0 */
} News;

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
  GQueue queue; /* of News */
  gboolean stopping;
  News now;    /* no parent: nothing is being announced */
  int problem; /* of the last one: an errno or 0 */
  guint64 announced, dropped;
};

/* ---- What is announced ------------------------------------------------------------------- */

static void
push (Announcer *announcer, const News *news)
{
  News *item = g_memdup2 (news, sizeof *news);
  item->name.parent = inode_of_directory (announcer->mount, &item->name.directory);
  if (item->kind == ANNOUNCE_MOVE)
    item->from.parent = inode_of_directory (announcer->mount, &item->from.directory);

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

static gboolean
find (View view, const RackChange *change, const RackChanged *changed, gboolean now, Name *name)
{
  return view_find_changed (view, change, changed, now, &name->directory, name->name);
}

/* Returns: whether there is something to say. */
static gboolean
describe (View view, const RackChange *change, const RackChanged *changed, News *news)
{
  guint arrives = view_ops (view)->arrives;
  *news = (News){ .row = change->row, .uid = changed->uid };
  if (change->kind == RACK_CHANGE_REMOVED)
    {
      news->kind = ANNOUNCE_NO_FILE;
      return find (view, change, changed, FALSE, &news->name);
    }
  if (change->kind == RACK_CHANGE_FLAGS)
    {
      news->kind = ANNOUNCE_MOVE;
      return find (view, change, changed, FALSE, &news->from)
             && find (view, change, changed, TRUE, &news->name)
             && (news->from.directory.place != news->name.directory.place
                 || strcmp (news->from.name, news->name.name) != 0);
    }
  if (!find (view, change, changed, FALSE, &news->name))
    return FALSE;
  news->kind = arrives != 0 ? ANNOUNCE_MOVE : ANNOUNCE_FILE;
  news->from = news->name;
  news->from.directory.place = arrives;
  return TRUE;
}

/* Whoever watches there has heard the call that made it. */
static gboolean
was_heard (View view, const RackChange *change, const RackChanged *changed)
{
  gboolean delivered = change->kind == RACK_CHANGE_ADDED && changed->base_space != 0;
  return view == (delivered ? VIEW_MAILDIR : VIEW_MESSAGES);
}

static void
push_messages (Announcer *announcer, View view, const RackChange *change)
{
  const ViewOps *ops = view_ops (view);
  News news;
  /* A message that is a directory; and a name that has nothing to do with flags. */
  if (ops->fill_entry != NULL || (change->kind == RACK_CHANGE_FLAGS && ops->shows == NULL))
    return;
  for (guint i = 0; i < change->n; i++)
    {
      if (change->items[i].own && was_heard (view, change, &change->items[i]))
        continue;
      if (describe (view, change, &change->items[i], &news))
        push (announcer, &news);
    }
}

static void
push_folders (Announcer *announcer, View view, const RackChange *change)
{
  for (guint i = 0; i < change->n; i++)
    {
      const char *name = change->items[i].name;
      gboolean there = rack_folder_child (change->folder, name) != NULL;
      News news = { .kind = there ? ANNOUNCE_DIRECTORY : ANNOUNCE_NO_DIRECTORY,
                    .name.directory = { view, 0, change->folder } };
      view_child_name (view, change->folder, name, news.name.name);
      push (announcer, &news);
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
        case RACK_CHANGE_FLAGS:
          push_messages (announcer, view, change);
          break;
        case RACK_CHANGE_FOLDERS:
          push_folders (announcer, view, change);
          break;
        case RACK_CHANGE_SIZES:
        case RACK_CHANGE_ONLINE:
        case RACK_CHANGE_OFFLINE:
        case RACK_CHANGE_VALIDITY:
        case RACK_CHANGE_RIGHTS:
        case RACK_CHANGE_COMPLETE:
        case RACK_CHANGE_LOCAL: /* who waits for mail does not wait for these */
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
set_now (Announcer *announcer, const News *item)
{
  pthread_mutex_lock (&announcer->mutex);
  announcer->now = item != NULL ? *item : (News){ 0 };
  pthread_mutex_unlock (&announcer->mutex);
}

static void
forget_name (Announcer *announcer, const Name *item)
{
  if (item->parent != 0)
    fuse_lowlevel_notify_inval_entry (announcer->mount->session, item->parent, item->name,
                                      strlen (item->name));
}

/* Returns: an errno. */
static int
announce (Announcer *announcer, const News *item)
{
  gboolean moves = item->kind == ANNOUNCE_MOVE;
  g_autofree char *path = path_of (announcer, &item->name);
  g_autofree char *from = moves ? path_of (announcer, &item->from) : NULL;
  int result = EEXIST;
  set_now (announcer, item);
  for (guint i = 0; i < ATTEMPTS && (result == EEXIST || (moves && result == ENOENT)); i++)
    {
      result = announce_helper_call (&announcer->helper, item->kind, path, from);
      if (result != 0)
        {
          forget_name (announcer, &item->name);
          forget_name (announcer, &item->from);
        }
    }
  set_now (announcer, NULL);
  return result;
}

/* Waits for a name. Returns: (owned), or NULL when there is to be no more. */
static News *
pop (Announcer *announcer)
{
  pthread_mutex_lock (&announcer->mutex);
  while (!announcer->stopping && announcer->queue.length == 0)
    pthread_cond_wait (&announcer->changed, &announcer->mutex);
  News *item = announcer->stopping ? NULL : g_queue_pop_head (&announcer->queue);
  pthread_mutex_unlock (&announcer->mutex);
  return item;
}

static gpointer
run (gpointer data)
{
  Announcer *announcer = data;
  News *item;
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

static gboolean
is_called (const Name *item, fuse_ino_t parent, const char *name)
{
  return item->parent == parent && strcmp (item->name, name) == 0;
}

gboolean
announcer_knows (Mount *mount, fuse_req_t req, fuse_ino_t parent, const char *name, gboolean *comes)
{
  Announcer *announcer = mount->announcer;
  if (announcer == NULL || fuse_req_ctx (req)->pid != announcer->helper.pid)
    return FALSE;
  pthread_mutex_lock (&announcer->mutex);
  AnnounceKind kind = announcer->now.kind;
  gboolean knows = is_called (&announcer->now.name, parent, name);
  gboolean leaves = kind == ANNOUNCE_MOVE && is_called (&announcer->now.from, parent, name);
  pthread_mutex_unlock (&announcer->mutex);
  *comes = !leaves && kind != ANNOUNCE_NO_FILE && kind != ANNOUNCE_NO_DIRECTORY;
  return knows || leaves;
}

static void
fill_gone_message (Mount *mount, const News *now, struct fuse_entry_param *out)
{
  RackEntry entry = { .uid = now->uid, .size = 1 };
  fill_message_entry (mount, now->row, &entry, FALSE, out);
  /* Who has it open may read on. */
  find_open_message (mount, out->ino, &out->attr);
  out->attr.st_nlink = 1;
  out->attr_timeout = out->entry_timeout = 0;
}

/* What came or goes, as it is (or was). */
static gboolean
fill_now (Mount *mount, struct fuse_entry_param *out)
{
  RackEntry entry;
  Directory child;
  pthread_mutex_lock (&mount->announcer->mutex);
  News now = mount->announcer->now;
  pthread_mutex_unlock (&mount->announcer->mutex);
  RackFolder *folder = now.name.directory.folder;
  switch (now.kind)
    {
    case ANNOUNCE_FILE:
      if (!rack_folder_find (folder, now.uid, &entry))
        return FALSE;
      fill_message_entry (mount, now.row, &entry, rack_folder_ready (folder), out);
      return TRUE;
    case ANNOUNCE_MOVE:
      /* One that went meanwhile is announced as gone next. */
      if (!rack_folder_stat (folder, now.uid, &entry))
        fill_gone_message (mount, &now, out);
      else
        fill_message_entry (mount, now.row, &entry, FALSE, out);
      out->entry_timeout = 0;
      return TRUE;
    case ANNOUNCE_NO_FILE:
      fill_gone_message (mount, &now, out);
      return TRUE;
    case ANNOUNCE_DIRECTORY:
      if (!view_find_directory (&now.name.directory, now.name.name, &child))
        return FALSE;
      fill_directory_entry (mount, &child, out);
      return TRUE;
    case ANNOUNCE_NO_DIRECTORY:
      /* Its number does not matter any more. */
      memset (out, 0, sizeof *out);
      out->attr.st_ino = out->ino = inode_of_node (node_number (now.name.name));
      out->attr.st_mode = S_IFDIR | 0700;
      out->attr.st_nlink = 2;
      out->attr.st_uid = mount->uid;
      out->attr.st_gid = mount->gid;
      return TRUE;
    }
  return FALSE;
}

void
announcer_answer_lookup (Mount *mount, fuse_req_t req, gboolean comes)
{
  struct fuse_entry_param entry = { .ino = 0 };
  if (!comes && !fill_now (mount, &entry))
    fuse_reply_err (req, ENOENT);
  else
    fuse_reply_entry (req, &entry);
}

void
announcer_answer_call (Mount *mount, fuse_req_t req, gboolean comes)
{
  struct fuse_entry_param entry;
  if (!comes)
    fuse_reply_err (req, 0);
  else if (fill_now (mount, &entry))
    fuse_reply_entry (req, &entry);
  else
    fuse_reply_err (req, ENOENT);
}
