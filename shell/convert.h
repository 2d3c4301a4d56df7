/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * convert.h - server data as values of the session, in the shapes IMAPClient gives them */
#pragma once

#include "value.h"

#include <mailrack/mailrack.h>

Value *convert_str (RackStr str);                    /* bytes, None for NIL */
Value *convert_strs (const RackStr *items, guint n); /* a tuple of bytes */
Value *convert_flags (const RackFlagList *flags);
Value *convert_raw (RackStr raw);          /* any IMAP data: one value, or a tuple */
Value *convert_ranges (RackRanges ranges); /* a list of numbers */
Value *convert_select (const RackReply *reply);
Value *convert_status_data (const RackStatusData *status);
Value *convert_responses (const RackReply *reply);     /* [(1, b'EXISTS'), ...] */
Value *convert_status_text (const RackStatus *status); /* bytes, with the code */
/* {b'SEQ': 1, b'FLAGS': (...), ...} */
Value *convert_message (const RackMessage *message, gboolean normalise_times);
