/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * call.h - a command that one thread waits for and another carries out
 *
 * A call is an exchange of the engine with a lock, a condition and a reference
 * count. The connection's owner thread fills it; the caller waits, or goes away
 * (then the call is detached and freed when the server has answered). */
#pragma once

#include "engine.h"
#include "reply.h"

#include <pthread.h>

typedef struct RackConn RackConn;
typedef struct RackCall RackCall;

typedef struct
{
  /* On the owner's thread, without the call's lock; as in RackExchangeOps. NULL: the default, which
   * keeps every response in .reply. */
  gboolean (*claims) (RackCall *call, guint32 uid);
  guint (*fits) (RackCall *call, RackStr bytes, RackFields fields);
  void (*response) (RackCall *call, const RackResponse *response);
  gboolean (*frame) (RackCall *call, RackBlock *block, RackStr bytes);
  gboolean (*literal) (RackCall *call, RackStr head, guint64 size);
  void (*piece) (RackCall *call, RackStr piece, guint64 left);
  void (*continuation) (RackCall *call, RackStr text);
  /* Before .done becomes TRUE. */
  void (*finished) (RackCall *call);
  /* Frees what the struct around holds, and the struct. NULL: g_free (call). */
  void (*destroy) (RackCall *call);
} RackCallOps;

struct RackCall
{
  RackExchange exchange; /* first */
  const RackCallOps *ops;
  gint references; /* atomic */
  RackConn *conn;  /* once posted; a reference */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  gboolean done;     /* below is final; guarded by lock until then */
  RackReply *reply;  /* untagged data and the tagged response */
  RackCounts counts; /* of the selected mailbox, when that response came */
  GError *error;     /* no tagged response came */
  guint posted;      /* guarded by the connection's lock */
  RackCall *next_posted;
};

/* size: of the struct that begins with a RackCall, zeroed. Takes command, and what its name says
 * (rack_exchange_classify()). Returns: (owned) */
gpointer rack_call_new_sized (gsize size, const RackCallOps *ops, RackCommand *command);
RackCall *rack_call_new (RackCommand *command);
RackCall *rack_call_ref (RackCall *call);
void rack_call_unref (RackCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackCall, rack_call_unref)

/* Waits with the call's lock held until ready (or done if NULL) says so. FALSE: cancelled; the
 * caller detaches then. */
gboolean rack_call_wait_locked (RackCall *call, gboolean (*ready) (RackCall *call),
                                GCancellable *cancellable, GError **error);
/* Waits until it is done. FALSE with error set: no tagged response, or cancelled (it is detached
 * then). A NO or BAD is TRUE. */
gboolean rack_call_wait (RackCall *call, GCancellable *cancellable, GError **error);
/* As rack_call_wait(), but NO and BAD are errors too. */
gboolean rack_call_expect (RackCall *call, GCancellable *cancellable, GError **error);
