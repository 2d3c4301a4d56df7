/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* builtins.h - the functions, types and methods that the language itself brings along
 *
 * Tables of names and functions: len, sorted, str, date, datetime.now, 'x'.upper, ... Everything
 * about mail belongs to the objects of the program.
 */
#pragma once

#include "args.h"
#include "value.h"

G_BEGIN_DECLS

/* One call of a builtin. */
typedef struct
{
  Value *self; /* of a method; NULL for a function */
  const CallArgs *args;
  Value *bound[ARGS_MAX]; /* by the builtin's params */
  /* Where print() writes. */
  void (*write) (const char *text, gsize size, gpointer data);
  gpointer data;
} BuiltinCall;

struct Builtin
{
  const char *name; /* "len", "datetime.now"; of a method "upper" */
  Value *(*function) (const BuiltinCall *call, GError **error);
  Param params[9];
};

/* By name, or NULL. The attributes of a builtin are found under "datetime.now". */
const Builtin *builtin_find (const char *name);
/* The method of a kind of value, or NULL. */
const Builtin *builtin_find_method (ValueKind kind, const char *name);
/* An attribute that is no method (date.year, timezone.utc, record fields) or a method; a new
 * reference, or NULL with EVAL_ERROR_ATTRIBUTE or the object's own error. */
Value *builtin_attribute (Value *value, const char *name, GError **error);
/* Names for completion; NULL-terminated, free with g_strfreev. value NULL: the functions. */
char **builtin_names (const Value *value);

/* The tables, each ending with a NULL name. */
extern const Builtin builtin_functions[];
extern const Builtin builtin_date_functions[];
extern const Builtin builtin_text_methods[];
extern const Builtin builtin_str_methods[];
extern const Builtin builtin_bytes_methods[];
extern const Builtin builtin_sequence_methods[];
extern const Builtin builtin_dict_methods[];
extern const Builtin builtin_date_methods[];
extern const Builtin builtin_delta_methods[];

/* ---- For the functions themselves --------------------------------------------------------------
 */

/* NULL with EVAL_ERROR_TYPE set: "len() wants a number, not str". */
gpointer builtin_wants (const char *function, const char *what, const Value *value, GError **error);
/* An int argument; `fallback` when it was left out. */
gboolean builtin_int (const char *function, const Value *value, gint64 fallback, gint64 *number,
                      GError **error);
/* bytes to str by a charset's name; NULL with EVAL_ERROR_UNICODE. */
Value *builtin_decode (const Value *bytes, const Value *charset, const Value *errors,
                       GError **error);
Value *builtin_encode (const Value *str, const Value *charset, GError **error);

G_END_DECLS
