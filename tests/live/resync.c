/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * resync.c - what a resync says against what is there, on every rung of the ladder
 *
 * One account changes a mailbox at random, another follows it by resyncs alone, and now
 * and then both are compared. Extensions are overlooked one by one, so that a server that
 * knows them all is asked in every way. */
#include "live.h"

#include <string.h>

#define ROUNDS   5
#define DISTINCT 100 /* Cyrus takes ten copies of one message in a mailbox */
#define DOUBLES  3

static const char *const without[] = { "", "QRESYNC", "CONDSTORE QRESYNC",
                                       "CONDSTORE QRESYNC ESEARCH" };

/* What somebody believes a mailbox to hold. */
typedef struct
{
  RackMailbox *mailbox;
  RackMailboxState state;
  RackSet *uids;
  GHashTable *flags; /* UID -> text */
} Belief;

static Belief *
belief_new (void)
{
  Belief *belief = g_new0 (Belief, 1);

  belief->uids = rack_set_new ();
  belief->flags = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return belief;
}

static void
belief_free (Belief *belief)
{
  rack_mailbox_unref (belief->mailbox);
  rack_set_free (belief->uids);
  g_hash_table_unref (belief->flags);
  g_free (belief);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Belief, belief_free)

static gint
compare_words (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static char *
describe (const RackMessage *message)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < message->flags.n_keywords; i++)
    g_ptr_array_add (words, rack_str_dup (message->flags.keywords[i]));
  g_ptr_array_sort (words, compare_words);
  g_ptr_array_insert (words, 0,
                      g_strdup_printf ("%x", message->flags.system & ~(guint) RACK_FLAG_RECENT));
  g_ptr_array_add (words, NULL);
  return g_strjoinv (" ", (char **) words->pdata);
}

/* Fetches the flags of uids into flags. */
static gboolean
fetch_flags (RackMailbox *mailbox, const RackSet *uids, GHashTable *flags, GError **error)
{
  GError *problem = NULL;
  const RackMessage *message;

  if (rack_set_count (uids) == 0)
    return TRUE;
  g_autoptr (RackFetch) fetch = rack_mailbox_fetch (mailbox, uids, "FLAGS", NULL, NULL, error);
  if (fetch == NULL)
    return FALSE;
  while ((message = rack_fetch_next (fetch, &problem)) != NULL)
    if (message->fields & RACK_FIELD_FLAGS)
      g_hash_table_insert (flags, GUINT_TO_POINTER (message->uid), describe (message));
  if (problem != NULL)
    g_propagate_error (error, problem);
  return problem == NULL;
}

static void
forget (Belief *belief, const RackSet *vanished)
{
  RackRanges ranges = rack_set_ranges (vanished);

  for (gsize i = 0; i < ranges.n; i++)
    for (guint32 uid = ranges.items[i].first; uid <= ranges.items[i].last; uid++)
      g_hash_table_remove (belief->flags, GUINT_TO_POINTER (uid));
  rack_set_subtract (belief->uids, vanished);
}

/* rung: which way was taken; may be NULL. */
static gboolean
follow (Belief *belief, RackResyncRung *rung, GError **error)
{
  g_autoptr (RackResync) resync =
      rack_mailbox_resync (belief->mailbox, &belief->state, belief->uids, NULL, error);
  GError *problem = NULL;
  const RackMessage *message;

  if (resync == NULL)
    return FALSE;
  while ((message = rack_resync_next (resync, &problem)) != NULL)
    {
      live_require (rack_set_contains (belief->uids, message->uid));
      live_require (message->fields & RACK_FIELD_FLAGS);
      g_hash_table_insert (belief->flags, GUINT_TO_POINTER (message->uid), describe (message));
    }
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return FALSE;
    }
  g_autoptr (RackSet) added = rack_set_copy (rack_resync_added (resync));
  g_autoptr (RackSet) vanished = rack_set_copy (rack_resync_vanished (resync));
  rack_resync_state (resync, &belief->state);
  if (rung != NULL)
    *rung = rack_resync_rung (resync);
  g_clear_pointer (&resync, rack_resync_free);
  g_autoptr (RackSet) odd = rack_set_copy (vanished);
  rack_set_subtract (odd, belief->uids);
  live_require (rack_set_count (odd) == 0);
  forget (belief, vanished);
  rack_set_merge (belief->uids, added);
  return fetch_flags (belief->mailbox, added, belief->flags, error);
}

/* ---- The other one, who changes things ------------------------------------------------- */

typedef struct
{
  Live *live;
  RackMailbox *mailbox;
  GRand *random;
  guint made; /* messages */
  GError *error;
  gint stop;
} Changer;

static RackSet *
random_uids (GRand *random, const RackSet *all, guint n)
{
  RackRanges ranges = rack_set_ranges (all);
  RackSet *some = rack_set_new ();

  for (guint i = 0; i < n && ranges.n > 0; i++)
    {
      const RackRange *range = &ranges.items[g_rand_int_range (random, 0, (gint32) ranges.n)];
      guint32 uid =
          range->first
          + (guint32) g_rand_int_range (random, 0, (gint32) (range->last - range->first + 1));
      rack_set_add (some, uid, uid + (guint32) g_rand_int_range (random, 0, 3));
    }
  rack_set_intersect (some, all);
  return some;
}

static gboolean
change_flags (Changer *changer, const RackSet *all, GError **error)
{
  static const char *const words[][2] = { { NULL }, { "$Work" }, { "$Todo" } };
  static const RackFlags flags[] = { RACK_FLAG_SEEN, RACK_FLAG_FLAGGED, RACK_FLAG_ANSWERED,
                                     RACK_FLAG_DRAFT };
  g_autoptr (RackSet) some = random_uids (changer->random, all, 9);
  const char *const *keywords = words[g_rand_int_range (changer->random, 0, 3)];
  RackFlags flag = flags[g_rand_int_range (changer->random, 0, G_N_ELEMENTS (flags))];
  RackStoreMode mode = g_rand_boolean (changer->random) ? RACK_STORE_ADD : RACK_STORE_REMOVE;

  return rack_mailbox_store (changer->mailbox, some, mode, flag, keywords, NULL, error);
}

static gboolean
add (Changer *changer, guint n, GError **error)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text =
          g_strdup_printf ("Subject: resync %u\r\n\r\nsomething\r\n", changer->made++);
      if (!live_append (changer->live, rack_mailbox_name (changer->mailbox), text, strlen (text), 0,
                        -1, NULL, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
change (Changer *changer, guint n, GError **error)
{
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (RackSet) all = rack_mailbox_search (changer->mailbox, "ALL", NULL, error);
      if (all == NULL)
        return FALSE;
      g_autoptr (RackSet) some = random_uids (changer->random, all, 6);
      gboolean ok = TRUE;
      switch (g_rand_int_range (changer->random, 0, 4))
        {
        case 0:
          ok = add (changer, 3, error);
          break;
        case 1:
          ok = rack_mailbox_expunge (changer->mailbox, some, NULL, error);
          break;
        default:
          ok = change_flags (changer, all, error);
        }
      if (!ok)
        return FALSE;
    }
  return TRUE;
}

static gpointer
change_all_the_time (gpointer data)
{
  Changer *changer = data;

  while (!g_atomic_int_get (&changer->stop) && change (changer, 1, &changer->error))
    ;
  return NULL;
}

/* ---- Both ---------------------------------------------------------------------------- */

static gboolean
same (const Belief *belief, RackMailbox *mailbox, GError **error)
{
  g_autoptr (Belief) truth = belief_new ();
  g_autoptr (RackSet) all = rack_mailbox_search (mailbox, "ALL", NULL, error);
  GHashTableIter iter;
  gpointer uid, text;

  if (all == NULL || !fetch_flags (mailbox, all, truth->flags, error))
    return FALSE;
  g_autoptr (RackSet) missed = rack_set_copy (all);
  g_autoptr (RackSet) ghosts = rack_set_copy (belief->uids);
  rack_set_subtract (missed, belief->uids);
  rack_set_subtract (ghosts, all);
  if (rack_set_count (missed) + rack_set_count (ghosts) > 0)
    {
      g_autofree char *left = rack_set_to_string (missed);
      g_autofree char *right = rack_set_to_string (ghosts);
      g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                   "missed: %s; believed, and not there: %s", left, right);
      return FALSE;
    }
  g_hash_table_iter_init (&iter, truth->flags);
  while (g_hash_table_iter_next (&iter, &uid, &text))
    if (g_strcmp0 (text, g_hash_table_lookup (belief->flags, uid)) != 0)
      {
        g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL, "UID %u has %s, believed %s",
                     GPOINTER_TO_UINT (uid), (char *) text,
                     (char *) g_hash_table_lookup (belief->flags, uid));
        return FALSE;
      }
  live_require (g_hash_table_size (truth->flags) == g_hash_table_size (belief->flags));
  return TRUE;
}

static RackResyncRung
best_rung (RackAccount *account, RackMailbox *mailbox)
{
  g_autoptr (RackSession) session = rack_session_open (account, NULL, NULL);
  RackMailboxStatus status;

  rack_mailbox_status (mailbox, &status);
  if (session == NULL || status.highest_modseq == 0 || !rack_session_has (session, "CONDSTORE"))
    return RACK_RESYNC_PLAIN;
  return rack_session_has (session, "QRESYNC") ? RACK_RESYNC_QRESYNC : RACK_RESYNC_CONDSTORE;
}

/* Changes and follows in turn, then at the same time. */
static gboolean
follow_rounds (Belief *belief, Changer *changer, RackResyncRung best, GError **error)
{
  RackResyncRung rung;

  if (!follow (belief, NULL, error) || !same (belief, changer->mailbox, error))
    return FALSE;
  for (guint round = 0; round < ROUNDS; round++)
    {
      if (!change (changer, 1 + round, error) || !follow (belief, &rung, error)
          || !same (belief, changer->mailbox, error))
        return FALSE;
      /* A change may change nothing, such as a flag taken away that was not there. */
      live_require (rung == best || (rung == RACK_RESYNC_UNCHANGED && best != RACK_RESYNC_PLAIN));
    }
  if (!follow (belief, &rung, error))
    return FALSE;
  live_require (rung == (best == RACK_RESYNC_PLAIN ? best : RACK_RESYNC_UNCHANGED));
  GThread *thread = g_thread_new ("change", change_all_the_time, changer);
  gboolean ok = TRUE;
  for (guint round = 0; round < ROUNDS && ok; round++)
    ok = follow (belief, NULL, error);
  g_atomic_int_set (&changer->stop, 1);
  g_thread_join (thread);
  changer->stop = 0;
  if (ok && changer->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&changer->error));
      return FALSE;
    }
  return ok && follow (belief, NULL, error) && same (belief, changer->mailbox, error);
}

static gboolean
check_without (Live *live, Changer *changer, const char *extensions, GError **error)
{
  const char *name = rack_mailbox_name (changer->mailbox);
  g_autoptr (RackAccount) account = live_account (live, "disable_extensions", extensions, error);
  g_autoptr (Belief) belief = belief_new ();
  g_autoptr (GError) stale = NULL;
  RackMailboxStatus status;

  if (account == NULL)
    return FALSE;
  rack_mailbox_status (changer->mailbox, &status);
  belief->state.uid_validity = status.uid_validity;
  belief->mailbox = rack_mailbox_bind (account, name, TRUE, status.uid_validity);
  g_autoptr (RackMailbox) opened = rack_mailbox_open (account, name, TRUE, NULL, error);
  if (opened == NULL)
    return FALSE;
  if (!follow_rounds (belief, changer, best_rung (account, opened), error))
    {
      g_prefix_error (error, "without \"%s\": ", extensions);
      return FALSE;
    }
  belief->state.uid_validity++;
  live_require (rack_mailbox_resync (belief->mailbox, &belief->state, belief->uids, NULL, &stale)
                == NULL);
  live_require (g_error_matches (stale, RACK_ERROR, RACK_ERROR_STALE));
  return TRUE;
}

/* A mailbox with holes in it. */
static gboolean
prepare (Changer *changer, GError **error)
{
  const char *name = rack_mailbox_name (changer->mailbox);
  g_autoptr (RackSet) holes = rack_set_new ();

  if (!add (changer, DISTINCT, error))
    return FALSE;
  for (guint i = 0; i < DOUBLES; i++)
    {
      g_autoptr (RackSet) all = rack_mailbox_search (changer->mailbox, "ALL", NULL, error);
      if (all == NULL || !rack_mailbox_copy (changer->mailbox, all, name, NULL, NULL, error))
        return FALSE;
    }
  for (guint32 uid = 3; uid < DISTINCT << DOUBLES; uid += 3)
    rack_set_add (holes, uid, uid);
  return rack_mailbox_expunge (changer->mailbox, holes, NULL, error);
}

gboolean
live_check_resync (Live *live, GError **error)
{
  Changer changer = { .live = live,
                      .mailbox = live_mailbox (live, "resync", error),
                      .random = g_rand_new_with_seed (11) };
  gboolean ok = changer.mailbox != NULL && prepare (&changer, error);

  for (guint i = 0; i < G_N_ELEMENTS (without) && ok; i++)
    ok = check_without (live, &changer, without[i], error);
  rack_mailbox_unref (changer.mailbox);
  g_rand_free (changer.random);
  g_clear_error (&changer.error);
  return ok;
}
