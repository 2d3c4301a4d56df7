/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * changes.c - the queue of changes that one thread of the program pulls
 *
 * The index is changed first, then the change is queued, so that whoever asks again
 * after it gets the new answer.
 */
#include "mirror-private.h"

#include <string.h>

typedef struct
{
  RackChange change;
  RackChanged *items;
  GStringChunk *names;
} Node;

struct RackChanges
{
  pthread_mutex_t mutex;
  pthread_cond_t cond;
  GQueue queue;  /* of Node */
  Node *current; /* the caller has it */
};

static void
node_free (gpointer data)
{
  Node *node = data;
  if (node == NULL)
    return;
  g_free (node->items);
  if (node->names != NULL)
    g_string_chunk_free (node->names);
  g_free (node);
}

RackChanges *
rack_changes_new (void)
{
  RackChanges *changes = g_new0 (RackChanges, 1);
  pthread_mutex_init (&changes->mutex, NULL);
  rack_cond_init (&changes->cond);
  g_queue_init (&changes->queue);
  return changes;
}

void
rack_changes_free (RackChanges *changes)
{
  g_queue_clear_full (&changes->queue, node_free);
  node_free (changes->current);
  pthread_cond_destroy (&changes->cond);
  pthread_mutex_destroy (&changes->mutex);
  g_free (changes);
}

static Node *
node_new (RackChangeKind kind, RackFolder *folder, guint32 row, guint n)
{
  Node *node = g_new0 (Node, 1);
  node->items = g_new0 (RackChanged, n);
  node->change = (RackChange){ kind, folder, row, node->items, n };
  return node;
}

static void
enqueue (RackChanges *changes, Node *node)
{
  pthread_mutex_lock (&changes->mutex);
  g_queue_push_tail (&changes->queue, node);
  pthread_mutex_unlock (&changes->mutex);
  /* Not before: who is woken would only wait for the mutex. */
  pthread_cond_signal (&changes->cond);
}

/* ---- Names -------------------------------------------------------------------------- */

#define BATCH 64

struct RackNames
{
  GStringChunk *chunk;
  const char **items;
};

static void
read_batch (RackFolder *folder, guint32 row, const guint32 *uids, guint n, RackNames *names,
            guint at)
{
  RackEntry entries[BATCH];
  for (guint i = 0; i < n; i++)
    {
      entries[i].uid = uids[i];
      entries[i].name[0] = '\0';
    }
  rack_folder_given_names (folder, row, entries, n);
  /* What the store does not have is called as it would be listed. */
  if (rack_mirror_names (folder->mirror))
    rack_store_names (folder->mirror->store, row, entries, n, NULL);
  for (guint i = 0; i < n; i++)
    {
      if (entries[i].name[0] == '\0')
        rack_name_uid (entries[i].uid, entries[i].name);
      names->items[at + i] = g_string_chunk_insert (names->chunk, entries[i].name);
    }
}

RackNames *
rack_names_read (RackFolder *folder, guint32 row, const guint32 *uids, guint n)
{
  if (!folder->mirror->options.changes || n == 0)
    return NULL;
  RackNames *names = g_new (RackNames, 1);
  names->chunk = g_string_chunk_new (MIN (n, 100) * 64);
  names->items = g_new (const char *, n);
  for (guint at = 0; at < n; at += BATCH)
    read_batch (folder, row, uids + at, MIN (BATCH, n - at), names, at);
  return names;
}

/* ---- Pushing ------------------------------------------------------------------------- */

/* What they are called in a Maildir, before they are forgotten. */
static void
add_bases (RackFolder *folder, Node *node)
{
  RackChanged *items = node->items;
  pthread_mutex_lock (&folder->mutex);
  for (guint i = 0; i < node->change.n && folder->overlay.bases.by_uid != NULL; i++)
    {
      const RackBase *base = rack_overlay_base_of (&folder->overlay, items[i].uid);
      if (base == NULL)
        continue;
      if (node->names == NULL)
        node->names = g_string_chunk_new (64);
      items[i].base = g_string_chunk_insert (node->names, base->name);
      items[i].base_space = base->space;
    }
  pthread_mutex_unlock (&folder->mutex);
}

static gboolean
is_forwarded (const RackRecord *record)
{
  return (record->bits & RACK_RECORD_FORWARDED) != 0;
}

void
rack_changes_push_flags (RackFolder *folder, guint32 row, const RackFlagged *records, guint n)
{
  if (!folder->mirror->options.changes || n == 0)
    return;
  Node *node = node_new (RACK_CHANGE_FLAGS, folder, row, n);
  for (guint i = 0; i < n; i++)
    node->items[i] = (RackChanged){
      .uid = records[i].before.uid,
      .flags = records[i].before.flags,
      .forwarded = is_forwarded (&records[i].before),
      .flags_now = records[i].after.flags,
      .forwarded_now = is_forwarded (&records[i].after),
      .date = records[i].before.date,
    };
  add_bases (folder, node);
  enqueue (folder->mirror->changes, node);
}

/* What was appended or moved here by us is no news to the program that did it. */
static void
mark_own (RackFolder *folder, RackChanged *items, guint n)
{
  pthread_mutex_lock (&folder->mutex);
  for (guint i = 0; i < n && folder->overlay.ours != NULL; i++)
    items[i].own = rack_set_contains (folder->overlay.ours, items[i].uid);
  pthread_mutex_unlock (&folder->mutex);
}

static Node *
make_node (RackFolder *folder, RackChangeKind kind, guint32 row, const RackRecord *records, guint n,
           RackNames *names)
{
  Node *node = node_new (kind, folder, row, n);
  for (guint i = 0; i < n; i++)
    node->items[i] = (RackChanged){
      .uid = records[i].uid,
      .name = names != NULL ? names->items[i] : NULL,
      .flags = records[i].flags,
      .forwarded = is_forwarded (&records[i]),
      .date = records[i].date,
    };
  if (names != NULL)
    {
      node->names = names->chunk;
      g_free (names->items);
      g_free (names);
    }
  add_bases (folder, node);
  return node;
}

void
rack_changes_push (RackFolder *folder, RackChangeKind kind, guint32 row, const RackRecord *records,
                   guint n, RackNames *names)
{
  if (!folder->mirror->options.changes || n == 0)
    return;
  Node *node = make_node (folder, kind, row, records, n, names);
  if (kind == RACK_CHANGE_ADDED)
    mark_own (folder, node->items, n);
  enqueue (folder->mirror->changes, node);
}

void
rack_changes_push_taken (RackFolder *folder, guint32 row, const RackRecord *record,
                         RackNames *names)
{
  if (!folder->mirror->options.changes)
    return;
  Node *node = make_node (folder, RACK_CHANGE_REMOVED, row, record, 1, names);
  node->items[0].own = TRUE;
  enqueue (folder->mirror->changes, node);
}

void
rack_changes_push_state (RackMirror *mirror, RackChangeKind kind)
{
  if (mirror->options.changes)
    enqueue (mirror->changes, node_new (kind, mirror->root, 0, 0));
}

void
rack_changes_push_bare (RackFolder *folder, RackChangeKind kind, guint32 row)
{
  if (folder->mirror->options.changes)
    enqueue (folder->mirror->changes, node_new (kind, folder, row, 0));
}

void
rack_changes_push_local (RackFolder *folder, guint space, const char *name)
{
  if (!folder->mirror->options.changes)
    return;
  Node *node = node_new (RACK_CHANGE_LOCAL, folder, 0, 1);
  node->names = g_string_chunk_new (64);
  node->items[0].uid = space;
  node->items[0].name = g_string_chunk_insert (node->names, name);
  enqueue (folder->mirror->changes, node);
}

void
rack_changes_push_folders (RackMirror *mirror, RackFolder *folder, const GPtrArray *names)
{
  if (!mirror->options.changes || names->len == 0)
    return;
  Node *node = node_new (RACK_CHANGE_FOLDERS, folder, 0, names->len);
  node->names = g_string_chunk_new (MIN (names->len, 100) * 32);
  for (guint i = 0; i < names->len; i++)
    node->items[i].name = g_string_chunk_insert (node->names, names->pdata[i]);
  enqueue (mirror->changes, node);
}

const RackChange *
rack_mirror_next_change (RackMirror *mirror, GCancellable *cancellable, GError **error)
{
  RackChanges *changes = mirror->changes;
  g_autoptr (GError) problem = NULL;
  RackWaiting waiting;

  rack_waiting_begin (&waiting, &changes->mutex, &changes->cond, cancellable);
  node_free (changes->current);
  changes->current = NULL;
  while (!g_cancellable_is_cancelled (cancellable)
         && (changes->current = g_queue_pop_head (&changes->queue)) == NULL)
    {
      g_clear_error (&problem);
      rack_waiting_once (&waiting, 3600 * 1000, "a change", &problem);
    }
  Node *current = changes->current;
  rack_waiting_end (&waiting);
  if (current != NULL)
    return &current->change;
  g_set_error (error, RACK_ERROR, RACK_ERROR_CANCELLED, "waiting for a change: cancelled");
  return NULL;
}

gboolean
rack_mirror_changes_are_told (RackMirror *mirror)
{
  RackChanges *changes = mirror->changes;
  pthread_mutex_lock (&changes->mutex);
  gboolean told = changes->queue.length == 0 && changes->current == NULL;
  pthread_mutex_unlock (&changes->mutex);
  return told;
}
