/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * account.c - settings, plugins and a pool of connections, and the mailboxes they show
 *
 * Opening an account contacts nothing; the first call that needs the server does. */
#include "account-private.h"
#include "plugin-use.h"

#include <string.h>

/* ---- Life ----------------------------------------------------------------------------- */

static RackConn *
open_for_pool (gpointer data, const RackWait *wait, GError **error)
{
  RackAccount *account = data;
  RackConn *conn = rack_account_open_conn (account, wait, error);

  if (conn != NULL)
    {
      rack_conn_enable_qresync (conn);
      rack_conn_doubt_with (conn, rack_account_netwatch (account));
    }
  return conn;
}

/* Reads a plugin's keys into its struct. */
static gboolean
configure (RackConfig *config, const char *name, const RackPluginInfo *info, gpointer *data,
           GError **error)
{
  *data = g_malloc0 (MAX (info->config_size, 1));
  return info->params == NULL || rack_config_read (config, name, info->params, *data, error);
}

/* open says what is wrong with the keys it was given; whose they are is known here. */
static gboolean
open_failed (RackConfig *config, const char *name, const RackPluginInfo *info, GError **error)
{
  g_autofree char *subject = rack_config_subject (config, name);

  rack_plugin_failed (info, "open", RACK_ERROR_CONFIG, error);
  g_prefix_error (error, "%s: ", subject);
  return FALSE;
}

static gboolean
open_transport (RackAccount *account, RackConfig *config, const char *name, GError **error)
{
  const RackPlugin *plugin = rack_config_open_plugin (config, name, RACK_PLUGIN_TRANSPORT, error);

  if (plugin == NULL)
    return FALSE;
  account->transport = &plugin->transport;
  if (!configure (config, name, account->transport->info, &account->transport_config, error))
    return FALSE;
  if (account->settings.host == NULL && !(account->transport->flags & RACK_TRANSPORT_NO_HOST))
    {
      g_set_error (
          error, RACK_ERROR, RACK_ERROR_CONFIG,
          "no host is set for the account %s: write \"host = imap.example.org\" into its section, "
          "or use -H",
          name != NULL ? name : "DEFAULT");
      return FALSE;
    }
  account->transport_self = account->transport_config;
  if (account->transport->open == NULL)
    return TRUE;
  account->transport_self =
      account->transport->open (account->transport_config, account->host, error);
  return account->transport_self != NULL
         || open_failed (config, name, account->transport->info, error);
}

static gboolean
open_auth (RackAccount *account, RackConfig *config, const char *name, GError **error)
{
  const RackPlugin *plugin = rack_config_open_plugin (config, name, RACK_PLUGIN_AUTH, error);

  if (plugin == NULL)
    return FALSE;
  account->auth = &plugin->auth;
  if (!configure (config, name, account->auth->info, &account->auth_config, error))
    return FALSE;
  account->auth_account = account->auth_config;
  if (account->auth->open == NULL)
    return TRUE;
  account->auth_account = account->auth->open (account->auth_config, account->host, error);
  return account->auth_account != NULL || open_failed (config, name, account->auth->info, error);
}

/* The words that decide with whom we talk, one a line. What nobody set is left out: a new version
 * of a plugin with a new key does not make it another account. */
static gboolean
make_identity (RackAccount *account, RackConfig *config, const char *name, GError **error)
{
  g_autoptr (GPtrArray) settings = rack_config_settings (config, name, error);
  if (settings == NULL)
    return FALSE;
  g_autofree char *owner = g_strdup_printf ("transport-%s", account->transport->info->name);
  g_autofree char *host =
      account->settings.host != NULL ? g_ascii_strdown (account->settings.host, -1) : NULL;
  gint64 port =
      account->settings.port != 0 ? account->settings.port : account->transport->default_port;
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, "user=%s\nhost=%s\nport=%" G_GINT64_FORMAT "\ntransport=%s\n",
                          account->settings.username != NULL ? account->settings.username : "",
                          host != NULL ? host : "", port, account->transport->info->name);
  for (guint i = 0; i < settings->len; i++)
    {
      const RackSetting *setting = settings->pdata[i];
      if (strcmp (setting->owner, owner) == 0 && setting->value != NULL
          && strcmp (setting->origin, "default") != 0)
        g_string_append_printf (text, "%s=%s\n", setting->key, setting->value);
    }
  account->identity = g_string_free (g_steal_pointer (&text), FALSE);
  return TRUE;
}

RackAccount *
rack_account_new (RackConfig *config, const char *name, RackHost *host, GError **error)
{
  g_autoptr (RackAccount) account = g_new0 (RackAccount, 1);

  account->references = 1;
  account->host = host;
  account->trace = rack_trace_new ();
  pthread_mutex_init (&account->lock, NULL);
  rack_auth_lock_init (&account->auth_lock);
  if (!rack_config_resolve (config, name, &account->settings, error)
      || !open_transport (account, config, name, error) || !open_auth (account, config, name, error)
      || !make_identity (account, config, name, error))
    return NULL;
  const char *user = account->settings.username, *server = account->settings.host;
  account->label = g_strdup_printf ("%s%s%s", user != NULL ? user : "", user != NULL ? "@" : "",
                                    server != NULL ? server : account->settings.transport);
  account->pool = rack_pool_new ((guint) account->settings.connections, open_for_pool, account);
  return g_steal_pointer (&account);
}

gboolean
rack_account_authorize (RackConfig *config, const char *name, RackHost *host,
                        GCancellable *cancellable, GError **error)
{
  RackAccountSettings settings = { 0 };
  const RackPlugin *plugin = NULL;
  gpointer data = NULL;
  gboolean ok =
      rack_config_resolve (config, name, &settings, error)
      && (plugin = rack_config_open_plugin (config, name, RACK_PLUGIN_AUTH, error)) != NULL
      && configure (config, name, plugin->auth.info, &data, error);
  const RackPeer peer = { .size = sizeof (RackPeer),
                          .host = settings.host != NULL ? settings.host : "",
                          .user = settings.username,
                          .port = (guint16) settings.port };
  const RackWait wait = { .size = sizeof (RackWait), .cancellable = cancellable };

  if (ok && plugin->auth.authorize == NULL)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                   "\"auth = %s\" needs no authorization: its credential is configured",
                   plugin->auth.info->name);
      ok = FALSE;
    }
  else if (ok && !plugin->auth.authorize (data, host, &peer, &wait, error))
    ok = open_failed (config, name, plugin->auth.info, error);
  if (data != NULL && plugin->auth.info->params != NULL)
    rack_params_clear (plugin->auth.info->params, data);
  g_free (data);
  rack_account_settings_clear (&settings);
  return ok;
}

RackAccount *
rack_account_ref (RackAccount *account)
{
  g_atomic_int_inc (&account->references);
  return account;
}

void
rack_account_unref (RackAccount *account)
{
  if (account == NULL || !g_atomic_int_dec_and_test (&account->references))
    return;
  rack_pool_free (account->pool);
  rack_netwatch_free (account->netwatch);
  if (account->auth != NULL && account->auth->close != NULL && account->auth_account != NULL)
    account->auth->close (account->auth_account);
  if (account->transport != NULL && account->transport->close != NULL
      && account->transport_self != NULL)
    account->transport->close (account->transport_self);
  if (account->auth_config != NULL && account->auth->info->params != NULL)
    rack_params_clear (account->auth->info->params, account->auth_config);
  if (account->transport_config != NULL && account->transport->info->params != NULL)
    rack_params_clear (account->transport->info->params, account->transport_config);
  g_free (account->auth_config);
  g_free (account->transport_config);
  rack_account_settings_clear (&account->settings);
  rack_auth_lock_clear (&account->auth_lock);
  rack_trace_unref (account->trace);
  pthread_mutex_destroy (&account->lock);
  g_free (account->label);
  g_strfreev (account->foreign);
  g_free (account->identity);
  g_free (account);
}

const char *
rack_account_label (RackAccount *account)
{
  return account->label;
}

gboolean
rack_account_is_read_only (RackAccount *account)
{
  return account->settings.read_only;
}

char *
rack_account_identity (RackAccount *account)
{
  return g_strdup (account->identity);
}

RackWait
rack_account_wait (RackAccount *account, GCancellable *cancellable)
{
  gint64 limit = account->settings.connect_timeout;

  return (RackWait){ .size = sizeof (RackWait),
                     .deadline = limit > 0 ? g_get_monotonic_time () + limit * 1000 : 0,
                     .cancellable = cancellable };
}

gboolean
rack_account_connect (RackAccount *account, GCancellable *cancellable, GError **error)
{
  RackWait wait = rack_account_wait (account, cancellable);
  RackLease lease;

  if (!rack_pool_acquire (account->pool, NULL, 0, &wait, &lease, error))
    return FALSE;
  rack_pool_release (account->pool, &lease, FALSE);
  return TRUE;
}

gboolean
rack_account_has (RackAccount *account, const char *capability, gboolean *has,
                  GCancellable *cancellable, GError **error)
{
  RackWait wait = rack_account_wait (account, cancellable);
  RackLease lease;

  if (!rack_pool_acquire (account->pool, NULL, 0, &wait, &lease, error))
    return FALSE;
  *has = rack_conn_has (lease.conn, capability);
  rack_pool_release (account->pool, &lease, FALSE);
  return TRUE;
}

void
rack_account_disconnect (RackAccount *account)
{
  rack_pool_disconnect (account->pool);
}

gboolean
rack_account_trace (RackAccount *account, const char *path, GError **error)
{
  return rack_trace_open (account->trace, path, error);
}

void
rack_account_traffic (RackAccount *account, RackTraffic *traffic)
{
  const RackCounters *counters = &account->counters;

  traffic->bytes_in = __atomic_load_n (&counters->bytes_in, __ATOMIC_RELAXED);
  traffic->bytes_out = __atomic_load_n (&counters->bytes_out, __ATOMIC_RELAXED);
  traffic->commands = __atomic_load_n (&counters->commands, __ATOMIC_RELAXED);
  traffic->round_trips = __atomic_load_n (&counters->round_trips, __ATOMIC_RELAXED);
  traffic->connections = __atomic_load_n (&counters->connections, __ATOMIC_RELAXED);
}

/* ---- One command on any connection --------------------------------------------------------- */

gboolean
rack_error_is_lost (const GError *error)
{
  return g_error_matches (error, RACK_ERROR, RACK_ERROR_CLOSED)
         || g_error_matches (error, RACK_ERROR, RACK_ERROR_NETWORK);
}

gboolean
rack_error_is_silent (const GError *error)
{
  return rack_error_is_lost (error) || g_error_matches (error, RACK_ERROR, RACK_ERROR_TIMEOUT)
         || g_error_matches (error, RACK_ERROR, RACK_ERROR_CANCELLED);
}

gboolean
rack_tries_again (RackTries *tries, const RackCall *call, const GError *problem)
{
  gboolean unknown = g_error_matches (problem, RACK_ERROR, RACK_ERROR_UNKNOWN_OUTCOME);

  tries->open |= unknown;
  return ++tries->tries < 3
         && (rack_error_is_lost (problem)
             || (unknown && (call->exchange.flags & RACK_EXCHANGE_REPEATABLE)));
}

void
rack_tries_end (const RackTries *tries, GError *problem, GError **error)
{
  if (tries->open && rack_error_is_silent (problem))
    {
      problem->code = RACK_ERROR_UNKNOWN_OUTCOME;
      g_prefix_error (&problem, "it was sent once, and whether it was carried out is not known: ");
    }
  g_propagate_error (error, problem);
}

RackCall *
rack_account_run (RackAccount *account, RackMakeCommand make, gpointer data,
                  GCancellable *cancellable, GError **error)
{
  RackTries tries = { 0 };
  GError *problem = NULL;

  for (;;)
    {
      RackWait wait = rack_account_wait (account, cancellable);
      RackLease lease;
      if (!rack_pool_acquire (account->pool, NULL, 0, &wait, &lease, &problem))
        break;
      g_autoptr (RackCall) call = rack_call_new (make (data, lease.conn));
      rack_conn_post (lease.conn, call);
      gboolean ok = rack_call_expect (call, cancellable, &problem);
      rack_pool_release (account->pool, &lease, FALSE);
      if (ok)
        return g_steal_pointer (&call);
      if (!rack_tries_again (&tries, call, problem))
        break;
      g_clear_error (&problem);
    }
  rack_tries_end (&tries, problem, error);
  return NULL;
}

/* ---- Mailboxes ------------------------------------------------------------------------------- */

typedef struct
{
  const char *verb, *name, *other;
} NameCommand;

static RackCommand *
make_name_command (gpointer data, RackConn *conn)
{
  const NameCommand *what = data;
  RackCommand *command = rack_command_new (what->verb);

  rack_command_mailbox (command, what->name);
  if (what->other != NULL)
    rack_command_mailbox (command, what->other);
  return command;
}

static gboolean
run_name_command (RackAccount *account, const char *verb, const char *name, const char *other,
                  GCancellable *cancellable, GError **error)
{
  NameCommand what = { verb, name, other };
  g_autofree char *lower = g_ascii_strdown (verb, -1);

  if (account->settings.read_only && strcmp (verb, "SUBSCRIBE") != 0
      && strcmp (verb, "UNSUBSCRIBE") != 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_READ_ONLY,
                   "%s: %s: %s: the account is read-only (read_only = "
                   "yes)",
                   account->label, name, lower);
      return FALSE;
    }
  g_autoptr (RackCall) call =
      rack_account_run (account, make_name_command, &what, cancellable, error);
  if (call == NULL)
    g_prefix_error (error, "%s: %s: %s: ", account->label, name, lower);
  return call != NULL;
}

gboolean
rack_account_create (RackAccount *account, const char *name, GCancellable *cancellable,
                     GError **error)
{
  return run_name_command (account, "CREATE", name, NULL, cancellable, error);
}

gboolean
rack_account_delete (RackAccount *account, const char *name, GCancellable *cancellable,
                     GError **error)
{
  rack_pool_forget (account->pool, name);
  return run_name_command (account, "DELETE", name, NULL, cancellable, error);
}

gboolean
rack_account_rename (RackAccount *account, const char *from, const char *to,
                     GCancellable *cancellable, GError **error)
{
  rack_pool_forget (account->pool, from);
  return run_name_command (account, "RENAME", from, to, cancellable, error);
}

gboolean
rack_account_subscribe (RackAccount *account, const char *name, gboolean subscribed,
                        GCancellable *cancellable, GError **error)
{
  return run_name_command (account, subscribed ? "SUBSCRIBE" : "UNSUBSCRIBE", name, NULL,
                           cancellable, error);
}
