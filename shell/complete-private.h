/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * complete-private.h - what the files of completion share
 *
 * complete.c (candidates and how they are written), complete-command.c, complete-call.c,
 * complete-kinds.c (mailboxes, files, flags, ...). Nobody else includes this. */
#pragma once

#include "complete.h"

/* How a value is written where the cursor is. */
typedef enum
{
  WRITE_PLAIN,  /* as it is: names */
  WRITE_WORD,   /* a word of a command */
  WRITE_STRING, /* a literal of the call language */
} WriteAs;

typedef struct
{
  const CompleteSources *sources;
  const char *text; /* all of it, up to the cursor */
  gsize start;      /* of what is completed */
  char *prefix;     /* what stands there, without its quotes; owned */
  WriteAs as;
  char quote;       /* that is open, or '\0' */
  char letters[3];  /* of a literal in front of its quote: "b", "rb" */
  gsize shown_from; /* of values, in the list: what is before is typed already */
  GHashTable *seen; /* values */
  GArray *found;    /* of Found */
} Completing;

typedef struct
{
  char *value;
  gboolean whole; /* nothing more comes: it can be closed, and a blank can follow */
} Found;

/* Adds a value if it goes on with the prefix; whole as above. Case counts only where something
 * fits with it. */
void completing_add (Completing *self, const char *value, gboolean whole);
void completing_add_all (Completing *self, const char *const *values);
/* Sets what is completed. */
void completing_at (Completing *self, gsize start, const char *prefix, gssize size);

/* complete-kinds.c: adds what these kinds of words can be. setting: of VALUE, or NULL. */
void completing_add_kinds (Completing *self, CommandCompletion kinds, const char *const *words,
                           const char *setting);
void completing_add_mailboxes (Completing *self);
/* With their backslashes, as calls have them. */
void completing_add_imap_flags (Completing *self);
/* Variables, functions, constants, and what belongs to a value: "x.upper(". */
void completing_add_names (Completing *self);

/* complete-call.c: IMAP's search keys; NULL-terminated. */
extern const char *const complete_search_keys[];

/* A line that begins at offset, whatever it is. */
void completing_line (Completing *self, gsize offset);
/* complete-command.c, complete-call.c: one that begins there. */
void complete_command (Completing *self, gsize offset);
void complete_call (Completing *self, gsize offset);
