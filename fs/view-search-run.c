/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-search-run.c - running a query in the mailboxes, and what it found
 *
 * A query is asked of a few mailboxes at a time, for a bounded time, and by one program
 * however many want to know; half an answer is none. What was found is remembered for
 * some seconds: a listing is followed by a lookup of each name.
 */
#include "search.h"

#include <errno.h>
#include <string.h>

#define THREADS    4
#define SECONDS    60 /* for a whole search */
#define REMEMBERED 32 /* queries */
/* How old a result may be, for a listing and for a name in it; microseconds. */
#define FRESH      (5 * G_USEC_PER_SEC)
#define KNOWN      (60 * G_USEC_PER_SEC)

/* What was found in one mailbox. */
typedef struct
{
  RackFolder *folder;
  guint32 row;
  RackSet *uids; /* NULL: nothing */
} Box;

struct SearchResult
{
  gint refs; /* atomic */
  Box *boxes;
  guint n;
};

typedef struct
{
  SearchResult *result; /* NULL: none yet */
  gint64 made;          /* monotonic */
  guint64 generation;   /* of what was known then */
  gboolean running;
} Slot;

struct Searches
{
  RackMirror *mirror;
  SearchKept *kept;
  pthread_mutex_t mutex;
  pthread_cond_t cond; /* a search has ended, or one that waits for it was cancelled */
  GHashTable *slots;   /* name -> Slot */
  guint64 generation;
  struct timespec changed;
  char *refusal;
};

/* ---- Results --------------------------------------------------------------------------- */

static SearchResult *
result_new (const GPtrArray *folders)
{
  SearchResult *result = g_new0 (SearchResult, 1);
  result->refs = 1;
  result->n = folders->len;
  result->boxes = g_new0 (Box, folders->len);
  for (guint i = 0; i < folders->len; i++)
    result->boxes[i].folder = folders->pdata[i];
  return result;
}

void
search_result_unref (SearchResult *result)
{
  if (result == NULL || !g_atomic_int_dec_and_test (&result->refs))
    return;
  for (guint i = 0; i < result->n; i++)
    rack_set_free (result->boxes[i].uids);
  g_free (result->boxes);
  g_free (result);
}

static void
each_uid (const Box *box, guint32 first, guint32 last,
          void (*func) (const RackFound *found, gpointer data), gpointer data)
{
  for (guint64 uid = first; uid <= last; uid++)
    {
      RackEntry entry;
      RackFolderFacts facts;
      rack_folder_facts (box->folder, &facts);
      if (facts.row != box->row || !rack_folder_find (box->folder, (guint32) uid, &entry))
        continue;
      RackFound found = { box->folder, box->row, entry.uid, entry.date, "" };
      g_strlcpy (found.name, entry.name, sizeof found.name);
      func (&found, data);
    }
}

void
search_result_each (const SearchResult *result, guint32 uid,
                    void (*func) (const RackFound *found, gpointer data), gpointer data)
{
  for (guint i = 0; i < result->n; i++)
    {
      const Box *box = &result->boxes[i];
      if (box->uids == NULL)
        continue;
      if (uid != 0)
        {
          if (rack_set_contains (box->uids, uid))
            each_uid (box, uid, uid, func, data);
          continue;
        }
      RackRanges ranges = rack_set_ranges (box->uids);
      for (gsize r = 0; r < ranges.n; r++)
        each_uid (box, ranges.items[r].first, ranges.items[r].last, func, data);
    }
}

/* ---- Running ----------------------------------------------------------------------------- */

typedef struct
{
  const SearchQuery *query;
  SearchResult *result;
  GCancellable *cancellable;
  pthread_mutex_t mutex;
  pthread_cond_t cond; /* a thread has ended */
  guint next;          /* the mailbox that nobody has taken yet */
  guint threads;       /* that run */
  GError *error;       /* the first */
} Run;

/* A mailbox that went meanwhile has nothing to be found. */
static gboolean
is_no_failure (const GError *problem)
{
  return g_error_matches (problem, RACK_ERROR, RACK_ERROR_NOT_FOUND)
         || g_error_matches (problem, RACK_ERROR, RACK_ERROR_STALE);
}

static void
search_box (Run *run, guint number)
{
  g_autoptr (GError) problem = NULL;
  Box *box = &run->result->boxes[number];
  box->uids =
      rack_folder_search (box->folder, run->query->criteria, &box->row, run->cancellable, &problem);
  if (box->uids != NULL || is_no_failure (problem))
    return;
  pthread_mutex_lock (&run->mutex);
  if (run->error == NULL)
    run->error = g_steal_pointer (&problem);
  pthread_mutex_unlock (&run->mutex);
  g_cancellable_cancel (run->cancellable);
}

static void *
run_thread (void *data)
{
  Run *run = data;
  pthread_mutex_lock (&run->mutex);
  while (run->next < run->result->n && !g_cancellable_is_cancelled (run->cancellable))
    {
      guint number = run->next++;
      pthread_mutex_unlock (&run->mutex);
      search_box (run, number);
      pthread_mutex_lock (&run->mutex);
    }
  run->threads--;
  pthread_cond_signal (&run->cond);
  pthread_mutex_unlock (&run->mutex);
  return NULL;
}

/* FALSE: it took too long, and was ended. */
static gboolean
wait_for_threads (Run *run)
{
  struct timespec deadline;
  gboolean in_time = TRUE;
  clock_gettime (CLOCK_REALTIME, &deadline);
  deadline.tv_sec += SECONDS;
  pthread_mutex_lock (&run->mutex);
  while (run->threads > 0 && in_time)
    in_time = pthread_cond_timedwait (&run->cond, &run->mutex, &deadline) != ETIMEDOUT;
  pthread_mutex_unlock (&run->mutex);
  if (!in_time)
    g_cancellable_cancel (run->cancellable);
  return in_time;
}

static void
cancel_run (GCancellable *cancellable, gpointer other)
{
  g_cancellable_cancel (other);
}

/* Returns: (owned) NULL with error set. */
static SearchResult *
run_query (const SearchQuery *query, GCancellable *cancellable, GError **error)
{
  Run run = { .query = query, .result = result_new (query->folders) };
  pthread_t threads[THREADS];
  guint n = 0;
  pthread_mutex_init (&run.mutex, NULL);
  pthread_cond_init (&run.cond, NULL);
  run.cancellable = g_cancellable_new ();
  gulong id = g_cancellable_connect (cancellable, G_CALLBACK (cancel_run), run.cancellable, NULL);
  pthread_mutex_lock (&run.mutex);
  while (n < MIN (THREADS, query->folders->len)
         && pthread_create (&threads[n], NULL, run_thread, &run) == 0)
    n++;
  run.threads = n;
  pthread_mutex_unlock (&run.mutex);
  gboolean in_time = wait_for_threads (&run);
  for (guint i = 0; i < n; i++)
    pthread_join (threads[i], NULL);
  g_cancellable_disconnect (cancellable, id);
  if (!in_time)
    g_set_error (error, RACK_ERROR, RACK_ERROR_TIMEOUT, "the server took more than %d seconds",
                 SECONDS);
  else if (g_cancellable_is_cancelled (cancellable))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "interrupted");
  else if (run.error != NULL)
    g_propagate_error (error, g_steal_pointer (&run.error));
  else if (n == 0 && query->folders->len > 0)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_IO, "no thread can be started");
  else
    id = 0;
  g_clear_error (&run.error);
  g_object_unref (run.cancellable);
  pthread_cond_destroy (&run.cond);
  pthread_mutex_destroy (&run.mutex);
  if (id == 0)
    return run.result;
  search_result_unref (run.result);
  return NULL;
}

/* ---- What is remembered ------------------------------------------------------------------- */

static void
slot_free (gpointer data)
{
  search_result_unref (((Slot *) data)->result);
  g_free (data);
}

Searches *
searches_new (RackMirror *mirror)
{
  Searches *searches = g_new0 (Searches, 1);
  searches->mirror = mirror;
  searches->kept = search_kept_new (mirror);
  pthread_mutex_init (&searches->mutex, NULL);
  pthread_cond_init (&searches->cond, NULL);
  searches->slots = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, slot_free);
  clock_gettime (CLOCK_REALTIME, &searches->changed);
  return searches;
}

void
searches_free (Searches *searches)
{
  g_hash_table_unref (searches->slots);
  pthread_cond_destroy (&searches->cond);
  pthread_mutex_destroy (&searches->mutex);
  search_kept_free (searches->kept);
  g_free (searches->refusal);
  g_free (searches);
}

SearchKept *
searches_kept (Searches *searches)
{
  return searches->kept;
}

void
searches_expire (Searches *searches)
{
  pthread_mutex_lock (&searches->mutex);
  searches->generation++;
  clock_gettime (CLOCK_REALTIME, &searches->changed);
  pthread_mutex_unlock (&searches->mutex);
}

struct timespec
searches_changed (Searches *searches)
{
  pthread_mutex_lock (&searches->mutex);
  struct timespec changed = searches->changed;
  pthread_mutex_unlock (&searches->mutex);
  return changed;
}

char *
searches_refusal (Searches *searches)
{
  pthread_mutex_lock (&searches->mutex);
  char *refusal = g_strdup (searches->refusal);
  pthread_mutex_unlock (&searches->mutex);
  return refusal;
}

void
searches_note_refusal (Searches *searches, const char *name, const GError *error)
{
  g_autofree char *text = g_strdup_printf ("%s: %s", name, error->message);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  for (char *p = valid; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      *p = ' ';
  pthread_mutex_lock (&searches->mutex);
  g_free (searches->refusal);
  searches->refusal = g_steal_pointer (&valid);
  pthread_mutex_unlock (&searches->mutex);
}

/* With the mutex held. */
static SearchResult *
find_remembered (Searches *searches, const char *name, gboolean fresh)
{
  const Slot *slot = g_hash_table_lookup (searches->slots, name);
  if (slot == NULL || slot->result == NULL)
    return NULL;
  gint64 age = g_get_monotonic_time () - slot->made;
  if (fresh ? age > FRESH || slot->generation != searches->generation : age > KNOWN)
    return NULL;
  g_atomic_int_inc (&slot->result->refs);
  return slot->result;
}

static gboolean
is_older (const Slot *slot, const Slot *other)
{
  return !slot->running && (other == NULL || slot->made < other->made);
}

/* With the mutex held. Returns: the slot of name, made if need be at the cost of the oldest. */
static Slot *
need_slot (Searches *searches, const char *name)
{
  GHashTableIter iter;
  gpointer key, value, oldest_key = NULL;
  const Slot *oldest = NULL;
  Slot *slot = g_hash_table_lookup (searches->slots, name);
  if (slot != NULL)
    return slot;
  g_hash_table_iter_init (&iter, searches->slots);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (is_older (value, oldest))
      {
        oldest = value;
        oldest_key = key;
      }
  if (g_hash_table_size (searches->slots) >= REMEMBERED && oldest_key != NULL)
    g_hash_table_remove (searches->slots, oldest_key);
  slot = g_new0 (Slot, 1);
  g_hash_table_insert (searches->slots, g_strdup (name), slot);
  return slot;
}

/* With the mutex held, which is let go meanwhile. Returns: 0 or an errno. */
static int
fill_slot (Searches *searches, const char *name, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  g_auto (SearchQuery) query = { 0 };
  SearchResult *result = NULL;
  Slot *slot = need_slot (searches, name);
  guint64 generation = searches->generation;
  slot->running = TRUE; /* so it stays */
  pthread_mutex_unlock (&searches->mutex);
  if (search_query_parse (searches->mirror, name, &query, &error))
    result = run_query (&query, cancellable, &error);
  if (error != NULL && error->code != RACK_ERROR_CANCELLED)
    searches_note_refusal (searches, name, error);
  pthread_mutex_lock (&searches->mutex);
  slot->running = FALSE;
  if (result != NULL)
    {
      search_result_unref (slot->result);
      slot->result = result;
      slot->made = g_get_monotonic_time ();
      slot->generation = generation;
    }
  pthread_cond_broadcast (&searches->cond);
  if (error == NULL)
    return 0;
  /* That is what a server says of keys that it does not know. */
  if (error->code == RACK_ERROR_UNSUPPORTED || error->code == RACK_ERROR_REFUSED)
    return EINVAL;
  return errno_of (error);
}

static void
wake (GCancellable *cancellable, gpointer data)
{
  Searches *searches = data;
  pthread_mutex_lock (&searches->mutex);
  pthread_cond_broadcast (&searches->cond);
  pthread_mutex_unlock (&searches->mutex);
}

/* With the mutex held. Waits until nobody asks for name any more. Returns: 0 or EINTR. */
static int
wait_for_other (Searches *searches, const char *name, GCancellable *cancellable)
{
  const Slot *slot;
  while ((slot = g_hash_table_lookup (searches->slots, name)) != NULL && slot->running
         && !g_cancellable_is_cancelled (cancellable))
    pthread_cond_wait (&searches->cond, &searches->mutex);
  return g_cancellable_is_cancelled (cancellable) ? EINTR : 0;
}

/* With the mutex held. */
static int
get_waiting (Searches *searches, const char *name, gboolean fresh, GCancellable *cancellable,
             SearchResult **result)
{
  int problem = 0;
  while (problem == 0 && (*result = find_remembered (searches, name, fresh)) == NULL)
    {
      const Slot *slot = g_hash_table_lookup (searches->slots, name);
      if (slot != NULL && slot->running)
        {
          problem = wait_for_other (searches, name, cancellable);
          continue;
        }
      problem = fill_slot (searches, name, cancellable);
      slot = g_hash_table_lookup (searches->slots, name);
      if (problem == 0 && slot != NULL && slot->result != NULL)
        {
          /* As fresh as can be, even if something has changed again. */
          g_atomic_int_inc (&slot->result->refs);
          *result = slot->result;
          break;
        }
    }
  return problem;
}

int
searches_get (Searches *searches, const char *name, gboolean fresh, GCancellable *cancellable,
              SearchResult **result)
{
  pthread_mutex_lock (&searches->mutex);
  *result = find_remembered (searches, name, fresh);
  pthread_mutex_unlock (&searches->mutex);
  if (*result != NULL)
    return 0;
  if (cancellable == NULL)
    return NODE_WAIT;
  /* It calls back at once if it was cancelled before, so not under the mutex. */
  gulong id = g_cancellable_connect (cancellable, G_CALLBACK (wake), searches, NULL);
  pthread_mutex_lock (&searches->mutex);
  int problem = get_waiting (searches, name, fresh, cancellable, result);
  pthread_mutex_unlock (&searches->mutex);
  g_cancellable_disconnect (cancellable, id);
  return problem;
}
