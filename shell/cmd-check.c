/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd-check.c - mailrack check: what works on the way to a mailbox, what does not, and why
 *
 * Step by step from the configuration to INBOX; the first that fails is the last, unless the
 * others do not need it. Changes nothing. */
#include "commands.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "account-options.h"
#include "check.h"
#include "shell.h"

typedef struct
{
  AccountOptions common;
  gboolean json;
  double timeout;
} Options;

static void
options_clear (Options *options)
{
  account_options_clear (&options->common);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
parse_options (Options *options, int argc, char **argv, GError **error)
{
  const GOptionEntry extra[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Each line is a JSON object", NULL },
    { "timeout", 0, 0, G_OPTION_ARG_DOUBLE, &options->timeout,
      "Wait no longer than this for each step (10)", "SECONDS" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  const AccountProgram program = {
    .name = "check",
    .words = "[ACCOUNT]",
    .summary = "Tries all that is needed to read mail, step by step: the name, TCP, TLS and the\n"
               "certificate, the login, and what the server has. Says of each step whether it is\n"
               "ok, and what to change where it is not.",
    .description = "Exit status: 0 when nothing failed, also with warnings; else that of the\n"
                   "first failure: 69 not reached, 75 too slow, 76 no IMAP, 77 not let in,\n"
                   "78 configuration.\n",
    .extra = extra,
  };

  if (!account_options_parse_one (&options->common, &program, argc, argv, error))
    return FALSE;
  if (options->timeout >= 0.1 && options->timeout <= 3600)
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                       "--timeout: from 0.1 to 3600 seconds");
  return FALSE;
}

/* ---- Where the server is ------------------------------------------------------------------------
 */

static const char *
setting (GPtrArray *settings, const char *key)
{
  for (guint i = 0; i < settings->len; i++)
    {
      const RackSetting *each = settings->pdata[i];
      if (strcmp (each->key, key) == 0)
        return each->value;
    }
  return NULL;
}

static gboolean
is_on (const char *value)
{
  static const char *const yes[] = { "1", "yes", "true", "on" };

  for (gsize i = 0; value != NULL && i < G_N_ELEMENTS (yes); i++)
    if (g_ascii_strcasecmp (value, yes[i]) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
find_place (RackConfig *config, const char *account, CheckPlace *place, GError **error)
{
  g_autoptr (GPtrArray) settings = rack_config_settings (config, account, error);

  if (settings == NULL)
    return FALSE;
  const char *transport = setting (settings, "transport"), *ssl = setting (settings, "ssl");
  const char *port = setting (settings, "port");
  gboolean starttls =
      is_on (setting (settings, "starttls")) || g_strcmp0 (transport, "starttls") == 0;
  gboolean clear =
      !starttls && ((ssl != NULL && !is_on (ssl)) || g_strcmp0 (transport, "plain") == 0);

  place->encrypts = !clear;
  place->port =
      port != NULL ? (guint16) g_ascii_strtoull (port, NULL, 10) : (starttls || clear ? 143 : 993);
  if (!is_on (setting (settings, "stream")) && g_strcmp0 (transport, "tunnel") != 0)
    place->host = g_strdup (setting (settings, "host"));
  return TRUE;
}

/* ---- The steps
 * -------------------------------------------------------------------------------------- */

static RackAccount *
open_account (Options *options, CheckReport *report, RackHost *host, CheckPlace *place)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (RackConfig) config = account_options_load (&options->common, &problem);
  const char *name = options->common.account;
  char timeout[G_ASCII_DTOSTR_BUF_SIZE];
  RackAccount *account = NULL;

  place->timeout = (gint64) (options->timeout * 1000);
  g_ascii_formatd (timeout, sizeof timeout, "%.3f", options->timeout);
  if (config != NULL && rack_config_set (config, "connect_timeout", timeout, "--timeout", &problem)
      && rack_config_set (config, "timeout", timeout, "--timeout", &problem)
      && find_place (config, name, place, &problem))
    account = rack_account_new (config, name, host, &problem);
  if (account == NULL)
    check_fail (report, "config", problem, NULL);
  else
    check_say (report, "config", CHECK_OK, NULL, "%s", rack_account_label (account));
  return account;
}

static void
run (Options *options, CheckReport *report)
{
  g_autoptr (RackHost) host = shell_host_new ();
  g_auto (CheckPlace) place = { 0 };
  g_autoptr (RackAccount) account = open_account (options, report, host, &place);

  if (account == NULL || !check_network (report, &place))
    return;
  g_autoptr (RackSession) session = check_session (report, &place, account);
  if (session != NULL)
    check_server (report, account, session);
}

int
rack_cmd_check (int argc, char **argv)
{
  g_auto (Options) options = { .timeout = 10 };
  g_autoptr (GError) error = NULL;
  CheckReport report = { 0 };

  if (!parse_options (&options, argc, argv, &error))
    return account_options_complain (EX_USAGE, error->message);
  report.json = options.json;
  run (&options, &report);
  return account_options_flush (report.status);
}
