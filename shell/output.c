/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * output.c - what a command gives, in one of the formats; see output.h
 *
 * Cells are kept as they came until the row is whole; then one writer for each format takes them.
 * How a table is laid out is in output-table.c. */
#include "output-private.h"

#include "json-text.h"
#include "safe-text.h"

#include <string.h>

/* ---- Cells --------------------------------------------------------------------------------------
 */

static void
clear_cell (gpointer data)
{
  Cell *cell = data;

  g_free (cell->text);
  if (cell->words != NULL)
    g_ptr_array_unref (cell->words);
}

static void
add_cell (Output *output, Cell cell)
{
  g_return_if_fail (output->row->len < output->n_columns);
  g_array_append_val (output->row, cell);
}

void
output_text (Output *output, const char *text, gssize size)
{
  Cell cell = { .is_none = text == NULL };

  if (text != NULL)
    {
      cell.size = size < 0 ? strlen (text) : (gsize) size;
      cell.text = g_strndup (text, cell.size);
      if (size >= 0) /* g_strndup() ends at a NUL */
        memcpy (cell.text, text, cell.size);
    }
  add_cell (output, cell);
}

void
output_number (Output *output, guint64 number)
{
  add_cell (output, (Cell){ .number = number });
}

void
output_date (Output *output, gint64 date)
{
  add_cell (output, (Cell){ .number = (guint64) date });
}

void
output_word (Output *output, const char *text, gssize size)
{
  if (output->words == NULL)
    output->words = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (output->words, size < 0 ? g_strdup (text) : g_strndup (text, (gsize) size));
}

void
output_words_end (Output *output)
{
  GPtrArray *words = g_steal_pointer (&output->words);

  add_cell (output, (Cell){ .words = words != NULL ? words : g_ptr_array_new () });
}

void
output_none (Output *output)
{
  add_cell (output, (Cell){ .is_none = TRUE });
}

/* ---- A cell as JSON, as plain text, as a value --------------------------------------------------
 */

static void
append_json_cell (GString *line, const OutputColumn *column, const Cell *cell)
{
  if (cell->is_none)
    {
      g_string_append (line, "null");
      return;
    }
  switch (column->type)
    {
    case CELL_TEXT:
      json_append_text (line, cell->text, (gssize) cell->size);
      return;
    case CELL_NUMBER:
    case CELL_SIZE:
      g_string_append_printf (line, "%" G_GUINT64_FORMAT, cell->number);
      return;
    case CELL_DATE:
      json_append_date (line, (gint64) cell->number);
      return;
    case CELL_TRUTH:
      g_string_append (line, cell->number != 0 ? "true" : "false");
      return;
    case CELL_WORDS:
      g_string_append_c (line, '[');
      for (guint i = 0; i < cell->words->len; i++)
        {
          g_string_append (line, i > 0 ? ", " : "");
          json_append_text (line, g_ptr_array_index (cell->words, i), -1);
        }
      g_string_append_c (line, ']');
      return;
    }
}

/* One line, made safe. */
static void
append_plain_cell (GString *line, const OutputColumn *column, const Cell *cell)
{
  if (cell->is_none)
    return;
  switch (column->type)
    {
    case CELL_TEXT:
      safe_text_append (line, cell->text, (gssize) cell->size, SAFE_TEXT_LINE);
      return;
    case CELL_NUMBER:
    case CELL_SIZE:
      g_string_append_printf (line, "%" G_GUINT64_FORMAT, cell->number);
      return;
    case CELL_DATE:
      {
        g_autoptr (GString) date = g_string_new (NULL);
        json_append_date (date, (gint64) cell->number);
        if (date->str[0] == '"')
          g_string_append_len (line, date->str + 1, (gssize) date->len - 2);
        return;
      }
    case CELL_TRUTH:
      g_string_append (line, cell->number != 0 ? "true" : "false");
      return;
    case CELL_WORDS:
      for (guint i = 0; i < cell->words->len; i++)
        {
          g_string_append (line, i > 0 ? " " : "");
          safe_text_append (line, g_ptr_array_index (cell->words, i), -1, SAFE_TEXT_LINE);
        }
      return;
    }
}

static Value *
cell_value (const OutputColumn *column, const Cell *cell)
{
  if (cell->is_none)
    return value_none ();
  switch (column->type)
    {
    case CELL_TEXT:
      return value_str (cell->text, (gssize) cell->size);
    case CELL_NUMBER:
    case CELL_SIZE:
      return value_uint (cell->number);
    case CELL_DATE:
      {
        GString *date = g_string_new (NULL);
        append_plain_cell (date, column, cell);
        return value_str_take (date);
      }
    case CELL_TRUTH:
      return value_bool (cell->number != 0);
    case CELL_WORDS:
      {
        Value *list = value_list_new (cell->words->len);
        for (guint i = 0; i < cell->words->len; i++)
          value_append (list, value_str (g_ptr_array_index (cell->words, i), -1));
        return list;
      }
    }
  return value_none ();
}

/* Not in tables alone. */
static gboolean
is_data (const OutputColumn *column)
{
  return *column->name != '\0';
}

/* ---- A row in each format -----------------------------------------------------------------------
 */

static void
append_object (Output *output, GString *line)
{
  guint any = 0;

  for (guint i = 0; i < output->n_columns; i++)
    {
      if (!is_data (&output->columns[i]))
        continue;
      g_string_append_printf (line, "%s\"%s\": ", any++ > 0 ? ", " : "{", output->columns[i].name);
      append_json_cell (line, &output->columns[i], &g_array_index (output->row, Cell, i));
    }
  g_string_append_c (line, '}');
}

static void
append_csv_cell (GString *line, const char *text)
{
  if (strpbrk (text, ",\"") == NULL)
    {
      g_string_append (line, text);
      return;
    }
  g_string_append_c (line, '"');
  for (; *text != '\0'; text++)
    {
      if (*text == '"')
        g_string_append_c (line, '"');
      g_string_append_c (line, *text);
    }
  g_string_append_c (line, '"');
}

static void
append_plain_row (Output *output, GString *line)
{
  guint any = 0;

  for (guint i = 0; i < output->n_columns; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      if (!is_data (&output->columns[i]))
        continue;

      append_plain_cell (text, &output->columns[i], &g_array_index (output->row, Cell, i));
      if (output->target.format == OUTPUT_CSV)
        {
          g_string_append (line, any++ > 0 ? "," : "");
          append_csv_cell (line, text->str);
          continue;
        }
      g_string_append (line, any++ > 0 ? "\t" : "");
      g_string_append (line, text->str);
    }
  g_string_append_c (line, '\n');
}

static void
append_csv_names (Output *output, GString *line)
{
  guint any = 0;

  for (guint i = 0; i < output->n_columns; i++)
    if (is_data (&output->columns[i]))
      g_string_append_printf (line, "%s%s", any++ > 0 ? "," : "", output->columns[i].name);
  g_string_append_c (line, '\n');
}

static void
collect_row (Output *output)
{
  g_autoptr (Value) row = value_dict_new ();

  for (guint i = 0; i < output->n_columns; i++)
    if (is_data (&output->columns[i]))
      value_dict_set (row, value_str (output->columns[i].name, -1),
                      cell_value (&output->columns[i], &g_array_index (output->row, Cell, i)));
  if (output->flags & OUTPUT_SINGLE)
    {
      g_clear_pointer (&output->collected, value_unref);
      output->collected = g_steal_pointer (&row);
    }
  else
    value_append (output->collected, g_steal_pointer (&row));
}

static gboolean
write_line (Output *output, const GString *line)
{
  return line->len == 0 || fwrite (line->str, 1, line->len, output->target.out) == line->len;
}

gboolean
output_row (Output *output)
{
  g_autoptr (GString) line = g_string_new (NULL);
  gboolean ok = TRUE;

  g_return_val_if_fail (output->row->len == output->n_columns, FALSE);
  switch (output->target.format)
    {
    case OUTPUT_TABLE:
      ok = output_table_row (output);
      break;
    case OUTPUT_VALUE:
      collect_row (output);
      break;
    case OUTPUT_JSON:
      if (!(output->flags & OUTPUT_SINGLE))
        g_string_append (line, output->rows > 0 ? ",\n " : "[");
      append_object (output, line);
      ok = write_line (output, line);
      break;
    case OUTPUT_JSONL:
      append_object (output, line);
      g_string_append_c (line, '\n');
      ok = write_line (output, line);
      break;
    case OUTPUT_CSV:
      if (output->rows == 0)
        append_csv_names (output, line);
      append_plain_row (output, line);
      ok = write_line (output, line);
      break;
    case OUTPUT_RAW:
      append_plain_row (output, line);
      ok = write_line (output, line);
      break;
    }
  g_array_set_size (output->row, 0);
  output->rows++;
  if (output->flags & OUTPUT_LIVE && output->target.out != NULL)
    ok = fflush (output->target.out) == 0 && ok;
  return ok;
}

/* ---- Beginning and end --------------------------------------------------------------------------
 */

Output *
output_new (const OutputTarget *target, const OutputColumn *columns, OutputFlags flags)
{
  Output *output = g_new0 (Output, 1);

  output->target = *target;
  output->columns = columns;
  output->flags = flags;
  while (columns[output->n_columns].name != NULL)
    output->n_columns++;
  output->row = g_array_new (FALSE, TRUE, sizeof (Cell));
  g_array_set_clear_func (output->row, clear_cell);
  if (target->format == OUTPUT_TABLE)
    output_table_begin (output);
  if (target->format == OUTPUT_VALUE && !(flags & OUTPUT_SINGLE))
    output->collected = value_list_new (16);
  return output;
}

guint64
output_end (Output *output)
{
  g_autoptr (GString) line = g_string_new (NULL);

  if (output->ended)
    return output->rows;
  output->ended = TRUE;
  switch (output->target.format)
    {
    case OUTPUT_TABLE:
      output_table_end (output);
      break;
    case OUTPUT_VALUE:
      if (output->target.result != NULL)
        {
          /* Of a line with several commands the last one's counts. */
          g_clear_pointer (output->target.result, value_unref);
          *output->target.result =
              output->collected != NULL ? g_steal_pointer (&output->collected) : value_none ();
        }
      break;
    case OUTPUT_JSON:
      if (output->flags & OUTPUT_SINGLE)
        g_string_append (line, output->rows > 0 ? "\n" : "null\n");
      else
        g_string_append (line, output->rows > 0 ? "]\n" : "[]\n");
      break;
    case OUTPUT_CSV:
      if (output->rows == 0)
        append_csv_names (output, line);
      break;
    case OUTPUT_JSONL:
    case OUTPUT_RAW:
      break;
    }
  write_line (output, line);
  return output->rows;
}

void
output_free (Output *output)
{
  if (output == NULL)
    return;
  g_array_unref (output->row);
  g_clear_pointer (&output->words, g_ptr_array_unref);
  g_clear_pointer (&output->collected, value_unref);
  output_table_free (output);
  g_free (output);
}
