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

  g_set_prgname (name);
  g_option_context_set_summary (context, program->summary);
  g_option_context_set_description (context, program->description);
  g_option_context_add_main_entries (context, entries, NULL);
  if (program->extra != NULL)
    g_option_context_add_main_entries (context, program->extra, NULL);
  g_option_context_set_strict_posix (context, program->ends_at_first_word);
  return g_option_context_parse (context, &argc, &argv, error);
}

char **
account_options_take_account (AccountOptions *options, char **word)
{
  if (word != NULL && *word != NULL && options->account == NULL)
    options->account = g_strdup (*word++);
  return word;
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

/* Without a file there is nothing but what the command line says, which must be enough. */
static gboolean
needs_file (const AccountOptions *options)
{
  g_autofree char *path = rack_config_default_path ();

  if (options->file != NULL || options->account != NULL || g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  for (char **each = options->overrides; each != NULL && *each != NULL; each++)
    if (g_ascii_strncasecmp (*each, "host=", 5) == 0)
      return FALSE;
  return TRUE;
}

RackConfig *
account_options_load (const AccountOptions *options, GError **error)
{
  g_autoptr (RackConfig) config =
      needs_file (options) ? rack_config_load (options->file, error) : rack_config_new ();

  if (config == NULL)
    return NULL;
  for (char **each = options->overrides; each != NULL && *each != NULL; each++)
    if (!apply (config, *each, error))
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
