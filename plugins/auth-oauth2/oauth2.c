/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * auth = oauth2: bearer tokens by OAUTHBEARER (RFC 7628) or XOAUTH2
 *
 * The two messages and the dialogue when the server does not take one. Where tokens come
 * from is in token.c. A token goes over verified TLS or a tunnel alone: core sees to it. */
#include "oauth2.h"

#include <string.h>

static const RackMechanism mechanisms[] = {
  { "OAUTHBEARER", RACK_MECHANISM_PLAIN_TEXT | RACK_MECHANISM_NEEDS_TLS },
  { "XOAUTH2", RACK_MECHANISM_PLAIN_TEXT | RACK_MECHANISM_NEEDS_TLS },
  { NULL, (RackMechanismFlags) 0 },
};

typedef struct
{
  Token *token;
  RackSecret *message; /* until it is sent */
  gboolean xoauth2;
  guint generation; /* of the token in the message */
} Attempt;

/* RFC 5801 §4: "," and "=" have a meaning in an authorization identity. */
static char *
escape_identity (const char *user)
{
  GString *out = g_string_new (NULL);

  for (; *user != '\0'; user++)
    if (*user == ',' || *user == '=')
      g_string_append (out, *user == ',' ? "=2C" : "=3D");
    else
      g_string_append_c (out, *user);
  return g_string_free (out, FALSE);
}

static RackSecret *
make_message (const char *mechanism, const RackPeer *peer, const RackSecret *access)
{
  const char *token = rack_secret_peek (access);

  if (strcmp (mechanism, "XOAUTH2") == 0)
    return rack_secret_printf ("user=%s\001auth=Bearer %s\001\001", peer->user, token);
  g_autofree char *identity = escape_identity (peer->user);
  return rack_secret_printf ("n,a=%s,\001host=%s\001port=%u\001auth=Bearer %s\001\001", identity,
                             peer->host, peer->port, token);
}

static gboolean
check_user (const RackPeer *peer, GError **error)
{
  if (peer->user == NULL || *peer->user == '\0')
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CONFIG,
                         "OAuth2 needs username: the identity the token belongs to");
  else if (strchr (peer->user, '\001') != NULL)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INVALID,
                         "the user name holds a control character that OAuth2 cannot send");
  else
    return TRUE;
  return FALSE;
}

static gpointer
oauth2_start (gpointer data, const RackMechanism *mechanism, const RackPeer *peer,
              const RackWait *wait, GError **error)
{
  Token *token = data;

  if (!check_user (peer, error) || !token_ensure (token, peer, wait, error))
    return NULL;
  Attempt *self = g_new0 (Attempt, 1);
  self->token = token;
  self->message = make_message (mechanism->name, peer, token->access);
  self->xoauth2 = strcmp (mechanism->name, "XOAUTH2") == 0;
  self->generation = token->generation;
  return self;
}

/* A challenge after the message is the server's report of what it does not like, in JSON.
 * It says NO when it has got the answer it wants: ^A, or nothing for XOAUTH2. */
static gboolean
oauth2_step (gpointer data, GBytes *challenge, RackSecret **response, const RackWait *wait,
             GError **error)
{
  Attempt *self = data;

  if (self->message != NULL)
    *response = g_steal_pointer (&self->message);
  else
    *response = rack_secret_new (self->xoauth2 ? "" : "\001", -1);
  return TRUE;
}

/* The renewal itself is start's, which can say what went wrong with it. */
static RackAuthVerdict
oauth2_rejected (gpointer data, const char *code, const char *text, const RackWait *wait)
{
  Attempt *self = data;
  Token *token = self->token;

  /* Another connection may have renewed it since we read ours. */
  if (token->generation != self->generation)
    return RACK_AUTH_RETRY;
  token->refused = TRUE;
  return token_can_renew (token) ? RACK_AUTH_RETRY : RACK_AUTH_GIVE_UP;
}

static void
oauth2_end (gpointer data)
{
  Attempt *self = data;

  rack_secret_free (self->message);
  g_free (self);
}

static gpointer
oauth2_open (gconstpointer config, RackHost *host, GError **error)
{
  if (!token_check (config, error))
    return NULL;
  Token *token = g_new0 (Token, 1);
  token->config = config;
  token->host = host;
  return token;
}

static void
oauth2_close (gpointer data)
{
  token_clear (data);
  g_free (data);
}

static const RackPluginInfo info = {
  RACK_PLUGIN_INFO,
  .name = "oauth2",
  .summary = "Bearer tokens, renewed before they expire",
  .version = "0.1.0",
  .params = oauth2_params,
  .config_size = sizeof (Config),
};

static const RackAuthPlugin plugin = {
  .info = &info,
  .mechanisms = mechanisms,
  .mechanism_size = sizeof (RackMechanism),
  .open = oauth2_open,
  .close = oauth2_close,
  .start = oauth2_start,
  .step = oauth2_step,
  .rejected = oauth2_rejected,
  .end = oauth2_end,
  .authorize = oauth2_authorize,
};
RACK_REGISTER_AUTH (plugin)
