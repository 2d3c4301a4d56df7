/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * faultdisk-undo.c - what was changed since it was synced, and how it is taken back
 *
 * A list in the order in which it happened. Octets are undone from the end to the beginning,
 * which gives the file as it was synced; then those changes that survive are made again.
 * Names are only undone, from the end to where the first one survives. System calls are made
 * directly, because the library's functions are faultdisk.c's here.
 */
#include "faultdisk-undo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECTOR 512

typedef enum
{
  WRITTEN,
  SIZED,
  PUNCHED,
  MADE,
  RENAMED,
  REMOVED
} What;

typedef struct Change Change;
struct Change
{
  Change *before, *after;
  What what;
  /* Of octets: the file, and what was there. */
  dev_t device;
  ino_t inode;
  int fd; /* ours */
  off_t offset, old_size, new_size;
  char *old, *new;
  size_t n_old, n_new;
  /* Of names. */
  char *path, *from; /* from: of a RENAMED one */
  char *saved;       /* a link to what had the name before; "": there was nothing */
};

static Change *first, *last;
static unsigned links;

static void
refuse (const char *what)
{
  fprintf (stderr, "faultdisk: %s: %s\n", what, strerror (errno));
  abort ();
}

static void *
room (size_t size)
{
  void *memory = calloc (1, size > 0 ? size : 1);
  if (memory == NULL)
    refuse ("memory");
  return memory;
}

static Change *
add (What what, const char *path)
{
  Change *change = room (sizeof *change);
  change->what = what;
  change->fd = -1;
  change->path = strdup (path);
  change->before = last;
  *(last != NULL ? &last->after : &first) = change;
  return last = change;
}

static void
drop (Change *change)
{
  *(change->before != NULL ? &change->before->after : &first) = change->after;
  *(change->after != NULL ? &change->after->before : &last) = change->before;
  if (change->saved != NULL && change->saved[0] != '\0')
    syscall (SYS_unlink, change->saved);
  free (change->old);
  free (change->new);
  free (change->path);
  free (change->from);
  free (change->saved);
  free (change);
}

static int
is_name (const Change *change)
{
  return change->what == MADE || change->what == RENAMED || change->what == REMOVED;
}

/* ---- Octets -------------------------------------------------------------------------------- */

/* A descriptor of ours, one for each file. None is ever closed, because with it the process
 * would lose its locks (fcntl) on the file. */
static int
our_fd (int fd, const struct stat *facts)
{
  static struct
  {
    dev_t device;
    ino_t inode;
    int fd;
  } known[256];
  static unsigned n;
  for (unsigned i = 0; i < n; i++)
    if (known[i].device == facts->st_dev && known[i].inode == facts->st_ino)
      return known[i].fd;
  char link[64];
  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  int ours = (int) syscall (SYS_openat, AT_FDCWD, link, O_RDWR | O_CLOEXEC, 0);
  if (ours < 0 || n == sizeof known / sizeof known[0])
    refuse ("opening a file again");
  known[n].device = facts->st_dev;
  known[n].inode = facts->st_ino;
  known[n].fd = ours;
  n++;
  return ours;
}

/* A change of the octets from offset on; the size octets that are there now are kept. */
static Change *
add_octets (What what, int fd, const char *path, off_t offset, size_t size)
{
  struct stat facts;
  if (fstat (fd, &facts) != 0 || !S_ISREG (facts.st_mode))
    return NULL;
  Change *change = add (what, path);
  change->device = facts.st_dev;
  change->inode = facts.st_ino;
  change->fd = our_fd (fd, &facts);
  change->offset = offset;
  change->old_size = change->new_size = facts.st_size;
  if (offset >= facts.st_size)
    return change;
  if ((off_t) size > facts.st_size - offset)
    size = (size_t) (facts.st_size - offset);
  change->old = room (size);
  ssize_t got = pread (change->fd, change->old, size, offset);
  change->n_old = got < 0 ? 0 : (size_t) got;
  return change;
}

void
undo_note_write (int fd, const char *path, const void *data, size_t size, off_t offset)
{
  Change *change = add_octets (WRITTEN, fd, path, offset, size);
  if (change == NULL)
    return;
  change->new = room (size);
  memcpy (change->new, data, size);
  change->n_new = size;
  if (offset + (off_t) size > change->old_size)
    change->new_size = offset + (off_t) size;
}

void
undo_note_size (int fd, const char *path, off_t size)
{
  Change *change = add_octets (SIZED, fd, path, size, SIZE_MAX / 4);
  if (change != NULL)
    change->new_size = size;
}

void
undo_note_range (int fd, const char *path, int mode, off_t offset, off_t size)
{
  if (mode & FALLOC_FL_PUNCH_HOLE)
    {
      Change *change = add_octets (PUNCHED, fd, path, offset, (size_t) size);
      if (change != NULL)
        change->n_new = (size_t) size;
    }
  else if (!(mode & FALLOC_FL_KEEP_SIZE))
    {
      struct stat facts;
      if (fstat (fd, &facts) == 0 && offset + size > facts.st_size)
        undo_note_size (fd, path, offset + size);
    }
}

void
undo_note_emptied (const char *path)
{
  int fd = (int) syscall (SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd >= 0) /* stays open: see our_fd() */
    undo_note_size (fd, path, 0);
}

static void
put (const Change *change, const char *data, size_t size, off_t offset)
{
  while (size > 0)
    {
      ssize_t done = syscall (SYS_pwrite64, change->fd, data, size, offset);
      if (done <= 0)
        refuse ("putting octets back");
      data += done;
      offset += done;
      size -= (size_t) done;
    }
}

static void
set_size (const Change *change, off_t size)
{
  if (syscall (SYS_ftruncate, change->fd, size) != 0)
    refuse ("putting a size back");
}

static void
take_back (const Change *change)
{
  put (change, change->old, change->n_old, change->offset);
  set_size (change, change->old_size);
}

static int
coin (uint64_t *state)
{
  /* xorshift64* */
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return (int) ((*state * UINT64_C (2685821657736338717)) >> 63);
}

/* It, or some sectors of it, is on the disk all the same. */
static void
make_again (const Change *change, int torn, uint64_t *state)
{
  switch (change->what)
    {
    case WRITTEN:
      for (size_t at = 0; at < change->n_new;)
        {
          size_t part = SECTOR - (size_t) ((change->offset + (off_t) at) % SECTOR);
          if (!torn || part > change->n_new - at)
            part = change->n_new - at;
          if (!torn || coin (state))
            put (change, change->new + at, part, change->offset + (off_t) at);
          at += part;
        }
      break;
    case SIZED:
      set_size (change, change->new_size);
      break;
    case PUNCHED:
      syscall (SYS_fallocate, change->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
               change->offset, (off_t) change->n_new);
      break;
    case MADE:
    case RENAMED:
    case REMOVED:
      break;
    }
}

/* ---- Names ----------------------------------------------------------------------------------- */

/* A second name for what has this one, beside the directory that is looked at. */
static char *
save (const char *path)
{
  char name[PATH_MAX + 32];
  snprintf (name, sizeof name, "%s.undo", getenv ("FAULTDISK_DIRECTORY"));
  syscall (SYS_mkdir, name, 0700);
  snprintf (name, sizeof name, "%s.undo/%d-%u", getenv ("FAULTDISK_DIRECTORY"), (int) getpid (),
            ++links);
  return strdup (syscall (SYS_link, path, name) == 0 ? name : "");
}

void
undo_note_made (const char *path)
{
  add (MADE, path);
}

void
undo_note_renamed (const char *from, const char *to)
{
  if (access (from, F_OK) != 0)
    return;
  Change *change = add (RENAMED, to);
  change->from = strdup (from);
  change->saved = save (to);
}

void
undo_note_removed (const char *path)
{
  if (access (path, F_OK) == 0)
    add (REMOVED, path)->saved = save (path);
}

static void
take_name_back (const Change *change)
{
  if (change->what == MADE)
    syscall (SYS_unlink, change->path);
  if (change->what == RENAMED)
    syscall (SYS_rename, change->path, change->from);
  if (change->what != MADE && change->saved[0] != '\0')
    syscall (SYS_rename, change->saved, change->path);
}

/* ---- Settling and losing ------------------------------------------------------------------------
 */

static int
is_of (const Change *change, const struct stat *facts)
{
  return !is_name (change) && change->device == facts->st_dev && change->inode == facts->st_ino;
}

static int
is_in (const char *path, const char *directory)
{
  size_t length = strlen (directory);
  return strncmp (path, directory, length) == 0 && path[length] == '/'
         && strchr (path + length + 1, '/') == NULL;
}

void
undo_settle (int fd, const char *path)
{
  struct stat facts;
  if (fstat (fd, &facts) != 0)
    return;
  for (Change *change = first, *next; change != NULL; change = next)
    {
      next = change->after;
      int settled = S_ISDIR (facts.st_mode)
                        ? is_name (change) && is_in (change->path, path)
                        : is_of (change, &facts)
                              || (change->what == MADE && strcmp (change->path, path) == 0);
      if (settled)
        drop (change);
    }
}

void
undo_forget (int fd)
{
  struct stat facts;
  if (fstat (fd, &facts) != 0)
    return;
  /* The size is the kernel's own and stays. */
  for (Change *change = last, *before; change != NULL; change = before)
    {
      before = change->before;
      if (change->what != WRITTEN || !is_of (change, &facts))
        continue;
      char *zeros = room (change->n_new);
      put (change, zeros, change->n_new, change->offset);
      put (change, change->old, change->n_old, change->offset);
      free (zeros);
      drop (change);
    }
}

uint64_t
undo_all (const FaultDisk *disk)
{
  uint64_t n = 0, state = disk->seed * 2654435761u + 88172645463325252u;
  int names_survive = 0;
  for (Change *change = last; change != NULL; change = change->before)
    n++;
  if (disk->survives == FAULTDISK_ALL)
    return n;
  for (Change *change = last; change != NULL; change = change->before)
    {
      if (!is_name (change))
        {
          take_back (change);
          continue;
        }
      names_survive = names_survive || (disk->survives != FAULTDISK_NOTHING && coin (&state));
      if (!names_survive)
        take_name_back (change);
    }
  if (disk->survives == FAULTDISK_NOTHING)
    return n;
  int torn = disk->survives == FAULTDISK_TORN;
  for (Change *change = first; change != NULL; change = change->after)
    if ((torn && change->what == WRITTEN) || coin (&state))
      make_again (change, torn, &state);
  return n;
}
