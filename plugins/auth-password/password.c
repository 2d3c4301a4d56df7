/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * auth = password: a user name and a password, by the best mechanism both sides have
 *
 * SCRAM is in scram.c, LOGIN's two answers are here, all else is GNU SASL's. An OK is not
 * believed before the server has proved itself, where the mechanism lets it. Which mechanism
 * is used is core's choice. */
#include "password.h"

#include "scram.h"

#include <string.h>

static const RackMechanism mechanisms[] = {
  { "SCRAM-SHA-256-PLUS", RACK_MECHANISM_NEEDS_BINDING },
  { "SCRAM-SHA-256", (RackMechanismFlags) 0 },
  { "SCRAM-SHA-1-PLUS", RACK_MECHANISM_NEEDS_BINDING },
  { "SCRAM-SHA-1", (RackMechanismFlags) 0 },
  { "PLAIN", RACK_MECHANISM_PLAIN_TEXT },
  { "LOGIN", RACK_MECHANISM_PLAIN_TEXT | RACK_MECHANISM_LOGIN_COMMAND },
  { "LOGIN", RACK_MECHANISM_PLAIN_TEXT },
  { "CRAM-MD5", RACK_MECHANISM_WHEN_NAMED },
  { "EXTERNAL", RACK_MECHANISM_WHEN_NAMED },
  { "ANONYMOUS", RACK_MECHANISM_WHEN_NAMED },
  { "GSSAPI", RACK_MECHANISM_WHEN_NAMED },
  { NULL, (RackMechanismFlags) 0 },
};

/* Exactly one of scram and session is there; neither for LOGIN. */
typedef struct
{
  Account *account;
  const RackMechanism *mechanism;
  Scram *scram;
  Gsasl_session *session;
  char *user, *host;
  guint generation;
  guint steps;
  gboolean done;
} Attempt;

/* ---- What GNU SASL asks for --------------------------------------------------------- */

static int
answer_property (Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
  Attempt *self = gsasl_session_hook_get (session);
  const char *value = NULL;

  if (self == NULL)
    return GSASL_NO_CALLBACK;
  /* An if chain, for the library may learn properties we have never heard of. */
  if (property == GSASL_AUTHID || property == GSASL_ANONYMOUS_TOKEN)
    value = self->user;
  else if (property == GSASL_PASSWORD && self->account->password != NULL)
    value = rack_secret_peek (self->account->password);
  else if (property == GSASL_SERVICE)
    value = "imap";
  else if (property == GSASL_HOSTNAME)
    value = self->host;
  else if (property == GSASL_AUTHZID && strcmp (self->mechanism->name, "EXTERNAL") == 0)
    value = self->user;
  if (value == NULL)
    return GSASL_NO_CALLBACK;
  return gsasl_property_set (session, property, value);
}

/* ---- Start and end -------------------------------------------------------------------- */

static gboolean
offers_binding (const RackPeer *peer)
{
  for (const char *const *at = peer->capabilities; at != NULL && *at != NULL; at++)
    if (g_str_has_prefix (*at, "AUTH=SCRAM-") && g_str_has_suffix (*at, "-PLUS"))
      return TRUE;
  return FALSE;
}

/* "p" with -PLUS. Else "y" says "I could bind, but you do not offer it", which a server that
 * did offer it takes as a sign of somebody in between (RFC 5802 §6); where it was offered and
 * is not used, we say "n". */
static Scram *
begin_scram (const RackMechanism *mechanism, const char *user, const RackPeer *peer, GError **error)
{
  g_autoptr (GBytes) data =
      peer->stream != NULL ? rack_stream_binding (peer->stream, "tls-exporter") : NULL;
  gboolean plus = (mechanism->flags & RACK_MECHANISM_NEEDS_BINDING) != 0;

  if (plus && data == NULL)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
                   "%s needs a channel binding (tls-exporter), which this connection has not",
                   mechanism->name);
      return NULL;
    }
  if (plus)
    return scram_new (mechanism->name, user, SCRAM_TLS_EXPORTER, data, NULL, error);
  return scram_new (mechanism->name, user,
                    data != NULL && !offers_binding (peer) ? SCRAM_NOT_OFFERED : SCRAM_CANNOT_BIND,
                    NULL, NULL, error);
}

static gboolean
needs_password (const char *mechanism)
{
  return strcmp (mechanism, "EXTERNAL") != 0 && strcmp (mechanism, "ANONYMOUS") != 0
         && strcmp (mechanism, "GSSAPI") != 0;
}

static void
password_end (gpointer data)
{
  Attempt *self = data;

  if (self->session != NULL)
    {
      /* GNU SASL frees its copy without wiping it. */
      char *copy = (char *) gsasl_property_fast (self->session, GSASL_PASSWORD);
      if (copy != NULL)
        explicit_bzero (copy, strlen (copy));
      gsasl_finish (self->session);
    }
  scram_free (self->scram);
  g_free (self->user);
  g_free (self->host);
  g_free (self);
}

static gboolean
begin_session (Attempt *self, GError **error)
{
  const char *name = self->mechanism->name;
  int code = gsasl_client_start (self->account->gsasl, name, &self->session);

  if (code != GSASL_OK)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH, "GNU SASL cannot do %s: %s", name,
                   gsasl_strerror (code));
      return FALSE;
    }
  gsasl_session_hook_set (self->session, self);
  return TRUE;
}

static gboolean
begin (Attempt *self, const RackPeer *peer, GError **error)
{
  const char *name = self->mechanism->name;

  if (strcmp (name, "LOGIN") == 0)
    return TRUE;
  if (!g_str_has_prefix (name, "SCRAM-"))
    return begin_session (self, error);
  self->scram = begin_scram (self->mechanism, self->user, peer, error);
  return self->scram != NULL;
}

static gpointer
password_start (gpointer data, const RackMechanism *mechanism, const RackPeer *peer,
                const RackWait *wait, GError **error)
{
  Account *account = data;
  const char *user = source_user (account, peer, wait, error);

  if (user == NULL
      || (needs_password (mechanism->name) && !source_load (account, peer, wait, error)))
    return NULL;
  Attempt *self = g_new0 (Attempt, 1);
  self->account = account;
  self->mechanism = mechanism;
  self->user = g_strdup (user);
  self->host = g_strdup (peer->host);
  self->generation = account->generation;
  if (begin (self, peer, error))
    return self;
  password_end (self);
  return NULL;
}

/* ---- Steps -------------------------------------------------------------------------------- */

/* The user's name, then the password: as arguments of the LOGIN command, or as answers
 * to AUTH=LOGIN's two prompts, whose texts mean nothing. */
static gboolean
step_login (Attempt *self, GBytes *challenge, RackSecret **response, GError **error)
{
  if (challenge == NULL && !(self->mechanism->flags & RACK_MECHANISM_LOGIN_COMMAND))
    return TRUE;
  self->steps++;
  if (self->steps > 2)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                           "LOGIN: the server asks for more than a name and a password");
      return FALSE;
    }
  *response = self->steps == 1 ? rack_secret_new (self->user, -1)
                               : rack_secret_copy (self->account->password);
  self->done = self->steps == 2;
  return TRUE;
}

static gboolean
step_session (Attempt *self, GBytes *challenge, RackSecret **response, GError **error)
{
  const char *name = self->mechanism->name;
  gsize size = 0, out_size = 0;
  const char *input = challenge != NULL ? g_bytes_get_data (challenge, &size) : NULL;
  char *output = NULL;

  if (self->done)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                   "%s: the server asks on after the end of the dialogue", name);
      return FALSE;
    }
  int code = gsasl_step (self->session, input, size, &output, &out_size);
  if (code != GSASL_OK && code != GSASL_NEEDS_MORE)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH, "%s: %s", name, gsasl_strerror (code));
      return FALSE;
    }
  self->done = code == GSASL_OK;
  if (output != NULL && (challenge != NULL || out_size > 0))
    *response = rack_secret_new (output, (gssize) out_size);
  if (output != NULL)
    explicit_bzero (output, out_size);
  gsasl_free (output);
  return TRUE;
}

static gboolean
password_step (gpointer data, GBytes *challenge, RackSecret **response, const RackWait *wait,
               GError **error)
{
  Attempt *self = data;
  if (self->account->generation != self->generation
      || (needs_password (self->mechanism->name) && self->account->password == NULL))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
                   "%s: the password was refused on another connection meanwhile",
                   self->mechanism->name);
      return FALSE;
    }
  if (self->session != NULL)
    return step_session (self, challenge, response, error);
  if (self->scram == NULL)
    return step_login (self, challenge, response, error);
  if (!scram_step (self->scram, challenge, self->account->password, response, error))
    return FALSE;
  self->done = scram_is_done (self->scram);
  return TRUE;
}

static gboolean
password_accepted (gpointer data, GError **error)
{
  Attempt *self = data;

  if (!self->done)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
                   "%s: the server says OK without having proved that it knows the password",
                   self->mechanism->name);
      return FALSE;
    }
  if (self->account->generation == self->generation)
    self->account->accepted = TRUE;
  return TRUE;
}

static RackAuthVerdict
password_rejected (gpointer data, const char *code, const char *text, const RackWait *wait)
{
  Attempt *self = data;
  Account *account = self->account;

  if (!needs_password (self->mechanism->name))
    return RACK_AUTH_GIVE_UP;
  /* Another connection has replaced it since. */
  if (account->generation != self->generation)
    return account->password != NULL ? RACK_AUTH_RETRY : RACK_AUTH_GIVE_UP;
  return source_renew (account, self->user, self->host, wait) ? RACK_AUTH_RETRY : RACK_AUTH_GIVE_UP;
}

/* ---- The account ------------------------------------------------------------------------------
 */

static gpointer
password_open (gconstpointer data, RackHost *host, GError **error)
{
  const Config *config = data;

  if (!source_check (config, error))
    return NULL;
  Account *account = g_new0 (Account, 1);
  account->config = config;
  account->host = host;
  int code = gsasl_init (&account->gsasl);
  if (code != GSASL_OK)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_PLUGIN, "GNU SASL cannot be set up: %s",
                   gsasl_strerror (code));
      g_free (account);
      return NULL;
    }
  gsasl_callback_set (account->gsasl, answer_property);
  return account;
}

static void
password_close (gpointer data)
{
  Account *account = data;

  gsasl_done (account->gsasl);
  rack_secret_free (account->password);
  g_free (account->user);
  g_free (account);
}

static const RackPluginInfo info = {
  RACK_PLUGIN_INFO,
  .name = "password",
  .summary = "A user name and a password: SCRAM, PLAIN, LOGIN and others",
  .version = "0.1.0",
  .params = source_params,
  .config_size = sizeof (Config),
};

static const RackAuthPlugin plugin = {
  .info = &info,
  .mechanisms = mechanisms,
  .mechanism_size = sizeof (RackMechanism),
  .open = password_open,
  .close = password_close,
  .start = password_start,
  .step = password_step,
  .accepted = password_accepted,
  .rejected = password_rejected,
  .end = password_end,
};
RACK_REGISTER_AUTH (plugin)
