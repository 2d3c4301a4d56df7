/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* repr.c - one value as one line of text, as Python's repr() writes it
 *
 * The writer stops as soon as its room is used up: pprint asks at every level "does it fit in what
 * is left of the line?", and the answer must not cost the length of what does not fit.
 */
#include "repr.h"

#include "builtins.h"
#include "unicode.h"

#include <math.h>
#include <string.h>

/* ---- Text -------------------------------------------------------------------------------------
 */

static guint
escape_width (gunichar c, gboolean bytes)
{
  if (c == '\\' || c == '\n' || c == '\r' || c == '\t')
    return 2;
  if (c >= 0x20 && c < 0x7f)
    return 1;
  if (c < 0x100 && (bytes || !unicode_is_printable (c)))
    return 4;
  if (unicode_is_printable (c))
    return 1;
  return c < 0x10000 ? 6 : 10;
}

void
repr_width_add (ReprWidth *width, gunichar c, gboolean bytes)
{
  width->width += escape_width (c, bytes);
  width->single += c == '\'';
  width->dbl += c == '"';
}

/* Python quotes with ' unless there is a ' and no ". */
static gboolean
quotes_with_double (guint single, guint dbl)
{
  return single > 0 && dbl == 0;
}

gsize
repr_width_total (const ReprWidth *width, gboolean bytes)
{
  gsize escaped = quotes_with_double (width->single, width->dbl) ? 0 : width->single;

  return width->width + escaped + 2 + (bytes ? 1 : 0);
}

static void
append_pair (GString *text, char first, char second)
{
  g_string_append_c (text, first);
  g_string_append_c (text, second);
}

/* The message bodies people print are megabytes of these: no printf here. */
static void
append_hex (GString *text, char letter, guint digits, gunichar c)
{
  append_pair (text, '\\', letter);
  while (digits-- > 0)
    g_string_append_c (text, "0123456789abcdef"[c >> (4 * digits) & 15]);
}

static void
append_escaped (GString *text, gunichar c, gboolean bytes)
{
  if (c == '\\')
    append_pair (text, '\\', '\\');
  else if (c == '\n')
    append_pair (text, '\\', 'n');
  else if (c == '\r')
    append_pair (text, '\\', 'r');
  else if (c == '\t')
    append_pair (text, '\\', 't');
  else if (escape_width (c, bytes) == 1)
    g_string_append_unichar (text, c);
  else if (c < 0x100)
    append_hex (text, 'x', 2, c);
  else if (c < 0x10000)
    append_hex (text, 'u', 4, c);
  else
    append_hex (text, 'U', 8, c);
}

static void
count_quotes (const char *data, gsize size, guint *single, guint *dbl)
{
  *single = memchr (data, '\'', size) != NULL;
  *dbl = *single && memchr (data, '"', size) != NULL;
}

static gunichar
next_character (const char **at, gboolean bytes)
{
  gunichar c;

  if (bytes || (guchar) * *at < 0x80)
    return (guchar) * (*at)++;
  c = g_utf8_get_char (*at);
  *at = g_utf8_next_char (*at);
  return c;
}

/* The octets from `at` on that stand for themselves between these quotes. */
static gsize
plain_run (const char *at, const char *end, char quote)
{
  const char *start = at;

  while (at < end && *at >= 0x20 && *at < 0x7f && *at != '\\' && *at != quote)
    at++;
  return at - start;
}

/* Appends the literal until `room` characters are used; returns what is left of the room. */
static gssize
write_text (GString *text, const char *data, gsize size, gboolean bytes, gssize room)
{
  const char *at = data, *end = data + size;
  guint single = 0, dbl = 0;
  char quote;

  if (size > 0)
    count_quotes (data, size, &single, &dbl);
  quote = quotes_with_double (single, dbl) ? '"' : '\'';
  if (bytes)
    g_string_append_c (text, 'b');
  g_string_append_c (text, quote);
  room -= bytes ? 3 : 2;
  while (at < end && room >= 0)
    {
      gsize run = plain_run (at, at + MIN (end - at, room + 1), quote);
      gunichar c;

      if (run > 0)
        {
          g_string_append_len (text, at, run);
          at += run;
          room -= run;
          continue;
        }
      c = next_character (&at, bytes);

      if (c == (gunichar) quote)
        {
          g_string_append_c (text, '\\');
          room--;
        }
      append_escaped (text, c, bytes);
      room -= escape_width (c, bytes);
    }
  g_string_append_c (text, quote);
  return room;
}

void
repr_append_text (GString *text, const char *data, gsize size, gboolean bytes)
{
  write_text (text, data, size, bytes, G_MAXSSIZE);
}

/* ---- Scalars ----------------------------------------------------------------------------------
 */

static void
append_int (GString *text, const Value *value)
{
  g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, value->truth ? "-" : "", value->magnitude);
}

/* The shortest digits that read back as the same number, as Python has it: plain from 1e-4 up to
 * 1e16, else with an exponent. */
static void
append_float (GString *text, double real)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE + 8], digits[32];
  guint n = 0;
  int exponent, precision;

  if (isnan (real) || isinf (real))
    {
      g_string_append (text, isnan (real) ? "nan" : real < 0 ? "-inf" : "inf");
      return;
    }
  for (precision = 0; precision < 17; precision++)
    {
      char format[8];

      g_snprintf (format, sizeof format, "%%.%de", precision);
      g_ascii_formatd (buffer, sizeof buffer, format, real);
      if (g_ascii_strtod (buffer, NULL) == real)
        break;
    }
  for (const char *at = buffer; *at != 'e'; at++)
    if (g_ascii_isdigit (*at))
      digits[n++] = *at;
  digits[n] = '\0';
  exponent = (int) g_ascii_strtoll (strchr (buffer, 'e') + 1, NULL, 10);

  if (signbit (real))
    g_string_append_c (text, '-');
  if (exponent < -4 || exponent >= 16)
    g_string_append_printf (text, "%c%s%se%c%02d", digits[0], n > 1 ? "." : "", digits + 1,
                            exponent < 0 ? '-' : '+', ABS (exponent));
  else if (exponent < 0)
    g_string_append_printf (text, "0.%.*s%s", -exponent - 1, "0000", digits);
  else if (n <= (guint) exponent + 1)
    g_string_append_printf (text, "%s%.*s.0", digits, exponent + 1 - (int) n, "0000000000000000");
  else
    g_string_append_printf (text, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}

static void
append_delta (GString *text, const ValueDelta *delta)
{
  const char *separator = "";

  g_string_append (text, "datetime.timedelta(");
  if (delta->days != 0)
    {
      g_string_append_printf (text, "days=%d", delta->days);
      separator = ", ";
    }
  if (delta->seconds != 0)
    {
      g_string_append_printf (text, "%sseconds=%d", separator, delta->seconds);
      separator = ", ";
    }
  if (delta->microseconds != 0)
    g_string_append_printf (text, "%smicroseconds=%d", separator, delta->microseconds);
  else if (*separator == '\0')
    g_string_append_c (text, '0');
  g_string_append_c (text, ')');
}

static void
append_timezone (GString *text, gint32 offset)
{
  ValueDelta delta = { offset < 0 ? -1 : 0, offset < 0 ? offset + 86400 : offset, 0 };

  if (offset == 0)
    {
      g_string_append (text, "datetime.timezone.utc");
      return;
    }
  g_string_append (text, "datetime.timezone(");
  append_delta (text, &delta);
  g_string_append_c (text, ')');
}

static void
append_datetime (GString *text, const ValueTime *time)
{
  g_string_append_printf (text, "datetime.datetime(%d, %d, %d, %d, %d", time->year, time->month,
                          time->day, time->hour, time->minute);
  if (time->second != 0 || time->microsecond != 0)
    g_string_append_printf (text, ", %d", time->second);
  if (time->microsecond != 0)
    g_string_append_printf (text, ", %d", time->microsecond);
  if (time->aware)
    {
      g_string_append (text, ", tzinfo=");
      append_timezone (text, time->offset);
    }
  g_string_append_c (text, ')');
}

/* Everything short enough to be written first and measured afterwards; all of it is ASCII. */
static void
append_scalar (GString *text, const Value *value)
{
  switch ((ValueKind) value->kind)
    {
    case VALUE_NONE:
      g_string_append (text, "None");
      break;
    case VALUE_BOOL:
      g_string_append (text, value->truth ? "True" : "False");
      break;
    case VALUE_INT:
      append_int (text, value);
      break;
    case VALUE_FLOAT:
      append_float (text, value->real);
      break;
    case VALUE_DATE:
      g_string_append_printf (text, "datetime.date(%d, %d, %d)", value->time.year,
                              value->time.month, value->time.day);
      break;
    case VALUE_DATETIME:
      append_datetime (text, &value->time);
      break;
    case VALUE_TIMEDELTA:
      append_delta (text, &value->delta);
      break;
    case VALUE_TIMEZONE:
      append_timezone (text, value->offset);
      break;
    case VALUE_OBJECT:
      g_string_append_printf (text, "<%s>", value->object.class->type_name);
      break;
    case VALUE_BUILTIN:
      g_string_append_printf (text, "<built-in %s>", value->builtin->name);
      break;
    case VALUE_METHOD:
      g_string_append_printf (text, "<method %s of %s>", value->method.name,
                              value_type_name (value->method.self));
      break;
    case VALUE_STR:
    case VALUE_BYTES:
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_DICT:
    case VALUE_RECORD:
      g_assert_not_reached ();
    }
}

/* ---- Containers -------------------------------------------------------------------------------
 */

static gboolean
put (Repr *repr, const char *ascii)
{
  gsize size = strlen (ascii);

  g_string_append_len (repr->text, ascii, size);
  repr->room -= size;
  return repr->room >= 0;
}

static gboolean
write_sequence (Repr *repr, const Value *value)
{
  gboolean tuple = value->kind == VALUE_TUPLE;

  if (!put (repr, tuple ? "(" : "["))
    return FALSE;
  for (guint i = 0; i < value->seq.n; i++)
    {
      if (i > 0 && !put (repr, ", "))
        return FALSE;
      if (!repr_write (repr, value->seq.items[i]))
        return FALSE;
    }
  return put (repr, !tuple ? "]" : value->seq.n == 1 ? ",)" : ")");
}

static gboolean
write_pair (Repr *repr, const ValuePair *pair, gboolean first)
{
  if (!first && !put (repr, ", "))
    return FALSE;
  return repr_write (repr, pair->key) && put (repr, ": ") && repr_write (repr, pair->value);
}

/* pprint's order: by `<`; where Python cannot compare, by the name of the type. */
static int
compare_pairs (gconstpointer a, gconstpointer b, G_GNUC_UNUSED gpointer data)
{
  const Value *x = (*(const ValuePair *const *) a)->key;
  const Value *y = (*(const ValuePair *const *) b)->key;
  int order;

  if (value_compare (x, y, &order))
    return order;
  return strcmp (value_type_name (x), value_type_name (y));
}

const ValuePair **
repr_sorted_pairs (const Value *dict)
{
  const ValuePair **pairs = g_new (const ValuePair *, MAX (1, dict->dict.n));

  for (guint i = 0; i < dict->dict.n; i++)
    pairs[i] = &dict->dict.pairs[i];
  if (dict->dict.n > 1)
    g_qsort_with_data (pairs, dict->dict.n, sizeof *pairs, compare_pairs, NULL);
  return pairs;
}

static gboolean
write_dict (Repr *repr, const Value *value)
{
  g_autofree const ValuePair **sorted = NULL;
  guint n = value->dict.n;

  if (!put (repr, "{"))
    return FALSE;
  /* A pair takes four columns at least, with what separates it: do not sort what cannot fit. */
  if (repr->room / 4 < (gssize) n)
    {
      repr->room = -1;
      return FALSE;
    }
  if (repr->sort_dicts)
    sorted = repr_sorted_pairs (value);
  for (guint i = 0; i < n; i++)
    if (!write_pair (repr, sorted != NULL ? sorted[i] : &value->dict.pairs[i], i == 0))
      return FALSE;
  return put (repr, "}");
}

static gboolean
write_record (Repr *repr, const Value *value)
{
  const RecordType *type = value->record.type;
  gboolean sorting = repr->sort_dicts;
  gboolean fits = put (repr, type->name) && put (repr, "(");

  repr->sort_dicts = FALSE; /* pprint leaves the inside of a dataclass to repr() */
  for (guint i = 0; fits && i < type->n_fields; i++)
    fits = (i == 0 || put (repr, ", ")) && put (repr, type->fields[i]) && put (repr, "=")
           && repr_write (repr, value->record.fields[i]);
  repr->sort_dicts = sorting;
  return fits && put (repr, ")");
}

gboolean
repr_write (Repr *repr, const Value *value)
{
  gsize before;

  switch ((ValueKind) value->kind)
    {
    case VALUE_STR:
    case VALUE_BYTES:
      repr->room = write_text (repr->text, value->text.bytes, value->text.size,
                               value->kind == VALUE_BYTES, repr->room);
      return repr->room >= 0;
    case VALUE_LIST:
    case VALUE_TUPLE:
      return write_sequence (repr, value);
    case VALUE_DICT:
      return write_dict (repr, value);
    case VALUE_RECORD:
      return write_record (repr, value);
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
      break;
    }
  before = repr->text->len;
  append_scalar (repr->text, value);
  repr->room -= repr->text->len - before;
  return repr->room >= 0;
}

void
repr_append (GString *text, const Value *value)
{
  Repr repr = { .text = text, .room = G_MAXSSIZE };

  repr_write (&repr, value);
}

char *
repr_dup (const Value *value)
{
  GString *text = g_string_new (NULL);

  repr_append (text, value);
  return g_string_free (text, FALSE);
}

char *
repr_str_dup (const Value *value)
{
  return value->kind == VALUE_STR ? g_strdup (value->text.bytes) : repr_dup (value);
}
