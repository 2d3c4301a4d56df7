/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_value.c - any IMAP data as a tree. Oracle: written out again and parsed, it is
 * the same tree. */
#include "fuzz.h"

#include <string.h>

static void
write_value (GString *out, const RackValue *first)
{
  for (const RackValue *value = first; value != NULL; value = value->next)
    {
      if (value != first)
        g_string_append_c (out, ' ');
      switch (value->kind)
        {
        case RACK_VALUE_NIL:
          g_string_append (out, "NIL");
          break;
        case RACK_VALUE_NUMBER:
          g_string_append_printf (out, "%" G_GUINT64_FORMAT, value->number);
          break;
        case RACK_VALUE_ATOM:
          g_string_append_len (out, value->text.data, (gssize) value->text.size);
          break;
        case RACK_VALUE_STRING:
          g_string_append_printf (out, "{%" G_GSIZE_FORMAT "}\r\n", value->text.size);
          g_string_append_len (out, value->text.data, (gssize) value->text.size);
          break;
        case RACK_VALUE_LIST:
          g_string_append_c (out, '(');
          write_value (out, value->child);
          g_string_append_c (out, ')');
          break;
        }
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (RackArena) arena = rack_arena_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL), again = g_string_new (NULL);
  const RackValue *value = rack_value_parse (arena, (RackStr){ (const char *) data, size }, &error);

  if (value == NULL)
    return 0;
  g_assert (error == NULL);
  write_value (text, value);
  const RackValue *same = rack_value_parse (arena, (RackStr){ text->str, text->len }, &error);
  g_assert (error == NULL);
  g_assert (walk_value (same) == walk_value (value));
  write_value (again, same);
  g_assert (g_string_equal (again, text));
  return 0;
}
