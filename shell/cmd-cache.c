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

#include "cache-loads.h"
#include "safe-text.h"
#include "shell.h"

typedef struct
{
  char *file, *account;
  char **overrides, **rest;
  gboolean all;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->file);
  g_free (options->account);
  g_strfreev (options->overrides);
  g_strfreev (options->rest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* What is done to one account's cache; name is what to call it. */
typedef gboolean (*Action) (RackAccount *account, const char *cache_dir, const char *name,
                            GError **error);

static int
fail (int status, const char *name, const char *text)
{
  g_autofree char *safe = safe_text_dup (text, -1, SAFE_TEXT_LINE);
  fprintf (stderr, "mailrack: %s%s%s\n", name != NULL ? name : "", name != NULL ? ": " : "", safe);
  return status;
}

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
parse_options (Options *options, int argc, char **argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &options->file, "The configuration file", "FILE" },
    { "account", 'A', 0, G_OPTION_ARG_STRING, &options->account, "The account", "NAME" },
    { "option", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &options->overrides, "Overrides a key",
      "KEY=VALUE" },
    { "all", 'a', 0, G_OPTION_ARG_NONE, &options->all, "Every account of the file", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->rest, NULL,
      "[size|check|clear] [ACCOUNT]" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_summary (
      context, "Looks after what the mount keeps of an account on this disk.\n\n"
               "  size    says how much it is, where, and who has it (if nothing is named);\n"
               "          on a terminal it shows how far a mount has come that loads mailboxes\n"
               "          for the first time, until it has (Ctrl-C leaves)\n"
               "  check   looks through it and drops what is wrong\n"
               "  clear   removes it; it is fetched again");
  g_option_context_set_description (
      context, "Exit status: 0 when it was done, also when something was repaired; 75 when a\n"
               "mount has the cache; 78 when the configuration is wrong; 74 when the disk is.\n");
  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, &argc, &argv, error);
}

/* Takes the action's name off the words, and the account's. */
static gboolean
parse_words (Options *options, Action *action, GError **error)
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
  if (word != NULL && *word != NULL && options->account == NULL)
    options->account = g_strdup (*word++);
  if (word != NULL && *word != NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "cache takes size, check or clear and one account, not also \"%s\"", *word);
  else if (options->all && options->account != NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "--all and the account \"%s\" contradict each other", options->account);
  else
    return TRUE;
  return FALSE;
}

static gboolean
apply (RackConfig *config, const char *override, GError **error)
{
  const char *equals = strchr (override, '=');
  g_autofree char *key = equals != NULL ? g_ascii_strdown (override, equals - override) : NULL;
  if (key != NULL)
    return rack_config_set (config, key, equals + 1, "-o", error);
  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "-o: expected KEY=VALUE");
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

int
rack_cmd_cache (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_autoptr (GError) error = NULL;
  Action action;
  int status = EX_OK;

  g_set_prgname ("mailrack cache");
  if (!parse_options (&options, argc, argv, &error) || !parse_words (&options, &action, &error))
    return fail (EX_USAGE, NULL, error->message);
  g_autoptr (RackConfig) config = rack_config_load (options.file, &error);
  if (config == NULL)
    return fail (EX_CONFIG, NULL, error->message);
  for (gsize i = 0; options.overrides != NULL && options.overrides[i] != NULL; i++)
    if (!apply (config, options.overrides[i], &error))
      return fail (EX_CONFIG, NULL, error->message);

  const char *const one[] = { options.account, NULL };
  const char *const *names = options.all ? rack_config_accounts (config) : one;
  for (gsize i = 0; i == 0 || names[i] != NULL; i++)
    if (!run (config, names[i], action, &error))
      {
        int now = fail (shell_exit_status (error), names[i], error->message);
        status = status != EX_OK ? status : now;
        g_clear_error (&error);
      }
  if (fflush (stdout) != 0)
    return fail (EX_IOERR, NULL, "the output cannot be written");
  return status;
}
