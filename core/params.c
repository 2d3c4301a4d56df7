/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * params.c - typed values out of text, by a table of RackParam
 *
 * The one place that knows how each RackParamType is written and stored. */
#include "params.h"

#include <pwd.h>
#include <string.h>

/* Ten years: beyond that a duration is a mistake, and sums of two cannot overflow. */
#define SECONDS_MAX (10LL * 366 * 24 * 3600)

static const struct
{
  gsize size;
  const char *name;
} types[] = {
  [RACK_PARAM_STRING] = { sizeof (char *), "text" },
  [RACK_PARAM_PATH] = { sizeof (char *), "path" },
  [RACK_PARAM_SECRET] = { sizeof (RackSecret *), "secret" },
  [RACK_PARAM_BOOL] = { sizeof (gboolean), "yes or no" },
  [RACK_PARAM_INT] = { sizeof (gint64), "whole number" },
  [RACK_PARAM_SECONDS] = { sizeof (gint64), "duration" },
  [RACK_PARAM_CHOICE] = { sizeof (int), "choice" },
  [RACK_PARAM_COMMAND] = { sizeof (char **), "command" },
  [RACK_PARAM_LIST] = { sizeof (char **), "list" },
};

static gboolean
known_type (RackParamType type)
{
  return type >= RACK_PARAM_STRING && type <= RACK_PARAM_LIST;
}

gsize
rack_param_field_size (RackParamType type)
{
  return known_type (type) ? types[type].size : 0;
}

const char *
rack_param_type_name (RackParamType type)
{
  return known_type (type) ? types[type].name : "?";
}

/* ---- One type each ------------------------------------------------------ */

static gboolean
refuse (const RackParam *param, const char *shown, const char *what, GError **error)
{
  g_autofree char *safe = rack_text_escape (shown, (gssize) strnlen (shown, 200));

  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "\"%s\": \"%s\" is not %s", param->key, safe,
               what);
  return FALSE;
}

static gboolean
parse_bool (const char *text, gboolean *value)
{
  static const char *const words[][2] = {
    { "0", "1" }, { "no", "yes" }, { "false", "true" }, { "off", "on" }
  };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    for (int truth = 0; truth < 2; truth++)
      if (g_ascii_strcasecmp (text, words[i][truth]) == 0)
        {
          *value = truth;
          return TRUE;
        }
  return FALSE;
}

static gint64
unit_seconds (const char *text)
{
  if (*text == '\0' || strcmp (text, "s") == 0)
    return 1;
  if (strcmp (text, "m") == 0)
    return 60;
  return strcmp (text, "h") == 0 ? 3600 : 0;
}

/* 90, 1.5, 90s, 5m, 1.5h; what is below a millisecond is rounded up, so that a duration
 * that was set never becomes none. */
static gboolean
parse_milliseconds (const char *text, gint64 *value)
{
  gint64 whole = 0, fraction = 0, scale = 1;
  const char *p = text;

  if (!g_ascii_isdigit (*p))
    return FALSE;
  for (; g_ascii_isdigit (*p); p++)
    if ((whole = whole * 10 + (*p - '0')) > SECONDS_MAX)
      return FALSE;
  if (*p == '.')
    {
      if (!g_ascii_isdigit (*++p))
        return FALSE;
      for (; g_ascii_isdigit (*p); p++)
        if (scale < 1000000)
          {
            fraction = fraction * 10 + (*p - '0');
            scale *= 10;
          }
    }

  gint64 unit = unit_seconds (p);
  if (unit == 0 || whole > SECONDS_MAX / unit)
    return FALSE;
  *value = whole * unit * 1000 + (fraction * unit * 1000 + scale - 1) / scale;
  return TRUE;
}

static gboolean
find_choice (const RackParam *param, const char *text, int *value)
{
  for (int i = 0; param->choices[i] != NULL; i++)
    if (g_ascii_strcasecmp (param->choices[i], text) == 0)
      {
        *value = i;
        return TRUE;
      }
  return FALSE;
}

char *
rack_path_expand (const char *text)
{
  if (*text != '~')
    return g_strdup (text);

  gsize length = strcspn (text + 1, "/");
  const char *rest = text + 1 + length;
  if (length == 0)
    return g_strconcat (g_get_home_dir (), rest, NULL);

  g_autofree char *name = g_strndup (text + 1, length);
  char buffer[4096];
  struct passwd entry, *found = NULL;
  if (getpwnam_r (name, &entry, buffer, sizeof (buffer), &found) != 0 || found == NULL)
    return NULL;
  return g_strconcat (found->pw_dir, rest, NULL);
}

static char **
split_list (const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, " ,\t\r\n\v\f", -1);
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();

  for (gsize i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      g_ptr_array_add (kept, g_strdup (words[i]));
  g_ptr_array_add (kept, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&kept), FALSE);
}

static gboolean
store_choice (const RackParam *param, const char *text, const char *shown, gpointer field,
              GError **error)
{
  if (find_choice (param, text, field))
    return TRUE;

  /* The empty word may be one of them, for a key that is not set. */
  g_autofree char *all = g_strjoinv (", ", (char **) param->choices + (*param->choices[0] == '\0'));
  g_autofree char *what = g_strdup_printf ("one of: %s", all);
  return refuse (param, shown, what, error);
}

static gboolean
store_command (const RackParam *param, const char *text, const char *shown, gpointer field,
               GError **error)
{
  char **argv = NULL;

  if (!g_shell_parse_argv (text, NULL, &argv, NULL))
    return refuse (param, shown, "a command: a quote is not closed, or there are no words", error);
  *(char ***) field = argv;
  return TRUE;
}

static gboolean
store_path (const RackParam *param, const char *text, const char *shown, gpointer field,
            GError **error)
{
  char *path = rack_path_expand (text);

  if (path == NULL)
    return refuse (param, shown, "a path: there is no such user", error);
  *(char **) field = path;
  return TRUE;
}

/* ---- All types ---------------------------------------------------------- */

static gboolean
store (const RackParam *param, const char *text, gsize size, const char *shown, gpointer field,
       GError **error)
{
  switch (param->type)
    {
    case RACK_PARAM_STRING:
      *(char **) field = g_strdup (text);
      return TRUE;
    case RACK_PARAM_PATH:
      return store_path (param, text, shown, field, error);
    case RACK_PARAM_SECRET:
      *(RackSecret **) field = rack_secret_new (text, (gssize) size);
      return TRUE;
    case RACK_PARAM_BOOL:
      return parse_bool (text, field)
             || refuse (param, shown, "1, yes, true, on or 0, no, false, off", error);
    case RACK_PARAM_INT:
      return g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, field, NULL)
             || refuse (param, shown, "a whole number", error);
    case RACK_PARAM_SECONDS:
      return parse_milliseconds (text, field)
             || refuse (param, shown, "a duration such as 90, 1.5, 90s, 5m or 1h", error);
    case RACK_PARAM_CHOICE:
      return store_choice (param, text, shown, field, error);
    case RACK_PARAM_COMMAND:
      return store_command (param, text, shown, field, error);
    case RACK_PARAM_LIST:
      *(char ***) field = split_list (text);
      return TRUE;
    }
  return refuse (param, "...", "of a type this mailrack knows", error);
}

gboolean
rack_param_store (const RackParam *param, const char *text, gsize size, const char *shown,
                  gpointer data, GError **error)
{
  return store (param, text, size, shown, (char *) data + param->offset, error);
}

static void
clear (RackParamType type, gpointer field)
{
  switch (type)
    {
    case RACK_PARAM_STRING:
    case RACK_PARAM_PATH:
      g_clear_pointer ((char **) field, g_free);
      break;
    case RACK_PARAM_SECRET:
      g_clear_pointer ((RackSecret **) field, rack_secret_free);
      break;
    case RACK_PARAM_COMMAND:
    case RACK_PARAM_LIST:
      g_clear_pointer ((char ***) field, g_strfreev);
      break;
    case RACK_PARAM_BOOL:
    case RACK_PARAM_INT:
    case RACK_PARAM_SECONDS:
    case RACK_PARAM_CHOICE:
      memset (field, 0, rack_param_field_size (type));
      break;
    }
}

gboolean
rack_param_try (const RackParam *param, const char *text, gsize size, const char *shown,
                GError **error)
{
  guint64 field = 0;
  gboolean good = store (param, text, size, shown, &field, error);

  if (good)
    clear (param->type, &field);
  return good;
}

void
rack_params_clear (const RackParam *params, gpointer data)
{
  for (; params != NULL && params->key != NULL; params++)
    clear (params->type, (char *) data + params->offset);
}

/* ---- Tables ------------------------------------------------------------- */

const RackParam *
rack_params_find (const RackParam *params, const char *key)
{
  for (; params != NULL && params->key != NULL; params++)
    if (strcmp (params->key, key) == 0)
      return params;
  return NULL;
}

static const char *
find_defect (const RackParam *params, gsize index, gsize config_size)
{
  const RackParam *param = &params[index];
  gsize size = rack_param_field_size (param->type);

  if (*param->key == '\0'
      || strspn (param->key, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen (param->key))
    return index == 0 ? "is not made of a-z, 0-9 and _"
                      : "is not made of a-z, 0-9 and _; or RACK_PARAM_END is missing before it";
  if (rack_params_find (params, param->key) != param)
    return "is declared twice";
  if (size == 0)
    return "has a type this mailrack does not know: update mailrack";
  if (((guint) param->flags & ~(guint) RACK_PARAM_REQUIRED) != 0)
    return "has flags this mailrack does not know: update mailrack";
  if (size > config_size || param->offset > config_size - size)
    return "lies outside config_size, which must be the sizeof of the struct its keys fill";
  if (param->offset % size != 0)
    return "lies at an offset its type cannot have";
  if (param->help == NULL)
    return "has no help";
  if (param->type == RACK_PARAM_CHOICE && (param->choices == NULL || param->choices[0] == NULL))
    return "has no choices";
  if (param->type != RACK_PARAM_CHOICE && param->choices != NULL)
    return "has choices, and is none";
  if (param->fallback != NULL
      && !rack_param_try (param, param->fallback, strlen (param->fallback), "", NULL))
    return "has a fallback that is no value of its type";
  for (gsize i = 0; i < index; i++)
    if (params[i].offset < param->offset + size
        && param->offset < params[i].offset + rack_param_field_size (params[i].type))
      return "shares its field with another key";
  return NULL;
}

gboolean
rack_params_check (const RackParam *params, gsize config_size, GError **error)
{
  for (gsize i = 0; params != NULL && params[i].key != NULL; i++)
    {
      const char *defect = find_defect (params, i, config_size);

      if (defect != NULL)
        {
          g_autofree char *key =
              rack_text_escape (params[i].key, (gssize) strnlen (params[i].key, 64));
          g_set_error (error, RACK_ERROR, RACK_ERROR_PLUGIN, "its key \"%s\" %s", key, defect);
          return FALSE;
        }
    }
  return TRUE;
}
