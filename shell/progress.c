/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * progress.c - how far long work has come, as one line that fits a terminal */
#include "progress.h"

#include "safe-text.h"

#include <string.h>

#define LABEL_MAX 24
#define BAR_MIN   10
#define BAR_MAX   40
/* What stands between the columns of the line, and around the bar. */
#define GAPS      6

static void
append_left (GString *text, guint64 seconds)
{
  if (seconds >= 3600)
    g_string_append_printf (text, "%u:%02u:%02u left", (guint) MIN (seconds / 3600, 999),
                            (guint) (seconds / 60 % 60), (guint) (seconds % 60));
  else
    g_string_append_printf (text, "%u:%02u left", (guint) (seconds / 60), (guint) (seconds % 60));
}

static void
append_bar (GString *text, guint64 have, guint64 want, guint width)
{
  guint full = want > 0 ? (guint) ((double) have / (double) want * width) : width;
  g_string_append_c (text, '[');
  for (guint i = 0; i < width; i++)
    g_string_append_c (text, i < full ? '#' : '-');
  g_string_append (text, "]  ");
}

char *
progress_line (const char *label, guint64 have, guint64 want, guint64 rate, guint columns)
{
  g_autofree char *safe = safe_text_dup (label, -1, SAFE_TEXT_LINE);
  g_autoptr (GString) figures = g_string_new (NULL);
  g_autoptr (GString) line = g_string_new (NULL);
  guint name = MIN (safe_text_columns (safe), LABEL_MAX);
  /* In the last column a terminal would begin another line. */
  guint room = MAX (columns, 1) - 1;
  have = MIN (have, want);
  g_string_append_printf (figures, "%3u%%  %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT,
                          want > 0 ? (guint) ((double) have / (double) want * 100) : 100, have,
                          want);
  gsize shortest = figures->len;
  if (rate > 0)
    {
      g_string_append_printf (figures, "  %" G_GUINT64_FORMAT "/s  ", rate);
      append_left (figures, (want - have + rate - 1) / rate);
    }
  if (name + GAPS + figures->len > room)
    g_string_truncate (figures, shortest);
  gsize taken = name + GAPS + figures->len;
  safe_text_append_cell (line, label, name);
  g_string_append (line, "  ");
  if (taken + BAR_MIN <= room)
    append_bar (line, have, want, (guint) MIN (room - taken, BAR_MAX));
  g_string_append (line, figures->str);
  if (safe_text_columns (line->str) <= room)
    return g_string_free (g_steal_pointer (&line), FALSE);
  GString *cut = g_string_new (NULL);
  safe_text_append_cell (cut, line->str, room);
  return g_string_free (cut, FALSE);
}
