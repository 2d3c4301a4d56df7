/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local-file.c - files of programs: open, read, write, and when they are durable
 *
 * Octets go to the descriptor of the local file, on FUSE's threads. Before the first of
 * them are written the mirror is told, which may have to wait if the file is being sent.
 */
#include "drafts.h"
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Handles of a node: these are all there is to say of one. */
typedef struct
{
  gboolean reads, writes;
} Access;

static const Access reader = { TRUE, FALSE }, writer = { FALSE, TRUE }, both = { TRUE, TRUE };

/* With octets held: the mirror knows that it will be another file. 0, an errno or NODE_WAIT. */
static int
touch (LocalData *data, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  RackLocalFacts facts;
  if (data->touched)
    return 0;
  rack_local_facts (data->local, &facts);
  if (cancellable == NULL && facts.state != RACK_LOCAL_SCRATCH)
    return NODE_WAIT;
  if (!rack_local_touch (data->local, cancellable, &error))
    {
      /* Removed, but still open: it may go on until it is closed. */
      if (error->code == RACK_ERROR_NOT_FOUND && facts.state == RACK_LOCAL_GONE)
        return 0;
      return error->code == RACK_ERROR_NOT_FOUND ? ESTALE : errno_of (error);
    }
  data->touched = TRUE;
  return 0;
}

/* Begins to write. FUSE's threads do not wait for somebody who has the disk. */
static int
lock_octets (LocalData *data, GCancellable *cancellable)
{
  if (cancellable != NULL)
    pthread_mutex_lock (&data->octets);
  else if (pthread_mutex_trylock (&data->octets) != 0)
    return NODE_WAIT;
  int result = touch (data, cancellable);
  if (result != 0)
    pthread_mutex_unlock (&data->octets);
  return result;
}

/* Octets from begin on were written up to end, or could not be. A message that lacks some is not
 * to be sent, whatever its program makes of the error. With octets held. */
static void
note_written (LocalData *data, guint64 begin, guint64 end, int result)
{
  pthread_mutex_lock (&data->mutex);
  if (result != 0 && begin <= data->hole)
    {
      data->hole = begin;
      data->hole_errno = result;
    }
  else if (result == 0 && begin <= data->hole && end > data->hole)
    data->hole = G_MAXUINT64;
  pthread_mutex_unlock (&data->mutex);
}

/* The same: there are only so many octets now. */
static void
note_cut (LocalData *data, guint64 size)
{
  pthread_mutex_lock (&data->mutex);
  if (size <= data->hole)
    data->hole = G_MAXUINT64;
  pthread_mutex_unlock (&data->mutex);
}

/* Whether a message may have so many octets where this one is to be sent: 0, or an errno. waits:
 * also if that is not known yet. */
static int
check_size (const Node *node, guint64 size, gboolean waits)
{
  const LocalData *data = node->data;
  g_autoptr (GError) error = NULL;
  RackLocalFacts facts;
  rack_local_facts (data->local, &facts);
  if (!local_is_mail (&facts))
    return 0;
  if (waits)
    rack_folder_await_limits (facts.folder, TRUE);
  if (rack_folder_takes_size (facts.folder, size, &error))
    return 0;
  mount_note_problem (node->mount, error->message);
  return errno_of (error);
}

static void
unlock_octets (LocalData *data)
{
  pthread_mutex_lock (&data->mutex);
  data->unsynced = TRUE;
  data->pristine = FALSE;
  pthread_mutex_unlock (&data->mutex);
  pthread_mutex_unlock (&data->octets);
}

static int
truncate_file (Node *node, off_t size, GCancellable *cancellable)
{
  LocalData *data = node->data;
  g_autoptr (GError) error = NULL;
  int fd = rack_local_file (data->local, &error);
  if (fd < 0)
    return errno_of (error);
  int result = check_size (node, (guint64) size, FALSE);
  if (result == 0)
    result = lock_octets (data, cancellable);
  if (result != 0)
    return result;
  result = ftruncate (fd, size) == 0 ? 0 : errno;
  if (result == 0)
    note_cut (data, (guint64) size);
  unlock_octets (data);
  return result;
}

static int
open_file (Node *node, struct fuse_file_info *fi, GCancellable *cancellable, gpointer *handle)
{
  LocalData *data = node->data;
  g_autoptr (GError) error = NULL;
  RackLocalFacts facts;
  const Access *access = (fi->flags & O_ACCMODE) == O_RDONLY   ? &reader
                         : (fi->flags & O_ACCMODE) == O_WRONLY ? &writer
                                                               : &both;
  pthread_mutex_lock (&data->mutex);
  gboolean opened = data->handles > 0;
  pthread_mutex_unlock (&data->mutex);
  /* By its name it is a message by now, or nothing. */
  if (!opened && local_has_ended (data->local, &facts))
    return ESTALE;
  if (rack_local_file (data->local, &error) < 0)
    return errno_of (error);
  int result = fi->flags & O_TRUNC ? truncate_file (node, 0, cancellable) : 0;
  if (result != 0)
    return result;
  pthread_mutex_lock (&data->mutex);
  data->handles++;
  data->writers += access->writes;
  data->readers += access->reads;
  pthread_mutex_unlock (&data->mutex);
  *handle = (gpointer) access;
  return 0;
}

static int
read_file (Node *node, gpointer handle, gsize size, off_t offset, int flags,
           GCancellable *cancellable, NodeOctets *out)
{
  LocalData *data = node->data;
  g_autoptr (GError) error = NULL;
  struct stat facts;
  int fd = rack_local_file (data->local, &error);
  if (fd < 0)
    return errno_of (error);
  if (fstat (fd, &facts) != 0)
    return errno;
  off_t from = MIN (offset, facts.st_size);
  out->size = MIN (size, (gsize) (facts.st_size - from));
  out->fd = fd;
  out->position = from;
  return 0;
}

static int
write_all (int fd, const char *octets, gsize size, off_t offset)
{
  while (size > 0)
    {
      ssize_t written = pwrite (fd, octets, size, offset);
      if (written < 0 && errno == EINTR)
        continue;
      if (written <= 0)
        return written < 0 ? errno : EIO;
      octets += written;
      size -= (gsize) written;
      offset += written;
    }
  return 0;
}

static int
write_file (Node *node, gpointer handle, const char *octets, gsize size, off_t offset,
            GCancellable *cancellable)
{
  LocalData *data = node->data;
  g_autoptr (GError) error = NULL;
  int fd = rack_local_file (data->local, &error);
  if (fd < 0)
    return errno_of (error);
  int result = lock_octets (data, cancellable);
  if (result != 0)
    return result;
  result = check_size (node, (guint64) offset + size, FALSE);
  if (result == 0)
    result = write_all (fd, octets, size, offset);
  note_written (data, (guint64) offset, (guint64) offset + size, result);
  unlock_octets (data);
  return result;
}

/* Of files that are to be mail: close(2) is where programs look for errors. What stays here nobody
 * misses after a crash. */
static int
flush (Node *node, gpointer handle, GCancellable *cancellable)
{
  LocalData *data = node->data;
  RackLocalFacts facts;
  g_autoptr (GError) error = NULL;
  pthread_mutex_lock (&data->mutex);
  gboolean unsynced = data->unsynced;
  int broken = data->hole != G_MAXUINT64 ? data->hole_errno : 0;
  pthread_mutex_unlock (&data->mutex);
  rack_local_facts (data->local, &facts);
  if (!unsynced || facts.state != RACK_LOCAL_SCRATCH || !local_is_mail (&facts))
    return 0;
  if (broken != 0)
    return broken;
  if (cancellable == NULL)
    return NODE_WAIT;
  int result = check_size (node, facts.size, TRUE);
  if (result != 0)
    return result;
  pthread_mutex_lock (&data->mutex);
  data->unsynced = FALSE;
  pthread_mutex_unlock (&data->mutex);
  if (rack_local_sync (data->local, &error))
    return 0;
  pthread_mutex_lock (&data->mutex);
  data->unsynced = TRUE;
  pthread_mutex_unlock (&data->mutex);
  return errno_of (error);
}

static int
sync_file (Node *node, gpointer handle, GCancellable *cancellable)
{
  if (cancellable == NULL)
    return NODE_WAIT;
  return local_commit (node->mount, local_of (node), cancellable);
}

static void
release (Node *node, gpointer handle)
{
  LocalData *data = node->data;
  const Access *access = handle;
  RackTicket ticket;
  pthread_mutex_lock (&data->mutex);
  data->handles--;
  data->writers -= access->writes;
  data->readers -= access->reads;
  pthread_mutex_unlock (&data->mutex);
  if (access->writes)
    local_settle (node->mount, data->local, &ticket);
  drafts_end (node->mount);
}

static int
set (Node *node, const struct stat *attributes, int which, GCancellable *cancellable)
{
  LocalData *data = node->data;
  RackTicket ticket;
  int result = 0;
  if (cancellable == NULL)
    return NODE_WAIT;
  if (which & FUSE_SET_ATTR_SIZE)
    result = truncate_file (node, attributes->st_size, cancellable);
  if (result == 0)
    result = local_set (node, attributes, which, cancellable);
  /* truncate(2) opens nothing. */
  if (result == 0 && (which & FUSE_SET_ATTR_SIZE))
    result = local_settle (node->mount, data->local, &ticket);
  return result;
}

const NodeOps local_file_ops = {
  .type = S_IFREG,
  .getattr = local_getattr,
  .set = set,
  .open = open_file,
  .read = read_file,
  .write = write_file,
  .flush = flush,
  .sync = sync_file,
  .release = release,
  .release_waits = TRUE,
  .dispose = local_data_free,
};
