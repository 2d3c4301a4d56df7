/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * account-options.c - what the subcommands that are about an account have in common */
#include "account-options.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "safe-text.h"

void
account_options_clear (AccountOptions *options)
{
  g_clear_pointer (&options->file, g_free);
  g_clear_pointer (&options->account, g_free);
  g_clear_pointer (&options->overrides, g_strfreev);
  g_clear_pointer (&options->rest, g_strfreev);
}

gboolean
account_options_parse (AccountOptions *options, const AccountProgram *program, int argc,
                       char **argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &options->file, "The configuration file", "FILE" },
    { "account", 'A', 0, G_OPTION_ARG_STRING, &options->account, "The account", "NAME" },
    { "option", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &options->overrides, "Overrides a key",
      "KEY=VALUE" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->rest, NULL, program->words },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autofree char *name = g_strdup_printf ("mailrack %s", program->name);
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autofree char **all = g_memdup2 (argv, (gsize) argc * sizeof (char *));
  const int n = argc;

  g_set_prgname (name);
  g_option_context_set_summary (context, program->summary);
  g_option_context_set_description (context, program->description);
  g_option_context_add_main_entries (context, entries, NULL);
  if (program->extra != NULL)
    g_option_context_add_main_entries (context, program->extra, NULL);
  g_option_context_set_strict_posix (context, program->ends_at_first_word);
  gboolean ok = g_option_context_parse (context, &argc, &argv, error);
  account_options_hide (n, all);
  return ok;
}

/* Where the value of KEY=VALUE begins if it may be a secret, or NULL. */
static char *
find_secret (char *override)
{
  static const char *const names[] = { "password=", "secret=", "token=" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      char *at = strstr (override, names[i]);
      if (at != NULL)
        return at + strlen (names[i]);
    }
  return NULL;
}

void
account_options_hide (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    {
      gboolean before = strcmp (argv[i - 1], "-o") == 0 || strcmp (argv[i - 1], "--option") == 0;
      char *secret =
          before || g_str_has_prefix (argv[i], "-o") || g_str_has_prefix (argv[i], "--option=")
              ? find_secret (argv[i])
              : NULL;
      if (secret != NULL)
        memset (secret, 'x', strlen (secret));
    }
}

char **
account_options_take_account (AccountOptions *options, char **word)
{
  if (word != NULL && *word != NULL && options->account == NULL)
    options->account = g_strdup (*word++);
  return word;
}

gboolean
account_options_parse_one (AccountOptions *options, const AccountProgram *program, int argc,
                           char **argv, GError **error)
{
  if (!account_options_parse (options, program, argc, argv, error))
    return FALSE;
  char **left = account_options_take_account (options, options->rest);
  if (left == NULL || *left == NULL)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "%s takes one account, not also \"%s\"", program->name, *left);
  return FALSE;
}

static gboolean
apply (RackConfig *config, const char *override, GError **error)
{
  const char *equals = strchr (override, '=');
  g_autofree char *key = equals != NULL ? g_ascii_strdown (override, equals - override) : NULL;
  g_autofree char *origin = key != NULL ? g_strdup_printf ("-o %s", key) : NULL;

  if (key != NULL)
    return rack_config_set (config, key, equals + 1, origin, error);
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CONFIG, "-o: expected KEY=VALUE");
  return FALSE;
}

gboolean
account_options_override (RackConfig *config, char **overrides, GError **error)
{
  for (char **each = overrides; each != NULL && *each != NULL; each++)
    if (!apply (config, *each, error))
      return FALSE;
  return TRUE;
}

gboolean
account_options_name_host (char **overrides)
{
  for (char **each = overrides; each != NULL && *each != NULL; each++)
    if (g_ascii_strncasecmp (*each, "host=", 5) == 0)
      return TRUE;
  return FALSE;
}

/* Without a file there is nothing but what the command line says, which must be enough. */
static gboolean
needs_file (const AccountOptions *options)
{
  g_autofree char *path = rack_config_default_path ();

  if (options->file != NULL || options->account != NULL || g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  return !account_options_name_host (options->overrides);
}

RackConfig *
account_options_load (const AccountOptions *options, GError **error)
{
  g_autoptr (RackConfig) config =
      needs_file (options) ? rack_config_load (options->file, error) : rack_config_new ();

  if (config == NULL || !account_options_override (config, options->overrides, error))
    return NULL;
  return g_steal_pointer (&config);
}

int
account_options_complain (int status, const char *text)
{
  g_autofree char *safe = safe_text_dup (text, -1, SAFE_TEXT_LINE);

  fprintf (stderr, "mailrack: %s\n", safe);
  return status;
}

int
account_options_flush (int status)
{
  gboolean failed = ferror (stdout) != 0;

  failed |= fflush (stdout) != 0;
  return failed ? account_options_complain (EX_IOERR, "the output cannot be written") : status;
}
