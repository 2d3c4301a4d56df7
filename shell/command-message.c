/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-message.c - commands that find and show messages. Reading never sets \Seen. */
#include "command-table.h"
#include "find-words.h"
#include "listing.h"
#include "safe-text.h"
#include "sets.h"

#include <string.h>

/* ---- find
 * --------------------------------------------------------------------------------------------------
 */

static void
print_uids (Shell *shell, const RackSet *set)
{
  static const OutputColumn columns[] = { { "uid", "UID", CELL_NUMBER, 0 },
                                          { NULL, NULL, CELL_TEXT, 0 } };
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_MANY);
  RackRanges ranges = rack_set_ranges (set);
  gboolean read = TRUE;

  for (gsize i = 0; i < ranges.n && read; i++)
    for (guint64 uid = ranges.items[i].first; uid <= ranges.items[i].last && read; uid++)
      {
        output_number (output, uid);
        read = output_row (output);
      }
  output_end (output);
}

SHELL_COMMAND (do_find)
{
  Shell *shell = session;
  g_autoptr (RackCriteria) criteria = find_words_parse (call->words, call->n, error);

  if (criteria == NULL || !sets_need_mailbox (shell, error))
    return FALSE;
  RackCommand *command = rack_command_new ("UID SEARCH");
  rack_command_criteria (command, criteria,
                         rack_session_has (shell->session, "X-GM-EXT-1") ? RACK_SEARCH_GMAIL : 0);
  g_autoptr (RackSet) found = sets_search (shell, command, error);
  if (found == NULL)
    return FALSE;
  if (command_option (call, "uids") == NULL)
    return listing_messages (shell, found, error);
  print_uids (shell, found);
  sets_keep (shell, g_steal_pointer (&found));
  return TRUE;
}

/* ---- Reading ------------------------------------------------------------------------------------
 */

/* The octets of sections of the one message a set names, one after the other. Of a part that is
 * not there servers give nothing, or NIL: none. */
static GBytes *
read_sections (Shell *shell, const RackSet *set, const CommandWord *word, const char *items,
               GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GByteArray) octets = g_byte_array_new ();
  gboolean any = FALSE;
  const RackMessage *message;

  g_autoptr (RackFetch) fetch = listing_fetch (shell, set, items, error);
  if (fetch == NULL)
    return NULL;
  while ((message = rack_fetch_next (fetch, &problem)) != NULL)
    for (guint i = 0; i < message->n_sections; i++)
      {
        any = TRUE;
        g_byte_array_append (octets, (const guint8 *) message->sections[i].data.data,
                             (guint) message->sections[i].data.size);
      }
  if (problem == NULL && any)
    return g_byte_array_free_to_bytes (g_steal_pointer (&octets));
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  else
    sets_none (shell, word, error);
  return NULL;
}

static void
print_safe (Shell *shell, const char *text, gssize size)
{
  g_autofree char *safe = safe_text_dup (text, size, SAFE_TEXT_BLOCK);

  fputs (safe, shell->out);
  if (*safe != '\0' && safe[strlen (safe) - 1] != '\n')
    fputc ('\n', shell->out);
}

/* A text as the one row of a command that has nothing else. */
static void
output_one_text (Shell *shell, const RackSet *set, const char *text, gssize size)
{
  static const OutputColumn columns[] = { { "uid", NULL, CELL_NUMBER, 0 },
                                          { "text", NULL, CELL_TEXT, 0 },
                                          { NULL, NULL, CELL_TEXT, 0 } };
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_SINGLE);

  output_number (output, rack_set_ranges (set).items[0].first);
  output_text (output, text, size);
  output_row (output);
  output_end (output);
}

/* "HEADER", or "HEADER.FIELDS (SUBJECT X-Y)". NULL: a word is no name of a field. */
static char *
header_section (const CommandCall *call, GError **error)
{
  g_autoptr (GString) section = g_string_new ("HEADER.FIELDS (");

  if (call->n == 1)
    return g_strdup ("BODY.PEEK[HEADER]");
  for (guint i = 1; i < call->n; i++)
    {
      const char *name = call->words[i].text;
      gboolean is_name = *name != '\0';
      for (const char *at = name; *at != '\0'; at++)
        is_name &= *at > ' ' && *at < 0x7f && strchr ("(){%*\"\\]:", *at) == NULL;
      if (!is_name)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "\"%s\" is no name of a field", name);
          return NULL;
        }
      g_string_append_printf (section, "%s%s", i > 1 ? " " : "", name);
    }
  return g_strdup_printf ("BODY.PEEK[%s)]", section->str);
}

SHELL_COMMAND (do_headers)
{
  Shell *shell = session;
  g_autofree char *section = header_section (call, error);
  g_autoptr (RackSet) set = section != NULL ? sets_parse_one (shell, call->words, error) : NULL;
  g_autoptr (GBytes) bytes =
      set != NULL ? read_sections (shell, set, call->words, section, error) : NULL;
  gsize size;

  if (bytes == NULL)
    return FALSE;
  const char *text = g_bytes_get_data (bytes, &size);
  if (shell_prints_text (shell))
    print_safe (shell, text != NULL ? text : "", (gssize) size);
  else
    output_one_text (shell, set, text != NULL ? text : "", (gssize) size);
  return TRUE;
}

static const char *const shown[] = { "From", "To", "Cc", "Date", "Subject" };

static void
print_message (Shell *shell, RackView *view, const char *text, const char *word)
{
  for (gsize i = 0; i < G_N_ELEMENTS (shown); i++)
    {
      g_autofree char *value = rack_view_header (view, shown[i]);
      g_autofree char *safe = value != NULL ? safe_text_dup (value, -1, SAFE_TEXT_LINE) : NULL;
      if (safe != NULL)
        fprintf (shell->out, "%s: %s\n", shown[i], safe);
    }
  fputc ('\n', shell->out);
  if (text != NULL)
    print_safe (shell, text, -1);
  else
    fprintf (shell->out, "(no text; \"parts %s\" shows what there is)\n", word);
}

static void
output_message (Shell *shell, const RackSet *set, RackView *view, const char *text)
{
  static const OutputColumn columns[] = {
    { "uid", NULL, CELL_NUMBER, 0 }, { "from", NULL, CELL_TEXT, 0 },
    { "to", NULL, CELL_TEXT, 0 },    { "cc", NULL, CELL_TEXT, 0 },
    { "date", NULL, CELL_TEXT, 0 },  { "subject", NULL, CELL_TEXT, 0 },
    { "text", NULL, CELL_TEXT, 0 },  { NULL, NULL, CELL_TEXT, 0 },
  };
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_SINGLE);

  output_number (output, rack_set_ranges (set).items[0].first);
  for (gsize i = 0; i < G_N_ELEMENTS (shown); i++)
    {
      g_autofree char *value = rack_view_header (view, shown[i]);
      output_text (output, value, -1);
    }
  output_text (output, text, -1);
  output_row (output);
  output_end (output);
}

/* "1.2": numbers from 1 with dots between. */
static gboolean
check_part (const char *part, GError **error)
{
  const char *at = part;

  while (*at >= '1' && *at <= '9')
    {
      at += strspn (at, "0123456789");
      if (*at == '\0')
        return TRUE;
      at += *at == '.';
    }
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
               "\"%s\" is no part: they are numbered as in 1.2, and parts shows them", part);
  return FALSE;
}

SHELL_COMMAND (do_show)
{
  Shell *shell = session;
  const char *part = call->n > 1 ? call->words[1].text : NULL;
  g_autofree char *items = part != NULL
                               ? g_strdup_printf ("BODY.PEEK[%s.MIME] BODY.PEEK[%s]", part, part)
                               : g_strdup ("BODY.PEEK[]");

  if (part != NULL && !check_part (part, error))
    return FALSE;
  g_autoptr (RackSet) set = sets_parse_one (shell, call->words, error);
  g_autoptr (GBytes) bytes =
      set != NULL ? read_sections (shell, set, call->words, items, error) : NULL;
  if (bytes == NULL)
    return FALSE;
  if (part != NULL && g_bytes_get_size (bytes) == 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND,
                   "message %s has no part %s; parts shows what it has", call->words[0].text, part);
      return FALSE;
    }
  g_autoptr (RackView) view = rack_view_new (bytes);
  g_autofree char *text = rack_view_text (view);
  if (!shell_prints_text (shell))
    output_message (shell, set, view, text);
  else if (part == NULL)
    print_message (shell, view, text, call->words[0].text);
  else
    print_safe (shell, text != NULL ? text : "(no text)", -1);
  return TRUE;
}

/* ---- parts --------------------------------------------------------------------------------------
 */

static void
add_parts (Output *output, const RackPart *part, guint depth)
{
  char section[256];
  g_autofree char *type =
      g_strdup_printf ("%*s%.*s/%.*s", (int) depth * 2, "", (int) part->type.size,
                       part->type.data != NULL ? part->type.data : "", (int) part->subtype.size,
                       part->subtype.data != NULL ? part->subtype.data : "");
  RackStr file = RACK_STR_NIL;

  for (guint i = 0; i < part->disposition_params.n; i++)
    if (g_ascii_strncasecmp (part->disposition_params.items[i].name.data, "filename",
                             MIN (part->disposition_params.items[i].name.size, 8))
        == 0)
      file = part->disposition_params.items[i].value;
  rack_part_section (part, section, sizeof section);
  output_text (output, section, -1);
  output_text (output, type, -1);
  output_text (output, type + depth * 2, -1);
  if (part->multipart)
    output_none (output);
  else
    output_number (output, part->size);
  output_text (output, part->encoding.data, (gssize) part->encoding.size);
  g_autofree char *name = file.data != NULL ? rack_header_decode (file) : NULL;
  output_text (output, name, -1);
  output_row (output);
  for (const RackPart *child = part->child; child != NULL; child = child->next)
    add_parts (output, child, depth + 1);
}

SHELL_COMMAND (do_parts)
{
  static const OutputColumn columns[] = {
    { "section", "PART", CELL_TEXT, 0 }, { "", "TYPE", CELL_TEXT, 0 },
    { "type", NULL, CELL_TEXT, 0 },      { "size", "OCTETS", CELL_NUMBER, 0 },
    { "encoding", NULL, CELL_TEXT, 0 },  { "file", "FILE", CELL_TEXT, 0 },
    { NULL, NULL, CELL_TEXT, 0 },
  };
  Shell *shell = session;
  g_autoptr (RackSet) set = sets_parse_one (shell, call->words, error);
  g_autoptr (GError) problem = NULL;
  const RackMessage *message;
  gboolean any = FALSE;

  if (set == NULL)
    return FALSE;
  g_autoptr (RackFetch) fetch = listing_fetch (shell, set, "BODYSTRUCTURE", error);
  if (fetch == NULL)
    return FALSE;
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_MANY);
  while ((message = rack_fetch_next (fetch, &problem)) != NULL)
    if (message->body != NULL)
      {
        any = TRUE;
        add_parts (output, message->body, 0);
      }
  if (problem == NULL && any)
    output_end (output);
  if (problem == NULL)
    return any || sets_none (shell, call->words, error);
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}
