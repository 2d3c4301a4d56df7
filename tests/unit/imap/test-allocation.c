/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-allocation.c - reading message after message allocates nothing
 *
 * Counts the calls of malloc and its kin between the first messages, which make
 * the block and the arena, and the last. */
#include "imap-test.h"

#include <malloc.h>

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *old, size_t size);
void *malloc (size_t size);
void *calloc (size_t n, size_t size);
void *realloc (void *old, size_t size);

static gsize allocations;

void *
malloc (size_t size)
{
  allocations++;
  return __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  allocations++;
  return __libc_calloc (n, size);
}

void *
realloc (void *old, size_t size)
{
  allocations++;
  return __libc_realloc (old, size);
}

static const char message[] =
    "* 12 FETCH (UID 77 FLAGS (\\Seen $Junk \\Answered) INTERNALDATE \"17-Jul-1996 02:44:25 "
    "-0700\" RFC822.SIZE 4286 ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700\" \"a \\\"quoted\\\" "
    "word\" ((\"Terry\" NIL \"gray\" \"example.org\")) NIL NIL ((NIL NIL \"imap\" "
    "\"example.org\")(NIL NIL \"a\" \"b\")(NIL NIL \"a\" \"b\")(NIL NIL \"a\" \"b\")(NIL NIL "
    "\"a\" \"b\")) NIL NIL NIL {5}\r\n<a@b>) BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" "
    "\"US-ASCII\") NIL NIL \"7BIT\" 3028 92 NIL NIL NIL NIL)(\"IMAGE\" \"PNG\" NIL NIL NIL "
    "\"BASE64\" 9 NIL (\"ATTACHMENT\" (\"FILENAME\" \"a.png\")) NIL NIL) \"MIXED\" (\"BOUNDARY\" "
    "\"b\") NIL NIL NIL))\r\n";

static void
read_messages (RackFramer *framer, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      gsize room;
      void *space = rack_framer_space (framer, &room);
      memcpy (space, message, sizeof message - 1);
      rack_framer_filled (framer, sizeof message - 1);
      RackFrame frame = rack_framer_next (framer);
      RackResponse response;
      rack_arena_reset (test_arena);
      g_assert_true (rack_response_parse (frame.bytes, test_arena, &response, NULL));
      g_assert_cmpint (response.message.fields, ==,
                       RACK_FIELD_UID | RACK_FIELD_FLAGS | RACK_FIELD_DATE | RACK_FIELD_SIZE
                           | RACK_FIELD_ENVELOPE | RACK_FIELD_BODY);
      g_assert_cmpint (rack_framer_next (framer).kind, ==, RACK_FRAME_MORE);
    }
}

static void
test_nothing_per_message (void)
{
  RackFramer *framer = rack_framer_new (NULL);

  read_messages (framer, 1);
  gsize before = allocations;
  read_messages (framer, 10000);
  g_assert_cmpuint (allocations, ==, before);
  rack_framer_free (framer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  imap_test_add ("/allocation/nothing-per-message", test_nothing_per_message);
  return g_test_run ();
}
