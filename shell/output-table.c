/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * output-table.c - rows as a table that fits the terminal
 *
 * The first rows are held until it is known how wide the columns are; what comes later and is wider
 * is cut if it is text, and pushes the rest of its line if it is a number. Without a terminal the
 * last column is as long as it is. */
#include "output-private.h"

#include "safe-text.h"

#include <string.h>

/* Less than this of the last column says nothing. */
#define LAST_MIN 10

static gboolean
is_shown (const OutputColumn *column)
{
  return column->title != NULL;
}

static gboolean
is_right (const OutputColumn *column)
{
  return column->type == CELL_NUMBER || column->type == CELL_SIZE;
}

/* ---- A cell's text ------------------------------------------------------------------------------
 */

static char *
local_date (gint64 date)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (date);

  return time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M") : g_strdup ("-");
}

static char *
cell_text (const OutputColumn *column, const Cell *cell)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (cell->is_none)
    return g_strdup (is_right (column) ? "-" : "");
  switch (column->type)
    {
    case CELL_TEXT:
      safe_text_append (text, cell->text, (gssize) cell->size, SAFE_TEXT_LINE);
      break;
    case CELL_NUMBER:
      g_string_append_printf (text, "%" G_GUINT64_FORMAT, cell->number);
      break;
    case CELL_SIZE:
      return g_format_size_full (cell->number, G_FORMAT_SIZE_IEC_UNITS);
    case CELL_DATE:
      return local_date ((gint64) cell->number);
    case CELL_TRUTH:
      return g_strdup (cell->number != 0 ? "yes" : "");
    case CELL_WORDS:
      for (guint i = 0; i < cell->words->len; i++)
        {
          g_string_append (text, i > 0 ? " " : "");
          safe_text_append (text, g_ptr_array_index (cell->words, i), -1, SAFE_TEXT_LINE);
        }
      break;
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- Lines --------------------------------------------------------------------------------------
 */

static void
append_cell (GString *line, const char *text, guint width, gboolean right)
{
  guint columns = safe_text_columns (text);

  if (right && columns < width)
    g_string_append_printf (line, "%*s", (int) (width - columns), "");
  if (right || width == 0)
    g_string_append (line, text);
  else
    safe_text_append_cell (line, text, width); /* what is safe stays as it is */
}

static gboolean
write_row (Output *output, char *const *texts)
{
  g_autoptr (GString) line = g_string_new (NULL);
  gboolean first = TRUE;

  for (guint i = 0; i < output->n_columns; i++)
    {
      if (!is_shown (&output->columns[i]))
        continue;
      g_string_append (line, first ? "" : "  ");
      append_cell (line, texts[i], output->widths[i], is_right (&output->columns[i]));
      first = FALSE;
    }
  while (line->len > 0 && line->str[line->len - 1] == ' ')
    g_string_truncate (line, line->len - 1);
  g_string_append_c (line, '\n');
  return fwrite (line->str, 1, line->len, output->target.out) == line->len;
}

static gboolean
more_may_come (const Output *output)
{
  return output->held->len >= OUTPUT_HELD || (output->flags & OUTPUT_LIVE);
}

/* The last column that is shown takes what the others leave. */
static void
fit_last (Output *output)
{
  guint used = 0, last = G_MAXUINT;

  for (guint i = 0; i < output->n_columns; i++)
    if (is_shown (&output->columns[i]))
      {
        if (last != G_MAXUINT)
          used += output->widths[last] + 2;
        last = i;
      }
  if (last == G_MAXUINT || is_right (&output->columns[last]))
    return;
  if (output->target.width == 0)
    output->widths[last] = 0;
  else
    {
      guint room = used + LAST_MIN < output->target.width ? output->target.width - used : LAST_MIN;
      output->widths[last] = more_may_come (output) ? room : MIN (output->widths[last], room);
    }
}

static void
measure (Output *output)
{
  for (guint i = 0; i < output->n_columns; i++)
    {
      const OutputColumn *column = &output->columns[i];
      guint width =
          output->target.headings && is_shown (column) ? safe_text_columns (column->title) : 0;

      for (guint j = 0; j < output->held->len; j++)
        width = MAX (width, safe_text_columns (((char **) g_ptr_array_index (output->held, j))[i]));
      /* as wide as later rows may need it */
      if (column->width > 0 && more_may_come (output))
        width = column->width;
      output->widths[i] = column->width > 0 ? MIN (width, column->width) : width;
    }
  fit_last (output);
}

static gboolean
lay_out (Output *output)
{
  g_autofree char **titles = g_new0 (char *, output->n_columns + 1);
  gboolean ok = TRUE;

  measure (output);
  output->laid_out = TRUE;
  for (guint i = 0; i < output->n_columns; i++)
    titles[i] = (char *) output->columns[i].title;
  if (output->target.headings && output->held->len > 0)
    ok = write_row (output, titles);
  for (guint i = 0; i < output->held->len && ok; i++)
    ok = write_row (output, g_ptr_array_index (output->held, i));
  g_ptr_array_set_size (output->held, 0);
  return ok;
}

/* ---- What output.c calls ------------------------------------------------------------------------
 */

void
output_table_begin (Output *output)
{
  output->held = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  output->widths = g_new0 (guint, output->n_columns + 1);
}

gboolean
output_table_row (Output *output)
{
  char **texts = g_new0 (char *, output->n_columns + 1);

  for (guint i = 0; i < output->n_columns; i++)
    texts[i] = cell_text (&output->columns[i], &g_array_index (output->row, Cell, i));
  if (output->laid_out)
    {
      gboolean ok = write_row (output, texts);
      g_strfreev (texts);
      return ok;
    }
  g_ptr_array_add (output->held, texts);
  return (output->held->len < OUTPUT_HELD && !(output->flags & OUTPUT_LIVE)) || lay_out (output);
}

void
output_table_end (Output *output)
{
  if (!output->laid_out)
    lay_out (output);
}

void
output_table_free (Output *output)
{
  g_clear_pointer (&output->held, g_ptr_array_unref);
  g_free (output->widths);
}
