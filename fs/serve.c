/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * serve.c - from an open mirror to a mounted directory, and back
 */
#include "serve.h"

#include "control.h"
#include "drafts.h"
#include "inode.h"
#include "life.h"
#include "opened.h"
#include "pages.h"
#include "sd-notify.h"
#include "search.h"
#include "workers.h"

#include <sysexits.h>
#include <unistd.h>

#define BODY_WORKERS   128
#define LIST_WORKERS   32
#define NEWS_WORKERS   64
#define CHANGE_WORKERS 64
/* How long what is not on the server yet may keep us from ending: the journal keeps it. */
#define FLUSH_MS       5000
/* They never wait for the server. With more of them each request of a program wakes another one,
 * which costs a quarter of the time of an open. */
#define FUSE_THREADS   2

static View
view_at_root (const RackMountSettings *settings)
{
  switch (settings->root)
    {
    case RACK_ROOT_MESSAGES:
      return VIEW_MESSAGES;
    case RACK_ROOT_MAILDIR:
      return VIEW_MAILDIR;
    case RACK_ROOT_PARTS:
      return VIEW_PARTS;
    }
  return VIEW_MESSAGES;
}

gboolean
serve_has_root (const RackMountSettings *settings)
{
  return view_ops (view_at_root (settings)) != NULL;
}

/* What /proc/mounts shows; a comma would end the option. */
static char *
mount_options (const Options *options, const char *label)
{
  /* As fstab has it, or mount -a takes it for another one and mounts it again. */
  const char *name = options->source != NULL ? options->source : label;
  g_autoptr (GString) text = g_string_new (options->source != NULL ? "fsname=" : "fsname=imap:");
  for (const char *p = name; *p != '\0'; p++)
    {
      if (*p == ',' || *p == '\\')
        g_string_append_c (text, '\\');
      g_string_append_c (text, *p);
    }
  g_string_append (text, ",subtype=mailrack,default_permissions,nosuid,nodev,noexec");
  if (options->read_only)
    g_string_append (text, ",ro");
  if (options->allow_other)
    g_string_append (text, ",allow_other");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static struct fuse_session *
make_session (const Options *options, const char *label, Mount *mount)
{
  g_autofree char *text = mount_options (options, label);
  char *argv[] = { "mailrack-mount", "-o", text, "-d", NULL };
  struct fuse_args args = FUSE_ARGS_INIT (options->debug ? 4 : 3, argv);
  struct fuse_session *session = fuse_session_new (&args, &mount_ops, sizeof mount_ops, mount);
  fuse_opt_free_args (&args);
  return session;
}

static gpointer
cancel_later (gpointer data)
{
  GCancellable *cancellable = data;
  for (guint i = 0; i < FLUSH_MS / 50 && !g_cancellable_is_cancelled (cancellable); i++)
    g_usleep (50 * 1000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* What programs were told is done the server has too, if it can be soon. */
static void
flush (Mount *mount)
{
  g_autoptr (GPtrArray) items = rack_outgoing_list (mount->mirror);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  if (items->len == 0)
    return;
  GThread *thread = g_thread_new ("mount-flush", cancel_later, cancellable);
  rack_outgoing_flush (mount->mirror, cancellable, NULL);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
}

static int
run_loop (Mount *mount, int ready)
{
  struct fuse_loop_config *loop = fuse_loop_cfg_create ();
  fuse_loop_cfg_set_max_threads (loop, FUSE_THREADS);
  fuse_loop_cfg_set_idle_threads (loop, FUSE_THREADS);

  mount->bodies = workers_new (BODY_WORKERS, "mount-bodies");
  mount->lists = workers_new (LIST_WORKERS, "mount-lists");
  mount->news = workers_new (NEWS_WORKERS, "mount-news");
  mount->changes = workers_new (CHANGE_WORKERS, "mount-changes");
  mount->quota = quota_start (mount);
  mount->pages = pages_start (mount);
  mount->notifier = notifier_start (mount);
  Recovery *recovery = recovery_start (mount);
  life_ready (ready);
  g_autofree char *status = g_strdup_printf ("READY=1\nSTATUS=%s is mounted", mount->label);
  sd_notify_send (status);
  int result = fuse_session_loop_mt (mount->session, loop);
  sd_notify_send ("STOPPING=1\nSTATUS=ending");
  life_set_session (NULL);
  /* Whoever still waits is answered, then the kernel hears that it is over. */
  workers_free (mount->bodies);
  workers_free (mount->lists);
  workers_free (mount->news);
  workers_free (mount->changes);
  recovery_stop (recovery);
  local_settle_all (mount);
  quota_stop (mount->quota);
  /* Its calls use the session's descriptor, which unmounting closes. */
  gboolean stopped = pages_stop (mount->pages) && notifier_stop (mount->notifier)
                     && announcer_stop (mount->announcer);
  fuse_session_unmount (mount->session);
  flush (mount);
  if (!stopped)
    _exit (0);
  mount->notifier = NULL; /* files that are still open are closed after this */
  fuse_loop_cfg_destroy (loop);
  return result < 0 ? EX_IOERR : 0;
}

int
serve (const Options *options, const RackMountSettings *settings, const char *path,
       const char *label, RackMirror *mirror, Helpers *helpers, GCancellable *cancellable,
       int ready)
{
  Mount mount = {
    .mirror = mirror,
    .uid = options->uid,
    .gid = options->gid,
    .umask = options->umask,
    .nodes = nodes_new (),
    .opened = opened_new (),
    .events = events_new (),
    .searches = searches_new (mirror),
    .drafts = drafts_new (),
    .root = view_at_root (settings),
    .commit_server = settings->commit == RACK_COMMIT_SERVER,
    .seen_on_read = settings->seen_on_read,
    .xattr = settings->xattr,
    .list_views = settings->views == RACK_VIEWS_LISTED,
    .label = label,
    .cache_limit = settings->cache_limit,
    .deny_readers = settings->deny_readers,
  };
  int status = EX_UNAVAILABLE;
  if (!settings->inotify)
    announce_helper_stop (&helpers->announce, TRUE);
  pthread_mutex_init (&mount.mutex, NULL);
  g_queue_init (&mount.handles);
  mount.session = make_session (options, label, &mount);
  if (mount.session == NULL)
    return EX_SOFTWARE;
  if (fuse_session_mount (mount.session, path) == 0)
    {
      if (!guard_watch (&helpers->guard, path))
        g_printerr ("mailrack-mount: connections of FUSE cannot be aborted here: should this "
                    "process be killed, whoever uses %s may hang\n",
                    path);
      if (helpers->announce.socket >= 0)
        mount.announcer = announcer_start (&mount, path, &helpers->announce);
      life_set_session (mount.session);
      /* A signal that came before that. */
      if (g_cancellable_is_cancelled (cancellable))
        fuse_session_exit (mount.session);
      status = run_loop (&mount, ready);
    }
  else
    g_printerr ("mailrack-mount: cannot mount on %s\n", path);
  opened_free (mount.opened);
  fuse_session_destroy (mount.session);
  drafts_free (mount.drafts);
  nodes_free (mount.nodes);
  events_free (mount.events);
  g_free (mount.ctl_problem);
  g_free (mount.problem);
  searches_free (mount.searches);
  pthread_mutex_destroy (&mount.mutex);
  return status;
}
