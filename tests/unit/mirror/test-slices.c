/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-slices.c - the parts of messages in their octets, and structures as they are kept */
#include "parts.h"
#include "slices.h"

#include <string.h>

static RackStr
octets_of (const char *text)
{
  return (RackStr){ text, strlen (text) };
}

/* Each part as "SECTION TYPE/SUBTYPE ENCODING [octets]", a line each. */
static void
describe (const RackSlices *slices, const RackPart *part, GString *text)
{
  char section[256];
  const RackPart *found;
  rack_part_section (part, section, sizeof section);
  RackStr body = rack_slices_find (slices, section, &found);
  g_string_append_printf (text, "%s %.*s/%.*s %.*s", *section != '\0' ? section : "-",
                          (int) part->type.size, part->type.data, (int) part->subtype.size,
                          part->subtype.data, (int) part->encoding.size, part->encoding.data);
  if (part->child == NULL)
    {
      g_assert_true (found == part);
      g_assert_cmpuint (body.size, ==, part->size);
      g_string_append_printf (text, " [%.*s]", (int) body.size, body.data);
    }
  g_string_append_c (text, '\n');
  for (const RackPart *child = part->child; child != NULL; child = child->next)
    {
      g_assert_true (child->parent == part);
      describe (slices, child, text);
    }
}

static void
check (const char *message, const char *expected)
{
  g_autoptr (RackSlices) slices = rack_slices_new (octets_of (message));
  g_autoptr (GString) text = g_string_new (NULL);
  describe (slices, rack_slices_root (slices), text);
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_single (void)
{
  const RackPart *part;
  check ("Subject: x\r\n\r\nhello\r\n", "1 text/plain 7bit [hello\r\n]\n");
  check ("Content-type: IMAGE / png (a \\) comment); name=x\r\n"
         "CONTENT-TRANSFER-ENCODING:\r\n base64 (so)\r\n\r\nYWJj\r\n",
         "1 IMAGE/png base64 [YWJj\r\n]\n");
  check ("Content-Type: nonsense\nSubject: x\n\nhello\n", "1 text/plain 7bit [hello\n]\n");
  check ("Subject: only a header\r\n", "1 text/plain 7bit []\n");
  check ("\r\nno header", "1 text/plain 7bit [no header]\n");
  check ("", "1 text/plain 7bit []\n");
  /* A multipart that nobody can take apart. */
  check ("Content-Type: multipart/mixed\r\n\r\n--x\r\n", "1 multipart/mixed 7bit [--x\r\n]\n");

  g_autoptr (RackSlices) slices = rack_slices_new (octets_of ("A: b\r\n c\r\n\r\nd"));
  RackStr header = rack_slices_find (slices, "HEADER", &part);
  g_assert_cmpmem (header.data, header.size, "A: b\r\n c\r\n\r\n", 12);
  g_assert_null (part);
  g_assert_null (rack_slices_find (slices, "2", &part).data);
  g_assert_null (rack_slices_find (slices, "1.1", &part).data);
  g_assert_null (rack_slices_find (slices, "HEADER.FIELDS", &part).data);
}

#define MIXED "Content-Type: multipart/mixed; charset=x; boundary=\"=b\\\"\"\r\n\r\n"

static void
test_multipart (void)
{
  check (MIXED "preamble\r\n--=b\"x\r\n--=b\" \t\r\n\r\none\r\n--=b\"\r\n"
               "Content-Type: text/html\r\n\r\ntwo\r\n\r\n--=b\"--\r\nepilogue\r\n--=b\"\r\n\r\nno",
         "- multipart/mixed 7bit\n1 text/plain 7bit [one]\n2 text/html 7bit [two\r\n]\n");
  /* Lines that end in LF; one part without a header, one without anything, and no end. */
  check ("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\n--b\nX: y\n\nthree\n",
         "- multipart/mixed 7bit\n1 text/plain 7bit [one]\n2 text/plain 7bit []\n"
         "3 text/plain 7bit [three\n]\n");
}

static void
test_nested (void)
{
  check ("Content-Type: multipart/mixed; boundary=b\r\n\r\n"
         "--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n"
         "--bb\r\n\r\nplain\r\n--bb\r\nContent-Type: text/html\r\n\r\nhtml\r\n--bb--\r\n"
         "--b\r\nContent-Type: message/rfc822\r\n\r\n"
         "Subject: in\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
         "--i\r\n\r\nwithin\r\n--i--\r\n"
         "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: text\r\n\r\nonly\r\n"
         "--b--\r\n",
         "- multipart/mixed 7bit\n1 multipart/alternative 7bit\n1.1 text/plain 7bit [plain]\n"
         "1.2 text/html 7bit [html]\n2 message/rfc822 7bit\n2 multipart/mixed 7bit\n"
         "2.1 text/plain 7bit [within]\n3 message/rfc822 7bit\n3.1 text/plain 7bit [only]\n");
  /* What is not said is a message in a digest. The inner one breaks off where the outer goes on. */
  check ("Content-Type: multipart/mixed; boundary=b\r\n\r\n"
         "--b\r\nContent-Type: multipart/digest; boundary=d\r\n\r\n"
         "--d\r\n\r\nSubject: x\r\n\r\nfirst\r\n"
         "--b\r\n\r\nlast\r\n--b--\r\n",
         "- multipart/mixed 7bit\n1 multipart/digest 7bit\n1.1 message/rfc822 7bit\n"
         "1.1.1 text/plain 7bit [first]\n2 text/plain 7bit [last]\n");
}

/* More of everything than anybody keeps. */
static void
test_excess (void)
{
  g_autoptr (GString) deep = g_string_new (NULL);
  g_autoptr (GString) wide = g_string_new ("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
  for (guint i = 0; i < 500; i++)
    g_string_append_printf (
        deep, "Content-Type: multipart/mixed; boundary=b%u-%s\r\n\r\n--b%u-%s\r\n", i, "x", i, "x");
  for (guint i = 0; i < 10000; i++)
    g_string_append (wide, "--b\r\n\r\n");
  for (guint i = 0; i < 2; i++)
    {
      RackStr octets =
          i == 0 ? (RackStr){ deep->str, deep->len } : (RackStr){ wide->str, wide->len };
      g_autoptr (RackSlices) slices = rack_slices_new (octets);
      g_autoptr (RackParts) parts = rack_parts_new (rack_slices_root (slices), NULL);
      guint n;
      rack_parts_items (parts, &n);
      g_assert_cmpuint (n, >, 10);
      g_assert_cmpuint (n, <=, 2000);
    }
}

/* ---- Kept structures --------------------------------------------------------------------- */

static RackParts *
parts_of (const char *message)
{
  g_autoptr (RackSlices) slices = rack_slices_new (octets_of (message));
  return rack_parts_new (rack_slices_root (slices), NULL);
}

static const char message[] =
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain; charset=ISO-8859-1\r\n\r\nplain\r\n"
    "--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename*=utf-8''%C3%A4.pdf\r\nContent-ID: <i@d>\r\n\r\n"
    "YWJj\r\n--b--\r\n";

static void
test_kept (void)
{
  guint n, again;
  g_autoptr (RackParts) parts = parts_of (message);
  RackPartFacts *items = (RackPartFacts *) rack_parts_items (parts, &n);
  parts->has_details = TRUE;
  parts->details.subject = g_strdup ("s");
  g_autoptr (GBytes) frozen = rack_parts_freeze (parts);
  g_autoptr (RackParts) thawed = rack_parts_thaw (frozen);
  const RackPartFacts *found = rack_parts_items (thawed, &again);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (again, ==, 3);
  for (guint i = 0; i < n; i++)
    {
      g_assert_cmpstr (found[i].section, ==, items[i].section);
      g_assert_cmpstr (found[i].type, ==, items[i].type);
      g_assert_cmpstr (found[i].subtype, ==, items[i].subtype);
      g_assert_cmpstr (found[i].charset, ==, items[i].charset);
      g_assert_cmpstr (found[i].encoding, ==, items[i].encoding);
      g_assert_cmpstr (found[i].name, ==, items[i].name);
      g_assert_cmpstr (found[i].disposition, ==, items[i].disposition);
      g_assert_cmpstr (found[i].content_id, ==, items[i].content_id);
      g_assert_cmpuint (found[i].size, ==, items[i].size);
      g_assert_cmpuint (found[i].depth, ==, items[i].depth);
      g_assert_cmpint (found[i].multipart, ==, items[i].multipart);
      g_assert_cmpint (found[i].role, ==, items[i].role);
      g_assert_cmpstr (found[i].file, ==, items[i].file);
    }
  g_assert_cmpstr (found[2].file, ==, "ä.pdf");
  g_assert_cmpstr (rack_parts_details (thawed)->subject, ==, "s");
  g_assert_null (rack_parts_details (thawed)->message_id);

  /* A tree that cannot be one. */
  items[1].depth = 2;
  g_autoptr (GBytes) wrong = rack_parts_freeze (parts);
  g_assert_null (rack_parts_thaw (wrong));
}

/* A disk that lies: what is believed is still a structure. */
static void
test_kept_badly (void)
{
  g_autoptr (RackParts) parts = parts_of (message);
  g_autoptr (GBytes) frozen = rack_parts_freeze (parts);
  gsize size;
  const char *octets = g_bytes_get_data (frozen, &size);
  guint refused = 0;
  for (gsize i = 0; i <= 8 * size; i++)
    {
      g_autofree char *copy = g_memdup2 (octets, size);
      if (i < 8 * size)
        copy[i / 8] ^= (char) (1 << i % 8);
      g_autoptr (GBytes) damaged = g_bytes_new (copy, i < 8 * size ? size : size / 2);
      g_autoptr (RackParts) found = rack_parts_thaw (damaged);
      guint n = 1;
      refused += found == NULL;
      for (guint p = 0; found != NULL && p < n; p++)
        g_assert_true (g_utf8_validate (rack_parts_items (found, &n)[p].section, -1, NULL));
    }
  g_assert_cmpuint (refused, >, 0);
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  g_assert_null (rack_parts_thaw (nothing));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slices/single", test_single);
  g_test_add_func ("/slices/multipart", test_multipart);
  g_test_add_func ("/slices/nested", test_nested);
  g_test_add_func ("/slices/excess", test_excess);
  g_test_add_func ("/parts/kept", test_kept);
  g_test_add_func ("/parts/kept-badly", test_kept_badly);
  return g_test_run ();
}
