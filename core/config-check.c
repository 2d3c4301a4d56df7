/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * config-check.c - what a configuration file may not say, and who may have written it
 *
 * All of it is checked when the file is read, before anything is contacted: a mistake in one
 * account shows on the day it is made, not on the day that account is used. */
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "params.h"
#include "settings.h"

/* ---- Which keys there are ----------------------------------------------- */

static const RackParam *
declared_by_choice (RackConfig *config, const char *account, const char *key, const char **owner)
{
  for (RackPluginKind kind = RACK_PLUGIN_AUTH; kind <= RACK_PLUGIN_TRANSPORT; kind++)
    {
      const RackPlugin *plugin = rack_config_open_plugin (config, account, kind, NULL);
      const RackParam *param = plugin != NULL ? rack_params_find (plugin->info.params, key) : NULL;

      if (param != NULL)
        {
          *owner = plugin->label;
          return param;
        }
    }
  return NULL;
}

static const RackParam *
declared_by_any (RackConfig *config, const char *key, const char **owner)
{
  g_autoptr (GPtrArray) plugins = rack_plugins_installed ();

  for (guint i = 0; i < plugins->len; i++)
    {
      const RackPlugin *plugin = g_ptr_array_index (plugins, i);
      const RackParam *param = rack_params_find (plugin->info.params, key);

      if (param != NULL)
        {
          *owner = plugin->label;
          return param;
        }
    }
  /* A plugin that an account names by its path is not among those. */
  for (gsize i = 0; config->accounts[i] != NULL; i++)
    {
      const RackParam *param = declared_by_choice (config, config->accounts[i], key, owner);

      if (param != NULL)
        return param;
    }
  return NULL;
}

const RackParam *
rack_config_declared (RackConfig *config, const char *account, const char *key, const char **owner)
{
  const char *unused;
  const RackParam *param = rack_params_find (rack_core_params (), key);

  if (owner == NULL)
    owner = &unused;
  *owner = "core";
  if (param != NULL)
    return param;
  *owner = "mount";
  param = rack_params_find (rack_mount_params (), key);
  if (param == NULL)
    param = declared_by_choice (config, account, key, owner);
  return param != NULL ? param : declared_by_any (config, key, owner);
}

/* ---- Which key was meant ------------------------------------------------ */

#define WORD_MAX 64

/* Insertions, deletions, changes and swaps of neighbours between two words. */
static guint
distance (const char *a, const char *b)
{
  guint row[3][WORD_MAX + 1];
  gsize n = strlen (a), m = strlen (b);

  if (n > WORD_MAX || m > WORD_MAX)
    return G_MAXUINT;
  for (gsize k = 0; k <= m; k++)
    row[0][k] = (guint) k;
  for (gsize i = 1; i <= n; i++)
    {
      guint *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];

      now[0] = (guint) i;
      for (gsize k = 1; k <= m; k++)
        {
          guint change = before[k - 1] + (a[i - 1] != b[k - 1]);

          now[k] = MIN (change, MIN (before[k], now[k - 1]) + 1);
          if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
            now[k] = MIN (now[k], earlier[k - 2] + 1);
        }
    }
  return row[n % 3][m];
}

const char *
rack_nearest_word (const char *mistyped, const char *const *words)
{
  guint limit = (guint) MIN (strlen (mistyped) / 3, 3) + 1;
  const char *nearest = NULL;

  for (; *words != NULL; words++)
    {
      guint here = distance (mistyped, *words);

      if (here < limit)
        {
          limit = here;
          nearest = *words;
        }
    }
  return nearest;
}

static void
add_keys (GPtrArray *keys, const RackParam *params)
{
  for (; params != NULL && params->key != NULL; params++)
    g_ptr_array_add (keys, (gpointer) params->key);
}

/* A plugin that is chosen by its path is not among those that are installed. */
static void
add_chosen_keys (GPtrArray *keys, RackConfig *config, const char *account)
{
  for (RackPluginKind kind = RACK_PLUGIN_AUTH; kind <= RACK_PLUGIN_TRANSPORT; kind++)
    {
      const RackPlugin *plugin = rack_config_open_plugin (config, account, kind, NULL);

      if (plugin != NULL)
        add_keys (keys, plugin->info.params);
    }
}

/* A key is often unknown because the plugin that declares it could not be opened. */
static gboolean
check_plugins (RackConfig *config, GError **error)
{
  for (RackPluginKind kind = RACK_PLUGIN_AUTH; kind <= RACK_PLUGIN_TRANSPORT; kind++)
    {
      if (rack_config_open_plugin (config, NULL, kind, error) == NULL)
        return FALSE;
      for (gsize i = 0; config->accounts[i] != NULL; i++)
        if (rack_config_open_plugin (config, config->accounts[i], kind, error) == NULL)
          return FALSE;
    }
  return TRUE;
}

gboolean
rack_config_unknown_key (RackConfig *config, const char *key, const char *where, GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  g_autoptr (GPtrArray) plugins = rack_plugins_installed ();

  add_keys (keys, rack_core_params ());
  add_keys (keys, rack_mount_params ());
  for (guint i = 0; i < plugins->len; i++)
    add_keys (keys, ((const RackPlugin *) g_ptr_array_index (plugins, i))->info.params);
  add_chosen_keys (keys, config, NULL);
  for (gsize i = 0; config->accounts[i] != NULL; i++)
    add_chosen_keys (keys, config, config->accounts[i]);
  g_ptr_array_add (keys, NULL);

  const char *near = rack_nearest_word (key, (const char *const *) keys->pdata);
  g_autofree char *shown = rack_text_escape (key, (gssize) strnlen (key, WORD_MAX));
  g_autofree char *hint = near != NULL ? g_strdup_printf (" (did you mean \"%s\"?)", near) : NULL;
  g_autoptr (GError) cause = NULL;
  if (near == NULL && !check_plugins (config, &cause))
    hint = g_strdup_printf ("; perhaps it is declared by a plugin that cannot be opened: %s",
                            cause->message);
  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "%s: unknown key \"%s\"%s", where, shown,
               hint != NULL ? hint : "");
  return FALSE;
}

/* ---- The file's content ------------------------------------------------- */

static gboolean
check_entry (RackConfig *config, const char *account, const RackIniEntry *entry, GError **error)
{
  RackFound found = { .layer = account != NULL ? RACK_LAYER_ACCOUNT : RACK_LAYER_DEFAULT,
                      .key = entry->key,
                      .raw = entry->value,
                      .line = entry->line };
  const RackParam *param = rack_config_declared (config, account, entry->key, NULL);
  guint64 field = 0;

  if (param == NULL)
    {
      g_autofree char *where = rack_config_where (config, &found);
      return rack_config_unknown_key (config, entry->key, where, error);
    }
  if (rack_secret_size (entry->value) == 0 && rack_config_empty_unsets (param))
    return TRUE;
  /* What DEFAULT refers to may be in each of the accounts. */
  if (account == NULL && strstr (rack_secret_peek (entry->value), "%(") != NULL)
    return TRUE;

  RackParam here[2] = { *param, { 0 } };
  here[0].offset = 0;
  if (!rack_config_store (config, account, &found, here, &field, error))
    return FALSE;
  rack_params_clear (here, &field);
  return TRUE;
}

gboolean
rack_config_check (RackConfig *config, GError **error)
{
  for (guint i = 0; i < config->ini->sections->len; i++)
    {
      const RackIniSection *section = g_ptr_array_index (config->ini->sections, i);
      const char *account = strcmp (section->name, RACK_CONFIG_DEFAULT) != 0 ? section->name : NULL;
      g_auto (RackAccountSettings) settings = { 0 };

      if (!rack_config_check_section (config, account, error))
        return FALSE;
      for (guint k = 0; k < section->entries->len; k++)
        if (!check_entry (config, account, g_ptr_array_index (section->entries, k), error))
          return FALSE;
      if (!rack_config_resolve (config, account, &settings, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- The file itself ---------------------------------------------------- */

static const RackIniEntry *
find_secret (RackConfig *config)
{
  for (guint i = 0; i < config->ini->sections->len; i++)
    {
      const RackIniSection *section = g_ptr_array_index (config->ini->sections, i);
      const char *account = strcmp (section->name, RACK_CONFIG_DEFAULT) != 0 ? section->name : NULL;

      for (guint k = 0; k < section->entries->len; k++)
        {
          const RackIniEntry *entry = g_ptr_array_index (section->entries, k);

          if (rack_secret_size (entry->value) == 0)
            continue;
          const RackParam *param = rack_config_declared (config, account, entry->key, NULL);
          if (param != NULL && param->type == RACK_PARAM_SECRET)
            return entry;
        }
    }
  return NULL;
}

static gboolean
refuse_mode (RackConfig *config, const char *why, const char *command, GError **error)
{
  g_autofree char *quoted = g_shell_quote (config->file);

  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "%s: %s: run %s %s", config->file, why,
               command, quoted);
  return FALSE;
}

gboolean
rack_config_check_mode (RackConfig *config, const struct stat *status, GError **error)
{
  if (status->st_uid != geteuid () && status->st_uid != 0)
    return refuse_mode (config, "belongs to somebody else, who could make it run commands as you",
                        "chown \"$USER\"", error);
  if ((status->st_mode & 022) != 0)
    return refuse_mode (config, "others may change it, and make it run commands as you",
                        "chmod go-w", error);
  if ((status->st_mode & 077) == 0 && status->st_uid == geteuid ())
    return TRUE;

  const RackIniEntry *secret = find_secret (config);
  if (secret == NULL)
    return TRUE;
  g_autofree char *why =
      g_strdup_printf ("holds a secret (\"%s\" in line %u) and %s", secret->key, secret->line,
                       status->st_uid == geteuid () ? "others may read it" : "is not yours");
  return refuse_mode (config, why, status->st_uid == geteuid () ? "chmod 600" : "chown \"$USER\"",
                      error);
}
