/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * index.h - the messages of one mailbox as a packed array, ascending by UID
 *
 * 24 bytes a message; what else is known of one is in the store. No lock (the folder has
 * one), no disk and no server.
 */
#pragma once

#include <mailrack/mailrack-mirror.h>

G_BEGIN_DECLS

typedef enum
{
  RACK_RECORD_EXACT = 1 << 0,     /* size was seen from a literal */
  RACK_RECORD_CORRECTED = 1 << 1, /* and the server had announced another one */
  RACK_RECORD_FORWARDED = 1 << 2, /* $Forwarded is among the keywords */
} RackRecordBits;

typedef struct
{
  guint32 uid;
  guint16 flags;     /* RackFlags */
  guint16 keywords;  /* a number of the folder's RackKeywords */
  guint64 size : 48; /* octets */
  guint64 bits : 16; /* RackRecordBits */
  gint64 date;
} RackRecord;

typedef struct
{
  RackRecord *records; /* ascending by UID once sealed */
  guint n, capacity;
} RackIndex;

void rack_index_init (RackIndex *index);
/* Frees what it holds; it is empty then. */
void rack_index_clear (RackIndex *index);
/* In any order. */
void rack_index_append (RackIndex *index, const RackRecord *record);
/* Sorts what was appended; of several with one UID the last stays. */
void rack_index_seal (RackIndex *index);
/* Gives back the room that is not used. */
void rack_index_trim (RackIndex *index);
/* Moves into index what is new in other (sealed) and empties other. What is known already stays as
 * it is. Takes time for the records above other's lowest UID, not for all. added: NULL, or the UIDs
 * that were new (guint32), ascending. */
void rack_index_merge (RackIndex *index, RackIndex *other, GArray *added);
/* The position of the first record with this UID or a higher one. */
guint rack_index_position (const RackIndex *index, guint32 uid);
/* Borrowed until the index changes; NULL if there is none. */
RackRecord *rack_index_find (const RackIndex *index, guint32 uid);
/* The records in uids leave and are appended to gone (an index of its own; sealed). */
void rack_index_take (RackIndex *index, const RackSet *uids, RackIndex *gone);
/* All UIDs. Returns: (owned) */
RackSet *rack_index_uids (const RackIndex *index);
/* What of uids is not in the index, and what of the index is not in uids. Linear in ranges and
 * records, whatever numbers the ranges span. Returns: (owned) both. */
void rack_index_compare (const RackIndex *index, const RackSet *uids, RackSet **unknown,
                         RackSet **vanished);

G_END_DECLS
