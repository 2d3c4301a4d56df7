/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ask.c - one question to a server through the public API, for tests that know the answer
 *
 *   ask list CONFIG ACCOUNT                     the names of all mailboxes in all namespaces
 *   ask find CONFIG ACCOUNT MAILBOX TERMS       the UIDs that rack_mailbox_find() finds
 *   ask read CONFIG ACCOUNT MAILBOX UID SECTIONS
 *       each of these sections (2,3.1), decoded by the server if it can: whether it did, and the
 *       octets
 *   ask resync CONFIG ACCOUNT MAILBOX UIDVALIDITY UIDNEXT MODSEQ UIDS
 *       a line for each message whose flags are told, then the rung, what vanished, what is new,
 *       the new state
 *   ask anew CONFIG ACCOUNT MAILBOX             its UIDVALIDITY as it is opened, by STATUS, whether
 *       what was opened is STALE then, and as it is opened twice more
 *
 * Exit status 1 with the error on stderr. */
#include <mailrack/mailrack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gboolean
list (RackAccount *account, char **arguments, GError **error)
{
  g_autoptr (GPtrArray) all =
      rack_account_list (account, "*", RACK_LIST_ALL_NAMESPACES, NULL, error);

  for (guint i = 0; all != NULL && i < all->len; i++)
    puts (((RackMailboxInfo *) all->pdata[i])->name);
  return all != NULL;
}

static gboolean
find (RackAccount *account, char **arguments, GError **error)
{
  g_autoptr (RackCriteria) criteria = rack_search_parse (arguments[1], error);
  g_autoptr (RackMailbox) mailbox =
      criteria != NULL ? rack_mailbox_open (account, arguments[0], TRUE, NULL, error) : NULL;
  g_autoptr (RackSet) found =
      mailbox != NULL ? rack_mailbox_find (mailbox, criteria, NULL, error) : NULL;

  if (found == NULL)
    return FALSE;
  g_autofree char *text = rack_set_to_string (found);
  puts (text);
  return TRUE;
}

static void
print_flags (const RackMessage *message)
{
  printf ("%u %x", message->uid, message->flags.system);
  for (guint i = 0; i < message->flags.n_keywords; i++)
    printf (" %.*s", (int) message->flags.keywords[i].size, message->flags.keywords[i].data);
  putchar ('\n');
}

static gboolean
resync (RackAccount *account, char **arguments, GError **error)
{
  static const char *const rungs[] = { "unchanged", "qresync", "condstore", "plain" };
  RackMailboxState state = { (guint32) strtoul (arguments[1], NULL, 10),
                             (guint32) strtoul (arguments[2], NULL, 10),
                             strtoull (arguments[3], NULL, 10) };
  g_autoptr (RackSet) uids =
      *arguments[4] != '\0' ? rack_set_parse (arguments[4], error) : rack_set_new ();
  g_autoptr (RackMailbox) mailbox =
      rack_mailbox_bind (account, arguments[0], TRUE, state.uid_validity);
  g_autoptr (RackResync) changes =
      uids != NULL ? rack_mailbox_resync (mailbox, &state, uids, NULL, error) : NULL;
  GError *problem = NULL;
  const RackMessage *message;

  if (changes == NULL)
    return FALSE;
  while ((message = rack_resync_next (changes, &problem)) != NULL)
    print_flags (message);
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return FALSE;
    }
  g_autofree char *vanished = rack_set_to_string (rack_resync_vanished (changes));
  g_autofree char *added = rack_set_to_string (rack_resync_added (changes));
  rack_resync_state (changes, &state);
  printf ("%s vanished=%s added=%s state=%u/%u/%" G_GUINT64_FORMAT "\n",
          rungs[rack_resync_rung (changes)], vanished, added, state.uid_validity, state.uid_next,
          state.highest_modseq);
  return TRUE;
}

static gboolean
read_section (RackMailbox *mailbox, guint32 uid, const char *section, GError **error)
{
  RackReadRange range = { .section = section, .decode = TRUE };
  char octets[256];
  gsize have = 0;
  gssize got;
  guint64 size;
  g_autoptr (RackReader) reader = rack_mailbox_read_range (mailbox, uid, &range, NULL, error);

  if (reader == NULL || !rack_reader_size (reader, &size, error))
    return FALSE;
  while ((got = rack_reader_read (reader, octets + have, sizeof octets - have, error)) > 0)
    have += (gsize) got;
  if (got == 0)
    printf ("%s %s: %.*s\n", section, rack_reader_is_decoded (reader) ? "decoded" : "as sent",
            (int) have, octets);
  return got == 0;
}

static gboolean
read_all (RackAccount *account, char **arguments, GError **error)
{
  g_auto (GStrv) sections = g_strsplit (arguments[2], ",", -1);
  g_autoptr (RackMailbox) mailbox = rack_mailbox_open (account, arguments[0], TRUE, NULL, error);
  gboolean ok = mailbox != NULL;

  for (char **section = sections; ok && *section != NULL; section++)
    ok = read_section (mailbox, (guint32) atoi (arguments[1]), *section, error);
  return ok;
}

static gboolean
print_opened (RackAccount *account, const char *name, RackMailbox **opened, GError **error)
{
  RackMailboxStatus status;
  g_autoptr (RackMailbox) mailbox = rack_mailbox_open (account, name, TRUE, NULL, error);

  if (mailbox == NULL)
    return FALSE;
  rack_mailbox_status (mailbox, &status);
  printf ("%u\n", status.uid_validity);
  if (opened != NULL)
    *opened = g_steal_pointer (&mailbox);
  return TRUE;
}

static gboolean
anew (RackAccount *account, char **arguments, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (RackMailbox) mailbox = NULL;

  if (!print_opened (account, arguments[0], &mailbox, error))
    return FALSE;
  RackMailboxInfo *info = rack_account_status (account, arguments[0], NULL, error);
  if (info == NULL)
    return FALSE;
  printf ("%" G_GUINT64_FORMAT "\n", info->uid_validity);
  rack_mailbox_info_free (info);
  g_autoptr (RackSet) found = rack_mailbox_search (mailbox, "ALL", NULL, &problem);
  puts (g_error_matches (problem, RACK_ERROR, RACK_ERROR_STALE) ? "stale" : "not stale");
  return print_opened (account, arguments[0], NULL, error)
         && print_opened (account, arguments[0], NULL, error);
}

static const struct
{
  const char *name;
  int n;
  gboolean (*run) (RackAccount *account, char **arguments, GError **error);
} questions[] = { { "list", 0, list },
                  { "find", 2, find },
                  { "read", 3, read_all },
                  { "resync", 5, resync },
                  { "anew", 1, anew } };

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (questions); i++)
    {
      if (argc < 4 || strcmp (argv[1], questions[i].name) != 0 || argc != 4 + questions[i].n)
        continue;
      g_autoptr (RackConfig) config = rack_config_load (argv[2], &error);
      g_autoptr (RackHost) host = rack_host_new (NULL, NULL);
      g_autoptr (RackAccount) account =
          config != NULL ? rack_account_new (config, argv[3], host, &error) : NULL;
      if (account != NULL && questions[i].run (account, argv + 4, &error))
        return 0;
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  return 64;
}
