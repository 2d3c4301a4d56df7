/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* eval-error.c - what can go wrong with a line of the call language; see eval-error.h */
#include "eval-error.h"

G_DEFINE_QUARK (shell - eval - error - quark, eval_error)

const char *
eval_error_kind (const GError *error)
{
  static const char *const kinds[] = {
    [EVAL_ERROR_INCOMPLETE] = "SyntaxError", [EVAL_ERROR_SYNTAX] = "SyntaxError",
    [EVAL_ERROR_NAME] = "NameError",         [EVAL_ERROR_TYPE] = "TypeError",
    [EVAL_ERROR_VALUE] = "ValueError",       [EVAL_ERROR_KEY] = "KeyError",
    [EVAL_ERROR_INDEX] = "IndexError",       [EVAL_ERROR_ATTRIBUTE] = "AttributeError",
    [EVAL_ERROR_OVERFLOW] = "OverflowError", [EVAL_ERROR_ZERO_DIVISION] = "ZeroDivisionError",
    [EVAL_ERROR_UNICODE] = "UnicodeError",   [EVAL_ERROR_MEMORY] = "MemoryError",
  };

  if (error->domain != EVAL_ERROR || error->code < 0 || error->code >= (int) G_N_ELEMENTS (kinds))
    return "Error";
  return kinds[error->code];
}
