/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-lock.c - one program at a time has a store, and others can read who
 *
 * The lock belongs to an open file (fcntl's OFD locks), so it is gone with the process
 * however that ends, and whether somebody has it can be asked without taking it. The
 * text in the file is for people only.
 */
#include "store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who, on the first line; on the second whether that one is about to end. */
#define CLOSING     "closing"
/* A mount that was just unmounted gives its lock back a moment later, milliseconds; longer if it
 * says that it is about to. */
#define CLOSING_MAX 60000
#define STEP        20

static char *
read_holder (int fd, gboolean *closing)
{
  char text[1024];
  ssize_t n = pread (fd, text, sizeof text - 1, 0);
  text[MAX (n, 0)] = '\0';
  char *second = strchr (text, '\n');
  if (second != NULL)
    *second++ = '\0';
  *closing = second != NULL && g_str_has_prefix (second, CLOSING);
  return *text != '\0' ? rack_text_escape (text, strlen (text)) : g_strdup ("another program");
}

static int
open_lock (const char *directory, int flags)
{
  g_autofree char *path = g_build_filename (directory, RACK_STORE_LOCK, NULL);
  return open (path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* The whole file, for us alone. */
static struct flock
whole_file (void)
{
  return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

static void
write_holder (int fd, const char *holder)
{
  g_autofree char *text = g_strdup_printf ("%s (process %d)\n", holder, (int) getpid ());
  /* Whether it can be written is of no consequence. */
  if (ftruncate (fd, 0) != 0 || pwrite (fd, text, strlen (text), 0) < 0)
    g_debug ("the lock's file: %s", g_strerror (errno));
}

/* FALSE with errno set. */
static gboolean
lock_patiently (int fd, gint64 patience)
{
  gint64 since = g_get_monotonic_time ();
  for (;;)
    {
      struct flock lock = whole_file ();
      gboolean closing;
      if (fcntl (fd, F_OFD_SETLK, &lock) == 0)
        return TRUE;
      if (errno != EAGAIN && errno != EACCES)
        return FALSE;
      g_autofree char *who = read_holder (fd, &closing);
      gint64 limit = closing ? MAX (patience, CLOSING_MAX) : patience;
      if (g_get_monotonic_time () - since >= limit * 1000)
        {
          errno = EAGAIN;
          return FALSE;
        }
      g_usleep (STEP * 1000);
    }
}

int
rack_store_take_lock (const char *directory, const char *holder, gint64 patience, GError **error)
{
  gboolean closing;
  int fd = open_lock (directory, O_RDWR | O_CREAT);
  if (fd >= 0 && lock_patiently (fd, patience))
    {
      write_holder (fd, holder);
      return fd;
    }
  if (fd >= 0 && errno == EAGAIN)
    {
      g_autofree char *who = read_holder (fd, &closing);
      g_set_error (error, RACK_ERROR, RACK_ERROR_BUSY,
                   "the cache in %s is in use by %s; end that one, or set cache_dir to another "
                   "place",
                   directory, who);
    }
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "cannot lock the cache in %s: %s", directory,
                 g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

void
rack_store_say_closing (RackStore *store)
{
  struct stat facts;
  if (store->lock < 0)
    return;
  if (fstat (store->lock, &facts) != 0
      || pwrite (store->lock, CLOSING "\n", strlen (CLOSING) + 1, facts.st_size) < 0)
    g_debug ("the lock's file: %s", g_strerror (errno));
}

char *
rack_store_holder (const char *directory)
{
  struct flock lock = whole_file ();
  char *who = NULL;
  gboolean closing;
  int fd = open_lock (directory, O_RDWR);
  if (fd < 0)
    return NULL;
  if (fcntl (fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
    who = read_holder (fd, &closing);
  close (fd);
  return who;
}
