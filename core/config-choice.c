/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * config-choice.c - which plugins an account chooses
 *
 * "transport" and "auth" name one; ssl, starttls, stream and oauth2 are short for one. The
 * nearest layer that says something decides, and one layer must not say two things. */
#include <string.h>

#include "config.h"
#include "params.h"
#include "settings.h"

/* A boolean key that is short for the name of a plugin. */
typedef struct
{
  const char *key, *plugin;
} Shorthand;

/* How one kind of plugin is chosen. */
typedef struct
{
  const char *key;
  guint n_shorthands;
  const Shorthand *shorthands;
} Choosing;

static const Shorthand transport_shorthands[] = { { "ssl", "ssl" },
                                                  { "starttls", "starttls" },
                                                  { "stream", "tunnel" } };
static const Shorthand auth_shorthands[] = { { "oauth2", "oauth2" } };

#define DENIES_SSL (1u << 0) /* the place of ssl above */

static const Choosing choosing[] = {
  [RACK_PLUGIN_AUTH] = { "auth", G_N_ELEMENTS (auth_shorthands), auth_shorthands },
  [RACK_PLUGIN_TRANSPORT] = { "transport", G_N_ELEMENTS (transport_shorthands),
                              transport_shorthands },
};

/* What one layer says: perhaps a plugin, and which ones it excludes. */
typedef struct
{
  char *plugin; /* (owned) */
  RackFound by;
  guint denied;    /* bits by the place in .shorthands */
  gboolean undoes; /* "transport =": what further layers name does not count */
} Choice;

static void
choice_clear (Choice *choice)
{
  g_free (choice->plugin);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Choice, choice_clear)

static char *
statement (const RackFound *found)
{
  g_autofree char *value = rack_text_escape (rack_secret_peek (found->raw), -1);

  return g_strdup_printf ("%s = %s", found->key, value);
}

static gboolean
contradict (RackConfig *config, const RackFound *first, const char *keeps_first,
            const RackFound *second, const char *keeps_second, GError **error)
{
  g_autofree char *where = rack_config_where (config, second);
  g_autofree char *one = statement (first);
  g_autofree char *two = statement (second);
  g_autofree char *this = rack_text_escape (keeps_first, -1);
  g_autofree char *that = rack_text_escape (keeps_second, -1);

  if (second->origin != NULL)
    g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                 "%s (%s) and %s (%s) contradict each other: drop one of the two", first->origin,
                 one, second->origin, two);
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                 "%s: \"%s\" contradicts \"%s\" in line %u: drop line %u for %s, or line %u for %s",
                 where, two, one, first->line, second->line, this, first->line, that);
  return FALSE;
}

/* A boolean of one layer. *value is 1, 0, or -1 when the layer does not say. */
static gboolean
read_shorthand (RackConfig *config, const char *account, RackLayer layer, const char *key,
                RackFound *found, gboolean *value, GError **error)
{
  RackParam param = *rack_params_find (rack_core_params (), key);

  *value = -1;
  if (!rack_config_find_in (config, account, layer, key, found))
    return TRUE;
  param.offset = 0;
  return rack_config_store (config, account, found, &param, value, error);
}

static gboolean
read_name (RackConfig *config, const char *account, RackLayer layer, const char *key,
           Choice *choice, GError **error)
{
  RackParam param = *rack_params_find (rack_core_params (), key);
  RackFound found;

  if (choice->undoes || !rack_config_find_in (config, account, layer, key, &found))
    return TRUE;
  choice->undoes = rack_secret_size (found.raw) == 0;
  if (choice->undoes)
    return TRUE;
  param.offset = 0;
  choice->by = found;
  return rack_config_store (config, account, &found, &param, &choice->plugin, error);
}

static const char *
without (const Shorthand *shorthand)
{
  if (strcmp (shorthand->key, "ssl") == 0)
    return "no encryption";
  return strcmp (shorthand->key, "oauth2") == 0 ? "a password" : "the default";
}

static gboolean
read_layer (RackConfig *config, const char *account, RackLayer layer, const Choosing *how,
            Choice *choice, GError **error)
{
  RackFound found[3];
  gboolean value[3];

  g_assert (how->n_shorthands <= G_N_ELEMENTS (found));
  if (!read_name (config, account, layer, how->key, choice, error))
    return FALSE;
  for (guint i = 0; i < how->n_shorthands; i++)
    {
      const Shorthand *shorthand = &how->shorthands[i];

      if (!read_shorthand (config, account, layer, shorthand->key, &found[i], &value[i], error))
        return FALSE;
      if (value[i] != TRUE)
        continue;
      if (choice->plugin != NULL && strcmp (choice->plugin, shorthand->plugin) != 0)
        return contradict (config, &choice->by, choice->plugin, &found[i], shorthand->plugin,
                           error);
      if (choice->plugin == NULL)
        {
          choice->plugin = g_strdup (shorthand->plugin);
          choice->by = found[i];
        }
    }
  for (guint i = 0; i < how->n_shorthands; i++)
    if (value[i] == FALSE)
      {
        choice->denied |= 1u << i;
        if (choice->plugin != NULL && strcmp (choice->plugin, how->shorthands[i].plugin) == 0)
          return contradict (config, &choice->by, choice->plugin, &found[i],
                             without (&how->shorthands[i]), error);
      }
  return TRUE;
}

static gboolean
is_denied (const Choosing *how, const char *plugin, guint denied)
{
  for (guint i = 0; i < how->n_shorthands; i++)
    if ((denied & (1u << i)) != 0 && strcmp (how->shorthands[i].plugin, plugin) == 0)
      return TRUE;
  return FALSE;
}

char *
rack_config_plugin_name (RackConfig *config, const char *account, RackPluginKind kind,
                         RackFound *found, GError **error)
{
  const Choosing *how = &choosing[kind];
  gboolean undone = FALSE;
  guint denied = 0;

  for (RackLayer layer = 0; layer < RACK_N_LAYERS; layer++)
    {
      g_auto (Choice) choice = { .undoes = undone };

      if (!read_layer (config, account, layer, how, &choice, error))
        return NULL;
      if (choice.plugin != NULL && !is_denied (how, choice.plugin, denied))
        {
          if (found != NULL)
            *found = choice.by;
          return g_steal_pointer (&choice.plugin);
        }
      denied |= choice.denied;
      undone = choice.undoes;
    }
  if (found != NULL)
    *found = (RackFound){ .layer = RACK_N_LAYERS };
  if (kind == RACK_PLUGIN_AUTH)
    return g_strdup ("password");
  if ((denied & DENIES_SSL) == 0)
    return g_strdup ("ssl");
  if (found != NULL)
    rack_config_find (config, account, "ssl", found);
  return g_strdup ("plain");
}

gboolean
rack_config_check_section (RackConfig *config, const char *account, GError **error)
{
  RackLayer layer = account == NULL ? RACK_LAYER_DEFAULT : RACK_LAYER_ACCOUNT;

  for (RackPluginKind kind = RACK_PLUGIN_AUTH; kind <= RACK_PLUGIN_TRANSPORT; kind++)
    {
      g_auto (Choice) choice = { 0 };

      if (!read_layer (config, account, layer, &choosing[kind], &choice, error))
        return FALSE;
    }
  return TRUE;
}

/* "stream = true" makes it one, unless tunnel_command is set as near as that. */
gboolean
rack_config_host_is_command (RackConfig *config, const char *account)
{
  RackFound chosen, command;
  g_autofree char *plugin =
      rack_config_plugin_name (config, account, RACK_PLUGIN_TRANSPORT, &chosen, NULL);

  if (plugin == NULL || chosen.raw == NULL || strcmp (plugin, "tunnel") != 0)
    return FALSE;

  gboolean streams = FALSE;
  RackFound stream;
  if (!read_shorthand (config, account, chosen.layer, "stream", &stream, &streams, NULL)
      || streams != TRUE)
    return FALSE;
  for (RackLayer layer = 0; layer <= chosen.layer; layer++)
    if (rack_config_find_in (config, account, layer, "tunnel_command", &command))
      return rack_secret_size (command.raw) == 0;
  return TRUE;
}

const RackPlugin *
rack_config_open_plugin (RackConfig *config, const char *account, RackPluginKind kind,
                         GError **error)
{
  RackFound found;
  g_autofree char *name = rack_config_plugin_name (config, account, kind, &found, error);

  if (name == NULL)
    return NULL;
  const RackPlugin *plugin = rack_plugin_open (kind, name, error);
  if (plugin == NULL && found.raw != NULL)
    {
      g_autofree char *where = rack_config_where (config, &found);
      g_prefix_error (error, "%s: ", where);
    }
  return plugin;
}
