/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-bodies.c - bodies, their cache, sizes and reading ahead, over the fake server */
#include "fake.h"
#include "slab.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static RackAccount *account;
static RackMirror *mirror;
static FakeBox *inbox;
static RackFolder *folder;
static guint32 row;

static char *
body_text (guint32 uid, gsize size)
{
  g_autofree char *unit = g_strdup_printf ("message %u\r\n", uid);
  g_autoptr (GString) text = g_string_new (NULL);
  while (text->len < size)
    g_string_append (text, unit);
  g_string_truncate (text, size);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
reopen_mirror (gint64 cache_limit)
{
  g_autoptr (GError) error = NULL;
  RackFolderFacts facts;
  RackMirrorOptions options = {
    .stall = 5000, .cache_limit = cache_limit, .changes = TRUE, .fetchers = 3
  };
  g_clear_pointer (&mirror, rack_mirror_close);
  mirror = rack_mirror_open (account, &options, NULL, &error);
  g_assert_no_error (error);
  folder = rack_folder_child (rack_mirror_root (mirror), "INBOX");
  g_assert_true (rack_folder_wait (folder, NULL, &error));
  rack_folder_facts (folder, &facts);
  row = facts.row;
}

/* Messages 1 to n of size octets each; off: how wrong RFC822.SIZE is. */
static void
fill_server (guint n, gsize size, gint off)
{
  account = fake_account_new ();
  inbox = fake_box ("INBOX", 0, 1);
  for (guint32 uid = 1; uid <= n; uid++)
    {
      g_autofree char *text = body_text (uid, size);
      fake_add (inbox, uid, "s", text, (gint64) size + off);
    }
}

static void
open_mirror (guint n, gsize size, gint off, gint64 cache_limit)
{
  fill_server (n, size, off);
  reopen_mirror (cache_limit);
}

static void
close_mirror (void)
{
  g_clear_pointer (&mirror, rack_mirror_close);
  g_clear_pointer (&account, rack_account_unref);
}

static void
check_octets (RackBody *body, guint32 uid, gsize expected_size)
{
  g_autoptr (GError) error = NULL;
  guint64 size, offset, total;
  g_assert_true (rack_body_wait_size (body, &size, NULL, &error));
  g_assert_cmpuint (size, ==, expected_size);
  g_assert_true (rack_body_wait (body, G_MAXUINT64, NULL, &error));
  g_assert_no_error (error);
  int fd = rack_body_file (body, &offset, &total);
  g_assert_cmpuint (total, ==, size);
  g_autofree char *octets = g_malloc (size + 1);
  g_assert_cmpint (pread (fd, octets, size, (off_t) offset), ==, (gssize) size);
  g_autofree char *text = body_text (uid, expected_size);
  g_assert_cmpmem (octets, size, text, size);
}

static void
read_one (guint32 uid, gsize expected_size)
{
  g_autoptr (RackBody) body = rack_folder_body (folder, row, uid);
  rack_body_want (body);
  check_octets (body, uid, expected_size);
}

static RackMirrorFigures
figures (void)
{
  RackMirrorFigures now;
  rack_mirror_figures (mirror, &now);
  return now;
}

/* Until the probe for sizes is over. */
static void
wait_for_probe (void)
{
  guint64 before;
  do
    {
      before = figures ().body_octets;
      g_usleep (50 * 1000);
    }
  while (figures ().body_octets != before);
}

static void
test_read (void)
{
  RackEntry entry;
  open_mirror (1, 200000, 0, 0);
  {
    g_autoptr (RackBody) body = rack_folder_body (folder, row, 1);
    g_assert_false (rack_body_has (body, 0));
    g_assert_cmpuint (fake_count (FAKE_READ), ==, 0); /* nobody wanted it yet */
    check_octets (body, 1, 200000);
    g_assert_true (rack_body_has (body, G_MAXUINT64));
  }
  g_assert_true (rack_folder_find (folder, 1, &entry));
  g_assert_true (entry.exact);
  /* Again: from the cache. */
  read_one (1, 200000);
  g_assert_cmpuint (fake_count (FAKE_READ), ==, 1);
  g_assert_cmpuint (figures ().body_octets, ==, 200000);
  close_mirror ();
}

static void
test_empty_message (void)
{
  RackEntry entry;
  open_mirror (1, 0, 0, 0);
  read_one (1, 0);
  g_assert_true (rack_folder_find (folder, 1, &entry));
  g_assert_cmpuint (entry.size, ==, 0);
  g_assert_true (entry.exact);
  close_mirror ();
}

static void
test_gone (void)
{
  g_autoptr (GError) error = NULL;
  open_mirror (2, 100000, 0, 0);
  g_autoptr (RackBody) body = rack_folder_body (folder, row, 1);
  fake_remove (inbox, 1);
  g_assert_false (rack_body_wait (body, 1, NULL, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND);
  g_clear_pointer (&body, rack_body_unref);
  close_mirror ();
}

static void
test_lost_connection (void)
{
  open_mirror (1, 100000, 0, 0);
  fake_break_next_read ();
  read_one (1, 100000);
  g_assert_cmpuint (fake_count (FAKE_READ), ==, 2);
  close_mirror ();
}

static void
test_offline (void)
{
  g_autoptr (GError) error = NULL;
  open_mirror (2, 100000, 0, 0);
  read_one (1, 100000);
  fake_offline (TRUE);
  read_one (1, 100000); /* cached */
  g_autoptr (RackBody) body = rack_folder_body (folder, row, 2);
  g_assert_false (rack_body_wait (body, 1, NULL, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_NETWORK);
  fake_offline (FALSE);
  g_usleep (600 * 1000);
  check_octets (body, 2, 100000); /* the same body, tried again */
  g_clear_pointer (&body, rack_body_unref);
  close_mirror ();
}

/* ---- Waiting -------------------------------------------------------------------------------- */

static gpointer
cancel_soon (gpointer data)
{
  g_usleep (20 * 1000);
  g_cancellable_cancel (data);
  return NULL;
}

static void
test_cancelled (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  open_mirror (1, 100000, 0, 0);
  fake_hold (TRUE);
  g_autoptr (RackBody) body = rack_folder_body (folder, row, 1);
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_assert_false (rack_body_wait (body, 1, cancellable, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_CANCELLED);
  g_thread_join (thread);
  /* Only the waiting was cancelled. */
  fake_hold (FALSE);
  check_octets (body, 1, 100000);
  g_assert_cmpuint (fake_count (FAKE_READ), ==, 1);
  g_clear_pointer (&body, rack_body_unref);
  close_mirror ();
}

static void
test_stalled (void)
{
  g_autoptr (GError) error = NULL;
  open_mirror (1, 100000, 0, 0);
  fake_hold (TRUE);
  g_autoptr (RackBody) body = rack_folder_body (folder, row, 1);
  g_assert_false (rack_body_wait (body, 1, NULL, &error)); /* 5 seconds, see open_mirror() */
  g_assert_error (error, RACK_ERROR, RACK_ERROR_TIMEOUT);
  /* What is in the index is answered meanwhile. */
  RackEntry entry;
  g_assert_true (rack_folder_find (folder, 1, &entry));
  g_clear_pointer (&body, rack_body_unref);
  close_mirror (); /* although a reader still hangs */
}

static gpointer
read_it (gpointer data)
{
  read_one (GPOINTER_TO_UINT (data), 100000);
  return NULL;
}

static void
test_shared (void)
{
  GThread *threads[8];
  open_mirror (1, 100000, 0, 0);
  fake_hold (TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("read", read_it, GUINT_TO_POINTER (1));
  g_usleep (20 * 1000);
  fake_hold (FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (fake_count (FAKE_READ), ==, 1);
  close_mirror ();
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

static void
test_trust_is_earned (void)
{
  RackEntry entry;
  open_mirror (40, 5000, 0, 0);
  wait_for_probe (); /* sixteen small ones, read at once */
  g_assert_true (figures ().trusted);
  g_assert_cmpuint (fake_count (FAKE_BODIES), ==, 1);
  guint exact = 0;
  for (guint32 uid = 1; uid <= 40; uid++)
    {
      g_assert_true (rack_folder_find (folder, uid, &entry));
      g_assert_true (entry.dependable);
      exact += entry.exact;
    }
  g_assert_cmpuint (exact, ==, 16);
  close_mirror ();
}

static void
check_lying_server (gint off)
{
  RackEntry entry;
  open_mirror (40, 5000, off, 0);
  wait_for_probe ();
  g_assert_false (figures ().trusted);
  for (guint32 uid = 1; uid <= 40; uid++)
    {
      g_assert_true (rack_folder_find (folder, uid, &entry));
      g_assert_cmpuint (entry.size, ==, entry.exact ? 5000 : 5000 + off);
      g_assert_true (entry.dependable == entry.exact);
    }
  read_one (1, 5000);
  g_assert_true (rack_folder_find (folder, 1, &entry));
  g_assert_cmpuint (entry.size, ==, 5000);
  close_mirror ();
}

static void
test_sizes_too_small (void)
{
  check_lying_server (-100);
}

static void
test_sizes_too_large (void)
{
  check_lying_server (100);
}

/* One lie, seen late, ends the trust, and whoever remembers sizes hears of it. */
static void
test_trust_ends (void)
{
  RackEntry entry;
  g_autoptr (GError) error = NULL;
  open_mirror (40, 5000, 0, 0);
  wait_for_probe ();
  fake_add (inbox, 41, "liar", "short", 4000);
  do
    g_usleep (1000);
  while (!rack_folder_find (folder, 41, &entry));
  g_assert_true (entry.dependable);
  g_autoptr (RackBody) body = rack_folder_body (folder, row, 41);
  g_assert_true (rack_body_wait (body, 1, NULL, &error));
  g_assert_false (figures ().trusted);
  g_assert_true (rack_folder_find (folder, 41, &entry));
  g_assert_cmpuint (entry.size, ==, 5);
  g_assert_true (entry.exact && entry.corrected);

  const RackChange *change;
  do
    change = rack_mirror_next_change (mirror, NULL, &error);
  while (change->kind != RACK_CHANGE_SIZES);
  g_assert_cmpuint (change->row, ==, row);
  g_assert_cmpuint (change->n, ==, 40 - 16 + 1);
  g_assert_cmpuint (change->items[40 - 16].uid, ==, 41);
  g_clear_pointer (&body, rack_body_unref);
  close_mirror ();
}

/* ---- The cache ----------------------------------------------------------------------------------
 */

static void
wait_for_cached (guint64 most)
{
  while (figures ().cached > most)
    g_usleep (1000);
}

static void
test_eviction (void)
{
  const gsize size = 300000; /* three of them in a MiB */
  open_mirror (8, size, 0, 1);
  g_autoptr (RackBody) held = rack_folder_body (folder, row, 1);
  check_octets (held, 1, size);
  /* Backwards, so that nothing is read ahead. */
  for (guint32 uid = 8; uid > 1; uid--)
    {
      read_one (uid, size);
      wait_for_cached (1 << 20);
    }
  g_assert_cmpuint (fake_count (FAKE_READ), ==, 8);
  check_octets (held, 1, size); /* not evicted: somebody has it */
  g_assert_cmpuint (fake_count (FAKE_READ), ==, 8);
  read_one (2, size); /* the last one is there still */
  g_assert_cmpuint (fake_count (FAKE_READ), ==, 8);
  read_one (8, size);
  g_assert_cmpuint (fake_count (FAKE_READ), ==, 9);
  g_clear_pointer (&held, rack_body_unref);
  close_mirror ();
}

static void
test_too_large_for_the_cache (void)
{
  open_mirror (1, 3 << 20, 0, 1);
  read_one (1, 3 << 20);
  wait_for_cached (0);
  close_mirror ();
}

/* ---- The next time ------------------------------------------------------------------------- */

static char *
slab_path (void)
{
  g_auto (RackCacheFacts) facts = { NULL };
  g_assert_true (rack_cache_size (account, NULL, &facts, NULL));
  return g_build_filename (facts.directory, RACK_SLAB_NAME, NULL);
}

static void
test_kept (void)
{
  open_mirror (3, 300000, 0, 0); /* too large to be looked through at once */
  fake_add (inbox, 4, "small", "tiny", -1);
  reopen_mirror (0);
  for (guint32 uid = 3; uid > 0; uid--)
    read_one (uid, 300000);
  reopen_mirror (0);
  g_assert_cmpuint (figures ().cached, >=, 3 * rack_slab_cost (300000));
  fake_offline (TRUE);
  for (guint32 uid = 3; uid > 0; uid--)
    read_one (uid, 300000);
  g_assert_cmpuint (fake_count (FAKE_READ), ==, 3);
  g_assert_cmpuint (figures ().bodies, ==, 0);
  close_mirror ();
}

static void
damage (gsize at)
{
  g_autofree char *path = slab_path ();
  int fd = open (path, O_WRONLY);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pwrite (fd, "wrong", 5, (off_t) at), ==, 5);
  close (fd);
}

static void
check_damage (gsize size)
{
  open_mirror (2, size, 0, 0);
  read_one (2, size);
  guint before = fake_count (FAKE_READ);
  g_clear_pointer (&mirror, rack_mirror_close);
  damage (size / 2);
  reopen_mirror (0);
  read_one (2, size); /* from the server again */
  g_assert_cmpuint (fake_count (FAKE_READ), ==, before + 1);
  reopen_mirror (0);
  read_one (2, size);
  g_assert_cmpuint (fake_count (FAKE_READ), ==, before + 1);
  g_clear_pointer (&mirror, rack_mirror_close);
  damage (size / 2 + rack_slab_cost (size)); /* one of these is where it is now */
  damage (size / 2);
  g_autoptr (GError) error = NULL;
  RackCacheRepairs repairs;
  g_assert_true (rack_cache_check (account, NULL, &repairs, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (repairs.dropped, ==, 1);
  rack_cache_repairs_clear (&repairs);
  reopen_mirror (0);
  read_one (2, size);
  g_assert_cmpuint (fake_count (FAKE_READ), ==, before + 2);
  close_mirror ();
}

static void
test_damaged (void)
{
  check_damage (300000);
  check_damage (20000);
}

/* What nobody wrote down is not there the next time, and takes no room. */
static void
test_gone_meanwhile (void)
{
  open_mirror (2, 100000, 0, 0);
  read_one (2, 100000);
  read_one (1, 100000);
  g_clear_pointer (&mirror, rack_mirror_close);
  fake_remove (inbox, 1);
  reopen_mirror (0);
  RackEntry entry;
  while (rack_folder_find (folder, 1, &entry))
    g_usleep (1000);
  reopen_mirror (0);
  while (figures ().cached > rack_slab_cost (100000))
    g_usleep (1000);
  fake_offline (TRUE);
  read_one (2, 100000);
  close_mirror ();
}

static void
test_smaller_limit (void)
{
  open_mirror (8, 300000, 0, 0);
  for (guint32 uid = 8; uid > 0; uid--)
    read_one (uid, 300000);
  reopen_mirror (1);
  wait_for_cached (1 << 20);
  fake_offline (TRUE);
  read_one (1, 300000); /* read last */
  close_mirror ();
}

/* ---- Reading ahead
 * ------------------------------------------------------------------------------- */

static void
test_ahead (void)
{
  open_mirror (500, 20000, 0, 0);
  for (guint32 uid = 1; uid <= 500; uid++)
    read_one (uid, 20000);
  /* Nearly all came in a few commands, none twice. */
  g_assert_cmpuint (figures ().read_ahead, >, 400);
  g_assert_cmpuint (fake_count (FAKE_BODIES), <, 40);
  g_assert_cmpuint (figures ().body_octets, ==, 500 * 20000);
  close_mirror ();
}

static void
test_ahead_not_at_random (void)
{
  open_mirror (500, 20000, 0, 0);
  for (guint32 i = 0; i < 50; i++)
    read_one ((i * 197) % 500 + 1, 20000);
  g_assert_cmpuint (figures ().read_ahead, ==, 0);
  close_mirror ();
}

/* What is asked for is not left behind others that are only read ahead. */
static void
test_demand_comes_first (void)
{
  open_mirror (100, 20000, 0, 0);
  for (guint32 uid = 1; uid <= 3; uid++)
    read_one (uid, 20000);
  read_one (90, 20000);
  read_one (50, 20000);
  read_one (4, 20000);
  close_mirror ();
}

/* ---- Beginnings --------------------------------------------------------------------------------
 */

#define HEAD 16384

static void
read_head (guint32 uid, gsize expected_size)
{
  g_autoptr (GError) error = NULL;
  guint64 size, offset, total;
  char octets[HEAD];
  g_autoptr (RackBody) body = rack_folder_body (folder, row, uid);
  rack_body_want (body);
  g_assert_true (rack_body_wait_size (body, &size, NULL, &error));
  g_assert_cmpuint (size, ==, expected_size);
  g_assert_true (rack_body_wait (body, HEAD, NULL, &error));
  g_assert_no_error (error);
  int fd = rack_body_file (body, &offset, &total);
  g_assert_cmpint (pread (fd, octets, HEAD, (off_t) offset), ==, HEAD);
  g_autofree char *text = body_text (uid, expected_size);
  g_assert_cmpmem (octets, HEAD, text, HEAD);
}

/* Sixteen small ones behind the others show that sizes are right. */
static void
open_trusted (guint n, gsize size)
{
  fill_server (n, size, 0);
  for (guint32 uid = n + 1; uid <= n + 16; uid++)
    fake_add (inbox, uid, "small", "small", -1);
  reopen_mirror (0);
  while (!figures ().trusted)
    g_usleep (1000);
}

static void
test_heads (void)
{
  open_trusted (200, 100000);
  for (guint32 uid = 1; uid <= 200; uid++)
    read_head (uid, 100000);
  /* The first three, and what was fetched ahead behind them, came whole. */
  g_assert_cmpuint (figures ().body_octets, <, 40 * 100000 + 160 * HEAD);
  g_assert_cmpuint (figures ().read_ahead, >, 100);
  /* All of one is there when it is wanted, and the others follow again. */
  read_one (199, 100000);
  read_one (200, 100000);
  close_mirror ();
}

/* Backwards, so that nothing is fetched ahead. */
static void
test_more_of_a_head (void)
{
  g_autoptr (GError) error = NULL;
  guint64 offset, total;
  char octets[2 * HEAD];
  open_trusted (20, 100000);
  for (guint32 uid = 20; uid > 10; uid--)
    read_head (uid, 100000);
  guint64 before = figures ().body_octets;
  {
    g_autoptr (RackBody) body = rack_folder_body (folder, row, 10);
    rack_body_want (body);
    g_assert_true (rack_body_wait (body, HEAD, NULL, &error));
    g_assert_true (rack_body_wait (body, HEAD + 1, NULL, &error));
    g_assert_true (rack_body_wait (body, 2 * HEAD, NULL, &error));
    g_assert_cmpuint (figures ().body_octets, ==, before + 2 * HEAD);
    g_assert_false (rack_body_has (body, 3 * HEAD));
    int fd = rack_body_file (body, &offset, &total);
    g_assert_cmpint (pread (fd, octets, sizeof octets, (off_t) offset), ==, sizeof octets);
    g_autofree char *text = body_text (10, 100000);
    g_assert_cmpmem (octets, sizeof octets, text, sizeof octets);
    check_octets (body, 10, 100000);
  }
  /* Only whole ones are there the next time. */
  reopen_mirror (0);
  fake_offline (TRUE);
  read_one (10, 100000);
  g_autoptr (RackBody) other = rack_folder_body (folder, row, 11);
  g_assert_false (rack_body_wait (other, 1, NULL, &error));
  g_clear_pointer (&other, rack_body_unref);
  close_mirror ();
}

/* A size that was believed in vain: an error once, then the truth. */
static void
test_lying_head (void)
{
  g_autoptr (GError) error = NULL;
  RackEntry entry;
  guint64 size;
  open_trusted (20, 100000);
  g_autofree char *text = body_text (21, 20000);
  for (guint32 uid = 20; uid > 10; uid--)
    read_head (uid, 100000);
  fake_add (inbox, 50, "liar", text, 30000);
  do
    g_usleep (1000);
  while (!rack_folder_find (folder, 50, &entry));
  {
    g_autoptr (RackBody) body = rack_folder_body (folder, row, 50);
    rack_body_want (body);
    g_assert_true (rack_body_wait_size (body, &size, NULL, &error));
    g_assert_cmpuint (size, ==, 30000);
    g_assert_true (rack_body_wait (body, HEAD, NULL, &error));
    g_assert_false (rack_body_wait (body, 30000, NULL, &error));
    g_assert_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL);
  }
  g_assert_false (figures ().trusted);
  g_assert_true (rack_folder_find (folder, 50, &entry));
  g_assert_cmpuint (entry.size, ==, 20000);
  g_autoptr (RackBody) body = rack_folder_body (folder, row, 50);
  g_assert_true (rack_body_wait_size (body, &size, NULL, NULL));
  g_assert_cmpuint (size, ==, 20000);
  g_clear_pointer (&body, rack_body_unref);
  close_mirror ();
}

/* Where sizes are not believed, bodies come whole. */
static void
test_no_heads_without_trust (void)
{
  open_mirror (40, 40000, -100, 0);
  for (guint32 uid = 40; uid > 20; uid--)
    read_head (uid, 40000);
  while (figures ().body_octets < 20 * 40000)
    g_usleep (1000); /* the rest of the last one */
  close_mirror ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bodies/read", test_read);
  g_test_add_func ("/bodies/empty-message", test_empty_message);
  g_test_add_func ("/bodies/gone", test_gone);
  g_test_add_func ("/bodies/lost-connection", test_lost_connection);
  g_test_add_func ("/bodies/offline", test_offline);
  g_test_add_func ("/bodies/cancelled", test_cancelled);
  g_test_add_func ("/bodies/stalled", test_stalled);
  g_test_add_func ("/bodies/shared", test_shared);
  g_test_add_func ("/bodies/trust-is-earned", test_trust_is_earned);
  g_test_add_func ("/bodies/sizes-too-small", test_sizes_too_small);
  g_test_add_func ("/bodies/sizes-too-large", test_sizes_too_large);
  g_test_add_func ("/bodies/trust-ends", test_trust_ends);
  g_test_add_func ("/bodies/eviction", test_eviction);
  g_test_add_func ("/bodies/too-large-for-the-cache", test_too_large_for_the_cache);
  g_test_add_func ("/bodies/kept", test_kept);
  g_test_add_func ("/bodies/damaged", test_damaged);
  g_test_add_func ("/bodies/gone-meanwhile", test_gone_meanwhile);
  g_test_add_func ("/bodies/smaller-limit", test_smaller_limit);
  g_test_add_func ("/bodies/ahead", test_ahead);
  g_test_add_func ("/bodies/ahead-not-at-random", test_ahead_not_at_random);
  g_test_add_func ("/bodies/demand-comes-first", test_demand_comes_first);
  g_test_add_func ("/bodies/heads", test_heads);
  g_test_add_func ("/bodies/more-of-a-head", test_more_of_a_head);
  g_test_add_func ("/bodies/lying-head", test_lying_head);
  g_test_add_func ("/bodies/no-heads-without-trust", test_no_heads_without_trust);
  return g_test_run ();
}
