/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-data.c - responses as the RFCs show them, into every field of their records */
#include "imap-test.h"

static void
test_codes (void)
{
  static const struct
  {
    const char *name;
    RackCodeKind kind;
  } codes[] = {
    { "ALERT", RACK_CODE_ALERT },
    { "alreadyexists", RACK_CODE_ALREADYEXISTS },
    { "AUTHENTICATIONFAILED", RACK_CODE_AUTHENTICATIONFAILED },
    { "AUTHORIZATIONFAILED", RACK_CODE_AUTHORIZATIONFAILED },
    { "CANNOT", RACK_CODE_CANNOT },
    { "CLIENTBUG", RACK_CODE_CLIENTBUG },
    { "CLOSED", RACK_CODE_CLOSED },
    { "CONTACTADMIN", RACK_CODE_CONTACTADMIN },
    { "CORRUPTION", RACK_CODE_CORRUPTION },
    { "EXPIRED", RACK_CODE_EXPIRED },
    { "EXPUNGEISSUED", RACK_CODE_EXPUNGEISSUED },
    { "HASCHILDREN", RACK_CODE_HASCHILDREN },
    { "INUSE", RACK_CODE_INUSE },
    { "LIMIT", RACK_CODE_LIMIT },
    { "NOMODSEQ", RACK_CODE_NOMODSEQ },
    { "NONEXISTENT", RACK_CODE_NONEXISTENT },
    { "NOPERM", RACK_CODE_NOPERM },
    { "NOTIFICATIONOVERFLOW", RACK_CODE_NOTIFICATIONOVERFLOW },
    { "NOTSAVED", RACK_CODE_NOTSAVED },
    { "OVERQUOTA", RACK_CODE_OVERQUOTA },
    { "PARSE", RACK_CODE_PARSE },
    { "PRIVACYREQUIRED", RACK_CODE_PRIVACYREQUIRED },
    { "READ-ONLY", RACK_CODE_READ_ONLY },
    { "READ-WRITE", RACK_CODE_READ_WRITE },
    { "REFERRAL imap://[::1]/x", RACK_CODE_REFERRAL },
    { "SERVERBUG", RACK_CODE_SERVERBUG },
    { "TOOBIG", RACK_CODE_TOOBIG },
    { "TRYCREATE", RACK_CODE_TRYCREATE },
    { "UIDNOTSTICKY", RACK_CODE_UIDNOTSTICKY },
    { "UNAVAILABLE", RACK_CODE_UNAVAILABLE },
    { "UNKNOWN-CTE", RACK_CODE_UNKNOWN_CTE },
    { "MAILBOXID (F1)", RACK_CODE_MAILBOXID },
    { "BADCHARSET", RACK_CODE_BADCHARSET },
    { "BADCHARSET (utf-8 \"x\")", RACK_CODE_BADCHARSET },
    { "X-UNHEARD-OF of", RACK_CODE_UNKNOWN },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      g_autofree char *text = g_strdup_printf ("a7 NO [%s] the text\r\n", codes[i].name);
      RackResponse r = imap_parse (text);
      assert_str (r.tag, "a7");
      g_assert_cmpint (r.status.kind, ==, RACK_STATUS_NO);
      g_assert_cmpint (r.status.code.kind, ==, codes[i].kind);
      assert_str (r.status.text, "the text");
    }
  RackResponse r = imap_parse ("a OK [APPENDUID 38505 3955] APPEND completed\r\n"); /* RFC 4315 */
  g_assert_cmpuint (r.status.code.number, ==, 38505);
  assert_ranges (r.status.code.uids, "3955");
  r = imap_parse ("A003 OK [COPYUID 38505 304,319:320 3956:3958] Done\r\n"); /* RFC 4315 */
  assert_ranges (r.status.code.uids, "304,319:320");
  assert_ranges (r.status.code.copies, "3956:3958");
  r = imap_parse ("d105 OK [MODIFIED 7,9] Conditional STORE failed\r\n"); /* RFC 7162 */
  assert_ranges (r.status.code.uids, "7,9");
  r = imap_parse ("* OK [HIGHESTMODSEQ 9223372036854775807] x\r\n");
  g_assert_cmpuint (r.status.code.number, ==, G_MAXINT64);
  r = imap_parse ("* OK [HIGHESTMODSEQ 9223372036854775808] x\r\n");
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_UNKNOWN);
  g_assert_cmpuint (r.status.code.number, ==, 0);
  r = imap_parse ("* PREAUTH [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\r\n");
  g_assert_cmpint (r.status.kind, ==, RACK_STATUS_PREAUTH);
  assert_str (r.status.code.atoms[1], "AUTH=PLAIN");
  r = imap_parse ("* BYE\r\n");
  g_assert_cmpint (r.status.kind, ==, RACK_STATUS_BYE);
  assert_str (r.status.text, "");
}

static void
test_numbers (void)
{
  RackResponse r = imap_parse ("* 4294967295 EXISTS\r\n");

  g_assert_cmpint (r.kind, ==, RACK_RESPONSE_EXISTS);
  g_assert_cmpuint (r.number, ==, G_MAXUINT32);
  g_assert_cmpint (imap_parse ("* 5 recent\r\n").kind, ==, RACK_RESPONSE_RECENT);
  g_assert_cmpint (imap_parse ("* 44 EXPUNGE\r\n").kind, ==, RACK_RESPONSE_EXPUNGE);
  r = imap_parse ("* 44 FROBNICATE (1)\r\n");
  g_assert_cmpint (r.kind, ==, RACK_RESPONSE_OTHER);
  assert_str (r.name, "FROBNICATE");
}

static void
test_search (void)
{
  RackResponse r = imap_parse ("* ESEARCH (TAG \"A282\") MIN 2 COUNT 3\r\n"); /* RFC 4731 */

  g_assert_true (r.search.extended);
  g_assert_false (r.search.uid);
  assert_str (r.search.tag, "A282");
  g_assert_cmpuint (r.search.min, ==, 2);
  g_assert_cmpuint (r.search.count, ==, 3);
  r = imap_parse ("* ESEARCH (TAG \"A283\") ALL 2,10:11\r\n");
  assert_ranges (r.search.all, "2,10:11");
  g_assert_false (r.search.has_count);
  r = imap_parse ("* ESEARCH (TAG \"a567\") UID COUNT 5 ALL 4:19,21,28 MODSEQ 917162500\r\n");
  g_assert_cmpuint (r.search.modseq, ==, 917162500);
  g_assert_true (r.search.uid);
  r = imap_parse ("* ESEARCH (TAG \"A301\") UID PARTIAL (-1:-100 200:250,252:300) ALL 17\r\n");
  assert_ranges (r.search.all, "17");
  r = imap_parse ("* ESEARCH\r\n");
  g_assert_cmpuint (r.search.all.n, ==, 0);
  r = imap_parse ("* SEARCH 2 5 6 7 11 12 18 19 20 23 (MODSEQ 917162500)\r\n"); /* RFC 7162 */
  assert_ranges (r.search.all, "2,5:7,11:12,18:20,23");
  g_assert_cmpuint (r.search.modseq, ==, 917162500);
  r = imap_parse ("* SEARCH 9 8 4294967295 1\r\n");
  assert_ranges (r.search.all, "9,8,4294967295,1");
  r = imap_parse ("* SORT 2 84 882 (MODSEQ 5)\r\n");
  g_assert_cmpuint (r.sort.n, ==, 3);
  g_assert_cmpuint (r.sort.items[2], ==, 882);
  g_assert_cmpuint (r.sort.modseq, ==, 5);
  r = imap_parse ("* THREAD (2)(3 6 (4 23)(44 7 96))\r\n"); /* RFC 5256 */
  g_assert_cmpint (r.kind, ==, RACK_RESPONSE_THREAD);
  const RackValue *value = rack_value_parse (test_arena, r.raw, NULL);
  g_assert_cmpuint (value->next->child->next->next->child->next->number, ==, 23);
  r = imap_parse ("* VANISHED 405,407,410,425\r\n");
  g_assert_false (r.vanished.earlier);
  g_assert_cmpuint (r.vanished.uids.n, ==, 4);
}

static void
check_section (const RackPart *part, const char *expected)
{
  char text[64], tiny[3];

  g_assert_cmpuint (rack_part_section (part, text, sizeof text), ==, strlen (expected));
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpuint (rack_part_section (part, tiny, sizeof tiny), ==, strlen (expected));
  g_assert_cmpint (strncmp (tiny, expected, 2), ==, 0);
  g_assert_cmpuint (rack_part_section (part, NULL, 0), ==, strlen (expected));
}

#define TEXT     "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1)"
#define ENVELOPE "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL)"

/* The tree of RFC 9051 §6.4.5.1: 1 text, 2 octets, 3 a message (1 text, 2 octets), 4 mixed (1
 * image, 2 a message (1 text, 2 alternative (1, 2))). */
static void
test_sections (void)
{
  RackResponse r =
      imap_parse ("* 1 FETCH (BODYSTRUCTURE (" TEXT
                  "(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"BASE64\" 9)"
                  "(\"MESSAGE\" \"RFC822\" NIL NIL NIL NIL 9 " ENVELOPE " (" TEXT
                  "(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"BASE64\" 9) \"MIXED\") 3)"
                  "((\"IMAGE\" \"GIF\" NIL NIL NIL \"BASE64\" 9)(\"MESSAGE\" \"RFC822\" NIL NIL "
                  "NIL NIL 9 " ENVELOPE " (" TEXT "(" TEXT TEXT
                  " \"ALTERNATIVE\") \"MIXED\") 3) \"MIXED\") \"MIXED\"))\r\n");
  const RackPart *root = r.message.body, *first = root->child, *third = first->next->next;
  const RackPart *fourth = third->next, *inner = fourth->child->next;

  g_assert_cmpint (r.message.fields, ==, RACK_FIELD_BODY);
  check_section (root, "");
  check_section (first, "1");
  check_section (third, "3");
  check_section (third->child, "3"); /* a multipart body adds no number of its own */
  check_section (third->child->child, "3.1");
  check_section (third->child->child->next, "3.2");
  check_section (fourth, "4");
  check_section (fourth->child, "4.1");
  check_section (inner, "4.2");
  check_section (inner->child->child, "4.2.1");
  check_section (inner->child->child->next, "4.2.2");
  check_section (inner->child->child->next->child->next, "4.2.2.2");
  r = imap_parse ("* 1 FETCH (BODY (\"MESSAGE\" \"RFC822\" NIL NIL NIL NIL 9 " ENVELOPE " " TEXT
                  " 3))\r\n");
  check_section (r.message.body, "1");
  check_section (r.message.body->child, "1.1");
  assert_str (r.message.body->envelope->subject, "s");
  g_assert_cmpuint (r.message.body->lines, ==, 3);
}

/* RFC 3501 §7.4.2. */
static void
test_structure (void)
{
  RackResponse r = imap_parse (
      "* 1 FETCH (BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" "
      "1152 23)(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" \"NAME\" \"cc.diff\") "
      "\"<960723163407.20117h@cac.washington.edu>\" \"Compiler diff\" \"BASE64\" 4554 73) "
      "\"MIXED\"))\r\n");
  const RackPart *second = r.message.body->child->next;

  g_assert_cmpuint (r.message.body->child->size, ==, 1152);
  g_assert_cmpuint (r.message.body->child->lines, ==, 23);
  g_assert_cmpuint (second->params.n, ==, 2);
  assert_str (second->params.items[1].value, "cc.diff");
  assert_str (second->id, "<960723163407.20117h@cac.washington.edu>");
  assert_str (second->description, "Compiler diff");
  assert_str (second->encoding, "BASE64");
  g_assert_true (second->parent == r.message.body);
  g_assert_null (second->next);
  r = imap_parse (
      "* 1 FETCH (BODYSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1 \"md5sum\" "
      "(\"attachment\" (\"filename\" \"x\")) (\"en\" \"fr\") \"http://a\" (1 (2)) 3))\r\n");
  assert_str (r.message.body->md5, "md5sum");
  assert_str (r.message.body->disposition, "attachment");
  g_assert_cmpuint (r.message.body->n_languages, ==, 2);
  assert_str (r.message.body->location, "http://a");
}

static void
test_items (void)
{
  static const char text[] =
      "* 23 FETCH (BODY[1.2.MIME] NIL BINARY[1]<7> ~{4}\r\na\0bc RFC822.HEADER \"h\" RFC822 \"r\" "
      "EMAILID (M6d99ac3275bb4e) THREADID NIL X-GM-MSGID 1278455344230334865 X-GM-THRID 7 PREVIEW "
      "\"hi\" BINARY.SIZE[1] 99 SAVEDATE \"17-Jul-1996 02:44:25 -0700\")\r\n";
  RackResponse r = imap_parse_sized (STR (text));
  const RackMessage *m = &r.message;

  g_assert_cmpuint (m->n_sections, ==, 4);
  assert_str (m->sections[0].section, "1.2.MIME");
  assert_str (m->sections[0].data, NULL);
  g_assert_cmpmem (m->sections[1].data.data, m->sections[1].data.size, "a\0bc", 4);
  g_assert_cmpuint (m->sections[1].origin, ==, 7);
  assert_str (m->sections[3].name, "RFC822");
  assert_str (m->sections[3].section, "");
  assert_str (m->email_id, "M6d99ac3275bb4e");
  assert_str (m->thread_id, NULL);
  g_assert_cmpuint (m->gm_msgid, ==, G_GUINT64_CONSTANT (1278455344230334865));
  g_assert_cmpuint (m->gm_thrid, ==, 7);
  assert_str (m->preview, "hi");
  g_assert_cmpint (m->save_date, ==, 837596665);
  g_assert_cmpuint (m->n_items, ==, 11);
  assert_str (m->items[9].name, "BINARY.SIZE[1]");
  assert_str (m->items[9].raw, "99");
}

static void
test_elided (void)
{
  /* As the framer gives it after a literal was streamed. */
  RackResponse r = imap_parse ("* 1 FETCH (BODY[] \x01"
                               "999999}\r\n UID 5 BODY[1] ~\x01"
                               "7}\r\n FLAGS ())\r\n");

  g_assert_cmpuint (r.message.uid, ==, 5);
  g_assert_cmpuint (r.message.n_sections, ==, 2);
  g_assert_nonnull (r.message.sections[0].data.data);
  g_assert_cmpuint (r.message.sections[0].data.size, ==, 0);
}

static void
test_mailboxes (void)
{
  RackResponse r = imap_parse ("* ACL INBOX Fred rwipslda -bob x\r\n"); /* RFC 4314 */

  assert_str (r.acl.items[1].name, "-bob");
  r = imap_parse ("* LISTRIGHTS ~/Mail/saved smith la r s w i p k x t\r\n");
  assert_str (r.list_rights.required, "la");
  g_assert_cmpuint (r.list_rights.n, ==, 8);
  r = imap_parse ("* QUOTA \"!partition/sda4\" (STORAGE 104 10923847 MESSAGE 1 2)\r\n");
  assert_str (r.quota.root, "!partition/sda4");
  g_assert_cmpuint (r.quota.resources[0].limit, ==, 10923847);
  r = imap_parse ("* QUOTA \"\" ()\r\n");
  g_assert_cmpuint (r.quota.n_resources, ==, 0);
  r = imap_parse ("* QUOTAROOT INBOX\r\n");
  g_assert_cmpuint (r.quota_roots.n, ==, 0);
  r = imap_parse ("* ID NIL\r\n");
  g_assert_cmpuint (r.pairs.n, ==, 0);
  r = imap_parse ("* ENABLED CONDSTORE QRESYNC\r\n");
  g_assert_cmpint (r.kind, ==, RACK_RESPONSE_ENABLED);
  g_assert_cmpuint (r.atoms.n, ==, 2);
  r = imap_parse ("* LSUB (\\Noselect) \".\" {7}\r\n#news.x\r\n");
  g_assert_cmpint (r.kind, ==, RACK_RESPONSE_LSUB);
  assert_str (r.list.mailbox, "#news.x");
  r = imap_parse ("* LIST (\\NonExistent \\X-New) \"/\" Foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n");
  g_assert_cmpint (r.list.flags, ==, RACK_LIST_NONEXISTENT | RACK_LIST_NOSELECT);
  assert_str (r.list.names[1], "\\X-New");
  r = imap_parse ("+ YGgGCSqGSIb3EgECAgIAb1kwV6A=\r\n");
  assert_str (r.status.text, "YGgGCSqGSIb3EgECAgIAb1kwV6A=");
}

static void
check_peek (const char *text, RackPeek expected, guint32 expected_seq)
{
  guint32 seq = 0;

  g_assert_cmpint (rack_response_peek ((RackStr){ text, strlen (text) }, &seq), ==, expected);
  g_assert_cmpuint (seq, ==, expected_seq);
}

static void
test_peek (void)
{
  check_peek ("* 12 FETCH (UID 4)\r\n", RACK_PEEK_FETCH, 12);
  check_peek ("* 4294967295 fetch (UID 4)\r\n", RACK_PEEK_FETCH, G_MAXUINT32);
  check_peek ("* 4294967296 FETCH (UID 4)\r\n", RACK_PEEK_UNTAGGED, 0);
  check_peek ("* 12 FETCHED\r\n", RACK_PEEK_UNTAGGED, 0);
  check_peek ("* OK\r\n", RACK_PEEK_UNTAGGED, 0);
  check_peek ("+ go\r\n", RACK_PEEK_CONTINUE, 0);
  check_peek ("+\r\n", RACK_PEEK_CONTINUE, 0);
  check_peek ("a1 OK\r\n", RACK_PEEK_TAGGED, 0);
  check_peek ("\r\n", RACK_PEEK_TAGGED, 0);
  check_peek ("*", RACK_PEEK_TAGGED, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  imap_test_add ("/data/codes", test_codes);
  imap_test_add ("/data/numbers", test_numbers);
  imap_test_add ("/data/search", test_search);
  imap_test_add ("/data/sections", test_sections);
  imap_test_add ("/data/structure", test_structure);
  imap_test_add ("/data/items", test_items);
  imap_test_add ("/data/elided", test_elided);
  imap_test_add ("/data/mailboxes", test_mailboxes);
  imap_test_add ("/data/peek", test_peek);
  return g_test_run ();
}
