/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cache-loads.c - mailboxes that a mount loads for the first time, shown to people
 *
 * The mount writes into its cache how many messages there will be; how many there are can be
 * counted. So this needs no mount point, and also shows what a mount that was killed has left. */
#include "cache-loads.h"

#include "progress.h"
#include "safe-text.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW  250000 /* microseconds */
/* So long without a message more: nobody goes on with it. Microseconds. */
#define STALL   (20 * G_USEC_PER_SEC)
#define COLUMNS 80

static volatile sig_atomic_t interrupted;

static void
on_interrupt (int signal)
{
  interrupted = 1;
}

/* 0: it is no terminal. */
static guint
columns_of (int fd)
{
  struct winsize size;
  if (!isatty (fd))
    return 0;
  return ioctl (fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS;
}

static void
print_loads (const RackCacheFacts *facts)
{
  for (guint i = 0; i < facts->n_loads; i++)
    {
      const RackCacheLoad *load = &facts->loads[i];
      g_autofree char *name = safe_text_dup (load->mailbox, -1, SAFE_TEXT_LINE);
      guint64 have = MIN (load->messages, load->expected);
      printf ("  %s  %s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " messages (%u%%)\n",
              facts->holder != NULL ? "loading  " : "loaded   ", name, have, load->expected,
              (guint) (100 * have / load->expected));
    }
}

/* ---- Live ----------------------------------------------------------------------------- */

typedef struct
{
  gint64 began;  /* monotonic */
  guint64 first; /* how many there were then */
  gint64 moved;  /* monotonic: when there were more last */
  guint64 last;
} Watch;

static void
sum (const RackCacheFacts *facts, guint64 *have, guint64 *want)
{
  *have = *want = 0;
  for (guint i = 0; i < facts->n_loads; i++)
    {
      *have += MIN (facts->loads[i].messages, facts->loads[i].expected);
      *want += facts->loads[i].expected;
    }
}

static void
draw (Watch *watch, const RackCacheFacts *facts, guint columns)
{
  guint64 have, want;
  gint64 now = g_get_monotonic_time ();
  sum (facts, &have, &want);
  double seconds = (double) (now - watch->began) / G_USEC_PER_SEC;
  if (have != watch->last)
    watch->moved = now;
  watch->last = have;
  guint64 done = have - MIN (have, watch->first);
  g_autofree char *label =
      facts->n_loads == 1
          ? g_strdup (facts->loads[0].mailbox)
          : g_strdup_printf ("%s and %u more", facts->loads[0].mailbox, facts->n_loads - 1);
  g_autofree char *line = progress_line (
      label, have, want, seconds > 0.5 ? (guint64) ((double) done / seconds) : 0, columns);
  printf ("\r\033[K%s", line);
  fflush (stdout);
}

/* Until nothing is loaded any more, by nobody or because all is here. */
static gboolean
watch_loads (RackAccount *account, const char *cache_dir, RackCacheFacts *facts, GError **error)
{
  gint64 began = g_get_monotonic_time ();
  Watch watch = { .began = began, .moved = began };
  guint64 want;
  guint columns;
  gboolean ok = TRUE;
  sum (facts, &watch.first, &want);
  while (ok && !interrupted && facts->n_loads > 0 && facts->holder != NULL
         && g_get_monotonic_time () - watch.moved < STALL
         && (columns = columns_of (STDOUT_FILENO)) > 0)
    {
      draw (&watch, facts, columns);
      g_usleep (REDRAW);
      rack_cache_facts_clear (facts);
      ok = rack_cache_size (account, cache_dir, facts, error);
    }
  fputs ("\r\033[K", stdout);
  if (ok && facts->n_loads == 0)
    printf ("  loaded     %" G_GUINT64_FORMAT " messages\n", facts->messages);
  else if (ok)
    print_loads (facts);
  fflush (stdout);
  return ok;
}

gboolean
cache_loads_show (RackAccount *account, const char *cache_dir, const RackCacheFacts *facts,
                  GError **error)
{
  struct sigaction ours = { .sa_handler = on_interrupt }, before;
  g_auto (RackCacheFacts) now = { 0 };
  if (facts->n_loads == 0)
    return TRUE;
  if (facts->holder == NULL || columns_of (STDOUT_FILENO) == 0)
    {
      print_loads (facts);
      return TRUE;
    }
  if (!rack_cache_size (account, cache_dir, &now, error))
    return FALSE;
  sigaction (SIGINT, &ours, &before);
  gboolean ok = watch_loads (account, cache_dir, &now, error);
  sigaction (SIGINT, &before, NULL);
  return ok;
}
