/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-parts-flags.c - flags of a message: its flags and keywords, to be read and written
 *
 * One on each line. What is written are words, separated by blanks or line ends; when the file is
 * closed they are the message's flags and keywords, no others. What cannot be a flag is refused by
 * the write that brings it, since shells do not look at what close says: so each write has whole
 * words.
 */
#include "control.h"
#include "flags.h"
#include "view-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Nobody has more. */
#define TEXT_MAX (64 << 10)

/* One that is open to be written. */
typedef struct
{
  pthread_mutex_t mutex;
  GString *text;
  gboolean appends, dirty;
} Draft;

/* NULL: the message is gone. */
static GString *
flags_text (const PartsMessage *message)
{
  RackEntry entry;
  if (!parts_find (message, &entry))
    return NULL;
  g_auto (GStrv) names = flag_and_keyword_names (message->folder, &entry);
  GString *text = g_string_new (NULL);
  for (guint i = 0; names[i] != NULL; i++)
    g_string_append_printf (text, "%s\n", names[i]);
  return text;
}

static double
getattr (Node *node, struct stat *out)
{
  const PartsMessage *message = node->data;
  GString *text = flags_text (message);
  parts_fill (message, out);
  if (rack_folder_may_change (message->folder, NULL))
    out->st_mode |= 0222 & ~node->mount->umask;
  parts_fill_size (text != NULL ? text->len : 0, out);
  if (text != NULL)
    g_string_free (text, TRUE);
  return 0;
}

static int
read_flags (Node *node, gpointer handle, gsize size, off_t offset, int flags,
            GCancellable *cancellable, NodeOctets *out)
{
  g_autoptr (GString) text = flags_text (node->data);
  if (text == NULL)
    return ESTALE;
  gsize from = MIN ((guint64) offset, text->len);
  out->size = MIN (size, text->len - from);
  out->memory = g_memdup2 (text->str + from, out->size);
  return 0;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static int
open_flags (Node *node, struct fuse_file_info *fi, GCancellable *cancellable, gpointer *handle)
{
  const PartsMessage *message = node->data;
  g_autoptr (GError) error = NULL;
  if ((fi->flags & O_ACCMODE) == O_RDONLY)
    return 0;
  if (!rack_folder_may_change (message->folder, &error))
    return errno_of (error);
  gboolean empty = (fi->flags & O_TRUNC) != 0;
  GString *text = empty ? g_string_new (NULL) : flags_text (message);
  if (text == NULL)
    return ESTALE;
  Draft *draft = g_new0 (Draft, 1);
  pthread_mutex_init (&draft->mutex, NULL);
  draft->text = text;
  draft->dirty = empty;
  draft->appends = (fi->flags & O_APPEND) != 0;
  fi->direct_io = 1;
  *handle = draft;
  return 0;
}

/* The kernel's idea of where the end is may be an old one. */
static int
put (Draft *draft, const char *octets, gsize size, guint64 offset)
{
  gsize at = draft->appends ? draft->text->len : (gsize) MIN (offset, G_MAXSIZE);
  if (at > draft->text->len || size > TEXT_MAX || at + size > TEXT_MAX)
    return EFBIG;
  gsize over = MIN (size, draft->text->len - at);
  g_string_overwrite_len (draft->text, at, octets, (gssize) over);
  g_string_append_len (draft->text, octets + over, (gssize) (size - over));
  return 0;
}

static int
write_flags (Node *node, gpointer handle, const char *octets, gsize size, off_t offset,
             GCancellable *cancellable)
{
  Draft *draft = handle;
  pthread_mutex_lock (&draft->mutex);
  g_autoptr (GString) before = g_string_new_len (draft->text->str, (gssize) draft->text->len);
  int result = put (draft, octets, size, (guint64) offset);
  g_autofree char *problem = result == 0 ? flags_check (draft->text->str, draft->text->len) : NULL;
  if (problem != NULL)
    {
      g_string_assign (draft->text, before->str);
      control_note_problem (node->mount, problem);
      result = EINVAL;
    }
  draft->dirty |= result == 0;
  pthread_mutex_unlock (&draft->mutex);
  return result;
}

static int
apply (Node *node, Draft *draft, gboolean waits, GCancellable *cancellable)
{
  const PartsMessage *message = node->data;
  g_autoptr (GError) error = NULL;
  RackTicket ticket = 0;
  pthread_mutex_lock (&draft->mutex);
  gboolean dirty = draft->dirty;
  g_autofree char *text = g_strndup (draft->text->str, draft->text->len);
  draft->dirty = FALSE;
  pthread_mutex_unlock (&draft->mutex);
  if (!dirty)
    return 0;
  if (!flags_set (node->mount->mirror, message->row, message->uid, text, &ticket, &error)
      || (waits && !rack_outgoing_wait (node->mount->mirror, ticket, cancellable, &error)))
    {
      control_note_problem (node->mount, error->message);
      return errno_of (error);
    }
  return 0;
}

static int
flush (Node *node, gpointer handle, GCancellable *cancellable)
{
  if (handle == NULL)
    return 0;
  if (cancellable == NULL)
    return NODE_WAIT;
  return apply (node, handle, node->mount->commit_server, cancellable);
}

static int
sync_flags (Node *node, gpointer handle, GCancellable *cancellable)
{
  if (handle == NULL)
    return 0;
  return cancellable == NULL ? NODE_WAIT : apply (node, handle, TRUE, cancellable);
}

/* truncate(2) is not told with whose descriptor: programs that open the file to write it anew do
 * without. */
static int
set (Node *node, const struct stat *attributes, int which, GCancellable *cancellable)
{
  return which & FUSE_SET_ATTR_SIZE ? EOPNOTSUPP : EPERM;
}

static void
release (Node *node, gpointer handle)
{
  Draft *draft = handle;
  if (draft == NULL)
    return;
  g_string_free (draft->text, TRUE);
  pthread_mutex_destroy (&draft->mutex);
  g_free (draft);
}

static const NodeOps flags_ops = {
  .type = S_IFREG,
  .getattr = getattr,
  .set = set,
  .open = open_flags,
  .read = read_flags,
  .write = write_flags,
  .flush = flush,
  .sync = sync_flags,
  .release = release,
  .dispose = g_free,
};

Node *
parts_flags_node (Mount *mount, const PartsMessage *message, const char *key)
{
  return node_new (mount, &flags_ops, key, g_memdup2 (message, sizeof *message));
}
