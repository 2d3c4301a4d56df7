/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz_shell_parse.c - the shell's languages against any input
 *
 * Lines go through the command language; calls are evaluated with a client whose methods return
 * their arguments, and results print. What prints must read back as the same value.
 */
#include "command.h"
#include "eval.h"
#include "printer.h"
#include "repr.h"
#include "safe-text.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

enum
{
  MAX_PRINTED = 20000, /* weight of what is still printed */
};

static Value *
client_call (G_GNUC_UNUSED gpointer self, G_GNUC_UNUSED const char *method, const CallArgs *args,
             G_GNUC_UNUSED GError **error)
{
  return args->n_positional > 0 ? value_ref (args->positional[0]) : value_none ();
}

static const char *const client_methods[] = { "fetch", "search", NULL };
static const char *const client_attributes[] = { NULL };
static const ObjectClass client_class = { "IMAPClient", client_call,    NULL,
                                          NULL,         client_methods, client_attributes };

/* Whether a value is made of literals alone, which must read back. */
static gboolean
is_literal (const Value *value)
{
  if (value->kind == VALUE_FLOAT)
    return value->real - value->real == 0; /* inf and nan have no literal */
  if (value_is_sequence (value))
    {
      for (guint i = 0; i < value->seq.n; i++)
        if (!is_literal (value->seq.items[i]))
          return FALSE;
      return TRUE;
    }
  if (value->kind == VALUE_DICT)
    {
      for (guint i = 0; i < value->dict.n; i++)
        if (!is_literal (value->dict.pairs[i].key) || !is_literal (value->dict.pairs[i].value))
          return FALSE;
      return TRUE;
    }
  return value->kind <= VALUE_BYTES;
}

static gboolean
display (Value *value, G_GNUC_UNUSED gpointer data)
{
  g_autofree char *text = NULL;
  g_autoptr (Interp) other = interp_new (NULL, NULL);
  g_autoptr (Value) back = NULL;

  if (value->weight > MAX_PRINTED)
    return TRUE;
  text = printer_dup (value, PRINTER_WIDTH);
  /* brackets in source may nest less deeply than values may */
  if (!is_literal (value) || value->depth > 40)
    return TRUE;
  back = interp_eval (other, text, -1, NULL);
  g_assert_true (back != NULL && value_equal (back, value));
  return TRUE;
}

static gboolean
is_variable (const char *name, gpointer data)
{
  return interp_get (data, name) != NULL;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static const CommandOption options[] = { { 's', "sort", "KEY", "", COMPLETE_NOTHING, NULL },
                                           { 0, NULL, NULL, NULL, COMPLETE_NOTHING, NULL } };
  static const Command commands[] = {
    { .name = "find",
      .options = options,
      .parameters = { { "SET", TAKES_ONE, COMPLETE_MESSAGES, NULL },
                      { "KEY", TAKES_ANY, COMPLETE_SEARCH, NULL } } },
    { .name = "raw",
      .parameters = { { "COMMAND", TAKES_ONE, COMPLETE_NOTHING, NULL } },
      .flags = COMMAND_VERBATIM },
    { 0 }
  };
  static const InterpSink sink = { display, NULL };
  g_autoptr (Interp) interp = interp_new (&sink, NULL);
  LineContext context = { commands, is_variable, interp };
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autofree char *safe = safe_text_dup ((const char *) data, size, SAFE_TEXT_LINE);
  g_auto (Line) line = { 0 };
  g_auto (CommandCall) call = { 0 };

  g_assert_true (g_utf8_validate (safe, -1, NULL));
  interp_set (interp, "c", value_object (&client_class, NULL));
  if (line_parse (text, &context, &line, NULL) && line.kind == LINE_CALL)
    interp_run (interp, line.text, -1, NULL);
  if (line.kind == LINE_COMMAND)
    {
      const CommandWord *words = &g_array_index (line.words, CommandWord, 0);
      const Command *command = command_find (commands, words[0].text);
      if (command != NULL)
        command_bind (command, words + 1, line.words->len - 1, &call, NULL);
    }
  interp_run (interp, (const char *) data, size, NULL);
  return 0;
}
