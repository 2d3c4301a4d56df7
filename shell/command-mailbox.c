/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-mailbox.c - commands that list, select and count mailboxes, and the listing of messages
 *
 * What makes, removes and renames them is in command-tree.c. */
#include "command-table.h"
#include "listing.h"
#include "safe-text.h"
#include "sets.h"

#include <string.h>

static gint
by_name (gconstpointer a, gconstpointer b)
{
  const RackMailboxInfo *left = *(RackMailboxInfo *const *) a,
                        *right = *(RackMailboxInfo *const *) b;

  return strcmp (left->name, right->name);
}

static void
print_attributes (Output *output, RackListFlags flags)
{
  static const char *const names[] = { "noselect",    "noinferiors",   "marked",      "unmarked",
                                       "haschildren", "hasnochildren", "nonexistent", "subscribed",
                                       "remote",      "all",           "archive",     "drafts",
                                       "flagged",     "junk",          "sent",        "trash",
                                       "important" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (flags & (1u << i))
      output_word (output, names[i], -1);
  output_words_end (output);
}

static void
print_mailboxes (Shell *shell, GPtrArray *list, gboolean details)
{
  static const OutputColumn brief[] = {
    { "name", "MAILBOX", CELL_TEXT, 0 },
    { "separator", NULL, CELL_TEXT, 0 },
    { "attributes", NULL, CELL_WORDS, 0 },
    { NULL, NULL, CELL_TEXT, 0 },
  };
  static const OutputColumn full[] = {
    { "messages", "MESSAGES", CELL_NUMBER, 0 }, { "unseen", "UNSEEN", CELL_NUMBER, 0 },
    { "uid_next", NULL, CELL_NUMBER, 0 },       { "uid_validity", NULL, CELL_NUMBER, 0 },
    { "name", "MAILBOX", CELL_TEXT, 0 },        { "separator", NULL, CELL_TEXT, 0 },
    { "attributes", NULL, CELL_WORDS, 0 },      { NULL, NULL, CELL_TEXT, 0 },
  };
  g_autoptr (Output) output = shell_output (shell, details ? full : brief, OUTPUT_MANY);

  for (guint i = 0; i < list->len; i++)
    {
      const RackMailboxInfo *info = g_ptr_array_index (list, i);
      const guint64 numbers[] = { info->messages, info->unseen, info->uid_next,
                                  info->uid_validity };

      for (guint j = 0; details && j < G_N_ELEMENTS (numbers); j++)
        if (info->status_items & RACK_STATUS_MESSAGES)
          output_number (output, numbers[j]);
        else
          output_none (output);
      output_text (output, info->name, -1);
      output_text (output, info->separator != '\0' ? &info->separator : NULL, 1);
      print_attributes (output, info->flags);
      if (!output_row (output))
        break;
    }
  output_end (output);
}

static gboolean
list_mailboxes (Shell *shell, const char *pattern, gboolean details, gboolean subscribed,
                GError **error)
{
  g_autoptr (GPtrArray) list = rack_account_list (
      shell->account, pattern,
      (details ? RACK_LIST_WITH_STATUS : 0) | (subscribed ? RACK_LIST_ONLY_SUBSCRIBED : 0),
      shell->cancellable, error);

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
  print_mailboxes (shell, list, details);
  return TRUE;
}

/* What names messages can also be the pattern of mailboxes: "*" in quotes, or any word where no
 * mailbox is selected. */
static gboolean
names_messages (Shell *shell, const CommandWord *what, gboolean details)
{
  g_autoptr (RackSet) set = NULL;

  if (what == NULL || shell->mailbox == NULL || details
      || (what->quoted && strcmp (what->text, "*") == 0))
    return FALSE;
  if (!what->quoted
      && (*what->text == '$' || strcmp (what->text, "last") == 0
          || g_str_has_prefix (what->text, "last ") || command_is_list (what->text)))
    return TRUE;
  set = rack_set_parse (what->text, NULL);
  return set != NULL;
}

static gboolean
list_newest (Shell *shell, GError **error)
{
  g_autoptr (RackSet) set = sets_last (shell, shell->settings.listing, error);

  return set != NULL && listing_messages (shell, set, error);
}

SHELL_COMMAND (do_ls)
{
  Shell *shell = session;
  gboolean details = command_option (call, "long") != NULL;
  gboolean subscribed = command_option (call, "subscribed") != NULL;
  const CommandWord *what = call->n > 0 ? &call->words[0] : NULL;

  if (what == NULL && shell->mailbox != NULL && !details && !subscribed)
    return list_newest (shell, error);
  if (!names_messages (shell, what, details || subscribed))
    return list_mailboxes (shell, what != NULL ? what->text : "*", details, subscribed, error);
  g_autoptr (RackSet) set = sets_parse (shell, what, error);
  if (set == NULL || !listing_messages (shell, set, error))
    return FALSE;
  return rack_set_count (shell->last) > 0 || sets_none (shell, what, error);
}

SHELL_COMMAND (do_cd)
{
  Shell *shell = session;

  return shell_select (shell, call->n > 0 ? call->words[0].text : "INBOX",
                       command_option (call, "read-only") != NULL, NULL, error);
}

SHELL_COMMAND (do_pwd)
{
  static const OutputColumn columns[] = { { "name", NULL, CELL_TEXT, 0 },
                                          { NULL, NULL, CELL_TEXT, 0 } };
  Shell *shell = session;

  if (shell_prints_text (shell))
    {
      g_autofree char *name = safe_text_dup (
          shell->mailbox != NULL ? shell->mailbox : "(no mailbox is selected)", -1, SAFE_TEXT_LINE);
      fprintf (shell->out, "%s\n", name);
      return TRUE;
    }
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_SINGLE);
  output_text (output, shell->mailbox, -1);
  output_row (output);
  output_end (output);
  return TRUE;
}

static void
print_status (Shell *shell, const char *name, const RackStatusData *status)
{
  static const OutputColumn columns[] = {
    { "name", NULL, CELL_TEXT, 0 },           { "messages", NULL, CELL_NUMBER, 0 },
    { "unseen", NULL, CELL_NUMBER, 0 },       { "uid_next", NULL, CELL_NUMBER, 0 },
    { "uid_validity", NULL, CELL_NUMBER, 0 }, { NULL, NULL, CELL_TEXT, 0 },
  };
  g_autofree char *safe = safe_text_dup (name, -1, SAFE_TEXT_LINE);

  if (shell_prints_text (shell))
    {
      fprintf (shell->out,
               "%s: %" G_GUINT64_FORMAT " messages, %" G_GUINT64_FORMAT
               " unseen, UIDNEXT %" G_GUINT64_FORMAT ", UIDVALIDITY %" G_GUINT64_FORMAT "\n",
               safe, status->messages, status->unseen, status->uid_next, status->uid_validity);
      return;
    }
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_SINGLE);
  output_text (output, name, -1);
  output_number (output, status->messages);
  output_number (output, status->unseen);
  output_number (output, status->uid_next);
  output_number (output, status->uid_validity);
  output_row (output);
  output_end (output);
}

SHELL_COMMAND (do_status)
{
  Shell *shell = session;
  const char *name = call->n > 0              ? call->words[0].text
                     : shell->mailbox != NULL ? shell->mailbox
                                              : "INBOX";
  RackCommand *command = rack_command_new ("STATUS");
  const RackResponse *response;

  rack_command_mailbox (command, name);
  rack_command_raw (command, "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)");
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  if (reply == NULL)
    return FALSE;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_MAILBOX_STATUS)
      print_status (shell, name, &response->mailbox_status);
  return TRUE;
}
