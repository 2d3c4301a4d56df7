/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * host.c - what the program we run in does for plugins: ask, tell, a place for state
 *
 * Running commands is host-run.c, the keyring host-keyring.c. A host of NULL is a program
 * with nobody in front of it. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

RackHost *
rack_host_new (const RackHostOps *ops, gpointer data)
{
  RackHost *host = g_new0 (RackHost, 1);

  host->ops = ops;
  host->data = data;
  return host;
}

void
rack_host_free (RackHost *host)
{
  g_free (host);
}

RackSecret *
rack_host_ask (RackHost *host, const char *question, RackAskFlags flags, const RackWait *wait,
               GError **error)
{
  g_autofree char *safe = rack_text_escape (question, -1);

  if (host == NULL || host->ops == NULL || !RACK_HAS (host->ops, ask) || host->ops->ask == NULL)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_INTERACTION,
                   "nobody is here to answer \"%s\": write it into the configuration file, or "
                   "run this from a terminal",
                   safe);
      return NULL;
    }
  return host->ops->ask (host->data, safe, flags, wait, error);
}

void
rack_host_tell (RackHost *host, const char *text)
{
  g_autofree char *safe = rack_text_escape (text, -1);

  if (host != NULL && host->ops != NULL && RACK_HAS (host->ops, tell) && host->ops->tell != NULL)
    host->ops->tell (host->data, safe);
  else
    g_printerr ("mailrack: %s\n", safe);
}

/* ---- State -------------------------------------------------------------- */

static gboolean
fail_errno (GError **error, const char *path)
{
  int number = errno;

  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s: %s", path, g_strerror (number));
  return FALSE;
}

/* Opened first and looked at then, so that it cannot be exchanged in between. */
static gboolean
make_private (const char *path, GError **error)
{
  struct stat status;

  if (mkdir (path, 0700) != 0 && errno != EEXIST)
    return fail_errno (error, path);
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return fail_errno (error, path);
  if (fstat (fd, &status) != 0)
    {
      fail_errno (error, path);
      close (fd);
      return FALSE;
    }
  gboolean good = status.st_uid == geteuid ();
  if (!good)
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s: belongs to somebody else: not used", path);
  else if ((status.st_mode & 0777) != 0700 && fchmod (fd, 0700) != 0)
    good = fail_errno (error, path);
  close (fd);
  return good;
}

char *
rack_host_state_dir (RackHost *host, const char *name, GError **error)
{
  g_autofree char *ours = g_build_filename (g_get_user_state_dir (), "mailrack", NULL);

  if (*name == '\0' || strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen (name))
    {
      g_autofree char *safe = rack_text_escape (name, (gssize) strnlen (name, 64));
      g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                   "\"%s\" is no name of a plugin (a-z, 0-9 and -)", safe);
      return NULL;
    }
  if (g_mkdir_with_parents (g_get_user_state_dir (), 0700) != 0)
    {
      fail_errno (error, g_get_user_state_dir ());
      return NULL;
    }

  g_autofree char *path = g_build_filename (ours, name, NULL);
  if (!make_private (ours, error) || !make_private (path, error))
    return NULL;
  return g_steal_pointer (&path);
}
