/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * trace.c - the wire, written down: C: for what we send, S: for what comes
 *
 * Secrets never get here: conn.c only says that there was one. */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct RackTrace
{
  gint references;
  pthread_mutex_t lock;
  gint is_on; /* whether there is a file, known without the lock */
  FILE *file; /* NULL: off */
  char last;  /* whose line was begun and not ended: 'C', 'S' or 0 */
};

RackTrace *
rack_trace_new (void)
{
  RackTrace *trace = g_new0 (RackTrace, 1);

  trace->references = 1;
  pthread_mutex_init (&trace->lock, NULL);
  return trace;
}

gboolean
rack_trace_open (RackTrace *trace, const char *path, GError **error)
{
  int fd =
      path != NULL ? open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;

  if (path != NULL && fd < 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "cannot write the trace %s: %s", path,
                   g_strerror (errno));
      return FALSE;
    }
  FILE *file = fd >= 0 ? fdopen (fd, "a") : NULL;
  pthread_mutex_lock (&trace->lock);
  FILE *old = trace->file;
  trace->file = file;
  trace->last = 0;
  g_atomic_int_set (&trace->is_on, file != NULL);
  pthread_mutex_unlock (&trace->lock);
  if (old != NULL)
    fclose (old);
  return TRUE;
}

RackTrace *
rack_trace_ref (RackTrace *trace)
{
  g_atomic_int_inc (&trace->references);
  return trace;
}

void
rack_trace_unref (RackTrace *trace)
{
  if (trace == NULL || !g_atomic_int_dec_and_test (&trace->references))
    return;
  if (trace->file != NULL)
    fclose (trace->file);
  pthread_mutex_destroy (&trace->lock);
  g_free (trace);
}

void
rack_trace_write (RackTrace *trace, char who, RackStr bytes)
{
  const char *at = bytes.data, *end = bytes.data + bytes.size;

  if (!g_atomic_int_get (&trace->is_on))
    return;
  pthread_mutex_lock (&trace->lock);
  if (trace->file == NULL)
    at = end;
  else if (trace->last != 0 && trace->last != who)
    fputs ("\\\n", trace->file);
  while (at < end)
    {
      const char *newline = memchr (at, '\n', (gsize) (end - at));
      const char *stop = newline != NULL ? newline + 1 : end;
      if (trace->last != who)
        fprintf (trace->file, "%c: ", who);
      fwrite (at, 1, (gsize) (stop - at), trace->file);
      trace->last = newline != NULL ? 0 : who;
      at = stop;
    }
  fflush (trace->file);
  pthread_mutex_unlock (&trace->lock);
}

void
rack_trace_secret (RackTrace *trace)
{
  static const char text[] = "<secret>"; /* not even its size */

  rack_trace_write (trace, 'C', (RackStr){ text, sizeof text - 1 });
}
