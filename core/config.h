/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * config.h - the settings of accounts: where each comes from, and what it says
 *
 * A value is looked for in layers: what the program's user said on the command line, the
 * account's section, DEFAULT. Which keys exist is config-check.c's, which of the plugins
 * they choose settings.h's. */
#pragma once

#include <mailrack/mailrack.h>
#include <sys/stat.h>

#include "inifile.h"

#define RACK_CONFIG_DEFAULT "DEFAULT"

/* Nearest first. */
typedef enum
{
  RACK_LAYER_COMMAND_LINE,
  RACK_LAYER_ACCOUNT,
  RACK_LAYER_DEFAULT,
  RACK_N_LAYERS,
} RackLayer;

typedef struct
{
  char *key;
  RackSecret *value;
  char *origin;
} RackOverride;

struct RackConfig
{
  char *file; /* as messages name it; NULL when there is none */
  RackIni *ini;
  GPtrArray *overrides; /* element-type RackOverride */
  char **accounts;
};

/* A value as it was found: borrowed from the config. */
typedef struct RackFound
{
  RackLayer layer;
  const char *key;
  const RackSecret *raw;
  const char *origin; /* "-P", or NULL for the file */
  guint line;         /* of the file */
} RackFound;

/* FALSE: no such key, or it is empty, which is how a section undoes what DEFAULT says. */
gboolean rack_config_find (RackConfig *config, const char *account, const char *key,
                           RackFound *found);
/* The same in one layer; an empty value is found. */
gboolean rack_config_find_in (RackConfig *config, const char *account, RackLayer layer,
                              const char *key, RackFound *found);
/* "config.ini:12" or "-P". Returns: (owned) */
char *rack_config_where (RackConfig *config, const RackFound *found);
/* The value with %(key)s and %% replaced, unless "interpolation = none". used (may be NULL)
 * collects the keys (borrowed) that took part. Returns: (owned) or NULL with error set. */
RackSecret *rack_config_expand (RackConfig *config, const char *account, const RackFound *found,
                                GPtrArray *used, GError **error);
/* Stores found's value in data by param. The error begins with the place. */
gboolean rack_config_store (RackConfig *config, const char *account, const RackFound *found,
                            const RackParam *param, gpointer data, GError **error);

/* "ssl =" says nothing that could be meant and is an error; "password =" undoes an inherited
 * one. Whether an empty value of param does. */
gboolean rack_config_empty_unsets (const RackParam *param);

/* Whether there is such an account (NULL and "DEFAULT" are). The error suggests one. */
gboolean rack_config_check_account (RackConfig *config, const char *account, GError **error);
/* "config.ini: account work", for messages about what is not there. Returns: (owned) */
char *rack_config_subject (RackConfig *config, const char *account);

/* ---- config-check.c ------------------------------------------------------ */

/* Every key known, every value of its type, no contradictions. */
gboolean rack_config_check (RackConfig *config, GError **error);
/* Whether others could change the file, or read the secrets in it. */
gboolean rack_config_check_mode (RackConfig *config, const struct stat *status, GError **error);
/* The table that declares key as account sees it: core's, the mount's, those of its own
 * plugins, then of any that is installed. owner (may be NULL) becomes "core",
 * "auth-password", ... (static). Returns: (borrowed for ever), or NULL: nobody does. */
const RackParam *rack_config_declared (RackConfig *config, const char *account, const char *key,
                                       const char **owner);
/* Says that nobody declares key, and which one may be meant. where is "config.ini:12".
 * Returns: FALSE. */
gboolean rack_config_unknown_key (RackConfig *config, const char *key, const char *where,
                                  GError **error);
/* The word of the list nearest to one that is mistyped, or NULL when none is near. */
const char *rack_nearest_word (const char *mistyped, const char *const *words);
