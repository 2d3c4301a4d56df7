/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * listing.c - messages as rows, and how many messages are fetched at once */
#include "listing.h"

#include "sets.h"
#include "work.h"

#include <string.h>

/* Up to so many messages come on the shell's own connection; more in windows on another one, so
 * that memory stays flat and the shell's does not wait. */
#define FEW 200

RackFetch *
listing_fetch (Shell *shell, const RackSet *set, const char *items, GError **error)
{
  if (rack_set_ranges (set).n <= FEW && MIN (rack_set_count (set), shell->messages) <= FEW)
    {
      RackCommand *command = rack_command_new ("UID FETCH");
      g_autofree char *all = g_strdup_printf ("(UID %s)", items);

      rack_command_set (command, set);
      rack_command_raw (command, all);
      return shell_fetch (shell, command, error);
    }
  g_autoptr (RackMailbox) mailbox =
      shell->uid_validity != 0
          ? rack_mailbox_bind (shell->account, shell->mailbox, TRUE, shell->uid_validity)
          : rack_mailbox_open (shell->account, shell->mailbox, TRUE, shell->cancellable, error);
  return mailbox != NULL ? rack_mailbox_fetch (mailbox, set, items, NULL, shell->cancellable, error)
                         : NULL;
}

/* ---- Messages as rows ---------------------------------------------------------------------------
 */

char *
listing_sender (const RackEnvelope *envelope)
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

gboolean
listing_add (Output *output, const RackMessage *message)
{
  const RackEnvelope *envelope = message->envelope;
  g_autofree char *from = envelope != NULL ? listing_sender (envelope) : NULL;
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

const OutputColumn listing_columns[] = {
  { "uid", "UID", CELL_NUMBER, 0 },       { "", "", CELL_TEXT, 5 },
  { "flags", NULL, CELL_WORDS, 0 },       { "date", "DATE", CELL_DATE, 16 },
  { "size", "SIZE", CELL_SIZE, 10 },      { "from", "FROM", CELL_TEXT, 20 },
  { "subject", "SUBJECT", CELL_TEXT, 0 }, { "message_id", NULL, CELL_TEXT, 0 },
  { NULL, NULL, CELL_TEXT, 0 },
};

gboolean
listing_messages (Shell *shell, const RackSet *uids, GError **error)
{
  g_autoptr (RackFetch) fetch =
      rack_set_count (uids) > 0 ? listing_fetch (shell, uids, LISTING_ITEMS, error) : NULL;
  g_autoptr (RackSet) seen = rack_set_new ();
  const RackMessage *message;
  g_autoptr (GError) problem = NULL;
  gboolean read = TRUE;

  if (fetch == NULL && rack_set_count (uids) > 0)
    return FALSE;
  g_autoptr (Output) output = shell_output (shell, listing_columns, OUTPUT_MANY);
  while (read && fetch != NULL && (message = rack_fetch_next (fetch, &problem)) != NULL)
    if (message->uid != 0 && (message->fields & RACK_FIELD_SIZE))
      {
        rack_set_add (seen, message->uid, message->uid);
        read = listing_add (output, message)
               && !g_cancellable_set_error_if_cancelled (shell->cancellable, NULL);
      }
  output_end (output);
  sets_keep (shell, g_steal_pointer (&seen));
  if (problem == NULL && g_cancellable_is_cancelled (shell->cancellable))
    g_set_error_literal (&problem, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  if (problem == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}
