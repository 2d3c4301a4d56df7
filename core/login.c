/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * login.c - an auth plugin at work on one connection
 *
 * Chooses the mechanism, carries challenges and responses, and keeps the rules that
 * are not the plugin's: who may run on what security level, base64, "=", "*", the
 * initial response, one retry. A mechanism that was refused is never followed by
 * another one. */
#include "account-private.h"
#include "plugin-use.h"
#include "secret.h"

#include <string.h>

/* SASL exchanges are short; a server that asks on and on is broken or worse. */
#define MAX_ROUNDS    10
#define MAX_CHALLENGE (64 * 1024)

/* ---- One callback at a time --------------------------------------------------------- */

void
rack_auth_lock_init (RackAuthLock *lock)
{
  pthread_mutex_init (&lock->lock, NULL);
  pthread_cond_init (&lock->changed, NULL);
  lock->ended = g_ptr_array_new ();
}

void
rack_auth_lock_clear (RackAuthLock *lock)
{
  pthread_mutex_destroy (&lock->lock);
  pthread_cond_destroy (&lock->changed);
  g_ptr_array_free (lock->ended, TRUE);
}

static gboolean
enter (RackAuthLock *lock, const RackWait *wait, GError **error)
{
  gboolean ok = TRUE;

  pthread_mutex_lock (&lock->lock);
  while (lock->busy && (ok = rack_wait_check (wait, error)))
    {
      struct timespec until;
      clock_gettime (CLOCK_REALTIME, &until);
      until.tv_nsec += 50 * 1000 * 1000;
      until.tv_sec += until.tv_nsec / 1000000000;
      until.tv_nsec %= 1000000000;
      pthread_cond_timedwait (&lock->changed, &lock->lock, &until);
    }
  if (ok)
    lock->busy = TRUE;
  pthread_mutex_unlock (&lock->lock);
  return ok;
}

static void
leave (RackAccount *account)
{
  RackAuthLock *lock = &account->auth_lock;

  pthread_mutex_lock (&lock->lock);
  while (lock->ended->len > 0)
    {
      gpointer attempt = g_ptr_array_steal_index (lock->ended, lock->ended->len - 1);
      pthread_mutex_unlock (&lock->lock);
      account->auth->end (attempt);
      pthread_mutex_lock (&lock->lock);
    }
  lock->busy = FALSE;
  pthread_cond_broadcast (&lock->changed);
  pthread_mutex_unlock (&lock->lock);
}

/* Never waits: if a callback of another connection runs, its thread calls end. */
static void
end_attempt (RackAccount *account, gpointer attempt)
{
  RackAuthLock *lock = &account->auth_lock;

  if (account->auth->end == NULL)
    return;
  pthread_mutex_lock (&lock->lock);
  gboolean mine = !lock->busy;
  if (mine)
    lock->busy = TRUE;
  g_ptr_array_add (lock->ended, attempt);
  pthread_mutex_unlock (&lock->lock);
  if (mine)
    leave (account);
}

/* ---- Which mechanism ------------------------------------------------------------------ */

static gboolean
is_offered (RackEngine *engine, const RackMechanism *mechanism)
{
  if (mechanism->flags & RACK_MECHANISM_LOGIN_COMMAND)
    return !rack_engine_has (engine, "LOGINDISABLED");
  g_autofree char *capability = g_strconcat ("AUTH=", mechanism->name, NULL);
  return rack_engine_has (engine, capability);
}

static gboolean
is_named (RackAccount *account, const RackMechanism *mechanism)
{
  char **names = account->settings.auth_mechanisms;

  for (; names != NULL && *names != NULL; names++)
    if (g_ascii_strcasecmp (*names, mechanism->name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
is_allowed (const RackMechanism *mechanism, RackConn *conn)
{
  RackSecurity security = rack_stream_security (rack_conn_stream (conn));

  if (mechanism->flags & RACK_MECHANISM_NEEDS_TLS)
    return security == RACK_SECURITY_TLS_VERIFIED || security == RACK_SECURITY_TUNNEL;
  return TRUE;
}

static gboolean
has_binding (RackConn *conn)
{
  g_autoptr (GBytes) binding = rack_stream_binding (rack_conn_stream (conn), "tls-exporter");

  return binding != NULL;
}

/* One gate for every credential: clear text only where the user asked for it in so many words. */
static gboolean
check_security (RackAccount *account, RackConn *conn, GError **error)
{
  if (rack_stream_security (rack_conn_stream (conn)) != RACK_SECURITY_NONE
      || account->settings.cleartext_allowed)
    return TRUE;
  g_set_error_literal (
      error, RACK_ERROR, RACK_ERROR_AUTH,
      "the connection is not encrypted, so no credential is sent; use ssl or starttls, or "
      "write \"ssl = false\" to send it in clear text all the same");
  return FALSE;
}

static const RackMechanism *
choose_mechanism (RackAccount *account, RackConn *conn, gboolean unbound, GError **error)
{
  RackEngine *engine = rack_conn_engine (conn);
  gboolean any_named =
      account->settings.auth_mechanisms != NULL && *account->settings.auth_mechanisms != NULL;
  gboolean forbidden = FALSE;

  for (const RackMechanism *at = account->auth->mechanisms; at->name != NULL; at++)
    {
      gboolean named = is_named (account, at);
      if (((at->flags & RACK_MECHANISM_WHEN_NAMED) && !named) || (any_named && !named)
          || !is_offered (engine, at)
          || (unbound && (at->flags & (RACK_MECHANISM_NEEDS_BINDING | RACK_MECHANISM_PLAIN_TEXT))))
        continue;
      if (!is_allowed (at, conn))
        forbidden = TRUE;
      else if (!(at->flags & RACK_MECHANISM_NEEDS_BINDING) || has_binding (conn))
        return at;
    }
  if (forbidden)
    g_set_error (
        error, RACK_ERROR, RACK_ERROR_AUTH,
        "\"auth = %s\" sends its credential only over TLS with a verified certificate, or a "
        "tunnel: use ssl or starttls and leave ssl_verify_cert on",
        account->auth->info->name);
  else
    {
      g_autoptr (GString) offered = g_string_new (NULL);
      for (const char *const *at = rack_engine_capabilities (engine); *at != NULL; at++)
        if (g_str_has_prefix (*at, "AUTH="))
          g_string_append_printf (offered, " %s", *at + 5);
      g_autofree char *safe = rack_text_escape (offered->str, -1);
      g_set_error (
          error, RACK_ERROR, RACK_ERROR_AUTH,
          "no way to log in that both sides know: the server offers%s%s, \"auth = %s\" has no "
          "other%s",
          offered->len > 0 ? safe : " nothing",
          rack_engine_has (engine, "LOGINDISABLED") ? " (and no LOGIN)" : "",
          account->auth->info->name, any_named ? " that auth_mechanisms names" : "");
    }
  return NULL;
}

/* ---- One attempt ------------------------------------------------------------------------ */

typedef struct
{
  RackCall call;
  GBytes *challenge; /* decoded; NULL: none is waiting */
  gboolean waiting, bad;
} AuthCall;

static void
auth_continuation (RackCall *call, RackStr text)
{
  AuthCall *self = (AuthCall *) call;
  gsize size = 0;

  self->waiting = TRUE;
  g_clear_pointer (&self->challenge, g_bytes_unref);
  if (text.size > MAX_CHALLENGE)
    {
      self->bad = TRUE;
      return;
    }
  g_autofree char *line = g_strndup (text.size > 0 ? text.data : "", text.size);
  g_strchomp (line);
  self->bad = strspn (line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
              != strlen (line);
  guchar *data = g_base64_decode (line, &size);
  self->challenge = g_bytes_new_take (data, size);
}

static void
auth_destroy (RackCall *call)
{
  g_clear_pointer (&((AuthCall *) call)->challenge, g_bytes_unref);
  g_free (call);
}

static const RackCallOps auth_ops = { .continuation = auth_continuation, .destroy = auth_destroy };

static gboolean
is_waiting (RackCall *call)
{
  return ((AuthCall *) call)->waiting;
}

typedef struct
{
  RackAccount *account;
  RackConn *conn;
  const RackWait *wait;
  const RackMechanism *mechanism;
  gpointer attempt;
  gboolean unexplained; /* NO without a response code: it need not be about the credential */
} Login;

static gboolean
do_step (Login *login, GBytes *challenge, RackSecret **response, GError **error)
{
  *response = NULL;
  if (!enter (&login->account->auth_lock, login->wait, error))
    return FALSE;
  gboolean ok =
      login->account->auth->step (login->attempt, challenge, response, login->wait, error);
  leave (login->account);
  if (ok)
    return TRUE;
  g_clear_pointer (response, rack_secret_free);
  return rack_plugin_failed (login->account->auth->info, "step", RACK_ERROR_AUTH, error);
}

static void
answer (Login *login, const RackSecret *response)
{
  g_autoptr (RackSecret) line = rack_secret_to_base64 (response);

  rack_engine_answer (rack_conn_engine (login->conn), line);
}

static void
cancel (Login *login, AuthCall *call)
{
  g_autoptr (RackSecret) star = rack_secret_new ("*", 1);

  call->waiting = FALSE;
  rack_engine_answer (rack_conn_engine (login->conn), star);
  rack_conn_drive_until (login->conn, &call->call, NULL, NULL);
}

/* Challenges and responses until the tagged response. first: not sent yet, or NULL. */
static gboolean
converse (Login *login, AuthCall *call, RackSecret *first, GError **error)
{
  g_autoptr (RackSecret) pending = first;

  for (guint round = 0;; round++)
    {
      g_autoptr (RackSecret) response = NULL;
      if (!rack_conn_drive_until (login->conn, &call->call, is_waiting, error))
        return FALSE;
      if (call->call.done)
        return TRUE;
      if (call->bad || round >= MAX_ROUNDS)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL, "%s: the server's challenge %s",
                       login->mechanism->name, call->bad ? "is not base64" : "is one too many");
          cancel (login, call);
          return FALSE;
        }
      if (pending != NULL)
        response = g_steal_pointer (&pending);
      else if (!do_step (login, call->challenge, &response, error))
        {
          cancel (login, call);
          return FALSE;
        }
      call->waiting = FALSE;
      if (response == NULL)
        response = rack_secret_new ("", 0);
      answer (login, response);
    }
}

static RackCall *
run_sasl (Login *login, GError **error)
{
  g_autoptr (RackSecret) first = NULL;
  RackCommand *command;

  if (!do_step (login, NULL, &first, error))
    return NULL;
  command = rack_command_new ("AUTHENTICATE");
  rack_command_atom (command, login->mechanism->name);
  if (first != NULL && rack_engine_has (rack_conn_engine (login->conn), "SASL-IR"))
    {
      g_autoptr (RackSecret) line =
          rack_secret_size (first) == 0 ? rack_secret_new ("=", 1) : rack_secret_to_base64 (first);
      rack_command_secret_atom (command, line);
      g_clear_pointer (&first, rack_secret_free);
    }
  AuthCall *call = rack_call_new_sized (sizeof (AuthCall), &auth_ops, command);
  rack_conn_post (login->conn, &call->call);
  if (converse (login, call, g_steal_pointer (&first), error))
    return &call->call;
  rack_call_unref (&call->call);
  return NULL;
}

static RackCall *
run_login_command (Login *login, GError **error)
{
  g_autoptr (RackSecret) user = NULL, password = NULL;
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);

  if (!do_step (login, NULL, &user, error) || !do_step (login, empty, &password, error))
    return NULL;
  if (user == NULL || password == NULL)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_AUTH,
                           "LOGIN needs a user name and a password");
      return NULL;
    }
  RackCommand *command = rack_command_new ("LOGIN");
  rack_command_secret (command, user);
  rack_command_secret (command, password);
  RackCall *call = rack_call_new (command);
  rack_conn_post (login->conn, call);
  if (rack_conn_drive_until (login->conn, call, NULL, error))
    return call;
  rack_call_unref (call);
  return NULL;
}

typedef enum
{
  LOGIN_FAILED,
  LOGIN_OK,
  LOGIN_RETRY
} Outcome;

static Outcome
conclude (Login *login, RackCall *call, gboolean may_retry, GError **error)
{
  const RackAuthPlugin *auth = login->account->auth;
  const RackStatus *status = rack_reply_status (call->reply);
  RackAuthVerdict verdict = RACK_AUTH_GIVE_UP;

  if (call->error != NULL)
    {
      g_propagate_error (error, g_error_copy (call->error));
      return LOGIN_FAILED;
    }
  if (!enter (&login->account->auth_lock, login->wait, error))
    return LOGIN_FAILED;
  if (status->kind == RACK_STATUS_OK)
    {
      gboolean ok = auth->accepted == NULL || auth->accepted (login->attempt, error);
      leave (login->account);
      if (!ok)
        rack_plugin_failed (auth->info, "accepted", RACK_ERROR_AUTH, error);
      return ok ? LOGIN_OK : LOGIN_FAILED;
    }
  login->unexplained = status->code.kind == RACK_CODE_NONE;
  g_autofree char *code = rack_str_dup (status->code.name);
  g_autofree char *text = rack_str_dup (status->text);
  gboolean unbound_next =
      (login->mechanism->flags & RACK_MECHANISM_NEEDS_BINDING) && login->unexplained;
  if (auth->rejected != NULL && may_retry && !unbound_next
      && status->code.kind != RACK_CODE_UNAVAILABLE)
    verdict = auth->rejected (login->attempt, code, text != NULL ? text : "", login->wait);
  leave (login->account);
  if (verdict == RACK_AUTH_RETRY)
    return LOGIN_RETRY;
  GError *refused = rack_reply_to_error (call->reply);
  if (refused->code == RACK_ERROR_REFUSED || refused->code == RACK_ERROR_INVALID
      || refused->code == RACK_ERROR_DENIED || status->code.kind == RACK_CODE_CONTACTADMIN)
    refused->code = RACK_ERROR_AUTH;
  g_propagate_prefixed_error (error, refused, "login by %s refused: ", login->mechanism->name);
  return LOGIN_FAILED;
}

static Outcome
attempt_once (Login *login, const RackPeer *peer, gboolean may_retry, GError **error)
{
  RackAccount *account = login->account;
  g_autoptr (RackCall) call = NULL;
  Outcome outcome = LOGIN_FAILED;

  if (!enter (&account->auth_lock, login->wait, error))
    return LOGIN_FAILED;
  login->attempt =
      account->auth->start (account->auth_account, login->mechanism, peer, login->wait, error);
  leave (account);
  if (login->attempt == NULL)
    {
      rack_plugin_failed (account->auth->info, "start", RACK_ERROR_AUTH, error);
      return LOGIN_FAILED;
    }
  call = (login->mechanism->flags & RACK_MECHANISM_LOGIN_COMMAND) ? run_login_command (login, error)
                                                                  : run_sasl (login, error);
  if (call != NULL)
    outcome = conclude (login, call, may_retry, error);
  end_attempt (account, login->attempt);
  return outcome;
}

static RackPeer
make_peer (RackAccount *account, RackConn *conn, char **capabilities)
{
  return (RackPeer){
    .size = sizeof (RackPeer),
    .host = account->settings.host != NULL ? account->settings.host : "",
    .user = account->settings.username,
    .port = account->settings.port != 0 ? (guint16) account->settings.port
                                        : account->transport->default_port,
    .security = rack_stream_security (rack_conn_stream (conn)),
    .stream = rack_conn_stream (conn),
    .capabilities = (const char *const *) capabilities,
  };
}

/* A server may offer -PLUS and know only tls-unique, which TLS 1.3 has not (Cyrus): a NO without
 * AUTHENTICATIONFAILED. Then the same is tried once without a binding, never a mechanism that shows
 * the credential. Who could force that sits inside verified TLS and could as well hide the offer.
 */
static gboolean
may_go_unbound (const Login *login, Outcome outcome, const GError *problem)
{
  return outcome == LOGIN_FAILED && (login->mechanism->flags & RACK_MECHANISM_NEEDS_BINDING)
         && login->unexplained && g_error_matches (problem, RACK_ERROR, RACK_ERROR_AUTH);
}

/* For whoever asks how it was done; a server shows afterwards what it offered no more. */
static void
note_facts (const Login *login, char **capabilities)
{
  g_autoptr (GString) offered = g_string_new (NULL);

  for (char **at = capabilities; at != NULL && *at != NULL; at++)
    if (g_str_has_prefix (*at, "AUTH="))
      g_string_append_printf (offered, "%s%s", offered->len > 0 ? " " : "", *at + 5);
  rack_conn_note (login->conn, "mechanism", login->mechanism->name);
  rack_conn_note (login->conn, "mechanisms offered", offered->str);
}

gboolean
rack_account_login (RackAccount *account, RackConn *conn, const RackWait *wait, GError **error)
{
  Login login = { .account = account, .conn = conn, .wait = wait };
  g_autoptr (GError) problem = NULL;

  if (!check_security (account, conn, error)
      || (login.mechanism =
              choose_mechanism (account, conn, g_atomic_int_get (&account->binding_refused), error))
             == NULL)
    return FALSE;
  g_auto (GStrv) capabilities =
      g_strdupv ((char **) rack_engine_capabilities (rack_conn_engine (conn)));
  RackPeer peer = make_peer (account, conn, capabilities);
  Outcome outcome = attempt_once (&login, &peer, TRUE, &problem);
  if (may_go_unbound (&login, outcome, problem))
    {
      const RackMechanism *next = choose_mechanism (account, conn, TRUE, NULL);
      if (next != NULL)
        {
          g_clear_error (&problem);
          login.mechanism = next;
          outcome = attempt_once (&login, &peer, TRUE, &problem);
          g_atomic_int_set (&account->binding_refused, outcome == LOGIN_OK);
        }
    }
  if (outcome == LOGIN_RETRY)
    outcome = attempt_once (&login, &peer, FALSE, &problem);
  if (outcome == LOGIN_OK)
    note_facts (&login, capabilities);
  else
    g_propagate_error (error, g_steal_pointer (&problem));
  return outcome == LOGIN_OK;
}
