/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * config.c - the settings of accounts: loading the file, and finding values in it
 *
 * Values are looked for in layers (the command line, the account's section, DEFAULT) and
 * stay RackSecret until they are stored in a field, for any of them may be a password. */
#include "config.h"
#include "params.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "secret.h"
#include "settings.h"

/* ---- Loading ------------------------------------------------------------ */

char *
rack_config_default_path (void)
{
  const char *path = g_getenv ("MAILRACK_CONFIG");

  if (path != NULL && *path != '\0')
    return g_strdup (path);
  return g_build_filename (g_get_user_config_dir (), "mailrack", "config.ini", NULL);
}

static void
override_free (gpointer data)
{
  RackOverride *override = data;

  rack_secret_free (override->value);
  g_free (override->key);
  g_free (override->origin);
  g_free (override);
}

RackConfig *
rack_config_new (void)
{
  RackConfig *config = g_new0 (RackConfig, 1);

  config->overrides = g_ptr_array_new_with_free_func (override_free);
  config->accounts = g_new0 (char *, 1);
  return config;
}

void
rack_config_free (RackConfig *config)
{
  if (config == NULL)
    return;
  rack_ini_free (config->ini);
  g_ptr_array_unref (config->overrides);
  g_strfreev (config->accounts);
  g_free (config->file);
  g_free (config);
}

static gboolean
fail_errno (const char *file, const char *what, GError **error)
{
  int number = errno;

  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "%s: %s: %s", file, what, g_strerror (number));
  return FALSE;
}

/* Reads what is there into memory that the caller wipes. */
static gboolean
read_all (int fd, const char *file, char **data, gsize *size, GError **error)
{
  gsize room = RACK_INI_FILE_MAX + 1; /* one more: the parser refuses a file that fills it */
  char *buffer = g_malloc (room);
  gsize used = 0;

  while (used < room)
    {
      gssize got = read (fd, buffer + used, room - used);

      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        {
          fail_errno (file, "cannot be read", error);
          rack_wipe (buffer, used);
          g_free (buffer);
          return FALSE;
        }
      if (got == 0)
        break;
      used += (gsize) got;
    }
  *data = buffer;
  *size = used;
  return TRUE;
}

static void
list_accounts (RackConfig *config)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; i < config->ini->sections->len; i++)
    {
      const RackIniSection *section = g_ptr_array_index (config->ini->sections, i);

      if (strcmp (section->name, RACK_CONFIG_DEFAULT) != 0)
        g_ptr_array_add (names, g_strdup (section->name));
    }
  g_ptr_array_add (names, NULL);
  g_strfreev (config->accounts);
  config->accounts = (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

static gboolean
check_default (RackConfig *config, GError **error)
{
  if (rack_ini_section (config->ini, RACK_CONFIG_DEFAULT) != NULL)
    return TRUE;
  for (guint i = 0; i < config->ini->sections->len; i++)
    {
      const RackIniSection *section = g_ptr_array_index (config->ini->sections, i);

      if (g_ascii_strcasecmp (section->name, RACK_CONFIG_DEFAULT) == 0)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                       "%s:%u: the section [%s] must be written [DEFAULT]", config->file,
                       section->line, section->name);
          return FALSE;
        }
    }
  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
               "%s: there is no section [DEFAULT], which every such file must have (it may be "
               "empty); the accounts inherit from it",
               config->file);
  return FALSE;
}

static gboolean
load (RackConfig *config, int fd, GError **error)
{
  struct stat status;
  char *data = NULL;
  gsize size = 0;

  if (fstat (fd, &status) != 0)
    return fail_errno (config->file, "cannot be read", error);
  if (S_ISDIR (status.st_mode))
    {
      errno = EISDIR;
      return fail_errno (config->file, "cannot be read", error);
    }
  if (!read_all (fd, config->file, &data, &size, error))
    return FALSE;
  config->ini = rack_ini_parse (data, size, config->file, error);
  rack_wipe (data, size);
  g_free (data);
  if (config->ini == NULL || !check_default (config, error))
    return FALSE;
  list_accounts (config);

  /* A pipe or terminal has no modes worth looking at. Whether strangers could have written the
   * file comes first: it names commands to run and plugins to load. */
  return (!S_ISREG (status.st_mode) || rack_config_check_mode (config, &status, error))
         && rack_config_check (config, error);
}

RackConfig *
rack_config_load (const char *path, GError **error)
{
  g_autofree char *standard = path == NULL ? rack_config_default_path () : NULL;
  g_autoptr (RackConfig) config = rack_config_new ();
  const char *used = path != NULL ? path : standard;

  g_autofree char *display = g_filename_display_name (used);
  config->file = rack_text_escape (display, -1);
  int fd = open (used, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0 && path == NULL && errno == ENOENT)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                   "%s: there is no such file yet: write one with a section [DEFAULT] and in it "
                   "\"host = ...\" and \"username = ...\", or name another in $MAILRACK_CONFIG",
                   config->file);
      return NULL;
    }
  if (fd < 0)
    {
      fail_errno (config->file, "cannot be opened", error);
      return NULL;
    }
  gboolean good = load (config, fd, error);
  close (fd);
  return good ? g_steal_pointer (&config) : NULL;
}

/* ---- Accounts ----------------------------------------------------------- */

const char *const *
rack_config_accounts (RackConfig *config)
{
  return (const char *const *) config->accounts;
}

static gboolean
is_default (const char *account)
{
  return account == NULL || strcmp (account, RACK_CONFIG_DEFAULT) == 0;
}

/* For who named one that is not there. */
static char *
listed_accounts (const char *const *names)
{
  enum
  {
    MOST = 12
  };
  GString *text = g_string_new (names[0] == NULL ? "; it has only [DEFAULT]" : "; it has ");

  for (guint i = 0; names[i] != NULL && i <= MOST; i++)
    {
      g_autofree char *shown = i < MOST ? rack_text_escape (names[i], -1) : g_strdup ("...");
      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", shown);
    }
  return g_string_free (text, FALSE);
}

gboolean
rack_config_check_account (RackConfig *config, const char *account, GError **error)
{
  const char *const *names = rack_config_accounts (config);

  if (is_default (account) || g_strv_contains (names, account))
    return TRUE;

  g_autofree char *shown = rack_text_escape (account, -1);
  const char *near = rack_nearest_word (account, names);
  g_autofree char *all = near == NULL ? listed_accounts (names) : NULL;
  g_autofree char *hint =
      near != NULL ? g_strdup_printf (" (did you mean \"%s\"?)", near) : g_steal_pointer (&all);
  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "%s: there is no account \"%s\"%s",
               config->file != NULL ? config->file : "no configuration file", shown, hint);
  return FALSE;
}

char *
rack_config_subject (RackConfig *config, const char *account)
{
  if (config->file == NULL)
    return g_strdup ("command line");
  if (is_default (account))
    return g_strdup_printf ("%s: [DEFAULT]", config->file);

  g_autofree char *shown = rack_text_escape (account, -1);
  return g_strdup_printf ("%s: account %s", config->file, shown);
}

/* ---- Finding ------------------------------------------------------------ */

static const RackOverride *
find_override (RackConfig *config, const char *key)
{
  for (guint i = 0; i < config->overrides->len; i++)
    {
      const RackOverride *override = g_ptr_array_index (config->overrides, i);

      if (strcmp (override->key, key) == 0)
        return override;
    }
  return NULL;
}

gboolean
rack_config_find_in (RackConfig *config, const char *account, RackLayer layer, const char *key,
                     RackFound *found)
{
  const RackIniEntry *entry = NULL;

  if (layer == RACK_LAYER_COMMAND_LINE)
    {
      const RackOverride *override = find_override (config, key);

      if (override == NULL)
        return FALSE;
      *found = (RackFound){ layer, override->key, override->value, override->origin, 0 };
      return TRUE;
    }
  if (config->ini != NULL && layer == RACK_LAYER_DEFAULT)
    entry = rack_ini_entry (rack_ini_section (config->ini, RACK_CONFIG_DEFAULT), key);
  else if (config->ini != NULL && !is_default (account))
    entry = rack_ini_entry (rack_ini_section (config->ini, account), key);
  if (entry == NULL)
    return FALSE;
  *found = (RackFound){ layer, entry->key, entry->value, NULL, entry->line };
  return TRUE;
}

gboolean
rack_config_empty_unsets (const RackParam *param)
{
  return param->type == RACK_PARAM_STRING || param->type == RACK_PARAM_PATH
         || param->type == RACK_PARAM_SECRET || param->type == RACK_PARAM_COMMAND
         || param->type == RACK_PARAM_LIST;
}

static gboolean
may_be_empty (RackConfig *config, const char *account, const char *key)
{
  const RackParam *param = rack_config_declared (config, account, key, NULL);

  return param == NULL || rack_config_empty_unsets (param);
}

gboolean
rack_config_find (RackConfig *config, const char *account, const char *key, RackFound *found)
{
  for (RackLayer layer = 0; layer < RACK_N_LAYERS; layer++)
    if (rack_config_find_in (config, account, layer, key, found))
      return rack_secret_size (found->raw) > 0 || !may_be_empty (config, account, key);
  return FALSE;
}

char *
rack_config_where (RackConfig *config, const RackFound *found)
{
  if (found->origin != NULL)
    return g_strdup (found->origin);
  return g_strdup_printf ("%s:%u", config->file, found->line);
}

gboolean
rack_config_store (RackConfig *config, const char *account, const RackFound *found,
                   const RackParam *param, gpointer data, GError **error)
{
  g_autoptr (RackSecret) value = rack_config_expand (config, account, found, NULL, error);

  if (value == NULL)
    return FALSE;

  g_autofree char *where = rack_config_where (config, found);
  if (param->type != RACK_PARAM_COMMAND && param->type != RACK_PARAM_LIST && found->origin == NULL
      && strchr (rack_secret_peek (found->raw), '\n') != NULL)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                   "%s: \"%s\" goes on in the next line, because that is indented; only commands "
                   "and lists may",
                   where, found->key);
      return FALSE;
    }
  /* What is quoted is what was written: after expansion it might hold a secret. */
  if (rack_param_store (param, rack_secret_peek (value), rack_secret_size (value),
                        rack_secret_peek (found->raw), data, error))
    return TRUE;
  g_prefix_error (error, "%s: ", where);
  return FALSE;
}

/* ---- What the command line says ----------------------------------------- */

gboolean
rack_config_set (RackConfig *config, const char *key, const char *value, const char *origin,
                 GError **error)
{
  const RackParam *param = rack_config_declared (config, NULL, key, NULL);

  if (param == NULL)
    return rack_config_unknown_key (config, key, origin, error);
  if ((*value != '\0' || !rack_config_empty_unsets (param))
      && !rack_param_try (param, value, strlen (value), value, error))
    {
      g_prefix_error (error, "%s: ", origin);
      return FALSE;
    }

  RackOverride *override = g_new0 (RackOverride, 1);
  override->key = g_strdup (key);
  override->value = rack_secret_new (value, -1);
  override->origin = g_strdup (origin);
  for (guint i = 0; i < config->overrides->len; i++)
    if (strcmp (((RackOverride *) config->overrides->pdata[i])->key, key) == 0)
      g_ptr_array_remove_index (config->overrides, i--);
  g_ptr_array_add (config->overrides, override);
  return TRUE;
}
