/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * netwatch.c - clocks that jump, and what the kernel says of the network
 *
 * CLOCK_BOOTTIME goes on while the machine sleeps and CLOCK_MONOTONIC does not. A timer of
 * the former is due at once after a sleep; then the clocks are compared. */
#include "netwatch.h"

#include "routes.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* How often the clocks are compared while the machine is awake, seconds. */
#define PERIOD    10
/* What is no jump: the machine slept so long, the clock was set so far, or we did not run for so
 * long (stopped, or a virtual machine was), microseconds. */
#define SLEPT_MIN (2 * G_USEC_PER_SEC)
#define SET_MIN   (30 * G_USEC_PER_SEC)
#define AWAY_MIN  (60 * G_USEC_PER_SEC)
/* One change comes as many messages: so long after the first it is told, milliseconds. */
#define CALM      500
/* And told no more often than so, microseconds; containers come and go. */
#define AGAIN     (5 * G_USEC_PER_SEC)

typedef struct
{
  guint id;
  RackNetwatchFunc func;
  gpointer data;
} Listener;

typedef struct
{
  gint64 boot, real, monotonic; /* microseconds */
} Clocks;

struct RackNetwatch
{
  pthread_t thread;
  int wake;           /* eventfd: the thread is to end */
  int timer;          /* timerfd, or -1 */
  RackRoutes *routes; /* NULL: not to be heard of */
  Clocks clocks;
  gint64 told; /* monotonic */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  /* Guarded by lock. */
  GArray *listeners; /* of Listener */
  guint last_id;
  guint64 n_told;
  gboolean telling;
};

/* ---- Who is told ------------------------------------------------------------------------ */

guint
rack_netwatch_add (RackNetwatch *watch, RackNetwatchFunc func, gpointer data)
{
  pthread_mutex_lock (&watch->lock);
  Listener listener = { ++watch->last_id, func, data };
  g_array_append_val (watch->listeners, listener);
  pthread_mutex_unlock (&watch->lock);
  return listener.id;
}

void
rack_netwatch_remove (RackNetwatch *watch, guint id)
{
  pthread_mutex_lock (&watch->lock);
  while (watch->telling)
    pthread_cond_wait (&watch->changed, &watch->lock);
  for (guint i = 0; i < watch->listeners->len; i++)
    if (g_array_index (watch->listeners, Listener, i).id == id)
      {
        g_array_remove_index_fast (watch->listeners, i);
        break;
      }
  pthread_mutex_unlock (&watch->lock);
}

static void
tell (RackNetwatch *watch)
{
  pthread_mutex_lock (&watch->lock);
  g_autoptr (GArray) now = g_array_copy (watch->listeners);
  watch->telling = TRUE;
  pthread_mutex_unlock (&watch->lock);
  for (guint i = 0; i < now->len; i++)
    {
      const Listener *listener = &g_array_index (now, Listener, i);
      listener->func (listener->data);
    }
  pthread_mutex_lock (&watch->lock);
  watch->telling = FALSE;
  watch->n_told++;
  pthread_cond_broadcast (&watch->changed);
  pthread_mutex_unlock (&watch->lock);
}

static void
wake (GCancellable *cancellable, gpointer data)
{
  RackNetwatch *watch = data;

  pthread_mutex_lock (&watch->lock);
  pthread_cond_broadcast (&watch->changed);
  pthread_mutex_unlock (&watch->lock);
}

gboolean
rack_netwatch_wait (RackNetwatch *watch, guint64 *seen, GCancellable *cancellable)
{
  gulong handler =
      cancellable != NULL ? g_cancellable_connect (cancellable, G_CALLBACK (wake), watch, NULL) : 0;

  pthread_mutex_lock (&watch->lock);
  while (watch->n_told == *seen && !g_cancellable_is_cancelled (cancellable))
    pthread_cond_wait (&watch->changed, &watch->lock);
  gboolean happened = watch->n_told != *seen;
  *seen = watch->n_told;
  pthread_mutex_unlock (&watch->lock);
  if (handler != 0)
    g_cancellable_disconnect (cancellable, handler);
  return happened;
}

/* ---- What is heard ---------------------------------------------------------------------- */

static gint64
read_clock (clockid_t id)
{
  struct timespec now = { 0 };

  clock_gettime (id, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static Clocks
read_clocks (void)
{
  return (Clocks){ read_clock (CLOCK_BOOTTIME), read_clock (CLOCK_REALTIME),
                   read_clock (CLOCK_MONOTONIC) };
}

/* Compares with the last time. */
static gboolean
clocks_jumped (RackNetwatch *watch)
{
  Clocks now = read_clocks ();
  gint64 ran = now.monotonic - watch->clocks.monotonic;
  gint64 slept = now.boot - watch->clocks.boot - ran;
  gint64 set = now.real - watch->clocks.real - ran;

  watch->clocks = now;
  return slept >= SLEPT_MIN || ABS (set) >= SET_MIN || ran >= AWAY_MIN;
}

/* Waits. Returns: whether something happened. *ending: the thread is to end. */
static gboolean
listen_once (RackNetwatch *watch, int wait, gboolean *ending)
{
  guint64 ticks;
  gboolean changed = FALSE;
  struct pollfd fds[] = {
    { .fd = watch->wake, .events = POLLIN },
    { .fd = watch->timer, .events = POLLIN },
    { .fd = watch->routes != NULL ? rack_routes_fd (watch->routes) : -1, .events = POLLIN },
  };

  if (poll (fds, G_N_ELEMENTS (fds), wait) <= 0)
    return FALSE;
  *ending = fds[0].revents != 0;
  if (fds[1].revents != 0 && read (watch->timer, &ticks, sizeof ticks) > 0)
    changed = clocks_jumped (watch);
  if (fds[2].revents != 0)
    changed |= rack_routes_take (watch->routes);
  return changed;
}

static void *
run (void *data)
{
  RackNetwatch *watch = data;
  gboolean ending = FALSE;
  gint64 due = 0; /* when it is to be told; 0: nothing happened */

  while (!ending)
    {
      gint64 now = read_clock (CLOCK_MONOTONIC);
      if (due != 0 && due <= now)
        {
          due = 0;
          watch->told = now;
          tell (watch);
        }
      else if (listen_once (watch, due != 0 ? (int) ((due - now) / 1000 + 1) : -1, &ending)
               && due == 0)
        due = MAX (read_clock (CLOCK_MONOTONIC) + CALM * 1000, watch->told + AGAIN);
    }
  return NULL;
}

/* ---- Life ------------------------------------------------------------------------------- */

RackNetwatch *
rack_netwatch_new (void)
{
  RackNetwatch *watch = g_new0 (RackNetwatch, 1);
  struct itimerspec period = { { PERIOD, 0 }, { PERIOD, 0 } };

  watch->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  watch->timer = timerfd_create (CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (watch->timer >= 0)
    timerfd_settime (watch->timer, 0, &period, NULL);
  watch->routes = rack_routes_new ();
  watch->clocks = read_clocks ();
  watch->told = watch->clocks.monotonic - AGAIN;
  watch->listeners = g_array_new (FALSE, FALSE, sizeof (Listener));
  pthread_mutex_init (&watch->lock, NULL);
  pthread_cond_init (&watch->changed, NULL);
  if (pthread_create (&watch->thread, NULL, run, watch) != 0)
    g_error ("cannot start a thread: out of memory or processes");
  return watch;
}

void
rack_netwatch_free (RackNetwatch *watch)
{
  guint64 one = 1;

  if (watch == NULL)
    return;
  while (write (watch->wake, &one, sizeof one) < 0)
    ;
  pthread_join (watch->thread, NULL);
  close (watch->wake);
  if (watch->timer >= 0)
    close (watch->timer);
  rack_routes_free (watch->routes);
  g_array_unref (watch->listeners);
  pthread_cond_destroy (&watch->changed);
  pthread_mutex_destroy (&watch->lock);
  g_free (watch);
}
