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
node_new (RackChangeKind kind, RackFolder *folder, guint32 row, guint n, gboolean named)
{
  Node *node = g_new0 (Node, 1);
  node->items = g_new0 (RackChanged, n);
  if (named)
    node->names = g_string_chunk_new (MIN (n, 100) * 64);
  node->change = (RackChange){ kind, folder, row, node->items, n };
  return node;
}

static void
set_record (Node *node, guint i, const RackRecord *record)
{
  char short_name[RACK_ENTRY_NAME_SIZE];
  node->items[i].uid = record->uid;
  if (node->names == NULL)
    return;
  const char *name = record->name;
  if (name == NULL)
    {
      rack_name_uid (record->uid, short_name);
      name = short_name;
    }
  node->items[i].name = g_string_chunk_insert (node->names, name);
}

static void
enqueue (RackChanges *changes, Node *node)
{
  pthread_mutex_lock (&changes->mutex);
  g_queue_push_tail (&changes->queue, node);
  pthread_cond_signal (&changes->cond);
  pthread_mutex_unlock (&changes->mutex);
}

void
rack_changes_push (RackMirror *mirror, RackChangeKind kind, RackFolder *folder, guint32 row,
                   const RackIndex *index, gboolean named)
{
  if (!mirror->options.changes || index->n == 0)
    return;
  Node *node = node_new (kind, folder, row, index->n, named);
  for (guint i = 0; i < index->n; i++)
    set_record (node, i, &index->records[i]);
  enqueue (mirror->changes, node);
}

void
rack_changes_push_uids (RackMirror *mirror, RackChangeKind kind, RackFolder *folder,
                        const GArray *uids, gboolean named)
{
  if (!mirror->options.changes || uids->len == 0)
    return;
  Node *node = node_new (kind, folder, folder->row, uids->len, named);
  guint n = 0;
  for (guint i = 0; i < uids->len; i++)
    {
      const RackRecord *record = rack_index_find (&folder->index, g_array_index (uids, guint32, i));
      if (record != NULL)
        set_record (node, n++, record);
    }
  node->change.n = n;
  enqueue (mirror->changes, node);
}

void
rack_changes_push_folders (RackMirror *mirror, RackFolder *folder, const GPtrArray *names)
{
  if (!mirror->options.changes || names->len == 0)
    return;
  Node *node = node_new (RACK_CHANGE_FOLDERS, folder, 0, names->len, TRUE);
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
