/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mirror-on-disk.c - a mirror's life on a disk that may go bad, for test_mirror_disk.py
 *
 *   mirror-on-disk CACHE live       a first sync, everything read, a second one after changes, a
 *                                   third one after the disk was made good (FAULTDISK_CONTROL)
 *   mirror-on-disk CACHE after N    what a later process finds, on a good disk, when the server is
 *                                   as it was at the N-th sync; afterwards everything is kept.
 *                                   One more argument: it is not looked through before
 *   mirror-on-disk CACHE offline N  without the server everything is there
 *
 * The server is a few structs (fake.c), made the same in every process. What went wrong is
 * printed, a line each: "refused: " what could not be answered and why, "wrong: " what was
 * answered and is not so. The exit status is 0 unless something was wrong.
 */
#include "../support/faultdisk.h"
#include "fake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST    50
/* So long something that must come may take, microseconds: machines are busy. */
#define PATIENCE (30 * G_USEC_PER_SEC)

typedef struct
{
  gboolean there;
  RackFlags flags;
} Known;

static RackAccount *account;
static RackMirror *mirror;
static FakeBox *inbox;
static const char *cache;
static guint wrongs;
/* What the server has, by UID. */
static Known known[FIRST * 2];

static void
say (const char *kind, const char *format, ...)
{
  va_list rest;
  va_start (rest, format);
  g_autofree char *text = g_strdup_vprintf (format, rest);
  va_end (rest);
  printf ("%s: %s\n", kind, text);
  fflush (stdout);
  wrongs += strcmp (kind, "wrong") == 0;
}

/* ---- The server ------------------------------------------------------------------------- */

/* Larger than what is looked through at once. */
static gboolean
is_large (guint32 uid)
{
  return uid % 25 == 0;
}

/* The octets of a message: of every size that is treated in a way of its own. */
static char *
octets_of (guint32 uid)
{
  gsize size = is_large (uid) ? 300000 + uid : uid % 10 == 5 ? 20000 + uid : uid * 397 % 9000 + 1;
  char *text = g_malloc (size + 1);
  guint32 state = uid * 2654435761u;
  for (gsize i = 0; i < size; i++)
    {
      state = state * 1664525 + 1013904223;
      text[i] = (char) ('!' + (state >> 24) % 90);
    }
  text[size] = '\0';
  return text;
}

static void
deliver (guint32 uid)
{
  g_autofree char *text = octets_of (uid);
  fake_add (inbox, uid, "s", text, -1);
  known[uid] = (Known){ TRUE, 0 };
}

static void
mark (guint32 uid, RackFlags flags)
{
  if (!known[uid].there)
    return;
  fake_flags (inbox, uid, flags);
  known[uid].flags = flags;
}

/* What happens on the server before sync n. */
static void
happen (guint n)
{
  if (n == 1)
    for (guint32 uid = 1; uid <= FIRST; uid++)
      deliver (uid);
  if (n == 1)
    return;
  for (guint32 uid = n; uid <= FIRST; uid += 5)
    mark (uid, n == 2 ? RACK_FLAG_FLAGGED : RACK_FLAG_SEEN);
  for (guint32 uid = n; uid <= FIRST; uid += 7)
    if (known[uid].there)
      {
        fake_remove (inbox, uid);
        known[uid].there = FALSE;
      }
  for (guint32 uid = FIRST + 10 * (n - 2) + 1; uid <= FIRST + 10 * (n - 1); uid++)
    deliver (uid);
}

static void
begin (guint syncs)
{
  account = fake_account_new ();
  inbox = fake_box ("INBOX", 0, 1);
  FakeBox *other = fake_box ("Work/Other", 0, 2);
  fake_add (other, 1, "s", "in another mailbox", -1);
  for (guint n = 1; n <= syncs; n++)
    happen (n);
}

/* ---- The mirror --------------------------------------------------------------------------- */

static gboolean
open_mirror (void)
{
  g_autoptr (GError) error = NULL;
  RackMirrorOptions options = {
    .poll = 60000, .watches = 1, .stall = 20000, .cache_dir = cache, .holder = "the test"
  };
  mirror = rack_mirror_open (account, &options, NULL, &error);
  if (mirror == NULL)
    say ("refused", "open: %s", error->message);
  else if (rack_mirror_notice (mirror) != NULL)
    say ("notice", "%s", rack_mirror_notice (mirror));
  return mirror != NULL;
}

static char *
expected_list (void)
{
  GString *text = g_string_new (NULL);
  for (guint32 uid = 1; uid < G_N_ELEMENTS (known); uid++)
    if (known[uid].there)
      g_string_append_printf (text, "1970-01-01T%02u%02uZ_alice_s.%u.eml %u\n", uid / 60, uid % 60,
                              uid, known[uid].flags);
  return g_string_free (text, FALSE);
}

static char *
list (RackFolder *folder)
{
  GString *text = g_string_new (NULL);
  RackEntry entry;
  for (guint32 after = 0; rack_folder_entries (folder, after, &entry, 1) == 1; after = entry.uid)
    g_string_append_printf (text, "%s %u\n", entry.name, entry.flags);
  return g_string_free (text, FALSE);
}

/* The INBOX as the server has it now, or NULL. */
static RackFolder *
sync_inbox (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = expected_list ();
  gint64 until = g_get_monotonic_time () + PATIENCE;
  RackFolder *folder = rack_folder_child (rack_mirror_root (mirror), "INBOX");
  if (folder == NULL)
    {
      say ("wrong", "there is no INBOX");
      return NULL;
    }
  if (!rack_folder_wait (folder, NULL, &error))
    {
      say ("refused", "list: %s", error->message);
      return NULL;
    }
  for (;;)
    {
      g_autofree char *now = list (folder);
      if (strcmp (now, expected) == 0)
        return folder;
      if (g_get_monotonic_time () > until)
        {
          say ("wrong", "the list is\n%snot\n%s", now, expected);
          return NULL;
        }
      rack_mirror_look (mirror, folder);
      g_usleep (2000);
    }
}

static void
compare (guint32 uid, int fd, guint64 offset, guint64 size)
{
  g_autofree char *expected = octets_of (uid);
  g_autofree char *octets = g_malloc (size + 1);
  if (size != strlen (expected))
    say ("wrong", "body %u has %" G_GUINT64_FORMAT " octets, not %zu", uid, size,
         strlen (expected));
  else if (pread (fd, octets, size, (off_t) offset) != (ssize_t) size)
    say ("wrong", "body %u cannot be read: %s", uid, g_strerror (errno));
  else if (memcmp (octets, expected, size) != 0)
    say ("wrong", "body %u has other octets", uid);
}

static void
read_one (RackFolder *folder, guint32 uid)
{
  g_autoptr (GError) error = NULL;
  RackFolderFacts facts;
  rack_folder_facts (folder, &facts);
  g_autoptr (RackBody) body = rack_folder_body (folder, facts.row, uid);
  if (body == NULL)
    {
      say ("refused", "body %u: its mailbox was replaced", uid);
      return;
    }
  rack_body_want (body);
  if (!rack_body_wait (body, G_MAXUINT64, NULL, &error))
    {
      say ("refused", "body %u: %s", uid, error->message);
      return;
    }
  guint64 offset, size;
  int fd = rack_body_file (body, &offset, &size);
  compare (uid, fd, offset, size);
}

static void
read_all (RackFolder *folder)
{
  for (guint32 uid = 1; folder != NULL && uid < G_N_ELEMENTS (known); uid++)
    if (known[uid].there)
      read_one (folder, uid);
}

static void
say_state (void)
{
  g_auto (RackMirrorState) state = { 0 };
  rack_mirror_state (mirror, &state);
  if (state.error != NULL)
    say ("status", "%s", state.error);
}

static void
close_mirror (void)
{
  g_clear_pointer (&mirror, rack_mirror_close);
}

/* ---- The commands -------------------------------------------------------------------------
 */

static FaultDisk *
map_disk (void)
{
  const char *control = g_getenv ("FAULTDISK_CONTROL");
  int fd = control != NULL ? open (control, O_RDWR | O_CLOEXEC) : -1;
  void *map = fd >= 0 ? mmap (NULL, sizeof (FaultDisk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                      : MAP_FAILED;
  if (fd >= 0)
    close (fd);
  return map != MAP_FAILED ? map : NULL;
}

/* Bodies are synced a moment after they were read. If that is what fails, it does so first. */
static void
await_failed_sync (const FaultDisk *disk)
{
  gint64 until = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;
  gboolean said = disk == NULL || disk->action != FAULTDISK_FAIL || !disk->forgets;
  while (!said && g_get_monotonic_time () < until)
    {
      g_auto (RackMirrorState) state = { 0 };
      rack_mirror_state (mirror, &state);
      said = state.error != NULL && strstr (state.error, "cannot keep") != NULL;
      g_usleep (5000);
    }
}

static void
live (void)
{
  FaultDisk *disk = map_disk ();
  begin (1);
  if (open_mirror ())
    {
      read_all (sync_inbox ());
      say_state ();
      close_mirror ();
    }
  happen (2);
  gboolean opened = open_mirror ();
  if (opened)
    {
      RackFolder *folder = sync_inbox ();
      read_all (folder);
      await_failed_sync (disk);
      read_all (folder);
      say_state ();
    }
  if (disk != NULL)
    disk->action = FAULTDISK_GOOD;
  happen (3);
  say ("healed", "the disk is good now");
  if (opened || open_mirror ())
    {
      read_all (sync_inbox ());
      close_mirror ();
    }
}

/* FALSE: it could not be looked through. */
static void
check (gboolean must_be_right)
{
  g_autoptr (GError) error = NULL;
  g_auto (RackCacheRepairs) repairs = { 0 };
  if (!rack_cache_check (account, cache, &repairs, &error))
    say ("wrong", "check: %s", error->message);
  else if (must_be_right && (repairs.dropped > 0 || repairs.notice != NULL))
    say ("wrong", "check after everything was read: dropped %" G_GUINT64_FORMAT ", %s",
         repairs.dropped, repairs.notice != NULL ? repairs.notice : "no notice");
  else if (repairs.dropped > 0 || repairs.notice != NULL)
    say ("repaired", "%" G_GUINT64_FORMAT " dropped, %s", repairs.dropped,
         repairs.notice != NULL ? repairs.notice : "no notice");
}

/* Whatever is known without the server is right. */
static void
look_offline (gboolean must_be_whole)
{
  g_autoptr (GError) error = NULL;
  fake_offline (TRUE);
  RackMirrorOptions options = { .stall = 20000, .cache_dir = cache };
  mirror = rack_mirror_open (account, &options, NULL, &error);
  if (must_be_whole && mirror != NULL && strncmp (rack_mirror_notice (mirror), "offline", 7) != 0)
    say ("notice", "%s", rack_mirror_notice (mirror));
  RackFolder *folder =
      mirror != NULL ? rack_folder_child (rack_mirror_root (mirror), "INBOX") : NULL;
  gboolean whole = folder != NULL && rack_folder_wait (folder, NULL, NULL);
  if (must_be_whole && !whole)
    say ("wrong", "offline: %s", mirror != NULL ? "no INBOX" : error->message);
  if (must_be_whole && whole)
    {
      g_autofree char *now = list (folder), *expected = expected_list ();
      if (strcmp (now, expected) != 0)
        say ("wrong", "offline the list is\n%snot\n%s", now, expected);
    }
  RackEntry entry;
  for (guint32 after = 0; whole && rack_folder_entries (folder, after, &entry, 1) == 1;
       after = entry.uid)
    {
      RackFolderFacts facts;
      rack_folder_facts (folder, &facts);
      g_autoptr (RackBody) body = rack_folder_body (folder, facts.row, entry.uid);
      guint64 offset, size;
      /* The small ones are there at once or not at all; a large one has to be waited for, and each
       * in vain takes a moment. */
      gboolean there =
          body != NULL
          && (must_be_whole || is_large (entry.uid) ? rack_body_wait (body, G_MAXUINT64, NULL, NULL)
                                                    : rack_body_has (body, G_MAXUINT64));
      if (there)
        {
          int fd = rack_body_file (body, &offset, &size);
          compare (entry.uid, fd, offset, size);
        }
      else if (must_be_whole)
        say ("wrong", "offline: body %u is not kept", entry.uid);
    }
  close_mirror ();
  fake_offline (FALSE);
}

static void
after (guint syncs, gboolean unchecked)
{
  begin (syncs);
  if (!unchecked)
    check (FALSE);
  look_offline (FALSE);
  if (open_mirror ())
    {
      read_all (sync_inbox ());
      close_mirror ();
    }
  look_offline (TRUE);
  check (TRUE);
}

int
main (int argc, char **argv)
{
  if (argc < 3)
    return 64;
  cache = argv[1];
  if (strcmp (argv[2], "live") == 0)
    live ();
  else if (strcmp (argv[2], "offline") == 0)
    {
      begin ((guint) atoi (argv[3]));
      look_offline (TRUE);
    }
  else
    after ((guint) atoi (argv[3]), argc > 4);
  g_clear_pointer (&account, rack_account_unref);
  return wrongs > 0;
}
