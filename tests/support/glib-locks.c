/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * glib-locks.c - tells ThreadSanitizer what GLib's locks and references order
 *
 * Debian's GLib is not instrumented: its mutexes are atomic operations and futexes that the
 * sanitizer cannot see, so whatever GIO and GObject do under them looks like a race. scripts/tsan
 * links this library in front of GLib's; each function here is GLib's own, with the order that it
 * makes said. What libglib does inside of itself (its main loop's queues, its thread pool) does not
 * come by here. No lock of ours: those are pthread's. */
#include <dlfcn.h>
#include <gio/gio.h>

/* Absent in a program that is not instrumented. */
void __tsan_acquire (void *address) __attribute__ ((weak));
void __tsan_release (void *address) __attribute__ ((weak));

/* GLib's function of that name, looked for once. */
#define REAL(name)                                                                                 \
  ({                                                                                               \
    static gpointer found;                                                                         \
    gpointer real = g_atomic_pointer_get (&found);                                                 \
    if (real == NULL)                                                                              \
      g_atomic_pointer_set (&found, real = dlsym (RTLD_NEXT, #name));                              \
    (__typeof__ (&name)) real;                                                                     \
  })

static void
acquire (gconstpointer address)
{
  if (__tsan_acquire != NULL)
    __tsan_acquire ((void *) address);
}

static void
release (gconstpointer address)
{
  if (__tsan_release != NULL)
    __tsan_release ((void *) address);
}

void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock) (mutex);
  acquire (mutex);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean locked = REAL (g_mutex_trylock) (mutex);
  if (locked)
    acquire (mutex);
  return locked;
}

void
g_mutex_unlock (GMutex *mutex)
{
  release (mutex);
  REAL (g_mutex_unlock) (mutex);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  release (mutex);
  REAL (g_cond_wait) (cond, mutex);
  acquire (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  release (mutex);
  gboolean signalled = REAL (g_cond_wait_until) (cond, mutex, end_time);
  acquire (mutex);
  return signalled;
}

/* The last reference to go frees what the others had in hand. */
void
g_object_unref (gpointer object)
{
  release (object);
  acquire (object);
  REAL (g_object_unref) (object);
}

/* What was made before it was pushed is there for who pops it. */
void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  release (queue);
  REAL (g_async_queue_push) (queue, data);
}

gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer data = REAL (g_async_queue_pop) (queue);
  acquire (queue);
  return data;
}

gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  gpointer data = REAL (g_async_queue_try_pop) (queue);
  acquire (queue);
  return data;
}

gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout)
{
  gpointer data = REAL (g_async_queue_timeout_pop) (queue, timeout);
  acquire (queue);
  return data;
}

void
g_async_queue_unref (GAsyncQueue *queue)
{
  release (queue);
  acquire (queue);
  REAL (g_async_queue_unref) (queue);
}

void
g_atomic_rc_box_release_full (gpointer box, GDestroyNotify clear)
{
  release (box);
  acquire (box);
  REAL (g_atomic_rc_box_release_full) (box, clear);
}
