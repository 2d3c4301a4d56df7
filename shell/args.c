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

/* "takes 2 positional arguments but 3 were given", "takes from 1 to 2 ..." */
static gboolean
too_many (const char *function, const Param *params, guint n_params, guint given, GError **error)
{
  guint least = 0;

  for (guint i = 0; i < n_params; i++)
    least += (params[i].flags & PARAM_REQUIRED) != 0;
  g_autofree char *range = least < n_params ? g_strdup_printf ("from %u to %u", least, n_params)
                                            : g_strdup_printf ("%u", n_params);
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE,
               "%s() takes %s positional argument%s but %u %s given", function, range,
               n_params == 1 && least == n_params ? "" : "s", given, given == 1 ? "was" : "were");
  return FALSE;
}

static gboolean
nothing_missing (const char *function, const Param *params, guint n_params, Value *const *bound,
                 GError **error)
{
  g_autoptr (GPtrArray) missing = g_ptr_array_new ();
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < n_params; i++)
    if ((params[i].flags & PARAM_REQUIRED) && bound[i] == NULL)
      g_ptr_array_add (missing, (gpointer) params[i].name);
  if (missing->len == 0)
    return TRUE;
  for (guint i = 0; i < missing->len; i++)
    g_string_append_printf (names, "%s%s'%s'", i > 0 && missing->len > 2 ? "," : "",
                            i == 0                  ? ""
                            : i == missing->len - 1 ? " and "
                                                    : " ",
                            (const char *) missing->pdata[i]);
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE,
               "%s() missing %u required positional argument%s: %s", function, missing->len,
               missing->len == 1 ? "" : "s", names->str);
  return FALSE;
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
    return too_many (function, params, n_params, args->n_positional, error);
  for (guint i = 0; i < args->n_positional && i < n_params; i++)
    bound[i] = args->positional[i];
  return bind_keywords (function, params, args, bound, error)
         && nothing_missing (function, params, n_params, bound, error);
}
