/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * spool.c - octets on their way from one thread to another */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define IN_MEMORY (1024 * 1024)

void
rack_spool_init (RackSpool *spool)
{
  *spool = (RackSpool){ .memory = g_byte_array_new (), .fd = -1 };
}

void
rack_spool_clear (RackSpool *spool)
{
  g_clear_pointer (&spool->memory, g_byte_array_unref);
  if (spool->fd >= 0)
    close (spool->fd);
  spool->fd = -1;
}

static gboolean
fail (GError **error, const char *what)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s a temporary file in %s: %s", what,
               g_get_tmp_dir (), g_strerror (errno));
  return FALSE;
}

static gboolean
write_file (RackSpool *spool, const char *data, gsize size, guint64 offset, GError **error)
{
  while (size > 0)
    {
      gssize n = pwrite (spool->fd, data, size, (off_t) offset);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fail (error, "writing");
      data += n;
      size -= (gsize) n;
      offset += (guint64) n;
    }
  return TRUE;
}

static gboolean
move_to_file (RackSpool *spool, GError **error)
{
  spool->fd = open (g_get_tmp_dir (), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (spool->fd < 0)
    {
      g_autofree char *path = g_build_filename (g_get_tmp_dir (), "mailrack-XXXXXX", NULL);
      spool->fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
      if (spool->fd < 0)
        return fail (error, "making");
      unlink (path);
    }
  if (!write_file (spool, (const char *) spool->memory->data, spool->memory->len, 0, error))
    return FALSE;
  g_byte_array_set_size (spool->memory, 0);
  return TRUE;
}

gboolean
rack_spool_write (RackSpool *spool, RackStr bytes, GError **error)
{
  if (spool->fd < 0 && spool->size + bytes.size > IN_MEMORY && !move_to_file (spool, error))
    return FALSE;
  if (spool->fd < 0)
    g_byte_array_append (spool->memory, (const guint8 *) bytes.data, (guint) bytes.size);
  else if (!write_file (spool, bytes.data, bytes.size, spool->size, error))
    return FALSE;
  spool->size += bytes.size;
  return TRUE;
}

gssize
rack_spool_read (RackSpool *spool, guint64 offset, void *data, gsize size, GError **error)
{
  gsize now = (gsize) MIN (size, spool->size - MIN (offset, spool->size));
  gssize n;

  if (spool->fd < 0)
    {
      if (now > 0)
        memcpy (data, spool->memory->data + offset, now);
      return (gssize) now;
    }
  do
    n = pread (spool->fd, data, now, (off_t) offset);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    fail (error, "reading");
  return n;
}
