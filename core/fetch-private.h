/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fetch-private.h - what the files of FETCH share, and a pulled FETCH on a connection that somebody
 * else holds
 *
 * fetch.c (the stream and its windows), fetch-call.c (one FETCH in flight), fetch-uids.c (which
 * UIDs there are). */
#pragma once

#include "mailbox-private.h"

/* Takes command. conn must outlive the fetch. */
/* context is put in front of what goes wrong. */
RackFetch *rack_fetch_new_on (RackConn *conn, RackCommand *command, const char *context,
                              GCancellable *cancellable);
/* The same beside others' commands: only responses for uids (taken) are its own. vanished
 * (borrowed, or NULL): what VANISHED (EARLIER) says is added when all has come. */
RackFetch *rack_fetch_new_for (RackConn *conn, RackCommand *command, RackSet *uids,
                               RackSet *vanished, GCancellable *cancellable);
/* What a response must have to be an answer to a FETCH of items, and not a change of flags that
 * came beside it. */
RackFields rack_fetch_wanted_fields (const char *items);

/* ---- One FETCH in flight ---- */

/* A response as it came: bytes lie in block, which is held. */
typedef struct
{
  RackBlock *block;
  RackStr bytes;
} RackFetchFrame;

typedef struct
{
  RackCall call;
  GArray *frames; /* guarded by call.lock */
  gsize octets;   /* of them */
  RackSet *uids;  /* what was asked for; read by the owner; NULL: anything */
  RackFields wanted;
} RackFetchCall;

/* Takes command, and uids, which may be NULL. */
RackFetchCall *rack_fetch_call_new (RackCommand *command, RackSet *uids);
/* Waits for some frames, or the end, and puts them in *frames, which must be empty, for it. TRUE
 * with none: that was all. */
gboolean rack_fetch_call_take (RackFetchCall *self, GArray **frames, GCancellable *cancellable,
                               GError **error);
/* Of RackFetchFrame, each of which is cleared when it goes. */
GArray *rack_fetch_frames_new (void);
void rack_fetch_frame_clear (gpointer frame);

/* ---- Which UIDs ---- */

enum
{
  RACK_FETCH_MAX_WINDOW = 16384, /* messages */
};

/* From the first to the last of uids, which are not none. */
RackRange rack_fetch_extent (const RackSet *uids);
/* Which of uids are there, by a SEARCH; a small set is returned as it is. is_whole: whether nothing
 * else is in the mailbox between them. Returns: (owned) */
RackSet *rack_fetch_resolve (RackMailbox *mailbox, const RackSet *uids, gboolean *is_whole,
                             GCancellable *cancellable, GError **error);
