/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bench_parse.c - how fast bytes become records
 *
 * Feeds the framer with FETCH responses of the kind a mailbox is listed by, in
 * pieces as a socket gives them, parses each and forgets it, and prints messages
 * and octets a second of CPU time. It measures the parser alone: no server, no
 * engine. Under callgrind, --rounds=1 counts instructions that do not drift:
 *
 *   valgrind --tool=callgrind build/tests/bench/bench_parse --rounds=1 full */
#include "framer.h"
#include "response.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MESSAGES 2000
#define PIECE    (32 * 1024)

static const char address[] =
    "((\"Margaret O'Brien %u\" NIL \"margaret.obrien%u\" \"example.org\"))";

static void
append_envelope (GString *out, guint i)
{
  g_autofree char *from = g_strdup_printf (address, i % 97, i % 97);

  g_string_append_printf (out, "ENVELOPE (\"Tue, %u Nov 2022 09:%02u:17 +0100\" ", i % 28 + 1,
                          i % 60);
  if (i % 7 == 0)
    g_string_append (out, "\"Re: the \\\"quarterly\\\" report\" ");
  else
    g_string_append_printf (out, "\"Re: [project] review of change %u, second round\" ", i);
  g_string_append_printf (out, "%s %s %s ", from, from, from);
  g_string_append (out,
                   "((NIL NIL \"team\" \"lists.example.net\")(\"Jo\" NIL \"jo\" \"example.com\")) "
                   "NIL NIL ");
  g_string_append_printf (out, "\"<20221101%06u.4711@mail.example.org>\" ", i / 2);
  g_string_append_printf (out, "\"<20221101%06u.4711@mail.example.org>\")", i);
}

static void
append_body (GString *out, guint i)
{
  g_string_append_printf (
      out,
      " BODYSTRUCTURE ((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"quoted-printable\" %u "
      "%u "
      "NIL NIL NIL NIL)(\"text\" \"html\" (\"charset\" \"utf-8\") NIL NIL \"quoted-printable\" %u "
      "%u "
      "NIL NIL NIL NIL) \"alternative\" (\"boundary\" \"----=_Part_%u_17\") NIL NIL NIL)",
      1200 + i, 30 + i % 100, 4100 + i, 90 + i % 100, i);
}

static GString *
make_stream (const char *kind)
{
  GString *out = g_string_new (NULL);

  for (guint i = 1; i <= MESSAGES; i++)
    {
      g_string_append_printf (out, "* %u FETCH (UID %u FLAGS (\\Seen%s) ", i, i * 3 + 100000,
                              i % 5 == 0 ? " \\Answered $Forwarded" : "");
      g_string_append_printf (out, "INTERNALDATE \"%02u-Nov-2022 09:%02u:20 +0100\" ", i % 28 + 1,
                              i % 60);
      g_string_append_printf (out, "RFC822.SIZE %u", 5000 + i * 17);
      if (strcmp (kind, "full") == 0)
        {
          g_string_append_c (out, ' ');
          append_envelope (out, i);
          append_body (out, i);
        }
      g_string_append (out, ")\r\n");
    }
  return out;
}

/* Returns: how many messages were parsed. */
static guint
drain (RackFramer *framer, RackArena *arena, guint64 *check)
{
  guint n = 0;

  for (;;)
    {
      RackFrame frame = rack_framer_next (framer);
      RackResponse response;
      if (frame.kind != RACK_FRAME_RESPONSE)
        return n;
      rack_arena_reset (arena);
      if (!rack_response_parse (frame.bytes, arena, &response, NULL)
          || response.kind != RACK_RESPONSE_FETCH)
        g_error ("a response did not parse: %.*s", (int) frame.bytes.size, frame.bytes.data);
      *check += response.message.uid + response.message.size;
      n++;
    }
}

static guint
run_round (const GString *stream, RackFramer *framer, RackArena *arena, guint64 *check)
{
  guint n = 0;

  for (gsize at = 0; at < stream->len;)
    {
      gsize room;
      void *space = rack_framer_space (framer, &room);
      gsize now = MIN (MIN (room, PIECE), stream->len - at);
      memcpy (space, stream->str + at, now);
      rack_framer_filled (framer, now);
      at += now;
      n += drain (framer, arena, check);
    }
  return n;
}

static double
cpu_seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static void
measure (const char *kind, guint rounds)
{
  g_autoptr (GString) stream = make_stream (kind);
  RackFramer *framer = rack_framer_new (NULL);
  g_autoptr (RackArena) arena = rack_arena_new ();
  guint64 check = 0, messages = 0;
  double start = cpu_seconds ();

  for (guint i = 0; i < rounds; i++)
    messages += run_round (stream, framer, arena, &check);
  double seconds = cpu_seconds () - start;
  if (messages != (guint64) rounds * MESSAGES)
    g_error ("%" G_GUINT64_FORMAT " messages came out, not %u", messages, rounds * MESSAGES);
  g_print ("%-5s  %5.2f us/message  %9.0f messages/s  %7.1f MB/s  %4.0f octets/message  "
           "(%" G_GINT64_MODIFIER "x)\n",
           kind, seconds / (double) messages * 1e6, (double) messages / seconds,
           (double) stream->len * rounds / seconds / 1e6, (double) stream->len / MESSAGES, check);
  rack_framer_free (framer);
}

int
main (int argc, char **argv)
{
  guint rounds = 200;
  gboolean any = FALSE;

  for (int i = 1; i < argc; i++)
    if (g_str_has_prefix (argv[i], "--rounds="))
      rounds = (guint) MAX (1, atoi (argv[i] + strlen ("--rounds=")));
    else
      {
        measure (argv[i], rounds);
        any = TRUE;
      }
  if (!any)
    {
      measure ("light", rounds);
      measure ("full", rounds);
    }
  return 0;
}
