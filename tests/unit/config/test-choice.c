/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-choice.c - which plugins follow from transport, auth and their shorthands */
#include "settings.h"
#include "support.h"

/* What an account of these two sections chooses, as "transport auth", with "!" when clear text is
 * allowed; or the message. (owned) */
static char *
choose (const char *in_default, const char *in_account)
{
  g_autofree char *text =
      g_strdup_printf ("[DEFAULT]\nhost = h\n%s\n[a]\n%s\n", in_default, in_account);
  g_autofree char *path = test_write ("config.ini", text, -1, 0600);
  g_auto (RackAccountSettings) settings = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (RackConfig) config = rack_config_load (path, &error);

  if (config == NULL || !rack_config_resolve (config, "a", &settings, &error))
    return g_strdup (strstr (error->message, "config.ini:"));
  return g_strdup_printf ("%s %s%s", settings.transport, settings.auth,
                          settings.cleartext_allowed ? "!" : "");
}

static void
assert_choice (const char *in_default, const char *in_account, const char *expected)
{
  g_autofree char *chosen = choose (in_default, in_account);

  g_assert_cmpstr (chosen, ==, expected);
}

static void
test_transports (void)
{
  assert_choice ("", "", "ssl password");
  assert_choice ("", "ssl = true", "ssl password");
  assert_choice ("", "ssl = false", "plain password!");
  assert_choice ("", "starttls = true", "starttls password");
  assert_choice ("", "starttls = false", "ssl password");
  assert_choice ("", "ssl = false\nstarttls = true", "starttls password");
  assert_choice ("", "ssl = true\nstarttls = false", "ssl password");
  assert_choice ("", "ssl = false\nstarttls = false", "plain password!");
  assert_choice ("", "transport = plain", "plain password!");
  assert_choice ("", "transport = other", "other password");
  assert_choice ("", "transport = other\nssl = false", "other password!");
  assert_choice ("", "transport = ./x/y.so", "./x/y.so password");
  assert_choice ("", "transport = ssl\nssl = yes\nstarttls = no", "ssl password");
  assert_choice ("", "stream = true", "tunnel password");
  assert_choice ("", "stream = true\nssl = false", "tunnel password!");
}

static void
test_inherited (void)
{
  assert_choice ("ssl = true", "starttls = true", "starttls password");
  assert_choice ("starttls = true", "ssl = true", "ssl password");
  assert_choice ("ssl = true", "ssl = false", "plain password!");
  assert_choice ("ssl = false", "ssl = true", "ssl password");
  assert_choice ("starttls = true", "ssl = false", "starttls password");
  assert_choice ("starttls = true", "starttls = false", "ssl password");
  assert_choice ("transport = tunnel", "ssl = true", "ssl password");
  assert_choice ("ssl = true", "transport = tunnel", "tunnel password");
  assert_choice ("ssl = false", "transport = ssl", "ssl password");
  assert_choice ("transport = ssl", "ssl = false", "plain password!");
  assert_choice ("transport = starttls", "ssl = false", "starttls password");
  assert_choice ("stream = true", "ssl = true", "ssl password");
  assert_choice ("ssl = true", "stream = true", "tunnel password");
  assert_choice ("transport = other\nauth = other", "transport =", "ssl other");
  assert_choice ("transport = starttls\nstarttls = yes", "transport =", "starttls password");
}

static void
test_auth (void)
{
  assert_choice ("", "oauth2 = true", "ssl oauth2");
  assert_choice ("", "oauth2 = false", "ssl password");
  assert_choice ("", "auth = other", "ssl other");
  assert_choice ("", "auth = oauth2\noauth2 = true", "ssl oauth2");
  assert_choice ("oauth2 = true", "oauth2 = false", "ssl password");
  assert_choice ("auth = oauth2", "oauth2 = no", "ssl password");
  assert_choice ("auth = other", "oauth2 = yes", "ssl oauth2");
  assert_choice ("oauth2 = yes", "auth = password", "ssl password");
}

static void
test_contradictions (void)
{
  assert_choice (
      "", "ssl = true\nstarttls = True",
      "config.ini:6: \"starttls = True\" contradicts \"ssl = true\" in line 5: drop line "
      "6 for ssl, or line 5 for starttls");
  assert_choice (
      "ssl = true\nstarttls = true", "",
      "config.ini:4: \"starttls = true\" contradicts \"ssl = true\" in line 3: drop line "
      "4 for ssl, or line 3 for starttls");
  /* Also where a nearer section has decided. */
  assert_choice (
      "ssl = true\nstarttls = true", "transport = plain",
      "config.ini:4: \"starttls = true\" contradicts \"ssl = true\" in line 3: drop line "
      "4 for ssl, or line 3 for starttls");
  assert_choice ("", "transport = ssl\nssl = false",
                 "config.ini:6: \"ssl = false\" contradicts \"transport = ssl\" in line 5: drop "
                 "line 6 for ssl, or line 5 for no encryption");
  assert_choice ("", "ssl = true\ntransport = plain",
                 "config.ini:5: \"ssl = true\" contradicts \"transport = plain\" in line 6: drop "
                 "line 5 for plain, or line 6 for ssl");
  assert_choice ("", "stream = true\nstarttls = true",
                 "config.ini:5: \"stream = true\" contradicts \"starttls = true\" in line 6: drop "
                 "line 5 for starttls, or line 6 for tunnel");
  assert_choice ("", "auth = password\noauth2 = true",
                 "config.ini:6: \"oauth2 = true\" contradicts \"auth = password\" in line 5: drop "
                 "line 6 for password, or line 5 for oauth2");
  assert_choice ("", "auth = oauth2\noauth2 = false",
                 "config.ini:6: \"oauth2 = false\" contradicts \"auth = oauth2\" in line 5: drop "
                 "line 6 for oauth2, or line 5 for a password");
}

static void
test_command_line (void)
{
  g_autofree char *path = test_write (
      "config.ini", "[DEFAULT]\nhost = h\nstarttls = true\n[a]\nssl = true\n", -1, 0600);
  g_autoptr (RackConfig) config = rack_config_load (path, NULL);
  g_auto (RackAccountSettings) settings = { 0 };
  GError *error = NULL;

  g_assert_true (rack_config_set (config, "ssl", "false", "--insecure", NULL));
  g_assert_true (rack_config_set (config, "starttls", "false", "--insecure", NULL));
  g_assert_true (rack_config_resolve (config, "a", &settings, NULL));
  g_assert_cmpstr (settings.transport, ==, "plain");
  g_assert_true (rack_config_set (config, "ssl", "true", "--ssl", NULL));
  g_assert_true (rack_config_set (config, "starttls", "true", "--starttls", NULL));
  rack_account_settings_clear (&settings);
  g_assert_false (rack_config_resolve (config, "a", &settings, &error));
  test_error (&error, RACK_ERROR_CONFIG,
              "--ssl (ssl = true) and --starttls (starttls = true) "
              "contradict each other: drop one of the two");
}

/* ---- stream = true ------------------------------------------------------- */

static void
assert_tunnel (const char *in_default, const char *in_account, const char *host,
               const char *command)
{
  g_autofree char *text = g_strdup_printf ("[DEFAULT]\n%s\n[a]\n%s\n", in_default, in_account);
  g_autofree char *path = test_write ("config.ini", text, -1, 0600);
  g_autoptr (GError) error = NULL;
  g_autoptr (RackConfig) config = rack_config_load (path, &error);
  g_assert_no_error (error);
  g_auto (RackAccountSettings) settings = { 0 };
  const RackPlugin *tunnel = rack_plugin_open (RACK_PLUGIN_TRANSPORT, "tunnel", &error);
  g_assert_no_error (error);
  const RackParam *param = tunnel->info.params;
  g_autofree char *data = g_malloc0 (tunnel->info.config_size);

  g_assert_true (rack_config_resolve (config, "a", &settings, &error));
  g_assert_cmpstr (settings.transport, ==, "tunnel");
  g_assert_cmpstr (settings.host, ==, host);
  gboolean read = rack_config_read (config, "a", param, data, &error);
  if (command == NULL)
    test_error (&error, RACK_ERROR_CONFIG, "account a: \"tunnel_command\" is missing");
  else
    {
      g_assert_no_error (error);
      g_autofree char *joined = g_strjoinv ("|", *(char ***) (data + param->offset));
      g_assert_cmpstr (joined, ==, command);
    }
  g_assert_true (read == (command != NULL));
  rack_params_clear (param, data);
}

static void
test_streams (void)
{
  assert_tunnel ("", "stream = true\nhost = ssh h 'a b'", NULL, "ssh|h|a b");
  assert_tunnel ("stream = true", "host = ssh h", NULL, "ssh|h");
  assert_tunnel ("tunnel_command = other", "stream = true\nhost = ssh h", NULL, "ssh|h");
  assert_tunnel ("", "stream = true\nhost = h\ntunnel_command = ssh x", "h", "ssh|x");
  assert_tunnel ("", "transport = tunnel\nhost = h\ntunnel_command = ssh x", "h", "ssh|x");
  assert_tunnel ("", "transport = tunnel\nhost = h", "h", NULL);
  assert_tunnel ("", "transport = tunnel\nstream = true\nhost = ssh h", NULL, "ssh|h");
}

int
main (int argc, char **argv)
{
  test_begin ();
  test_install_keys ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/choice/transports", test_transports);
  g_test_add_func ("/choice/inherited", test_inherited);
  g_test_add_func ("/choice/auth", test_auth);
  g_test_add_func ("/choice/contradictions", test_contradictions);
  g_test_add_func ("/choice/command-line", test_command_line);
  g_test_add_func ("/choice/streams", test_streams);
  return g_test_run ();
}
