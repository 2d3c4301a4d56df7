/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-private.h - what the files of the object c share
 *
 * client.c (the object), client-table.c (its methods), client-args.c (values into arguments of
 * commands), client-criteria.c, and one file for each kind of method. Nobody else includes this. */
#pragma once

#include "client.h"
#include "convert.h"
#include "eval-error.h"
#include "shell.h"

/* ---- The table ------------------------------------------------------------------------------ */

typedef enum
{
  CLIENT_PLAIN = 0,
  CLIENT_CHANGES = 1 << 0,  /* not with --read-only */
  CLIENT_SELECTED = 1 << 1, /* is about the selected mailbox */
} ClientFlags;

/* args are in the order of the parameters. NULL: left out, or None where that is what leaving it
 * out means. A parameter of the form *name is a tuple of what was given. */
typedef Value *(*ClientRun) (Shell *shell, Value **args, GError **error);

typedef struct
{
  const char *name;
  ClientRun run;
  ClientFlags flags;
  const char *needs;      /* a capability, or NULL */
  const char *parameters; /* "messages, data, modifiers=None" */
  const char *help;
} ClientMethod;

/* Sorted; ends with a NULL name. */
extern const ClientMethod client_methods[];
const ClientMethod *client_method (const char *name);

#define CLIENT_METHOD(name) Value *client_run_##name (Shell *shell, Value **args, GError **error)
CLIENT_METHOD (add_flags);
CLIENT_METHOD (add_gmail_labels);
CLIENT_METHOD (append);
CLIENT_METHOD (capabilities);
CLIENT_METHOD (close_folder);
CLIENT_METHOD (copy);
CLIENT_METHOD (create_folder);
CLIENT_METHOD (delete_folder);
CLIENT_METHOD (delete_messages);
CLIENT_METHOD (enable);
CLIENT_METHOD (expunge);
CLIENT_METHOD (fetch);
CLIENT_METHOD (find_special_folder);
CLIENT_METHOD (folder_exists);
CLIENT_METHOD (folder_status);
CLIENT_METHOD (get_flags);
CLIENT_METHOD (get_gmail_labels);
CLIENT_METHOD (get_quota);
CLIENT_METHOD (get_quota_root);
CLIENT_METHOD (getacl);
CLIENT_METHOD (gmail_search);
CLIENT_METHOD (has_capability);
CLIENT_METHOD (id_);
CLIENT_METHOD (idle);
CLIENT_METHOD (idle_check);
CLIENT_METHOD (idle_done);
CLIENT_METHOD (list_folders);
CLIENT_METHOD (list_sub_folders);
CLIENT_METHOD (login);
CLIENT_METHOD (logout);
CLIENT_METHOD (move);
CLIENT_METHOD (multiappend);
CLIENT_METHOD (namespace);
CLIENT_METHOD (noop);
CLIENT_METHOD (remove_flags);
CLIENT_METHOD (remove_gmail_labels);
CLIENT_METHOD (rename_folder);
CLIENT_METHOD (search);
CLIENT_METHOD (select_folder);
CLIENT_METHOD (set_flags);
CLIENT_METHOD (set_gmail_labels);
CLIENT_METHOD (set_quota);
CLIENT_METHOD (setacl);
CLIENT_METHOD (shutdown);
CLIENT_METHOD (socket);
CLIENT_METHOD (sort);
CLIENT_METHOD (starttls);
CLIENT_METHOD (subscribe_folder);
CLIENT_METHOD (thread);
CLIENT_METHOD (uid_expunge);
CLIENT_METHOD (unselect_folder);
CLIENT_METHOD (unsubscribe_folder);
CLIENT_METHOD (xlist_folders);

/* ---- Values as arguments (client-args.c) ------------------------------------------------------
 * All that fail leave EVAL_ERROR_TYPE or EVAL_ERROR_VALUE behind. */

/* The text of a str or bytes, borrowed; NULL for anything else. */
const char *client_text (const Value *value);
/* Whether it is a str or bytes that a line can hold: without NUL. what: "the folder". */
gboolean client_need_text (const Value *value, const char *what, GError **error);
/* A mailbox' name in UTF-8, as folder_encode says. Returns: (owned) */
char *client_folder (const Shell *shell, const Value *value, const char *what, GError **error);
/* The name of a mailbox as folder_encode says: str, or what was on the wire. */
Value *client_folder_value (const Shell *shell, RackStr wire);
/* "(a b)", from a str, bytes, or a sequence of them. */
gboolean client_add_words (RackCommand *command, const Value *words, const char *what,
                           GError **error);
/* A datetime as INTERNALDATE; without a zone it is the local one. */
gboolean client_add_time (RackCommand *command, const Value *time, const char *what,
                          GError **error);
/* The numbers of messages divided into sets that each fit a command line. Empty: none are given.
 * Returns: (owned, element-type RackSet) */
GPtrArray *client_sets (const Value *messages, GError **error);
/* As client_sets(), but none is an error. */
GPtrArray *client_need_sets (const Value *messages, GError **error);
/* "UID NAME set" or "NAME set", as use_uid says. */
RackCommand *client_set_command (const Shell *shell, const char *name, const RackSet *set);
/* With --dry-run every command of a call is printed: that one was held is an error behind the last
 * alone. */
gboolean client_goes_on (gboolean last, GError **error);
/* Search keys, and CHARSET in front where there is one or the text asks for it. charset: NULL or a
 * str; always: also in front of ASCII, as SORT and THREAD have it. */
gboolean client_add_criteria (RackCommand *command, const Value *criteria, const Value *charset,
                              gboolean always, GError **error);

/* ---- Results ----------------------------------------------------------------------------------
 */

/* What the tagged response says; takes reply, NULL gives NULL. */
Value *client_status_result (RackReply *reply);
/* The same with the untagged responses: (b'Expunge completed.', [(1, b'EXPUNGE')]). */
Value *client_reply_result (RackReply *reply);
/* Puts into dict, by UID or number, what comes for the messages of set; takes fetch, NULL is
 * FALSE. */
gboolean client_fetch_into (Shell *shell, Value *dict, const RackSet *set, RackFetch *fetch,
                            GError **error);
/* {1: value of item, ...}; takes fetched, NULL gives NULL. */
Value *client_only (Value *fetched, const char *item);
/* STORE for all sets: {1: {...}, ...}. add appends what is to be stored. */
typedef gboolean (*ClientAdd) (Shell *shell, RackCommand *command, const Value *values,
                               GError **error);
Value *client_store (Shell *shell, const char *item, Value **args, ClientAdd add, GError **error);
/* A command with one mailbox, and one with nothing. */
Value *client_simple (Shell *shell, const char *verb, const Value *name, GError **error);
Value *client_bare (Shell *shell, const char *verb, GError **error);

/* client-module.c: the names imapclient and help. */
void client_module_install (Shell *shell);
