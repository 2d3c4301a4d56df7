/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * auth = example: a password made of two halves, one from the file, one asked for
 *
 * An auth plugin to copy. It shows keys, a question to the user, what is kept for an
 * account and what for one login, a refusal, and a mechanism. It compiles as C11 and as
 * C++17, which is why initialisers have no names and pointers are cast. */
#include <mailrack/mailrack-plugin.h>

/* ---- The keys of an account --------------------------------------------------------- */

/* Core fills this from the INI file before open is called, and frees it after close. */
typedef struct
{
  char *user;
  RackSecret *first_half;
} Config;

static const RackParam params[] = {
  RACK_PARAM (Config, user, "example_user", STRING, OPTIONAL, NULL,
              "Who logs in, if it is not the account's username."),
  RACK_PARAM (Config, first_half, "example_first_half", SECRET, REQUIRED, NULL,
              "The half of the password that is in this file."),
  RACK_PARAM_END,
};

/* ---- An account ---------------------------------------------------------------------- */

/* Shared by all connections of the account. Core calls one function at a time, so there
 * is nothing to lock. */
typedef struct
{
  const Config *config;
  RackHost *host;
  RackSecret *second_half; /* as it was typed, or NULL */
} Account;

static gpointer
example_open (gconstpointer config, RackHost *host, GError **error)
{
  Account *account = g_new0 (Account, 1);

  account->config = (const Config *) config;
  account->host = host;
  return account;
}

static void
example_close (gpointer data)
{
  Account *account = (Account *) data;

  rack_secret_free (account->second_half);
  g_free (account);
}

/* ---- One login ------------------------------------------------------------------------ */

typedef struct
{
  Account *account;
  char *user;
} Attempt;

static gpointer
example_start (gpointer data, const RackMechanism *mechanism, const RackPeer *peer,
               const RackWait *wait, GError **error)
{
  Account *account = (Account *) data;
  const char *user = account->config->user != NULL ? account->config->user : peer->user;

  if (user == NULL)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CONFIG,
                           "the example plugin needs example_user or username");
      return NULL;
    }
  /* A mount in the background cannot ask: this then fails with RACK_ERROR_INTERACTION. */
  if (account->second_half == NULL)
    account->second_half = rack_host_ask (
        account->host, "The other half of the password: ", RACK_ASK_HIDDEN, wait, error);
  if (account->second_half == NULL)
    return NULL;

  /* peer is gone when this returns: copy what is needed later. */
  Attempt *attempt = g_new0 (Attempt, 1);
  attempt->account = account;
  attempt->user = g_strdup (user);
  return attempt;
}

/* SASL PLAIN (RFC 4616) is one message, which the client sends without being asked: NUL, user,
 * NUL, password. Base64 and everything else about the command is core's. */
static gboolean
example_step (gpointer data, GBytes *challenge, RackSecret **response, const RackWait *wait,
              GError **error)
{
  Attempt *attempt = (Attempt *) data;
  Account *account = attempt->account;

  if (challenge != NULL && g_bytes_get_size (challenge) > 0)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                           "PLAIN: the server asks a question, which it must not");
      return FALSE;
    }
  *response = rack_secret_printf ("%c%s%c%s%s", 0, attempt->user, 0,
                                  rack_secret_peek (account->config->first_half),
                                  rack_secret_peek (account->second_half));
  return TRUE;
}

/* The half that was typed was wrong, or the other one is. Forget it, so that the next login
 * asks again; trying the same at once would only lock somebody's account. */
static RackAuthVerdict
example_rejected (gpointer data, const char *code, const char *text, const RackWait *wait)
{
  Attempt *attempt = (Attempt *) data;

  g_clear_pointer (&attempt->account->second_half, rack_secret_free);
  return RACK_AUTH_GIVE_UP;
}

static void
example_end (gpointer data)
{
  Attempt *attempt = (Attempt *) data;

  g_free (attempt->user);
  g_free (attempt);
}

/* ---- What core is told ------------------------------------------------------------------ */

static const RackMechanism mechanisms[] = {
  { "PLAIN", RACK_MECHANISM_PLAIN_TEXT },
  { NULL, (RackMechanismFlags) 0 },
};

static const RackPluginInfo info = {
  RACK_PLUGIN_INFO, "example", "A password in two halves", "1.0", params, sizeof (Config),
};

static const RackAuthPlugin plugin = {
  &info,
  mechanisms,
  sizeof (RackMechanism),
  example_open,
  example_close,
  example_start,
  example_step,
  NULL, /* accepted: PLAIN has nothing to check */
  example_rejected,
  example_end,
  NULL, /* authorize: nothing is got from a provider */
};
RACK_REGISTER_AUTH (plugin)
