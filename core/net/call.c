/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * call.c - a command that one thread waits for and another carries out
 *
 * pthread's locks rather than GLib's: thread checkers see through them. */
#include "call.h"

#include "conn.h"

static void
call_response (RackExchange *exchange, const RackResponse *response)
{
  RackCall *call = (RackCall *) exchange;

  if (call->ops->response != NULL)
    call->ops->response (call, response);
  else
    rack_reply_add (call->reply, response);
}

static gboolean
call_claims (RackExchange *exchange, guint32 uid)
{
  RackCall *call = (RackCall *) exchange;

  return call->ops->claims == NULL || call->ops->claims (call, uid);
}

static guint
call_fits (RackExchange *exchange, RackStr bytes, RackFields fields)
{
  RackCall *call = (RackCall *) exchange;

  return call->ops->fits == NULL ? 1 : call->ops->fits (call, bytes, fields);
}

static gboolean
call_frame (RackExchange *exchange, RackBlock *block, RackStr bytes)
{
  RackCall *call = (RackCall *) exchange;

  return call->ops->frame != NULL && call->ops->frame (call, block, bytes);
}

static gboolean
call_literal (RackExchange *exchange, RackStr head, guint64 size)
{
  RackCall *call = (RackCall *) exchange;

  return call->ops->literal != NULL && call->ops->literal (call, head, size);
}

static void
call_piece (RackExchange *exchange, RackStr piece, guint64 left)
{
  RackCall *call = (RackCall *) exchange;

  call->ops->piece (call, piece, left);
}

static void
call_continuation (RackExchange *exchange, RackStr text)
{
  RackCall *call = (RackCall *) exchange;

  call->ops->continuation (call, text);
}

static void
call_done (RackExchange *exchange, const RackResponse *tagged, const GError *error)
{
  RackCall *call = (RackCall *) exchange;

  if (tagged != NULL)
    {
      rack_reply_add (call->reply, tagged);
      call->counts = *rack_engine_counts (rack_conn_engine (call->conn));
    }
  else
    call->error = g_error_copy (error);
  if (call->ops->finished != NULL)
    call->ops->finished (call);
  pthread_mutex_lock (&call->lock);
  call->done = TRUE;
  pthread_cond_broadcast (&call->changed);
  pthread_mutex_unlock (&call->lock);
  rack_call_unref (call); /* the connection's */
}

/* Two tables, because a continuation that nobody expects is an error. */
static const RackExchangeOps exchange_ops = {
  .claims = call_claims,
  .fits = call_fits,
  .response = call_response,
  .frame = call_frame,
  .literal = call_literal,
  .piece = call_piece,
  .done = call_done,
};
static const RackExchangeOps continued_ops = {
  .response = call_response,
  .continuation = call_continuation,
  .done = call_done,
};

gpointer
rack_call_new_sized (gsize size, const RackCallOps *ops, RackCommand *command)
{
  RackCall *call = g_malloc0 (size);
  pthread_condattr_t attributes;

  rack_exchange_classify (&call->exchange, rack_command_name (command));
  call->exchange.ops = ops->continuation != NULL ? &continued_ops : &exchange_ops;
  call->exchange.command = command;
  call->ops = ops;
  call->references = 1;
  call->reply = rack_reply_new ();
  pthread_mutex_init (&call->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_cond_init (&call->changed, &attributes);
  pthread_condattr_destroy (&attributes);
  return call;
}

RackCall *
rack_call_new (RackCommand *command)
{
  static const RackCallOps plain = { 0 };

  return rack_call_new_sized (sizeof (RackCall), &plain, command);
}

RackCall *
rack_call_ref (RackCall *call)
{
  g_atomic_int_inc (&call->references);
  return call;
}

void
rack_call_unref (RackCall *call)
{
  if (call == NULL || !g_atomic_int_dec_and_test (&call->references))
    return;
  rack_command_free (call->exchange.command);
  g_free (call->exchange.mailbox);
  rack_reply_free (call->reply);
  g_clear_error (&call->error);
  pthread_mutex_destroy (&call->lock);
  pthread_cond_destroy (&call->changed);
  g_clear_pointer (&call->conn, rack_conn_unref);
  if (call->ops->destroy != NULL)
    call->ops->destroy (call);
  else
    g_free (call);
}

static void
wake (GCancellable *cancellable, gpointer data)
{
  RackCall *call = data;

  pthread_mutex_lock (&call->lock);
  pthread_cond_broadcast (&call->changed);
  pthread_mutex_unlock (&call->lock);
}

static gboolean
is_ready (RackCall *call, gboolean (*ready) (RackCall *call))
{
  return call->done || (ready != NULL && ready (call));
}

gboolean
rack_call_wait_locked (RackCall *call, gboolean (*ready) (RackCall *call),
                       GCancellable *cancellable, GError **error)
{
  gulong handler = 0;

  if (is_ready (call, ready))
    return TRUE;
  if (cancellable != NULL)
    {
      pthread_mutex_unlock (&call->lock);
      handler = g_cancellable_connect (cancellable, G_CALLBACK (wake), call, NULL);
      pthread_mutex_lock (&call->lock);
    }
  while (!is_ready (call, ready) && !g_cancellable_is_cancelled (cancellable))
    pthread_cond_wait (&call->changed, &call->lock);
  gboolean ok = is_ready (call, ready);
  if (handler != 0)
    {
      pthread_mutex_unlock (&call->lock);
      g_cancellable_disconnect (cancellable, handler);
      pthread_mutex_lock (&call->lock);
    }
  if (!ok)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  return ok;
}

gboolean
rack_call_wait (RackCall *call, GCancellable *cancellable, GError **error)
{
  if (!rack_conn_drive (call->conn, call, cancellable, error))
    return FALSE;
  pthread_mutex_lock (&call->lock);
  gboolean ok = rack_call_wait_locked (call, NULL, cancellable, error);
  pthread_mutex_unlock (&call->lock);
  if (!ok)
    {
      rack_conn_detach (call->conn, call);
      return FALSE;
    }
  if (call->error != NULL)
    {
      g_propagate_error (error, g_error_copy (call->error));
      return FALSE;
    }
  return TRUE;
}

gboolean
rack_call_expect (RackCall *call, GCancellable *cancellable, GError **error)
{
  GError *problem = NULL;

  if (!rack_call_wait (call, cancellable, &problem))
    {
      /* What may be on its way cannot be called back. */
      if (g_error_matches (problem, RACK_ERROR, RACK_ERROR_CANCELLED)
          && rack_exchange_changes (&call->exchange))
        {
          problem->code = RACK_ERROR_UNKNOWN_OUTCOME;
          g_prefix_error (&problem, "whether the command was carried out is not known: ");
        }
      g_propagate_error (error, problem);
      return FALSE;
    }
  GError *refused = rack_reply_to_error (call->reply);
  if (refused != NULL)
    g_propagate_error (error, refused);
  return refused == NULL;
}
