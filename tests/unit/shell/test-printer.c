/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-printer.c - the notation of results: the documented example, records, pieces, safe text
 *
 * That it is Python's notation for everything else is shown by tests/shell/test_python.py.
 */
#include "eval.h"
#include "printer.h"
#include "repr.h"
#include "safe-text.h"

#include <string.h>

static void
check_print (const char *source, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Interp) interp = interp_new (NULL, NULL);
  g_autoptr (Value) value = interp_eval (interp, source, -1, &error);
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  text = printer_dup (value, PRINTER_WIDTH);
  g_assert_cmpstr (text, ==, expected);
}

/* The example of the documentation, with the keys in another order than printed. */
static void
test_documented_session (void)
{
  check_print ("{b'UIDVALIDITY': 1239278212, b'EXISTS': 2, b'UIDNEXT': 1339, b'RECENT': 0,"
               " b'PERMANENTFLAGS': (b'\\\\Answered', b'\\\\Flagged', b'\\\\*'),"
               " b'FLAGS': (b'\\\\Answered', b'\\\\Flagged', b'\\\\Deleted', b'\\\\Seen',"
               " b'\\\\Draft'), b'READ-WRITE': True}",
               "{b'EXISTS': 2,\n"
               " b'FLAGS': (b'\\\\Answered', b'\\\\Flagged', b'\\\\Deleted', b'\\\\Seen', "
               "b'\\\\Draft'),\n"
               " b'PERMANENTFLAGS': (b'\\\\Answered', b'\\\\Flagged', b'\\\\*'),\n"
               " b'READ-WRITE': True,\n"
               " b'RECENT': 0,\n"
               " b'UIDNEXT': 1339,\n"
               " b'UIDVALIDITY': 1239278212}");
  check_print ("[1123, 1233]", "[1123, 1233]");
  check_print ("b'Logging out'", "b'Logging out'");
}

static const char *const address_fields[] = { "name", "route", "mailbox", "host" };
static const RecordType address_type = { "Address", 4, address_fields };
static const char *const envelope_fields[] = { "date", "subject", "from_" };
static const RecordType envelope_type = { "Envelope", 3, envelope_fields };

static Value *
make_envelope (const char *subject)
{
  Value *address = value_record_new (&address_type);
  Value *envelope = value_record_new (&envelope_type);
  Value *from = value_tuple_new (1);

  value_record_set (address, 0, value_bytes ("Bob", -1));
  value_record_set (address, 2, value_bytes ("bob", -1));
  value_record_set (address, 3, value_bytes ("example.org", -1));
  value_append (from, address);
  value_record_set (envelope, 0,
                    value_datetime (&(ValueTime){ 2011, 2, 24, 19, 30, 36, FALSE, 0, 0 }));
  value_record_set (envelope, 1, value_bytes (subject, -1));
  value_record_set (envelope, 2, from);
  return envelope;
}

/* As dataclasses print. */
static void
test_records (void)
{
  g_autoptr (Value) envelope = make_envelope ("Hello");
  g_autofree char *repr = repr_dup (envelope);
  g_autofree char *print = printer_dup (envelope, PRINTER_WIDTH);

  g_assert_cmpstr (repr, ==,
                   "Envelope(date=datetime.datetime(2011, 2, 24, 19, 30, 36), subject=b'Hello', "
                   "from_=(Address(name=b'Bob', route=None, mailbox=b'bob', "
                   "host=b'example.org'),))");
  g_assert_cmpstr (print, ==,
                   "Envelope(date=datetime.datetime(2011, 2, 24, 19, 30, 36),\n"
                   "         subject=b'Hello',\n"
                   "         from_=(Address(name=b'Bob',\n"
                   "                        route=None,\n"
                   "                        mailbox=b'bob',\n"
                   "                        host=b'example.org'),))");
}

static gboolean
collect (const char *text, gsize size, gpointer data)
{
  g_string_append_len (data, text, size);
  return TRUE;
}

static gboolean
take_twice (G_GNUC_UNUSED const char *text, G_GNUC_UNUSED gsize size, gpointer data)
{
  return ++*(guint *) data < 2;
}

/* Ten thousand messages come out in pieces, the same as in one; a reader that leaves stops it. */
static void
test_pieces (void)
{
  g_autoptr (Value) result = value_dict_new ();
  g_autoptr (GString) pieces = g_string_new (NULL);
  g_autofree char *whole = NULL;
  guint calls = 0;

  for (guint i = 1; i <= 10000; i++)
    {
      Value *message = value_dict_new ();

      value_dict_set (message, value_bytes ("SEQ", -1), value_uint (i));
      value_dict_set (message, value_bytes ("ENVELOPE", -1), make_envelope ("a subject"));
      value_dict_set (result, value_uint (i), message);
    }
  whole = printer_dup (result, PRINTER_WIDTH);
  g_assert_true (printer_print (result, PRINTER_WIDTH, collect, pieces));
  g_assert_true (strcmp (whole, pieces->str) == 0);
  g_assert_false (printer_print (result, PRINTER_WIDTH, take_twice, &calls));
  g_assert_cmpuint (calls, ==, 2);
}

static void
check_safe (const char *text, gssize size, SafeTextMode mode, const char *expected)
{
  g_autofree char *safe = safe_text_dup (text, size, mode);

  g_assert_cmpstr (safe, ==, expected);
}

static void
test_safe_text (void)
{
  check_safe ("plain é 日本", -1, SAFE_TEXT_LINE, "plain é 日本");
  check_safe ("\033]0;owned\007", -1, SAFE_TEXT_LINE, "\\x1b]0;owned\\x07");
  check_safe ("a\r\nb\tc\n", -1, SAFE_TEXT_LINE, "a\\x0d\\x0ab\\x09c\\x0a");
  check_safe ("a\r\nb\tc\rd\n", -1, SAFE_TEXT_BLOCK, "a\nb\tc\\x0dd\n");
  check_safe ("invoice\xe2\x80\xaetxt.exe", -1, SAFE_TEXT_LINE, "invoice\\u202etxt.exe");
  check_safe ("\xc2\x9b"
              "31m",
              -1, SAFE_TEXT_BLOCK, "\\x9b31m");
  check_safe ("\x9b"
              "31m\xff\xc3",
              -1, SAFE_TEXT_BLOCK, "\\x9b31m\\xff\\xc3");
  check_safe ("a\0b\0", 4, SAFE_TEXT_BLOCK, "a\\x00b\\x00");
  check_safe ("\xf3\xa0\x81\x81", -1, SAFE_TEXT_LINE, "\\U000e0041");
  check_safe ("\xe2\x80\x8d", -1, SAFE_TEXT_LINE, "\xe2\x80\x8d");
}

static void
check_cell (const char *text, guint columns, const char *expected)
{
  g_autoptr (GString) out = g_string_new (NULL);

  safe_text_append_cell (out, text, columns);
  g_assert_cmpstr (out->str, ==, expected);
}

static void
test_cells (void)
{
  check_cell ("abc", 5, "abc  ");
  check_cell ("abcdef", 5, "abcd…");
  check_cell ("日本語", 6, "日本語");
  check_cell ("日本語", 5, "日本…");
  check_cell ("日本語", 4, "日… ");
  check_cell ("x", 0, "");
  check_cell ("e\xcc\x81x", 2, "e\xcc\x81x");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shell/printer/documented", test_documented_session);
  g_test_add_func ("/shell/printer/records", test_records);
  g_test_add_func ("/shell/printer/pieces", test_pieces);
  g_test_add_func ("/shell/printer/safe-text", test_safe_text);
  g_test_add_func ("/shell/printer/cells", test_cells);
  return g_test_run ();
}
