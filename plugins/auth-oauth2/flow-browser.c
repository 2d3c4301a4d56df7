/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * flow-browser.c - a first token by a browser on this machine (RFC 6749 §4.1, 7636, 8252)
 *
 * The provider sends the browser back to a port of ours on loopback with a code. Who sees the code
 * or the address that is shown can do nothing with it: the code is bound to a verifier that never
 * leaves this process but to the provider, over https. */
#include "oauth2.h"

#include <libsoup/soup.h>
#include <string.h>
#include <sys/random.h>

typedef struct
{
  GMainContext *context;
  SoupServer *server;
  guint port;
  char *redirect, *state;
  RackSecret *verifier;
  RackSecret *code; /* or */
  char *refusal;    /* what the provider said instead; hostile */
} Visit;

static void
visit_clear (Visit *visit)
{
  g_clear_object (&visit->server);
  g_clear_pointer (&visit->redirect, g_free);
  g_clear_pointer (&visit->state, g_free);
  g_clear_pointer (&visit->verifier, rack_secret_free);
  g_clear_pointer (&visit->code, rack_secret_free);
  g_clear_pointer (&visit->refusal, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Visit, visit_clear)

/* RFC 7636 §4.1: letters, digits, "-" and "_". Returns: (owned) */
static char *
base64url (const guchar *data, gsize size)
{
  char *text = g_base64_encode (data, size);

  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  text[strcspn (text, "=")] = '\0';
  return text;
}

static char *
random_text (void)
{
  guchar octets[32];

  if (getentropy (octets, sizeof octets) != 0)
    g_error ("the kernel has no random numbers");
  char *text = base64url (octets, sizeof octets);
  explicit_bzero (octets, sizeof octets);
  return text;
}

/* ---- The browser comes back --------------------------------------------------------------------
 */

static void
answer (SoupServerMessage *message, guint status, const char *text)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Cache-Control",
                                "no-store");
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_STATIC, text, strlen (text));
}

/* Whoever else comes by, with another state or none, is sent away. */
static void
hear (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
      gpointer data)
{
  Visit *visit = data;
  const char *state = query != NULL ? g_hash_table_lookup (query, "state") : NULL;
  const char *code = query != NULL ? g_hash_table_lookup (query, "code") : NULL;
  const char *refusal = query != NULL ? g_hash_table_lookup (query, "error") : NULL;

  if (g_strcmp0 (state, visit->state) != 0 || (code == NULL && refusal == NULL)
      || visit->code != NULL)
    {
      answer (message, 400, "This is not what was waited for.\n");
      return;
    }
  if (code != NULL)
    visit->code = rack_secret_new (code, -1);
  else
    visit->refusal = g_strdup (refusal);
  answer (message, 200,
          code != NULL ? "Done. You can close this window.\n" : "Access was not allowed.\n");
}

static gboolean
listen_here (Visit *visit, const Config *config, const RackPeer *peer, GError **error)
{
  g_autoptr (GError) problem = NULL;
  GSList *uris;

  visit->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (visit->server, "/", hear, visit, NULL);
  if (!soup_server_listen_local (visit->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &problem))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "no port on this machine: %s",
                   problem->message);
      return FALSE;
    }
  uris = soup_server_get_uris (visit->server);
  /* Microsoft takes any port, and no other name. */
  visit->redirect = g_strdup_printf (
      "http://%s:%d/",
      provider_find (config, peer->host) == PROVIDER_MICROSOFT ? "localhost" : "127.0.0.1",
      g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  return TRUE;
}

static gboolean
send_there (Visit *visit, const Config *config, RackHost *host, const RackPeer *peer,
            GError **error)
{
  g_autofree char *url = provider_url (config, peer->host, URL_AUTH);
  const char *verifier = rack_secret_peek (visit->verifier);
  guchar digest[32];
  gsize size = sizeof digest;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  if (!g_str_has_prefix (url, "https://"))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                   "oauth2_auth_url: \"%s\" is not an https:// address", url);
      return FALSE;
    }
  g_checksum_update (sum, (const guchar *) verifier, -1);
  g_checksum_get_digest (sum, digest, &size);
  g_autofree char *challenge = base64url (digest, size);
  const char *scope = provider_scope (config, peer->host);
  Form *form = form_new ();
  form_add (form, "response_type", "code");
  form_add (form, "client_id", config->client_id);
  form_add (form, "redirect_uri", visit->redirect);
  form_add (form, "state", visit->state);
  form_add (form, "code_challenge", challenge);
  form_add (form, "code_challenge_method", "S256");
  form_add (form, "login_hint", peer->user);
  form_add (form, "access_type", "offline"); /* Google's word for a refresh token */
  form_add (form, "prompt", "consent");      /* without which it gives none the second time */
  if (scope != NULL && *scope != '\0')
    form_add (form, "scope", scope);
  g_autoptr (RackSecret) query = form_finish (form);
  g_autofree char *whole = g_strdup_printf ("%s%s%s", url, strchr (url, '?') != NULL ? "&" : "?",
                                            rack_secret_peek (query));
  g_autofree char *safe = rack_text_escape (whole, -1);
  g_autofree char *text = g_strdup_printf (
      "Open this address in a browser on this machine, and allow access: %s", safe);
  rack_host_tell (host, text);
  return TRUE;
}

static void
wake (GCancellable *cancellable, gpointer context)
{
  g_main_context_wakeup (context);
}

static gboolean
wait_for_visit (Visit *visit, const RackWait *wait, GError **error)
{
  gulong handler =
      wait->cancellable != NULL
          ? g_cancellable_connect (wait->cancellable, G_CALLBACK (wake), visit->context, NULL)
          : 0;

  while (visit->code == NULL && visit->refusal == NULL
         && !g_cancellable_is_cancelled (wait->cancellable))
    g_main_context_iteration (visit->context, TRUE);
  if (handler != 0)
    g_cancellable_disconnect (wait->cancellable, handler);
  /* So that the browser has its answer. */
  for (guint i = 0; i < 20; i++)
    {
      g_main_context_iteration (visit->context, FALSE);
      g_usleep (5000);
    }
  if (visit->code != NULL)
    return TRUE;
  if (visit->refusal != NULL)
    {
      g_autofree char *safe = rack_text_escape (visit->refusal, -1);
      g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH, "access was not allowed: %s", safe);
    }
  else
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

static gboolean
get_code (Visit *visit, const Config *config, RackHost *host, const RackPeer *peer,
          const RackWait *wait, GError **error)
{
  visit->context = g_main_context_new ();
  g_main_context_push_thread_default (visit->context);
  gboolean ok = listen_here (visit, config, peer, error)
                && send_there (visit, config, host, peer, error)
                && wait_for_visit (visit, wait, error);
  if (visit->server != NULL)
    soup_server_disconnect (visit->server);
  g_clear_object (&visit->server);
  while (g_main_context_iteration (visit->context, FALSE))
    ;
  g_main_context_pop_thread_default (visit->context);
  g_main_context_unref (visit->context);
  return ok;
}

gboolean
flow_browser (const Config *config, RackHost *host, const RackPeer *peer, const RackWait *wait,
              Grant *grant, GError **error)
{
  g_autofree char *url = provider_url (config, peer->host, URL_TOKEN);
  g_auto (Visit) visit = { .state = random_text () };
  g_auto (HttpAnswer) answered = { 0 };
  char *verifier = random_text ();

  visit.verifier = rack_secret_new (verifier, -1);
  explicit_bzero (verifier, strlen (verifier));
  g_free (verifier);
  if (!get_code (&visit, config, host, peer, wait, error))
    return FALSE;
  Form *form = form_new ();
  form_add (form, "grant_type", "authorization_code");
  form_add_secret (form, "code", visit.code);
  form_add (form, "redirect_uri", visit.redirect);
  form_add_secret (form, "code_verifier", visit.verifier);
  form_add_client (form, config);
  g_autoptr (RackSecret) body = form_finish (form);
  return http_post (url, body, config->ca_file, wait, &answered, error)
         && grant_read (grant, &answered, error);
}
