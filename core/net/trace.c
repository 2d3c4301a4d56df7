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
  FILE *file;
  char last; /* whose line was begun and not ended: 'C', 'S' or 0 */
};

RackTrace *
rack_trace_new (const char *path, GError **error)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "cannot write the trace %s: %s", path,
                   g_strerror (errno));
      return NULL;
    }
  RackTrace *trace = g_new0 (RackTrace, 1);
  trace->references = 1;
  trace->file = fdopen (fd, "a");
  pthread_mutex_init (&trace->lock, NULL);
  return trace;
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
  fclose (trace->file);
  pthread_mutex_destroy (&trace->lock);
  g_free (trace);
}

void
rack_trace_write (RackTrace *trace, char who, RackStr bytes)
{
  const char *at = bytes.data, *end = bytes.data + bytes.size;

  pthread_mutex_lock (&trace->lock);
  if (trace->last != 0 && trace->last != who)
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
