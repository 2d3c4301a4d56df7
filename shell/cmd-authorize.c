/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd-authorize.c - mailrack authorize: the first OAuth2 token of an account
 *
 * How is the account's auth plugin's; here it is asked for, and then tried. No token is shown. */
#include "commands.h"

#include <stdio.h>
#include <sysexits.h>

#include "account-options.h"
#include "shell.h"

static gboolean
parse_options (AccountOptions *options, gboolean *untried, int argc, char **argv, GError **error)
{
  const GOptionEntry extra[] = {
    { "no-login", 0, 0, G_OPTION_ARG_NONE, untried, "Do not try whether the server takes it",
      NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  const AccountProgram program = {
    .name = "authorize",
    .words = "[ACCOUNT]",
    .summary = "Gets the first OAuth2 token of an account from its provider: says where to allow\n"
               "it in a browser, waits until that was done, keeps the token for this account, and\n"
               "tries to log in with it. The token is not shown.",
    .description = "The account needs oauth2 = true, username and oauth2_client_id, and\n"
                   "oauth2_provider or the addresses of the provider.\n",
    .extra = extra,
  };

  return account_options_parse_one (options, &program, argc, argv, error);
}

static gboolean
try_login (RackConfig *config, const char *name, RackHost *host, GError **error)
{
  g_autoptr (RackAccount) account = rack_account_new (config, name, host, error);

  if (account == NULL || !rack_account_connect (account, NULL, error))
    return FALSE;
  fprintf (stderr, "Logged in as %s.\n", rack_account_label (account));
  return TRUE;
}

int
rack_cmd_authorize (int argc, char **argv)
{
  g_auto (AccountOptions) options = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean untried = FALSE;

  if (!parse_options (&options, &untried, argc, argv, &error))
    return account_options_complain (EX_USAGE, error->message);
  g_autoptr (RackConfig) config = account_options_load (&options, &error);
  if (config == NULL)
    return account_options_complain (EX_CONFIG, error->message);
  g_autoptr (RackHost) host = shell_host_new ();
  if (!rack_account_authorize (config, options.account, host, NULL, &error))
    return account_options_complain (shell_exit_status (error), error->message);
  fputs ("Authorized; the token is kept.\n", stderr);
  if (!untried && !try_login (config, options.account, host, &error))
    return account_options_complain (shell_exit_status (error), error->message);
  return EX_OK;
}
