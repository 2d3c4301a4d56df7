/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-config.c - configuration files as programs read them: layers, interpolation, unknown
 * keys, who may read the file, what is shown of it */
#include "config.h"
#include "settings.h"
#include "support.h"

static RackConfig *
load (const char *text)
{
  g_autofree char *path = test_write ("config.ini", text, -1, 0600);
  g_autoptr (GError) error = NULL;
  RackConfig *config = rack_config_load (path, &error);

  g_assert_no_error (error);
  return config;
}

#define assert_refused(text, message) assert_refused_mode (text, 0600, message)
#define assert_refused_mode(text, mode, message)                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *path_ = test_write ("config.ini", text, -1, mode);                            \
    GError *error_ = NULL;                                                                         \
    g_assert_null (rack_config_load (path_, &error_));                                             \
    test_error (&error_, RACK_ERROR_CONFIG, message);                                              \
  }                                                                                                \
  G_STMT_END

/* A setting as it is shown: owned by the caller; "origin" has no directory. */
static char *
get (RackConfig *config, const char *account, const char *key, char **origin)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) settings = rack_config_settings (config, account, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < settings->len; i++)
    {
      const RackSetting *setting = g_ptr_array_index (settings, i);

      if (strcmp (setting->key, key) != 0)
        continue;
      if (origin != NULL)
        *origin = g_path_get_basename (setting->origin);
      return g_strdup (setting->value);
    }
  return NULL;
}

static void
assert_setting (RackConfig *config, const char *account, const char *key, const char *value,
                const char *origin)
{
  g_autofree char *from = NULL;
  g_autofree char *shown = get (config, account, key, &from);

  g_assert_cmpstr (shown, ==, value);
  g_assert_cmpstr (from, ==, origin);
}

/* The password as a plugin would get it. Owned. */
static char *
password (RackConfig *config, const char *account)
{
  const RackParam *param = rack_config_declared (config, account, "password", NULL);
  RackParam here[2] = { *param, { 0 } };
  RackSecret *secret = NULL;
  g_autoptr (GError) error = NULL;

  here[0].offset = 0;
  g_assert_true (rack_config_read (config, account, here, &secret, &error));
  g_assert_no_error (error);
  char *text = secret != NULL ? g_strdup (rack_secret_peek (secret)) : NULL;
  rack_secret_free (secret);
  return text;
}

static void
assert_password (const char *written, const char *expected)
{
  g_autofree char *text = g_strdup_printf ("[DEFAULT]\nhost = h\nusername = bob\n%s\n", written);
  g_autoptr (RackConfig) config = load (text);
  g_autofree char *got = password (config, NULL);

  g_assert_cmpstr (got, ==, expected);
}

/* ---- The documented example --------------------------------------------- */

static void
test_example (void)
{
  g_autoptr (RackConfig) config = load ("[DEFAULT]\nhost = imap.mailserver.com\nusername = bob\n"
                                        "password = sekret\nssl = True\n");
  g_auto (RackAccountSettings) settings = { 0 };

  g_assert_true (rack_config_resolve (config, NULL, &settings, NULL));
  g_assert_cmpstr (settings.host, ==, "imap.mailserver.com");
  g_assert_cmpstr (settings.username, ==, "bob");
  g_assert_cmpint (settings.port, ==, 0);
  g_assert_cmpstr (settings.transport, ==, "ssl");
  g_assert_cmpstr (settings.auth, ==, "password");
  g_assert_cmpint (settings.timeout, ==, 60000);
  g_assert_cmpint (settings.idle_refresh, ==, 540000);
  g_assert_cmpint (settings.connections, ==, 4);
  g_assert_false (settings.cleartext_allowed);
  assert_setting (config, NULL, "password", "********", "config.ini:4");
  assert_setting (config, NULL, "ssl_verify_cert", "true", "default");
  assert_setting (config, NULL, "transport", "ssl", "config.ini:5");
  assert_setting (config, NULL, "auth", "password", "default");
}

static void
test_layers (void)
{
  g_autoptr (RackConfig) config =
      load ("[DEFAULT]\nhost = a\nusername = bob\npassword = x\nport = 1\n"
            "[work]\nhost: b\nPORT = 2\npassword =\n[home]\n");

  g_assert_cmpuint (g_strv_length ((char **) rack_config_accounts (config)), ==, 2);
  g_assert_cmpstr (rack_config_accounts (config)[0], ==, "work");
  assert_setting (config, "work", "host", "b", "config.ini:7");
  assert_setting (config, "work", "port", "2", "config.ini:8");
  assert_setting (config, "work", "username", "bob", "config.ini:3");
  assert_setting (config, "work", "password", NULL, "default");
  assert_setting (config, "home", "host", "a", "config.ini:2");
  assert_setting (config, "DEFAULT", "host", "a", "config.ini:2");
  g_assert_true (rack_config_set (config, "port", "3", "-P", NULL));
  g_assert_true (rack_config_set (config, "port", "4", "-P", NULL));
  g_assert_true (rack_config_set (config, "password", "%%(host)s", "-p", NULL));
  assert_setting (config, "work", "port", "4", "-P");
  assert_setting (config, "home", "port", "4", "-P");
  assert_setting (config, "home", "password", "********", "-p");
  g_autofree char *verbatim = password (config, "home");
  g_assert_cmpstr (verbatim, ==, "%%(host)s");

  GError *error = NULL;
  g_assert_null (rack_config_settings (config, "wrok", &error));
  test_error (&error, RACK_ERROR_CONFIG, "there is no account \"wrok\" (did you mean \"work\"?)");
  g_assert_false (rack_config_set (config, "prot", "3", "-o prot", &error));
  test_error (&error, RACK_ERROR_CONFIG, "-o prot: unknown key \"prot\" (did you mean \"port\"?)");
  g_assert_false (rack_config_set (config, "port", "x", "-P", &error));
  test_error (&error, RACK_ERROR_CONFIG, "-P: \"port\": \"x\" is not a whole number");
}

static void
test_no_file (void)
{
  g_autoptr (RackConfig) config = rack_config_new ();
  g_auto (RackAccountSettings) settings = { 0 };
  GError *error = NULL;

  g_assert_true (rack_config_set (config, "host", "h", "-H", NULL));
  g_assert_true (rack_config_resolve (config, NULL, &settings, NULL));
  g_assert_cmpstr (settings.host, ==, "h");
  g_assert_cmpuint (g_strv_length ((char **) rack_config_accounts (config)), ==, 0);
  g_assert_null (rack_config_load ("/nowhere/x.ini", &error));
  test_error (&error, RACK_ERROR_CONFIG, "/nowhere/x.ini: cannot be opened: No such file");
  g_assert_null (rack_config_load ("/tmp", &error));
  test_error (&error, RACK_ERROR_CONFIG, "/tmp: cannot be read: Is a directory");
}

static void
test_default_path (void)
{
  g_autofree char *standard = rack_config_default_path ();
  g_autofree char *expected =
      g_build_filename (g_getenv ("XDG_CONFIG_HOME"), "mailrack", "config.ini", NULL);

  g_assert_cmpstr (standard, ==, expected);
  g_setenv ("MAILRACK_CONFIG", "/x/y.ini", TRUE);
  g_autofree char *named = rack_config_default_path ();
  g_unsetenv ("MAILRACK_CONFIG");
  g_assert_cmpstr (named, ==, "/x/y.ini");
}

/* ---- Values ------------------------------------------------------------- */

static void
test_passwords (void)
{
  assert_password ("password = a ;b#c%d\"e\\", "a ;b#c%d\"e\\");
  assert_password ("password = 100%", "100%");
  assert_password ("password = %x%(nothing)s", "%x%(nothing)s");
  assert_password ("password = %(username)", "%(username)");
  assert_password ("password = a%%b", "a%b");
  assert_password ("password = %%(username)s", "%(username)s");
  assert_password ("password = %%%(username)s%%", "%bob%");
  assert_password ("password = %(username)s-%(USERNAME)s", "bob-bob");
  assert_password ("interpolation = none\npassword = a%%b%(username)s", "a%%b%(username)s");
  assert_password ("interpolation = basic\npassword = a%%b", "a%b");
  g_autofree char *token = g_strnfill (2000, 't');
  g_autofree char *line = g_strdup_printf ("password = %s", token);
  assert_password (line, token);
}

static void
test_interpolation (void)
{
  g_autoptr (RackConfig) config =
      load ("[DEFAULT]\nhost = %(auth_mechanisms)s.example.org\nusername = %(host)s\n"
            "expect_failure = with %(password)s\npassword = sekret\n"
            "[a]\nauth_mechanisms = PLAIN\n[b]\nauth_mechanisms = login\ninterpolation = none\n");

  assert_setting (config, "a", "username", "PLAIN.example.org", "config.ini:3");
  assert_setting (config, "b", "username", "%(host)s", "config.ini:3");
  assert_setting (config, "a", "expect_failure", "********", "config.ini:4");
  assert_refused ("[DEFAULT]\n[a]\nhost = %(username)s\nusername = %(host)s\n",
                  "config.ini:3: \"host\" refers to itself");
  /* The message quotes what was written, not what it became. */
  g_autofree char *path = test_write (
      "config.ini", "[DEFAULT]\n[a]\npassword = hunter2\nport = %(password)s\n", -1, 0600);
  g_autoptr (GError) error = NULL;
  g_assert_null (rack_config_load (path, &error));
  g_assert_nonnull (strstr (error->message, "\"%(password)s\" is not a whole number"));
  g_assert_null (strstr (error->message, "hunter2"));
}

static void
test_bombs (void)
{
  /* Each of ten levels refers to the next a hundred times. */
  static const char *const keys[] = { "host", "username", "auth_mechanisms", "disable_extensions",
                                      "expect_failure" };
  g_autoptr (GString) text = g_string_new ("[DEFAULT]\n[a]\n");

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_string_append_printf (text, "%s = ", keys[i]);
      for (int k = 0; k < 100; k++)
        g_string_append_printf (text, "%%(%s)s", keys[(i + 1) % G_N_ELEMENTS (keys)]);
      g_string_append (text, "\n");
    }
  assert_refused (text->str, "refers to itself");

  g_autofree char *half = g_strnfill (40000, 'x');
  g_autofree char *two =
      g_strdup_printf ("[DEFAULT]\n[a]\nusername = %s\nhost = %%(username)s%%(username)s\n", half);
  assert_refused (two, "becomes longer than 64 KiB");
}

static void
test_continued (void)
{
  g_autoptr (RackConfig) config = load ("[DEFAULT]\nhost = h\nstream = no\n"
                                        "disable_extensions = IDLE\n   MOVE,\n   condstore\n");
  g_auto (RackAccountSettings) settings = { 0 };

  g_assert_true (rack_config_resolve (config, NULL, &settings, NULL));
  g_assert_cmpuint (g_strv_length (settings.disable_extensions), ==, 3);
  g_assert_cmpstr (settings.disable_extensions[2], ==, "CONDSTORE");
  assert_refused ("[DEFAULT]\npassword = x\n  username = bob\n",
                  "config.ini:2: \"password\" goes on in the next line");
}

/* ---- What is refused ---------------------------------------------------- */

static void
test_refused (void)
{
  assert_refused ("[work]\nhost = x\n", "there is no section [DEFAULT]");
  assert_refused ("[default]\nhost = x\n", "config.ini:1: the section [default] must be written");
  assert_refused ("[DEFAULT]\n\nusernme = x\n",
                  "config.ini:3: unknown key \"usernme\" (did you mean \"username\"?)");
  assert_refused ("[DEFAULT]\n[a]\npasword = x\n", "config.ini:3: unknown key \"pasword\" (did you "
                                                   "mean \"password\"?)");
  assert_refused ("[DEFAULT]\nzzzzzzzzzzzz = hunter2\n", "config.ini:2: unknown key \"zzzz");
  assert_refused ("[DEFAULT]\nssl = maybe\n", "config.ini:2: \"ssl\": \"maybe\" is not 1, yes");
  assert_refused ("[DEFAULT]\nssl =\n", "config.ini:2: \"ssl\": \"\" is not 1, yes");
  assert_refused ("[DEFAULT]\nport = 99999\n", "config.ini:2: \"port\" must be from 1 to 65535");
  assert_refused ("[DEFAULT]\nport = 0\n", "config.ini:2: \"port\" must be from 1 to 65535");
  assert_refused ("[DEFAULT]\n[a]\nconnections = 0\n", "config.ini:3: \"connections\" must be");
  assert_refused ("[DEFAULT]\nidle_refresh = 1h\n", "config.ini:2: \"idle_refresh\" must be");
  assert_refused ("[DEFAULT]\nhost = -oProxyCommand=x\n", "\"host\" must not begin with \"-\"");
  assert_refused ("[DEFAULT]\nusername = -x\n", "\"username\" must not begin with \"-\"");
  assert_refused ("[DEFAULT]\nhost = a\x01"
                  "b\n",
                  "\"host\" holds a control character");
  assert_refused ("[DEFAULT]\nssl_verify_cert = 2\n", "config.ini:2: \"ssl_verify_cert\": \"2\"");
  assert_refused ("[DEFAULT]\nroot = x\n", "is not one of: messages, maildir, parts");
}

static void
test_known_elsewhere (void)
{
  /* A key of a plugin that is installed and not used is no mistake. */
  g_autoptr (RackConfig) config =
      load ("[DEFAULT]\nhost = h\nssl = false\noauth2_client_id = x\nssl_ca_file = ~/ca\n"
            "tunnel_command = ssh h imapd\nnames = uid\n");
  g_autofree char *shown = get (config, NULL, "ssl_ca_file", NULL);

  g_assert_null (shown);
  assert_setting (config, NULL, "transport", "plain", "config.ini:3");
}

static void
test_modes (void)
{
  const char *secret = "[DEFAULT]\nusername = bob\npassword = sekret\n";
  const char *open = "[DEFAULT]\nusername = bob\n";
  static const int closed[] = { 0600, 0400, 0700 };
  static const int readable[] = { 0644, 0640, 0604, 0444, 0610 };
  static const int writable[] = { 0620, 0602, 0666 };
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (closed); i++)
    {
      g_autofree char *path = test_write ("config.ini", secret, -1, closed[i]);
      g_autoptr (RackConfig) config = rack_config_load (path, &error);
      g_assert_no_error (error);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (readable); i++)
    {
      assert_refused_mode (secret, readable[i],
                           "holds a secret (\"password\" in line 3) and "
                           "others may read it: run chmod 600 '");
      g_autofree char *path = test_write ("config.ini", open, -1, readable[i]);
      g_autoptr (RackConfig) config = rack_config_load (path, &error);
      g_assert_no_error (error);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (writable); i++)
    assert_refused_mode (open, writable[i], "others may change it");
  assert_refused_mode ("[DEFAULT]\n[a]\noauth2 = yes\noauth2_refresh_token = x\n", 0644,
                       "holds a secret (\"oauth2_refresh_token\" in line 4)");
  g_autofree char *path = test_write ("config.ini", "[DEFAULT]\npassword =\n", -1, 0644);
  g_autoptr (RackConfig) config = rack_config_load (path, &error);
  g_assert_no_error (error);
}

static void
test_plugin_missing (void)
{
  g_autoptr (RackConfig) config = load ("[DEFAULT]\nhost = h\n[a]\n\nauth = absent\n");
  GError *error = NULL;

  g_assert_null (rack_config_settings (config, "a", &error));
  test_error (&error, RACK_ERROR_PLUGIN, "config.ini:5: there is no auth plugin \"absent\"");
  assert_refused ("[DEFAULT]\nauth = absent\nabsent_key_of_it = 3\n",
                  "declared by a plugin that cannot be opened");
}

int
main (int argc, char **argv)
{
  test_begin ();
  test_install_keys ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/example", test_example);
  g_test_add_func ("/config/layers", test_layers);
  g_test_add_func ("/config/no-file", test_no_file);
  g_test_add_func ("/config/default-path", test_default_path);
  g_test_add_func ("/config/passwords", test_passwords);
  g_test_add_func ("/config/interpolation", test_interpolation);
  g_test_add_func ("/config/bombs", test_bombs);
  g_test_add_func ("/config/continued", test_continued);
  g_test_add_func ("/config/refused", test_refused);
  g_test_add_func ("/config/known-elsewhere", test_known_elsewhere);
  g_test_add_func ("/config/modes", test_modes);
  g_test_add_func ("/config/plugin-missing", test_plugin_missing);
  return g_test_run ();
}
