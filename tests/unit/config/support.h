/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * support.h - what the tests of configuration and plugins share
 *
 * A directory of the test's own, files in it, and messages to compare. */
#pragma once

#include <glib/gstdio.h>
#include <mailrack/mailrack.h>
#include <string.h>
#include <sys/stat.h>

/* Makes a private directory, and lets configuration and state of the user lie in it. Call it
 * first in main(). Removed at exit. */
const char *test_begin (void);
/* Writes a file into it. Returns: (owned) its path. */
char *test_write (const char *name, const char *text, gssize size, int mode);
/* Copies one of the test plugins to DIRECTORY/mailrack-NAME.so, and makes DIRECTORY. Both in the
 * test's directory. Returns: (owned) its path. */
char *test_install (const char *directory, const char *module, const char *name);
/* Installs plugins of the usual names, and makes them the search path. */
void test_install_keys (void);

/* Whether error is of this code and its message holds this text; says so if not, and clears it. */
#define test_error(error, code, text) test_error_at (__FILE__, __LINE__, error, code, text)
void test_error_at (const char *file, int line, GError **error, int code, const char *text);
