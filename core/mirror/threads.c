/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * threads.c - which messages belong to the same conversation
 *
 * Messages that name the same THREADID belong together where the server gives it (RFC
 * 8474). Elsewhere those do that have an identifier in common, as their own or as what
 * they reply to; and a reply that says nothing of what it replies to belongs to the last
 * message before it whose subject is the same but for "Re:". Everything is done by
 * sorting numbers, so that nobody who writes identifiers can make it slow; identifiers
 * are compared by a hash of theirs, and who makes two with the same one has made one
 * conversation of two, no more.
 */
#include "threads.h"

#include "subjects.h"

#include <string.h>

#define BATCH       512
#define SUBJECT_MAX 120
#define MAX_AGE     (60 * G_USEC_PER_SEC)
#define NO_SUBJECT  "no-subject"

/* One message, while threads are made. */
typedef struct
{
  RackThreadMember member;
  guint64 own;   /* its identifier's hash; 0: it has none */
  guint32 above; /* another of the same thread, or itself */
} Item;

/* Something that an item has, perhaps in common with others. */
typedef struct
{
  guint64 hash;
  guint32 item;
  gboolean reply; /* of a subject: nothing else says what it replies to */
} Link;

typedef struct
{
  GArray *items;    /* of Item */
  GArray *links;    /* of Link: identifiers */
  GArray *subjects; /* of Link */
} Making;

typedef struct
{
  char *name;
  guint first, n; /* of members */
} Thread;

struct RackThreads
{
  gint refs;        /* atomic */
  GArray *members;  /* of RackThreadMember */
  GPtrArray *names; /* owned by threads */
  GArray *threads;  /* of Thread, ascending by name */
};

/* ---- Reading ------------------------------------------------------------------------------- */

/* FNV-1a. Returns: never 0. */
static guint64
hash_of (char kind, const char *text, gsize size)
{
  guint64 hash = (G_GUINT64_CONSTANT (0xcbf29ce484222325) ^ (guchar) kind)
                 * G_GUINT64_CONSTANT (0x100000001b3);
  for (gsize i = 0; i < size; i++)
    hash = (hash ^ (guchar) text[i]) * G_GUINT64_CONSTANT (0x100000001b3);
  return hash != 0 ? hash : 1;
}

/* Of the first "<...>" in a header's value; 0 if there is none. */
static guint64
hash_of_id (const char *value)
{
  const char *start = value != NULL ? strchr (value, '<') : NULL;
  const char *end = start != NULL ? strchr (start, '>') : NULL;
  return end != NULL && end > start + 1 ? hash_of ('m', start, (gsize) (end - start)) : 0;
}

static void
add_link (GArray *links, guint64 hash, guint32 item, gboolean reply)
{
  Link link = { hash, item, reply };
  if (hash != 0)
    g_array_append_val (links, link);
}

static void
add_item (const RackStoreHit *hit, gpointer data)
{
  Making *making = data;
  guint32 number = making->items->len;
  Item item = { { hit->row, hit->uid, hit->date }, hash_of_id (hit->message_id), number };
  g_array_append_val (making->items, item);
  if (hit->thread_id != NULL)
    {
      guint64 hash = hash_of ('t', hit->thread_id, strlen (hit->thread_id));
      add_link (making->links, hash, number, FALSE);
      return;
    }
  guint64 parent = hash_of_id (hit->in_reply_to);
  add_link (making->links, item.own, number, FALSE);
  add_link (making->links, parent, number, FALSE);
  if (hit->subject == NULL)
    return;
  gboolean reply;
  g_autofree char *base = rack_subject_base (hit->subject, &reply);
  g_autofree char *folded = rack_subject_fold (base);
  if (*folded != '\0')
    add_link (making->subjects, hash_of ('s', folded, strlen (folded)), number,
              reply && parent == 0);
}

/* ---- Joining --------------------------------------------------------------------------------- */

static guint32
top_of (GArray *items, guint32 number)
{
  Item *all = (Item *) (gpointer) items->data;
  while (all[number].above != number)
    number = all[number].above = all[all[number].above].above;
  return number;
}

/* The later one comes below the earlier, whatever their order: paths stay short by top_of(). */
static void
join (GArray *items, guint32 a, guint32 b)
{
  guint32 top_a = top_of (items, a), top_b = top_of (items, b);
  g_array_index (items, Item, MAX (top_a, top_b)).above = MIN (top_a, top_b);
}

static int
compare_numbers (guint64 a, guint64 b)
{
  return a < b ? -1 : a > b;
}

static int
compare_members (const RackThreadMember *a, const RackThreadMember *b)
{
  if (a->date != b->date)
    return a->date < b->date ? -1 : 1;
  return a->row != b->row ? compare_numbers (a->row, b->row) : compare_numbers (a->uid, b->uid);
}

static int
compare_links (gconstpointer a, gconstpointer b, gpointer items)
{
  const Link *one = a, *other = b;
  if (one->hash != other->hash)
    return compare_numbers (one->hash, other->hash);
  return compare_members (&g_array_index ((GArray *) items, Item, one->item).member,
                          &g_array_index ((GArray *) items, Item, other->item).member);
}

static void
join_all (Making *making)
{
  g_array_sort_with_data (making->links, compare_links, making->items);
  for (guint i = 1; i < making->links->len; i++)
    {
      const Link *link = &g_array_index (making->links, Link, i);
      if (link->hash == link[-1].hash)
        join (making->items, link->item, link[-1].item);
    }
  g_array_sort_with_data (making->subjects, compare_links, making->items);
  for (guint i = 1; i < making->subjects->len; i++)
    {
      const Link *link = &g_array_index (making->subjects, Link, i);
      if (link->hash == link[-1].hash && link->reply)
        join (making->items, link->item, link[-1].item);
    }
}

/* ---- Threads ---- */

/* above is the top of each by now. */
static int
compare_items (gconstpointer a, gconstpointer b)
{
  const Item *one = a, *other = b;
  if (one->above != other->above)
    return compare_numbers (one->above, other->above);
  return compare_members (&one->member, &other->member);
}

/* Copies of one message in several mailboxes are no conversation. */
static gboolean
has_two_messages (const Item *items, guint n)
{
  for (guint i = 1; i < n; i++)
    if (items[i].own != items[0].own || items[i].own == 0)
      return TRUE;
  return FALSE;
}

/* Returns: (owned) "SUBJECT.NUMBER", as long as the thread begins with the same message. */
static char *
name_thread (RackStore *store, const Item *first, GHashTable *taken)
{
  g_auto (RackDetails) details = { 0 };
  char words[RACK_NAME_MESSAGE_MAX + 1] = "";
  rack_store_details (store, first->member.row, first->member.uid - 1, &details, 1, NULL);
  if (details.uid == first->member.uid && details.subject != NULL)
    {
      gboolean reply;
      g_autofree char *base = rack_subject_base (details.subject, &reply);
      rack_name_words (base, SUBJECT_MAX, words);
    }
  guint64 number =
      first->own != 0 ? first->own : (guint64) first->member.row << 32 | first->member.uid;
  for (guint32 n = (guint32) (number ^ number >> 32);; n++)
    {
      g_autofree char *name = g_strdup_printf ("%s.%u", *words != '\0' ? words : NO_SUBJECT, n);
      if (g_hash_table_add (taken, g_strdup (name)))
        return g_steal_pointer (&name);
    }
}

static void
add_thread (RackThreads *threads, RackStore *store, const Item *items, guint n, GHashTable *taken)
{
  Thread thread = { name_thread (store, items, taken), threads->members->len, n };
  for (guint i = 0; i < n; i++)
    g_array_append_val (threads->members, items[i].member);
  g_array_append_val (threads->threads, thread);
}

static int
compare_threads (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Thread *) a)->name, ((const Thread *) b)->name);
}

static void
clear_thread (gpointer thread)
{
  g_free (((Thread *) thread)->name);
}

static RackThreads *
threads_of (RackStore *store, GArray *items)
{
  RackThreads *threads = g_new0 (RackThreads, 1);
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  threads->refs = 1;
  threads->members = g_array_new (FALSE, FALSE, sizeof (RackThreadMember));
  threads->threads = g_array_new (FALSE, FALSE, sizeof (Thread));
  g_array_set_clear_func (threads->threads, clear_thread);
  threads->names = g_ptr_array_new ();
  for (guint32 i = 0; i < items->len; i++)
    g_array_index (items, Item, i).above = top_of (items, i);
  g_array_sort (items, compare_items);
  for (guint i = 0, next; i < items->len; i = next)
    {
      const Item *first = &g_array_index (items, Item, i);
      for (next = i + 1; next < items->len; next++)
        if (first[next - i].above != first->above)
          break;
      if (has_two_messages (first, next - i))
        add_thread (threads, store, first, next - i, taken);
    }
  g_array_sort (threads->threads, compare_threads);
  for (guint i = 0; i < threads->threads->len; i++)
    g_ptr_array_add (threads->names, g_array_index (threads->threads, Thread, i).name);
  return threads;
}

RackThreads *
rack_threads_new (RackStore *store, GError **error)
{
  g_autoptr (GArray) items = g_array_new (FALSE, FALSE, sizeof (Item));
  g_autoptr (GArray) links = g_array_new (FALSE, FALSE, sizeof (Link));
  g_autoptr (GArray) subjects = g_array_new (FALSE, FALSE, sizeof (Link));
  Making making = { items, links, subjects };
  RackStoreCursor cursor = { 0 };
  GError *problem = NULL;
  while (rack_store_find_links (store, &cursor, BATCH, add_item, &making, &problem) == BATCH)
    ;
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return NULL;
    }
  join_all (&making);
  return threads_of (store, items);
}

static RackThreads *
threads_ref (RackThreads *threads)
{
  g_atomic_int_inc (&threads->refs);
  return threads;
}

void
rack_threads_unref (RackThreads *threads)
{
  if (threads == NULL || !g_atomic_int_dec_and_test (&threads->refs))
    return;
  g_ptr_array_unref (threads->names);
  g_array_unref (threads->threads);
  g_array_unref (threads->members);
  g_free (threads);
}

const GPtrArray *
rack_threads_names (const RackThreads *threads)
{
  return threads->names;
}

const RackThreadMember *
rack_threads_find (const RackThreads *threads, const char *name, guint *n)
{
  Thread wanted = { .name = (char *) name };
  guint at;
  *n = 0;
  if (!g_array_binary_search (threads->threads, &wanted, compare_threads, &at))
    return NULL;
  const Thread *thread = &g_array_index (threads->threads, Thread, at);
  *n = thread->n;
  return &g_array_index (threads->members, RackThreadMember, thread->first);
}

/* ---- What is remembered ---- */

struct RackThreadsCache
{
  pthread_mutex_t mutex; /* held while they are made: others wait for the same */
  RackThreads *threads;
  gint64 changed; /* the last change of any mailbox that is in them */
  guint boxes;
  gint64 made; /* monotonic */
};

RackThreadsCache *
rack_threads_cache_new (void)
{
  RackThreadsCache *cache = g_new0 (RackThreadsCache, 1);
  pthread_mutex_init (&cache->mutex, NULL);
  return cache;
}

void
rack_threads_cache_free (RackThreadsCache *cache)
{
  if (cache == NULL)
    return;
  rack_threads_unref (cache->threads);
  pthread_mutex_destroy (&cache->mutex);
  g_free (cache);
}

static gboolean
any (RackFolder *folder)
{
  return folder->selectable;
}

RackThreads *
rack_threads_get (RackMirror *mirror, GError **error)
{
  RackThreadsCache *cache = mirror->threads;
  g_autoptr (GPtrArray) folders = rack_tree_select (mirror, any);
  gint64 changed = 0, now = g_get_monotonic_time ();
  guint boxes = 0;
  for (guint i = 0; i < folders->len; i++)
    {
      RackFolderFacts facts;
      rack_folder_facts (folders->pdata[i], &facts);
      changed = MAX (changed, facts.changed);
      boxes += facts.complete;
    }
  pthread_mutex_lock (&cache->mutex);
  if (cache->threads == NULL || cache->changed != changed || cache->boxes != boxes
      || now > cache->made + MAX_AGE)
    {
      g_clear_pointer (&cache->threads, rack_threads_unref);
      cache->threads = rack_threads_new (mirror->store, error);
      cache->changed = changed;
      cache->boxes = boxes;
      cache->made = now;
    }
  RackThreads *threads = cache->threads != NULL ? threads_ref (cache->threads) : NULL;
  pthread_mutex_unlock (&cache->mutex);
  return threads;
}
