/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rows.h - messages on their way from a FETCH to the store and the index
 *
 * A batch of plain structs, and one buffer that has all their texts: what the server
 * said, decoded to valid UTF-8 without control characters and cut to a bounded length,
 * and the names that messages have as files. No allocation per message; no lock.
 */
#pragma once

#include <mailrack/mailrack-types.h>

G_BEGIN_DECLS

/* The longest text of one field, in bytes. */
#define RACK_ROW_TEXT_MAX     2048
/* The longest list of one message's keywords, in bytes; further ones are not kept. */
#define RACK_ROW_KEYWORDS_MAX 2048

/* What is known of one message. Texts are places in the batch's buffer; 0: none. */
typedef struct
{
  guint32 uid;
  guint32 flags; /* RackFlags */
  guint64 size;
  gint64 date;
  guint64 modseq;   /* 0: not known */
  guint32 keywords; /* ascending, each once, with a space between two */
  guint32 name;     /* as a file */
  guint32 sender_name, sender_address, subject, message_id, in_reply_to;
  guint32 email_id, thread_id;
} RackRow;

typedef struct
{
  RackRow *items;
  guint n, capacity;
  GString *text;
} RackRows;

void rack_rows_init (RackRows *rows);
/* Empties it; its memory stays. */
void rack_rows_reset (RackRows *rows);
void rack_rows_clear (RackRows *rows);
/* What a FETCH said. named: with its name and all that its envelope has. Does nothing if it has no
 * UID. */
void rack_rows_add (RackRows *rows, const RackMessage *message, gboolean named);
/* Flags and keywords alone. */
void rack_rows_add_flags (RackRows *rows, guint32 uid, const RackFlagList *flags, guint64 modseq);
/* Borrowed until the batch changes; "" for 0. */
const char *rack_rows_text (const RackRows *rows, guint32 text);

G_END_DECLS
