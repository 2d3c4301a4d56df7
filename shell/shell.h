/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * shell.h - one running shell: its connection, its variables, where output goes
 *
 * The files of the shell: main.c (options), run.c (one line of input), redirect.c (where its output
 * goes), connection.c, repl.c (the terminal), client.c (c.…), convert.c (server data as values),
 * command-*.c.
 *
 * Threads: a line may run on any thread, one at a time. Whoever runs it reads and sets the fields
 * between lines alone; cancelling .cancellable is for any thread. */
#pragma once

#include "command.h"
#include "eval.h"
#include "output.h"
#include "settings.h"

#include <mailrack/mailrack.h>
#include <stdio.h>

/* What the program around a shell does for it, always on the thread that runs the line. Each may be
 * NULL. Texts are safe for a terminal. */
typedef struct
{
  /* What is no result: that a connection was made again, how much was done. NULL: stderr. */
  void (*notice) (gpointer data, const char *text);
  /* Work that takes longer than a second: have of want are done, rate in a second (0: not known
   * yet). Called some ten times a second; label NULL: it is over. NULL: nobody looks. */
  void (*progress) (gpointer data, const char *label, guint64 have, guint64 want, guint64 rate);
  /* "Remove 500 messages?" NULL: there is nobody to ask. */
  gboolean (*confirm) (gpointer data, const char *question);
  /* Where the output of a line goes that is not redirected; NULL: to stdout. Is closed with
   * close_pager. lines: whether it is a line whose output may be long. */
  FILE *(*open_pager) (gpointer data);
  void (*close_pager) (gpointer data, FILE *pager);
} ShellHooks;

typedef struct
{
  RackHost *host;
  RackAccount *account;
  RackSession *session; /* NULL: not connected */
  char *mailbox;        /* selected, or NULL */
  gboolean read_only;   /* selected by EXAMINE */
  guint64 messages;     /* in it, as last told; see shell_count() */
  guint64 recent;       /* of them, when it was selected */
  guint32 uid_validity; /* of it; 0: the server has none */
  guint32 uid_next;     /* when it was selected; 0: the server did not say */
  GPtrArray *flags;     /* of it, as they are written: for completion; or NULL */
  guint selections;     /* how often one was selected */
  RackSet *own;         /* UIDs that this session's commands added to it; NULL: none */
  Interp *interp;
  const char *const *accounts; /* sections of the configuration file, borrowed */
  const char *cache_dir;       /* where mirrors are, borrowed; NULL: the usual place */
  const ShellHooks *hooks;     /* NULL: none of them */
  gpointer hooks_data;
  Settings settings;
  FILE *out;                 /* of the line that runs */
  guint columns;             /* of the terminal that stdout is; 0: it is none */
  gboolean redirected;       /* out is not stdout or its pager */
  Value **result;            /* where a command's rows go as a value instead of being printed */
  GCancellable *cancellable; /* Ctrl-C */
  gboolean use_uid, normalise_times, folder_encode;
  gboolean force_read_only; /* --read-only */
  gboolean dry_run;         /* --dry-run: see change.h */
  gboolean yes;             /* --yes: nothing is asked */
  gboolean quit;
  RackSet *last; /* $_, if the last result is a command's: see sets.h; NULL: it is a call's */
  gboolean last_is_published;
  GHashTable *aliases; /* name to text; NULL: none */
  guint depth;         /* of lines that run lines */
} Shell;

/* run.c: runs one line (or several, for a call that goes on). EVAL_ERROR_INCOMPLETE: more is
 * wanted. */
gboolean shell_run (Shell *shell, const char *text, GError **error);
/* What tells calls from commands, for completion. Borrows shell. */
LineContext shell_line_context (Shell *shell);
/* A line for whoever looks on, safe or not; printf's format. */
void shell_notice (Shell *shell, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Where rows of a command go, by the settings and the redirection of the line. */
Output *shell_output (Shell *shell, const OutputColumn *columns, OutputFlags flags);
/* Whether commands with a text of their own (show, help) print that, and not rows. */
gboolean shell_prints_text (const Shell *shell);
/* The exit status that fits an error (sysexits.h), and its name in one word: "NotFound". */
int shell_exit_status (const GError *error);
const char *shell_error_kind (const GError *error);

/* connection.c */
gboolean shell_connect (Shell *shell, GError **error);
void shell_disconnect (Shell *shell);
/* Runs a command on the session, connecting first; NO and BAD are errors. Takes command. */
RackReply *shell_expect (Shell *shell, RackCommand *command, GError **error);
RackFetch *shell_fetch (Shell *shell, RackCommand *command, GError **error);
gboolean shell_select (Shell *shell, const char *mailbox, gboolean read_only, RackReply **reply,
                       GError **error);
/* The same mailbox as before, or none with RACK_ERROR_STALE: UIDs of another mean other messages.
 */
gboolean shell_select_again (Shell *shell, const char *mailbox, gboolean read_only,
                             guint32 uid_validity, GError **error);
/* Leaves the mailbox that is selected, and expunges nothing. */
gboolean shell_unselect (Shell *shell, GError **error);
/* What a command that adds messages to mailbox answered: by UIDPLUS, which UIDs they have. Reply
 * may be NULL. */
void shell_added (Shell *shell, const char *mailbox, const RackReply *reply);
/* Sets .messages to what the server has told since. */
void shell_count (Shell *shell);
/* After a reply to SELECT or EXAMINE of mailbox that went well. */
void shell_selected (Shell *shell, const char *mailbox, gboolean read_only, const RackReply *reply);

/* redirect.c: opens what a line's output goes to; afterwards shell->out is what it was before. */
typedef struct
{
  FILE *out, *before;
  gboolean was_redirected;
  GPid child;
  FILE *captured; /* what the child printed, where stdout is not for it */
} Redirect;
gboolean shell_redirect (Shell *shell, const Line *line, Redirect *redirect, GError **error);
/* ok: how the line went. Returns whether all went well. */
gboolean shell_redirect_end (Shell *shell, const Line *line, Redirect *redirect, gboolean ok,
                             GError **error);
/* !command. What it prints goes to shell->out; where that is not stdout it reads nothing. */
gboolean shell_run_system (Shell *shell, const char *text, GError **error);

/* command-table.c */
extern const Command shell_commands[];

/* repl.c: reads from the terminal until the end. */
int shell_repl (Shell *shell, const char *name);

/* ask.c: asks on the terminal. Returns: (owned) or NULL at the end of input. */
char *shell_ask_line (const char *question, gboolean echo);
/* "[y/N]": FALSE also when it is cancelled. */
gboolean shell_ask_yes (const char *question, GCancellable *cancellable);
/* Asks on the terminal where there is one, tells on stderr. */
RackHost *shell_host_new (void);
/* Whoever has the terminal from now on: it hears what the host tells, on any thread, and ends
 * questions by cancelling them, where they otherwise end by signals. NULL: nobody has it. */
void shell_ask_attend (void (*tell) (gpointer data, const char *text), gpointer data);
/* FALSE: questions of the host are refused, because keys are for something else. Any thread. */
void shell_ask_allow (gboolean allowed);
