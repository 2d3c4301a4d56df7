/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mounted.c - what is mounted on a directory, by the kernel's table alone
 *
 * What is mounted may be dead or wait for a server, so nothing here asks it. */
#include <mailrack/mailrack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char *
rack_mount_path (const char *directory)
{
  g_autofree char *name = g_canonicalize_filename (directory, NULL);
  g_autofree char *above = g_path_get_dirname (name);
  g_autofree char *base = g_path_get_basename (name);
  struct stat facts;
  char *resolved = NULL;
  char *path;

  /* A link to the mount point is followed, the mount point itself is not looked at. */
  if (lstat (name, &facts) == 0 && S_ISLNK (facts.st_mode))
    resolved = realpath (name, NULL);
  if (resolved != NULL)
    path = g_strdup (resolved);
  else if ((resolved = realpath (above, NULL)) != NULL)
    path = g_build_filename (resolved, base, NULL);
  else
    path = g_strdup (name);
  free (resolved);
  return path;
}

/* "36 35 0:98 /root /mount/point options ... - type source options"; taken when it is of path. */
static void
take_line (const char *line, const char *path, char **type, guint *device)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  const char *after = strstr (line, " - ");
  guint minor;

  if (g_strv_length (words) < 7 || after == NULL || sscanf (words[2], "%*u:%u", &minor) != 1)
    return;
  g_autofree char *point = g_strcompress (words[4]); /* \040 for a space */
  if (strcmp (point, path) != 0)
    return;
  g_free (*type);
  *type = g_strndup (after + 3, strcspn (after + 3, " "));
  if (device != NULL)
    *device = minor;
}

char *
rack_mount_type (const char *path, guint *device)
{
  g_autofree char *text = NULL;
  char *type = NULL;

  if (!g_file_get_contents ("/proc/self/mountinfo", &text, NULL, NULL))
    return NULL;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    take_line (lines[i], path, &type, device);
  return type;
}
