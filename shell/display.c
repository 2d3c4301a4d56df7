/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * display.c - the results of calls: as Python literals, as JSON, or handed on as a value */
#include "display.h"

#include "json-text.h"
#include "printer.h"
#include "safe-text.h"

static gboolean
write_piece (const char *text, gsize size, gpointer data)
{
  Shell *shell = data;

  return fwrite (text, 1, size, shell->out) == size
         && !g_cancellable_is_cancelled (shell->cancellable);
}

gboolean
display_value (Value *value, gpointer data)
{
  Shell *shell = data;
  gboolean whole = TRUE;

  if (shell->result != NULL && !shell->redirected)
    {
      if (*shell->result != NULL)
        value_unref (*shell->result);
      *shell->result = value_ref (value);
      return TRUE;
    }
  if (shell->settings.output == OUTPUT_JSON || shell->settings.output == OUTPUT_JSONL)
    {
      g_autoptr (GString) line = g_string_new (NULL);
      json_append_value (line, value);
      whole = write_piece (line->str, line->len, shell);
    }
  else
    whole = printer_print (value, PRINTER_WIDTH, write_piece, shell);
  fputc ('\n', shell->out); /* also behind what Ctrl-C cut off */
  return whole && !g_cancellable_is_cancelled (shell->cancellable);
}

static void
write_text (const char *text, gsize size, gpointer data)
{
  g_autofree char *safe = safe_text_dup (text, (gssize) size, SAFE_TEXT_BLOCK);

  fputs (safe, ((Shell *) data)->out);
}

const InterpSink display_sink = { display_value, write_text };
