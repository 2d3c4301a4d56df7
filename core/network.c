/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * network.c - the account's watch of the network, for itself and for programs */
#include "account-private.h"

RackNetwatch *
rack_account_netwatch (RackAccount *account)
{
  pthread_mutex_lock (&account->lock);
  if (account->netwatch == NULL)
    account->netwatch = rack_netwatch_new ();
  RackNetwatch *watch = account->netwatch;
  pthread_mutex_unlock (&account->lock);
  return watch;
}

gboolean
rack_account_wait_network (RackAccount *account, guint64 *seen, GCancellable *cancellable,
                           GError **error)
{
  if (!g_cancellable_is_cancelled (cancellable)
      && rack_netwatch_wait (rack_account_netwatch (account), seen, cancellable))
    return TRUE;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  return FALSE;
}
