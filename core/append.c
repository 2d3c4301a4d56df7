/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * append.c - a message on its way to a mailbox, in pieces; also in place of another
 *
 * The caller fills a ring, the connection's owner empties it into the literal. The
 * connection is leased alone meanwhile: nothing can be sent amid a literal. */
#include "mailbox-private.h"

#include <string.h>

#define RING (256 * 1024)

typedef struct AppendCall AppendCall;

/* Of one message: all of them read from the same ring, one after the other. */
typedef struct
{
  RackSource source;
  AppendCall *call;
} AppendSource;

struct AppendCall
{
  RackCall call;
  AppendSource *sources;
  /* Guarded by call.lock. */
  char *ring;
  gsize at, used;
  gboolean abandoned; /* the caller gave up before the end */
  gboolean starved;   /* the owner wants a kick */
};

struct RackAppend
{
  RackAccount *account;
  char *mailbox;
  const char *what; /* "append", for errors */
  GCancellable *cancellable;
  RackLease lease;
  AppendCall *call;
  guint64 left; /* octets the caller still owes */
};

static gssize
source_read (RackSource *source, void *data, gsize size)
{
  AppendCall *self = ((AppendSource *) source)->call;
  gssize n = 0;

  pthread_mutex_lock (&self->call.lock);
  if (self->abandoned)
    n = -1;
  else
    {
      gsize first = MIN (MIN (size, self->used), RING - self->at);
      memcpy (data, self->ring + self->at, first);
      self->at = (self->at + first) % RING;
      self->used -= first;
      n = (gssize) first;
      self->starved = n == 0;
      if (n > 0)
        pthread_cond_broadcast (&self->call.changed);
    }
  pthread_mutex_unlock (&self->call.lock);
  return n;
}

static void
append_destroy (RackCall *call)
{
  g_free (((AppendCall *) call)->ring);
  g_free (((AppendCall *) call)->sources);
  g_free (call);
}

static const RackCallOps append_ops = { .destroy = append_destroy };

static void
prefix (const RackAppend *append, GError **error)
{
  g_prefix_error (error, "%s: %s: %s: ", append->account->label, append->mailbox, append->what);
}

/* A connection that rested may have been closed by the server, and a command sent into that void
 * has an unknown outcome. So it is tried with one that has none. */
static gboolean
acquire (RackAppend *append, GError **error)
{
  for (guint try = 0;; try++)
    {
      RackWait wait = rack_account_wait (append->account, append->cancellable);
      g_autoptr (RackCall) noop = rack_call_new (rack_command_new ("NOOP"));
      g_autoptr (GError) problem = NULL;
      if (!rack_pool_acquire (append->account->pool, NULL, RACK_LEASE_ALONE | RACK_LEASE_BULK,
                              &wait, &append->lease, error))
        return FALSE;
      if (!append->lease.rested)
        return TRUE;
      rack_conn_post (append->lease.conn, noop);
      if (rack_call_wait (noop, append->cancellable, &problem))
        return TRUE;
      rack_pool_release (append->account->pool, &append->lease, FALSE);
      if (try < 4 && rack_error_is_lost (problem))
        continue;
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
}

static void
add_item (RackCommand *command, AppendCall *call, guint at, const RackAppendItem *item)
{
  AppendSource *source = &call->sources[at];

  *source = (AppendSource){ { item->size, source_read }, call };
  if (item->flags != 0 || (item->keywords != NULL && *item->keywords != NULL))
    rack_command_flags (command, item->flags, item->keywords);
  if (item->date >= 0)
    rack_command_date_time (command, item->date, item->zone);
  rack_command_source (command, &source->source);
}

static gboolean
check_many (RackAppend *append, guint n, GError **error)
{
  if (n == 1 || rack_conn_has (append->lease.conn, "MULTIAPPEND"))
    return TRUE;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                       "the server takes one message at a time (no MULTIAPPEND)");
  return FALSE;
}

/* command: (owned), and complete but for what is said of the items. */
static RackAppend *
make (RackAccount *account, const char *mailbox, const char *what, RackCommand *command,
      const RackAppendItem *items, guint n, GCancellable *cancellable)
{
  RackAppend *append = g_new0 (RackAppend, 1);

  append->account = rack_account_ref (account);
  append->mailbox = g_strdup (mailbox);
  append->what = what;
  append->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  append->call = rack_call_new_sized (sizeof (AppendCall), &append_ops, command);
  append->call->ring = g_malloc (RING);
  append->call->sources = g_new (AppendSource, n);
  for (guint i = 0; i < n; i++)
    {
      append->left += items[i].size;
      add_item (command, append->call, i, &items[i]);
    }
  return append;
}

RackAppend *
rack_append_new_many (RackAccount *account, const char *mailbox, const RackAppendItem *items,
                      guint n, GCancellable *cancellable, GError **error)
{
  RackCommand *command = rack_command_new ("APPEND");

  rack_command_mailbox (command, mailbox);
  g_autoptr (RackAppend) append = make (account, mailbox, "append", command, items, n, cancellable);
  if (account->settings.read_only)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_READ_ONLY,
                         "the account is read-only (read_only = yes)");
  else if (acquire (append, error) && check_many (append, n, error))
    {
      rack_conn_post (append->lease.conn, &append->call->call);
      return g_steal_pointer (&append);
    }
  prefix (append, error);
  return NULL;
}

RackAppend *
rack_append_new (RackAccount *account, const char *mailbox, guint64 size, RackFlags flags,
                 const char *const *keywords, gint64 date, gint zone, GCancellable *cancellable,
                 GError **error)
{
  RackAppendItem item = {
    .size = size, .flags = flags, .keywords = keywords, .date = date, .zone = zone
  };

  return rack_append_new_many (account, mailbox, &item, 1, cancellable, error);
}

/* A connection on which the old message can be named. It was just heard from. */
static gboolean
acquire_in (RackAppend *append, RackMailbox *mailbox, GError **error)
{
  const RackLeaseFlags flags = RACK_LEASE_ALONE | RACK_LEASE_BULK | RACK_LEASE_FRESH;

  if (!rack_mailbox_lease (mailbox, flags, append->cancellable, &append->lease, error))
    return FALSE;
  if (rack_conn_has (append->lease.conn, "REPLACE"))
    return TRUE;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                       "the server cannot replace a message (no REPLACE)");
  return FALSE;
}

RackAppend *
rack_append_new_replacing (RackMailbox *mailbox, guint32 uid, const RackAppendItem *item,
                           GCancellable *cancellable, GError **error)
{
  RackCommand *command = rack_command_new ("UID REPLACE");

  rack_command_number (command, uid);
  rack_command_mailbox (command, mailbox->name);
  g_autoptr (RackAppend) append =
      make (mailbox->account, mailbox->name, "replace", command, item, 1, cancellable);
  if (mailbox->read_only)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_READ_ONLY,
                         "the mailbox was opened read-only");
  else if (acquire_in (append, mailbox, error))
    {
      rack_conn_post (append->lease.conn, &append->call->call);
      return g_steal_pointer (&append);
    }
  prefix (append, error);
  return NULL;
}

static gboolean
has_room (RackCall *call)
{
  return ((AppendCall *) call)->used < RING;
}

/* With the lock held: why the call ended before it should have. */
static gboolean
refused (RackAppend *append, GError **error)
{
  RackCall *call = &append->call->call;
  GError *problem =
      call->error != NULL ? g_error_copy (call->error) : rack_reply_to_error (call->reply);

  if (problem == NULL)
    problem = g_error_new (RACK_ERROR, RACK_ERROR_PROTOCOL,
                           "the server said OK before it had the message");
  g_propagate_error (error, problem);
  prefix (append, error);
  return FALSE;
}

gboolean
rack_append_write (RackAppend *append, const void *data, gsize size, GError **error)
{
  AppendCall *call = append->call;
  const char *at = data;
  gboolean ok = TRUE, kick = FALSE;

  if (size > append->left)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                   "%s: %s: %s: more octets than were announced", append->account->label,
                   append->mailbox, append->what);
      return FALSE;
    }
  pthread_mutex_lock (&call->call.lock);
  while (size > 0 && ok)
    {
      ok = rack_call_wait_locked (&call->call, has_room, append->cancellable, error);
      if (!ok)
        prefix (append, error);
      else if (call->call.done)
        ok = refused (append, error);
      else
        {
          gsize end = (call->at + call->used) % RING;
          gsize now = MIN (MIN (size, RING - call->used), RING - end);
          memcpy (call->ring + end, at, now);
          call->used += now;
          at += now;
          size -= now;
          append->left -= now;
          kick = call->starved;
          call->starved = FALSE;
        }
      if (kick)
        {
          pthread_mutex_unlock (&call->call.lock);
          rack_conn_kick (append->lease.conn, &call->call);
          pthread_mutex_lock (&call->call.lock);
          kick = FALSE;
        }
    }
  pthread_mutex_unlock (&call->call.lock);
  return ok;
}

/* Where it is, or NULL. Of a replacement an untagged OK says so: it is there before the old one
 * goes (RFC 8508, section 4.3). */
static const RackCode *
find_code (const RackReply *reply)
{
  const RackResponse *response;
  const RackCode *code = &rack_reply_status (reply)->code;

  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_STATUS && response->status.code.kind == RACK_CODE_APPENDUID)
      code = &response->status.code;
  return code->kind == RACK_CODE_APPENDUID && code->uids.n > 0 ? code : NULL;
}

gboolean
rack_append_finish_many (RackAppend *append, guint32 *uid_validity, RackSet **uids, GError **error)
{
  RackCall *call = &append->call->call;

  if (append->left > 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                   "%s: %s: %s: %" G_GUINT64_FORMAT " octets are missing", append->account->label,
                   append->mailbox, append->what, append->left);
      return FALSE;
    }
  if (!rack_call_expect (call, append->cancellable, error))
    {
      prefix (append, error);
      return FALSE;
    }
  const RackCode *code = find_code (call->reply);
  *uid_validity = code != NULL ? (guint32) code->number : 0;
  *uids = rack_set_new ();
  if (code != NULL)
    rack_set_add_ranges (*uids, code->uids);
  return TRUE;
}

gboolean
rack_append_finish (RackAppend *append, guint32 *uid_validity, guint32 *uid, GError **error)
{
  g_autoptr (RackSet) uids = NULL;
  guint32 validity;

  if (!rack_append_finish_many (append, &validity, &uids, error))
    return FALSE;
  if (uid_validity != NULL)
    *uid_validity = validity;
  if (uid != NULL)
    *uid = rack_set_count (uids) > 0 ? rack_set_ranges (uids).items[0].first : 0;
  return TRUE;
}

void
rack_append_free (RackAppend *append)
{
  if (append == NULL)
    return;
  if (append->lease.slot != NULL)
    {
      pthread_mutex_lock (&append->call->call.lock);
      gboolean unfinished = !append->call->call.done;
      append->call->abandoned = unfinished;
      pthread_mutex_unlock (&append->call->call.lock);
      if (unfinished)
        rack_conn_kick (append->lease.conn, &append->call->call);
      rack_conn_detach (append->lease.conn, &append->call->call);
      rack_pool_release (append->account->pool, &append->lease, FALSE);
    }
  if (append->call != NULL)
    rack_call_unref (&append->call->call);
  g_clear_object (&append->cancellable);
  g_clear_pointer (&append->account, rack_account_unref);
  g_free (append->mailbox);
  g_free (append);
}
