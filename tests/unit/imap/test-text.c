/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-text.c - dates, mailbox names, escaped text, secrets and the arena */
#include "date.h"
#include "imap-test.h"
#include "secret.h"

static void
check_date (const char *text, gint64 seconds, gint zone, const char *again)
{
  gint64 got = -1;
  gint16 got_zone = -1;
  char buffer[RACK_DATE_TIME_SIZE];

  g_assert_true (rack_date_time_parse ((RackStr){ text, strlen (text) }, &got, &got_zone));
  g_assert_cmpint (got, ==, seconds);
  g_assert_cmpint (got_zone, ==, zone);
  rack_date_time_format (got, got_zone, buffer);
  g_assert_cmpstr (buffer, ==, again != NULL ? again : text);
}

static void
test_date (void)
{
  check_date ("17-Jul-1996 02:44:25 -0700", 837596665, -420, NULL); /* RFC 3501 §7.4.2 */
  check_date (" 1-Jan-1970 00:00:00 +0000", 0, 0, NULL);
  check_date ("1-Jan-1970 00:00:00 +0000", 0, 0, " 1-Jan-1970 00:00:00 +0000");
  check_date ("01-jan-1970 01:00:00 +0100", 0, 60, " 1-Jan-1970 01:00:00 +0100");
  check_date ("29-Feb-2000 23:59:59 +0530", 951848999, 330, NULL);
  check_date ("31-Dec-1969 23:59:59 +0000", -1, 0, NULL);
  check_date ("28-Feb-1900 12:00:00 -0330", -2203921800, -210, NULL);
  check_date ("19-Jan-2038 03:14:08 +0000", G_GINT64_CONSTANT (2147483648), 0, NULL);
}

/* Every day of 400 years there and back, beside GLib's calendar. */
static void
test_date_calendar (void)
{
  GDate day;

  g_date_clear (&day, 1);
  g_date_set_dmy (&day, 1, 1, 1800);
  gint64 epoch = 719163; /* GLib's Julian day of 1970-01-01 */
  for (guint i = 0; i < 146097; i++, g_date_add_days (&day, 1))
    {
      gint64 expected = ((gint64) g_date_get_julian (&day) - epoch) * 86400 + 3723, got;
      gint16 zone;
      char buffer[RACK_DATE_TIME_SIZE], again[64];
      rack_date_time_format (expected, 0, buffer);
      static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
      g_snprintf (again, sizeof again, "%2d-%s-%04d 01:02:03 +0000", g_date_get_day (&day),
                  months[g_date_get_month (&day) - 1], g_date_get_year (&day));
      g_assert_cmpstr (buffer, ==, again);
      g_assert_true (rack_date_time_parse ((RackStr){ buffer, strlen (buffer) }, &got, &zone));
      g_assert_cmpint (got, ==, expected);
    }
}

static void
test_date_wrong (void)
{
  static const char *const wrong[] = {
    "",
    "17-Jul-1996",
    "17-Jul-1996 02:44:25",
    "17-Foo-1996 02:44:25 -0700",
    "32-Jul-1996 02:44:25 -0700",
    "00-Jul-1996 02:44:25 -0700",
    "17-Jul-1996 25:44:25 -0700",
    "17-Jul-1996 02:60:25 -0700",
    "17-Jul-1996 02:44:61 -0700",
    "17-Jul-1996 02:44:25 00700",
    "17 Jul 1996 02:44:25 -0700",
    "17-Jul--996 02:44:25 -0700",
    "                          ",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      gint64 seconds = 42;
      gint16 zone = 42;
      g_assert_false (
          rack_date_time_parse ((RackStr){ wrong[i], strlen (wrong[i]) }, &seconds, &zone));
      g_assert_cmpint (seconds, ==, 42);
    }
  char buffer[RACK_DATE_TIME_SIZE];
  rack_date_time_format (G_MAXINT64, 100000, buffer);
  g_assert_cmpuint (strlen (buffer), ==, 26);
  rack_date_time_format (G_MININT64, -100000, buffer);
  g_assert_cmpuint (strlen (buffer), ==, 26);
}

static void
check_name (const char *wire, const char *utf8)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *decoded = rack_mailbox_name_decode ((RackStr){ wire, strlen (wire) });
  g_autofree char *encoded = NULL;

  g_assert_true (g_utf8_validate (decoded, -1, NULL));
  if (utf8 != NULL)
    g_assert_cmpstr (decoded, ==, utf8);
  encoded = rack_mailbox_name_encode (decoded, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (encoded, ==, wire);
}

static void
test_names (void)
{
  check_name ("INBOX", "INBOX");
  check_name ("", "");
  check_name ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"); /* RFC 3501 §5.1.3 */
  check_name ("Hi Mom -&Jjo--!", "Hi Mom -☺-!");                             /* RFC 2152 */
  check_name ("R&-D", "R&D");
  check_name ("&-&-", "&&");
  check_name ("Entw&APw-rfe", "Entwürfe");
  check_name ("&2D3eAA-", "😀");
  check_name ("a\\b\"c", "a\\b\"c");
  check_name ("&AAk-", "\t");
}

/* What no encoder gives stays reachable: the same octets come back. */
static void
test_names_wrong (void)
{
  static const char *const wrong[] = {
    "&",
    "&AAA",
    "&AAA-",
    "&Jjo!",
    "&U,BTFw-&ZeVnLIqe-", /* RFC 3501 §5.1.3 */
    "&2D0-",
    "&3gA-",
    "&2D3YPQ-",
    "&AGE-",
    "&AAA-x",
    "&AOkA-",
    "&AO-",
    "&A-",
    "r\xc3\xa9sum\xc3\xa9",
    "\xff\xfe",
    "&AOk-\x80",
    "a\rb",
    "a\nb",
    "a\x1b[31m",
    "&//w-00",
    "&//w-41",
    "&AOk",
    "&/////w-",
    "&AOl-&AOl-",
    "&-&AOl-&-",
    "\x01{5}",
    "../../x",
    "/etc",
    "a//b",
    ".",
    "..",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    check_name (wrong[i], NULL);
  /* Two names never become one. */
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    for (gsize j = 0; j < i; j++)
      {
        g_autofree char *a = rack_mailbox_name_decode ((RackStr){ wrong[i], strlen (wrong[i]) });
        g_autofree char *b = rack_mailbox_name_decode ((RackStr){ wrong[j], strlen (wrong[j]) });
        g_assert_cmpstr (a, !=, b);
      }
}

static void
test_names_refused (void)
{
  static const char *const refused[] = { "a\rb", "a\nb", "\xff", "\xc3", "\xed\xa0\x80" };

  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (rack_mailbox_name_encode (refused[i], &error));
      g_assert_error (error, RACK_ERROR, RACK_ERROR_INVALID);
    }
}

static void
check_escape (RackStr text, const char *expected)
{
  g_autofree char *safe = rack_text_escape (text.data, (gssize) text.size);

  g_assert_cmpstr (safe, ==, expected);
}

static void
test_escape (void)
{
  check_escape (STR ("plain, Grüße, 日本"), "plain, Grüße, 日本");
  check_escape (STR ("\x1b[31mred"), "\\x1b[31mred");
  check_escape (STR ("a\r\nb\tc\0d"), "a\\x0d\\x0ab\\x09c\\x00d");
  check_escape (STR ("\xff\xc3"), "\\xff\\xc3");
  check_escape (STR ("\u202egpj.exe"), "\\u{202e}gpj.exe");
  check_escape (STR ("a\u200bb\ufeff"), "a\\u{200b}b\\u{feff}");
  check_escape (STR ("\xc2\x9b"
                     "31m"),
                "\\u{009b}31m");
  check_escape (STR ("\x7f"), "\\x7f");
  check_escape (STR (""), "");
}

static void
test_secret (void)
{
  g_autoptr (RackSecret) binary = rack_secret_new ("a\0b", 3);
  g_autoptr (RackSecret) text = rack_secret_new ("hunter2", -1);
  g_autoptr (RackSecret) built = rack_secret_printf ("user=%s\001", "me");
  g_autoptr (RackSecret) copy = rack_secret_copy (binary);
  g_autoptr (RackSecret) none = rack_secret_new ("", 0);

  g_assert_cmpmem (rack_secret_peek (copy), rack_secret_size (copy), "a\0b", 3);
  g_assert_cmpstr (rack_secret_peek (text), ==, "hunter2");
  g_assert_cmpstr (rack_secret_peek (built), ==, "user=me\001");
  g_autoptr (RackSecret) encoded = rack_secret_to_base64 (text);
  g_assert_cmpstr (rack_secret_peek (encoded), ==, "aHVudGVyMg==");
  g_autoptr (RackSecret) empty = rack_secret_to_base64 (none);
  g_assert_cmpstr (rack_secret_peek (empty), ==, "");
  g_assert_cmpuint (rack_secret_size (empty), ==, 0);
}

static void
test_arena_pieces (void)
{
  char *array = NULL;

  for (guint i = 0; i < 1000; i++)
    {
      char *piece = rack_arena_alloc (test_arena, i);
      for (guint n = 0; n < i; n++)
        g_assert_cmpint (piece[n], ==, 0);
      g_assert_cmpuint ((guintptr) piece % 16, ==, 0);
      memset (piece, 0x5a, i);
      if (i % 100 == 50)
        rack_arena_reset (test_arena);
    }
  rack_arena_reset (test_arena);
  memset (rack_arena_alloc (test_arena, 32), 0x5a, 32);
  rack_arena_reset (test_arena);
  for (gsize size = 0; size < 300000; size += 1000)
    {
      array = rack_arena_grow (test_arena, array, size, size + 1000);
      for (gsize n = size; n < size + 1000; n++)
        g_assert_cmpint (array[n], ==, 0);
      memset (array + size, 1 + (int) (size / 1000 % 100), 1000);
    }
  for (gsize n = 0; n < 300000; n++)
    g_assert_cmpint (array[n], ==, 1 + (int) (n / 1000 % 100));
  RackStr copy = rack_arena_str (test_arena, "abc", 2);
  g_assert_cmpstr (copy.data, ==, "ab");
}

static void
test_error (void)
{
  g_assert_cmpstr (g_quark_to_string (RACK_ERROR), ==, "rack-error-quark");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  imap_test_add ("/text/date", test_date);
  imap_test_add ("/text/date-calendar", test_date_calendar);
  imap_test_add ("/text/date-wrong", test_date_wrong);
  imap_test_add ("/text/names", test_names);
  imap_test_add ("/text/names-wrong", test_names_wrong);
  imap_test_add ("/text/names-refused", test_names_refused);
  imap_test_add ("/text/escape", test_escape);
  imap_test_add ("/text/secret", test_secret);
  imap_test_add ("/text/arena", test_arena_pieces);
  imap_test_add ("/text/error", test_error);
  return g_test_run ();
}
