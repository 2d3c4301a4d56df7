/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-commands.c - mailrack config and mailrack plugins: what they print, and their statuses */
#include "commands.h"
#include "support.h"

#include <stdlib.h>
#include <sysexits.h>

static char *config;

/* Runs a subcommand in a process of its own, which is this program again; a word of "@" is the
 * test's configuration file. What it printed is for g_test_trap_assert_*(). */
static void
run (const char *const *words)
{
  g_autofree char *joined = g_strjoinv ("\n", (char **) words);

  g_setenv ("TEST_COMMAND", joined, TRUE);
  g_setenv ("TEST_CONFIG", config, TRUE);
  g_test_trap_subprocess ("/commands/child", 0, 0);
}

static void
child (void)
{
  if (!g_test_subprocess ())
    return;

  g_auto (GStrv) words = g_strsplit (g_getenv ("TEST_COMMAND"), "\n", -1);
  for (gsize i = 0; words[i] != NULL; i++)
    if (strcmp (words[i], "@") == 0)
      {
        g_free (words[i]);
        words[i] = g_strdup (g_getenv ("TEST_CONFIG"));
      }
  int argc = (int) g_strv_length (words);
  /* The command takes words out of its array; they are freed through the other. */
  g_autofree char **argv = g_memdup2 (words, ((gsize) argc + 1) * sizeof (char *));
  int status = strcmp (argv[0], "config") == 0 ? rack_cmd_config (argc, argv)
                                               : rack_cmd_plugins (argc, argv);
  fprintf (stderr, "status %d\n", status);
}

#define assert_command(out, err, ...)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    run ((const char *const[]){ __VA_ARGS__, NULL });                                              \
    g_test_trap_assert_passed ();                                                                  \
    g_test_trap_assert_stdout (out);                                                               \
    g_test_trap_assert_stderr (err);                                                               \
  }                                                                                                \
  G_STMT_END

static void
test_config (void)
{
  config = test_write (
      "config.ini", "[DEFAULT]\nhost = h\npassword = hunter2\n[work]\nusername = bob\n", -1, 0600);
  assert_command ("*\nusername *= bob *config.ini:5\n*", "status 0\n", "config", "-f", "@", "work");
  g_test_trap_assert_stdout ("host *= h *config.ini:2\n*");
  g_test_trap_assert_stdout ("*\npassword *= ???????? *config.ini:3, auth-password\n*");
  g_test_trap_assert_stdout ("*\ntimeout *= 60 *default\n*");
  g_test_trap_assert_stdout_unmatched ("*hunter2*");
  g_test_trap_assert_stdout_unmatched ("*\nport *");
  assert_command ("*\nport *= 7 *-o port\n*", "status 0\n", "config", "-f", "@", "-A", "work", "-o",
                  "port=7");
  assert_command ("*\nport *not set\n*", "status 0\n", "config", "-f", "@", "--all");
  assert_command ("", "mailrack: *there is no account \"wrok\" (did you mean*status 78\n", "config",
                  "-f", "@", "wrok");
  assert_command ("", "mailrack: -o prot: unknown key*status 78\n", "config", "-f", "@", "-o",
                  "prot=3");
  assert_command ("", "mailrack: /nowhere: cannot be opened: *status 78\n", "config", "-f",
                  "/nowhere");
  assert_command ("", "mailrack: *status 64\n", "config", "-f", "@", "a", "b");
  assert_command ("", "mailrack: *status 64\n", "config", "--frobnicate");
  g_free (config);
}

static void
test_plugins (void)
{
  g_autofree char *broken = test_install ("keys", "broken-no-step", "auth-no-step");
  g_autofree char *shadowed = test_install ("later", "keys/keys-auth-password", "auth-password");
  g_autofree char *good = test_install ("elsewhere", "good", "auth-good");
  g_autofree char *later = g_path_get_dirname (shadowed);
  g_autofree char *path = g_strdup_printf ("%s:%s", g_getenv ("MAILRACK_PLUGIN_PATH"), later);

  g_setenv ("MAILRACK_PLUGIN_PATH", path, TRUE);
  config = g_strdup (good);
  assert_command ("auth *oauth2 *1 *Keys for the tests\n*/keys/mailrack-auth-oauth2.so\n*",
                  "status 0\n", "plugins");
  g_test_trap_assert_stdout ("*\ntransport *tunnel *1 *Keys for the tests\n*");
  g_test_trap_assert_stdout ("*\nrefused *mailrack-auth-no-step.so: it has no step callback\n*");
  g_test_trap_assert_stdout (
      "*\nunused *later/mailrack-auth-password.so: */keys/* is found first\n*");
  assert_command ("auth = password\n*\n  password (secret)\n      The password.\n*", "status 0\n",
                  "plugins", "password");
  assert_command ("transport = tunnel\n*tunnel_command (command; required)\n*", "status 0\n",
                  "plugins", "tunnel");
  assert_command ("transport = plain\n*reads no keys of its own\n", "status 0\n", "plugins",
                  "plain");
  assert_command ("transport = plain\n*\n  port *", "status 0\n", "plugins", "transport-plain");
  assert_command ("", "*it has no step callback\nstatus 78\n", "plugins", "no-step");
  assert_command ("", "*there is no plugin \"absent\"*status 78\n", "plugins", "absent");
  for (int i = 0; i < 2; i++)
    {
      /* A path is a file to check, with the option and without. */
      assert_command ("auth = good\n*\n  logs in by X-GOOD, PLAIN\n*good_speed (one of slow, fast; "
                      "default fast)*auth-good.so: can be used as "
                      "\"auth = /*/elsewhere/mailrack-auth-good.so\"\n",
                      "status 0\n", "plugins", i == 0 ? "--check" : "@", i == 0 ? "@" : NULL);
      g_test_trap_assert_stdout ("*good_secret (secret; required)*");
    }
  assert_command ("", "*/nowhere.so: No such file*status 78\n", "plugins", "--check",
                  "/nowhere.so");
  assert_command ("", "mailrack: *status 64\n", "plugins", "a", "b");

  /* Where it is found by its name, it is used by it. */
  g_autofree char *elsewhere = g_path_get_dirname (good);
  g_setenv ("MAILRACK_PLUGIN_PATH", elsewhere, TRUE);
  assert_command ("*auth-good.so: can be used as \"auth = good\"\n", "status 0\n", "plugins",
                  "--check", "@");
  g_free (config);
}

int
main (int argc, char **argv)
{
  if (g_getenv ("TEST_COMMAND") == NULL)
    {
      test_begin ();
      test_install_keys ();
    }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/commands/child", child);
  g_test_add_func ("/commands/config", test_config);
  g_test_add_func ("/commands/plugins", test_plugins);
  return g_test_run ();
}
