/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plugin.h - plugins as core uses them
 *
 * A plugin's own structs may be older (shorter) or newer (longer) than core's. Here they are
 * copied once into core's shape, so that nobody else has to think of sizes. */
#pragma once

#include <mailrack/mailrack.h>

typedef struct
{
  RackPluginKind kind;
  char *file;          /* absolute */
  char *label;         /* "auth-password" */
  RackPluginInfo info; /* .params has core's stride; NULL for none */
  union
  {
    RackAuthPlugin auth; /* .mechanisms has core's stride; .info is the one above */
    RackTransportPlugin transport;
  };
} RackPlugin;

/* Opens a plugin by its name or, when it has a "/", its path; checks it, and keeps it for the
 * life of the process. Any thread. Returns: (borrowed for ever), or NULL with
 * RACK_ERROR_PLUGIN, which says which file and why. */
const RackPlugin *rack_plugin_open (RackPluginKind kind, const char *name, GError **error);
/* Every plugin of the search path that can be used, those found first first; never fails.
 * Returns: (owned container, element-type const RackPlugin) */
GPtrArray *rack_plugins_installed (void);

/* ---- plugin-search.c: where plugins are ---------------------------------- */

/* The directories, in order. Returns: (owned, element-type char) */
GPtrArray *rack_plugin_directories (void);
/* The files in them that are called like plugins, or those that nearly are and can never be found
 * by a name ("mailrack-auth-my_own.so"). Returns: (owned, element-type char) */
GPtrArray *rack_plugin_files (gboolean misnamed);
/* "auth" or "transport". */
const char *rack_plugin_kind_name (RackPluginKind kind);
/* Whether a file is called like a plugin; *name (may be NULL) is in path, *size long. */
gboolean rack_plugin_file_name (const char *path, RackPluginKind *kind, const char **name,
                                gsize *size);
/* The file of a plugin. Returns: (owned) or NULL with error set. */
char *rack_plugin_find (RackPluginKind kind, const char *name, GError **error);
/* Whether a file may be loaded: a regular file that, as its directory, belongs to root or the
 * user and cannot be written by others. Returns: (owned) its real path. */
char *rack_plugin_check_file (const char *path, GError **error);

/* ---- plugin-shape.c: what is in them -------------------------------------- */

/* Brings what a plugin registered into core's shape. plugin: .kind, .file and .label are set on
 * success. FALSE: RACK_ERROR_PLUGIN says what is wrong, without the file. */
RackPlugin *rack_plugin_adopt (const RackPluginEntry *entry, const char *file, GError **error);
