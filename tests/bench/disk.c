/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * disk.c - a mirror's store by itself: writing, opening and listing a large mailbox
 *
 *     bench-disk [MESSAGES [uid]]
 *
 * Writes the rows of so many messages as a first sync does, then opens a mirror over them
 * with no server to be reached (the tests' server in memory, offline) and lists them. Prints
 * seconds, and the memory the process has of its own: above that of an empty mirror, for
 * each message. With "uid" messages have no names. */
#include "fake.h"

#include <mailrack/mailrack-mirror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

#define PORTION 1000
#define BATCH   64

static double
now (void)
{
  return (double) g_get_monotonic_time () / G_USEC_PER_SEC;
}

static gsize
memory (void)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents ("/proc/self/smaps_rollup", &text, NULL, NULL))
    return 0;
  const char *line = strstr (text, "Private_Dirty:");
  return line != NULL ? (gsize) g_ascii_strtoull (line + 14, NULL, 10) * 1024 : 0;
}

static void
check (gboolean ok, GError *error)
{
  if (ok)
    return;
  fprintf (stderr, "%s\n", error != NULL ? error->message : "failed");
  exit (1);
}

static RackStr
str (const char *text)
{
  return (RackStr){ text, strlen (text) };
}

static void
add_one (RackRows *rows, guint32 uid, gboolean named)
{
  char subject[128], id[64];
  RackStr word = str ("$Label1");
  RackAddress from = { .name = str ("Alice Doe"),
                       .mailbox = str ("alice.doe"),
                       .host = str ("mail.example.org") };
  g_snprintf (subject, sizeof subject, "Re: [list] what was said about number %u in that matter",
              uid);
  g_snprintf (id, sizeof id, "<%08x.%u@mail.example.org>", uid * 2654435761u, uid);
  RackEnvelope envelope = {
    .subject = str (subject), .from = { &from, 1 }, .message_id = str (id), .in_reply_to = str (id)
  };
  RackMessage message = {
    .fields = RACK_FIELD_UID | RACK_FIELD_FLAGS | RACK_FIELD_DATE | RACK_FIELD_SIZE
              | RACK_FIELD_ENVELOPE | RACK_FIELD_MODSEQ,
    .uid = uid,
    .flags = { .system = RACK_FLAG_SEEN, .keywords = &word, .n_keywords = uid % 10 == 0 },
    .size = 3000 + uid % 5000,
    .date = 1600000000 + uid,
    .modseq = uid,
    .envelope = &envelope
  };
  rack_rows_add (rows, &message, named);
}

static void
write_messages (RackStore *store, guint32 row, guint32 n, gboolean named)
{
  g_autoptr (GError) error = NULL;
  RackRows rows;
  rack_rows_init (&rows);
  for (guint32 uid = 1; uid <= n; uid++)
    {
      add_one (&rows, uid, named);
      if (rows.n < PORTION && uid < n)
        continue;
      check (rack_store_add (store, row, &rows, &error), error);
      rack_rows_reset (&rows);
    }
  rack_rows_clear (&rows);
}

static void
write_store (RackAccount *account, guint32 n, gboolean named)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *place = rack_store_place (account, NULL);
  char *notice = NULL;
  RackStore *store = rack_store_open (place, "bench", 0, &notice, &error);
  check (store != NULL, error);
  RackStoreFolder folders[] = {
    { .id = 1, .mailbox = "Large", .directory = "Large", .selectable = TRUE },
    { .id = 2, .mailbox = "Empty", .directory = "Empty", .selectable = TRUE }
  };
  RackStoreBox boxes[] = {
    { .row = 1,
      .folder = 1,
      .uid_validity = 1,
      .uid_next = n + 1,
      .modseq = n,
      .named = named,
      .complete = TRUE },
    { .row = 2,
      .folder = 2,
      .uid_validity = 1,
      .uid_next = 1,
      .modseq = 1,
      .named = named,
      .complete = TRUE },
  };
  check (rack_store_put_folders (store, folders, 2, &error), error);
  check (rack_store_add_box (store, &boxes[0], &error), error);
  check (rack_store_add_box (store, &boxes[1], &error), error);
  double began = now ();
  write_messages (store, 1, n, named);
  printf ("write      %.2f s\n", now () - began);
  rack_store_close (store);
  g_auto (RackCacheFacts) facts = { 0 };
  check (rack_cache_size (account, NULL, &facts, &error), error);
  printf ("disk       %.0f octets a message\n", (double) facts.index_octets / n);
}

static guint32
list_all (RackFolder *folder)
{
  static RackEntry entries[BATCH];
  guint32 after = 0, count = 0;
  guint n;
  while ((n = rack_folder_entries (folder, after, entries, BATCH)) > 0)
    {
      after = entries[n - 1].uid;
      count += n;
    }
  return count;
}

static RackFolder *
open_folder (RackMirror *mirror, const char *name)
{
  g_autoptr (GError) error = NULL;
  RackFolder *folder = rack_folder_child (rack_mirror_root (mirror), name);
  check (folder != NULL && rack_folder_wait (folder, NULL, &error), error);
  return folder;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  guint32 n = argc > 1 ? (guint32) strtoul (argv[1], NULL, 10) : 1000000;
  gboolean named = argc < 3 || strcmp (argv[2], "uid") != 0;
  RackMirrorOptions options = { .names = named ? RACK_NAMES_FULL : RACK_NAMES_UID,
                                .changes = TRUE };
  RackAccount *account = fake_account_new ();
  write_store (account, n, named);
  fake_offline (TRUE);
  double began = now ();
  RackMirror *mirror = rack_mirror_open (account, &options, NULL, &error);
  check (mirror != NULL, error);
  list_all (open_folder (mirror, "Empty"));
  printf ("open       %.3f s\n", now () - began);
  gsize base = memory ();
  began = now ();
  RackFolder *folder = open_folder (mirror, "Large");
  printf ("load       %.2f s\n", now () - began);
  printf ("memory     %.1f octets a message above %.1f MiB\n",
          ((double) memory () - (double) base) / n, (double) base / (1 << 20));
  began = now ();
  guint32 count = list_all (folder);
  printf ("list       %.2f s for %u\n", now () - began, count);
  printf ("memory     %.1f octets a message after that\n",
          ((double) memory () - (double) base) / n);
  RackEntry entry;
  began = now ();
  for (guint32 i = 0; i < 100000; i++)
    check (rack_folder_find (folder, (guint32) (i * 2654435761u % n + 1), &entry), NULL);
  printf ("find       %.1f us each at random\n", (now () - began) * 10);
  rack_mirror_close (mirror);
  rack_account_unref (account);
  return count == n ? 0 : 1;
}
