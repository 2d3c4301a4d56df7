/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * host-keyring.c - secrets in the user's keyring, through libsecret
 *
 * The keyring may show a dialogue and wait for it, so every call runs on a main context of its
 * own and is cancelled when the wait ends. A build without libsecret says so when asked. */
#include "core-config.h"
#include "host.h"

#ifdef HAVE_LIBSECRET

#include <libsecret/secret.h>

static const SecretSchema schema = {
  .name = "org.mailrack.Secret",
  .flags = SECRET_SCHEMA_NONE,
  .attributes = { { "name", SECRET_SCHEMA_ATTRIBUTE_STRING }, { NULL, 0 } },
};

/* One call, from its start to its callback. */
typedef struct
{
  GMainContext *context;
  GMainLoop *loop;
  GCancellable *stop; /* ours, so that the caller's is never cancelled */
  GCancellable *caller;
  gulong connection;
  GSource *deadline;
  gboolean timed_out;
  GAsyncResult *result;
} Call;

static void
on_result (GObject *source, GAsyncResult *result, gpointer data)
{
  Call *call = data;

  call->result = g_object_ref (result);
  g_main_loop_quit (call->loop);
}

static gboolean
on_deadline (gpointer data)
{
  Call *call = data;

  call->timed_out = TRUE;
  g_cancellable_cancel (call->stop);
  return G_SOURCE_REMOVE;
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  g_cancellable_cancel (data);
}

static void
call_begin (Call *call, const RackWait *wait)
{
  *call = (Call){ .context = g_main_context_new (), .stop = g_cancellable_new () };
  g_main_context_push_thread_default (call->context);
  call->loop = g_main_loop_new (call->context, FALSE);
  if (wait != NULL && wait->deadline != 0)
    {
      gint64 left = (wait->deadline - g_get_monotonic_time ()) / 1000;

      call->deadline = g_timeout_source_new ((guint) CLAMP (left, 0, G_MAXINT));
      g_source_set_callback (call->deadline, on_deadline, call, NULL);
      g_source_attach (call->deadline, call->context);
    }
  if (wait != NULL && wait->cancellable != NULL)
    {
      call->caller = wait->cancellable;
      call->connection = g_cancellable_connect (call->caller, G_CALLBACK (on_cancelled),
                                                g_object_ref (call->stop), g_object_unref);
    }
}

static void
call_end (Call *call)
{
  if (call->caller != NULL)
    g_cancellable_disconnect (call->caller, call->connection);
  if (call->deadline != NULL)
    g_source_destroy (call->deadline);
  g_clear_pointer (&call->deadline, g_source_unref);
  g_main_context_pop_thread_default (call->context);
  g_main_loop_unref (call->loop);
  g_main_context_unref (call->context);
  g_object_unref (call->stop);
  g_clear_object (&call->result);
}

static gboolean
call_failed (const Call *call, const char *name, const GError *cause, GError **error)
{
  g_autofree char *safe = rack_text_escape (name, -1);

  if (cause == NULL)
    return FALSE;
  if (call->timed_out)
    g_set_error (error, RACK_ERROR, RACK_ERROR_TIMEOUT, "the keyring did not answer in time");
  else if (g_cancellable_is_cancelled (call->stop))
    g_set_error (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled while the keyring was asked");
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "the keyring cannot be used for \"%s\": %s",
                 safe, cause->message);
  return TRUE;
}

RackSecret *
rack_host_load_secret (RackHost *host, const char *name, const RackWait *wait, GError **error)
{
  g_autoptr (GError) cause = NULL;
  RackSecret *secret = NULL;
  gsize size = 0;
  Call call;

  call_begin (&call, wait);
  secret_password_lookup (&schema, call.stop, on_result, &call, "name", name, NULL);
  g_main_loop_run (call.loop);
  SecretValue *value = secret_password_lookup_binary_finish (call.result, &cause);
  if (!call_failed (&call, name, cause, error) && value != NULL)
    {
      const char *data = secret_value_get (value, &size);
      secret = rack_secret_new (data, (gssize) size);
    }
  g_clear_pointer (&value, secret_value_unref);
  call_end (&call);
  return secret;
}

gboolean
rack_host_store_secret (RackHost *host, const char *name, const RackSecret *secret,
                        const RackWait *wait, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autofree char *label = g_strdup_printf ("Mailrack: %s", name);
  SecretValue *value = secret_value_new (rack_secret_peek (secret),
                                         (gssize) rack_secret_size (secret), "text/plain");
  Call call;

  call_begin (&call, wait);
  secret_password_store_binary (&schema, SECRET_COLLECTION_DEFAULT, label, value, call.stop,
                                on_result, &call, "name", name, NULL);
  g_main_loop_run (call.loop);
  gboolean stored = secret_password_store_finish (call.result, &cause);
  secret_value_unref (value);
  if (!call_failed (&call, name, cause, error) && !stored)
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "the keyring did not keep the secret");
  call_end (&call);
  return stored;
}

#else

static void
fail_absent (GError **error)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
               "this mailrack was built without libsecret: the keyring cannot be used");
}

RackSecret *
rack_host_load_secret (RackHost *host, const char *name, const RackWait *wait, GError **error)
{
  fail_absent (error);
  return NULL;
}

gboolean
rack_host_store_secret (RackHost *host, const char *name, const RackSecret *secret,
                        const RackWait *wait, GError **error)
{
  fail_absent (error);
  return FALSE;
}

#endif
