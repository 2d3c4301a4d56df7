/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-change.c - commands that change messages: flag, cp, mv, rm
 *
 * Many messages are changed in pieces (sets.h), so that no command line is too long, progress can
 * be told and Ctrl-C stops between two of them. All of it goes over the shell's own connection. */
#include "change.h"
#include "command-table.h"
#include "flag-words.h"
#include "sets.h"
#include "work.h"

#include <string.h>

/* What is done with one piece. */
typedef struct
{
  Shell *shell;
  const char *to;    /* cp, mv */
  const char *mode;  /* flag: "+FLAGS.SILENT" */
  const char *flags; /* "(\\Seen)" */
} Change;

typedef gboolean (*ChangePiece) (const Change *change, const RackSet *set, GError **error);

/* Takes the set apart; it is empty afterwards. */
static gboolean
in_pieces (const Change *change, RackSet *set, ChangePiece run, Work *work, GError **error)
{
  RackSet *piece;

  while ((piece = sets_take (set, SETS_MESSAGES)) != NULL)
    {
      guint64 n = rack_set_count (piece);
      gboolean ok = run (change, piece, error) && work_add (work, n, error);

      rack_set_free (piece);
      if (!ok)
        return FALSE;
    }
  return TRUE;
}

static gboolean
change_all (const Change *change, RackSet *set, const char *label, const char *done,
            ChangePiece run, GError **error)
{
  Work work;

  work_begin (&work, change->shell, label, done, rack_set_count (set));
  return work_end (&work, in_pieces (change, set, run, &work, error), error);
}

/* ---- flag ---------------------------------------------------------------------------------------
 */

static gboolean
store_piece (const Change *change, const RackSet *set, GError **error)
{
  RackCommand *command = rack_command_new ("UID STORE");

  rack_command_set (command, set);
  rack_command_atom (command, change->mode);
  rack_command_raw (command, change->flags);
  return change_send (change->shell, command, NULL, error);
}

static gboolean
store (Shell *shell, const RackSet *set, const char *mode, const GPtrArray *flags, GError **error)
{
  g_autoptr (RackSet) all = rack_set_copy (set);
  g_autofree char *list = flag_words_join (flags);
  const Change change = { .shell = shell, .mode = mode, .flags = list };

  return flags->len == 0 || change_all (&change, all, "flag", "changed", store_piece, error);
}

static gboolean
check_both (const GPtrArray *set, const GPtrArray *removed, GError **error)
{
  for (guint i = 0; i < set->len; i++)
    for (guint j = 0; j < removed->len; j++)
      if (g_ascii_strcasecmp (set->pdata[i], removed->pdata[j]) == 0)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                       "flag: %s cannot be both set and removed", (char *) set->pdata[i]);
          return FALSE;
        }
  return TRUE;
}

SHELL_COMMAND (do_flag)
{
  g_autoptr (GPtrArray) added = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 1; i < call->n; i++)
    if (!flag_words_add ("flag", &call->words[i], TRUE, added, removed, error))
      return FALSE;
  if (!check_both (added, removed, error))
    return FALSE;
  g_autoptr (RackSet) set = sets_parse_there (session, call->words, error);
  return set != NULL && store (session, set, "+FLAGS.SILENT", added, error)
         && store (session, set, "-FLAGS.SILENT", removed, error);
}

/* ---- cp, mv -------------------------------------------------------------------------------------
 */

static RackCommand *
transfer_command (const char *verb, const RackSet *set, const char *to)
{
  RackCommand *command = rack_command_new (verb);

  rack_command_set (command, set);
  if (to != NULL)
    rack_command_mailbox (command, to);
  return command;
}

static gboolean
copy_piece (const Change *change, const RackSet *set, GError **error)
{
  return change_send_to (change->shell, change->to, transfer_command ("UID COPY", set, change->to),
                         error);
}

static gboolean
expunge_piece (const Change *change, const RackSet *set, GError **error)
{
  static const char deleted[] = "(\\Deleted)";
  const Change store_change = { .shell = change->shell, .mode = "+FLAGS.SILENT", .flags = deleted };

  return store_piece (&store_change, set, error)
         && change_send (change->shell, transfer_command ("UID EXPUNGE", set, NULL), NULL, error);
}

static gboolean
move_piece (const Change *change, const RackSet *set, GError **error)
{
  if (rack_session_has (change->shell->session, "MOVE"))
    return change_send_to (change->shell, change->to,
                           transfer_command ("UID MOVE", set, change->to), error);
  return copy_piece (change, set, error) && expunge_piece (change, set, error);
}

/* Without UIDPLUS an EXPUNGE takes along what others marked. */
static gboolean
can_remove (Shell *shell, gboolean by_move, GError **error)
{
  if (rack_session_has (shell->session, "UIDPLUS")
      || (by_move && rack_session_has (shell->session, "MOVE")))
    return TRUE;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                       "the server can neither move messages nor expunge single ones; cp, flag "
                       "+deleted and c.expunge() do it step by step");
  return FALSE;
}

/* "cp 1:5 New --create". Whether it is there already is not asked before. */
static gboolean
make_target (Shell *shell, const CommandCall *call, const char *to, GError **error)
{
  g_autoptr (GError) problem = NULL;

  if (command_option (call, "create") == NULL)
    return TRUE;
  RackCommand *command = rack_command_new ("CREATE");
  rack_command_mailbox (command, to);
  if (change_send (shell, command, NULL, &problem)
      || g_error_matches (problem, RACK_ERROR, RACK_ERROR_EXISTS))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

SHELL_COMMAND (do_cp)
{
  Shell *shell = session;
  const Change change = { .shell = shell, .to = call->words[1].text };
  g_autoptr (RackSet) set = sets_parse_there (shell, call->words, error);

  return set != NULL && make_target (shell, call, change.to, error)
         && change_all (&change, set, "cp", "copied", copy_piece, error);
}

SHELL_COMMAND (do_mv)
{
  Shell *shell = session;
  const Change change = { .shell = shell, .to = call->words[1].text };
  g_autoptr (RackSet) set = sets_parse_there (shell, call->words, error);

  return set != NULL && can_remove (shell, TRUE, error)
         && make_target (shell, call, change.to, error)
         && change_all (&change, set, "mv", "moved", move_piece, error);
}

/* ---- rm -----------------------------------------------------------------------------------------
 */

/* LIST on the shell's own connection, of mailboxes with a special use where it can be asked so
 * (RFC 6154 section 2). */
static RackReply *
list_special (Shell *shell, GError **error)
{
  RackCommand *command = rack_command_new ("LIST");

  if (rack_session_has (shell->session, "SPECIAL-USE")
      && rack_session_has (shell->session, "LIST-EXTENDED"))
    rack_command_raw (command, "(SPECIAL-USE)");
  rack_command_string (command, "", 0);
  rack_command_pattern (command, "*");
  return shell_expect (shell, command, error);
}

/* The mailbox the setting names, else the server's. Returns: (owned) */
static char *
find_trash (Shell *shell, GError **error)
{
  const RackResponse *response;

  if (*shell->settings.trash != '\0')
    return g_strdup (shell->settings.trash);
  g_autoptr (RackReply) reply = list_special (shell, error);
  if (reply == NULL)
    return NULL;
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_LIST && (response->list.flags & RACK_LIST_TRASH)
        && !(response->list.flags & (RACK_LIST_NOSELECT | RACK_LIST_NONEXISTENT)))
      return rack_mailbox_name_decode (response->list.mailbox);
  g_set_error_literal (
      error, RACK_ERROR, RACK_ERROR_NOT_FOUND,
      "the server names no mailbox as \\Trash, so nothing was removed; \"set trash "
      "MAILBOX\" names one, and mv moves them where you like");
  return NULL;
}

static gboolean
is_in_trash (Shell *shell, const char *trash, GError **error)
{
  if (strcmp (trash, shell->mailbox) != 0)
    return FALSE;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_REFUSED,
                       "these are in the trash already; rm --expunge removes them for good");
  return TRUE;
}

SHELL_COMMAND (do_rm)
{
  Shell *shell = session;
  gboolean for_good = command_option (call, "expunge") != NULL;
  gboolean yes = command_option (call, "yes") != NULL;
  g_autoptr (RackSet) set = sets_parse_there (shell, call->words, error);
  g_autofree char *trash = set != NULL && !for_good ? find_trash (shell, error) : NULL;
  guint64 n = set != NULL ? rack_set_count (set) : 0;

  if (set == NULL || !can_remove (shell, !for_good, error) || (!for_good && trash == NULL)
      || (trash != NULL && is_in_trash (shell, trash, error)))
    return FALSE;
  g_autofree char *what =
      for_good ? g_strdup_printf ("%" G_GUINT64_FORMAT " messages are removed for good", n)
               : g_strdup_printf ("%" G_GUINT64_FORMAT " messages go to %s", n, trash);
  if (!change_confirm (shell, n, yes, what, error))
    return FALSE;
  const Change change = { .shell = shell, .to = trash };
  return change_all (&change, set, "rm", "removed", for_good ? expunge_piece : move_piece, error);
}
