/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * resync-ask.c - UID SEARCH on one connection, several at a time where it may be
 *
 * With ESEARCH an answer is ranges and names the question it belongs to; without,
 * numbers, and the engine sends one question after the other. */
#include "resync-private.h"

RackCall *
rack_ask_post (const RackAsk *ask, const char *key, const RackSet *set)
{
  RackCommand *command = rack_command_new ("UID SEARCH");

  if (ask->extended)
    rack_command_raw (command, "RETURN (ALL)");
  if (key != NULL)
    rack_command_raw (command, key);
  if (set != NULL)
    rack_command_set (command, set);
  RackCall *call = rack_call_new (command);
  if (ask->extended)
    call->exchange.flags |= RACK_EXCHANGE_CORRELATED;
  rack_conn_post (ask->conn, call);
  return call;
}

RackSet *
rack_ask_read (const RackAsk *ask, RackCall *call, RackCounts *counts, GError **error)
{
  const RackResponse *response;

  if (!rack_call_expect (call, ask->cancellable, error))
    return NULL;
  RackSet *found = rack_set_new ();
  for (guint i = 0; (response = rack_reply_get (call->reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_SEARCH)
      rack_set_add_ranges (found, response->search.all);
  if (counts != NULL)
    *counts = call->counts;
  return found;
}

RackSet *
rack_ask_search (const RackAsk *ask, const char *key, const RackSet *set, RackCounts *counts,
                 GError **error)
{
  g_autoptr (RackCall) call = rack_ask_post (ask, key, set);

  return rack_ask_read (ask, call, counts, error);
}
