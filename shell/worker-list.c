/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * worker-list.c - the names of mailboxes for completion: from the mirror on this disk if there is
 * one, then from the server */
#include "worker-private.h"

#include <mailrack/mailrack-mirror.h>
#include <string.h>

static gint
by_name (gconstpointer a, gconstpointer b)
{
  const RackMailboxInfo *left = *(RackMailboxInfo *const *) a,
                        *right = *(RackMailboxInfo *const *) b;

  return strcmp (left->name, right->name);
}

/* Takes list. */
static void
publish_list (Worker *worker, GPtrArray *list, gboolean complete)
{
  g_ptr_array_sort (list, by_name);
  pthread_mutex_lock (&worker->lock);
  g_ptr_array_unref (worker->mailboxes);
  worker->mailboxes = list;
  if (complete)
    worker->listed_at = g_get_monotonic_time ();
  pthread_mutex_unlock (&worker->lock);
  worker->ops->listed (worker->data);
}

static GPtrArray *
read_reply (const RackReply *reply)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) rack_mailbox_info_free);
  const RackResponse *response;

  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    {
      if (response->kind != RACK_RESPONSE_LIST)
        continue;
      RackMailboxInfo *info = g_new0 (RackMailboxInfo, 1);
      info->name = rack_mailbox_name_decode (response->list.mailbox);
      info->separator = response->list.separator;
      info->flags = response->list.flags;
      g_ptr_array_add (list, info);
    }
  return list;
}

static void
ask_server (Worker *worker)
{
  Shell *shell = worker->shell;
  RackCommand *command;

  if (shell->session == NULL || !rack_session_alive (shell->session)
      || !rack_session_rest (shell->session, TRUE))
    return;
  command = rack_command_new ("LIST");
  rack_command_mailbox (command, "");
  rack_command_pattern (command, "*");
  g_autoptr (RackReply) reply =
      rack_session_expect (shell->session, command, shell->cancellable, NULL);
  if (reply != NULL)
    publish_list (worker, read_reply (reply), TRUE);
}

void
worker_fetch_list (Worker *worker)
{
  if (!worker->read_cache)
    {
      GPtrArray *kept = rack_cache_list (worker->shell->account, worker->cache_dir);
      worker->read_cache = TRUE;
      if (kept->len > 0)
        publish_list (worker, kept, FALSE);
      else
        g_ptr_array_unref (kept);
    }
  g_cancellable_reset (worker->rest);
  if (g_atomic_int_get (&worker->n_posted) == 0)
    ask_server (worker);
  pthread_mutex_lock (&worker->lock);
  worker->is_listing = FALSE;
  pthread_mutex_unlock (&worker->lock);
  worker->ops->listed (worker->data);
}
