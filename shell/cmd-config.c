/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd-config.c - mailrack config: the settings of an account, and where each comes from
 *
 * Contacts nothing and asks nothing. Secrets are masked by the library. */
#include "commands.h"

#include <mailrack/mailrack.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

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

static int
fail (int status, const char *text)
{
  fprintf (stderr, "mailrack: %s\n", text);
  return status;
}

static gboolean
parse_options (Options *options, int argc, char **argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &options->file, "The configuration file", "FILE" },
    { "account", 'A', 0, G_OPTION_ARG_STRING, &options->account, "The account", "NAME" },
    { "option", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &options->overrides, "Overrides a key",
      "KEY=VALUE" },
    { "all", 'a', 0, G_OPTION_ARG_NONE, &options->all, "Also keys that are not set", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->rest, NULL, "[ACCOUNT]" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_set_prgname ("mailrack config");
  g_option_context_set_summary (context,
                                "Prints the settings in force, and where each comes from.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  if (options->rest == NULL)
    return TRUE;
  if (options->rest[1] == NULL && options->account == NULL)
    {
      options->account = g_strdup (options->rest[0]);
      return TRUE;
    }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "config takes one account, not also \"%s\"",
               options->rest[1] != NULL ? options->rest[1] : options->rest[0]);
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
  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "-o: expected KEY=VALUE");
  return FALSE;
}

static void
print (GPtrArray *settings, gboolean all)
{
  gsize key_width = 0, value_width = 0;

  for (guint i = 0; i < settings->len; i++)
    {
      const RackSetting *setting = g_ptr_array_index (settings, i);

      if (setting->value == NULL && !all)
        continue;
      key_width = MAX (key_width, strlen (setting->key));
      if (setting->value != NULL)
        value_width = MAX (value_width, (gsize) g_utf8_strlen (setting->value, -1));
    }
  value_width = MIN (value_width, 40);
  for (guint i = 0; i < settings->len; i++)
    {
      const RackSetting *setting = g_ptr_array_index (settings, i);
      const char *value = setting->value != NULL ? setting->value : "";
      gsize width = (gsize) g_utf8_strlen (value, -1);

      if (setting->value == NULL && !all)
        continue;
      printf ("%-*s = %s%*s  %s%s%s\n", (int) key_width, setting->key, value,
              (int) (value_width > width ? value_width - width : 0), "",
              setting->value != NULL ? setting->origin : "not set",
              strcmp (setting->owner, "core") != 0 ? ", " : "",
              strcmp (setting->owner, "core") != 0 ? setting->owner : "");
    }
}

int
rack_cmd_config (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_autoptr (GError) error = NULL;

  if (!parse_options (&options, argc, argv, &error))
    return fail (EX_USAGE, error->message);

  g_autoptr (RackConfig) config = rack_config_load (options.file, &error);
  if (config == NULL)
    return fail (EX_CONFIG, error->message);
  for (gsize i = 0; options.overrides != NULL && options.overrides[i] != NULL; i++)
    if (!apply (config, options.overrides[i], &error))
      return fail (EX_CONFIG, error->message);

  g_autoptr (GPtrArray) settings = rack_config_settings (config, options.account, &error);
  if (settings == NULL)
    return fail (EX_CONFIG, error->message);
  print (settings, options.all);
  return fflush (stdout) == 0 ? EX_OK : fail (EX_IOERR, "the output cannot be written");
}
