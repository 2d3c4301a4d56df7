/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * locals.c - files and directories that programs wrote beside the mail
 *
 * The octets are plain files of the journal's directory, named by number; what they are called and
 * where they are is in the journal. Writing goes to the file directly, without anybody here.
 */
#include "locals.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The tables of names; with shown held, and to change them the outbox' mutex too ------------
 */

/* Where a name is. */
typedef struct
{
  RackFolder *folder;
  guint space;
  guint64 parent;
} RackPlace;

static guint
place_hash (gconstpointer data)
{
  const RackPlace *place = data;
  return g_direct_hash (place->folder) ^ place->space * 31 ^ (guint) place->parent * 1009;
}

static gboolean
place_equal (gconstpointer a, gconstpointer b)
{
  const RackPlace *left = a, *right = b;
  return left->folder == right->folder && left->space == right->space
         && left->parent == right->parent;
}

static void
free_shelf (gpointer shelf)
{
  rack_shelf_free (shelf);
}

void
rack_locals_init (RackOutbox *outbox)
{
  outbox->locals = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, NULL);
  outbox->places = g_hash_table_new_full (place_hash, place_equal, g_free, free_shelf);
}

void
rack_local_free (RackLocal *local)
{
  if (local->fd >= 0)
    close (local->fd);
  g_free (local->name);
  g_free (local->keywords);
  g_free (local->problem);
  rack_put_off_clear (&local->off);
  g_free (local);
}

void
rack_locals_clear (RackOutbox *outbox)
{
  GHashTableIter iter;
  gpointer one;
  g_hash_table_iter_init (&iter, outbox->locals);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    rack_local_unref (one);
  g_hash_table_unref (outbox->places);
  g_hash_table_unref (outbox->locals);
}

RackLocal *
rack_local_ref (RackLocal *local)
{
  g_atomic_int_inc (&local->refs);
  return local;
}

void
rack_local_unref (RackLocal *local)
{
  if (local != NULL && g_atomic_int_dec_and_test (&local->refs))
    rack_local_free (local);
}

RackShelf *
rack_locals_at (RackOutbox *outbox, RackFolder *folder, guint space, guint64 parent)
{
  RackPlace place = { folder, space, parent };
  return g_hash_table_lookup (outbox->places, &place);
}

static RackLocal *
rack_locals_by_id (RackOutbox *outbox, guint64 id)
{
  gint64 key = (gint64) id;
  return g_hash_table_lookup (outbox->locals, &key);
}

/* Something came or went where local is. */
static void
stamp_place (RackLocal *local)
{
  RackLocal *parent = rack_locals_by_id (local->mirror->outbox, local->parent);
  gint64 now = g_get_real_time () * 1000;
  if (parent != NULL)
    {
      parent->changed = MAX (parent->changed + 1, now);
      return;
    }
  pthread_mutex_lock (&local->folder->mutex);
  rack_folder_stamp (local->folder);
  pthread_mutex_unlock (&local->folder->mutex);
}

static void
list (RackLocal *local)
{
  RackOutbox *outbox = local->mirror->outbox;
  RackPlace place = { local->folder, local->space, local->parent };
  RackShelf *here = g_hash_table_lookup (outbox->places, &place);
  if (local->listed.place != NULL)
    return;
  if (here == NULL)
    {
      here = rack_shelf_new ();
      g_hash_table_insert (outbox->places, g_memdup2 (&place, sizeof place), here);
    }
  rack_shelf_add (here, &local->listed, local->id, local->name, local);
  stamp_place (local);
}

static void
unlist (RackLocal *local)
{
  if (local->listed.place == NULL)
    return;
  rack_shelf_remove (
      rack_locals_at (local->mirror->outbox, local->folder, local->space, local->parent),
      &local->listed);
  stamp_place (local);
}

/* ---- What becomes of one; with the outbox' mutex held --------------------------------------- */

void
rack_local_put (RackLocal *local, RackFolder *folder, guint space, guint64 parent, const char *name)
{
  RackOutbox *outbox = local->mirror->outbox;
  pthread_mutex_lock (&outbox->shown);
  gboolean listed = local->listed.place != NULL;
  unlist (local);
  local->folder = folder;
  local->space = space;
  local->parent = parent;
  if (name != NULL)
    {
      g_free (local->name);
      local->name = g_strdup (name);
    }
  if (listed)
    list (local);
  pthread_mutex_unlock (&outbox->shown);
}

/* It is in no folder and no journal any more; whoever holds it may read it. */
static void
rack_local_drop (RackLocal *local)
{
  RackOutbox *outbox = local->mirror->outbox;
  gint64 key = (gint64) local->id;
  pthread_mutex_lock (&outbox->shown);
  unlist (local);
  gboolean known = g_hash_table_remove (outbox->locals, &key);
  pthread_mutex_unlock (&outbox->shown);
  if (!known)
    return;
  if (!local->directory)
    {
      g_autofree char *path = rack_journal_path (outbox->journal, local->id);
      unlink (path);
    }
  rack_local_unref (local);
}

void
rack_local_become (RackLocal *local, RackLocalState state)
{
  RackOutbox *outbox = local->mirror->outbox;
  pthread_mutex_lock (&outbox->shown);
  local->state = state;
  switch (state)
    {
    case RACK_LOCAL_SCRATCH:
    case RACK_LOCAL_QUEUED:
    case RACK_LOCAL_SENDING:
      list (local);
      break;
    case RACK_LOCAL_SENT: /* shown until the message is */
      break;
    case RACK_LOCAL_FAILED:
    case RACK_LOCAL_GONE:
      unlist (local);
      break;
    }
  pthread_mutex_unlock (&outbox->shown);
  if (state == RACK_LOCAL_GONE)
    rack_local_drop (local);
}

gboolean
rack_local_write_as (RackLocal *local, RackFolder *folder, guint space, guint64 parent,
                     const char *name, GError **error)
{
  RackJournalLocal row = {
    .id = local->id,
    .state = local->state,
    .mailbox = folder->mailbox,
    .space = space,
    .parent = parent,
    .name = name,
    .directory = local->directory,
    .mode = local->mode,
    .mtime = local->mtime,
    .ticket = local->ticket,
    .flags = local->flags,
    .keywords = local->keywords,
    .replaces = local->replaces,
    .replaces_validity = local->replaces_validity,
    .mark_validity = local->mark_validity,
    .mark_next = local->mark_next,
    .problem = local->problem,
    .tries = local->tries,
  };
  gboolean ok = rack_journal_put_local (local->mirror->outbox->journal, &row, error);
  /* Those who only look may be reading it. */
  if (ok && local->id == 0)
    local->id = row.id;
  return ok;
}

gboolean
rack_local_write (RackLocal *local, GError **error)
{
  return rack_local_write_as (local, local->folder, local->space, local->parent, local->name,
                              error);
}

gboolean
rack_local_write_lazily (RackLocal *local, GError **error)
{
  RackJournal *journal = local->mirror->outbox->journal;
  return rack_journal_begin_lazily (journal, error)
         && rack_journal_end (journal, rack_local_write (local, error), error);
}

RackLocal *
rack_local_new (RackMirror *mirror, RackFolder *folder)
{
  RackLocal *local = g_new0 (RackLocal, 1);
  local->refs = 1; /* the table's */
  local->mirror = mirror;
  local->folder = folder;
  local->fd = -1;
  local->synced_size = -1;
  local->touched = g_get_monotonic_time ();
  local->changed = g_get_real_time () * 1000;
  return local;
}

void
rack_local_enter (RackLocal *local)
{
  RackOutbox *outbox = local->mirror->outbox;
  pthread_mutex_lock (&outbox->shown);
  /* The key is in the struct, which lives as long as the table has it. */
  g_hash_table_insert (outbox->locals, &local->id, local);
  if (local->state != RACK_LOCAL_FAILED)
    list (local);
  pthread_mutex_unlock (&outbox->shown);
}

/* ---- From the journal ------------------------------------------------------------------------ */

static void
load_local (const RackJournalLocal *from, gpointer data)
{
  RackOutbox *outbox = data;
  RackFolder *folder = NULL;
  GHashTableIter iter;
  gpointer one;
  g_hash_table_iter_init (&iter, outbox->mirror->ids);
  while (folder == NULL && g_hash_table_iter_next (&iter, NULL, &one))
    if (strcmp (((RackFolder *) one)->mailbox, from->mailbox) == 0)
      folder = one;
  RackLocal *local =
      rack_local_new (outbox->mirror, folder != NULL ? folder : outbox->mirror->root);
  local->id = from->id;
  /* What was being sent is looked for before it is sent again: it has its mark. */
  local->state = from->state == RACK_LOCAL_SENDING ? RACK_LOCAL_QUEUED : from->state;
  local->space = from->space;
  local->parent = from->parent;
  local->name = g_strdup (from->name);
  local->directory = from->directory;
  local->mode = from->mode;
  local->mtime = from->mtime;
  local->ticket = from->ticket;
  local->flags = from->flags;
  local->keywords = g_strdup (from->keywords);
  local->replaces = from->replaces;
  local->replaces_validity = from->replaces_validity;
  local->mark_validity = from->mark_validity;
  local->mark_next = from->mark_next;
  local->problem = g_strdup (from->problem);
  local->tries = from->tries;
  if (folder == NULL)
    {
      /* Its mailbox is gone: it is kept where a person finds it. */
      local->state = RACK_LOCAL_FAILED;
      g_free (local->problem);
      local->problem = g_strdup_printf ("the mailbox %s is not there any more", from->mailbox);
    }
  outbox->last_ticket = MAX (outbox->last_ticket, local->ticket);
  rack_local_enter (local);
}

/* The file was never synced: after a loss of power it may hold anything. */
static void
restore_octets (guint64 id, const void *octets, gsize size, gpointer data)
{
  RackOutbox *outbox = data;
  g_autofree char *path = rack_journal_path (outbox->journal, id);
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return;
  for (gsize at = 0; at < size;)
    {
      ssize_t n = write (fd, (const char *) octets + at, size - at);
      if (n <= 0)
        break;
      at += (gsize) n;
    }
  close (fd);
}

/* What was closed but not queued when we ended. */
static gboolean
is_forgotten (RackLocal *local)
{
  RackLocalFacts facts;
  if (local->state != RACK_LOCAL_SCRATCH || local->directory || local->parent != 0
      || local->space != 0 || !g_str_has_suffix (local->name, RACK_NAME_SUFFIX))
    return FALSE;
  rack_local_facts (local, &facts);
  return facts.size > 0;
}

gboolean
rack_locals_load (RackOutbox *outbox, GError **error)
{
  GHashTableIter iter;
  gpointer one;
  if (!rack_journal_each_octets (outbox->journal, restore_octets, outbox, error)
      || !rack_journal_each_local (outbox->journal, load_local, outbox, error))
    return FALSE;
  g_hash_table_iter_init (&iter, outbox->locals);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    if (is_forgotten (one))
      {
        RackLocal *local = one;
        local->ticket = rack_outbox_ticket (outbox);
        local->state = RACK_LOCAL_QUEUED;
      }
  return TRUE;
}

/* ---- Finding --------------------------------------------------------------------------------- */

/* It is a message of the index by now, or was one: it may have been removed since. With shown held.
 */
static gboolean
is_seen (RackLocal *local)
{
  if (local->state != RACK_LOCAL_SENT)
    return FALSE;
  if (local->seen)
    return TRUE;
  pthread_mutex_lock (&local->folder->mutex);
  gboolean seen = local->uid == 0 || !local->folder->complete
                  || local->folder->state.uid_validity != local->validity
                  || rack_index_find (&local->folder->index, local->uid) != NULL;
  pthread_mutex_unlock (&local->folder->mutex);
  local->seen = seen;
  return seen;
}

RackLocal *
rack_locals_find (RackOutbox *outbox, RackFolder *folder, guint space, guint64 parent,
                  const char *name)
{
  const RackShelf *here = rack_locals_at (outbox, folder, space, parent);
  const RackShelved *at = here != NULL ? rack_shelf_find (here, name) : NULL;
  while (at != NULL && is_seen (at->thing))
    at = at->namesake;
  return at != NULL ? at->thing : NULL;
}

RackLocal *
rack_local_find (RackFolder *folder, guint space, RackLocal *parent, const char *name)
{
  RackOutbox *outbox = folder->mirror->outbox;
  if (outbox == NULL)
    return NULL;
  pthread_mutex_lock (&outbox->shown);
  RackLocal *local =
      rack_locals_find (outbox, folder, space, parent != NULL ? parent->id : 0, name);
  if (local != NULL)
    rack_local_ref (local);
  pthread_mutex_unlock (&outbox->shown);
  return local;
}

RackLocal *
rack_local_by_id (RackMirror *mirror, guint64 id)
{
  RackOutbox *outbox = mirror->outbox;
  if (outbox == NULL)
    return NULL;
  pthread_mutex_lock (&outbox->shown);
  RackLocal *local = rack_locals_by_id (outbox, id);
  if (local != NULL)
    rack_local_ref (local);
  pthread_mutex_unlock (&outbox->shown);
  return local;
}

guint
rack_local_list (RackFolder *folder, guint space, RackLocal *parent, guint64 after,
                 RackLocal **locals, guint n)
{
  RackOutbox *outbox = folder->mirror->outbox;
  guint found = 0;
  if (outbox == NULL)
    return 0;
  pthread_mutex_lock (&outbox->shown);
  const RackShelf *here = rack_locals_at (outbox, folder, space, parent != NULL ? parent->id : 0);
  for (RackShelved *at = here != NULL ? rack_shelf_after (here, after) : NULL;
       at != NULL && found < n; at = rack_shelved_next (at))
    if (!is_seen (at->thing))
      locals[found++] = rack_local_ref (at->thing);
  pthread_mutex_unlock (&outbox->shown);
  return found;
}

static void
look (const RackLocal *local, RackLocalFacts *facts)
{
  struct stat file = { 0 };
  *facts = (RackLocalFacts){
    .id = local->id,
    .state = local->state,
    .folder = local->folder,
    .space = local->space,
    .parent = local->parent,
    .directory = local->directory,
    .mode = local->mode,
    .mtime = local->mtime,
    .changed = local->changed,
    .row = local->row,
    .uid = local->uid,
    .number = local->number,
  };
  g_strlcpy (facts->name, local->name, sizeof facts->name);
  if (local->directory)
    {
      facts->mtime = local->changed;
      return;
    }
  if (local->fd < 0 || fstat (local->fd, &file) != 0)
    {
      g_autofree char *path = rack_journal_path (local->mirror->outbox->journal, local->id);
      stat (path, &file);
    }
  facts->size = (guint64) file.st_size;
  if (facts->mtime == 0)
    facts->mtime = file.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + file.st_mtim.tv_nsec;
}

void
rack_local_facts (RackLocal *local, RackLocalFacts *facts)
{
  RackOutbox *outbox = local->mirror->outbox;
  pthread_mutex_lock (&outbox->shown);
  look (local, facts);
  pthread_mutex_unlock (&outbox->shown);
}

void
rack_locals_rehome (RackOutbox *outbox, RackFolder *from, RackFolder *to)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer one;
  pthread_mutex_lock (&outbox->mutex);
  g_hash_table_iter_init (&iter, outbox->locals);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    if (((RackLocal *) one)->folder == from)
      g_ptr_array_add (all, one);
  for (guint i = 0; i < all->len; i++)
    {
      RackLocal *local = all->pdata[i];
      rack_local_put (local, to, local->space, local->parent, NULL);
    }
  pthread_mutex_unlock (&outbox->mutex);
}

/* ---- Those that became messages ----------------------------------------------------------- */

guint
rack_outbox_settle_locals (RackOutbox *outbox)
{
  g_autoptr (GPtrArray) sent = g_ptr_array_new ();
  guint left = 0;
  GHashTableIter iter;
  gpointer one;
  g_hash_table_iter_init (&iter, outbox->locals);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    if (((RackLocal *) one)->state == RACK_LOCAL_SENT)
      g_ptr_array_add (sent, one);
  for (guint i = 0; i < sent->len; i++)
    {
      RackLocal *local = sent->pdata[i];
      gint64 age = g_get_monotonic_time () - local->touched;
      pthread_mutex_lock (&outbox->shown);
      gboolean seen = is_seen (local);
      pthread_mutex_unlock (&outbox->shown);
      if (local->unsettled || (!seen && age < 30 * G_USEC_PER_SEC))
        {
          left++;
          continue;
        }
      RackFolder *folder = local->folder;
      guint space = local->space;
      g_autofree char *name = g_strdup (local->name);
      pthread_mutex_lock (&outbox->shown);
      pthread_mutex_lock (&folder->mutex);
      local->row = folder->state.uid_validity == local->validity ? folder->row : 0;
      pthread_mutex_unlock (&folder->mutex);
      pthread_mutex_unlock (&outbox->shown);
      rack_local_drop (local);
      rack_outbox_tell (folder, space, name);
    }
  return left;
}
