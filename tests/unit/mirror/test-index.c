/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-index.c - the packed array of messages */
#include "index.h"

#include <string.h>

static void
add (RackIndex *index, guint32 uid, gint64 date)
{
  RackRecord record = { .uid = uid, .size = (guint64) uid * 10, .date = date };
  rack_index_append (index, &record);
}

/* "1,5,9", each with its number as date. */
static void
fill (RackIndex *index, const char *uids)
{
  g_auto (GStrv) words = g_strsplit (uids, ",", -1);
  rack_index_init (index);
  for (guint i = 0; words[i] != NULL; i++)
    {
      guint32 uid = (guint32) g_ascii_strtoull (words[i], NULL, 10);
      add (index, uid, uid);
    }
  rack_index_seal (index);
}

static void
check (const RackIndex *index, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < index->n; i++)
    {
      const RackRecord *record = &index->records[i];
      g_assert_cmpint (record->date, ==, record->uid);
      g_string_append_printf (text, "%s%u", i > 0 ? "," : "", record->uid);
    }
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_seal (void)
{
  RackIndex index;
  fill (&index, "9,1,5,1,7");
  check (&index, "1,5,7,9");
  g_assert_null (rack_index_find (&index, 2));
  g_assert_cmpuint (rack_index_find (&index, 7)->size, ==, 70);
  g_assert_cmpuint (rack_index_position (&index, 6), ==, 2);
  g_assert_cmpuint (rack_index_position (&index, 10), ==, 4);
  rack_index_clear (&index);

  /* Of several with one UID the last one stays. */
  rack_index_init (&index);
  add (&index, 2, 2);
  add (&index, 1, 77);
  add (&index, 1, 1);
  rack_index_seal (&index);
  check (&index, "1,2");
  rack_index_clear (&index);
}

static void
check_merge (const char *mine, const char *theirs, const char *merged, const char *new)
{
  RackIndex index, other;
  g_autoptr (GArray) added = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GString) text = g_string_new (NULL);
  fill (&index, mine);
  fill (&other, theirs);
  rack_index_merge (&index, &other, added);
  check (&index, merged);
  for (guint i = 0; i < added->len; i++)
    g_string_append_printf (text, "%s%u", i > 0 ? "," : "", g_array_index (added, guint32, i));
  g_assert_cmpstr (text->str, ==, new);
  g_assert_cmpuint (other.n, ==, 0);
  rack_index_clear (&index);
}

static void
test_merge (void)
{
  check_merge ("", "1,2", "1,2", "1,2");
  check_merge ("1,2", "", "1,2", "");
  check_merge ("1,2", "3,4", "1,2,3,4", "3,4");
  check_merge ("3,4", "1,2", "1,2,3,4", "1,2");
  check_merge ("1,3,5", "2,3,4,6", "1,2,3,4,5,6", "2,4,6");
  check_merge ("1,2", "1,2", "1,2", "");
  check_merge ("1,9", "2,3,4", "1,2,3,4,9", "2,3,4");
  check_merge ("2,4,4294967295", "1,2,3,4,5,4294967295", "1,2,3,4,5,4294967295", "1,3,5");
  check_merge ("5", "1,2,3,4", "1,2,3,4,5", "1,2,3,4");
}

static void
test_merge_keeps_what_was_learnt (void)
{
  RackIndex index, other;
  fill (&index, "1,2");
  rack_index_find (&index, 1)->bits = RACK_RECORD_EXACT;
  rack_index_find (&index, 1)->size = 77;
  fill (&other, "1,3");
  rack_index_merge (&index, &other, NULL);
  g_assert_cmpuint (rack_index_find (&index, 1)->size, ==, 77);
  g_assert_cmpuint (rack_index_find (&index, 1)->bits, ==, RACK_RECORD_EXACT);
  rack_index_clear (&index);
}

static void
test_take (void)
{
  RackIndex index, gone;
  g_autoptr (RackSet) uids = rack_set_parse ("2,4:6,100:*", NULL);
  fill (&index, "1,2,3,4,5,7,100,4000000");
  rack_index_init (&gone);
  rack_index_take (&index, uids, &gone);
  check (&index, "1,3,7");
  check (&gone, "2,4,5,100,4000000");
  rack_index_clear (&index);
  rack_index_clear (&gone);
}

static void
check_compare (const char *known, const char *server, const char *unknown, const char *vanished)
{
  RackIndex index;
  g_autoptr (RackSet) uids = *server != '\0' ? rack_set_parse (server, NULL) : rack_set_new ();
  g_autoptr (RackSet) new = NULL;
  g_autoptr (RackSet) old = NULL;
  fill (&index, known);
  rack_index_compare (&index, uids, &new, &old);
  g_autofree char *new_text = rack_set_to_string (new);
  g_autofree char *old_text = rack_set_to_string (old);
  g_assert_cmpstr (new_text, ==, unknown);
  g_assert_cmpstr (old_text, ==, vanished);
  rack_index_clear (&index);
}

static void
test_compare (void)
{
  check_compare ("", "", "", "");
  check_compare ("1,2,3", "1:3", "", "");
  check_compare ("1,2,3", "", "", "1:3");
  check_compare ("", "1:3,9", "1:3,9", "");
  check_compare ("1,3,5,9", "1:6,8", "2,4,6,8", "9");
  check_compare ("5", "1:10", "1:4,6:10", "");
  check_compare ("4294967295", "4294967290:4294967295", "4294967290:4294967294", "");
  /* A server that says everything is there is not counted through. */
  check_compare ("7,4294967294", "1:4294967295", "1:6,8:4294967293,*", "");
}

/* A mailbox that turns over does not grow for ever. */
static void
test_turnover (void)
{
  RackIndex index;
  rack_index_init (&index);
  for (guint32 uid = 1; uid <= 50000; uid++)
    {
      RackIndex gone;
      g_autoptr (RackSet) old = rack_set_new_range (1, uid > 100 ? uid - 100 : 1);
      add (&index, uid, uid);
      if (uid % 50 != 0)
        continue;
      rack_index_init (&gone);
      rack_index_take (&index, old, &gone);
      rack_index_clear (&gone);
    }
  g_assert_cmpuint (index.n, ==, 100);
  g_assert_cmpuint (index.capacity, <, 1000);
  rack_index_clear (&index);
}

/* What decides how much memory a million messages take. */
static void
test_room (void)
{
  RackIndex index;
  rack_index_init (&index);
  for (guint32 uid = 1; uid <= 100000; uid++)
    add (&index, uid, uid);
  g_assert_cmpuint (sizeof (RackRecord), ==, 24);
  g_assert_cmpuint (index.capacity, <, 130000);
  rack_index_trim (&index);
  g_assert_cmpuint (index.capacity, ==, 100000);
  g_autoptr (RackSet) uids = rack_index_uids (&index);
  g_autofree char *text = rack_set_to_string (uids);
  g_assert_cmpstr (text, ==, "1:100000");
  rack_index_clear (&index);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/index/seal", test_seal);
  g_test_add_func ("/index/merge", test_merge);
  g_test_add_func ("/index/merge-keeps-what-was-learnt", test_merge_keeps_what_was_learnt);
  g_test_add_func ("/index/take", test_take);
  g_test_add_func ("/index/compare", test_compare);
  g_test_add_func ("/index/turnover", test_turnover);
  g_test_add_func ("/index/room", test_room);
  return g_test_run ();
}
