/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * replaced.c - what becomes of a message when its new version is on the server
 *
 * A server with REPLACE has removed it with the same command; with others, and whenever it is not
 * known whether it did, it is expunged by its UID, which changes nothing if it is gone. What is not
 * here: sending the new one.
 */
#include "replaced.h"

/* With the mutex held. */
static RackPending
describe (RackOutbox *outbox, const RackLocal *local)
{
  RackFolder *folder = local->folder;
  guint32 uid_validity = local->replaces_validity != 0 ? local->replaces_validity : local->validity;
  pthread_mutex_lock (&folder->mutex);
  guint32 row = folder->state.uid_validity == uid_validity ? folder->row : 0;
  pthread_mutex_unlock (&folder->mutex);
  return (RackPending){
    .kind = RACK_CHANGE_ROW_EXPUNGE,
    .folder = folder,
    .row = row,
    .uid_validity = uid_validity,
    .uid = local->replaces,
    .record = { .uid = local->replaces },
    .made = g_get_monotonic_time (),
  };
}

static gboolean
expunge (RackOutbox *outbox, const RackLocal *local, GError **error)
{
  RackPending *pending = g_new (RackPending, 1);
  *pending = describe (outbox, local);
  pending->id = rack_outbox_ticket (outbox);
  pending->successor = local->uid;
  if (!rack_pending_write (outbox, pending, error))
    {
      rack_pending_free (pending);
      return FALSE;
    }
  g_ptr_array_add (outbox->pending, pending);
  rack_pending_apply (outbox, pending);
  return TRUE;
}

gboolean
rack_replaced_let_go (RackOutbox *outbox, const RackLocal *local, GError **error)
{
  if (local->replaces == 0)
    return TRUE;
  if (local->replaced)
    {
      RackPending gone = describe (outbox, local);
      rack_pending_apply (outbox, &gone);
      return TRUE;
    }
  if (local->uid == 0
      || (local->replaces_validity != 0 && local->replaces_validity != local->validity))
    return TRUE;
  return expunge (outbox, local, error);
}

void
rack_replaced_forget (RackFolder *folder, guint32 uid_validity, const RackSet *uids)
{
  if (rack_set_count (uids) == 0)
    return;
  pthread_mutex_lock (&folder->mutex);
  guint32 row = folder->state.uid_validity == uid_validity ? folder->row : 0;
  pthread_mutex_unlock (&folder->mutex);
  if (row != 0)
    rack_store_remove (folder->mirror->store, row, uids, NULL);
  rack_folder_forget_names (folder, uid_validity, uids);
}
