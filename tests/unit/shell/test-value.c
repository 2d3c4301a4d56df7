/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-value.c - the values of the interactive session: making, comparing, looking up, the calendar
 *
 * What they print like is compared with Python in tests/shell/test_python.py.
 */
#include "value.h"

#include <string.h>

static void
test_numbers (void)
{
  g_autoptr (Value) largest = value_uint (G_MAXUINT64);
  g_autoptr (Value) least = value_int (G_MININT64);
  g_autoptr (Value) one = value_int (1);
  g_autoptr (Value) real = value_float (1.0);
  gint64 number;
  guint64 magnitude;
  int order;

  g_assert_false (value_get_int64 (largest, &number));
  g_assert_true (value_get_uint64 (largest, &magnitude));
  g_assert_cmpuint (magnitude, ==, G_MAXUINT64);
  g_assert_true (value_get_int64 (least, &number));
  g_assert_cmpint (number, ==, G_MININT64);
  g_assert_false (value_get_uint64 (least, &magnitude));
  g_assert_true (value_compare (least, largest, &order) && order < 0);
  g_assert_true (value_equal (one, real) && value_equal (one, value_bool (TRUE)));
  g_assert_cmpuint (value_hash (one), ==, value_hash (real));
  g_assert_cmpuint (value_hash (one), ==, value_hash (value_bool (TRUE)));
}

static void
test_text_is_utf8 (void)
{
  g_autoptr (Value) broken = value_str ("a\xff\0b\xc3", 5);
  g_autoptr (Value) whole = value_str ("a\0\xc3\xa9", 4);

  g_assert_cmpmem (broken->text.bytes, broken->text.size, "a\xef\xbf\xbd\0b\xef\xbf\xbd", 9);
  g_assert_cmpmem (whole->text.bytes, whole->text.size, "a\0\xc3\xa9", 4);
}

/* As the result of a large fetch: many keys, found again, first place kept when set again. */
static void
test_dict (void)
{
  g_autoptr (Value) dict = value_dict_new ();
  enum
  {
    N = 100000
  };

  for (guint i = 0; i < N; i++)
    value_dict_set (dict, value_uint (i * 7919), value_uint (i));
  for (guint i = 0; i < N; i++)
    {
      g_autoptr (Value) key = value_uint (i * 7919);

      g_assert_cmpuint (value_dict_get (dict, key)->magnitude, ==, i);
    }
  value_dict_set (dict, value_uint (7919), value_str ("again", -1));
  g_assert_cmpuint (dict->dict.n, ==, N);
  g_assert_true (value_is_str (dict->dict.pairs[1].value, "again"));

  g_autoptr (Value) absent = value_uint (3);

  g_assert_null (value_dict_get (dict, absent));
}

static void
test_depth_and_weight (void)
{
  Value *nested = value_list_new (0);

  for (guint i = 0; i < 100; i++)
    {
      Value *outer = value_tuple_new (1);

      value_append (outer, nested);
      nested = outer;
    }
  g_assert_cmpuint (nested->depth, ==, 101);
  for (guint i = 0; i < 40; i++)
    {
      Value *doubled = value_list_new (2);

      value_append (doubled, value_ref (nested));
      value_append (doubled, nested);
      nested = doubled;
    }
  g_assert_cmpuint (nested->weight, ==, G_MAXUINT32);
  value_unref (nested);
}

static void
test_calendar (void)
{
  const gint64 first = value_time_ordinal (1, 1, 1), last = value_time_ordinal (9999, 12, 31);
  ValueTime time;

  g_assert_cmpint (first, ==, 1);
  g_assert_cmpint (last, ==, 3652059);
  g_assert_cmpint (value_time_ordinal (1970, 1, 1), ==, 719163);
  for (gint64 day = first; day <= last; day++)
    {
      value_time_from_ordinal (day, &time);
      g_assert_cmpint (value_time_ordinal (time.year, time.month, time.day), ==, day);
    }
  time = (ValueTime){ .year = 1900, .month = 2, .day = 29 };
  g_assert_false (value_time_valid (&time));
  time.year = 2000;
  g_assert_true (value_time_valid (&time));
  time.hour = 24;
  g_assert_false (value_time_valid (&time));
}

static void
test_zones (void)
{
  ValueTime paris = { 2024, 5, 1, 12, 0, 0, TRUE, 0, 7200 };
  ValueTime london = { 2024, 5, 1, 11, 0, 0, TRUE, 0, 3600 };
  ValueTime nowhere = { 2024, 5, 1, 12, 0, 0, FALSE, 0, 0 };
  ValueTime back;
  g_autoptr (Value) a = value_datetime (&paris);
  g_autoptr (Value) b = value_datetime (&london);
  g_autoptr (Value) c = value_datetime (&nowhere);
  int order;

  g_assert_true (value_equal (a, b));
  g_assert_cmpuint (value_hash (a), ==, value_hash (b));
  g_assert_false (value_equal (a, c));
  g_assert_false (value_compare (a, c, &order));
  g_assert_true (
      value_time_from_microseconds (value_time_microseconds (&paris), TRUE, 7200, &back));
  g_assert_cmpint (back.hour, ==, 12);
  g_assert_cmpint (back.offset, ==, 7200);
  g_assert_cmpint (value_time_microseconds (&back), ==, value_time_microseconds (&paris));
}

static void
test_records (void)
{
  static const char *const fields[] = { "name", "host" };
  static const RecordType type = { "Address", 2, fields };
  g_autoptr (Value) a = value_record_new (&type);
  g_autoptr (Value) b = value_record_new (&type);

  g_assert_true (value_equal (a, b));
  value_record_set (a, 1, value_bytes ("example.org", -1));
  g_assert_false (value_equal (a, b));
  g_assert_cmpint (value_record_get (a, "host")->kind, ==, VALUE_BYTES);
  g_assert_null (value_record_get (a, "port"));
  g_assert_false (value_is_hashable (a));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shell/value/numbers", test_numbers);
  g_test_add_func ("/shell/value/text", test_text_is_utf8);
  g_test_add_func ("/shell/value/dict", test_dict);
  g_test_add_func ("/shell/value/depth", test_depth_and_weight);
  g_test_add_func ("/shell/value/calendar", test_calendar);
  g_test_add_func ("/shell/value/zones", test_zones);
  g_test_add_func ("/shell/value/records", test_records);
  return g_test_run ();
}
