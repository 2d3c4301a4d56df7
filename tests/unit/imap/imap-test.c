/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * imap-test.c - what the tests of the pure engine share; see imap-test.h */
#include "imap-test.h"

RackArena *test_arena;

static void
run_fresh (gconstpointer data)
{
  void (*run) (void) = (void (*) (void)) data;

  test_arena = rack_arena_new ();
  run ();
  g_clear_pointer (&test_arena, rack_arena_free);
}

void
imap_test_add (const char *path, void (*run) (void))
{
  g_test_add_data_func (path, (gconstpointer) run, run_fresh);
}

static void
feed (RackFramer *framer, const char *data, gsize size)
{
  while (size > 0)
    {
      gsize room;
      void *space = rack_framer_space (framer, &room);
      gsize now = MIN (room, size);
      memcpy (space, data, now);
      rack_framer_filled (framer, now);
      data += now;
      size -= now;
    }
}

/* Writes the frames that are there. FALSE: framing is lost. Literals above max_inline are streamed
 * if they are of even size. */
static gboolean
take (RackFramer *framer, GString *out)
{
  for (;;)
    {
      RackFrame frame = rack_framer_next (framer);
      switch (frame.kind)
        {
        case RACK_FRAME_MORE:
          return TRUE;
        case RACK_FRAME_RESPONSE:
          g_assert_nonnull (frame.block);
          g_string_append (out, "R<");
          g_string_append_len (out, frame.bytes.data, (gssize) frame.bytes.size);
          g_string_append (out, ">\n");
          break;
        case RACK_FRAME_HEAD:
          g_string_append_printf (out, "H%" G_GUINT64_FORMAT "<", frame.literal);
          g_string_append_len (out, frame.bytes.data, (gssize) frame.bytes.size);
          g_string_append (out, ">\nL<");
          if (frame.literal % 2 == 0)
            rack_framer_stream (framer);
          break;
        case RACK_FRAME_LITERAL:
          g_string_append_len (out, frame.bytes.data, (gssize) frame.bytes.size);
          break;
        case RACK_FRAME_BAD:
          g_string_append_printf (out, "BAD %s", frame.reason);
          return FALSE;
        }
    }
}

char *
imap_frames (RackStr stream, const gsize *cuts, gsize n_cuts, const RackFramerLimits *limits)
{
  RackFramer *framer = rack_framer_new (limits);
  GString *out = g_string_new (NULL);
  gsize at = 0;

  for (gsize i = 0; i <= n_cuts; i++)
    {
      gsize next = i < n_cuts ? cuts[i] : stream.size;
      feed (framer, stream.data + at, next - at);
      at = next;
      if (!take (framer, out))
        break;
    }
  rack_framer_free (framer);
  return g_string_free (out, FALSE);
}

void
imap_check_splits (RackStr stream, const RackFramerLimits *limits)
{
  g_autofree char *whole = imap_frames (stream, NULL, 0, limits);
  g_autofree gsize *all = g_new (gsize, stream.size + 1);
  /* Each place costs a pass; long streams are cut at a sample of them. */
  gsize step = stream.size / 4000 + 1;

  for (gsize i = 0; i < stream.size; i++)
    all[i] = i;
  for (gsize i = 0; i < stream.size; i += step)
    {
      g_autofree char *cut = imap_frames (stream, &all[i], 1, limits);
      g_assert_cmpstr (cut, ==, whole);
    }
  g_autofree char *octets = imap_frames (stream, all, stream.size, limits);
  g_assert_cmpstr (octets, ==, whole);
}

RackResponse
imap_parse_sized (RackStr bytes)
{
  g_autoptr (GError) error = NULL;
  RackResponse response;

  imap_check_splits (bytes, NULL);
  memset (&response, 0xa5, sizeof response); /* the parser must not count on zeroes */
  gboolean ok = rack_response_parse (bytes, test_arena, &response, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
  return response;
}

RackResponse
imap_parse (const char *bytes)
{
  return imap_parse_sized ((RackStr){ bytes, strlen (bytes) });
}

void
imap_parse_refused (const char *bytes)
{
  g_autoptr (GError) error = NULL;
  RackResponse response;

  imap_check_splits ((RackStr){ bytes, strlen (bytes) }, NULL);
  g_assert_false (
      rack_response_parse ((RackStr){ bytes, strlen (bytes) }, test_arena, &response, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

void
imap_assert_str (RackStr str, const char *text, int line)
{
  g_autofree char *copy = rack_str_dup (str);

  if (g_strcmp0 (copy, text) != 0)
    g_error ("line %d: \"%s\" where \"%s\" belongs", line, copy != NULL ? copy : "(NIL)",
             text != NULL ? text : "(NIL)");
}

void
imap_assert_ranges (RackRanges ranges, const char *text, int line)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (gsize i = 0; i < ranges.n; i++)
    {
      g_string_append_printf (out, "%s%u", i > 0 ? "," : "", ranges.items[i].first);
      if (ranges.items[i].last != ranges.items[i].first)
        g_string_append_printf (out, ":%u", ranges.items[i].last);
    }
  if (strcmp (out->str, text) != 0)
    g_error ("line %d: %s where %s belongs", line, out->str, text);
}
