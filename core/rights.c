/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rights.c - what a mailbox lets one do: rights (RFC 4314) and the largest message (RFC 7889) */
#include "account-private.h"

#include <string.h>

static gboolean
has_capability (RackAccount *account, const char *name, GCancellable *cancellable, GError **error)
{
  gboolean has = FALSE;

  if (!rack_account_has (account, name, &has, cancellable, error))
    return FALSE;
  if (!has)
    g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED, "the server has no %s", name);
  return has;
}

static RackCommand *
make_my_rights (gpointer mailbox, RackConn *conn)
{
  RackCommand *command = rack_command_new ("MYRIGHTS");

  rack_command_mailbox (command, mailbox);
  return command;
}

gboolean
rack_account_rights (RackAccount *account, const char *mailbox, RackRights *rights,
                     GCancellable *cancellable, GError **error)
{
  g_autoptr (RackCall) call = NULL;
  const RackResponse *response;

  if (has_capability (account, "ACL", cancellable, error))
    call = rack_account_run (account, make_my_rights, (gpointer) mailbox, cancellable, error);
  for (guint i = 0; call != NULL && (response = rack_reply_get (call->reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_MYRIGHTS)
      {
        *rights = rack_rights_parse (response->my_rights.rights);
        return TRUE;
      }
  if (call != NULL)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                         "the server said OK and nothing else");
  g_prefix_error (error, "%s: %s: rights: ", account->label, mailbox);
  return FALSE;
}

gboolean
rack_account_may_write (RackAccount *account, const char *mailbox, gboolean *may,
                        GCancellable *cancellable, GError **error)
{
  RackWait wait = rack_account_wait (account, cancellable);
  RackLease lease;

  /* Anew: what was selected long ago knows nothing newer. */
  gboolean ok = rack_pool_acquire (account->pool, mailbox, RACK_LEASE_AGAIN, &wait, &lease, error);
  if (ok)
    {
      ok = rack_call_expect (lease.select, cancellable, error);
      if (ok)
        *may = rack_reply_status (lease.select->reply)->code.kind != RACK_CODE_READ_ONLY;
      rack_pool_release (account->pool, &lease, !ok);
    }
  if (!ok)
    g_prefix_error (error, "%s: %s: select: ", account->label, mailbox);
  return ok;
}

/* What the capabilities say: "APPENDLIMIT=35651584" is for all mailboxes, "APPENDLIMIT" says that
 * it has to be asked. */
static gboolean
read_capabilities (RackAccount *account, guint64 *limit, gboolean *ask, GCancellable *cancellable,
                   GError **error)
{
  static const char name[] = "APPENDLIMIT";
  RackWait wait = rack_account_wait (account, cancellable);
  RackLease lease;

  if (!rack_pool_acquire (account->pool, NULL, 0, &wait, &lease, error))
    return FALSE;
  g_auto (GStrv) capabilities = rack_conn_capabilities (lease.conn);
  rack_pool_release (account->pool, &lease, FALSE);
  *ask = FALSE;
  *limit = G_MAXUINT64;
  for (guint i = 0; capabilities[i] != NULL; i++)
    {
      if (strcmp (capabilities[i], name) == 0)
        *ask = TRUE;
      else if (strncmp (capabilities[i], name, strlen (name)) == 0
               && capabilities[i][strlen (name)] == '=')
        g_ascii_string_to_unsigned (capabilities[i] + strlen (name) + 1, 10, 0, G_MAXINT64, limit,
                                    NULL);
    }
  return TRUE;
}

static RackCommand *
make_limit (gpointer mailbox, RackConn *conn)
{
  RackCommand *command = rack_command_new ("STATUS");

  rack_command_mailbox (command, mailbox);
  rack_command_atom (command, "(APPENDLIMIT)");
  return command;
}

gboolean
rack_account_append_limit (RackAccount *account, const char *mailbox, guint64 *limit,
                           GCancellable *cancellable, GError **error)
{
  gboolean ask = FALSE;
  g_autoptr (RackCall) call = NULL;
  const RackResponse *response;

  gboolean ok = read_capabilities (account, limit, &ask, cancellable, error);
  if (ok && ask && *limit == G_MAXUINT64)
    {
      call = rack_account_run (account, make_limit, (gpointer) mailbox, cancellable, error);
      ok = call != NULL;
    }
  if (!ok)
    g_prefix_error (error, "%s: %s: append limit: ", account->label, mailbox);
  for (guint i = 0; call != NULL && (response = rack_reply_get (call->reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_MAILBOX_STATUS
        && (response->mailbox_status.items & RACK_STATUS_APPENDLIMIT))
      *limit = response->mailbox_status.append_limit;
  return ok;
}
