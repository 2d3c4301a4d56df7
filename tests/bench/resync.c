/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * resync.c - what it costs to learn what changed in a mailbox
 *
 *   bench-resync save CONFIG ACCOUNT MAILBOX              prints the state to remember
 *   bench-resync ask CONFIG ACCOUNT MAILBOX EXTENSIONS    reads it, asks what changed without those
 *                                                         extensions, prints a line of JSON
 * The login is done before the measurement begins; SELECT is part of it. */
#include "meter.h"

#include <mailrack/mailrack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
fail (GError *error)
{
  g_printerr ("%s\n", error != NULL ? error->message : "the state cannot be read");
  return 1;
}

static int
save (RackAccount *account, const char *name)
{
  GError *error = NULL;
  g_autoptr (RackMailbox) mailbox = rack_mailbox_open (account, name, TRUE, NULL, &error);
  RackMailboxStatus status;

  if (mailbox == NULL)
    return fail (error);
  rack_mailbox_status (mailbox, &status);
  g_autoptr (RackSet) uids = rack_mailbox_search (mailbox, "ALL", NULL, &error);
  if (uids == NULL)
    return fail (error);
  g_autofree char *text = rack_set_to_string (uids);
  printf ("%u %u %" G_GUINT64_FORMAT " %s\n", status.uid_validity, status.uid_next,
          status.highest_modseq, text);
  return 0;
}

static int
measure (RackAccount *account, const char *name, const RackMailboxState *state, const RackSet *uids)
{
  static const char *const rungs[] = { "unchanged", "QRESYNC", "CONDSTORE", "plain" };
  GError *error = NULL;
  RackTraffic before, after;
  guint64 told = 0;

  if (!rack_account_connect (account, NULL, &error))
    return fail (error);
  g_autoptr (RackMailbox) mailbox = rack_mailbox_bind (account, name, TRUE, state->uid_validity);
  rack_account_traffic (account, &before);
  double start = meter_now (), cpu = meter_cpu ();
  g_autoptr (RackResync) resync = rack_mailbox_resync (mailbox, state, uids, NULL, &error);
  while (resync != NULL && rack_resync_next (resync, &error) != NULL)
    told++;
  if (error != NULL)
    return fail (error);
  double wall = meter_now () - start;
  rack_account_traffic (account, &after);
  printf ("{\"rung\": \"%s\", \"wall\": %.4f, \"cpu\": %.4f, \"in\": %" G_GUINT64_FORMAT
          ", \"out\": %" G_GUINT64_FORMAT ", \"trips\": %" G_GUINT64_FORMAT
          ", \"commands\": %" G_GUINT64_FORMAT ", \"told\": %" G_GUINT64_FORMAT
          ", \"added\": %" G_GUINT64_FORMAT ", \"vanished\": %" G_GUINT64_FORMAT "}\n",
          rungs[rack_resync_rung (resync)], wall, meter_cpu () - cpu,
          after.bytes_in - before.bytes_in, after.bytes_out - before.bytes_out,
          after.round_trips - before.round_trips, after.commands - before.commands, told,
          rack_set_count (rack_resync_added (resync)),
          rack_set_count (rack_resync_vanished (resync)));
  return 0;
}

static int
ask (RackAccount *account, const char *name)
{
  RackMailboxState state = { 0 };
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (0);
  g_autofree char *line = NULL;
  GError *error = NULL;

  if (g_io_channel_read_line (input, &line, NULL, NULL, &error) != G_IO_STATUS_NORMAL)
    return fail (error);
  g_auto (GStrv) words = g_strsplit (g_strstrip (line), " ", -1);
  if (g_strv_length (words) != 4)
    return fail (NULL);
  state.uid_validity = (guint32) strtoul (words[0], NULL, 10);
  state.uid_next = (guint32) strtoul (words[1], NULL, 10);
  state.highest_modseq = strtoull (words[2], NULL, 10);
  g_autoptr (RackSet) uids = rack_set_parse (words[3], &error);
  return uids != NULL ? measure (account, name, &state, uids) : fail (error);
}

int
main (int argc, char **argv)
{
  gboolean asking = argc == 6 && strcmp (argv[1], "ask") == 0;
  GError *error = NULL;

  if (!asking && !(argc == 5 && strcmp (argv[1], "save") == 0))
    return 64;
  g_autoptr (RackConfig) config = rack_config_load (argv[2], &error);
  g_autoptr (RackHost) host = rack_host_new (NULL, NULL);
  if (config != NULL && asking)
    rack_config_set (config, "disable_extensions", argv[5], "bench", &error);
  g_autoptr (RackAccount) account =
      error == NULL ? rack_account_new (config, argv[3], host, &error) : NULL;
  if (account == NULL)
    return fail (error);
  return asking ? ask (account, argv[4]) : save (account, argv[4]);
}
