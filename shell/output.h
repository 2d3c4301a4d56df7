/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * output.h - what a command gives: columns described once, rows added, printed in one of the
 * formats
 *
 * No command prints a table or JSON by itself. Rows are written as they come: of a table the first
 * OUTPUT_HELD are held to find out how wide its columns are, of OUTPUT_VALUE all are. Whatever text
 * holds, what is written is fit for a terminal: in JSON by its escapes, elsewhere by safe-text.h.
 */
#pragma once

#include "value.h"

#include <stdio.h>

G_BEGIN_DECLS

typedef enum
{
  OUTPUT_TABLE, /* for people */
  OUTPUT_JSON,  /* one array of objects, or with OUTPUT_SINGLE one object */
  OUTPUT_JSONL, /* an object in each line */
  OUTPUT_CSV,   /* RFC 4180, with a line of names */
  OUTPUT_RAW,   /* values with a tab between, nothing else */
  OUTPUT_VALUE, /* a list of dictionaries, for whoever runs the command */
} OutputFormat;

enum
{
  OUTPUT_HELD = 200,
};

typedef enum
{
  CELL_TEXT,
  CELL_NUMBER,
  CELL_SIZE,  /* octets; in a table "1.2 KiB" */
  CELL_DATE,  /* seconds since the epoch; in a table local time, else ISO 8601 in UTC */
  CELL_TRUTH, /* true and false; in a table "yes" and nothing */
  CELL_WORDS, /* texts; an array in JSON, else with blanks between */
} CellType;

typedef struct
{
  const char *name;  /* the key in JSON and CSV; "": in tables alone; NULL: the end of the list */
  const char *title; /* over a table's column; NULL: tables leave this column out */
  CellType type;
  guint width; /* in a table: not wider than this; 0: as wide as its longest. The last column takes
                  what is left of the terminal, and is not cut where there is none */
} OutputColumn;

/* Where it goes. */
typedef struct
{
  FILE *out;
  OutputFormat format;
  guint width;       /* columns of the terminal; 0: there is none */
  gboolean headings; /* a table's titles */
  Value **result;    /* VALUE: a new reference is put there by output_end() */
} OutputTarget;

typedef enum
{
  OUTPUT_MANY = 0,
  OUTPUT_SINGLE = 1 << 0, /* there is one row: JSON is one object, VALUE one dictionary */
  OUTPUT_LIVE = 1 << 1,   /* each row is written at once; columns are as wide as they say */
} OutputFlags;

typedef struct Output Output;

/* target is copied, columns are borrowed. */
Output *output_new (const OutputTarget *target, const OutputColumn *columns, OutputFlags flags);
/* Each fills the next cell of the row. Texts may be hostile; they are copied. size -1: up to the
 * NUL; text NULL: there is none (null in JSON). */
void output_text (Output *output, const char *text, gssize size);
void output_number (Output *output, guint64 number); /* NUMBER, SIZE, TRUTH */
void output_date (Output *output, gint64 date);
/* WORDS: each adds a word to the open cell; output_words_end() goes on to the next. */
void output_word (Output *output, const char *text, gssize size);
void output_words_end (Output *output);
void output_none (Output *output);
/* The row is whole. FALSE: nobody reads any more. */
gboolean output_row (Output *output);
/* Writes what is held. Rows so far in all. */
guint64 output_end (Output *output);
/* Also after output_end(); before it what is held is dropped. */
void output_free (Output *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Output, output_free)

G_END_DECLS
