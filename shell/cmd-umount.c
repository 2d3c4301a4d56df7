/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd-umount.c - mailrack umount: ends a mount, and says clearly why it cannot
 *
 * The unmounting itself is fusermount3's, which needs no root. What this adds is that
 * only mounts of mail are touched, that who keeps one busy is named, and that a moment
 * of business of the mount itself (it announces new mail) is waited for. */
#include "commands.h"

#include "safe-text.h"

#include <limits.h>
#include <mailrack/mailrack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define OUR_TYPE "fuse.mailrack"
/* How often and how long it is tried again when it is busy. */
#define ATTEMPTS 10
#define PAUSE_US 100000

static int
fail (int status, const char *directory, const char *text)
{
  g_autofree char *safe = safe_text_dup (directory, -1, SAFE_TEXT_LINE);
  fprintf (stderr, "mailrack: %s: %s\n", safe, text);
  return status;
}

/* ---- Who keeps it busy ----------------------------------------------------------------- */

static gboolean
points_below (const char *link, const char *path)
{
  char target[PATH_MAX];
  ssize_t size = readlink (link, target, sizeof target - 1);
  if (size <= 0)
    return FALSE;
  target[size] = '\0';
  gsize length = strlen (path);
  return strncmp (target, path, length) == 0 && (target[length] == '\0' || target[length] == '/');
}

static gboolean
process_uses (const char *pid, const char *path)
{
  static const char *const links[] = { "cwd", "root", "exe" };
  for (guint i = 0; i < G_N_ELEMENTS (links); i++)
    {
      g_autofree char *link = g_strdup_printf ("/proc/%s/%s", pid, links[i]);
      if (points_below (link, path))
        return TRUE;
    }
  g_autofree char *open = g_strdup_printf ("/proc/%s/fd", pid);
  g_autoptr (GDir) directory = g_dir_open (open, 0, NULL);
  const char *name;
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *link = g_build_filename (open, name, NULL);
      if (points_below (link, path))
        return TRUE;
    }
  return FALSE;
}

/* "vim (123), bash (456)", as far as we may see them; "" if nobody. (owned) */
static char *
users_of (const char *path)
{
  g_autoptr (GString) users = g_string_new (NULL);
  g_autoptr (GDir) processes = g_dir_open ("/proc", 0, NULL);
  const char *pid;
  while (processes != NULL && (pid = g_dir_read_name (processes)) != NULL)
    {
      g_autofree char *comm = NULL;
      if (!g_ascii_isdigit (pid[0]) || !process_uses (pid, path))
        continue;
      g_autofree char *file = g_strdup_printf ("/proc/%s/comm", pid);
      g_file_get_contents (file, &comm, NULL, NULL);
      g_autofree char *safe =
          safe_text_dup (comm != NULL ? g_strchomp (comm) : "?", -1, SAFE_TEXT_LINE);
      g_string_append_printf (users, "%s%s (%s)", users->len > 0 ? ", " : "", safe, pid);
    }
  return g_string_free (g_steal_pointer (&users), FALSE);
}

/* ---- Unmounting ---------------------------------------------------------------------------- */

typedef enum
{
  DONE,
  BUSY,
  FAILED, /* *problem says why */
} Outcome;

static Outcome
unmount (const char *path, gboolean lazy, char **problem)
{
  const char *argv[] = { "fusermount3", lazy ? "-uz" : "-u", "--", path, NULL };
  g_autofree char *complaint = NULL;
  g_autoptr (GError) error = NULL;
  /* Its messages are compared. */
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), "LC_ALL", "C", TRUE);
  int status;
  if (!g_spawn_sync (NULL, (char **) argv, environment, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                     &complaint, &status, &error))
    {
      *problem = g_strdup ("fusermount3 cannot be run (package fuse3)");
      return FAILED;
    }
  if (status == 0)
    return DONE;
  if (strstr (complaint, "busy") != NULL)
    return BUSY;
  *problem = g_strdup (g_strchomp (complaint));
  return FAILED;
}

static int
say_busy (const char *directory, const char *path)
{
  g_autofree char *users = users_of (path);
  g_autofree char *text = g_strdup_printf (
      "%s%s; end that first, or use --lazy", users[0] != '\0' ? "in use by " : "in use",
      users[0] != '\0' ? users : " by a program that cannot be seen from here");
  return fail (EX_TEMPFAIL, directory, text);
}

static int
unmount_patiently (const char *directory, const char *path, gboolean lazy)
{
  g_autofree char *problem = NULL;
  for (guint attempt = 0;; attempt++)
    switch (unmount (path, lazy, &problem))
      {
      case DONE:
        return 0;
      case FAILED:
        return fail (EX_UNAVAILABLE, directory, problem);
      case BUSY:
        if (attempt + 1 == ATTEMPTS)
          return say_busy (directory, path);
        g_usleep (PAUSE_US);
      }
}

int
rack_cmd_umount (int argc, char **argv)
{
  gboolean lazy = FALSE;
  g_auto (GStrv) rest = NULL;
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = {
    { "lazy", 'l', 0, G_OPTION_ARG_NONE, &lazy,
      "Take it out of the tree now; it ends when nobody uses it any more", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, "DIRECTORY" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_set_prgname ("mailrack umount");
  g_option_context_set_summary (context, "Unmounts mail.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "mailrack: %s\n", error->message);
      return EX_USAGE;
    }
  if (rest == NULL || rest[1] != NULL)
    {
      fprintf (stderr, "mailrack: umount takes one directory\n");
      return EX_USAGE;
    }
  g_autofree char *path = rack_mount_path (rest[0]);
  g_autofree char *type = rack_mount_type (path, NULL);
  if (type == NULL)
    return fail (EX_USAGE, rest[0], "nothing is mounted there");
  if (strcmp (type, OUR_TYPE) != 0)
    {
      g_autofree char *text = g_strdup_printf ("what is mounted there is not mail but %s", type);
      return fail (EX_USAGE, rest[0], text);
    }
  return unmount_patiently (rest[0], path, lazy);
}
