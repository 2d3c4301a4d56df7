/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ours.c - the same work through the public API, every field looked at
 *
 *   ours CONFIG ACCOUNT MAILBOX ITEMS
 * ITEMS without UID, which is always there. Keeps nothing. */
#include "meter.h"

#include <mailrack/mailrack.h>

/* Touches what a message list would show, so that nothing can be left unparsed. */
static guint64
look_at (const RackMessage *message)
{
  guint64 check = message->uid + message->size + (guint64) message->date + message->flags.system;
  const RackEnvelope *envelope = message->envelope;

  if (envelope != NULL)
    {
      check += envelope->subject.size + envelope->message_id.size + envelope->date.size;
      for (guint i = 0; i < envelope->from.n; i++)
        check += envelope->from.items[i].mailbox.size;
      for (guint i = 0; i < envelope->to.n; i++)
        check += envelope->to.items[i].host.size;
    }
  for (const RackPart *part = message->body; part != NULL;)
    {
      check += part->size + part->type.size + part->params.n;
      if (part->child != NULL)
        part = part->child;
      else
        {
          while (part != NULL && part->next == NULL)
            part = part->parent;
          if (part != NULL)
            part = part->next;
        }
    }
  for (guint i = 0; i < message->n_sections; i++)
    check += message->sections[i].data.size;
  return check;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  guint64 messages = 0, check = 0;
  RackTraffic before, after;

  if (argc != 5)
    return 64;
  g_autoptr (RackConfig) config = rack_config_load (argv[1], &error);
  g_autoptr (RackHost) host = rack_host_new (NULL, NULL);
  g_autoptr (RackAccount) account =
      config != NULL ? rack_account_new (config, argv[2], host, &error) : NULL;
  g_autoptr (RackMailbox) mailbox =
      account != NULL ? rack_mailbox_open (account, argv[3], TRUE, NULL, &error) : NULL;
  if (mailbox == NULL)
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  g_autoptr (RackSet) all = rack_set_new_range (1, RACK_SET_STAR);
  rack_account_traffic (account, &before);
  double cpu = meter_cpu (), start = meter_now ();
  g_autoptr (RackFetch) fetch = rack_mailbox_fetch (mailbox, all, argv[4], NULL, NULL, &error);
  const RackMessage *message;
  while (fetch != NULL && (message = rack_fetch_next (fetch, &error)) != NULL)
    {
      check += look_at (message);
      messages++;
    }
  double wall = meter_now () - start;
  if (error != NULL || fetch == NULL || rack_fetch_skipped (fetch) > 0)
    {
      g_printerr ("%s\n", error != NULL ? error->message : "responses were left out");
      return 1;
    }
  rack_account_traffic (account, &after);
  meter_print (wall, meter_cpu () - cpu, messages, after.bytes_in - before.bytes_in, check);
  return 0;
}
