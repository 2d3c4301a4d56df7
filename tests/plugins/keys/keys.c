/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * keys.c - plugins that only declare keys
 *
 * The tests of configuration need plugins of the usual names with the usual keys, and
 * nothing of what those plugins do. Built once for each, with -DKEYS_NAME. */
#include <mailrack/mailrack-plugin.h>

typedef struct
{
  RackSecret *password, *oauth2_client_secret, *oauth2_refresh_token;
  char *password_file, *oauth2_client_id, *ssl_ca_file;
  char **password_command, **tunnel_command;
  gboolean ssl_check_hostname, ssl_verify_cert;
} Config;

static const RackParam params[] = {
#if defined(KEYS_PASSWORD)
  RACK_PARAM (Config, password, "password", SECRET, OPTIONAL, NULL, "The password."),
  RACK_PARAM (Config, password_file, "password_file", PATH, OPTIONAL, NULL, "Its file."),
  RACK_PARAM (Config, password_command, "password_command", COMMAND, OPTIONAL, NULL,
              "It prints it."),
#elif defined(KEYS_OAUTH2)
  RACK_PARAM (Config, oauth2_client_id, "oauth2_client_id", STRING, OPTIONAL, NULL, "The client."),
  RACK_PARAM (Config, oauth2_client_secret, "oauth2_client_secret", SECRET, OPTIONAL, NULL,
              "Its secret."),
  RACK_PARAM (Config, oauth2_refresh_token, "oauth2_refresh_token", SECRET, OPTIONAL, NULL,
              "The token."),
#elif defined(KEYS_TUNNEL)
  RACK_PARAM (Config, tunnel_command, "tunnel_command", COMMAND, REQUIRED, NULL, "It talks IMAP."),
#elif defined(KEYS_TLS)
  RACK_PARAM (Config, ssl_ca_file, "ssl_ca_file", PATH, OPTIONAL, NULL, "Whom to trust."),
  RACK_PARAM (Config, ssl_verify_cert, "ssl_verify_cert", BOOL, OPTIONAL, "true", "It is valid."),
  RACK_PARAM (Config, ssl_check_hostname, "ssl_check_hostname", BOOL, OPTIONAL, "true", "It fits."),
#endif
  RACK_PARAM_END,
};

static const RackPluginInfo info = { RACK_PLUGIN_INFO, KEYS_NAME,      "Keys for the tests", "1",
                                     params,           sizeof (Config) };

#if defined(KEYS_PASSWORD) || defined(KEYS_OAUTH2)

static gpointer
start (gpointer account, const RackMechanism *mechanism, const RackPeer *peer, const RackWait *wait,
       GError **error)
{
  return account;
}

static gboolean
step (gpointer attempt, GBytes *challenge, RackSecret **response, const RackWait *wait,
      GError **error)
{
  return TRUE;
}

static const RackMechanism mechanisms[] = { { "PLAIN", RACK_MECHANISM_PLAIN_TEXT }, { NULL, 0 } };
static const RackAuthPlugin plugin = {
  .info = &info,
  .mechanisms = mechanisms,
  .mechanism_size = sizeof (RackMechanism),
  .start = start,
  .step = step,
};
RACK_REGISTER_AUTH (plugin)

#else

static RackStream *
connect_nowhere (gpointer self, const RackPeer *peer, const RackWait *wait, GError **error)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK, "this plugin only has keys");
  return NULL;
}

static const RackTransportPlugin plugin = { .info = &info, .connect = connect_nowhere };
RACK_REGISTER_TRANSPORT (plugin)

#endif
