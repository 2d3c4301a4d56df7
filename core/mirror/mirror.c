/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mirror.c - an account's mirror: opening, closing, and the figures
 *
 * The parts have files of their own: tree.c the mailboxes, folder.c what is asked
 * about one of them, sync.c and fill.c how its index comes and stays right,
 * watchers.c when, bodies.c, parts.c and ahead.c the octets, changes.c what others must hear.
 */
#include "mirror-private.h"
#include "parts.h"

#define POLL_DEFAULT     60000
#define STALL_DEFAULT    120000
#define WATCHES_DEFAULT  2
#define FETCHERS_DEFAULT 4
#define SYNC_THREADS     2

RackMirror *
rack_mirror_open (RackAccount *account, const RackMirrorOptions *options, GCancellable *cancellable,
                  GError **error)
{
  RackMirror *mirror = g_new0 (RackMirror, 1);
  mirror->account = rack_account_ref (account);
  mirror->options = *options;
  /* Nobody can have to forget anything before this is open. */
  mirror->options.changes = FALSE;
  if (mirror->options.poll <= 0)
    mirror->options.poll = POLL_DEFAULT;
  if (mirror->options.stall <= 0)
    mirror->options.stall = STALL_DEFAULT;
  if (mirror->options.watches == 0)
    mirror->options.watches = WATCHES_DEFAULT;
  if (mirror->options.fetchers == 0)
    mirror->options.fetchers = FETCHERS_DEFAULT;
  mirror->started = g_get_real_time () * 1000;
  /* The caller's cancellable is for the first list; the mirror lives on after it. */
  mirror->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  pthread_mutex_init (&mirror->tree, NULL);
  mirror->ids = g_hash_table_new (NULL, NULL);
  mirror->rows = g_hash_table_new (NULL, NULL);
  mirror->changes = rack_changes_new ();
  mirror->parts = rack_parts_cache_new ();
  mirror->root = rack_folder_new (mirror, NULL, 0, g_strdup (""), g_strdup (""));
  g_hash_table_insert (mirror->ids, GUINT_TO_POINTER (0), mirror->root);

  gboolean ok = rack_tree_refresh (mirror, error);
  g_clear_object (&mirror->cancellable);
  mirror->cancellable = g_cancellable_new ();
  if (ok)
    ok = (mirror->bodies = rack_bodies_new (mirror, error)) != NULL;
  if (!ok)
    {
      rack_mirror_close (mirror);
      return NULL;
    }
  mirror->options.changes = options->changes;
  mirror->jobs = rack_jobs_new (SYNC_THREADS, "mirror-sync");
  mirror->watchers = rack_watchers_new (mirror);
  return mirror;
}

void
rack_mirror_close (RackMirror *mirror)
{
  if (mirror == NULL)
    return;
  g_cancellable_cancel (mirror->cancellable);
  if (mirror->watchers != NULL)
    rack_watchers_end (mirror->watchers);
  if (mirror->jobs != NULL)
    rack_jobs_free (mirror->jobs);
  if (mirror->bodies != NULL)
    rack_bodies_free (mirror->bodies);
  if (mirror->watchers != NULL)
    rack_watchers_free (mirror->watchers);
  rack_tree_free (mirror);
  rack_changes_free (mirror->changes);
  rack_parts_cache_free (mirror->parts);
  pthread_mutex_destroy (&mirror->tree);
  g_object_unref (mirror->cancellable);
  rack_account_unref (mirror->account);
  g_free (mirror);
}

void
rack_mirror_figures (RackMirror *mirror, RackMirrorFigures *figures)
{
  *figures = (RackMirrorFigures){ 0 };
  rack_bodies_figures (mirror->bodies, figures);
  figures->syncs = (guint64) g_atomic_int_get (&mirror->syncs);
  figures->trusted = rack_mirror_trusts_sizes (mirror);
}

RackFolder *
rack_mirror_root (RackMirror *mirror)
{
  return mirror->root;
}

guint32
rack_entry_name_uid (const char *name)
{
  return rack_name_parse_uid (name);
}

void
rack_entry_name_short (guint32 uid, char *buffer)
{
  rack_name_uid (uid, buffer);
}
