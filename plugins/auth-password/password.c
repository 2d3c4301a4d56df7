/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * auth = password: a user name and a password, by the best mechanism both sides have
 *
 * GNU SASL computes; this file feeds it the credential and the channel binding, keeps
 * the limits a hostile server needs (SCRAM's iterations), and does not believe an OK
 * before the server has proved itself. Which mechanism is used is core's choice. */
#include "password.h"

#include <string.h>

/* RFC 7677 asks for at least 4096; above the other a login takes many seconds, which a
 * hostile server must not be able to ask for. */
#define MIN_ITERATIONS 4096
#define MAX_ITERATIONS 1000000

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

typedef struct
{
  Account *account;
  const RackMechanism *mechanism;
  Gsasl_session *session; /* NULL for LOGIN, which is not worth one */
  char *user, *host;
  char *binding; /* tls-exporter in base64, or NULL where it shall not be used */
  guint generation;
  guint steps;
  gboolean scram, done;
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
  else if (property == GSASL_CB_TLS_EXPORTER)
    value = self->binding;
  if (value == NULL)
    return GSASL_NO_CALLBACK;
  return gsasl_property_set (session, property, value);
}

/* ---- Start and end -------------------------------------------------------------------- */

/* Only for -PLUS. Handing a binding to plain SCRAM would make it say "y", "I could bind, but you do
 * not offer it" (RFC 5802 §6), but GNU SASL 2.2.0 refuses its own first message then; so it says
 * "n". */
static char *
find_binding (const RackMechanism *mechanism, const RackPeer *peer)
{
  gsize size;

  if (!(mechanism->flags & RACK_MECHANISM_NEEDS_BINDING) || peer->stream == NULL)
    return NULL;
  g_autoptr (GBytes) bytes = rack_stream_binding (peer->stream, "tls-exporter");
  if (bytes == NULL)
    return NULL;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  return g_base64_encode (data, size);
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
  g_free (self->user);
  g_free (self->host);
  g_free (self->binding);
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
  if (!(self->mechanism->flags & RACK_MECHANISM_NEEDS_BINDING) || self->binding != NULL)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
               "%s needs a channel binding (tls-exporter), which this connection has not", name);
  return FALSE;
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
  self->scram = g_str_has_prefix (mechanism->name, "SCRAM-");
  if (self->scram)
    self->binding = find_binding (mechanism, peer);
  if (strcmp (mechanism->name, "LOGIN") == 0 || begin_session (self, error))
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

/* The server's first message is "r=NONCE,s=SALT,i=COUNT". */
static gboolean
check_scram (const char *name, const char *data, gsize size, GError **error)
{
  g_autofree char *text = g_strndup (data, size);

  if (g_str_has_prefix (text, "e="))
    {
      g_autofree char *safe = rack_text_escape (text + 2, -1);
      g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH, "login by %s refused: %s", name, safe);
      return FALSE;
    }
  const char *count = strstr (text, ",i=");
  if (count == NULL)
    return TRUE;
  guint64 n = g_ascii_isdigit (count[3]) ? g_ascii_strtoull (count + 3, NULL, 10) : 0;
  if (n >= MIN_ITERATIONS && n <= MAX_ITERATIONS)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
               "%s: the server asks for %" G_GUINT64_FORMAT " iterations; %d to %d are taken", name,
               n, MIN_ITERATIONS, MAX_ITERATIONS);
  return FALSE;
}

static gboolean
fail_step (Attempt *self, int code, GError **error)
{
  const char *name = self->mechanism->name;

  if (code == GSASL_SASLPREP_ERROR)
    g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
                 "%s: the user name or password has characters that cannot be used in one "
                 "(SASLprep, RFC 4013)",
                 name);
  else if (self->scram && self->steps > 2)
    g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
                 "%s: the server did not prove that it knows the password (%s)", name,
                 gsasl_strerror (code));
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH, "%s: %s", name, gsasl_strerror (code));
  return FALSE;
}

static gboolean
password_step (gpointer data, GBytes *challenge, RackSecret **response, const RackWait *wait,
               GError **error)
{
  Attempt *self = data;
  gsize size = 0, out_size = 0;
  const char *input = challenge != NULL ? g_bytes_get_data (challenge, &size) : NULL;
  char *output = NULL;

  if (self->account->generation != self->generation
      || (needs_password (self->mechanism->name) && self->account->password == NULL))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
                   "%s: the password was refused on another connection meanwhile",
                   self->mechanism->name);
      return FALSE;
    }
  if (self->session == NULL)
    return step_login (self, challenge, response, error);
  if (self->done)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                   "%s: the server asks on after the end of the dialogue", self->mechanism->name);
      return FALSE;
    }
  self->steps++;
  if (self->scram && challenge != NULL && !check_scram (self->mechanism->name, input, size, error))
    return FALSE;
  int code = gsasl_step (self->session, input, size, &output, &out_size);
  if (code != GSASL_OK && code != GSASL_NEEDS_MORE)
    return fail_step (self, code, error);
  self->done = code == GSASL_OK;
  if (output != NULL && (challenge != NULL || out_size > 0))
    *response = rack_secret_new (output, (gssize) out_size);
  if (output != NULL)
    explicit_bzero (output, out_size);
  gsasl_free (output);
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
