/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * config-expand.c - %(key)s and %% in a value
 *
 * Files written for Python's configparser may use them. Every other "%" is a character,
 * as it is in a password. */
#include "config.h"

#include <string.h>

#include "params.h"
#include "secret.h"
#include "settings.h"

#define DEPTH_MAX   10
#define LOOKUPS_MAX 1000

/* What has been written so far. It may hold a secret, so it grows by copy and wipe. */
typedef struct
{
  char *data;
  gsize size, room;
} Text;

typedef struct
{
  RackConfig *config;
  const char *account;
  GPtrArray *used;
  guint lookups;
  Text text;
} Expansion;

static gboolean
append (Text *text, const char *data, gsize size)
{
  if (size > RACK_INI_VALUE_MAX - text->size)
    return FALSE;
  if (text->size + size > text->room)
    {
      gsize room = MAX (2 * text->room, text->size + size);
      char *grown = g_malloc (room);

      if (text->size > 0)
        memcpy (grown, text->data, text->size);
      rack_wipe (text->data, text->size);
      g_free (text->data);
      text->data = grown;
      text->room = room;
    }
  if (size > 0)
    memcpy (text->data + text->size, data, size);
  text->size += size;
  return TRUE;
}

/* At "%(": the key up to ")s", if there is one. Returns: (owned) or NULL; *end is behind it. */
static char *
reference (const char *text, const char **end)
{
  const char *close = strchr (text + 2, ')');

  if (close == NULL || close[1] != 's' || close - text > 100)
    return NULL;
  *end = close + 2;
  return g_ascii_strdown (text + 2, close - text - 2);
}

static gboolean expand (Expansion *expansion, const char *text, guint depth, const char **problem);

static gboolean
expand_reference (Expansion *expansion, const char *key, gboolean *found, guint depth,
                  const char **problem)
{
  RackFound other;

  *problem = "refers to itself";
  if (depth >= DEPTH_MAX || ++expansion->lookups > LOOKUPS_MAX)
    return FALSE;
  for (RackLayer layer = 0; layer < RACK_N_LAYERS; layer++)
    if (rack_config_find_in (expansion->config, expansion->account, layer, key, &other))
      {
        *found = TRUE;
        if (expansion->used != NULL)
          g_ptr_array_add (expansion->used, (gpointer) other.key);
        if (other.origin == NULL)
          return expand (expansion, rack_secret_peek (other.raw), depth + 1, problem);
        *problem = "becomes longer than 64 KiB";
        return append (&expansion->text, rack_secret_peek (other.raw),
                       rack_secret_size (other.raw));
      }
  *found = FALSE;
  return TRUE;
}

static gboolean
expand (Expansion *expansion, const char *text, guint depth, const char **problem)
{
  const char *end;

  while (*text != '\0')
    {
      gsize plain = strcspn (text, "%");
      gboolean found = FALSE;

      if (plain == 0 && text[1] == '(')
        {
          g_autofree char *key = reference (text, &end);

          if (key != NULL && !expand_reference (expansion, key, &found, depth, problem))
            return FALSE;
          if (found)
            {
              text = end;
              continue;
            }
        }
      if (plain == 0)
        plain = 1;
      *problem = "becomes longer than 64 KiB";
      if (!append (&expansion->text, text, plain))
        return FALSE;
      text += plain;
      if (text[-1] == '%' && text[0] == '%')
        text++;
    }
  return TRUE;
}

/* Read as it is written: the key that says whether to expand is not itself expanded. */
static gboolean
expands (RackConfig *config, const char *account)
{
  const RackParam *param = rack_params_find (rack_core_params (), "interpolation");
  RackInterpolation mode = RACK_INTERPOLATION_BASIC;
  RackFound found;

  if (!rack_config_find (config, account, param->key, &found))
    return TRUE;
  RackParam here = *param;
  here.offset = 0;
  return !rack_param_store (&here, rack_secret_peek (found.raw), rack_secret_size (found.raw), "",
                            &mode, NULL)
         || mode == RACK_INTERPOLATION_BASIC;
}

RackSecret *
rack_config_expand (RackConfig *config, const char *account, const RackFound *found,
                    GPtrArray *used, GError **error)
{
  const char *raw = rack_secret_peek (found->raw);
  const char *problem = NULL;

  if (found->origin != NULL || strchr (raw, '%') == NULL || !expands (config, account))
    return rack_secret_copy (found->raw);

  Expansion expansion = { .config = config, .account = account, .used = used };
  gboolean good = expand (&expansion, raw, 0, &problem);
  RackSecret *value = NULL;
  if (good)
    value = rack_secret_new (expansion.text.data, (gssize) expansion.text.size);
  else
    {
      g_autofree char *where = rack_config_where (config, found);
      g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                   "%s: \"%s\" %s when its %%(key)s are replaced (interpolation = none takes "
                   "them literally)",
                   where, found->key, problem);
    }
  rack_wipe (expansion.text.data, expansion.text.size);
  g_free (expansion.text.data);
  return value;
}
