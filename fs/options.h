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
  char *source;      /* mount(8)'s name for it; NULL: not called by that */
  char *directory;
  gboolean foreground, debug, allow_other;
  gboolean helper;    /* called by mount(8), as mount.fuse.mailrack */
  gboolean fake;      /* check, but do not mount */
  char *run_as;       /* -o setuid=USER, or NULL */
  gboolean read_only; /* the kernel refuses changes */
  uid_t uid;
  gboolean uid_given, gid_given;
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
/* Becomes the user of -o setuid=, if there is one: before anything else is done. FALSE: it was said
 * why not. */
gboolean options_become_user (Options *options);
void options_clear (Options *options);
