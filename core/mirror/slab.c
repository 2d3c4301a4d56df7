/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * slab.c - one unlinked file that holds the bodies
 */
#include "slab.h"

#include <errno.h>
#include <fcntl.h>
#include <mailrack/mailrack-types.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE     4096
/* No mailbox holds a message like that; a server that announces one is not believed. */
#define BODY_MAX (G_GUINT64_CONSTANT (1) << 36)
#define FILE_MAX (G_GUINT64_CONSTANT (1) << 62)

static gboolean
can_punch (int fd)
{
  return fallocate (fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE) == 0;
}

static int
open_unlinked (void)
{
  g_autofree char *directory = g_build_filename (g_get_user_cache_dir (), "mailrack", NULL);
  if (g_mkdir_with_parents (directory, 0700) != 0)
    return -1;
  int fd = open (directory, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    {
      g_autofree char *path = g_build_filename (directory, ".bodies-XXXXXX", NULL);
      fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
      if (fd >= 0)
        unlink (path);
    }
  if (fd >= 0 && !can_punch (fd))
    {
      close (fd);
      fd = -1;
    }
  return fd;
}

gboolean
rack_slab_open (RackSlab *slab, GError **error)
{
  slab->next = 0;
  slab->fd = open_unlinked ();
  if (slab->fd < 0)
    slab->fd = memfd_create ("mailrack-bodies", MFD_CLOEXEC);
  if (slab->fd >= 0)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "cannot make a file for message bodies: %s",
               g_strerror (errno));
  return FALSE;
}

void
rack_slab_close (RackSlab *slab)
{
  if (slab->fd >= 0)
    close (slab->fd);
  slab->fd = -1;
}

guint64
rack_slab_cost (guint64 size)
{
  return (size + PAGE - 1) / PAGE * PAGE;
}

gboolean
rack_slab_reserve (RackSlab *slab, guint64 size, guint64 *offset, GError **error)
{
  if (size > BODY_MAX || slab->next > FILE_MAX)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_TOO_LARGE,
                   "a message of %" G_GUINT64_FORMAT " octets is more than can be kept", size);
      return FALSE;
    }
  *offset = slab->next;
  slab->next += rack_slab_cost (size);
  return TRUE;
}

void
rack_slab_punch (RackSlab *slab, guint64 offset, guint64 size)
{
  if (size > 0)
    fallocate (slab->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) offset,
               (off_t) rack_slab_cost (size));
}

gboolean
rack_slab_write (const RackSlab *slab, guint64 offset, const void *data, gsize size, GError **error)
{
  const char *next = data;
  while (size > 0)
    {
      ssize_t done = pwrite (slab->fd, next, size, (off_t) offset);
      if (done < 0 && errno == EINTR)
        continue;
      if (done < 0)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "cannot keep a message in %s: %s",
                       g_get_user_cache_dir (), g_strerror (errno));
          return FALSE;
        }
      next += done;
      offset += (guint64) done;
      size -= (gsize) done;
    }
  return TRUE;
}
