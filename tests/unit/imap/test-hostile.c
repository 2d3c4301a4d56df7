/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-hostile.c - responses made to hurt: floods, depths, numbers out of range
 *
 * Nothing here measures time. What would take quadratic time or memory that is not
 * in proportion to the octets received does not end in a test's patience. */
#include "imap-test.h"

/* opening, then piece n times, then closing; not through the framer, which has tests of its own. */
static gboolean
parse_flood (const char *opening, const char *piece, guint n, const char *closing,
             RackResponse *response)
{
  GString *text = g_string_new (opening);

  for (guint i = 0; i < n; i++)
    g_string_append (text, piece);
  g_string_append (text, closing);
  RackStr copy = rack_arena_str (test_arena, text->str, text->len);
  g_string_free (text, TRUE);
  return rack_response_parse (copy, test_arena, response, NULL);
}

/* Sets stay ranges. */
static void
test_sets (void)
{
  RackResponse r = imap_parse ("a OK [COPYUID 1 1:4294967295 4294967295:1] x\r\n");

  assert_ranges (r.status.code.uids, "1:4294967295");
  assert_ranges (r.status.code.copies, "4294967295:1"); /* as given: pairs depend on it */
  r = imap_parse ("* VANISHED (EARLIER) 1:4294967295\r\n");
  assert_ranges (r.vanished.uids, "1:4294967295");
  r = imap_parse ("* ESEARCH (TAG \"a\") UID ALL 1:4294967295\r\n");
  assert_ranges (r.search.all, "1:4294967295");
  r = imap_parse ("* OK [MODIFIED 7,9:1] x\r\n");
  assert_ranges (r.status.code.uids, "7,9:1");
  imap_parse_refused ("* VANISHED 1:4294967296\r\n");
  imap_parse_refused ("* VANISHED 0\r\n");
  imap_parse_refused ("* VANISHED 1,,2\r\n");
  imap_parse_refused ("* VANISHED\r\n");
  imap_parse_refused ("* ESEARCH (TAG \"a\") UID ALL 0:5\r\n");
}

static void
test_floods (void)
{
  RackResponse r;

  g_assert_true (parse_flood ("* 1 FETCH (UID 7 FLAGS (", "a ", 1000000, "))\r\n", &r));
  g_assert_cmpuint (r.message.flags.n_keywords, ==, 1000000);
  rack_arena_reset (test_arena);
  g_assert_true (parse_flood ("* SEARCH", " 7 9", 500000, "\r\n", &r));
  g_assert_cmpuint (r.search.all.n, ==, 1000000);
  rack_arena_reset (test_arena);
  g_assert_true (parse_flood ("* 1 FETCH (", "UID 7 ", 200000, ")\r\n", &r));
  g_assert_cmpuint (r.message.n_items, ==, 200000);
  rack_arena_reset (test_arena);
  g_assert_true (parse_flood ("* CAPABILITY IMAP4rev1", " LITERAL +", 200000, "\r\n", &r));
  g_assert_cmpuint (r.atoms.n, ==, 200001);
  rack_arena_reset (test_arena);
  g_assert_true (parse_flood ("* 1 FETCH (ENVELOPE (NIL NIL (", "(NIL NIL \"a\" \"b\")", 200000,
                              ")))\r\n", &r));
  g_assert_cmpuint (r.message.envelope->from.n, ==, 200000);
  rack_arena_reset (test_arena);
  g_assert_true (parse_flood ("a OK [COPYUID 1 ", "5,", 200000, "5 7] x\r\n", &r));
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_UNKNOWN);
}

/* Brackets that are never closed are looked for once, not at every atom. */
static void
test_open_brackets (void)
{
  RackResponse r;

  g_assert_false (parse_flood ("* 1 FETCH (", "BODY[ ", 500000, ")\r\n", &r));
  g_assert_false (parse_flood ("* 1 FETCH (", "BODY[", 500000, " 1)\r\n", &r));
  g_assert_true (parse_flood ("* 1 FETCH (UID 1 FLAGS (", "a[", 500000, "))\r\n", &r));
  g_assert_true (parse_flood ("* OK [", "[(\"", 500000, "\r\n", &r));
  g_assert_true (parse_flood ("* 1 FETCH (X ", "(", 5000, "BODY[] )\r\n", &r) == FALSE);
}

/* A few octets for each part ask for hundreds in memory: that ends at a limit, not in the machine's
 * memory, and costs only this item. */
static void
test_amplification (void)
{
  RackResponse r;

  g_assert_true (
      parse_flood ("* 1 FETCH (UID 7 BODYSTRUCTURE (", "()", 2000000, " \"mixed\"))\r\n", &r));
  g_assert_cmpint (r.message.fields, ==, RACK_FIELD_UID);
}

static void
test_depth (void)
{
  RackResponse r;
  g_autoptr (GString) body = g_string_new ("* 1 FETCH (UID 7 X ");
  GError *error = NULL;

  for (guint i = 0; i < 100000; i++)
    g_string_append_c (body, '(');
  for (guint i = 0; i < 100000; i++)
    g_string_append_c (body, ')');
  g_string_append (body, " FLAGS ())\r\n");
  r = imap_parse (body->str);
  g_assert_cmpint (r.message.fields, ==, RACK_FIELD_UID | RACK_FIELD_FLAGS);
  g_assert_null (rack_value_parse (test_arena, r.message.items[1].raw, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL);
  g_clear_error (&error);
  /* The same depth of parts costs the BODYSTRUCTURE alone. */
  g_string_erase (body, 0, (gssize) strlen ("* 1 FETCH (UID 7 X "));
  g_string_prepend (body, "* 1 FETCH (UID 7 BODYSTRUCTURE ");
  r = imap_parse (body->str);
  g_assert_cmpint (r.message.fields, ==, RACK_FIELD_UID | RACK_FIELD_FLAGS);
}

static void
check_depth (guint depth, gboolean good)
{
  g_autoptr (GString) text = g_string_new ("");

  for (guint i = 0; i < depth; i++)
    g_string_append_c (text, '(');
  g_string_append (text, "a");
  for (guint i = 0; i < depth; i++)
    g_string_append_c (text, ')');
  const RackValue *value = rack_value_parse (test_arena, (RackStr){ text->str, text->len }, NULL);
  g_assert_cmpint (value != NULL, ==, good);
}

static void
test_value_depth (void)
{
  check_depth (128, TRUE);
  check_depth (129, FALSE);
}

/* An item that fails leaves nothing of itself behind. */
static void
test_no_traces (void)
{
  RackResponse r = imap_parse ("* 1 FETCH (FLAGS (\\Seen (x)) MODSEQ (99 1) EMAILID (a b) "
                               "BODY[]<99999999999999999999999> \"x\" BODY[TEXT]<0> \"y\" "
                               "RFC822.SIZE 9223372036854775808 X-GM-MSGID 18446744073709551616 "
                               "ENVELOPE (NIL \"s\" (\"a\" UID 4)) UID 7)\r\n");
  const RackMessage *m = &r.message;

  g_assert_cmpint (m->fields, ==, RACK_FIELD_UID | RACK_FIELD_SECTION | RACK_FIELD_ENVELOPE);
  g_assert_cmpint (m->flags.system, ==, 0);
  g_assert_cmpuint (m->modseq, ==, 0);
  assert_str (m->email_id, NULL);
  g_assert_cmpuint (m->size, ==, 0);
  g_assert_cmpuint (m->gm_msgid, ==, 0);
  g_assert_cmpuint (m->n_sections, ==, 1);
  assert_str (m->sections[0].section, "TEXT");
  g_assert_cmpuint (m->sections[0].origin, ==, 0);
  g_assert_true (m->sections[0].partial);
  g_assert_cmpuint (m->n_items, ==, 9);
}

static void
test_stumps (void)
{
  static const char *const stumps[] = {
    "\r\n",
    "*\r\n",
    "* \r\n",
    "T\r\n",
    " \r\n",
    "T \r\n",
    "* 5\r\n",
    "* 5 \r\n",
    "* 5 FETCH\r\n",
    "* 5 FETCH (\r\n",
    "* 5 FETCH (UID\r\n",
    "* 5 FETCH (UID 1 \"\r\n",
    "* 5 FETCH (ENVELOPE (\r\n",
    "* 5 FETCH (BODYSTRUCTURE ((\"a\"\r\n",
    "* LIST\r\n",
    "* LIST ()\r\n",
    "* LIST () \"/\"\r\n",
    "* LIST (\r\n",
    "* STATUS\r\n",
    "* STATUS INBOX\r\n",
    "* STATUS INBOX (\r\n",
    "* STATUS INBOX (MESSAGES\r\n",
    "* FLAGS\r\n",
    "* FLAGS (\\Seen\r\n",
    "* SEARCH x\r\n",
    "* SEARCH 4294967296\r\n",
    "* SEARCH -1\r\n",
    "* SEARCH 1 (MODSEQ\r\n",
    "* SORT 1 (\r\n",
    "* ESEARCH (\r\n",
    "* ESEARCH (TAG\r\n",
    "* ESEARCH ALL\r\n",
    "* NAMESPACE ((\r\n",
    "* NAMESPACE (x)\r\n",
    "* QUOTA\r\n",
    "* QUOTA x (STORAGE 1\r\n",
    "* QUOTA x (STORAGE -1 5)\r\n",
    "* ACL\r\n",
    "* ACL x y\r\n",
    "* ID (\r\n",
    "* 4294967296 EXISTS\r\n",
    "* -1 EXISTS\r\n",
    "* 99999999999999999999999999 EXPUNGE\r\n",
    "T FETCH\r\n",
    "T MAYBE so\r\n",
    "+OK\r\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (stumps); i++)
    {
      g_test_message ("%s", stumps[i]);
      imap_parse_refused (stumps[i]);
    }
  g_assert_cmpint (imap_parse ("T NO\r\n").status.kind, ==, RACK_STATUS_NO);
  g_assert_cmpint (imap_parse ("+\r\n").kind, ==, RACK_RESPONSE_CONTINUE);
  g_assert_cmpint (imap_parse ("* SEARCH\r\n").search.all.n, ==, 0);
}

/* Every prefix of a response with everything in it parses or is refused; nothing is read beyond its
 * end (the sanitizers watch). */
static void
test_prefixes (void)
{
  static const char text[] =
      "* 12 FETCH (UID 7 FLAGS (\\Seen $a) BODY[HEADER.FIELDS (A \"B]\")]<5> {3}\r\nabc ENVELOPE "
      "(\"d\" \"s\\\"x\" ((NIL NIL {1}\r\na \"b\")) NIL NIL NIL NIL NIL NIL \"<m>\") INTERNALDATE "
      "\"17-Jul-1996 02:44:25 -0700\" BODYSTRUCTURE ((\"message\" \"rfc822\" (\"a\" \"b\") NIL NIL "
      "\"7bit\" 5 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" NIL NIL NIL NIL 1 "
      "1) 1) \"mixed\" NIL (\"x\" (\"y\" \"z\")) (\"en\" \"de\") NIL) X-GM-LABELS (a) MODSEQ (5))";

  for (gsize size = 0; size < sizeof text; size++) /* without the array's own NUL */
    {
      /* Exactly as large as it is, so that a read beyond the end is seen. */
      g_autofree char *copy = g_memdup2 (text, MAX (size, 1));
      RackResponse response;
      gboolean ok = rack_response_parse ((RackStr){ copy, size }, test_arena, &response, NULL);
      if (size > strlen ("* 12 FETCH")) /* before that it is another response */
        g_assert_cmpint (ok, ==, size == sizeof text - 1);
      rack_arena_reset (test_arena);
    }
}

/* Names that would climb out of a directory, or paint a terminal, arrive as they are and are
 * escaped by those who show them. */
static void
test_names (void)
{
  static const char *const names[] = { ".", "..", "../../x", "/etc", "a//b", "a\x1b[31m", "-rf" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *text = g_strdup_printf ("* LIST () \"/\" \"%s\"\r\n", names[i]);
      assert_str (imap_parse (text).list.mailbox, names[i]);
    }
  assert_str (imap_parse ("* LIST () \"/\" {3}\r\na\nb\r\n").list.mailbox, "a\nb");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  imap_test_add ("/hostile/sets", test_sets);
  imap_test_add ("/hostile/floods", test_floods);
  imap_test_add ("/hostile/open-brackets", test_open_brackets);
  imap_test_add ("/hostile/amplification", test_amplification);
  imap_test_add ("/hostile/depth", test_depth);
  imap_test_add ("/hostile/value-depth", test_value_depth);
  imap_test_add ("/hostile/no-traces", test_no_traces);
  imap_test_add ("/hostile/stumps", test_stumps);
  imap_test_add ("/hostile/prefixes", test_prefixes);
  imap_test_add ("/hostile/names", test_names);
  return g_test_run ();
}
