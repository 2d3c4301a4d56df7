/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * connection.c - the shell's connection: made when it is needed, made again when it was lost, and
 * what is selected on it
 *
 * A connection that was made again selects the same mailbox, if it still is the same. */
#include "change.h"
#include "shell.h"

#include <string.h>

/* The same mailbox as before, or none: UIDs of another one mean other messages. */
static gboolean
select_again (Shell *shell, const char *mailbox, gboolean read_only, guint32 uid_validity,
              GError **error)
{
  if (!shell_select (shell, mailbox, read_only, NULL, error))
    return FALSE;
  if (shell->uid_validity == uid_validity)
    return TRUE;
  g_clear_pointer (&shell->last, rack_set_free);
  g_set_error (error, RACK_ERROR, RACK_ERROR_STALE,
               "%s: %s: it is not the mailbox it was (its UIDVALIDITY has changed), and UIDs from "
               "before mean other messages: nothing was done; ls or find show the new ones",
               rack_account_label (shell->account), mailbox);
  return FALSE;
}

gboolean
shell_connect (Shell *shell, GError **error)
{
  if (shell->session != NULL && rack_session_alive (shell->session))
    return TRUE;
  gboolean again = shell->session != NULL;
  g_autofree char *mailbox = g_strdup (shell->mailbox);
  guint32 uid_validity = shell->uid_validity;
  RackSession *session = rack_session_open (shell->account, shell->cancellable, error);

  /* Until there is another one the dead one stays, which knows that it is to be made again. */
  if (session == NULL)
    return FALSE;
  shell_disconnect (shell);
  shell->session = session;
  if (!again)
    return TRUE;
  shell_notice (shell, "The connection was lost and has been made again.");
  return mailbox == NULL || select_again (shell, mailbox, shell->read_only, uid_validity, error);
}

void
shell_disconnect (Shell *shell)
{
  g_clear_pointer (&shell->session, rack_session_free);
  g_clear_pointer (&shell->mailbox, g_free);
}

RackReply *
shell_expect (Shell *shell, RackCommand *command, GError **error)
{
  if (!shell_connect (shell, error) || change_is_held (shell, command, error))
    {
      rack_command_free (command);
      return NULL;
    }
  return rack_session_expect (shell->session, command, shell->cancellable, error);
}

RackFetch *
shell_fetch (Shell *shell, RackCommand *command, GError **error)
{
  if (!shell_connect (shell, error) || change_is_held (shell, command, error))
    {
      rack_command_free (command);
      return NULL;
    }
  return rack_session_fetch (shell->session, command, shell->cancellable, error);
}

void
shell_selected (Shell *shell, const char *mailbox, gboolean read_only, const RackReply *reply)
{
  const RackResponse *response;
  char *name = g_strdup (g_ascii_strcasecmp (mailbox, "INBOX") == 0 ? "INBOX" : mailbox);

  g_free (shell->mailbox);
  shell->mailbox = name;
  shell->read_only = read_only;
  shell->messages = 0;
  shell->uid_validity = 0;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_EXISTS)
      shell->messages = response->number;
    else if (response->kind == RACK_RESPONSE_STATUS
             && response->status.code.kind == RACK_CODE_UIDVALIDITY)
      shell->uid_validity = (guint32) response->status.code.number;
}

gboolean
shell_select (Shell *shell, const char *mailbox, gboolean read_only, RackReply **reply,
              GError **error)
{
  gboolean examine = read_only || shell->force_read_only || shell->dry_run;
  RackCommand *command = rack_command_new (examine ? "EXAMINE" : "SELECT");
  g_autofree char *name = g_strdup (mailbox);

  rack_command_mailbox (command, name);
  g_autoptr (RackReply) answer = shell_expect (shell, command, error);
  if (answer == NULL)
    {
      /* What is refused leaves nothing selected; what was never sent leaves what was. */
      if (shell->session == NULL || rack_session_selected (shell->session) == NULL)
        g_clear_pointer (&shell->mailbox, g_free);
      return FALSE;
    }
  shell_selected (shell, name, examine, answer);
  if (reply != NULL)
    *reply = g_steal_pointer (&answer);
  return TRUE;
}
