/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * change.c - commands that change something on the server; see change.h */
#include "change.h"

#include "safe-text.h"

#include <string.h>

G_DEFINE_QUARK (shell - change - error - quark, change_error)

gboolean
change_is_one (const Shell *shell, const char *name)
{
  static const char *const reading[] = {
    "CAPABILITY", "CHECK",        "ENABLE",      "EXAMINE",    "FETCH",     "GETACL",
    "GETQUOTA",   "GETQUOTAROOT", "GETMETADATA", "ID",         "IDLE",      "LIST",
    "LISTRIGHTS", "LOGOUT",       "LSUB",        "MYRIGHTS",   "NAMESPACE", "NOOP",
    "NOTIFY",     "SEARCH",       "SELECT",      "SORT",       "STATUS",    "THREAD",
    "UID FETCH",  "UID SEARCH",   "UID SORT",    "UID THREAD", "UNSELECT",  "XLIST",
    NULL,
  };
  g_autofree char *upper = g_ascii_strup (name, -1);

  if (strcmp (upper, "CLOSE") == 0) /* expunges */
    return !shell->read_only;
  return !g_strv_contains (reading, upper);
}

gboolean
change_is_held (Shell *shell, const RackCommand *command, GError **error)
{
  if (!shell->dry_run || !change_is_one (shell, rack_command_name (command)))
    return FALSE;
  g_autofree char *text = rack_command_describe (command);
  g_autofree char *safe = safe_text_dup (text, -1, SAFE_TEXT_LINE);
  fprintf (shell->out, "%s\n", safe);
  g_set_error_literal (error, CHANGE_ERROR, CHANGE_ERROR_DRY_RUN, "not sent: this is a dry run");
  return TRUE;
}

gboolean
change_send (Shell *shell, RackCommand *command, RackReply **reply, GError **error)
{
  g_autoptr (GError) problem = NULL;
  RackReply *answer = shell_expect (shell, command, &problem);

  if (reply != NULL)
    *reply = answer;
  else
    rack_reply_free (answer);
  if (answer != NULL || g_error_matches (problem, CHANGE_ERROR, CHANGE_ERROR_DRY_RUN))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

gboolean
change_send_to (Shell *shell, const char *mailbox, RackCommand *command, GError **error)
{
  g_autoptr (RackReply) reply = NULL;

  if (!change_send (shell, command, &reply, error))
    return FALSE;
  shell_added (shell, mailbox, reply);
  return TRUE;
}

gboolean
change_confirm (Shell *shell, guint64 n, gboolean yes, const char *what, GError **error)
{
  const ShellHooks *hooks = shell->hooks;

  if (yes || shell->yes || shell->dry_run || shell->settings.confirm == 0
      || n <= shell->settings.confirm)
    return TRUE;
  if (hooks != NULL && hooks->confirm != NULL)
    {
      g_autofree char *question = g_strdup_printf ("%s. Go on?", what);
      g_autofree char *safe = safe_text_dup (question, -1, SAFE_TEXT_LINE);
      if (hooks->confirm (shell->hooks_data, safe))
        return TRUE;
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "not done");
      return FALSE;
    }
  g_set_error (error, RACK_ERROR, RACK_ERROR_REFUSED,
               "%s: that is many, and nobody can be asked; --yes does it", what);
  return FALSE;
}
