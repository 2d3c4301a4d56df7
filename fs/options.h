/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * options.h - the command line of mailrack-mount
 */
#pragma once

#include <mailrack/mailrack.h>
#include <sys/types.h>

typedef struct
{
  char *config_file; /* NULL: the default one, if it is there */
  char *account;     /* as it was given, or NULL */
  char *directory;
  gboolean foreground, debug, allow_other;
  gboolean read_only; /* for the kernel; mail is read-only anyway */
  uid_t uid;
  gid_t gid;
  mode_t umask;
  GPtrArray *settings; /* of char *: KEY and VALUE in turn, for the configuration */
} Options;

/* What is to be done after the command line was read. */
typedef enum
{
  OPTIONS_GO,
  OPTIONS_DONE,  /* --help or --version was answered */
  OPTIONS_WRONG, /* and it was said what */
} OptionsResult;

OptionsResult options_parse (Options *options, int argc, char **argv);
void options_clear (Options *options);
