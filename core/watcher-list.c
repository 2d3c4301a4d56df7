/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watcher-list.c - which mailboxes a watcher watches, and looking at all of them from afar
 *
 * STATUS says whether there is anything to look at; what it is, watcher-box.c finds out. What is
 * known of a mailbox that is not there any more is kept: if it comes back as it was, by its old
 * name or another, nothing of it is new. */
#include "watcher-private.h"

#include <string.h>

/* Their messages are in other mailboxes too. */
#define ELSEWHERE (RACK_LIST_ALL | RACK_LIST_FLAGGED | RACK_LIST_IMPORTANT)
#define NO_BOX    (RACK_LIST_NOSELECT | RACK_LIST_NONEXISTENT)

static gboolean
is_counted (const RackMailboxInfo *info)
{
  const guint needed = RACK_STATUS_UIDNEXT | RACK_STATUS_UIDVALIDITY;

  return (info->status_items & needed) == needed;
}

RackWatcherBox *
rack_watcher_add_box (RackWatcher *watcher, const char *name)
{
  RackWatcherBox *box = rack_watcher_box_new (name);

  g_ptr_array_add (watcher->boxes, box);
  g_hash_table_insert (watcher->by_name, box->name, box);
  watcher->moved = TRUE;
  return box;
}

static RackWatcherBox *
add_box (RackWatcher *watcher, const RackMailboxInfo *info)
{
  RackWatcherBox *box = rack_watcher_add_box (watcher, info->name);

  rack_watcher_box_touch (box, info);
  return box;
}

/* What is below UIDNEXT now is not new, unless an earlier watcher knew less. */
static void
add_first (RackWatcher *watcher, const RackMailboxInfo *info)
{
  RackWatcherBox *box = g_hash_table_lookup (watcher->by_name, info->name);

  if (box != NULL)
    {
      rack_watcher_take_report (box, info);
      return;
    }
  box = add_box (watcher, info);
  if (is_counted (info))
    box->state = (RackMailboxState){ .uid_validity = (guint32) info->uid_validity,
                                     .uid_next = (guint32) MIN (info->uid_next, G_MAXUINT32) };
}

/* INBOX has many spellings. */
static const char *
usual_name (const char *name)
{
  return g_ascii_strcasecmp (name, "INBOX") == 0 ? "INBOX" : name;
}

gboolean
rack_watcher_is_named (const RackWatcher *watcher, const char *name)
{
  for (char **at = watcher->names; *at != NULL; at++)
    if (strcmp (usual_name (*at), name) == 0)
      return TRUE;
  return FALSE;
}

static GPtrArray *
named_infos (RackWatcher *watcher)
{
  GPtrArray *infos = g_ptr_array_new_with_free_func ((GDestroyNotify) rack_mailbox_info_free);

  for (char **at = watcher->names; *at != NULL; at++)
    {
      RackMailboxInfo *info = g_new0 (RackMailboxInfo, 1);
      info->name = g_strdup (usual_name (*at));
      g_ptr_array_add (infos, info);
    }
  return infos;
}

static gboolean
begin_named (RackWatcher *watcher, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) infos = named_infos (watcher);

  if (!rack_account_ask_status (watcher->account, infos, cancellable, error))
    return FALSE;
  for (guint i = 0; i < infos->len; i++)
    {
      const RackMailboxInfo *info = infos->pdata[i];
      RackMailboxInfo *again = NULL;
      /* Refused: the same once more says why. */
      if (info->status_items == 0
          && (again = rack_account_status (watcher->account, info->name, cancellable, error))
                 == NULL)
        return FALSE;
      add_first (watcher, again != NULL ? again : info);
      rack_mailbox_info_free (again);
    }
  return TRUE;
}

static gboolean
is_watched (const RackMailboxInfo *info)
{
  return !(info->flags & (NO_BOX | ELSEWHERE));
}

static gboolean
begin_all (RackWatcher *watcher, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) list =
      rack_account_list (watcher->account, "*", RACK_LIST_WITH_STATUS, cancellable, error);

  if (list == NULL)
    return FALSE;
  for (guint i = 0; i < list->len; i++) /* INBOX before all others */
    if (strcmp (((const RackMailboxInfo *) list->pdata[i])->name, "INBOX") == 0)
      add_first (watcher, list->pdata[i]);
  for (guint i = 0; i < list->len; i++)
    if (is_watched (list->pdata[i]))
      add_first (watcher, list->pdata[i]);
  return TRUE;
}

/* ---- Coming and going --------------------------------------------------------------------- */

void
rack_watcher_lose (RackWatcher *watcher, RackWatcherBox *box)
{
  box->dirty = FALSE;
  if (box->absent)
    return;
  box->absent = TRUE;
  watcher->moved = TRUE;
  rack_watcher_push (watcher, box, RACK_EVENT_GONE, 0);
}

/* What was told of it holds if it is the same one. */
static void
find_again (RackWatcherBox *box, const RackMailboxInfo *info)
{
  box->absent = FALSE;
  rack_watcher_box_touch (box, info);
  if (box->mailbox == NULL || !is_counted (info) || info->uid_validity == box->state.uid_validity)
    return;
  g_clear_pointer (&box->mailbox, rack_mailbox_unref);
  rack_set_clear (box->known);
  rack_set_clear (box->seen);
  g_hash_table_remove_all (box->flags);
  box->state = (RackMailboxState){ .uid_next = 1 };
}

static gboolean
was (const RackWatcherBox *box, const RackMailboxInfo *info)
{
  return box->absent && box->mailbox != NULL && is_counted (info)
         && info->uid_validity == box->state.uid_validity && info->uid_next == box->state.uid_next
         && info->messages == rack_set_count (box->known) && info->messages > 0;
}

/* A mailbox that was renamed has the messages it had; all of any other are new. */
static void
add_later (RackWatcher *watcher, const RackMailboxInfo *info)
{
  RackWatcherBox *box = add_box (watcher, info);

  box->state.uid_next = 1;
  for (guint i = 0; i < watcher->boxes->len; i++)
    {
      RackWatcherBox *old = watcher->boxes->pdata[i];
      if (!was (old, info))
        continue;
      box->state = old->state;
      rack_set_merge (box->known, old->known);
      rack_set_merge (box->seen, old->seen);
      box->mailbox = rack_mailbox_bind (watcher->account, box->name, TRUE, old->state.uid_validity);
      g_clear_pointer (&old->mailbox, rack_mailbox_unref);
      rack_set_clear (old->known);
      rack_set_clear (old->seen);
      old->state = (RackMailboxState){ .uid_next = 1 };
      return;
    }
}

void
rack_watcher_take_report (RackWatcherBox *box, const RackMailboxInfo *info)
{
  if (!box->absent)
    rack_watcher_box_touch (box, info->status_items != 0 ? info : NULL);
  else if (info->status_items != 0)
    find_again (box, info);
}

/* ---- Looking at all of them ------------------------------------------------------------------ */

static gboolean
poll_named (RackWatcher *watcher, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) infos = named_infos (watcher);

  if (!rack_account_ask_status (watcher->account, infos, cancellable, error))
    return FALSE;
  for (guint i = 0; i < infos->len; i++)
    {
      RackMailboxInfo *info = infos->pdata[i];
      RackWatcherBox *box = g_hash_table_lookup (watcher->by_name, info->name);
      g_autoptr (GError) problem = NULL;
      if (info->status_items != 0)
        {
          rack_watcher_take_report (box, info);
          continue;
        }
      rack_mailbox_info_free (
          rack_account_status (watcher->account, info->name, cancellable, &problem));
      if (g_error_matches (problem, RACK_ERROR, RACK_ERROR_NOT_FOUND))
        rack_watcher_lose (watcher, box);
    }
  return TRUE;
}

static gboolean
poll_all (RackWatcher *watcher, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) list =
      rack_account_list (watcher->account, "*", RACK_LIST_WITH_STATUS, cancellable, error);
  guint before = watcher->boxes->len;

  if (list == NULL)
    return FALSE;
  for (guint i = 0; i < before; i++)
    ((RackWatcherBox *) watcher->boxes->pdata[i])->listed = FALSE;
  for (guint i = 0; i < list->len; i++)
    {
      const RackMailboxInfo *info = list->pdata[i];
      RackWatcherBox *box = g_hash_table_lookup (watcher->by_name, info->name);
      if (box == NULL || (info->flags & NO_BOX))
        continue;
      box->listed = TRUE;
      rack_watcher_take_report (box, info);
    }
  for (guint i = 0; i < before; i++)
    if (!((RackWatcherBox *) watcher->boxes->pdata[i])->listed)
      rack_watcher_lose (watcher, watcher->boxes->pdata[i]);
  for (guint i = 0; i < list->len; i++)
    {
      const RackMailboxInfo *info = list->pdata[i];
      if (is_watched (info) && !g_hash_table_contains (watcher->by_name, info->name))
        add_later (watcher, info);
    }
  return TRUE;
}

gboolean
rack_watcher_begin (RackWatcher *watcher, GCancellable *cancellable, GError **error)
{
  if (watcher->names != NULL)
    return begin_named (watcher, cancellable, error);
  /* What an earlier one did not know came since. */
  return watcher->knew_all ? poll_all (watcher, cancellable, error)
                           : begin_all (watcher, cancellable, error);
}

gboolean
rack_watcher_poll (RackWatcher *watcher, GCancellable *cancellable, GError **error)
{
  return watcher->names != NULL ? poll_named (watcher, cancellable, error)
                                : poll_all (watcher, cancellable, error);
}
