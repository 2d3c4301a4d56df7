/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * commands.h - the subcommands of mailrack that are files of their own
 *
 * Each gets its own name as argv[0] ("config") and what followed it on the command line, prints
 * data on stdout and all else on stderr, and returns an exit status of sysexits.h. */
#pragma once

#include <glib.h>

/* mailrack config [-f FILE] [-A NAME] [-o KEY=VALUE]... [--all] [ACCOUNT] */
int rack_cmd_config (int argc, char **argv);
/* mailrack plugins [NAME] [--check FILE] */
int rack_cmd_plugins (int argc, char **argv);
/* mailrack umount [--lazy] DIRECTORY */
int rack_cmd_umount (int argc, char **argv);
/* mailrack cache [-f FILE] [-A NAME] [-o KEY=VALUE]... [--all] [size|check|clear] [ACCOUNT] */
int rack_cmd_cache (int argc, char **argv);
int rack_cmd_queue (int argc, char **argv);
/* mailrack check [OPTIONS] [ACCOUNT] */
int rack_cmd_check (int argc, char **argv);
/* mailrack authorize [OPTIONS] [ACCOUNT] */
int rack_cmd_authorize (int argc, char **argv);
/* mailrack watch [OPTIONS] [ACCOUNT] [MAILBOX...] [--exec COMMAND WORD...] */
int rack_cmd_watch (int argc, char **argv);
