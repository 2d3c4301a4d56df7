/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * worker.c - the thread that runs lines: its jobs, what is cancelled, and how a text of several
 * lines is run
 *
 * What happens between lines is in worker-rest.c. */
#include "worker-private.h"

#include "eval-error.h"
#include "safe-text.h"

#include <string.h>

void
worker_outcome_free (WorkerOutcome *outcome)
{
  g_ptr_array_unref (outcome->lines);
  g_free (outcome->rest);
  g_free (outcome);
}

void
worker_facts_clear (WorkerFacts *facts)
{
  g_clear_pointer (&facts->mailbox, g_free);
}

/* ---- Running ----------------------------------------------------------------------------------
 */

static void
print_error (const GError *error)
{
  g_autofree char *safe = safe_text_dup (error->message, -1, SAFE_TEXT_LINE);

  fflush (stdout);
  if (error->domain == EVAL_ERROR)
    fprintf (stderr, "%s: %s\n", eval_error_kind (error), safe);
  else
    fprintf (stderr, "%s\n", safe);
}

/* How many lines with something in them there are. */
static guint
count_lines (char *const *lines)
{
  guint n = 0;

  for (; *lines != NULL; lines++)
    n += (*lines)[strspn (*lines, " \t\r")] != '\0';
  return n;
}

/* What follows a line that failed was meant for when it does not. */
static void
say_left (char *const *lines)
{
  guint n = count_lines (lines);

  if (n > 0)
    fprintf (stderr, "(%u line%s behind this %s not run)\n", n, n > 1 ? "s" : "",
             n > 1 ? "were" : "was");
}

static void
run_text (Worker *worker, const char *text, WorkerOutcome *outcome)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GString) unit = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL && !worker->shell->quit; i++)
    {
      g_autoptr (GError) error = NULL;

      if (unit->len > 0)
        g_string_append_c (unit, '\n');
      g_string_append (unit, g_strchomp (lines[i]));
      gboolean ok = shell_run (worker->shell, unit->str, &error);
      if (!ok && g_error_matches (error, EVAL_ERROR, EVAL_ERROR_INCOMPLETE))
        continue;
      if (unit->len > 0)
        g_ptr_array_add (outcome->lines, g_strdup (unit->str));
      g_string_truncate (unit, 0);
      if (ok)
        continue;
      print_error (error);
      say_left (lines + i + 1);
      break;
    }
  if (unit->len > 0)
    outcome->rest = g_strdup (unit->str);
}

/* The answer to what was cancelled still comes, and the next command would wait behind it without a
 * word. So it is waited for here, where Ctrl-C ends that by breaking the connection. */
static void
drain (Worker *worker)
{
  Shell *shell = worker->shell;
  g_autoptr (GError) error = NULL;

  if (shell->session == NULL || !rack_session_alive (shell->session)
      || !rack_session_rest (shell->session, FALSE))
    return;
  g_cancellable_reset (worker->line);
  g_atomic_int_set (&worker->draining, 1);
  g_autoptr (RackReply) reply =
      rack_session_run (shell->session, rack_command_new ("NOOP"), worker->line, &error);
  g_atomic_int_set (&worker->draining, 0);
  if (reply != NULL || !g_error_matches (error, RACK_ERROR, RACK_ERROR_CANCELLED))
    return;
  rack_session_break (shell->session);
  shell_notice (shell, "The connection was broken; it will be made again.");
}

/* Whether one of the lines has a command or call of these: " put " in front, ".append(" anywhere.
 */
static gboolean
mentions (const WorkerOutcome *outcome, const char *const *names)
{
  for (guint i = 0; i < outcome->lines->len; i++)
    {
      const char *line = g_ptr_array_index (outcome->lines, i);
      for (const char *const *at = names; *at != NULL; at++)
        if (**at == '.' ? strstr (line, *at) != NULL
                        : g_str_has_prefix (line + strspn (line, " "), *at))
          return TRUE;
    }
  return FALSE;
}

static void
draw_conclusions (Worker *worker, const WorkerOutcome *outcome)
{
  static const char *const listing[] = {
    "mkdir ", "rmdir ",          "rename",          "create_folder ",  "delete_folder ",
    "raw ",   ".create_folder(", ".delete_folder(", ".rename_folder(", NULL
  };

  if (!mentions (outcome, listing))
    return;
  pthread_mutex_lock (&worker->lock);
  worker->listed_at = 0;
  pthread_mutex_unlock (&worker->lock);
}

typedef struct
{
  Worker *worker;
  WorkerOutcome *outcome;
} Result;

static gboolean
hand_over (gpointer data)
{
  Result *result = data;

  result->worker->ops->ran (result->worker->data, result->outcome);
  return G_SOURCE_REMOVE;
}

static void
run (Worker *worker, const char *text)
{
  Shell *shell = worker->shell;
  WorkerOutcome *outcome = g_new0 (WorkerOutcome, 1);
  Result *result = g_new (Result, 1);

  outcome->lines = g_ptr_array_new_with_free_func (g_free);
  shell->cancellable = worker->line;
  worker->ops->begins (worker->data);
  run_text (worker, text, outcome);
  if (g_cancellable_is_cancelled (worker->line))
    drain (worker);
  outcome->quit = shell->quit;
  draw_conclusions (worker, outcome);
  worker_count (worker);
  worker->ops->ends (worker->data);
  shell->cancellable = worker->rest;
  *result = (Result){ worker, outcome };
  g_idle_add_full (G_PRIORITY_DEFAULT, hand_over, result, g_free);
}

/* ---- The thread -------------------------------------------------------------------------------
 */

static gpointer
work (gpointer data)
{
  Worker *worker = data;

  for (;;)
    {
      Job *job = worker_wait (worker);
      JobKind kind = job->kind;

      if (kind == JOB_RUN)
        run (worker, job->text);
      else if (kind == JOB_LIST)
        worker_fetch_list (worker);
      g_free (job->text);
      g_free (job);
      if (kind == JOB_END)
        return NULL;
    }
}

Worker *
worker_new (Shell *shell, const char *cache_dir, const WorkerOps *ops, gpointer data)
{
  Worker *worker = g_new0 (Worker, 1);

  worker->shell = shell;
  worker->cache_dir = g_strdup (cache_dir);
  worker->ops = ops;
  worker->data = data;
  worker->jobs = g_async_queue_new ();
  worker->line = g_object_ref (shell->cancellable);
  worker->rest = g_cancellable_new ();
  worker->mailboxes = g_ptr_array_new_with_free_func ((GDestroyNotify) rack_mailbox_info_free);
  worker->flags = g_ptr_array_new_with_free_func (g_free);
  pthread_mutex_init (&worker->lock, NULL);
  shell->cancellable = worker->rest;
  worker_publish (worker);
  worker->thread = g_thread_new ("lines", work, worker);
  return worker;
}

/* Whatever the worker waits for ends before it looks into the queue. */
static void
post (Worker *worker, JobKind kind, const char *text)
{
  Job *job = g_new (Job, 1);

  *job = (Job){ kind, g_strdup (text) };
  g_atomic_int_inc (&worker->n_posted);
  g_cancellable_cancel (worker->rest);
  g_async_queue_push (worker->jobs, job);
}

void
worker_free (Worker *worker)
{
  g_cancellable_cancel (worker->line);
  post (worker, JOB_END, NULL);
  g_thread_join (worker->thread);
  worker->shell->cancellable = worker->line; /* whose reference the shell has */
  g_async_queue_unref (worker->jobs);
  g_object_unref (worker->line);
  g_object_unref (worker->rest);
  g_ptr_array_unref (worker->mailboxes);
  g_ptr_array_unref (worker->flags);
  worker_facts_clear (&worker->facts);
  pthread_mutex_destroy (&worker->lock);
  g_free (worker->complaint);
  g_free (worker->cache_dir);
  g_free (worker);
}

void
worker_run (Worker *worker, const char *text)
{
  g_cancellable_reset (worker->line);
  post (worker, JOB_RUN, text);
}

void
worker_cancel (Worker *worker)
{
  g_cancellable_cancel (worker->line);
}

gboolean
worker_is_draining (Worker *worker)
{
  return g_atomic_int_get (&worker->draining) != 0;
}

/* ---- For completion ---------------------------------------------------------------------------
 */

gboolean
worker_list (Worker *worker, guint seconds)
{
  pthread_mutex_lock (&worker->lock);
  gboolean fresh = worker->listed_at > 0
                   && g_get_monotonic_time () - worker->listed_at < seconds * G_USEC_PER_SEC;
  gboolean ask = !fresh && !worker->is_listing;
  worker->is_listing |= ask;
  pthread_mutex_unlock (&worker->lock);
  if (ask)
    post (worker, JOB_LIST, NULL);
  return !fresh;
}

gboolean
worker_is_listing (Worker *worker)
{
  pthread_mutex_lock (&worker->lock);
  gboolean listing = worker->is_listing;
  pthread_mutex_unlock (&worker->lock);
  return listing;
}

GPtrArray *
worker_mailboxes (Worker *worker)
{
  pthread_mutex_lock (&worker->lock);
  GPtrArray *list = g_ptr_array_ref (worker->mailboxes);
  pthread_mutex_unlock (&worker->lock);
  return list;
}

GPtrArray *
worker_flags (Worker *worker)
{
  pthread_mutex_lock (&worker->lock);
  GPtrArray *flags = g_ptr_array_ref (worker->flags);
  pthread_mutex_unlock (&worker->lock);
  return flags;
}
