/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * notify.c - the kernel hears what changed
 *
 * One thread of its own pulls the mirror's changes and makes the kernel forget names,
 * attributes and listings. Such a call waits for a directory's lock while a request of
 * the same directory is on its way, so it is never made from a request, nor with a lock
 * of ours held.
 */
#include "announce.h"
#include "control.h"
#include "sd-notify.h"
#include "view.h"

/* How long a call into the kernel may keep us from ending. */
#define STOP_MS      2000
#define STOP_STEP_MS 5

struct Notifier
{
  Mount *mount;
  GCancellable *cancellable;
  GThread *thread;
  gint ended; /* atomic */
};

static void
tell_manager (const Mount *mount, const RackChange *change)
{
  if (change->kind != RACK_CHANGE_ONLINE && change->kind != RACK_CHANGE_OFFLINE)
    return;
  g_autofree char *status =
      g_strdup_printf ("STATUS=%s is mounted%s", mount->label,
                       change->kind == RACK_CHANGE_OFFLINE ? ", offline" : "");
  sd_notify_send (status);
}

static gpointer
run (gpointer data)
{
  Notifier *notifier = data;
  Mount *mount = notifier->mount;
  const RackChange *change;
  while ((change = rack_mirror_next_change (mount->mirror, notifier->cancellable, NULL)) != NULL)
    {
      views_forget (mount, change);
      announcer_push (mount->announcer, change);
      events_publish (mount->events, change);
      tell_manager (mount, change);
    }
  g_atomic_int_set (&notifier->ended, 1);
  return NULL;
}

Notifier *
notifier_start (Mount *mount)
{
  Notifier *notifier = g_new0 (Notifier, 1);
  notifier->mount = mount;
  notifier->cancellable = g_cancellable_new ();
  notifier->thread = g_thread_new ("mount-notify", run, notifier);
  return notifier;
}

gboolean
thread_ended (gint *ended)
{
  for (guint i = 0; i < STOP_MS / STOP_STEP_MS && !g_atomic_int_get (ended); i++)
    g_usleep (STOP_STEP_MS * 1000);
  return g_atomic_int_get (ended);
}

gboolean
notifier_stop (Notifier *notifier)
{
  g_cancellable_cancel (notifier->cancellable);
  if (!thread_ended (&notifier->ended))
    return FALSE;
  g_thread_join (notifier->thread);
  g_object_unref (notifier->cancellable);
  g_free (notifier);
  return TRUE;
}
