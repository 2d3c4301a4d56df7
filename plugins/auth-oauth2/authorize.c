/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * authorize.c - the first refresh token of an account, got from its provider and kept
 *
 * Kept where rotated tokens are (state.c), so that the configuration needs none; the access token
 * that came with it is let go, since the next login gets its own. */
#include "oauth2.h"

static gboolean
fail (GError **error, RackError code, const char *text)
{
  g_set_error_literal (error, RACK_ERROR, code, text);
  return FALSE;
}

static gboolean
choose_flow (const Config *config, const RackPeer *peer, Flow *flow, GError **error)
{
  g_autofree char *token = provider_url (config, peer->host, URL_TOKEN);
  g_autofree char *browser = provider_url (config, peer->host, URL_AUTH);
  g_autofree char *device = provider_url (config, peer->host, URL_DEVICE);

  *flow = config->flow != FLOW_AUTO ? config->flow : browser != NULL ? FLOW_BROWSER : FLOW_DEVICE;
  if (token != NULL && (*flow == FLOW_BROWSER ? browser : device) != NULL)
    return TRUE;
  return fail (error, RACK_ERROR_CONFIG,
               "where to get a token is not known: set oauth2_provider (google, microsoft, yahoo, "
               "fastmail), or oauth2_token_url with oauth2_auth_url or oauth2_device_url");
}

static gboolean
check (const Config *config, const RackPeer *peer, GError **error)
{
  if (config->token_command != NULL && config->token_command[0] != NULL)
    return fail (error, RACK_ERROR_UNSUPPORTED,
                 "tokens are got by oauth2_token_command: there is nothing to authorize here");
  if (peer->user == NULL || *peer->user == '\0')
    return fail (error, RACK_ERROR_CONFIG,
                 "OAuth2 needs username: the identity the token belongs to");
  if (config->client_id == NULL || *config->client_id == '\0')
    return fail (error, RACK_ERROR_CONFIG,
                 "OAuth2 needs oauth2_client_id: the application, as it is registered at the "
                 "provider");
  return TRUE;
}

static gboolean
keep (const Config *config, RackHost *host, const RackPeer *peer, const RackWait *wait,
      const RackSecret *token, GError **error)
{
  g_autofree char *url = provider_url (config, peer->host, URL_TOKEN);
  g_autoptr (RackSecret) configured = token_configured (config);
  g_autoptr (State) state = state_open (host, peer->user, url, config->client_id, wait, error);

  return state != NULL && state_save (state, configured, token, error);
}

gboolean
oauth2_authorize (gconstpointer data, RackHost *host, const RackPeer *peer, const RackWait *wait,
                  GError **error)
{
  const Config *config = data;
  g_auto (Grant) grant = { 0 };
  Flow flow;

  if (!check (config, peer, error) || !choose_flow (config, peer, &flow, error)
      || !(flow == FLOW_BROWSER ? flow_browser : flow_device) (config, host, peer, wait, &grant,
                                                               error))
    return FALSE;
  if (grant.refresh_token == NULL)
    return fail (error, RACK_ERROR_AUTH,
                 "the provider gave no token to keep: oauth2_scope may have to ask for it "
                 "(offline_access)");
  return keep (config, host, peer, wait, grant.refresh_token, error);
}
