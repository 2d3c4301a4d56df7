/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * connection.c - the shell's connection: made when it is needed, made again when it was lost, and
 * what is selected on it
 *
 * A connection that was made again selects the same mailbox, if it still is the same. */
#include "change.h"
#include "shell.h"

#include <string.h>

gboolean
shell_select_again (Shell *shell, const char *mailbox, gboolean read_only, guint32 uid_validity,
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

/* Returns: (owned) */
static char *
why_lost (Shell *shell)
{
  g_autoptr (GError) death = NULL;
  RackReply *news;

  while ((news = rack_session_idle_check (shell->session, 0, NULL, &death)) != NULL)
    rack_reply_free (news);
  const char *label = rack_account_label (shell->account);
  const char *message = death != NULL ? death->message : "for no known reason";
  if (g_str_has_prefix (message, label) && g_str_has_prefix (message + strlen (label), ": "))
    message += strlen (label) + 2;
  return g_strdup (message);
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
  g_autofree char *reason = again ? why_lost (shell) : NULL;
  shell_disconnect (shell);
  shell->session = session;
  if (!again)
    return TRUE;
  gboolean ok =
      mailbox == NULL || shell_select_again (shell, mailbox, shell->read_only, uid_validity, error);
  shell_notice (shell, "The connection was lost (%s) and has been made again%s%s%s.", reason,
                ok && mailbox != NULL ? "; " : "", ok && mailbox != NULL ? mailbox : "",
                ok && mailbox != NULL ? " is selected as before" : "");
  return ok;
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
shell_count (Shell *shell)
{
  RackSessionCounts counts;

  if (shell->session == NULL || shell->mailbox == NULL)
    return;
  if (rack_session_alive (shell->session) && rack_session_selected (shell->session) == NULL)
    {
      g_clear_pointer (&shell->mailbox, g_free); /* what left it was cancelled */
      return;
    }
  rack_session_counts (shell->session, &counts);
  shell->messages = counts.messages;
}

static void
add_flags (GPtrArray *flags, const RackFlagList *list)
{
  for (guint i = 0; i < list->n_names; i++)
    {
      g_autofree char *name = g_strndup (list->names[i].data, list->names[i].size);
      if (strcmp (name, "\\*") != 0
          && !g_ptr_array_find_with_equal_func (flags, name, g_str_equal, NULL))
        g_ptr_array_add (flags, g_steal_pointer (&name));
    }
}

static void
selected_status (Shell *shell, const RackCode *code)
{
  if (code->kind == RACK_CODE_UIDVALIDITY)
    shell->uid_validity = (guint32) code->number;
  else if (code->kind == RACK_CODE_UIDNEXT)
    shell->uid_next = (guint32) code->number;
  else if (code->kind == RACK_CODE_PERMANENTFLAGS)
    add_flags (shell->flags, &code->flags);
}

void
shell_selected (Shell *shell, const char *mailbox, gboolean read_only, const RackReply *reply)
{
  const RackResponse *response;
  char *name = g_strdup (g_ascii_strcasecmp (mailbox, "INBOX") == 0 ? "INBOX" : mailbox);

  g_free (shell->mailbox);
  shell->mailbox = name;
  shell->read_only = read_only;
  shell->messages = shell->recent = 0;
  shell->uid_validity = shell->uid_next = 0;
  shell->selections++;
  g_clear_pointer (&shell->own, rack_set_free);
  g_clear_pointer (&shell->flags, g_ptr_array_unref);
  shell->flags = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_EXISTS)
      shell->messages = response->number;
    else if (response->kind == RACK_RESPONSE_RECENT)
      shell->recent = response->number;
    else if (response->kind == RACK_RESPONSE_FLAGS)
      add_flags (shell->flags, &response->flags);
    else if (response->kind == RACK_RESPONSE_STATUS)
      selected_status (shell, &response->status.code);
}

/* APPENDUID and COPYUID (RFC 4315); MOVE says it before its end (RFC 6851 section 4.3). */
static void
add_own (Shell *shell, const RackCode *code)
{
  const RackRanges *uids = code->kind == RACK_CODE_APPENDUID ? &code->uids
                           : code->kind == RACK_CODE_COPYUID ? &code->copies
                                                             : NULL;

  if (uids == NULL || code->number != shell->uid_validity)
    return;
  if (shell->own == NULL)
    shell->own = rack_set_new ();
  for (gsize i = 0; i < uids->n; i++)
    rack_set_add (shell->own, MIN (uids->items[i].first, uids->items[i].last),
                  MAX (uids->items[i].first, uids->items[i].last));
}

void
shell_added (Shell *shell, const char *mailbox, const RackReply *reply)
{
  const RackResponse *response;

  if (reply == NULL || shell->mailbox == NULL
      || (strcmp (mailbox, shell->mailbox) != 0
          && (strcmp (shell->mailbox, "INBOX") != 0 || g_ascii_strcasecmp (mailbox, "INBOX") != 0)))
    return;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_STATUS)
      add_own (shell, &response->status.code);
  add_own (shell, &rack_reply_status (reply)->code);
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
      /* What is refused leaves nothing selected, what was cancelled perhaps another mailbox than
       * before; what was never sent leaves what was. */
      if (shell->session == NULL || rack_session_selected (shell->session) == NULL)
        g_clear_pointer (&shell->mailbox, g_free);
      return FALSE;
    }
  shell_selected (shell, name, examine, answer);
  if (reply != NULL)
    *reply = g_steal_pointer (&answer);
  return TRUE;
}

/* EXAMINE first where there is no UNSELECT: CLOSE then expunges nothing (RFC 9051 section 6.4.1).
 */
gboolean
shell_unselect (Shell *shell, GError **error)
{
  gboolean can = rack_session_has (shell->session, "UNSELECT")
                 || rack_session_has (shell->session, "IMAP4rev2");

  if (!can && !shell->read_only && !shell_select (shell, shell->mailbox, TRUE, NULL, error))
    return FALSE;
  g_autoptr (RackReply) reply =
      shell_expect (shell, rack_command_new (can ? "UNSELECT" : "CLOSE"), error);
  if (reply == NULL)
    return FALSE;
  g_clear_pointer (&shell->mailbox, g_free);
  return TRUE;
}
