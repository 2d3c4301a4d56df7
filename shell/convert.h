/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * convert.h - server data as values of the session, in the shapes IMAPClient gives them */
#pragma once

#include "value.h"

#include <mailrack/mailrack.h>

extern const RecordType convert_envelope_type, convert_address_type;
extern const RecordType convert_quota_type, convert_quota_roots_type;

Value *convert_str (RackStr str);                    /* bytes, None for NIL */
Value *convert_text (RackStr str);                   /* str, None for NIL */
Value *convert_strs (const RackStr *items, guint n); /* a tuple of bytes */
Value *convert_flags (const RackFlagList *flags);
Value *convert_value (const RackValue *value);
Value *convert_raw (RackStr raw); /* any IMAP data: one value, or a tuple */
/* Several values beside each other are always a tuple. NULL: it is no IMAP data. */
Value *convert_tuple (RackStr raw, GError **error);
/* A list of numbers with the attribute modseq. A server that tells of more than any mailbox holds
 * is an error. */
Value *convert_search (const RackSearchData *search, GError **error);
Value *convert_select (const RackReply *reply);
Value *convert_status_data (const RackStatusData *status);
/* Adds (1, b'EXISTS'), ... to list. */
void convert_responses (Value *list, const RackReply *reply);
/* "[CODE argument]", or nothing. */
void convert_append_code (GString *text, const RackStatus *status);
Value *convert_status_text (const RackStatus *status); /* bytes, with the code */
Value *convert_namespaces (const RackNamespaceData *data, gboolean folder_encode);
/* Adds a record for each resource. */
void convert_quota (Value *list, const RackQuotaData *quota);
/* {b'SEQ': 1, b'FLAGS': (...), ...}; earlier: what came for it before, or NULL. */
typedef struct
{
  gboolean normalise_times;
  gboolean with_uid; /* b'UID' is one of the items */
} ConvertOptions;
Value *convert_message (const RackMessage *message, const Value *earlier,
                        const ConvertOptions *options);
