/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* command.h - the command language: what a line of input is, its words, and the table of commands
 *
 * A line is a call (or any expression or assignment of the call language), a command with words
 * quoted as in a shell, a command for the system's shell (!ls), or nothing. Nothing is run here.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  COMMAND_PLAIN = 0,
  COMMAND_VERBATIM = 1 << 0, /* everything behind the name is one argument, quotes and all */
  COMMAND_OFFLINE = 1 << 1,  /* works without a connection */
  COMMAND_CHANGES = 1 << 2,  /* changes something on the server */
} CommandFlags;

typedef enum
{
  COMPLETE_NOTHING,
  COMPLETE_MAILBOX,
  COMPLETE_FILE,
  COMPLETE_COMMAND,
  COMPLETE_FLAG,
  COMPLETE_SEARCH,
} CommandCompletion;

/* One word of a command. */
typedef struct
{
  char *text;      /* without the quotes */
  gboolean quoted; /* some of it was quoted or escaped: "$_" and "*" are then just text */
} CommandWord;

typedef struct
{
  const char *name;
  const char *usage;        /* the arguments: "[-l] [PATTERN]" */
  const char *summary;      /* one line */
  const char *help;         /* more lines and examples, or NULL */
  int min_words, max_words; /* behind the name; max -1: any number */
  CommandFlags flags;
  CommandCompletion completion;
  /* words[0] is the first behind the name. */
  gboolean (*run) (gpointer session, const CommandWord *words, guint n, GError **error);
} Command;

typedef enum
{
  LINE_EMPTY,
  LINE_CALL,    /* .text for interp_run() */
  LINE_COMMAND, /* .words; words[0] is the name */
  LINE_SYSTEM,  /* .text for sh -c */
} LineKind;

typedef struct
{
  LineKind kind;
  char *text;
  GArray *words;   /* of CommandWord */
  char *file;      /* "> file", "~" not expanded; or NULL */
  gboolean append; /* ">> file" */
  char *pipe;      /* "| command" for sh -c, or NULL */
} Line;

/* What decides between a call and a command. */
typedef struct
{
  const Command *commands; /* ends with a NULL name */
  /* Whether a name is a variable or function of the call language. */
  gboolean (*is_variable) (const char *name, gpointer data);
  gpointer data;
} LineContext;

/* Takes a line (for a call: several) apart. EVAL_ERROR_SYNTAX for open quotes and redirections to
 * nowhere. *line is to be cleared with line_clear() if TRUE was returned. */
gboolean line_parse (const char *text, const LineContext *context, Line *line, GError **error);
void line_clear (Line *line);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Line, line_clear)

const Command *command_find (const Command *commands, const char *name);
/* Checks the number of words behind the name. EVAL_ERROR_TYPE with the usage. */
gboolean command_check (const Command *command, guint n_words, GError **error);
/* The name most like a misspelt one, or NULL. */
const char *command_suggest (const Command *commands, const char *name);
/* A word as it must be typed to come out as `text`: quoted if need be. Free with g_free. */
char *command_quote (const char *text);

G_END_DECLS
