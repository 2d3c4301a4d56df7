/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* args.c - matching the arguments of a call with the parameters of a function; see args.h */
#include "args.h"

#include "eval-error.h"

#include <string.h>

static int
find_param (const Param *params, const char *name)
{
  for (int i = 0; params[i].name != NULL; i++)
    if (!(params[i].flags & (PARAM_POSITIONAL_ONLY | PARAM_REST))
        && strcmp (params[i].name, name) == 0)
      return i;
  return -1;
}

static gboolean
bind_keywords (const char *function, const Param *params, const CallArgs *args, Value **bound,
               GError **error)
{
  for (guint i = 0; i < args->n_keywords; i++)
    {
      int at = find_param (params, args->names[i]);

      if (at < 0)
        {
          g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                       "%s() got an unexpected keyword argument '%s'", function, args->names[i]);
          return FALSE;
        }
      if (bound[at] != NULL)
        {
          g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                       "%s() got multiple values for argument '%s'", function, args->names[i]);
          return FALSE;
        }
      bound[at] = args->values[i];
    }
  return TRUE;
}

gboolean
args_bind (const char *function, const Param *params, const CallArgs *args, Value **bound,
           GError **error)
{
  guint n_params = 0;
  gboolean rest = FALSE;

  for (; params[n_params].name != NULL; n_params++)
    {
      rest = rest || (params[n_params].flags & PARAM_REST);
      bound[n_params] = NULL;
    }
  if (args->n_positional > n_params && !rest)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                   "%s() takes %s%u argument%s, but %u were given", function,
                   n_params > 0 ? "at most " : "", n_params, n_params == 1 ? "" : "s",
                   args->n_positional);
      return FALSE;
    }
  for (guint i = 0; i < args->n_positional && i < n_params; i++)
    bound[i] = args->positional[i];
  if (!bind_keywords (function, params, args, bound, error))
    return FALSE;
  for (guint i = 0; i < n_params; i++)
    if ((params[i].flags & PARAM_REQUIRED) && bound[i] == NULL)
      {
        g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s() needs the argument '%s'", function,
                     params[i].name);
        return FALSE;
      }
  return TRUE;
}
