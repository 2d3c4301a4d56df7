/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * repl-private.h - what the files around readline share
 *
 * repl.c (the loop), repl-screen.c (what is drawn beside the line that is edited), repl-signals.c,
 * repl-history.c, repl-complete.c (Tab). Nobody else includes this. Those that include readline's
 * headers have its licence; nobody else does.
 *
 * Threads: all of it is for the main thread, but for what says otherwise. */
#pragma once

#include "complete.h"
#include "shell.h"
#include "worker.h"

/* ---- repl-screen.c ------------------------------------------------------------------------------
 */

/* Lines are edited by readline on out, which is a terminal. */
void screen_init (FILE *out);
/* Whether readline has the screen. prompt: what it shows then. */
void screen_edit (gboolean editing);
/* A line beside what is edited, which is drawn again below; while nothing is edited it is printed
 * at once. text is safe for a terminal. Any thread. */
void screen_tell (const char *text);
/* Another prompt for the line that is edited. */
void screen_set_prompt (const char *prompt);
/* The line that is edited, once more: after the program was stopped, or the window resized. */
void screen_redraw (void);
void screen_resized (void);
/* Texts in columns below the line that is edited. */
void screen_list (const GPtrArray *texts);
/* Whether it can do nothing but lines. Any thread. */
gboolean screen_is_dumb (void);
/* 0: it is not known. Any thread. */
guint screen_columns (void);
guint screen_rows (void);
/* A bar for long work, on a line of its own that is drawn over; label NULL: it goes away. hidden:
 * another program has the terminal. The thread that runs a line. */
void screen_progress (const char *label, guint64 have, guint64 want, guint64 rate);
/* Makes the bar go away until it is drawn again. Any thread. */
void screen_clear_progress (void);

/* ---- repl-signals.c -----------------------------------------------------------------------------
 */

/* Signals are handled on the main context from now on. on_signal gets each, as often as it came. */
void signals_begin (void (*on_signal) (int number));
void signals_end (void);
/* The default of a signal that ends or stops: returns when the program goes on. */
void signals_default (int number);
/* Waits until descriptor can be read; FALSE: a key was typed or a signal came before, or so many
 * milliseconds have passed. */
gboolean signals_wait (int descriptor, int milliseconds);

/* ---- repl-history.c -----------------------------------------------------------------------------
 */

void history_begin (void);
/* Keeps a line, here and in the file. */
void history_keep (const char *line);

/* ---- repl-complete.c ----------------------------------------------------------------------------
 */

/* Tab completes by these from now on. */
/* unfinished: what stands before the line that is edited, when it goes on with a call. */
void completion_begin (Shell *shell, Worker *worker, const GString *unfinished);
/* WorkerOps.listed. Any thread. */
void completion_listed (void);
void completion_end (void);
