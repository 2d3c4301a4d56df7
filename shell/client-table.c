/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-table.c - every method of the object c: its parameters, what it needs, what it does
 *
 * Names, parameters and defaults are IMAPClient's; a test compares them (docs/CALLS.md). */
#include "client-private.h"

#include <string.h>

#define PLAIN     CLIENT_PLAIN
#define CHANGES   CLIENT_CHANGES
#define SELECTED  CLIENT_SELECTED
#define BOTH      (CLIENT_CHANGES | CLIENT_SELECTED)
#define RUN(name) #name, client_run_##name

const ClientMethod client_methods[] = {
  { RUN (add_flags), BOTH, NULL, "messages, flags, silent=False",
    "adds flags; gives {message: flags it has now}" },
  { RUN (add_gmail_labels), BOTH, "X-GM-EXT-1", "messages, labels, silent=False",
    "adds Gmail's labels; gives {message: labels it has now}" },
  { RUN (append), CHANGES, NULL, "folder, msg, flags=(), msg_time=None",
    "adds a message to a mailbox" },
  { RUN (capabilities), PLAIN, NULL, "", "what the server can do" },
  { RUN (close_folder), PLAIN, NULL, "", "leaves the mailbox, expunging what is \\Deleted" },
  { RUN (copy), BOTH, NULL, "messages, folder", "copies messages to a mailbox" },
  { RUN (create_folder), CHANGES, NULL, "folder", "makes a mailbox" },
  { RUN (delete_folder), CHANGES, NULL, "folder", "deletes a mailbox with all messages in it" },
  { RUN (delete_messages), BOTH, NULL, "messages, silent=False",
    "marks messages \\Deleted; gives {message: flags it has now}" },
  { RUN (enable), PLAIN, "ENABLE", "*capabilities",
    "switches extensions on, before a mailbox is selected; gives those that are on" },
  { RUN (expunge), BOTH, NULL, "messages=None",
    "removes messages that are \\Deleted: all of them, or those given" },
  { RUN (fetch), SELECTED, NULL, "messages, data, modifiers=None",
    "gives {message: {item: value}}; modifiers such as ['CHANGEDSINCE 123']" },
  { RUN (find_special_folder), PLAIN, NULL, "folder_flag",
    "the mailbox for b'\\\\Sent', b'\\\\Trash', ..., by its flag or a usual name; or None" },
  { RUN (folder_exists), PLAIN, NULL, "folder", "whether there is such a mailbox" },
  { RUN (folder_status), PLAIN, NULL, "folder, what=None",
    "counts of a mailbox that need not be selected" },
  { RUN (get_flags), SELECTED, NULL, "messages", "gives {message: flags}" },
  { RUN (get_gmail_labels), SELECTED, "X-GM-EXT-1", "messages", "gives {message: labels}" },
  { RUN (get_quota), PLAIN, "QUOTA", "mailbox='INBOX'", "the limits of a mailbox" },
  { RUN (get_quota_root), PLAIN, "QUOTA", "mailbox",
    "which limits hold for a mailbox, and what they are" },
  { RUN (getacl), PLAIN, "ACL", "folder", "who may do what with a mailbox: [(who, rights)]" },
  { RUN (gmail_search), SELECTED, "X-GM-EXT-1", "query, charset='UTF-8'",
    "searches as Gmail's own search does" },
  { RUN (has_capability), PLAIN, NULL, "capability", "whether the server can do something" },
  { RUN (id_), PLAIN, "ID", "parameters=None", "tells who we are; gives who the server is" },
  { RUN (idle), PLAIN, "IDLE", "", "has the server report changes; idle_done() ends it" },
  { RUN (idle_check), PLAIN, "IDLE", "timeout=None",
    "what the server reported; waits for something, at most timeout seconds" },
  { RUN (idle_done), PLAIN, "IDLE", "", "ends idle(); gives what was reported last" },
  { RUN (list_folders), PLAIN, NULL, "directory='', pattern='*'",
    "the mailboxes, as (flags, separator, name)" },
  { RUN (list_sub_folders), PLAIN, NULL, "directory='', pattern='*'",
    "the mailboxes that are subscribed to" },
  { RUN (login), PLAIN, NULL, "username, password", "refused: the shell has logged in" },
  { RUN (logout), PLAIN, NULL, "", "ends the connection; the next call makes another one" },
  { RUN (move), BOTH, "MOVE", "messages, folder", "moves messages to a mailbox" },
  { RUN (multiappend), CHANGES, "MULTIAPPEND", "folder, msgs",
    "adds several messages at once: texts, or dicts with 'msg', 'flags', 'date'" },
  { RUN (namespace), PLAIN, "NAMESPACE", "",
    "the prefixes of mailboxes: (personal, other, shared)" },
  { RUN (noop), PLAIN, NULL, "", "asks the server what is new" },
  { "oauth2_login", client_run_login, PLAIN, NULL,
    "user, access_token, mech='XOAUTH2', vendor=None", "refused: the shell has logged in" },
  { "oauthbearer_login", client_run_login, PLAIN, NULL, "identity, access_token",
    "refused: the shell has logged in" },
  { "plain_login", client_run_login, PLAIN, NULL, "identity, password, authorization_identity=None",
    "refused: the shell has logged in" },
  { RUN (remove_flags), BOTH, NULL, "messages, flags, silent=False",
    "removes flags; gives {message: flags it has now}" },
  { RUN (remove_gmail_labels), BOTH, "X-GM-EXT-1", "messages, labels, silent=False",
    "removes Gmail's labels; gives {message: labels it has now}" },
  { RUN (rename_folder), CHANGES, NULL, "old_name, new_name", "renames a mailbox" },
  { "sasl_login", client_run_login, PLAIN, NULL, "mech_name, mech_callable",
    "refused: the shell has logged in" },
  { RUN (search), SELECTED, NULL, "criteria='ALL', charset=None",
    "the messages that fit: 'UNSEEN', or ['SUBJECT', 'two words', 'SINCE', date(2026, 11, 5)]" },
  { RUN (select_folder), PLAIN, NULL, "folder, readonly=False",
    "selects the mailbox that what follows is about" },
  { RUN (set_flags), BOTH, NULL, "messages, flags, silent=False",
    "replaces flags; gives {message: flags it has now}" },
  { RUN (set_gmail_labels), BOTH, "X-GM-EXT-1", "messages, labels, silent=False",
    "replaces Gmail's labels; gives {message: labels it has now}" },
  { RUN (set_quota), CHANGES, "QUOTA", "quotas",
    "sets limits: [imapclient.Quota('User quota', 'STORAGE', 0, 1000)]" },
  { RUN (setacl), CHANGES, "ACL", "folder, who, what", "says what somebody may do; '' is nothing" },
  { RUN (shutdown), PLAIN, NULL, "", "drops the connection without a word to the server" },
  { RUN (socket), PLAIN, NULL, "", "refused: there are no sockets here" },
  { RUN (sort), SELECTED, "SORT", "sort_criteria, criteria='ALL', charset='UTF-8'",
    "the messages that fit, sorted: 'ARRIVAL', ['REVERSE SIZE', 'SUBJECT']" },
  { RUN (starttls), PLAIN, NULL, "ssl_context=None",
    "refused: the account's settings say how to connect" },
  { RUN (subscribe_folder), CHANGES, NULL, "folder", "subscribes to a mailbox" },
  { RUN (thread), SELECTED, NULL, "algorithm='REFERENCES', criteria='ALL', charset='UTF-8'",
    "the messages that fit, by conversation" },
  { RUN (uid_expunge), BOTH, "UIDPLUS", "messages",
    "removes those of messages that are \\Deleted" },
  { RUN (unselect_folder), PLAIN, "UNSELECT", "", "leaves the mailbox, expunging nothing" },
  { RUN (unsubscribe_folder), CHANGES, NULL, "folder", "ends a subscription" },
  { RUN (xlist_folders), PLAIN, "XLIST", "directory='', pattern='*'",
    "the mailboxes with Gmail's old flags" },
  { NULL, NULL, PLAIN, NULL, NULL, NULL },
};

const ClientMethod *
client_method (const char *name)
{
  for (const ClientMethod *at = client_methods; at->name != NULL; at++)
    if (strcmp (at->name, name) == 0)
      return at;
  return NULL;
}
