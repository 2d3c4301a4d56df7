/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * options.c - the command line of mailrack-mount
 *
 * -f and -d are what every FUSE program has them for, so the configuration file is -c
 * here. Words of -o that are neither mount(8)'s nor ours are settings of the account.
 *
 * Called as mount.fuse.mailrack it is mount(8)'s helper for fstab: SOURCE DIRECTORY
 * [-sfnv] [-o OPTIONS] [-t TYPE], where the letters mean what they mean there.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] =
    "Usage: mailrack-mount [OPTION]... [ACCOUNT | [USER@]HOST] DIRECTORY\n"
    "Mounts the mailboxes of an IMAP account.\n"
    "\n"
    "  -c, --config FILE   read this configuration file (else $MAILRACK_CONFIG, else\n"
    "                      ~/.config/mailrack/config.ini)\n"
    "  -f, --foreground    stay in the foreground\n"
    "  -d, --debug         the same, and show every request\n"
    "  -o OPTION[,...]     ro, uid=N, gid=N, umask=OCTAL, allow_other, config=FILE,\n"
    "                      setuid=USER, and any KEY=VALUE of the configuration\n"
    "                      (names=uid, cache_limit=500)\n"
    "  -h, --help          show this\n"
    "  -V, --version       show the version\n"
    "\n"
    "ACCOUNT is a section of the configuration file; without it, [DEFAULT] is used.\n"
    "Unmount with mailrack umount DIRECTORY. mailrack-mount(1) tells the rest.\n";

static gboolean complain (const char *format, ...) G_GNUC_PRINTF (1, 2);

static gboolean
complain (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("mailrack-mount: %s\nTry \"mailrack-mount --help\".\n", text);
  return FALSE;
}

static gboolean
parse_number (const char *key, const char *value, int base, guint64 max, guint64 *number)
{
  char *end;
  errno = 0;
  *number = g_ascii_strtoull (value, &end, (guint) base);
  if (*value == '\0' || *value == '-' || *end != '\0' || errno != 0 || *number > max)
    return complain ("-o %s=%s: %s", key, value,
                     base == 8 ? "an octal number like 077 is wanted" : "a number is wanted");
  return TRUE;
}

/* What mount(8) and fstab may say and what is so anyway. */
static gboolean
is_idle_word (const char *word)
{
  static const char *const idle[] = {
    "nosuid",   "nodev", "noexec", "noatime", "auto",   "noauto",   "user",
    "nouser",   "users", "owner",  "_netdev", "nofail", "relatime", "default_permissions",
    "nonempty", NULL
  };
  return g_strv_contains (idle, word) || g_str_has_prefix (word, "x-");
}

/* What mount(8) always says to its helpers, or fstab to mount(8). */
static gboolean
is_helper_word (const char *word)
{
  static const char *const words[] = { "rw",     "dev",      "suid",  "exec",  "async",
                                       "sync",   "defaults", "group", "atime", "diratime",
                                       "silent", "loud",     NULL };
  return g_strv_contains (words, word);
}

static gboolean
apply_pair (Options *options, const char *key, const char *value)
{
  guint64 number;
  if (strcmp (key, "uid") == 0)
    {
      if (!parse_number (key, value, 10, G_MAXUINT32 - 1, &number))
        return FALSE;
      options->uid = (uid_t) number;
      options->uid_given = TRUE;
    }
  else if (strcmp (key, "gid") == 0)
    {
      if (!parse_number (key, value, 10, G_MAXUINT32 - 1, &number))
        return FALSE;
      options->gid = (gid_t) number;
      options->gid_given = TRUE;
    }
  else if (strcmp (key, "umask") == 0)
    {
      if (!parse_number (key, value, 8, 0777, &number))
        return FALSE;
      options->umask = (mode_t) number;
    }
  else if (strcmp (key, "config") == 0)
    {
      g_free (options->config_file);
      options->config_file = g_strdup (value);
    }
  else if (strcmp (key, "setuid") == 0)
    {
      g_free (options->run_as);
      options->run_as = g_strdup (value);
    }
  else if (options->helper && strcmp (key, "user") == 0)
    return TRUE; /* who mounted it, for mount(8)'s own use */
  else
    {
      g_ptr_array_add (options->settings, g_strdup (key));
      g_ptr_array_add (options->settings, g_strdup (value));
    }
  return TRUE;
}

static gboolean
apply_word (Options *options, char *word)
{
  char *equals = strchr (word, '=');
  if (equals != NULL && !g_str_has_prefix (word, "x-"))
    {
      *equals = '\0';
      return apply_pair (options, word, equals + 1);
    }
  if (strcmp (word, "ro") == 0)
    options->read_only = TRUE;
  else if (strcmp (word, "allow_other") == 0)
    options->allow_other = TRUE;
  else if (strcmp (word, "debug") == 0)
    options->debug = options->foreground = TRUE;
  else if (options->helper && is_helper_word (word))
    return TRUE;
  else if (strcmp (word, "rw") == 0)
    options->read_only = FALSE;
  else if (*word != '\0' && !is_idle_word (word))
    return complain ("-o %s: no such option (settings are written KEY=VALUE)", word);
  return TRUE;
}

/* "a,b\,c" is a and "b,c". */
static gboolean
apply_list (Options *options, const char *list)
{
  g_autoptr (GString) word = g_string_new (NULL);
  for (const char *p = list;; p++)
    {
      if (*p == '\\' && (p[1] == ',' || p[1] == '\\'))
        g_string_append_c (word, *++p);
      else if (*p != ',' && *p != '\0')
        g_string_append_c (word, *p);
      else
        {
          if (!apply_word (options, word->str))
            return FALSE;
          g_string_truncate (word, 0);
          if (*p == '\0')
            return TRUE;
        }
    }
}

/* ps shows the command line: what may be secret goes from there at once. */
static void
hide_secrets (char *list)
{
  if (strstr (list, "password=") != NULL || strstr (list, "secret=") != NULL
      || strstr (list, "token=") != NULL)
    memset (list, '*', strlen (list));
}

static OptionsResult
take_arguments (Options *options, int n, char **arguments)
{
  if (n == 0 || *arguments[n - 1] == '\0') /* "" would be the working directory */
    {
      complain ("which directory?");
      return OPTIONS_WRONG;
    }
  if (n > 2)
    {
      complain ("at most an account and a directory are wanted, not \"%s\"", arguments[2]);
      return OPTIONS_WRONG;
    }
  if (n == 1 && options->helper)
    {
      complain ("mount(8) gives its helpers a source and a directory");
      return OPTIONS_WRONG;
    }
  if (options->helper)
    options->source = g_strdup (arguments[0]);
  /* Who has only one account writes anything there. */
  gboolean none = options->helper && (*arguments[0] == '\0' || strcmp (arguments[0], "none") == 0);
  if (n == 2 && !none)
    options->account = g_strdup (arguments[0]);
  options->directory = g_strdup (arguments[n - 1]);
  return OPTIONS_GO;
}

static OptionsResult
take_option (Options *options, int letter, char **argv)
{
  gboolean ok;
  switch (letter)
    {
    case 'c':
      g_free (options->config_file);
      options->config_file = g_strdup (optarg);
      return OPTIONS_GO;
    case 'f':
      options->foreground = TRUE;
      return OPTIONS_GO;
    case 'd':
      options->debug = options->foreground = TRUE;
      return OPTIONS_GO;
    case 'o':
      ok = apply_list (options, optarg);
      hide_secrets (optarg);
      return ok ? OPTIONS_GO : OPTIONS_WRONG;
    case 'h':
      g_print ("%s", usage_text);
      return OPTIONS_DONE;
    case 'V':
      g_print ("mailrack-mount %s\n", rack_version ());
      return OPTIONS_DONE;
    case ':':
      complain ("%s needs a value", argv[optind - 1]);
      return OPTIONS_WRONG;
    default:
      complain ("%s: no such option", argv[optind - 1]);
      return OPTIONS_WRONG;
    }
}

static OptionsResult
take_helper_option (Options *options, int letter, char **argv)
{
  switch (letter)
    {
    case 'f':
      options->fake = TRUE;
      return OPTIONS_GO;
    case 's': /* unknown options are settings, and are not passed over */
    case 'n':
    case 'v':
    case 'N':
    case 't':
      return OPTIONS_GO;
    default:
      return take_option (options, letter, argv);
    }
}

OptionsResult
options_parse (Options *options, int argc, char **argv)
{
  static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' }, { "foreground", no_argument, NULL, 'f' },
    { "debug", no_argument, NULL, 'd' },        { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },      { NULL, 0, NULL, 0 },
  };
  g_autofree char *name = g_path_get_basename (argv[0]);
  int letter;

  *options = (Options){ .uid = getuid (), .gid = getgid (), .umask = 077 };
  options->settings = g_ptr_array_new_with_free_func (g_free);
  options->helper = g_str_has_prefix (name, "mount.");
  opterr = 0;
  while ((letter = getopt_long (argc, argv, options->helper ? ":sfnvN:t:o:hV" : ":c:fdo:hV",
                                long_options, NULL))
         != -1)
    {
      OptionsResult result = options->helper ? take_helper_option (options, letter, argv)
                                             : take_option (options, letter, argv);
      if (result != OPTIONS_GO)
        return result;
    }
  return take_arguments (options, argc - optind, argv + optind);
}

gboolean
options_become_user (Options *options)
{
  static const char *const personal[] = { "XDG_CONFIG_HOME", "XDG_CACHE_HOME",  "XDG_STATE_HOME",
                                          "XDG_DATA_HOME",   "XDG_RUNTIME_DIR", "MAILRACK_CONFIG" };
  if (options->run_as == NULL)
    return TRUE;
  const struct passwd *user = getpwnam (options->run_as);
  if (user == NULL)
    return complain ("-o setuid=%s: there is no such user", options->run_as);
  if (initgroups (user->pw_name, user->pw_gid) != 0 || setgid (user->pw_gid) != 0
      || setuid (user->pw_uid) != 0)
    return complain ("-o setuid=%s: %s", options->run_as, g_strerror (errno));
  if (!options->uid_given)
    options->uid = user->pw_uid;
  if (!options->gid_given)
    options->gid = user->pw_gid;
  g_setenv ("HOME", user->pw_dir, TRUE);
  g_setenv ("USER", user->pw_name, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (personal); i++)
    g_unsetenv (personal[i]);
  return TRUE;
}

void
options_clear (Options *options)
{
  g_free (options->config_file);
  g_free (options->account);
  g_free (options->source);
  g_free (options->directory);
  g_free (options->run_as);
  g_clear_pointer (&options->settings, g_ptr_array_unref);
}
