/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * settings.h - what core reads of an account, and which plugins it chooses
 *
 * The account code gets everything that an INI file or a command line says from here. */
#pragma once

#include <mailrack/mailrack.h>

#include "config.h"
#include "plugin.h"

typedef enum
{
  RACK_INTERPOLATION_BASIC, /* %% and %(key)s, as Python's configparser has them */
  RACK_INTERPOLATION_NONE,
} RackInterpolation;

/* Core's own keys as the table of rack_core_params() fills them. Everything in it belongs to it. */
typedef struct
{
  char *host;     /* NULL when not set, and when it is the command of a tunnel (stream = true) */
  char *username; /* NULL when not set */
  gint64 port;    /* 0: the transport's default */
  gint64 timeout; /* milliseconds, as all durations here; 0 = none */
  gint64 connect_timeout; /* from name resolution to the end of login; 0 = none */
  gint64 idle_refresh;
  gint64 connections;        /* at least 1 */
  char **auth_mechanisms;    /* in the order named, upper case; NULL when not set */
  char **disable_extensions; /* upper case; NULL when not set */
  gboolean read_only;
  char *transport, *auth;     /* a plugin's name, or its path when there is a "/"; never NULL */
  gboolean cleartext_allowed; /* the user wrote "ssl = false" or "transport = plain" */
  /* Only for the table: they have become the above, or are read elsewhere. */
  gboolean ssl, starttls, stream, oauth2;
  char *expect_failure;
  RackInterpolation interpolation;
} RackAccountSettings;

/* Fills settings (whatever was in it is not freed) for an account; NULL: DEFAULT. Opens no
 * plugin. FALSE: settings is unchanged. Clear it with rack_account_settings_clear(). */
gboolean rack_config_resolve (RackConfig *config, const char *account,
                              RackAccountSettings *settings, GError **error);
void rack_account_settings_clear (RackAccountSettings *settings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RackAccountSettings, rack_account_settings_clear)

/* Opens the plugin that an account chooses. Returns: (borrowed for ever); the error begins with
 * the line that names it. */
const RackPlugin *rack_config_open_plugin (RackConfig *config, const char *account,
                                           RackPluginKind kind, GError **error);
/* ---- For config*.c ------------------------------------------------------- */

/* The name (or path) of the plugin that an account chooses. found (may be NULL): what chose
 * it; its raw is NULL when no one key did. Returns: (owned) or NULL with error set. */
char *rack_config_plugin_name (RackConfig *config, const char *account, RackPluginKind kind,
                               RackFound *found, GError **error);
/* Whether two keys of one section contradict each other about a plugin. */
gboolean rack_config_check_section (RackConfig *config, const char *account, GError **error);
/* Whether host is a command, which the tunnel reads as tunnel_command. */
gboolean rack_config_host_is_command (RackConfig *config, const char *account);
