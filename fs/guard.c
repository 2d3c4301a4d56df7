/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guard.c - the guard's process, and how it is told what to guard
 *
 * It aborts and does not unmount: what is left is a dead mount, which makes an error to
 * everybody, where a bare directory would tell a program that copies that all mail is gone.
 */
#include "guard.h"

#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS "/sys/fs/fuse/connections"

/* ---- In the guard ----------------------------------------------------------------------- */

/* The directory of FUSE's connections; where nobody has mounted it, root can have it all the same.
 * -1: there is none. */
static int
open_connections (void)
{
  int context = fsopen ("fusectl", FSOPEN_CLOEXEC);
  int directory = -1;
  if (context >= 0 && fsconfig (context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
    directory = fsmount (context, FSMOUNT_CLOEXEC, 0);
  if (context >= 0)
    close (context);
  return directory >= 0 ? directory : open (CONNECTIONS, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Open from the beginning: then it is the connection's for good, whose number may be another's once
 * it is gone. */
static int
open_abort (guint device)
{
  char name[32];
  int directory = open_connections ();
  g_snprintf (name, sizeof name, "%u/abort", device);
  int file = directory >= 0 ? openat (directory, name, O_WRONLY | O_CLOEXEC) : -1;
  if (directory >= 0)
    close (directory);
  return file;
}

/* Takes the number of a connection and says whether that can be aborted. FALSE: nobody sends any
 * more. */
static gboolean
take_number (int socket, int *file)
{
  guint device;
  ssize_t got = recv (socket, &device, sizeof device, 0);
  if (got < 0 && errno == EINTR)
    return TRUE;
  if (got != sizeof device)
    return FALSE;
  if (*file >= 0)
    close (*file);
  *file = open_abort (device);
  int result = *file >= 0 ? 0 : errno;
  return send (socket, &result, sizeof result, MSG_NOSIGNAL) == sizeof result;
}

static void
guard (int socket, int signals)
{
  int file = -1;
  struct pollfd fds[] = { { .fd = socket, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
  for (;;)
    {
      if (poll (fds, 2, -1) < 0)
        continue;
      if (fds[1].revents != 0 || (fds[0].revents != 0 && !take_number (socket, &file)))
        break;
    }
  if (file >= 0 && write (file, "1", 1) < 0)
    {
      /* It is gone already, as it should be. */
    }
}

static _Noreturn void
run (int socket, pid_t parent)
{
  sigset_t ended;
  sigemptyset (&ended);
  sigaddset (&ended, SIGUSR1);
  sigprocmask (SIG_BLOCK, &ended, NULL);
  life_settle_child ("mount-guard", socket);
  /* What ends our group is not meant for this. */
  setsid ();
  int signals = signalfd (-1, &ended, SFD_CLOEXEC);
  if (signals >= 0 && prctl (PR_SET_PDEATHSIG, SIGUSR1) == 0 && getppid () == parent)
    guard (socket, signals);
  _exit (0);
}

/* ---- In the mount's process ------------------------------------------------------------- */

gboolean
guard_start (Guard *guard)
{
  int ends[2];
  pid_t parent = getpid ();
  guard->socket = -1;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return FALSE;
  pid_t pid = fork ();
  if (pid == 0)
    run (ends[1], parent);
  close (ends[1]);
  if (pid < 0)
    {
      close (ends[0]);
      return FALSE;
    }
  guard->socket = ends[0];
  return TRUE;
}

gboolean
guard_watch (Guard *guard, const char *path)
{
  guint device;
  int result;
  g_autofree char *type = rack_mount_type (path, &device);
  if (guard->socket < 0 || type == NULL
      || send (guard->socket, &device, sizeof device, MSG_NOSIGNAL) < 0)
    return FALSE;
  ssize_t got;
  do
    got = recv (guard->socket, &result, sizeof result, 0);
  while (got < 0 && errno == EINTR);
  return got == sizeof result && result == 0;
}
