/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * control-queue.c - .mailrack/pending and .mailrack/failed: what is on its way to the server
 *
 * A file for each change, called ID.WHAT or, where there are octets of a message, ID.NAME.
 * These are read as the message; of others the file says what it is. Removing one gives
 * the change up.
 */
#include "control.h"

#include "local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct
{
  gboolean failed;
} Place;

static const Place pending_place = { FALSE }, failed_place = { TRUE };

/* ---- Single changes ------------------------------------------------------------------------- */

static char *
file_name (const RackOutgoing *item)
{
  if (item->local != 0 && item->name != NULL)
    return g_strdup_printf ("%" G_GUINT64_FORMAT ".%s", item->id, item->name);
  return g_strdup_printf ("%" G_GUINT64_FORMAT ".%s", item->id, item->what);
}

/* (transfer container): of RackOutgoing. */
static GPtrArray *
list_items (Node *node)
{
  const Place *place = node->data;
  GPtrArray *items = rack_outgoing_list (node->mount->mirror);
  for (guint i = items->len; i-- > 0;)
    if (((RackOutgoing *) items->pdata[i])->failed != place->failed)
      g_ptr_array_remove_index (items, i);
  return items;
}

/* Borrowed from items. */
static const RackOutgoing *
find_item (const GPtrArray *items, const char *name)
{
  for (guint i = 0; i < items->len; i++)
    {
      g_autofree char *is = file_name (items->pdata[i]);
      if (strcmp (is, name) == 0)
        return items->pdata[i];
    }
  return NULL;
}

static void
add_line (GString *text, const char *key, const char *value)
{
  if (value == NULL)
    return;
  g_autofree char *safe = control_safe (value);
  g_string_append_printf (text, "%s: %s\n", key, safe);
}

/* A text of what it is. (owned) */
static char *
describe (const RackOutgoing *item)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *made = control_moment (item->made);
  g_string_append_printf (text, "id: %" G_GUINT64_FORMAT "\n", item->id);
  add_line (text, "change", item->what);
  add_line (text, "mailbox", item->mailbox);
  add_line (text, "to", item->target);
  add_line (text, "name", item->name);
  if (item->uid != 0)
    g_string_append_printf (text, "uid: %u\n", item->uid);
  if (item->size != 0)
    g_string_append_printf (text, "octets: %" G_GUINT64_FORMAT "\n", item->size);
  add_line (text, "made", made);
  g_string_append_printf (text, "tries: %u\n", item->tries);
  add_line (text, "problem", item->problem);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- Its file ------------------------------------------------------------------------------- */

typedef struct
{
  char *text;
  RackLocal *local; /* (owned) or NULL: then text is all there is */
} Change;

static void
change_free (gpointer pointer)
{
  Change *change = pointer;
  if (change->local != NULL)
    rack_local_unref (change->local);
  g_free (change->text);
  g_free (change);
}

static double
getattr (Node *node, struct stat *out)
{
  const Change *change = node->data;
  RackLocalFacts facts = { .size = strlen (change->text) };
  if (change->local != NULL)
    rack_local_facts (change->local, &facts);
  out->st_mode &= ~(mode_t) 0222;
  out->st_size = (off_t) facts.size;
  out->st_blocks = out->st_size / 512 + (out->st_size % 512 != 0);
  out->st_mtim.tv_sec = facts.mtime / 1000000000;
  return TIMEOUT_UNWATCHED;
}

static int
read_change (Node *node, gpointer handle, gsize size, off_t offset, int flags,
             GCancellable *cancellable, NodeOctets *out)
{
  const Change *change = node->data;
  g_autoptr (GError) error = NULL;
  RackLocalFacts facts = { .size = strlen (change->text) };
  if (change->local != NULL)
    rack_local_facts (change->local, &facts);
  guint64 from = MIN ((guint64) offset, facts.size);
  out->size = MIN (size, facts.size - from);
  out->position = (off_t) from;
  if (change->local == NULL)
    out->memory = g_memdup2 (change->text + from, out->size);
  else if ((out->fd = rack_local_file (change->local, &error)) < 0)
    return errno_of (error);
  return 0;
}

static const NodeOps change_ops = {
  .type = S_IFREG,
  .getattr = getattr,
  .read = read_change,
  .dispose = change_free,
};

static char *
key_of (const RackOutgoing *item)
{
  return g_strdup_printf ("queue/%" G_GUINT64_FORMAT "/%d/%u", item->id, item->failed, item->tries);
}

/* ---- The directories ------------------------------------------------------------------------ */

static double
get_directory (Node *node, struct stat *out)
{
  out->st_nlink = 2;
  return TIMEOUT_UNWATCHED;
}

static int
lookup (Node *node, const char *name, GCancellable *cancellable, struct fuse_entry_param *out)
{
  g_autoptr (GPtrArray) items = list_items (node);
  const RackOutgoing *item = find_item (items, name);
  if (item == NULL)
    {
      out->entry_timeout = 0;
      return ENOENT;
    }
  g_autofree char *key = key_of (item);
  Change *change = g_new0 (Change, 1);
  change->text = describe (item);
  if (item->local != 0)
    change->local = rack_local_by_id (node->mount->mirror, item->local);
  g_autoptr (Node) file = node_new (node->mount, &change_ops, key, change);
  node_fill_entry (file, out);
  out->entry_timeout = TIMEOUT_UNWATCHED;
  return 0;
}

static int
list (Node *node, GCancellable *cancellable, NodeListing *listing)
{
  g_autoptr (GPtrArray) items = list_items (node);
  for (guint i = 0; i < items->len; i++)
    {
      g_autofree char *name = file_name (items->pdata[i]);
      g_autofree char *key = key_of (items->pdata[i]);
      if (strlen (name) < VIEW_NAME_SIZE)
        node_list (listing, name, node_number (key), S_IFREG);
    }
  return 0;
}

static int
remove_change (Node *node, const char *name, gboolean directory, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  if (cancellable == NULL)
    return NODE_WAIT;
  g_autoptr (GPtrArray) items = list_items (node);
  const RackOutgoing *item = find_item (items, name);
  if (item == NULL)
    return ENOENT;
  if (directory)
    return ENOTDIR;
  return rack_outgoing_drop (node->mount->mirror, item->id, &error) ? 0 : errno_of (error);
}

const NodeOps control_queue_ops = {
  .type = S_IFDIR,
  .getattr = get_directory,
  .lookup = lookup,
  .list = list,
  .remove = remove_change,
};

gpointer
control_queue_place (gboolean failed)
{
  return (gpointer) (failed ? &failed_place : &pending_place);
}

/* ---- For status and ctl --------------------------------------------------------------------- */

void
control_queue_describe (Mount *mount, GString *text)
{
  g_autoptr (GPtrArray) items = rack_outgoing_list (mount->mirror);
  guint failed = 0;
  g_autofree char *refusal = rack_outgoing_refusal (mount->mirror);
  const char *reason = refusal;
  for (guint i = 0; i < items->len; i++)
    {
      const RackOutgoing *item = items->pdata[i];
      failed += item->failed;
      if (item->problem != NULL)
        reason = item->problem;
    }
  g_string_append_printf (text, "changes pending: %u, failed: %u\n", items->len - failed, failed);
  add_line (text, "last change not done", reason);
  pthread_mutex_lock (&mount->mutex);
  add_line (text, "last file not sent", mount->problem);
  pthread_mutex_unlock (&mount->mutex);
}

char *
control_queue_run (Mount *mount, const char *verb, const char *id)
{
  g_autoptr (GError) error = NULL;
  char *end;
  RackTicket ticket = *id != '\0' ? g_ascii_strtoull (id, &end, 10) : 0;
  if (*id != '\0' && (ticket == 0 || *end != '\0'))
    return g_strdup_printf ("%s: \"%s\" is no number of a change", verb, id);
  gboolean ok = strcmp (verb, "retry") == 0 ? rack_outgoing_retry (mount->mirror, ticket, &error)
                                            : rack_outgoing_drop (mount->mirror, ticket, &error);
  return ok ? NULL : g_strdup (error->message);
}

void
mount_note_problem (Mount *mount, const char *problem)
{
  pthread_mutex_lock (&mount->mutex);
  g_free (mount->problem);
  mount->problem = g_strdup (problem);
  pthread_mutex_unlock (&mount->mutex);
}
