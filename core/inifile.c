/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * inifile.c - an INI file as text, read through inih
 *
 * inih as distributions build it cuts a line at 200 bytes and a name at 49, and takes
 * " ;" in a value for a comment. So our reader function gives it each line with short
 * placeholders instead of the names and values ("[3]", "17 = 5", " 6"), and the handler
 * puts the real ones back: inih says what a line is, and never sees what it holds.
 *
 * Where inih and Python's configparser differ, the reader hands on the line as
 * configparser reads it: a line continues a value only if it is indented deeper than
 * that value's key, so that a section whose lines are all indented works. */
#include "inifile.h"

#include <ini.h>
#include <string.h>

#include "secret.h"

#define BLANKS " \t\r\v\f"

typedef struct
{
  const char *text;
  gsize size;
} Slice;

typedef struct
{
  const char *next, *end; /* of the file */
  const char *file;
  guint line;
  RackIni *ini;
  RackIniEntry *entry; /* the one that continuation lines belong to, or NULL */
  gsize indent;        /* of that entry's key */
  GArray *parts;       /* Slice: that entry's value so far */
  Slice name, value;   /* of the current line */
  GError *error;       /* the first */
} Reader;

static void G_GNUC_PRINTF (3, 4) fail (Reader *reader, guint line, const char *format, ...)
{
  va_list args;

  if (reader->error != NULL)
    return;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (&reader->error, RACK_ERROR, RACK_ERROR_CONFIG, "%s:%u: %s", reader->file, line,
               text);
}

static char *
printable (Slice slice)
{
  g_autofree char *text = rack_text_escape (slice.text, (gssize) MIN (slice.size, 200));

  return g_strdup_printf ("%s%s", text, slice.size > 200 ? "..." : "");
}

static gboolean
is_blank (char c)
{
  return c != '\0' && strchr (BLANKS, c) != NULL;
}

static Slice
strip (Slice slice)
{
  while (slice.size > 0 && is_blank (slice.text[0]))
    {
      slice.text++;
      slice.size--;
    }
  while (slice.size > 0 && is_blank (slice.text[slice.size - 1]))
    slice.size--;
  return slice;
}

/* ---- What inih calls ---------------------------------------------------- */

/* The whole value is put together once, so that no copy of a part is left in memory. */
static void
finish_entry (Reader *reader)
{
  gsize size = 0;

  if (reader->entry == NULL)
    return;
  for (guint i = 0; i < reader->parts->len; i++)
    size += g_array_index (reader->parts, Slice, i).size + (i > 0);
  if (size > RACK_INI_VALUE_MAX)
    {
      g_autofree char *key = printable ((Slice){ reader->entry->key, strlen (reader->entry->key) });
      fail (reader, reader->entry->line, "the value of \"%s\" is longer than %d KiB", key,
            RACK_INI_VALUE_MAX / 1024);
    }
  else
    {
      char *text = g_malloc (size + 1);
      gsize at = 0;

      for (guint i = 0; i < reader->parts->len; i++)
        {
          const Slice *part = &g_array_index (reader->parts, Slice, i);

          if (i > 0)
            text[at++] = '\n';
          memcpy (text + at, part->text, part->size);
          at += part->size;
        }
      reader->entry->value = rack_secret_new (text, (gssize) size);
      rack_wipe (text, size);
      g_free (text);
    }
  g_array_set_size (reader->parts, 0);
  reader->entry = NULL;
}

static void
begin_section (Reader *reader, Slice name)
{
  g_autofree char *shown = printable (name);
  g_autofree char *text = g_strndup (name.text, name.size);
  const RackIniSection *other = rack_ini_section (reader->ini, text);

  finish_entry (reader);
  if (name.size == 0)
    fail (reader, reader->line, "a section without a name");
  else if (other != NULL)
    fail (reader, reader->line, "section [%s] is already in line %u: put its keys there", shown,
          other->line);
  else
    {
      RackIniSection *section = g_new0 (RackIniSection, 1);

      section->name = g_steal_pointer (&text);
      section->line = reader->line;
      section->entries = g_ptr_array_new ();
      g_ptr_array_add (reader->ini->sections, section);
    }
}

/* "[name]", blanks, and perhaps a comment. */
static gboolean
read_section (Reader *reader, Slice line, char *buffer, gsize size)
{
  const char *close = memchr (line.text, ']', line.size);

  if (close == NULL)
    {
      fail (reader, reader->line, "\"]\" is missing after the name of the section");
      return FALSE;
    }

  Slice rest = { close + 1, line.size - (gsize) (close + 1 - line.text) };
  rest = strip (rest);
  if (rest.size > 0 && rest.text[0] != '#' && rest.text[0] != ';')
    {
      fail (reader, reader->line,
            "something follows the \"]\" of the section; put it on a line "
            "of its own");
      return FALSE;
    }
  begin_section (reader, strip ((Slice){ line.text + 1, (gsize) (close - line.text) - 1 }));
  if (reader->error != NULL)
    return FALSE;
  g_snprintf (buffer, size, "[%u]\n", reader->ini->sections->len - 1);
  return TRUE;
}

static gboolean
read_key (Reader *reader, Slice line, char *buffer, gsize size)
{
  gsize at = 0;

  while (at < line.size && line.text[at] != '=' && line.text[at] != ':')
    at++;
  reader->name = strip ((Slice){ line.text, at });
  if (at == line.size)
    {
      /* What is on the line may be a secret's second half: it is not shown. */
      fail (reader, reader->line, "expected \"key = value\", \"[section]\" or a comment");
      return FALSE;
    }
  if (reader->name.size == 0)
    {
      fail (reader, reader->line, "a value without a key");
      return FALSE;
    }
  reader->value = strip ((Slice){ line.text + at + 1, line.size - at - 1 });
  g_snprintf (buffer, size, "%u = %u\n", reader->line, reader->line);
  return TRUE;
}

/* fgets() for inih: one line of the file, as a short line that means the same. */
static char *
read_line (char *buffer, int size, void *data)
{
  Reader *reader = data;
  gsize length, indent = 0;

  if (reader->error != NULL || reader->next == reader->end)
    return NULL;

  const char *newline = memchr (reader->next, '\n', (gsize) (reader->end - reader->next));
  length = (gsize) ((newline != NULL ? newline : reader->end) - reader->next);
  Slice line = { reader->next, length };
  reader->next = newline != NULL ? newline + 1 : reader->end;
  reader->line++;

  while (indent < line.size && is_blank (line.text[indent]))
    indent++;
  line = strip (line);

  if (line.size == 0 || line.text[0] == '#' || line.text[0] == ';')
    g_strlcpy (buffer, "\n", (gsize) size);
  else if (reader->entry != NULL && indent > reader->indent)
    {
      reader->value = line;
      g_snprintf (buffer, (gsize) size, " %u\n", reader->line);
    }
  else if (line.text[0] == '[')
    return read_section (reader, line, buffer, (gsize) size) ? buffer : NULL;
  else
    {
      reader->indent = indent;
      return read_key (reader, line, buffer, (gsize) size) ? buffer : NULL;
    }
  return buffer;
}

static void
begin_entry (Reader *reader, RackIniSection *section)
{
  g_autofree char *key = g_ascii_strdown (reader->name.text, (gssize) reader->name.size);
  const RackIniEntry *other = rack_ini_entry (section, key);

  if (other != NULL)
    {
      g_autofree char *shown = printable (reader->name);

      fail (reader, reader->line, "\"%s\" is already set in line %u: drop one of the two", shown,
            other->line);
      return;
    }

  RackIniEntry *entry = g_new0 (RackIniEntry, 1);
  entry->key = g_steal_pointer (&key);
  entry->line = reader->line;
  entry->last_line = reader->line;
  g_ptr_array_add (section->entries, entry);
  reader->entry = entry;
  if (reader->value.size > 0)
    g_array_append_val (reader->parts, reader->value);
}

/* inih calls this for the line that read_line() just gave it: name is the line of the key
 * and value the line itself, so that a continuation shows by the two being different. */
static int
handle (void *data, const char *section, const char *name, const char *value)
{
  Reader *reader = data;

  if (reader->error != NULL)
    return 0;
  if (*section == '\0')
    {
      fail (reader, reader->line, "a key before the first section: begin the file with [DEFAULT]");
      return 0;
    }
  if (strcmp (name, value) != 0)
    {
      g_array_append_val (reader->parts, reader->value);
      reader->entry->last_line = reader->line;
      return 1;
    }

  guint64 index = g_ascii_strtoull (section, NULL, 10);
  finish_entry (reader);
  begin_entry (reader, g_ptr_array_index (reader->ini->sections, index));
  return reader->error == NULL;
}

/* ---- The whole ---------------------------------------------------------- */

static guint
count_lines (const char *from, const char *to)
{
  guint lines = 1;

  for (const char *p = from; p < to; p++)
    lines += *p == '\n';
  return lines;
}

static gboolean
check_text (const char *data, gsize size, const char *file, GError **error)
{
  const char *bad = NULL;

  if (size > RACK_INI_FILE_MAX)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "%s: longer than %d MiB", file,
                   RACK_INI_FILE_MAX / 1024 / 1024);
      return FALSE;
    }
  if (!g_utf8_validate_len (data, size, &bad))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                   *bad == '\0' ? "%s:%u: a NUL byte: this is not a text file"
                                : "%s:%u: not UTF-8: save the file as UTF-8",
                   file, count_lines (data, bad));
      return FALSE;
    }
  return TRUE;
}

RackIni *
rack_ini_parse (const char *data, gsize size, const char *file, GError **error)
{
  if (size >= 3 && memcmp (data, "\xEF\xBB\xBF", 3) == 0)
    {
      data += 3;
      size -= 3;
    }
  if (!check_text (data, size, file, error))
    return NULL;

  g_autoptr (RackIni) ini = g_new0 (RackIni, 1);
  ini->sections = g_ptr_array_new ();
  Reader reader = { .next = data, .end = data + size, .file = file, .ini = ini };
  reader.parts = g_array_new (FALSE, FALSE, sizeof (Slice));

  int line = ini_parse_stream (read_line, &reader, handle, &reader);
  finish_entry (&reader);
  g_array_unref (reader.parts);
  if (line != 0 && reader.error == NULL)
    g_set_error (&reader.error, RACK_ERROR, RACK_ERROR_CONFIG, "%s:%d: cannot be read", file, line);
  if (reader.error != NULL)
    {
      g_propagate_error (error, reader.error);
      return NULL;
    }
  return g_steal_pointer (&ini);
}

void
rack_ini_free (RackIni *ini)
{
  if (ini == NULL)
    return;
  for (guint i = 0; i < ini->sections->len; i++)
    {
      RackIniSection *section = g_ptr_array_index (ini->sections, i);

      for (guint k = 0; k < section->entries->len; k++)
        {
          RackIniEntry *entry = g_ptr_array_index (section->entries, k);

          rack_secret_free (entry->value);
          g_free (entry->key);
          g_free (entry);
        }
      g_ptr_array_unref (section->entries);
      g_free (section->name);
      g_free (section);
    }
  g_ptr_array_unref (ini->sections);
  g_free (ini);
}

const RackIniSection *
rack_ini_section (const RackIni *ini, const char *name)
{
  for (guint i = 0; i < ini->sections->len; i++)
    {
      const RackIniSection *section = g_ptr_array_index (ini->sections, i);

      if (strcmp (section->name, name) == 0)
        return section;
    }
  return NULL;
}

const RackIniEntry *
rack_ini_entry (const RackIniSection *section, const char *key)
{
  for (guint i = 0; section != NULL && i < section->entries->len; i++)
    {
      const RackIniEntry *entry = g_ptr_array_index (section->entries, i);

      if (strcmp (entry->key, key) == 0)
        return entry;
    }
  return NULL;
}
