/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-terms.c - what people search for, as it goes over the wire */
#include "command.h"
#include "criteria.h"
#include "imap-test.h"

#include <string.h>

static RackCriteria *
parse (const char *terms, GError **error)
{
  GDate today;

  g_date_clear (&today, 1);
  g_date_set_dmy (&today, 5, 3, 2026);
  return rack_criteria_parse (terms, &today, error);
}

/* The arguments of SEARCH, CR and LF as they are written in C. */
static char *
wire (const RackCriteria *criteria, RackSearchOptions options)
{
  g_autoptr (RackCommand) command = rack_command_new ("S");
  g_autoptr (GByteArray) out = g_byte_array_new ();
  RackWireOptions can = { .literal_plus = TRUE };
  RackWriter writer;
  gboolean secret;

  rack_command_criteria (command, criteria, options);
  g_assert_no_error (rack_command_error (command));
  rack_writer_init (&writer, command);
  while (rack_writer_fill (&writer, &can, out, 1 << 20, &secret) != RACK_WRITE_DONE)
    ;
  g_assert_cmpuint (out->len, >, 4);
  g_autofree char *text = g_strndup ((const char *) out->data + 2, out->len - 4);
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);
  return g_strjoinv ("\\r\\n", lines);
}

static void
check_options (const char *terms, RackSearchOptions options, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RackCriteria) criteria = parse (terms, &error);

  g_assert_no_error (error);
  g_autofree char *text = wire (criteria, options);
  g_assert_cmpstr (text, ==, expected);
}

static void
check (const char *terms, const char *expected)
{
  check_options (terms, 0, expected);
}

static void
check_wrong (const char *terms, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (terms, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_INVALID);
  if (strstr (error->message, message) == NULL)
    g_error ("\"%s\" gives \"%s\", not \"%s\"", terms, error->message, message);
}

static void
test_terms (void)
{
  check ("", "ALL");
  check ("  ", "ALL");
  check ("from:alice subject:\"annual report\" is:unread",
         "FROM alice SUBJECT \"annual report\" UNSEEN");
  check ("FROM:alice Is:READ", "FROM alice SEEN");
  check ("words \"and more\"", "TEXT words TEXT \"and more\"");
  check ("to:a cc:b bcc:c body:d text:e", "TO a CC b BCC c BODY d TEXT e");
  check ("-from:bob -is:flagged -word", "NOT FROM bob NOT FLAGGED NOT TEXT word");
  check ("list:dev id:<1@x>", "HEADER List-Id dev HEADER Message-ID <1@x>");
  check ("header:X-Spam:yes header:X-Spam", "HEADER X-Spam yes HEADER X-Spam \"\"");
  check ("keyword:$Work is:forwarded uid:9,1:3", "KEYWORD $Work KEYWORD $Forwarded UID 1:3,9");
  check ("has:attachment", "HEADER Content-Type multipart/mixed");
  check ("larger:10M smaller:3k larger:7 larger:2MB",
         "LARGER 10485760 SMALLER 3072 LARGER 7 LARGER "
         "2097152");
  check ("http://x/y - 12:30", "TEXT http://x/y TEXT - TEXT 12:30");
  check ("\"from:alice\"", "TEXT from:alice");
  check ("subject:\"say \\\"hi\\\" \\\\\"", "SUBJECT \"say \\\"hi\\\" \\\\\"");
}

static void
test_dates (void)
{
  check ("before:2026-01-02 since:2025/12/31 on:2024-02-29",
         "BEFORE 2-Jan-2026 SINCE 31-Dec-2025 ON 29-Feb-2024");
  check ("after:2026 before:2026-11", "SINCE 1-Jan-2026 BEFORE 1-Nov-2026");
  check ("since:today on:yesterday", "SINCE 5-Mar-2026 ON 4-Mar-2026");
  check ("since:7d since:2w since:3m since:1y",
         "SINCE 26-Feb-2026 SINCE 19-Feb-2026 SINCE 5-Dec-2025 SINCE 5-Mar-2025");
  check ("sentbefore:2026-01-02", "SENTBEFORE 2-Jan-2026");
  check_wrong ("since:2026-02-30", "at character 7: \"2026-02-30\" is not a date");
  check_wrong ("since:tomorrow", "is not a date");
  check_wrong ("since:20260101", "is not a date");
  check_wrong ("since:2026-1-1-1", "is not a date");
}

static void
test_or (void)
{
  check ("from:a OR from:b", "OR FROM a FROM b");
  check ("x from:a OR from:b OR -is:read y", "TEXT x OR FROM a OR FROM b NOT SEEN TEXT y");
  check ("from:a OR imap:FROM b TO c", "OR FROM a (FROM b TO c)");
  check ("or \"OR\"", "TEXT or TEXT OR");
  check_wrong ("OR a", "at character 1: OR stands between");
  check_wrong ("a OR OR b", "at character 6: OR stands between");
  check_wrong ("a OR", "missing behind OR");
}

static void
test_keys (void)
{
  check ("imap:UNSEEN NOT (FROM bob OR TO eve SINCE 1-Jan-2026)",
         "UNSEEN NOT (FROM bob OR TO eve SINCE 1-Jan-2026)");
  check ("is:read imap:SUBJECT \"a b\" 1:5,*", "SEEN SUBJECT \"a b\" 1:5,*");
  check ("-imap:SEEN DRAFT", "NOT (SEEN DRAFT)");
  check ("imap:SUBJECT {3}", "SUBJECT \"{3}\"");
  check_wrong ("imap:", "behind imap:");
  check_wrong ("imap:(SEEN", "at character 11: a parenthesis is not closed");
  check_wrong ("imap:SEEN)", "at character 10: a parenthesis is closed");
  check_wrong ("imap:NOT ( )", "nothing between");
  check_wrong ("imap:SUBJECT \"abc", "does not end");
  check_wrong ("w\xc3\xbc imap:SEEN)", "at character 13");
}

static void
test_wrong (void)
{
  check_wrong ("form:alice", "at character 1: form: is not known");
  check_wrong ("a re:b", "at character 3: re: is not known");
  check_wrong ("\xc3\xbc\xc3\xbc is:unraed", "at character 7: is: knows unread");
  check_wrong ("from:", "at character 6: nothing stands behind from:");
  check_wrong ("from:\"\"", "nothing stands behind from:");
  check_wrong ("from:\"alice", "at character 6: the quoted text that begins here");
  check_wrong ("from:\"alice\"bob", "at character 13: a blank belongs");
  check_wrong ("\"\"", "nothing between the quotes");
  check_wrong ("larger:big", "is not a size");
  check_wrong ("larger:5G", "is not a size");
  check_wrong ("larger:1KK", "is not a size");
  check_wrong ("larger:-1", "is not a size");
  check_wrong ("uid:x", "is not a set of UIDs");
  check_wrong ("has:cake", "has: knows attachment");
  check_wrong ("keyword:\\Seen", "cannot be a keyword");
  check_wrong ("header:\"a b:c\"", "is not the name of a header");
  check_wrong ("a\r\nb", "at character 2: a control character");
  check_wrong ("from:a\x7f", "control character");
  check_wrong ("a\xff", "at character 2: this is not UTF-8");
  g_autofree char *long_text = g_strnfill (9000, 'x');
  check_wrong (long_text, "octets long");
  g_autoptr (GString) many = g_string_new (NULL);
  for (guint i = 0; i < 300; i++)
    g_string_append (many, "a ");
  check_wrong (many->str, "more than 200 terms");
}

/* Nothing a user writes ends the command or hides a literal. */
static void
test_injection (void)
{
  check ("from:x{5}", "FROM \"x{5}\"");
  check ("subject:\"a\\\" DELETED \\\"b\"", "SUBJECT \"a\\\" DELETED \\\"b\"");
  check ("from:SEEN from:(x from:NIL", "FROM SEEN FROM \"(x\" FROM \"NIL\"");
  check ("from:*", "FROM \"*\"");
  check ("subject:\"\xc3\xbc\"", "CHARSET UTF-8 SUBJECT {2+}\\r\\n\xc3\xbc");
}

static void
test_gmail (void)
{
  RackSearchOptions gmail = RACK_SEARCH_GMAIL;
  g_autoptr (RackCriteria) raw = parse ("gmail:\"label:x OR y\"", NULL);

  g_assert_true (rack_criteria_needs_gmail (raw));
  check_options ("has:attachment", gmail, "X-GM-RAW has:attachment");
  check_options ("some \"more words\" from:a", gmail,
                 "X-GM-RAW \"\\\"some\\\"\" X-GM-RAW \"\\\"more words\\\"\" FROM a");
  check_options ("\"a \\\" b\"", gmail, "X-GM-RAW \"\\\"a   b\\\"\"");
  check_options ("gmail:\"label:x OR y\"", gmail, "X-GM-RAW \"label:x OR y\"");
}

static void
test_ascii (void)
{
  RackSearchOptions ascii = RACK_SEARCH_ASCII;
  g_autoptr (RackCriteria) plain = parse ("from:a", NULL);
  g_autoptr (RackCriteria) short_one = parse ("subject:\xc3\xbc", NULL);
  g_autoptr (RackCriteria) both = parse ("subject:\xc3\xbc is:read", NULL);

  g_assert_false (rack_criteria_needs_utf8 (plain));
  g_assert_true (rack_criteria_needs_utf8 (both));
  g_assert_false (rack_criteria_has_ascii (short_one));
  g_assert_true (rack_criteria_has_ascii (both));
  check_options ("subject:Entw\xc3\xbcrfe is:read", ascii, "SUBJECT Entw SEEN");
  check_options ("subject:\xc3\xbc is:read", ascii, "SEEN");
  /* Here the part would leave some out. */
  check_options ("-subject:Entw\xc3\xbcrfe is:read", ascii, "SEEN");
  check_options ("subject:Entw\xc3\xbcrfe OR from:a is:read", ascii, "SEEN");
  check_options ("from:a OR from:b is:read", ascii, "OR FROM a FROM b SEEN");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  imap_test_add ("/terms/terms", test_terms);
  imap_test_add ("/terms/dates", test_dates);
  imap_test_add ("/terms/or", test_or);
  imap_test_add ("/terms/keys", test_keys);
  imap_test_add ("/terms/wrong", test_wrong);
  imap_test_add ("/terms/injection", test_injection);
  imap_test_add ("/terms/gmail", test_gmail);
  imap_test_add ("/terms/ascii", test_ascii);
  return g_test_run ();
}
