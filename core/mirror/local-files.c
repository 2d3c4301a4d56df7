/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local-files.c - local files are made, written, renamed and removed
 *
 * Where they are and what they are called is locals.c's.
 */
#include "locals.h"
#include "slab.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* So long one waits for what is being sent, milliseconds. */
#define PATIENCE   120000
/* The octets of smaller files are in the journal too: one sync instead of two. */
#define INLINE_MAX (128 << 10)

/* ---- Making and opening ------------------------------------------------------------------- */

/* With shown held, unless nobody else has it yet. */
static int
open_file (RackLocal *local, int flags, GError **error)
{
  if (local->fd >= 0)
    return local->fd;
  g_autofree char *path = rack_journal_path (local->mirror->outbox->journal, local->id);
  local->fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
  if (local->fd < 0)
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "cannot open %s: %s", path, g_strerror (errno));
  return local->fd;
}

static gboolean
is_component (const char *name, GError **error)
{
  if (*name != '\0' && strlen (name) <= RACK_NAME_DIRECTORY_MAX && strchr (name, '/') == NULL
      && strcmp (name, ".") != 0 && strcmp (name, "..") != 0)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "\"%s\" cannot be a file's name", name);
  return FALSE;
}

/* What is only here needs no server. */
static gboolean
may_write (RackFolder *folder, GError **error)
{
  const RackMirror *mirror = folder->mirror;
  if (mirror->outbox != NULL && !mirror->options.read_only)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_READ_ONLY,
               "%s: the account is read-only (read_only = yes)", folder->mailbox);
  return FALSE;
}

/* What is called so in that place; with the mutex held. */
static RackLocal *
find (RackOutbox *outbox, RackFolder *folder, guint space, const RackLocal *parent,
      const char *name)
{
  pthread_mutex_lock (&outbox->shown);
  RackLocal *found =
      rack_locals_find (outbox, folder, space, parent != NULL ? parent->id : 0, name);
  pthread_mutex_unlock (&outbox->shown);
  return found;
}

RackLocal *
rack_local_make (RackFolder *folder, guint space, RackLocal *parent, const char *name,
                 gboolean directory, guint mode, GError **error)
{
  RackOutbox *outbox = folder->mirror->outbox;
  RackLocal *local = NULL;
  if (!may_write (folder, error) || !is_component (name, error))
    return NULL;
  pthread_mutex_lock (&outbox->mutex);
  if (find (outbox, folder, space, parent, name) != NULL)
    g_set_error (error, RACK_ERROR, RACK_ERROR_EXISTS, "%s is there already", name);
  else
    {
      local = rack_local_new (folder->mirror, folder);
      local->space = space;
      local->parent = parent != NULL ? parent->id : 0;
      local->name = g_strdup (name);
      local->directory = directory;
      local->mode = mode;
      local->keywords = g_strdup ("");
      gboolean written = rack_local_write_lazily (local, error);
      if (!written || (!directory && open_file (local, O_CREAT | O_TRUNC, error) < 0))
        {
          if (written)
            rack_journal_remove_local (outbox->journal, local->id, NULL);
          g_clear_pointer (&local, rack_local_free);
        }
      else
        {
          rack_local_enter (local);
          rack_local_ref (local);
        }
    }
  pthread_mutex_unlock (&outbox->mutex);
  return local;
}

int
rack_local_file (RackLocal *local, GError **error)
{
  RackOutbox *outbox = local->mirror->outbox;
  if (local->directory)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "%s is a directory", local->name);
      return -1;
    }
  pthread_mutex_lock (&outbox->shown);
  int fd = open_file (local, 0, error);
  pthread_mutex_unlock (&outbox->shown);
  return fd;
}

/* The octets of a file of that size. Returns: (owned) or NULL. */
static char *
read_all (RackLocal *local, int fd, gsize size, GError **error)
{
  g_autofree char *octets = g_malloc (MAX (size, 1));
  for (gsize at = 0; at < size;)
    {
      ssize_t got = pread (fd, octets + at, size - at, (off_t) at);
      if (got <= 0)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s cannot be read: %s", local->name,
                       got < 0 ? g_strerror (errno) : "it became shorter");
          return NULL;
        }
      at += (gsize) got;
    }
  return g_steal_pointer (&octets);
}

/* One transaction that is synced. octets NULL: they are durable in the file. */
static gboolean
write_durably (RackLocal *local, const char *octets, gsize size, GError **error)
{
  RackOutbox *outbox = local->mirror->outbox;
  if (!rack_journal_begin (outbox->journal, error))
    return FALSE;
  gboolean ok = rack_local_write (local, error)
                && rack_journal_put_octets (outbox->journal, local->id, octets, size, error);
  return rack_journal_end (outbox->journal, ok, error);
}

static gboolean
sync_file (RackLocal *local, int fd, GError **error)
{
  if (fdatasync (fd) == 0)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s cannot be made durable: %s", local->name,
               g_strerror (errno));
  return FALSE;
}

gboolean
rack_local_sync (RackLocal *local, GError **error)
{
  RackOutbox *outbox = local->mirror->outbox;
  struct stat file;
  if (local->directory)
    return TRUE;
  int fd = rack_local_file (local, error);
  if (fd < 0)
    return FALSE;
  if (fstat (fd, &file) != 0)
    file.st_size = INLINE_MAX + 1;
  g_autofree char *octets = NULL;
  gsize size = (gsize) file.st_size;
  guint32 crc = 0;
  if (size <= INLINE_MAX)
    {
      octets = read_all (local, fd, size, error);
      if (octets == NULL)
        return FALSE;
      crc = rack_slab_crc (0, octets, size);
    }
  pthread_mutex_lock (&outbox->mutex);
  gboolean kept = local->state != RACK_LOCAL_GONE && local->state != RACK_LOCAL_SENT;
  gboolean same = octets != NULL && local->synced_size == (gint64) size && local->synced_crc == crc;
  gboolean ok = !kept || same
                || ((octets != NULL || sync_file (local, fd, error))
                    && write_durably (local, octets, size, error));
  if (ok && kept)
    {
      local->synced_size = octets != NULL ? (gint64) size : -1;
      local->synced_crc = crc;
    }
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}

/* ---- Changing ----------------------------------------------------------------------------- */

/* With the mutex held, which is let go meanwhile: until it is not being sent. */
static gboolean
wait_until_idle (RackLocal *local, GCancellable *cancellable, GError **error)
{
  RackOutbox *outbox = local->mirror->outbox;
  gint64 until = g_get_monotonic_time () + PATIENCE * G_GINT64_CONSTANT (1000);
  while (local->state == RACK_LOCAL_SENDING && !outbox->ending)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, NULL))
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_CANCELLED, "%s: cancelled", local->name);
          return FALSE;
        }
      if (g_get_monotonic_time () > until)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_BUSY, "%s is being sent", local->name);
          return FALSE;
        }
      rack_cond_wait_for (&outbox->settled, &outbox->mutex, 100);
    }
  return TRUE;
}

/* It was a message for so long that its file is gone; whoever has it open writes on. The descriptor
 * keeps its number. With the mutex held. */
static gboolean
revive (RackLocal *local, GError **error)
{
  RackOutbox *outbox = local->mirror->outbox;
  gint64 key = (gint64) local->id;
  struct stat file;
  if (g_hash_table_contains (outbox->locals, &key))
    return TRUE;
  g_autofree char *path = rack_journal_path (outbox->journal, local->id);
  int fd = local->fd >= 0 ? open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
  loff_t from = 0, to = 0;
  ssize_t copied = 1;
  gboolean ok = fd >= 0 && fstat (local->fd, &file) == 0;
  while (ok && from < file.st_size && copied > 0)
    copied = copy_file_range (local->fd, &from, fd, &to, (gsize) (file.st_size - from), 0);
  ok = ok && from >= file.st_size && dup3 (fd, local->fd, O_CLOEXEC) >= 0;
  if (ok)
    {
      rack_local_ref (local); /* the table's */
      rack_local_enter (local);
    }
  else
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s cannot be written to any more: %s",
                   local->name, g_strerror (errno));
      if (fd >= 0)
        unlink (path);
    }
  if (fd >= 0)
    close (fd);
  return ok;
}

/* What was sent is a later version now: that goes when this has been. With the mutex held. */
static gboolean
touch_sent (RackLocal *local, GError **error)
{
  RackOutbox *outbox = local->mirror->outbox;
  local->replaces = local->uid;
  local->replaces_validity = local->validity;
  local->replaced = FALSE;
  pthread_mutex_lock (&outbox->shown);
  local->seen = FALSE;
  pthread_mutex_unlock (&outbox->shown);
  if (!revive (local, error))
    return FALSE;
  rack_local_become (local, RACK_LOCAL_SCRATCH);
  if (rack_local_write (local, error))
    return TRUE;
  rack_local_become (local, RACK_LOCAL_SENT);
  return FALSE;
}

static gboolean
touch (RackLocal *local, GCancellable *cancellable, GError **error)
{
  if (!wait_until_idle (local, cancellable, error))
    return FALSE;
  local->touched = g_get_monotonic_time ();
  switch (local->state)
    {
    case RACK_LOCAL_SCRATCH:
    case RACK_LOCAL_SENDING: /* everything ends */
      return TRUE;
    case RACK_LOCAL_QUEUED:
      rack_local_become (local, RACK_LOCAL_SCRATCH);
      if (rack_local_write (local, error))
        return TRUE;
      rack_local_become (local, RACK_LOCAL_QUEUED);
      return FALSE;
    case RACK_LOCAL_SENT:
      return touch_sent (local, error);
    case RACK_LOCAL_FAILED:
    case RACK_LOCAL_GONE:
      break;
    }
  g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND, "%s is not there any more", local->name);
  return FALSE;
}

gboolean
rack_local_touch (RackLocal *local, GCancellable *cancellable, GError **error)
{
  RackOutbox *outbox = local->mirror->outbox;
  /* Nothing is to be changed: whoever only writes on need not wait for the disk. */
  pthread_mutex_lock (&outbox->shown);
  gboolean scratch = local->state == RACK_LOCAL_SCRATCH;
  pthread_mutex_unlock (&outbox->shown);
  if (scratch)
    return TRUE;
  pthread_mutex_lock (&outbox->mutex);
  gboolean ok = touch (local, cancellable, error);
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}

static void
set_facts (RackLocal *local, gint64 mtime, guint mode)
{
  RackOutbox *outbox = local->mirror->outbox;
  pthread_mutex_lock (&outbox->shown);
  local->mtime = mtime;
  local->mode = mode;
  pthread_mutex_unlock (&outbox->shown);
}

gboolean
rack_local_set (RackLocal *local, const gint64 *mtime, gint mode, GError **error)
{
  RackOutbox *outbox = local->mirror->outbox;
  gboolean ok = TRUE;
  pthread_mutex_lock (&outbox->mutex);
  gint64 mtime_before = local->mtime;
  guint mode_before = local->mode;
  set_facts (local, mtime != NULL ? *mtime : local->mtime,
             mode >= 0 ? (guint) mode & 07777 : local->mode);
  local->touched = g_get_monotonic_time ();
  gboolean kept = local->state == RACK_LOCAL_SCRATCH || local->state == RACK_LOCAL_QUEUED
                  || local->state == RACK_LOCAL_FAILED;
  if (kept && (local->mtime != mtime_before || local->mode != mode_before)
      && !(ok = rack_local_write_lazily (local, error)))
    set_facts (local, mtime_before, mode_before);
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}

/* With the outbox' mutex held. */
static void
set_number (RackLocal *local, guint64 number)
{
  RackOutbox *outbox = local->mirror->outbox;
  pthread_mutex_lock (&outbox->shown);
  local->number = number;
  pthread_mutex_unlock (&outbox->shown);
}

void
rack_local_set_number (RackLocal *local, guint64 number)
{
  RackOutbox *outbox = local->mirror->outbox;
  pthread_mutex_lock (&outbox->mutex);
  set_number (local, number);
  pthread_mutex_unlock (&outbox->mutex);
}

/* With the mutex held. What is below a directory that moves to another folder moves too. */
static void
adopt_children (RackOutbox *outbox, RackLocal *directory, RackFolder *before, guint space)
{
  g_autoptr (GPtrArray) children = g_ptr_array_new ();
  const RackShelf *here = rack_locals_at (outbox, before, space, directory->id);
  for (RackShelved *at = here != NULL ? rack_shelf_after (here, 0) : NULL; at != NULL;
       at = rack_shelved_next (at))
    g_ptr_array_add (children, at->thing);
  for (guint i = 0; i < children->len; i++)
    {
      RackLocal *child = children->pdata[i];
      rack_local_put (child, directory->folder, directory->space, child->parent, NULL);
      rack_local_write (child, NULL);
      if (child->directory)
        adopt_children (outbox, child, before, space);
    }
}

/* With the mutex held. */
static gboolean
is_empty (RackOutbox *outbox, const RackLocal *local)
{
  const RackShelf *inside =
      local->directory ? rack_locals_at (outbox, local->folder, local->space, local->id) : NULL;
  return inside == NULL || rack_shelf_is_empty (inside);
}

static gboolean
may_replace (RackOutbox *outbox, const RackLocal *local, const RackLocal *old, GError **error)
{
  if (old == NULL)
    return TRUE;
  if (old->directory == local->directory && is_empty (outbox, old)
      && old->state != RACK_LOCAL_SENDING)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_BUSY, "%s cannot be replaced", old->name);
  return FALSE;
}

/* With the mutex held. One transaction: the old one goes and this one takes its place. */
static gboolean
rename_locked (RackLocal *local, RackLocal *old, RackFolder *folder, guint space, guint64 parent,
               const char *name, GError **error)
{
  RackOutbox *outbox = local->mirror->outbox;
  RackFolder *folder_before = local->folder;
  guint space_before = local->space;
  local->touched = g_get_monotonic_time ();
  if (!rack_journal_begin (outbox->journal, error))
    return FALSE;
  gboolean ok = old == NULL || rack_journal_remove_local (outbox->journal, old->id, error);
  /* What it would have replaced is in the folder that it leaves. */
  guint32 replaces = local->replaces;
  if (folder != folder_before)
    local->replaces = 0;
  ok = ok && rack_local_write_as (local, folder, space, parent, name, error);
  if (!rack_journal_end (outbox->journal, ok, error))
    {
      local->replaces = replaces;
      return FALSE;
    }
  rack_local_put (local, folder, space, parent, name);
  if (old != NULL)
    rack_local_become (old, RACK_LOCAL_GONE);
  if (local->directory && (folder_before != folder || space_before != space))
    adopt_children (outbox, local, folder_before, space_before);
  return TRUE;
}

gboolean
rack_local_rename (RackLocal *local, RackFolder *folder, guint space, RackLocal *parent,
                   const char *name, GCancellable *cancellable, GError **error)
{
  RackOutbox *outbox = local->mirror->outbox;
  if (!may_write (folder, error) || !is_component (name, error))
    return FALSE;
  pthread_mutex_lock (&outbox->mutex);
  gboolean ok = wait_until_idle (local, cancellable, error);
  RackLocal *old = ok ? find (outbox, folder, space, parent, name) : NULL;
  ok = ok && (old == local || may_replace (outbox, local, old, error));
  if (ok
      && (local->state == RACK_LOCAL_FAILED || local->state == RACK_LOCAL_GONE
          || local->state == RACK_LOCAL_SENT))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND, "%s is not there any more",
                   local->name);
      ok = FALSE;
    }
  if (ok && old != local)
    ok = rename_locked (local, old, folder, space, parent != NULL ? parent->id : 0, name, error);
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}

gboolean
rack_local_remove (RackLocal *local, GCancellable *cancellable, GError **error)
{
  RackOutbox *outbox = local->mirror->outbox;
  pthread_mutex_lock (&outbox->mutex);
  gboolean ok = wait_until_idle (local, cancellable, error);
  if (ok && !is_empty (outbox, local))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_BUSY, "%s is not empty", local->name);
      ok = FALSE;
    }
  if (ok && local->state != RACK_LOCAL_GONE && local->state != RACK_LOCAL_SENT
      && (ok = rack_journal_remove_local (outbox->journal, local->id, error)))
    rack_local_become (local, RACK_LOCAL_GONE);
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}

/* A later version of what was sent a moment ago, and that nobody can see as a message yet to take
 * its flags from, has those. */
static void
describe_message (RackLocal *local, const RackAppendFacts *facts)
{
  gboolean later = local->space == 0 && local->uid != 0 && facts->replaces == 0;
  local->flags = later ? local->flags | facts->flags : facts->flags;
  if (later && facts->keywords == NULL)
    return;
  g_free (local->keywords);
  local->keywords =
      facts->keywords != NULL ? g_strjoinv (" ", (char **) facts->keywords) : g_strdup ("");
}

static void
set_replaced (RackLocal *local, guint32 uid)
{
  RackFolder *folder = local->folder;
  local->replaces = uid;
  pthread_mutex_lock (&folder->mutex);
  local->replaces_validity = folder->state.uid_validity;
  pthread_mutex_unlock (&folder->mutex);
}

/* The server would not take it: it is what it would be if it had been sent. */
static void
refuse_here (RackLocal *local, const GError *problem)
{
  RackOutbox *outbox = local->mirror->outbox;
  pthread_mutex_lock (&outbox->mutex);
  if (local->state == RACK_LOCAL_SCRATCH || local->state == RACK_LOCAL_QUEUED)
    {
      g_free (local->problem);
      local->problem = g_strdup (problem->message);
      local->ticket = rack_outbox_ticket (outbox);
      rack_local_become (local, RACK_LOCAL_FAILED);
      rack_local_write (local, NULL);
      rack_outbox_tell (local->folder, local->space, local->name);
    }
  pthread_mutex_unlock (&outbox->mutex);
}

/* Whether the server takes it, as far as that is known. */
static gboolean
may_queue (RackLocal *local, GError **error)
{
  RackLocalFacts facts;
  GError *problem = NULL;
  rack_local_facts (local, &facts);
  if (rack_folder_may (local->folder, RACK_RIGHT_INSERT, &problem)
      && rack_folder_takes_size (local->folder, facts.size, &problem))
    return TRUE;
  refuse_here (local, problem);
  g_propagate_error (error, problem);
  return FALSE;
}

gboolean
rack_local_queue (RackLocal *local, const RackAppendFacts *facts, RackTicket *ticket,
                  GError **error)
{
  RackOutbox *outbox = local->mirror->outbox;
  /* Octets first: a row never speaks of what is not there. */
  if (!rack_folder_may_change (local->folder, error) || !rack_local_sync (local, error)
      || !may_queue (local, error))
    return FALSE;
  pthread_mutex_lock (&outbox->mutex);
  gboolean ok = local->state == RACK_LOCAL_SCRATCH || local->state == RACK_LOCAL_QUEUED;
  if (!ok && local->state == RACK_LOCAL_SENDING)
    ok = TRUE; /* what it is being sent as is what it is */
  else if (!ok)
    g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND, "%s is not there any more", local->name);
  else
    {
      RackTicket before = local->ticket;
      RackLocalState state = local->state;
      local->ticket = rack_outbox_ticket (outbox);
      rack_local_become (local, RACK_LOCAL_QUEUED);
      describe_message (local, facts);
      set_number (local, facts->number);
      if (facts->replaces != 0)
        set_replaced (local, facts->replaces);
      local->touched = g_get_monotonic_time ();
      /* Its octets and its name are durable: without this row it is queued when it is loaded. */
      ok = local->space == 0 && local->synced_size >= 0 ? rack_local_write_lazily (local, error)
                                                        : rack_local_write (local, error);
      if (!ok)
        {
          local->ticket = before;
          rack_local_become (local, state);
        }
      else
        rack_sender_expect_file (outbox);
    }
  if (ok && ticket != NULL)
    *ticket = local->ticket;
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}
