/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * token.c - which access token is good, and how to get one
 *
 * From the configuration as it is, from a command, or from the provider's token endpoint
 * (RFC 6749 §6). Renewed a while before it expires, and when the server did not take it.
 * What a provider says is checked before it goes anywhere; the first one is got by authorize.c. */
#include "oauth2.h"

#include <string.h>
#include <time.h>

#define MAX_TOKEN        (64 * 1024)
/* What providers give when they do not say. */
#define DEFAULT_LIFETIME 3600

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
  if (has_command (config) || is_set (config->access_token)
      || (config->client_id != NULL && *config->client_id != '\0'))
    return TRUE;
  if (is_set (config->refresh_token))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CONFIG,
                         "oauth2_refresh_token needs oauth2_client_id, the application it was "
                         "given to");
  else
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CONFIG,
                         "OAuth2 needs oauth2_client_id, the application that the token is for "
                         "(and then \"mailrack authorize\" or oauth2_refresh_token), or "
                         "oauth2_token_command");
  return FALSE;
}

RackSecret *
token_configured (const Config *config)
{
  return is_set (config->refresh_token) ? rack_secret_copy (config->refresh_token)
                                        : rack_secret_new ("", 0);
}

gboolean
token_can_renew (const Token *token)
{
  return has_command (token->config) || token->config->client_id != NULL;
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

static RackSecret *
make_form (const Config *config, const char *host, const RackSecret *refresh_token)
{
  const char *scope = provider_scope (config, host);
  Form *form = form_new ();

  form_add (form, "grant_type", "refresh_token");
  form_add_secret (form, "refresh_token", refresh_token);
  form_add_client (form, config);
  if (scope != NULL && *scope != '\0')
    form_add (form, "scope", scope);
  return form_finish (form);
}

/* Before anything uses it: if we end now, the next process must find it. */
static void
keep_rotated (Token *token, State *state, const RackSecret *used, const RackSecret *fresh)
{
  g_autoptr (GError) trouble = NULL;

  if (strcmp (rack_secret_peek (fresh), rack_secret_peek (used)) == 0)
    return;
  g_clear_pointer (&token->rotated, rack_secret_free);
  g_autoptr (RackSecret) configured = token_configured (token->config);
  if (state_save (state, configured, fresh, &trouble))
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
  g_autofree char *url = provider_url (config, peer->host, URL_TOKEN);
  g_auto (HttpAnswer) answer = { 0 };

  if (url == NULL)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CONFIG,
                           "OAuth2 needs oauth2_provider (google, microsoft, yahoo, fastmail) or "
                           "oauth2_token_url to renew its token");
      return FALSE;
    }
  g_autoptr (RackSecret) configured = token_configured (config);
  g_autoptr (State) state =
      state_open (token->host, peer->user, url, config->client_id, wait, error);
  if (state == NULL)
    return FALSE;
  g_autoptr (RackSecret) used =
      token->rotated != NULL ? rack_secret_copy (token->rotated) : state_load (state, configured);
  if (used == NULL && is_set (config->refresh_token))
    used = rack_secret_copy (config->refresh_token);
  if (used == NULL)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_AUTH,
                           "there is no refresh token yet: run \"mailrack authorize\" for this "
                           "account, or write one into oauth2_refresh_token");
      return FALSE;
    }
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
