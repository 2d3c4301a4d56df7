/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* eval.h - running lines of the call language
 *
 * An interpreter holds the variables of a session. It knows nothing about mail: the client object
 * and what else there is are set as variables by the program.
 */
#pragma once

#include "eval-error.h"
#include "value.h"

G_BEGIN_DECLS

typedef struct Interp Interp;

/* Where results go. Either may be NULL. */
typedef struct
{
  /* The value of an expression that stands as a statement, unless it is None. FALSE: stop (nobody
   * reads any more). */
  gboolean (*display) (Value *value, gpointer data);
  /* What print() says, with its line end; raw, as the values have it. */
  void (*write) (const char *text, gsize size, gpointer data);
} InterpSink;

/* sink is borrowed for good. */
Interp *interp_new (const InterpSink *sink, gpointer data);
void interp_free (Interp *interp);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Interp, interp_free)

/* Takes value. "_" is the last result, also written $_. */
void interp_set (Interp *interp, const char *name, Value *value);
/* Borrowed, or NULL. */
Value *interp_get (Interp *interp, const char *name);
/* The variables' names, sorted; NULL-terminated, free with g_strfreev. */
char **interp_names (Interp *interp);

/* Parses everything, then runs statement by statement up to the first error. EVAL_ERROR_INCOMPLETE:
 * nothing was run, and more lines are wanted. Messages of EVAL_ERRORs end with the place:
 * "name 'x' is not defined (column 3)". */
gboolean interp_run (Interp *interp, const char *source, gssize size, GError **error);
/* The value of one expression; a new reference. Displays nothing. */
Value *interp_eval (Interp *interp, const char *source, gssize size, GError **error);

G_END_DECLS
