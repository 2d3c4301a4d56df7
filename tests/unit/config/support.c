/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * support.c - what the tests of configuration and plugins share */
#include "support.h"

#include <stdlib.h>
#include <unistd.h>

static char *root;

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      if (!g_file_test (inner, G_FILE_TEST_IS_SYMLINK) && g_file_test (inner, G_FILE_TEST_IS_DIR))
        remove_tree (inner);
      else
        g_unlink (inner);
    }
  g_rmdir (path);
}

static void
finish (void)
{
  remove_tree (root);
  g_free (root);
}

const char *
test_begin (void)
{
  umask (022);
  root = g_dir_make_tmp ("mailrack-test-XXXXXX", NULL);
  g_assert_nonnull (root);
  atexit (finish);
  g_setenv ("XDG_CONFIG_HOME", root, TRUE);
  g_setenv ("XDG_STATE_HOME", root, TRUE);
  g_setenv ("HOME", root, TRUE);
  g_unsetenv ("MAILRACK_CONFIG");
  g_setenv ("MAILRACK_PLUGIN_PATH", root, TRUE);
  return root;
}

char *
test_write (const char *name, const char *text, gssize size, int mode)
{
  char *path = g_build_filename (root, name, NULL);

  g_assert_true (
      g_file_set_contents_full (path, text, size, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
  g_assert_cmpint (g_chmod (path, mode), ==, 0);
  return path;
}

char *
test_install (const char *directory, const char *module, const char *name)
{
  g_autofree char *from = g_strdup_printf ("%s/%s.so", g_getenv ("TEST_PLUGINS"), module);
  g_autofree char *file = g_strdup_printf ("%s/mailrack-%s.so", directory, name);
  g_autofree char *made = g_build_filename (root, directory, NULL);
  g_autofree char *data = NULL;
  gsize size = 0;

  g_assert_true (g_file_get_contents (from, &data, &size, NULL));
  g_assert_cmpint (g_mkdir_with_parents (made, 0755), ==, 0);
  return test_write (file, data, (gssize) size, 0755);
}

void
test_install_keys (void)
{
  static const char *const names[] = {
    "auth-password",      "auth-oauth2",     "transport-ssl",
    "transport-starttls", "transport-plain", "transport-tunnel"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *module = g_strconcat ("keys/keys-", names[i], NULL);
      g_free (test_install ("keys", module, names[i]));
    }
  g_autofree char *directory = g_build_filename (root, "keys", NULL);
  g_setenv ("MAILRACK_PLUGIN_PATH", directory, TRUE);
}

void
test_error_at (const char *file, int line, GError **error, int code, const char *text)
{
  if (*error == NULL)
    g_error ("%s:%d: no error, but expected: %s", file, line, text);
  if (!g_error_matches (*error, RACK_ERROR, code) || strstr ((*error)->message, text) == NULL)
    g_error ("%s:%d: expected %d \"%s\", got %d \"%s\"", file, line, code, text, (*error)->code,
             (*error)->message);
  g_clear_error (error);
}
