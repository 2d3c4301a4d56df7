/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-exec.h - a command for what happens in mailboxes: gathered, and one at a time for each
 *
 * Run by argv, without a shell. What a message says reaches it by its environment and its standard
 * input alone, which are data. */
#pragma once

#include <glib.h>

typedef struct WatchExec WatchExec;

/* What a command is told of one event; strings are borrowed for the call. */
typedef struct
{
  const char *mailbox;
  const char *event;          /* "new" */
  const char *uid;            /* or NULL */
  const char *from, *subject; /* of a new message, or NULL */
  const char *json;           /* the event, without a line end */
} WatchFacts;

/* argv is borrowed for its life, as is context, whose owner runs it: everything below is for its
 * thread. debounce: milliseconds without an event after which what was gathered is handed over, at
 * the latest ten times that after the first. */
WatchExec *watch_exec_new (const char *const *argv, gint64 debounce, GMainContext *context);
/* Called when a command has ended and nothing is left to be handed over. */
void watch_exec_on_idle (WatchExec *exec, void (*idle) (gpointer data), gpointer data);
void watch_exec_add (WatchExec *exec, const WatchFacts *facts);
/* Waits for no more events: what was gathered is handed over as soon as it can be. */
void watch_exec_flush (WatchExec *exec);
gboolean watch_exec_is_idle (WatchExec *exec);
/* The exit status of the last command that failed; 0: none has. 128 and the signal's number, or 127
 * if it could not be run. */
int watch_exec_status (WatchExec *exec);
void watch_exec_free (WatchExec *exec);
