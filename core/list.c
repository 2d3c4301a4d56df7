/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * list.c - which mailboxes there are, and what STATUS says of them
 *
 * One round trip where the server has LIST-STATUS, two where it has not. */
#include "mailbox-private.h"

#include <string.h>

#define STATUS_ITEMS "MESSAGES UIDNEXT UIDVALIDITY UNSEEN"

typedef struct
{
  const char *pattern;
  RackListOptions options;
  gboolean with_status; /* asked for in the LIST itself */
} ListRequest;

void
rack_mailbox_info_free (RackMailboxInfo *info)
{
  if (info == NULL)
    return;
  g_free (info->name);
  g_free (info);
}

static const char *
status_items (RackConn *conn)
{
  return rack_conn_has (conn, "CONDSTORE") ? STATUS_ITEMS " HIGHESTMODSEQ" : STATUS_ITEMS;
}

/* RETURN options, where the server knows LIST-EXTENDED (IMAP4rev2 has all of them). */
static void
add_return (RackCommand *command, RackConn *conn, ListRequest *request)
{
  gboolean rev2 = rack_conn_has (conn, "IMAP4REV2");

  rack_command_atom (command, "RETURN");
  rack_command_open (command);
  rack_command_atom (command, "SUBSCRIBED");
  rack_command_atom (command, "CHILDREN");
  if (rev2 || rack_conn_has (conn, "SPECIAL-USE"))
    rack_command_atom (command, "SPECIAL-USE");
  if ((request->options & RACK_LIST_WITH_RIGHTS) && rack_conn_has (conn, "LIST-MYRIGHTS"))
    rack_command_atom (command, "MYRIGHTS");
  if ((request->options & RACK_LIST_WITH_STATUS) && (rev2 || rack_conn_has (conn, "LIST-STATUS")))
    {
      g_autofree char *items = g_strdup_printf ("(%s)", status_items (conn));
      rack_command_atom (command, "STATUS");
      rack_command_atom (command, items);
      request->with_status = TRUE;
    }
  rack_command_close (command);
}

static RackCommand *
make_list (gpointer data, RackConn *conn)
{
  ListRequest *request = data;
  gboolean extended = rack_conn_has (conn, "LIST-EXTENDED") || rack_conn_has (conn, "IMAP4REV2");
  gboolean subscribed = (request->options & RACK_LIST_ONLY_SUBSCRIBED) != 0;
  RackCommand *command = rack_command_new (subscribed && !extended ? "LSUB" : "LIST");

  request->with_status = FALSE;
  if (subscribed && extended)
    rack_command_atom (command, "(SUBSCRIBED)");
  rack_command_string (command, "", 0);
  rack_command_pattern (command, request->pattern);
  if (extended)
    add_return (command, conn, request);
  return command;
}

static RackMailboxInfo *
find_or_add (GPtrArray *list, GHashTable *by_name, RackStr wire)
{
  g_autofree char *name = rack_mailbox_name_decode (wire);
  /* INBOX in any case is one mailbox (RFC 9051 §5.1). */
  const char *key = g_ascii_strcasecmp (name, "INBOX") == 0 ? "INBOX" : name;
  RackMailboxInfo *info = g_hash_table_lookup (by_name, key);

  if (info == NULL)
    {
      info = g_new0 (RackMailboxInfo, 1);
      info->name = g_strdup (key);
      g_ptr_array_add (list, info);
      g_hash_table_insert (by_name, info->name, info);
    }
  return info;
}

void
rack_mailbox_info_merge (RackMailboxInfo *info, const RackStatusData *status)
{
  info->status_items |= status->items;
  if (status->items & RACK_STATUS_MESSAGES)
    info->messages = status->messages;
  if (status->items & RACK_STATUS_UIDNEXT)
    info->uid_next = status->uid_next;
  if (status->items & RACK_STATUS_UIDVALIDITY)
    info->uid_validity = status->uid_validity;
  if (status->items & RACK_STATUS_UNSEEN)
    info->unseen = status->unseen;
  if (status->items & RACK_STATUS_HIGHESTMODSEQ)
    info->highest_modseq = status->highest_modseq;
}

static void
take_rights (RackMailboxInfo *info, RackStr rights)
{
  info->has_rights = TRUE;
  info->rights = rack_rights_parse (rights);
}

static void
collect (GPtrArray *list, GHashTable *by_name, const RackReply *reply)
{
  const RackResponse *response;

  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_LIST || response->kind == RACK_RESPONSE_LSUB)
      {
        if (response->list.mailbox.size == 0)
          continue;
        RackMailboxInfo *info = find_or_add (list, by_name, response->list.mailbox);
        info->flags |= response->list.flags;
        info->separator = response->list.separator;
      }
    else if (response->kind == RACK_RESPONSE_MAILBOX_STATUS)
      rack_mailbox_info_merge (find_or_add (list, by_name, response->mailbox_status.mailbox),
                               &response->mailbox_status);
    else if (response->kind == RACK_RESPONSE_MYRIGHTS)
      take_rights (find_or_add (list, by_name, response->my_rights.mailbox),
                   response->my_rights.rights);
}

/* STATUS of each, as many in flight as the engine admits. A mailbox that refuses is left without.
 */
static gboolean
ask_status (RackAccount *account, GPtrArray *list, GHashTable *by_name, GCancellable *cancellable,
            GError **error)
{
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func ((GDestroyNotify) rack_call_unref);
  RackWait wait = rack_account_wait (account, cancellable);
  RackLease lease;
  gboolean ok = TRUE;

  if (!rack_pool_acquire (account->pool, NULL, 0, &wait, &lease, error))
    return FALSE;
  for (guint i = 0; i < list->len; i++)
    {
      const RackMailboxInfo *info = g_ptr_array_index (list, i);
      if (info->flags & (RACK_LIST_NOSELECT | RACK_LIST_NONEXISTENT))
        continue;
      g_autofree char *items = g_strdup_printf ("(%s)", status_items (lease.conn));
      RackCommand *command = rack_command_new ("STATUS");
      rack_command_mailbox (command, info->name);
      rack_command_atom (command, items);
      RackCall *call = rack_call_new (command);
      rack_conn_post (lease.conn, call);
      g_ptr_array_add (calls, call);
    }
  for (guint i = 0; i < calls->len && ok; i++)
    {
      RackCall *call = g_ptr_array_index (calls, i);
      ok = rack_call_wait (call, cancellable, error);
      if (ok)
        collect (list, by_name, call->reply);
    }
  rack_pool_release (account->pool, &lease, FALSE);
  return ok;
}

/* ---- Namespaces -------------------------------------------------------------------------- */

static void
add_prefixes (GPtrArray *prefixes, const RackNamespaceItem *items, guint n)
{
  for (guint i = 0; i < n; i++)
    if (items[i].prefix.size > 0)
      g_ptr_array_add (prefixes, rack_mailbox_name_decode (items[i].prefix));
}

static RackCommand *
make_namespace (gpointer data, RackConn *conn)
{
  return rack_command_new (rack_conn_has (conn, "NAMESPACE") || rack_conn_has (conn, "IMAP4REV2")
                               ? "NAMESPACE"
                               : "NOOP");
}

/* Prefixes of other users' and shared namespaces, asked for once. Returns: (owned) */
static char **
foreign_prefixes (RackAccount *account, GCancellable *cancellable, GError **error)
{
  pthread_mutex_lock (&account->lock);
  char **known = g_strdupv (account->foreign);
  pthread_mutex_unlock (&account->lock);
  if (known != NULL)
    return known;
  g_autoptr (GError) problem = NULL;
  g_autoptr (RackCall) call =
      rack_account_run (account, make_namespace, NULL, cancellable, &problem);
  const RackResponse *response;
  /* A server that offers it and refuses it has none that it would list. */
  if (call == NULL && !g_error_matches (problem, RACK_ERROR, RACK_ERROR_REFUSED))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }
  GPtrArray *prefixes = g_ptr_array_new ();
  for (guint i = 0; call != NULL && (response = rack_reply_get (call->reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_NAMESPACE)
      {
        add_prefixes (prefixes, response->namespaces.others, response->namespaces.n_others);
        add_prefixes (prefixes, response->namespaces.shared, response->namespaces.n_shared);
      }
  g_ptr_array_add (prefixes, NULL);
  known = (char **) g_ptr_array_free (prefixes, FALSE);
  pthread_mutex_lock (&account->lock);
  g_strfreev (account->foreign);
  account->foreign = g_strdupv (known);
  pthread_mutex_unlock (&account->lock);
  return known;
}

static gboolean
holds_prefix (GPtrArray *list, const char *prefix)
{
  for (guint i = 0; i < list->len; i++)
    if (g_str_has_prefix (((const RackMailboxInfo *) list->pdata[i])->name, prefix))
      return TRUE;
  return FALSE;
}

/* Lists below each prefix that "*" did not reach. */
static gboolean
list_foreign (RackAccount *account, GPtrArray *list, GHashTable *by_name, RackListOptions options,
              GCancellable *cancellable, GError **error)
{
  g_auto (GStrv) prefixes = foreign_prefixes (account, cancellable, error);

  for (char **at = prefixes; at != NULL && *at != NULL; at++)
    {
      g_autofree char *pattern = g_strconcat (*at, "*", NULL);
      g_autoptr (GError) problem = NULL;
      ListRequest request = { .pattern = pattern, .options = options };
      if (holds_prefix (list, *at))
        continue;
      g_autoptr (RackCall) call =
          rack_account_run (account, make_list, &request, cancellable, &problem);
      if (call != NULL)
        collect (list, by_name, call->reply);
      else if (!g_error_matches (problem, RACK_ERROR, RACK_ERROR_REFUSED))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return FALSE;
        }
    }
  return prefixes != NULL;
}

gboolean
rack_account_ask_status (RackAccount *account, GPtrArray *list, GCancellable *cancellable,
                         GError **error)
{
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < list->len; i++)
    g_hash_table_insert (by_name, ((RackMailboxInfo *) list->pdata[i])->name, list->pdata[i]);
  if (ask_status (account, list, by_name, cancellable, error))
    return TRUE;
  g_prefix_error (error, "%s: status: ", account->label);
  return FALSE;
}

GPtrArray *
rack_account_list (RackAccount *account, const char *pattern, RackListOptions options,
                   GCancellable *cancellable, GError **error)
{
  ListRequest request = { .pattern = pattern, .options = options };
  g_autoptr (RackCall) call = rack_account_run (account, make_list, &request, cancellable, error);
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) list = NULL;

  if (call == NULL)
    {
      g_prefix_error (error, "%s: list mailboxes: ", account->label);
      return NULL;
    }
  list = g_ptr_array_new_with_free_func ((GDestroyNotify) rack_mailbox_info_free);
  collect (list, by_name, call->reply);
  if ((options & RACK_LIST_ALL_NAMESPACES) && strcmp (pattern, "*") == 0
      && !list_foreign (account, list, by_name, options, cancellable, error))
    {
      g_prefix_error (error, "%s: list mailboxes: ", account->label);
      return NULL;
    }
  if ((options & RACK_LIST_WITH_STATUS) && !request.with_status
      && !ask_status (account, list, by_name, cancellable, error))
    {
      g_prefix_error (error, "%s: status: ", account->label);
      return NULL;
    }
  for (guint i = 0; i < list->len; i++)
    {
      const RackMailboxInfo *info = list->pdata[i];
      rack_account_heard_validity (account, info->name, info->uid_validity);
    }
  return g_steal_pointer (&list);
}

static RackCommand *
make_status (gpointer data, RackConn *conn)
{
  RackCommand *command = rack_command_new ("STATUS");
  g_autofree char *items = g_strdup_printf ("(%s)", status_items (conn));

  rack_command_mailbox (command, data);
  rack_command_atom (command, items);
  return command;
}

RackMailboxInfo *
rack_account_status (RackAccount *account, const char *name, GCancellable *cancellable,
                     GError **error)
{
  g_autoptr (RackCall) call =
      rack_account_run (account, make_status, (gpointer) name, cancellable, error);
  const RackResponse *response;

  if (call == NULL)
    {
      g_prefix_error (error, "%s: %s: status: ", account->label, name);
      return NULL;
    }
  for (guint i = 0; (response = rack_reply_get (call->reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_MAILBOX_STATUS)
      {
        RackMailboxInfo *info = g_new0 (RackMailboxInfo, 1);
        info->name = g_strdup (name);
        rack_mailbox_info_merge (info, &response->mailbox_status);
        rack_account_heard_validity (account, name, info->uid_validity);
        return info;
      }
  g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
               "%s: %s: status: the server said OK and nothing else", account->label, name);
  return NULL;
}
