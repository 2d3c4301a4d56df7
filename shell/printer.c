/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* printer.c - one value over as many lines as it needs, as Python's pprint writes it
 *
 * At every level: what fits in the rest of the line is written as its repr, what does not is
 * opened, one element to a line. `allowance` is what must still follow on the last line: closing
 * brackets and commas. Columns are code points, as Python counts them.
 */
#include "printer.h"

#include "repr.h"
#include "unicode.h"

#include <string.h>

enum
{
  FLUSH_AT = 64 * 1024,
};

typedef struct
{
  gssize width;
  GString *out;
  PrinterSink sink;
  gpointer data;
  gboolean stopped;
} Printer;

/* Where the next element stands. */
typedef struct
{
  gssize indent;
  gssize allowance;
  guint level; /* 1 is the outermost value */
} Place;

static void print_value (Printer *printer, const Value *value, Place place);

static void
flush (Printer *printer, gsize at_least)
{
  if (printer->sink == NULL || printer->out->len < at_least)
    return;
  if (!printer->stopped && printer->out->len > 0)
    printer->stopped = !printer->sink (printer->out->str, printer->out->len, printer->data);
  g_string_truncate (printer->out, 0);
}

static void
put (Printer *printer, const char *text)
{
  g_string_append (printer->out, text);
}

static void
put_line_break (Printer *printer, gssize indent)
{
  gsize start = printer->out->len;

  g_string_set_size (printer->out, start + 1 + indent);
  memset (printer->out->str + start, ' ', 1 + indent);
  printer->out->str[start] = '\n';
  flush (printer, FLUSH_AT);
}

/* ---- Long text --------------------------------------------------------------------------------
 */

/* Text that is broken over lines: each piece is a literal of its own. */
typedef struct
{
  Printer *printer;
  Place place;
  gboolean bytes;
  guint pieces;
  const char *start, *end; /* the piece that is being collected */
  ReprWidth width;         /* of it */
} Broken;

/* A literal in the middle of other things needs no parentheses; on its own it does. */
static void
broken_piece (Broken *broken)
{
  if (broken->start == broken->end)
    return;
  if (broken->pieces++ > 0)
    put_line_break (broken->printer, broken->place.indent);
  repr_append_text (broken->printer->out, broken->start, broken->end - broken->start,
                    broken->bytes);
  broken->start = broken->end;
  broken->width = (ReprWidth){ 0 };
}

static ReprWidth
measure (const char *start, const char *end, gboolean bytes, ReprWidth width)
{
  while (start < end)
    {
      if (bytes)
        repr_width_add (&width, (guchar) *start++, TRUE);
      else
        {
          repr_width_add (&width, g_utf8_get_char (start), FALSE);
          start = g_utf8_next_char (start);
        }
    }
  return width;
}

/* Adds what stands up to `end` to the piece, or begins the next piece with it. */
static void
broken_add (Broken *broken, const char *end, gssize room)
{
  ReprWidth longer = measure (broken->end, end, broken->bytes, broken->width);

  if ((gssize) repr_width_total (&longer, broken->bytes) > room)
    {
      const char *from = broken->end;

      broken_piece (broken);
      longer = measure (from, end, broken->bytes, (ReprWidth){ 0 });
    }
  broken->width = longer;
  broken->end = end;
}

static const char *
next_line (const char *at, const char *end)
{
  while (at < end)
    {
      gunichar c = g_utf8_get_char (at);

      at = g_utf8_next_char (at);
      if (c == '\r' && at < end && *at == '\n')
        continue;
      if (unicode_is_line_end (c))
        break;
    }
  return at;
}

/* A word with the spaces after it. */
static const char *
next_word (const char *at, const char *end)
{
  while (at < end && !unicode_is_space (g_utf8_get_char (at)))
    at = g_utf8_next_char (at);
  while (at < end && unicode_is_space (g_utf8_get_char (at)))
    at = g_utf8_next_char (at);
  return at;
}

/* Each line is a piece, and a line that is too long is broken between words. */
static void
break_str (Broken *broken, const char *at, const char *end)
{
  gssize room = broken->printer->width - broken->place.indent;

  while (at < end)
    {
      const char *line_end = next_line (at, end);
      gssize whole_room = line_end == end ? room - broken->place.allowance : room;
      ReprWidth whole = measure (at, line_end, FALSE, (ReprWidth){ 0 });

      if ((gssize) repr_width_total (&whole, FALSE) <= whole_room)
        broken->end = line_end;
      else
        while (at < line_end)
          {
            at = next_word (at, line_end);
            broken_add (broken, at, at == end ? whole_room : room);
          }
      broken_piece (broken);
      at = line_end;
    }
}

/* Four octets are kept together. */
static void
break_bytes (Broken *broken, const char *at, const char *end)
{
  gssize room = broken->printer->width - broken->place.indent;

  for (; end - at >= 4; at += 4)
    broken_add (broken, at + 4, room);
  if (at < end)
    broken_add (broken, end, room - broken->place.allowance);
  broken_piece (broken);
}

/* How many pieces it makes, at most two counted: parentheses stand around more than one. */
static void
print_text (Printer *printer, const Value *value, Place place)
{
  const char *start = value->text.bytes, *end = start + value->text.size;
  gboolean bytes = value->kind == VALUE_BYTES;
  gboolean outermost = place.level == 1;
  gsize opened = printer->out->len;

  if (value->text.size == 0 || (bytes && value->text.size <= 4))
    {
      repr_append_text (printer->out, start, value->text.size, bytes);
      return;
    }
  if (outermost)
    {
      put (printer, "(");
      place.indent++;
      place.allowance++;
    }

  Broken broken = { printer, place, bytes, 0, start, start, { 0 } };

  if (bytes)
    break_bytes (&broken, start, end);
  else
    break_str (&broken, start, end);
  if (!outermost)
    return;
  /* A str that could not be broken stands without them, as pprint has it; bytes keep them. */
  if (broken.pieces == 1 && !bytes)
    g_string_erase (printer->out, opened, 1);
  else
    put (printer, ")");
}

/* ---- Containers -------------------------------------------------------------------------------
 */

static void
print_sequence (Printer *printer, const Value *value, Place place)
{
  gboolean tuple = value->kind == VALUE_TUPLE;
  const char *closing = !tuple ? "]" : value->seq.n == 1 ? ",)" : ")";

  put (printer, tuple ? "(" : "[");
  place.indent++;
  for (guint i = 0; i < value->seq.n && !printer->stopped; i++)
    {
      gboolean last = i + 1 == value->seq.n;
      gssize allowance = last ? place.allowance + (gssize) strlen (closing) : 1;

      print_value (printer, value->seq.items[i], (Place){ place.indent, allowance, place.level });
      if (last)
        break;
      put (printer, ",");
      put_line_break (printer, place.indent);
    }
  put (printer, closing);
}

static void
print_dict (Printer *printer, const Value *value, Place place)
{
  g_autofree const ValuePair **pairs = repr_sorted_pairs (value);

  put (printer, "{");
  place.indent++;
  for (guint i = 0; i < value->dict.n && !printer->stopped; i++)
    {
      gboolean last = i + 1 == value->dict.n;
      Repr key = { printer->out, G_MAXSSIZE, TRUE };

      repr_write (&key, pairs[i]->key);
      put (printer, ": ");
      print_value (printer, pairs[i]->value,
                   (Place){ place.indent + (G_MAXSSIZE - key.room) + 2,
                            last ? place.allowance + 1 : 1, place.level });
      if (last)
        break;
      put (printer, ",");
      put_line_break (printer, place.indent);
    }
  put (printer, "}");
}

static void
print_record (Printer *printer, const Value *value, Place place)
{
  const RecordType *type = value->record.type;

  put (printer, type->name);
  put (printer, "(");
  place.indent += strlen (type->name) + 1;
  for (guint i = 0; i < type->n_fields && !printer->stopped; i++)
    {
      gboolean last = i + 1 == type->n_fields;
      gssize indent = place.indent + strlen (type->fields[i]) + 1;

      put (printer, type->fields[i]);
      put (printer, "=");
      print_value (printer, value->record.fields[i],
                   (Place){ indent, last ? place.allowance : 1, place.level });
      if (last)
        break;
      put (printer, ",");
      put_line_break (printer, place.indent);
    }
  put (printer, ")");
}

static void
print_value (Printer *printer, const Value *value, Place place)
{
  gsize before = printer->out->len;
  gssize room = printer->width - place.indent - place.allowance;
  Repr repr = { printer->out, room, TRUE };
  gboolean fits = room >= 0 && repr_write (&repr, value);

  if (fits)
    return;
  g_string_truncate (printer->out, before);
  place.level++;
  switch ((ValueKind) value->kind)
    {
    case VALUE_STR:
    case VALUE_BYTES:
      print_text (printer, value, place);
      break;
    case VALUE_LIST:
    case VALUE_TUPLE:
      print_sequence (printer, value, place);
      break;
    case VALUE_DICT:
      print_dict (printer, value, place);
      break;
    case VALUE_RECORD:
      print_record (printer, value, place);
      break;
    case VALUE_NONE:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_DATE:
    case VALUE_DATETIME:
    case VALUE_TIMEDELTA:
    case VALUE_TIMEZONE:
    case VALUE_OBJECT:
    case VALUE_BUILTIN:
    case VALUE_METHOD:
      repr_append (printer->out, value);
      break;
    }
}

gboolean
printer_print (const Value *value, guint width, PrinterSink sink, gpointer data)
{
  g_autoptr (GString) out = g_string_new (NULL);
  Printer printer = { width, out, sink, data, FALSE };

  print_value (&printer, value, (Place){ 0, 0, 0 });
  flush (&printer, 0);
  return !printer.stopped;
}

char *
printer_dup (const Value *value, guint width)
{
  GString *out = g_string_new (NULL);
  Printer printer = { width, out, NULL, NULL, FALSE };

  print_value (&printer, value, (Place){ 0, 0, 0 });
  return g_string_free (out, FALSE);
}
