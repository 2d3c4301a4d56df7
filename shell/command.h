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
  COMMAND_DASHES = 1 << 3,   /* a word may begin with "-": only --names are options */
} CommandFlags;

/* What a word may be: several of them together where it may be one of several things. */
typedef enum
{
  COMPLETE_NOTHING = 0,
  COMPLETE_MAILBOX = 1 << 0,    /* the server's mailboxes, quoted if need be */
  COMPLETE_FILE = 1 << 1,       /* files and directories of this machine */
  COMPLETE_COMMAND = 1 << 2,    /* names of shell_commands, aliases and methods of c */
  COMPLETE_FLAG = 1 << 3,       /* +seen, -flagged: a sign and a flag */
  COMPLETE_SEARCH = 1 << 4,     /* command_search_words */
  COMPLETE_ITEM = 1 << 5,       /* command_fetch_items */
  COMPLETE_ACCOUNT = 1 << 6,    /* sections of the configuration file */
  COMPLETE_SETTING = 1 << 7,    /* names of setting_table */
  COMPLETE_VALUE = 1 << 8,      /* values of the setting in the word before */
  COMPLETE_MESSAGES = 1 << 9,   /* a message set: command_message_words, UIDs, $NAME */
  COMPLETE_WORDS = 1 << 10,     /* the words beside it */
  COMPLETE_LINE = 1 << 11,      /* from here on a whole command line of its own */
  COMPLETE_FLAG_NAME = 1 << 12, /* seen, $Work: without a sign */
} CommandCompletion;

/* Words that may be typed where a completion of their kind is wanted; NULL-terminated. */
extern const char *const command_search_words[];
extern const char *const command_fetch_items[];
extern const char *const command_message_words[];
/* Names of system flags, without sign and backslash. */
extern const char *const command_flag_words[];

/* One word of a command. */
typedef struct
{
  char *text;      /* without the quotes */
  gboolean quoted; /* some of it was quoted or escaped: "$_" and "*" are then just text */
} CommandWord;

/* "-l", "--long" or "--sort KEY". */
typedef struct
{
  char letter;          /* 0: none */
  const char *name;     /* without "--" */
  const char *argument; /* NULL: it takes none */
  const char *help;     /* one line, no full stop */
  CommandCompletion completion;
  const char *const *words; /* COMPLETE_WORDS: what the argument may be; else NULL */
} CommandOption;

typedef enum
{
  TAKES_ONE,
  TAKES_MAYBE, /* may be left out */
  TAKES_ANY,   /* any number of them, also none */
  TAKES_SOME,  /* at least one */
} CommandTakes;

/* A word behind the name that is no option. */
typedef struct
{
  const char *name; /* "MAILBOX"; NULL: the end of the list */
  CommandTakes takes;
  CommandCompletion completion;
  const char *const *words; /* as above */
} CommandParameter;

enum
{
  COMMAND_OPTIONS_MAX = 12,
  COMMAND_PARAMETERS_MAX = 4,
};

typedef struct Command Command;

/* A command with its words and options sorted out. */
typedef struct
{
  const Command *command;
  /* Without the options; "last 50" is one word. Borrowed but for those in joined. */
  CommandWord *words;
  guint n;
  const char *options[COMMAND_OPTIONS_MAX]; /* in the table's order; NULL: not given */
  GPtrArray *joined;
} CommandCall;

struct Command
{
  const char *name;
  const char *summary;                                     /* one line, no full stop */
  const char *help;                                        /* more lines, or NULL */
  const char *examples;                                    /* lines that can be typed */
  const CommandOption *options;                            /* ends with a NULL name; or NULL */
  CommandParameter parameters[COMMAND_PARAMETERS_MAX + 1]; /* ends with a NULL name */
  CommandFlags flags;
  gboolean (*run) (gpointer session, const CommandCall *call, GError **error);
};

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

/* What the beginning of a line will be; a name alone counts as that of a command. */
LineKind line_guess (const char *text, const LineContext *context);
/* Takes a line (for a call: several) apart. EVAL_ERROR_SYNTAX for open quotes and redirections to
 * nowhere. *line is to be cleared with line_clear() if TRUE was returned. */
gboolean line_parse (const char *text, const LineContext *context, Line *line, GError **error);
void line_clear (Line *line);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Line, line_clear)

const Command *command_find (const Command *commands, const char *name);
/* Sorts the words behind the name. EVAL_ERROR_TYPE says which word is wrong, and the usage. call is
 * to be cleared with command_call_clear() if TRUE was returned; it borrows the words' texts. */
gboolean command_bind (const Command *command, const CommandWord *words, guint n, CommandCall *call,
                       GError **error);
void command_call_clear (CommandCall *call);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CommandCall, command_call_clear)
/* What was given for an option ("" if it takes no argument), borrowed; NULL: not given. name must
 * be in the table. */
const char *command_option (const CommandCall *call, const char *name);
/* Whether a word begins a list of numbers, such as [1, 2], and not a name, such as [Gmail]. */
gboolean command_is_list (const char *text);
/* "ls [-l] [--sort KEY] [PATTERN]". Free with g_free. */
char *command_usage (const Command *command);
/* The name most like a misspelt one, or NULL. */
const char *command_suggest (const Command *commands, const char *name);
/* EVAL_ERROR_NAME: there is no such command, with that name. Returns FALSE. */
gboolean command_unknown (const Command *commands, const char *name, GError **error);
/* Whether a word must be quoted to come out as `text`. */
gboolean command_needs_quotes (const char *text);
/* Appends it so: quote '"', '\'' (text has none then) or '\0'; closed: with the quote behind it. */
void command_append_quoted (GString *out, const char *text, char quote, gboolean closed);

G_END_DECLS
