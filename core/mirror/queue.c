/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * queue.c - the journals on this disk, for whoever looks after them
 *
 * Without a mirror and a server. Looking needs no lock, so it works beside a mount; changing
 * something does, and while a mount has it that one has to be told.
 */
#include "journal.h"

#include <unistd.h>

static void
add_change (const RackJournalChange *change, gpointer list)
{
  RackOutgoing *out = g_new0 (RackOutgoing, 1);
  out->id = change->id;
  out->failed = change->step == RACK_STEP_FAILED;
  out->what = g_strdup (rack_journal_kind_name (change->kind));
  out->mailbox = g_strdup (change->mailbox);
  out->target = *change->target != '\0' ? g_strdup (change->target) : NULL;
  out->name = *change->name != '\0' ? g_strdup (change->name) : NULL;
  out->uid = change->uid;
  out->size = change->size;
  out->problem = g_strdup (change->problem);
  out->made = (gint64) (change->id / G_USEC_PER_SEC);
  out->tries = change->tries;
  g_ptr_array_add (list, out);
}

static void
add_local (const RackJournalLocal *local, gpointer list)
{
  if (local->state != RACK_LOCAL_QUEUED && local->state != RACK_LOCAL_SENDING
      && local->state != RACK_LOCAL_FAILED)
    return;
  RackOutgoing *out = g_new0 (RackOutgoing, 1);
  out->id = local->ticket;
  out->failed = local->state == RACK_LOCAL_FAILED;
  out->what = g_strdup ("append");
  out->mailbox = g_strdup (local->mailbox);
  out->name = g_strdup (local->name);
  out->local = local->id;
  out->problem = g_strdup (local->problem);
  out->made = (gint64) (local->ticket / G_USEC_PER_SEC);
  out->tries = local->tries;
  g_ptr_array_add (list, out);
}

GPtrArray *
rack_queue_list (RackAccount *account, const char *state_dir, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) rack_outgoing_free);
  gboolean there;
  RackJournal *journal = rack_journal_open_to_read (account, state_dir, &there, error);
  if (journal == NULL)
    return there ? NULL : g_steal_pointer (&list);
  gboolean ok = rack_journal_each_change (journal, add_change, list, error)
                && rack_journal_each_local (journal, add_local, list, error);
  rack_journal_close (journal);
  g_ptr_array_sort (list, rack_outgoing_compare);
  return ok ? g_steal_pointer (&list) : NULL;
}

/* ---- Changing --------------------------------------------------------------------------- */

static RackJournal *
open_to_change (RackAccount *account, const char *state_dir, const char *verb, GError **error)
{
  g_autoptr (GError) problem = NULL;
  RackJournal *journal = rack_journal_open (account, state_dir, &problem);
  if (journal != NULL)
    return journal;
  if (g_error_matches (problem, RACK_ERROR, RACK_ERROR_BUSY))
    g_set_error (error, RACK_ERROR, RACK_ERROR_BUSY,
                 "a mount has this account: tell it with \"echo %s > DIRECTORY/.mailrack/ctl\", "
                 "or unmount it first",
                 verb);
  else
    g_propagate_error (error, g_steal_pointer (&problem));
  return NULL;
}

typedef struct
{
  RackTicket id;  /* 0: any that failed */
  GArray *locals; /* RackJournalLocal, with texts of their own */
  gboolean change;
} Search;

static void
clear_local (gpointer data)
{
  RackJournalLocal *local = data;
  g_free ((char *) local->mailbox);
  g_free ((char *) local->name);
  g_free ((char *) local->keywords);
}

static void
seek_local (const RackJournalLocal *local, gpointer data)
{
  Search *search = data;
  if (search->id != 0 ? local->ticket != search->id : local->state != RACK_LOCAL_FAILED)
    return;
  RackJournalLocal copy = *local;
  copy.mailbox = g_strdup (local->mailbox);
  copy.name = g_strdup (local->name);
  copy.keywords = g_strdup (local->keywords);
  copy.problem = NULL;
  g_array_append_val (search->locals, copy);
}

static void
seek_change (const RackJournalChange *change, gpointer data)
{
  Search *search = data;
  search->change |= search->id != 0 && change->id == search->id;
}

static gboolean
search_all (RackJournal *journal, Search *search, GError **error)
{
  search->locals = g_array_new (FALSE, FALSE, sizeof (RackJournalLocal));
  g_array_set_clear_func (search->locals, clear_local);
  if (!rack_journal_each_local (journal, seek_local, search, error)
      || !rack_journal_each_change (journal, seek_change, search, error))
    return FALSE;
  if (search->id == 0 || search->change || search->locals->len > 0)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND,
               "nothing with the number %" G_GUINT64_FORMAT " is in the queue", search->id);
  return FALSE;
}

gboolean
rack_queue_retry (RackAccount *account, const char *state_dir, RackTicket id, GError **error)
{
  Search search = { .id = id };
  RackJournal *journal = open_to_change (account, state_dir, "retry", error);
  if (journal == NULL)
    return FALSE;
  gboolean ok = search_all (journal, &search, error);
  for (guint i = 0; ok && i < search.locals->len; i++)
    {
      RackJournalLocal *local = &g_array_index (search.locals, RackJournalLocal, i);
      local->state = RACK_LOCAL_QUEUED;
      local->tries = 0;
      ok = rack_journal_put_local (journal, local, error);
    }
  g_array_unref (search.locals);
  rack_journal_close (journal);
  return ok;
}

gboolean
rack_queue_drop (RackAccount *account, const char *state_dir, RackTicket id, GError **error)
{
  Search search = { .id = id };
  g_autofree char *verb = g_strdup_printf ("drop %" G_GUINT64_FORMAT, id);
  RackJournal *journal = open_to_change (account, state_dir, verb, error);
  if (journal == NULL)
    return FALSE;
  gboolean ok = search_all (journal, &search, error);
  if (ok && search.change)
    ok = rack_journal_remove_change (journal, id, error);
  for (guint i = 0; ok && i < search.locals->len; i++)
    {
      guint64 local = g_array_index (search.locals, RackJournalLocal, i).id;
      g_autofree char *path = rack_journal_path (journal, local);
      ok = rack_journal_remove_local (journal, local, error);
      if (ok)
        unlink (path);
    }
  g_array_unref (search.locals);
  rack_journal_close (journal);
  return ok;
}
