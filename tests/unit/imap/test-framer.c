/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-framer.c - responses are found however their octets were split */
#include "framer.h"

#include <string.h>

/* Feeds text in the given pieces and writes down what came out, one line a frame. */
static char *
play (const char *text, gsize size, gsize step, gsize first, gboolean stream,
      const RackFramerLimits *limits)
{
  RackFramer *framer = rack_framer_new (limits);
  GString *log = g_string_new (NULL);
  gsize at = 0, piece = first;
  guint64 literal = 0;

  while (at < size || piece == 0)
    {
      gsize room;
      char *space = rack_framer_space (framer, &room);
      gsize now = MIN (MIN (piece, size - at), room);
      memcpy (space, text + at, now);
      rack_framer_filled (framer, now);
      at += now;
      piece = step;
      for (;;)
        {
          RackFrame frame = rack_framer_next (framer);
          if (frame.kind == RACK_FRAME_MORE)
            break;
          if (frame.kind == RACK_FRAME_BAD)
            {
              g_string_append_printf (log, "bad: %s\n", frame.reason);
              goto out;
            }
          if (frame.kind == RACK_FRAME_HEAD)
            {
              g_string_append_printf (log, "head %" G_GUINT64_FORMAT "\n", frame.literal);
              if (stream)
                rack_framer_stream (framer);
              literal = 0;
            }
          else if (frame.kind == RACK_FRAME_LITERAL)
            {
              literal += frame.bytes.size;
              if (frame.literal == 0)
                g_string_append_printf (log, "literal %" G_GUINT64_FORMAT "\n", literal);
            }
          else
            {
              g_autofree char *safe =
                  rack_text_escape (frame.bytes.data, (gssize) frame.bytes.size);
              g_string_append_printf (log, "response %s\n", safe);
            }
        }
    }
out:
  rack_framer_free (framer);
  return g_string_free (log, FALSE);
}

static void
check (const char *text, gboolean stream, const RackFramerLimits *limits, const char *expected)
{
  gsize size = strlen (text);
  g_autofree char *whole = play (text, size, size, size, stream, limits);

  g_assert_cmpstr (whole, ==, expected);
  for (gsize split = 1; split < size; split++)
    {
      g_autofree char *other = play (text, size, size, split, stream, limits);
      g_assert_cmpstr (other, ==, whole);
    }
  g_autofree char *bytes = play (text, size, 1, 1, stream, limits);
  g_assert_cmpstr (bytes, ==, whole);
}

static const RackFramerLimits small = {
  .max_line = 200, .max_data = 2000, .max_inline = 8, .max_response = 4000
};

static void
test_lines (void)
{
  check ("* OK hello\r\n* 3 EXISTS\r\na1 OK done\r\n", FALSE, NULL,
         "response * OK hello\\x0d\\x0a\nresponse * 3 EXISTS\\x0d\\x0a\nresponse a1 OK "
         "done\\x0d\\x0a\n");
  /* The text of a status response may look like a literal. */
  check (
      "* OK see {5}\r\n+ {3}\r\nT NO {1}\r\n", FALSE, NULL,
      "response * OK see {5}\\x0d\\x0a\nresponse + {3}\\x0d\\x0a\nresponse T NO {1}\\x0d\\x0a\n");
}

static void
test_literals (void)
{
  check ("* LIST () \"/\" {5}\r\na\r\nb{\r\n", FALSE, NULL,
         "response * LIST () \"/\" {5}\\x0d\\x0aa\\x0d\\x0ab{\\x0d\\x0a\n");
  check ("* LIST () \"/\" {0}\r\n\r\n* 1 EXISTS\r\n", FALSE, NULL,
         "response * LIST () \"/\" {0}\\x0d\\x0a\\x0d\\x0a\nresponse * 1 EXISTS\\x0d\\x0a\n");
  check ("* 1 FETCH (BODY[] {10}\r\n0123456789 UID 3)\r\n", FALSE, &small,
         "head 10\nresponse * 1 FETCH (BODY[] {10}\\x0d\\x0a0123456789 UID 3)\\x0d\\x0a\n");
  check ("* 1 FETCH (BODY[] {10}\r\n0123456789 UID 3)\r\n* 2 EXISTS\r\n", TRUE, &small,
         "head 10\nliteral 10\nresponse * 1 FETCH (BODY[] \\x0110}\\x0d\\x0a UID 3)\\x0d\\x0a\n"
         "response * 2 EXISTS\\x0d\\x0a\n");
}

static void
test_limits (void)
{
  g_autofree char *long_line = g_strdup_printf ("* OK %0500d\r\n", 1);
  g_autofree char *long_search = g_strdup_printf ("* SEARCH %0500d\r\n", 1);
  g_autofree char *expected = NULL;
  const char *const impossible[] = { "{18446744073709551615}", "{-1}", "{0x10}", "{}",
                                     "{99999999999999999999999}" };

  g_autofree char *refused = play (long_line, strlen (long_line), 1, 1, FALSE, &small);
  g_assert_true (g_str_has_prefix (refused, "bad: "));
  expected = g_strdup_printf ("response * SEARCH %0500d\\x0d\\x0a\n", 1);
  g_autofree char *kept = play (long_search, strlen (long_search), 1, 1, FALSE, &small);
  g_assert_cmpstr (kept, ==, expected);
  for (gsize i = 0; i < G_N_ELEMENTS (impossible); i++)
    {
      g_autofree char *text = g_strdup_printf ("* 1 FETCH (BODY[] %s\r\n", impossible[i]);
      g_autofree char *log = play (text, strlen (text), 3, 3, FALSE, NULL);
      g_assert_true (g_str_has_prefix (log, "bad: "));
    }
  /* A huge literal costs nothing before its octets come. */
  const char *huge = "* 1 FETCH (BODY[] {4294967295}\r\nabc";
  g_autofree char *streamed = play (huge, strlen (huge), 3, 3, TRUE, NULL);
  g_assert_cmpstr (streamed, ==, "head 4294967295\n");
  g_autofree char *inlined = play (huge, strlen (huge), 3, 3, FALSE, NULL);
  g_assert_true (strstr (inlined, "bad: a literal is larger") != NULL);
}

/* More than a block, so that partial responses move; a frame that is kept stays as it was. */
static void
test_blocks (void)
{
  RackFramer *framer = rack_framer_new (NULL);
  g_autofree char *line = g_strdup_printf ("* LIST () \"/\" \"%0900d\"\r\n", 7);
  gsize size = strlen (line), at = 0;
  RackBlock *kept = NULL;
  RackStr first = { NULL, 0 };
  guint n = 0;

  while (n < 2000)
    {
      gsize room;
      char *space = rack_framer_space (framer, &room);
      g_assert_cmpuint (room, >=, 16 * 1024);
      room = MIN (room, 5000);
      for (gsize i = 0; i < room; i++, at = (at + 1) % size)
        space[i] = line[at];
      rack_framer_filled (framer, room);
      RackFrame frame;
      while ((frame = rack_framer_next (framer)).kind == RACK_FRAME_RESPONSE)
        {
          g_assert_cmpmem (frame.bytes.data, frame.bytes.size, line, size);
          if (n++ == 0)
            {
              kept = rack_block_ref (frame.block);
              first = frame.bytes;
            }
        }
      g_assert_cmpint (frame.kind, ==, RACK_FRAME_MORE);
    }
  g_assert_cmpmem (first.data, first.size, line, size);
  rack_block_unref (kept);
  rack_framer_free (framer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/framer/lines", test_lines);
  g_test_add_func ("/framer/literals", test_literals);
  g_test_add_func ("/framer/limits", test_limits);
  g_test_add_func ("/framer/blocks", test_blocks);
  return g_test_run ();
}
