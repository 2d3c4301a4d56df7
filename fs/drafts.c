/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * drafts.c - messages that programs rewrite
 */
#include "drafts.h"

#include "inode.h"

#include <errno.h>
#include <unistd.h>

#define PIECE (128 << 10)

struct Drafts
{
  pthread_mutex_t mutex;
  GHashTable *nodes; /* &ino (in the Node of Draft) -> Draft (owned) */
};

typedef struct
{
  guint64 ino;
  Node *node; /* (owned) */
} Draft;

static void
draft_free (gpointer pointer)
{
  Draft *draft = pointer;
  node_unref (draft->node);
  g_free (draft);
}

Drafts *
drafts_new (void)
{
  Drafts *drafts = g_new0 (Drafts, 1);
  pthread_mutex_init (&drafts->mutex, NULL);
  drafts->nodes = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, draft_free);
  return drafts;
}

void
drafts_free (Drafts *drafts)
{
  g_hash_table_unref (drafts->nodes);
  pthread_mutex_destroy (&drafts->mutex);
  g_free (drafts);
}

/* Whether the copy is not one any more, and nobody has it open. */
static gboolean
has_ended (Node *node)
{
  struct stat attributes;
  return node_fill (node, &attributes) < 0;
}

/* draft is in the table no more. What the kernel has of the copy it has as the message's. */
static void
end (Mount *mount, Draft *draft)
{
  if (mount->notifier != NULL)
    notifier_forget_file (mount->notifier, draft->ino);
  draft_free (draft);
}

Node *
draft_of (Mount *mount, fuse_ino_t ino)
{
  Drafts *drafts = mount->drafts;
  guint64 number = ino;
  Draft *ended = NULL;
  Node *found = NULL;
  pthread_mutex_lock (&drafts->mutex);
  Draft *draft = g_hash_table_lookup (drafts->nodes, &number);
  if (draft != NULL && has_ended (draft->node))
    {
      g_hash_table_steal (drafts->nodes, &number);
      ended = draft;
    }
  else if (draft != NULL)
    found = node_ref (draft->node);
  pthread_mutex_unlock (&drafts->mutex);
  if (ended != NULL)
    end (mount, ended);
  return found;
}

void
drafts_end (Mount *mount)
{
  Drafts *drafts = mount->drafts;
  g_autoptr (GPtrArray) ended = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer draft;
  pthread_mutex_lock (&drafts->mutex);
  g_hash_table_iter_init (&iter, drafts->nodes);
  while (g_hash_table_iter_next (&iter, NULL, &draft))
    if (has_ended (((Draft *) draft)->node))
      {
        g_hash_table_iter_steal (&iter);
        g_ptr_array_add (ended, draft);
      }
  pthread_mutex_unlock (&drafts->mutex);
  for (guint i = 0; i < ended->len; i++)
    end (mount, ended->pdata[i]);
}

/* Of two who begin at the same time the first one has begun. */
static Node *
remember (Mount *mount, fuse_ino_t ino, RackLocal *local)
{
  Drafts *drafts = mount->drafts;
  Draft *draft = g_new0 (Draft, 1);
  draft->ino = ino;
  draft->node = local_node (mount, local);
  Node *node = node_ref (draft->node);
  pthread_mutex_lock (&drafts->mutex);
  g_hash_table_replace (drafts->nodes, &draft->ino, draft);
  pthread_mutex_unlock (&drafts->mutex);
  return node;
}

/* ---- Copies --------------------------------------------------------------------------------- */

static int
copy_range (int in, guint64 from, int out, guint64 size)
{
  g_autofree char *piece = g_malloc (PIECE);
  for (guint64 done = 0; done < size;)
    {
      ssize_t got = pread (in, piece, MIN (PIECE, size - done), (off_t) (from + done));
      if (got <= 0)
        return got < 0 ? errno : EIO;
      ssize_t put = pwrite (out, piece, (size_t) got, (off_t) done);
      if (put <= 0)
        return put < 0 ? errno : EIO;
      done += (guint64) put;
    }
  return 0;
}

static int
copy_octets (Mount *mount, guint32 row, guint32 uid, RackLocal *local, GCancellable *cancellable)
{
  g_autoptr (RackBody) body = rack_mirror_body (mount->mirror, row, uid);
  g_autoptr (GError) error = NULL;
  guint64 from, size;
  int out = rack_local_file (local, &error);
  if (out < 0)
    return errno_of (error);
  if (body == NULL)
    return ESTALE;
  if (!rack_body_wait (body, G_MAXUINT64, cancellable, &error))
    return errno_of (error);
  int in = rack_body_file (body, &from, &size);
  return copy_range (in, from, out, size);
}

/* The new one comes, and the old one goes. May wait for the server a moment. */
static gboolean
may_rewrite (RackFolder *folder, GError **error)
{
  if (!rack_folder_may_change (folder, error))
    return FALSE;
  rack_folder_await_limits (folder, FALSE);
  return rack_folder_may (folder, RACK_RIGHT_INSERT | RACK_RIGHT_DELETE | RACK_RIGHT_EXPUNGE,
                          error);
}

/* number: what the copy has, or 0. *copy: (owned). cancellable: also until the old one of that name
 * is out of the way. */
static int
make_copy (Mount *mount, RackFolder *folder, guint32 row, const RackEntry *entry, const char *name,
           guint64 number, gboolean empty, GCancellable *cancellable, RackLocal **copy)
{
  g_autoptr (GError) error = NULL;
  gint64 mtime = entry->date * G_GINT64_CONSTANT (1000000000);
  g_autoptr (RackLocal) local = rack_local_make (folder, 0, NULL, name, FALSE, 0600, &error);
  if (local == NULL)
    return errno_of (error);
  rack_local_set_number (local, number);
  int result = empty ? 0 : copy_octets (mount, row, entry->uid, local, cancellable);
  if (result == 0 && !empty && !rack_local_set (local, &mtime, -1, &error))
    result = errno_of (error);
  if (result == 0)
    *copy = g_steal_pointer (&local);
  else
    rack_local_remove (local, NULL, NULL);
  return result;
}

int
draft_begin (Mount *mount, fuse_ino_t ino, gboolean empty, GCancellable *cancellable, Node **draft)
{
  g_autoptr (RackLocal) copy = NULL;
  g_autoptr (GError) error = NULL;
  RackEntry entry;
  guint32 row = inode_row (ino), uid = inode_uid (ino);
  RackFolder *folder = rack_mirror_whereabouts (mount->mirror, row, uid, &entry);
  if (folder == NULL)
    return ESTALE;
  if (!may_rewrite (folder, &error))
    return errno_of (error);
  if (!folder_has_drafts (folder) || rack_mirror_folder_by_row (mount->mirror, row) != folder
      || !rack_folder_find (folder, uid, &entry))
    return EACCES;
  int result = make_copy (mount, folder, row, &entry, entry.name, inode_shown (ino, &entry), empty,
                          cancellable, &copy);
  /* Somebody else began at the same time. */
  if (result == EEXIST && copy == NULL)
    copy = rack_local_find (folder, 0, NULL, entry.name);
  if (copy == NULL)
    return result;
  *draft = remember (mount, ino, copy);
  if (result == 0 && !empty)
    local_mark_pristine (*draft);
  return 0;
}

static guint64
shown_of (const Thing *message)
{
  return inode_shown (inode_of_message (message->row, message->entry.uid), &message->entry);
}

static int
take_place (Mount *mount, const Thing *old, RackLocal *copy, const char *name)
{
  g_autoptr (GError) error = NULL;
  RackTicket ticket;
  g_auto (GStrv) keywords = NULL;
  Spot spot = { .directory = { VIEW_MESSAGES, 0, old->folder, 0 } };
  gboolean ok;
  if (spot_is_mail (&spot, name))
    {
      keywords = rack_folder_keywords (old->folder, old->entry.uid);
      RackAppendFacts facts = {
        .flags = old->entry.flags & ~(RackFlags) RACK_FLAG_RECENT,
        .keywords = (const char *const *) keywords,
        .replaces = old->entry.uid,
        .number = shown_of (old),
      };
      ok = rack_local_queue (copy, &facts, &ticket, &error);
    }
  else
    ok = rack_local_sync (copy, &error)
         && rack_folder_remove (old->folder, old->row, old->entry.uid, &ticket, &error);
  if (ok)
    return 0;
  rack_local_remove (copy, NULL, NULL);
  return error->code == RACK_ERROR_UNSUPPORTED ? EPERM : errno_of (error);
}

int
draft_rename (Mount *mount, const Thing *old, const Thing *there, const char *name,
              GCancellable *cancellable)
{
  g_autoptr (RackLocal) copy = NULL;
  g_autoptr (GError) error = NULL;
  if (!may_rewrite (old->folder, &error)
      || (there->kind == THING_LOCAL && !rack_local_remove (there->local, cancellable, &error)))
    return errno_of (error);
  Spot spot = { .directory = { VIEW_MESSAGES, 0, old->folder, 0 } };
  /* A backup is another file than what is written in its place. */
  guint64 number = spot_is_mail (&spot, name) ? shown_of (old) : 0;
  int result = make_copy (mount, old->folder, old->row, &old->entry, name, number, FALSE,
                          cancellable, &copy);
  return result == 0 ? take_place (mount, old, copy, name) : result;
}

/* Whether the message that has it is one of its own, which is seen somewhere. */
static gboolean
is_seen (Mount *mount, guint64 number)
{
  RackEntry entry;
  return inode_kind (number) == INODE_MESSAGE
         && rack_mirror_whereabouts (mount->mirror, inode_row (number), inode_uid (number), &entry)
                != NULL
         && inode_shown (number, &entry) == number;
}

guint64
draft_number (Mount *mount, const RackLocalFacts *facts, const RackEntry *old)
{
  RackFolderFacts folder;
  guint64 number = local_number (facts);
  rack_folder_facts (facts->folder, &folder);
  if (old != NULL && inode_shown (inode_of_message (folder.row, old->uid), old) == number)
    return number;
  /* Somebody may have moved away what this began as. */
  return is_seen (mount, number) ? 0 : number;
}

void
draft_note_rename (RackLocal *local, const RackLocalFacts *facts, const Spot *to)
{
  RackLocalFacts own = *facts;
  own.number = 0;
  gboolean stays = facts->folder == to->directory.folder && facts->number == local_number (&own);
  if (facts->number != 0 && !stays)
    rack_local_set_number (local, 0);
}

int
draft_uncover (Mount *mount, const Spot *spot, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_auto (Thing) thing = { .kind = THING_NONE };
  RackTicket ticket;
  if (spot->local != NULL || !folder_has_drafts (spot->directory.folder))
    return 0;
  spot_find (mount, spot, name, &thing);
  if (thing.kind != THING_MESSAGE
      || rack_folder_remove (thing.folder, thing.row, thing.entry.uid, &ticket, &error))
    return 0;
  return error->code == RACK_ERROR_UNSUPPORTED ? EPERM : errno_of (error);
}
