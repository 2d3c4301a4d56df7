/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_response.c - a stream of responses, split at random
 *
 * The first octet seeds the splits, the others are what the server sends. Oracle:
 * any split gives the same frames, and every record points where it may. */
#include "framer.h"
#include "fuzz.h"

#include <string.h>

static const RackFramerLimits small = {
  .max_line = 2048, .max_data = 8192, .max_inline = 48, .max_response = 16384
};

static void
note (GString *events, const char *what, RackStr bytes)
{
  g_string_append_printf (events, "%s%" G_GSIZE_FORMAT ":", what, bytes.size);
  g_string_append_len (events, bytes.data, (gssize) bytes.size);
}

static void
parse (RackStr bytes)
{
  g_autoptr (RackArena) arena = rack_arena_new ();
  g_autoptr (GError) error = NULL;
  RackResponse response;
  guint32 seq = 0;
  RackPeek peek = rack_response_peek (bytes, &seq);

  memset (&response, 0xa5, sizeof response); /* nothing may be left unset */
  if (!rack_response_parse (bytes, arena, &response, &error))
    {
      g_assert (error != NULL && g_utf8_validate (error->message, -1, NULL));
      return;
    }
  walk_response (&response);
  if (peek == RACK_PEEK_FETCH)
    g_assert (response.kind == RACK_RESPONSE_FETCH && response.message.seq == seq);
}

/* FALSE: framing is lost. */
static gboolean
take (RackFramer *framer, GString *events)
{
  for (;;)
    {
      RackFrame frame = rack_framer_next (framer);
      switch (frame.kind)
        {
        case RACK_FRAME_MORE:
          return TRUE;
        case RACK_FRAME_RESPONSE:
          note (events, "R", frame.bytes);
          parse (frame.bytes);
          break;
        case RACK_FRAME_HEAD:
          note (events, "H", frame.bytes);
          if (frame.literal % 2 == 0)
            rack_framer_stream (framer);
          break;
        case RACK_FRAME_LITERAL: /* pieces differ, what they are pieces of does not */
          g_string_append_len (events, frame.bytes.data, (gssize) frame.bytes.size);
          break;
        case RACK_FRAME_BAD:
          g_string_append_printf (events, "BAD %s", frame.reason);
          return FALSE;
        }
    }
}

/* seed 0: all at once. */
static GString *
play (const char *data, gsize size, guint32 seed)
{
  RackFramer *framer = rack_framer_new (&small);
  GString *events = g_string_new (NULL);
  guint32 state = seed * 2654435761u + 1;

  for (gsize at = 0; at < size;)
    {
      gsize room, now = size - at;
      void *space = rack_framer_space (framer, &room);
      state = state * 1664525u + 1013904223u;
      if (seed > 0)
        now = MIN (now, 1 + (state >> 16) % (seed % 7 == 0 ? 1 : seed));
      now = MIN (now, room);
      memcpy (space, data + at, now);
      rack_framer_filled (framer, now);
      at += now;
      if (!take (framer, events))
        break;
    }
  rack_framer_free (framer);
  return events;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  g_autoptr (GString) whole = play ((const char *) data + 1, size - 1, 0);
  g_autoptr (GString) split = play ((const char *) data + 1, size - 1, 1 + data[0]);
  g_assert (g_string_equal (whole, split));
  return 0;
}
