/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stream.h - what core itself does with streams
 *
 * The public half is in mailrack-plugin.h. Here are the ops with their defaults,
 * and waiting. */
#pragma once

#include <mailrack/mailrack-plugin.h>

gboolean rack_stream_pending (RackStream *stream);
GIOCondition rack_stream_wants (RackStream *stream, gboolean reading);
char **rack_stream_facts (RackStream *stream);
void rack_stream_shutdown (RackStream *stream, const RackWait *wait);

/* How long TCP believes in a peer that says nothing: some minutes, or (not patient) ten seconds, of
 * which it makes use at once. Nothing happens to what is no TCP socket. */
void rack_tcp_set_patience (int fd, gboolean patient);

/* FALSE with RACK_ERROR_CANCELLED or RACK_ERROR_TIMEOUT. */
gboolean rack_wait_check (const RackWait *wait, GError **error);
/* For poll(); -1 for a deadline of 0 or G_MAXINT64. */
int rack_wait_milliseconds (gint64 deadline);
