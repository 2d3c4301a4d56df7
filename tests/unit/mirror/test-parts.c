/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-parts.c - what messages are made of, and sections decoded while they arrive, over the
 * fake server */
#include "fake.h"
#include "parts.h"

#include <string.h>
#include <unistd.h>

#define STR(text)                                                                                  \
  {                                                                                                \
    text, sizeof text - 1                                                                          \
  }

static RackAccount *account;
static RackMirror *mirror;
static FakeBox *inbox;
static RackFolder *folder;
static guint32 row;

static void
open_mirror (void)
{
  g_autoptr (GError) error = NULL;
  RackFolderFacts facts;
  RackMirrorOptions options = { .stall = 5000, .fetchers = 3 };
  account = fake_account_new ();
  inbox = fake_box ("INBOX", 0, 1);
  fake_add (inbox, 1, "s", "Subject: s\r\n\r\n", -1);
  /* Too large to be fetched unasked. */
  fake_add (inbox, 2, "large", "", 1 << 20);
  mirror = rack_mirror_open (account, &options, NULL, &error);
  g_assert_no_error (error);
  folder = rack_folder_child (rack_mirror_root (mirror), "INBOX");
  g_assert_true (rack_folder_wait (folder, NULL, &error));
  rack_folder_facts (folder, &facts);
  row = facts.row;
}

static void
close_mirror (void)
{
  g_clear_pointer (&mirror, rack_mirror_close);
  g_clear_pointer (&account, rack_account_unref);
}

/* ---- Structures ------------------------------------------------------------------------ */

/* multipart/mixed { text/plain, application/pdf "..." } with the params and disposition of the
 * second from the test. */
typedef struct
{
  RackPart root, text, file;
} Structure;

static void
link_structure (Structure *made)
{
  made->root.child = &made->text;
  made->text.next = &made->file;
  made->text.parent = made->file.parent = &made->root;
  made->text.position = 1;
  made->file.position = 2;
}

static Structure *
structure_new (void)
{
  static const RackPair charset[] = { { STR ("CHARSET"), STR ("ISO-8859-1") } };
  Structure *made = g_new0 (Structure, 1);
  made->root = (RackPart){ .multipart = TRUE, .type = STR ("multipart"), .subtype = STR ("MIXED") };
  made->text = (RackPart){ .type = STR ("TEXT"),
                           .subtype = STR ("PLAIN"),
                           .params = { charset, 1 },
                           .encoding = STR ("QUOTED-PRINTABLE"),
                           .size = 100 };
  made->file = (RackPart){ .type = STR ("APPLICATION"),
                           .subtype = STR ("PDF"),
                           .id = STR ("<id@x>"),
                           .encoding = STR ("BASE64"),
                           .size = 1000,
                           .disposition = STR ("Attachment") };
  link_structure (made);
  return made;
}

static void
test_structure (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree Structure *made = structure_new ();
  guint n;
  open_mirror ();
  fake_structure (inbox, 1, &made->root);
  g_assert_null (rack_folder_parts_known (folder, row, 1));
  g_autoptr (RackParts) parts = rack_folder_parts (folder, row, 1, NULL, &error);
  g_assert_no_error (error);
  const RackPartFacts *items = rack_parts_items (parts, &n);
  g_assert_cmpuint (n, ==, 3);
  g_assert_true (items[0].multipart);
  g_assert_cmpstr (items[0].section, ==, "");
  g_assert_cmpstr (items[0].subtype, ==, "mixed");
  g_assert_cmpstr (items[1].section, ==, "1");
  g_assert_cmpstr (items[1].type, ==, "text");
  g_assert_cmpstr (items[1].charset, ==, "iso-8859-1");
  g_assert_cmpstr (items[1].encoding, ==, "quoted-printable");
  g_assert_cmpuint (items[1].depth, ==, 1);
  g_assert_null (items[1].name);
  g_assert_cmpstr (items[2].section, ==, "2");
  g_assert_cmpstr (items[2].disposition, ==, "attachment");
  g_assert_cmpstr (items[2].content_id, ==, "id@x");
  g_assert_cmpuint (items[2].size, ==, 1000);

  /* Once is enough, also when the server is gone. */
  fake_offline (TRUE);
  g_autoptr (RackParts) again = rack_folder_parts (folder, row, 1, NULL, &error);
  g_autoptr (RackParts) known = rack_folder_parts_known (folder, row, 1);
  g_assert_true (again == parts && known == parts);
  g_assert_cmpuint (fake_count (FAKE_PARTS), ==, 1);
  close_mirror ();
}

static void
test_no_structure (void)
{
  g_autoptr (GError) error = NULL;
  open_mirror ();
  g_assert_null (rack_folder_parts (folder, row, 99, NULL, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND);
  g_clear_error (&error);
  fake_offline (TRUE);
  g_assert_null (rack_folder_parts (folder, row, 2, NULL, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_NETWORK);
  close_mirror ();
}

static void
check_name (const RackPair *params, guint n, gboolean of_disposition, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree Structure *made = structure_new ();
  guint count;
  RackPairs pairs = { params, n };
  if (of_disposition)
    made->file.disposition_params = pairs;
  else
    made->file.params = pairs;
  open_mirror ();
  fake_structure (inbox, 1, &made->root);
  {
    g_autoptr (RackParts) parts = rack_folder_parts (folder, row, 1, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (rack_parts_items (parts, &count)[2].name, ==, expected);
  }
  close_mirror ();
}

static void
test_names (void)
{
  const RackPair plain[] = { { STR ("FILENAME"), STR ("Q4 \"final\".pdf") } };
  const RackPair named[] = { { STR ("x"), STR ("y") }, { STR ("NAME"), STR ("old.pdf") } };
  const RackPair words[] = { { STR ("filename"), STR ("=?utf-8?q?Entw=C3=BCrfe=2Epdf?=") } };
  const RackPair extended[] = { { STR ("filename*"), STR ("UTF-8''%e2%82%ac%20rates.pdf") } };
  const RackPair latin[] = { { STR ("FILENAME*"), STR ("iso-8859-1'de'gr%FC%DFe.pdf") } };
  const RackPair pieces[] = { { STR ("filename*0*"), STR ("utf-8''%C3%A4") },
                              { STR ("filename*1"), STR ("b c") },
                              { STR ("filename*2*"), STR ("%2Epdf") } };
  const RackPair joined[] = { { STR ("FILENAME*"), STR ("utf-8''%C3%A4b c;(d)%2Epdf") } };
  const RackPair both[] = { { STR ("filename"), STR ("EUR.pdf") },
                            { STR ("filename*"), STR ("UTF-8''%e2%82%ac.pdf") } };
  const RackPair bytes[] = { { STR ("filename"), STR ("a\xff\x01z") } };
  const RackPair nothing[] = { { STR ("filename"), STR ("") } };
  check_name (plain, 1, TRUE, "Q4 \"final\".pdf");
  check_name (named, 2, FALSE, "old.pdf");
  check_name (words, 1, TRUE, "Entwürfe.pdf");
  check_name (extended, 1, TRUE, "€ rates.pdf");
  check_name (latin, 1, TRUE, "grüße.pdf");
  check_name (pieces, 3, TRUE, "äb c.pdf");
  check_name (joined, 1, TRUE, "äb c;(d).pdf");
  check_name (nothing, 1, TRUE, NULL);
  /* Both are meant to be the same name. */
  g_autoptr (GError) error = NULL;
  g_autofree Structure *made = structure_new ();
  guint count;
  made->file.disposition_params = (RackPairs){ both, 2 };
  made->text.disposition_params = (RackPairs){ bytes, 1 };
  open_mirror ();
  fake_structure (inbox, 1, &made->root);
  {
    g_autoptr (RackParts) parts = rack_folder_parts (folder, row, 1, NULL, &error);
    const RackPartFacts *items = rack_parts_items (parts, &count);
    g_assert_true (g_str_has_suffix (items[2].name, ".pdf"));
    g_assert_true (g_utf8_validate (items[1].name, -1, NULL));
    g_assert_null (strchr (items[1].name, '\x01'));
  }
  close_mirror ();
}

/* ---- Roles and files --------------------------------------------------------------------- */

/* A tree of parts, built in their order. */
typedef struct
{
  RackPart parts[32];
  RackPair params[32];
  guint n;
} Tree;

static guint
add (Tree *tree, int holder, const char *type, const char *disposition, const char *name)
{
  guint i = tree->n++;
  RackPart *part = &tree->parts[i];
  const char *slash = strchr (type, '/');
  part->type = (RackStr){ type, (gsize) (slash - type) };
  part->subtype = (RackStr){ slash + 1, strlen (slash + 1) };
  part->multipart = g_str_has_prefix (type, "multipart/");
  if (disposition != NULL)
    part->disposition = (RackStr){ disposition, strlen (disposition) };
  if (name != NULL)
    {
      tree->params[i] = (RackPair){ STR ("NAME"), { name, strlen (name) } };
      part->params = (RackPairs){ &tree->params[i], 1 };
    }
  if (holder < 0)
    return i;
  part->parent = &tree->parts[holder];
  part->position = 1;
  const RackPart **link = &tree->parts[holder].child;
  for (; *link != NULL; link = &((RackPart *) *link)->next)
    part->position++;
  *link = part;
  return i;
}

static void
check_tree (const Tree *tree, const char *expected)
{
  g_autoptr (RackParts) parts = rack_parts_new (&tree->parts[0], NULL);
  g_autoptr (GString) found = g_string_new (NULL);
  guint n;
  const RackPartFacts *items = rack_parts_items (parts, &n);
  for (guint i = 0; i < n; i++)
    {
      g_string_append (found, i > 0 ? " | " : "");
      switch (items[i].role)
        {
        case RACK_PART_HOLDER:
          g_string_append (found, "holder");
          break;
        case RACK_PART_PLAIN:
          g_string_append (found, "plain");
          break;
        case RACK_PART_HTML:
          g_string_append (found, "html");
          break;
        case RACK_PART_INNER:
          g_string_append (found, "inner");
          break;
        case RACK_PART_FILE:
          g_string_append (found, items[i].file);
          break;
        }
      g_assert_true ((items[i].file != NULL) == (items[i].role == RACK_PART_FILE));
    }
  g_assert_cmpstr (found->str, ==, expected);
}

static void
test_roles (void)
{
  Tree one = { .n = 0 }, mixed = { .n = 0 }, named = { .n = 0 }, message = { .n = 0 };
  add (&one, -1, "application/pdf", NULL, "whole.pdf");
  check_tree (&one, "whole.pdf");

  add (&mixed, -1, "multipart/mixed", NULL, NULL);
  guint choice = add (&mixed, 0, "multipart/alternative", NULL, NULL);
  add (&mixed, (int) choice, "TEXT/PLAIN", NULL, NULL);
  add (&mixed, (int) choice, "TEXT/HTML", "inline", "mail.html");
  add (&mixed, (int) choice, "text/calendar", NULL, NULL);
  add (&mixed, 0, "text/plain", "inline", NULL);
  add (&mixed, 0, "text/plain", "attachment", "log.txt");
  check_tree (&mixed, "holder | holder | plain | html | part-1.3.ics | part-2.txt | log.txt");

  /* A file of text that nobody calls attached, before the text that is meant to be read. */
  add (&named, -1, "multipart/mixed", NULL, NULL);
  add (&named, 0, "text/html", "inline", "page.html");
  add (&named, 0, "text/plain", "inline", "log.txt");
  add (&named, 0, "text/plain", NULL, NULL);
  check_tree (&named, "holder | html | log.txt | plain");

  add (&message, -1, "multipart/mixed", NULL, NULL);
  guint inner = add (&message, 0, "message/rfc822", NULL, NULL);
  guint within = add (&message, (int) inner, "multipart/mixed", NULL, NULL);
  add (&message, (int) within, "text/plain", NULL, NULL);
  add (&message, (int) within, "application/pdf", "attachment", "a.pdf");
  add (&message, 0, "text/plain", NULL, NULL);
  check_tree (&message, "holder | part-1.eml | inner | inner | inner | plain");
}

static void
test_files_of_one_name (void)
{
  Tree tree = { .n = 0 };
  add (&tree, -1, "multipart/mixed", NULL, NULL);
  add (&tree, 0, "image/png", NULL, "a (2).png");
  add (&tree, 0, "image/png", NULL, "a.png");
  add (&tree, 0, "image/png", NULL, "a.png");
  add (&tree, 0, "image/png", NULL, "a.png");
  add (&tree, 0, "image/png", NULL, "a (3).png");
  add (&tree, 0, "image/png", NULL, NULL);
  add (&tree, 0, "image/png", NULL, "part-6.png");
  check_tree (&tree, "holder | a (2).png | a.png | a (3).png | a (4).png | a (3) (2).png"
                     " | part-6.png | part-6 (2).png");
}

/* ---- Octets ------------------------------------------------------------------------------ */

static void
check_part (const char *section, RackPartForm form, const char *expected)
{
  g_autoptr (GError) error = NULL;
  guint64 size, offset, total;
  g_autoptr (RackBody) body = rack_folder_part (folder, row, 1, section, form);
  rack_body_want (body);
  g_assert_true (rack_body_wait_size (body, &size, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (rack_body_wait (body, G_MAXUINT64, NULL, &error));
  int fd = rack_body_file (body, &offset, &total);
  g_assert_cmpuint (total, ==, size);
  g_autofree char *octets = g_malloc (size + 1);
  g_assert_cmpint (pread (fd, octets, size, (off_t) offset), ==, (gssize) size);
  g_assert_cmpmem (octets, size, expected, strlen (expected));
}

static char *
long_text (gsize size)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; text->len < size; i++)
    g_string_append_printf (text, "line %u\n", i);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
encode (const char *text)
{
  g_autofree char *plain = g_base64_encode ((const guchar *) text, strlen (text));
  g_autoptr (GString) folded = g_string_new (NULL);
  for (const char *at = plain; *at != '\0'; at += strnlen (at, 76))
    g_string_append_printf (folded, "%.76s\r\n", at);
  return g_string_free (g_steal_pointer (&folded), FALSE);
}

static void
test_base64 (void)
{
  g_autofree Structure *made = structure_new ();
  g_autofree char *text = long_text (200000);
  g_autofree char *encoded = encode (text);
  open_mirror ();
  fake_structure (inbox, 1, &made->root);
  fake_section (inbox, 1, "2", encoded, FALSE);
  check_part ("2", RACK_PART_DECODED, text);
  check_part ("2", RACK_PART_AS_SENT, encoded);
  check_part ("2", RACK_PART_DECODED, text); /* kept */
  g_assert_cmpuint (fake_count (FAKE_READ), ==, 2);
  close_mirror ();
}

static void
test_broken_base64 (void)
{
  static const char *const pairs[][2] = {
    { "YWJjZA", "abcd" },  { "YWJjZGU", "abcde" }, { "YWJjZGU=", "abcde" },
    { "YWJjZA=", "abcd" }, { "YWJj*ZA", "abcd" },  { "\r\n\r\n", "" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autofree Structure *made = structure_new ();
      open_mirror ();
      fake_structure (inbox, 1, &made->root);
      made->file.size = 2;
      fake_section (inbox, 1, "2", pairs[i][0], FALSE);
      check_part ("2", RACK_PART_DECODED, pairs[i][1]);
      close_mirror ();
    }
}

/* A server that gives the empty string for what it announced, and one that is only wrong when it
 * decodes. */
static void
test_nothing_came (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree Structure *made = structure_new ();
  guint64 size;
  open_mirror ();
  fake_structure (inbox, 1, &made->root);
  fake_section (inbox, 1, "1", "", FALSE);
  g_autoptr (RackBody) body = rack_folder_part (folder, row, 1, "1", RACK_PART_TEXT);
  g_assert_false (rack_body_wait_size (body, &size, NULL, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL);
  g_clear_pointer (&body, rack_body_unref);
  fake_section (inbox, 1, "2", "YWJj", FALSE);
  fake_section (inbox, 1, "2", "", TRUE);
  check_part ("2", RACK_PART_DECODED, "abc");
  close_mirror ();
}

/* It would decode all of what is in it too. */
static void
test_a_message_within_is_not_decoded_by_the_server (void)
{
  g_autofree Structure *made = structure_new ();
  open_mirror ();
  made->file.type = (RackStr) STR ("MESSAGE");
  made->file.subtype = (RackStr) STR ("RFC822");
  fake_structure (inbox, 1, &made->root);
  fake_section (inbox, 1, "2", "U3ViamVjdDogeA0KDQo=", FALSE);
  fake_section (inbox, 1, "2", "Subject: wrong", TRUE);
  check_part ("2", RACK_PART_DECODED, "Subject: x\r\n\r\n");
  close_mirror ();
}

static void
test_decoded_by_the_server (void)
{
  g_autofree Structure *made = structure_new ();
  open_mirror ();
  fake_structure (inbox, 1, &made->root);
  fake_section (inbox, 1, "2", "d3Jvbmc=", FALSE);
  fake_section (inbox, 1, "2", "d3Jvbmc= is not decoded again", TRUE);
  check_part ("2", RACK_PART_DECODED, "d3Jvbmc= is not decoded again");
  close_mirror ();
}

static void
test_text (void)
{
  g_autofree Structure *made = structure_new ();
  open_mirror ();
  fake_structure (inbox, 1, &made->root);
  fake_section (inbox, 1, "1", "Gr=FC=DFe,=\r\n Alice\r\n", FALSE);
  check_part ("1", RACK_PART_TEXT, "Grüße, Alice\n");
  check_part ("1", RACK_PART_DECODED,
              "Gr\xfc\xdf"
              "e, Alice\n");
  close_mirror ();
}

/* A charset nobody knows, and one whose octets grow most. */
static void
test_charsets (void)
{
  static const RackPair odd[] = { { STR ("charset"), STR ("x-nobody") } };
  static const RackPair thai[] = { { STR ("charset"), STR ("TIS-620") } };
  g_autofree Structure *made = structure_new ();
  g_autofree char *many = g_strnfill (100000, '\xa1');
  g_autoptr (GString) expected = g_string_new (NULL);
  for (guint i = 0; i < 100000; i++)
    g_string_append (expected, "\xe0\xb8\x81");
  made->text.encoding = (RackStr) STR ("8bit");
  made->text.params = (RackPairs){ odd, 1 };
  made->file = made->text;
  made->file.params = (RackPairs){ thai, 1 };
  link_structure (made);
  made->file.next = NULL;
  open_mirror ();
  fake_structure (inbox, 1, &made->root);
  fake_section (inbox, 1, "1", "\xa1 as it came\r\n", FALSE);
  fake_section (inbox, 1, "2", many, FALSE);
  check_part ("1", RACK_PART_TEXT, "\xa1 as it came\n");
  check_part ("2", RACK_PART_TEXT, expected->str);
  close_mirror ();
}

static void
test_cut_in_the_middle (void)
{
  g_autofree Structure *made = structure_new ();
  g_autofree char *text = long_text (100000);
  g_autofree char *encoded = encode (text);
  open_mirror ();
  fake_structure (inbox, 1, &made->root);
  fake_section (inbox, 1, "2", encoded, FALSE);
  fake_break_next_read ();
  check_part ("2", RACK_PART_DECODED, text);
  g_assert_cmpuint (fake_count (FAKE_READ), ==, 2);
  close_mirror ();
}

static void
test_sections (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree Structure *made = structure_new ();
  guint64 size;
  open_mirror ();
  fake_structure (inbox, 1, &made->root);
  fake_section (inbox, 1, "HEADER", "Subject: s\r\n\r\n", FALSE);
  check_part ("HEADER", RACK_PART_AS_SENT, "Subject: s\r\n\r\n");
  /* What would be another command is no section. */
  g_assert_null (rack_folder_part (folder, row, 1, "1] BODY[2", RACK_PART_AS_SENT));
  g_assert_null (rack_folder_part (folder, row, 1, "", RACK_PART_AS_SENT));
  g_assert_null (rack_folder_part (folder, row, 1, "1\r\n", RACK_PART_AS_SENT));
  g_assert_null (rack_folder_part (folder, row + 1, 1, "1", RACK_PART_AS_SENT));
  g_autoptr (RackBody) none = rack_folder_part (folder, row, 1, "7", RACK_PART_DECODED);
  g_assert_false (rack_body_wait_size (none, &size, NULL, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND);
  g_clear_pointer (&none, rack_body_unref);
  close_mirror ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/parts/structure", test_structure);
  g_test_add_func ("/parts/no-structure", test_no_structure);
  g_test_add_func ("/parts/names", test_names);
  g_test_add_func ("/parts/roles", test_roles);
  g_test_add_func ("/parts/files-of-one-name", test_files_of_one_name);
  g_test_add_func ("/parts/base64", test_base64);
  g_test_add_func ("/parts/broken-base64", test_broken_base64);
  g_test_add_func ("/parts/nothing-came", test_nothing_came);
  g_test_add_func ("/parts/a-message-within", test_a_message_within_is_not_decoded_by_the_server);
  g_test_add_func ("/parts/decoded-by-the-server", test_decoded_by_the_server);
  g_test_add_func ("/parts/text", test_text);
  g_test_add_func ("/parts/charsets", test_charsets);
  g_test_add_func ("/parts/cut-in-the-middle", test_cut_in_the_middle);
  g_test_add_func ("/parts/sections", test_sections);
  return g_test_run ();
}
