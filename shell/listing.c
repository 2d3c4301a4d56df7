/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * listing.c - message sets as people type them, and messages as lines of a table */
#include "listing.h"

#include "safe-text.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

gboolean
listing_need_mailbox (Shell *shell, GError **error)
{
  if (shell->mailbox != NULL)
    return TRUE;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INVALID,
                       "no mailbox is selected: cd INBOX selects one");
  return FALSE;
}

RackSet *
listing_set (Shell *shell, const CommandWord *word, GError **error)
{
  if (!listing_need_mailbox (shell, error))
    return NULL;
  if (strcmp (word->text, "$_") == 0 && !word->quoted)
    {
      if (shell->last != NULL && rack_set_count (shell->last) > 0)
        return rack_set_copy (shell->last);
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INVALID,
                           "$_ is empty: find or ls fills it");
      return NULL;
    }
  return rack_set_parse (word->text, error);
}

gboolean
listing_none (Shell *shell, const CommandWord *word, GError **error)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND,
               "there is no message %s in %s (numbers are UIDs, as ls and find show them)",
               word->text, shell->mailbox);
  return FALSE;
}

RackSet *
listing_set_there (Shell *shell, const CommandWord *word, GError **error)
{
  g_autoptr (RackSet) set = listing_set (shell, word, error);

  if (set == NULL)
    return NULL;
  RackCommand *command = rack_command_new ("UID SEARCH");
  rack_command_atom (command, "UID");
  rack_command_set (command, set);
  g_autoptr (RackSet) found = listing_search (shell, command, error);
  if (found == NULL || rack_set_count (found) > 0)
    return g_steal_pointer (&found);
  listing_none (shell, word, error);
  return NULL;
}

RackSet *
listing_set_one (Shell *shell, const CommandWord *word, GError **error)
{
  g_autoptr (RackSet) set = listing_set (shell, word, error);

  if (set == NULL || rack_set_count (set) == 1)
    return g_steal_pointer (&set);
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "%s is more than one message: name one",
               word->text);
  return NULL;
}

RackSet *
listing_search (Shell *shell, RackCommand *command, GError **error)
{
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  const RackResponse *response;

  if (reply == NULL)
    return NULL;
  RackSet *set = rack_set_new ();
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_SEARCH)
      rack_set_add_ranges (set, response->search.all);
  return set;
}

/* 0: no terminal, lines are as long as they are. */
static guint
terminal_width (FILE *out)
{
  struct winsize size;

  if (!isatty (fileno (out)) || ioctl (fileno (out), TIOCGWINSZ, &size) != 0)
    return 0;
  return size.ws_col;
}

static char *
sender (const RackEnvelope *envelope)
{
  if (envelope->from.n == 0)
    return g_strdup ("");
  const RackAddress *from = &envelope->from.items[0];
  if (from->name.size > 0)
    return rack_header_decode (from->name);
  return g_strdup_printf ("%.*s@%.*s", (int) from->mailbox.size,
                          from->mailbox.data != NULL ? from->mailbox.data : "",
                          (int) from->host.size, from->host.data != NULL ? from->host.data : "");
}

static void
print_line (Shell *shell, const RackMessage *message, guint width)
{
  static const struct
  {
    RackFlags flag;
    char letter;
  } letters[] = {
    { RACK_FLAG_FLAGGED, 'F' },
    { RACK_FLAG_ANSWERED, 'A' },
    { RACK_FLAG_DRAFT, 'D' },
    { RACK_FLAG_DELETED, 'T' },
  };
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_local (message->date);
  g_autofree char *when =
      date != NULL ? g_date_time_format (date, "%Y-%m-%d %H:%M") : g_strdup ("-");
  g_autofree char *size = g_format_size_full (message->size, G_FORMAT_SIZE_IEC_UNITS);

  g_string_append_printf (line, "%7u %c", message->uid,
                          message->flags.system & RACK_FLAG_SEEN ? ' ' : 'N');
  for (gsize i = 0; i < G_N_ELEMENTS (letters); i++)
    g_string_append_c (line, message->flags.system & letters[i].flag ? letters[i].letter : ' ');
  g_string_append_printf (line, " %s %10s  ", when, size);
  if (message->envelope != NULL)
    {
      g_autofree char *from = sender (message->envelope);
      g_autofree char *subject = rack_header_decode (message->envelope->subject);
      guint used = safe_text_columns (line->str) + 22;
      safe_text_append_cell (line, from, 20);
      g_string_append (line, "  ");
      if (width > used + 10)
        safe_text_append_cell (line, subject, width - used - 1);
      else
        safe_text_append (line, subject, -1, SAFE_TEXT_LINE);
    }
  fprintf (shell->out, "%s\n", g_strchomp (line->str));
}

gboolean
listing_messages (Shell *shell, const RackSet *uids, GError **error)
{
  RackCommand *command = rack_command_new ("UID FETCH");
  guint width = terminal_width (shell->out);
  const RackMessage *message;
  g_autoptr (GError) problem = NULL;
  g_autoptr (RackSet) seen = rack_set_new ();

  rack_command_set (command, uids);
  rack_command_raw (command, "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)");
  g_autoptr (RackFetch) fetch = shell_fetch (shell, command, error);
  if (fetch == NULL)
    return FALSE;
  while ((message = rack_fetch_next (fetch, &problem)) != NULL)
    if (message->uid != 0 && (message->fields & RACK_FIELD_SIZE))
      {
        rack_set_add (seen, message->uid, message->uid);
        print_line (shell, message, width);
      }
  rack_set_free (shell->last);
  shell->last = g_steal_pointer (&seen);
  if (problem == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

gboolean
listing_last (Shell *shell, guint n, GError **error)
{
  RackCommand *command = rack_command_new ("UID SEARCH");
  g_autoptr (RackReply) noop = shell_expect (shell, rack_command_new ("NOOP"), error);
  const RackResponse *response;

  if (noop == NULL)
    {
      rack_command_free (command);
      return FALSE;
    }
  for (guint i = 0; (response = rack_reply_get (noop, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_EXISTS)
      shell->messages = response->number;
  if (shell->messages == 0)
    {
      rack_command_free (command);
      return TRUE;
    }
  g_autofree char *range = g_strdup_printf ("%" G_GUINT64_FORMAT ":*",
                                            shell->messages > n ? shell->messages - n + 1 : 1);
  rack_command_atom (command, range);
  g_autoptr (RackSet) uids = listing_search (shell, command, error);
  return uids != NULL && (rack_set_count (uids) == 0 || listing_messages (shell, uids, error));
}
