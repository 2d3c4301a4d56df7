/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-fetch.c - fetch: c.fetch() for any number of messages
 *
 * Prints what the call gives, a message at a time, so that memory stays flat: as the one
 * dictionary, as one JSON object, or a JSON object in each line. */
#include "command-table.h"
#include "convert.h"
#include "json-text.h"
#include "listing.h"
#include "printer.h"
#include "sets.h"
#include "work.h"

#include <string.h>

typedef struct
{
  Shell *shell;
  guint64 n;
  ConvertOptions options;
  Value *collected; /* a dictionary, if the result is wanted as a value */
} Sheet;

/* "FLAGS ENVELOPE": words as they are; what IMAP does not allow is refused when it is sent. */
static char *
join_items (const CommandCall *call)
{
  g_autoptr (GString) items = g_string_new (NULL);

  for (guint i = 1; i < call->n; i++)
    g_string_append_printf (items, "%s%s", i > 1 ? " " : "", call->words[i].text);
  return g_string_free (g_steal_pointer (&items), FALSE);
}

/* UID is asked for always, and among what is printed only if somebody wants it. */
static gboolean
names_uid (const CommandCall *call)
{
  for (guint i = 1; i < call->n; i++)
    if (g_ascii_strcasecmp (call->words[i].text, "UID") == 0)
      return TRUE;
  return FALSE;
}

/* The lines of a dictionary's value are indented by what stands before it. */
static void
print_literal (Sheet *sheet, guint32 uid, const Value *message)
{
  g_autofree char *key = g_strdup_printf ("%s%u: ", sheet->n > 0 ? " " : "{", uid);
  g_autofree char *text = printer_dup (message, PRINTER_WIDTH - (guint) strlen (key) - 1);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  fprintf (sheet->shell->out, "%s%s%s", sheet->n > 0 ? ",\n" : "", key, lines[0]);
  for (guint i = 1; lines[i] != NULL; i++)
    fprintf (sheet->shell->out, "\n%*s%s", (int) strlen (key), "", lines[i]);
}

static void
print_json (Sheet *sheet, guint32 uid, Value *message)
{
  g_autoptr (GString) line = g_string_new (NULL);
  gboolean lines = sheet->shell->settings.output == OUTPUT_JSONL;

  if (lines)
    {
      g_autoptr (Value) row = value_dict_new ();
      value_dict_set (row, value_str ("UID", -1), value_uint (uid));
      for (guint i = 0; i < message->dict.n; i++)
        value_dict_set (row, value_ref (message->dict.pairs[i].key),
                        value_ref (message->dict.pairs[i].value));
      json_append_value (line, row);
      g_string_append_c (line, '\n');
    }
  else
    {
      g_string_append_printf (line, "%s\"%u\": ", sheet->n > 0 ? ",\n " : "{", uid);
      json_append_value (line, message);
    }
  fwrite (line->str, 1, line->len, sheet->shell->out);
}

static gboolean
add_message (Sheet *sheet, const RackMessage *message)
{
  Shell *shell = sheet->shell;
  g_autoptr (Value) value = convert_message (message, NULL, &sheet->options);

  if (sheet->collected != NULL)
    value_dict_set (sheet->collected, value_uint (message->uid), value_ref (value));
  else if (shell->settings.output == OUTPUT_JSON || shell->settings.output == OUTPUT_JSONL)
    print_json (sheet, message->uid, value);
  else
    print_literal (sheet, message->uid, value);
  sheet->n++;
  return !ferror (shell->out);
}

static void
end_sheet (Sheet *sheet)
{
  if (sheet->collected != NULL)
    {
      g_clear_pointer (sheet->shell->result, value_unref);
      *sheet->shell->result = g_steal_pointer (&sheet->collected);
    }
  else if (sheet->shell->settings.output != OUTPUT_JSONL && sheet->n > 0)
    fputs ("}\n", sheet->shell->out);
}

SHELL_COMMAND (do_fetch)
{
  Shell *shell = session;
  g_autofree char *items = join_items (call);
  g_autoptr (RackSet) set = sets_parse (shell, call->words, error);
  g_autoptr (RackFetch) fetch = set != NULL ? listing_fetch (shell, set, items, error) : NULL;
  g_autoptr (RackSet) seen = rack_set_new ();
  g_autoptr (GError) problem = NULL;
  Sheet sheet = { .shell = shell, .options = { shell->normalise_times, names_uid (call) } };
  const RackMessage *message;
  gboolean ok = TRUE;
  Work work;

  if (fetch == NULL)
    return FALSE;
  if (shell->result != NULL && !shell->redirected)
    sheet.collected = value_dict_new ();
  work_begin (&work, shell, "fetch", "fetched", MIN (rack_set_count (set), shell->messages));
  while (ok && (message = rack_fetch_next (fetch, &problem)) != NULL)
    if (message->uid != 0)
      {
        rack_set_add (seen, message->uid, message->uid);
        if (!add_message (&sheet, message))
          break;
        ok = work_add (&work, 1, &problem);
      }
  end_sheet (&sheet);
  g_clear_pointer (&sheet.collected, value_unref);
  sets_keep (shell, g_steal_pointer (&seen));
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  else if (ok)
    return work_end (&work, TRUE, error) && (sheet.n > 0 || sets_none (shell, call->words, error));
  return work_end (&work, FALSE, error);
}
