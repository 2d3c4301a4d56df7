/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * grant.c - what a token endpoint answered
 *
 * JSON in, a token out or the sentence that says what the user can do. Nothing is kept, asked
 * or sent here. */
#include "oauth2.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define MAX_TOKEN    (64 * 1024)
#define MAX_BRACKETS 64

/* RFC 6750 §2.1: what a bearer token is made of. Anything else could forge the message it is
 * put into. */
gboolean
token_is_bearer (const RackSecret *token)
{
  gsize size = rack_secret_size (token);

  return size > 0 && size <= MAX_TOKEN
         && strspn (rack_secret_peek (token),
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=")
                == size;
}

void
grant_clear (Grant *grant)
{
  g_clear_pointer (&grant->access_token, rack_secret_free);
  g_clear_pointer (&grant->refresh_token, rack_secret_free);
}

/* Returns: (borrowed) a member that is a string, else NULL. */
static const char *
get_text (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/* Seconds, also where a provider writes them as a string; 0: not said. */
static gint64
get_lifetime (JsonObject *object)
{
  JsonNode *node = json_object_get_member (object, "expires_in");
  gint64 n = 0;

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node))
    {
      GType type = json_node_get_value_type (node);
      if (type == G_TYPE_STRING)
        n = g_ascii_strtoll (json_node_get_string (node), NULL, 10);
      else if (type == G_TYPE_INT64)
        n = json_node_get_int (node);
      else if (type == G_TYPE_DOUBLE && json_node_get_double (node) < 1e9)
        n = (gint64) json_node_get_double (node);
    }
  return CLAMP (n, 0, 366 * 86400);
}

/* json-glib calls itself for each bracket: a whole answer of them would end the stack. */
static gboolean
is_shallow (const char *text)
{
  guint depth = 0;

  for (; *text != '\0'; text++)
    if (*text == '{' || *text == '[')
      {
        if (++depth > MAX_BRACKETS)
          return FALSE;
      }
  return TRUE;
}

static JsonObject *
parse (const HttpAnswer *answer, JsonParser *parser)
{
  if (!g_utf8_validate (answer->body, (gssize) answer->size, NULL) || !is_shallow (answer->body)
      || !json_parser_load_from_data (parser, answer->body, (gssize) answer->size, NULL))
    return NULL;
  JsonNode *root = json_parser_get_root (parser);
  return root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
}

static gboolean
explain_refusal (const HttpAnswer *answer, JsonObject *object, GError **error)
{
  const char *name = object != NULL ? get_text (object, "error") : NULL;
  const char *about = object != NULL ? get_text (object, "error_description") : NULL;
  g_autofree char *details =
      g_strdup_printf ("%s%s%s", name != NULL ? name : "no reason given", about != NULL ? ": " : "",
                       about != NULL ? about : "");
  g_autofree char *safe = rack_text_escape (details, (gssize) strnlen (details, 500));

  if (answer->status == 429 || answer->status >= 500)
    {
      g_autofree char *when =
          answer->retry_after > 0
              ? g_strdup_printf (" in %" G_GINT64_FORMAT " seconds", answer->retry_after)
              : g_strdup (" later");
      g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK,
                   "the token endpoint is not available (HTTP %u): try again%s", answer->status,
                   when);
    }
  else if (answer->status >= 300 && answer->status < 400)
    g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                 "the token endpoint redirects elsewhere (HTTP %u), where no secret is sent: "
                 "check oauth2_token_url",
                 answer->status);
  else if (g_strcmp0 (name, "invalid_grant") == 0)
    g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
                 "the refresh token is not good any more (%s): authorize again (\"mailrack "
                 "authorize\"), or put a new one into oauth2_refresh_token",
                 safe);
  else if (g_strcmp0 (name, "invalid_client") == 0 || g_strcmp0 (name, "unauthorized_client") == 0)
    g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
                 "the provider does not take this application (%s): check oauth2_client_id and "
                 "oauth2_client_secret",
                 safe);
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
                 "the token endpoint refuses (HTTP %u, %s): check oauth2_token_url and the other "
                 "oauth2_ keys",
                 answer->status, safe);
  return FALSE;
}

gboolean
grant_read (Grant *grant, const HttpAnswer *answer, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *object = parse (answer, parser);
  const char *access = object != NULL ? get_text (object, "access_token") : NULL;
  const char *type = object != NULL ? get_text (object, "token_type") : NULL;
  const char *fresh = object != NULL ? get_text (object, "refresh_token") : NULL;

  if (answer->status != 200)
    return explain_refusal (answer, object, error);
  if (access == NULL)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                           "the token endpoint's answer holds no access token: check "
                           "oauth2_token_url");
      return FALSE;
    }
  if (type != NULL && g_ascii_strcasecmp (type, "Bearer") != 0)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                           "the token endpoint gave a token that is not of type Bearer");
      return FALSE;
    }
  grant->access_token = rack_secret_new (access, -1);
  if (fresh != NULL && *fresh != '\0' && strlen (fresh) <= MAX_TOKEN)
    grant->refresh_token = rack_secret_new (fresh, -1);
  grant->lifetime = get_lifetime (object);
  return TRUE;
}

/* ---- Device codes ----------------------------------------------------------------------- */

void
device_grant_clear (DeviceGrant *grant)
{
  g_clear_pointer (&grant->device_code, rack_secret_free);
  g_clear_pointer (&grant->user_code, g_free);
  g_clear_pointer (&grant->uri, g_free);
}

gboolean
device_grant_read (DeviceGrant *grant, const HttpAnswer *answer, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *object = parse (answer, parser);
  const char *device = object != NULL ? get_text (object, "device_code") : NULL;
  const char *user = object != NULL ? get_text (object, "user_code") : NULL;
  const char *uri = object != NULL ? get_text (object, "verification_uri") : NULL;

  if (answer->status != 200)
    return explain_refusal (answer, object, error);
  if (object != NULL && uri == NULL)
    uri = get_text (object, "verification_url"); /* as Google wrote it before the RFC */
  if (device == NULL || user == NULL || uri == NULL || strlen (user) > 100 || strlen (uri) > 1000)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                           "the device endpoint's answer holds no code to enter: check "
                           "oauth2_device_url");
      return FALSE;
    }
  grant->device_code = rack_secret_new (device, -1);
  grant->user_code = g_strdup (user);
  grant->uri = g_strdup (uri);
  grant->lifetime = get_lifetime (object);
  JsonNode *interval = json_object_get_member (object, "interval");
  grant->interval = interval != NULL && json_node_get_value_type (interval) == G_TYPE_INT64
                        ? CLAMP (json_node_get_int (interval), 1, 60)
                        : 5;
  return TRUE;
}

gboolean
grant_is_pending (const HttpAnswer *answer, gboolean *slower)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *object = answer->status == 400 ? parse (answer, parser) : NULL;
  const char *name = object != NULL ? get_text (object, "error") : NULL;

  *slower = g_strcmp0 (name, "slow_down") == 0;
  return *slower || g_strcmp0 (name, "authorization_pending") == 0;
}
