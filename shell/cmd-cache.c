/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd-cache.c - mailrack cache: what the mount keeps on this disk, looked after
 *
 * Contacts no server. Everything in a cache can be fetched again, so nothing asks whether
 * it is meant. */
#include "commands.h"

#include <mailrack/mailrack-mirror.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "account-options.h"
#include "cache-loads.h"
#include "shell.h"

/* What is done to one account's cache; name is what to call it. */
typedef gboolean (*Action) (RackAccount *account, const char *cache_dir, const char *name,
                            GError **error);

/* ---- The actions ------------------------------------------------------------------- */

static gboolean
print_size (RackAccount *account, const char *cache_dir, const char *name, GError **error)
{
  g_auto (RackCacheFacts) facts = { 0 };
  if (!rack_cache_size (account, cache_dir, &facts, error))
    return FALSE;
  g_autofree char *index = g_format_size_full (facts.index_octets, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *bodies = g_format_size_full (facts.body_octets, G_FORMAT_SIZE_IEC_UNITS);
  printf ("%s: %s\n", name, facts.directory);
  printf ("  mailboxes  %" G_GUINT64_FORMAT "\n", facts.mailboxes);
  printf ("  messages   %" G_GUINT64_FORMAT " (%s)\n", facts.messages, index);
  printf ("  bodies     %" G_GUINT64_FORMAT " (%s)\n", facts.bodies, bodies);
  if (facts.holder != NULL)
    printf ("  in use by  %s\n", facts.holder);
  return cache_loads_show (account, cache_dir, &facts, error);
}

static gboolean
check (RackAccount *account, const char *cache_dir, const char *name, GError **error)
{
  g_auto (RackCacheRepairs) repairs = { 0 };
  if (!rack_cache_check (account, cache_dir, &repairs, error))
    return FALSE;
  if (repairs.notice != NULL)
    printf ("%s: %s\n", name, repairs.notice);
  if (repairs.dropped > 0)
    printf ("%s: dropped %" G_GUINT64_FORMAT " entries that were wrong; they are fetched again\n",
            name, repairs.dropped);
  else if (repairs.notice == NULL)
    printf ("%s: nothing is wrong\n", name);
  return TRUE;
}

static gboolean
clear (RackAccount *account, const char *cache_dir, const char *name, GError **error)
{
  if (!rack_cache_clear (account, cache_dir, error))
    return FALSE;
  printf ("%s: cleared\n", name);
  return TRUE;
}

static const struct
{
  const char *name;
  Action action;
} actions[] = { { "size", print_size }, { "check", check }, { "clear", clear } };

/* ---- Which accounts ------------------------------------------------------------------ */

static gboolean
parse_options (AccountOptions *options, gboolean *all, int argc, char **argv, GError **error)
{
  const GOptionEntry extra[] = {
    { "all", 'a', 0, G_OPTION_ARG_NONE, all, "Every account of the file", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  const AccountProgram program = {
    .name = "cache",
    .words = "[size|check|clear] [ACCOUNT]",
    .summary = "Looks after what the mount keeps of an account on this disk.\n\n"
               "  size    says how much it is, where, and who has it (if nothing is named);\n"
               "          on a terminal it shows how far a mount has come that loads mailboxes\n"
               "          for the first time, until it has (Ctrl-C leaves)\n"
               "  check   looks through it and drops what is wrong\n"
               "  clear   removes it; it is fetched again",
    .description = "Exit status: 0 when it was done, also when something was repaired; 75 when a\n"
                   "mount has the cache; 78 when the configuration is wrong; 74 when the disk "
                   "is.\n",
    .extra = extra,
  };

  return account_options_parse (options, &program, argc, argv, error);
}

/* Takes the action's name off the words, and the account's. */
static gboolean
parse_words (AccountOptions *options, gboolean all, Action *action, GError **error)
{
  char **word = options->rest;
  *action = print_size;
  for (gsize i = 0; word != NULL && *word != NULL && i < G_N_ELEMENTS (actions); i++)
    if (strcmp (*word, actions[i].name) == 0)
      {
        *action = actions[i].action;
        word++;
        break;
      }
  word = account_options_take_account (options, word);
  if (word != NULL && *word != NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "cache takes size, check or clear and one account, not also \"%s\"", *word);
  else if (all && options->account != NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "--all and the account \"%s\" contradict each other", options->account);
  else
    return TRUE;
  return FALSE;
}

static gboolean
run (RackConfig *config, const char *name, Action action, GError **error)
{
  RackMountSettings settings = { 0 };
  g_autoptr (RackAccount) account = rack_account_new (config, name, NULL, error);
  gboolean ok = account != NULL
                && rack_config_read (config, name, rack_mount_params (), &settings, error)
                && action (account, settings.cache_dir,
                           name != NULL ? name : rack_account_label (account), error);
  rack_params_clear (rack_mount_params (), &settings);
  return ok;
}

/* The account is named where there are several. */
static int
complain_about (const char *name, const GError *error)
{
  g_autofree char *text =
      name != NULL ? g_strdup_printf ("%s: %s", name, error->message) : g_strdup (error->message);

  return account_options_complain (shell_exit_status (error), text);
}

int
rack_cmd_cache (int argc, char **argv)
{
  g_auto (AccountOptions) options = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean all = FALSE;
  Action action;
  int status = EX_OK;

  if (!parse_options (&options, &all, argc, argv, &error)
      || !parse_words (&options, all, &action, &error))
    return account_options_complain (EX_USAGE, error->message);
  g_autoptr (RackConfig) config = account_options_load (&options, &error);
  if (config == NULL)
    return account_options_complain (EX_CONFIG, error->message);
  const char *const one[] = { options.account, NULL };
  const char *const *names = all ? rack_config_accounts (config) : one;
  for (gsize i = 0; i == 0 || names[i] != NULL; i++)
    if (!run (config, names[i], action, &error))
      {
        int now = complain_about (names[i], error);
        status = status != EX_OK ? status : now;
        g_clear_error (&error);
      }
  return account_options_flush (status);
}
