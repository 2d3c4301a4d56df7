/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * names.c - the names that messages have as files
 *
 * "2026-11-20T0915Z_Alice-Doe_Budget-Q4.48213.eml": made of what never changes
 * while the message lives, so the name does not either. Headers are decoded by
 * headers.c, NFC is GLib's; what may stand in a name is decided here and in
 * names-directory.c, which has the directories.
 */
#include "names.h"

#include "headers.h"
#include "names-private.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* More than any name can show. */
#define HEADER_SIZE 2049
/* So that a long sender leaves room for the subject. */
#define SENDER_MAX  60
/* So that ":2,DFPRST" has room. */
#define BASE_MAX    246
/* What a caller's buffer has at least. */
#define UNIQUE_SIZE 256
/* 9999-12-31T23:59:59Z, the last moment that fits the format. */
#define DATE_MAX    G_GINT64_CONSTANT (253402300799)

/* Invisible characters (Default_Ignorable_Code_Point of Unicode, and all of Cf): they would make
 * two names look the same, or turn the writing direction round. */
gboolean
rack_name_is_invisible (gunichar c)
{
  static const struct
  {
    gunichar first, last;
  } ranges[] = {
    { 0x00ad, 0x00ad },   { 0x034f, 0x034f }, { 0x061c, 0x061c },   { 0x115f, 0x1160 },
    { 0x17b4, 0x17b5 },   { 0x180b, 0x180f }, { 0x200b, 0x200f },   { 0x2028, 0x202e },
    { 0x2060, 0x206f },   { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
    { 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
    { 0xe0000, 0xe0fff },
  };
  if (c < 0xad)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (c >= ranges[i].first && c <= ranges[i].last)
      return TRUE;
  return g_unichar_type (c) == G_UNICODE_FORMAT;
}

/* A hostile header may hold thousands of marks over one letter. */
#define MARKS_MAX 4

typedef enum
{
  KEEP,
  DROP,     /* as if it were not there */
  SEPARATE, /* becomes "-" */
} Fate;

static Fate
fate_of (gunichar c, guint marks, gboolean after_letter)
{
  if (c < 0x80)
    return g_ascii_isalnum (c) || strchr ("+.,@=%", (char) c) != NULL ? KEEP : SEPARATE;
  if (rack_name_is_invisible (c))
    return DROP;
  if (g_unichar_ismark (c))
    return !after_letter ? SEPARATE : marks < MARKS_MAX ? KEEP : DROP;
  return g_unichar_isalnum (c) ? KEEP : SEPARATE;
}

/* The length of text without the "-" and "." at its end. */
static gsize
trimmed (const char *text, gsize size)
{
  while (size > 0 && (text[size - 1] == '-' || text[size - 1] == '.'))
    size--;
  return size;
}

/* The most of text that fits into max bytes and ends before a whole character with its marks. */
static gsize
cut (const char *text, gsize size, gsize max)
{
  if (size <= max)
    return size;
  const char *end = text + max;
  while (end > text && ((guchar) *end & 0xc0) == 0x80)
    end--;
  while (end > text && g_unichar_ismark (g_utf8_get_char (end)))
    end = g_utf8_prev_char (end);
  return (gsize) (end - text);
}

/* The words of text (valid, NFC) with one "-" between two, until they are more than max bytes.
 * words has room for one character more than that. Returns: their length. */
static gsize
join_words (const char *text, gsize max, char *words)
{
  gboolean separate = FALSE, after_letter = FALSE;
  guint marks = 0;
  gsize size = 0;

  for (const char *p = text; *p != '\0' && size <= max; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      Fate fate = fate_of (c, marks, after_letter);
      if (fate == DROP)
        continue;
      gboolean mark = c >= 0x80 && g_unichar_ismark (c);
      after_letter = fate == KEEP && (mark || c >= 0x80 || g_ascii_isalnum (c));
      marks = mark ? marks + 1 : 0;
      if (fate == SEPARATE)
        separate = TRUE;
      else if (size == 0 && c == '.')
        continue;
      else
        {
          if (separate && size > 0)
            words[size++] = '-';
          separate = FALSE;
          size += (gsize) g_unichar_to_utf8 (c, words + size);
        }
    }
  return size;
}

/* Appends the part of a name that text (UTF-8) becomes, at most max bytes; nothing if there
 * is nothing in it that may stand in a name. */
static gsize
append_words (const char *text, gsize max, char *out)
{
  char words[RACK_NAME_MESSAGE_MAX + 16];
  g_autofree char *normal = NULL;

  if (!g_str_is_ascii (text))
    {
      g_autofree char *valid = g_utf8_make_valid (text, -1);
      normal = g_utf8_normalize (valid, -1, G_NORMALIZE_DEFAULT_COMPOSE);
    }
  gsize size = join_words (normal != NULL ? normal : text, max, words);
  size = cut (words, size, max);
  size = trimmed (words, size);
  memcpy (out, words, size);
  return size;
}

gsize
rack_name_words (const char *text, gsize max, char *buffer)
{
  gsize size = append_words (text, max, buffer);
  buffer[size] = '\0';
  return size;
}

static gsize
append_date (gint64 date, char *out)
{
  time_t seconds = (time_t) CLAMP (date, 0, DATE_MAX);
  struct tm tm;
  gmtime_r (&seconds, &tm);
  return strftime (out, 32, "%Y-%m-%dT%H%MZ_", &tm);
}

/* g_strlcpy() goes octet by octet, and listings do little else. */
void
rack_name_copy (const char *name, char *buffer, gsize size)
{
  gsize length = strnlen (name, size - 1);
  memcpy (buffer, name, length);
  buffer[length] = '\0';
}

gsize
rack_name_uid (guint32 uid, char *buffer)
{
  return (gsize) sprintf (buffer, "%u" RACK_NAME_SUFFIX, uid);
}

gsize
rack_name_from_words (guint32 uid, gint64 date, const char *sender, const char *subject,
                      char *buffer)
{
  char suffix[24];
  gsize suffix_size = (gsize) sprintf (suffix, ".%u" RACK_NAME_SUFFIX, uid);
  gsize max = RACK_NAME_MESSAGE_MAX - suffix_size;

  gsize size = append_date (date, buffer);
  gsize part = append_words (sender, SENDER_MAX, buffer + size);
  if (part == 0)
    {
      memcpy (buffer + size, "unknown", 7);
      part = 7;
    }
  size += part;
  buffer[size++] = '_';
  part = append_words (subject, max - size, buffer + size);
  if (part == 0)
    {
      memcpy (buffer + size, "no-subject", 10);
      part = 10;
    }
  size += part;
  memcpy (buffer + size, suffix, suffix_size + 1);
  return size + suffix_size;
}

gsize
rack_name_message (guint32 uid, gint64 date, const RackEnvelope *envelope, char *buffer)
{
  char sender[HEADER_SIZE] = "", subject[HEADER_SIZE] = "";
  const RackAddress *from = envelope != NULL ? rack_header_sender (envelope) : NULL;

  if (from != NULL && rack_header_phrase (from->name, sender, sizeof sender) == 0)
    rack_header_plain (from->mailbox, sender, sizeof sender);
  if (envelope != NULL)
    rack_header_text (envelope->subject, subject, sizeof subject);
  return rack_name_from_words (uid, date, sender, subject, buffer);
}

guint32
rack_name_parse_uid (const char *name)
{
  gsize size = strlen (name);
  if (size <= strlen (RACK_NAME_SUFFIX) || !g_str_has_suffix (name, RACK_NAME_SUFFIX))
    return 0;
  const char *end = name + size - strlen (RACK_NAME_SUFFIX);
  const char *digit = end;
  while (digit > name && g_ascii_isdigit (digit[-1]))
    digit--;
  if (digit == end || end - digit > 10 || *digit == '0')
    return 0;
  if (digit > name && digit[-1] != '.')
    return 0;
  guint64 uid = g_ascii_strtoull (digit, NULL, 10);
  return uid <= G_MAXUINT32 ? (guint32) uid : 0;
}

void
rack_name_unique (guint32 row, gint64 date, guint32 uid, guint64 copy, char *buffer)
{
  char mark[32] = "";
  if (copy != 0)
    g_snprintf (mark, sizeof mark, "C%" G_GUINT64_FORMAT, copy);
  /* Before 1970 there was no mail, and a name with a dash in front would be an option. */
  g_snprintf (buffer, UNIQUE_SIZE, "%" G_GINT64_FORMAT ".R%08xU%u%s.mailrack", MAX (date, 0), row,
              uid, mark);
}

gboolean
rack_name_base (const char *name, char *buffer)
{
  const char *info = strstr (name, ":2,");
  gsize length = info != NULL ? (gsize) (info - name) : strlen (name);
  if (length == 0 || length > BASE_MAX || *name == '.' || memchr (name, ':', length) != NULL)
    return FALSE;
  memcpy (buffer, name, length);
  buffer[length] = '\0';
  return TRUE;
}
