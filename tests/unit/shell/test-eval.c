/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-eval.c - the call language: statements, the client object, errors and limits
 *
 * That expressions mean what they mean in Python is shown by tests/shell/test_python.py.
 */
#include "eval.h"

#include "args.h"
#include "printer.h"
#include "repr.h"

#include <string.h>

/* A client that tells how it was called. */
typedef struct
{
  gboolean use_uid;
} Client;

static Value *
client_call (G_GNUC_UNUSED gpointer self, const char *method, const CallArgs *args, GError **error)
{
  static const Param params[] = { { "messages", PARAM_REQUIRED },
                                  { "data", PARAM_OPTIONAL },
                                  { "modifiers", PARAM_OPTIONAL },
                                  { 0 } };
  g_autoptr (GString) text = g_string_new (method);
  Value *bound[ARGS_MAX];

  if (strcmp (method, "fail") == 0)
    {
      g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "the server said NO");
      return NULL;
    }
  if (!args_bind (method, params, args, bound, error))
    return NULL;
  for (guint i = 0; i < 3; i++)
    if (bound[i] != NULL)
      {
        g_string_append_printf (text, " %s=", params[i].name);
        repr_append (text, bound[i]);
      }
  return value_str (text->str, text->len);
}

static Value *
client_get (gpointer self, const char *name, G_GNUC_UNUSED GError **error)
{
  Client *client = self;

  return strcmp (name, "use_uid") == 0 ? value_bool (client->use_uid) : NULL;
}

static gboolean
client_set (gpointer self, const char *name, Value *value, GError **error)
{
  Client *client = self;

  if (strcmp (name, "use_uid") == 0)
    {
      client->use_uid = value_is_true (value);
      return TRUE;
    }
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_ATTRIBUTE, "'%s' cannot be set", name);
  return FALSE;
}

static const char *const client_methods[] = { "fetch", "fail", NULL };
static const char *const client_attributes[] = { "use_uid", NULL };
static const ObjectClass client_class = { "IMAPClient", client_call,    client_get,
                                          client_set,   client_methods, client_attributes };

static gboolean
show (Value *value, gpointer data)
{
  g_autofree char *text = printer_dup (value, PRINTER_WIDTH);

  g_string_append_printf (data, "%s\n", text);
  return TRUE;
}

static void
write_text (const char *text, gsize size, gpointer data)
{
  g_string_append_len (data, text, size);
}

/* Runs a program and compares what it shows; an error stands at the end as "Kind: message". */
static void
check (const char *source, const char *expected)
{
  static const InterpSink sink = { show, write_text };
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (Interp) interp = interp_new (&sink, out);
  g_autoptr (GError) error = NULL;
  Client client = { TRUE };

  interp_set (interp, "c", value_object (&client_class, &client));
  if (!interp_run (interp, source, -1, &error))
    g_string_append_printf (out, "%s: %s\n", eval_error_kind (error), error->message);
  g_assert_cmpstr (out->str, ==, expected);
}

static void
test_statements (void)
{
  check ("1 + 1", "2\n");
  check ("None", "");
  check ("x = 5; x; x + 1", "5\n6\n");
  check ("a, b = (1, 'two')\nb", "'two'\n");
  check ("a, b = [1]", "ValueError: 2 names cannot take 1 values (column 6)\n");
  check ("x = 1, 2\nx", "(1, 2)\n");
  check ("41\n_ + 1\n$_ + 1", "41\n42\n43\n");
  check ("print('a', b'b', [1])\nprint()", "a b'b' [1]\n\n");
  check ("# a comment\n\n  1  # another", "1\n");
  check ("[1,\n 2,\n 3]", "[1, 2, 3]\n");
  check ("'''a\nb'''", "'a\\nb'\n");
  check ("1 + \\\n 2", "3\n");
  check ("(5 if [] else 6) or 1", "6\n");
  check ("1 / 0 if False else 'lazy'", "'lazy'\n");
  check ("False and 1 / 0 or 'lazy'", "'lazy'\n");
}

static void
test_calls (void)
{
  check ("c.fetch([1, 2], ['FLAGS'])", "\"fetch messages=[1, 2] data=['FLAGS']\"\n");
  check ("c.fetch('1:*', modifiers=['X'])", "\"fetch messages='1:*' modifiers=['X']\"\n");
  check ("f = c.fetch\nf(1)", "'fetch messages=1'\n");
  check ("c.fetch", "<method fetch of IMAPClient>\n");
  check ("c", "<IMAPClient>\n");
  check ("c.use_uid\nc.use_uid = False\nc.use_uid", "True\nFalse\n");
  check ("c.fetch()",
         "TypeError: fetch() missing 1 required positional argument: 'messages' (column 8)\n");
  check ("c.fetch(1, 2, 3, 4)",
         "TypeError: fetch() takes from 1 to 3 positional arguments but 4 were given (column 8)\n");
  check ("c.fetch(1, what=2)",
         "TypeError: fetch() got an unexpected keyword argument 'what' (column 8)\n");
  check ("c.fetch(1, messages=2)",
         "TypeError: fetch() got multiple values for argument 'messages' (column 8)\n");
  check ("c.fail()", "Error: the server said NO\n");
  check ("c.nothing()", "AttributeError: IMAPClient has no attribute 'nothing' (column 2)\n");
  check ("c.use_UID = 1", "AttributeError: 'use_UID' cannot be set (column 11)\n");
}

static void
test_dates (void)
{
  check ("date(2024, 2, 29)", "datetime.date(2024, 2, 29)\n");
  check ("datetime.datetime(2011, 2, 24, 19, 30, 36)",
         "datetime.datetime(2011, 2, 24, 19, 30, 36)\n");
  check ("datetime.date(2024, 3, 1) - timedelta(days=1)", "datetime.date(2024, 2, 29)\n");
  check ("datetime(2024, 1, 1) - datetime(2023, 12, 31, 23)", "datetime.timedelta(seconds=3600)\n");
  check ("datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(seconds=-3600)))",
         "datetime.datetime(2024, 1, 1, 0, 0, tzinfo=datetime.timezone(datetime.timedelta(days=-1, "
         "seconds=82800)))\n");
  check ("datetime(2024, 1, 1, tzinfo=timezone.utc).isoformat()", "'2024-01-01T00:00:00+00:00'\n");
  check ("date(2024, 1, 1).weekday()", "0\n");
  check ("date.today() > date(2020, 1, 1)", "True\n");
  check ("datetime.now().year > 2020", "True\n");
  check ("datetime.fromisoformat('2024-01-02T03:04:05').hour", "3\n");
  check ("date(2023, 2, 29)", "ValueError: there is no such date (column 5)\n");
  check ("date(9999, 12, 31) + timedelta(days=1)",
         "OverflowError: dates go from year 1 to year 9999 (column 20)\n");
  check ("timedelta(minutes=1, hours=-1.5)", "datetime.timedelta(days=-1, seconds=81060)\n");
}

static void
test_errors (void)
{
  check ("x", "NameError: name 'x' is not defined (column 1)\n");
  check ("1\n  y + 1", "1\nNameError: name 'y' is not defined (line 2, column 3)\n");
  check ("1 +", "SyntaxError: the line ends where a value should be (column 4)\n");
  check ("1 2", "SyntaxError: '2' stands where the end of the line should be (column 3)\n");
  check ("'abc", "SyntaxError: the string has no closing ' (column 5)\n");
  check ("a ? b", "SyntaxError: '?' has no meaning here (column 3)\n");
  check ("{1, 2}",
         "SyntaxError: sets are not part of this language; a dict has key: value (column 3)\n");
  check ("[x for x in y]", "SyntaxError: 'for' is not part of this language (column 4)\n");
  check ("import os", "SyntaxError: 'import' is not part of this language (column 1)\n");
  check ("f'{x}'",
         "SyntaxError: f-strings are not part of this language; use + and str() (column 1)\n");
  check ("1 < 2 < 3",
         "SyntaxError: comparisons cannot be chained; join them with 'and' (column 9)\n");
  check ("x = y = 1", "SyntaxError: one line can make one assignment (column 7)\n");
  check ("r[1] = 2",
         "SyntaxError: the parts of a value cannot be changed; make a new value (column 6)\n");
  check ("5 = 6", "SyntaxError: only a name or an attribute can be assigned to (column 3)\n");
  check ("{}[b'X']", "KeyError: b'X' (column 3)\n");
  check ("[1][1]", "IndexError: list index out of range (column 4)\n");
  check ("18446744073709551616",
         "OverflowError: numbers go up to 18446744073709551615 (column 21)\n");
  check ("9223372036854775807 * 4",
         "OverflowError: whole numbers go from -9223372036854775808 to 18446744073709551615 "
         "(column 21)\n");
  check ("[].append(1)", "AttributeError: list has no attribute 'append' (values do not change "
                         "here; make a new one with +, sorted() or dict()) (column 3)\n");
  check ("'\\ud800'",
         "SyntaxError: an escape that is no Unicode character in a string (column 8)\n");
  check ("b'\xc3\xa9'", "SyntaxError: bytes can only hold ASCII characters; write the others as "
                        "\\x.. in a string (column 3)\n");
  check ("'\xff'", "SyntaxError: the input is not valid UTF-8 (column 2)\n");
  check ("'\xc3\xa9' + x", "NameError: name 'x' is not defined (column 7)\n");
  check ("b'\\xff'.decode()",
         "UnicodeError: octet 0xff at position 0 is not valid utf-8 (column 15)\n");
}

static void
check_incomplete (const char *source, gboolean incomplete)
{
  g_autoptr (Interp) interp = interp_new (NULL, NULL);
  g_autoptr (GError) error = NULL;

  interp_run (interp, source, -1, &error);
  g_assert_true (g_error_matches (error, EVAL_ERROR, EVAL_ERROR_INCOMPLETE) == incomplete);
}

static void
test_incomplete (void)
{
  check_incomplete ("c.fetch([1,", TRUE);
  check_incomplete ("c.fetch(", TRUE);
  check_incomplete ("{", TRUE);
  check_incomplete ("{b'a':", TRUE);
  check_incomplete ("x[1:", TRUE);
  check_incomplete ("'''a\n", TRUE);
  check_incomplete ("b\"\"\"a\n\"", TRUE);
  check_incomplete ("1 + \\\n", TRUE);
  check_incomplete ("1 + \\", TRUE);
  check_incomplete ("'abc", FALSE);
  check_incomplete ("1 +", FALSE);
  check_incomplete ("[1)", FALSE);
  check_incomplete ("[1 2", FALSE);
  check_incomplete ("[1]", FALSE);
}

/* Nothing that can be typed exhausts the stack or the memory. */
static void
check_refused (char *source)
{
  g_autofree char *owned = source;
  g_autoptr (Interp) interp = interp_new (NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (interp_run (interp, owned, -1, &error));
  g_assert_nonnull (error);
}

static char *
times (const char *text, guint n, const char *tail)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append (out, text);
  g_string_append (out, tail);
  return g_string_free (out, FALSE);
}

/* Frees tail. */
static char *
after (const char *head, char *tail)
{
  char *text = g_strconcat (head, tail, NULL);

  g_free (tail);
  return text;
}

static void
test_limits (void)
{
  check_refused (times ("[", 100000, ""));
  check_refused (times ("(", 100000, ""));
  check_refused (times ("{1:", 100000, ""));
  check_refused (times ("-", 100000, "1"));
  check_refused (times ("not ", 100000, "1"));
  check_refused (after ("x.y", times (".y", 100000, "")));
  check_refused (times ("1+", 100000, "1"));
  check_refused (times ("1 if ", 100000, "1"));
  check_refused (times ("f(", 100000, ""));
  check_refused (after ("x = [1]; ", times ("x = [x]; ", 1000, "")));
  check_refused (after ("x = [1]; ", times ("x = x + x; ", 1000, "")));
  check_refused (after ("x = 'a'; ", times ("x = [x, x]; ", 100, "")));
  check_refused (g_strdup ("'a' * 99999999999"));
  check_refused (g_strdup ("[[1] * 100000] * 100000"));
  check_refused (g_strdup ("range(99999999999)"));
  check_refused (after ("x = '\\\\'; ", times ("x = repr(x); ", 64, "")));
  check_refused (g_strdup ("bytes(99999999999)"));
}

static void
test_names (void)
{
  g_autoptr (Interp) interp = interp_new (NULL, NULL);
  g_auto (GStrv) names = NULL;

  interp_set (interp, "zeta", value_int (1));
  interp_set (interp, "$_", value_int (2));
  names = interp_names (interp);
  g_assert_cmpstr (names[0], ==, "_");
  g_assert_cmpstr (names[1], ==, "zeta");
  g_assert_cmpint (interp_get (interp, "_")->magnitude, ==, 2);
  g_assert_null (interp_get (interp, "alpha"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shell/eval/statements", test_statements);
  g_test_add_func ("/shell/eval/calls", test_calls);
  g_test_add_func ("/shell/eval/dates", test_dates);
  g_test_add_func ("/shell/eval/errors", test_errors);
  g_test_add_func ("/shell/eval/incomplete", test_incomplete);
  g_test_add_func ("/shell/eval/limits", test_limits);
  g_test_add_func ("/shell/eval/names", test_names);
  return g_test_run ();
}
