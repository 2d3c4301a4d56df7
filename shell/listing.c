/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * listing.c - message sets as people type them, and messages as lines of a table */
#include "listing.h"

#include <string.h>

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

/* ---- Messages as rows ---------------------------------------------------------------------------
 */

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
add_marks (Output *output, RackFlags flags)
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
  char marks[G_N_ELEMENTS (letters) + 1];

  marks[0] = flags & RACK_FLAG_SEEN ? ' ' : 'N';
  for (gsize i = 0; i < G_N_ELEMENTS (letters); i++)
    marks[i + 1] = flags & letters[i].flag ? letters[i].letter : ' ';
  output_text (output, marks, sizeof marks);
}

static gboolean
add_message (Output *output, const RackMessage *message)
{
  const RackEnvelope *envelope = message->envelope;
  g_autofree char *from = envelope != NULL ? sender (envelope) : NULL;
  g_autofree char *subject = envelope != NULL ? rack_header_decode (envelope->subject) : NULL;

  output_number (output, message->uid);
  add_marks (output, message->flags.system);
  for (guint i = 0; i < message->flags.n_names; i++)
    output_word (output, message->flags.names[i].data, (gssize) message->flags.names[i].size);
  output_words_end (output);
  output_date (output, message->date);
  output_number (output, message->size);
  output_text (output, from, -1);
  output_text (output, subject, -1);
  if (envelope != NULL && envelope->message_id.data != NULL)
    output_text (output, envelope->message_id.data, (gssize) envelope->message_id.size);
  else
    output_none (output);
  return output_row (output);
}

gboolean
listing_messages (Shell *shell, const RackSet *uids, GError **error)
{
  static const OutputColumn columns[] = {
    { "uid", "UID", CELL_NUMBER, 0 },       { "", "", CELL_TEXT, 0 },
    { "flags", NULL, CELL_WORDS, 0 },       { "date", "DATE", CELL_DATE, 0 },
    { "size", "SIZE", CELL_SIZE, 10 },      { "from", "FROM", CELL_TEXT, 20 },
    { "subject", "SUBJECT", CELL_TEXT, 0 }, { "message_id", NULL, CELL_TEXT, 0 },
    { NULL, NULL, CELL_TEXT, 0 },
  };
  RackCommand *command = rack_command_new ("UID FETCH");
  const RackMessage *message;
  g_autoptr (GError) problem = NULL;
  g_autoptr (RackSet) seen = rack_set_new ();
  gboolean read = TRUE;

  rack_command_set (command, uids);
  rack_command_raw (command, "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)");
  g_autoptr (RackFetch) fetch = shell_fetch (shell, command, error);
  if (fetch == NULL)
    return FALSE;
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_MANY);
  while (read && (message = rack_fetch_next (fetch, &problem)) != NULL)
    if (message->uid != 0 && (message->fields & RACK_FIELD_SIZE))
      {
        rack_set_add (seen, message->uid, message->uid);
        read = add_message (output, message);
      }
  output_end (output);
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
