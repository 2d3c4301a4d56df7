/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * send-batch.h - a batch of changes of messages under way, as send-messages.c and send-copies.c see
 * it; the sender's thread alone, without the outbox' mutex
 */
#pragma once

#include "pending.h"
#include "send.h"

G_BEGIN_DECLS

/* All of one kind, about one mailbox, and alike. */
typedef struct
{
  RackOutbox *outbox;
  RackMirror *mirror;
  GPtrArray *batch;
  const RackPending *first; /* of batch, or NULL */
  RackMailbox *mailbox;
  RackSet *uids;
  gboolean marked; /* they may have been marked \Deleted */
} RackBatch;

/* ---- send-messages.c ---- */
/* Those of uids are done, and leave the batch. copied: what they became, or NULL. */
void rack_batch_complete (RackBatch *send, const RackSet *uids, const RackCopied *copied);
/* All of them are at that step, durably, with their marks. */
gboolean rack_batch_write_step (RackBatch *send, RackJournalStep step, GError **error);
/* Which of uids are in mailbox. Returns: (owned) or NULL. */
RackSet *rack_batch_find (RackBatch *send, RackMailbox *mailbox, const RackSet *uids,
                          GError **error);
/* Which of its own are there still, where they were. Returns: (owned) or NULL. */
RackSet *rack_batch_find_remaining (RackBatch *send, GError **error);
/* After an answer that never came, or came as a refusal amid the work: what is gone was moved. */
gboolean rack_batch_sort_out (RackBatch *send, GError **error);
gboolean rack_batch_expunge (RackBatch *send, GError **error);

/* ---- send-copies.c ---- */
gboolean rack_batch_copy (RackBatch *send, GError **error);
gboolean rack_batch_move (RackBatch *send, GError **error);
/* Those of the batch have their copies in new_uid, where they have any. exactly: those of which the
 * octets are compared too, since they are there to be read. */
gboolean rack_batch_find_copies (RackBatch *send, const RackSet *exactly, GError **error);

/* ---- send-back.c ---- */
/* The server refuses it for good: what was done of it by then is undone, as far as it lets us.
 * Those that are gone by now are done, and leave the batch; it may be empty then. *said: (owned)
 * what to tell of the others. FALSE: the server could not be asked; it is to be tried again. */
gboolean rack_batch_take_back (RackBatch *send, const GError *refusal, GError **said,
                               GError **error);

G_END_DECLS
