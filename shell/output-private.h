/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * output-private.h - what output.c and output-table.c share. Nobody else includes this. */
#pragma once

#include "output.h"

typedef struct
{
  gboolean is_none;
  guint64 number; /* dates too */
  char *text;     /* of size octets, with a NUL behind */
  gsize size;
  GPtrArray *words;
} Cell;

struct Output
{
  OutputTarget target;
  OutputFlags flags;
  const OutputColumn *columns;
  guint n_columns;
  GArray *row;      /* of Cell */
  GPtrArray *words; /* of the cell that is open */
  guint64 rows;
  Value *collected;
  gboolean ended;
  /* output-table.c */
  GPtrArray *held; /* rows of safe texts, each NULL-terminated */
  guint *widths;
  gboolean laid_out;
};

void output_table_begin (Output *output);
gboolean output_table_row (Output *output);
void output_table_end (Output *output);
void output_table_free (Output *output);
