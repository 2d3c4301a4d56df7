/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * output-table.c - rows as a table that fits the terminal
 *
 * The first rows are held until it is known how wide the columns are; what comes later and is wider
 * is cut if it is text, and pushes the rest of its line if it is a number. Without a terminal the
 * last column is as long as it is. On one that is narrow texts are cut, dates are days, then sizes
 * and at last dates are left out; no line is ever wider than it. */
#include "output-private.h"

#include "safe-text.h"

#include <string.h>

/* Less than this of a text says nothing; so much is enough, if others have less. The last one is
 * what people look at. */
#define TEXT_MIN  8
#define TEXT_GOOD 14
#define LAST_MIN  10
#define LAST_GOOD 20
/* "2026-11-05", of a date and time. */
#define DAY       10
/* A width: there is no room for the column. */
#define HIDDEN    G_MAXUINT

static gboolean
is_shown (const OutputColumn *column)
{
  return column->title != NULL;
}

static gboolean
is_text (const OutputColumn *column)
{
  return column->type == CELL_TEXT || column->type == CELL_WORDS || column->type == CELL_TRUTH;
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
append_cell (GString *line, const char *text, guint width, const OutputColumn *column)
{
  guint columns = safe_text_columns (text);

  if (is_right (column) && columns < width)
    g_string_append_printf (line, "%*s", (int) (width - columns), "");
  if (column->type == CELL_DATE && width == DAY && columns > DAY)
    g_string_append_len (line, text, DAY);
  else if (is_right (column) || width == 0)
    g_string_append (line, text);
  else
    safe_text_append_cell (line, text, width); /* what is safe stays as it is */
}

/* A number may be wider than any was when the columns were laid out. */
static void
cut_line (GString *line, guint width)
{
  if (width == 0 || safe_text_columns (line->str) <= width)
    return;
  g_autofree char *whole = g_strdup (line->str);
  g_string_truncate (line, 0);
  safe_text_append_cell (line, whole, width);
}

static gboolean
write_row (Output *output, char *const *texts)
{
  g_autoptr (GString) line = g_string_new (NULL);
  gboolean first = TRUE;

  for (guint i = 0; i < output->n_columns; i++)
    {
      if (!is_shown (&output->columns[i]) || output->widths[i] == HIDDEN)
        continue;
      g_string_append (line, first ? "" : "  ");
      append_cell (line, texts[i], output->widths[i], &output->columns[i]);
      first = FALSE;
    }
  while (line->len > 0 && line->str[line->len - 1] == ' ')
    g_string_truncate (line, line->len - 1);
  cut_line (line, output->target.width);
  g_string_append_c (line, '\n');
  return fwrite (line->str, 1, line->len, output->target.out) == line->len;
}

/* ---- How wide columns are -----------------------------------------------------------------------
 */

static gboolean
more_may_come (const Output *output)
{
  return output->held->len >= OUTPUT_HELD || (output->flags & OUTPUT_LIVE);
}

/* The last column that is shown, if it is a text; else G_MAXUINT. */
static guint
last_text (const Output *output)
{
  guint last = G_MAXUINT;

  for (guint i = 0; i < output->n_columns; i++)
    if (is_shown (&output->columns[i]))
      last = i;
  return last != G_MAXUINT && is_text (&output->columns[last]) ? last : G_MAXUINT;
}

/* What there is, all of it, with two blanks between; but no more than most of a text, and of the
 * last one. */
static guint
sum (const Output *output, guint last, guint most, guint most_of_last)
{
  guint columns = 0, n = 0;

  for (guint i = 0; i < output->n_columns; i++)
    {
      guint width = output->widths[i];
      if (!is_shown (&output->columns[i]) || width == HIDDEN)
        continue;
      n++;
      columns += i == last                       ? MIN (width, most_of_last)
                 : is_text (&output->columns[i]) ? MIN (width, most)
                                                 : width;
    }
  return n > 0 ? columns + 2 * (n - 1) : 0;
}

/* Takes away what matters less: the time of day, sizes, dates. */
static void
leave_out (Output *output, guint step)
{
  for (guint i = 0; i < output->n_columns; i++)
    {
      guint *width = &output->widths[i];
      if (output->columns[i].type == CELL_DATE && step == 0)
        *width = MIN (*width, DAY);
      else if ((output->columns[i].type == CELL_SIZE && step == 1)
               || (output->columns[i].type == CELL_DATE && step == 2))
        *width = HIDDEN;
    }
}

/* The widest texts give until it fits with so much of the last. */
static void
squeeze (Output *output, guint last, guint least, guint of_last)
{
  while (sum (output, last, G_MAXUINT, of_last) > output->target.width)
    {
      guint widest = G_MAXUINT;
      for (guint i = 0; i < output->n_columns; i++)
        if (i != last && is_shown (&output->columns[i]) && is_text (&output->columns[i])
            && output->widths[i] > least
            && (widest == G_MAXUINT || output->widths[i] > output->widths[widest]))
          widest = i;
      if (widest == G_MAXUINT)
        return;
      output->widths[widest]--;
    }
}

/* The last column takes what the others leave. */
static void
fit (Output *output)
{
  guint last = last_text (output), width = output->target.width;

  if (width == 0)
    {
      if (last != G_MAXUINT)
        output->widths[last] = 0;
      return;
    }
  if (last != G_MAXUINT && more_may_come (output))
    output->widths[last] = width;
  for (guint step = 0; step < 3 && sum (output, last, TEXT_MIN, LAST_MIN) > width; step++)
    leave_out (output, step);
  squeeze (output, last, TEXT_GOOD, LAST_GOOD);
  squeeze (output, last, TEXT_MIN, LAST_MIN);
  squeeze (output, last, 1, LAST_MIN);
  if (last == G_MAXUINT)
    return;
  guint used = sum (output, last, G_MAXUINT, 0);
  output->widths[last] = MIN (output->widths[last], used < width ? width - used : 1);
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
  fit (output);
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
