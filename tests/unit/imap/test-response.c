/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-response.c - responses into records, also those that servers should not send */
#include "response.h"

#include <string.h>

typedef struct
{
  RackArena *arena;
  RackResponse response;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->arena = rack_arena_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  rack_arena_free (fixture->arena);
}

static const RackResponse *
parse (Fixture *fixture, const char *text)
{
  g_autoptr (GError) error = NULL;

  rack_arena_reset (fixture->arena);
  memset (&fixture->response, 0xaa, sizeof fixture->response); /* nothing may be left unset */
  g_assert_true (rack_response_parse ((RackStr){ text, strlen (text) }, fixture->arena,
                                      &fixture->response, &error));
  g_assert_no_error (error);
  return &fixture->response;
}

static void
refuse (Fixture *fixture, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (rack_response_parse ((RackStr){ text, strlen (text) }, fixture->arena,
                                       &fixture->response, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL);
}

#define assert_str(str, text) g_assert_cmpmem ((str).data, (str).size, (text), strlen (text))

static void
test_status (Fixture *fixture, gconstpointer data)
{
  const RackResponse *r = parse (fixture, "* OK [UIDNEXT 4392] Predicted next UID\r\n");

  g_assert_cmpint (r->kind, ==, RACK_RESPONSE_STATUS);
  g_assert_cmpint (r->status.code.kind, ==, RACK_CODE_UIDNEXT);
  g_assert_cmpuint (r->status.code.number, ==, 4392);
  assert_str (r->status.text, "Predicted next UID");
  r = parse (fixture, "A3 NO [TRYCREATE] none\r\n");
  assert_str (r->tag, "A3");
  g_assert_cmpint (r->status.kind, ==, RACK_STATUS_NO);
  g_assert_cmpint (r->status.code.kind, ==, RACK_CODE_TRYCREATE);
  r = parse (fixture, "A003 OK [COPYUID 38505 304,319:320 3956:3958] Done\r\n");
  g_assert_cmpuint (r->status.code.number, ==, 38505);
  g_assert_cmpuint (r->status.code.uids.n, ==, 2);
  g_assert_cmpuint (r->status.code.copies.items[0].last, ==, 3958);
  r = parse (fixture, "* OK [COPYUID 1 1:4294967295 4294967295:1] x\r\n");
  g_assert_cmpuint (r->status.code.uids.items[0].last, ==, 4294967295);
  r = parse (fixture, "T OK [COPYUID 1] nothing copied\r\n");
  g_assert_cmpuint (r->status.code.uids.n, ==, 0);
  r = parse (fixture, "* OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] Limited\r\n");
  g_assert_cmpint (r->status.code.flags.system, ==,
                   RACK_FLAG_DELETED | RACK_FLAG_SEEN | RACK_FLAG_KEYWORDS);
  r = parse (fixture, "* OK [UIDNEXT x] odd\r\n");
  g_assert_cmpint (r->status.code.kind, ==, RACK_CODE_UNKNOWN);
  r = parse (fixture, "* NO [X-FOO \"a ] b\" [c]] text\r\n");
  assert_str (r->status.code.argument, "\"a ] b\" [c]");
  r = parse (fixture, "T NO\r\n");
  g_assert_cmpint (r->status.kind, ==, RACK_STATUS_NO);
  r = parse (fixture, "+\r\n");
  g_assert_cmpint (r->kind, ==, RACK_RESPONSE_CONTINUE);
  refuse (fixture, "T\r\n");
  refuse (fixture, "*\r\n");
  refuse (fixture, "T MAYBE\r\n");
  refuse (fixture, "\r\n");
  refuse (fixture, "* STATUS\r\n");
  refuse (fixture, "* LIST\r\n");
}

/* RFC 9051's example of a whole FETCH. */
static const char fetch_text[] =
    "* 12 FETCH (FLAGS (\\Seen $Junk) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 4286 "
    "ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 \\\"WG\\\" mtg\" "
    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" "
    "\"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((NIL NIL "
    "\"imap\" "
    "\"cac.washington.edu\")) ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL "
    "\"KLENSIN\" \"MIT.EDU\")) NIL NIL {24}\r\n<B27397-0100000@cac.was>) BODY (\"TEXT\" \"PLAIN\" "
    "(\"CHARSET\" "
    "\"US-ASCII\") NIL NIL \"7BIT\" 3028 92) UID 77 MODSEQ (12345678901) X-NEW (a (b \"c\")) "
    "BODY[HEADER.FIELDS (FROM \"X)\")]<5> {3}\r\nabc)\r\n";

static void
test_fetch (Fixture *fixture, gconstpointer data)
{
  const RackMessage *m = &parse (fixture, fetch_text)->message;
  guint32 seq = 0;

  g_assert_cmpint (rack_response_peek ((RackStr){ fetch_text, strlen (fetch_text) }, &seq), ==,
                   RACK_PEEK_FETCH);
  g_assert_cmpuint (seq, ==, 12);
  g_assert_cmpuint (rack_response_peek_uid ((RackStr){ fetch_text, strlen (fetch_text) }), ==, 77);
  g_assert_cmpuint (m->seq, ==, 12);
  g_assert_cmpuint (m->uid, ==, 77);
  g_assert_cmpint (m->flags.system, ==, RACK_FLAG_SEEN);
  g_assert_cmpuint (m->flags.n_keywords, ==, 1);
  assert_str (m->flags.keywords[0], "$Junk");
  g_assert_cmpint (m->date, ==, 837596665);
  g_assert_cmpuint (m->size, ==, 4286);
  g_assert_cmpuint (m->modseq, ==, 12345678901);
  assert_str (m->envelope->subject, "IMAP4rev1 \"WG\" mtg");
  g_assert_cmpuint (m->envelope->cc.n, ==, 2);
  assert_str (m->envelope->cc.items[1].name, "John Klensin");
  g_assert_null (m->envelope->in_reply_to.data);
  assert_str (m->envelope->message_id, "<B27397-0100000@cac.was>");
  assert_str (m->body->type, "TEXT");
  g_assert_cmpuint (m->body->lines, ==, 92);
  g_assert_cmpuint (m->n_sections, ==, 1);
  assert_str (m->sections[0].data, "abc");
  assert_str (m->sections[0].section, "HEADER.FIELDS (FROM \"X)\")");
  g_assert_cmpuint (m->sections[0].origin, ==, 5);
  g_assert_cmpuint (m->n_items, ==, 9);
  assert_str (m->items[7].raw, "(a (b \"c\"))");
}

/* One bad item leaves the others standing. */
static void
test_broken_items (Fixture *fixture, gconstpointer data)
{
  static const char *const bad[] = {
    "RFC822.SIZE -1",
    "RFC822.SIZE 9.3e+06",
    "RFC822.SIZE NIL",
    "RFC822.SIZE 99999999999999999999999",
    "ENVELOPE 5",
    "ENVELOPE NIL",
    "BODYSTRUCTURE 7",
    "BODYSTRUCTURE NIL",
    "INTERNALDATE \"yesterday\"",
    "INTERNALDATE NIL",
    "MODSEQ (-1)",
    "MODSEQ 5",
    "FLAGS x",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *text = g_strdup_printf ("* 1 FETCH (%s UID 7)\r\n", bad[i]);
      const RackMessage *m = &parse (fixture, text)->message;
      g_assert_cmpint (m->fields, ==, RACK_FIELD_UID);
      g_assert_cmpuint (m->uid, ==, 7);
      g_assert_cmpuint (m->n_items, ==, 2);
    }
  g_assert_cmpuint (parse (fixture, "* 1 FETCH (UID 0 FLAGS ())\r\n")->message.uid, ==, 0);
  refuse (fixture, "* 1 FETCH (UID 5\r\n");
  refuse (fixture, "* 1 FETCH UID\r\n");
}

static void
test_bodystructure (Fixture *fixture, gconstpointer data)
{
  const RackMessage *m =
      &parse (fixture, "* 1 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL "
                       "NIL \"7bit\" 12 1 NIL "
                       "(\"inline\" NIL) \"en\" NIL)(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" "
                       "342 (NIL \"inner\" NIL NIL "
                       "NIL NIL NIL NIL NIL NIL) ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 "
                       "1)(\"image\" \"png\" NIL NIL "
                       "NIL \"base64\" 100) \"mixed\") 9 NIL (\"attachment\" (\"filename\" "
                       "\"a.eml\")) NIL NIL) "
                       "\"mixed\" (\"boundary\" \"b\") NIL (\"en\" \"de\") \"loc\"))\r\n")
           ->message;
  const RackPart *first = m->body->child, *second = first->next, *inner = second->child;
  char section[32];

  g_assert_true (m->body->multipart);
  assert_str (m->body->subtype, "mixed");
  g_assert_cmpuint (m->body->n_languages, ==, 2);
  assert_str (m->body->location, "loc");
  assert_str (first->disposition, "inline");
  assert_str (first->languages[0], "en");
  assert_str (second->envelope->subject, "inner");
  assert_str (second->disposition_params.items[0].value, "a.eml");
  g_assert_cmpuint (second->lines, ==, 9);
  rack_part_section (m->body, section, sizeof section);
  g_assert_cmpstr (section, ==, "");
  rack_part_section (second, section, sizeof section);
  g_assert_cmpstr (section, ==, "2");
  rack_part_section (inner->child->next, section, sizeof section);
  g_assert_cmpstr (section, ==, "2.2");
  m = &parse (fixture, "* 1 FETCH (BODY (\"text\" \"plain\" NIL NIL NIL NIL NIL NIL))\r\n")
           ->message;
  rack_part_section (m->body, section, sizeof section);
  g_assert_cmpstr (section, ==, "1");
}

/* What servers are known to send (design: "Servers as they are"). */
static void
test_odd_bodystructures (Fixture *fixture, gconstpointer data)
{
  static const char *const odd[] = {
    /* Exchange: a disposition that is a bare string */
    "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1 NIL \"inline\" NIL NIL)",
    /* Gmail: multipart without children */
    "(\"mixed\" (\"boundary\" \"x\") NIL NIL)",
    /* Gmail: message/rfc822 as a basic part */
    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 100 NIL NIL NIL)",
    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 100)",
    /* NIL where strings belong */
    "(NIL NIL NIL NIL NIL NIL NIL)",
    "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1)NIL (\"boundary\" NIL))",
    /* extensions of a later RFC */
    "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL (1 2 (3)) \"more\")",
    /* parameters as one string */
    "(\"text\" \"plain\" \"us-ascii\" NIL NIL \"7bit\" 5 1)",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      g_autofree char *text = g_strdup_printf ("* 1 FETCH (UID 9 BODYSTRUCTURE %s)\r\n", odd[i]);
      const RackMessage *m = &parse (fixture, text)->message;
      g_assert_cmpint (m->fields, ==, RACK_FIELD_UID | RACK_FIELD_BODY);
    }
}

static void
test_odd_envelopes (Fixture *fixture, gconstpointer data)
{
  static const char *const odd[] = {
    "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)", /* one too many (Outlook.com) */
    "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL)",       /* one missing */
    "(NIL \"s\"  ((NIL NIL \"a\" \"b\") (NIL NIL \"c\" \"d\")) NIL NIL NIL NIL NIL NIL "
    "NIL)", /* spaces
             */
    "(NIL \"s\" \"\" NIL NIL NIL NIL NIL NIL NIL)",
    "(NIL s NIL NIL NIL NIL NIL NIL NIL NIL)",
    "(NIL \"s\" ((NIL NIL \"group\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)) NIL NIL "
    "NIL NIL "
    "NIL NIL NIL)",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      g_autofree char *text = g_strdup_printf ("* 1 FETCH (UID 9 ENVELOPE %s)\r\n", odd[i]);
      const RackMessage *m = &parse (fixture, text)->message;
      g_assert_cmpint (m->fields, ==, RACK_FIELD_UID | RACK_FIELD_ENVELOPE);
    }
}

static void
test_deep (Fixture *fixture, gconstpointer data)
{
  GString *text = g_string_new ("* 1 FETCH (UID 9 BODYSTRUCTURE ");

  for (guint i = 0; i < 100000; i++)
    g_string_append_c (text, '(');
  g_string_append (text, "\r\n");
  refuse (fixture, text->str);
  g_string_assign (text, "* 1 FETCH (UID 9 BODYSTRUCTURE ");
  for (guint i = 0; i < 120; i++)
    g_string_append_c (text, '(');
  g_string_append (text, "\"text\" \"plain\" NIL NIL NIL NIL 1 1)");
  for (guint i = 0; i < 119; i++)
    g_string_append (text, " \"mixed\")");
  g_string_append (text, ")\r\n");
  g_assert_cmpint (parse (fixture, text->str)->message.fields, ==,
                   RACK_FIELD_UID | RACK_FIELD_BODY);
  g_string_free (text, TRUE);
}

static void
test_mailbox_data (Fixture *fixture, gconstpointer data)
{
  const RackResponse *r =
      parse (fixture, "* LIST (\\HasNoChildren \\Trash) \"/\" \"Deleted \\\"Items\\\"\"\r\n");

  g_assert_cmpint (r->list.flags, ==, RACK_LIST_HASNOCHILDREN | RACK_LIST_TRASH);
  g_assert_cmpint (r->list.separator, ==, '/');
  assert_str (r->list.mailbox, "Deleted \"Items\"");
  r = parse (fixture, "* LIST () NIL NIL\r\n");
  g_assert_cmpint (r->list.separator, ==, 0);
  assert_str (r->list.mailbox, "NIL");
  r = parse (fixture, "* LIST (\\Marked) \"/\" foo (\"OLDNAME\" (\"bar\"))\r\n");
  assert_str (r->list.old_name, "bar");
  r = parse (fixture, "* LIST () \"/\" {3}\r\na\tb\r\n");
  assert_str (r->list.mailbox, "a\tb");
  r = parse (fixture, "* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292 UNSEEN -1 MAILBOXID (F22) "
                      "APPENDLIMIT NIL)\r\n");
  g_assert_cmpint (r->mailbox_status.items, ==,
                   RACK_STATUS_MESSAGES | RACK_STATUS_UIDNEXT | RACK_STATUS_MAILBOXID
                       | RACK_STATUS_APPENDLIMIT);
  g_assert_cmpuint (r->mailbox_status.append_limit, ==, G_MAXUINT64);
  r = parse (fixture, "* SEARCH 2 3 4 84 882 (MODSEQ 917162500)\r\n");
  g_assert_cmpuint (r->search.all.n, ==, 3);
  g_assert_cmpuint (r->search.modseq, ==, 917162500);
  g_assert_cmpuint (parse (fixture, "* SEARCH\r\n")->search.all.n, ==, 0);
  r = parse (fixture, "* ESEARCH (TAG \"A285\") UID MIN 7 MAX 3800 COUNT 5 ALL 1:4294967295\r\n");
  assert_str (r->search.tag, "A285");
  g_assert_cmpuint (r->search.max, ==, 3800);
  g_assert_cmpuint (r->search.all.items[0].last, ==, 4294967295);
  r = parse (fixture, "* SORT 5 3 4\r\n");
  g_assert_cmpuint (r->sort.items[1], ==, 3);
  r = parse (fixture, "* VANISHED (EARLIER) 41,43:116\r\n");
  g_assert_true (r->vanished.earlier);
  g_assert_cmpuint (r->vanished.uids.n, ==, 2);
  r = parse (
      fixture,
      "* NAMESPACE ((\"\" \"/\")(\"#mh/\" \"/\" \"X-PARAM\" (\"a\"))) ((\"~\" \"/\")) NIL\r\n");
  g_assert_cmpuint (r->namespaces.n_personal, ==, 2);
  assert_str (r->namespaces.others[0].prefix, "~");
  r = parse (fixture, "* ID (\"name\" \"Dovecot\" \"version\" NIL)\r\n");
  g_assert_cmpuint (r->pairs.n, ==, 2);
  r = parse (fixture, "* QUOTA \"\" (STORAGE 10 512 MESSAGE 1 2)\r\n");
  g_assert_cmpuint (r->quota.resources[0].limit, ==, 512);
  r = parse (fixture, "* QUOTAROOT INBOX \"\" x\r\n");
  g_assert_cmpuint (r->quota_roots.n, ==, 2);
  r = parse (fixture, "* ACL INBOX Fred rwipslda -bob x\r\n");
  g_assert_cmpuint (r->acl.n, ==, 2);
  r = parse (fixture, "* MYRIGHTS INBOX rwiptsldaex\r\n");
  assert_str (r->my_rights.rights, "rwiptsldaex");
  r = parse (fixture, "* LISTRIGHTS ~/Mail smith la r s w\r\n");
  g_assert_cmpuint (r->list_rights.n, ==, 3);
  r = parse (fixture, "* CAPABILITY IMAP4rev1 LITERAL+ \r\n");
  g_assert_cmpuint (r->atoms.n, ==, 2);
  r = parse (fixture, "* X-SOMETHING (1 2)\r\n");
  g_assert_cmpint (r->kind, ==, RACK_RESPONSE_OTHER);
  assert_str (r->raw, " (1 2)");
}

static void
test_values (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const char *text = "(a \"b\\\"c\" 12 NIL {2}\r\nxy ()) z";
  const RackValue *value =
      rack_value_parse (fixture->arena, (RackStr){ text, strlen (text) }, &error);

  g_assert_no_error (error);
  g_assert_cmpint (value->kind, ==, RACK_VALUE_LIST);
  assert_str (value->child->next->text, "b\"c");
  g_assert_cmpuint (value->child->next->next->number, ==, 12);
  assert_str (value->next->text, "z");
  g_assert_null (rack_value_parse (fixture->arena, (RackStr){ "(a", 2 }, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL);
}

/* A million numbers, in memory that follows the ranges. */
static void
test_large_search (Fixture *fixture, gconstpointer data)
{
  GString *text = g_string_new ("* SEARCH");

  for (guint i = 1; i <= 1000000; i++)
    g_string_append_printf (text, " %u", i + i / 1000);
  g_string_append (text, "\r\n");
  g_assert_cmpuint (parse (fixture, text->str)->search.all.n, ==, 1001);
  g_string_free (text, TRUE);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*test) (Fixture *, gconstpointer);
  } tests[] = {
    { "/response/status", test_status },
    { "/response/fetch", test_fetch },
    { "/response/fetch/broken-items", test_broken_items },
    { "/response/fetch/bodystructure", test_bodystructure },
    { "/response/fetch/odd-bodystructures", test_odd_bodystructures },
    { "/response/fetch/odd-envelopes", test_odd_envelopes },
    { "/response/fetch/deep", test_deep },
    { "/response/mailbox-data", test_mailbox_data },
    { "/response/values", test_values },
    { "/response/large-search", test_large_search },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
