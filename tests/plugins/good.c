/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * good.c - an auth plugin that uses everything there is
 *
 * Every type of parameter, every callback, and the functions for secrets. It is built
 * against today's header, and, as the plugin "old", against the one of ABI 1's beginning in
 * abi1/: what was built then must load and run for as long as the ABI is 1. So only add to
 * this file what was in that header, too. */
#include <mailrack/mailrack-plugin.h>

typedef enum
{
  SLOW,
  FAST
} Speed;

typedef struct
{
  const char *text, *path;
  RackSecret *secret;
  gboolean flag;
  gint64 number, pause;
  Speed speed;
  const char *const *command, *const *words;
} Config;

static const char *const speeds[] = { "slow", "fast", NULL };

static const RackParam params[] = {
  RACK_PARAM (Config, text, GOOD_NAME "_text", STRING, OPTIONAL, "hello", "A text."),
  RACK_PARAM (Config, path, GOOD_NAME "_path", PATH, OPTIONAL, "~/x", "A path."),
  RACK_PARAM (Config, secret, GOOD_NAME "_secret", SECRET, REQUIRED, NULL, "A secret."),
  RACK_PARAM (Config, flag, GOOD_NAME "_flag", BOOL, OPTIONAL, "yes", "A flag."),
  RACK_PARAM (Config, number, GOOD_NAME "_number", INT, OPTIONAL, "-7", "A number."),
  RACK_PARAM (Config, pause, GOOD_NAME "_pause", SECONDS, OPTIONAL, "1.5", "A duration."),
  RACK_PARAM_ENUM (Config, speed, GOOD_NAME "_speed", speeds, OPTIONAL, "fast", "A choice."),
  RACK_PARAM (Config, command, GOOD_NAME "_command", COMMAND, OPTIONAL, "a 'b c'", "A command."),
  RACK_PARAM (Config, words, GOOD_NAME "_words", LIST, OPTIONAL, "x, y z", "A list."),
  RACK_PARAM_END,
};

typedef struct
{
  const Config *config;
  RackHost *host;
  int attempts;
} Account;

typedef struct
{
  Account *account;
  char *mechanism;
  int steps;
} Attempt;

static gpointer
good_open (gconstpointer config, RackHost *host, GError **error)
{
  Account *account = g_new0 (Account, 1);

  account->config = config;
  account->host = host;
  return account;
}

static gpointer
good_start (gpointer account, const RackMechanism *mechanism, const RackPeer *peer,
            const RackWait *wait, GError **error)
{
  Attempt *attempt = g_new0 (Attempt, 1);

  attempt->account = account;
  attempt->account->attempts++;
  attempt->mechanism =
      g_strdup_printf ("%s for %s at %s:%u", mechanism->name, peer->user, peer->host, peer->port);
  return attempt;
}

static gboolean
good_step (gpointer data, GBytes *challenge, RackSecret **response, const RackWait *wait,
           GError **error)
{
  Attempt *attempt = data;
  const Config *config = attempt->account->config;

  if (attempt->steps++ > 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH, "one step is enough");
      return FALSE;
    }
  *response = rack_secret_printf (
      "%s%c%s%c%s %d %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %d %s|%s %s|%s|%s",
      attempt->mechanism, 0, rack_secret_peek (config->secret), 0, config->text, config->flag,
      config->number, config->pause, (int) config->speed, config->command[0], config->command[1],
      config->words[0], config->words[1], config->words[2]);
  return TRUE;
}

static gboolean
good_accepted (gpointer attempt, GError **error)
{
  if (((Attempt *) attempt)->steps > 0)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH, "accepted before anything was sent");
  return FALSE;
}

static RackAuthVerdict
good_rejected (gpointer attempt, const char *code, const char *text, const RackWait *wait)
{
  return ((Attempt *) attempt)->account->attempts < 2 ? RACK_AUTH_RETRY : RACK_AUTH_GIVE_UP;
}

static void
good_end (gpointer data)
{
  Attempt *attempt = data;

  g_free (attempt->mechanism);
  g_free (attempt);
}

static const RackPluginInfo info = { RACK_PLUGIN_INFO, GOOD_NAME,      "Everything there is", "1.2",
                                     params,           sizeof (Config) };

static const RackMechanism mechanisms[] = {
  { "X-GOOD", RACK_MECHANISM_NEEDS_TLS },
  { "PLAIN", RACK_MECHANISM_PLAIN_TEXT | RACK_MECHANISM_WHEN_NAMED },
  { NULL, 0 },
};

static const RackAuthPlugin plugin = {
  .info = &info,
  .mechanisms = mechanisms,
  .mechanism_size = sizeof (RackMechanism),
  .open = good_open,
  .close = g_free,
  .start = good_start,
  .step = good_step,
  .accepted = good_accepted,
  .rejected = good_rejected,
  .end = good_end,
};
RACK_REGISTER_AUTH (plugin)
