/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-plugin.c - the loader: what it opens, what it refuses and with which words, and that a
 * plugin built against the first header of the ABI runs */
#include "plugin.h"
#include "support.h"

#include <unistd.h>

static const char *root;

static void
search (const char *directories)
{
  g_setenv ("MAILRACK_PLUGIN_PATH", directories, TRUE);
}

/* ---- Opening and running ------------------------------------------------ */

/* One login as core does it, on a plugin made from good.c. */
static void
log_in (const RackAuthPlugin *auth, const char *name)
{
  g_autofree char *key = g_strconcat (name, "_secret", NULL);
  g_autofree gpointer config = g_malloc0 (auth->info->config_size);
  g_autoptr (RackConfig) file = rack_config_new ();
  RackPeer peer = { .size = sizeof (peer), .host = "h", .user = "bob", .port = 993 };
  RackWait wait = { .size = sizeof (wait) };
  g_autoptr (RackSecret) response = NULL;
  GError *error = NULL;

  g_assert_true (rack_config_set (file, key, "sesame", "-p", NULL));
  g_assert_true (rack_config_read (file, NULL, auth->info->params, config, NULL));
  gpointer account = auth->open (config, NULL, NULL);
  gpointer attempt = auth->start (account, &auth->mechanisms[0], &peer, &wait, NULL);
  g_assert_false (auth->accepted (attempt, &error));
  test_error (&error, RACK_ERROR_AUTH, "accepted before anything was sent");
  g_assert_true (auth->step (attempt, NULL, &response, &wait, NULL));
  static const char expected[] = "X-GOOD for bob at h:993\0sesame\0hello 1 -7 1500 1 a|b c x|y|z";
  g_assert_cmpmem (rack_secret_peek (response), rack_secret_size (response), expected,
                   sizeof (expected) - 1);
  g_assert_true (auth->accepted (attempt, NULL));
  g_assert_cmpint (auth->rejected (attempt, "EXPIRED", "text", &wait), ==, RACK_AUTH_RETRY);
  auth->end (attempt);
  attempt = auth->start (account, &auth->mechanisms[0], &peer, &wait, NULL);
  g_assert_cmpint (auth->rejected (attempt, NULL, "text", &wait), ==, RACK_AUTH_GIVE_UP);
  auth->end (attempt);
  auth->close (account);
  rack_params_clear (auth->info->params, config);
}

static void
open_and_log_in (const char *name)
{
  g_autofree char *as = g_strconcat ("auth-", name, NULL);
  g_autofree char *file = test_install ("run", name, as);
  g_autofree char *directory = g_path_get_dirname (file);
  g_autoptr (GError) error = NULL;

  search (directory);
  const RackPlugin *plugin = rack_plugin_open (RACK_PLUGIN_AUTH, name, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (plugin->file, ==, file);
  g_assert_cmpstr (plugin->label, ==, as);
  g_assert_cmpstr (plugin->info.version, ==, "1.2");
  g_assert_cmpuint (plugin->info.size, ==, sizeof (RackPluginInfo));
  g_assert_true (plugin->auth.info == &plugin->info);
  g_assert_cmpstr (plugin->auth.mechanisms[0].name, ==, "X-GOOD");
  g_assert_cmpint (plugin->auth.mechanisms[1].flags, ==,
                   RACK_MECHANISM_PLAIN_TEXT | RACK_MECHANISM_WHEN_NAMED);
  g_assert_null (plugin->auth.mechanisms[2].name);
  /* By its path it is the same plugin, not a second copy. HOME is the test's directory. */
  g_assert_true (rack_plugin_open (RACK_PLUGIN_AUTH, file, NULL) == plugin);
  g_autofree char *home = g_strconcat ("~/run/mailrack-auth-", name, ".so", NULL);
  g_assert_true (rack_plugin_open (RACK_PLUGIN_AUTH, home, NULL) == plugin);
  log_in (&plugin->auth, name);
}

static void
test_good (void)
{
  open_and_log_in ("good");
}

static void
test_old (void)
{
  open_and_log_in ("old");
}

static void
test_required (void)
{
  g_autofree char *file = test_install ("required", "good", "auth-good");
  g_autoptr (RackConfig) config = rack_config_new ();
  const RackPlugin *plugin = rack_plugin_open (RACK_PLUGIN_AUTH, file, NULL);
  g_autofree gpointer data = g_malloc0 (plugin->info.config_size);
  g_autofree gpointer zero = g_malloc0 (plugin->info.config_size);
  GError *error = NULL;

  g_assert_false (rack_config_read (config, NULL, plugin->info.params, data, &error));
  test_error (&error, RACK_ERROR_CONFIG, "\"good_secret\" is missing: A secret.");
  g_assert_cmpmem (data, plugin->info.config_size, zero, plugin->info.config_size);
}

/* ---- Refusing ----------------------------------------------------------- */

static const struct
{
  const char *defect;
  const char *message; /* NULL: opens */
} defects[] = {
  { "none", NULL },
  { "surplus-null", NULL },
  { "abi-newer", "built for a newer mailrack (plugin ABI 2, this one has 1): update mailrack" },
  { "abi-older", "built for an older mailrack (plugin ABI 0, this one has 1): build it against" },
  { "kind-unknown", "it is of a kind (3) this mailrack does not know" },
  { "too-small", "its RackAuthPlugin says that it is 72 bytes long, which no version" },
  { "surplus-used", "its RackAuthPlugin uses what this mailrack does not know yet: update" },
  { "info-surplus", "its RackPluginInfo uses what this mailrack does not know yet" },
  { "param-surplus", "its parameter uses what this mailrack does not know yet" },
  { "no-entry", "it exports no rack_plugin_entry: RACK_REGISTER_AUTH or" },
  { "no-function", "undefined symbol: rack_there_is_no_such_function" },
  { "no-step", "it has no step callback" },
  { "no-mechanism", "it has no mechanisms" },
  { "mechanism-name", "its mechanism \"AUTH=PLAIN\" is not made of A-Z, 0-9, - and _" },
  { "mechanism-size", "the size of its mechanism is 0: build it with .mechanism_size = sizeof" },
  { "mechanism-end", "its mechanisms do not end: the last must be { NULL, 0 }" },
  { "key-end", "its parameters do not end: the last must be RACK_PARAM_END" },
  { "mechanism-flag", "its mechanism PLAIN has flags this mailrack does not know" },
  { "key-name", "its key \"Broken-Number\" is not made of a-z, 0-9 and _" },
  { "key-twice", "its key \"broken_number\" is declared twice" },
  { "key-outside", "its key \"broken_number\" lies outside config_size" },
  { "key-type", "its key \"broken_number\" has a type this mailrack does not know" },
  { "key-fallback", "its key \"broken_number\" has a fallback that is no value of its type" },
  { "key-overlap", "its key \"broken_other\" shares its field with another key" },
  { "key-of-core", "its key \"host\" is mailrack's own and of another type" },
  { "choices", "its key \"broken_choice\" has no choices" },
  { "plugin-name", "it calls itself auth-somebody-else, which does not fit the name of the file: "
                   "that would be mailrack-auth-somebody-else.so" },
  { "entry-null", "rack_plugin_entry() gives no plugin" },
  { "info-null", "it has no info" },
};

static void
test_defects (void)
{
  g_autofree char *directory = g_build_filename (root, "defects", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (defects); i++)
    {
      g_autofree char *module = g_strconcat ("broken-", defects[i].defect, NULL);
      g_autofree char *name = g_strconcat ("auth-", defects[i].defect, NULL);
      g_autofree char *file = test_install ("defects", module, name);
      GError *error = NULL;

      search (directory);
      /* The second time it comes from the table. */
      for (int again = 0; again < 2; again++)
        {
          const RackPlugin *plugin = rack_plugin_open (RACK_PLUGIN_AUTH, defects[i].defect, &error);

          if (defects[i].message == NULL)
            {
              g_assert_no_error (error);
              g_assert_nonnull (plugin);
              continue;
            }
          g_assert_null (plugin);
          g_assert_true (g_str_has_prefix (error->message, file));
          test_error (&error, RACK_ERROR_PLUGIN, defects[i].message);
        }
    }
}

static void
test_kind (void)
{
  g_autofree char *file = test_install ("kind", "good", "auth-good");
  GError *error = NULL;

  g_assert_null (rack_plugin_open (RACK_PLUGIN_TRANSPORT, file, &error));
  test_error (&error, RACK_ERROR_PLUGIN, "is a plugin for \"auth =\", not for \"transport =\"");
}

static void
test_not_a_plugin (void)
{
  g_autofree char *text = test_write ("text.so", "not ELF", -1, 0755);
  GError *error = NULL;

  g_assert_null (rack_plugin_open (RACK_PLUGIN_AUTH, text, &error));
  test_error (&error, RACK_ERROR_PLUGIN, "text.so: cannot be loaded: file too short");
  g_assert_null (rack_plugin_open (RACK_PLUGIN_AUTH, "/nowhere/x.so", &error));
  test_error (&error, RACK_ERROR_PLUGIN, "/nowhere/x.so: No such file");
  g_assert_null (rack_plugin_open (RACK_PLUGIN_AUTH, "/tmp/", &error));
  test_error (&error, RACK_ERROR_PLUGIN, "/tmp/: is not a file");
  g_assert_null (rack_plugin_open (RACK_PLUGIN_AUTH, "Pass\x1bword", &error));
  g_assert_null (strchr (error->message, 0x1b));
  test_error (&error, RACK_ERROR_PLUGIN, "is no name of a plugin");
  g_assert_null (rack_plugin_open (RACK_PLUGIN_AUTH, "..", &error));
  test_error (&error, RACK_ERROR_PLUGIN, "is no name of a plugin");
  g_assert_null (rack_plugin_open (RACK_PLUGIN_AUTH, "absent", &error));
  test_error (&error, RACK_ERROR_PLUGIN, "mailrack-auth-absent.so is not in ");
}

static void
test_modes (void)
{
  g_autofree char *file = test_install ("modes", "good", "auth-good");
  g_autofree char *directory = g_path_get_dirname (file);
  GError *error = NULL;

  g_chmod (file, 0757);
  g_assert_null (rack_plugin_open (RACK_PLUGIN_AUTH, file, &error));
  test_error (&error, RACK_ERROR_PLUGIN,
              "mailrack-auth-good.so: others may change it, so it is not loaded: run chmod go-w '");
  g_chmod (file, 0775);
  g_assert_null (rack_plugin_open (RACK_PLUGIN_AUTH, file, &error));
  test_error (&error, RACK_ERROR_PLUGIN, "others may change it");
  g_chmod (file, 0755);
  g_chmod (directory, 01777);
  g_assert_null (rack_plugin_open (RACK_PLUGIN_AUTH, file, &error));
  test_error (&error, RACK_ERROR_PLUGIN,
              "modes: others may change it, so no plugin in it is loaded: put the plugin into");
  g_chmod (directory, 0775);
  g_assert_null (rack_plugin_open (RACK_PLUGIN_AUTH, file, &error));
  test_error (&error, RACK_ERROR_PLUGIN,
              "modes: others may change it, so no plugin in it is loaded: run chmod go-w '");

  /* Where it really lies counts, not where a link to it is. */
  g_autofree char *link = g_build_filename (root, "link.so", NULL);
  g_assert_cmpint (symlink (file, link), ==, 0);
  g_assert_null (rack_plugin_open (RACK_PLUGIN_AUTH, link, &error));
  test_error (&error, RACK_ERROR_PLUGIN, "modes: others may change it");
  g_chmod (directory, 0755);
  g_assert_nonnull (rack_plugin_open (RACK_PLUGIN_AUTH, link, &error));
  g_assert_no_error (error);
  if (geteuid () == 0)
    {
      g_assert_cmpint (chown (file, 12345, 0), ==, 0);
      g_assert_null (rack_plugin_open (RACK_PLUGIN_AUTH, file, &error));
      test_error (&error, RACK_ERROR_PLUGIN, "belongs to somebody else than you or root");
    }
}

/* ---- Finding ------------------------------------------------------------ */

static void
test_order (void)
{
  g_autofree char *first = test_install ("first", "good", "auth-good");
  g_autofree char *second = test_install ("second", "good", "auth-good");
  g_autofree char *other = test_install ("second", "broken-no-step", "auth-no-step");
  g_autofree char *stray = test_install ("second", "good", "sound-good");
  gboolean named = FALSE;
  g_autofree char *path = g_strdup_printf ("/nowhere:%s/first::%s/second", root, root);

  search (path);
  g_assert_cmpstr (rack_plugin_open (RACK_PLUGIN_AUTH, "good", NULL)->file, ==, first);
  g_autoptr (GPtrArray) list = rack_plugins_list ();
  g_assert_cmpuint (list->len, >=, 3);
  const RackPluginFacts *facts = g_ptr_array_index (list, 0);
  g_assert_cmpstr (facts->file, ==, first);
  g_assert_cmpint (facts->kind, ==, RACK_PLUGIN_AUTH);
  g_assert_cmpstr (facts->name, ==, "good");
  g_assert_cmpstr (facts->summary, ==, "Everything there is");
  g_assert_cmpstr (facts->params[0].key, ==, "good_text");
  g_assert_null (facts->problem);
  facts = g_ptr_array_index (list, 1);
  g_assert_cmpstr (facts->file, ==, second);
  facts = g_ptr_array_index (list, 2);
  g_assert_cmpstr (facts->file, ==, other);
  g_assert_nonnull (strstr (facts->problem, "it has no step callback"));
  for (guint i = 0; i < list->len; i++)
    if (strcmp ((facts = list->pdata[i])->file, stray) == 0)
      named = strstr (facts->problem, "the name of the file is mailrack-auth-NAME.so") != NULL;
  g_assert_true (named);

  GError *error = NULL;
  RackPluginFacts *checked = rack_plugin_check (second, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (checked->version, ==, "1.2");
  rack_plugin_facts_free (checked);
  g_assert_null (rack_plugin_check (other, &error));
  test_error (&error, RACK_ERROR_PLUGIN, "it has no step callback");
}

int
main (int argc, char **argv)
{
  root = test_begin ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plugin/good", test_good);
  g_test_add_func ("/plugin/old", test_old);
  g_test_add_func ("/plugin/required", test_required);
  g_test_add_func ("/plugin/defects", test_defects);
  g_test_add_func ("/plugin/kind", test_kind);
  g_test_add_func ("/plugin/not-a-plugin", test_not_a_plugin);
  g_test_add_func ("/plugin/modes", test_modes);
  g_test_add_func ("/plugin/order", test_order);
  return g_test_run ();
}
