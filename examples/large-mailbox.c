/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * large-mailbox.c - who wrote how many messages, and how many octets, in a mailbox of any size
 *
 *   cc large-mailbox.c $(pkg-config --cflags --libs mailrack) -o large-mailbox
 *   ./large-mailbox ACCOUNT MAILBOX
 *
 * The messages come one by one: the server is asked for windows of them, only as fast as they are
 * read here, and nothing is kept of one when the next is asked for. So memory grows with the number
 * of senders, and not with the mailbox. */
#include <mailrack/mailrack.h>
#include <stdio.h>

typedef struct
{
  guint64 messages, octets;
} Sum;

static char *
sender_of (const RackMessage *message)
{
  const RackEnvelope *envelope = message->envelope;

  if (envelope == NULL || envelope->from.n == 0 || envelope->from.items[0].mailbox.data == NULL)
    return g_strdup ("(nobody)");
  g_autofree char *mailbox = rack_str_dup (envelope->from.items[0].mailbox);
  g_autofree char *host = rack_str_dup (envelope->from.items[0].host);
  g_autofree char *address = g_strdup_printf ("%s@%s", mailbox, host != NULL ? host : "");

  return rack_text_escape (address, -1);
}

static void
count (GHashTable *senders, const RackMessage *message)
{
  g_autofree char *sender = sender_of (message);
  Sum *sum = g_hash_table_lookup (senders, sender);

  if (sum == NULL)
    {
      sum = g_new0 (Sum, 1);
      g_hash_table_insert (senders, g_steal_pointer (&sender), sum);
    }
  sum->messages++;
  sum->octets += message->size;
}

static void
print (GHashTable *senders)
{
  GHashTableIter iter;
  gpointer sender, sum;

  g_hash_table_iter_init (&iter, senders);
  while (g_hash_table_iter_next (&iter, &sender, &sum))
    printf ("%8" G_GUINT64_FORMAT " messages %12" G_GUINT64_FORMAT " octets  %s\n",
            ((Sum *) sum)->messages, ((Sum *) sum)->octets, (char *) sender);
}

/* FALSE with error set: it went wrong on the way; what was counted until then stands. */
static gboolean
walk (RackMailbox *mailbox, GHashTable *senders, GError **error)
{
  g_autoptr (RackSet) all = rack_set_new_range (1, RACK_SET_STAR);
  g_autoptr (RackFetch) fetch =
      rack_mailbox_fetch (mailbox, all, "RFC822.SIZE ENVELOPE", NULL, NULL, error);
  const RackMessage *message;
  GError *problem = NULL;

  if (fetch == NULL)
    return FALSE;
  while ((message = rack_fetch_next (fetch, &problem)) != NULL)
    count (senders, message); /* borrowed until the next call */
  if (problem == NULL)
    return TRUE;
  g_propagate_error (error, problem);
  return FALSE;
}

int
main (int argc, char **argv)
{
  if (argc != 3)
    {
      fprintf (stderr, "usage: large-mailbox ACCOUNT MAILBOX\n");
      return 64;
    }
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) senders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (RackConfig) config = rack_config_load (NULL, &error);
  g_autoptr (RackHost) host = rack_host_new (NULL, NULL);
  g_autoptr (RackAccount) account =
      config != NULL ? rack_account_new (config, argv[1], host, &error) : NULL;
  g_autoptr (RackMailbox) mailbox =
      account != NULL ? rack_mailbox_open (account, argv[2], TRUE, NULL, &error) : NULL;

  if (mailbox != NULL && walk (mailbox, senders, &error))
    {
      print (senders);
      return 0;
    }
  fprintf (stderr, "%s\n", error->message);
  return 1;
}
