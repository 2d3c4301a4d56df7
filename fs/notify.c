/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * notify.c - the kernel hears what changed
 *
 * One thread of its own pulls the mirror's changes and makes the kernel forget names,
 * attributes and listings; another one forgets single names and files that requests made wrong.
 * Such a call waits for a directory's lock while a request of the same directory is on its way, so
 * it is never made from a request, nor with a lock of ours held.
 */
#include "announce.h"
#include "control.h"
#include "sd-notify.h"
#include "view.h"

#include <string.h>

/* How long a call into the kernel may keep us from ending. */
#define STOP_MS      2000
#define STOP_STEP_MS 5

/* A name, or a file if there is none. */
typedef struct
{
  fuse_ino_t ino; /* of the directory, or of the file */
  char name[VIEW_NAME_SIZE];
} Name;

struct Notifier
{
  Mount *mount;
  GCancellable *cancellable;
  GThread *thread;
  gint ended; /* atomic */
  /* Names and files that requests made wrong. */
  GThread *names_thread;
  gint names_ended; /* atomic */
  pthread_mutex_t mutex;
  pthread_cond_t cond; /* a name came, or it ends */
  GQueue names;        /* of Name */
  gboolean ending;
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

/* ---- Names that requests made wrong --------------------------------------------------------- */

static Name *
pop (Notifier *notifier)
{
  pthread_mutex_lock (&notifier->mutex);
  while (notifier->names.length == 0 && !notifier->ending)
    pthread_cond_wait (&notifier->cond, &notifier->mutex);
  Name *name = notifier->ending ? NULL : g_queue_pop_head (&notifier->names);
  pthread_mutex_unlock (&notifier->mutex);
  return name;
}

static gpointer
run_names (gpointer data)
{
  Notifier *notifier = data;
  Name *name;
  while ((name = pop (notifier)) != NULL)
    {
      struct fuse_session *session = notifier->mount->session;
      if (name->name[0] != '\0')
        fuse_lowlevel_notify_inval_entry (session, name->ino, name->name, strlen (name->name));
      else
        fuse_lowlevel_notify_inval_inode (session, name->ino, 0, 0);
      g_free (name);
    }
  g_atomic_int_set (&notifier->names_ended, 1);
  return NULL;
}

void
notifier_forget_name (Notifier *notifier, fuse_ino_t directory, const char *name)
{
  Name *item = g_new0 (Name, 1);
  item->ino = directory;
  g_strlcpy (item->name, name, sizeof item->name);
  pthread_mutex_lock (&notifier->mutex);
  g_queue_push_tail (&notifier->names, item);
  pthread_cond_signal (&notifier->cond);
  pthread_mutex_unlock (&notifier->mutex);
}

void
notifier_forget_file (Notifier *notifier, fuse_ino_t ino)
{
  notifier_forget_name (notifier, ino, "");
}

/* ---- The threads ---------------------------------------------------------------------------- */

Notifier *
notifier_start (Mount *mount)
{
  Notifier *notifier = g_new0 (Notifier, 1);
  notifier->mount = mount;
  notifier->cancellable = g_cancellable_new ();
  pthread_mutex_init (&notifier->mutex, NULL);
  pthread_cond_init (&notifier->cond, NULL);
  g_queue_init (&notifier->names);
  notifier->names_thread = g_thread_new ("mount-names", run_names, notifier);
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
  pthread_mutex_lock (&notifier->mutex);
  notifier->ending = TRUE;
  pthread_cond_signal (&notifier->cond);
  pthread_mutex_unlock (&notifier->mutex);
  if (!thread_ended (&notifier->ended) || !thread_ended (&notifier->names_ended))
    return FALSE;
  g_thread_join (notifier->thread);
  g_thread_join (notifier->names_thread);
  g_queue_clear_full (&notifier->names, g_free);
  pthread_cond_destroy (&notifier->cond);
  pthread_mutex_destroy (&notifier->mutex);
  g_object_unref (notifier->cancellable);
  g_free (notifier);
  return TRUE;
}
