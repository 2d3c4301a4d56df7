/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* eval-error.h - what can go wrong with a line of the call language
 *
 * The codes are the kinds that Python's users know; a program that drives the shell gets kind and
 * message apart. Errors of the client object (core's own domain) pass through unchanged.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define EVAL_ERROR (eval_error_quark ())
GQuark eval_error_quark (void);

typedef enum
{
  EVAL_ERROR_INCOMPLETE, /* not an error yet: the input may go on in the next line */
  EVAL_ERROR_SYNTAX,
  EVAL_ERROR_NAME,
  EVAL_ERROR_TYPE,
  EVAL_ERROR_VALUE,
  EVAL_ERROR_KEY,
  EVAL_ERROR_INDEX,
  EVAL_ERROR_ATTRIBUTE,
  EVAL_ERROR_OVERFLOW,
  EVAL_ERROR_ZERO_DIVISION,
  EVAL_ERROR_UNICODE,
  EVAL_ERROR_MEMORY, /* a result larger than the session allows */
} EvalError;

/* "NameError"; for another domain "Error". */
const char *eval_error_kind (const GError *error);

G_END_DECLS
