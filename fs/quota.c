/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * quota.c - statfs: how full the account is
 *
 * statfs never waits: it answers with what was asked last. A thread of its own asks,
 * once at the start and then when somebody wants to know and the answer has become
 * old. Where there is no limit, or no way to know one, there is plenty.
 */
#include "mount.h"

#include <string.h>

/* An answer is good for so long, microseconds. */
#define FRESH  (60 * G_USEC_PER_SEC)
#define BLOCK  4096
#define PLENTY (G_GUINT64_CONSTANT (1) << 32)

struct Quota
{
  Mount *mount;
  GCancellable *cancellable;
  GThread *thread;
  pthread_mutex_t mutex;
  pthread_cond_t cond; /* wanted or ending changed */
  gboolean wanted, ending;
  gint64 asked; /* monotonic; 0: never */
  RackQuota facts;
};

static void
ask (Quota *quota)
{
  RackMirrorFigures figures;
  RackQuota facts;
  rack_mirror_figures (quota->mount->mirror, &figures);
  if (figures.offline
      || !rack_account_quota (rack_mirror_account (quota->mount->mirror), "INBOX", &facts,
                              quota->cancellable, NULL))
    return; /* what was known is the best there is */
  pthread_mutex_lock (&quota->mutex);
  quota->facts = facts;
  pthread_mutex_unlock (&quota->mutex);
}

static gpointer
run (gpointer data)
{
  Quota *quota = data;
  pthread_mutex_lock (&quota->mutex);
  while (!quota->ending)
    {
      if (!quota->wanted)
        {
          pthread_cond_wait (&quota->cond, &quota->mutex);
          continue;
        }
      pthread_mutex_unlock (&quota->mutex);
      ask (quota);
      pthread_mutex_lock (&quota->mutex);
      quota->wanted = FALSE;
      quota->asked = g_get_monotonic_time ();
    }
  pthread_mutex_unlock (&quota->mutex);
  return NULL;
}

Quota *
quota_start (Mount *mount)
{
  Quota *quota = g_new0 (Quota, 1);
  quota->mount = mount;
  quota->cancellable = g_cancellable_new ();
  quota->wanted = TRUE;
  pthread_mutex_init (&quota->mutex, NULL);
  pthread_cond_init (&quota->cond, NULL);
  quota->thread = g_thread_new ("mount-quota", run, quota);
  return quota;
}

void
quota_stop (Quota *quota)
{
  g_cancellable_cancel (quota->cancellable);
  pthread_mutex_lock (&quota->mutex);
  quota->ending = TRUE;
  pthread_cond_signal (&quota->cond);
  pthread_mutex_unlock (&quota->mutex);
  g_thread_join (quota->thread);
  g_object_unref (quota->cancellable);
  pthread_cond_destroy (&quota->cond);
  pthread_mutex_destroy (&quota->mutex);
  g_free (quota);
}

/* What was known last; has it asked again if that is old. */
static RackQuota
look (Quota *quota)
{
  pthread_mutex_lock (&quota->mutex);
  RackQuota facts = quota->facts;
  if (!quota->wanted && g_get_monotonic_time () - quota->asked > FRESH)
    {
      quota->wanted = TRUE;
      pthread_cond_signal (&quota->cond);
    }
  pthread_mutex_unlock (&quota->mutex);
  return facts;
}

void
op_statfs (fuse_req_t req, fuse_ino_t ino)
{
  Mount *mount = fuse_req_userdata (req);
  RackQuota quota = look (mount->quota);
  struct statvfs facts = {
    .f_bsize = BLOCK,
    .f_frsize = BLOCK,
    .f_blocks = PLENTY,
    .f_bfree = PLENTY,
    .f_files = PLENTY,
    .f_ffree = PLENTY,
    .f_namemax = 255,
  };
  if (quota.has_storage)
    {
      facts.f_blocks = quota.limit / BLOCK;
      facts.f_bfree = (quota.limit - MIN (quota.used, quota.limit)) / BLOCK;
    }
  if (quota.has_messages)
    {
      facts.f_files = quota.message_limit;
      facts.f_ffree = quota.message_limit - MIN (quota.messages, quota.message_limit);
    }
  facts.f_bavail = facts.f_bfree;
  facts.f_favail = facts.f_ffree;
  fuse_reply_statfs (req, &facts);
}
