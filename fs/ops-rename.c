/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-rename.c - rename
 *
 * Between mailboxes mail is moved; within one its name is given and stays, but for the flags
 * in the name of a Maildir's file, and drafts, which programs rewrite by renaming. What is local
 * may be called anything, and is sent when it is called as mail is.
 */
#include "announce.h"
#include "calls.h"
#include "drafts.h"
#include "inode.h"
#include "local.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct
{
  Mount *mount;
  Spot from, to;
  Thing old, there;  /* what is renamed, and what is called so already */
  const char *name;  /* the new one */
  gboolean replaces; /* no RENAME_NOREPLACE */
  GCancellable *cancellable;
} Rename;

/* ---- Flags in names ------------------------------------------------------------------------- */

static gboolean
same_message (const Thing *a, const Thing *b)
{
  return a->kind == THING_MESSAGE && b->kind == THING_MESSAGE && a->row == b->row
         && a->entry.uid == b->entry.uid;
}

/* What the name does not speak of stays. */
static int
set_flags_as_named (const Rename *move)
{
  static const char *const forwarded_keyword[] = { "$Forwarded", NULL };
  const RackFlags spoken =
      RACK_FLAG_DRAFT | RACK_FLAG_FLAGGED | RACK_FLAG_ANSWERED | RACK_FLAG_SEEN | RACK_FLAG_DELETED;
  const ViewOps *ops = view_ops (move->to.directory.view);
  const RackEntry *entry = &move->old.entry;
  g_autoptr (GError) error = NULL;
  RackFlagChange change = { 0 };
  RackFlags flags;
  RackTicket ticket;
  gboolean forwarded;
  if (ops->name_flags == NULL || !ops->name_flags (move->name, &flags, &forwarded))
    return 0;
  change.add = flags & ~entry->flags;
  change.remove = spoken & entry->flags & ~flags;
  if (forwarded && !entry->forwarded)
    change.add_keywords = forwarded_keyword;
  if (!forwarded && entry->forwarded)
    change.remove_keywords = forwarded_keyword;
  if (change.add == 0 && change.remove == 0 && forwarded == entry->forwarded)
    return 0;
  return rack_folder_set_flags (move->old.folder, move->old.row, entry->uid, &change, &ticket,
                                &error)
             ? 0
             : errno_of (error);
}

/* ---- Messages ------------------------------------------------------------------------------- */

/* What it is called in the other folder, where names of the view say something else than that. */
static void
given_name (const Rename *move, char *name)
{
  RackEntry whole;
  g_strlcpy (name, move->name, VIEW_NAME_SIZE);
  if (!view_ops (move->to.directory.view)->nameless)
    return;
  rack_entry_name_short (move->old.entry.uid, name);
  if (rack_mirror_whereabouts (move->mount->mirror, move->old.row, move->old.entry.uid, &whole)
          != NULL
      && whole.name[0] != '\0')
    g_strlcpy (name, whole.name, VIEW_NAME_SIZE);
}

/* Within its folder, where all but the flags is the program's. */
static int
rename_within (const Rename *move)
{
  const RackEntry *entry = &move->old.entry;
  g_autoptr (GError) error = NULL;
  char base[VIEW_NAME_SIZE];
  if (!spot_is_mail (&move->to, move->name))
    return EPERM;
  int result =
      view_ops (move->to.directory.view)->keep (&move->to.directory, entry, move->name, base);
  if (result != 0)
    return result;
  /* Where it is shown follows its flags, unless a program has called it so. */
  gboolean same = strcmp (base, entry->base) == 0;
  guint space = base[0] == '\0' || (same && entry->base_space == 0) ? 0 : move->to.space;
  if ((!same || space != entry->base_space)
      && !rack_folder_set_base (move->old.folder, move->old.row, entry->uid,
                                base[0] != '\0' ? base : NULL, space, &error))
    return error->code == RACK_ERROR_STALE ? ENOENT : errno_of (error);
  return set_flags_as_named (move);
}

static int
move_message (const Rename *move)
{
  const ViewOps *ops = view_ops (move->to.directory.view);
  g_autoptr (GError) error = NULL;
  char name[VIEW_NAME_SIZE], base[VIEW_NAME_SIZE];
  RackTicket ticket;
  if (!spot_is_mail (&move->to, move->name))
    return EPERM;
  int result = ops->keep != NULL ? ops->keep (&move->to.directory, NULL, move->name, base) : 0;
  if (result == 0)
    result = set_flags_as_named (move);
  if (result != 0)
    return result;
  given_name (move, name);
  if (rack_folder_move (move->old.folder, move->old.row, move->old.entry.uid,
                        move->to.directory.folder, name, ops->keep != NULL ? base : NULL,
                        move->to.space, &ticket, &error))
    return 0;
  switch (error->code)
    {
    case RACK_ERROR_UNSUPPORTED:
      return EPERM;
    case RACK_ERROR_STALE:
      return ENOENT;
    default:
      return errno_of (error);
    }
}

static int
rename_message (Rename *move)
{
  gboolean same_folder = move->from.directory.folder == move->to.directory.folder;
  gboolean kept = same_folder && view_ops (move->to.directory.view)->keep != NULL;
  if (same_message (&move->old, &move->there) && same_folder)
    return kept ? rename_within (move) : set_flags_as_named (move);
  /* Into a directory of a program: it copies. */
  if (move->to.local != NULL)
    return EXDEV;
  if (move->there.kind == THING_MESSAGE)
    return EEXIST;
  if (same_folder && folder_has_drafts (move->old.folder) && move->to.space == 0)
    return draft_rename (move->mount, &move->old, &move->there, move->name, move->cancellable);
  if (move->there.kind != THING_NONE)
    return EEXIST;
  return kept ? rename_within (move) : move_message (move);
}

/* ---- Local files ---------------------------------------------------------------------------- */

static gboolean
became_message (const Rename *move)
{
  RackLocalFacts facts;
  rack_local_facts (move->old.local, &facts);
  return facts.state == RACK_LOCAL_SENT && !facts.directory;
}

/* While it was being renamed. */
static int
rename_sent (Rename *move)
{
  g_autofree char *name = g_strdup (move->old.facts.name);
  if (!local_await_message (move->old.local, move->cancellable))
    return EINTR;
  thing_clear (&move->old);
  spot_find (move->mount, &move->from, name, &move->old);
  return move->old.kind == THING_MESSAGE ? rename_message (move) : ENOENT;
}

/* It is to be mail from now on. */
static int
check_size (const Rename *move)
{
  RackFolder *folder = move->to.directory.folder;
  g_autoptr (GError) error = NULL;
  rack_folder_await_limits (folder, TRUE);
  if (rack_folder_takes_size (folder, move->old.facts.size, &error))
    return 0;
  mount_note_problem (move->mount, error->message);
  return errno_of (error);
}

static int
rename_local (Rename *move)
{
  g_autoptr (GError) error = NULL;
  gboolean mail = spot_is_mail (&move->to, move->name);
  if (spot_takes_files (&move->to) != 0)
    return EPERM;
  if (move->old.facts.directory && move->to.local == NULL && move->name[0] != '.')
    return EXDEV; /* what is called so is a mailbox: the program makes one, and copies */
  if (move->there.kind == THING_MESSAGE && !folder_has_drafts (move->to.directory.folder))
    return EEXIST;
  int result = mail ? spot_may_change (&move->to) : 0;
  if (result == 0)
    result = spot_is_permitted (&move->to, move->name);
  if (result == 0 && mail && !move->old.facts.directory)
    result = check_size (move);
  if (result != 0)
    return result;
  /* It is not to be sent any more. */
  if (!mail && move->old.facts.state == RACK_LOCAL_QUEUED
      && !rack_local_touch (move->old.local, move->cancellable, &error))
    return errno_of (error);
  /* Octets first, also of one that is (or for us still seems to be) open: the name makes it mail,
   * and when it was given they must survive. */
  if (mail && !move->old.facts.directory && !rack_local_sync (move->old.local, &error))
    return errno_of (error);
  if (!rack_local_rename (move->old.local, move->to.directory.folder, move->to.space,
                          move->to.local, move->name, move->cancellable, &error))
    return became_message (move)            ? rename_sent (move)
           : error->code == RACK_ERROR_BUSY ? ENOTEMPTY
                                            : errno_of (error);
  draft_note_rename (move->old.local, &move->old.facts, &move->to);
  if (mail && !move->old.facts.directory)
    result = local_settle_renamed (move->mount, move->old.local);
  return result == 0 ? draft_uncover (move->mount, &move->from, move->old.facts.name) : result;
}

/* ---- Mailboxes ------------------------------------------------------------------------------ */

static int
rename_folder (Rename *move)
{
  g_autoptr (GError) error = NULL;
  if (move->there.kind != THING_NONE)
    return EEXIST;
  if (move->to.local != NULL || move->name[0] == '.' || move->to.directory.place != 0)
    return EPERM;
  if (rack_folder_rename (move->old.folder, move->to.directory.folder, move->name,
                          move->cancellable, &error))
    return 0;
  return error->code == RACK_ERROR_UNSUPPORTED ? EBUSY : errno_of (error);
}

/* ---- The request ---------------------------------------------------------------------------- */

static int
check_target (const Rename *move)
{
  const Thing *there = &move->there;
  if (there->kind == THING_NONE)
    return 0;
  if (!move->replaces && !same_message (&move->old, there))
    return EEXIST;
  if (thing_is_directory (there) != thing_is_directory (&move->old))
    return thing_is_directory (there) ? EISDIR : ENOTDIR;
  return 0;
}

/* What was sent a moment ago, and as what it is not seen yet, is a message. */
static void
await_messages (Rename *move, const char *old_name)
{
  if (move->old.kind == THING_LOCAL && local_await_message (move->old.local, move->cancellable))
    {
      thing_clear (&move->old);
      spot_find (move->mount, &move->from, old_name, &move->old);
    }
  if (move->there.kind == THING_LOCAL && local_await_message (move->there.local, move->cancellable))
    {
      thing_clear (&move->there);
      spot_find (move->mount, &move->to, move->name, &move->there);
    }
}

static int
rename_thing (Rename *move)
{
  switch (move->old.kind)
    {
    case THING_NONE:
      return ENOENT;
    case THING_FIXED:
      return EBUSY;
    case THING_FOLDER:
      return rename_folder (move);
    case THING_LOCAL:
      return rename_local (move);
    case THING_MESSAGE:
      return rename_message (move);
    }
  return EIO;
}

static void
rename_clear (Rename *move)
{
  spot_clear (&move->from);
  spot_clear (&move->to);
  thing_clear (&move->old);
  thing_clear (&move->there);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Rename, rename_clear)

/* To the kernel it is the message still that a draft was, though its copy is what is called so now.
 */
static gboolean
confuses_kernel (const Rename *move)
{
  RackFolder *folder = move->from.directory.folder;
  return move->from.local == NULL && folder_has_drafts (folder)
         && (move->old.kind == THING_LOCAL
             || (move->old.kind == THING_MESSAGE && move->to.directory.folder == folder));
}

static int
run_rename (Call *call, GCancellable *cancellable)
{
  g_auto (Rename) move = { .mount = call->mount,
                           .name = call->new_name,
                           .replaces = (call->flags & RENAME_NOREPLACE) == 0,
                           .cancellable = cancellable };
  if (cancellable == NULL)
    return NODE_WAIT;
  int result = spot_open (call->mount, call->ino, &move.from);
  if (result == 0)
    result = spot_open (call->mount, call->new_ino, &move.to);
  if (result != 0)
    return result;
  if (move.from.directory.view != move.to.directory.view)
    return EXDEV;
  spot_find (call->mount, &move.from, call->name, &move.old);
  spot_find (call->mount, &move.to, move.name, &move.there);
  await_messages (&move, call->name);
  if (move.old.kind == THING_MESSAGE || move.old.kind == THING_FOLDER)
    result = spot_may_change (&move.from);
  if (result == 0)
    result = check_target (&move);
  if (result == 0)
    result = rename_thing (&move);
  if (result == 0 && confuses_kernel (&move))
    notifier_forget_name (call->mount->notifier, call->new_ino, move.name);
  return result;
}

void
op_rename (fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
           const char *new_name, unsigned int flags)
{
  Mount *mount = fuse_req_userdata (req);
  gboolean old_comes, new_comes;
  if (announcer_knows (mount, req, parent, name, &old_comes) && !old_comes
      && announcer_knows (mount, req, new_parent, new_name, &new_comes) && new_comes)
    {
      announcer_answer_call (mount, req, FALSE);
      return;
    }
  if (flags & ~(unsigned int) RENAME_NOREPLACE)
    {
      fuse_reply_err (req, EINVAL);
      return;
    }
  if (strlen (new_name) >= VIEW_NAME_SIZE)
    {
      fuse_reply_err (req, ENAMETOOLONG);
      return;
    }
  Call *call = call_new (req, parent, run_rename, call_reply_done);
  if (call != NULL)
    call->changes = TRUE;
  if (call == NULL)
    return;
  call->name = g_strdup (name);
  call->new_ino = new_parent;
  call->new_name = g_strdup (new_name);
  call->flags = flags;
  call_submit (call, mount->changes);
}
