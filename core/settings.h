/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * settings.h - what core itself reads of an account's section
 *
 * Filled from core's own table (settings.c) with the shorthands (ssl, starttls,
 * oauth2, stream) already turned into the names of plugins. */
#pragma once

#include <mailrack/mailrack.h>

typedef struct
{
  char *host;             /* NULL when not set */
  char *username;         /* NULL when not set */
  gint64 port;            /* 0: the transport's default */
  gint64 timeout;         /* milliseconds */
  gint64 connect_timeout; /* milliseconds, from name resolution to the end of login */
  gint64 idle_refresh;    /* milliseconds */
  gint64 connections;     /* at least 1 */
  gboolean read_only;
  char **disable_extensions;  /* NULL-terminated or NULL */
  char **auth_mechanisms;     /* NULL-terminated or NULL */
  char *transport;            /* a plugin's name or path */
  char *auth;                 /* a plugin's name or path */
  gboolean cleartext_allowed; /* the user wrote "ssl = false" or "transport = plain" */
} RackAccountSettings;

/* account NULL: DEFAULT. FALSE with RACK_ERROR_CONFIG. Free with rack_account_settings_clear(). */
gboolean rack_config_resolve (RackConfig *config, const char *account,
                              RackAccountSettings *settings, GError **error);
void rack_account_settings_clear (RackAccountSettings *settings);
