/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * faultdisk.c - libfaultdisk.so: the calls that change a disk, and what befalls them
 *
 * faultdisk.h is the manual. Here each call finds out whether it is concerned (of which
 * file a descriptor is the kernel is asked each time, so nothing has to be kept in step), is
 * counted and judged, and is passed on. What is remembered of it is faultdisk-undo.c's. One
 * call at a time.
 */
/* The functions' own names, without what the headers make of them. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE
#include "faultdisk-undo.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__ ((visibility ("default")))

static FaultDisk *disk; /* NULL: nothing is concerned */
static char directory[PATH_MAX];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

__attribute__ ((constructor)) static void
begin (void)
{
  const char *where = getenv ("FAULTDISK_DIRECTORY"), *control = getenv ("FAULTDISK_CONTROL");
  if (where == NULL || control == NULL || strlen (where) >= sizeof directory)
    return;
  int fd = open (control, O_RDWR | O_CLOEXEC);
  struct stat facts;
  void *map = MAP_FAILED;
  if (fd >= 0 && fstat (fd, &facts) == 0 && facts.st_size >= (off_t) sizeof (FaultDisk))
    map = mmap (NULL, sizeof (FaultDisk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd >= 0)
    close (fd);
  if (map == MAP_FAILED)
    {
      fprintf (stderr, "faultdisk: %s cannot be mapped\n", control);
      _exit (127);
    }
  strcpy (directory, where);
  disk = map;
}

/* The function that this one stands before. */
static void *
next (const char *name)
{
  void *found = dlsym (RTLD_NEXT, name);
  if (found == NULL)
    abort ();
  return found;
}

#define REAL(name) ((__typeof__ (&name)) next (#name))

/* ---- Who is concerned ------------------------------------------------------------------ */

static int
is_below (const char *path)
{
  size_t length = strlen (directory);
  return disk != NULL && strncmp (path, directory, length) == 0
         && (path[length] == '/' || path[length] == '\0');
}

/* The path of an open file into path (PATH_MAX octets). 0: it is not concerned. */
static int
concerns_fd (int fd, char *path)
{
  char link[64];
  if (disk == NULL)
    return 0;
  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink (link, path, PATH_MAX - 1);
  if (length < 0)
    return 0;
  path[length] = '\0';
  return is_below (path);
}

/* The same of a name relative to a directory's descriptor. */
static int
concerns_name (int at, const char *name, char *path)
{
  char base[PATH_MAX] = "";
  if (disk == NULL)
    return 0;
  if (name[0] != '/' && at == AT_FDCWD && getcwd (base, sizeof base) == NULL)
    return 0;
  if (name[0] != '/' && at != AT_FDCWD)
    {
      char link[64];
      snprintf (link, sizeof link, "/proc/self/fd/%d", at);
      ssize_t length = readlink (link, base, sizeof base - 1);
      base[length < 0 ? 0 : length] = '\0';
    }
  int size = name[0] == '/' ? snprintf (path, PATH_MAX, "%s", name)
                            : snprintf (path, PATH_MAX, "%s/%s", base, name);
  return size < PATH_MAX && is_below (path);
}

/* ---- What befalls a call ------------------------------------------------------------------ */

static void
note (const char *call, const char *path)
{
  snprintf (disk->last, sizeof disk->last, "%s %s", call, path);
}

static void
end_now (void)
{
  kill (getpid (), SIGKILL);
  for (;;)
    pause ();
}

/* 1: the process, all its threads, stands still. */
static int
is_stopped (pid_t process)
{
  char path[64], text[512] = "";
  snprintf (path, sizeof path, "/proc/%d/stat", (int) process);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  ssize_t size = fd >= 0 ? read (fd, text, sizeof text - 1) : 0;
  if (fd >= 0)
    close (fd);
  const char *state = strrchr (text, ')');
  return size <= 0 || (state != NULL && state[1] != '\0' && strchr ("TtZX", state[2]) != NULL);
}

/* Another process undoes what this one did, so that no thread of this one sees it. */
static void
lose_power (void)
{
  pid_t process = getpid (), child = fork ();
  if (child == 0)
    {
      kill (process, SIGSTOP);
      while (!is_stopped (process))
        usleep (200);
      disk->unsynced = undo_all (disk);
      kill (process, SIGKILL);
      _exit (0);
    }
  for (;;)
    pause ();
}

/* Counts a call that is concerned. Returns: 0, or that it fails; errno is set then. With the
 * mutex held. */
static int
befalls (FaultDiskKinds kind, const char *call, const char *path)
{
  if (disk->kinds != 0 && !(disk->kinds & kind))
    return 0;
  uint64_t number = __atomic_add_fetch (&disk->calls, 1, __ATOMIC_SEQ_CST);
  if (disk->action == FAULTDISK_GOOD || number < disk->at)
    return 0;
  switch ((FaultDiskAction) disk->action)
    {
    case FAULTDISK_GOOD:
      break;
    case FAULTDISK_KILL:
      note (call, path);
      end_now ();
      break;
    case FAULTDISK_POWER:
      note (call, path);
      lose_power ();
      break;
    case FAULTDISK_FAIL:
      if (disk->lasts != 0 && number >= disk->at + disk->lasts)
        return 0;
      note (call, path);
      disk->failed++;
      errno = (int) disk->error;
      return -1;
    }
  return 0;
}

/* ---- Octets ---------------------------------------------------------------------------------- */

/* size octets at offset (-1: where the descriptor is). */
static ssize_t
write_at (const char *call, int fd, const void *data, size_t size, off_t offset)
{
  char path[PATH_MAX];
  int concerned = concerns_fd (fd, path);
  ssize_t done;
  if (!concerned)
    return offset < 0 ? REAL (write) (fd, data, size) : REAL (pwrite) (fd, data, size, offset);
  pthread_mutex_lock (&mutex);
  int failed = befalls (FAULTDISK_WRITES, call, path);
  if (failed && disk->parts && disk->failed == 1 && size > 1 && errno != EIO)
    {
      size /= 2;
      failed = 0;
    }
  off_t at = offset;
  if (at < 0)
    at = fcntl (fd, F_GETFL) & O_APPEND ? lseek (fd, 0, SEEK_END) : lseek (fd, 0, SEEK_CUR);
  if (!failed && disk->records)
    undo_note_write (fd, path, data, size, at);
  if (failed)
    done = -1;
  else
    done = offset < 0 ? REAL (write) (fd, data, size) : REAL (pwrite) (fd, data, size, offset);
  pthread_mutex_unlock (&mutex);
  return done;
}

EXPORT ssize_t
write (int fd, const void *data, size_t size)
{
  return write_at ("write", fd, data, size, -1);
}

EXPORT ssize_t
pwrite (int fd, const void *data, size_t size, off_t offset)
{
  return write_at ("pwrite", fd, data, size, offset);
}

EXPORT __typeof__ (pwrite) pwrite64 __attribute__ ((alias ("pwrite")));

/* One after the other: that is a write that was interrupted between two. */
static ssize_t
write_pieces (const char *call, int fd, const struct iovec *pieces, int n, off_t offset)
{
  ssize_t sum = 0;
  for (int i = 0; i < n; i++)
    {
      if (pieces[i].iov_len == 0)
        continue;
      ssize_t done = write_at (call, fd, pieces[i].iov_base, pieces[i].iov_len,
                               offset < 0 ? -1 : offset + sum);
      if (done < 0)
        return sum > 0 ? sum : -1;
      sum += done;
      if ((size_t) done < pieces[i].iov_len)
        break;
    }
  return sum;
}

EXPORT ssize_t
writev (int fd, const struct iovec *pieces, int n)
{
  char path[PATH_MAX];
  return concerns_fd (fd, path) ? write_pieces ("writev", fd, pieces, n, -1)
                                : REAL (writev) (fd, pieces, n);
}

EXPORT ssize_t
pwritev (int fd, const struct iovec *pieces, int n, off_t offset)
{
  char path[PATH_MAX];
  return concerns_fd (fd, path) ? write_pieces ("pwritev", fd, pieces, n, offset)
                                : REAL (pwritev) (fd, pieces, n, offset);
}

EXPORT __typeof__ (pwritev) pwritev64 __attribute__ ((alias ("pwritev")));

/* ---- Syncs ---------------------------------------------------------------------------------- */

/* Nothing is synced in earnest: whatever dies here, the machine does not. Returns: 0, or -1 with
 * errno. */
static int
sync_file (const char *call, int fd, const char *path, int settles)
{
  pthread_mutex_lock (&mutex);
  int failed = befalls (FAULTDISK_SYNCS, call, path);
  if (failed && disk->records && disk->forgets)
    {
      int problem = errno;
      undo_forget (fd);
      errno = problem;
    }
  else if (!failed && disk->records && settles)
    undo_settle (fd, path);
  pthread_mutex_unlock (&mutex);
  return failed;
}

EXPORT int
fsync (int fd)
{
  char path[PATH_MAX];
  return concerns_fd (fd, path) ? sync_file ("fsync", fd, path, 1) : REAL (fsync) (fd);
}

EXPORT int
fdatasync (int fd)
{
  char path[PATH_MAX];
  return concerns_fd (fd, path) ? sync_file ("fdatasync", fd, path, 1) : REAL (fdatasync) (fd);
}

/* Promises nothing. */
EXPORT int
sync_file_range (int fd, off_t offset, off_t size, unsigned flags)
{
  char path[PATH_MAX];
  return concerns_fd (fd, path) ? sync_file ("sync_file_range", fd, path, 0)
                                : REAL (sync_file_range) (fd, offset, size, flags);
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

EXPORT int
ftruncate (int fd, off_t size)
{
  char path[PATH_MAX];
  if (!concerns_fd (fd, path))
    return REAL (ftruncate) (fd, size);
  pthread_mutex_lock (&mutex);
  int result = befalls (FAULTDISK_SIZES, "ftruncate", path);
  if (result == 0 && disk->records)
    undo_note_size (fd, path, size);
  if (result == 0)
    result = REAL (ftruncate) (fd, size);
  pthread_mutex_unlock (&mutex);
  return result;
}

EXPORT __typeof__ (ftruncate) ftruncate64 __attribute__ ((alias ("ftruncate")));

EXPORT int
fallocate (int fd, int mode, off_t offset, off_t size)
{
  char path[PATH_MAX];
  if (!concerns_fd (fd, path))
    return REAL (fallocate) (fd, mode, offset, size);
  pthread_mutex_lock (&mutex);
  int result = befalls (FAULTDISK_SIZES, "fallocate", path);
  if (result == 0 && disk->records)
    undo_note_range (fd, path, mode, offset, size);
  if (result == 0)
    result = REAL (fallocate) (fd, mode, offset, size);
  pthread_mutex_unlock (&mutex);
  return result;
}

EXPORT __typeof__ (fallocate) fallocate64 __attribute__ ((alias ("fallocate")));

EXPORT int
posix_fallocate (int fd, off_t offset, off_t size)
{
  char path[PATH_MAX];
  if (!concerns_fd (fd, path))
    return REAL (posix_fallocate) (fd, offset, size);
  return fallocate (fd, 0, offset, size) == 0 ? 0 : errno;
}

EXPORT __typeof__ (posix_fallocate) posix_fallocate64 __attribute__ ((alias ("posix_fallocate")));

/* ---- Opening --------------------------------------------------------------------------------- */

static int
open_file (int at, const char *name, int flags, mode_t mode)
{
  char path[PATH_MAX];
  int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0;
  if (!writes || !concerns_name (at, name, path))
    return REAL (openat) (at, name, flags, mode);
  pthread_mutex_lock (&mutex);
  struct stat facts;
  int is_new = (flags & O_CREAT) && lstat (path, &facts) != 0;
  int fd = befalls (FAULTDISK_OPENS, "open", path);
  /* What is there takes no room. */
  if (fd != 0 && !is_new && errno == ENOSPC)
    fd = 0;
  if (fd == 0 && disk->records && (flags & O_TRUNC) && !is_new)
    undo_note_emptied (path);
  if (fd == 0)
    fd = REAL (openat) (at, name, flags, mode);
  if (fd >= 0 && disk->records && is_new)
    undo_note_made (path);
  pthread_mutex_unlock (&mutex);
  return fd;
}

/* The mode, where there is one. */
#define MODE_OF(flags)                                                                             \
  ({                                                                                               \
    mode_t mode_ = 0;                                                                              \
    if ((flags) & (O_CREAT | O_TMPFILE))                                                           \
      {                                                                                            \
        va_list rest_;                                                                             \
        va_start (rest_, flags);                                                                   \
        mode_ = va_arg (rest_, mode_t);                                                            \
        va_end (rest_);                                                                            \
      }                                                                                            \
    mode_;                                                                                         \
  })

EXPORT int
open (const char *name, int flags, ...)
{
  return open_file (AT_FDCWD, name, flags, MODE_OF (flags));
}

EXPORT __typeof__ (open) open64 __attribute__ ((alias ("open")));

EXPORT int
openat (int at, const char *name, int flags, ...)
{
  return open_file (at, name, flags, MODE_OF (flags));
}

EXPORT __typeof__ (openat) openat64 __attribute__ ((alias ("openat")));

/* What open is where _FORTIFY_SOURCE looks after it. */
int __open_2 (const char *name, int flags);
EXPORT int
__open_2 (const char *name, int flags)
{
  return open_file (AT_FDCWD, name, flags, 0);
}
EXPORT __typeof__ (__open_2) __open64_2 __attribute__ ((alias ("__open_2")));

EXPORT int
creat (const char *name, mode_t mode)
{
  return open_file (AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* ---- Names ----------------------------------------------------------------------------------- */

EXPORT int
renameat2 (int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
  char old[PATH_MAX], new[PATH_MAX];
  int concerned = concerns_name (from_at, from, old) + concerns_name (to_at, to, new);
  if (concerned == 0)
    return REAL (renameat2) (from_at, from, to_at, to, flags);
  pthread_mutex_lock (&mutex);
  int result = befalls (FAULTDISK_NAMES, "rename", new);
  if (result == 0 && disk->records && concerned == 2)
    undo_note_renamed (old, new);
  if (result == 0)
    result = REAL (renameat2) (from_at, from, to_at, to, flags);
  pthread_mutex_unlock (&mutex);
  return result;
}

EXPORT int
rename (const char *from, const char *to)
{
  return renameat2 (AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int
renameat (int from_at, const char *from, int to_at, const char *to)
{
  return renameat2 (from_at, from, to_at, to, 0);
}

EXPORT int
unlinkat (int at, const char *name, int flags)
{
  char path[PATH_MAX];
  if (!concerns_name (at, name, path))
    return REAL (unlinkat) (at, name, flags);
  pthread_mutex_lock (&mutex);
  int result = befalls (FAULTDISK_NAMES, flags & AT_REMOVEDIR ? "rmdir" : "unlink", path);
  if (result == 0 && disk->records && !(flags & AT_REMOVEDIR))
    undo_note_removed (path);
  if (result == 0)
    result = REAL (unlinkat) (at, name, flags);
  pthread_mutex_unlock (&mutex);
  return result;
}

EXPORT int
unlink (const char *name)
{
  return unlinkat (AT_FDCWD, name, 0);
}

EXPORT int
rmdir (const char *name)
{
  return unlinkat (AT_FDCWD, name, AT_REMOVEDIR);
}

EXPORT int
linkat (int from_at, const char *from, int to_at, const char *to, int flags)
{
  char path[PATH_MAX];
  if (!concerns_name (to_at, to, path))
    return REAL (linkat) (from_at, from, to_at, to, flags);
  pthread_mutex_lock (&mutex);
  int result = befalls (FAULTDISK_NAMES, "link", path);
  if (result == 0)
    result = REAL (linkat) (from_at, from, to_at, to, flags);
  if (result == 0 && disk->records)
    undo_note_made (path);
  pthread_mutex_unlock (&mutex);
  return result;
}

EXPORT int
link (const char *from, const char *to)
{
  return linkat (AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int
symlink (const char *target, const char *name)
{
  char path[PATH_MAX];
  if (!concerns_name (AT_FDCWD, name, path))
    return REAL (symlink) (target, name);
  pthread_mutex_lock (&mutex);
  int result = befalls (FAULTDISK_NAMES, "symlink", path);
  if (result == 0)
    result = REAL (symlink) (target, name);
  if (result == 0 && disk->records)
    undo_note_made (path);
  pthread_mutex_unlock (&mutex);
  return result;
}

/* That a directory was made is not undone: who makes one finds it there as well. */
EXPORT int
mkdirat (int at, const char *name, mode_t mode)
{
  char path[PATH_MAX];
  if (!concerns_name (at, name, path))
    return REAL (mkdirat) (at, name, mode);
  pthread_mutex_lock (&mutex);
  int result = befalls (FAULTDISK_NAMES, "mkdir", path);
  if (result == 0)
    result = REAL (mkdirat) (at, name, mode);
  pthread_mutex_unlock (&mutex);
  return result;
}

EXPORT int
mkdir (const char *name, mode_t mode)
{
  return mkdirat (AT_FDCWD, name, mode);
}
