/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * http.c - one POST over https, within a wait
 *
 * libsoup on a main context of the call's own, so that it needs no loop of the program's
 * and keeps nothing between calls. No redirects, no cookies, no clear text. */
#include "oauth2.h"

#include <libsoup/soup.h>
#include <string.h>

/* A token response is a few kilobytes. */
#define MAX_BODY      (256 * 1024)
/* For callers that set no deadline. */
#define MAX_WAIT_SECS 60

typedef struct
{
  SoupSession *session;
  SoupMessage *message;
  GCancellable *cancel;
  HttpAnswer *answer;
  GInputStream *stream;
  GError *error;
  gboolean done, late;
} Post;

void
http_answer_clear (HttpAnswer *answer)
{
  if (answer->body != NULL)
    explicit_bzero (answer->body, answer->size);
  g_clear_pointer (&answer->body, g_free);
  answer->size = 0;
}

/* ---- Receiving -------------------------------------------------------------------- */

static void read_more (Post *post);

static void
finish (Post *post, GError *error)
{
  post->error = error;
  post->done = TRUE;
}

static void
read_done (GObject *source, GAsyncResult *result, gpointer data)
{
  Post *post = data;
  GError *error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (n <= 0)
    {
      finish (post, error);
      return;
    }
  post->answer->size += (gsize) n;
  if (post->answer->size < MAX_BODY)
    read_more (post);
  else
    finish (post, g_error_new_literal (RACK_ERROR, RACK_ERROR_PROTOCOL,
                                       "the answer is too long to be a token"));
}

static void
read_more (Post *post)
{
  HttpAnswer *answer = post->answer;

  g_input_stream_read_async (post->stream, answer->body + answer->size, MAX_BODY - answer->size,
                             G_PRIORITY_DEFAULT, post->cancel, read_done, post);
}

static void
sent (GObject *source, GAsyncResult *result, gpointer data)
{
  Post *post = data;
  GError *error = NULL;

  post->stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (post->stream == NULL)
    {
      finish (post, error);
      return;
    }
  const char *after = soup_message_headers_get_one (
      soup_message_get_response_headers (post->message), "Retry-After");
  post->answer->status = (guint) soup_message_get_status (post->message);
  if (after != NULL && g_ascii_isdigit (*after))
    post->answer->retry_after = (gint64) MIN (g_ascii_strtoull (after, NULL, 10), 86400);
  read_more (post);
}

/* ---- Waiting ----------------------------------------------------------------------- */

static gboolean
too_late (gpointer data)
{
  Post *post = data;

  post->late = TRUE;
  g_cancellable_cancel (post->cancel);
  return G_SOURCE_REMOVE;
}

static void
pass_cancel (GCancellable *cancellable, gpointer inner)
{
  g_cancellable_cancel (inner);
}

static guint
milliseconds_left (const RackWait *wait)
{
  gint64 left = (gint64) MAX_WAIT_SECS * G_USEC_PER_SEC;

  if (wait != NULL && wait->deadline > 0)
    left = MIN (left, wait->deadline - g_get_monotonic_time ());
  return left > 0 ? (guint) (left / 1000) : 0;
}

static void
run (Post *post, GMainContext *context, const RackWait *wait)
{
  GCancellable *outer = wait != NULL ? wait->cancellable : NULL;
  GSource *timer = g_timeout_source_new (milliseconds_left (wait));
  gulong handler = 0;

  g_source_set_callback (timer, too_late, post, NULL);
  g_source_attach (timer, context);
  if (outer != NULL)
    handler = g_cancellable_connect (outer, G_CALLBACK (pass_cancel), post->cancel, NULL);
  soup_session_send_async (post->session, post->message, G_PRIORITY_DEFAULT, post->cancel, sent,
                           post);
  while (!post->done)
    g_main_context_iteration (context, TRUE);
  if (handler != 0)
    g_cancellable_disconnect (outer, handler);
  g_source_destroy (timer);
  g_source_unref (timer);
}

static void
explain (Post *post, const char *host, const RackWait *wait, GError **error)
{
  if (post->late)
    g_set_error (error, RACK_ERROR, RACK_ERROR_TIMEOUT, "%s does not answer in time", host);
  else if (wait != NULL && g_cancellable_is_cancelled (wait->cancellable))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  else if (post->error->domain == RACK_ERROR)
    g_propagate_prefixed_error (error, g_steal_pointer (&post->error), "%s: ", host);
  else
    g_set_error (error, RACK_ERROR,
                 post->error->domain == G_TLS_ERROR ? RACK_ERROR_TLS : RACK_ERROR_NETWORK, "%s: %s",
                 host, post->error->message);
  g_clear_error (&post->error);
}

/* ---- The request -------------------------------------------------------------------- */

static SoupSession *
make_session (const char *ca_file, GError **error)
{
  g_autoptr (GTlsDatabase) authorities = NULL;

  if (ca_file != NULL)
    {
      g_autoptr (GError) why = NULL;
      authorities = g_tls_file_database_new (ca_file, &why);
      if (authorities == NULL)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "oauth2_ca_file: \"%s\": %s", ca_file,
                       why->message);
          return NULL;
        }
    }
  SoupSession *session = soup_session_new ();
  soup_session_set_user_agent (session, "mailrack");
  if (authorities != NULL)
    soup_session_set_tls_database (session, authorities);
  return session;
}

static SoupMessage *
make_message (const char *url, const RackSecret *form, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  g_autoptr (GBytes) body = NULL;

  if (host == NULL || *host == '\0' || strcmp (g_uri_get_scheme (uri), "https") != 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG,
                   "oauth2_token_url or oauth2_device_url: \"%s\" is not an https:// address", url);
      return NULL;
    }
  SoupMessage *message = soup_message_new_from_uri ("POST", uri);
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  soup_message_headers_replace (soup_message_get_request_headers (message), "Accept",
                                "application/json");
  /* Borrowed: the form outlives the request, and nothing copies it. */
  body = g_bytes_new_static (rack_secret_peek (form), rack_secret_size (form));
  soup_message_set_request_body_from_bytes (message, "application/x-www-form-urlencoded", body);
  return message;
}

gboolean
http_post (const char *url, const RackSecret *form, const char *ca_file, const RackWait *wait,
           HttpAnswer *answer, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Post post = { .answer = answer };
  gboolean ok = FALSE;

  post.message = make_message (url, form, error);
  if (post.message == NULL)
    return FALSE;
  g_main_context_push_thread_default (context);
  post.session = make_session (ca_file, error);
  if (post.session != NULL)
    {
      post.cancel = g_cancellable_new ();
      answer->body = g_malloc0 (MAX_BODY + 1);
      run (&post, context, wait);
      if (post.error != NULL)
        explain (&post, g_uri_get_host (soup_message_get_uri (post.message)), wait, error);
      else
        ok = TRUE;
      g_clear_object (&post.stream);
      soup_session_abort (post.session);
      g_object_unref (post.session);
      g_object_unref (post.cancel);
    }
  g_object_unref (post.message);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  if (!ok)
    http_answer_clear (answer);
  return ok;
}
