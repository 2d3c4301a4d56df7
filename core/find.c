/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * find.c - which messages of a mailbox match
 *
 * What is asked is written by core/imap (criteria.c, terms.c); here it is asked, in
 * ranges where the server can answer so, and in ASCII where it knows nothing else. */
#include "criteria.h"
#include "mailbox-private.h"

typedef struct
{
  void (*add) (RackCommand *command, gpointer data);
  gpointer data;
} SearchRequest;

static gboolean
has_esearch (RackConn *conn)
{
  return rack_conn_has (conn, "ESEARCH") || rack_conn_has (conn, "IMAP4REV2");
}

static RackSet *
found_in (const RackCall *call)
{
  RackSet *set = rack_set_new ();
  const RackResponse *response;

  for (guint i = 0; (response = rack_reply_get (call->reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_SEARCH)
      rack_set_add_ranges (set, response->search.all);
  return set;
}

static RackCommand *
make_search (gpointer data, RackConn *conn)
{
  const SearchRequest *request = data;
  RackCommand *command = rack_command_new ("UID SEARCH");

  if (has_esearch (conn))
    rack_command_raw (command, "RETURN (ALL)");
  request->add (command, request->data);
  return command;
}

RackSet *
rack_mailbox_find_uids (RackMailbox *mailbox, void (*add) (RackCommand *command, gpointer data),
                        gpointer data, GCancellable *cancellable, GError **error)
{
  SearchRequest request = { add, data };
  g_autoptr (RackCall) call = rack_mailbox_run (mailbox, RACK_LEASE_FRESH, "search", make_search,
                                                &request, cancellable, error);

  return call != NULL ? found_in (call) : NULL;
}

static void
add_criteria (RackCommand *command, gpointer data)
{
  rack_command_criteria (command, data, 0);
}

RackSet *
rack_mailbox_search (RackMailbox *mailbox, const char *criteria, GCancellable *cancellable,
                     GError **error)
{
  g_autoptr (RackCriteria) keys = rack_criteria_parse_keys (criteria, error);

  if (keys == NULL)
    {
      rack_mailbox_prefix (mailbox, "search", error);
      return NULL;
    }
  return rack_mailbox_find_uids (mailbox, add_criteria, keys, cancellable, error);
}

/* ---- Terms ------------------------------------------------------------------------------ */

RackCriteria *
rack_search_parse (const char *terms, GError **error)
{
  GDate today;

  g_date_clear (&today, 1);
  g_date_set_time_t (&today, time (NULL));
  return rack_criteria_parse (terms, &today, error);
}

typedef struct
{
  const RackCriteria *criteria;
  gboolean ascii;
  gboolean gmail; /* out: the server is */
} FindRequest;

static RackCommand *
make_find (gpointer data, RackConn *conn)
{
  FindRequest *request = data;

  request->gmail = rack_conn_has (conn, "X-GM-EXT-1");
  if (!request->gmail && rack_criteria_needs_gmail (request->criteria))
    return rack_command_new ("NOOP");
  RackCommand *command = rack_command_new ("UID SEARCH");
  if (has_esearch (conn))
    rack_command_raw (command, "RETURN (ALL)");
  rack_command_criteria (command, request->criteria,
                         (request->gmail ? RACK_SEARCH_GMAIL : 0)
                             | (request->ascii ? RACK_SEARCH_ASCII : 0));
  return command;
}

RackSet *
rack_mailbox_find (RackMailbox *mailbox, const RackCriteria *criteria, GCancellable *cancellable,
                   GError **error)
{
  FindRequest request = { criteria, FALSE, FALSE };
  g_autoptr (GError) problem = NULL;
  g_autoptr (RackCall) call = rack_mailbox_run (mailbox, RACK_LEASE_FRESH, "search", make_find,
                                                &request, cancellable, &problem);

  /* BADCHARSET: Exchange searches in ASCII alone. */
  if (call == NULL && g_error_matches (problem, RACK_ERROR, RACK_ERROR_UNSUPPORTED)
      && rack_criteria_needs_utf8 (criteria) && rack_criteria_has_ascii (criteria))
    {
      g_clear_error (&problem);
      request.ascii = TRUE;
      call = rack_mailbox_run (mailbox, RACK_LEASE_FRESH, "search", make_find, &request,
                               cancellable, &problem);
    }
  if (call == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }
  if (!request.gmail && rack_criteria_needs_gmail (criteria))
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                           "gmail: is for Gmail, and this server is another (no X-GM-EXT-1)");
      rack_mailbox_prefix (mailbox, "search", error);
      return NULL;
    }
  return found_in (call);
}
