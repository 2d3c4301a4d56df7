/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd-config.c - mailrack config: the settings of an account, and where each comes from
 *
 * Contacts nothing and asks nothing. Secrets are masked by the library. */
#include "commands.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "account-options.h"

static gboolean
parse_options (AccountOptions *options, gboolean *all, int argc, char **argv, GError **error)
{
  const GOptionEntry extra[] = {
    { "all", 'a', 0, G_OPTION_ARG_NONE, all, "Also keys that are not set", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  const AccountProgram program = {
    .name = "config",
    .words = "[ACCOUNT]",
    .summary = "Prints the settings in force, and where each comes from.",
    .extra = extra,
  };

  return account_options_parse_one (options, &program, argc, argv, error);
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
  g_auto (AccountOptions) options = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean all = FALSE;

  if (!parse_options (&options, &all, argc, argv, &error))
    return account_options_complain (EX_USAGE, error->message);
  g_autoptr (RackConfig) config = account_options_load (&options, &error);
  g_autoptr (GPtrArray) settings =
      config != NULL ? rack_config_settings (config, options.account, &error) : NULL;
  if (settings == NULL)
    return account_options_complain (EX_CONFIG, error->message);
  print (settings, all);
  return account_options_flush (EX_OK);
}
