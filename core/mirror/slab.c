/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * slab.c - one file that holds the bodies
 */
#include "slab.h"

#include <errno.h>
#include <fcntl.h>
#include <mailrack/mailrack-types.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PAGE     4096
#define CHUNK    (64 * 1024)
/* No mailbox holds a message like that; a server that announces one is not believed. */
#define BODY_MAX (G_GUINT64_CONSTANT (1) << 36)
/* ext4 has no larger files than four times this. */
#define FILE_MAX (G_GUINT64_CONSTANT (1) << 42)

/* Tried behind the end, where nothing is. A disk that is full or fails now may have holes. */
static gboolean
can_punch (int fd)
{
  struct stat facts;
  return fstat (fd, &facts) == 0 && S_ISREG (facts.st_mode)
         && (fallocate (fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        (off_t) rack_slab_cost ((guint64) facts.st_size), PAGE)
                 == 0
             || (errno != EOPNOTSUPP && errno != ENOSYS));
}

gboolean
rack_slab_open (RackSlab *slab, const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, RACK_SLAB_NAME, NULL);
  *slab = (RackSlab){ .end = FILE_MAX };
  slab->fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  slab->kept = slab->fd >= 0 && can_punch (slab->fd);
  if (slab->kept)
    return TRUE;
  rack_slab_close (slab);
  return rack_slab_open_memory (slab, error);
}

gboolean
rack_slab_open_memory (RackSlab *slab, GError **error)
{
  *slab = (RackSlab){ .end = FILE_MAX };
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

void
rack_slab_use (RackSlab *slab, guint64 next, guint64 end)
{
  slab->next = next;
  slab->end = MIN (end, FILE_MAX);
}

guint64
rack_slab_cost (guint64 size)
{
  return (size + PAGE - 1) / PAGE * PAGE;
}

gboolean
rack_slab_reserve (RackSlab *slab, guint64 size, guint64 *offset, GError **error)
{
  if (size > BODY_MAX || slab->next > slab->end || rack_slab_cost (size) > slab->end - slab->next)
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
rack_slab_trim (RackSlab *slab, guint64 offset, guint64 room, guint64 size)
{
  if (offset + rack_slab_cost (room) == slab->next)
    slab->next = offset + rack_slab_cost (size);
}

void
rack_slab_punch (const RackSlab *slab, guint64 offset, guint64 size)
{
  if (size > 0)
    fallocate (slab->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) offset,
               (off_t) rack_slab_cost (size));
}

void
rack_slab_cut (const RackSlab *slab, guint64 next)
{
  /* If it cannot be cut it only takes more room. */
  if (ftruncate (slab->fd, (off_t) next) != 0)
    return;
}

int
rack_slab_write (const RackSlab *slab, guint64 offset, const void *data, gsize size)
{
  const char *next = data;
  while (size > 0)
    {
      ssize_t done = pwrite (slab->fd, next, size, (off_t) offset);
      if (done < 0 && errno == EINTR)
        continue;
      if (done < 0)
        return errno;
      next += done;
      offset += (guint64) done;
      size -= (gsize) done;
    }
  return 0;
}

guint32
rack_slab_crc (guint32 before, const void *data, gsize size)
{
  return (guint32) crc32_z (before, data, size);
}

gboolean
rack_slab_read (const RackSlab *slab, guint64 offset, void *data, gsize size)
{
  char *next = data;
  while (size > 0)
    {
      ssize_t got = pread (slab->fd, next, size, (off_t) offset);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return FALSE;
      next += got;
      offset += (guint64) got;
      size -= (gsize) got;
    }
  return TRUE;
}

gboolean
rack_slab_verify (const RackSlab *slab, guint64 offset, guint64 size, guint32 crc)
{
  g_autofree char *chunk = g_malloc (MIN (size, CHUNK) + 1);
  guint32 now = 0;
  while (size > 0)
    {
      ssize_t got = pread (slab->fd, chunk, MIN (size, CHUNK), (off_t) offset);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return FALSE;
      now = rack_slab_crc (now, chunk, (gsize) got);
      offset += (guint64) got;
      size -= (guint64) got;
    }
  return now == crc;
}

gboolean
rack_slab_copy (const RackSlab *slab, guint64 offset, guint64 size, const RackSlab *to,
                guint64 there)
{
  g_autofree char *chunk = g_malloc (MIN (size, CHUNK) + 1);
  while (size > 0)
    {
      ssize_t got = pread (slab->fd, chunk, MIN (size, CHUNK), (off_t) offset);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0 || rack_slab_write (to, there, chunk, (gsize) got) != 0)
        return FALSE;
      offset += (guint64) got;
      there += (guint64) got;
      size -= (guint64) got;
    }
  return TRUE;
}

int
rack_slab_sync (const RackSlab *slab)
{
  return fdatasync (slab->fd) == 0 ? 0 : errno;
}
