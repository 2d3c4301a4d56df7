/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * jobs.h - a few threads that work off a queue
 *
 * Not GThreadPool, whose queue ThreadSanitizer cannot see into (see waiting.h).
 */
#pragma once

#include <glib.h>

typedef struct RackJobs RackJobs;
typedef void (*RackJobFunc) (gpointer data);

/* name: of the threads, at most 15 characters. */
RackJobs *rack_jobs_new (guint threads, const char *name);
/* urgent: before all that is not. Does nothing after rack_jobs_end(). */
void rack_jobs_push (RackJobs *jobs, RackJobFunc func, gpointer data, gboolean urgent);
/* Runs what is still queued (its functions notice by themselves that it is over) and ends the
 * threads. */
void rack_jobs_end (RackJobs *jobs);
/* Ends them if need be. Nobody may push any more. */
void rack_jobs_free (RackJobs *jobs);
