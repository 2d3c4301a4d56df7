/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fake-stream.c - the fake server's FETCH and its readers */
#include "fake.h"

#include <stdio.h>
#include <string.h>

struct RackFetch
{
  RackMailbox *mailbox;
  GCancellable *cancellable;
  RackSet *uids;
  gsize head; /* of bodies: only so much; 0: all */
  gboolean bodies, envelopes, structures;
  guint64 since; /* only what changed after this mod-sequence */
  guint32 after;
  guint given;
  guint64 skipped;
  RackMessage message;
  RackEnvelope envelope;
  RackAddress from;
  RackSection section;
  char *subject, *body;
  char **words;
  GArray *keywords; /* of RackStr */
};

RackFetch *
rack_mailbox_fetch (RackMailbox *mailbox, const RackSet *uids, const char *items,
                    const char *modifiers, GCancellable *cancellable, GError **error)
{
  RackFetch *fetch = NULL;
  gboolean bodies = strstr (items, "BODY.PEEK[]") != NULL;
  gboolean structures = strstr (items, "BODYSTRUCTURE") != NULL;
  FakeOp op = bodies ? FAKE_BODIES : structures ? FAKE_PARTS : FAKE_FETCH;
  g_assert_null (strstr (items, "BODY[")); /* that would set \Seen */
  fake_lock ();
  if (!fake_fails (op, cancellable, error) && fake_messages (mailbox, error) != NULL)
    {
      fetch = g_new0 (RackFetch, 1);
      fetch->mailbox = mailbox;
      fetch->cancellable = cancellable;
      fetch->uids = rack_set_copy (uids);
      fetch->bodies = bodies;
      const char *partial = strstr (items, "[]<0.");
      fetch->head = partial != NULL ? g_ascii_strtoull (partial + 5, NULL, 10) : 0;
      fetch->structures = structures;
      fetch->envelopes = strstr (items, "ENVELOPE") != NULL;
      fetch->keywords = g_array_new (FALSE, FALSE, sizeof (RackStr));
      if (modifiers != NULL)
        g_assert_cmpint (sscanf (modifiers, "CHANGEDSINCE %" G_GUINT64_FORMAT, &fetch->since), ==,
                         1);
    }
  fake_unlock ();
  return fetch;
}

/* What a watch shows of a new message. */
RackFetch *
fake_fetch_new (RackMailbox *mailbox, guint32 uid, const char *items)
{
  RackFetch *fetch = g_new0 (RackFetch, 1);
  fetch->mailbox = mailbox;
  fetch->uids = rack_set_new_range (uid, uid);
  fetch->envelopes = strstr (items, "ENVELOPE") != NULL;
  fetch->keywords = g_array_new (FALSE, FALSE, sizeof (RackStr));
  return fetch;
}

static FakeMessage *
next_message (RackFetch *fetch, const GPtrArray *messages)
{
  for (guint i = fake_position (messages, fetch->after + 1); i < messages->len; i++)
    {
      FakeMessage *message = messages->pdata[i];
      if (message->modseq <= fetch->since || !rack_set_contains (fetch->uids, message->uid))
        continue;
      fetch->after = message->uid;
      return message;
    }
  return NULL;
}

static void
fill_keywords (RackFetch *fetch, const char *keywords)
{
  g_strfreev (fetch->words);
  fetch->words = g_strsplit (keywords != NULL ? keywords : "", " ", -1);
  g_array_set_size (fetch->keywords, 0);
  for (guint i = 0; fetch->words[i] != NULL; i++)
    {
      RackStr word = { fetch->words[i], strlen (fetch->words[i]) };
      g_array_append_val (fetch->keywords, word);
    }
}

static void
fill_message (RackFetch *fetch, const FakeMessage *from)
{
  g_free (fetch->subject);
  g_free (fetch->body);
  fetch->subject = g_strdup (from->subject);
  fetch->body = g_strdup (from->body);
  fetch->from = (RackAddress){ .mailbox = { "alice", 5 }, .host = { "x", 1 } };
  fetch->envelope = (RackEnvelope){ .subject = { fetch->subject, strlen (fetch->subject) },
                                    .from = { &fetch->from, 1 } };
  fetch->section = (RackSection){ .name = { "BODY[]", 6 },
                                  .section = { "", 0 },
                                  .data = { fetch->body, strlen (fetch->body) } };
  fill_keywords (fetch, from->keywords);
  fetch->message = (RackMessage){
    .fields =
        RACK_FIELD_UID | RACK_FIELD_FLAGS | RACK_FIELD_DATE | RACK_FIELD_SIZE | RACK_FIELD_MODSEQ,
    .uid = from->uid,
    .flags = { .system = from->flags,
               .n_keywords = fetch->keywords->len,
               .keywords = (const RackStr *) fetch->keywords->data },
    .modseq = from->modseq,
    .size = from->announced,
    .date = from->uid * 60,
  };
  if (fetch->envelopes)
    {
      fetch->message.fields |= RACK_FIELD_ENVELOPE;
      fetch->message.envelope = &fetch->envelope;
    }
  if (fetch->structures && from->structure != NULL)
    {
      fetch->message.fields |= RACK_FIELD_BODY;
      fetch->message.body = from->structure;
    }
  if (fetch->bodies)
    {
      if (fetch->head > 0)
        {
          fetch->section.partial = TRUE;
          fetch->section.data.size = MIN (fetch->section.data.size, fetch->head);
        }
      fetch->message.fields |= RACK_FIELD_SECTION;
      fetch->message.sections = &fetch->section;
      fetch->message.n_sections = 1;
    }
}

const RackMessage *
rack_fetch_next (RackFetch *fetch, GError **error)
{
  const RackMessage *result = NULL;
  gulong handler = fake_connect (fetch->cancellable);
  fake_lock ();
  while (fetch->bodies && fake_is_held () && !g_cancellable_is_cancelled (fetch->cancellable))
    fake_wait ();
  GPtrArray *messages = NULL;
  if (g_cancellable_is_cancelled (fetch->cancellable))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  else
    messages = fake_messages (fetch->mailbox, error);
  FakeMessage *next;
  if (messages != NULL && !fetch->bodies && fake_cuts_fetch (fetch->given))
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CLOSED, "the connection was lost");
      messages = NULL;
    }
  while (messages != NULL && (next = next_message (fetch, messages)) != NULL)
    {
      if (next->garbled && fetch->envelopes)
        {
          fetch->skipped++;
          continue;
        }
      fill_message (fetch, next);
      result = &fetch->message;
      fetch->given++;
      if (!fetch->bodies)
        fake_note (FAKE_MESSAGES);
      break;
    }
  fake_unlock ();
  g_cancellable_disconnect (fetch->cancellable, handler);
  return result;
}

guint64
rack_fetch_skipped (const RackFetch *fetch)
{
  return fetch->skipped;
}

void
rack_fetch_stand_in_line (RackFetch *fetch)
{
}

void
rack_fetch_free (RackFetch *fetch)
{
  if (fetch == NULL)
    return;
  rack_set_free (fetch->uids);
  g_strfreev (fetch->words);
  g_array_unref (fetch->keywords);
  g_free (fetch->subject);
  g_free (fetch->body);
  g_free (fetch);
}

/* ---- Resync --------------------------------------------------------------------------------- */

/* By mod-sequences, as a server with QRESYNC has it. */
struct RackResync
{
  RackFetch *fetch;
  RackMailboxState to;
  RackSet *vanished, *added;
};

static void
compare (RackResync *resync, const GPtrArray *messages, guint32 last)
{
  for (guint i = 0; i < messages->len; i++)
    {
      guint32 uid = ((FakeMessage *) messages->pdata[i])->uid;
      rack_set_remove (resync->vanished, uid, uid);
      if (uid > last)
        rack_set_add (resync->added, uid, uid);
      resync->to.uid_next = MAX (resync->to.uid_next, uid + 1);
    }
}

static gboolean refuses_resync; /* under the fake's lock */

void
fake_refuse_next_resync (void)
{
  fake_lock ();
  refuses_resync = TRUE;
  fake_unlock ();
}

RackResync *
rack_mailbox_resync (RackMailbox *mailbox, const RackMailboxState *state, const RackSet *uids,
                     GCancellable *cancellable, GError **error)
{
  RackResync *resync = NULL;
  RackRanges known = rack_set_ranges (uids);
  guint32 last = known.n > 0 ? known.items[known.n - 1].last : 0;
  g_autofree char *since =
      g_strdup_printf ("CHANGEDSINCE %" G_GUINT64_FORMAT, state->highest_modseq);
  RackFetch *fetch = rack_mailbox_fetch (mailbox, uids, "UID FLAGS", since, cancellable, error);
  if (fetch == NULL)
    return NULL;
  fake_lock ();
  GPtrArray *messages = NULL;
  if (fake_fails (FAKE_RESYNC, cancellable, error))
    ;
  else if (refuses_resync)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_REFUSED, "not now");
  else
    messages = fake_messages (mailbox, error);
  refuses_resync = FALSE;
  if (messages != NULL)
    {
      resync = g_new0 (RackResync, 1);
      resync->fetch = fetch;
      resync->to = *state;
      resync->to.highest_modseq = fake_modseq (mailbox);
      resync->vanished = rack_set_copy (uids);
      resync->added = rack_set_new ();
      compare (resync, messages, MAX (last, state->uid_next > 0 ? state->uid_next - 1 : 0));
    }
  fake_unlock ();
  if (resync == NULL)
    rack_fetch_free (fetch);
  return resync;
}

const RackMessage *
rack_resync_next (RackResync *resync, GError **error)
{
  return rack_fetch_next (resync->fetch, error);
}

const RackSet *
rack_resync_vanished (RackResync *resync)
{
  return resync->vanished;
}

const RackSet *
rack_resync_added (RackResync *resync)
{
  return resync->added;
}

void
rack_resync_state (RackResync *resync, RackMailboxState *state)
{
  *state = resync->to;
}

void
rack_resync_free (RackResync *resync)
{
  if (resync == NULL)
    return;
  rack_fetch_free (resync->fetch);
  rack_set_free (resync->vanished);
  rack_set_free (resync->added);
  g_free (resync);
}

/* ---- Readers -------------------------------------------------------------------------------- */

struct RackReader
{
  RackMailbox *mailbox;
  GCancellable *cancellable;
  guint32 uid;
  char *section;
  guint64 from, length;
  gboolean decode, decoded;
  char *body;
  gsize size, at, cut;
};

RackReader *
rack_mailbox_read_range (RackMailbox *mailbox, guint32 uid, const RackReadRange *range,
                         GCancellable *cancellable, GError **error)
{
  RackReader *reader = NULL;
  fake_lock ();
  if (!fake_fails (FAKE_READ, cancellable, error))
    {
      reader = g_new0 (RackReader, 1);
      reader->mailbox = mailbox;
      reader->cancellable = cancellable;
      reader->uid = uid;
      reader->section = g_strdup (range->section);
      reader->from = range->offset;
      reader->length = range->length;
      reader->decode = range->decode;
    }
  fake_unlock ();
  return reader;
}

/* Returns: borrowed, or NULL if there is no such section. */
static const char *
find_octets (RackReader *reader, const FakeMessage *message)
{
  g_autofree char *decoded = g_strconcat ("~", reader->section, NULL);
  const char *octets = reader->decode ? g_hash_table_lookup (message->sections, decoded) : NULL;
  reader->decoded = octets != NULL;
  if (octets == NULL)
    octets = *reader->section == '\0' ? message->body
                                      : g_hash_table_lookup (message->sections, reader->section);
  return octets;
}

static void
take_octets (RackReader *reader, const char *octets)
{
  gsize size = strlen (octets);
  gsize from = reader->length > 0 ? MIN (reader->from, size) : 0;
  gsize length = reader->length > 0 ? MIN (reader->length, size - from) : size;
  reader->body = g_strndup (octets + from, length);
  reader->size = length;
  reader->cut = fake_take_break () ? length / 2 : G_MAXSIZE;
}

static gboolean
find_body (RackReader *reader, GError **error)
{
  GPtrArray *messages = fake_messages (reader->mailbox, error);
  for (guint i = 0; messages != NULL && i < messages->len; i++)
    {
      const FakeMessage *message = messages->pdata[i];
      const char *octets = message->uid == reader->uid ? find_octets (reader, message) : NULL;
      if (octets == NULL)
        continue;
      take_octets (reader, octets);
      return TRUE;
    }
  if (messages != NULL)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_NOT_FOUND, "it is gone");
  return FALSE;
}

gboolean
rack_reader_size (RackReader *reader, guint64 *size, GError **error)
{
  gboolean ok = FALSE;
  gulong handler = fake_connect (reader->cancellable);
  fake_lock ();
  while (fake_is_held () && !g_cancellable_is_cancelled (reader->cancellable))
    fake_wait ();
  if (g_cancellable_is_cancelled (reader->cancellable))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  else
    ok = find_body (reader, error);
  fake_unlock ();
  g_cancellable_disconnect (reader->cancellable, handler);
  *size = reader->size;
  return ok;
}

gssize
rack_reader_read (RackReader *reader, void *data, gsize size, GError **error)
{
  gsize n = MIN (size, MIN (reader->size, reader->cut) - reader->at);
  if (n == 0 && reader->cut < reader->size)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CLOSED, "the connection was lost");
      return -1;
    }
  /* In small pieces, as a network has it. */
  n = MIN (n, 1000);
  memcpy (data, reader->body + reader->at, n);
  reader->at += n;
  return (gssize) n;
}

gboolean
rack_reader_is_decoded (const RackReader *reader)
{
  return reader->decoded;
}

void
rack_reader_free (RackReader *reader)
{
  if (reader == NULL)
    return;
  g_free (reader->section);
  g_free (reader->body);
  g_free (reader);
}

/* Nothing is connected. */
void
rack_account_disconnect (RackAccount *account)
{
}
