/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * account-options.h - what the subcommands that are about an account have in common
 *
 * Which file, which account, which keys are overridden; how they complain. Not the shell's own
 * options (main.c), which has one for each of the usual keys. */
#pragma once

#include <mailrack/mailrack.h>

typedef struct
{
  char *file, *account; /* NULL: the usual file, its DEFAULT */
  char **overrides;     /* KEY=VALUE */
  char **rest;          /* words that are no options; NULL: none */
} AccountOptions;

void account_options_clear (AccountOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AccountOptions, account_options_clear)

/* What --help says of a subcommand. */
typedef struct
{
  const char *name;            /* "config" */
  const char *words;           /* "[ACCOUNT]": what may follow the options */
  const char *summary;         /* what it does */
  const char *description;     /* below the options, or NULL */
  const GOptionEntry *extra;   /* options of its own, ends with a NULL name; or NULL */
  gboolean ends_at_first_word; /* what follows the first word that is no option is no option */
} AccountProgram;

/* argv[0] is the name. FALSE: the usage is wrong. */
gboolean account_options_parse (AccountOptions *options, const AccountProgram *program, int argc,
                                char **argv, GError **error);
/* Takes the account off the words where -A did not name it: word is the first that may be it, or
 * NULL. Returns: the words behind it, which is what is left over. */
char **account_options_take_account (AccountOptions *options, char **word);
/* The same for a subcommand whose only word is the account: anything behind it is wrong. */
gboolean account_options_parse_one (AccountOptions *options, const AccountProgram *program,
                                    int argc, char **argv, GError **error);
/* The file with the overrides, which may be all there is when they name a host and no file was
 * asked for. */
RackConfig *account_options_load (const AccountOptions *options, GError **error);
/* Sets these KEY=VALUE in every account of a configuration. */
gboolean account_options_override (RackConfig *config, char **overrides, GError **error);
/* Whether one of them is a host, so that no file is needed. */
gboolean account_options_name_host (char **overrides);
/* Takes out of the arguments, which ps shows, what -o gives and may be a secret. */
void account_options_hide (int argc, char **argv);

/* "mailrack: text" on stderr, fit for a terminal. Returns: status. */
int account_options_complain (int status, const char *text);
/* What could not be written is not lost in silence. Returns: status, or EX_IOERR. */
int account_options_flush (int status);
