/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-tree.c - commands that make, remove, rename and subscribe mailboxes
 *
 * Servers end a session whose selected mailbox is deleted or renamed. So the mailbox is left
 * before, and selected again afterwards: by its new name, or where the server refused, as it was.
 */
#include "change.h"
#include "command-table.h"

#include <string.h>

static gboolean
simple (Shell *shell, const char *verb, const char *name, const char *other, GError **error)
{
  RackCommand *command = rack_command_new (verb);

  rack_command_mailbox (command, name);
  if (other != NULL)
    rack_command_mailbox (command, other);
  return change_send (shell, command, NULL, error);
}

/* The same with each of the words. */
static gboolean
for_each (Shell *shell, const char *verb, const CommandCall *call, GError **error)
{
  for (guint i = 0; i < call->n; i++)
    if (!simple (shell, verb, call->words[i].text, NULL, error))
      return FALSE;
  return TRUE;
}

SHELL_COMMAND (do_mkdir)
{
  return for_each (session, "CREATE", call, error) && for_each (session, "SUBSCRIBE", call, error);
}

SHELL_COMMAND (do_subscribe)
{
  return for_each (session, "SUBSCRIBE", call, error);
}

SHELL_COMMAND (do_unsubscribe)
{
  return for_each (session, "UNSUBSCRIBE", call, error);
}

/* ---- Leaving the mailbox it is about -----------------------------------------------------------
 */

static gboolean
is_inbox (const char *name)
{
  return g_ascii_strcasecmp (name, "INBOX") == 0;
}

static gboolean
is_selected (const Shell *shell, const char *name)
{
  return shell->mailbox != NULL
         && (strcmp (shell->mailbox, name) == 0 || (is_inbox (name) && is_inbox (shell->mailbox)));
}

/* What was selected, while it is not. */
typedef struct
{
  char *mailbox; /* NULL: nothing was left */
  gboolean read_only;
  guint32 uid_validity;
} Place;

static gboolean
leave (Shell *shell, Place *place, GError **error)
{
  *place = (Place){ .read_only = shell->read_only, .uid_validity = shell->uid_validity };
  if (shell->dry_run)
    return TRUE;
  g_autofree char *mailbox = g_strdup (shell->mailbox);
  if (!shell_unselect (shell, error))
    return FALSE;
  place->mailbox = g_steal_pointer (&mailbox);
  return TRUE;
}

/* After a refusal, which is what is told; whether the mailbox is selected again, the prompt says.
 * Returns FALSE. */
static gboolean
come_back (Shell *shell, Place *place)
{
  if (place->mailbox != NULL)
    shell_select_again (shell, place->mailbox, place->read_only, place->uid_validity, NULL);
  g_clear_pointer (&place->mailbox, g_free);
  return FALSE;
}

/* ---- rmdir --------------------------------------------------------------------------------------
 */

/* An answer to STATUS, asked on the shell's connection. */
static gboolean
count_messages (Shell *shell, const char *name, guint64 *messages, GError **error)
{
  RackCommand *command = rack_command_new ("STATUS");
  const RackResponse *response;

  rack_command_mailbox (command, name);
  rack_command_raw (command, "(MESSAGES)");
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return FALSE;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_MAILBOX_STATUS)
      *messages = response->mailbox_status.messages;
  return TRUE;
}

/* And the subscription that mkdir made, if the server lets it go. */
static gboolean delete (Shell *shell, const char *name, GError **error)
{
  Place place = { 0 };

  if (is_selected (shell, name) && !leave (shell, &place, error))
    return FALSE;
  if (!simple (shell, "DELETE", name, NULL, error))
    return come_back (shell, &place);
  if (place.mailbox != NULL)
    g_clear_pointer (&shell->last, rack_set_free); /* UIDs of what is no more */
  g_free (place.mailbox);
  simple (shell, "UNSUBSCRIBE", name, NULL, NULL);
  return TRUE;
}

SHELL_COMMAND (do_rmdir)
{
  Shell *shell = session;

  for (guint i = 0; i < call->n; i++)
    {
      const char *name = call->words[i].text;
      guint64 messages = 0;

      if (!count_messages (shell, name, &messages, error))
        return FALSE;
      if (messages > 0)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_REFUSED,
                       "rmdir: %s holds %" G_GUINT64_FORMAT " messages: move them away first", name,
                       messages);
          return FALSE;
        }
      if (!delete (shell, name, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- rename -------------------------------------------------------------------------------------
 */

/* What separates the levels of a mailbox' name; '\0': nothing does, or it is not known. */
static char
ask_separator (Shell *shell, const char *name)
{
  RackCommand *command = rack_command_new ("LIST");
  const RackResponse *response;

  rack_command_string (command, "", 0);
  rack_command_mailbox (command, name);
  g_autoptr (RackReply) reply = shell_expect (shell, command, NULL);
  for (guint i = 0; reply != NULL && (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_LIST)
      return response->list.separator;
  return '\0';
}

/* What the selected mailbox is called when from is called to. NULL: as before. INBOX stays, and its
 * messages go to the new one (RFC 9051 section 6.3.6). Returns: (owned) */
static char *
name_afterwards (Shell *shell, const char *from, const char *to)
{
  gsize size = strlen (from);

  if (is_selected (shell, from))
    return g_strdup (is_inbox (from) ? "INBOX" : to);
  if (shell->mailbox == NULL || is_inbox (from) || strncmp (shell->mailbox, from, size) != 0
      || g_ascii_isalnum (shell->mailbox[size])
      || shell->mailbox[size] != ask_separator (shell, from))
    return NULL;
  return g_strconcat (to, shell->mailbox + size, NULL);
}

SHELL_COMMAND (do_rename)
{
  Shell *shell = session;
  const char *from = call->words[0].text, *to = call->words[1].text;
  g_autofree char *name = name_afterwards (shell, from, to);
  Place place = { 0 };

  if (name != NULL && !leave (shell, &place, error))
    return FALSE;
  if (!simple (shell, "RENAME", from, to, error))
    return come_back (shell, &place);
  if (place.mailbox == NULL)
    return TRUE;
  g_free (place.mailbox);
  if (!shell_select (shell, name, place.read_only, NULL, error))
    return FALSE;
  if (shell->uid_validity != place.uid_validity)
    g_clear_pointer (&shell->last, rack_set_free);
  return TRUE;
}
