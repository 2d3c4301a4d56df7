/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-table.h - the commands' functions, by the files they are in */
#pragma once

#include "shell.h"

/* session is the Shell. */
#define SHELL_COMMAND(name)                                                                        \
  gboolean name (gpointer session, const CommandCall *call, GError **error)

/* command-mailbox.c */
SHELL_COMMAND (do_ls);
SHELL_COMMAND (do_cd);
SHELL_COMMAND (do_pwd);
SHELL_COMMAND (do_status);
SHELL_COMMAND (do_mkdir);
SHELL_COMMAND (do_rmdir);
SHELL_COMMAND (do_rename);
SHELL_COMMAND (do_subscribe);
SHELL_COMMAND (do_unsubscribe);
/* command-message.c */
SHELL_COMMAND (do_find);
SHELL_COMMAND (do_show);
SHELL_COMMAND (do_headers);
SHELL_COMMAND (do_parts);
/* command-fetch.c */
SHELL_COMMAND (do_fetch);
/* command-files.c */
SHELL_COMMAND (do_save);
SHELL_COMMAND (do_put);
/* command-change.c */
SHELL_COMMAND (do_flag);
SHELL_COMMAND (do_cp);
SHELL_COMMAND (do_mv);
SHELL_COMMAND (do_rm);
/* command-watch.c */
SHELL_COMMAND (do_watch);
/* command-server.c */
SHELL_COMMAND (do_capability);
SHELL_COMMAND (do_id);
SHELL_COMMAND (do_quota);
SHELL_COMMAND (do_acl);
SHELL_COMMAND (do_raw);
SHELL_COMMAND (do_trace);
/* command-session.c */
SHELL_COMMAND (do_help);
SHELL_COMMAND (do_set);
SHELL_COMMAND (do_quit);
/* command-line.c */
SHELL_COMMAND (do_alias);
SHELL_COMMAND (do_source);
SHELL_COMMAND (do_time);
SHELL_COMMAND (do_repeat);
