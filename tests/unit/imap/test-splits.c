/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-splits.c - bytes into responses, however they arrive: each stream whole, cut at
 * every octet, and octet by octet */
#include "imap-test.h"

static void
check_limits (RackStr stream, const RackFramerLimits *limits, const char *expected)
{
  g_autofree char *frames = imap_frames (stream, NULL, 0, limits);

  g_assert_cmpstr (frames, ==, expected);
  imap_check_splits (stream, limits);
}

static void
check (RackStr stream, const char *expected)
{
  check_limits (stream, NULL, expected);
}

static const RackFramerLimits small = {
  .max_line = 100, .max_data = 200, .max_inline = 4, .max_response = 150
};

static void
test_lines (void)
{
  check (STR ("* OK hi\r\na1 OK\r\n"), "R<* OK hi\r\n>\nR<a1 OK\r\n>\n");
  check (STR ("* OK bare\n+ \n"), "R<* OK bare\n>\nR<+ \n>\n");
  check (STR ("\r\n"), "R<\r\n>\n");
  check (STR ("* OK \r in the middle\r\n"), "R<* OK \r in the middle\r\n>\n");
  check (STR ("* OK not yet"), "");
}

static void
test_literals (void)
{
  check (STR ("* 1 FETCH (BODY[] {3}\r\na\nb)\r\n"), "R<* 1 FETCH (BODY[] {3}\r\na\nb)\r\n>\n");
  check (STR ("* X {0}\r\n{0}\r\n\r\n* OK\r\n"), "R<* X {0}\r\n{0}\r\n\r\n>\nR<* OK\r\n>\n");
  check (STR ("* X ~{4}\r\n\r\n\r\n {2+}\r\nab\r\n"), "R<* X ~{4}\r\n\r\n\r\n {2+}\r\nab\r\n>\n");
  check (STR ("* LIST () \"/\" {3}\na b\n"), "R<* LIST () \"/\" {3}\na b\n>\n");
}

/* What is in a status text is text. */
static void
test_no_literals (void)
{
  check (STR ("* OK see {5}\r\n* NO\r\n"), "R<* OK see {5}\r\n>\nR<* NO\r\n>\n");
  check (STR ("a1 BAD {5}\r\n+ {5}\r\n"), "R<a1 BAD {5}\r\n>\nR<+ {5}\r\n>\n");
  check (STR ("* BYE {99999999999999999999}\r\n"), "R<* BYE {99999999999999999999}\r\n>\n");
  check (STR ("* PREAUTH {5}\r\n* [ALERT] {5}\r\n"),
         "R<* PREAUTH {5}\r\n>\nR<* [ALERT] {5}\r\n>\n");
  check (STR ("* X {name}\r\n* X \"{5}\"\r\n"), "R<* X {name}\r\n>\nR<* X \"{5}\"\r\n>\n");
}

static void
test_impossible_literals (void)
{
  static const char *const sizes[] = { "{-1}",
                                       "{}",
                                       "{0x10}",
                                       "{+}",
                                       "{18446744073709551615}",
                                       "{99999999999999999999}",
                                       "{1 }",
                                       "{9223372036854775808}" };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *stream = g_strdup_printf ("* X %s\r\nabc\r\n", sizes[i]);
      check ((RackStr){ stream, strlen (stream) }, "BAD a literal of impossible size is announced");
    }
  /* Announced, and refused before it comes: nothing is allocated for a promise. */
  check_limits (STR ("* X {4294967295}\r\n"), NULL,
                "H4294967295<* X {4294967295}\r\n>\nL<"
                "BAD a literal is larger than the limit for what is kept in memory");
}

static void
test_streamed (void)
{
  check_limits (STR ("* 1 FETCH (BODY[] {6}\r\nab\r\ncd UID 5)\r\n* OK\r\n"), &small,
                "H6<* 1 FETCH (BODY[] {6}\r\n>\nL<ab\r\ncd"
                "R<* 1 FETCH (BODY[] \x01"
                "6}\r\n UID 5)\r\n>\nR<* OK\r\n>\n");
  /* Two in one response, an inline one between them. */
  check_limits (STR ("* 1 FETCH (A {6}\r\n123456 B {3}\r\nxyz C {8}\r\n12345678)\r\n"), &small,
                "H6<* 1 FETCH (A {6}\r\n>\nL<123456"
                "H8<* 1 FETCH (A \x01"
                "6}\r\n B {3}\r\nxyz C {8}\r\n>\nL<12345678"
                "R<* 1 FETCH (A \x01"
                "6}\r\n B {3}\r\nxyz C \x01"
                "8}\r\n)\r\n>\n");
  /* Of odd size: imap_frames() lets the framer keep it. */
  check_limits (STR ("* X {5}\r\n12345\r\n"), &small,
                "H5<* X {5}\r\n>\nL<R<* X {5}\r\n12345\r\n>\n");
}

static void
test_limits (void)
{
  g_autofree char *longest = g_strnfill (97, 'x');
  g_autofree char *line = g_strdup_printf ("a %s\n", longest);
  g_autofree char *over = g_strdup_printf ("a %sx\n", longest);
  g_autofree char *fetch = g_strdup_printf ("* 7 FETCH (%s%.80s)\r\n", longest, longest);
  g_autofree char *far = g_strdup_printf ("* FETCH %s%s\r\n", longest, longest);
  g_autofree char *frames = imap_frames ((RackStr){ line, strlen (line) }, NULL, 0, &small);

  g_assert_true (g_str_has_prefix (frames, "R<a xxx"));
  imap_check_splits ((RackStr){ line, strlen (line) }, &small);
  check_limits ((RackStr){ over, strlen (over) }, &small,
                "BAD a line is longer than any that makes sense");
  g_autofree char *data = imap_frames ((RackStr){ fetch, strlen (fetch) }, NULL, 0, &small);
  g_assert_true (g_str_has_prefix (data, "R<* 7 FETCH"));
  imap_check_splits ((RackStr){ fetch, strlen (fetch) }, &small);
  check_limits ((RackStr){ far, strlen (far) }, &small,
                "BAD a line is longer than any that makes sense");
  check_limits (STR ("* X {149}\r\n"), &small,
                "H149<* X {149}\r\n>\nL<"
                "BAD a literal is larger than the limit for what is kept in memory");
}

/* 200,000 empty literals in a row: each must cost the same. */
static void
test_many_literals (void)
{
  g_autoptr (GString) stream = g_string_new ("* 1 FETCH (");
  RackFramer *framer = rack_framer_new (NULL);
  RackFrame frame;

  for (guint i = 0; i < 200000; i++)
    g_string_append (stream, "X {0}\r\n ");
  g_string_append (stream, ")\r\n");
  for (gsize at = 0; at < stream->len;)
    {
      gsize room, now;
      void *space = rack_framer_space (framer, &room);
      now = MIN (MIN (room, 1000), stream->len - at);
      memcpy (space, stream->str + at, now);
      rack_framer_filled (framer, now);
      at += now;
      frame = rack_framer_next (framer);
      g_assert_cmpint (frame.kind, ==, at < stream->len ? RACK_FRAME_MORE : RACK_FRAME_RESPONSE);
    }
  RackResponse response;
  g_assert_true (rack_response_parse (frame.bytes, test_arena, &response, NULL));
  g_assert_cmpuint (response.message.n_items, ==, 200000);
  rack_framer_free (framer);
}

/* A frame that somebody keeps stays as it was, whatever is read afterwards. */
static void
test_kept_frame (void)
{
  RackFramer *framer = rack_framer_new (NULL);
  RackBlock *kept[50] = { NULL };
  RackStr bytes[50];
  guint n = 0;

  for (guint i = 0; i < 20000; i++)
    {
      gsize room;
      char *space = rack_framer_space (framer, &room);
      gsize size = (gsize) g_snprintf (space, room, "* %u EXISTS and some more\r\n* OK", i);
      rack_framer_filled (framer, size);
      RackFrame frame = rack_framer_next (framer);
      g_assert_cmpint (frame.kind, ==, RACK_FRAME_RESPONSE);
      if (i % 400 == 0)
        {
          kept[n] = rack_block_ref (frame.block);
          bytes[n++] = frame.bytes;
        }
      g_assert_true (rack_framer_in_response (framer));
      g_assert_cmpuint (rack_framer_pending (framer), ==, 4);
      space = rack_framer_space (framer, &room);
      memcpy (space, "\r\n", 2);
      rack_framer_filled (framer, 2);
      g_assert_cmpint (rack_framer_next (framer).kind, ==, RACK_FRAME_RESPONSE);
      g_assert_false (rack_framer_in_response (framer));
    }
  rack_framer_free (framer);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *expected = g_strdup_printf ("* %u EXISTS and some more\r\n", i * 400);
      assert_str (bytes[i], expected);
      rack_block_unref (kept[i]);
    }
}

/* A piece of a streamed literal may be as long as the line before it, and space may be asked for
 * between two pieces. */
static void
test_piece_sizes (void)
{
  static const char head[] = "* 1 FETCH (BODY[] {40}\r\n";
  RackFramer *framer = rack_framer_new (&small);
  gsize room, total = 0;

  memcpy (rack_framer_space (framer, &room), head, sizeof head - 1);
  rack_framer_filled (framer, sizeof head - 1);
  g_assert_cmpint (rack_framer_next (framer).kind, ==, RACK_FRAME_HEAD);
  rack_framer_stream (framer);
  memset (rack_framer_space (framer, &room), 'a', sizeof head - 1);
  rack_framer_filled (framer, sizeof head - 1);
  RackFrame frame = rack_framer_next (framer);
  g_assert_cmpint (frame.kind, ==, RACK_FRAME_LITERAL);
  total += frame.bytes.size;
  char *space = rack_framer_space (framer, &room);
  g_snprintf (space, room, "%.*s)\r\n", (int) (40 - total), "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
  rack_framer_filled (framer, 40 - total + 3);
  frame = rack_framer_next (framer);
  g_assert_cmpint (frame.kind, ==, RACK_FRAME_LITERAL);
  g_assert_cmpuint (frame.bytes.size, ==, 40 - total);
  g_assert_cmpint (frame.bytes.data[0], ==, 'b');
  g_assert_cmpuint (frame.literal, ==, 0);
  assert_str (rack_framer_next (framer).bytes, "* 1 FETCH (BODY[] \x01"
                                               "40}\r\n)\r\n");
  rack_framer_free (framer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  imap_test_add ("/splits/lines", test_lines);
  imap_test_add ("/splits/literals", test_literals);
  imap_test_add ("/splits/no-literals", test_no_literals);
  imap_test_add ("/splits/impossible-literals", test_impossible_literals);
  imap_test_add ("/splits/streamed", test_streamed);
  imap_test_add ("/splits/limits", test_limits);
  imap_test_add ("/splits/many-literals", test_many_literals);
  imap_test_add ("/splits/kept-frame", test_kept_frame);
  imap_test_add ("/splits/piece-sizes", test_piece_sizes);
  return g_test_run ();
}
