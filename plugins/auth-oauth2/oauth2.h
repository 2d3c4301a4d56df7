/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * oauth2.h - what the files of auth-oauth2 share
 *
 * oauth2.c speaks SASL, token.c knows which access token is good and how to get one,
 * state.c keeps a refresh token on disk, http.c makes one request of a form.c, grant.c reads
 * the answer; authorize.c gets the first token, by flow-browser.c or flow-device.c;
 * provider.c has the keys and what is known of providers. */
#pragma once

#include <mailrack/mailrack-plugin.h>

typedef enum
{
  PROVIDER_AUTO, /* found out from the host */
  PROVIDER_GENERIC,
  PROVIDER_GOOGLE,
  PROVIDER_MICROSOFT,
  PROVIDER_YAHOO,
  PROVIDER_FASTMAIL,
} Provider;

typedef enum
{
  FLOW_AUTO, /* what the provider has */
  FLOW_BROWSER,
  FLOW_DEVICE,
} Flow;

typedef struct
{
  Provider provider;
  Flow flow;
  char *auth_url;
  char *device_url;
  char *client_id;
  RackSecret *client_secret;
  RackSecret *refresh_token;
  RackSecret *access_token;
  char *token_url;
  char *scope;
  char *tenant;
  char *ca_file;
  char **token_command;
} Config;

/* ---- provider.c ------------------------------------------------------------------ */

extern const RackParam oauth2_params[];

typedef enum
{
  URL_TOKEN,
  URL_AUTH,
  URL_DEVICE,
} UrlKind;

Provider provider_find (const Config *config, const char *host);
/* Borrowed, or NULL. */
const char *provider_scope (const Config *config, const char *host);
/* Returns: (owned) the configured one, else the provider's; NULL: there is none. */
char *provider_url (const Config *config, const char *host, UrlKind kind);

/* ---- form.c ------------------------------------------------------------------------ */

/* A form that may hold secrets: no copy of it stays behind. */
typedef struct Form Form;
Form *form_new (void);
void form_add (Form *form, const char *name, const char *value);
void form_add_secret (Form *form, const char *name, const RackSecret *value);
/* client_id, and client_secret if there is one. */
void form_add_client (Form *form, const Config *config);
/* Takes form. Returns: (owned) */
RackSecret *form_finish (Form *form);

/* ---- authorize.c -------------------------------------------------------------------- */

/* RackAuthPlugin's. */
gboolean oauth2_authorize (gconstpointer config, RackHost *host, const RackPeer *peer,
                           const RackWait *wait, GError **error);

/* ---- token.c -------------------------------------------------------------------- */

/* The access token of an account, shared by its connections. */
typedef struct
{
  const Config *config;
  RackHost *host;
  RackSecret *access;
  RackSecret *rotated; /* a refresh token that could not be saved, or NULL */
  gint64 renew_at;     /* on the scale of token_clock(); G_MAXINT64: when it is refused */
  guint generation;    /* counts the access tokens that were in use */
  gboolean refused;    /* the server did not take it: renew it before it is used again */
} Token;

/* Whether the configuration suffices, as far as it can be told without a peer. */
gboolean token_check (const Config *config, GError **error);
/* Makes sure that token->access is set and not about to expire. */
gboolean token_ensure (Token *token, const RackPeer *peer, const RackWait *wait, GError **error);
/* Whether a token other than the present one can be had. */
gboolean token_can_renew (const Token *token);
void token_clear (Token *token);
/* What a kept token follows on: the configured one, or an empty one. Returns: (owned) */
RackSecret *token_configured (const Config *config);
/* Microseconds, also while the machine sleeps. */
gint64 token_clock (void);

/* ---- state.c -------------------------------------------------------------------- */

/* The file of one account's rotated refresh token, locked against other processes. */
typedef struct State State;

/* Waits for the lock. user, token_url and client_id say whose it is. */
State *state_open (RackHost *host, const char *user, const char *token_url, const char *client_id,
                   const RackWait *wait, GError **error);
void state_close (State *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (State, state_close)
/* The refresh token that followed on the configured one; NULL when there is none, or when the
 * configured one has been replaced since. Returns: (owned) */
RackSecret *state_load (State *state, const RackSecret *configured);
/* Whole or not at all, and on the disk when it returns. */
gboolean state_save (State *state, const RackSecret *configured, const RackSecret *refresh_token,
                     GError **error);

/* ---- http.c --------------------------------------------------------------------- */

typedef struct
{
  guint status;
  gint64 retry_after; /* seconds, or 0 */
  char *body;         /* NUL-terminated; wiped by http_answer_clear() */
  gsize size;
} HttpAnswer;

void http_answer_clear (HttpAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HttpAnswer, http_answer_clear)

/* Posts a form, which is wiped afterwards by its owner, over https, following nothing. ca_file
 * NULL: the system's authorities. FALSE: there is no answer (RACK_ERROR_NETWORK, _TLS,
 * _TIMEOUT, _CANCELLED, _CONFIG). */
gboolean http_post (const char *url, const RackSecret *form, const char *ca_file,
                    const RackWait *wait, HttpAnswer *answer, GError **error);

/* ---- grant.c --------------------------------------------------------------------- */

/* What an endpoint gave (RFC 6749 §5.1). */
typedef struct
{
  RackSecret *access_token;
  RackSecret *refresh_token; /* NULL: the one in use stays */
  gint64 lifetime;           /* seconds; 0: not said */
} Grant;

void grant_clear (Grant *grant);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Grant, grant_clear)

/* FALSE: it gave none; the sentence says what to do. */
gboolean grant_read (Grant *grant, const HttpAnswer *answer, GError **error);
/* Whether it may be put into a SASL message. */
gboolean token_is_bearer (const RackSecret *token);

/* What a device authorization endpoint gave (RFC 8628 §3.2). */
typedef struct
{
  RackSecret *device_code;
  char *user_code, *uri;     /* as they came: hostile */
  gint64 lifetime, interval; /* seconds */
} DeviceGrant;

void device_grant_clear (DeviceGrant *grant);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DeviceGrant, device_grant_clear)
gboolean device_grant_read (DeviceGrant *grant, const HttpAnswer *answer, GError **error);
/* Whether the answer says that the person has not decided yet; *slower: and that it was asked too
 * often. */
gboolean grant_is_pending (const HttpAnswer *answer, gboolean *slower);

/* ---- flow-browser.c, flow-device.c ------------------------------------------------------ */

/* Tell the person what to do, wait until it is done, and read what came. */
gboolean flow_browser (const Config *config, RackHost *host, const RackPeer *peer,
                       const RackWait *wait, Grant *grant, GError **error);
gboolean flow_device (const Config *config, RackHost *host, const RackPeer *peer,
                      const RackWait *wait, Grant *grant, GError **error);
