/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fake.c - the fake server's state, its account and mailboxes; fake-stream.c has what
 * comes in streams */
#include "fake.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct FakeBox
{
  char *name;
  RackListFlags flags;
  guint32 uid_validity;
  GPtrArray *messages;
  guint64 modseq;
};

struct RackAccount
{
  gint references;
  char *identity;
};

struct RackMailbox
{
  gint references;
  FakeBox *box;
  RackMailboxStatus status;
};

struct RackWatch
{
  FakeBox *box;
  guint32 uid_validity;
  GArray *events;
  RackMailbox *mailbox;
  char *items;      /* NULL: new messages are UIDs only */
  RackFetch *fetch; /* has the message of the last event */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static GPtrArray *boxes, *watches;
static GPtrArray *graveyard; /* boxes that were deleted; mailboxes may point to them */
static gboolean is_offline, is_held, break_next;
static guint counts[FAKE_N_OPS];
static guint cut_after;

/* ---- For the test ----------------------------------------------------------------------- */

void
fake_lock (void)
{
  pthread_mutex_lock (&lock);
}

void
fake_unlock (void)
{
  pthread_mutex_unlock (&lock);
}

void
fake_wait (void)
{
  pthread_cond_wait (&changed, &lock);
}

void
fake_wake (void)
{
  pthread_cond_broadcast (&changed);
}

static void
message_free (gpointer data)
{
  FakeMessage *message = data;
  g_free (message->subject);
  g_free (message->body);
  g_free (message->keywords);
  g_hash_table_unref (message->sections);
  g_free (message);
}

static void
box_free (gpointer data)
{
  FakeBox *box = data;
  g_free (box->name);
  g_ptr_array_unref (box->messages);
  g_free (box);
}

/* ---- Where mirrors are kept ---- */

static char *cache;

static void
remove_cache (void)
{
  g_autofree char *quoted = g_shell_quote (cache);
  g_autofree char *command = g_strdup_printf ("rm -rf -- %s", quoted);
  g_assert_cmpint (system (command), ==, 0);
  g_free (cache);
}

static void
make_cache (void)
{
  if (cache != NULL)
    return;
  cache = g_dir_make_tmp ("mirror-XXXXXX", NULL);
  g_assert_nonnull (cache);
  g_setenv ("XDG_CACHE_HOME", cache, TRUE); /* before GLib asked for it */
  atexit (remove_cache);
}

RackAccount *
fake_account_new (void)
{
  static guint number;
  RackAccount *account = g_new0 (RackAccount, 1);
  make_cache ();
  account->references = 1;
  account->identity = g_strdup_printf ("fake %u", ++number);
  boxes = g_ptr_array_new ();
  watches = g_ptr_array_new ();
  graveyard = g_ptr_array_new_with_free_func (box_free);
  is_offline = is_held = break_next = FALSE;
  cut_after = 0;
  memset (counts, 0, sizeof counts);
  return account;
}

RackAccount *
rack_account_ref (RackAccount *account)
{
  g_atomic_int_inc (&account->references);
  return account;
}

void
rack_account_unref (RackAccount *account)
{
  if (!g_atomic_int_dec_and_test (&account->references))
    return;
  g_ptr_array_set_free_func (boxes, box_free);
  g_ptr_array_unref (boxes);
  g_ptr_array_unref (graveyard);
  g_assert_cmpuint (watches->len, ==, 0);
  g_ptr_array_unref (watches);
  g_free (account->identity);
  g_free (account);
}

char *
rack_account_identity (RackAccount *account)
{
  return g_strdup (account->identity);
}

gboolean
rack_account_has (RackAccount *account, const char *capability, gboolean *has,
                  GCancellable *cancellable, GError **error)
{
  *has = strcmp (capability, "CONDSTORE") == 0;
  return TRUE;
}

FakeBox *
fake_box (const char *name, RackListFlags flags, guint32 uid_validity)
{
  FakeBox *box = g_new0 (FakeBox, 1);
  box->name = g_strdup (name);
  box->flags = flags;
  box->uid_validity = uid_validity;
  box->messages = g_ptr_array_new_with_free_func (message_free);
  box->modseq = 1;
  fake_lock ();
  g_ptr_array_add (boxes, box);
  fake_unlock ();
  return box;
}

static FakeBox *
find_box (const char *name)
{
  for (guint i = 0; i < boxes->len; i++)
    if (strcmp (((FakeBox *) boxes->pdata[i])->name, name) == 0)
      return boxes->pdata[i];
  return NULL;
}

void
fake_box_delete (const char *name)
{
  fake_lock ();
  FakeBox *box = find_box (name);
  g_ptr_array_remove (boxes, box);
  g_ptr_array_add (graveyard, box);
  box->uid_validity = 0;
  fake_wake ();
  fake_unlock ();
}

void
fake_box_replace (FakeBox *box, guint32 uid_validity)
{
  fake_lock ();
  box->uid_validity = uid_validity;
  g_ptr_array_set_size (box->messages, 0);
  fake_wake ();
  fake_unlock ();
}

guint
fake_position (const GPtrArray *messages, guint32 uid)
{
  guint low = 0, high = messages->len;
  while (low < high)
    {
      guint middle = (low + high) / 2;
      if (((const FakeMessage *) messages->pdata[middle])->uid < uid)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static FakeMessage *
find_message (FakeBox *box, guint32 uid)
{
  guint at = fake_position (box->messages, uid);
  FakeMessage *message = at < box->messages->len ? box->messages->pdata[at] : NULL;
  return message != NULL && message->uid == uid ? message : NULL;
}

static void
tell_watches (FakeBox *box, RackEventKind kind, guint32 uid, RackFlags flags)
{
  RackEvent event = { .kind = kind, .uid = uid, .flags = flags };
  FakeMessage *message = find_message (box, uid);
  box->modseq++;
  if (message != NULL)
    message->modseq = box->modseq;
  for (guint i = 0; i < watches->len; i++)
    if (((RackWatch *) watches->pdata[i])->box == box)
      g_array_append_val (((RackWatch *) watches->pdata[i])->events, event);
  fake_wake ();
}

void
fake_add (FakeBox *box, guint32 uid, const char *subject, const char *body, gint64 announced)
{
  FakeMessage *message = g_new0 (FakeMessage, 1);
  message->uid = uid;
  message->sections = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  message->subject = g_strdup (subject);
  message->body = g_strdup (body);
  message->announced = announced >= 0 ? (guint64) announced : strlen (body);
  fake_lock ();
  g_ptr_array_insert (box->messages, (gint) fake_position (box->messages, uid), message);
  tell_watches (box, RACK_EVENT_ADDED, uid, 0);
  fake_unlock ();
}

void
fake_remove (FakeBox *box, guint32 uid)
{
  fake_lock ();
  g_ptr_array_remove (box->messages, find_message (box, uid));
  tell_watches (box, RACK_EVENT_REMOVED, uid, 0);
  fake_unlock ();
}

void
fake_flags (FakeBox *box, guint32 uid, RackFlags flags)
{
  fake_lock ();
  find_message (box, uid)->flags = flags;
  tell_watches (box, RACK_EVENT_FLAGS, uid, flags);
  fake_unlock ();
}

void
fake_keywords (FakeBox *box, guint32 uid, const char *keywords)
{
  fake_lock ();
  FakeMessage *message = find_message (box, uid);
  g_free (message->keywords);
  message->keywords = g_strdup (keywords);
  tell_watches (box, RACK_EVENT_FLAGS, uid, message->flags);
  fake_unlock ();
}

void
fake_garble (FakeBox *box, guint32 uid)
{
  fake_lock ();
  find_message (box, uid)->garbled = TRUE;
  fake_unlock ();
}

void
fake_structure (FakeBox *box, guint32 uid, const RackPart *root)
{
  fake_lock ();
  find_message (box, uid)->structure = root;
  fake_unlock ();
}

void
fake_section (FakeBox *box, guint32 uid, const char *section, const char *octets, gboolean decoded)
{
  fake_lock ();
  g_hash_table_insert (find_message (box, uid)->sections,
                       g_strconcat (decoded ? "~" : "", section, NULL), g_strdup (octets));
  fake_unlock ();
}

static void
set (gboolean *what, gboolean value)
{
  fake_lock ();
  *what = value;
  fake_wake ();
  fake_unlock ();
}

void
fake_offline (gboolean offline)
{
  set (&is_offline, offline);
}

void
fake_hold (gboolean hold)
{
  set (&is_held, hold);
}

void
fake_break_next_read (void)
{
  set (&break_next, TRUE);
}

gboolean
fake_is_held (void)
{
  return is_held;
}

gboolean
fake_take_break (void)
{
  gboolean now = break_next;
  break_next = FALSE;
  return now;
}

void
fake_break_fetch (guint after)
{
  fake_lock ();
  cut_after = after;
  fake_unlock ();
}

gboolean
fake_cuts_fetch (guint given)
{
  return cut_after > 0 && given >= cut_after;
}

void
fake_note (FakeOp op)
{
  counts[op]++;
}

void
fake_reset_watches (void)
{
  RackEvent event = { .kind = RACK_EVENT_RESET };
  fake_lock ();
  for (guint i = 0; i < watches->len; i++)
    g_array_append_val (((RackWatch *) watches->pdata[i])->events, event);
  fake_wake ();
  fake_unlock ();
}

guint
fake_count (FakeOp op)
{
  fake_lock ();
  guint n = counts[op];
  fake_unlock ();
  return n;
}

/* ---- For the fake itself, with the lock held ---------------------------------------------- */

gboolean
fake_fails (FakeOp op, GCancellable *cancellable, GError **error)
{
  counts[op]++;
  if (g_cancellable_is_cancelled (cancellable))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  else if (is_offline)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_NETWORK, "the network is unreachable");
  else
    return FALSE;
  return TRUE;
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  fake_lock ();
  fake_wake ();
  fake_unlock ();
}

gulong
fake_connect (GCancellable *cancellable)
{
  return cancellable != NULL
             ? g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), NULL, NULL)
             : 0;
}

GPtrArray *
fake_messages (RackMailbox *mailbox, GError **error)
{
  if (mailbox->box != NULL && mailbox->box->uid_validity == mailbox->status.uid_validity)
    return mailbox->box->messages;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_STALE, "UIDVALIDITY changed");
  return NULL;
}

guint64
fake_modseq (RackMailbox *mailbox)
{
  return mailbox->box->modseq;
}

/* ---- The public API ------------------------------------------------------------------------ */

void
rack_mailbox_info_free (RackMailboxInfo *info)
{
  g_free (info->name);
  g_free (info);
}

static guint32
next_uid (const FakeBox *box)
{
  guint32 highest = 0;
  for (guint i = 0; i < box->messages->len; i++)
    highest = MAX (highest, ((FakeMessage *) box->messages->pdata[i])->uid);
  return highest + 1;
}

static RackMailboxInfo *
info_of (const FakeBox *box)
{
  RackMailboxInfo *info = g_new0 (RackMailboxInfo, 1);
  info->name = g_strdup (box->name);
  info->separator = '/';
  info->flags = box->flags;
  info->messages = box->messages->len;
  info->uid_next = next_uid (box);
  info->uid_validity = box->uid_validity;
  info->highest_modseq = box->modseq;
  return info;
}

GPtrArray *
rack_account_list (RackAccount *account, const char *pattern, RackListOptions options,
                   GCancellable *cancellable, GError **error)
{
  GPtrArray *list = NULL;
  fake_lock ();
  if (!fake_fails (FAKE_LIST, cancellable, error))
    {
      list = g_ptr_array_new_with_free_func ((GDestroyNotify) rack_mailbox_info_free);
      for (guint i = 0; i < boxes->len; i++)
        g_ptr_array_add (list, info_of (boxes->pdata[i]));
    }
  fake_unlock ();
  return list;
}

RackMailboxInfo *
rack_account_status (RackAccount *account, const char *name, GCancellable *cancellable,
                     GError **error)
{
  RackMailboxInfo *info = NULL;
  fake_lock ();
  if (!fake_fails (FAKE_STATUS, cancellable, error))
    {
      FakeBox *box = find_box (name);
      if (box != NULL)
        info = info_of (box);
      else
        g_set_error_literal (error, RACK_ERROR, RACK_ERROR_NOT_FOUND, "no such mailbox");
    }
  fake_unlock ();
  return info;
}

RackMailbox *
rack_mailbox_open (RackAccount *account, const char *name, gboolean read_only,
                   GCancellable *cancellable, GError **error)
{
  RackMailbox *mailbox = NULL;
  g_assert_true (read_only);
  fake_lock ();
  FakeBox *box = find_box (name);
  if (fake_fails (FAKE_OPEN, cancellable, error))
    ;
  else if (box == NULL)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_NOT_FOUND, "no such mailbox");
  else
    {
      mailbox = g_new0 (RackMailbox, 1);
      mailbox->references = 1;
      mailbox->box = box;
      mailbox->status.uid_validity = box->uid_validity;
      mailbox->status.messages = box->messages->len;
      mailbox->status.uid_next = next_uid (box);
      mailbox->status.highest_modseq = box->modseq;
    }
  fake_unlock ();
  return mailbox;
}

RackMailbox *
rack_mailbox_bind (RackAccount *account, const char *name, gboolean read_only, guint32 uid_validity)
{
  RackMailbox *mailbox = g_new0 (RackMailbox, 1);
  g_assert_true (read_only);
  fake_lock ();
  mailbox->references = 1;
  mailbox->box = find_box (name);
  mailbox->status.uid_validity = uid_validity;
  fake_unlock ();
  return mailbox;
}

RackMailbox *
rack_mailbox_ref (RackMailbox *mailbox)
{
  g_atomic_int_inc (&mailbox->references);
  return mailbox;
}

void
rack_mailbox_unref (RackMailbox *mailbox)
{
  if (g_atomic_int_dec_and_test (&mailbox->references))
    g_free (mailbox);
}

void
rack_mailbox_status (RackMailbox *mailbox, RackMailboxStatus *status)
{
  *status = mailbox->status;
}

RackSet *
rack_mailbox_search (RackMailbox *mailbox, const char *criteria, GCancellable *cancellable,
                     GError **error)
{
  RackSet *found = NULL;
  GPtrArray *messages;
  g_assert_cmpstr (criteria, ==, "ALL");
  fake_lock ();
  if (!fake_fails (FAKE_SEARCH, cancellable, error)
      && (messages = fake_messages (mailbox, error)) != NULL)
    {
      found = rack_set_new ();
      for (guint i = 0; i < messages->len; i++)
        {
          guint32 uid = ((FakeMessage *) messages->pdata[i])->uid;
          rack_set_add (found, uid, uid);
        }
    }
  fake_unlock ();
  return found;
}

RackWatch *
rack_mailbox_watch (RackMailbox *mailbox, GCancellable *cancellable, GError **error)
{
  RackWatch *watch = NULL;
  fake_lock ();
  if (!fake_fails (FAKE_WATCH, cancellable, error) && fake_messages (mailbox, error) != NULL)
    {
      watch = g_new0 (RackWatch, 1);
      watch->box = mailbox->box;
      watch->mailbox = rack_mailbox_ref (mailbox);
      watch->uid_validity = mailbox->status.uid_validity;
      watch->events = g_array_new (FALSE, FALSE, sizeof (RackEvent));
      g_ptr_array_add (watches, watch);
    }
  fake_unlock ();
  return watch;
}

/* Its network never changes. */
gboolean
rack_account_wait_network (RackAccount *account, guint64 *seen, GCancellable *cancellable,
                           GError **error)
{
  GPollFD cancel;
  g_assert_true (g_cancellable_make_pollfd (cancellable, &cancel));
  g_poll (&cancel, 1, -1);
  g_cancellable_release_fd (cancellable);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

/* It has no NOTIFY. */
RackAccountWatch *
rack_account_watch (RackAccount *account, GCancellable *cancellable, GError **error)
{
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED, "the server has no NOTIFY");
  return NULL;
}

const RackAccountEvent *
rack_account_watch_next (RackAccountWatch *watch, GCancellable *cancellable, GError **error)
{
  g_assert_not_reached ();
}

void
rack_account_watch_free (RackAccountWatch *watch)
{
}

void
rack_watch_want (RackWatch *watch, const char *items)
{
  watch->items = g_strdup (items);
}

gboolean
rack_watch_next (RackWatch *watch, RackEvent *event, GCancellable *cancellable, GError **error)
{
  gulong handler = fake_connect (cancellable);
  gboolean ok = FALSE;
  fake_lock ();
  while (watch->events->len == 0 && watch->box->uid_validity == watch->uid_validity
         && !g_cancellable_is_cancelled (cancellable))
    fake_wait ();
  if (g_cancellable_is_cancelled (cancellable))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  else if (watch->box->uid_validity != watch->uid_validity)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_STALE, "UIDVALIDITY changed");
  else
    {
      *event = g_array_index (watch->events, RackEvent, 0);
      g_array_remove_index (watch->events, 0);
      ok = TRUE;
    }
  fake_unlock ();
  g_cancellable_disconnect (cancellable, handler);
  g_clear_pointer (&watch->fetch, rack_fetch_free);
  if (ok && event->kind == RACK_EVENT_ADDED && watch->items != NULL)
    {
      watch->fetch = fake_fetch_new (watch->mailbox, event->uid, watch->items);
      event->message = rack_fetch_next (watch->fetch, NULL);
    }
  return ok;
}

void
rack_watch_free (RackWatch *watch)
{
  if (watch == NULL)
    return;
  g_clear_pointer (&watch->fetch, rack_fetch_free);
  rack_mailbox_unref (watch->mailbox);
  g_free (watch->items);
  fake_lock ();
  g_ptr_array_remove (watches, watch);
  fake_unlock ();
  g_array_unref (watch->events);
  g_free (watch);
}
