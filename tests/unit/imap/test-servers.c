/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-servers.c - responses as servers really send them
 *
 * One test for each known deviation, named after the server where one is known.
 * What a test pins down is what is kept of a response that breaks the grammar. */
#include "imap-test.h"

static const RackMessage *
fetch (const char *items)
{
  static RackResponse response;
  g_autofree char *text = g_strdup_printf ("* 1 FETCH (%s UID 9)\r\n", items);

  response = imap_parse_sized (rack_arena_str (test_arena, text, strlen (text)));
  g_assert_cmpint (response.kind, ==, RACK_RESPONSE_FETCH);
  g_assert_cmpuint (response.message.uid, ==, 9); /* the other items stand */
  return &response.message;
}

static const RackPart *
body (const char *text)
{
  g_autofree char *items = g_strdup_printf ("BODYSTRUCTURE %s", text);
  const RackMessage *message = fetch (items);

  g_assert_cmpint (message->fields, ==, RACK_FIELD_UID | RACK_FIELD_BODY);
  return message->body;
}

static const RackEnvelope *
envelope (const char *text)
{
  g_autofree char *items = g_strdup_printf ("ENVELOPE %s", text);
  const RackMessage *message = fetch (items);

  g_assert_cmpint (message->fields, ==, RACK_FIELD_UID | RACK_FIELD_ENVELOPE);
  return message->envelope;
}

static void
test_nil_fields (void)
{
  const RackPart *part = body ("((NIL NIL (\"charset\" NIL) NIL NIL NIL NIL NIL)"
                               "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1) NIL "
                               "(\"boundary\" NIL))");

  g_assert_true (part->multipart);
  assert_str (part->subtype, NULL);
  assert_str (part->params.items[0].name, "boundary");
  assert_str (part->params.items[0].value, NULL);
  assert_str (part->child->type, NULL);
  assert_str (part->child->encoding, NULL);
  assert_str (part->child->params.items[0].value, NULL);
  assert_str (part->child->next->type, "text");
  g_assert_cmpuint (part->child->next->size, ==, 5);
  const RackEnvelope *e = envelope ("(NIL \"s\" ((NIL NIL NIL NIL)(\"a\" NIL NIL \"b\")) NIL NIL "
                                    "(NIL (NIL NIL \"c\" \"d\") NIL) NIL NIL NIL NIL)");
  g_assert_cmpuint (e->from.n, ==, 2);
  assert_str (e->from.items[0].mailbox, NULL);
  assert_str (e->from.items[1].host, "b");
  g_assert_cmpuint (e->to.n, ==, 1);
}

static void
test_exchange_disposition (void)
{
  const RackPart *part = body ("(\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1 NIL \"inline\" \"en\" "
                               "\"loc\")");

  assert_str (part->disposition, "inline");
  assert_str (part->languages[0], "en");
  assert_str (part->location, "loc");
  part = body ("(\"text\" \"plain\" \"name\" NIL NIL \"7bit\" 5 1 NIL (\"attachment\" \"x\") NIL)");
  assert_str (part->params.items[0].name, "name");
  assert_str (part->disposition, "attachment");
}

static void
test_gmail_childless_multipart (void)
{
  const RackPart *part = body ("((\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1 NIL NIL NIL)"
                               "(\"alternative\" (\"boundary\" \"x\") NIL NIL) \"mixed\" "
                               "(\"boundary\" \"y\") NIL NIL)");

  assert_str (part->subtype, "mixed");
  g_assert_true (part->child->next->multipart);
  assert_str (part->child->next->subtype, "alternative");
  g_assert_null (part->child->next->child);
  assert_str (part->child->next->params.items[0].value, "x");
  part = body ("(() \"mixed\")");
  assert_str (part->child->type, NULL);
}

static void
test_gmail_rfc822_as_basic (void)
{
  const RackPart *part = body ("((\"message\" \"rfc822\" (\"name\" \"a.eml\") NIL NIL \"7bit\" 100 "
                               "NIL (\"attachment\" (\"filename\" \"a.eml\")) NIL)(\"image\" "
                               "\"png\" NIL NIL NIL \"base64\" 7) \"mixed\")");

  g_assert_null (part->child->envelope);
  g_assert_cmpuint (part->child->size, ==, 100);
  assert_str (part->child->disposition, "attachment");
  assert_str (part->child->disposition_params.items[0].value, "a.eml");
  assert_str (part->child->next->subtype, "png");
}

static void
test_outlook_envelope (void)
{
  /* Too few, too many, and in the wrong place. */
  const RackEnvelope *e = envelope ("(\"date\" \"subject\")");
  assert_str (e->subject, "subject");
  g_assert_cmpuint (e->from.n, ==, 0);
  e = envelope ("()");
  assert_str (e->date, NULL);
  e = envelope ("(NIL \"s\" NIL NIL NIL NIL NIL NIL \"<a>\" \"<b>\" NIL (1 2) \"more\")");
  assert_str (e->message_id, "<b>");
  e = envelope ("(((NIL NIL \"a\" \"b\")) \"s\" \"lost\" NIL NIL NIL NIL NIL NIL \"<b>\")");
  assert_str (e->date, NULL);
  assert_str (e->subject, "s");
  g_assert_cmpuint (e->from.n, ==, 0);
  assert_str (e->message_id, "<b>");
  e = envelope (
      "(  NIL   \"s\"  (  ( NIL  NIL \"a\"  \"b\" )  )   NIL NIL NIL NIL NIL NIL  NIL  )");
  assert_str (e->from.items[0].host, "b");
  e = envelope ("(NIL \"s\" ((NIL NIL \"a\" \"b\" \"surplus\" (x))) NIL NIL NIL NIL NIL NIL NIL)");
  assert_str (e->from.items[0].host, "b");
  e = envelope ("(\"d\"\"s\"((NIL NIL\"a\"\"b\"))NIL NIL NIL NIL NIL NIL\"<b>\")");
  assert_str (e->message_id, "<b>");
}

static void
test_domino_parentheses (void)
{
  const RackEnvelope *e = envelope ("(NIL \"s\" (((NIL NIL \"a\" \"b\"))) ((((NIL NIL \"c\" \"d\")"
                                    "(NIL NIL \"e\" \"f\")))) NIL NIL NIL NIL NIL \"<b>\")");

  g_assert_cmpuint (e->from.n, ==, 1);
  assert_str (e->from.items[0].mailbox, "a");
  g_assert_cmpuint (e->sender.n, ==, 2);
  assert_str (e->sender.items[1].mailbox, "e");
  assert_str (e->message_id, "<b>");
}

static void
test_odd_numbers (void)
{
  static const char *const sizes[] = { "-1",
                                       "9.3e+06",
                                       "NIL",
                                       "\"12\"",
                                       "0x10",
                                       "9223372036854775808",
                                       "18446744073709551617",
                                       "340282366920938463463374607431768211457" };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *items = g_strdup_printf ("RFC822.SIZE %s FLAGS (\\Seen)", sizes[i]);
      const RackMessage *message = fetch (items);
      g_assert_cmpint (message->fields, ==, RACK_FIELD_UID | RACK_FIELD_FLAGS);
      g_assert_cmpuint (message->size, ==, 0);
      assert_str (message->items[0].raw, sizes[i]);
    }
  g_assert_cmpuint (fetch ("RFC822.SIZE 9223372036854775807")->size, ==, G_MAXINT64);
  g_assert_cmpuint (body ("(\"text\" \"plain\" NIL NIL NIL \"7bit\" -1 9.3e+06)")->size, ==, 0);
  g_assert_cmpuint (body ("(\"image\" \"png\" NIL NIL NIL \"7bit\" 5000000000)")->size, ==,
                    G_GUINT64_CONSTANT (5000000000));
}

static void
test_zero_uids (void)
{
  RackResponse r = imap_parse ("* OK [UIDNEXT 0] Courier\r\n");

  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_UIDNEXT);
  g_assert_cmpuint (r.status.code.number, ==, 0);
  r = imap_parse ("* OK [UIDVALIDITY 0] hMailServer\r\n");
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_UIDVALIDITY);
  r = imap_parse ("* OK [UNSEEN 0] none\r\n");
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_UNSEEN);
  r = imap_parse ("* 3 FETCH (UID 0 FLAGS (\\Seen))\r\n");
  g_assert_cmpint (r.message.fields, ==, RACK_FIELD_FLAGS);
  r = imap_parse ("* SEARCH 0 4 5\r\n");
  assert_ranges (r.search.all, "4:5");
  r = imap_parse ("* ESEARCH (TAG \"a\") UID MIN 0 MAX 0 COUNT 0\r\n");
  g_assert_cmpuint (r.search.min, ==, 0);
  g_assert_true (r.search.has_count);
}

static void
test_trailing_spaces (void)
{
  RackResponse r = imap_parse ("* SEARCH 1 2 3  \r\n");

  assert_ranges (r.search.all, "1:3");
  r = imap_parse ("* CAPABILITY IMAP4rev1 IDLE \r\n");
  g_assert_cmpuint (r.atoms.n, ==, 2);
  r = imap_parse ("* LIST (\\HasNoChildren ) \"/\" INBOX \r\n");
  assert_str (r.list.mailbox, "INBOX");
  r = imap_parse ("* 3 EXISTS \r\n");
  g_assert_cmpuint (r.number, ==, 3);
  r = imap_parse ("* FLAGS ( \\Seen  \\Deleted )\r\n");
  g_assert_cmpuint (r.flags.n_names, ==, 2);
  r = imap_parse ("* STATUS INBOX ( MESSAGES 3 UIDNEXT  4 ) \r\n");
  g_assert_cmpuint (r.mailbox_status.uid_next, ==, 4);
  r = imap_parse ("* 1 FETCH ( UID 3 ) \r\n");
  g_assert_cmpuint (r.message.uid, ==, 3);
  r = imap_parse ("a1 OK  done \r\n");
  assert_str (r.status.text, "done ");
}

static void
test_literal_plus_with_space (void)
{
  RackResponse r = imap_parse ("* CAPABILITY IMAP4rev1 LITERAL + IDLE\r\n");

  g_assert_cmpuint (r.atoms.n, ==, 3);
  assert_str (r.atoms.items[1], "LITERAL+");
  assert_str (r.atoms.items[2], "IDLE");
  r = imap_parse ("* OK [CAPABILITY IMAP4rev1 LITERAL +] hi\r\n");
  g_assert_cmpuint (r.status.code.n_atoms, ==, 2);
  assert_str (r.status.code.atoms[1], "LITERAL+");
}

static void
test_gmail_flags (void)
{
  RackResponse r = imap_parse ("* FLAGS (\\Seen a]b [Gmail]/x c[d \\* e)\r\n");

  g_assert_cmpuint (r.flags.n_names, ==, 6);
  assert_str (r.flags.names[1], "a]b");
  assert_str (r.flags.names[3], "c[d");
  assert_str (r.flags.names[5], "e");
  r = imap_parse ("* OK [PERMANENTFLAGS (\\Seen a]b c[ \\*)] Flags permitted.\r\n");
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_PERMANENTFLAGS);
  g_assert_cmpint (r.status.code.flags.system, ==, RACK_FLAG_SEEN | RACK_FLAG_KEYWORDS);
  assert_str (r.status.text, "Flags permitted.");
  const RackMessage *message = fetch ("FLAGS (\\Seen one two]) X-GM-LABELS (\"\\\\Inbox\" "
                                      "\"with space\" [Imap]/Sent &ZeVnLIqe-)");
  g_assert_cmpuint (message->flags.n_keywords, ==, 2);
  g_assert_cmpuint (message->n_gm_labels, ==, 4);
  assert_str (message->gm_labels[0], "\\Inbox");
  assert_str (message->gm_labels[2], "[Imap]/Sent");
}

static void
test_exchange_junk_codes (void)
{
  RackResponse r = imap_parse ("a1 NO [X-Y 5 (]) text] and more\r\n");

  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_UNKNOWN);
  r = imap_parse ("a1 BAD [Error=\"x ] y\" Code] text\r\n");
  g_assert_cmpint (r.status.kind, ==, RACK_STATUS_BAD);
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_UNKNOWN);
  assert_str (r.status.text, "text");
  r = imap_parse ("* OK [] empty\r\n");
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_UNKNOWN);
  assert_str (r.status.text, "empty");
  r = imap_parse ("* OK [never closed\r\n");
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_NONE);
  assert_str (r.status.text, "[never closed");
  r = imap_parse ("* OK [ALERT]no space\r\n");
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_ALERT);
  assert_str (r.status.text, "no space");
  r = imap_parse ("* NO [UIDNEXT many] x\r\n");
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_UNKNOWN);
  assert_str (r.status.code.name, "UIDNEXT");
  assert_str (r.status.code.argument, "many");
}

static void
test_copyuid (void)
{
  RackResponse r = imap_parse ("* [COPYUID 7 1:3 11:13]\r\n");

  g_assert_cmpint (r.kind, ==, RACK_RESPONSE_STATUS);
  g_assert_cmpint (r.status.kind, ==, RACK_STATUS_OK);
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_COPYUID);
  assert_ranges (r.status.code.copies, "11:13");
  r = imap_parse ("a1 OK [COPYUID 7] nothing\r\n");
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_COPYUID);
  g_assert_cmpuint (r.status.code.uids.n, ==, 0);
  r = imap_parse ("a1 OK [COPYUID 7  ] nothing\r\n");
  g_assert_cmpuint (r.status.code.uids.n, ==, 0);
  r = imap_parse ("a1 OK [COPYUID] nothing\r\n");
  g_assert_cmpuint (r.status.code.uids.n, ==, 0);
  /* Pairs that do not pair are no pairs. */
  r = imap_parse ("a1 OK [COPYUID 7 1:3 11:12] odd\r\n");
  g_assert_cmpint (r.status.code.kind, ==, RACK_CODE_UNKNOWN);
  g_assert_cmpuint (r.status.code.uids.n, ==, 0);
}

static void
test_lists (void)
{
  RackResponse r = imap_parse ("* LIST\t(\\HasNoChildren)\t\"/\"\tINBOX\r\n");
  g_assert_cmpint (r.kind, ==, RACK_RESPONSE_LIST);
  assert_str (r.list.mailbox, "INBOX");
  r = imap_parse ("* LIST (\\HasNoChildren) \"/\" a\tb\r\n");
  assert_str (r.list.mailbox, "a\tb");
  r = imap_parse ("* LIST (\\HasNoChildren) \"\\\\\" \"a\tb\"\r\n");
  g_assert_cmpint (r.list.separator, ==, '\\');
  assert_str (r.list.mailbox, "a\tb");
  r = imap_parse ("* LIST () \"/\" inbox\r\n");
  assert_str (r.list.mailbox, "inbox");
  r = imap_parse ("* LIST () NIL nil\r\n");
  assert_str (r.list.mailbox, "nil");
  r = imap_parse ("* LIST () \"/\" plans(2023)\r\n");
  assert_str (r.list.mailbox, "plans(2023)");
  r = imap_parse ("* LIST () \"/\" 2023\r\n");
  assert_str (r.list.mailbox, "2023");
  r = imap_parse ("* LIST () \"/\" [Gmail]/Spam\r\n");
  assert_str (r.list.mailbox, "[Gmail]/Spam");
  r = imap_parse ("* XLIST (\\HasNoChildren \\Starred) \"/\" \"[Gmail]/Starred\"\r\n");
  g_assert_cmpint (r.list.flags, ==, RACK_LIST_HASNOCHILDREN | RACK_LIST_FLAGGED);
  r = imap_parse ("* LIST () \"/\" \"\"\r\n");
  assert_str (r.list.mailbox, "");
}

static void
test_status_values (void)
{
  RackResponse r =
      imap_parse ("* STATUS \"a b\" (MESSAGES 3 RECENT NIL UNSEEN -1 UIDNEXT 4294967296 "
                  "UIDVALIDITY 9.3e+06 SIZE (1) X-NEW (a b) HIGHESTMODSEQ 7)\r\n");

  g_assert_cmpint (r.mailbox_status.items, ==, RACK_STATUS_MESSAGES | RACK_STATUS_HIGHESTMODSEQ);
  g_assert_cmpuint (r.mailbox_status.messages, ==, 3);
  g_assert_cmpuint (r.mailbox_status.highest_modseq, ==, 7);
  r = imap_parse ("* STATUS INBOX ()\r\n");
  g_assert_cmpint (r.mailbox_status.items, ==, 0);
}

static void
test_missing_namespaces (void)
{
  RackResponse r = imap_parse ("* NAMESPACE ((\"INBOX.\" \".\")) NIL\r\n");

  g_assert_cmpuint (r.namespaces.n_personal, ==, 1);
  g_assert_cmpuint (r.namespaces.n_shared, ==, 0);
  r = imap_parse ("* NAMESPACE NIL NIL ((\"\" NIL))\r\n");
  g_assert_cmpint (r.namespaces.shared[0].separator, ==, 0);
}

static void
test_bare_line_feeds (void)
{
  RackResponse r = imap_parse ("* OK [ALERT] hello\n");

  assert_str (r.status.text, "hello");
  r = imap_parse ("* 1 FETCH (UID 3)\n");
  g_assert_cmpuint (r.message.uid, ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  imap_test_add ("/servers/nil-fields", test_nil_fields);
  imap_test_add ("/servers/exchange-disposition", test_exchange_disposition);
  imap_test_add ("/servers/gmail-childless-multipart", test_gmail_childless_multipart);
  imap_test_add ("/servers/gmail-rfc822-as-basic", test_gmail_rfc822_as_basic);
  imap_test_add ("/servers/outlook-envelope", test_outlook_envelope);
  imap_test_add ("/servers/domino-parentheses", test_domino_parentheses);
  imap_test_add ("/servers/odd-numbers", test_odd_numbers);
  imap_test_add ("/servers/zero-uids", test_zero_uids);
  imap_test_add ("/servers/trailing-spaces", test_trailing_spaces);
  imap_test_add ("/servers/literal-plus-with-space", test_literal_plus_with_space);
  imap_test_add ("/servers/gmail-flags", test_gmail_flags);
  imap_test_add ("/servers/exchange-junk-codes", test_exchange_junk_codes);
  imap_test_add ("/servers/copyuid", test_copyuid);
  imap_test_add ("/servers/lists", test_lists);
  imap_test_add ("/servers/status-values", test_status_values);
  imap_test_add ("/servers/missing-namespaces", test_missing_namespaces);
  imap_test_add ("/servers/bare-line-feeds", test_bare_line_feeds);
  return g_test_run ();
}
