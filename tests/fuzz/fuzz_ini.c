/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_ini.c - configuration files. Oracles: what was read, written out again, reads the
 * same; every line of a value stands in the file octet for octet; settings out of it are
 * within their ranges or refused. No plugin is opened. */
#include "config.h"
#include "settings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
write_entry (GString *text, const RackIniEntry *entry)
{
  g_auto (GStrv) lines = g_strsplit (rack_secret_peek (entry->value), "\n", -1);

  g_string_append_printf (text, "%s =", entry->key);
  for (gsize i = 0; lines[i] != NULL; i++)
    g_string_append_printf (text, " %s\n", lines[i]);
  if (lines[0] == NULL)
    g_string_append_c (text, '\n');
}

static void
check_again (const RackIni *ini)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < ini->sections->len; i++)
    {
      const RackIniSection *section = g_ptr_array_index (ini->sections, i);

      g_string_append_printf (text, "[%s]\n", section->name);
      for (guint k = 0; k < section->entries->len; k++)
        write_entry (text, g_ptr_array_index (section->entries, k));
    }
  g_autoptr (RackIni) again = rack_ini_parse (text->str, text->len, "again", &error);
  g_assert_no_error (error);
  g_assert (again->sections->len == ini->sections->len);
  for (guint i = 0; i < ini->sections->len; i++)
    {
      const RackIniSection *one = g_ptr_array_index (ini->sections, i);
      const RackIniSection *two = g_ptr_array_index (again->sections, i);

      g_assert_cmpstr (one->name, ==, two->name);
      g_assert (one->entries->len == two->entries->len);
      for (guint k = 0; k < one->entries->len; k++)
        {
          const RackIniEntry *first = g_ptr_array_index (one->entries, k);
          const RackIniEntry *second = rack_ini_entry (two, first->key);

          g_assert_cmpstr (rack_secret_peek (first->value), ==, rack_secret_peek (second->value));
        }
    }
}

static void
check_verbatim (const RackIni *ini, const char *data, size_t size)
{
  for (guint i = 0; i < ini->sections->len; i++)
    {
      const RackIniSection *section = g_ptr_array_index (ini->sections, i);

      for (guint k = 0; k < section->entries->len; k++)
        {
          const RackIniEntry *entry = g_ptr_array_index (section->entries, k);
          g_auto (GStrv) lines = g_strsplit (rack_secret_peek (entry->value), "\n", -1);

          g_assert (entry->line > 0 && entry->last_line >= entry->line);
          for (gsize n = 0; lines[n] != NULL; n++)
            g_assert (memmem (data, size, lines[n], strlen (lines[n])) != NULL);
        }
    }
}

static void
check_settings (RackConfig *config, const char *account)
{
  g_auto (RackAccountSettings) settings = { 0 };
  g_autoptr (GError) error = NULL;

  if (!rack_config_resolve (config, account, &settings, &error))
    {
      g_assert (error->domain == RACK_ERROR && error->code == RACK_ERROR_CONFIG);
      g_assert (g_utf8_validate (error->message, -1, NULL) && strchr (error->message, 27) == NULL);
      return;
    }
  g_assert (settings.transport != NULL && settings.auth != NULL);
  g_assert (settings.port >= 0 && settings.port <= 65535 && settings.connections >= 1);
  g_assert (settings.timeout >= 0 && settings.connect_timeout >= 0);
  g_assert (!settings.cleartext_allowed || strcmp (settings.transport, "ssl") != 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (RackConfig) config = rack_config_new ();
  g_autoptr (GError) error = NULL;

  setenv ("MAILRACK_PLUGIN_PATH", "/nowhere", 1);
  config->file = g_strdup ("f.ini");
  config->ini = rack_ini_parse ((const char *) data, size, "f.ini", &error);
  if (config->ini == NULL)
    {
      g_assert (error->domain == RACK_ERROR && error->code == RACK_ERROR_CONFIG);
      return 0;
    }
  check_again (config->ini);
  check_verbatim (config->ini, (const char *) data, size);
  check_settings (config, NULL);
  for (guint i = 0; i < config->ini->sections->len && i < 8; i++)
    {
      const RackIniSection *section = g_ptr_array_index (config->ini->sections, i);
      char *names[] = { section->name, NULL };
      char **before = config->accounts;

      config->accounts = names;
      check_settings (config, section->name);
      config->accounts = before;
    }
  return 0;
}
