/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-exec.c - a command for what happens in mailboxes: gathered, and one at a time for each */
#include "watch-exec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "safe-text.h"

/* What comes on and on is handed over all the same. */
#define LATEST 10

/* A mailbox: what was gathered, and the command that runs for it. */
typedef struct
{
  WatchExec *exec;
  char *name;
  GString *lines;    /* JSON */
  GPtrArray *events; /* kinds in it, each once: borrowed from constants */
  GPtrArray *uids;
  char *from, *subject;
  guint count;
  gint64 first; /* monotonic time of the first event in it */
  GSource *timer;
  GPid child; /* 0: none */
  GSource *watch;
} Job;

struct WatchExec
{
  const char *const *argv;
  gint64 debounce; /* microseconds */
  GMainContext *context;
  GHashTable *jobs; /* name -> Job */
  gboolean flushing;
  int status;
  void (*idle) (gpointer data);
  gpointer idle_data;
};

static void schedule (Job *job);

/* ---- Gathering ------------------------------------------------------------------------------ */

static void
forget (Job *job)
{
  g_string_truncate (job->lines, 0);
  g_ptr_array_set_size (job->events, 0);
  g_ptr_array_set_size (job->uids, 0);
  g_clear_pointer (&job->from, g_free);
  g_clear_pointer (&job->subject, g_free);
  job->count = 0;
}

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
job_free (Job *job)
{
  drop_source (&job->timer);
  drop_source (&job->watch);
  forget (job);
  g_string_free (job->lines, TRUE);
  g_ptr_array_unref (job->events);
  g_ptr_array_unref (job->uids);
  g_free (job->name);
  g_free (job);
}

static Job *
find_job (WatchExec *exec, const char *mailbox)
{
  Job *job = g_hash_table_lookup (exec->jobs, mailbox);

  if (job != NULL)
    return job;
  job = g_new0 (Job, 1);
  job->exec = exec;
  job->name = g_strdup (mailbox);
  job->lines = g_string_new (NULL);
  job->events = g_ptr_array_new ();
  job->uids = g_ptr_array_new_with_free_func (g_free);
  g_hash_table_insert (exec->jobs, job->name, job);
  return job;
}

void
watch_exec_add (WatchExec *exec, const WatchFacts *facts)
{
  Job *job = find_job (exec, facts->mailbox);

  if (job->count++ == 0)
    job->first = g_get_monotonic_time ();
  g_string_append_printf (job->lines, "%s\n", facts->json);
  if (!g_ptr_array_find_with_equal_func (job->events, facts->event, g_str_equal, NULL))
    g_ptr_array_add (job->events, (gpointer) facts->event);
  if (facts->uid != NULL
      && !g_ptr_array_find_with_equal_func (job->uids, facts->uid, g_str_equal, NULL))
    g_ptr_array_add (job->uids, g_strdup (facts->uid));
  if (facts->from != NULL)
    {
      g_free (job->from);
      job->from = g_strdup (facts->from);
    }
  if (facts->subject != NULL)
    {
      g_free (job->subject);
      job->subject = g_strdup (facts->subject);
    }
  schedule (job);
}

/* ---- Running ----------------------------------------------------------------------------------
 */

static void
note_failure (WatchExec *exec, int status, const char *why)
{
  g_autofree char *safe = safe_text_dup (why, -1, SAFE_TEXT_LINE);

  exec->status = status;
  fprintf (stderr, "mailrack watch: %s: %s\n", exec->argv[0], safe);
}

static void
tell_idle (WatchExec *exec)
{
  if (exec->idle != NULL && watch_exec_is_idle (exec))
    exec->idle (exec->idle_data);
}

static void
child_ended (GPid child, int status, gpointer data)
{
  Job *job = data;
  g_autoptr (GError) problem = NULL;

  if (!g_spawn_check_wait_status (status, &problem))
    note_failure (job->exec, WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status),
                  problem->message);
  g_spawn_close_pid (child);
  job->child = 0;
  drop_source (&job->watch);
  if (job->count > 0)
    schedule (job);
  tell_idle (job->exec);
}

/* All of it in a file in memory: a command that does not read cannot hold anybody up. */
static int
open_input (const Job *job)
{
  int fd = memfd_create ("mailrack-watch", MFD_CLOEXEC);
  gsize at = 0;

  while (fd >= 0 && at < job->lines->len)
    {
      gssize n = write (fd, job->lines->str + at, job->lines->len - at);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          close (fd);
          return -1;
        }
      at += (gsize) n;
    }
  if (fd >= 0)
    lseek (fd, 0, SEEK_SET);
  return fd;
}

static char *
joined (GPtrArray *words, const char *separator)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < words->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? separator : "", (const char *) words->pdata[i]);
  return g_string_free (text, FALSE);
}

static char **
make_environment (const Job *job)
{
  char **environment = g_get_environ ();
  g_autofree char *events = joined (job->events, " ");
  g_autofree char *uids = joined (job->uids, ",");
  g_autofree char *count = g_strdup_printf ("%u", job->count);
  const char *last = job->uids->len > 0 ? job->uids->pdata[job->uids->len - 1] : "";
  const struct
  {
    const char *name, *value;
  } facts[] = {
    { "MAILRACK_MAILBOX", job->name },
    { "MAILRACK_EVENT", events },
    { "MAILRACK_COUNT", count },
    { "MAILRACK_UID", last },
    { "MAILRACK_UIDS", uids },
    { "MAILRACK_FROM", job->from },
    { "MAILRACK_SUBJECT", job->subject },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (facts); i++)
    environment = g_environ_setenv (environment, facts[i].name,
                                    facts[i].value != NULL ? facts[i].value : "", TRUE);
  return environment;
}

static void
run (Job *job)
{
  WatchExec *exec = job->exec;
  g_auto (GStrv) environment = make_environment (job);
  g_autoptr (GError) problem = NULL;
  int input = open_input (job);

  if (input < 0)
    note_failure (exec, 127, g_strerror (errno));
  else if (!g_spawn_async_with_fds (NULL, (char **) exec->argv, environment,
                                    G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                    &job->child, input, -1, -1, &problem))
    note_failure (exec, 127, problem->message);
  if (input >= 0)
    close (input);
  forget (job);
  if (job->child == 0)
    {
      tell_idle (exec);
      return;
    }
  job->watch = g_child_watch_source_new (job->child);
  g_source_set_callback (job->watch, G_SOURCE_FUNC (child_ended), job, NULL);
  g_source_attach (job->watch, exec->context);
}

static gboolean
is_due (gpointer data)
{
  Job *job = data;

  drop_source (&job->timer);
  if (job->count > 0 && job->child == 0)
    run (job);
  return G_SOURCE_REMOVE;
}

/* After the last event by so long, but not for ever; behind the command that still runs. */
static void
schedule (Job *job)
{
  WatchExec *exec = job->exec;
  gint64 now = g_get_monotonic_time ();
  gint64 due = MIN (now + exec->debounce, job->first + LATEST * exec->debounce);

  drop_source (&job->timer);
  if (job->child != 0)
    return;
  job->timer = g_timeout_source_new (exec->flushing ? 0 : (guint) (MAX (due - now, 0) / 1000));
  g_source_set_callback (job->timer, is_due, job, NULL);
  g_source_attach (job->timer, exec->context);
}

/* ---- Life ---------------------------------------------------------------------------------------
 */

WatchExec *
watch_exec_new (const char *const *argv, gint64 debounce, GMainContext *context)
{
  WatchExec *exec = g_new0 (WatchExec, 1);

  exec->argv = argv;
  exec->debounce = debounce * 1000;
  exec->context = context;
  exec->jobs = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) job_free);
  return exec;
}

void
watch_exec_on_idle (WatchExec *exec, void (*idle) (gpointer data), gpointer data)
{
  exec->idle = idle;
  exec->idle_data = data;
}

void
watch_exec_flush (WatchExec *exec)
{
  GHashTableIter iter;
  gpointer job;

  exec->flushing = TRUE;
  g_hash_table_iter_init (&iter, exec->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &job))
    if (((Job *) job)->count > 0)
      schedule (job);
}

gboolean
watch_exec_is_idle (WatchExec *exec)
{
  GHashTableIter iter;
  gpointer job;

  g_hash_table_iter_init (&iter, exec->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &job))
    if (((Job *) job)->count > 0 || ((Job *) job)->child != 0)
      return FALSE;
  return TRUE;
}

int
watch_exec_status (WatchExec *exec)
{
  return exec->status;
}

void
watch_exec_free (WatchExec *exec)
{
  if (exec == NULL)
    return;
  g_hash_table_unref (exec->jobs);
  g_free (exec);
}
