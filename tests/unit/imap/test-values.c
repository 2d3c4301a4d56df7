/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-values.c - sets, dates, mailbox names, secrets, escaped text, commands */
#include "command.h"
#include "date.h"
#include "secret.h"

#include <string.h>

static void
test_sets (void)
{
  static const struct
  {
    const char *text, *shortest;
    guint64 count;
  } good[] = {
    { "1", "1", 1 },
    { "1,3:9,*", "1,3:9,*", 9 },
    { "9:3,1,2", "1:9", 9 },
    { "5,4,3,2,1", "1:5", 5 },
    { "1:4294967294", "1:4294967294", 4294967294 },
    { "*:5", "5:*", 4294967291 },
    { "2,4,6,3:5", "2:6", 5 },
  };
  static const char *const bad[] = { "",   ",",    "1,",         "0",  "a",  "1:",
                                     ":1", "1::2", "4294967296", "-1", "1 2" };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (RackSet) set = rack_set_parse (good[i].text, &error);
      g_assert_no_error (error);
      g_autofree char *text = rack_set_to_string (set);
      g_assert_cmpstr (text, ==, good[i].shortest);
      g_assert_cmpuint (rack_set_count (set), ==, good[i].count);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (rack_set_parse (bad[i], &error));
      g_assert_error (error, RACK_ERROR, RACK_ERROR_INVALID);
    }
}

/* Against a plain array of booleans. */
static void
test_sets_random (void)
{
  enum
  {
    N = 200
  };
  gboolean in[N + 1] = { FALSE };
  g_autoptr (RackSet) set = rack_set_new ();

  for (guint round = 0; round < 20000; round++)
    {
      guint32 a = (guint32) g_test_rand_int_range (1, N + 1),
              b = (guint32) g_test_rand_int_range (1, N + 1);
      gboolean add = g_test_rand_int_range (0, 3) > 0 ? round % 400 < 200 : round % 400 >= 200;
      if (b > a + 10)
        b = a + 2;
      for (guint32 i = MIN (a, b); i <= MAX (a, b); i++)
        in[i] = add;
      if (add)
        rack_set_add (set, a, b);
      else
        rack_set_remove (set, a, b);
      guint32 probe = (guint32) g_test_rand_int_range (1, N + 1);
      g_assert_cmpint (rack_set_contains (set, probe), ==, in[probe]);
      guint64 count = 0;
      for (guint i = 1; i <= N; i++)
        count += in[i];
      g_assert_cmpuint (rack_set_count (set), ==, count);
      RackRanges ranges = rack_set_ranges (set);
      for (gsize i = 1; i < ranges.n; i++)
        g_assert_cmpuint (ranges.items[i].first, >, ranges.items[i - 1].last + 1);
    }
}

static void
test_dates (void)
{
  static const struct
  {
    const char *text;
    gint64 seconds;
    gint zone;
    const char *again;
  } dates[] = {
    { "17-Jul-1996 02:44:25 -0700", 837596665, -420, NULL },
    { " 1-Jan-1970 00:00:00 +0000", 0, 0, NULL },
    { "01-Feb-2000 12:00:00 +0530", 949386600, 330, " 1-Feb-2000 12:00:00 +0530" },
    { "29-Feb-2024 23:59:60 +0000", 1709251200, 0, " 1-Mar-2024 00:00:00 +0000" },
    { "31-Dec-1969 23:59:59 +0000", -1, 0, NULL },
  };
  static const char *const bad[] = { "", "17-Jul-1996", "17-Jux-1996 02:44:25 -0700",
                                     "17-Jul-1996 02:44:25 0700 ", "aa-Jul-1996 02:44:25 -0700" };
  char text[RACK_DATE_TIME_SIZE];
  gint64 seconds;
  gint16 zone;

  for (gsize i = 0; i < G_N_ELEMENTS (dates); i++)
    {
      g_assert_true (rack_date_time_parse ((RackStr){ dates[i].text, strlen (dates[i].text) },
                                           &seconds, &zone));
      g_assert_cmpint (seconds, ==, dates[i].seconds);
      g_assert_cmpint (zone, ==, dates[i].zone);
      rack_date_time_format (seconds, zone, text);
      g_assert_cmpstr (text, ==, dates[i].again != NULL ? dates[i].again : dates[i].text);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (rack_date_time_parse ((RackStr){ bad[i], strlen (bad[i]) }, &seconds, &zone));
}

static void
test_mailbox_names (void)
{
  /* The examples of RFC 3501 §5.1.3 among them. */
  static const struct
  {
    const char *utf8, *wire;
  } names[] = {
    { "INBOX", "INBOX" },  { "~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
    { "A&B", "A&-B" },     { "Entwürfe", "Entw&APw-rfe" },
    { "😀", "&2D3eAA-" },   { "", "" },
    { "a\tb", "a&AAk-b" },
  };
  /* Wrong on the wire, and still the same octets when sent back. */
  static const char *const odd[] = { "&",      "&AAA",     "&AAA-", "&2D0-",
                                     "&3gA-",  "a&b",      "&AGE-", "&APw",
                                     "&&-",    "\xc3\xbc", "&-&",   "&U,BTFw-&ZeVnLIqe-",
                                     "x\x01y", "&AA*-" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *wire = rack_mailbox_name_encode (names[i].utf8, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (wire, ==, names[i].wire);
      g_autofree char *utf8 = rack_mailbox_name_decode ((RackStr){ wire, strlen (wire) });
      g_assert_cmpstr (utf8, ==, names[i].utf8);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      g_autofree char *utf8 = rack_mailbox_name_decode ((RackStr){ odd[i], strlen (odd[i]) });
      g_assert_true (g_utf8_validate (utf8, -1, NULL));
      g_autofree char *wire = rack_mailbox_name_encode (utf8, NULL);
      g_assert_cmpstr (wire, ==, odd[i]);
    }
  g_assert_null (rack_mailbox_name_encode ("a\nb", NULL));
  g_assert_null (rack_mailbox_name_encode ("\xff", NULL));
}

static void
test_escape (void)
{
  static const struct
  {
    const char *text, *safe;
  } texts[] = {
    { "plain ü 😀", "plain ü 😀" },
    { "\x1b[31mred", "\\x1b[31mred" },
    { "a\xe2\x80\xae"
      "b",
      "a\\u{202e}b" },
    { "\xff\xfe", "\\xff\\xfe" },
    { "tab\tline\n", "tab\\x09line\\x0a" },
    { "\xc2\x9b", "\\u{009b}" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *safe = rack_text_escape (texts[i].text, -1);
      g_assert_cmpstr (safe, ==, texts[i].safe);
    }
}

static void
test_secrets (void)
{
  g_autoptr (RackSecret) secret = rack_secret_printf ("%c%s%c%s", 0, "bob", 0, "sekret");
  g_autoptr (RackSecret) base64 = rack_secret_to_base64 (secret);
  g_autoptr (RackSecret) empty = rack_secret_new ("", 0);
  g_autoptr (RackSecret) empty64 = rack_secret_to_base64 (empty);

  g_assert_cmpmem (rack_secret_peek (secret), rack_secret_size (secret), "\0bob\0sekret", 11);
  g_assert_cmpstr (rack_secret_peek (base64), ==, "AGJvYgBzZWtyZXQ=");
  g_assert_cmpuint (rack_secret_size (empty64), ==, 0);
}

/* ---- Commands ------------------------------------------------------------------------------- */

/* Writes a command as the server would see it; "<wait>" where it must be heard first. */
static char *
write_out (RackCommand *command, RackWireOptions options)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  GString *text = g_string_new (NULL);
  RackWriter writer;
  gboolean secret;

  rack_writer_init (&writer, command);
  for (;;)
    {
      RackWriteResult result = rack_writer_fill (&writer, &options, out, 7, &secret);
      if (secret)
        g_string_append_c (text, '<');
      g_string_append_len (text, (const char *) out->data, out->len);
      if (secret)
        g_string_append_c (text, '>');
      g_byte_array_set_size (out, 0);
      if (result == RACK_WRITE_DONE)
        break;
      if (result == RACK_WRITE_WAIT)
        {
          g_string_append (text, "[+]");
          g_assert_true (rack_writer_continue (&writer));
        }
    }
  rack_command_free (command);
  return g_string_free (text, FALSE);
}

static void
check_command (RackCommand *command, RackWireOptions options, const char *expected)
{
  g_assert_no_error (rack_command_error (command));
  g_autofree char *text = write_out (command, options);
  g_assert_cmpstr (text, ==, expected);
}

static RackCommand *
with_string (const char *string)
{
  RackCommand *command = rack_command_new ("X");

  rack_command_string (command, string, -1);
  return command;
}

static void
test_commands (void)
{
  const RackWireOptions none = { FALSE, FALSE, FALSE };
  const RackWireOptions plus = { .literal_plus = TRUE }, minus = { .literal_minus = TRUE };
  g_autofree char *big = g_strnfill (5000, 'b');
  g_autoptr (RackSecret) password = rack_secret_new ("a ;b#c%d\"e\\", -1);
  RackCommand *command;

  check_command (with_string ("atom"), none, "X atom\r\n");
  check_command (with_string (""), none, "X \"\"\r\n");
  check_command (with_string ("NIL"), none, "X \"NIL\"\r\n");
  check_command (with_string ("two words"), none, "X \"two words\"\r\n");
  check_command (with_string ("a\"b\\c"), none, "X \"a\\\"b\\\\c\"\r\n");
  check_command (with_string ("a\r\nA1 LOGOUT"), none, "X {12}\r\n[+]a\r\nA1 LOGOUT\r\n");
  check_command (with_string ("ü"), plus, "X {2+}\r\nü\r\n");
  check_command (with_string ("{5+}"), none, "X \"{5+}\"\r\n");

  g_autofree char *as_plus = g_strdup_printf ("X {5000+}\r\n%s\r\n", big);
  g_autofree char *as_sync = g_strdup_printf ("X {5000}\r\n[+]%s\r\n", big);
  check_command (with_string (big), plus, as_plus);
  check_command (with_string (big), minus, as_sync);

  command = rack_command_new ("LOGIN");
  rack_command_string (command, "bob", -1);
  rack_command_secret (command, password);
  check_command (command, none, "LOGIN bob <\"a ;b#c%d\\\"e\\\\\">\r\n");

  command = rack_command_new ("SELECT");
  rack_command_mailbox (command, "Entwürfe");
  check_command (command, none, "SELECT Entw&APw-rfe\r\n");

  command = rack_command_new ("STORE");
  rack_command_number (command, 5);
  rack_command_atom (command, "+FLAGS");
  rack_command_flags (command, RACK_FLAG_SEEN | RACK_FLAG_DELETED,
                      (const char *const[]){ "$Junk", NULL });
  check_command (command, none, "STORE 5 +FLAGS (\\Deleted \\Seen $Junk)\r\n");
}

static void
test_refused_commands (void)
{
  const char *const raw[] = { "a\r\nb", "BODY {5}", "x {3+}" };
  RackCommand *command;

  for (gsize i = 0; i < G_N_ELEMENTS (raw); i++)
    {
      command = rack_command_new ("X");
      rack_command_raw (command, raw[i]);
      g_assert_error (rack_command_error (command), RACK_ERROR, RACK_ERROR_INVALID);
      rack_command_free (command);
    }
  command = rack_command_new ("X");
  rack_command_string (command, "a\0b", 3);
  g_assert_error (rack_command_error (command), RACK_ERROR, RACK_ERROR_INVALID);
  rack_command_free (command);
  command = rack_command_new ("X");
  rack_command_flags (command, 0, (const char *const[]){ "a b", NULL });
  g_assert_error (rack_command_error (command), RACK_ERROR, RACK_ERROR_INVALID);
  rack_command_free (command);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/values/sets", test_sets);
  g_test_add_func ("/values/sets/random", test_sets_random);
  g_test_add_func ("/values/dates", test_dates);
  g_test_add_func ("/values/mailbox-names", test_mailbox_names);
  g_test_add_func ("/values/escape", test_escape);
  g_test_add_func ("/values/secrets", test_secrets);
  g_test_add_func ("/values/commands", test_commands);
  g_test_add_func ("/values/commands/refused", test_refused_commands);
  return g_test_run ();
}
