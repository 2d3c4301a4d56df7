/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * quota.c - how full a mailbox may become, and how full it is (RFC 9208) */
#include "account-private.h"

typedef struct
{
  const char *mailbox;
  gboolean supported;
} QuotaRequest;

static RackCommand *
make_quota (gpointer data, RackConn *conn)
{
  QuotaRequest *request = data;

  request->supported = rack_conn_has (conn, "QUOTA");
  if (!request->supported)
    return rack_command_new ("NOOP");
  RackCommand *command = rack_command_new ("GETQUOTAROOT");
  rack_command_mailbox (command, request->mailbox);
  return command;
}

/* Whether a limit is nearer than the one known. */
static gboolean
is_tighter (gboolean known, guint64 used, guint64 limit, guint64 new_used, guint64 new_limit)
{
  guint64 left = limit - MIN (used, limit), new_left = new_limit - MIN (new_used, new_limit);

  return !known || new_left < left;
}

static void
take_resource (RackQuota *quota, const RackQuotaResource *resource)
{
  g_autofree char *name = rack_str_dup (resource->name);
  /* In units of 1024 octets; a limit near the end of the numbers is none at all. */
  guint64 most = G_MAXUINT64 / 1024;
  guint64 used = MIN (resource->usage, most) * 1024, limit = MIN (resource->limit, most) * 1024;

  if (g_ascii_strcasecmp (name, "STORAGE") == 0
      && is_tighter (quota->has_storage, quota->used, quota->limit, used, limit))
    {
      quota->has_storage = TRUE;
      quota->used = used;
      quota->limit = limit;
    }
  else if (g_ascii_strcasecmp (name, "MESSAGE") == 0
           && is_tighter (quota->has_messages, quota->messages, quota->message_limit,
                          resource->usage, resource->limit))
    {
      quota->has_messages = TRUE;
      quota->messages = resource->usage;
      quota->message_limit = resource->limit;
    }
}

gboolean
rack_account_quota (RackAccount *account, const char *mailbox, RackQuota *quota,
                    GCancellable *cancellable, GError **error)
{
  QuotaRequest request = { mailbox, FALSE };
  g_autoptr (RackCall) call = rack_account_run (account, make_quota, &request, cancellable, error);
  const RackResponse *response;

  if (call != NULL && !request.supported)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED, "the server has no QUOTA");
  if (call == NULL || !request.supported)
    {
      g_prefix_error (error, "%s: %s: quota: ", account->label, mailbox);
      return FALSE;
    }
  *quota = (RackQuota){ FALSE };
  for (guint i = 0; (response = rack_reply_get (call->reply, i)) != NULL; i++)
    for (guint k = 0; response->kind == RACK_RESPONSE_QUOTA && k < response->quota.n_resources; k++)
      take_resource (quota, &response->quota.resources[k]);
  return TRUE;
}
