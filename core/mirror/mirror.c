/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mirror.c - an account's mirror: opening, closing, and the figures
 *
 * The parts have files of their own: tree.c the mailboxes, folder.c what is asked
 * about one of them, sync.c and fill.c how its index comes and stays right,
 * watchers.c when, bodies.c, parts.c and ahead.c the octets, changes.c what others must hear,
 * find.c and threads.c what looks through all mailboxes.
 */
#include "mirror-private.h"
#include "outbox.h"
#include "parts.h"
#include "threads.h"

#define POLL_DEFAULT     60000
#define STALL_DEFAULT    120000
#define WATCHES_DEFAULT  2
#define FETCHERS_DEFAULT 8
#define SYNC_THREADS     2

static void
apply_defaults (RackMirrorOptions *options)
{
  if (options->poll <= 0)
    options->poll = POLL_DEFAULT;
  if (options->stall <= 0)
    options->stall = STALL_DEFAULT;
  if (options->watches == 0)
    options->watches = WATCHES_DEFAULT;
  if (options->fetchers == 0)
    options->fetchers = FETCHERS_DEFAULT;
}

static RackMirror *
mirror_new (RackAccount *account, const RackMirrorOptions *options)
{
  RackMirror *mirror = g_new0 (RackMirror, 1);
  mirror->account = rack_account_ref (account);
  mirror->options = *options;
  mirror->options.read_only |= rack_account_is_read_only (account);
  /* Nobody can have to forget anything before this is open. */
  mirror->options.changes = FALSE;
  apply_defaults (&mirror->options);
  mirror->started = g_get_real_time () * 1000;
  pthread_mutex_init (&mirror->tree, NULL);
  rack_cond_init (&mirror->limits);
  mirror->ids = g_hash_table_new (NULL, NULL);
  mirror->rows = g_hash_table_new (NULL, NULL);
  mirror->changes = rack_changes_new ();
  mirror->parts = rack_parts_cache_new ();
  mirror->threads = rack_threads_cache_new ();
  mirror->online = rack_online_new ();
  mirror->root = rack_folder_new (mirror, NULL, 0, g_strdup (""), g_strdup (""));
  g_hash_table_insert (mirror->ids, GUINT_TO_POINTER (0), mirror->root);
  return mirror;
}

/* A disk that cannot be used keeps nobody from reading mail. */
static RackStore *
open_in_memory (RackMirror *mirror, const char *place, const char *holder, const GError *problem,
                GError **error)
{
  g_free (mirror->notice);
  mirror->notice = g_strdup_printf ("what is new is only held in memory: %s", problem->message);
  return rack_store_open_memory (place, holder, problem, error);
}

static gboolean
open_store (RackMirror *mirror, GError **error)
{
  const RackMirrorOptions *options = &mirror->options;
  g_autofree char *place = rack_store_place (mirror->account, options->cache_dir);
  const char *holder = options->holder != NULL ? options->holder : g_get_prgname ();
  holder = holder != NULL ? holder : "a program";
  g_autoptr (GError) problem = NULL;
  mirror->store = rack_store_open (place, holder, RACK_STORE_PATIENCE, &mirror->notice, &problem);
  if (mirror->store == NULL && g_error_matches (problem, RACK_ERROR, RACK_ERROR_IO))
    mirror->store = open_in_memory (mirror, place, holder, problem, error);
  else if (mirror->store == NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  if (mirror->store == NULL)
    return FALSE;
  rack_store_allow_memory (mirror->store);
  mirror->options.cache_dir = mirror->options.holder = NULL; /* the caller's */
  mirror->trash = g_strdup (options->trash);
  mirror->options.trash = NULL;
  mirror->sizes_right = (gint) rack_store_get (mirror->store, "sizes_right", 0);
  mirror->sizes_wrong = (gint) rack_store_get (mirror->store, "sizes_wrong", 0);
  return rack_tree_load (mirror, error);
}

void
rack_mirror_save_trust (RackMirror *mirror)
{
  rack_store_set (mirror->store, "sizes_right", g_atomic_int_get (&mirror->sizes_right), NULL);
  rack_store_set (mirror->store, "sizes_wrong", g_atomic_int_get (&mirror->sizes_wrong), NULL);
}

/* The list, from the server; where the disk has one, that is enough for a start. */
static gboolean
list_or_offline (RackMirror *mirror, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (rack_tree_refresh (mirror, &problem))
    return TRUE;
  if (!rack_online_denies (problem) || g_hash_table_size (mirror->ids) < 2)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  rack_online_note (mirror, problem);
  g_autofree char *before = g_steal_pointer (&mirror->notice);
  mirror->notice =
      g_strdup_printf ("%s%soffline, showing what is on this disk: %s",
                       before != NULL ? before : "", before != NULL ? "; " : "", problem->message);
  return TRUE;
}

RackMirror *
rack_mirror_open (RackAccount *account, const RackMirrorOptions *options, GCancellable *cancellable,
                  GError **error)
{
  RackMirror *mirror = mirror_new (account, options);
  /* The caller's cancellable is for the first list; the mirror lives on after it. */
  mirror->cancellable = cancellable != NULL ? g_object_ref (cancellable) : g_cancellable_new ();
  gboolean ok = open_store (mirror, error) && list_or_offline (mirror, error);
  g_clear_object (&mirror->cancellable);
  mirror->cancellable = g_cancellable_new ();
  if (ok)
    ok = (mirror->bodies = rack_bodies_new (mirror, error)) != NULL;
  if (ok && options->writes)
    ok = (mirror->outbox = rack_outbox_open (mirror, options->state_dir, error)) != NULL;
  mirror->options.state_dir = NULL;
  if (!ok)
    {
      rack_mirror_close (mirror);
      return NULL;
    }
  mirror->options.changes = options->changes;
  mirror->jobs = rack_jobs_new (SYNC_THREADS, "mirror-sync");
  mirror->watchers = rack_watchers_new (mirror);
  mirror->reports = rack_reports_new (mirror);
  if (mirror->outbox != NULL)
    rack_outbox_start (mirror->outbox);
  mirror->network = rack_network_new (mirror);
  return mirror;
}

/* What only changed in memory since it was noted. */
static void
note_all (RackMirror *mirror)
{
  GHashTableIter iter;
  gpointer folder;
  g_hash_table_iter_init (&iter, mirror->ids);
  while (g_hash_table_iter_next (&iter, NULL, &folder))
    if (((RackFolder *) folder)->complete)
      rack_sync_note (folder, NULL);
  rack_mirror_save_trust (mirror);
}

void
rack_mirror_close (RackMirror *mirror)
{
  if (mirror == NULL)
    return;
  g_cancellable_cancel (mirror->cancellable);
  if (mirror->store != NULL)
    rack_store_say_closing (mirror->store);
  rack_outbox_end (mirror->outbox);
  rack_reports_free (mirror->reports);
  rack_network_free (mirror->network);
  if (mirror->watchers != NULL)
    rack_watchers_end (mirror->watchers);
  if (mirror->jobs != NULL)
    rack_jobs_end (mirror->jobs);
  if (mirror->bodies != NULL)
    rack_bodies_free (mirror->bodies); /* a fetch that ends now may still ask for a sync */
  if (mirror->jobs != NULL)
    rack_jobs_free (mirror->jobs);
  if (mirror->watchers != NULL)
    {
      note_all (mirror);
      rack_watchers_free (mirror->watchers);
    }
  rack_outbox_free (mirror->outbox); /* until here a job may still look into it */
  rack_tree_free (mirror);
  rack_store_close (mirror->store);
  rack_changes_free (mirror->changes);
  rack_parts_cache_free (mirror->parts);
  rack_threads_cache_free (mirror->threads);
  rack_online_free (mirror->online);
  pthread_cond_destroy (&mirror->limits);
  pthread_mutex_destroy (&mirror->tree);
  g_object_unref (mirror->cancellable);
  rack_account_unref (mirror->account);
  g_free (mirror->notice);
  g_free (mirror->trash);
  g_free (mirror);
}

const char *
rack_mirror_notice (RackMirror *mirror)
{
  return mirror->notice;
}

gboolean
rack_mirror_offers (RackMirror *mirror, RackOffers what)
{
  return ((RackOffers) g_atomic_int_get (&mirror->offers) & what) != 0;
}

gboolean
rack_mirror_names (const RackMirror *mirror)
{
  return mirror->options.names == RACK_NAMES_FULL;
}

void
rack_mirror_figures (RackMirror *mirror, RackMirrorFigures *figures)
{
  *figures = (RackMirrorFigures){ 0 };
  rack_bodies_figures (mirror->bodies, figures);
  figures->syncs = (guint64) g_atomic_int_get (&mirror->syncs);
  figures->trusted = rack_mirror_trusts_sizes (mirror);
  figures->offline = !rack_online_is (mirror);
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
rack_entry_name_unique (guint32 row, gint64 date, guint32 uid, char *buffer)
{
  rack_name_unique (row, date, uid, 0, buffer);
}

gboolean
rack_entry_name_base (const char *name, char *buffer)
{
  return rack_name_base (name, buffer);
}

void
rack_entry_name_short (guint32 uid, char *buffer)
{
  rack_name_uid (uid, buffer);
}

RackMountNames
rack_folder_names (RackFolder *folder)
{
  return folder->mirror->options.names;
}
