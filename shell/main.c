/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c - mailrack: subcommands, options, and what input the shell reads
 *
 * mailrack [shell] [OPTIONS] [ACCOUNT] is the shell; other first words are subcommands. */
#include "account-options.h"
#include "batch.h"
#include "client.h"
#include "commands.h"
#include "coprocess.h"
#include "display.h"
#include "hooks.h"
#include "safe-text.h"
#include "shell.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

typedef struct
{
  char *file, *account, *host, *user, *password, *script, *trace;
  int port;
  gboolean ssl, starttls, insecure, read_only, dry_run, yes, json, coprocess, keep_going, version;
  char **commands, **overrides, **rest;
} Options;

static void
options_clear (Options *options)
{
  if (options->password != NULL)
    explicit_bzero (options->password, strlen (options->password));
  g_free (options->password);
  g_free (options->host);
  g_free (options->user);
  g_free (options->file);
  g_free (options->account);
  g_free (options->script);
  g_free (options->trace);
  g_strfreev (options->commands);
  g_strfreev (options->overrides);
  g_strfreev (options->rest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static int
complain (int status, const char *text)
{
  g_autofree char *safe = safe_text_dup (text, -1, SAFE_TEXT_LINE);

  fprintf (stderr, "mailrack: %s\n", safe);
  return status;
}

/* A person at a terminal, and not a program that drives the shell. */
static gboolean
may_ask (const Options *options)
{
  return !options->coprocess && isatty (STDIN_FILENO);
}

/* ---- Subcommands --------------------------------------------------------------------------------
 */

/* The mount beside this program, else on the path. */
static int
exec_mount (int argc, char **argv)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = self != NULL ? g_path_get_dirname (self) : g_strdup (".");
  g_autofree char *beside = g_build_filename (folder, "mailrack-mount", NULL);
  g_autofree char *in_tree = g_build_filename (folder, "..", "fs", "mailrack-mount", NULL);

  argv[0] = (char *) "mailrack-mount";
  execv (beside, argv);
  execv (in_tree, argv);
  execvp ("mailrack-mount", argv);
  return complain (EX_UNAVAILABLE, "mailrack-mount is not installed beside this program");
}

static int run_shell (int argc, char **argv);

/* What may be the first word. The test of the manual and completion read --help, which reads this.
 */
static const struct
{
  const char *name;
  int (*run) (int argc, char **argv);
  const char *words, *summary;
} subcommands[] = {
  { "authorize", rack_cmd_authorize, "[ACCOUNT]", "The first OAuth2 token of an account" },
  { "cache", rack_cmd_cache, "[size|check|clear] [ACCOUNT]", "What the mount keeps on this disk" },
  { "check", rack_cmd_check, "[ACCOUNT]", "What works on the way to a mailbox, and what does not" },
  { "config", rack_cmd_config, "[ACCOUNT]", "The settings in force, and where each comes from" },
  { "mount", exec_mount, "[ACCOUNT] DIRECTORY", "Mailboxes as a directory: mailrack-mount(1)" },
  { "plugins", rack_cmd_plugins, "[NAME]", "What is installed, and which keys it reads" },
  { "queue", rack_cmd_queue, "[ls|retry|drop] [NUMBER]", "Changes that the server does not have" },
  { "shell", run_shell, "[ACCOUNT]", "The shell, as without a word" },
  { "umount", rack_cmd_umount, "DIRECTORY", "Unmount mail" },
  { "watch", rack_cmd_watch, "[ACCOUNT] [MAILBOX]...", "What happens in mailboxes, as it happens" },
};

static char *
describe_subcommands (void)
{
  g_autoptr (GString) text = g_string_new ("Subcommands (mailrack NAME --help tells more):\n");

  for (gsize i = 0; i < G_N_ELEMENTS (subcommands); i++)
    {
      g_autofree char *form = g_strdup_printf ("%s %s", subcommands[i].name, subcommands[i].words);
      g_string_append_printf (text, "  %-34s %s\n", form, subcommands[i].summary);
    }
  g_string_append (text, "\nIn the shell, \"help\" lists the commands.\n");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- Options
 * -------------------------------------------------------------------------------------------- */

static gboolean
check_options (const Options *options, GError **error)
{
  const char *wrong = NULL;

  if (options->rest != NULL && g_strv_length (options->rest) > 1)
    wrong = "more than one account is named; mailrack --help says what may be given";
  else if (options->rest != NULL && options->account != NULL)
    wrong = "the account is named twice, by -A and by itself: drop one of the two";
  else if (options->script != NULL && options->commands != NULL)
    wrong = "-e and --script exclude each other: drop one of the two";
  else if (options->coprocess && (options->script != NULL || options->commands != NULL))
    wrong = "--coprocess takes its lines from standard input: drop -e and --script";
  else if (options->port != G_MININT && (options->port < 1 || options->port > 65535))
    wrong = "-P: a port is from 1 to 65535";
  if (wrong == NULL)
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, wrong);
  return FALSE;
}

static gboolean
parse_options (Options *options, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "host", 'H', 0, G_OPTION_ARG_STRING, &options->host, "IMAP host to connect to", "HOST" },
    { "username", 'u', 0, G_OPTION_ARG_STRING, &options->user, "Whom to log in as", "USER" },
    { "password", 'p', 0, G_OPTION_ARG_STRING, &options->password,
      "The password; others may see it while the program starts, so better let it ask",
      "PASSWORD" },
    { "port", 'P', 0, G_OPTION_ARG_INT, &options->port, "Port, if not the usual one", "PORT" },
    { "ssl", 's', 0, G_OPTION_ARG_NONE, &options->ssl, "TLS from the first byte (the default)",
      NULL },
    { "starttls", 0, 0, G_OPTION_ARG_NONE, &options->starttls,
      "Plaintext first, then TLS or nothing", NULL },
    { "insecure", 0, 0, G_OPTION_ARG_NONE, &options->insecure, "No TLS at all", NULL },
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &options->file, "Configuration file", "FILE" },
    { "account", 'A', 0, G_OPTION_ARG_STRING, &options->account, "Account: a section of the file",
      "NAME" },
    { "option", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &options->overrides,
      "Overrides a key of the configuration", "KEY=VALUE" },
    { "execute", 'e', 0, G_OPTION_ARG_STRING_ARRAY, &options->commands,
      "Run this and leave; may be repeated", "COMMAND" },
    { "script", 0, 0, G_OPTION_ARG_FILENAME, &options->script, "Run the lines of a file and leave",
      "FILE" },
    { "keep-going", 'k', 0, G_OPTION_ARG_NONE, &options->keep_going,
      "Do not stop at the first error", NULL },
    { "read-only", 0, 0, G_OPTION_ARG_NONE, &options->read_only,
      "Change nothing: EXAMINE instead of SELECT", NULL },
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &options->dry_run,
      "Print what would change something instead of sending it", NULL },
    { "yes", 'y', 0, G_OPTION_ARG_NONE, &options->yes, "Remove many messages without asking",
      NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Results as JSON, one in each line", NULL },
    { "coprocess", 0, 0, G_OPTION_ARG_NONE, &options->coprocess,
      "Be driven by a program: a line in, a line out", NULL },
    { "trace", 0, 0, G_OPTION_ARG_FILENAME, &options->trace,
      "Write the wire to a file, without secrets", "FILE" },
    { "version", 'V', 0, G_OPTION_ARG_NONE, &options->version, "Say which version this is", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->rest, NULL, "[ACCOUNT]" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- an interactive shell for an IMAP mailbox");

  g_autofree char *description = describe_subcommands ();
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, argc, argv, error) && check_options (options, error);
}

/* The copy in argv is what ps shows. */
static void
hide_password (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], "-p") == 0 || strcmp (argv[i], "--password") == 0)
      {
        if (i + 1 < argc)
          memset (argv[i + 1], 'x', strlen (argv[i + 1]));
      }
    else if (g_str_has_prefix (argv[i], "--password="))
      memset (argv[i] + 11, 'x', strlen (argv[i] + 11));
    else if (g_str_has_prefix (argv[i], "-p"))
      memset (argv[i] + 2, 'x', strlen (argv[i] + 2));
  account_options_hide (argc, argv);
}

static gboolean
set (RackConfig *config, const char *key, const char *value, const char *origin, GError **error)
{
  return value == NULL || rack_config_set (config, key, value, origin, error);
}

static RackConfig *
load_config (const Options *options, GError **error)
{
  g_autofree char *path = rack_config_default_path ();
  g_autofree char *port = options->port > 0 ? g_strdup_printf ("%d", options->port) : NULL;
  const char *named = options->file;
  gboolean needs_file =
      named != NULL || (options->host == NULL && !account_options_name_host (options->overrides));
  g_autoptr (RackConfig) config = NULL;

  if (needs_file && named == NULL && !g_file_test (path, G_FILE_TEST_EXISTS) && may_ask (options))
    needs_file = FALSE; /* everything is asked for */
  config = needs_file ? rack_config_load (named, error) : rack_config_new ();
  if (config == NULL || !set (config, "host", options->host, "-H", error)
      || !set (config, "username", options->user, "-u", error)
      || !set (config, "password", options->password, "-p", error)
      || !set (config, "port", port, "-P", error)
      || (options->read_only && !set (config, "read_only", "true", "--read-only", error))
      || (options->starttls && !set (config, "starttls", "true", "--starttls", error))
      || (options->ssl && !set (config, "ssl", "true", "--ssl", error))
      || (options->insecure
          && (!set (config, "ssl", "false", "--insecure", error)
              || !set (config, "starttls", "false", "--insecure", error)))
      || !account_options_override (config, options->overrides, error))
    return NULL;
  return g_steal_pointer (&config);
}

/* Borrowed from settings, or NULL. */
static const char *
setting (GPtrArray *settings, const char *key)
{
  for (guint i = 0; i < settings->len; i++)
    {
      const RackSetting *each = g_ptr_array_index (settings, i);

      if (strcmp (each->key, key) == 0)
        return each->value;
    }
  return NULL;
}

/* A host and a user that are set nowhere are asked for, on a terminal. */
static gboolean
ask_missing (RackConfig *config, const Options *options, const char *account, GError **error)
{
  static const struct
  {
    const char *key, *question;
  } asked[] = { { "host", "Host: " }, { "username", "User: " } };

  if (!may_ask (options))
    return TRUE;
  g_autoptr (GPtrArray) settings = rack_config_settings (config, account, error);
  if (settings == NULL)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (asked); i++)
    {
      if (setting (settings, asked[i].key) != NULL)
        continue;
      char *answer = shell_ask_line (asked[i].question, TRUE);
      gboolean ok =
          answer == NULL || rack_config_set (config, asked[i].key, answer, "the terminal", error);
      free (answer);
      if (!ok)
        return FALSE;
    }
  return TRUE;
}

/* ---- The shell
 * --------------------------------------------------------------------------------------------------
 */

static gboolean
is_interactive (const Options *options)
{
  return options->commands == NULL && options->script == NULL && !options->coprocess
         && isatty (STDIN_FILENO);
}

static gboolean
start (Shell *shell, const Options *options, GError **error)
{
  gboolean person = is_interactive (options);

  if (options->trace != NULL && !rack_account_trace (shell->account, options->trace, error))
    return FALSE;
  if (person)
    fputs ("Connecting...\n", stderr);
  if (!shell_connect (shell, error))
    return FALSE;
  if (person)
    fputs ("Connected.\n", stderr);
  return TRUE;
}

static int
run_input (Shell *shell, const Options *options, const char *name)
{
  if (!is_interactive (options))
    hooks_catch_interrupt (shell->cancellable);
  if (options->coprocess)
    return coprocess_run (shell);
  if (options->commands != NULL)
    return batch_commands (shell, options->commands, options->keep_going);
  if (options->script != NULL)
    return batch_script (shell, options->script, options->keep_going);
  if (!isatty (STDIN_FILENO))
    return batch_stream (shell, stdin, "stdin", options->keep_going);
  return shell_repl (shell, name);
}

/* What could not be written is not lost in silence; a reader that has gone wanted no more. */
static int
close_stdout (int status)
{
  struct pollfd reader = { .fd = STDOUT_FILENO };
  gboolean failed = ferror (stdout) != 0;

  failed |= fflush (stdout) != 0;
  if (!failed || status != 0 || (poll (&reader, 1, 0) == 1 && (reader.revents & POLLERR)))
    return status;
  return complain (EX_IOERR, "the output could not be written whole: is the disk full?");
}

/* 0: standard output is no terminal. */
static guint
terminal_columns (void)
{
  struct winsize size;

  if (!isatty (STDOUT_FILENO) || ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
    return 0;
  return size.ws_col;
}

static int
run_shell (int argc, char **argv)
{
  static const RackHostOps silent = { sizeof (RackHostOps), NULL, NULL };
  g_auto (Options) options = { .port = G_MININT };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) copy = g_strdupv (argv);
  /* The parser takes words out of its array; they are freed through the other. */
  g_autofree char **words = g_memdup2 (copy, (g_strv_length (copy) + 1) * sizeof (char *));
  char **rest = words;
  int status;

  if (!parse_options (&options, &argc, &rest, &error))
    return complain (EX_USAGE, error->message);
  hide_password (argc > 0 ? (int) g_strv_length (argv) : 0, argv);
  if (options.version)
    {
      printf ("mailrack %s\n", rack_version ());
      return 0;
    }
  const char *name = options.account != NULL ? options.account
                     : options.rest != NULL  ? options.rest[0]
                                             : NULL;
  RackMountSettings mount = { 0 };
  g_autoptr (RackConfig) config = load_config (&options, &error);
  g_autoptr (RackHost) host = options.coprocess ? rack_host_new (&silent, NULL) : shell_host_new ();
  if (config == NULL || !ask_missing (config, &options, name, &error))
    return complain (shell_exit_status (error), error->message);
  Shell shell = { .host = host,
                  .out = stdout,
                  .use_uid = TRUE,
                  .normalise_times = TRUE,
                  .folder_encode = TRUE,
                  .dry_run = options.dry_run,
                  .yes = options.yes,
                  .hooks = hooks_of_batch (!options.coprocess) };
  shell.account = rack_account_new (config, name, host, &error);
  if (shell.account == NULL)
    return complain (shell_exit_status (error), error->message);
  /* The library refuses to change anything by itself; what the shell sends in IMAP's own words is
   * for the shell to refuse. */
  shell.force_read_only = rack_account_is_read_only (shell.account);
  shell.cancellable = g_cancellable_new ();
  settings_init (&shell.settings);
  shell.columns = options.coprocess ? 0 : terminal_columns ();
  if (options.json)
    shell.settings.output = OUTPUT_JSONL;
  shell.accounts = rack_config_accounts (config);
  if (rack_config_read (config, name, rack_mount_params (), &mount, NULL))
    shell.cache_dir = mount.cache_dir;
  shell.interp = interp_new (&display_sink, &shell);
  client_install (&shell);
  status =
      start (&shell, &options, &error)
          ? run_input (&shell, &options, name != NULL ? name : rack_account_label (shell.account))
          : complain (shell_exit_status (error), error->message);
  interp_free (shell.interp);
  shell_disconnect (&shell);
  settings_clear (&shell.settings);
  g_clear_pointer (&shell.aliases, g_hash_table_unref);
  rack_params_clear (rack_mount_params (), &mount);
  rack_set_free (shell.last);
  rack_set_free (shell.own);
  g_clear_pointer (&shell.flags, g_ptr_array_unref);
  g_object_unref (shell.cancellable);
  rack_account_unref (shell.account);
  return close_stdout (status);
}

int
main (int argc, char **argv)
{
  const struct rlimit none = { 0, 0 };

  setlocale (LC_ALL, "");
  setrlimit (RLIMIT_CORE, &none);
  prctl (PR_SET_DUMPABLE, 0);
  signal (SIGPIPE, SIG_IGN);
  g_set_prgname ("mailrack");
  for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS (subcommands); i++)
    if (strcmp (argv[1], subcommands[i].name) == 0)
      return subcommands[i].run (argc - 1, argv + 1);
  return run_shell (argc, argv);
}
