/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * memfs.c - the floor of every mount: the files of a directory, held in memory, over FUSE
 *
 *   bench-memfs [--zero-open] DIRECTORY MOUNTPOINT
 *
 * Read-only, in the directory "mail" of the mount point, in the foreground until it is unmounted.
 * It does what a mount cannot leave out and nothing else: names and attributes from an array in
 * order of inode, everything believed for ever. --zero-open answers ENOSYS to open and opendir, so
 * that the kernel sends neither again.
 */
#define FUSE_USE_VERSION 312

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOREVER    3600.0
#define MAIL_INO   2
#define FIRST_INO  3
#define MAIL_NAME  "mail"
#define OFFSET_DOT 2 /* the offsets of "." and ".." are 1 and 2, of a file its inode number */

typedef struct
{
  char *name;
  char *octets;
  struct stat facts;
} File;

typedef struct
{
  File *files; /* by name */
  size_t n;
  bool zero_open;
} Store;

static void
die (const char *what)
{
  perror (what);
  exit (1);
}

/* ---- The files ---------------------------------------------------------------------- */

static int
by_name (const void *a, const void *b)
{
  return strcmp (((const File *) a)->name, ((const File *) b)->name);
}

static void
load_file (int directory, const char *name, File *file)
{
  int fd = openat (directory, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &file->facts) != 0)
    die (name);
  size_t size = (size_t) file->facts.st_size, have = 0;
  file->name = strdup (name);
  file->octets = malloc (size + 1);
  if (file->name == NULL || file->octets == NULL)
    die (name);
  while (have < size)
    {
      ssize_t n = read (fd, file->octets + have, size - have);
      if (n <= 0)
        die (name);
      have += (size_t) n;
    }
  close (fd);
}

static void
load (const char *path, Store *store)
{
  DIR *directory = opendir (path);
  size_t room = 0;
  if (directory == NULL)
    die (path);
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    {
      if (entry->d_name[0] == '.')
        continue;
      if (store->n == room)
        {
          room = room * 2 + 1024;
          store->files = reallocarray (store->files, room, sizeof (File));
          if (store->files == NULL)
            die (path);
        }
      load_file (dirfd (directory), entry->d_name, &store->files[store->n++]);
    }
  closedir (directory);
  if (store->n > 0)
    qsort (store->files, store->n, sizeof (File), by_name);
  for (size_t i = 0; i < store->n; i++)
    store->files[i].facts.st_ino = FIRST_INO + i;
}

/* ---- Operations --------------------------------------------------------------------- */

static bool
is_directory (fuse_ino_t ino)
{
  return ino < FIRST_INO;
}

/* NULL: there is none of this number. */
static const File *
file_of (const Store *store, fuse_ino_t ino)
{
  return ino >= FIRST_INO && ino - FIRST_INO < store->n ? &store->files[ino - FIRST_INO] : NULL;
}

static void
fill_directory (fuse_ino_t ino, struct stat *facts)
{
  *facts = (struct stat){ .st_ino = ino, .st_mode = S_IFDIR | 0700, .st_nlink = 2 };
}

static void
fill_entry (const struct stat *facts, struct fuse_entry_param *entry)
{
  memset (entry, 0, sizeof *entry);
  entry->ino = facts->st_ino;
  entry->attr = *facts;
  entry->attr_timeout = entry->entry_timeout = FOREVER;
}

static void
op_init (void *data, struct fuse_conn_info *conn)
{
  conn->want &= ~(unsigned) (FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_AUTO_INVAL_DATA);
  conn->want |= conn->capable & FUSE_CAP_SPLICE_WRITE;
}

static void
op_lookup (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  const Store *store = fuse_req_userdata (req);
  struct fuse_entry_param entry = { .entry_timeout = FOREVER };
  File key = { .name = (char *) name };
  const File *file = NULL;
  if (parent == MAIL_INO && store->n > 0)
    file = bsearch (&key, store->files, store->n, sizeof (File), by_name);
  if (file != NULL)
    fill_entry (&file->facts, &entry);
  else if (parent == FUSE_ROOT_ID && strcmp (name, MAIL_NAME) == 0)
    {
      struct stat facts;
      fill_directory (MAIL_INO, &facts);
      fill_entry (&facts, &entry);
    }
  fuse_reply_entry (req, &entry);
}

static void
op_getattr (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  const File *file = file_of (fuse_req_userdata (req), ino);
  struct stat facts;
  if (file != NULL)
    facts = file->facts;
  else
    fill_directory (ino, &facts);
  fuse_reply_attr (req, &facts, FOREVER);
}

static void
op_opendir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  const Store *store = fuse_req_userdata (req);
  fi->cache_readdir = fi->keep_cache = 1;
  if (store->zero_open)
    fuse_reply_err (req, ENOSYS);
  else
    fuse_reply_open (req, fi);
}

static void
op_readdirplus (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                struct fuse_file_info *fi)
{
  const Store *store = fuse_req_userdata (req);
  struct fuse_entry_param entry;
  struct stat facts;
  char *buffer = malloc (size);
  size_t used = 0, need;
  if (buffer == NULL || !is_directory (ino))
    {
      free (buffer);
      fuse_reply_err (req, buffer == NULL ? ENOMEM : ENOTDIR);
      return;
    }
  for (off_t at = offset;; at++)
    {
      const char *name = at == 0 ? "." : "..";
      fuse_ino_t last = ino == MAIL_INO ? FIRST_INO + store->n : FIRST_INO;
      if (at < OFFSET_DOT || (at == OFFSET_DOT && ino == FUSE_ROOT_ID))
        {
          name = at == OFFSET_DOT ? MAIL_NAME : name;
          fill_directory (at == OFFSET_DOT ? MAIL_INO : ino, &facts);
          fill_entry (&facts, &entry);
          entry.ino = at == OFFSET_DOT ? MAIL_INO : 0;
        }
      else
        {
          fuse_ino_t next = (fuse_ino_t) at - OFFSET_DOT + FIRST_INO;
          if (next >= last)
            break;
          name = store->files[next - FIRST_INO].name;
          fill_entry (&store->files[next - FIRST_INO].facts, &entry);
        }
      need = fuse_add_direntry_plus (req, buffer + used, size - used, name, &entry, at + 1);
      if (need > size - used)
        break;
      used += need;
    }
  fuse_reply_buf (req, buffer, used);
  free (buffer);
}

static void
op_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  const Store *store = fuse_req_userdata (req);
  fi->keep_cache = fi->noflush = 1;
  if (store->zero_open)
    fuse_reply_err (req, ENOSYS);
  else
    fuse_reply_open (req, fi);
}

static void
op_read (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  const File *file = file_of (fuse_req_userdata (req), ino);
  size_t total = file != NULL ? (size_t) file->facts.st_size : 0;
  size_t from = (size_t) offset < total ? (size_t) offset : total;
  size_t n = size < total - from ? size : total - from;
  struct fuse_bufvec octets = FUSE_BUFVEC_INIT (n);
  octets.buf[0].mem = file != NULL ? file->octets + from : NULL;
  fuse_reply_data (req, &octets, FUSE_BUF_SPLICE_MOVE);
}

static void
op_release (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  fuse_reply_err (req, 0);
}

static const struct fuse_lowlevel_ops ops = {
  .init = op_init,
  .lookup = op_lookup,
  .getattr = op_getattr,
  .opendir = op_opendir,
  .readdirplus = op_readdirplus,
  .open = op_open,
  .read = op_read,
  .release = op_release,
};

int
main (int argc, char **argv)
{
  Store store = { 0 };
  char *words[] = { "bench-memfs", "-o", "ro,default_permissions,fsname=memfs,subtype=memfs",
                    NULL };
  struct fuse_args args = FUSE_ARGS_INIT (3, words);
  if (argc > 1 && strcmp (argv[1], "--zero-open") == 0)
    {
      store.zero_open = true;
      argv++;
      argc--;
    }
  if (argc != 3)
    {
      fprintf (stderr, "usage: bench-memfs [--zero-open] DIRECTORY MOUNTPOINT\n");
      return 64;
    }
  load (argv[1], &store);
  struct fuse_session *session = fuse_session_new (&args, &ops, sizeof ops, &store);
  if (session == NULL || fuse_set_signal_handlers (session) != 0
      || fuse_session_mount (session, argv[2]) != 0)
    return 1;
  struct fuse_loop_config *loop = fuse_loop_cfg_create ();
  int result = fuse_session_loop_mt (session, loop);
  fuse_loop_cfg_destroy (loop);
  fuse_session_unmount (session);
  fuse_remove_signal_handlers (session);
  fuse_session_destroy (session);
  return result != 0;
}
