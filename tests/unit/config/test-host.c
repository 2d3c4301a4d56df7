/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-host.c - what a program does for plugins: asking, telling, running, keeping */
#include "support.h"

#include <signal.h>
#include <unistd.h>

static const char *root;

/* ---- Asking and telling -------------------------------------------------- */

static char *told;

static RackSecret *
answer (gpointer data, const char *question, RackAskFlags flags, const RackWait *wait,
        GError **error)
{
  return rack_secret_printf ("%s|%s|%d", (const char *) data, question, (int) flags);
}

static void
hear (gpointer data, const char *text)
{
  g_free (told);
  told = g_strdup (text);
}

static void
test_ask (void)
{
  static const RackHostOps ops = { sizeof (ops), answer, hear };
  g_autoptr (RackHost) host = rack_host_new (&ops, (gpointer) "me");
  g_autoptr (RackSecret) secret = rack_host_ask (host, "Pass\x1b[word?", RACK_ASK_ECHO, NULL, NULL);

  g_assert_cmpstr (rack_secret_peek (secret), ==, "me|Pass\\x1b[word?|1");
  rack_host_tell (host, "two\nlines");
  g_assert_null (strchr (told, '\n'));
  g_free (told);
}

static void
test_nobody (void)
{
  static const RackHostOps none = { sizeof (none), NULL, NULL };
  /* An older program's struct, without the field. */
  static const RackHostOps old = { sizeof (gsize), answer, NULL };
  g_autoptr (RackHost) silent = rack_host_new (&none, NULL);
  g_autoptr (RackHost) older = rack_host_new (&old, NULL);
  RackHost *hosts[] = { NULL, silent, older };
  GError *error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++)
    {
      g_assert_null (rack_host_ask (hosts[i], "Password", RACK_ASK_HIDDEN, NULL, &error));
      test_error (&error, RACK_ERROR_INTERACTION, "nobody is here to answer \"Password\"");
    }
}

/* ---- Running ------------------------------------------------------------- */

static RackSecret *
run (const char *script, const RackWait *wait, GError **error)
{
  const char *argv[] = { "sh", "-c", script, NULL };

  return rack_host_run (NULL, argv, wait, error);
}

#define assert_line(script, line)                                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) error_ = NULL;                                                              \
    g_autoptr (RackSecret) secret_ = run (script, NULL, &error_);                                  \
    g_assert_no_error (error_);                                                                    \
    g_assert_cmpstr (rack_secret_peek (secret_), ==, line);                                        \
  }                                                                                                \
  G_STMT_END

#define assert_fails(script, code, text)                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    GError *error_ = NULL;                                                                         \
    g_assert_null (run (script, NULL, &error_));                                                   \
    test_error (&error_, code, text);                                                              \
  }                                                                                                \
  G_STMT_END

static gint64
read_number (const char *file)
{
  g_autofree char *path = g_build_filename (root, file, NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return g_ascii_strtoll (text, NULL, 10);
}

/* Whether the process whose id is in file is there and no zombie. */
static gboolean
is_running (const char *file)
{
  g_autofree char *stat = g_strdup_printf ("/proc/%d/stat", (int) read_number (file));
  g_autofree char *text = NULL;

  return g_file_get_contents (stat, &text, NULL, NULL) && strstr (text, ") Z ") == NULL;
}

static void
test_run (void)
{
  assert_line ("echo 'a ;b#c%d\"e\\'", "a ;b#c%d\"e\\");
  assert_line ("printf 'no end'", "no end");
  assert_line ("printf 'first\\r\\nsecond\\n'", "first");
  assert_line ("printf ' blanks \\n'", " blanks ");
  g_autofree char *long_line = g_strnfill (60000, 'x');
  assert_line ("head -c 60000 /dev/zero | tr '\\0' x; echo; echo more", long_line);
  assert_line ("cat; echo stdin was empty", "stdin was empty");

  /* What it leaves behind may keep the pipe open for ever: the end of the command counts. */
  g_autofree char *script =
      g_strdup_printf ("sleep 100000 2>/dev/null & echo $! >%s/sleeper; echo done", root);
  assert_line (script, "done");
  g_assert_true (is_running ("sleeper"));
  kill ((pid_t) read_number ("sleeper"), SIGKILL);
}

static void
test_run_fails (void)
{
  const char *absent[] = { "/nowhere/command", "hunter2", NULL };
  const char *nothing[] = { NULL };
  GError *error = NULL;

  assert_fails ("echo x; exit 3", RACK_ERROR_IO, "the command \"sh\" failed with exit status 3");
  assert_fails ("kill -9 $$", RACK_ERROR_IO, "was killed");
  assert_fails ("true", RACK_ERROR_IO, "printed nothing in its first line");
  assert_fails ("echo; echo x", RACK_ERROR_IO, "printed nothing in its first line");
  assert_fails ("printf 'a\\0b\\n'", RACK_ERROR_IO, "printed a NUL byte");
  assert_fails ("cat /dev/zero", RACK_ERROR_TOO_LARGE, "printed more than 64 KiB");
  g_assert_null (rack_host_run (NULL, absent, NULL, &error));
  g_assert_null (strstr (error->message, "hunter2"));
  test_error (&error, RACK_ERROR_IO, "the command \"/nowhere/command\" cannot be run");
  g_assert_null (rack_host_run (NULL, nothing, NULL, &error));
  test_error (&error, RACK_ERROR_INVALID, "without a program");
}

static void
test_run_environment (void)
{
  g_setenv ("SECRET_OF_OURS", "x", TRUE);
  g_setenv ("PASSWORD_STORE_DIR", "/store", TRUE);
  g_setenv ("LD_PRELOAD_NOT", "x", TRUE);
  g_autofree char *expected = g_strdup_printf ("none /store %s none", root);
  assert_line ("echo \"${SECRET_OF_OURS-none} $PASSWORD_STORE_DIR $HOME ${LD_PRELOAD_NOT-none}\"",
               expected);
  /* In a group of its own, and with no descriptors of ours. */
  g_autofree char *group = g_strdup_printf ("%d", (int) getpgrp ());
  g_autoptr (RackSecret) other =
      run ("ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat", NULL, NULL);
  g_assert_cmpstr (g_strchug ((char *) rack_secret_peek (other)), !=, group);
  assert_line ("ls /proc/self/fd | tr '\\n' ' ' ", "0 1 2 3 ");
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (300000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
assert_group_ends (const RackWait *wait, int code)
{
  g_autofree char *script = g_strdup_printf (
      "trap '' TERM; sleep 100 & echo $! >%s/child; echo $$ >%s/parent; echo x; wait; sleep 100",
      root, root);
  GError *error = NULL;

  g_assert_null (run (script, wait, &error));
  test_error (&error, code, "the command \"sh\": ");
  g_assert_false (is_running ("parent"));
  for (int i = 0; i < 200 && is_running ("child"); i++)
    g_usleep (10000);
  g_assert_false (is_running ("child"));
}

static void
test_run_ends (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  RackWait until = { sizeof (until), g_get_monotonic_time () + 300000, NULL };
  RackWait while_wanted = { sizeof (while_wanted), 0, cancellable };

  assert_group_ends (&until, RACK_ERROR_TIMEOUT);
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  assert_group_ends (&while_wanted, RACK_ERROR_CANCELLED);
  g_thread_join (thread);
}

/* ---- Keeping ------------------------------------------------------------- */

static void
test_state (void)
{
  GError *error = NULL;
  struct stat status;
  g_autofree char *path = rack_host_state_dir (NULL, "oauth2", &error);
  g_assert_no_error (error);
  g_autofree char *expected = g_build_filename (root, "mailrack", "oauth2", NULL);

  g_assert_cmpstr (path, ==, expected);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0700);
  g_chmod (path, 0777);
  g_autofree char *again = rack_host_state_dir (NULL, "oauth2", &error);
  g_assert_no_error (error);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0700);

  g_autofree char *link = g_build_filename (root, "mailrack", "linked", NULL);
  g_assert_cmpint (symlink ("/tmp", link), ==, 0);
  g_assert_null (rack_host_state_dir (NULL, "linked", &error));
  test_error (&error, RACK_ERROR_IO, "linked: ");
  static const char *const wrong[] = { "", "..", "a/b", "A", "a.b" };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_null (rack_host_state_dir (NULL, wrong[i], &error));
      test_error (&error, RACK_ERROR_INVALID, "is no name of a plugin");
    }
  if (geteuid () == 0)
    {
      g_assert_cmpint (chown (path, 12345, 0), ==, 0);
      g_assert_null (rack_host_state_dir (NULL, "oauth2", &error));
      test_error (&error, RACK_ERROR_IO, "belongs to somebody else");
    }
}

static void
test_keyring (void)
{
  g_autoptr (RackSecret) secret = rack_secret_new ("a\0b;#%", 6);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  RackWait cancelled = { sizeof (cancelled), 0, cancellable };
  GError *error = NULL;

  if (!g_strcmp0 (g_getenv ("TEST_KEYRING"), "no"))
    {
      g_assert_null (rack_host_load_secret (NULL, "bob@h", NULL, &error));
      test_error (&error, RACK_ERROR_UNSUPPORTED, "built without libsecret");
      g_assert_false (rack_host_store_secret (NULL, "bob@h", secret, NULL, &error));
      test_error (&error, RACK_ERROR_UNSUPPORTED, "built without libsecret");
      return;
    }
  g_assert_null (rack_host_load_secret (NULL, "bob@h", NULL, &error));
  g_assert_no_error (error);
  g_assert_true (rack_host_store_secret (NULL, "bob@h", secret, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (RackSecret) loaded = rack_host_load_secret (NULL, "bob@h", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (rack_secret_peek (loaded), rack_secret_size (loaded), "a\0b;#%", 6);
  g_assert_null (rack_host_load_secret (NULL, "other", NULL, &error));
  g_assert_no_error (error);
  g_cancellable_cancel (cancellable);
  g_assert_null (rack_host_load_secret (NULL, "bob@h", &cancelled, &error));
  test_error (&error, RACK_ERROR_CANCELLED, "cancelled");
}

int
main (int argc, char **argv)
{
  root = test_begin ();
  /* libsecret's own store in a file, so that no keyring of the user's is touched. */
  g_autofree char *keyring = g_build_filename (root, "keyring", NULL);
  g_setenv ("SECRET_BACKEND", "file", TRUE);
  g_setenv ("SECRET_FILE_TEST_PATH", keyring, TRUE);
  g_setenv ("SECRET_FILE_TEST_PASSWORD", "test", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/host/ask", test_ask);
  g_test_add_func ("/host/nobody", test_nobody);
  g_test_add_func ("/host/run", test_run);
  g_test_add_func ("/host/run-fails", test_run_fails);
  g_test_add_func ("/host/run-environment", test_run_environment);
  g_test_add_func ("/host/run-ends", test_run_ends);
  g_test_add_func ("/host/state", test_state);
  g_test_add_func ("/host/keyring", test_keyring);
  return g_test_run ();
}
