/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * reply.h - responses kept beyond the buffer they came in
 *
 * RackReply is public (mailrack.h); here is how one is filled. Keeps copies, so it
 * is for commands whose answers are small; FETCH is pulled instead. */
#pragma once

#include "response.h"

#include <mailrack/mailrack.h>

RackReply *rack_reply_new (void);
/* Copies a response. The tagged one becomes the status. */
void rack_reply_add (RackReply *reply, const RackResponse *response);
gboolean rack_reply_is_empty (const RackReply *reply);
/* The error that NO or BAD means; NULL for OK. Returns: (owned) */
GError *rack_reply_to_error (const RackReply *reply);
/* ---- rights.c ---- */
/* Of "lrswipkxte", and of what RFC 2086 had. */
RackRights rack_rights_parse (RackStr text);
