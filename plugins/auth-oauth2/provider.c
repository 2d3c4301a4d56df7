/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * provider.c - the keys of auth-oauth2, and what is known of providers
 *
 * Addresses and scopes as the providers document them. Nothing is asked or sent here. */
#include "oauth2.h"

typedef struct
{
  const char *urls[3]; /* by UrlKind; "%s" is the tenant */
  const char *scope;
  const char *imap_host; /* suffix of the account's host */
} Preset;

static const Preset presets[] = {
  [PROVIDER_AUTO] = { { NULL, NULL, NULL }, NULL, NULL },
  [PROVIDER_GENERIC] = { { NULL, NULL, NULL }, NULL, NULL },
  /* Google's code to enter is not for mail. */
  [PROVIDER_GOOGLE] = { { "https://oauth2.googleapis.com/token",
                          "https://accounts.google.com/o/oauth2/v2/auth", NULL },
                        "https://mail.google.com/",
                        "imap.gmail.com" },
  [PROVIDER_MICROSOFT] = { { "https://login.microsoftonline.com/%s/oauth2/v2.0/token",
                             "https://login.microsoftonline.com/%s/oauth2/v2.0/authorize",
                             "https://login.microsoftonline.com/%s/oauth2/v2.0/devicecode" },
                           "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
                           "outlook.office365.com" },
  [PROVIDER_YAHOO] = { { "https://api.login.yahoo.com/oauth2/get_token",
                         "https://api.login.yahoo.com/oauth2/request_auth", NULL },
                       "mail-w",
                       "imap.mail.yahoo.com" },
  [PROVIDER_FASTMAIL] = { { "https://api.fastmail.com/oauth/refresh",
                            "https://api.fastmail.com/oauth/authorize", NULL },
                          "https://www.fastmail.com/dev/protocol-imap",
                          "imap.fastmail.com" },
};

/* In the order of the enum. */
static const char *const provider_names[] = { "auto",  "generic",  "google", "microsoft",
                                              "yahoo", "fastmail", NULL };

/* In the order of the enum. */
static const char *const flow_names[] = { "auto", "browser", "device", NULL };

const RackParam oauth2_params[] = {
  RACK_PARAM_ENUM (Config, provider, "oauth2_provider", provider_names, OPTIONAL, "auto",
                   "Whose tokens: google, microsoft, yahoo, fastmail, generic with URLs of your "
                   "own, or auto: found out from host."),
  RACK_PARAM (Config, client_id, "oauth2_client_id", STRING, OPTIONAL, NULL,
              "The id of the application at the provider."),
  RACK_PARAM (Config, client_secret, "oauth2_client_secret", SECRET, OPTIONAL, NULL,
              "The secret of the application, if the provider gave it one."),
  RACK_PARAM (Config, refresh_token, "oauth2_refresh_token", SECRET, OPTIONAL, NULL,
              "The token that access tokens are got with; mailrack authorize gets and keeps one."),
  RACK_PARAM_ENUM (Config, flow, "oauth2_flow", flow_names, OPTIONAL, "auto",
                   "How mailrack authorize gets the first token: in a browser on this machine, "
                   "by a code to enter in any browser (device), or auto: what the provider has."),
  RACK_PARAM (Config, auth_url, "oauth2_auth_url", STRING, OPTIONAL, NULL,
              "Where a person allows access (https); known for the named providers."),
  RACK_PARAM (Config, device_url, "oauth2_device_url", STRING, OPTIONAL, NULL,
              "Where a code to enter is got (https); known where a provider has that."),
  RACK_PARAM (Config, token_url, "oauth2_token_url", STRING, OPTIONAL, NULL,
              "Where access tokens are got (https); known for the named providers."),
  RACK_PARAM (Config, scope, "oauth2_scope", STRING, OPTIONAL, NULL,
              "What access to ask for; known for the named providers."),
  RACK_PARAM (Config, tenant, "oauth2_tenant", STRING, OPTIONAL, "common",
              "The tenant in Microsoft's addresses."),
  RACK_PARAM (Config, token_command, "oauth2_token_command", COMMAND, OPTIONAL, NULL,
              "A command that prints an access token on its first line, instead of all that."),
  RACK_PARAM (Config, access_token, "oauth2_access_token", SECRET, OPTIONAL, NULL,
              "An access token to use as it is, for as long as it lasts."),
  RACK_PARAM (Config, ca_file, "oauth2_ca_file", PATH, OPTIONAL, NULL,
              "Trust the authorities in this PEM file at the token endpoint."),
  RACK_PARAM_END,
};

Provider
provider_find (const Config *config, const char *host)
{
  if (config->provider != PROVIDER_AUTO)
    return config->provider;
  for (guint i = PROVIDER_GOOGLE; i < G_N_ELEMENTS (presets); i++)
    if (g_ascii_strcasecmp (host, presets[i].imap_host) == 0)
      return (Provider) i;
  return PROVIDER_GENERIC;
}

const char *
provider_scope (const Config *config, const char *host)
{
  return config->scope != NULL ? config->scope : presets[provider_find (config, host)].scope;
}

char *
provider_url (const Config *config, const char *host, UrlKind kind)
{
  const char *const configured[] = { config->token_url, config->auth_url, config->device_url };
  const char *known = presets[provider_find (config, host)].urls[kind];

  if (configured[kind] != NULL && *configured[kind] != '\0')
    return g_strdup (configured[kind]);
  if (known == NULL)
    return NULL;
  g_auto (GStrv) halves = g_strsplit (known, "%s", 2);
  g_autofree char *tenant = g_uri_escape_string (config->tenant, NULL, FALSE);
  return halves[1] != NULL ? g_strconcat (halves[0], tenant, halves[1], NULL) : g_strdup (known);
}
