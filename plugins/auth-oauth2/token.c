/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * token.c - which access token is good, and how to get one
 *
 * From the configuration as it is, from a command, or from the provider's token endpoint
 * (RFC 6749 §6). Renewed a while before it expires, and when the server did not take it.
 * What a provider says is checked before it goes anywhere; a first token is not got here. */
#include "oauth2.h"

#include <string.h>
#include <time.h>

#define MAX_TOKEN        (64 * 1024)
/* What providers give when they do not say. */
#define DEFAULT_LIFETIME 3600

typedef struct
{
  const char *token_url;
  const char *scope;
  const char *imap_host; /* suffix of the account's host */
} Preset;

static const Preset presets[] = {
  [PROVIDER_AUTO] = { NULL, NULL, NULL },
  [PROVIDER_GENERIC] = { NULL, NULL, NULL },
  [PROVIDER_GOOGLE] = { "https://oauth2.googleapis.com/token", "https://mail.google.com/",
                        "imap.gmail.com" },
  [PROVIDER_MICROSOFT] = { "https://login.microsoftonline.com/%s/oauth2/v2.0/token",
                           "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
                           "outlook.office365.com" },
  [PROVIDER_YAHOO] = { "https://api.login.yahoo.com/oauth2/get_token", "mail-w",
                       "imap.mail.yahoo.com" },
  [PROVIDER_FASTMAIL] = { "https://api.fastmail.com/oauth/refresh",
                          "https://www.fastmail.com/dev/protocol-imap", "imap.fastmail.com" },
};

/* In the order of the enum. */
static const char *const provider_names[] = { "auto",  "generic",  "google", "microsoft",
                                              "yahoo", "fastmail", NULL };

const RackParam oauth2_params[] = {
  RACK_PARAM_ENUM (Config, provider, "oauth2_provider", provider_names, OPTIONAL, "auto",
                   "Whose tokens: google, microsoft, yahoo, fastmail, generic with URLs of your "
                   "own, or auto: found out from host."),
  RACK_PARAM (Config, client_id, "oauth2_client_id", STRING, OPTIONAL, NULL,
              "The id of the application at the provider."),
  RACK_PARAM (Config, client_secret, "oauth2_client_secret", SECRET, OPTIONAL, NULL,
              "The secret of the application, if the provider gave it one."),
  RACK_PARAM (Config, refresh_token, "oauth2_refresh_token", SECRET, OPTIONAL, NULL,
              "The token that access tokens are got with."),
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

gint64
token_clock (void)
{
  struct timespec now;

  clock_gettime (CLOCK_BOOTTIME, &now);
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* ---- What the configuration gives ---------------------------------------------------- */

static gboolean
is_set (const RackSecret *secret)
{
  return secret != NULL && rack_secret_size (secret) > 0;
}

static gboolean
has_command (const Config *config)
{
  return config->token_command != NULL && config->token_command[0] != NULL;
}

gboolean
token_check (const Config *config, GError **error)
{
  if (has_command (config) || is_set (config->access_token))
    return TRUE;
  if (!is_set (config->refresh_token))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CONFIG,
                         "OAuth2 needs oauth2_refresh_token (with oauth2_client_id) or "
                         "oauth2_token_command; the first token comes from the provider");
  else if (config->client_id == NULL || *config->client_id == '\0')
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CONFIG,
                         "oauth2_refresh_token needs oauth2_client_id, the application it was "
                         "given to");
  else
    return TRUE;
  return FALSE;
}

gboolean
token_can_renew (const Token *token)
{
  return has_command (token->config) || is_set (token->config->refresh_token);
}

static Provider
find_provider (const Config *config, const char *host)
{
  if (config->provider != PROVIDER_AUTO)
    return config->provider;
  for (guint i = PROVIDER_GOOGLE; i < G_N_ELEMENTS (presets); i++)
    if (g_ascii_strcasecmp (host, presets[i].imap_host) == 0)
      return (Provider) i;
  return PROVIDER_GENERIC;
}

static char *
find_url (const Config *config, const char *host, GError **error)
{
  const Preset *preset = &presets[find_provider (config, host)];

  if (config->token_url != NULL && *config->token_url != '\0')
    return g_strdup (config->token_url);
  if (preset->token_url == NULL)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CONFIG,
                           "OAuth2 needs oauth2_provider (google, microsoft, yahoo, fastmail) or "
                           "oauth2_token_url to renew its token");
      return NULL;
    }
  if (preset == &presets[PROVIDER_MICROSOFT])
    {
      g_autofree char *tenant = g_uri_escape_string (config->tenant, NULL, FALSE);
      return g_strdup_printf ("https://login.microsoftonline.com/%s/oauth2/v2.0/token", tenant);
    }
  return g_strdup (preset->token_url);
}

/* ---- Access tokens --------------------------------------------------------------------- */

static gboolean
take (Token *token, RackSecret *access, gint64 lifetime, GError **error)
{
  if (!token_is_bearer (access))
    {
      rack_secret_free (access);
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_AUTH,
                           "what came is not a bearer token (letters, digits and -._~+/= alone)");
      return FALSE;
    }
  rack_secret_free (token->access);
  token->access = access;
  token->generation++;
  token->refused = FALSE;
  /* Expiry less 300 s or a tenth, whichever is more. */
  token->renew_at = lifetime <= 0
                        ? G_MAXINT64
                        : token_clock () + (lifetime - MAX (300, lifetime / 10)) * G_USEC_PER_SEC;
  return TRUE;
}

static gboolean
run_command (Token *token, const RackWait *wait, GError **error)
{
  RackSecret *access =
      rack_host_run (token->host, (const char *const *) token->config->token_command, wait, error);

  /* Its lifetime is not known, so the command is asked for every login. */
  if (access == NULL || !take (token, access, 1, error))
    {
      g_prefix_error (error, "oauth2_token_command: ");
      return FALSE;
    }
  return TRUE;
}

/* ---- The token endpoint ------------------------------------------------------------------ */

static void
add_field (GString *form, const char *name, const char *value)
{
  char *escaped = g_uri_escape_string (value, NULL, FALSE);

  g_string_append_printf (form, "%s%s=%s", form->len > 0 ? "&" : "", name, escaped);
  explicit_bzero (escaped, strlen (escaped));
  g_free (escaped);
}

static RackSecret *
make_form (const Config *config, const char *host, const RackSecret *refresh_token)
{
  const char *scope =
      config->scope != NULL ? config->scope : presets[find_provider (config, host)].scope;
  /* Large enough not to be moved, which would leave copies behind: every octet may be "%XX". */
  gsize secrets = rack_secret_size (refresh_token)
                  + (config->client_secret != NULL ? rack_secret_size (config->client_secret) : 0);
  GString *form = g_string_sized_new (
      3 * (secrets + strlen (config->client_id) + (scope != NULL ? strlen (scope) : 0)) + 256);

  add_field (form, "grant_type", "refresh_token");
  add_field (form, "refresh_token", rack_secret_peek (refresh_token));
  add_field (form, "client_id", config->client_id);
  if (is_set (config->client_secret))
    add_field (form, "client_secret", rack_secret_peek (config->client_secret));
  if (scope != NULL && *scope != '\0')
    add_field (form, "scope", scope);
  RackSecret *secret = rack_secret_new (form->str, (gssize) form->len);
  explicit_bzero (form->str, form->len);
  g_string_free (form, TRUE);
  return secret;
}

/* Before anything uses it: if we end now, the next process must find it. */
static void
keep_rotated (Token *token, State *state, const RackSecret *used, const RackSecret *fresh)
{
  g_autoptr (GError) trouble = NULL;

  if (strcmp (rack_secret_peek (fresh), rack_secret_peek (used)) == 0)
    return;
  g_clear_pointer (&token->rotated, rack_secret_free);
  if (state_save (state, token->config->refresh_token, fresh, &trouble))
    return;
  g_autofree char *text =
      g_strdup_printf ("warning: the new refresh token cannot be saved, so you may have to "
                       "authorize again: %s",
                       trouble->message);
  token->rotated = rack_secret_copy (fresh);
  rack_host_tell (token->host, text);
}

static gboolean
use_answer (Token *token, State *state, const RackSecret *used, const HttpAnswer *answer,
            GError **error)
{
  g_auto (Grant) grant = { 0 };

  if (!grant_read (&grant, answer, error))
    return FALSE;
  if (grant.refresh_token != NULL)
    keep_rotated (token, state, used, grant.refresh_token);
  return take (token, g_steal_pointer (&grant.access_token),
               grant.lifetime > 0 ? grant.lifetime : DEFAULT_LIFETIME, error);
}

static gboolean
refresh (Token *token, const RackPeer *peer, const RackWait *wait, GError **error)
{
  const Config *config = token->config;
  g_autofree char *url = find_url (config, peer->host, error);
  g_auto (HttpAnswer) answer = { 0 };

  if (url == NULL)
    return FALSE;
  g_autoptr (State) state =
      state_open (token->host, peer->user, url, config->client_id, wait, error);
  if (state == NULL)
    return FALSE;
  g_autoptr (RackSecret) used = token->rotated != NULL ? rack_secret_copy (token->rotated)
                                                       : state_load (state, config->refresh_token);
  if (used == NULL)
    used = rack_secret_copy (config->refresh_token);
  g_autoptr (RackSecret) form = make_form (config, peer->host, used);
  return http_post (url, form, config->ca_file, wait, &answer, error)
         && use_answer (token, state, used, &answer, error);
}

/* ---- Use ------------------------------------------------------------------------------------ */

gboolean
token_ensure (Token *token, const RackPeer *peer, const RackWait *wait, GError **error)
{
  const Config *config = token->config;

  if (token->access != NULL && !token->refused && token_clock () < token->renew_at)
    return TRUE;
  if (has_command (config))
    return run_command (token, wait, error);
  if (is_set (config->access_token) && (token->access == NULL || !is_set (config->refresh_token)))
    {
      if (take (token, rack_secret_copy (config->access_token), 0, error))
        return TRUE;
      g_prefix_error (error, "oauth2_access_token: ");
      return FALSE;
    }
  if (refresh (token, peer, wait, error))
    return TRUE;
  g_prefix_error (error, "OAuth2: ");
  return FALSE;
}

void
token_clear (Token *token)
{
  g_clear_pointer (&token->access, rack_secret_free);
  g_clear_pointer (&token->rotated, rack_secret_free);
}
