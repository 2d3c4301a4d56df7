/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * options.c - the command line of mailrack-mount
 *
 * -f and -d are what every FUSE program has them for, so the configuration file is -c
 * here. Words of -o that are neither mount(8)'s nor ours are settings of the account.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] =
    "Usage: mailrack-mount [OPTION]... [ACCOUNT | [USER@]HOST] DIRECTORY\n"
    "Mounts the mailboxes of an IMAP account, read-only.\n"
    "\n"
    "  -c, --config FILE   read this configuration file (else $MAILRACK_CONFIG, else\n"
    "                      ~/.config/mailrack/config.ini)\n"
    "  -f, --foreground    stay in the foreground\n"
    "  -d, --debug         the same, and show every request\n"
    "  -o OPTION[,...]     ro, uid=N, gid=N, umask=OCTAL, allow_other, and any\n"
    "                      KEY=VALUE of the configuration (names=uid, cache_limit=500)\n"
    "  -h, --help          show this\n"
    "  -V, --version       show the version\n"
    "\n"
    "ACCOUNT is a section of the configuration file; without it, [DEFAULT] is used.\n"
    "Unmount with fusermount3 -u DIRECTORY.\n";

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

static gboolean
apply_pair (Options *options, const char *key, const char *value)
{
  guint64 number;
  if (strcmp (key, "uid") == 0)
    {
      if (!parse_number (key, value, 10, G_MAXUINT32 - 1, &number))
        return FALSE;
      options->uid = (uid_t) number;
    }
  else if (strcmp (key, "gid") == 0)
    {
      if (!parse_number (key, value, 10, G_MAXUINT32 - 1, &number))
        return FALSE;
      options->gid = (gid_t) number;
    }
  else if (strcmp (key, "umask") == 0)
    {
      if (!parse_number (key, value, 8, 0777, &number))
        return FALSE;
      options->umask = (mode_t) number;
    }
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
  else if (strcmp (word, "rw") == 0)
    return complain ("-o rw: this version mounts read-only");
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
  if (n == 0)
    {
      complain ("which directory?");
      return OPTIONS_WRONG;
    }
  if (n > 2)
    {
      complain ("at most an account and a directory are wanted, not \"%s\"", arguments[2]);
      return OPTIONS_WRONG;
    }
  if (n == 2)
    options->account = g_strdup (arguments[0]);
  options->directory = g_strdup (arguments[n - 1]);
  return OPTIONS_GO;
}

OptionsResult
options_parse (Options *options, int argc, char **argv)
{
  static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' }, { "foreground", no_argument, NULL, 'f' },
    { "debug", no_argument, NULL, 'd' },        { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },      { NULL, 0, NULL, 0 },
  };
  int letter;

  *options = (Options){ .uid = getuid (), .gid = getgid (), .umask = 077 };
  options->settings = g_ptr_array_new_with_free_func (g_free);
  opterr = 0;
  while ((letter = getopt_long (argc, argv, ":c:fdo:hV", long_options, NULL)) != -1)
    switch (letter)
      {
      case 'c':
        g_free (options->config_file);
        options->config_file = g_strdup (optarg);
        break;
      case 'f':
        options->foreground = TRUE;
        break;
      case 'd':
        options->debug = options->foreground = TRUE;
        break;
      case 'o':
        {
          gboolean ok = apply_list (options, optarg);
          hide_secrets (optarg);
          if (!ok)
            return OPTIONS_WRONG;
          break;
        }
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
  return take_arguments (options, argc - optind, argv + optind);
}

void
options_clear (Options *options)
{
  g_free (options->config_file);
  g_free (options->account);
  g_free (options->directory);
  g_clear_pointer (&options->settings, g_ptr_array_unref);
}
