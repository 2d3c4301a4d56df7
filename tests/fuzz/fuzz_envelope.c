/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_envelope.c - ENVELOPE alone. Oracle: what is well-formed as a value parses,
 * and as far as skipping passes over. */
#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (RackArena) arena = rack_arena_new ();
  const char *text = (const char *) data;
  RackLexer lexer = { text, text + size }, skipper = lexer;
  RackEnvelope envelope;
  g_autoptr (GError) error = NULL;

  if (!rack_envelope_parse (&lexer, arena, &envelope, &error))
    {
      g_assert (error != NULL);
      g_assert (envelope.subject.data == NULL && envelope.from.n == 0);
      return 0;
    }
  walk_envelope (&envelope);
  g_assert (rack_lex_skip_value (&skipper, NULL));
  g_assert (skipper.at == lexer.at);
  return 0;
}
