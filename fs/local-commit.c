/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * local-commit.c - when a file becomes mail, and as what
 */
#include "control.h"
#include "drafts.h"
#include "inode.h"
#include "local.h"

#include <errno.h>
#include <string.h>

#define BATCH         64
#define AWAIT_STEP_MS 10
#define AWAIT_MS      60000

/* ---- As what -------------------------------------------------------------------------------- */

/* What goes with a message; the lists belong to this. */
typedef struct
{
  RackAppendFacts facts;
  char **keywords;
} Append;

static void
append_clear (Append *append)
{
  g_strfreev (append->keywords);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Append, append_clear)

/* A draft that is written anew is the same draft to its owner: flags stay, and the old one goes. */
static void
replace (Mount *mount, const RackLocalFacts *facts, Append *append)
{
  RackEntry old;
  gboolean found = rack_folder_find_name (facts->folder, facts->name, &old);
  append->facts.flags |= RACK_FLAG_DRAFT;
  append->facts.number = draft_number (mount, facts, found ? &old : NULL);
  if (!found)
    return;
  append->facts.replaces = old.uid;
  append->facts.flags |= old.flags & ~(RackFlags) (RACK_FLAG_RECENT | RACK_FLAG_DELETED);
  g_strfreev (append->keywords);
  append->keywords = rack_folder_keywords (facts->folder, old.uid);
}

static void
describe (Mount *mount, const RackLocalFacts *facts, Append *append)
{
  Directory directory = { .folder = facts->folder };
  gboolean forwarded = FALSE;
  view_of_space (facts->space, &directory.view, &directory.place);
  const ViewOps *ops = view_ops (directory.view);
  if (ops->name_flags != NULL && ops->name_flags (facts->name, &append->facts.flags, &forwarded)
      && forwarded)
    append->keywords = g_strdupv ((char *[]){ (char *) "$Forwarded", NULL });
  if (folder_has_drafts (facts->folder))
    replace (mount, facts, append);
  append->facts.keywords = (const char *const *) append->keywords;
}

/* ---- When ----------------------------------------------------------------------------------- */

/* With octets held. */
static gboolean
queue (Mount *mount, LocalData *data, const RackLocalFacts *facts, GError **error)
{
  g_auto (Append) append = { 0 };
  RackTicket ticket;
  describe (mount, facts, &append);
  if (!rack_local_queue (data->local, &append.facts, &ticket, error))
    return FALSE;
  data->touched = FALSE;
  pthread_mutex_lock (&data->mutex);
  data->ticket = ticket;
  data->unsynced = FALSE;
  pthread_mutex_unlock (&data->mutex);
  return TRUE;
}

static gboolean
is_ready (const RackLocalFacts *facts)
{
  return facts->state == RACK_LOCAL_SCRATCH && facts->size > 0 && local_is_mail (facts);
}

/* What is queued was queued as what it was called: its flags, perhaps. */
static gboolean
is_to_be_queued_again (const RackLocalFacts *facts)
{
  return facts->state == RACK_LOCAL_QUEUED && facts->space != 0 && local_is_mail (facts);
}

/* Its program was told that not all of it could be written, and has left it. */
static void
forsake (Mount *mount, RackLocal *local, const RackLocalFacts *facts, int why)
{
  g_autofree char *problem =
      g_strdup_printf ("%s: %s: not all of it could be written (%s), so it was not kept",
                       rack_folder_mailbox (facts->folder), facts->name, g_strerror (why));
  /* That it is too large was said with the limit. */
  if (rack_local_remove (local, NULL, NULL) && why != EFBIG && why != EDQUOT)
    mount_note_problem (mount, problem);
}

static int
settle (Mount *mount, RackLocal *local, gboolean even_if_written, gboolean renamed,
        RackTicket *ticket)
{
  g_autoptr (Node) node = local_node (mount, local);
  g_autoptr (GError) error = NULL;
  LocalData *data = node->data;
  RackLocalFacts facts;
  pthread_mutex_lock (&data->octets);
  pthread_mutex_lock (&data->mutex);
  gboolean written = data->writers > 0 && !even_if_written, pristine = data->pristine;
  gboolean abandoned = data->writers == 0;
  int broken = data->hole != G_MAXUINT64 ? data->hole_errno : 0;
  pthread_mutex_unlock (&data->mutex);
  rack_local_facts (local, &facts);
  if (pristine && !written)
    rack_local_remove (local, NULL, &error);
  else if (broken != 0 && facts.state == RACK_LOCAL_SCRATCH && local_is_mail (&facts))
    {
      if (abandoned)
        forsake (mount, local, &facts, broken);
      pthread_mutex_unlock (&data->octets);
      return broken;
    }
  else if (!written && (is_ready (&facts) || (renamed && is_to_be_queued_again (&facts)))
           && queue (mount, data, &facts, &error))
    *ticket = data->ticket;
  pthread_mutex_unlock (&data->octets);
  if (error == NULL)
    return 0;
  mount_note_problem (mount, error->message);
  return errno_of (error);
}

int
local_settle (Mount *mount, RackLocal *local, RackTicket *ticket)
{
  return settle (mount, local, FALSE, FALSE, ticket);
}

int
local_settle_renamed (Mount *mount, RackLocal *local)
{
  RackTicket ticket;
  return settle (mount, local, FALSE, TRUE, &ticket);
}

int
local_commit (Mount *mount, RackLocal *local, GCancellable *cancellable)
{
  g_autoptr (Node) node = local_node (mount, local);
  g_autoptr (GError) error = NULL;
  LocalData *data = node->data;
  RackLocalFacts facts;
  RackTicket ticket = 0;
  int result = settle (mount, local, TRUE, FALSE, &ticket);
  if (result != 0)
    return result;
  rack_local_facts (local, &facts);
  if (facts.state == RACK_LOCAL_SCRATCH)
    return rack_local_sync (local, &error) ? 0 : errno_of (error);
  pthread_mutex_lock (&data->mutex);
  ticket = data->ticket;
  pthread_mutex_unlock (&data->mutex);
  /* Queued by an earlier process, perhaps. */
  gboolean done = ticket != 0 ? rack_outgoing_wait (mount->mirror, ticket, cancellable, &error)
                              : rack_outgoing_flush (mount->mirror, cancellable, &error);
  return done ? 0 : errno_of (error);
}

gboolean
local_await_message (RackLocal *local, GCancellable *cancellable)
{
  RackLocalFacts facts;
  rack_local_facts (local, &facts);
  for (guint i = 0;
       facts.state == RACK_LOCAL_SENT && facts.row == 0 && i < AWAIT_MS / AWAIT_STEP_MS; i++)
    {
      if (g_cancellable_is_cancelled (cancellable))
        return FALSE;
      g_usleep (AWAIT_STEP_MS * 1000);
      rack_local_facts (local, &facts);
    }
  return facts.state == RACK_LOCAL_SENT;
}

/* ---- All of them ----------------------------------------------------------------------------- */

typedef enum
{
  SETTLE_NOTHING, /* only tell */
  SETTLE_CLOSED,
  SETTLE_ALL,
} Settle;

/* Returns: whether something in that space of folder is to become mail. */
static gboolean
settle_space (Mount *mount, RackFolder *folder, guint space, Settle how)
{
  RackLocal *locals[BATCH];
  gboolean found = FALSE;
  guint64 after = 0;
  for (guint n = BATCH; n == BATCH;)
    {
      n = rack_local_list (folder, space, NULL, after, locals, BATCH);
      for (guint i = 0; i < n; i++)
        {
          RackLocalFacts facts;
          RackTicket ticket;
          rack_local_facts (locals[i], &facts);
          after = facts.id;
          found = found || is_ready (&facts);
          if (how != SETTLE_NOTHING)
            settle (mount, locals[i], how == SETTLE_ALL, FALSE, &ticket);
          rack_local_unref (locals[i]);
        }
    }
  return found;
}

static gboolean
settle_folder (Mount *mount, RackFolder *folder, Settle how)
{
  View view;
  guint place;
  gboolean found = FALSE;
  for (guint space = 0; view_of_space (space, &view, &place); space++)
    found = settle_space (mount, folder, space, how) || found;
  return found;
}

void
local_settle_all (Mount *mount)
{
  for (RackFolder *folder = rack_mirror_root (mount->mirror); folder != NULL;
       folder = control_next_folder (folder))
    settle_folder (mount, folder, SETTLE_ALL);
}

struct Recovery
{
  Mount *mount;
  GCancellable *cancellable;
  GThread *thread;
};

/* What a draft replaces is only known once its folder is. */
static gpointer
recover (gpointer data)
{
  Recovery *recovery = data;
  Mount *mount = recovery->mount;
  for (RackFolder *folder = rack_mirror_root (mount->mirror);
       folder != NULL && !g_cancellable_is_cancelled (recovery->cancellable);
       folder = control_next_folder (folder))
    if (settle_folder (mount, folder, SETTLE_NOTHING)
        && (!folder_has_drafts (folder) || rack_folder_wait (folder, recovery->cancellable, NULL)))
      settle_folder (mount, folder, SETTLE_CLOSED);
  return NULL;
}

Recovery *
recovery_start (Mount *mount)
{
  Recovery *recovery = g_new0 (Recovery, 1);
  recovery->mount = mount;
  recovery->cancellable = g_cancellable_new ();
  recovery->thread = g_thread_new ("mount-recover", recover, recovery);
  return recovery;
}

void
recovery_stop (Recovery *recovery)
{
  g_cancellable_cancel (recovery->cancellable);
  g_thread_join (recovery->thread);
  g_object_unref (recovery->cancellable);
  g_free (recovery);
}
