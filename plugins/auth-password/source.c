/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * source.c - where a password comes from
 *
 * The configuration, a command, a file, the keyring, or a person; in memory for as long
 * as the account is open and it is not refused. Nothing is written anywhere. */
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PASSWORD (64 * 1024)

const RackParam source_params[] = {
  RACK_PARAM (Config, password, "password", SECRET, OPTIONAL, NULL,
              "The password to use with username."),
  RACK_PARAM (Config, command, "password_command", COMMAND, OPTIONAL, NULL,
              "A command that prints the password on its first line; no shell is involved."),
  RACK_PARAM (Config, file, "password_file", PATH, OPTIONAL, NULL,
              "A file whose first line is the password; it must be closed to other users."),
  RACK_PARAM (Config, keyring, "password_keyring", STRING, OPTIONAL, NULL,
              "The name of the password in the keyring; \"true\" means USER@HOST."),
  RACK_PARAM_END,
};

static gboolean
is_one_of (const char *value, const char *const *words)
{
  for (; *words != NULL; words++)
    if (g_ascii_strcasecmp (value, *words) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
uses_keyring (const Config *config)
{
  static const char *const no[] = { "", "0", "no", "false", "off", NULL };

  return config->keyring != NULL && !is_one_of (config->keyring, no);
}

static gboolean
has_password (const Config *config)
{
  return config->password != NULL && rack_secret_size (config->password) > 0;
}

static gboolean
has_command (const Config *config)
{
  return config->command != NULL && config->command[0] != NULL;
}

static gboolean
has_file (const Config *config)
{
  return config->file != NULL && *config->file != '\0';
}

gboolean
source_check (const Config *config, GError **error)
{
  const struct
  {
    const char *key;
    gboolean set;
  } places[] = {
    { "password", has_password (config) },
    { "password_command", has_command (config) },
    { "password_file", has_file (config) },
    { "password_keyring", uses_keyring (config) },
  };
  const char *first = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      if (!places[i].set)
        continue;
      if (first != NULL)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                       "\"%s\" and \"%s\" are both set: drop one (an empty value switches an "
                       "inherited one off)",
                       first, places[i].key);
          return FALSE;
        }
      first = places[i].key;
    }
  return TRUE;
}

/* ---- A file ---------------------------------------------------------------------- */

static RackSecret *
read_first_line (int fd, const char *file, GError **error)
{
  RackSecret *secret = NULL;
  char *buffer = g_malloc (MAX_PASSWORD + 1);
  gsize size = 0;
  gssize n = 0;

  while (size <= MAX_PASSWORD && (n = read (fd, buffer + size, MAX_PASSWORD + 1 - size)) != 0)
    {
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        break;
      size += (gsize) n;
    }
  int saved = errno;
  const char *end = memchr (buffer, '\n', size);
  gsize length = end != NULL ? (gsize) (end - buffer) : size;
  if (length > 0 && buffer[length - 1] == '\r')
    length--;
  if (n < 0)
    g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "password_file \"%s\": %s", file,
                 g_strerror (saved));
  else if (length == 0 || length > MAX_PASSWORD)
    g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "password_file \"%s\": its first line is %s",
                 file, length == 0 ? "empty" : "too long");
  else
    secret = rack_secret_new (buffer, (gssize) length);
  explicit_bzero (buffer, MAX_PASSWORD + 1);
  g_free (buffer);
  return secret;
}

static RackSecret *
load_file (const char *file, GError **error)
{
  struct stat about;
  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

  if (fd < 0 || fstat (fd, &about) < 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "password_file \"%s\": %s", file,
                   g_strerror (errno));
      if (fd >= 0)
        close (fd);
      return NULL;
    }
  RackSecret *secret = NULL;
  if (S_ISREG (about.st_mode) && (about.st_mode & 077) != 0)
    g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                 "password_file \"%s\" can be read by others: chmod 600 \"%s\"", file, file);
  else
    secret = read_first_line (fd, file, error);
  close (fd);
  return secret;
}

/* ---- The keyring and a person ------------------------------------------------------ */

static RackSecret *
load_keyring (Account *account, const char *user, const char *host, const RackWait *wait,
              GError **error)
{
  static const char *const yes[] = { "1", "yes", "true", "on", NULL };
  const char *keyring = account->config->keyring;
  g_autofree char *name =
      is_one_of (keyring, yes) ? g_strconcat (user, "@", host, NULL) : g_strdup (keyring);
  g_autoptr (GError) trouble = NULL;
  RackSecret *secret = rack_host_load_secret (account->host, name, wait, &trouble);

  if (secret != NULL)
    return secret;
  if (trouble != NULL)
    g_propagate_prefixed_error (error, g_steal_pointer (&trouble), "password_keyring: ");
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_INTERACTION,
                 "the keyring has no password called \"%s\"", name);
  return NULL;
}

/* From where no person is needed. NULL without an error: the configuration names no place. */
static RackSecret *
load_quietly (Account *account, const char *user, const char *host, const RackWait *wait,
              GError **error)
{
  const Config *config = account->config;
  RackSecret *secret = NULL;

  if (has_password (config))
    return rack_secret_copy (config->password);
  if (has_file (config))
    return load_file (config->file, error);
  if (uses_keyring (config))
    return load_keyring (account, user, host, wait, error);
  if (!has_command (config))
    return NULL;
  secret = rack_host_run (account->host, (const char *const *) config->command, wait, error);
  if (secret == NULL)
    g_prefix_error (error, "password_command: ");
  return secret;
}

static void
take (Account *account, RackSecret *secret)
{
  rack_secret_free (account->password);
  account->password = secret;
  account->generation++;
  account->accepted = FALSE;
}

gboolean
source_load (Account *account, const RackPeer *peer, const RackWait *wait, GError **error)
{
  g_autoptr (GError) trouble = NULL;
  const char *user = source_user (account, peer, wait, error);

  if (user == NULL)
    return FALSE;
  if (account->password != NULL)
    return TRUE;
  RackSecret *secret = load_quietly (account, user, peer->host, wait, &trouble);
  if (secret == NULL && trouble != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&trouble));
      return FALSE;
    }
  if (secret == NULL)
    {
      g_autofree char *question = g_strdup_printf ("Password of %s at %s: ", user,
                                                   *peer->host != '\0' ? peer->host : "the server");
      secret = rack_host_ask (account->host, question, RACK_ASK_HIDDEN, wait, error);
    }
  if (secret == NULL)
    return FALSE;
  take (account, secret);
  return TRUE;
}

gboolean
source_renew (Account *account, const char *user, const char *host, const RackWait *wait)
{
  g_autoptr (RackSecret) old = g_steal_pointer (&account->password);
  gboolean was_good = account->accepted;

  account->accepted = FALSE;
  /* One that never worked is wrong; one that did may have been changed where it is kept. */
  if (!was_good || has_password (account->config))
    return FALSE;
  RackSecret *fresh = load_quietly (account, user, host, wait, NULL);
  if (fresh == NULL)
    return FALSE;
  gboolean same =
      rack_secret_size (fresh) == rack_secret_size (old)
      && memcmp (rack_secret_peek (fresh), rack_secret_peek (old), rack_secret_size (old)) == 0;
  take (account, fresh);
  return !same;
}

const char *
source_user (Account *account, const RackPeer *peer, const RackWait *wait, GError **error)
{
  if (peer->user != NULL && *peer->user != '\0')
    return peer->user;
  if (account->user == NULL)
    {
      g_autofree char *question =
          g_strdup_printf ("User name at %s: ", *peer->host != '\0' ? peer->host : "the server");
      g_autoptr (RackSecret) answer =
          rack_host_ask (account->host, question, RACK_ASK_ECHO, wait, error);
      if (answer == NULL)
        return NULL;
      account->user = g_strdup (rack_secret_peek (answer));
    }
  return account->user;
}
