/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-names.c - messages and mailboxes as names of files */
#include "names.h"

#include <locale.h>
#include <string.h>

#define STR(text) ((RackStr){ (text), strlen (text) })

static char *
name_of (guint32 uid, gint64 date, const char *sender, const char *mailbox, const char *subject)
{
  char buffer[RACK_NAME_MESSAGE_MAX + 1];
  RackAddress address = { .name = sender != NULL ? STR (sender) : RACK_STR_NIL,
                          .mailbox = mailbox != NULL ? STR (mailbox) : RACK_STR_NIL,
                          .host = STR ("example.org") };
  RackEnvelope envelope = { .subject = subject != NULL ? STR (subject) : RACK_STR_NIL,
                            .from = { &address, 1 } };
  gsize size = rack_name_message (uid, date, &envelope, buffer);
  g_assert_cmpuint (size, ==, strlen (buffer));
  g_assert_cmpuint (size, <=, RACK_NAME_MESSAGE_MAX);
  g_assert_true (g_utf8_validate (buffer, -1, NULL));
  g_assert_cmpuint (rack_name_parse_uid (buffer), ==, uid);
  return g_strdup (buffer);
}

#define DATE   1795166100 /* 2026-11-20T09:15:00Z */
#define PREFIX "2026-11-20T0915Z_"

static void
check (const char *sender, const char *mailbox, const char *subject, const char *expected)
{
  g_autofree char *name = name_of (48213, DATE, sender, mailbox, subject);
  g_autofree char *whole = g_strconcat (PREFIX, expected, ".48213.eml", NULL);
  g_assert_cmpstr (name, ==, whole);
}

static void
test_plain (void)
{
  check ("Alice Doe", "alice", "Budget Q4", "Alice-Doe_Budget-Q4");
  check (NULL, "alice", "Budget Q4", "alice_Budget-Q4");
  check ("", "alice", "Re: [list] a_b/c\\d  e", "alice_Re-list-a-b-c-d-e");
  check ("Bob", "b", "50% off + 3.14, a@b = c", "Bob_50%-off-+-3.14,-a@b-=-c");
  check (NULL, NULL, NULL, "unknown_no-subject");
  check ("", "", "", "unknown_no-subject");
  check ("???", "x", "!!!", "unknown_no-subject");
  check ("...hidden", "x", "--..-- dots ...", "hidden_dots");
  check ("-rf", "x", "../../etc/passwd", "rf_etc-passwd");
}

static void
test_encoded (void)
{
  check ("=?utf-8?q?J=C3=BCrgen_Gro=C3=9F?=", "j",
         "=?utf-8?b?w5xiZXJzaWNodA==?=", "Jürgen-Groß_Übersicht");
  check ("=?iso-8859-1?q?Andr=E9?=", "a", "=?utf-8?q?one?= =?utf-8?q?two?=", "André_onetwo");
  /* What is broken stays what it is. */
  check ("=?utf-8?q?J=C3", "x", "=?x-none?q?abc?=", "=-utf-8-q-J=C3_abc");
  /* Raw octets: UTF-8, else Latin-1. */
  check ("J\xc3\xbcrgen", "x", "Gr\xfc\xdf", "Jürgen_Grüß");
  /* Composed, whatever the sender's keyboard did. */
  check ("Jose\xcc\x81", "x", "a\xcc\x8a", "José_å");
}

static gboolean
is_mapped (const char *module)
{
  g_autofree char *maps = NULL;
  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  return strstr (maps, module) != NULL;
}

/* The C library unloads what nobody used for a while, and loading it again is slow. */
static void
test_charsets_stay (void)
{
  check ("x", "x", "=?koi8-r?q?=C1?=", "x_а");
  for (guint i = 0; i < 4; i++)
    {
      check ("x", "x", "=?iso-8859-7?q?=E1?=", "x_α");
      check ("x", "x", "=?windows-1255?q?=E0?=", "x_א");
      check ("x", "x", "=?iso-8859-2*pl?q?=B1?=", "x_ą");
      check ("x", "x", "=?x-none?q?abc?=", "x_abc");
    }
  g_assert_true (is_mapped ("/KOI8-R.so"));
}

static void
test_unseen_characters (void)
{
  /* Bidirectional overrides, zero-width, soft hyphen, BOM, Hangul filler: as if not there. */
  check ("ev\xe2\x80\xae"
         "il",
         "x", "gpj\xe2\x80\xaa.exe", "evil_gpj.exe");
  check ("a\xe2\x80\x8b"
         "b",
         "x", "soft\xc2\xadhyphen\xef\xbb\xbf", "ab_softhyphen");
  check ("x\xe3\x85\xa4y", "x", "tag\xf3\xa0\x81\x81s", "xy_tags");
  /* Control characters separate. */
  check ("a\x1b[31mb", "x",
         "c\nd\te\x7f"
         "f",
         "a-31mb_c-d-e-f");
  check ("x", "x",
         "c1\xc2\x85"
         "control",
         "x_c1-control");
  /* A mark belongs to a letter. */
  check ("x", "x", "\xcc\x81lone", "x_lone");
  /* Letters of every script stay. */
  check ("王小明", "x", "Ελληνικά हिन्दी العربية", "王小明_Ελληνικά-हिन्दी-العربية");
}

static void
test_long (void)
{
  g_autofree char *text = g_strnfill (100000, 'x');
  g_autofree char *name = name_of (G_MAXUINT32, DATE, text, "x", text);
  g_assert_cmpuint (strlen (name), ==, RACK_NAME_MESSAGE_MAX);
  g_assert_true (g_str_has_suffix (name, "x.4294967295.eml"));

  /* Never within a character, nor between a letter and its marks. */
  for (guint lead = 0; lead < 8; lead++)
    {
      g_autoptr (GString) subject = g_string_new (NULL);
      for (guint i = 0; i < lead; i++)
        g_string_append_c (subject, 'a');
      for (guint i = 0; i < 200; i++)
        g_string_append (subject, "q\xcc\xa3\xcc\x87"); /* no composed form */
      g_autofree char *cut = name_of (7, DATE, "x", "x", subject->str);
      g_assert_true (g_str_has_suffix (cut, "q\xcc\xa3\xcc\x87.7.eml"));
    }
  /* A pile of marks on one letter is not a name. */
  g_autoptr (GString) pile = g_string_new ("z");
  for (guint i = 0; i < 1000; i++)
    g_string_append (pile, "\xcc\xa3");
  g_autofree char *flat = name_of (7, DATE, "x", "x", pile->str);
  g_assert_cmpuint (strlen (flat), <, 60);
}

static void
test_dates (void)
{
  g_autofree char *first = name_of (1, 0, "x", "x", "s");
  g_assert_cmpstr (first, ==, "1970-01-01T0000Z_x_s.1.eml");
  g_autofree char *before = name_of (1, G_MININT64, "x", "x", "s");
  g_assert_cmpstr (before, ==, first);
  g_autofree char *last = name_of (1, G_MAXINT64, "x", "x", "s");
  g_assert_cmpstr (last, ==, "9999-12-31T2359Z_x_s.1.eml");
}

static void
test_groups (void)
{
  char name[RACK_NAME_MESSAGE_MAX + 1];
  /* "undisclosed: Bob <b@x>;" begins with an address without a host. */
  RackAddress from[] = { { .mailbox = STR ("undisclosed") },
                         { .name = STR ("Bob"), .mailbox = STR ("b"), .host = STR ("x") },
                         { .name = RACK_STR_NIL } };
  RackAddress sender[] = { { .mailbox = STR ("carol"), .host = STR ("x") } };
  RackEnvelope envelope = { .subject = STR ("s"), .from = { from, 3 } };
  rack_name_message (5, 0, &envelope, name);
  g_assert_cmpstr (name, ==, "1970-01-01T0000Z_Bob_s.5.eml");
  envelope.from.n = 1;
  envelope.sender = (RackAddresses){ sender, 1 };
  rack_name_message (5, 0, &envelope, name);
  g_assert_cmpstr (name, ==, "1970-01-01T0000Z_carol_s.5.eml");
  rack_name_message (5, 0, NULL, name);
  g_assert_cmpstr (name, ==, "1970-01-01T0000Z_unknown_no-subject.5.eml");
}

static void
test_parse_uid (void)
{
  static const struct
  {
    const char *name;
    guint32 uid;
  } cases[] = {
    { "1.eml", 1 },
    { "a.1.eml", 1 },
    { "4294967295.eml", G_MAXUINT32 },
    { "4294967296.eml", 0 },
    { "99999999999.eml", 0 },
    { "0.eml", 0 },
    { "01.eml", 0 },
    { "a1.eml", 0 },
    { ".eml", 0 },
    { "eml", 0 },
    { "", 0 },
    { "x.eml", 0 },
    { "1.EML", 0 },
    { "1.eml.", 0 },
    { "-1.eml", 0 },
    { "a.0.eml", 0 },
    { "a..7.eml", 7 },
    { "+1.eml", 0 },
  };
  char short_name[RACK_NAME_MESSAGE_MAX + 1];
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (rack_name_parse_uid (cases[i].name), ==, cases[i].uid);
  rack_name_uid (G_MAXUINT32, short_name);
  g_assert_cmpstr (short_name, ==, "4294967295.eml");
}

/* ---- Directories ------------------------------------------------------------------- */

static void
check_directory (const char *component, gssize size, gboolean at_root, const char *expected)
{
  g_autofree char *name = rack_name_directory (component, size, at_root);
  g_assert_cmpstr (name, ==, expected);
  g_autofree char *back = rack_name_directory_parse (name, at_root);
  if (strstr (expected, "%~") != NULL)
    g_assert_null (back);
  else
    g_assert_cmpmem (back, strlen (back), component, size < 0 ? strlen (component) : (gsize) size);
}

static void
test_directories (void)
{
  check_directory ("INBOX", -1, TRUE, "INBOX");
  check_directory ("Entwürfe & Büro", -1, TRUE, "Entwürfe & Büro");
  check_directory ("", -1, FALSE, "%00");
  check_directory (".", -1, FALSE, "%2E");
  check_directory ("..", -1, FALSE, "%2E.");
  check_directory ("...", -1, FALSE, "...");
  check_directory ("a/b", -1, FALSE, "a%2Fb");
  check_directory ("../../x", -1, FALSE, "..%2F..%2Fx");
  check_directory ("100%", -1, FALSE, "100%25");
  check_directory ("%2E", -1, FALSE, "%252E");
  check_directory ("a\nb\x1b[0m\x7f", -1, FALSE, "a%0Ab%1B[0m%7F");
  check_directory ("c\xc2\x9b"
                   "1",
                   -1, FALSE, "c%C2%9B1");
  check_directory ("a\xe2\x80\xae"
                   "b",
                   -1, FALSE, "a%E2%80%AEb");
  check_directory ("\xff\xfe", -1, FALSE, "%FF%FE");
  check_directory ("\xed\xa0\x80", -1, FALSE, "%ED%A0%80"); /* a surrogate */
  check_directory (".uid", -1, TRUE, "%2Euid");
  check_directory (".uid", -1, FALSE, ".uid");
  check_directory (".mailrack", -1, TRUE, "%2Emailrack");
  check_directory (".hidden", -1, TRUE, ".hidden");
  check_directory ("2026.48213.eml", -1, FALSE, "2026.48213%2Eeml");
  check_directory (".eml", -1, FALSE, "%2Eeml");
  check_directory ("x.eml.y", -1, FALSE, "x.eml.y");
}

static void
test_long_directories (void)
{
  g_autofree char *fits = g_strnfill (255, 'a');
  check_directory (fits, -1, FALSE, fits);
  g_autofree char *one = g_strnfill (256, 'a');
  g_autofree char *other = g_strconcat (fits, "b", NULL);
  g_autofree char *one_name = rack_name_directory (one, -1, FALSE);
  g_autofree char *other_name = rack_name_directory (other, -1, FALSE);
  g_assert_cmpuint (strlen (one_name), ==, 255);
  g_assert_nonnull (strstr (one_name, "%~"));
  g_assert_cmpstr (one_name, !=, other_name);
  g_assert_null (rack_name_directory_parse (one_name, FALSE));

  /* Wherever the cut falls: whole characters, whole escapes. */
  for (guint lead = 0; lead < 12; lead++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      for (guint i = 0; i < lead; i++)
        g_string_append_c (text, 'a');
      for (guint i = 0; i < 60; i++)
        g_string_append (text, "\n\xf0\x9f\x98\x80");
      g_autofree char *name = rack_name_directory (text->str, -1, FALSE);
      g_assert_cmpuint (strlen (name), <=, 255);
      g_assert_true (g_utf8_validate (name, -1, NULL));
      char *mark = strstr (name, "%~");
      g_assert_nonnull (mark);
      *mark = '\0';
      g_autofree char *head = rack_name_directory_parse (name, FALSE);
      g_assert_nonnull (head);
      g_assert_true (g_str_has_prefix (text->str, head));
    }
}

static void
test_directory_parse_refuses (void)
{
  static const char *const never[] = { "%2e", "%41", "%",     "%4",   "%GG",  ".",  "..",  "",
                                       "a%",  "a/b", "x.eml", "%00a", "a%00", "%~", "\x01" };
  for (guint i = 0; i < G_N_ELEMENTS (never); i++)
    {
      g_autofree char *parsed = rack_name_directory_parse (never[i], FALSE);
      g_assert_null (parsed);
    }
  g_assert_null (rack_name_directory_parse (".uid", TRUE));
}

static void
check_part_as (const char *name, const char *type, const char *subtype, const char *expected)
{
  g_autofree char *file = rack_name_part (name, "2.1", type, subtype);
  g_assert_cmpstr (file, ==, expected);
}

static void
check_part (const char *name, const char *expected)
{
  check_part_as (name, "application", "pdf", expected);
}

static void
test_parts (void)
{
  check_part ("Q4-report.pdf", "Q4-report.pdf");
  check_part ("Q4 \"final\" (2).pdf", "Q4 \"final\" (2).pdf");
  check_part ("a/b", "a_b");
  check_part ("..", "part-2.1.pdf");
  check_part ("../../etc/passwd", "_.._etc_passwd");
  check_part ("C:\\tmp\\x.pdf", "C:_tmp_x.pdf");
  check_part (".bashrc", "bashrc");
  check_part ("-rf *", "rf *");
  check_part (" . -. ", "part-2.1.pdf");
  check_part ("", "part-2.1.pdf");
  check_part (NULL, "part-2.1.pdf");
  check_part ("two\r\n\tlines.pdf \n", "two lines.pdf");
  check_part ("bell\a.pdf\x1b[2J", "bell .pdf [2J");
  check_part ("\xe2\x80\xaepic\xe2\x80\x8b.fdp", "pic.fdp");
  check_part ("u\xcc\x88.pdf", "ü.pdf");
  check_part ("\xcc\x88u.pdf", "u.pdf");
  check_part ("\xff.pdf", "\xef\xbf\xbd.pdf");
  check_part ("dots...pdf.", "dots.pdf");
  check_part_as (NULL, "text", "calendar", "part-2.1.ics");
  check_part_as (NULL, "text", "x-unknown", "part-2.1.txt");
  check_part_as (NULL, "x", "y", "part-2.1.bin");
  check_part_as (NULL, "message", "rfc822", "part-2.1.eml");
  check_part_as ("Re: v1.2 of it", "message", "rfc822", "Re: v1.2 of it.eml");
  check_part_as ("x.txt", "message", "rfc822", "x.txt.eml");
  check_part_as ("x.EML", "message", "rfc822", "x.EML");
}

static void
test_long_parts (void)
{
  static const char *const pieces[] = { "x", "ä", "\xe2\x82\xac", "\xf0\x9f\x93\x8e", "a." };
  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      g_autoptr (GString) long_name = g_string_new (NULL);
      while (long_name->len < 300)
        g_string_append (long_name, pieces[i]);
      g_string_append (long_name, "z.tar");
      g_autofree char *file = rack_name_part (long_name->str, "1", "application", "x");
      g_assert_cmpuint (strlen (file), <=, RACK_NAME_PART_MAX);
      g_assert_cmpuint (strlen (file), >, RACK_NAME_PART_MAX - 5);
      g_assert_true (g_utf8_validate (file, -1, NULL));
      g_assert_true (g_str_has_suffix (file, ".tar"));
      g_autofree char *message = rack_name_part (long_name->str, "1", "message", "rfc822");
      g_assert_cmpuint (strlen (message), <=, RACK_NAME_PART_MAX);
      g_assert_true (g_str_has_suffix (message, ".eml"));
    }
}

static void
test_numbered_parts (void)
{
  static const char *const names[][2] = { { "a.pdf", "a (2).pdf" },
                                          { "a.b.pdf", "a.b (2).pdf" },
                                          { "a", "a (2)" },
                                          { "a. b", "a. b (2)" },
                                          { "a (2).pdf", "a (2) (2).pdf" } };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *second = rack_name_numbered (names[i][0], 2);
      g_assert_cmpstr (second, ==, names[i][1]);
    }
}

static void
test_base (void)
{
  static const char *const cases[][2] = { { "1.M2P3.host", "1.M2P3.host" },
                                          { "1.M2P3.host,U=7:2,FS", "1.M2P3.host,U=7" },
                                          { "x:2,", "x" },
                                          { "\377:2,S", "\377" },
                                          { ":2,S", NULL },
                                          { "", NULL },
                                          { ".x:2,S", NULL },
                                          { "x:1,y", NULL },
                                          { "a:b:2,S", NULL } };
  char buffer[256], name[300];
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    if (rack_name_base (cases[i][0], buffer))
      g_assert_cmpstr (buffer, ==, cases[i][1]);
    else
      g_assert_null (cases[i][1]);
  memset (name, 'n', sizeof name);
  g_strlcpy (name + 246, ":2,S", sizeof name - 246);
  g_assert_true (rack_name_base (name, buffer));
  g_assert_cmpuint (strlen (buffer), ==, 246);
  g_strlcpy (name + 247, ":2,S", sizeof name - 247);
  name[246] = 'n';
  g_assert_false (rack_name_base (name, buffer));
}

static void
test_unique (void)
{
  char buffer[256], other[256];
  rack_name_unique (0xbadcafe, 1795166100, 48213, 0, buffer);
  g_assert_cmpstr (buffer, ==, "1795166100.R0badcafeU48213.mailrack");
  rack_name_unique (1, -5, G_MAXUINT32, 0, buffer);
  g_assert_cmpstr (buffer, ==, "0.R00000001U4294967295.mailrack");
  rack_name_unique (1, -5, G_MAXUINT32, 9, other);
  g_assert_cmpstr (buffer, !=, other);
}

int
main (int argc, char **argv)
{
  /* The same names whatever the user's locale. */
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/names/plain", test_plain);
  g_test_add_func ("/names/encoded", test_encoded);
  g_test_add_func ("/names/charsets-stay", test_charsets_stay);
  g_test_add_func ("/names/unseen-characters", test_unseen_characters);
  g_test_add_func ("/names/long", test_long);
  g_test_add_func ("/names/dates", test_dates);
  g_test_add_func ("/names/groups", test_groups);
  g_test_add_func ("/names/parse-uid", test_parse_uid);
  g_test_add_func ("/names/directories", test_directories);
  g_test_add_func ("/names/long-directories", test_long_directories);
  g_test_add_func ("/names/directory-parse-refuses", test_directory_parse_refuses);
  g_test_add_func ("/names/parts", test_parts);
  g_test_add_func ("/names/long-parts", test_long_parts);
  g_test_add_func ("/names/numbered-parts", test_numbered_parts);
  g_test_add_func ("/names/base", test_base);
  g_test_add_func ("/names/unique", test_unique);
  return g_test_run ();
}
