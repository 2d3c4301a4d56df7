/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * settings.c - core's and the mount's keys, and an account's settings out of them */
#include "settings.h"

#include <string.h>

#include "config.h"
#include "params.h"

/* ---- The tables --------------------------------------------------------- */

typedef RackAccountSettings Core;
typedef RackMountSettings Mount;

static const char *const interpolations[] = { "basic", "none", NULL };
static const char *const roots[] = { "messages", "maildir", "parts", NULL };
static const char *const views[] = { "hidden", "listed", NULL };
static const char *const names[] = { "full", "uid", NULL };
static const char *const offlines[] = { "refuse", "queue", NULL };
static const char *const commits[] = { "local", "server", NULL };

static const RackParam core_params[] = {
  RACK_PARAM (Core, host, "host", STRING, OPTIONAL, NULL, "IMAP host name or address."),
  RACK_PARAM (Core, username, "username", STRING, OPTIONAL, NULL, "Whom to authenticate as."),
  RACK_PARAM (Core, port, "port", INT, OPTIONAL, NULL,
              "The server's port; 143 unless ssl is true, then 993."),
  RACK_PARAM (Core, ssl, "ssl", BOOL, OPTIONAL, NULL,
              "TLS from the first byte (true unless starttls is); false: no encryption at all."),
  RACK_PARAM (Core, starttls, "starttls", BOOL, OPTIONAL, NULL,
              "Clear text first, then STARTTLS, or nothing."),
  RACK_PARAM (Core, stream, "stream", BOOL, OPTIONAL, NULL,
              "host is a command that talks IMAP on its standard input and output."),
  RACK_PARAM (Core, transport, "transport", STRING, OPTIONAL, NULL,
              "The transport plugin by name or path; ssl, starttls and stream are short for it."),
  RACK_PARAM (Core, oauth2, "oauth2", BOOL, OPTIONAL, NULL,
              "Authenticate with OAuth2; the password is ignored."),
  RACK_PARAM (Core, auth, "auth", STRING, OPTIONAL, NULL,
              "The auth plugin by name or path; \"password\" unless oauth2 is true."),
  RACK_PARAM (Core, auth_mechanisms, "auth_mechanisms", LIST, OPTIONAL, NULL,
              "Only these SASL mechanisms, best first."),
  RACK_PARAM (Core, timeout, "timeout", SECONDS, OPTIONAL, "60",
              "Give up when the server says nothing for this long; 0: never."),
  RACK_PARAM (Core, connect_timeout, "connect_timeout", SECONDS, OPTIONAL, "30",
              "Give up when a connection, with TLS and login, takes longer than this; 0: never."),
  RACK_PARAM (Core, idle_refresh, "idle_refresh", SECONDS, OPTIONAL, "9m",
              "Renew IDLE this often; servers may end it after 29 minutes."),
  RACK_PARAM (Core, connections, "connections", INT, OPTIONAL, "4",
              "At most so many connections at a time."),
  RACK_PARAM (Core, disable_extensions, "disable_extensions", LIST, OPTIONAL, NULL,
              "Capabilities to act as if the server did not have them."),
  RACK_PARAM (Core, read_only, "read_only", BOOL, OPTIONAL, "false",
              "Change nothing on the server."),
  RACK_PARAM (Core, expect_failure, "expect_failure", STRING, OPTIONAL, NULL,
              "Read by the live tests alone."),
  RACK_PARAM_ENUM (Core, interpolation, "interpolation", interpolations, OPTIONAL, "basic",
                   "Whether %% and %(key)s in values are replaced."),
  RACK_PARAM_END,
};

static const RackParam mount_params[] = {
  RACK_PARAM_ENUM (Mount, names, "names", names, OPTIONAL, "full",
                   "What files are called: DATE_FROM_SUBJECT.UID.eml, or UID.eml."),
  RACK_PARAM_ENUM (Mount, root, "root", roots, OPTIONAL, "messages",
                   "Which view is at the root of the mount."),
  RACK_PARAM_ENUM (Mount, views, "views", views, OPTIONAL, "hidden",
                   "Whether the other views are listed at the root or only reachable by path."),
  RACK_PARAM (Mount, inotify, "inotify", BOOL, OPTIONAL, "true",
              "Programs that watch directories hear of new and gone mail."),
  RACK_PARAM (Mount, xattr, "xattr", BOOL, OPTIONAL, "false",
              "Messages have extended attributes: user.imap.flags and others."),
  RACK_PARAM (Mount, deny_readers, "deny_readers", LIST, OPTIONAL, NULL,
              "Programs that may not open files, by name: indexers, thumbnailers."),
  RACK_PARAM (Mount, seen_on_read, "seen_on_read", BOOL, OPTIONAL, "false",
              "Reading a message marks it as seen."),
  RACK_PARAM_ENUM (Mount, offline, "offline", offlines, OPTIONAL, "refuse",
                   "While the server cannot be reached changes are refused, or queued."),
  RACK_PARAM_ENUM (Mount, commit, "commit", commits, OPTIONAL, "local",
                   "A change is answered when it is durable here, or when the server has it."),
  RACK_PARAM (Mount, trash, "trash", STRING, OPTIONAL, NULL,
              "The mailbox that removed mail goes to; else the one with that special use."),
  RACK_PARAM (Mount, purge, "purge", BOOL, OPTIONAL, "false",
              "What is in the trash, or has none to go to, may be removed for good."),
  RACK_PARAM (Mount, state_dir, "state_dir", PATH, OPTIONAL, NULL,
              "Where changes are kept until the server has them, in a directory for each account."),
  RACK_PARAM (Mount, subscribed, "subscribed", BOOL, OPTIONAL, "false",
              "Show only mailboxes that are subscribed, and INBOX."),
  RACK_PARAM (Mount, cache_limit, "cache_limit", INT, OPTIONAL, "1024",
              "MiB of messages kept on this disk; 0: no limit."),
  RACK_PARAM (Mount, poll, "poll", SECONDS, OPTIONAL, "60",
              "How often to look at mailboxes whose changes the server does not push."),
  RACK_PARAM (Mount, cache_dir, "cache_dir", PATH, OPTIONAL, NULL,
              "Where what is known of mailboxes is kept, in a directory for each account."),
  RACK_PARAM_END,
};

const RackParam *
rack_core_params (void)
{
  return core_params;
}

const RackParam *
rack_mount_params (void)
{
  return mount_params;
}

/* ---- Resolving ---------------------------------------------------------- */

void
rack_account_settings_clear (RackAccountSettings *settings)
{
  rack_params_clear (core_params, settings);
}

static gboolean
fail_value (RackConfig *config, const char *account, const char *key, const char *what,
            GError **error)
{
  RackFound found;
  g_autofree char *where = rack_config_find (config, account, key, &found)
                               ? rack_config_where (config, &found)
                               : rack_config_subject (config, account);

  g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "%s: \"%s\" %s", where, key, what);
  return FALSE;
}

static gboolean
has_control (const char *text)
{
  for (; text != NULL && *text != '\0'; text++)
    if (g_ascii_iscntrl (*text))
      return TRUE;
  return FALSE;
}

static void
upper_case (char **words)
{
  for (; words != NULL && *words != NULL; words++)
    for (char *c = *words; *c != '\0'; c++)
      *c = g_ascii_toupper (*c);
}

static gboolean
check_ranges (RackConfig *config, const char *account, const RackAccountSettings *settings,
              GError **error)
{
  RackFound found;

  if (settings->port < 0 || settings->port > 65535
      || (settings->port == 0 && rack_config_find (config, account, "port", &found)))
    return fail_value (config, account, "port", "must be from 1 to 65535", error);
  if (settings->connections < 1 || settings->connections > 100)
    return fail_value (config, account, "connections", "must be from 1 to 100", error);
  if (settings->idle_refresh < 100 || settings->idle_refresh > 29 * 60 * 1000)
    return fail_value (config, account, "idle_refresh",
                       "must be from 0.1s to 29m: servers may end IDLE after that", error);
  if (has_control (settings->username))
    return fail_value (config, account, "username", "holds a control character", error);
  if (has_control (settings->host))
    return fail_value (config, account, "host", "holds a control character", error);
  /* Tunnels hand both to other programs, which would read them as options. */
  if (settings->host != NULL && settings->host[0] == '-')
    return fail_value (config, account, "host", "must not begin with \"-\"", error);
  if (settings->username != NULL && settings->username[0] == '-')
    return fail_value (config, account, "username", "must not begin with \"-\"", error);
  return TRUE;
}

/* "transport" and "auth" as the shorthands have it. */
static gboolean
fill_plugins (RackConfig *config, const char *account, RackAccountSettings *settings,
              GError **error)
{
  g_free (settings->transport);
  settings->transport =
      rack_config_plugin_name (config, account, RACK_PLUGIN_TRANSPORT, NULL, error);
  if (settings->transport == NULL)
    return FALSE;
  g_free (settings->auth);
  settings->auth = rack_config_plugin_name (config, account, RACK_PLUGIN_AUTH, NULL, error);
  if (settings->auth == NULL)
    return FALSE;

  /* "ssl = false" beside STARTTLS, or before a nearer choice, is no wish for clear text. */
  RackFound found;
  gboolean denies_ssl = rack_config_find (config, account, "ssl", &found) && !settings->ssl;
  settings->cleartext_allowed = strcmp (settings->transport, "plain") == 0
                                || (denies_ssl && strcmp (settings->transport, "starttls") != 0
                                    && strcmp (settings->transport, "ssl") != 0);
  return TRUE;
}

gboolean
rack_config_resolve (RackConfig *config, const char *account, RackAccountSettings *settings,
                     GError **error)
{
  g_auto (RackAccountSettings) mine = { 0 };

  if (!rack_config_read (config, account, core_params, &mine, error)
      || !fill_plugins (config, account, &mine, error))
    return FALSE;
  if (rack_config_host_is_command (config, account))
    g_clear_pointer (&mine.host, g_free);
  upper_case (mine.auth_mechanisms);
  upper_case (mine.disable_extensions);
  if (!check_ranges (config, account, &mine, error))
    return FALSE;
  *settings = mine;
  memset (&mine, 0, sizeof (mine));
  return TRUE;
}
