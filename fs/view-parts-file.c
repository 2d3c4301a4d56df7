/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-parts-file.c - one section of a message as a file
 *
 * The size of what is decoded is known when all of it is here, and no sooner than that open
 * is answered the first time; until then there is a guess that the kernel does not keep.
 * Once seen it stays: what then comes with another one is an error, not a shorter file.
 */
#include "view-parts.h"

#include <errno.h>

typedef struct
{
  PartsMessage message;
  char *section;
  RackPartForm form;
  guint64 guess;
  pthread_mutex_t mutex;
  gboolean known; /* under the mutex, as size */
  guint64 size;
} File;

static void
learn (File *file, guint64 size)
{
  pthread_mutex_lock (&file->mutex);
  if (!file->known)
    {
      file->known = TRUE;
      file->size = size;
    }
  pthread_mutex_unlock (&file->mutex);
}

static gboolean
knows (File *file, guint64 *size)
{
  pthread_mutex_lock (&file->mutex);
  gboolean known = file->known;
  *size = known ? file->size : file->guess;
  pthread_mutex_unlock (&file->mutex);
  return known;
}

/* NULL: the mailbox is another one now. */
static RackBody *
body_of (const File *file)
{
  const PartsMessage *message = &file->message;
  return rack_folder_part (message->folder, message->row, message->uid, file->section, file->form);
}

/* The kernel forgot the node, but the octets are still here. */
static void
look_into_cache (File *file)
{
  guint64 offset, size;
  g_autoptr (RackBody) body = body_of (file);
  if (body == NULL || !rack_body_has (body, G_MAXUINT64))
    return;
  rack_body_file (body, &offset, &size);
  learn (file, size);
}

static double
getattr (Node *node, struct stat *out)
{
  File *file = node->data;
  guint64 size;
  if (!knows (file, &size))
    look_into_cache (file);
  gboolean known = knows (file, &size);
  parts_fill (&file->message, out);
  parts_fill_size (size, out);
  return known ? TIMEOUT_KNOWN : 0;
}

static int
open_file (Node *node, struct fuse_file_info *fi, GCancellable *cancellable, gpointer *handle)
{
  File *file = node->data;
  g_autoptr (RackBody) body = body_of (file);
  g_autoptr (GError) error = NULL;
  guint64 size;
  if (body == NULL)
    return ESTALE;
  if (!knows (file, &size))
    {
      if (cancellable == NULL)
        return NODE_WAIT;
      if (!rack_body_wait_size (body, &size, cancellable, &error))
        return parts_errno (&file->message, error);
      learn (file, size);
    }
  fi->keep_cache = 1; /* a part never changes */
  fi->noflush = 1;
  *handle = g_steal_pointer (&body);
  return 0;
}

static int
read_file (Node *node, gpointer handle, gsize size, off_t offset, int flags,
           GCancellable *cancellable, NodeOctets *out)
{
  File *file = node->data;
  RackBody *body = handle;
  g_autoptr (GError) error = NULL;
  guint64 whole, start, here;
  knows (file, &whole);
  guint64 from = MIN ((guint64) offset, whole);
  guint64 end = from + MIN (size, whole - from);
  if (!rack_body_has (body, end))
    {
      if (cancellable == NULL)
        return NODE_WAIT;
      if (!rack_body_wait (body, end, cancellable, &error))
        return parts_errno (&file->message, error);
    }
  out->fd = rack_body_file (body, &start, &here);
  if (here < end || (here != whole && rack_body_has (body, G_MAXUINT64)))
    return EIO;
  out->position = (off_t) (start + from);
  out->size = end - from;
  return 0;
}

static void
release (Node *node, gpointer handle)
{
  rack_body_unref (handle);
}

static void
dispose (gpointer data)
{
  File *file = data;
  pthread_mutex_destroy (&file->mutex);
  g_free (file->section);
  g_free (file);
}

static const NodeOps file_ops = {
  .type = S_IFREG,
  .getattr = getattr,
  .open = open_file,
  .read = read_file,
  .release = release,
  .dispose = dispose,
};

Node *
parts_file_node (Mount *mount, const PartsMessage *message, const char *key, const char *section,
                 RackPartForm form, guint64 guess)
{
  File *file = g_new0 (File, 1);
  file->message = *message;
  file->section = g_strdup (section);
  file->form = form;
  file->guess = guess;
  pthread_mutex_init (&file->mutex, NULL);
  return node_new (mount, &file_ops, key, file);
}
