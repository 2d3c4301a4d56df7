/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-mailbox.c - commands about mailboxes, and the listing of messages */
#include "command-table.h"
#include "eval-error.h"
#include "listing.h"
#include "safe-text.h"

#include <string.h>

static gboolean
simple (Shell *shell, const char *verb, const char *name, const char *other, GError **error)
{
  RackCommand *command = rack_command_new (verb);

  rack_command_mailbox (command, name);
  if (other != NULL)
    rack_command_mailbox (command, other);
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  return reply != NULL;
}

static gint
by_name (gconstpointer a, gconstpointer b)
{
  const RackMailboxInfo *left = *(RackMailboxInfo *const *) a,
                        *right = *(RackMailboxInfo *const *) b;

  return strcmp (left->name, right->name);
}

static gboolean
list_mailboxes (Shell *shell, const char *pattern, gboolean details, GError **error)
{
  g_autoptr (GPtrArray) list = rack_account_list (
      shell->account, pattern, details ? RACK_LIST_WITH_STATUS : 0, shell->cancellable, error);

  if (list == NULL)
    return FALSE;
  if (list->len == 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND,
                   "no mailbox matches \"%s\"; ls -l lists them all%s", pattern,
                   shell->mailbox == NULL ? "; for messages, cd INBOX first"
                                          : ", and messages are named as in 1,3:9,20:*");
      return FALSE;
    }
  g_ptr_array_sort (list, by_name);
  for (guint i = 0; i < list->len; i++)
    {
      const RackMailboxInfo *info = g_ptr_array_index (list, i);
      g_autofree char *name = safe_text_dup (info->name, -1, SAFE_TEXT_LINE);
      if (details && (info->status_items & RACK_STATUS_MESSAGES))
        fprintf (shell->out, "%8" G_GUINT64_FORMAT " %6" G_GUINT64_FORMAT " new  %s\n",
                 info->messages, info->unseen, name);
      else if (details)
        fprintf (shell->out, "%8s %6s      %s\n", "-", "-", name);
      else
        fprintf (shell->out, "%s\n", name);
    }
  return TRUE;
}

SHELL_COMMAND (do_ls)
{
  Shell *shell = session;
  gboolean details = n > 0 && strcmp (words[0].text, "-l") == 0;
  const CommandWord *what = n > (guint) details ? &words[details] : NULL;

  if (n > (guint) details + 1 || (what != NULL && !what->quoted && *what->text == '-'))
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                   "%s: usage: ls [-l] [PATTERN | MESSAGES] (messages without blanks: 1,3:9)",
                   words[n > (guint) details + 1 ? details + 1 : details].text);
      return FALSE;
    }
  if (what == NULL)
    return shell->mailbox == NULL || details ? list_mailboxes (shell, "*", details, error)
                                             : listing_last (shell, 50, error);
  g_autoptr (RackSet) set =
      shell->mailbox != NULL && !details && (!what->quoted || strcmp (what->text, "*") != 0)
          ? listing_set (shell, what, NULL)
          : NULL;
  if (set == NULL && strcmp (what->text, "$_") == 0 && !what->quoted)
    return listing_set (shell, what, error) != NULL;
  if (set == NULL)
    return list_mailboxes (shell, what->text, details, error);
  if (!listing_messages (shell, set, error))
    return FALSE;
  return rack_set_count (shell->last) > 0 || listing_none (shell, what, error);
}

SHELL_COMMAND (do_cd)
{
  Shell *shell = session;

  return shell_select (shell, n > 0 ? words[0].text : "INBOX", FALSE, NULL, error);
}

SHELL_COMMAND (do_pwd)
{
  Shell *shell = session;
  g_autofree char *name = safe_text_dup (
      shell->mailbox != NULL ? shell->mailbox : "(no mailbox is selected)", -1, SAFE_TEXT_LINE);

  fprintf (shell->out, "%s\n", name);
  return TRUE;
}

SHELL_COMMAND (do_status)
{
  Shell *shell = session;
  const char *name = n > 0 ? words[0].text : shell->mailbox != NULL ? shell->mailbox : "INBOX";
  RackCommand *command = rack_command_new ("STATUS");
  const RackResponse *response;

  rack_command_mailbox (command, name);
  rack_command_raw (command, "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)");
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return FALSE;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_MAILBOX_STATUS)
      {
        const RackStatusData *status = &response->mailbox_status;
        g_autofree char *safe = safe_text_dup (name, -1, SAFE_TEXT_LINE);
        fprintf (shell->out,
                 "%s: %" G_GUINT64_FORMAT " messages, %" G_GUINT64_FORMAT
                 " unseen, UIDNEXT %" G_GUINT64_FORMAT ", UIDVALIDITY %" G_GUINT64_FORMAT "\n",
                 safe, status->messages, status->unseen, status->uid_next, status->uid_validity);
      }
  return TRUE;
}

SHELL_COMMAND (do_mkdir)
{
  return simple (session, "CREATE", words[0].text, NULL, error)
         && simple (session, "SUBSCRIBE", words[0].text, NULL, error);
}

SHELL_COMMAND (do_rmdir)
{
  Shell *shell = session;
  RackMailboxInfo *info =
      rack_account_status (shell->account, words[0].text, shell->cancellable, error);

  if (info == NULL)
    return FALSE;
  guint64 messages = info->messages;
  rack_mailbox_info_free (info);
  if (messages > 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_REFUSED,
                   "rmdir: %s holds %" G_GUINT64_FORMAT " messages: move them away first",
                   words[0].text, messages);
      return FALSE;
    }
  return simple (session, "DELETE", words[0].text, NULL, error);
}

SHELL_COMMAND (do_rename)
{
  return simple (session, "RENAME", words[0].text, words[1].text, error);
}

SHELL_COMMAND (do_subscribe)
{
  return simple (session, "SUBSCRIBE", words[0].text, NULL, error);
}

SHELL_COMMAND (do_unsubscribe)
{
  return simple (session, "UNSUBSCRIBE", words[0].text, NULL, error);
}
