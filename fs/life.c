/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life.c - the process of a mount: mount points, the daemon, signals
 *
 * A handler only writes into a pipe, on whichever thread it runs; a thread of ours
 * reads it. So no thread blocks signals and no child inherits blocked ones. libfuse's
 * loop waits in sem_wait() on the main thread, which a signal of its own interrupts.
 */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- The mount point ------------------------------------------------------------------ */

#define OUR_TYPE "fuse.mailrack"

static gboolean
clean_leftover (const char *path)
{
  const char *argv[] = { "fusermount3", "-u", "-z", "--", path, NULL };
  int status = -1;
  return g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                       &status, NULL)
         && status == 0;
}

static int
check_leftover (const char *path, const char *type)
{
  if (g_strcmp0 (type, OUR_TYPE) == 0 && clean_leftover (path))
    {
      g_printerr ("mailrack-mount: %s: cleaned the leftover of a mount that died\n", path);
      return 0;
    }
  g_printerr ("mailrack-mount: %s: a dead mount (%s) is left there; unmount it first: "
              "fusermount3 -u -z %s\n",
              path, type != NULL ? type : "of an unknown type", path);
  return EX_UNAVAILABLE;
}

int
life_check_directory (const char *directory, char **path)
{
  struct stat facts;
  struct statfs space;
  g_autofree char *found = rack_mount_path (directory);
  g_autofree char *type = rack_mount_type (found, NULL);
  /* Of a dead mount too the kernel answers stat() from its cache, for an hour; not this. */
  if (statfs (found, &space) != 0 && errno == ENOTCONN)
    {
      int status = check_leftover (found, type);
      if (status != 0)
        return status;
      g_clear_pointer (&type, g_free);
    }
  char *resolved = realpath (found, NULL);
  if (resolved == NULL || stat (resolved, &facts) != 0)
    {
      g_printerr ("mailrack-mount: %s: %s\n", directory, g_strerror (errno));
      free (resolved);
      return EX_USAGE;
    }
  *path = g_strdup (resolved);
  free (resolved);
  if (!S_ISDIR (facts.st_mode))
    {
      g_printerr ("mailrack-mount: %s: not a directory\n", directory);
      return EX_USAGE;
    }
  if (g_strcmp0 (type, OUR_TYPE) == 0)
    {
      g_printerr ("mailrack-mount: %s: mail is mounted there already\n", directory);
      return EX_USAGE;
    }
  return 0;
}

/* ---- The daemon ------------------------------------------------------------------------- */

static void
parent_of (pid_t child, int ready)
{
  char byte;
  ssize_t got;
  int status;
  do
    got = read (ready, &byte, 1);
  while (got < 0 && errno == EINTR);
  if (got == 1)
    _exit (0);
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  _exit (WIFEXITED (status) ? WEXITSTATUS (status) : EX_SOFTWARE);
}

int
life_fork (void)
{
  int ends[2];
  if (pipe2 (ends, O_CLOEXEC) != 0)
    {
      g_printerr ("mailrack-mount: pipe: %s\n", g_strerror (errno));
      return -1;
    }
  pid_t child = fork ();
  if (child < 0)
    {
      g_printerr ("mailrack-mount: fork: %s\n", g_strerror (errno));
      return -1;
    }
  if (child > 0)
    {
      close (ends[1]);
      parent_of (child, ends[0]);
    }
  close (ends[0]);
  return ends[1];
}

void
life_ready (int ready)
{
  if (ready < 0)
    return;
  setsid ();
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  if (chdir ("/") != 0 || null < 0)
    g_printerr ("mailrack-mount: cannot leave the terminal: %s\n", g_strerror (errno));
  for (int fd = 0; fd <= 2 && null >= 0; fd++)
    dup2 (null, fd);
  if (null > 2)
    close (null);
  while (write (ready, "+", 1) < 0 && errno == EINTR)
    ;
  close (ready);
}

void
life_settle_child (const char *name, int keep)
{
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  prctl (PR_SET_NAME, name);
  signal (SIGINT, SIG_IGN);
  signal (SIGHUP, SIG_IGN);
  signal (SIGTERM, SIG_IGN);
  for (int fd = 0; fd <= 2 && null >= 0; fd++)
    dup2 (null, fd);
  /* Not what the parent of the daemon waits on, nor a directory that someone may unmount. */
  close_range (3, (unsigned int) keep - 1, 0);
  close_range ((unsigned int) keep + 1, ~0U, 0);
  if (chdir ("/") != 0)
    _exit (0);
}

void
life_protect_memory (void)
{
  struct rlimit none = { 0, 0 };
  setrlimit (RLIMIT_CORE, &none);
  prctl (PR_SET_DUMPABLE, 0);
}

/* ---- Signals ---------------------------------------------------------------------------- */

static int signal_pipe[2] = { -1, -1 };
static pthread_t main_thread;
static pthread_mutex_t session_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct fuse_session *session;

static void
on_signal (int number)
{
  int saved = errno;
  char byte = (char) number;
  if (write (signal_pipe[1], &byte, 1) < 0)
    {
      /* It is full, so somebody knows already. */
    }
  errno = saved;
}

static void
on_wake (int number)
{
}

void
life_set_session (struct fuse_session *now)
{
  pthread_mutex_lock (&session_mutex);
  session = now;
  pthread_mutex_unlock (&session_mutex);
}

/* Ends the loop if there is one; again and again, since the main thread may be about to wait. */
static void
end_session (void)
{
  for (;;)
    {
      pthread_mutex_lock (&session_mutex);
      gboolean there = session != NULL;
      if (there)
        {
          fuse_session_exit (session);
          pthread_kill (main_thread, SIGUSR1);
        }
      pthread_mutex_unlock (&session_mutex);
      if (!there)
        return;
      g_usleep (20000);
    }
}

static gpointer
signal_main (gpointer data)
{
  GCancellable *cancellable = data;
  char byte;
  for (;;)
    {
      ssize_t got = read (signal_pipe[0], &byte, 1);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return NULL;
      g_cancellable_cancel (cancellable);
      end_session ();
    }
}

gboolean
life_catch_signals (GCancellable *cancellable)
{
  struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
  struct sigaction wake = { .sa_handler = on_wake }; /* without SA_RESTART: it shall interrupt */
  if (pipe2 (signal_pipe, O_CLOEXEC) != 0)
    {
      g_printerr ("mailrack-mount: pipe: %s\n", g_strerror (errno));
      return FALSE;
    }
  fcntl (signal_pipe[1], F_SETFL, O_NONBLOCK);
  main_thread = pthread_self ();
  sigaction (SIGUSR1, &wake, NULL);
  sigaction (SIGINT, &act, NULL);
  sigaction (SIGTERM, &act, NULL);
  sigaction (SIGHUP, &act, NULL);
  signal (SIGPIPE, SIG_IGN);
  g_thread_unref (g_thread_new ("mount-signals", signal_main, g_object_ref (cancellable)));
  return TRUE;
}
