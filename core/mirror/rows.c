/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rows.c - messages on their way from a FETCH to the store and the index
 */
#include "rows.h"

#include "headers.h"
#include "names.h"

#include <stdlib.h>
#include <string.h>

#define KEYWORDS_MAX 100

void
rack_rows_init (RackRows *rows)
{
  memset (rows, 0, sizeof *rows);
  rows->text = g_string_sized_new (4096);
  rack_rows_reset (rows);
}

void
rack_rows_reset (RackRows *rows)
{
  rows->n = 0;
  g_string_truncate (rows->text, 0);
  g_string_append_c (rows->text, '\0'); /* place 0: no text */
}

void
rack_rows_clear (RackRows *rows)
{
  g_free (rows->items);
  if (rows->text != NULL)
    g_string_free (rows->text, TRUE);
  memset (rows, 0, sizeof *rows);
}

const char *
rack_rows_text (const RackRows *rows, guint32 text)
{
  return rows->text->str + text;
}

static guint32
keep (RackRows *rows, const char *text, gsize size)
{
  if (size == 0)
    return 0;
  guint32 place = (guint32) rows->text->len;
  g_string_append_len (rows->text, text, (gssize) size);
  g_string_append_c (rows->text, '\0');
  return place;
}

/* ---- Keywords ----------------------------------------------------------------------- */

/* A keyword is an atom (RFC 9051 section 9); what is none would not survive the list. */
static gboolean
is_keyword (RackStr word)
{
  if (word.size == 0 || word.size > 255)
    return FALSE;
  for (gsize i = 0; i < word.size; i++)
    if ((guchar) word.data[i] <= 0x20 || (guchar) word.data[i] >= 0x7f)
      return FALSE;
  return TRUE;
}

static int
by_word (gconstpointer a, gconstpointer b)
{
  const RackStr *left = a, *right = b;
  int order = memcmp (left->data, right->data, MIN (left->size, right->size));
  return order != 0 ? order : (left->size > right->size) - (left->size < right->size);
}

/* Sorted, so that the order in which a server lists them makes no difference. */
static guint32
keep_keywords (RackRows *rows, const RackFlagList *flags)
{
  RackStr words[KEYWORDS_MAX];
  guint n = 0;
  for (guint i = 0; i < flags->n_keywords && n < KEYWORDS_MAX; i++)
    if (is_keyword (flags->keywords[i]))
      words[n++] = flags->keywords[i];
  if (n == 0)
    return 0;
  qsort (words, n, sizeof words[0], by_word);
  guint32 place = (guint32) rows->text->len;
  for (guint i = 0; i < n; i++)
    {
      if (i > 0 && by_word (&words[i - 1], &words[i]) == 0)
        continue;
      if (rows->text->len - place + words[i].size + 1 > RACK_ROW_KEYWORDS_MAX)
        break;
      if (rows->text->len > place)
        g_string_append_c (rows->text, ' ');
      g_string_append_len (rows->text, words[i].data, (gssize) words[i].size);
    }
  g_string_append_c (rows->text, '\0');
  return place;
}

/* ---- Messages ---------------------------------------------------------------------------- */

static RackRow *
new_row (RackRows *rows, guint32 uid)
{
  if (rows->n == rows->capacity)
    {
      rows->capacity = MAX (64, rows->capacity * 2);
      rows->items = g_renew (RackRow, rows->items, rows->capacity);
    }
  RackRow *row = &rows->items[rows->n++];
  *row = (RackRow){ .uid = uid };
  return row;
}

void
rack_rows_add_flags (RackRows *rows, guint32 uid, const RackFlagList *flags, guint64 modseq)
{
  RackRow *row = new_row (rows, uid);
  /* \Recent belongs to a session, not to a message. */
  row->flags = flags->system & ~(guint32) RACK_FLAG_RECENT;
  row->modseq = modseq;
  row->keywords = keep_keywords (rows, flags);
}

/* An identifier of the server's or a message's own: kept as it is where that is text. */
static guint32
keep_plain (RackRows *rows, RackStr value)
{
  char buffer[RACK_ROW_TEXT_MAX + 1];
  return keep (rows, buffer, rack_header_plain (value, buffer, sizeof buffer));
}

static void
add_details (RackRows *rows, RackRow *row, const RackMessage *message)
{
  char sender[RACK_ROW_TEXT_MAX + 1], subject[RACK_ROW_TEXT_MAX + 1];
  char text[RACK_ROW_TEXT_MAX + 1];
  const RackEnvelope *envelope = message->fields & RACK_FIELD_ENVELOPE ? message->envelope : NULL;
  const RackAddress *from = envelope != NULL ? rack_header_sender (envelope) : NULL;
  gsize sender_size = 0, subject_size = 0;
  sender[0] = subject[0] = '\0';
  if (from != NULL)
    {
      sender_size = rack_header_phrase (from->name, sender, sizeof sender);
      row->sender_name = keep (rows, sender, sender_size);
      row->sender_address = keep (rows, text, rack_header_address (from, text, sizeof text));
    }
  if (from != NULL && sender_size == 0)
    rack_header_plain (from->mailbox, sender, sizeof sender);
  if (envelope != NULL)
    {
      subject_size = rack_header_text (envelope->subject, subject, sizeof subject);
      row->subject = keep (rows, subject, subject_size);
      row->message_id = keep_plain (rows, envelope->message_id);
      row->in_reply_to = keep_plain (rows, envelope->in_reply_to);
    }
  row->name = keep (rows, text, rack_name_from_words (row->uid, row->date, sender, subject, text));
  row->email_id = keep_plain (rows, message->email_id);
  row->thread_id = keep_plain (rows, message->thread_id);
}

void
rack_rows_add (RackRows *rows, const RackMessage *message, gboolean named)
{
  if (!(message->fields & RACK_FIELD_UID) || message->uid == 0)
    return;
  rack_rows_add_flags (rows, message->uid, &message->flags,
                       message->fields & RACK_FIELD_MODSEQ ? message->modseq : 0);
  RackRow *row = &rows->items[rows->n - 1];
  /* No mailbox has a message of 2^47 octets, and the index has that much room. */
  row->size =
      message->fields & RACK_FIELD_SIZE ? MIN (message->size, G_GUINT64_CONSTANT (1) << 47) : 0;
  row->date = message->fields & RACK_FIELD_DATE ? message->date : 0;
  if (named)
    add_details (rows, row, message);
}
