/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * session.c - live checks of a session: commands, FETCH, IDLE, rest, and its breaking */
#include "live.h"

#include <string.h>

static const char message_text[] = "From: a@example.org\r\nSubject: one\r\n\r\nText.\r\n";

/* A resting session hears of news, and its commands work. */
static gboolean
check_rest (Live *live, RackSession *session, const char *name, GError **error)
{
  RackSessionCounts before, after;

  rack_session_counts (session, &before);
  live_require (rack_session_rest (session, TRUE));
  if (!live_append (live, name, message_text, sizeof message_text - 1, 0, -1, NULL, error))
    return FALSE;
  g_autoptr (RackReply) news = rack_session_idle_check (session, 90000, NULL, error);
  live_require (news != NULL);
  rack_session_counts (session, &after);
  live_require (after.messages == before.messages + 1 && after.told > before.told);
  g_autoptr (RackReply) noop =
      rack_session_expect (session, rack_command_new ("NOOP"), NULL, error);
  if (noop == NULL)
    return FALSE;
  live_require (rack_session_rest (session, FALSE));
  g_autoptr (RackSession) other = rack_session_open (live->account, NULL, error);
  if (other == NULL)
    return FALSE;
  live_require (rack_session_rest (other, TRUE)); /* nothing is selected */
  rack_session_break (other);
  live_require (!rack_session_alive (other));
  g_autoptr (GError) closed = NULL;
  g_autoptr (RackReply) none = rack_session_run (other, rack_command_new ("NOOP"), NULL, &closed);
  live_require (none == NULL && g_error_matches (closed, RACK_ERROR, RACK_ERROR_CLOSED));
  return TRUE;
}

gboolean
live_check_session (Live *live, GError **error)
{
  g_autoptr (RackSession) session = rack_session_open (live->account, NULL, error);
  g_autofree char *name = live_name (live, "session");

  if (session == NULL || !rack_account_create (live->account, name, NULL, error)
      || !live_append (live, name, message_text, sizeof message_text - 1, 0, -1, NULL, error))
    return FALSE;
  RackCommand *command = rack_command_new ("SELECT");
  rack_command_mailbox (command, name);
  g_autoptr (RackReply) selected = rack_session_expect (session, command, NULL, error);
  if (selected == NULL)
    return FALSE;
  live_require (g_strcmp0 (rack_session_selected (session), name) == 0);
  gboolean exists = FALSE;
  const RackResponse *response;
  for (guint i = 0; (response = rack_reply_get (selected, i)) != NULL; i++)
    exists |= response->kind == RACK_RESPONSE_EXISTS && response->number == 1;
  live_require (exists);
  command = rack_command_new ("FETCH");
  rack_command_raw (command, "1 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
  g_autoptr (RackFetch) fetch = rack_session_fetch (session, command, NULL, error);
  const RackMessage *message = fetch != NULL ? rack_fetch_next (fetch, error) : NULL;
  live_require (message != NULL && message->n_sections == 1);
  live_require (rack_fetch_next (fetch, error) == NULL);
  if (rack_session_has (session, "IDLE"))
    {
      live_require (rack_session_rest (session, TRUE));
      if (!rack_session_idle (session, NULL, error) || rack_session_rest (session, FALSE)
          || !live_append (live, name, message_text, sizeof message_text - 1, 0, -1, NULL, error))
        return FALSE;
      g_autoptr (RackReply) news = rack_session_idle_check (session, 10000, NULL, error);
      live_require (news != NULL);
      g_autoptr (RackReply) done = rack_session_idle_done (session, NULL, error);
      live_require (done != NULL);
    }
  if (!check_rest (live, session, name, error))
    return FALSE;
  g_autoptr (RackReply) refused =
      rack_session_run (session, rack_command_new ("X-NONSENSE"), NULL, error);
  live_require (refused != NULL && rack_reply_status (refused)->kind == RACK_STATUS_BAD);
  g_autoptr (RackReply) out =
      rack_session_expect (session, rack_command_new ("LOGOUT"), NULL, error);
  return out != NULL;
}
