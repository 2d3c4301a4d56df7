/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * readers.c - programs that are not to read mail (deny_readers)
 *
 * Indexers and thumbnailers would fetch every message of every mailbox. A program is
 * known by its name in /proc/PID/comm, of the thread that asks and of its process. That
 * keeps curious programs away, not hostile ones, which can call themselves anything.
 */
#include "mount.h"

#include <stdio.h>
#include <string.h>

/* The kernel keeps so much of a name. */
#define COMM_MAX 15

static gboolean
is_denied (const Mount *mount, const char *comm)
{
  for (guint i = 0; mount->deny_readers[i] != NULL; i++)
    if (strncmp (mount->deny_readers[i], comm, COMM_MAX) == 0)
      return TRUE;
  return FALSE;
}

/* FALSE: it has no name that can be read, or it is not denied. */
static gboolean
process_is_denied (const Mount *mount, pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/comm", (int) pid);
  g_autofree char *comm = NULL;
  return g_file_get_contents (path, &comm, NULL, NULL) && is_denied (mount, g_strchomp (comm));
}

/* The process that a thread belongs to, or 0. */
static pid_t
process_of (pid_t thread)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", (int) thread);
  g_autofree char *text = NULL;
  int process = 0;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  const char *line = strstr (text, "\nTgid:");
  if (line != NULL)
    sscanf (line, " Tgid: %d", &process);
  return process;
}

gboolean
reader_is_denied (const Mount *mount, fuse_req_t req)
{
  if (mount->deny_readers == NULL || mount->deny_readers[0] == NULL)
    return FALSE;
  pid_t thread = fuse_req_ctx (req)->pid;
  if (process_is_denied (mount, thread))
    return TRUE;
  pid_t process = process_of (thread);
  return process != 0 && process != thread && process_is_denied (mount, process);
}
