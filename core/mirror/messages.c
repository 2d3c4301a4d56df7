/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * messages.c - changes of messages are made
 *
 * A change is checked, written into the journal, and only then seen (pending.c). What the server
 * says of it comes later.
 */
#include "names.h"
#include "outbox.h"
#include "pending.h"

#include <string.h>

/* So long a message that is being moved may not be moved on, milliseconds. */
#define PATIENCE 30000

static char *
join (const char *const *words)
{
  return words != NULL ? g_strjoinv (" ", (char **) words) : g_strdup ("");
}

/* ---- Changing ----------------------------------------------------------------------------- */

gboolean
rack_folder_may_change (RackFolder *folder, GError **error)
{
  RackMirror *mirror = folder->mirror;
  if (mirror->outbox == NULL || mirror->options.read_only)
    g_set_error (error, RACK_ERROR, RACK_ERROR_READ_ONLY,
                 "%s: the account is read-only (read_only = yes)", folder->mailbox);
  else if (!mirror->options.queue_offline && !rack_online_is (mirror))
    g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK,
                 "%s: the server cannot be reached, and changes are not queued (offline = refuse)",
                 folder->mailbox);
  else
    return TRUE;
  return FALSE;
}

/* Something is called so already. */
static gboolean
is_free (RackFolder *folder, const char *name, GError **error)
{
  RackEntry entry;
  RackArrival arrival;
  gboolean taken = rack_folder_find_name (folder, name, &entry)
                   || rack_folder_find_arrival (folder, name, &arrival);
  if (taken)
    g_set_error (error, RACK_ERROR, RACK_ERROR_EXISTS, "%s: %s is there already", folder->mailbox,
                 name);
  return !taken;
}

static void
follow (RackOutbox *outbox, guint32 *row, guint32 *uid, RackPending **pending)
{
  pthread_mutex_lock (&outbox->shown);
  rack_outbox_follow (outbox, row, uid, pending);
  pthread_mutex_unlock (&outbox->shown);
}

RackPending *
rack_pending_locate (RackOutbox *outbox, RackFolder **folder, guint32 *row, guint32 *uid,
                     GError **error)
{
  RackPending *pending;
  gint64 until = g_get_monotonic_time () + PATIENCE * G_GINT64_CONSTANT (1000);
  follow (outbox, row, uid, &pending);
  while (pending != NULL && pending->step != RACK_STEP_QUEUED && g_get_monotonic_time () < until
         && !outbox->ending)
    {
      rack_cond_wait_for (&outbox->settled, &outbox->mutex, 100);
      follow (outbox, row, uid, &pending);
    }
  *folder = rack_mirror_folder_by_row (outbox->mirror, *row);
  if (pending != NULL && pending->step != RACK_STEP_QUEUED)
    {
      *folder = NULL;
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_BUSY, "it is being moved just now");
    }
  else if (*folder == NULL)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_STALE,
                         "the mailbox was made anew on the server");
  return pending;
}

static RackPending *
pending_new (RackOutbox *outbox, RackJournalKind kind, RackFolder *folder, guint32 row, guint32 uid,
             GError **error)
{
  RackPending *pending = g_new0 (RackPending, 1);
  pending->id = rack_outbox_ticket (outbox);
  pending->kind = kind;
  pending->folder = folder;
  pending->row = row;
  pending->uid = uid;
  pending->made = g_get_monotonic_time ();
  pthread_mutex_lock (&folder->mutex);
  const RackRecord *record = folder->row == row ? rack_index_find (&folder->index, uid) : NULL;
  pending->uid_validity = folder->state.uid_validity;
  if (record != NULL)
    pending->record = *record;
  pthread_mutex_unlock (&folder->mutex);
  RackRecord moved;
  gboolean came = rack_outbox_take_moved (outbox, folder, uid, &moved);
  if (record == NULL && came)
    pending->record = moved;
  if (record != NULL || came)
    return pending;
  rack_pending_free (pending);
  g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND, "%s: UID %u is not there (any more)",
               folder->mailbox, uid);
  return NULL;
}

/* Flags of a message that is about to be moved: they are sent first, to where it is now. */
static RackPending *
pending_of_queued (RackOutbox *outbox, const RackPending *queued)
{
  RackPending *pending = g_new0 (RackPending, 1);
  pending->id = rack_outbox_ticket (outbox);
  pending->kind = RACK_CHANGE_ROW_STORE;
  pending->folder = queued->folder;
  pending->row = queued->row;
  pending->uid = queued->uid;
  pending->uid_validity = queued->uid_validity;
  pending->record = queued->record;
  pending->made = g_get_monotonic_time ();
  return pending;
}

/* It has one name in a Maildir of its target, before it is seen there and after. */
static void
name_base (RackPending *pending)
{
  char base[RACK_ENTRY_NAME_SIZE];
  gboolean copy = pending->kind == RACK_CHANGE_ROW_COPY;
  if (pending->base != NULL || pending->target == NULL)
    return;
  rack_name_unique (pending->row, pending->record.date, pending->uid, copy ? pending->id : 0, base);
  pending->base = g_strdup (base);
}

/* Takes pending. */
static gboolean
make (RackOutbox *outbox, RackPending *pending, RackTicket *ticket, GError **error)
{
  name_base (pending);
  if (!rack_pending_write (outbox, pending, error))
    {
      rack_pending_free (pending);
      return FALSE;
    }
  g_ptr_array_add (outbox->pending, pending);
  rack_pending_apply (outbox, pending);
  if (ticket != NULL)
    *ticket = pending->id;
  rack_sender_expect_message (outbox);
  return TRUE;
}

/* What it is called there. */
typedef struct
{
  const char *name;
  gboolean named;   /* for good */
  const char *base; /* or NULL */
  guint base_space;
} Target;

static void
set_target (RackPending *pending, RackFolder *to, const Target *as)
{
  pending->target = to;
  pending->name = g_strdup (as->name);
  pending->named = as->named;
  pending->base = g_strdup (as->base);
  pending->base_space = as->base_space;
}

/* A move that is not sent yet goes elsewhere. */
static gboolean
redirect (RackOutbox *outbox, RackPending *pending, RackFolder *to, const Target *as,
          RackTicket *ticket, GError **error)
{
  if (to == pending->folder)
    {
      if (!rack_journal_remove_change (outbox->journal, pending->id, error)
          || (as->base != NULL
              && !rack_folder_give_base (to, pending->uid_validity, pending->uid, as->base,
                                         as->base_space, error)))
        return FALSE;
      rack_pending_revert (outbox, pending);
      g_ptr_array_remove (outbox->pending, pending);
      rack_pending_free (pending);
      if (ticket != NULL)
        *ticket = 0;
      return TRUE;
    }
  RackFolder *before = pending->target;
  g_autofree char *name_before = g_strdup (pending->name);
  RackPending after = *pending;
  set_target (&after, to, as);
  name_base (&after);
  if (!rack_pending_write (outbox, &after, error))
    {
      g_free (after.name);
      g_free (after.base);
      return FALSE;
    }
  rack_pending_redirect (outbox, pending, &after);
  rack_outbox_tell (before, 0, name_before);
  rack_outbox_tell (to, 0, as->name);
  if (ticket != NULL)
    *ticket = pending->id;
  return TRUE;
}

static gboolean
move_locked (RackOutbox *outbox, RackFolder *folder, guint32 row, guint32 uid, RackFolder *to,
             const Target *as, RackTicket *ticket, GError **error)
{
  RackPending *queued = rack_pending_locate (outbox, &folder, &row, &uid, error);
  if (folder == NULL)
    return FALSE;
  if (queued != NULL)
    return redirect (outbox, queued, to, as, ticket, error);
  if (folder == to)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                   "%s: a message keeps its name while it stays where it is", folder->mailbox);
      return FALSE;
    }
  RackPending *pending = pending_new (outbox, RACK_CHANGE_ROW_MOVE, folder, row, uid, error);
  if (pending == NULL)
    return FALSE;
  set_target (pending, to, as);
  return make (outbox, pending, ticket, error);
}

/* A message that is moved is copied, marked and expunged (RFC 6851). */
static gboolean
may_move (RackFolder *folder, RackFolder *to, GError **error)
{
  rack_folder_await_limits (folder, FALSE);
  if (to != NULL)
    rack_folder_await_limits (to, FALSE);
  return rack_folder_may (folder, RACK_RIGHT_DELETE | RACK_RIGHT_EXPUNGE, error)
         && (to == NULL || rack_folder_may (to, RACK_RIGHT_INSERT, error));
}

gboolean
rack_folder_move (RackFolder *folder, guint32 row, guint32 uid, RackFolder *to, const char *name,
                  const char *base, guint base_space, RackTicket *ticket, GError **error)
{
  RackOutbox *outbox = folder->mirror->outbox;
  const Target as = { name, TRUE, base, base_space };
  if (!rack_folder_may_change (folder, error) || !rack_folder_may_change (to, error)
      || !may_move (folder, to, error))
    return FALSE;
  pthread_mutex_lock (&outbox->mutex);
  gboolean ok =
      is_free (to, name, error) && move_locked (outbox, folder, row, uid, to, &as, ticket, error);
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}

gboolean
rack_folder_copy (RackFolder *folder, guint32 row, guint32 uid, RackFolder *to, const char *name,
                  RackTicket *ticket, GError **error)
{
  RackOutbox *outbox = folder->mirror->outbox;
  gboolean ok = FALSE;
  if (!rack_folder_may_change (to, error))
    return FALSE;
  rack_folder_await_limits (to, FALSE);
  if (!rack_folder_may (to, RACK_RIGHT_INSERT, error))
    return FALSE;
  pthread_mutex_lock (&outbox->mutex);
  RackPending *queued = rack_pending_locate (outbox, &folder, &row, &uid, error);
  if (queued != NULL)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_BUSY, "it is being moved just now");
  else if (folder != NULL && is_free (to, name, error))
    {
      RackPending *pending = pending_new (outbox, RACK_CHANGE_ROW_COPY, folder, row, uid, error);
      if (pending != NULL)
        {
          set_target (pending, to, &(Target){ name, TRUE, NULL, 0 });
          ok = make (outbox, pending, ticket, error);
        }
    }
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}

RackFolder *
rack_outbox_trash (RackMirror *mirror)
{
  GHashTableIter iter;
  gpointer one;
  RackFolder *trash = NULL;
  pthread_mutex_lock (&mirror->tree);
  g_hash_table_iter_init (&iter, mirror->ids);
  while (trash == NULL && g_hash_table_iter_next (&iter, NULL, &one))
    {
      RackFolder *folder = one;
      if (folder->selectable
          && (mirror->trash != NULL ? strcmp (folder->mailbox, mirror->trash) == 0
                                    : (folder->flags & RACK_LIST_TRASH) != 0))
        trash = folder;
    }
  pthread_mutex_unlock (&mirror->tree);
  return trash;
}

static gboolean
is_within (RackFolder *folder, RackFolder *above)
{
  for (; folder != NULL; folder = folder->parent)
    if (folder == above)
      return TRUE;
  return FALSE;
}

static gboolean
purge (RackOutbox *outbox, RackFolder *folder, guint32 row, guint32 uid, gboolean trash,
       RackTicket *ticket, GError **error)
{
  if (!outbox->mirror->options.purge)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                   trash ? "%s: what is in the trash is only removed with purge = yes"
                         : "%s: there is no trash to move it to: set trash = to the name of a "
                           "mailbox, or purge = yes to remove for good",
                   folder->mailbox);
      return FALSE;
    }
  RackPending *queued = rack_pending_locate (outbox, &folder, &row, &uid, error);
  if (folder == NULL)
    return FALSE;
  if (queued != NULL)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_BUSY, "it is being moved just now");
      return FALSE;
    }
  RackPending *pending = pending_new (outbox, RACK_CHANGE_ROW_EXPUNGE, folder, row, uid, error);
  return pending != NULL && make (outbox, pending, ticket, error);
}

gboolean
rack_folder_remove (RackFolder *folder, guint32 row, guint32 uid, RackTicket *ticket,
                    GError **error)
{
  RackMirror *mirror = folder->mirror;
  RackOutbox *outbox = mirror->outbox;
  RackEntry entry;
  if (!rack_folder_may_change (folder, error))
    return FALSE;
  RackFolder *trash = rack_outbox_trash (mirror);
  RackFolder *now = rack_mirror_whereabouts (mirror, row, uid, &entry);
  if (now != NULL && entry.name[0] == '\0')
    rack_folder_find (now, uid, &entry);
  gboolean for_good = trash == NULL || is_within (now != NULL ? now : folder, trash);
  if (!may_move (now != NULL ? now : folder, for_good ? NULL : trash, error))
    return FALSE;
  pthread_mutex_lock (&outbox->mutex);
  gboolean ok;
  if (for_good)
    ok = purge (outbox, folder, row, uid, trash != NULL, ticket, error);
  else
    {
      const Target as = { .name =
                              now != NULL && entry.name[0] != '\0' ? entry.name : "message.eml" };
      ok = move_locked (outbox, folder, row, uid, trash, &as, ticket, error);
    }
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}

/* A keyword is an atom (RFC 9051), and a system flag is none. */
static gboolean
are_keywords (const char *const *words, GError **error)
{
  for (; words != NULL && *words != NULL; words++)
    if (**words == '\0' || strlen (*words) > 200 || strpbrk (*words, "(){ %*\"\\]") != NULL
        || !g_str_is_ascii (*words))
      {
        g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "\"%s\" cannot be a keyword", *words);
        return FALSE;
      }
  return TRUE;
}

static RackRights
rights_for (const RackFlagChange *change)
{
  gboolean keywords = (change->add_keywords != NULL && *change->add_keywords != NULL)
                      || (change->remove_keywords != NULL && *change->remove_keywords != NULL);
  return rack_limits_of_flags (change->add | change->remove, keywords);
}

gboolean
rack_folder_set_flags (RackFolder *folder, guint32 row, guint32 uid, const RackFlagChange *change,
                       RackTicket *ticket, GError **error)
{
  RackOutbox *outbox = folder->mirror->outbox;
  gboolean ok = FALSE;
  if (!rack_folder_may_change (folder, error) || !are_keywords (change->add_keywords, error)
      || !are_keywords (change->remove_keywords, error))
    return FALSE;
  rack_folder_await_limits (folder, FALSE);
  if (!rack_folder_may (folder, rights_for (change), error))
    return FALSE;
  pthread_mutex_lock (&outbox->mutex);
  RackPending *queued = rack_pending_locate (outbox, &folder, &row, &uid, error);
  RackPending *pending = NULL;
  if (queued != NULL)
    pending = pending_of_queued (outbox, queued);
  else if (folder != NULL)
    pending = pending_new (outbox, RACK_CHANGE_ROW_STORE, folder, row, uid, error);
  if (pending != NULL)
    {
      pending->add = change->add;
      pending->remove = change->remove & ~change->add;
      pending->add_keywords = join (change->add_keywords);
      pending->remove_keywords = join (change->remove_keywords);
      ok = make (outbox, pending, ticket, error);
    }
  if (ok && queued != NULL)
    {
      pthread_mutex_lock (&outbox->shown);
      queued->record.flags = (guint16) ((queued->record.flags & ~pending->remove) | pending->add);
      pthread_mutex_unlock (&outbox->shown);
    }
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}
