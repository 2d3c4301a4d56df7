/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * search.c - which messages of a mailbox the server finds
 *
 * A mailbox in which nothing is found is not loaded for that.
 */
#include "mirror-private.h"

/* Returns: (owned) the mailbox, bound to the UIDVALIDITY that is known. */
static RackMailbox *
mailbox_of (RackFolder *folder, GCancellable *cancellable, GError **error)
{
  RackMailbox *handle = NULL;
  pthread_mutex_lock (&folder->mutex);
  if (folder->handle != NULL)
    handle = rack_mailbox_ref (folder->handle);
  pthread_mutex_unlock (&folder->mutex);
  if (handle != NULL)
    return handle;
  return rack_mailbox_open (folder->mirror->account, folder->mailbox, TRUE, cancellable, error);
}

/* Whose UIDs they are. */
static gboolean
find_row (RackFolder *folder, RackMailbox *mailbox, guint32 *row, GCancellable *cancellable,
          GError **error)
{
  RackMailboxStatus status;
  RackFolderFacts facts;
  rack_folder_facts (folder, &facts);
  if (!facts.complete && !rack_folder_wait (folder, cancellable, error))
    return FALSE;
  rack_folder_facts (folder, &facts);
  rack_mailbox_status (mailbox, &status);
  *row = facts.row;
  if (facts.uid_validity == status.uid_validity)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_STALE,
               "%s: the mailbox was replaced by another of the same name; search again",
               folder->mailbox);
  return FALSE;
}

RackSet *
rack_folder_search (RackFolder *folder, const RackCriteria *criteria, guint32 *row,
                    GCancellable *cancellable, GError **error)
{
  GError *problem = NULL;
  *row = 0;
  if (!rack_online_check (folder->mirror, error))
    return NULL;
  g_autoptr (RackMailbox) mailbox = mailbox_of (folder, cancellable, &problem);
  g_autoptr (RackSet) found =
      mailbox != NULL ? rack_mailbox_find (mailbox, criteria, cancellable, &problem) : NULL;
  rack_online_note (folder->mirror, problem);
  if (mailbox == NULL
      && (g_error_matches (problem, RACK_ERROR, RACK_ERROR_REFUSED)
          || g_error_matches (problem, RACK_ERROR, RACK_ERROR_DENIED)))
    {
      g_error_free (problem);
      return rack_set_new ();
    }
  if (found == NULL)
    {
      g_propagate_error (error, problem);
      return NULL;
    }
  if (rack_set_ranges (found).n > 0 && !find_row (folder, mailbox, row, cancellable, error))
    return NULL;
  return g_steal_pointer (&found);
}
