/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * config-read.c - settings into structs, and as a list for people */
#include <string.h>

#include "config.h"
#include "params.h"
#include "settings.h"

#define MASK "********"

/* ---- Into structs ------------------------------------------------------- */

/* As rack_config_find(), with the one key that may be written under another name. */
static gboolean
find (RackConfig *config, const char *account, const char *key, RackFound *found)
{
  if (strcmp (key, "tunnel_command") == 0 && rack_config_host_is_command (config, account))
    return rack_config_find (config, account, "host", found);
  return rack_config_find (config, account, key, found);
}

static gboolean
read_one (RackConfig *config, const char *account, const RackParam *param, gpointer data,
          GError **error)
{
  RackFound found;

  if (find (config, account, param->key, &found))
    return rack_config_store (config, account, &found, param, data, error);
  if (param->fallback != NULL && *param->fallback != '\0')
    return rack_param_store (param, param->fallback, strlen (param->fallback), param->fallback,
                             data, error);
  if ((param->flags & RACK_PARAM_REQUIRED) == 0)
    return TRUE;

  g_autofree char *subject = rack_config_subject (config, account);
  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "%s: \"%s\" is missing: %s", subject,
               param->key, param->help);
  return FALSE;
}

gboolean
rack_config_read (RackConfig *config, const char *account, const RackParam *params, gpointer data,
                  GError **error)
{
  if (!rack_config_check_account (config, account, error))
    return FALSE;
  for (const RackParam *param = params; param != NULL && param->key != NULL; param++)
    if (!read_one (config, account, param, data, error))
      {
        rack_params_clear (params, data);
        return FALSE;
      }
  return TRUE;
}

/* ---- For people --------------------------------------------------------- */

static void
setting_free (gpointer data)
{
  RackSetting *setting = data;

  g_free ((char *) setting->key);
  g_free ((char *) setting->value);
  g_free ((char *) setting->origin);
  g_free ((char *) setting->owner);
  g_free ((char *) setting->help);
  g_free (setting);
}

static gboolean
is_secret (RackConfig *config, const char *account, const char *key)
{
  const RackParam *param = rack_config_declared (config, account, key, NULL);

  return param == NULL || param->type == RACK_PARAM_SECRET;
}

/* The value as a person may see it: not a secret, nor a text that a secret went into. */
static char *
show (RackConfig *config, const char *account, const RackParam *param, const RackFound *found,
      GError **error)
{
  g_autoptr (GPtrArray) used = g_ptr_array_new ();
  g_autoptr (RackSecret) value = rack_config_expand (config, account, found, used, error);
  gboolean masked = param->type == RACK_PARAM_SECRET;

  if (value == NULL)
    return NULL;
  for (guint i = 0; i < used->len && !masked; i++)
    masked = is_secret (config, account, g_ptr_array_index (used, i));
  return masked ? g_strdup (MASK) : rack_text_escape (rack_secret_peek (value), -1);
}

static gboolean
add_setting (RackConfig *config, const char *account, const RackParam *param, const char *owner,
             GPtrArray *settings, GError **error)
{
  RackFound found;
  g_autofree char *value = NULL;
  g_autofree char *origin = NULL;

  if (find (config, account, param->key, &found))
    {
      value = show (config, account, param, &found, error);
      if (value == NULL)
        return FALSE;
      origin = rack_config_where (config, &found);
    }

  RackSetting *setting = g_new0 (RackSetting, 1);
  setting->key = g_strdup (param->key);
  setting->value = value != NULL ? g_steal_pointer (&value) : g_strdup (param->fallback);
  setting->origin = origin != NULL ? g_steal_pointer (&origin) : g_strdup ("default");
  setting->owner = g_strdup (owner);
  setting->help = g_strdup (param->help);
  g_ptr_array_add (settings, setting);
  return TRUE;
}

static gboolean
add_table (RackConfig *config, const char *account, const RackParam *params, const char *owner,
           GPtrArray *settings, GError **error)
{
  for (const RackParam *param = params; param != NULL && param->key != NULL; param++)
    if (!add_setting (config, account, param, owner, settings, error))
      return FALSE;
  return TRUE;
}

/* Which plugin is used is in force even where no line says it. */
static void
fill_chosen (GPtrArray *settings, const char *key, const char *name, RackConfig *config,
             const RackFound *found)
{
  for (guint i = 0; i < settings->len; i++)
    {
      RackSetting *setting = g_ptr_array_index (settings, i);

      if (strcmp (setting->key, key) != 0)
        continue;
      g_free ((char *) setting->value);
      setting->value = rack_text_escape (name, -1);
      g_free ((char *) setting->origin);
      setting->origin =
          found->raw != NULL ? rack_config_where (config, found) : g_strdup ("default");
    }
}

GPtrArray *
rack_config_settings (RackConfig *config, const char *account, GError **error)
{
  g_auto (RackAccountSettings) core = { 0 };
  g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (setting_free);

  if (!rack_config_check_account (config, account, error)
      || !rack_config_resolve (config, account, &core, error)
      || !add_table (config, account, rack_core_params (), "core", settings, error)
      || !add_table (config, account, rack_mount_params (), "mount", settings, error))
    return NULL;
  for (RackPluginKind kind = RACK_PLUGIN_AUTH; kind <= RACK_PLUGIN_TRANSPORT; kind++)
    {
      RackFound found;
      g_autofree char *name = rack_config_plugin_name (config, account, kind, &found, error);
      const RackPlugin *plugin = rack_config_open_plugin (config, account, kind, error);

      if (plugin == NULL
          || !add_table (config, account, plugin->info.params, plugin->label, settings, error))
        return NULL;
      fill_chosen (settings, kind == RACK_PLUGIN_AUTH ? "auth" : "transport", name, config, &found);
    }
  return g_steal_pointer (&settings);
}
