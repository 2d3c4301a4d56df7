/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-output.c - rows in each of the formats, and how tables fit a terminal */
#include "json-text.h"
#include "output.h"
#include "repr.h"

#include <stdlib.h>
#include <string.h>

static const OutputColumn columns[] = {
  { "uid", "UID", CELL_NUMBER, 0 },       { "", "MARK", CELL_TEXT, 0 },
  { "flags", NULL, CELL_WORDS, 0 },       { "date", NULL, CELL_DATE, 0 },
  { "from", "FROM", CELL_TEXT, 8 },       { "seen", NULL, CELL_TRUTH, 0 },
  { "subject", "SUBJECT", CELL_TEXT, 0 }, { NULL, NULL, CELL_TEXT, 0 },
};

static void
add (Output *output, guint64 uid, const char *from, const char *subject)
{
  output_number (output, uid);
  output_text (output, "N", -1);
  output_word (output, "\\Seen", -1);
  output_word (output, "$Work", -1);
  output_words_end (output);
  output_date (output, 86400);
  output_text (output, from, -1);
  output_number (output, uid == 1);
  output_text (output, subject, -1);
  g_assert_true (output_row (output));
}

/* Two rows, of which the second is hostile; n more. */
static char *
print (OutputFormat format, guint width, gboolean headings, guint n)
{
  char *text = NULL;
  gsize size = 0;
  FILE *out = open_memstream (&text, &size);
  const OutputTarget target = { out, format, width, headings, NULL };
  g_autoptr (Output) output = output_new (&target, columns, OUTPUT_MANY);

  add (output, 1, "bob", "hello, \"world\"");
  add (output, 1234, "a long name", "\x1b[2J\xe2\x80\xae \xff");
  for (guint i = 0; i < n; i++)
    add (output, 5, "bob", "again");
  g_assert_cmpuint (output_end (output), ==, n + 2);
  fclose (out);
  return text;
}

static void
check (OutputFormat format, guint width, gboolean headings, const char *expected)
{
  char *text = print (format, width, headings, 0);

  g_assert_cmpstr (text, ==, expected);
  free (text);
}

static void
test_formats (void)
{
  check (OUTPUT_RAW, 0, FALSE,
         "1\t\\Seen $Work\t1970-01-02T00:00:00Z\tbob\ttrue\thello, \"world\"\n"
         "1234\t\\Seen $Work\t1970-01-02T00:00:00Z\ta long name\tfalse\t"
         "\\x1b[2J\\u202e \\xff\n");
  check (OUTPUT_CSV, 0, FALSE,
         "uid,flags,date,from,seen,subject\n"
         "1,\\Seen $Work,1970-01-02T00:00:00Z,bob,true,\"hello, \"\"world\"\"\"\n"
         "1234,\\Seen $Work,1970-01-02T00:00:00Z,a long name,false,\\x1b[2J\\u202e \\xff\n");
  check (OUTPUT_JSONL, 0, FALSE,
         "{\"uid\": 1, \"flags\": [\"\\\\Seen\", \"$Work\"], \"date\": \"1970-01-02T00:00:00Z\", "
         "\"from\": \"bob\", \"seen\": true, \"subject\": \"hello, \\\"world\\\"\"}\n"
         "{\"uid\": 1234, \"flags\": [\"\\\\Seen\", \"$Work\"], "
         "\"date\": \"1970-01-02T00:00:00Z\", \"from\": \"a long name\", \"seen\": false, "
         "\"subject\": \"\\u001b[2J\\u202e \xef\xbf\xbd\"}\n");
}

static void
test_tables (void)
{
  check (OUTPUT_TABLE, 0, FALSE,
         "   1  N  bob       hello, \"world\"\n"
         "1234  N  a long …  \\x1b[2J\\u202e \\xff\n");
  check (OUTPUT_TABLE, 39, TRUE,
         " UID  MARK  FROM      SUBJECT\n"
         "   1  N     bob       hello, \"world\"\n"
         "1234  N     a long …  \\x1b[2J\\u202e \\x…\n");
  check (OUTPUT_TABLE, 30, FALSE,
         "   1  N  bob       hello, \"wo…\n"
         "1234  N  a long …  \\x1b[2J\\u2…\n");
}

/* Rows that come when the columns have been laid out are as the others. */
static void
test_long_table (void)
{
  char *text = print (OUTPUT_TABLE, 0, FALSE, 3 * OUTPUT_HELD);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_assert_cmpuint (g_strv_length (lines), ==, 3 * OUTPUT_HELD + 3);
  g_assert_cmpstr (lines[0], ==, "   1  N  bob       hello, \"world\"");
  for (guint i = 2; i < 3 * OUTPUT_HELD + 2; i++)
    g_assert_cmpstr (lines[i], ==, "   5  N  bob       again");
  free (text);
}

static void
test_empty (void)
{
  static const char *const expected[] = { "", "[]\n", "", "uid,flags,date,from,seen,subject\n",
                                          "" };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      char *text = NULL;
      gsize size;
      FILE *out = open_memstream (&text, &size);
      const OutputTarget target = { out, (OutputFormat) i, 0, TRUE, NULL };
      g_autoptr (Output) output = output_new (&target, columns, OUTPUT_MANY);

      g_assert_cmpuint (output_end (output), ==, 0);
      fclose (out);
      g_assert_cmpstr (text, ==, expected[i]);
      free (text);
    }
}

static void
test_values (void)
{
  static const OutputColumn few[] = { { "name", NULL, CELL_TEXT, 0 },
                                      { "n", NULL, CELL_NUMBER, 0 },
                                      { NULL, NULL, CELL_TEXT, 0 } };

  for (guint single = 0; single < 2; single++)
    {
      g_autoptr (Value) result = NULL;
      const OutputTarget target = { NULL, OUTPUT_VALUE, 0, FALSE, &result };
      g_autoptr (Output) output = output_new (&target, few, single ? OUTPUT_SINGLE : OUTPUT_MANY);
      g_autofree char *text = NULL;

      output_text (output, "a'b", -1);
      output_none (output);
      output_row (output);
      output_end (output);
      text = repr_dup (result);
      g_assert_cmpstr (text, ==,
                       single ? "{'name': \"a'b\", 'n': None}" : "[{'name': \"a'b\", 'n': None}]");
    }
}

static void
test_json_values (void)
{
  const ValueTime time = {
    .year = 2026, .month = 2, .day = 3, .hour = 4, .aware = TRUE, .offset = -5400
  };
  g_autoptr (Value) dict = value_dict_new ();
  g_autoptr (GString) out = g_string_new (NULL);
  Value *tuple = value_tuple_new (8);

  value_append (tuple, value_none ());
  value_append (tuple, value_bool (TRUE));
  value_append (tuple, value_int (-7));
  value_append (tuple, value_bytes ("\xff\x00", 2));
  value_append (tuple, value_bytes ("a\n\"", 3));
  value_append (tuple, value_datetime (&time));
  value_append (tuple, value_date (2026, 2, 3));
  value_append (tuple, value_timedelta (0, 90, 500000));
  value_dict_set (dict, value_bytes ("EXISTS", -1), value_uint (G_MAXUINT64));
  value_dict_set (dict, value_int (5), tuple);
  json_append_value (out, dict);
  g_assert_cmpstr (out->str, ==,
                   "{\"EXISTS\": 18446744073709551615, \"5\": [null, true, -7, "
                   "{\"base64\": \"/wA=\"}, \"a\\n\\\"\", \"2026-02-03T04:00:00-01:30\", "
                   "\"2026-02-03\", 90.5]}");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shell/output/formats", test_formats);
  g_test_add_func ("/shell/output/tables", test_tables);
  g_test_add_func ("/shell/output/long-table", test_long_table);
  g_test_add_func ("/shell/output/empty", test_empty);
  g_test_add_func ("/shell/output/values", test_values);
  g_test_add_func ("/shell/output/json-values", test_json_values);
  return g_test_run ();
}
