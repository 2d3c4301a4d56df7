/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-compare.c - finding vanished messages, against a mailbox that is an array
 *
 * resync-compare.c alone; what it asks is answered from memory here: right, shifted by an
 * expunge in between, or with nonsense. The octets an answer would have are counted. */
#include "resync-private.h"

#include <string.h>

typedef struct
{
  GArray *uids; /* guint32: what the server has */
  guint64 removed;
  guint64 octets, questions;
  guint expunge_after; /* so many questions, the first message goes; 0: never */
  gboolean nonsense;
  GRand *random;
} Box;

static Box box;

/* ---- The server ------------------------------------------------------------------------ */

static void
find_uids (const RackSet *set, RackSet *found)
{
  for (guint i = 0; i < box.uids->len; i++)
    if (rack_set_contains (set, g_array_index (box.uids, guint32, i)))
      rack_set_add (found, g_array_index (box.uids, guint32, i),
                    g_array_index (box.uids, guint32, i));
}

static void
find_numbers (const RackSet *set, RackSet *found)
{
  for (guint i = 0; i < box.uids->len; i++)
    if (rack_set_contains (set, i + 1))
      rack_set_add (found, g_array_index (box.uids, guint32, i),
                    g_array_index (box.uids, guint32, i));
}

RackSet *
rack_ask_search (const RackAsk *ask, const char *key, const RackSet *set, RackCounts *counts,
                 GError **error)
{
  RackSet *found = rack_set_new ();
  g_autofree char *question = rack_set_to_string (set);

  g_assert_cmpuint (strlen (question), <, 8000);
  if (box.expunge_after > 0 && box.questions == box.expunge_after)
    {
      g_array_remove_index (box.uids, 0);
      box.removed++;
    }
  box.questions++;
  if (key != NULL)
    find_uids (set, found);
  else
    find_numbers (set, found);
  if (box.nonsense && box.questions % 3 != 0)
    for (guint i = 0; i < 20; i++)
      {
        guint32 uid = g_rand_int (box.random);
        rack_set_remove (found, uid % 1000, uid % 1000 + 200);
        rack_set_add (found, uid, uid + uid % 1000);
      }
  g_autofree char *answer = rack_set_to_string (found);
  box.octets += ask->extended ? strlen (answer) : rack_set_count (found) * 7;
  if (counts != NULL)
    *counts = (RackCounts){ .exists = box.uids->len, .removed = box.removed };
  return found;
}

/* ---- A mailbox and what is known of it --------------------------------------------------- */

/* So many UIDs, every hole-th left out. */
static RackSet *
make_known (guint n, guint hole)
{
  RackSet *known = rack_set_new ();

  for (guint32 uid = 1; n > 0; uid++)
    if (hole == 0 || uid % hole != 0)
      {
        rack_set_add (known, uid, uid);
        n--;
      }
  return known;
}

static void
fill_box (const RackSet *known, const RackSet *gone)
{
  RackRanges ranges = rack_set_ranges (known);

  g_clear_pointer (&box.uids, g_array_unref);
  box = (Box){ .uids = g_array_new (FALSE, FALSE, sizeof (guint32)), .random = box.random };
  for (gsize i = 0; i < ranges.n; i++)
    for (guint32 uid = ranges.items[i].first; uid <= ranges.items[i].last; uid++)
      if (!rack_set_contains (gone, uid))
        g_array_append_val (box.uids, uid);
}

static RackSet *
random_gone (const RackSet *known, guint n)
{
  g_autofree guint32 *all = g_new (guint32, rack_set_count (known));
  RackRanges ranges = rack_set_ranges (known);
  RackSet *gone = rack_set_new ();
  guint count = 0;

  for (gsize i = 0; i < ranges.n; i++)
    for (guint32 uid = ranges.items[i].first; uid <= ranges.items[i].last; uid++)
      all[count++] = uid;
  while (rack_set_count (gone) < n)
    {
      guint32 uid = all[g_rand_int_range (box.random, 0, (gint32) count)];
      rack_set_add (gone, uid, uid);
    }
  return gone;
}

static void
assert_same (const RackSet *a, const RackSet *b)
{
  g_autofree char *left = rack_set_to_string (a);
  g_autofree char *right = rack_set_to_string (b);

  g_assert_cmpstr (left, ==, right);
}

static void
compare (const RackSet *known, gboolean extended, RackSet *vanished, RackSet *others)
{
  RackAsk ask = { .extended = extended };
  RackRanges ranges = rack_set_ranges (known);
  RackCounts counts = { .exists = box.uids->len, .removed = box.removed };
  g_autoptr (GError) error = NULL;
  gboolean ok = rack_compare (&ask, known, ranges.items[ranges.n - 1].last, box.uids->len, &counts,
                              vanished, others, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
}

static void
check (guint n, guint hole, guint n_gone, gboolean extended)
{
  g_autoptr (RackSet) known = make_known (n, hole);
  g_autoptr (RackSet) gone = random_gone (known, n_gone);
  g_autoptr (RackSet) vanished = rack_set_new ();
  g_autoptr (RackSet) others = rack_set_new ();

  fill_box (known, gone);
  compare (known, extended, vanished, others);
  assert_same (vanished, gone);
  g_assert_cmpuint (rack_set_count (others), ==, 0);
}

/* ---- Tests -------------------------------------------------------------------------------- */

static void
test_sizes (void)
{
  static const guint sizes[] = { 1, 2, 15, 16, 17, 63, 64, 65, 66, 200, 1000, 1025, 5000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint hole = 0; hole <= 3; hole += 3)
      for (guint extended = 0; extended < 2; extended++)
        for (guint n_gone = 0; n_gone <= sizes[i]; n_gone = n_gone * 3 + 1)
          check (sizes[i], hole, n_gone, extended);
}

/* What is asked and answered grows with what vanished, not with the mailbox. */
static void
test_cost (void)
{
  check (100000, 3, 0, FALSE);
  g_assert_cmpuint (box.questions, ==, 0);
  check (100000, 3, 1, FALSE);
  g_assert_cmpuint (box.octets, <, 1500);
  g_assert_cmpuint (box.questions, <=, 5);
  check (100000, 3, 50, FALSE);
  g_assert_cmpuint (box.octets, <, 40000);
  g_assert_cmpuint (box.questions, <=, 6);
  check (100000, 3, 50, TRUE);
  g_assert_cmpuint (box.octets, <, 40000);
  /* One range is asked for as a whole: as many ranges come back as there are gaps. */
  check (100000, 0, 50, TRUE);
  g_assert_cmpuint (box.questions, ==, 1);
  g_assert_cmpuint (box.octets, <, 1000);
}

/* A message that nobody knew below the highest UID. */
static void
test_others (void)
{
  for (guint extended = 0; extended < 2; extended++)
    {
      g_autoptr (RackSet) known = make_known (3000, 3);
      g_autoptr (RackSet) gone = random_gone (known, 40);
      g_autoptr (RackSet) vanished = rack_set_new ();
      g_autoptr (RackSet) others = rack_set_new ();
      g_autoptr (RackSet) all = rack_set_copy (known);
      g_autoptr (RackSet) more = rack_set_new_range (300, 300);
      rack_set_merge (all, more);
      fill_box (all, gone);
      compare (known, extended, vanished, others);
      assert_same (vanished, gone);
      assert_same (others, more);
    }
}

/* Sequence numbers shift between two questions. */
static void
test_expunged_meanwhile (void)
{
  for (guint after = 1; after < 5; after++)
    for (guint extended = 0; extended < 2; extended++)
      {
        g_autoptr (RackSet) known = make_known (20000, 3);
        g_autoptr (RackSet) gone = random_gone (known, 60);
        g_autoptr (RackSet) vanished = rack_set_new ();
        g_autoptr (RackSet) others = rack_set_new ();
        fill_box (known, gone);
        box.expunge_after = after;
        guint32 first = g_array_index (box.uids, guint32, 0);
        compare (known, extended, vanished, others);
        /* That one may be found or not: whoever is told of it later is told in time. */
        rack_set_remove (gone, first, first);
        rack_set_remove (vanished, first, first);
        assert_same (vanished, gone);
        g_assert_cmpuint (rack_set_count (others), ==, 0);
      }
}

/* It ends, and says of no UID that was not known that it vanished. */
static void
test_nonsense (void)
{
  for (guint round = 0; round < 200; round++)
    {
      g_autoptr (RackSet) known = make_known (1500, round % 2 == 0 ? 3 : 7);
      g_autoptr (RackSet) gone = random_gone (known, 1 + round);
      g_autoptr (RackSet) vanished = rack_set_new ();
      g_autoptr (RackSet) others = rack_set_new ();
      fill_box (known, gone);
      box.nonsense = TRUE;
      compare (known, round % 3 == 0, vanished, others);
      rack_set_subtract (vanished, known);
      g_assert_cmpuint (rack_set_count (vanished), ==, 0);
      rack_set_intersect (others, known);
      g_assert_cmpuint (rack_set_count (others), ==, 0);
      g_assert_cmpuint (box.questions, <, 100);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  box.random = g_rand_new_with_seed (3);
  g_test_add_func ("/compare/sizes", test_sizes);
  g_test_add_func ("/compare/cost", test_cost);
  g_test_add_func ("/compare/others", test_others);
  g_test_add_func ("/compare/expunged-meanwhile", test_expunged_meanwhile);
  g_test_add_func ("/compare/nonsense", test_nonsense);
  int status = g_test_run ();
  g_array_unref (box.uids);
  g_rand_free (box.random);
  return status;
}
