/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-private.h - what the files of the object c share
 *
 * client.c (the object, its table of methods, arguments), client-state.c, client-folders.c,
 * client-search.c, client-messages.c. Nobody else includes this. */
#pragma once

#include "convert.h"
#include "eval-error.h"
#include "shell.h"

/* The text of a str or bytes, borrowed; NULL for anything else. */
const char *client_text (const Value *value);
gboolean client_need_text (const Value *value, const char *what, GError **error);
/* "UID NAME set" or "NAME set", as use_uid says; NULL with error set. */
RackCommand *client_message_command (Shell *shell, const char *name, const Value *messages,
                                     GError **error);
gboolean client_add_flags (RackCommand *command, const Value *flags, GError **error);
/* What the tagged response says; takes reply, NULL gives NULL. */
Value *client_status_result (RackReply *reply);
/* {uid or seq: {...}}; takes fetch, NULL gives NULL. */
Value *client_fetch_result (Shell *shell, RackFetch *fetch, GError **error);
/* A command with one mailbox, and one with nothing. */
Value *client_simple (Shell *shell, const char *verb, const Value *name, GError **error);
Value *client_bare (Shell *shell, const char *verb, GError **error);

/* The methods. args are in the order of the table; NULL: left out. */
#define CLIENT_METHOD(name) Value *client_run_##name (Shell *shell, Value **args, GError **error)
CLIENT_METHOD (capabilities);
CLIENT_METHOD (has_capability);
CLIENT_METHOD (noop);
CLIENT_METHOD (logout);
CLIENT_METHOD (id);
CLIENT_METHOD (namespace);
CLIENT_METHOD (list_folders);
CLIENT_METHOD (list_sub_folders);
CLIENT_METHOD (find_special_folder);
CLIENT_METHOD (select_folder);
CLIENT_METHOD (unselect_folder);
CLIENT_METHOD (close_folder);
CLIENT_METHOD (folder_status);
CLIENT_METHOD (folder_exists);
CLIENT_METHOD (create_folder);
CLIENT_METHOD (delete_folder);
CLIENT_METHOD (subscribe_folder);
CLIENT_METHOD (unsubscribe_folder);
CLIENT_METHOD (rename_folder);
CLIENT_METHOD (search);
CLIENT_METHOD (sort);
CLIENT_METHOD (fetch);
CLIENT_METHOD (get_flags);
CLIENT_METHOD (add_flags);
CLIENT_METHOD (remove_flags);
CLIENT_METHOD (set_flags);
CLIENT_METHOD (delete_messages);
CLIENT_METHOD (copy);
CLIENT_METHOD (move);
CLIENT_METHOD (expunge);
CLIENT_METHOD (append);
CLIENT_METHOD (idle);
CLIENT_METHOD (idle_check);
CLIENT_METHOD (idle_done);
CLIENT_METHOD (getacl);
