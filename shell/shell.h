/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * shell.h - one running shell: its connection, its variables, where output goes
 *
 * The files of the shell: main.c (options), run.c (one line of input), repl.c (the
 * terminal), client.c (c.…), convert.c (server data as values), command-*.c. */
#pragma once

#include "command.h"
#include "eval.h"

#include <mailrack/mailrack.h>
#include <stdio.h>

typedef struct
{
  RackHost *host;
  RackAccount *account;
  RackSession *session; /* NULL: not connected */
  char *mailbox;        /* selected, or NULL */
  gboolean read_only;   /* selected by EXAMINE */
  guint64 messages;     /* in it, as last told */
  guint32 uid_validity; /* of it; 0: the server has none */
  Interp *interp;
  FILE *out;                 /* of the line that runs */
  GCancellable *cancellable; /* Ctrl-C */
  gboolean use_uid, normalise_times, folder_encode;
  gboolean force_read_only; /* --read-only */
  gboolean quit;
  RackSet *last; /* $_ of the commands: the last find or ls */
} Shell;

/* run.c: runs one line (or several, for a call that goes on). EVAL_ERROR_INCOMPLETE: more is
 * wanted. */
gboolean shell_run (Shell *shell, const char *text, GError **error);
gboolean shell_connect (Shell *shell, GError **error);
void shell_disconnect (Shell *shell);
/* Runs a command on the session, connecting first; NO and BAD are errors. Takes command. */
RackReply *shell_expect (Shell *shell, RackCommand *command, GError **error);
RackFetch *shell_fetch (Shell *shell, RackCommand *command, GError **error);
gboolean shell_select (Shell *shell, const char *mailbox, gboolean read_only, RackReply **reply,
                       GError **error);
/* After a reply to SELECT or EXAMINE of mailbox that went well. */
void shell_selected (Shell *shell, const char *mailbox, gboolean read_only, const RackReply *reply);
/* The exit status that fits an error (sysexits.h). */
int shell_exit_status (const GError *error);

/* client.c: the object c. */
Value *client_new (Shell *shell);

/* command-table.c */
extern const Command shell_commands[];

/* repl.c: reads from the terminal until the end. */
int shell_repl (Shell *shell, const char *name);
/* Asks on the terminal. Returns: (owned) or NULL at the end of input. */
char *shell_ask_line (const char *question, gboolean echo);
