/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c - mailrack-mount: from a command line to a mounted mailbox, and back
 *
 * Configuration, login and the list of mailboxes come first, while there is a terminal
 * to say what is wrong; only then the directory is mounted and the terminal left.
 */
#include "life.h"
#include "options.h"
#include "sd-notify.h"
#include "serve.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <termios.h>
#include <unistd.h>

#define LARGE_BLOCK (256 << 10) /* octets */

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

/* The mirror, logged in, with the mailboxes listed; or offline, if it was here before. */
static RackMirror *
open_mirror (const Options *options, const char *path, RackHost *host, GCancellable *cancellable,
             RackMountSettings *settings, char **label, GError **error)
{
  const char *name;
  g_autoptr (RackConfig) config = configure (options, &name, error);
  if (config == NULL || !rack_config_read (config, name, rack_mount_params (), settings, error))
    return NULL;
  if (!serve_has_root (settings))
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CONFIG,
                           "that root is not in this version of the mount yet; leave it out");
      return NULL;
    }
  g_autoptr (RackAccount) account = rack_account_new (config, name, host, error);
  if (account == NULL)
    return NULL;
  *label = g_strdup (rack_account_label (account));
  g_autofree char *holder = g_strdup_printf ("mailrack-mount on %s", path);
  RackMirrorOptions mirror = {
    .names = settings->names,
    .cache_limit = settings->cache_limit,
    .poll = settings->poll,
    .subscribed = settings->subscribed,
    .changes = TRUE,
    .writes = TRUE,
    .read_only = options->read_only,
    .queue_offline = settings->offline == RACK_OFFLINE_QUEUE,
    .purge = settings->purge,
    .trash = settings->trash,
    .state_dir = settings->state_dir,
    .cache_dir = settings->cache_dir,
    .holder = holder,
  };
  return rack_mirror_open (account, &mirror, cancellable, error);
}

/* ---- The process ------------------------------------------------------------------------ */

/* The child, or the only process with --foreground. */
static int
run (const Options *options, const char *path, int ready)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *label = NULL;

  Helpers helpers;
  /* Large arrays are given back whole: left to itself, malloc stops doing so with the first. */
  mallopt (M_MMAP_THRESHOLD, LARGE_BLOCK);
  sd_notify_begin ();
  if (!announce_helper_start (&helpers.announce, options->uid, options->gid))
    g_printerr ("mailrack-mount: cannot fork: programs that watch directories hear nothing\n");
  guard_start (&helpers.guard); /* guard_watch() tells */
  life_protect_memory ();
  umask (077);
  if (!life_catch_signals (cancellable))
    return EX_OSERR;
  g_autoptr (RackHost) host = rack_host_new (&host_ops, NULL);
  RackMountSettings settings = { 0 };
  RackMirror *mirror = open_mirror (options, path, host, cancellable, &settings, &label, &error);
  if (mirror == NULL)
    {
      g_printerr ("mailrack-mount: %s\n", error->message);
      rack_params_clear (rack_mount_params (), &settings);
      return exit_status_of (error);
    }
  if (rack_mirror_notice (mirror) != NULL)
    tell (NULL, rack_mirror_notice (mirror));
  in_background = ready >= 0;
  int status = serve (options, &settings, path, label, mirror, &helpers, cancellable, ready);
  rack_mirror_close (mirror);
  rack_params_clear (rack_mount_params (), &settings);
  return status;
}

static int
go (Options *options)
{
  g_autofree char *path = NULL;
  if (!options_become_user (options))
    return EX_USAGE;
  int status = life_check_directory (options->directory, &path);
  if (status != 0 || options->fake)
    return status;
  int ready = options->foreground ? -1 : life_fork ();
  return ready < 0 && !options->foreground ? EX_OSERR : run (options, path, ready);
}

int
main (int argc, char **argv)
{
  Options options;
  int status = 0;

  switch (options_parse (&options, argc, argv))
    {
    case OPTIONS_GO:
      status = go (&options);
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
