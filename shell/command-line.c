/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-line.c - commands that run other lines: alias, source, time, repeat
 *
 * How deep they may stand in each other is limited, since an alias or a file may name itself. */
#include "command-table.h"
#include "eval-error.h"
#include "lines.h"

#include <string.h>

#define MAX_DEPTH 20

static gboolean
run_inner (Shell *shell, const char *text, GError **error)
{
  if (shell->depth >= MAX_DEPTH)
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE,
                           "lines that run lines stand too deep in each other");
      return FALSE;
    }
  shell->depth++;
  gboolean ok = shell_run (shell, text, error);
  shell->depth--;
  return ok;
}

/* ---- alias --------------------------------------------------------------------------------------
 */

static gboolean
show_aliases (Shell *shell, const char *only, GError **error)
{
  static const OutputColumn columns[] = { { "name", "ALIAS", CELL_TEXT, 0 },
                                          { "text", "MEANS", CELL_TEXT, 0 },
                                          { NULL, NULL, CELL_TEXT, 0 } };
  g_autoptr (GList) names = shell->aliases != NULL ? g_hash_table_get_keys (shell->aliases) : NULL;
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_MANY);

  if (only != NULL && (shell->aliases == NULL || !g_hash_table_contains (shell->aliases, only)))
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_NAME, "there is no alias \"%s\"", only);
      return FALSE;
    }
  names = g_list_sort (names, (GCompareFunc) strcmp);
  for (GList *at = names; at != NULL; at = at->next)
    if (only == NULL || strcmp (at->data, only) == 0)
      {
        output_text (output, at->data, -1);
        output_text (output, g_hash_table_lookup (shell->aliases, at->data), -1);
        output_row (output);
      }
  output_end (output);
  return TRUE;
}

static gboolean
is_alias_name (const char *name)
{
  if (!g_ascii_isalpha (*name) && *name != '_')
    return FALSE;
  for (; *name != '\0'; name++)
    if (!g_ascii_isalnum (*name) && *name != '_' && *name != '-')
      return FALSE;
  return TRUE;
}

/* "ll ls -l" or "ll=ls -l"; nothing behind the "=" removes it. */
SHELL_COMMAND (do_alias)
{
  Shell *shell = session;
  const char *text = call->n > 0 ? call->words[0].text : "";
  gsize size = strcspn (text, "= \t");
  g_autofree char *name = g_strndup (text, size);
  const char *rest = text + size;

  if (*name == '\0' && *rest == '\0')
    return show_aliases (shell, NULL, error);
  if (*rest == '\0')
    return show_aliases (shell, name, error);
  if (!is_alias_name (name) || command_find (shell_commands, name) != NULL)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_VALUE, "\"%s\" cannot be an alias: it is %s", name,
                   is_alias_name (name) ? "a command" : "no name");
      return FALSE;
    }
  if (shell->aliases == NULL)
    shell->aliases = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  rest += *rest == '=';
  rest += strspn (rest, " \t");
  if (*rest == '\0')
    g_hash_table_remove (shell->aliases, name);
  else
    g_hash_table_insert (shell->aliases, g_steal_pointer (&name), g_strdup (rest));
  return TRUE;
}

gboolean
alias_run (Shell *shell, const char *text, const char *name, gboolean *found, GError **error)
{
  const char *means = shell->aliases != NULL ? g_hash_table_lookup (shell->aliases, name) : NULL;
  const char *rest = text + strspn (text, " \t") + strlen (name);

  *found = means != NULL && g_str_has_prefix (text + strspn (text, " \t"), name);
  if (!*found)
    return TRUE;
  g_autofree char *line = g_strconcat (means, rest, NULL);
  return run_inner (shell, line, error);
}

/* ---- source -------------------------------------------------------------------------------------
 */

/* TRUE also for a call that goes on in the next line, which stays in text. */
static gboolean
source_line (Shell *shell, GString *text, gboolean at_end, const char *place, GError **error)
{
  g_autoptr (GError) problem = NULL;
  gboolean ok = run_inner (shell, text->str, &problem);

  if (!ok && !at_end && g_error_matches (problem, EVAL_ERROR, EVAL_ERROR_INCOMPLETE))
    return TRUE;
  g_string_truncate (text, 0);
  if (ok)
    return TRUE;
  if (g_error_matches (problem, EVAL_ERROR, EVAL_ERROR_INCOMPLETE))
    problem->code = EVAL_ERROR_SYNTAX;
  g_prefix_error (&problem, "%s: ", place);
  if (shell->settings.errexit || problem->code == RACK_ERROR_CANCELLED)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  shell_notice (shell, "%s", problem->message);
  return TRUE;
}

gsize
lines_skip_mark (const char *text)
{
  static const char mark[] = "\xef\xbb\xbf";

  return g_str_has_prefix (text, mark) ? strlen (mark) : 0;
}

gboolean
source_file (Shell *shell, const char *path, GError **error)
{
  g_autofree char *octets = NULL;
  g_autoptr (GError) problem = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  if (!g_file_get_contents (path, &octets, NULL, &problem))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "source: %s", problem->message);
      return FALSE;
    }
  g_auto (GStrv) lines = g_strsplit (octets + lines_skip_mark (octets), "\n", -1);
  for (guint i = 0; lines[i] != NULL && !shell->quit; i++)
    {
      g_autofree char *place = g_strdup_printf ("%s:%u", path, i + 1);
      g_string_append (text, lines[i]);
      if (!source_line (shell, text, lines[i + 1] == NULL, place, error))
        return FALSE;
      if (text->len > 0)
        g_string_append_c (text, '\n');
    }
  return TRUE;
}

SHELL_COMMAND (do_source)
{
  const char *path = call->words[0].text;
  g_autofree char *full = g_str_has_prefix (path, "~/")
                              ? g_build_filename (g_get_home_dir (), path + 2, NULL)
                              : g_strdup (path);

  return source_file (session, full, error);
}

/* ---- time, repeat -------------------------------------------------------------------------------
 */

typedef struct
{
  gint64 began; /* monotonic, microseconds */
  RackTraffic before;
} Meter;

static void
meter_start (Meter *meter, Shell *shell)
{
  rack_account_traffic (shell->account, &meter->before);
  meter->began = g_get_monotonic_time ();
}

static gint64
meter_stop (const Meter *meter, Shell *shell, RackTraffic *traffic)
{
  gint64 elapsed = g_get_monotonic_time () - meter->began;

  rack_account_traffic (shell->account, traffic);
  traffic->bytes_in -= meter->before.bytes_in;
  traffic->bytes_out -= meter->before.bytes_out;
  traffic->commands -= meter->before.commands;
  traffic->round_trips -= meter->before.round_trips;
  return elapsed;
}

static char *
traffic_text (const RackTraffic *traffic)
{
  return g_strdup_printf (
      "%" G_GUINT64_FORMAT " commands, %" G_GUINT64_FORMAT " round trips, %" G_GUINT64_FORMAT
      " bytes sent, %" G_GUINT64_FORMAT " received",
      traffic->commands, traffic->round_trips, traffic->bytes_out, traffic->bytes_in);
}

gboolean
time_run (Shell *shell, const char *text, GError **error)
{
  Meter meter;
  RackTraffic traffic;

  meter_start (&meter, shell);
  gboolean ok = run_inner (shell, text, error);
  gint64 elapsed = meter_stop (&meter, shell, &traffic);
  g_autofree char *more = traffic_text (&traffic);
  fflush (shell->out);
  shell_notice (shell, "%.6f s, %s", (double) elapsed / G_USEC_PER_SEC, more);
  return ok;
}

SHELL_COMMAND (do_time)
{
  return time_run (session, call->words[0].text, error);
}

static gint
by_time (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *) a, right = *(const gint64 *) b;

  return (left > right) - (left < right);
}

static void
tell_times (Shell *shell, GArray *times, const RackTraffic *traffic)
{
  g_autofree char *more = traffic_text (traffic);

  if (times->len == 0)
    return;
  g_array_sort (times, by_time);
  const gint64 *sorted = (const gint64 *) (gpointer) times->data;
  fflush (shell->out);
  shell_notice (shell, "%u times: %.6f s at least, %.6f s in the middle, %.6f s at most; %s in all",
                times->len, (double) sorted[0] / G_USEC_PER_SEC,
                (double) sorted[times->len / 2] / G_USEC_PER_SEC,
                (double) sorted[times->len - 1] / G_USEC_PER_SEC, more);
}

/* "5 -- status INBOX"; the "--" may be left out. */
static gboolean
parse_repeat (const char *text, guint64 *n, const char **line)
{
  gsize digits = strspn (text, "0123456789");
  g_autofree char *number = g_strndup (text, digits);
  const char *rest = text + digits + strspn (text + digits, " \t");

  if (rest == text + digits || !g_ascii_string_to_unsigned (number, 10, 1, G_MAXUINT32, n, NULL))
    return FALSE;
  if (g_str_has_prefix (rest, "--") && strchr (" \t", rest[2]) != NULL)
    rest += 2 + strspn (rest + 2, " \t");
  *line = rest;
  return *rest != '\0';
}

SHELL_COMMAND (do_repeat)
{
  Shell *shell = session;
  const char *rest;
  guint64 n;
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (gint64));
  RackTraffic traffic;
  gboolean ok = TRUE;
  Meter all;

  if (!parse_repeat (call->words[0].text, &n, &rest))
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                           "usage: repeat N -- LINE, as in: repeat 5 -- status INBOX");
      return FALSE;
    }
  meter_start (&all, shell);
  for (guint64 i = 0; i < n && ok && !shell->quit; i++)
    {
      gint64 began = g_get_monotonic_time (), elapsed;
      ok = run_inner (shell, rest, error);
      elapsed = g_get_monotonic_time () - began;
      g_array_append_val (times, elapsed);
    }
  meter_stop (&all, shell, &traffic);
  tell_times (shell, times, &traffic);
  return ok;
}
