/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_bodystructure.c - BODYSTRUCTURE alone. Oracle: the tree is well-formed, and
 * the value that was parsed is the one that skipping passes over. */
#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (RackArena) arena = rack_arena_new ();
  const char *text = (const char *) data;
  RackLexer lexer = { text, text + size }, skipper = lexer;
  const RackPart *part = rack_bodystructure_parse (&lexer, arena, NULL);

  if (part == NULL)
    return 0;
  walk_part (part);
  g_assert (rack_lex_skip_value (&skipper, NULL));
  g_assert (skipper.at == lexer.at);
  return 0;
}
