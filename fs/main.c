/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c - mailrack-mount: from a command line to a mounted mailbox, and back
 *
 * Configuration, login and the list of mailboxes come first, while there is a terminal
 * to say what is wrong; only then the directory is mounted and the terminal left.
 */
#include "control.h"
#include "inode.h"
#include "life.h"
#include "options.h"
#include "workers.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <termios.h>
#include <unistd.h>

#define BODY_WORKERS 128
#define LIST_WORKERS 32
#define NEWS_WORKERS 64
#define FUSE_THREADS 8

/* ---- The host: questions and lines ---------------------------------------------------- */

static gboolean in_background;

static void
tell (gpointer data, const char *text)
{
  if (in_background)
    syslog (LOG_USER | LOG_WARNING, "%s", text);
  else
    g_printerr ("mailrack-mount: %s\n", text);
}

static RackSecret *
read_answer (const char *question, gboolean hidden)
{
  struct termios before, silent;
  char line[4096];
  RackSecret *answer = NULL;
  g_printerr ("%s", question);
  hidden = hidden && tcgetattr (STDIN_FILENO, &before) == 0;
  if (hidden)
    {
      silent = before;
      silent.c_lflag &= ~(tcflag_t) ECHO;
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &silent);
    }
  if (fgets (line, sizeof line, stdin) != NULL)
    answer = rack_secret_new (line, (gssize) strcspn (line, "\n"));
  if (hidden)
    {
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &before);
      g_printerr ("\n");
    }
  explicit_bzero (line, sizeof line);
  return answer;
}

static RackSecret *
ask (gpointer data, const char *question, RackAskFlags flags, const RackWait *wait, GError **error)
{
  RackSecret *answer = NULL;
  if (!in_background && isatty (STDIN_FILENO))
    answer = read_answer (question, !(flags & RACK_ASK_ECHO));
  if (answer == NULL)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INTERACTION,
                         in_background ? "a mount in the background has nobody to ask"
                                       : "there is no terminal to ask on");
  return answer;
}

static const RackHostOps host_ops = { sizeof host_ops, ask, tell };

/* ---- The account ------------------------------------------------------------------------ */

/* [USER@]HOST instead of the name of an account. */
static gboolean
set_server (RackConfig *config, const char *text, GError **error)
{
  const char *at = strrchr (text, '@');
  if (at != NULL)
    {
      g_autofree char *user = g_strndup (text, (gsize) (at - text));
      if (!rack_config_set (config, "username", user, "the command line", error))
        return FALSE;
      text = at + 1;
    }
  return rack_config_set (config, "host", text, "the command line", error);
}

static RackConfig *
load_config (const Options *options, GError **error)
{
  if (options->config_file != NULL)
    return rack_config_load (options->config_file, error);
  g_autofree char *path = rack_config_default_path ();
  /* With a server on the command line no file is needed. */
  if (options->account != NULL && strpbrk (options->account, "@.") != NULL
      && !g_file_test (path, G_FILE_TEST_EXISTS))
    return rack_config_new ();
  return rack_config_load (NULL, error);
}

/* *name: the account's section, or NULL for DEFAULT; borrowed from options. */
static RackConfig *
configure (const Options *options, const char **name, GError **error)
{
  g_autoptr (RackConfig) config = load_config (options, error);
  if (config == NULL)
    return NULL;
  *name = NULL;
  if (options->account != NULL)
    {
      if (g_strv_contains (rack_config_accounts (config), options->account)
          || strcmp (options->account, "DEFAULT") == 0)
        *name = strcmp (options->account, "DEFAULT") != 0 ? options->account : NULL;
      else if (strpbrk (options->account, "@.") == NULL)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                       "there is no account \"%s\" in the configuration file, and a server would "
                       "be written HOST.DOMAIN or USER@HOST",
                       options->account);
          return NULL;
        }
      else if (!set_server (config, options->account, error))
        return NULL;
    }
  for (guint i = 0; i + 1 < options->settings->len; i += 2)
    if (!rack_config_set (config, options->settings->pdata[i], options->settings->pdata[i + 1],
                          "-o", error))
      return NULL;
  return g_steal_pointer (&config);
}

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

/* The mirror, logged in, with the mailboxes listed. */
static RackMirror *
open_mirror (const Options *options, RackHost *host, GCancellable *cancellable,
             RackMountSettings *settings, char **label, GError **error)
{
  const char *name;
  g_autoptr (RackConfig) config = configure (options, &name, error);
  if (config == NULL || !rack_config_read (config, name, rack_mount_params (), settings, error))
    return NULL;
  if (view_ops (view_at_root (settings)) == NULL || settings->seen_on_read)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                   "%s is not in this version of the mount yet; leave it out",
                   settings->seen_on_read ? "seen_on_read = yes" : "that root");
      return NULL;
    }
  g_autoptr (RackAccount) account = rack_account_new (config, name, host, error);
  if (account == NULL || !rack_account_connect (account, cancellable, error))
    return NULL;
  *label = g_strdup (rack_account_label (account));
  RackMirrorOptions mirror = {
    .names = settings->names,
    .cache_limit = settings->cache_limit,
    .poll = settings->poll,
    .changes = TRUE,
  };
  return rack_mirror_open (account, &mirror, cancellable, error);
}

/* ---- The mount ---------------------------------------------------------------------------- */

/* What /proc/mounts shows; a comma would end the option. */
static char *
mount_options (const Options *options, const char *label)
{
  g_autoptr (GString) text = g_string_new ("fsname=imap:");
  for (const char *p = label; *p != '\0'; p++)
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

static int
serve (Mount *mount, int ready)
{
  struct fuse_loop_config *loop = fuse_loop_cfg_create ();
  fuse_loop_cfg_set_max_threads (loop, FUSE_THREADS);
  fuse_loop_cfg_set_idle_threads (loop, FUSE_THREADS);

  mount->bodies = workers_new (BODY_WORKERS, "mount-bodies");
  mount->lists = workers_new (LIST_WORKERS, "mount-lists");
  mount->news = workers_new (NEWS_WORKERS, "mount-news");
  Notifier *notifier = notifier_start (mount);
  life_ready (ready);
  int result = fuse_session_loop_mt (mount->session, loop);
  life_set_session (NULL);
  /* Whoever still waits is answered, then the kernel hears that it is over. */
  workers_free (mount->bodies);
  workers_free (mount->lists);
  workers_free (mount->news);
  /* Its calls use the session's descriptor, which unmounting closes. */
  gboolean stopped = notifier_stop (notifier);
  fuse_session_unmount (mount->session);
  if (!stopped)
    _exit (0);
  fuse_loop_cfg_destroy (loop);
  return result < 0 ? EX_IOERR : 0;
}

static int
mount_and_serve (const Options *options, const RackMountSettings *settings, const char *path,
                 const char *label, RackMirror *mirror, GCancellable *cancellable, int ready)
{
  Mount mount = {
    .mirror = mirror,
    .uid = options->uid,
    .gid = options->gid,
    .umask = options->umask,
    .nodes = nodes_new (),
    .events = events_new (),
    .root = view_at_root (settings),
    .list_views = settings->views == RACK_VIEWS_LISTED,
    .label = label,
  };
  int status = EX_UNAVAILABLE;
  pthread_mutex_init (&mount.mutex, NULL);
  g_queue_init (&mount.handles);
  mount.session = make_session (options, label, &mount);
  if (mount.session == NULL)
    return EX_SOFTWARE;
  if (fuse_session_mount (mount.session, path) == 0)
    {
      in_background = ready >= 0;
      life_set_session (mount.session);
      if (g_cancellable_is_cancelled (cancellable))
        fuse_session_exit (mount.session);
      status = serve (&mount, ready);
    }
  else
    g_printerr ("mailrack-mount: cannot mount on %s\n", path);
  fuse_session_destroy (mount.session);
  nodes_free (mount.nodes);
  events_free (mount.events);
  pthread_mutex_destroy (&mount.mutex);
  return status;
}

/* The child, or the only process with --foreground. */
static int
run (const Options *options, const char *path, int ready)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *label = NULL;

  life_protect_memory ();
  umask (077);
  if (!life_catch_signals (cancellable))
    return EX_OSERR;
  g_autoptr (RackHost) host = rack_host_new (&host_ops, NULL);
  RackMountSettings settings = { 0 };
  RackMirror *mirror = open_mirror (options, host, cancellable, &settings, &label, &error);
  if (mirror == NULL)
    {
      g_printerr ("mailrack-mount: %s\n", error->message);
      return exit_status_of (error);
    }
  int status = mount_and_serve (options, &settings, path, label, mirror, cancellable, ready);
  rack_mirror_close (mirror);
  return status;
}

int
main (int argc, char **argv)
{
  Options options;
  int status = 0;
  g_autofree char *path = NULL;

  switch (options_parse (&options, argc, argv))
    {
    case OPTIONS_GO:
      status = life_check_directory (options.directory, &path);
      if (status == 0)
        {
          int ready = options.foreground ? -1 : life_fork ();
          status = ready < 0 && !options.foreground ? EX_OSERR : run (&options, path, ready);
        }
      break;
    case OPTIONS_DONE:
      break;
    case OPTIONS_WRONG:
      status = EX_USAGE;
      break;
    }
  options_clear (&options);
  return status;
}
