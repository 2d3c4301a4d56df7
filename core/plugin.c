/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plugin.c - opens plugins through GModule and remembers them
 *
 * A plugin is never unloaded: its callbacks and strings may be anywhere. So the table below
 * only grows, and what it hands out stays valid. */
#include "plugin.h"

#include <string.h>

/* The plugin table: real path to RackPlugin, or to a GError for one that was loaded and then
 * refused, so that a refused one is not loaded again and again. */
typedef struct
{
  RackPlugin *plugin;
  GError *refused;
} Slot;

static GMutex lock;
static GHashTable *slots;

static void
prefix_path (GError **error, const char *path)
{
  g_autofree char *shown = rack_text_escape (path, -1);

  g_prefix_error (error, "%s: ", shown);
}

static gboolean
check_name (const RackPlugin *plugin, const char *path, GError **error)
{
  RackPluginKind kind;
  const char *name;
  gsize size;

  if (!rack_plugin_file_name (path, &kind, &name, &size))
    return TRUE;
  if (kind == plugin->kind && strlen (plugin->info.name) == size
      && strncmp (plugin->info.name, name, size) == 0)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_PLUGIN,
               "it calls itself %s, which does not fit the name of the file: that would be "
               "mailrack-%s.so",
               plugin->label, plugin->label);
  return FALSE;
}

static RackPlugin *
load (const char *file, GError **error)
{
  const RackPluginEntry *(*get_entry) (void) = NULL;
  g_autoptr (GError) cause = NULL;

  /* Without G_MODULE_BIND_LAZY GModule binds all symbols now (RTLD_NOW). */
  GModule *module = g_module_open_full (file, G_MODULE_BIND_LOCAL, &cause);
  if (module == NULL)
    {
      const char *text = cause->message;

      if (g_str_has_prefix (text, file) && g_str_has_prefix (text + strlen (file), ": "))
        text += strlen (file) + 2;
      g_set_error (error, RACK_ERROR, RACK_ERROR_PLUGIN, "cannot be loaded: %s", text);
      return NULL;
    }
  g_module_make_resident (module);
  if (!g_module_symbol (module, "rack_plugin_entry", (gpointer *) &get_entry) || get_entry == NULL)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_PLUGIN,
                   "it exports no rack_plugin_entry: RACK_REGISTER_AUTH or "
                   "RACK_REGISTER_TRANSPORT is missing");
      return NULL;
    }
  return rack_plugin_adopt (get_entry (), file, error);
}

/* Under the lock. */
static const RackPlugin *
open_real (const char *real, GError **error)
{
  if (slots == NULL)
    slots = g_hash_table_new (g_str_hash, g_str_equal);

  Slot *slot = g_hash_table_lookup (slots, real);
  if (slot == NULL)
    {
      slot = g_new0 (Slot, 1);
      slot->plugin = load (real, &slot->refused);
      if (slot->plugin == NULL)
        prefix_path (&slot->refused, real);
      g_hash_table_insert (slots, g_strdup (real), slot);
    }
  if (slot->plugin == NULL)
    g_propagate_error (error, g_error_copy (slot->refused));
  return slot->plugin;
}

static const RackPlugin *
open_path (const char *path, GError **error)
{
  g_autofree char *real = rack_plugin_check_file (path, error);

  if (real == NULL)
    return NULL;
  g_mutex_lock (&lock);
  const RackPlugin *plugin = open_real (real, error);
  g_mutex_unlock (&lock);
  if (plugin != NULL && !check_name (plugin, path, error))
    {
      prefix_path (error, path);
      return NULL;
    }
  return plugin;
}

const RackPlugin *
rack_plugin_open (RackPluginKind kind, const char *name, GError **error)
{
  g_autofree char *path = rack_plugin_find (kind, name, error);
  const RackPlugin *plugin = path != NULL ? open_path (path, error) : NULL;

  if (plugin == NULL)
    return NULL;
  if (plugin->kind == kind)
    return plugin;
  g_set_error (error, RACK_ERROR, RACK_ERROR_PLUGIN, "is a plugin for \"%s =\", not for \"%s =\"",
               rack_plugin_kind_name (plugin->kind), rack_plugin_kind_name (kind));
  prefix_path (error, path);
  return NULL;
}

GPtrArray *
rack_plugins_installed (void)
{
  GPtrArray *plugins = g_ptr_array_new ();
  g_autoptr (GPtrArray) files = rack_plugin_files (FALSE);

  for (guint i = 0; i < files->len; i++)
    {
      const RackPlugin *plugin = open_path (g_ptr_array_index (files, i), NULL);

      if (plugin != NULL)
        g_ptr_array_add (plugins, (gpointer) plugin);
    }
  return plugins;
}

/* ---- What is installed, for people --------------------------------------- */

#define MISNAMED                                                                                   \
  "no plugin is called so: the name of the file is mailrack-auth-NAME.so or "                      \
  "mailrack-transport-NAME.so, with a NAME of a-z, 0-9 and -"

static RackPluginFacts *
facts_new (const RackPlugin *plugin, const char *file)
{
  RackPluginFacts *facts = g_new0 (RackPluginFacts, 1);

  facts->kind = plugin->kind;
  facts->name = plugin->info.name;
  facts->version = plugin->info.version;
  facts->summary = plugin->info.summary;
  facts->file = g_strdup (file);
  facts->params = plugin->info.params;
  facts->param_size = sizeof (RackParam);
  facts->auth = plugin->kind == RACK_PLUGIN_AUTH ? &plugin->auth : NULL;
  facts->transport = plugin->kind == RACK_PLUGIN_TRANSPORT ? &plugin->transport : NULL;
  return facts;
}

void
rack_plugin_facts_free (RackPluginFacts *facts)
{
  if (facts == NULL)
    return;
  g_free ((char *) facts->file);
  g_free ((char *) facts->problem);
  g_free (facts);
}

static void
facts_destroy (gpointer data)
{
  rack_plugin_facts_free (data);
}

/* Takes problem. */
static RackPluginFacts *
facts_of_refused (const char *file, char *problem)
{
  RackPluginFacts *facts = g_new0 (RackPluginFacts, 1);

  facts->file = g_strdup (file);
  facts->problem = problem;
  return facts;
}

GPtrArray *
rack_plugins_list (void)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (facts_destroy);
  g_autoptr (GPtrArray) files = rack_plugin_files (FALSE);
  g_autoptr (GPtrArray) misnamed = rack_plugin_files (TRUE);

  for (guint i = 0; i < files->len; i++)
    {
      const char *file = g_ptr_array_index (files, i);
      g_autoptr (GError) cause = NULL;
      const RackPlugin *plugin = open_path (file, &cause);

      g_ptr_array_add (list, plugin != NULL ? facts_new (plugin, file)
                                            : facts_of_refused (file, g_strdup (cause->message)));
    }
  for (guint i = 0; i < misnamed->len; i++)
    {
      const char *file = g_ptr_array_index (misnamed, i);
      g_autofree char *shown = rack_text_escape (file, -1);

      g_ptr_array_add (list, facts_of_refused (file, g_strconcat (shown, ": " MISNAMED, NULL)));
    }
  return list;
}

char **
rack_plugins_path (void)
{
  GPtrArray *directories = rack_plugin_directories ();

  g_ptr_array_add (directories, NULL);
  return (char **) g_ptr_array_free (directories, FALSE);
}

RackPluginFacts *
rack_plugin_check (const char *file, GError **error)
{
  const RackPlugin *plugin = open_path (file, error);

  return plugin != NULL ? facts_new (plugin, plugin->file) : NULL;
}
