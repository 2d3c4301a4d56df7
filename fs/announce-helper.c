/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * announce-helper.c - the process that makes the system calls
 *
 * It reads a path, makes one call, writes the errno, and ends when the daemon does.
 * It knows nothing of mail and has nothing of the account.
 */
#include "announce.h"

#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The kind, a path, and for some a NUL and another one. */
#define PACKET_SIZE (2 * PATH_MAX + 2)

static gboolean
write_file (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  ssize_t written = write (fd, text, strlen (text));
  close (fd);
  return written == (ssize_t) strlen (text);
}

/* Its user stays the same in there, but may write where the mode says no. If that is not allowed
 * here, the calls fail, and the daemon says so. */
static void
enter_namespace (uid_t uid, gid_t gid)
{
  char map[64];
  if (geteuid () == 0 || unshare (CLONE_NEWUSER) != 0)
    return;
  write_file ("/proc/self/setgroups", "deny");
  g_snprintf (map, sizeof map, "%u %u 1", uid, uid);
  write_file ("/proc/self/uid_map", map);
  g_snprintf (map, sizeof map, "%u %u 1", gid, gid);
  write_file ("/proc/self/gid_map", map);
}

static int
make_call (AnnounceKind kind, const char *path, const char *from)
{
  int result = 0;
  switch (kind)
    {
    case ANNOUNCE_FILE:
      result = mknod (path, S_IFREG | 0600, 0);
      break;
    case ANNOUNCE_DIRECTORY:
      result = mkdir (path, 0700);
      break;
    case ANNOUNCE_NO_FILE:
      result = unlink (path);
      break;
    case ANNOUNCE_NO_DIRECTORY:
      result = rmdir (path);
      break;
    case ANNOUNCE_MOVE:
      /* Onto a name of the same file, which somebody looked up already, nothing would happen. */
      result = renameat2 (AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE);
      break;
    }
  return result == 0 ? 0 : errno;
}

static void
serve (int socket)
{
  char packet[PACKET_SIZE];
  for (;;)
    {
      ssize_t got = recv (socket, packet, sizeof packet - 1, 0);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 2)
        return;
      packet[got] = '\0';
      const char *end = memchr (packet, '\0', (gsize) got);
      int result =
          make_call ((AnnounceKind) packet[0], packet + 1, end != NULL ? end + 1 : packet + got);
      if (send (socket, &result, sizeof result, MSG_NOSIGNAL) < 0)
        return;
    }
}

static _Noreturn void
run (int socket, uid_t uid, gid_t gid)
{
  /* The daemon ends it. */
  life_settle_child ("mount-announce", socket);
  enter_namespace (uid, gid);
  serve (socket);
  _exit (0);
}

gboolean
announce_helper_start (AnnounceHelper *helper, uid_t uid, gid_t gid)
{
  int ends[2];
  helper->socket = -1;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return FALSE;
  helper->pid = fork ();
  if (helper->pid == 0)
    {
      close (ends[0]);
      run (ends[1], uid, gid);
    }
  close (ends[1]);
  if (helper->pid < 0)
    {
      close (ends[0]);
      return FALSE;
    }
  helper->socket = ends[0];
  return TRUE;
}

int
announce_helper_call (AnnounceHelper *helper, AnnounceKind kind, const char *path, const char *from)
{
  g_autoptr (GString) packet = g_string_new (NULL);
  int result;
  g_string_append_printf (packet, "%c%s", kind, path);
  if (from != NULL)
    g_string_append_len (g_string_append_c (packet, '\0'), from, (gssize) strlen (from));
  if (strlen (path) >= PATH_MAX || (from != NULL && strlen (from) >= PATH_MAX))
    return ENAMETOOLONG;
  if (send (helper->socket, packet->str, packet->len, MSG_NOSIGNAL) < 0)
    return EPIPE;
  ssize_t got;
  do
    got = recv (helper->socket, &result, sizeof result, 0);
  while (got < 0 && errno == EINTR);
  return got == sizeof result ? result : EPIPE;
}

void
announce_helper_stop (AnnounceHelper *helper, gboolean wait)
{
  if (helper->socket < 0)
    return;
  close (helper->socket);
  helper->socket = -1;
  while (wait && waitpid (helper->pid, NULL, 0) < 0 && errno == EINTR)
    ;
}
