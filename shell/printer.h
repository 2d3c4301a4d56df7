/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* printer.h - one value over as many lines as it needs, as Python's pprint writes it
 *
 * Sorted dictionary keys, one element to a line with one space of indent where the whole does not
 * fit the width, long text broken at spaces. Output is handed on in pieces, so that the result of
 * a fetch of any size prints in flat memory.
 */
#pragma once

#include "value.h"

G_BEGIN_DECLS

enum
{
  PRINTER_WIDTH = 80, /* pprint's own; the documented notation */
};

/* Takes the next piece. FALSE stops the printing (nobody reads any more, or Ctrl-C). */
typedef gboolean (*PrinterSink) (const char *text, gsize size, gpointer data);

/* Writes `value` without a final newline. FALSE if the sink stopped it. */
gboolean printer_print (const Value *value, guint width, PrinterSink sink, gpointer data);
/* The whole as one string; free with g_free. */
char *printer_dup (const Value *value, guint width);

G_END_DECLS
