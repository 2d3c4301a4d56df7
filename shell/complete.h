/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * complete.h - what may be typed at the end of a text
 *
 * Commands with their words and options, and calls with their arguments; no terminal here. What is
 * there to be completed to comes from tables, and of mailboxes, flags, accounts and methods from
 * whoever asks. */
#pragma once

#include "command.h"
#include "eval.h"

G_BEGIN_DECLS

typedef struct
{
  char *name;
  char separator; /* of the hierarchy; '\0': none */
} CompleteMailbox;

/* Everything is borrowed, and any of it but line and interp may be NULL. */
typedef struct
{
  const LineContext *line;
  Interp *interp;
  /* What a method of c is called with: "messages, data, modifiers=None"; NULL: there is none. */
  const char *(*parameters) (const char *method);
  /* Called when they are wanted, which may take a moment. Returns: (owned, element-type
   * CompleteMailbox), any order */
  GPtrArray *(*mailboxes) (gpointer data);
  /* Flags of the selected mailbox as IMAP writes them. Returns: (owned, element-type char *) */
  GPtrArray *(*flags) (gpointer data);
  /* Names that people gave to commands. Returns: (owned) NULL-terminated */
  char **(*aliases) (gpointer data);
  /* What such a name stands for, borrowed; NULL: nothing. */
  const char *(*meaning) (const char *alias, gpointer data);
  const char *const *accounts;
  gpointer data;
} CompleteSources;

/* One thing that may be typed. */
typedef struct
{
  char *text;   /* instead of what stands from .start on, quoted as it must be */
  char *shown;  /* in a list */
  char follows; /* what to type behind it when it is the only one; '\0': nothing */
} Candidate;

typedef struct
{
  gsize start;           /* in the text */
  char *common;          /* what all of them begin with, to stand from .start on */
  GPtrArray *candidates; /* of Candidate, sorted, each once */
} Completion;

/* text: from the beginning of the line (or of a call over several) up to where the cursor is. */
void complete (const CompleteSources *sources, const char *text, Completion *completion);
void completion_clear (Completion *completion);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Completion, completion_clear)

G_END_DECLS
