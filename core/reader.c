/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * reader.c - the octets of one section, read while they arrive
 *
 * A large literal is streamed by the owner thread into a spool; a small one comes
 * with its response. The UID may stand behind the octets, so the end is only
 * believed when the whole response was this message's. */
#include "mailbox-private.h"
#include "spool.h"

#include <string.h>

typedef struct
{
  RackCall call;
  guint32 uid;
  char *section;
  gboolean binary; /* BINARY was asked for */
  /* Guarded by call.lock. */
  RackSpool spool;
  gboolean begun; /* the literal's size is known */
  guint64 size;
  gboolean complete; /* a response for this UID with this section was seen */
  gboolean nil;      /* there is no such section */
  GError *problem;   /* the spool's */
  guint64 wanted;    /* the reader waits for more than this */
} ReadCall;

struct RackReader
{
  RackMailbox *mailbox;
  GCancellable *cancellable;
  char *section;
  guint64 from, length; /* length 0: all of it */
  gboolean decode;      /* by the server, unless it refused to */
  RackLease lease;
  gboolean leased;
  ReadCall *call;
  guint64 offset;
};

static gboolean
read_claims (RackCall *call, guint32 uid)
{
  return ((ReadCall *) call)->uid == uid;
}

/* With the lock held. */
static void
add (ReadCall *self, RackStr bytes)
{
  if (self->problem == NULL)
    rack_spool_write (&self->spool, bytes, &self->problem);
}

/* Whether a response, or the beginning of one, has "[2.1]" before any octets. Others of the same
 * message may be on their way too. */
static gboolean
is_about (const ReadCall *self, RackStr bytes)
{
  gsize length = strlen (self->section);

  for (gsize i = 0; i + length + 2 <= bytes.size; i++)
    {
      if (bytes.data[i] == '{' || bytes.data[i] == '"')
        return FALSE;
      if (bytes.data[i] == '[' && bytes.data[i + length + 1] == ']'
          && g_ascii_strncasecmp (bytes.data + i + 1, self->section, length) == 0)
        return TRUE;
    }
  return FALSE;
}

static guint
read_fits (RackCall *call, RackStr bytes, RackFields fields)
{
  return (fields & RACK_FIELD_SECTION) && is_about ((ReadCall *) call, bytes) ? G_MAXUINT : 0;
}

static gboolean
read_literal (RackCall *call, RackStr head, guint64 size)
{
  ReadCall *self = (ReadCall *) call;
  guint32 uid = rack_response_peek_uid (head);

  if ((uid != 0 && uid != self->uid) || !is_about (self, head))
    return FALSE;
  pthread_mutex_lock (&call->lock);
  gboolean first = !self->begun;
  if (first)
    {
      self->begun = TRUE;
      self->size = size;
      pthread_cond_broadcast (&call->changed);
    }
  pthread_mutex_unlock (&call->lock);
  return first;
}

static void
read_piece (RackCall *call, RackStr piece, guint64 left)
{
  ReadCall *self = (ReadCall *) call;

  pthread_mutex_lock (&call->lock);
  add (self, piece);
  pthread_cond_broadcast (&call->changed);
  pthread_mutex_unlock (&call->lock);
}

static const RackSection *
find_section (const ReadCall *self, const RackMessage *message)
{
  gsize length = strlen (self->section);

  for (guint i = 0; i < message->n_sections; i++)
    {
      RackStr section = message->sections[i].section;
      if (section.size == length && g_ascii_strncasecmp (section.data, self->section, length) == 0)
        return &message->sections[i];
    }
  return NULL;
}

static void
read_response (RackCall *call, const RackResponse *response)
{
  ReadCall *self = (ReadCall *) call;

  if (response->kind != RACK_RESPONSE_FETCH || response->message.uid != self->uid)
    return;
  const RackSection *section = find_section (self, &response->message);
  if (section == NULL)
    return;
  RackStr data = section->data;
  pthread_mutex_lock (&call->lock);
  if (!self->begun)
    {
      self->begun = TRUE;
      self->nil = data.data == NULL;
      self->size = data.size;
      add (self, data);
    }
  self->complete = TRUE;
  pthread_cond_broadcast (&call->changed);
  pthread_mutex_unlock (&call->lock);
}

static void
read_destroy (RackCall *call)
{
  ReadCall *self = (ReadCall *) call;

  rack_spool_clear (&self->spool);
  g_clear_error (&self->problem);
  g_free (self->section);
  g_free (self);
}

static const RackCallOps read_ops = { .claims = read_claims,
                                      .fits = read_fits,
                                      .literal = read_literal,
                                      .piece = read_piece,
                                      .response = read_response,
                                      .destroy = read_destroy };

/* ---- The reader --------------------------------------------------------------------------- */

static ReadCall *
read_call_new (RackReader *reader, guint32 uid)
{
  RackCommand *command = rack_command_new ("UID FETCH");
  gboolean binary = reader->decode && rack_conn_has (reader->lease.conn, "BINARY");
  g_autoptr (GString) items = g_string_new (NULL);

  g_string_printf (items, "(UID %s.PEEK[%s]", binary ? "BINARY" : "BODY", reader->section);
  if (reader->length > 0)
    g_string_append_printf (items, "<%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT ">", reader->from,
                            reader->length);
  g_string_append_c (items, ')');
  rack_command_number (command, uid);
  rack_command_raw (command, items->str);
  ReadCall *self = rack_call_new_sized (sizeof (ReadCall), &read_ops, command);
  self->uid = uid;
  self->section = g_strdup (reader->section);
  self->binary = binary;
  rack_spool_init (&self->spool);
  return self;
}

static void
drop_call (RackReader *reader)
{
  if (reader->call == NULL)
    return;
  rack_conn_detach (reader->call->call.conn, &reader->call->call);
  rack_call_unref (&reader->call->call);
  reader->call = NULL;
}

static void
end (RackReader *reader, gboolean lost)
{
  drop_call (reader);
  if (reader->leased)
    rack_mailbox_release (reader->mailbox, &reader->lease, lost);
  reader->leased = FALSE;
}

static void
ask (RackReader *reader, guint32 uid)
{
  drop_call (reader);
  reader->call = read_call_new (reader, uid);
  rack_conn_post (reader->lease.conn, &reader->call->call);
}

static gboolean
start (RackReader *reader, guint32 uid, GError **error)
{
  if (!rack_mailbox_lease (reader->mailbox, RACK_LEASE_BULK, reader->cancellable, &reader->lease,
                           error))
    return FALSE;
  reader->leased = TRUE;
  ask (reader, uid);
  return TRUE;
}

RackReader *
rack_mailbox_read_range (RackMailbox *mailbox, guint32 uid, const RackReadRange *range,
                         GCancellable *cancellable, GError **error)
{
  g_autoptr (RackReader) reader = g_new0 (RackReader, 1);

  reader->mailbox = rack_mailbox_ref (mailbox);
  reader->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  reader->section = g_strdup (range->section);
  reader->from = range->offset;
  reader->length = range->length;
  reader->decode = range->decode;
  if (!start (reader, uid, error))
    {
      rack_mailbox_prefix (mailbox, "read", error);
      return NULL;
    }
  return g_steal_pointer (&reader);
}

RackReader *
rack_mailbox_read (RackMailbox *mailbox, guint32 uid, const char *section,
                   GCancellable *cancellable, GError **error)
{
  RackReadRange range = { .section = section };

  return rack_mailbox_read_range (mailbox, uid, &range, cancellable, error);
}

gboolean
rack_reader_is_decoded (const RackReader *reader)
{
  return reader->call != NULL && reader->call->binary;
}

void
rack_reader_free (RackReader *reader)
{
  if (reader == NULL)
    return;
  end (reader, FALSE);
  g_clear_pointer (&reader->mailbox, rack_mailbox_unref);
  g_clear_object (&reader->cancellable);
  g_free (reader->section);
  g_free (reader);
}

static gboolean
has_begun (RackCall *call)
{
  return ((ReadCall *) call)->begun;
}

/* Why there is not what there should be; with the lock held and the call done. */
static void
set_problem (RackReader *reader, GError **error)
{
  ReadCall *call = reader->call;
  GError *refused;

  if (call->problem != NULL)
    g_propagate_error (error, g_error_copy (call->problem));
  else if (call->call.error != NULL)
    g_propagate_error (error, g_error_copy (call->call.error));
  else if ((refused = rack_reply_to_error (call->call.reply)) != NULL)
    g_propagate_error (error, refused);
  else if (call->nil || !call->begun)
    g_set_error (error, RACK_ERROR, RACK_ERROR_NOT_FOUND, "message %u %s", call->uid,
                 call->nil ? "has no such section" : "is not there any more");
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
                 "the server sent %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                 " octets of message %u",
                 call->spool.size, call->size, call->uid);
  rack_mailbox_prefix (reader->mailbox, "read", error);
}

/* Nothing came for the UID: either it is gone, or new and not shown on this connection yet. */
static gboolean
may_be_unseen (const RackReader *reader)
{
  const ReadCall *call = reader->call;

  return reader->lease.reused && !call->begun && call->call.error == NULL
         && rack_reply_status (call->call.reply)->kind == RACK_STATUS_OK;
}

/* A server may be unable to decode a part (UNKNOWN-CTE), or mistaken about its own ability. */
static gboolean
was_not_decoded (const RackReader *reader)
{
  const ReadCall *call = reader->call;

  if (!call->binary || (call->begun && !call->nil) || call->call.error != NULL)
    return FALSE;
  return call->nil || rack_reply_status (call->call.reply)->kind != RACK_STATUS_OK;
}

/* Waits for the first octets. A connection that was lost before that is replaced; one on which the
 * message does not show is made to look once. */
static gboolean
wait_begun (RackReader *reader, GError **error)
{
  gboolean looked = FALSE;

  for (guint try = 0;; try++)
    {
      ReadCall *call = reader->call;
      pthread_mutex_lock (&call->call.lock);
      gboolean ok = rack_call_wait_locked (&call->call, has_begun, reader->cancellable, error);
      gboolean begun = ok && call->begun && !call->nil;
      gboolean lost = ok && !begun && try < 2 && call->call.error != NULL
                      && rack_error_is_lost (call->call.error);
      gboolean plain = ok && !begun && was_not_decoded (reader);
      gboolean look = ok && !begun && !looked && !plain && may_be_unseen (reader);
      if (ok && !begun && !lost && !look && !plain)
        set_problem (reader, error);
      pthread_mutex_unlock (&call->call.lock);
      if (!lost && !look && !plain)
        return begun;
      guint32 uid = call->uid;
      if (plain)
        {
          reader->decode = FALSE;
          ask (reader, uid);
          continue;
        }
      looked = looked || look;
      /* Some lose the connection over what they cannot decode (Dovecot: base64 that breaks off). */
      reader->decode = reader->decode && !lost;
      if (look && rack_lease_refresh (&reader->lease, reader->cancellable, NULL))
        {
          ask (reader, uid);
          continue;
        }
      end (reader, TRUE);
      if (!start (reader, uid, error))
        return FALSE;
    }
}

gboolean
rack_reader_size (RackReader *reader, guint64 *size, GError **error)
{
  if (!wait_begun (reader, error))
    return FALSE;
  pthread_mutex_lock (&reader->call->call.lock);
  *size = reader->call->size;
  pthread_mutex_unlock (&reader->call->call.lock);
  return TRUE;
}

static gboolean
has_more (RackCall *call)
{
  const ReadCall *self = (const ReadCall *) call;

  return self->problem != NULL || self->spool.size > self->wanted;
}

gssize
rack_reader_read (RackReader *reader, void *data, gsize size, GError **error)
{
  gssize n = -1;

  if (!wait_begun (reader, error))
    return -1;
  ReadCall *call = reader->call;
  pthread_mutex_lock (&call->call.lock);
  call->wanted = reader->offset;
  if (!rack_call_wait_locked (&call->call, has_more, reader->cancellable, error))
    n = -1;
  else if (call->problem == NULL && call->spool.size > reader->offset)
    {
      n = rack_spool_read (&call->spool, reader->offset, data, size, error);
      if (n > 0)
        reader->offset += (guint64) n;
    }
  else if (call->problem == NULL && call->complete && call->spool.size == call->size
           && rack_reply_status (call->call.reply)->kind == RACK_STATUS_OK
           && call->call.error == NULL)
    n = 0;
  else
    set_problem (reader, error);
  pthread_mutex_unlock (&call->call.lock);
  return n;
}
