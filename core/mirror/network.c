/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * network.c - has the poller look when the machine woke up or its network changed
 *
 * What is pushed is heard of again by the connections themselves; this is for what is
 * polled, and for a server that could not be reached.
 */
#include "mirror-private.h"

struct RackNetwork
{
  RackMirror *mirror;
  GCancellable *cancellable;
  GThread *thread;
};

static gpointer
run (gpointer data)
{
  RackNetwork *network = data;
  guint64 seen = 0;
  while (rack_account_wait_network (network->mirror->account, &seen, network->cancellable, NULL))
    rack_watchers_hurry (network->mirror);
  return NULL;
}

RackNetwork *
rack_network_new (RackMirror *mirror)
{
  RackNetwork *network = g_new0 (RackNetwork, 1);
  network->mirror = mirror;
  network->cancellable = g_cancellable_new ();
  network->thread = g_thread_new ("mirror-network", run, network);
  return network;
}

void
rack_network_free (RackNetwork *network)
{
  if (network == NULL)
    return;
  g_cancellable_cancel (network->cancellable);
  g_thread_join (network->thread);
  g_object_unref (network->cancellable);
  g_free (network);
}
