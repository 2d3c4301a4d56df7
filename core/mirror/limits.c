/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * limits.c - what the server lets us do with a mailbox, known before it is tried
 *
 * Rights come with the list where the server tells them so (LIST-MYRIGHTS), else by MYRIGHTS once a
 * mailbox was looked at, and again with every round of the poller; of a server without ACL by the
 * SELECT of whoever changes something first. Flags that may have waited are not sent before rights
 * were asked for: some servers (Dovecot) answer OK to a STORE that they forbid. How large a message
 * may be is asked when one is going to be written. Not known is allowed: the server has the last
 * word in any case.
 *
 * All of it is under the tree's mutex.
 */
#include "mirror-private.h"

#include <mailrack/mailrack-outgoing.h>

/* So long somebody who changes something waits for an answer, milliseconds. */
#define MOMENT      5000
/* Sizes are believed so long, microseconds. */
#define SIZES_FRESH (300 * G_USEC_PER_SEC)
/* Quotas are told in units of so many octets, rounded in some way. */
#define QUOTA_UNIT  1024
#define READ_ONLY   ((RackRights) (RACK_RIGHT_LOOKUP | RACK_RIGHT_READ))

void
rack_limits_init (RackLimits *limits)
{
  *limits =
      (RackLimits){ .rights = RACK_RIGHTS_ALL, .append_limit = G_MAXUINT64, .quota = G_MAXUINT64 };
}

/* ---- Asking, in a job ---------------------------------------------------------------------- */

/* What the server refuses to tell is not asked again. */
static gboolean
is_answer (const GError *problem)
{
  return problem == NULL
         || !(rack_online_denies (problem)
              || g_error_matches (problem, RACK_ERROR, RACK_ERROR_CANCELLED));
}

/* FALSE: there is no answer. */
static gboolean
ask_rights (RackFolder *folder, RackLimits *limits, GError **error)
{
  RackMirror *mirror = folder->mirror;
  GError *problem = NULL;
  if (rack_account_rights (mirror->account, folder->mailbox, &limits->rights, mirror->cancellable,
                           &problem))
    limits->known |= RACK_LIMITS_RIGHTS | RACK_LIMITS_SELECT | RACK_LIMITS_ACL;
  else if (is_answer (problem))
    limits->known |= RACK_LIMITS_RIGHTS;
  else
    {
      g_propagate_error (error, problem);
      return FALSE;
    }
  g_clear_error (&problem);
  return TRUE;
}

static void
ask_select (RackFolder *folder, RackLimits *limits)
{
  RackMirror *mirror = folder->mirror;
  gboolean may = TRUE;
  g_autoptr (GError) problem = NULL;
  rack_account_may_write (mirror->account, folder->mailbox, &may, mirror->cancellable, &problem);
  if (is_answer (problem))
    limits->known |= RACK_LIMITS_SELECT;
  limits->rights = may ? RACK_RIGHTS_ALL : READ_ONLY;
}

static void
ask_sizes (RackFolder *folder, RackLimits *limits)
{
  RackMirror *mirror = folder->mirror;
  g_autoptr (GError) problem = NULL;
  RackQuota quota = { FALSE };
  gboolean has = FALSE;
  if (rack_account_append_limit (mirror->account, folder->mailbox, &limits->append_limit,
                                 mirror->cancellable, &problem)
      && rack_account_has (mirror->account, "QUOTA", &has, mirror->cancellable, &problem) && has)
    rack_account_quota (mirror->account, folder->mailbox, &quota, mirror->cancellable, &problem);
  /* What is larger than all there may ever be is too large; how much there is now others change. */
  limits->quota = quota.has_storage ? quota.limit + QUOTA_UNIT : G_MAXUINT64;
  if (is_answer (problem))
    limits->known |= RACK_LIMITS_SIZES;
}

/* With the tree's mutex held. Returns: whether its rights are others now. */
static gboolean
take (RackFolder *folder, RackLimitsWhat what, const RackLimits *found)
{
  RackLimits *limits = &folder->limits;
  RackLimitsWhat rights = what & (RACK_LIMITS_RIGHTS | RACK_LIMITS_SELECT);
  RackRights before = limits->rights;
  limits->known &= ~(what & ~found->known & RACK_LIMITS_SIZES);
  limits->known |= found->known;
  if (what & found->known & RACK_LIMITS_RIGHTS)
    limits->rights_at = g_get_monotonic_time ();
  if ((rights & found->known) && (found->known & RACK_LIMITS_SELECT))
    limits->rights = found->rights;
  if (what & found->known & RACK_LIMITS_SIZES)
    {
      limits->append_limit = found->append_limit;
      limits->quota = found->quota;
      limits->sizes_at = g_get_monotonic_time ();
    }
  return limits->rights != before;
}

static void
run_job (gpointer data)
{
  RackFolder *folder = data;
  RackMirror *mirror = folder->mirror;
  RackLimits *limits = &folder->limits;
  gboolean changed = FALSE;
  pthread_mutex_lock (&mirror->tree);
  while (limits->wanted != 0 && !g_cancellable_is_cancelled (mirror->cancellable))
    {
      RackLimitsWhat what = limits->wanted;
      RackLimits found;
      limits->wanted = 0;
      limits->asking = what;
      pthread_mutex_unlock (&mirror->tree);
      rack_limits_init (&found);
      if (what & RACK_LIMITS_RIGHTS)
        ask_rights (folder, &found, NULL);
      if ((what & RACK_LIMITS_SELECT) && !(found.known & RACK_LIMITS_SELECT))
        ask_select (folder, &found);
      if (what & RACK_LIMITS_SIZES)
        ask_sizes (folder, &found);
      pthread_mutex_lock (&mirror->tree);
      limits->asking = 0;
      changed = take (folder, what, &found) || changed;
    }
  limits->busy = FALSE;
  pthread_cond_broadcast (&mirror->limits);
  pthread_mutex_unlock (&mirror->tree);
  if (changed)
    rack_changes_push_bare (folder, RACK_CHANGE_RIGHTS, 0);
}

/* With the tree's mutex held. */
static void
want (RackFolder *folder, RackLimitsWhat what)
{
  RackMirror *mirror = folder->mirror;
  if (what == 0 || mirror->jobs == NULL || mirror->options.read_only || mirror->outbox == NULL
      || !folder->selectable)
    return;
  folder->limits.wanted |= what & ~folder->limits.asking;
  if (folder->limits.busy)
    return;
  folder->limits.busy = TRUE;
  rack_jobs_push (mirror->jobs, run_job, folder, TRUE);
}

/* Of what, which is not known or too old. */
static RackLimitsWhat
missing (const RackLimits *limits, RackLimitsWhat what)
{
  RackLimitsWhat lacking = what & ~limits->known;
  if ((what & RACK_LIMITS_SIZES) && g_get_monotonic_time () - limits->sizes_at > SIZES_FRESH)
    lacking |= RACK_LIMITS_SIZES;
  return lacking;
}

/* ---- When ------------------------------------------------------------------------------------ */

void
rack_limits_look (RackFolder *folder)
{
  pthread_mutex_lock (&folder->mirror->tree);
  want (folder, missing (&folder->limits, RACK_LIMITS_RIGHTS));
  pthread_mutex_unlock (&folder->mirror->tree);
}

/* Of a server without ACL only what forbids something is looked at again. */
static RackLimitsWhat
what_grows_old (const RackLimits *limits)
{
  if (limits->known & RACK_LIMITS_ACL)
    return RACK_LIMITS_RIGHTS;
  return limits->rights != RACK_RIGHTS_ALL ? RACK_LIMITS_SELECT : 0;
}

void
rack_limits_refresh (RackFolder *folder)
{
  pthread_mutex_lock (&folder->mirror->tree);
  if (!folder->limits.listed)
    want (folder, what_grows_old (&folder->limits));
  pthread_mutex_unlock (&folder->mirror->tree);
}

void
rack_limits_doubt (RackFolder *folder)
{
  if (folder == NULL)
    return;
  pthread_mutex_lock (&folder->mirror->tree);
  want (folder, RACK_LIMITS_RIGHTS | RACK_LIMITS_SELECT);
  pthread_mutex_unlock (&folder->mirror->tree);
}

gboolean
rack_limits_learn (RackFolder *folder, GError **error)
{
  RackMirror *mirror = folder->mirror;
  RackLimits found;
  gint64 back = rack_online_back (mirror);
  pthread_mutex_lock (&mirror->tree);
  gboolean known = (folder->limits.known & RACK_LIMITS_RIGHTS) && folder->limits.rights_at >= back;
  pthread_mutex_unlock (&mirror->tree);
  if (known)
    return TRUE;
  rack_limits_init (&found);
  if (!ask_rights (folder, &found, error))
    return FALSE;
  pthread_mutex_lock (&mirror->tree);
  gboolean changed = take (folder, RACK_LIMITS_RIGHTS, &found);
  pthread_cond_broadcast (&mirror->limits);
  pthread_mutex_unlock (&mirror->tree);
  if (changed)
    rack_changes_push_bare (folder, RACK_CHANGE_RIGHTS, 0);
  return TRUE;
}

gboolean
rack_limits_take_listed (RackFolder *folder, RackRights rights)
{
  RackLimits found = { .known = RACK_LIMITS_RIGHTS | RACK_LIMITS_SELECT | RACK_LIMITS_ACL,
                       .rights = rights };
  folder->limits.listed = TRUE;
  return take (folder, RACK_LIMITS_RIGHTS, &found);
}

void
rack_folder_await_limits (RackFolder *folder, gboolean sizes)
{
  RackMirror *mirror = folder->mirror;
  RackLimitsWhat what = RACK_LIMITS_RIGHTS | RACK_LIMITS_SELECT | (sizes ? RACK_LIMITS_SIZES : 0);
  gint64 until = g_get_monotonic_time () + MOMENT * 1000, left;
  if (!rack_online_is (mirror))
    return;
  pthread_mutex_lock (&mirror->tree);
  want (folder, missing (&folder->limits, what));
  while (folder->limits.busy && missing (&folder->limits, what) != 0
         && (left = until - g_get_monotonic_time ()) > 0)
    rack_cond_wait_for (&mirror->limits, &mirror->tree, left / 1000 + 1);
  pthread_mutex_unlock (&mirror->tree);
}

void
rack_folder_want_sizes (RackFolder *folder)
{
  pthread_mutex_lock (&folder->mirror->tree);
  want (folder, missing (&folder->limits, RACK_LIMITS_SIZES));
  pthread_mutex_unlock (&folder->mirror->tree);
}

/* ---- Answers -------------------------------------------------------------------------------- */

RackRights
rack_limits_of_flags (RackFlags flags, gboolean keywords)
{
  return (flags & RACK_FLAG_SEEN ? RACK_RIGHT_SEEN : 0)
         | (flags & RACK_FLAG_DELETED ? RACK_RIGHT_DELETE : 0)
         | (keywords || (flags & ~(RACK_FLAG_SEEN | RACK_FLAG_DELETED)) ? RACK_RIGHT_WRITE : 0);
}

gboolean
rack_folder_may (RackFolder *folder, RackRights needed, GError **error)
{
  pthread_mutex_lock (&folder->mirror->tree);
  RackRights rights = folder->limits.rights;
  gboolean acl = (folder->limits.known & RACK_LIMITS_ACL) != 0;
  pthread_mutex_unlock (&folder->mirror->tree);
  if ((needed & ~rights) == 0)
    return TRUE;
  g_autofree char *given = rack_rights_to_string (rights);
  g_autofree char *lacking = rack_rights_to_string (needed & ~rights);
  if (acl)
    g_set_error (error, RACK_ERROR, RACK_ERROR_DENIED,
                 "%s: not permitted: it takes the right \"%s\", and the server gives \"%s\"",
                 folder->mailbox, lacking, given);
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_DENIED,
                 "%s: not permitted: the server has the mailbox read-only", folder->mailbox);
  return FALSE;
}

gboolean
rack_folder_takes_size (RackFolder *folder, guint64 size, GError **error)
{
  pthread_mutex_lock (&folder->mirror->tree);
  guint64 limit = folder->limits.append_limit, quota = folder->limits.quota;
  pthread_mutex_unlock (&folder->mirror->tree);
  if (size > limit)
    g_set_error (error, RACK_ERROR, RACK_ERROR_TOO_LARGE,
                 "%s: too large: the server takes messages of %" G_GUINT64_FORMAT
                 " octets at most (APPENDLIMIT)",
                 folder->mailbox, limit);
  else if (size > quota)
    g_set_error (error, RACK_ERROR, RACK_ERROR_QUOTA,
                 "%s: too large: the whole quota is %" G_GUINT64_FORMAT " octets", folder->mailbox,
                 quota - QUOTA_UNIT);
  else
    return TRUE;
  return FALSE;
}
