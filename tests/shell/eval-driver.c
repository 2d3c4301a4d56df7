/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* eval-driver.c - the shell's evaluator behind two pipes, for tests in other languages
 *
 * Reads sources that end with a NUL from stdin and answers each with one text that ends with a NUL:
 * the repr (argument "repr") or the pprint (argument "pprint") of the value of an expression, or
 * what a whole program displays ("run"). A second argument is run first. An error is answered with
 * "! ", its kind and message.
 */
#include "eval.h"
#include "printer.h"
#include "repr.h"

#include <stdio.h>
#include <string.h>

static gboolean
display (Value *value, gpointer data)
{
  g_autofree char *text = printer_dup (value, PRINTER_WIDTH);

  g_string_append (data, text);
  g_string_append_c (data, '\n');
  return TRUE;
}

static void
write_text (const char *text, gsize size, gpointer data)
{
  g_string_append_len (data, text, size);
}

static void
answer (Interp *interp, const char *mode, const char *source, GString *out)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Value) value = NULL;
  g_autofree char *text = NULL;

  if (strcmp (mode, "run") == 0)
    interp_run (interp, source, -1, &error);
  else
    value = interp_eval (interp, source, -1, &error);
  if (error != NULL)
    g_string_append_printf (out, "! %s: %s", eval_error_kind (error), error->message);
  if (value != NULL)
    text = strcmp (mode, "repr") == 0 ? repr_dup (value) : printer_dup (value, PRINTER_WIDTH);
  if (text != NULL)
    g_string_append (out, text);
}

int
main (int argc, char **argv)
{
  static const InterpSink sink = { display, write_text };
  g_autofree char *source = NULL;
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (Interp) interp = interp_new (&sink, out);
  size_t room = 0;

  if (argc != 3 || !interp_run (interp, argv[2], -1, NULL))
    return 64;
  while (getdelim (&source, &room, '\0', stdin) > 0)
    {
      g_string_truncate (out, 0);
      answer (interp, argv[1], source, out);
      fwrite (out->str, 1, out->len + 1, stdout);
    }
  return 0;
}
