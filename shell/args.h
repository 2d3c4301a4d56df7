/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* args.h - matching the arguments of a call with the parameters of a function
 *
 * One table per function says the names; the errors are Python's sentences.
 */
#pragma once

#include "value.h"

G_BEGIN_DECLS

enum
{
  ARGS_MAX = 12,
};

typedef enum
{
  PARAM_OPTIONAL = 0,
  PARAM_REQUIRED = 1 << 0,
  PARAM_POSITIONAL_ONLY = 1 << 1,
  PARAM_REST = 1 << 2, /* the last one: takes any number of further positional arguments */
} ParamFlags;

typedef struct
{
  const char *name;
  ParamFlags flags;
} Param;

/* Fills bound[i] with the argument for params[i] (borrowed; NULL if it was left out). `params` ends
 * with a NULL name. Arguments for a PARAM_REST are left to the caller, who finds them in
 * args->positional from the index of that parameter on. */
gboolean args_bind (const char *function, const Param *params, const CallArgs *args, Value **bound,
                    GError **error);

G_END_DECLS
